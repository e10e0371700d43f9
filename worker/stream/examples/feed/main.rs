//! Measurement of the reading rate of an events topic, for `ci/bench`. Prints one line of JSON.
//!
//! `feed raw|copy|timeline BOOTSTRAP INSTRUMENT [bin]` reads all records that the topic has at the start. `raw` reads
//! with librdkafka alone, `copy` also decodes and copies the event columns. `timeline` ingests into the timeline with
//! every check, as the worker's ingest thread does. With `bin` a second thread histograms the run meanwhile, each time
//! from scratch.
#![allow(clippy::cast_precision_loss)]

mod clock;
mod raw;
mod timeline;

use std::process::ExitCode;

use live_data_engine::message::{IdColumn, Message};
use live_data_stream::decode;

/// Result of a measurement.
#[derive(Default)]
pub struct Report {
    /// Number of records of the events topic.
    pub records: u64,
    /// Bytes of the records' values.
    pub bytes: u64,
    /// Number of events in the records.
    pub events: u64,
    /// Wall time from the first record to the last, s.
    pub seconds: f64,
    /// Processor time of this process meanwhile, s.
    pub cpu: f64,
    /// Further counts by name.
    pub counts: Vec<(&'static str, f64)>,
}

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let report = match arguments.as_slice() {
        ["raw", bootstrap, instrument] => raw::read(bootstrap, instrument, |_| 0),
        ["copy", bootstrap, instrument] => {
            let (mut times, mut ids) = (Vec::new(), Vec::new());
            raw::read(bootstrap, instrument, |payload| copy(payload, &mut times, &mut ids))
        }
        ["timeline", bootstrap, instrument] => timeline::read(bootstrap, instrument, false),
        ["timeline", bootstrap, instrument, "bin"] => timeline::read(bootstrap, instrument, true),
        _ => Err("use: feed raw|copy|timeline BOOTSTRAP INSTRUMENT [bin]".to_owned()),
    };
    match report {
        Ok(report) => {
            let counts: Vec<String> = report
                .counts
                .iter()
                .map(|(name, value)| format!(", \"{name}\": {value:.6}"))
                .collect();
            println!(
                "{{\"records\": {}, \"bytes\": {}, \"events\": {}, \"seconds\": {:.6}, \"cpu\": {:.6}{}}}",
                report.records,
                report.bytes,
                report.events,
                report.seconds,
                report.cpu,
                counts.concat()
            );
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

/// Decodes a record and appends its events to the columns, which are cleared above 2^24 events. Returns the events.
fn copy(payload: &[u8], times: &mut Vec<u32>, ids: &mut Vec<u32>) -> u64 {
    if times.len() > 1 << 24 {
        times.clear();
        ids.clear();
    }
    match decode(payload) {
        Ok(Message::Events(batch)) => {
            times.extend(batch.time_of_flight.iter());
            if let IdColumn::PerEvent(column) = batch.ids {
                ids.extend(column.iter());
            }
            batch.time_of_flight.len() as u64
        }
        _ => 0,
    }
}
