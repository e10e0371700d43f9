//! What the timeline knows of one partition: which of its records are held, how far it is, its open tail.
//!
//! Promises: an offset is held for as long as what it brought is; a clock that jumps for a few records does not make
//! the partition look further than it is. It must not decide what a record means.

use std::collections::VecDeque;

use crate::entry::Entry;
use crate::offsets::Offsets;
use crate::place::PartitionKey;

/// Records of a stretch that is let go of together.
const STRETCH: u32 = 4096;
/// Offsets skipped within this are of no record (transaction marks) and do not break an interval.
const SKIPPED: i64 = 4;
/// Times that must agree before the partition is taken to have come so far.
const RECENT: usize = 4;

/// Records that brought no events: metadata, logs, and what was dropped.
#[derive(Clone, Debug)]
struct Stretch {
    offsets: Offsets,
    oldest: i64,
    newest: i64,
    records: u32,
}

impl Default for Stretch {
    fn default() -> Self {
        Self {
            offsets: Offsets::default(),
            oldest: i64::MAX,
            newest: i64::MIN,
            records: 0,
        }
    }
}

/// One partition.
#[derive(Debug)]
pub(crate) struct Partition {
    pub(crate) key: PartitionKey,
    /// The open tail, if any events came since the last was closed.
    pub(crate) open: Option<Entry>,
    /// Where the last pulse was found in the ledger.
    pub(crate) hint: usize,
    /// Next offset and high watermark as last reported.
    pub(crate) progress: Option<(i64, Option<i64>)>,
    held: Offsets,
    last: Option<i64>,
    read_end: i64,
    /// Metadata and logs: they may be taken in again without harm.
    metadata_read: VecDeque<Stretch>,
    /// Events that were not stored: taken in again, they would count twice.
    events_read: VecDeque<Stretch>,
    recent: [i64; RECENT],
    turn: usize,
    metadata: Option<i64>,
}

impl Partition {
    pub(crate) fn new(key: PartitionKey) -> Self {
        Self {
            key,
            open: None,
            hint: 0,
            progress: None,
            held: Offsets::default(),
            last: None,
            read_end: i64::MIN,
            metadata_read: VecDeque::new(),
            events_read: VecDeque::new(),
            recent: [i64::MIN; RECENT],
            turn: 0,
            metadata: None,
        }
    }

    pub(crate) fn holds(&self, offset: i64) -> bool {
        self.held.contains(offset)
    }

    /// Notes a record that is handed over; says whether it is held already, and whether it was read before.
    pub(crate) fn read(&mut self, offset: i64) -> (bool, bool) {
        let again = offset < self.read_end;
        self.read_end = self.read_end.max(offset.saturating_add(1));
        let last = self.last.replace(offset);
        if !self.held.insert(offset) {
            return (true, again);
        }
        if let Some(last) = last
            && offset > last
            && offset - last <= SKIPPED
        {
            self.held.insert_range(last + 1, offset);
        }
        (false, again)
    }

    /// Whether a record comes from before the newest one that the open tail has: reading began anew.
    pub(crate) fn went_back(&self, offset: i64) -> bool {
        let newest = self.open.as_ref().and_then(|entry| entry.offsets().intervals().last());
        newest.is_some_and(|&(_, end)| offset < end)
    }

    /// A record of metadata, which is of use up to `time`.
    pub(crate) fn keep_metadata(&mut self, offset: i64, time: i64) {
        keep(&mut self.metadata_read, offset, time);
    }

    /// A record of events that were counted but not stored, of use up to `time`.
    pub(crate) fn keep_events(&mut self, offset: i64, time: i64) {
        keep(&mut self.events_read, offset, time);
    }

    /// A record that was not taken in and may be wanted after a replay.
    pub(crate) fn let_go(&mut self, offset: i64) {
        self.held.remove_range(offset, offset.saturating_add(1));
    }

    /// What a freed chunk held is held no more.
    pub(crate) fn free(&mut self, offsets: &Offsets) {
        self.held.remove(offsets);
    }

    /// Lets go of records that are of no use from `time` on: metadata as soon as some of a stretch is gone, for the
    /// rest of it does no harm when read again; events only when all of it is.
    pub(crate) fn forget_before(&mut self, time: i64) {
        let held = &mut self.held;
        let mut forget = |stretches: &mut VecDeque<Stretch>, stale: fn(&Stretch, i64) -> bool| {
            stretches.retain(|stretch| {
                let stale = stale(stretch, time);
                if stale {
                    held.remove(&stretch.offsets);
                }
                !stale
            });
        };
        forget(&mut self.metadata_read, |stretch, time| stretch.oldest < time);
        forget(&mut self.events_read, |stretch, time| {
            (i64::MIN + 1..time).contains(&stretch.newest)
        });
    }

    /// Notes the time of a pulse or log.
    pub(crate) fn came_to(&mut self, time: i64) {
        self.turn = (self.turn + 1) % RECENT;
        if let Some(slot) = self.recent.get_mut(self.turn) {
            *slot = time;
        }
    }

    /// The time that the partition has come to: the least of the last few, so that one jump does not count.
    pub(crate) fn time(&self) -> Option<i64> {
        self.recent.iter().copied().filter(|&time| time != i64::MIN).min()
    }

    /// The time that it has come to, once enough records agree.
    pub(crate) fn passed(&self) -> i64 {
        self.recent.iter().copied().min().unwrap_or(i64::MIN)
    }

    /// Notes the time of a frame's metadata.
    pub(crate) fn metadata_came_to(&mut self, time: i64) {
        self.metadata = Some(time);
    }

    pub(crate) const fn metadata(&self) -> Option<i64> {
        self.metadata
    }

    /// Whether everything in it was read when that was last reported.
    pub(crate) fn at_end(&self) -> bool {
        matches!(self.progress, Some((next, Some(end))) if next >= end)
    }
}

fn keep(stretches: &mut VecDeque<Stretch>, offset: i64, time: i64) {
    if stretches.back().is_none_or(|stretch| stretch.records >= STRETCH) {
        stretches.push_back(Stretch::default());
    }
    if let Some(stretch) = stretches.back_mut() {
        stretch.offsets.insert(offset);
        if time != i64::MIN {
            stretch.oldest = stretch.oldest.min(time);
            stretch.newest = stretch.newest.max(time);
        }
        stretch.records += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::place::TopicRole;

    fn partition() -> Partition {
        Partition::new(PartitionKey {
            role: TopicRole::Events,
            topic: 0,
            partition: 0,
        })
    }

    #[test]
    fn a_record_is_held_until_it_is_let_go_of() {
        let mut partition = partition();
        assert_eq!(partition.read(5), (false, false));
        partition.keep_events(5, 100);
        assert_eq!(partition.read(7), (false, false));
        assert!(partition.holds(6), "a transaction's mark");
        partition.keep_events(7, 200);
        assert_eq!(partition.read(5), (true, true));
        partition.forget_before(150);
        assert!(partition.holds(5), "its stretch is still of use");
        partition.forget_before(201);
        assert_eq!(partition.read(5), (false, true));
        assert_eq!(partition.read(2), (false, true));
        partition.read(20);
        partition.keep_metadata(20, 100);
        partition.keep_metadata(21, 200);
        partition.forget_before(150);
        assert_eq!(partition.read(20), (false, true), "metadata may be read again");
    }

    #[test]
    fn one_jump_of_the_clock_does_not_count() {
        let mut partition = partition();
        assert_eq!((partition.time(), partition.passed()), (None, i64::MIN));
        for time in [10, 20, 30, 9999, 40] {
            partition.came_to(time);
        }
        assert_eq!((partition.time(), partition.passed()), (Some(20), 20));
    }
}
