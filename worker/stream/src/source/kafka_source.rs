//! The source: its clients, its positions and the reading of records.
//!
//! Promises: [`Source::poll`] waits for at most its timeout and never for an answer of the broker. Must not decode
//! event messages.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use live_data_engine::record_position::{RecordPosition, TopicRole};
use live_data_engine::time::PulseTime;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};

use super::client_context::ClientError;
use super::fetcher::{FetchEvent, FetchedRecord, Fetcher};
use super::metadata_client::{MetadataClient, TopicPartition, TopicState, existing_partitions};
use super::metadata_thread::MetadataThread;
use super::notice::Notice;
use super::notice_queue::NoticeQueue;
use super::positions::{PartitionPosition, ReadPositions};
use super::request_error::BrokerRequestError;
use super::run_search::{RunSearch, RunSearchStatus};
use super::starting_offset::{StartingOffset, StartingOffsets};
use crate::config::{ConfigError, SourceConfig};
use crate::topics::Topics;

/// Kafka record, lent until the next call to the source.
#[derive(Debug, Clone, Copy)]
pub struct Record<'a> {
    /// Topic, partition, offset and Kafka timestamp.
    pub position: RecordPosition,
    /// Bytes of the record's value; empty for a tombstone.
    pub payload: &'a [u8],
}

/// Result of [`Source::poll`].
#[derive(Debug)]
pub enum Polled<'a> {
    /// Next record of any partition; offsets ascend within a partition, except after a rewind.
    Record(Record<'a>),
    /// Change or trouble of the source; reading continues.
    Notice(Notice),
    /// Neither a record nor a notice within the timeout.
    Nothing,
}

/// Reader of all partitions of an instrument's topics. Belongs to no consumer group: partitions are assigned here.
pub struct Source {
    pub(super) config: SourceConfig,
    pub(super) fetcher: Fetcher,
    pub(super) metadata_thread: Option<MetadataThread>,
    pub(super) metadata_client: Arc<MetadataClient>,
    run_search: Option<RunSearch>,
    pub(super) starting_offsets: Option<StartingOffsets>,
    pub(super) topic_states: Vec<TopicState>,
    pub(super) positions: ReadPositions,
    pub(super) notices: NoticeQueue,
    pub(super) missing_topics: BTreeSet<usize>,
    pub(super) is_reachable: bool,
    pub(super) reconnects: u64,
}

impl Source {
    /// Creates the Kafka clients, which connect in the background; returns without waiting for a broker.
    ///
    /// # Errors
    /// [`ConfigError`] for settings that cannot work, among them those that librdkafka rejects.
    pub fn open(config: SourceConfig) -> Result<Source, ConfigError> {
        let metadata_client = Arc::new(MetadataClient::new(&config)?);
        let fetcher = Fetcher::new(&config)?;
        let positions = ReadPositions::new(config.topics.as_slice().len());
        Ok(Source {
            config,
            fetcher,
            metadata_thread: None,
            metadata_client,
            run_search: None,
            starting_offsets: None,
            topic_states: Vec::new(),
            positions,
            notices: NoticeQueue::default(),
            missing_topics: BTreeSet::new(),
            is_reachable: false,
            reconnects: 0,
        })
    }

    /// Topics of the configuration; their order gives [`PartitionKey::topic`].
    ///
    /// [`PartitionKey::topic`]: live_data_engine::record_position::PartitionKey::topic
    pub fn topics(&self) -> &Topics {
        &self.config.topics
    }

    /// Fetches the topics' metadata, waiting for at most [`SourceConfig::request_timeout`].
    ///
    /// # Errors
    /// [`BrokerRequestError`] when no broker answers or the broker refuses the client: call again.
    pub fn connect(&mut self) -> Result<(), BrokerRequestError> {
        let states = self
            .metadata_client
            .topic_states()
            .map_err(|error| self.request_error("list the topics", &error))?;
        self.is_reachable = true;
        self.update_missing_topics(&states);
        self.topic_states = states;
        Ok(())
    }

    /// True when the newest metadata request was answered.
    pub fn is_reachable(&self) -> bool {
        self.is_reachable
    }

    /// Number of times that the broker answered again after requests had failed, since the source was opened.
    pub fn reconnects(&self) -> u64 {
        self.reconnects
    }

    /// Names of the configured topics that do not exist on the broker, in the order of the configuration.
    pub fn missing_topics(&self) -> Vec<&str> {
        self.missing_topics
            .iter()
            .filter_map(|&topic| self.config.topics.get(topic))
            .map(|topic| topic.name.as_str())
            .collect()
    }

    /// Searches the runInfo topics backwards for the newest `wanted` runs, for about `step`. Call it before
    /// [`Source::assign`], until it returns [`RunSearchStatus::Finished`].
    ///
    /// # Errors
    /// [`BrokerRequestError`] when the watermarks of the runInfo topics could not be fetched: call again.
    pub fn find_runs(&mut self, wanted: usize, step: Duration) -> Result<RunSearchStatus, BrokerRequestError> {
        let mut search = match self.run_search.take() {
            Some(search) => search,
            None => {
                let run_info: Vec<TopicPartition> = existing_partitions(&self.topic_states)
                    .into_iter()
                    .filter(|partition| self.role(partition.topic) == Some(TopicRole::RunInfo))
                    .collect();
                RunSearch::new(&self.metadata_client, &self.config.topics, &run_info, wanted)
                    .map_err(|error| self.request_error("look up the ends of the runInfo topic", &error))?
            }
        };
        let status = search.step(&mut self.fetcher, step);
        if matches!(status, RunSearchStatus::Searching { .. }) {
            self.run_search = Some(search);
        }
        Ok(status)
    }

    /// Assigns every existing partition at its starting offset, replacing an earlier assignment, and starts the thread
    /// that discovers further partitions.
    ///
    /// # Errors
    /// [`BrokerRequestError`] when the offsets could not be fetched: call again.
    pub fn assign(&mut self, starting_offsets: StartingOffsets) -> Result<(), BrokerRequestError> {
        self.run_search = None;
        self.fetcher.stop_all();
        self.positions = ReadPositions::new(self.config.topics.as_slice().len());
        self.starting_offsets = Some(starting_offsets);
        self.assign_partitions(&existing_partitions(&self.topic_states))
            .map_err(|error| self.request_error("look up where to begin", &error))?;
        if self.metadata_thread.is_none() {
            let thread = MetadataThread::start(
                Arc::clone(&self.metadata_client),
                self.config.metadata_interval,
                self.config.watermark_interval,
            );
            self.metadata_thread = Some(thread.map_err(|error| BrokerRequestError {
                request: "start the thread that watches the topics",
                reason: error.to_string(),
                refused: false,
            })?);
        }
        Ok(())
    }

    /// Next record or notice, waiting for at most `timeout`. Notices precede records.
    pub fn poll(&mut self, timeout: Duration) -> Polled<'_> {
        if let Some(notice) = self.notices.pop() {
            return Polled::Notice(notice);
        }
        if let Some(update) = self.metadata_thread.as_ref().and_then(MetadataThread::newest_update) {
            self.apply_metadata(update);
            return self.notices.pop().map_or(Polled::Nothing, Polled::Notice);
        }
        let Source {
            fetcher,
            positions,
            config,
            notices,
            ..
        } = self;
        let trouble = match fetcher.next(timeout) {
            FetchEvent::Record(record) => {
                return record_read(positions, &config.topics, &record).map_or(Polled::Nothing, Polled::Record);
            }
            FetchEvent::EndOfPartition { partition, offset } => {
                if let Some(position) = positions.get_mut(partition) {
                    // The last offsets may be control records of transactions, which are never delivered.
                    position.next_offset = position.next_offset.max(offset);
                }
                None
            }
            FetchEvent::PartitionError { partition, code, text } => {
                let name = config
                    .topics
                    .get(partition.topic)
                    .map_or("", |topic| topic.name.as_str());
                partition_notice(positions, partition, name, code, text)
            }
            FetchEvent::ClientError(error) => Some(Notice::of_client(&error)),
            FetchEvent::Nothing => None,
        };
        if let Some(trouble) = trouble {
            notices.push_unless_repeated(trouble);
        }
        notices.pop().map_or(Polled::Nothing, Polled::Notice)
    }

    /// Starting offset of `time` less [`SourceConfig::seek_margin`], not before the Unix epoch.
    pub fn starting_offset_at(&self, time: PulseTime) -> StartingOffset {
        let margin = i64::try_from(self.config.seek_margin.as_millis()).unwrap_or(i64::MAX);
        StartingOffset::AtTimestampMs(time.millis().saturating_sub(margin).max(0))
    }

    /// Positions of all assigned partitions, by topic, then by partition number.
    pub fn positions(&self) -> Vec<PartitionPosition> {
        self.positions.report(&self.config.topics)
    }

    /// Commits the positions in the background, at the next watermark request, for tools that monitor the group. Without
    /// [`SourceConfig::group_id`] nothing is committed.
    pub fn commit(&self) {
        if let (Some(thread), true) = (&self.metadata_thread, self.config.group_id.is_some()) {
            thread.commit(self.positions.next_offsets());
        }
    }

    pub(super) fn role(&self, topic: usize) -> Option<TopicRole> {
        self.config.topics.get(topic).map(|topic| topic.role)
    }

    pub(super) fn topic_name(&self, topic: usize) -> String {
        self.config
            .topics
            .get(topic)
            .map_or_else(String::new, |topic| topic.name.clone())
    }

    pub(super) fn request_error(&self, request: &'static str, error: &KafkaError) -> BrokerRequestError {
        let client_errors: Vec<ClientError> = self.metadata_client.client_errors();
        BrokerRequestError::new(request, error, &client_errors)
    }
}

/// Counts a record of an assigned partition and advances the position; `None` for any other partition.
fn record_read<'a>(positions: &mut ReadPositions, topics: &Topics, record: &FetchedRecord<'a>) -> Option<Record<'a>> {
    let position = positions.get_mut(record.partition)?;
    let partition = topics.partition_key(record.partition.topic, record.partition.number)?;
    position.next_offset = record.offset.saturating_add(1);
    position.records += 1;
    position.bytes += record.payload.len() as u64;
    Some(Record {
        position: RecordPosition {
            partition,
            offset: record.offset,
            timestamp_ms: record.timestamp_ms,
        },
        payload: record.payload,
    })
}

/// Notice of a partition's error, or `None` for one that the next metadata update resolves.
fn partition_notice(
    positions: &mut ReadPositions,
    partition: TopicPartition,
    topic: &str,
    code: RDKafkaErrorCode,
    reason: String,
) -> Option<Notice> {
    match code {
        RDKafkaErrorCode::AutoOffsetReset | RDKafkaErrorCode::OffsetOutOfRange => {
            if let Some(position) = positions.get_mut(partition) {
                position.is_out_of_range = true;
            }
            None
        }
        // The metadata thread finds out whether the topic was deleted.
        RDKafkaErrorCode::UnknownTopicOrPartition
        | RDKafkaErrorCode::UnknownTopic
        | RDKafkaErrorCode::UnknownPartition => None,
        _ => Some(Notice::PartitionFailed {
            topic: topic.to_owned(),
            partition: partition.number,
            reason,
        }),
    }
}
