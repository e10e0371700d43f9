//! Records from partitions that were started by hand, without an allocation of ours per record.
//!
//! Promises: a record's bytes are lent until the next call; after [`Fetcher::start`] or [`Fetcher::stop`] no
//! record of the former position of that partition is handed out. Knows no role, no schema, no time.
//!
//! librdkafka's event interface allocates twice a record, which is half of the cost of a small one, and
//! does not say which partition an error belongs to. So this module takes batches straight from a queue,
//! and is the only one with `unsafe` in this crate.

use std::ffi::{CStr, CString, c_int};
use std::ptr;
use std::time::{Duration, Instant};

use rdkafka::bindings as native;
use rdkafka::config::FromClientConfigAndContext;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::RDKafkaErrorCode;
use rdkafka::types::RDKafkaRespErr;

use super::client::{ClientError, Context};
use crate::config::{ConfigError, SourceConfig};

/// Records taken from the queue at once.
const BATCH: usize = 1024;

/// How often the client's own events are served while records keep coming.
const SERVE_EVERY: Duration = Duration::from_millis(50);

/// One record, lent until the next call.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Fetched<'a> {
    pub(crate) topic: usize,
    pub(crate) partition: i32,
    pub(crate) offset: i64,
    /// Milliseconds since the Unix epoch, or -1 where the broker has none.
    pub(crate) timestamp_ms: i64,
    pub(crate) payload: &'a [u8],
}

/// What the queue gave.
#[derive(Debug)]
pub(crate) enum Event<'a> {
    Record(Fetched<'a>),
    /// Everything that the partition holds was read: `offset` is its end.
    End {
        topic: usize,
        partition: i32,
        offset: i64,
    },
    PartitionError {
        topic: usize,
        partition: i32,
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

/// The client, its topics and the batch that is being handed out.
pub(crate) struct Fetcher {
    queue: *mut native::rd_kafka_queue_t,
    topics: Vec<TopicHandle>,
    batch: Vec<*mut native::rd_kafka_message_t>,
    next: usize,
    lent: *mut native::rd_kafka_message_t,
    served: Instant,
    client: BaseConsumer<Context>,
}

// SAFETY: librdkafka's handles may be used from any thread ("the library is completely thread-safe"); the
// raw pointers are owned by this value alone, and every use of them takes `&mut self` or happens in Drop.
unsafe impl Send for Fetcher {}

impl Fetcher {
    /// A client that fetches nothing yet. Contacts no broker by itself.
    pub(crate) fn new(config: &SourceConfig) -> Result<Fetcher, ConfigError> {
        let refused = |error: String| ConfigError::Refused(error);
        let settings = config.fetch_client()?;
        let client = BaseConsumer::from_config_and_context(&settings, Context::default())
            .map_err(|error| refused(error.to_string()))?;
        // SAFETY: the client's handle is valid as long as `client`, which outlives the queue (see Drop).
        let queue = unsafe { native::rd_kafka_queue_new(client.client().native_ptr()) };
        let mut fetcher = Fetcher {
            queue,
            topics: Vec::new(),
            batch: Vec::with_capacity(BATCH),
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

    /// Reads a partition from an offset on, wherever it was reading before. False where librdkafka refuses
    /// (an unknown topic index, or a partition number that cannot be).
    pub(crate) fn start(&mut self, topic: usize, partition: i32, offset: i64) -> bool {
        self.stop(topic, partition);
        let queue = self.queue;
        let Some(known) = self.topics.get_mut(topic) else {
            return false;
        };
        if partition < 0 || offset < 0 {
            return false;
        }
        // SAFETY: both handles are live; a topic-partition that is already started was stopped above.
        let refused = unsafe { native::rd_kafka_consume_start_queue(known.handle, partition, offset, queue) } != 0;
        if !refused {
            known.started.push(partition);
        }
        !refused
    }

    /// Reads a partition no more; what was fetched of it and not handed out is dropped.
    pub(crate) fn stop(&mut self, topic: usize, partition: i32) {
        let Some(known) = self.topics.get_mut(topic) else {
            return;
        };
        let Some(index) = known.started.iter().position(|&started| started == partition) else {
            return;
        };
        known.started.swap_remove(index);
        // SAFETY: the handle is live and this partition was started through it.
        unsafe { native::rd_kafka_consume_stop(known.handle, partition) };
        let handle = known.handle;
        let mut kept = self.next;
        for index in self.next..self.batch.len() {
            let message = self.batch[index];
            // SAFETY: every pointer from `next` on is a message that librdkafka gave us and that was neither
            // lent nor destroyed yet.
            let same = unsafe { (*message).rkt == handle && (*message).partition == partition };
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

    /// Stops everything.
    pub(crate) fn stop_all(&mut self) {
        for topic in 0..self.topics.len() {
            for partition in self.topics[topic].started.clone() {
                self.stop(topic, partition);
            }
        }
    }

    /// The next record or event, waiting for at most `timeout` if there is none yet.
    pub(crate) fn next(&mut self, timeout: Duration) -> Event<'_> {
        self.give_back();
        if self.next == self.batch.len() {
            self.batch.clear();
            self.next = 0;
            self.fill(Duration::ZERO, BATCH);
            if self.batch.is_empty() || self.served.elapsed() > SERVE_EVERY {
                self.serve();
                if let Some(error) = self.client.context().next_error() {
                    return Event::ClientError(error);
                }
            }
            if self.batch.is_empty() {
                // One only: waiting for a full batch would hold the first record back.
                self.fill(timeout, 1);
            }
        }
        let Some(&message) = self.batch.get(self.next) else {
            return Event::Nothing;
        };
        self.next += 1;
        self.lent = message;
        self.describe(message)
    }

    fn fill(&mut self, timeout: Duration, size: usize) {
        let timeout = c_int::try_from(timeout.as_millis()).unwrap_or(c_int::MAX);
        let size = size.min(self.batch.capacity());
        // SAFETY: the queue is live, and the batch, which is empty here, has room for `size` pointers.
        let count = unsafe { native::rd_kafka_consume_batch_queue(self.queue, timeout, self.batch.as_mut_ptr(), size) };
        let count = usize::try_from(count).unwrap_or(0).min(size);
        // SAFETY: librdkafka wrote `count` valid pointers, which it says are ours to destroy.
        unsafe { self.batch.set_len(count) };
    }

    /// Serves log lines and errors of the client, which have a queue of their own.
    fn serve(&mut self) {
        self.served = Instant::now();
        for _ in 0..16 {
            if self.client.poll(Duration::ZERO).is_none() {
                break;
            }
        }
    }

    fn describe(&self, message: *mut native::rd_kafka_message_t) -> Event<'_> {
        // SAFETY: the message was just taken from the batch and stays ours until `give_back`, which needs
        // `&mut self`: nothing that borrows from `self` outlives it.
        let (fields, timestamp_ms) =
            unsafe { (&*message, native::rd_kafka_message_timestamp(message, ptr::null_mut())) };
        let Some(topic) = self.topic_index(fields.rkt) else {
            return Event::Nothing;
        };
        let (partition, offset) = (fields.partition, fields.offset);
        match fields.err {
            RDKafkaRespErr::RD_KAFKA_RESP_ERR_NO_ERROR => {
                let payload = if fields.payload.is_null() || fields.len == 0 {
                    &[][..]
                } else {
                    // SAFETY: librdkafka says that the payload is `len` bytes, valid as long as the message.
                    unsafe { std::slice::from_raw_parts(fields.payload.cast::<u8>(), fields.len) }
                };
                Event::Record(Fetched {
                    topic,
                    partition,
                    offset,
                    timestamp_ms,
                    payload,
                })
            }
            RDKafkaRespErr::RD_KAFKA_RESP_ERR__PARTITION_EOF => Event::End {
                topic,
                partition,
                offset,
            },
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
                Event::PartitionError {
                    topic,
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

    fn give_back(&mut self) {
        if !self.lent.is_null() {
            // SAFETY: it was handed out by the former call, whose borrow has ended, and is destroyed once.
            unsafe { native::rd_kafka_message_destroy(self.lent) };
            self.lent = ptr::null_mut();
        }
    }
}

impl Drop for Fetcher {
    fn drop(&mut self) {
        self.give_back();
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
