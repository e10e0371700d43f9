//! Measures how fast an events topic is read, for `ci/bench`: by librdkafka alone, with a decode and a copy of the columns,
//! and into the timeline with every check on, as the worker's ingest thread does it. Prints one line of JSON.
//!
//! `feed raw|copy|timeline BOOTSTRAP INSTRUMENT [bin]`: reads everything that the topic holds when it begins. With `bin`
//! the run is binned again and again from nothing meanwhile.
#![allow(clippy::cast_precision_loss)]

mod clock;
mod raw;
mod timeline;

use std::process::ExitCode;

use live_data_engine::message::{Ids, Message};
use live_data_stream::decode;

/// What reading came to.
#[derive(Default)]
pub struct Report {
    /// Records read.
    pub records: u64,
    /// Bytes of their payloads.
    pub bytes: u64,
    /// Events in them.
    pub events: u64,
    /// From the first record to the last.
    pub seconds: f64,
    /// Processor time of this process meanwhile.
    pub cpu: f64,
    /// Further figures, by name.
    pub more: Vec<(&'static str, f64)>,
}

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let report = match words.as_slice() {
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
            let more: Vec<String> = report
                .more
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
                more.concat()
            );
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

/// Decodes a record and copies its events behind those before; begins anew where that would take much memory.
fn copy(payload: &[u8], times: &mut Vec<u32>, ids: &mut Vec<u32>) -> u64 {
    if times.len() > 1 << 24 {
        times.clear();
        ids.clear();
    }
    match decode(payload) {
        Ok(Message::Events(batch)) => {
            times.extend(batch.time_of_flight.iter());
            if let Ids::Given(column) = batch.ids {
                ids.extend(column.iter());
            }
            batch.time_of_flight.len() as u64
        }
        _ => 0,
    }
}
