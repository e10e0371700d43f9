//! Assignment of partitions: their starting offsets, resolved with the broker's watermarks and timestamps.
//!
//! Promises: partitions that are assigned already keep their position; those whose watermarks the broker does not give
//! are left for the next metadata update.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Instant;

use rdkafka::error::KafkaError;

use super::kafka_source::Source;
use super::metadata_client::{OffsetLookup, TopicPartition, Watermarks};
use super::notice::Notice;
use super::positions::ReadPosition;
use super::starting_offset::{StartingOffset, resolve};

impl Source {
    /// Offset and watermarks of each partition; `None` where the broker does not give the watermarks.
    pub(super) fn resolve_offsets(
        &self,
        partitions: &[TopicPartition],
        starting_offset: impl Fn(TopicPartition) -> StartingOffset,
    ) -> Result<Vec<Option<(i64, Watermarks)>>, KafkaError> {
        let watermarks = self.metadata_client.watermarks(partitions)?;
        let mut by_time: BTreeMap<i64, Vec<TopicPartition>> = BTreeMap::new();
        for &partition in partitions {
            if let StartingOffset::AtTimestampMs(time) = starting_offset(partition) {
                by_time.entry(time).or_default().push(partition);
            }
        }
        let mut lookups = BTreeMap::new();
        for (time, asked) in by_time {
            let found = self.metadata_client.offsets_at(&asked, time)?;
            lookups.extend(asked.iter().copied().zip(found));
        }
        // Brokers without a time index answer every lookup with "no later record". Look up the oldest record to find
        // out whether this one has an index.
        let doubtful: Vec<TopicPartition> = partitions
            .iter()
            .zip(&watermarks)
            .filter(|(partition, watermarks)| {
                lookups.get(partition) == Some(&OffsetLookup::NoLaterRecord)
                    && watermarks.is_some_and(|watermarks| watermarks.high > watermarks.low)
            })
            .map(|(partition, _)| *partition)
            .collect();
        let oldest = self.metadata_client.offsets_at(&doubtful, 0)?;
        let indexed: BTreeSet<TopicPartition> = doubtful
            .into_iter()
            .zip(oldest)
            .filter(|(_, lookup)| matches!(lookup, OffsetLookup::Offset(_)))
            .map(|(partition, _)| partition)
            .collect();
        Ok(partitions
            .iter()
            .zip(watermarks)
            .map(|(partition, watermarks)| {
                let watermarks = watermarks?;
                let lookup = lookups.get(partition).copied().unwrap_or(OffsetLookup::Failed);
                let has_time_index = indexed.contains(partition);
                let offset = resolve(starting_offset(*partition), lookup, watermarks, has_time_index);
                Some((offset, watermarks))
            })
            .collect())
    }

    /// Assigns partitions at their starting offsets and reports them as added.
    pub(super) fn assign_partitions(&mut self, partitions: &[TopicPartition]) -> Result<(), KafkaError> {
        let Some(starting_offsets) = self.starting_offsets else {
            return Ok(());
        };
        let requested_at = Instant::now();
        let offsets = self.resolve_offsets(partitions, |partition| {
            self.role(partition.topic)
                .map_or(StartingOffset::Earliest, |role| starting_offsets.of_role(role))
        })?;
        let mut added: BTreeMap<usize, Vec<i32>> = BTreeMap::new();
        for (&partition, offset) in partitions.iter().zip(offsets) {
            let Some((offset, watermarks)) = offset else { continue };
            if self.fetcher.start(partition, offset) {
                self.positions
                    .insert(partition, ReadPosition::new(offset, watermarks, requested_at));
                added.entry(partition.topic).or_default().push(partition.number);
            }
        }
        for (topic, partitions) in added {
            self.notices.push(Notice::PartitionsAdded {
                topic: self.topic_name(topic),
                partitions,
            });
        }
        Ok(())
    }
}
