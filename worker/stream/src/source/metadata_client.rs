//! Requests to the broker: metadata of topics, watermarks of partitions, offsets by timestamp, commits.
//!
//! Promises: a request takes at most the configured timeout; a failure of one partition leaves the others' results
//! intact. Must not fetch records.

use std::time::{Duration, Instant};

use rdkafka::TopicPartitionList;
use rdkafka::config::FromClientConfigAndContext;
use rdkafka::consumer::{BaseConsumer, CommitMode, Consumer};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::topic_partition_list::Offset;

use super::client_context::{ClientError, SourceClientContext};
use crate::config::{ConfigError, SourceConfig};

/// Partition of a topic.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct TopicPartition {
    /// Index in [`Topics`](crate::topics::Topics).
    pub(crate) topic: usize,
    /// Kafka's number of the partition, from 0.
    pub(crate) number: i32,
}

/// State of one topic in the broker's metadata.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum TopicState {
    /// Numbers of its partitions, ascending, at least one.
    Present(Vec<i32>),
    Missing,
    /// Error text of the broker.
    Failed(String),
}

/// Watermarks of a partition: it holds the offsets `[low, high)`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Watermarks {
    pub(crate) low: i64,
    pub(crate) high: i64,
}

/// Offset of a partition's first record at or after a timestamp.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum OffsetLookup {
    Offset(i64),
    /// All records are older, or the broker has no time index.
    NoLaterRecord,
    Failed,
}

/// Client for requests. Its calls wait for the broker, so that it is apart from the client that fetches.
pub(crate) struct MetadataClient {
    consumer: BaseConsumer<SourceClientContext>,
    topic_names: Vec<String>,
    timeout: Duration,
    commits: bool,
}

impl MetadataClient {
    pub(crate) fn new(config: &SourceConfig) -> Result<MetadataClient, ConfigError> {
        let consumer =
            BaseConsumer::from_config_and_context(&config.metadata_client_config()?, SourceClientContext::default())
                .map_err(|error| ConfigError::Refused(error.to_string()))?;
        let topic_names = config
            .topics
            .as_slice()
            .iter()
            .map(|topic| topic.name.clone())
            .collect();
        Ok(MetadataClient {
            consumer,
            topic_names,
            timeout: config.request_timeout,
            commits: config.group_id.is_some(),
        })
    }

    /// Errors of the client since the last call, oldest first.
    pub(crate) fn client_errors(&self) -> Vec<ClientError> {
        for _ in 0..16 {
            // A timeout of 0 returns nothing where a log line precedes an error in the queue.
            if self.consumer.poll(Duration::from_millis(5)).is_none() {
                break;
            }
        }
        std::iter::from_fn(|| self.consumer.context().pop_error()).collect()
    }

    /// State of each topic, in the order of the configuration. An error means that the broker was not reached.
    pub(crate) fn topic_states(&self) -> Result<Vec<TopicState>, KafkaError> {
        let until = Instant::now() + self.timeout;
        self.topic_names
            .iter()
            .map(|name| {
                let left = until
                    .saturating_duration_since(Instant::now())
                    .max(Duration::from_millis(50));
                let metadata = self.consumer.fetch_metadata(Some(name), left)?;
                let Some(topic) = metadata.topics().iter().find(|topic| topic.name() == name) else {
                    return Ok(TopicState::Missing);
                };
                Ok(match topic.error().map(RDKafkaErrorCode::from) {
                    None => {
                        let mut numbers: Vec<i32> = topic.partitions().iter().map(|partition| partition.id()).collect();
                        numbers.sort_unstable();
                        if numbers.is_empty() {
                            TopicState::Missing
                        } else {
                            TopicState::Present(numbers)
                        }
                    }
                    Some(
                        RDKafkaErrorCode::UnknownTopicOrPartition
                        | RDKafkaErrorCode::UnknownTopic
                        | RDKafkaErrorCode::UnknownPartition,
                    ) => TopicState::Missing,
                    Some(code) => TopicState::Failed(code.to_string()),
                })
            })
            .collect()
    }

    /// Watermarks of each partition; `None` where the broker does not give them.
    pub(crate) fn watermarks(&self, partitions: &[TopicPartition]) -> Result<Vec<Option<Watermarks>>, KafkaError> {
        let low = self.look_up(partitions, Offset::Beginning)?;
        let high = self.look_up(partitions, Offset::End)?;
        Ok(low
            .into_iter()
            .zip(high)
            .map(|bounds| match bounds {
                (OffsetLookup::Offset(low), OffsetLookup::Offset(high)) => Some(Watermarks { low, high }),
                _ => None,
            })
            .collect())
    }

    /// Offset of each partition's first record at or after `timestamp_ms` (ms since the Unix epoch).
    pub(crate) fn offsets_at(
        &self,
        partitions: &[TopicPartition],
        timestamp_ms: i64,
    ) -> Result<Vec<OffsetLookup>, KafkaError> {
        // ListOffsets reserves negative timestamps for its special values, such as "latest".
        self.look_up(partitions, Offset::Offset(timestamp_ms.max(0)))
    }

    fn look_up(&self, partitions: &[TopicPartition], query: Offset) -> Result<Vec<OffsetLookup>, KafkaError> {
        if partitions.is_empty() {
            return Ok(Vec::new());
        }
        let mut list = TopicPartitionList::with_capacity(partitions.len());
        for partition in partitions {
            if let Some(name) = self.topic_names.get(partition.topic) {
                list.add_partition_offset(name, partition.number, query)?;
            }
        }
        let answer = self.consumer.offsets_for_times(list, self.timeout)?;
        Ok(partitions
            .iter()
            .map(|partition| {
                let name = self.topic_names.get(partition.topic).map_or("", String::as_str);
                match answer.find_partition(name, partition.number) {
                    None => OffsetLookup::Failed,
                    Some(element) if element.error().is_err() => OffsetLookup::Failed,
                    Some(element) => match element.offset() {
                        Offset::Offset(offset) => OffsetLookup::Offset(offset),
                        Offset::End | Offset::Invalid => OffsetLookup::NoLaterRecord,
                        _ => OffsetLookup::Failed,
                    },
                }
            })
            .collect())
    }

    /// Commits offsets of next records under the configured group; does nothing without a group.
    pub(crate) fn commit(&self, positions: &[(TopicPartition, i64)]) -> Result<(), KafkaError> {
        if !self.commits || positions.is_empty() {
            return Ok(());
        }
        let mut list = TopicPartitionList::with_capacity(positions.len());
        for (partition, offset) in positions {
            if let Some(name) = self.topic_names.get(partition.topic) {
                list.add_partition_offset(name, partition.number, Offset::Offset(*offset))?;
            }
        }
        self.consumer.commit(&list, CommitMode::Sync)
    }
}

/// Partitions of the topics that exist, by topic, then by number.
pub(crate) fn existing_partitions(states: &[TopicState]) -> Vec<TopicPartition> {
    states
        .iter()
        .enumerate()
        .filter_map(|(topic, state)| match state {
            TopicState::Present(numbers) => Some(numbers.iter().map(move |&number| TopicPartition { topic, number })),
            _ => None,
        })
        .flatten()
        .collect()
}
