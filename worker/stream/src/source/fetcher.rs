//! Fetching of records from started partitions, without an allocation per record.
//!
//! Promises: a record's bytes are lent until the next call; after [`Fetcher::start`] or [`Fetcher::stop`] no record of
//! the partition's former position is returned. Must not know roles or schemas.
//!
//! rdkafka's message interface allocates twice a record, which is half of the cost of a small one. It does not give the
//! partition of an error. This module reads batches from librdkafka's legacy consumer queue instead, and is the only
//! one of the crate with `unsafe`.

use std::ffi::{CStr, CString, c_int};
use std::ptr;
use std::time::{Duration, Instant};

use rdkafka::bindings as native;
use rdkafka::config::FromClientConfigAndContext;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::RDKafkaErrorCode;
use rdkafka::types::RDKafkaRespErr;

use super::client_context::{ClientError, SourceClientContext};
use super::metadata_client::TopicPartition;
use crate::config::{ConfigError, SourceConfig};

/// Messages requested from the queue at once.
const BATCH_SIZE: usize = 1024;

/// Interval at which callbacks of the client (logs, errors) are served while records keep coming.
const SERVE_INTERVAL: Duration = Duration::from_millis(50);

/// Record, lent until the next call.
#[derive(Debug, Clone, Copy)]
pub(crate) struct FetchedRecord<'a> {
    pub(crate) partition: TopicPartition,
    pub(crate) offset: i64,
    /// ms since the Unix epoch; -1 for a record without a timestamp.
    pub(crate) timestamp_ms: i64,
    pub(crate) payload: &'a [u8],
}

/// Result of [`Fetcher::next`].
#[derive(Debug)]
pub(crate) enum FetchEvent<'a> {
    Record(FetchedRecord<'a>),
    /// Every record of the partition was returned; `offset` is its high watermark.
    EndOfPartition {
        partition: TopicPartition,
        offset: i64,
    },
    PartitionError {
        partition: TopicPartition,
        code: RDKafkaErrorCode,
        text: String,
    },
    ClientError(ClientError),
    Nothing,
}

struct TopicHandle {
    name: CString,
    handle: *mut native::rd_kafka_topic_t,
    started: Vec<i32>,
}

/// Client, its topics and the batch of messages being returned.
pub(crate) struct Fetcher {
    queue: *mut native::rd_kafka_queue_t,
    topics: Vec<TopicHandle>,
    batch: Vec<*mut native::rd_kafka_message_t>,
    next: usize,
    lent: *mut native::rd_kafka_message_t,
    served: Instant,
    client: BaseConsumer<SourceClientContext>,
}

// SAFETY: librdkafka's handles may be used from any thread ("the library is completely thread-safe"). The raw pointers
// are owned by this value alone, and every use of them takes `&mut self` or happens in Drop.
unsafe impl Send for Fetcher {}

impl Fetcher {
    /// Client without started partitions; connects in the background.
    pub(crate) fn new(config: &SourceConfig) -> Result<Fetcher, ConfigError> {
        let refused = |error: String| ConfigError::Refused(error);
        let settings = config.fetch_client_config()?;
        let client = BaseConsumer::from_config_and_context(&settings, SourceClientContext::default())
            .map_err(|error| refused(error.to_string()))?;
        // SAFETY: the client's handle is valid as long as `client`, which outlives the queue (see Drop).
        let queue = unsafe { native::rd_kafka_queue_new(client.client().native_ptr()) };
        let mut fetcher = Fetcher {
            queue,
            topics: Vec::new(),
            batch: Vec::with_capacity(BATCH_SIZE),
            next: 0,
            lent: ptr::null_mut(),
            served: Instant::now(),
            client,
        };
        if fetcher.queue.is_null() {
            return Err(refused("no queue".into()));
        }
        for topic in config.topics.as_slice() {
            let name = CString::new(topic.name.as_str())
                .map_err(|_| refused(format!("the topic name {:?} holds a NUL", topic.name)))?;
            // SAFETY: the client's handle and the name are valid; a null configuration means the client's
            // own. The handle is destroyed in Drop, before the client.
            let handle = unsafe {
                native::rd_kafka_topic_new(fetcher.client.client().native_ptr(), name.as_ptr(), ptr::null_mut())
            };
            if handle.is_null() {
                return Err(refused(format!("the topic name {:?} is not a valid one", topic.name)));
            }
            fetcher.topics.push(TopicHandle {
                name,
                handle,
                started: Vec::new(),
            });
        }
        Ok(fetcher)
    }

    /// Starts a partition at an offset, or moves one that is started. False for an unknown topic index, a negative
    /// number or offset, and where librdkafka refuses.
    pub(crate) fn start(&mut self, partition: TopicPartition, offset: i64) -> bool {
        self.stop(partition);
        let queue = self.queue;
        let Some(topic) = self.topics.get_mut(partition.topic) else {
            return false;
        };
        let number = partition.number;
        if number < 0 || offset < 0 {
            return false;
        }
        // SAFETY: both handles are live; a topic-partition that is already started was stopped above.
        let refused = unsafe { native::rd_kafka_consume_start_queue(topic.handle, number, offset, queue) } != 0;
        if !refused {
            topic.started.push(number);
        }
        !refused
    }

    /// Stops a partition, and drops its records that were fetched and not returned.
    pub(crate) fn stop(&mut self, partition: TopicPartition) {
        let Some(topic) = self.topics.get_mut(partition.topic) else {
            return;
        };
        let number = partition.number;
        let Some(index) = topic.started.iter().position(|&started| started == number) else {
            return;
        };
        topic.started.swap_remove(index);
        // SAFETY: the handle is live and this partition was started through it.
        unsafe { native::rd_kafka_consume_stop(topic.handle, number) };
        let handle = topic.handle;
        let mut kept = self.next;
        for index in self.next..self.batch.len() {
            let message = self.batch[index];
            // SAFETY: every pointer from `next` on is a message that librdkafka gave us and that was neither
            // lent nor destroyed yet.
            let same = unsafe { (*message).rkt == handle && (*message).partition == number };
            if same {
                // SAFETY: as above; the slot is overwritten or truncated below, so it is destroyed once.
                unsafe { native::rd_kafka_message_destroy(message) };
            } else {
                self.batch[kept] = message;
                kept += 1;
            }
        }
        self.batch.truncate(kept);
    }

    /// Stops all partitions.
    pub(crate) fn stop_all(&mut self) {
        for topic in 0..self.topics.len() {
            for number in self.topics[topic].started.clone() {
                self.stop(TopicPartition { topic, number });
            }
        }
    }

    /// Next record or event, waiting for at most `timeout`.
    pub(crate) fn next(&mut self, timeout: Duration) -> FetchEvent<'_> {
        self.destroy_lent();
        if self.next == self.batch.len() {
            self.batch.clear();
            self.next = 0;
            self.fill(Duration::ZERO, BATCH_SIZE);
            if self.batch.is_empty() || self.served.elapsed() > SERVE_INTERVAL {
                self.serve();
                if let Some(error) = self.client.context().pop_error() {
                    return FetchEvent::ClientError(error);
                }
            }
            if self.batch.is_empty() {
                // librdkafka waits for the full batch: request one, so that the first record is not delayed.
                self.fill(timeout, 1);
            }
        }
        let Some(&message) = self.batch.get(self.next) else {
            return FetchEvent::Nothing;
        };
        self.next += 1;
        self.lent = message;
        self.event_of(message)
    }

    fn fill(&mut self, timeout: Duration, size: usize) {
        let timeout = c_int::try_from(timeout.as_millis()).unwrap_or(c_int::MAX);
        let size = size.min(self.batch.capacity());
        // SAFETY: the queue is live, and the batch, which is empty here, has room for `size` pointers.
        let count = unsafe { native::rd_kafka_consume_batch_queue(self.queue, timeout, self.batch.as_mut_ptr(), size) };
        let count = usize::try_from(count).unwrap_or(0).min(size);
        // SAFETY: librdkafka wrote `count` valid pointers, and by its contract the caller destroys them.
        unsafe { self.batch.set_len(count) };
    }

    /// Serves callbacks of the client, whose log lines and errors have their own queue.
    fn serve(&mut self) {
        self.served = Instant::now();
        for _ in 0..16 {
            if self.client.poll(Duration::ZERO).is_none() {
                break;
            }
        }
    }

    fn event_of(&self, message: *mut native::rd_kafka_message_t) -> FetchEvent<'_> {
        // SAFETY: the message was just taken from the batch and stays ours until `destroy_lent`, which needs
        // `&mut self`: nothing that borrows from `self` outlives it.
        let (fields, timestamp_ms) =
            unsafe { (&*message, native::rd_kafka_message_timestamp(message, ptr::null_mut())) };
        let Some(topic) = self.topic_index(fields.rkt) else {
            return FetchEvent::Nothing;
        };
        let partition = TopicPartition {
            topic,
            number: fields.partition,
        };
        let offset = fields.offset;
        match fields.err {
            RDKafkaRespErr::RD_KAFKA_RESP_ERR_NO_ERROR => {
                let payload = if fields.payload.is_null() || fields.len == 0 {
                    &[][..]
                } else {
                    // SAFETY: by librdkafka's contract the payload is `len` bytes, valid as long as the message.
                    unsafe { std::slice::from_raw_parts(fields.payload.cast::<u8>(), fields.len) }
                };
                FetchEvent::Record(FetchedRecord {
                    partition,
                    offset,
                    timestamp_ms,
                    payload,
                })
            }
            RDKafkaRespErr::RD_KAFKA_RESP_ERR__PARTITION_EOF => FetchEvent::EndOfPartition { partition, offset },
            error => {
                // SAFETY: an error message's text is a C string that lives as long as the message.
                let text = unsafe {
                    let text = native::rd_kafka_message_errstr(message);
                    if text.is_null() {
                        String::new()
                    } else {
                        CStr::from_ptr(text).to_string_lossy().into_owned()
                    }
                };
                FetchEvent::PartitionError {
                    partition,
                    code: error.into(),
                    text,
                }
            }
        }
    }

    fn topic_index(&self, handle: *mut native::rd_kafka_topic_t) -> Option<usize> {
        if handle.is_null() {
            return None;
        }
        self.topics.iter().position(|topic| topic.handle == handle).or_else(|| {
            // SAFETY: the handle belongs to a live message, and a topic's name lives as long as the topic.
            let name = unsafe { CStr::from_ptr(native::rd_kafka_topic_name(handle)) };
            self.topics.iter().position(|topic| topic.name.as_c_str() == name)
        })
    }

    fn destroy_lent(&mut self) {
        if !self.lent.is_null() {
            // SAFETY: it was returned by the former call, whose borrow has ended, and is destroyed once.
            unsafe { native::rd_kafka_message_destroy(self.lent) };
            self.lent = ptr::null_mut();
        }
    }
}

impl Drop for Fetcher {
    fn drop(&mut self) {
        self.destroy_lent();
        self.stop_all();
        for &message in self.batch.iter().skip(self.next) {
            // SAFETY: never lent, destroyed here once.
            unsafe { native::rd_kafka_message_destroy(message) };
        }
        self.batch.clear();
        for topic in &self.topics {
            // SAFETY: made in `new`, destroyed once, its partitions stopped, the client still alive.
            unsafe { native::rd_kafka_topic_destroy(topic.handle) };
        }
        if !self.queue.is_null() {
            // SAFETY: made in `new`, destroyed once, before the client (fields drop after this body).
            unsafe { native::rd_kafka_queue_destroy(self.queue) };
        }
    }
}
