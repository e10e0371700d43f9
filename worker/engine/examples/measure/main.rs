//! Measures the engine for `ci/bench`: reads one command per line and prints one line of JSON for each. Other programs
//! can be measured between two commands on the same machine.
//!
//! Commands are `NAME KEY=VALUE…`: `new`, `fill`, `next_run`, `veto`, `bin`, `snapshots`. Times are in seconds, memory
//! in bytes.
#![allow(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss
)]

mod bench;
mod clock;
mod events;

use std::collections::HashMap;
use std::io::{BufRead, Write};
use std::str::FromStr;

use bench::{Answer, Bench, Histogram};

fn main() {
    let mut bench: Option<Bench> = None;
    for line in std::io::stdin().lock().lines().map_while(Result::ok) {
        let mut words = line.split_whitespace();
        let name = words.next().unwrap_or_default();
        let options: HashMap<&str, &str> = words.filter_map(|word| word.split_once('=')).collect();
        let text = match carry_out(&mut bench, name, &options) {
            Some(answer) => json(&answer),
            None => format!("{{\"error\": \"cannot do {}\"}}", line.replace(['"', '\\'], "'")),
        };
        let mut out = std::io::stdout().lock();
        // The reader has closed the pipe.
        if writeln!(out, "{text}").and_then(|()| out.flush()).is_err() {
            return;
        }
    }
}

fn carry_out(bench: &mut Option<Bench>, name: &str, options: &HashMap<&str, &str>) -> Option<Answer> {
    if name == "new" {
        *bench = None;
        let made = Bench::new(
            value(options, "spectra", 69_632),
            value(options, "message", 2000),
            value(options, "skew", 0.0),
            value(options, "partitions", 1),
            value(options, "grace", 120),
        );
        *bench = Some(made);
        return Some(Answer::from([("rss", clock::resident() as f64)]));
    }
    let bench = bench.as_mut()?;
    match name {
        "fill" => Some(bench.fill(value(options, "events", 0))),
        "next_run" => Some(bench.next_run()),
        "veto" => Some(bench.veto(value(options, "share", 0.01))),
        "snapshots" => bench.snapshots(value(options, "seconds", 1.0)),
        "bin" => bench.bin(&Histogram {
            unit: value(options, "unit", "tof".to_owned()),
            rows: value(options, "rows", "all".to_owned()),
            bins: value(options, "bins", 1000),
            fresh: value(options, "fresh", 1) == 1,
            write: value(options, "write", "none".to_owned()),
            scale: value(options, "scale", 1.0),
            keep: value(options, "keep", 0) == 1,
        }),
        _ => None,
    }
}

fn value<T: FromStr>(options: &HashMap<&str, &str>, name: &str, default: T) -> T {
    options.get(name).and_then(|text| text.parse().ok()).unwrap_or(default)
}

fn json(answer: &Answer) -> String {
    let fields: Vec<String> = answer
        .iter()
        .map(|(name, value)| format!("\"{name}\": {value:.9}"))
        .collect();
    format!("{{{}}}", fields.join(", "))
}
