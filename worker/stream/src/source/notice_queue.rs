//! Queue of notices, in which repetitions of one trouble are suppressed.
//!
//! Promises: an outage of a day adds two notices a minute at most. Must not classify troubles.

use std::collections::{BTreeMap, VecDeque};
use std::time::{Duration, Instant};

use super::notice::Notice;

/// Shortest time between two notices of the same trouble.
const REPEAT_AFTER: Duration = Duration::from_secs(30);

/// Notices that were not polled yet, oldest first.
#[derive(Debug, Default)]
pub(super) struct NoticeQueue {
    queue: VecDeque<Notice>,
    /// Time of the last notice of each trouble: its reason with the topic and partition concerned.
    last_pushed: BTreeMap<String, Instant>,
}

impl NoticeQueue {
    /// Removes the oldest notice.
    pub(super) fn pop(&mut self) -> Option<Notice> {
        self.queue.pop_front()
    }

    /// Appends a notice in any case.
    pub(super) fn push(&mut self, notice: Notice) {
        self.queue.push_back(notice);
    }

    /// Appends a notice unless the same trouble was appended less than [`REPEAT_AFTER`] ago.
    pub(super) fn push_unless_repeated(&mut self, notice: Notice) {
        let trouble = match &notice {
            Notice::TopicFailed { topic, .. } => format!("{} {topic}", notice.reason()),
            Notice::PartitionFailed { topic, partition, .. } => format!("{} {topic} {partition}", notice.reason()),
            other => other.reason().to_owned(),
        };
        let now = Instant::now();
        if self
            .last_pushed
            .get(&trouble)
            .is_none_or(|&last| now.duration_since(last) >= REPEAT_AFTER)
        {
            self.last_pushed.insert(trouble, now);
            self.queue.push_back(notice);
        }
    }

    /// Ends the suppression of a trouble that is over; its next notice is appended at once.
    pub(super) fn end_repetition(&mut self, trouble: &str) {
        self.last_pushed.remove(trouble);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_trouble_is_reported_once_until_it_is_over() {
        let mut notices = NoticeQueue::default();
        let failed = |partition| Notice::PartitionFailed {
            topic: "T".into(),
            partition,
            reason: "why".into(),
        };
        for partition in [0, 1, 0, 1] {
            notices.push_unless_repeated(failed(partition));
        }
        notices.push_unless_repeated(Notice::BrokerUnreachable("a".into()));
        notices.push_unless_repeated(Notice::BrokerUnreachable("b".into()));
        notices.end_repetition("broker_unreachable");
        notices.push_unless_repeated(Notice::BrokerUnreachable("c".into()));
        let queued: Vec<Notice> = std::iter::from_fn(|| notices.pop()).collect();
        let expected = [
            failed(0),
            failed(1),
            Notice::BrokerUnreachable("a".into()),
            Notice::BrokerUnreachable("c".into()),
        ];
        assert_eq!(queued, expected);
    }
}
