//! Reading with librdkafka alone: batches from one queue, each message destroyed at once. Upper limit of the reading rate.
//!
//! Promises: the settings of the source, so that the two differ only in the handling of a record.

use std::ffi::CString;
use std::time::{Duration, Instant};

use rdkafka::bindings as native;
use rdkafka::config::{ClientConfig, FromClientConfig};
use rdkafka::consumer::{BaseConsumer, Consumer};

use crate::Report;
use crate::clock::Clock;

const BATCH_SIZE: usize = 1024;
/// Longest wait for the broker or for a record.
const PATIENCE: Duration = Duration::from_secs(60);

/// Low watermarks of the partitions, and the number of offsets in all of them.
struct TopicExtent {
    starts: Vec<(i32, i64)>,
    offsets: u64,
}

/// Reads the topic up to its current high watermarks. `count_events` returns the number of events in a record's value.
pub fn read(bootstrap: &str, instrument: &str, mut count_events: impl FnMut(&[u8]) -> u64) -> Result<Report, String> {
    let consumer = consumer(bootstrap)?;
    let name = format!("{instrument}_events");
    let TopicExtent {
        starts,
        offsets: wanted,
    } = extent(&consumer, &name)?;
    let c_name = CString::new(name).map_err(|error| error.to_string())?;
    // SAFETY: the client lives until the end of this function; the queue and the topic are destroyed before it.
    let (queue, handle) = unsafe {
        let client = consumer.client().native_ptr();
        let topic = native::rd_kafka_topic_new(client, c_name.as_ptr(), std::ptr::null_mut());
        (native::rd_kafka_queue_new(client), topic)
    };
    for (partition, offset) in &starts {
        // SAFETY: queue and topic are live, and each partition is started once.
        unsafe { native::rd_kafka_consume_start_queue(handle, *partition, *offset, queue) };
    }
    let report = drain(queue, wanted, &mut count_events);
    for (partition, _) in &starts {
        // SAFETY: as at the start.
        unsafe { native::rd_kafka_consume_stop(handle, *partition) };
    }
    // SAFETY: both are live and not used afterwards.
    unsafe {
        native::rd_kafka_topic_destroy(handle);
        native::rd_kafka_queue_destroy(queue);
    }
    if report.records < wanted {
        return Err(format!("only {} of {wanted} records came", report.records));
    }
    Ok(report)
}

fn consumer(bootstrap: &str) -> Result<BaseConsumer, String> {
    BaseConsumer::from_config(
        ClientConfig::new()
            .set("bootstrap.servers", bootstrap)
            .set("enable.auto.commit", "false")
            .set("enable.auto.offset.store", "false")
            .set("socket.nagle.disable", "true")
            .set("fetch.message.max.bytes", (32 << 20).to_string())
            .set("fetch.max.bytes", (64 << 20).to_string())
            .set("receive.message.max.bytes", (512 << 20).to_string())
            .set("queued.max.messages.kbytes", (64 << 10).to_string())
            .set("queued.min.messages", "1000000")
            .set("fetch.queue.backoff.ms", "2")
            .set("fetch.wait.max.ms", "100"),
    )
    .map_err(|error| error.to_string())
}

fn extent(consumer: &BaseConsumer, topic: &str) -> Result<TopicExtent, String> {
    let metadata = consumer
        .fetch_metadata(Some(topic), PATIENCE)
        .map_err(|error| error.to_string())?;
    let mut extent = TopicExtent {
        starts: Vec::new(),
        offsets: 0,
    };
    for partition in metadata.topics().first().ok_or("no such topic")?.partitions() {
        let (low, high) = consumer
            .fetch_watermarks(topic, partition.id(), PATIENCE)
            .map_err(|error| error.to_string())?;
        extent.offsets += u64::try_from(high - low).unwrap_or(0);
        extent.starts.push((partition.id(), low));
    }
    Ok(extent)
}

/// Reads from the queue until `wanted` records came, or none for [`PATIENCE`].
fn drain(queue: *mut native::rd_kafka_queue_t, wanted: u64, count_events: &mut impl FnMut(&[u8]) -> u64) -> Report {
    let mut report = Report::default();
    let mut clock: Option<Clock> = None;
    let mut batch: Vec<*mut native::rd_kafka_message_t> = vec![std::ptr::null_mut(); BATCH_SIZE];
    let mut last_record = Instant::now();
    while report.records < wanted && last_record.elapsed() < PATIENCE {
        // SAFETY: the queue is live, and the batch has room for as many pointers as are requested.
        let count = unsafe { native::rd_kafka_consume_batch_queue(queue, 100, batch.as_mut_ptr(), BATCH_SIZE) };
        for message in batch.iter().take(usize::try_from(count).unwrap_or(0)) {
            // SAFETY: librdkafka gave `count` messages that are ours until they are destroyed, once, below; the
            // payload belongs to the message and is not used afterwards.
            unsafe {
                let fields = &**message;
                if fields.err == native::rd_kafka_resp_err_t::RD_KAFKA_RESP_ERR_NO_ERROR && !fields.payload.is_null() {
                    clock.get_or_insert_with(Clock::start);
                    last_record = Instant::now();
                    report.records += 1;
                    report.bytes += fields.len as u64;
                    report.events += count_events(std::slice::from_raw_parts(fields.payload.cast::<u8>(), fields.len));
                }
                native::rd_kafka_message_destroy(*message);
            }
        }
    }
    (report.seconds, report.cpu) = clock.map_or((0.0, 0.0), |clock| clock.elapsed());
    report
}
