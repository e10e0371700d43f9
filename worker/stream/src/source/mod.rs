//! The instrument's topics as one stream of records, from the right offsets on, whatever the broker does.
//!
//! Promises: every partition of every topic is read, those that appear later too; a record is lent, not copied;
//! seeking back never moves forward; a broker that goes away, a topic that is missing and records that are
//! gone are told as a [`Notice`], and the reading goes on. Must not decode events or decide about runs.
//!
//! # Layout
//! [`Source`] puts together: `survey` (questions to the broker) and `watch` (asking them again and again), `search`
//! over `windows` into a `history` of runs, `start` (where a partition begins), `fetcher` (records), `positions`, and
//! what happened: [`notice`], told through a `bulletin`.
//!
//! # Use
//! [`Source::open`], [`Source::connect`] until it succeeds, [`Source::find_runs`] until [`Search::Found`],
//! [`Source::begin`], then [`Source::poll`] for ever, all from one thread.

mod bulletin;
mod client;
mod fetcher;
mod history;
pub mod notice;
mod positions;
mod search;
mod start;
mod survey;
mod watch;
mod windows;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

use live_data_engine::time::PulseTime;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};

use self::bulletin::Bulletin;
use self::fetcher::{Event, Fetcher};
use self::positions::{Position, Positions};
use self::search::RunSearch;
use self::survey::{Ends, Found, Partition, Surveyor, TopicState};
use self::watch::{Survey, Watch};
use crate::config::{ConfigError, SourceConfig};
use crate::topics::{Role, Topics};

pub use history::{FoundRun, RunHistory};
pub use notice::{Class, Notice};
pub use positions::Progress;
pub use search::Search;
pub use start::Point;

/// Where a record stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// What its topic carries.
    pub role: Role,
    /// Its topic, by index in [`Topics`].
    pub topic: usize,
    /// Its partition.
    pub partition: i32,
    /// Its offset.
    pub offset: i64,
    /// Its Kafka timestamp in ms since the Unix epoch; -1 where it has none.
    pub timestamp_ms: i64,
}

/// A record, lent until the next call.
#[derive(Debug, Clone, Copy)]
pub struct Record<'a> {
    /// Where it stands.
    pub place: Place,
    /// Its bytes; empty for a tombstone.
    pub payload: &'a [u8],
}

/// What [`Source::poll`] came to.
#[derive(Debug)]
pub enum Polled<'a> {
    /// A record.
    Record(Record<'a>),
    /// Something that somebody should know.
    Notice(Notice),
    /// Nothing new.
    Nothing,
}

/// A question that the broker did not answer (external): ask again.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("cannot {what}: {reason}")]
pub struct AskError {
    /// What was asked.
    pub what: &'static str,
    /// Why there is no answer.
    pub reason: String,
    /// Whether credentials or certificates are to blame (then the configuration is to be mended).
    pub refused: bool,
}

/// Where the reading of each role begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Begin {
    /// Events and frames.
    pub events: Point,
    /// Run starts and stops.
    pub run_info: Point,
    /// Sample logs.
    pub sample_env: Point,
    /// Veto configurations.
    pub veto_config: Point,
}

impl Begin {
    fn of(&self, role: Role) -> Point {
        match role {
            Role::Events => self.events,
            Role::RunInfo => self.run_info,
            Role::SampleEnv => self.sample_env,
            Role::VetoConfig => self.veto_config,
        }
    }
}

/// What a replay came to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Replay {
    /// Partitions that were moved back.
    pub partitions: usize,
    /// Offsets that will be read again.
    pub offsets: u64,
}

/// The stream.
pub struct Source {
    config: SourceConfig,
    fetcher: Fetcher,
    watch: Option<Watch>,
    surveyor: Arc<Surveyor>,
    search: Option<RunSearch>,
    begin: Option<Begin>,
    topics: Vec<TopicState>,
    positions: Positions,
    bulletin: Bulletin,
    missing: BTreeSet<usize>,
    reachable: bool,
    reconnects: u64,
}

impl Source {
    /// Makes the clients. Contacts no broker by itself.
    ///
    /// # Errors
    /// Whatever in the configuration cannot work.
    pub fn open(config: SourceConfig) -> Result<Source, ConfigError> {
        let surveyor = Arc::new(Surveyor::new(&config)?);
        let fetcher = Fetcher::new(&config)?;
        let positions = Positions::new(config.topics.as_slice().len());
        Ok(Source {
            config,
            fetcher,
            watch: None,
            surveyor,
            search: None,
            begin: None,
            topics: Vec::new(),
            positions,
            bulletin: Bulletin::default(),
            missing: BTreeSet::new(),
            reachable: false,
            reconnects: 0,
        })
    }

    /// The topics, whose order gives their index.
    pub fn topics(&self) -> &Topics {
        &self.config.topics
    }

    /// Asks the broker which of the topics there are. Waits for at most the configured request timeout.
    ///
    /// # Errors
    /// No broker answered, or it refuses us: try again.
    pub fn connect(&mut self) -> Result<(), AskError> {
        let topics = self
            .surveyor
            .topics()
            .map_err(|error| self.ask_error("list the topics", &error))?;
        self.reachable = true;
        self.note_topics(&topics);
        self.topics = topics;
        Ok(())
    }

    /// Whether the broker answered when it was last asked.
    pub fn is_reachable(&self) -> bool {
        self.reachable
    }

    /// How often the broker came back after it had gone.
    pub fn reconnects(&self) -> u64 {
        self.reconnects
    }

    /// The names of the topics that do not exist.
    pub fn missing_topics(&self) -> Vec<&str> {
        self.missing
            .iter()
            .filter_map(|&topic| self.config.topics.get(topic))
            .map(|topic| topic.name.as_str())
            .collect()
    }

    /// Looks for the newest `wanted` runs on the runInfo topics, for about `step`: call it until it says
    /// [`Search::Found`]. Comes before [`Source::begin`].
    ///
    /// # Errors
    /// The broker did not answer: try again.
    pub fn find_runs(&mut self, wanted: usize, step: Duration) -> Result<Search, AskError> {
        let mut search = match self.search.take() {
            Some(search) => search,
            None => {
                let run_info: Vec<Partition> = watch::present(&self.topics)
                    .into_iter()
                    .filter(|partition| self.role(partition.topic) == Some(Role::RunInfo))
                    .collect();
                RunSearch::new(&self.surveyor, &run_info, wanted)
                    .map_err(|error| self.ask_error("look up the ends of the runInfo topic", &error))?
            }
        };
        let result = search.step(&mut self.fetcher, step);
        if matches!(result, Search::Looking { .. }) {
            self.search = Some(search);
        }
        Ok(result)
    }

    /// Begins to read every partition where it is told to, and to watch for further ones.
    ///
    /// # Errors
    /// The broker did not answer: try again.
    pub fn begin(&mut self, begin: Begin) -> Result<(), AskError> {
        self.search = None;
        self.fetcher.stop_all();
        self.positions = Positions::new(self.config.topics.as_slice().len());
        self.begin = Some(begin);
        let partitions = watch::present(&self.topics);
        self.start(&partitions)
            .map_err(|error| self.ask_error("look up where to begin", &error))?;
        if self.watch.is_none() {
            let (metadata, watermarks) = (self.config.metadata_interval, self.config.watermark_interval);
            let watch = Watch::start(Arc::clone(&self.surveyor), metadata, watermarks);
            let reason = |error: std::io::Error| error.to_string();
            self.watch = Some(watch.map_err(|error| AskError {
                what: "start the thread that watches the topics",
                reason: reason(error),
                refused: false,
            })?);
        }
        Ok(())
    }

    /// The next record or notice, waiting for at most `timeout` if there is none yet.
    pub fn poll(&mut self, timeout: Duration) -> Polled<'_> {
        if let Some(notice) = self.bulletin.next() {
            return Polled::Notice(notice);
        }
        if let Some(survey) = self.watch.as_ref().and_then(Watch::take) {
            self.take_survey(survey);
            return self.bulletin.next().map_or(Polled::Nothing, Polled::Notice);
        }
        let Source {
            fetcher,
            positions,
            config,
            bulletin,
            ..
        } = self;
        let trouble = match fetcher.next(timeout) {
            Event::Record(record) => {
                let position = positions.get_mut(Partition {
                    topic: record.topic,
                    number: record.partition,
                });
                let role = config.topics.get(record.topic).map(|topic| topic.role);
                let (Some(position), Some(role)) = (position, role) else {
                    return Polled::Nothing;
                };
                position.next = record.offset.saturating_add(1);
                position.records += 1;
                position.bytes += record.payload.len() as u64;
                return Polled::Record(Record {
                    place: Place {
                        role,
                        topic: record.topic,
                        partition: record.partition,
                        offset: record.offset,
                        timestamp_ms: record.timestamp_ms,
                    },
                    payload: record.payload,
                });
            }
            Event::End {
                topic,
                partition,
                offset,
            } => {
                if let Some(position) = positions.get_mut(Partition {
                    topic,
                    number: partition,
                }) {
                    // Offsets at the end may be markers of transactions, which are no records.
                    position.next = position.next.max(offset);
                }
                None
            }
            Event::PartitionError {
                topic,
                partition,
                code,
                text,
            } => {
                let name = config.topics.get(topic).map_or("", |topic| topic.name.as_str());
                partition_trouble(
                    positions,
                    Partition {
                        topic,
                        number: partition,
                    },
                    name,
                    code,
                    text,
                )
            }
            Event::ClientError(error) => Some(Notice::of_client(&error)),
            Event::Nothing => None,
        };
        if let Some(trouble) = trouble {
            bulletin.tell(trouble);
        }
        bulletin.next().map_or(Polled::Nothing, Polled::Notice)
    }

    /// Moves the partitions of events back to a time less the seek margin; those that are there already, or before
    /// it, stay where they are.
    ///
    /// # Errors
    /// The broker did not answer, and nothing was moved: try again.
    pub fn replay_from(&mut self, time: PulseTime) -> Result<Replay, AskError> {
        let partitions: Vec<Partition> = self
            .progress()
            .into_iter()
            .filter(|progress| progress.role == Role::Events)
            .map(|progress| Partition {
                topic: progress.topic,
                number: progress.partition,
            })
            .collect();
        let offsets = self
            .offsets(&partitions, |_| self.since(time))
            .map_err(|error| self.ask_error("look up where to replay from", &error))?;
        let mut replay = Replay::default();
        for (partition, offset) in partitions.into_iter().zip(offsets) {
            let Some((offset, _)) = offset else { continue };
            let Some(position) = self.positions.get_mut(partition) else {
                continue;
            };
            if offset < position.next && self.fetcher.start(partition.topic, partition.number, offset) {
                replay.partitions += 1;
                replay.offsets += u64::try_from(position.next - offset).unwrap_or(0);
                position.next = offset;
            }
        }
        Ok(replay)
    }

    /// The point of a time less the seek margin.
    pub fn since(&self, time: PulseTime) -> Point {
        let margin = i64::try_from(self.config.seek_margin.as_millis()).unwrap_or(i64::MAX);
        Point::SinceMs(time.millis().saturating_sub(margin).max(0))
    }

    /// How far every partition has been read.
    pub fn progress(&self) -> Vec<Progress> {
        self.positions.progress(&self.config.topics)
    }

    /// Has the positions committed under the configured group, for monitoring tools; nothing without a group.
    pub fn commit(&self) {
        if let (Some(watch), true) = (&self.watch, self.config.group_id.is_some()) {
            let positions = self.progress().into_iter().map(|progress| {
                (
                    Partition {
                        topic: progress.topic,
                        number: progress.partition,
                    },
                    progress.next_offset,
                )
            });
            watch.commit(positions.collect());
        }
    }

    fn role(&self, topic: usize) -> Option<Role> {
        self.config.topics.get(topic).map(|topic| topic.role)
    }

    fn name(&self, topic: usize) -> String {
        self.config
            .topics
            .get(topic)
            .map_or_else(String::new, |topic| topic.name.clone())
    }

    /// The offset that each partition's point means; None where the broker does not say.
    fn offsets(
        &self,
        partitions: &[Partition],
        point: impl Fn(Partition) -> Point,
    ) -> Result<Vec<Option<(i64, Ends)>>, KafkaError> {
        let ends = self.surveyor.ends(partitions)?;
        let mut by_time: BTreeMap<i64, Vec<Partition>> = BTreeMap::new();
        for &partition in partitions {
            if let Point::SinceMs(time) = point(partition) {
                by_time.entry(time).or_default().push(partition);
            }
        }
        let mut found = BTreeMap::new();
        for (time, asked) in by_time {
            found.extend(asked.iter().copied().zip(self.surveyor.at_time(&asked, time)?));
        }
        // "Nothing so young" of a broker that has no index of times means nothing: ask it for the oldest record.
        let doubtful: Vec<Partition> = partitions
            .iter()
            .zip(&ends)
            .filter(|(partition, ends)| {
                found.get(partition) == Some(&Found::None) && ends.is_some_and(|ends| ends.high > ends.low)
            })
            .map(|(partition, _)| *partition)
            .collect();
        let oldest = self.surveyor.at_time(&doubtful, 0)?;
        let indexed: BTreeSet<Partition> = doubtful
            .into_iter()
            .zip(oldest)
            .filter(|(_, found)| matches!(found, Found::At(_)))
            .map(|(p, _)| p)
            .collect();
        Ok(partitions
            .iter()
            .zip(ends)
            .map(|(partition, ends)| {
                let ends = ends?;
                let found = found.get(partition).copied().unwrap_or(Found::Failed);
                Some((
                    start::offset(point(*partition), found, ends, indexed.contains(partition)),
                    ends,
                ))
            })
            .collect())
    }

    /// Starts partitions that are not read yet; those whose ends the broker does not say are left for later.
    fn start(&mut self, partitions: &[Partition]) -> Result<(), KafkaError> {
        let Some(begin) = self.begin else { return Ok(()) };
        let asked = Instant::now();
        let offsets = self.offsets(partitions, |partition| {
            self.role(partition.topic)
                .map_or(Point::Earliest, |role| begin.of(role))
        })?;
        let mut added: BTreeMap<usize, Vec<i32>> = BTreeMap::new();
        for (&partition, offset) in partitions.iter().zip(offsets) {
            let Some((offset, ends)) = offset else { continue };
            if self.fetcher.start(partition.topic, partition.number, offset) {
                self.positions.set(partition, Position::at(offset, ends, asked));
                added.entry(partition.topic).or_default().push(partition.number);
            }
        }
        for (topic, partitions) in added {
            self.bulletin.push(Notice::PartitionsAdded {
                topic: self.name(topic),
                partitions,
            });
        }
        Ok(())
    }

    fn take_survey(&mut self, survey: Survey) {
        for error in &survey.errors {
            self.bulletin.tell(Notice::of_client(error));
        }
        if let Some(reason) = survey.failure {
            self.reachable = false;
            self.bulletin.tell(Notice::Unreachable(reason));
            return;
        }
        if !self.reachable {
            self.reachable = true;
            self.reconnects += 1;
            self.bulletin.forget("broker_unreachable");
            self.bulletin.push(Notice::Reachable);
        }
        for (partition, ends) in survey.ends {
            self.take_ends(partition, ends, survey.asked);
        }
        if let Some(topics) = survey.topics {
            self.note_topics(&topics);
            self.topics = topics;
            let fresh: Vec<Partition> = watch::present(&self.topics)
                .into_iter()
                .filter(|&partition| self.positions.get(partition).is_none())
                .collect();
            if !fresh.is_empty()
                && let Err(error) = self.start(&fresh)
            {
                self.bulletin.tell(Notice::Unreachable(error.to_string()));
            }
        }
    }

    fn take_ends(&mut self, partition: Partition, ends: Ends, asked: Instant) {
        let topic = self.name(partition.topic);
        let Some(position) = self.positions.get_mut(partition) else {
            return;
        };
        position.ends = ends;
        position.asked = asked;
        let from = position.next;
        let (to, notice) = if ends.high < from && position.out_of_range {
            (
                ends.low,
                Some(Notice::Restarted {
                    topic,
                    partition: partition.number,
                    from,
                    to: ends.low,
                }),
            )
        } else if ends.low > from && position.out_of_range {
            (
                ends.low,
                Some(Notice::Lost {
                    topic,
                    partition: partition.number,
                    from,
                    to: ends.low,
                }),
            )
        } else if position.out_of_range {
            (from, None)
        } else {
            return;
        };
        position.out_of_range = false;
        position.next = to;
        self.fetcher.start(partition.topic, partition.number, to);
        if let Some(notice) = notice {
            self.bulletin.push(notice);
        }
    }

    fn note_topics(&mut self, topics: &[TopicState]) {
        for (index, topic) in topics.iter().enumerate() {
            match topic {
                TopicState::Present(_) => {
                    self.missing.remove(&index);
                }
                TopicState::Missing => {
                    if self.missing.insert(index) {
                        let name = self.name(index);
                        self.bulletin.push(Notice::TopicMissing(name));
                        // What was read of a topic that is gone says nothing about one that is made anew.
                        for number in self.positions.forget_topic(index) {
                            self.fetcher.stop(index, number);
                        }
                    }
                }
                TopicState::Failed(reason) => {
                    self.bulletin.tell(Notice::TopicFailed {
                        topic: self.name(index),
                        reason: reason.clone(),
                    });
                }
            }
        }
    }

    fn ask_error(&self, what: &'static str, error: &KafkaError) -> AskError {
        let errors = self.surveyor.errors();
        let refusal = errors
            .iter()
            .map(Notice::of_client)
            .find(|notice| notice.class() == Class::User);
        match refusal {
            Some(notice) => AskError {
                what,
                reason: notice.to_string(),
                refused: true,
            },
            None => AskError {
                what,
                reason: errors
                    .last()
                    .map_or_else(|| error.to_string(), |last| format!("{error}: {}", last.text)),
                refused: false,
            },
        }
    }
}

/// What an error of a partition means: something to tell, or something that the next answers will mend.
fn partition_trouble(
    positions: &mut Positions,
    partition: Partition,
    topic: &str,
    code: RDKafkaErrorCode,
    reason: String,
) -> Option<Notice> {
    match code {
        RDKafkaErrorCode::AutoOffsetReset | RDKafkaErrorCode::OffsetOutOfRange => {
            if let Some(position) = positions.get_mut(partition) {
                position.out_of_range = true;
            }
            None
        }
        // The watching thread sees whether the topic is gone, and tells it.
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
