//! Search for the newest runs by a backward scan of the runInfo topics.
//!
//! Promises: a step takes about the time that it is given. The search finishes as soon as the newest `wanted` runs are
//! certain, over all partitions. Must not read other topics.

use std::time::{Duration, Instant};

use live_data_engine::message::{Message, RunStart};
use live_data_engine::record_position::RecordPosition;
use rdkafka::error::KafkaError;

use super::backward_scan::{BackwardScan, OffsetRange};
use super::fetcher::{FetchEvent, FetchedRecord, Fetcher};
use super::metadata_client::{MetadataClient, TopicPartition};
use super::run_history::{RunHistory, RunMessage, is_same_run};
use crate::decode::decode;
use crate::topics::Topics;

/// Longest wait for a record within a step.
const FETCH_TIMEOUT: Duration = Duration::from_millis(20);

/// Result of one step of a search for runs.
#[derive(Debug, Clone, PartialEq)]
pub enum RunSearchStatus {
    /// More steps are needed.
    Searching {
        /// Records read since the start of the search.
        records: u64,
    },
    /// The newest runs are certain, or everything is read.
    Finished(RunHistory),
}

/// Search in progress, over all partitions of the runInfo topics.
pub(super) struct RunSearch {
    wanted: usize,
    topics: Topics,
    scan: BackwardScan,
    /// Range being read, and the smallest timestamp in it so far.
    reading: Option<(OffsetRange, Option<i64>)>,
    messages: Vec<(RecordPosition, RunMessage)>,
    records: u64,
}

impl RunSearch {
    /// Fetches the watermarks of the partitions; fails where one of them is unknown.
    pub(super) fn new(
        client: &MetadataClient,
        topics: &Topics,
        partitions: &[TopicPartition],
        wanted: usize,
    ) -> Result<RunSearch, KafkaError> {
        let watermarks = client.watermarks(partitions)?;
        if watermarks.iter().any(Option::is_none) {
            return Err(KafkaError::MetadataFetch(
                rdkafka::error::RDKafkaErrorCode::LeaderNotAvailable,
            ));
        }
        let partitions = partitions.iter().copied().zip(watermarks.into_iter().flatten());
        Ok(RunSearch {
            wanted: wanted.max(1),
            topics: topics.clone(),
            scan: BackwardScan::new(partitions),
            reading: None,
            messages: Vec::new(),
            records: 0,
        })
    }

    /// Reads for about `step`.
    pub(super) fn step(&mut self, fetcher: &mut Fetcher, step: Duration) -> RunSearchStatus {
        let until = Instant::now() + step;
        loop {
            if self.reading.is_none() {
                let next = if self.has_enough_runs() {
                    None
                } else {
                    self.scan.next_range()
                };
                let Some(range) = next else {
                    let complete = self.scan.next_range().is_none();
                    return RunSearchStatus::Finished(RunHistory::new(std::mem::take(&mut self.messages), complete));
                };
                fetcher.start(range.partition, range.from);
                self.reading = Some((range, None));
            }
            if self.fetch_one(fetcher)
                && let Some((range, oldest_ms)) = self.reading.take()
            {
                fetcher.stop(range.partition);
                self.scan.record_range(range, oldest_ms);
            }
            if Instant::now() >= until {
                return RunSearchStatus::Searching { records: self.records };
            }
        }
    }

    /// Handles one event of the fetcher; true when the range is read.
    fn fetch_one(&mut self, fetcher: &mut Fetcher) -> bool {
        let Some((range, oldest_ms)) = &mut self.reading else {
            return true;
        };
        match fetcher.next(FETCH_TIMEOUT) {
            FetchEvent::Record(record) if record.partition == range.partition => {
                if record.offset >= range.to {
                    return true;
                }
                let is_last = record.offset + 1 >= range.to;
                *oldest_ms = Some(oldest_ms.map_or(record.timestamp_ms, |oldest| oldest.min(record.timestamp_ms)));
                self.records += 1;
                self.collect(&record);
                is_last
            }
            FetchEvent::EndOfPartition { partition, .. } | FetchEvent::PartitionError { partition, .. } => {
                partition == range.partition
            }
            FetchEvent::Record(_) | FetchEvent::ClientError(_) | FetchEvent::Nothing => false,
        }
    }

    /// Keeps the run message of a record. Other records are counted when they are read again after the assignment.
    fn collect(&mut self, record: &FetchedRecord<'_>) {
        let message = match decode(record.payload) {
            Ok(Message::RunStart(start)) => RunMessage::Start(RunStart {
                map: None,
                nexus_structure: None,
                metadata: None,
                ..start
            }),
            Ok(Message::RunStop(stop)) => RunMessage::Stop(stop),
            Ok(_) | Err(_) => return,
        };
        let TopicPartition { topic, number } = record.partition;
        if let Some(partition) = self.topics.partition_key(topic, number) {
            let position = RecordPosition {
                partition,
                offset: record.offset,
                timestamp_ms: record.timestamp_ms,
            };
            self.messages.push((position, message));
        }
    }

    /// True when as many runs as wanted start within the time that is read completely.
    fn has_enough_runs(&self) -> bool {
        let Some(since) = self.scan.complete_since_ms() else {
            return false;
        };
        let mut starts: Vec<&RunStart> = Vec::new();
        for (position, message) in &self.messages {
            if let RunMessage::Start(start) = message
                && position.timestamp_ms >= since
                && !starts.iter().any(|other| is_same_run(other, start))
            {
                starts.push(start);
            }
        }
        starts.len() >= self.wanted
    }
}
