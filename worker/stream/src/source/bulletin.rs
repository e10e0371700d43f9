//! What is to be told, in order; the same kind of trouble not too often.
//!
//! Promises: a broker that is gone for a day fills no log. Must not decide what happened.

use std::collections::{BTreeMap, VecDeque};
use std::time::{Duration, Instant};

use super::notice::Notice;

/// How often the same kind of trouble is told.
const REPEAT_AFTER: Duration = Duration::from_secs(30);

/// The notices that were not read yet.
#[derive(Debug, Default)]
pub(super) struct Bulletin {
    queue: VecDeque<Notice>,
    told: BTreeMap<String, Instant>,
}

impl Bulletin {
    pub(super) fn next(&mut self) -> Option<Notice> {
        self.queue.pop_front()
    }

    /// Tells it in any case.
    pub(super) fn push(&mut self, notice: Notice) {
        self.queue.push_back(notice);
    }

    /// Tells of trouble, unless the same kind was told a moment ago.
    pub(super) fn tell(&mut self, notice: Notice) {
        let kind = match &notice {
            Notice::TopicFailed { topic, .. } => format!("{} {topic}", notice.reason()),
            Notice::PartitionFailed { topic, partition, .. } => format!("{} {topic} {partition}", notice.reason()),
            other => other.reason().to_owned(),
        };
        let now = Instant::now();
        if self
            .told
            .get(&kind)
            .is_none_or(|&last| now.duration_since(last) >= REPEAT_AFTER)
        {
            self.told.insert(kind, now);
            self.queue.push_back(notice);
        }
    }

    /// The trouble is over: the next of its kind is news again.
    pub(super) fn forget(&mut self, kind: &str) {
        self.told.remove(kind);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_trouble_is_told_once_until_it_is_over() {
        let mut bulletin = Bulletin::default();
        let failed = |partition| Notice::PartitionFailed {
            topic: "T".into(),
            partition,
            reason: "why".into(),
        };
        for partition in [0, 1, 0, 1] {
            bulletin.tell(failed(partition));
        }
        bulletin.tell(Notice::Unreachable("a".into()));
        bulletin.tell(Notice::Unreachable("b".into()));
        bulletin.forget("broker_unreachable");
        bulletin.tell(Notice::Unreachable("c".into()));
        let told: Vec<Notice> = std::iter::from_fn(|| bulletin.next()).collect();
        let expected = [
            failed(0),
            failed(1),
            Notice::Unreachable("a".into()),
            Notice::Unreachable("c".into()),
        ];
        assert_eq!(told, expected);
    }
}
