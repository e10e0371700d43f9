//! Questions to the broker: which partitions there are, where they begin and end, what offset a time has.
//!
//! Promises: every question takes at most the time it is given; an answer for one partition that fails does
//! not spoil the others. Must not fetch records.

use std::time::{Duration, Instant};

use rdkafka::TopicPartitionList;
use rdkafka::config::FromClientConfigAndContext;
use rdkafka::consumer::{BaseConsumer, CommitMode, Consumer};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::topic_partition_list::Offset;

use super::client::{ClientError, Context};
use crate::config::{ConfigError, SourceConfig};

/// A partition, by the topic's index in the configuration.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Partition {
    pub(crate) topic: usize,
    pub(crate) number: i32,
}

/// What the broker says of one topic.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum TopicState {
    Present(Vec<i32>),
    Missing,
    Failed(String),
}

/// The first offset that a partition holds and the one after its last.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Ends {
    pub(crate) low: i64,
    pub(crate) high: i64,
}

/// The answer to "which offset has the first record at or after this time".
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Found {
    At(i64),
    /// No record is that young (or the broker has no index of times).
    None,
    Failed,
}

/// The client that asks.
pub(crate) struct Surveyor {
    consumer: BaseConsumer<Context>,
    names: Vec<String>,
    timeout: Duration,
    commits: bool,
}

impl Surveyor {
    pub(crate) fn new(config: &SourceConfig) -> Result<Surveyor, ConfigError> {
        let consumer = BaseConsumer::from_config_and_context(&config.ask_client()?, Context::default())
            .map_err(|error| ConfigError::Refused(error.to_string()))?;
        let names = config
            .topics
            .as_slice()
            .iter()
            .map(|topic| topic.name.clone())
            .collect();
        Ok(Surveyor {
            consumer,
            names,
            timeout: config.request_timeout,
            commits: config.group_id.is_some(),
        })
    }

    /// The client's own errors since the last time.
    pub(crate) fn errors(&self) -> Vec<ClientError> {
        for _ in 0..16 {
            // With no time at all, a log line that stands before an error would end the reading.
            if self.consumer.poll(Duration::from_millis(5)).is_none() {
                break;
            }
        }
        std::iter::from_fn(|| self.consumer.context().next_error()).collect()
    }

    /// Every topic's partitions, by topic index. An error means that the broker could not be reached.
    pub(crate) fn topics(&self) -> Result<Vec<TopicState>, KafkaError> {
        let until = Instant::now() + self.timeout;
        self.names
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
                        let mut numbers: Vec<i32> = topic.partitions().iter().map(|one| one.id()).collect();
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

    /// Both ends of each partition; None where the broker does not say.
    pub(crate) fn ends(&self, partitions: &[Partition]) -> Result<Vec<Option<Ends>>, KafkaError> {
        let low = self.look_up(partitions, Offset::Beginning)?;
        let high = self.look_up(partitions, Offset::End)?;
        Ok(low
            .into_iter()
            .zip(high)
            .map(|ends| match ends {
                (Found::At(low), Found::At(high)) => Some(Ends { low, high }),
                _ => None,
            })
            .collect())
    }

    /// The first offset at or after a time (milliseconds since the Unix epoch), for each partition.
    pub(crate) fn at_time(&self, partitions: &[Partition], timestamp_ms: i64) -> Result<Vec<Found>, KafkaError> {
        // Negative times would be read as names of offsets.
        self.look_up(partitions, Offset::Offset(timestamp_ms.max(0)))
    }

    fn look_up(&self, partitions: &[Partition], what: Offset) -> Result<Vec<Found>, KafkaError> {
        if partitions.is_empty() {
            return Ok(Vec::new());
        }
        let mut list = TopicPartitionList::with_capacity(partitions.len());
        for partition in partitions {
            if let Some(name) = self.names.get(partition.topic) {
                list.add_partition_offset(name, partition.number, what)?;
            }
        }
        let answer = self.consumer.offsets_for_times(list, self.timeout)?;
        Ok(partitions
            .iter()
            .map(|partition| {
                let name = self.names.get(partition.topic).map_or("", String::as_str);
                match answer.find_partition(name, partition.number) {
                    None => Found::Failed,
                    Some(element) if element.error().is_err() => Found::Failed,
                    Some(element) => match element.offset() {
                        Offset::Offset(offset) => Found::At(offset),
                        Offset::End | Offset::Invalid => Found::None,
                        _ => Found::Failed,
                    },
                }
            })
            .collect())
    }

    /// Commits positions for tools that watch the group, if there is one.
    pub(crate) fn commit(&self, positions: &[(Partition, i64)]) -> Result<(), KafkaError> {
        if !self.commits || positions.is_empty() {
            return Ok(());
        }
        let mut list = TopicPartitionList::with_capacity(positions.len());
        for (partition, offset) in positions {
            if let Some(name) = self.names.get(partition.topic) {
                list.add_partition_offset(name, partition.number, Offset::Offset(*offset))?;
            }
        }
        self.consumer.commit(&list, CommitMode::Sync)
    }
}
