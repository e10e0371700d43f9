//! Finding the runs, however far back on the runInfo topic: stretch by stretch, backwards.
//!
//! Promises: each step takes about as long as it is given; ends as soon as the newest `wanted` runs are known
//! for certain, over all partitions. Must not read other topics.

use std::time::{Duration, Instant};

use live_data_engine::message::Message;
use rdkafka::error::KafkaError;

use super::Place;
use super::fetcher::{Event, Fetcher};
use super::history::{RunHistory, Told, same_run};
use super::survey::{Partition, Surveyor};
use super::windows::{Backwards, Window};
use crate::decode;
use crate::topics::Role;

/// What a step of the search came to.
#[derive(Debug, Clone, PartialEq)]
pub enum Search {
    /// Not done: call again. How many records were read so far.
    Looking {
        /// Records of the topic, so far.
        records: u64,
    },
    /// Done.
    Found(RunHistory),
}

/// A search under way.
pub(super) struct RunSearch {
    wanted: usize,
    backwards: Backwards,
    reading: Option<(Window, Option<i64>)>,
    found: Vec<(Place, Told)>,
    records: u64,
}

impl RunSearch {
    /// Looks up the ends of the topic's partitions.
    pub(super) fn new(surveyor: &Surveyor, partitions: &[Partition], wanted: usize) -> Result<RunSearch, KafkaError> {
        let ends = surveyor.ends(partitions)?;
        if ends.iter().any(Option::is_none) {
            return Err(KafkaError::MetadataFetch(
                rdkafka::error::RDKafkaErrorCode::LeaderNotAvailable,
            ));
        }
        let known = partitions.iter().copied().zip(ends.into_iter().flatten());
        Ok(RunSearch {
            wanted: wanted.max(1),
            backwards: Backwards::new(known),
            reading: None,
            found: Vec::new(),
            records: 0,
        })
    }

    /// Reads for about `step`.
    pub(super) fn step(&mut self, fetcher: &mut Fetcher, step: Duration) -> Search {
        let until = Instant::now() + step;
        loop {
            if self.reading.is_none() {
                let next = if self.is_enough() { None } else { self.backwards.next() };
                let Some(window) = next else {
                    let complete = self.backwards.next().is_none();
                    return Search::Found(RunHistory::of(std::mem::take(&mut self.found), complete));
                };
                fetcher.start(window.partition.topic, window.partition.number, window.from);
                self.reading = Some((window, None));
            }
            if self.read_one(fetcher)
                && let Some((window, oldest_ms)) = self.reading.take()
            {
                fetcher.stop(window.partition.topic, window.partition.number);
                self.backwards.done(window, oldest_ms);
            }
            if Instant::now() >= until {
                return Search::Looking { records: self.records };
            }
        }
    }

    /// Takes one event; true when the stretch has been read.
    fn read_one(&mut self, fetcher: &mut Fetcher) -> bool {
        let Some((window, oldest_ms)) = &mut self.reading else {
            return true;
        };
        let ours = |topic, number| Partition { topic, number } == window.partition;
        match fetcher.next(Duration::from_millis(20)) {
            Event::Record(record) if ours(record.topic, record.partition) => {
                if record.offset >= window.to {
                    return true;
                }
                self.records += 1;
                *oldest_ms = Some(oldest_ms.map_or(record.timestamp_ms, |oldest| oldest.min(record.timestamp_ms)));
                let place = Place {
                    role: Role::RunInfo,
                    topic: record.topic,
                    partition: record.partition,
                    offset: record.offset,
                    timestamp_ms: record.timestamp_ms,
                };
                match decode(record.payload) {
                    Ok(Message::RunStart(mut start)) => {
                        start.map = None;
                        start.nexus_structure = None;
                        start.metadata = None;
                        self.found.push((place, Told::Start(start)));
                    }
                    Ok(Message::RunStop(stop)) => self.found.push((place, Told::Stop(stop))),
                    // Counted when the record is read again, in its turn.
                    Ok(_) | Err(_) => {}
                }
                record.offset + 1 >= window.to
            }
            Event::End { topic, partition, .. } | Event::PartitionError { topic, partition, .. } => {
                ours(topic, partition)
            }
            Event::Record(_) | Event::ClientError(_) | Event::Nothing => false,
        }
    }

    fn is_enough(&self) -> bool {
        let Some(since) = self.backwards.known_since_ms() else {
            return false;
        };
        let mut runs = Vec::new();
        for (place, told) in &self.found {
            if let Told::Start(start) = told
                && place.timestamp_ms >= since
                && !runs.iter().any(|other| same_run(other, start))
            {
                runs.push(start.clone());
            }
        }
        runs.len() >= self.wanted
    }
}
