//! State of reading of one partition: offsets whose content is in memory, its stream time, and its open chunk.
//!
//! Promises: an offset counts as held as long as its content is in memory. A clock that jumps for a few records does
//! not advance the partition's stream time. It must not interpret records.

use std::collections::VecDeque;

use crate::offsets::Offsets;
use crate::record_position::PartitionKey;
use crate::timeline_chunk::TimelineChunk;

/// Records of a group that is released together.
const GROUP_RECORDS: u32 = 4096;
/// Largest step between offsets that counts as gap-free: Kafka's transaction markers use offsets without records.
const MAX_SKIPPED_OFFSETS: i64 = 4;
/// Latest times whose minimum is the partition's stream time.
const RECENT_TIMES: usize = 4;

/// Group of records without stored events: metadata, logs and dropped events.
#[derive(Clone, Debug)]
struct RecordGroup {
    offsets: Offsets,
    oldest: i64,
    newest: i64,
    records: u32,
}

impl Default for RecordGroup {
    fn default() -> Self {
        Self {
            offsets: Offsets::default(),
            oldest: i64::MAX,
            newest: i64::MIN,
            records: 0,
        }
    }
}

/// Reading of a record at its offset.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct RecordRead {
    /// The content of this offset is in memory.
    pub(crate) already_held: bool,
    /// The offset was read before, as after a seek back.
    pub(crate) read_before: bool,
}

/// State of reading of one partition, and its open chunk.
#[derive(Debug)]
pub(crate) struct PartitionState {
    pub(crate) key: PartitionKey,
    /// Open chunk, if events arrived since the previous one was closed.
    pub(crate) open: Option<TimelineChunk>,
    /// Position of the latest pulse in the frames' list, where the next look-up starts.
    pub(crate) hint: usize,
    /// Next offset and high watermark of the latest report.
    pub(crate) progress: Option<(i64, Option<i64>)>,
    held: Offsets,
    last_offset: Option<i64>,
    read_end: i64,
    /// Records of metadata and logs, which may be read again without harm.
    metadata_records: VecDeque<RecordGroup>,
    /// Records of events that were counted but not stored; read again, they would count twice.
    dropped_records: VecDeque<RecordGroup>,
    recent_times: [i64; RECENT_TIMES],
    next_recent: usize,
    metadata_time: Option<i64>,
}

impl PartitionState {
    pub(crate) fn new(key: PartitionKey) -> Self {
        Self {
            key,
            open: None,
            hint: 0,
            progress: None,
            held: Offsets::default(),
            last_offset: None,
            read_end: i64::MIN,
            metadata_records: VecDeque::new(),
            dropped_records: VecDeque::new(),
            recent_times: [i64::MIN; RECENT_TIMES],
            next_recent: 0,
            metadata_time: None,
        }
    }

    /// True if the content of an offset is in memory.
    pub(crate) fn holds(&self, offset: i64) -> bool {
        self.held.contains(offset)
    }

    /// Records the reading of an offset.
    pub(crate) fn read(&mut self, offset: i64) -> RecordRead {
        let read_before = offset < self.read_end;
        self.read_end = self.read_end.max(offset.saturating_add(1));
        let last = self.last_offset.replace(offset);
        if !self.held.insert(offset) {
            return RecordRead {
                already_held: true,
                read_before,
            };
        }
        if let Some(last) = last
            && offset > last
            && offset - last <= MAX_SKIPPED_OFFSETS
        {
            self.held.insert_range(last + 1, offset);
        }
        RecordRead {
            already_held: false,
            read_before,
        }
    }

    /// True if the offset lies before the newest one of the open chunk, as after a seek back.
    pub(crate) fn precedes_open_chunk(&self, offset: i64) -> bool {
        let newest = self.open.as_ref().and_then(|chunk| chunk.offsets().intervals().last());
        newest.is_some_and(|&(_, end)| offset < end)
    }

    /// Holds a record of metadata or a log until `time` (ns) is forgotten.
    pub(crate) fn hold_metadata(&mut self, offset: i64, time: i64) {
        add_to_group(&mut self.metadata_records, offset, time);
    }

    /// Holds a record of events that were counted but not stored, until `time` (ns) is forgotten.
    pub(crate) fn hold_dropped_events(&mut self, offset: i64, time: i64) {
        add_to_group(&mut self.dropped_records, offset, time);
    }

    /// Releases the offset of a record without effect, so that a replay reads it again.
    pub(crate) fn release(&mut self, offset: i64) {
        self.held.remove_range(offset, offset.saturating_add(1));
    }

    /// Releases the offsets of a freed chunk.
    pub(crate) fn release_all(&mut self, offsets: &Offsets) {
        self.held.remove(offsets);
    }

    /// Releases records from before `time` (ns). A group of metadata is released with its oldest record, since the
    /// others may be read again without harm. A group of dropped events is released as a whole.
    pub(crate) fn forget_before(&mut self, time: i64) {
        let held = &mut self.held;
        let mut forget = |groups: &mut VecDeque<RecordGroup>, stale: fn(&RecordGroup, i64) -> bool| {
            groups.retain(|group| {
                let stale = stale(group, time);
                if stale {
                    held.remove(&group.offsets);
                }
                !stale
            });
        };
        forget(&mut self.metadata_records, |group, time| group.oldest < time);
        forget(&mut self.dropped_records, |group, time| {
            (i64::MIN + 1..time).contains(&group.newest)
        });
    }

    /// Records the time (ns) of a pulse or log value.
    pub(crate) fn record_time(&mut self, time: i64) {
        self.next_recent = (self.next_recent + 1) % RECENT_TIMES;
        if let Some(slot) = self.recent_times.get_mut(self.next_recent) {
            *slot = time;
        }
    }

    /// Stream time (ns): the minimum of the latest few times, so that a single jump has no effect; `None` before the
    /// first.
    pub(crate) fn stream_time(&self) -> Option<i64> {
        self.recent_times.iter().copied().filter(|&time| time != i64::MIN).min()
    }

    /// Stream time (ns) once [`RECENT_TIMES`] times are recorded; `i64::MIN` before.
    pub(crate) fn confirmed_time(&self) -> i64 {
        self.recent_times.iter().copied().min().unwrap_or(i64::MIN)
    }

    /// Records the time (ns) of a frame's metadata.
    pub(crate) fn record_metadata_time(&mut self, time: i64) {
        self.metadata_time = Some(time);
    }

    /// Time (ns) of the latest frame metadata.
    pub(crate) const fn metadata_time(&self) -> Option<i64> {
        self.metadata_time
    }

    /// True if the partition was read to its end at the latest report.
    pub(crate) fn at_end(&self) -> bool {
        matches!(self.progress, Some((next, Some(end))) if next >= end)
    }
}

fn add_to_group(groups: &mut VecDeque<RecordGroup>, offset: i64, time: i64) {
    if groups.back().is_none_or(|group| group.records >= GROUP_RECORDS) {
        groups.push_back(RecordGroup::default());
    }
    if let Some(group) = groups.back_mut() {
        group.offsets.insert(offset);
        if time != i64::MIN {
            group.oldest = group.oldest.min(time);
            group.newest = group.newest.max(time);
        }
        group.records += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record_position::TopicRole;

    fn partition() -> PartitionState {
        PartitionState::new(PartitionKey {
            role: TopicRole::Events,
            topic: 0,
            partition: 0,
        })
    }

    /// Already held, read before.
    fn read(partition: &mut PartitionState, offset: i64) -> (bool, bool) {
        let read = partition.read(offset);
        (read.already_held, read.read_before)
    }

    #[test]
    fn a_record_is_held_until_it_is_let_go_of() {
        let mut partition = partition();
        assert_eq!(read(&mut partition, 5), (false, false));
        partition.hold_dropped_events(5, 100);
        assert_eq!(read(&mut partition, 7), (false, false));
        assert!(partition.holds(6), "a transaction's mark");
        partition.hold_dropped_events(7, 200);
        assert_eq!(read(&mut partition, 5), (true, true));
        partition.forget_before(150);
        assert!(partition.holds(5), "its group is still of use");
        partition.forget_before(201);
        assert_eq!(read(&mut partition, 5), (false, true));
        assert_eq!(read(&mut partition, 2), (false, true));
        partition.read(20);
        partition.hold_metadata(20, 100);
        partition.hold_metadata(21, 200);
        partition.forget_before(150);
        assert_eq!(read(&mut partition, 20), (false, true), "metadata may be read again");
    }

    #[test]
    fn one_jump_of_the_clock_does_not_count() {
        let mut partition = partition();
        assert_eq!((partition.stream_time(), partition.confirmed_time()), (None, i64::MIN));
        for time in [10, 20, 30, 9999, 40] {
            partition.record_time(time);
        }
        assert_eq!((partition.stream_time(), partition.confirmed_time()), (Some(20), 20));
    }
}
