//! `/metrics` in the OpenMetrics format, all names with the prefix `live_data_`.
//!
//! Made from the board at each scrape, so that no figure is kept twice. It must not count anything itself.

use std::fmt::{Error, Write as _};
use std::sync::Arc;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric, text};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::registry::{Registry, Unit};

use crate::board::{Board, DURATION_BOUNDS};

/// The text of a scrape.
pub fn encode(board: &Arc<Board>, journal_dropped: u64) -> Result<String, Error> {
    let mut registry = Registry::with_prefix("live_data");
    registry.register_collector(Box::new(Scrape {
        board: Arc::clone(board),
        journal_dropped,
    }));
    let mut page = String::new();
    text::encode_registry(&mut page, &registry)?;
    durations(&mut page, board)?;
    text::encode_eof(&mut page)?;
    Ok(page)
}

#[derive(Debug)]
struct Scrape {
    board: Arc<Board>,
    journal_dropped: u64,
}

impl Collector for Scrape {
    fn encode(&self, mut to: DescriptorEncoder<'_>) -> Result<(), Error> {
        let ingest = self.board.ingest();
        let report = self.board.report();
        let partitions = || report.partitions.iter();

        counter(&mut to, "events", "Events read since the start", ingest.events)?;
        counter(
            &mut to,
            "message_bytes",
            "Bytes of messages read since the start",
            ingest.bytes,
        )?;
        family(
            &mut to,
            "messages",
            "Messages by topic, schema and outcome",
            MetricType::Counter,
            |family| {
                for ((topic, schema, outcome), count) in &ingest.messages {
                    family.put(
                        &[("topic", topic), ("schema", schema), ("outcome", outcome)],
                        &ConstCounter::new(*count),
                    )?;
                }
                Ok(())
            },
        )?;
        family(
            &mut to,
            "rejected",
            "Refused messages, pulses and events by reason",
            MetricType::Counter,
            |family| {
                for (reason, count) in &ingest.rejected {
                    family.put(&[("reason", reason)], &ConstCounter::new(*count))?;
                }
                Ok(())
            },
        )?;
        family(
            &mut to,
            "consumer_lag_messages",
            "Messages to the end of a partition",
            MetricType::Gauge,
            |family| {
                for part in partitions() {
                    let number = part.partition.to_string();
                    family.put(
                        &[("topic", &part.topic), ("partition", &number)],
                        &ConstGauge::new(part.lag),
                    )?;
                }
                Ok(())
            },
        )?;
        if let Some(lag) = ingest.lag_seconds {
            seconds(
                &mut to,
                "consumer_lag",
                "Age of the newest event read against the newest in the topic",
                lag,
            )?;
        }
        gauge(&mut to, "event_rate", "Events read per second", ingest.rate)?;
        if let Some(run) = &ingest.run {
            gauge(&mut to, "run_events", "Events in the run", run.events as f64)?;
            gauge(&mut to, "run_pulses", "Pulses in the run", run.pulses as f64)?;
            gauge(
                &mut to,
                "run_missing",
                "Seconds of the run that the broker no longer had",
                run.missing_seconds,
            )?;
        }
        bytes(
            &mut to,
            "event_memory",
            "Memory of the events that are held",
            report.memory.event_bytes,
        )?;
        bytes(
            &mut to,
            "resident_memory",
            "Resident set of the process",
            report.memory.rss_bytes,
        )?;
        bytes(
            &mut to,
            "memory_limit",
            "Memory that the worker keeps to; 0 for no limit",
            report.memory.limit_bytes,
        )?;
        gauge(
            &mut to,
            "events_held",
            "Events that are held",
            report.memory.events_kept as f64,
        )?;
        gauge(&mut to, "chunks", "Sealed chunks that are held", ingest.chunks as f64)?;
        counter(&mut to, "script_runs", "Executions of the script", report.script.runs)?;
        counter(
            &mut to,
            "script_failures",
            "Executions that failed",
            report.script.failures,
        )?;
        gauge(
            &mut to,
            "script_running",
            "1 while the script is executed",
            f64::from(u8::from(report.script.running)),
        )?;
        if self.board.last_success() > 0 {
            let at = self.board.last_success() as f64;
            seconds(
                &mut to,
                "script_last_success_timestamp",
                "Unix time of the last execution that went well",
                at,
            )?;
        }
        counter(
            &mut to,
            "runs_completed",
            "Runs that have had their final execution",
            self.board.completed_count(),
        )?;
        counter(
            &mut to,
            "reconnects",
            "Connections to the broker made again",
            ingest.reconnects,
        )?;
        counter(
            &mut to,
            "log_lines_dropped",
            "Lines of the log lost while Valkey was away",
            self.journal_dropped,
        )?;
        gauge(
            &mut to,
            "ready",
            "1 once the worker has caught up",
            f64::from(u8::from(report.ready)),
        )?;
        gauge(
            &mut to,
            "writer",
            "1 while this worker executes and publishes",
            f64::from(u8::from(report.writer)),
        )?;
        family(
            &mut to,
            "degraded",
            "1 for each thing that is wrong",
            MetricType::Gauge,
            |family| {
                for wrong in &report.degraded {
                    family.put(&[("reason", &wrong.reason)], &ConstGauge::new(1_i64))?;
                }
                Ok(())
            },
        )
    }
}

struct Family<'a, 'b>(
    prometheus_client::encoding::MetricEncoder<'a>,
    std::marker::PhantomData<&'b ()>,
);

impl Family<'_, '_> {
    fn put(&mut self, labels: &[(&str, &str)], value: &impl EncodeMetric) -> Result<(), Error> {
        value.encode(self.0.encode_family(&labels)?)
    }
}

fn family(
    to: &mut DescriptorEncoder<'_>,
    name: &str,
    help: &str,
    kind: MetricType,
    fill: impl FnOnce(&mut Family<'_, '_>) -> Result<(), Error>,
) -> Result<(), Error> {
    fill(&mut Family(
        to.encode_descriptor(name, help, None, kind)?,
        std::marker::PhantomData,
    ))
}

fn counter(to: &mut DescriptorEncoder<'_>, name: &str, help: &str, value: u64) -> Result<(), Error> {
    ConstCounter::new(value).encode(to.encode_descriptor(name, help, None, MetricType::Counter)?)
}

fn gauge(to: &mut DescriptorEncoder<'_>, name: &str, help: &str, value: f64) -> Result<(), Error> {
    ConstGauge::new(value).encode(to.encode_descriptor(name, help, None, MetricType::Gauge)?)
}

fn seconds(to: &mut DescriptorEncoder<'_>, name: &str, help: &str, value: f64) -> Result<(), Error> {
    ConstGauge::new(value).encode(to.encode_descriptor(name, help, Some(&Unit::Seconds), MetricType::Gauge)?)
}

fn bytes(to: &mut DescriptorEncoder<'_>, name: &str, help: &str, value: u64) -> Result<(), Error> {
    ConstGauge::new(value as f64).encode(to.encode_descriptor(name, help, Some(&Unit::Bytes), MetricType::Gauge)?)
}

/// The histogram of executions, from buckets that the board already has: the crate's own type counts for itself.
fn durations(page: &mut String, board: &Board) -> Result<(), Error> {
    let durations = board.durations();
    let name = "live_data_script_duration_seconds";
    writeln!(page, "# HELP {name} How long executions of the script took.")?;
    writeln!(page, "# TYPE {name} histogram\n# UNIT {name} seconds")?;
    for (bound, count) in DURATION_BOUNDS.iter().zip(durations.buckets) {
        writeln!(page, "{name}_bucket{{le=\"{bound:?}\"}} {count}")?;
    }
    writeln!(page, "{name}_bucket{{le=\"+Inf\"}} {}", durations.count)?;
    writeln!(page, "{name}_sum {}\n{name}_count {}", durations.sum, durations.count)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::board::IngestFigures;

    #[test]
    fn a_scrape_has_every_family_and_ends_as_it_must() {
        let board = Arc::new(Board::new("LET", Some(5)));
        let mut figures = IngestFigures {
            events: 7,
            lag_seconds: Some(0.5),
            ..IngestFigures::default()
        };
        figures
            .messages
            .insert(("LET_events".into(), "ev44".into(), "accepted"), 3);
        figures.rejected.insert("schema \"x\"\n".into(), 2);
        board.set_ingest(figures);
        board.executed(0.2, true);
        let page = encode(&board, 4).unwrap();
        for line in [
            "live_data_events_total 7",
            "live_data_messages_total{topic=\"LET_events\",schema=\"ev44\",outcome=\"accepted\"} 3",
            "live_data_rejected_total{reason=\"schema \\\"x\\\"\\n\"} 2",
            "live_data_consumer_lag_seconds 0.5",
            "live_data_memory_limit_bytes 5",
            "live_data_script_failures_total 1",
            "live_data_script_duration_seconds_bucket{le=\"0.3\"} 1",
            "live_data_log_lines_dropped_total 4",
        ] {
            assert!(
                page.lines().any(|l| l.starts_with(line)),
                "{line} is missing in\n{page}"
            );
        }
        assert!(page.ends_with("# EOF\n"));
    }
}
