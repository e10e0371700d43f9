//! Rewinding of the event partitions to an earlier time.

use live_data_engine::record_position::TopicRole;
use live_data_engine::time::PulseTime;

use super::kafka_source::Source;
use super::metadata_client::TopicPartition;
use super::request_error::BrokerRequestError;

/// Result of rewinding partitions to an earlier time.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Rewind {
    /// Number of partitions that moved; those that were at an earlier offset stay.
    pub partitions: usize,
    /// Number of offsets that are read again, over all partitions.
    pub offsets: u64,
}

impl Source {
    /// Moves the partitions of events back to `time` less the seek margin. None moves forward.
    ///
    /// # Errors
    /// [`BrokerRequestError`] when the offsets could not be fetched; no partition has moved: call again.
    pub fn rewind_events_to(&mut self, time: PulseTime) -> Result<Rewind, BrokerRequestError> {
        let partitions: Vec<TopicPartition> = self
            .positions
            .partitions()
            .filter(|partition| self.role(partition.topic) == Some(TopicRole::Events))
            .collect();
        let offsets = self
            .resolve_offsets(&partitions, |_| self.starting_offset_at(time))
            .map_err(|error| self.request_error("look up where to replay from", &error))?;
        let mut rewind = Rewind::default();
        for (partition, offset) in partitions.into_iter().zip(offsets) {
            let Some((offset, _)) = offset else { continue };
            let Some(position) = self.positions.get_mut(partition) else {
                continue;
            };
            if offset < position.next_offset && self.fetcher.start(partition, offset) {
                rewind.partitions += 1;
                rewind.offsets += u64::try_from(position.next_offset - offset).unwrap_or(0);
                position.next_offset = offset;
            }
        }
        Ok(rewind)
    }
}
