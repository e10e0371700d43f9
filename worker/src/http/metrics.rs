//! `/metrics` in the OpenMetrics format; every name has the prefix `live_data_`.
//!
//! Promises: each scrape reads the status registry once, so that its values agree with each other and with `/status`. A
//! new metric is one row: of [`Counters::metrics`](live_data_engine::counters::Counters::metrics) or
//! [`MemoCounters::metrics`](live_data_engine::memo::MemoCounters::metrics) if the engine counts it, else of the table
//! here. Must not count anything.

use std::collections::BTreeSet;
use std::fmt::{Error, Write as _};
use std::sync::Arc;

use live_data_crd::report::WorkerReport;
use live_data_engine::metric::{Metric, MetricValue};
use live_data_reduction::workspace::events::memos;
use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric, MetricEncoder, text};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::registry::{Registry, Unit};

use crate::ingest_status::IngestStatus;
use crate::status_registry::{EXECUTION_TIME_BOUNDS, ExecutionTimes, StatusRegistry};

/// Text of one scrape. `dropped_log_lines` is the number of lines of the script log that Valkey never received.
///
/// # Errors
/// Only a formatter can fail, and that of a `String` does not.
pub fn encode(status: &StatusRegistry, dropped_log_lines: u64) -> Result<String, Error> {
    let ingest = status.ingest();
    let mut registry = Registry::with_prefix("live_data");
    registry.register_collector(Box::new(Readings {
        report: status.report(),
        completed_runs: status.completed_runs(),
        last_success: status.last_success(),
        engine: ingest
            .counters
            .metrics()
            .into_iter()
            .chain(memos().counters().metrics())
            .collect(),
        ingest,
        dropped_log_lines,
    }));
    let mut page = String::new();
    text::encode_registry(&mut page, &registry)?;
    encode_execution_times(&mut page, &status.execution_times())?;
    text::encode_eof(&mut page)?;
    Ok(page)
}

/// Values of one scrape.
#[derive(Debug)]
struct Readings {
    ingest: Arc<IngestStatus>,
    report: WorkerReport,
    completed_runs: u64,
    last_success: Option<u64>,
    /// Metrics of the timeline and of the memos.
    engine: Vec<Metric>,
    dropped_log_lines: u64,
}

/// One row of the table: name without prefix and unit, help text without the full stop, samples.
struct WorkerMetric {
    name: &'static str,
    help: &'static str,
    samples: Samples,
}

/// Type, unit and values of a metric. A metric without a value has no line in the scrape.
enum Samples {
    Counter(fn(&Readings) -> u64),
    Gauge(fn(&Readings) -> Option<f64>),
    /// Gauge whose name ends in `_seconds`.
    Seconds(fn(&Readings) -> Option<f64>),
    /// Gauge whose name ends in `_bytes`.
    Bytes(fn(&Readings) -> u64),
    /// Counters with labels.
    Counters(fn(&Readings, &mut LabelledSamples<'_>) -> Result<(), Error>),
    /// Gauges with labels.
    Gauges(fn(&Readings, &mut LabelledSamples<'_>) -> Result<(), Error>),
}

const WORKER_METRICS: &[WorkerMetric] = &[
    WorkerMetric {
        name: "message_bytes",
        help: "Bytes of messages read since the start",
        samples: Samples::Counter(|now| now.ingest.payload_bytes),
    },
    WorkerMetric {
        name: "messages",
        help: "Messages by topic, schema and outcome",
        samples: Samples::Counters(|now, samples| {
            now.ingest
                .messages
                .iter()
                .try_for_each(|((topic, schema, outcome), count)| {
                    samples.push(
                        &[("topic", topic), ("schema", schema), ("outcome", outcome)],
                        &ConstCounter::new(*count),
                    )
                })
        }),
    },
    WorkerMetric {
        name: "rejected",
        help: "Refused messages, pulses and events by reason",
        samples: Samples::Counters(|now, samples| {
            now.ingest
                .rejected
                .iter()
                .try_for_each(|(reason, count)| samples.push(&[("reason", reason)], &ConstCounter::new(*count)))
        }),
    },
    WorkerMetric {
        name: "consumer_lag_messages",
        help: "Messages to the end of a partition",
        samples: Samples::Gauges(|now, samples| {
            now.report.partitions.iter().try_for_each(|partition| {
                let number = partition.partition.to_string();
                samples.push(
                    &[("topic", &partition.topic), ("partition", &number)],
                    &ConstGauge::new(partition.lag),
                )
            })
        }),
    },
    WorkerMetric {
        name: "consumer_lag",
        help: "Age of the newest event read against the newest in the topic",
        samples: Samples::Seconds(|now| now.ingest.lag_seconds),
    },
    WorkerMetric {
        name: "run_events",
        help: "Events in the run",
        samples: Samples::Gauge(|now| now.ingest.run.as_ref().map(|run| run.events as f64)),
    },
    WorkerMetric {
        name: "run_pulses",
        help: "Pulses in the run",
        samples: Samples::Gauge(|now| now.ingest.run.as_ref().map(|run| run.pulses as f64)),
    },
    WorkerMetric {
        name: "run_missing",
        help: "Seconds of the run that the broker no longer had",
        samples: Samples::Gauge(|now| now.ingest.run.as_ref().map(|run| run.missing_seconds)),
    },
    WorkerMetric {
        name: "resident_memory",
        help: "Resident set of the process",
        samples: Samples::Bytes(|now| now.report.memory.rss_bytes),
    },
    WorkerMetric {
        name: "memory_limit",
        help: "Memory that the worker keeps to; 0 for no limit",
        samples: Samples::Bytes(|now| now.report.memory.limit_bytes),
    },
    WorkerMetric {
        name: "script_runs",
        help: "Executions of the script",
        samples: Samples::Counter(|now| now.report.script.runs),
    },
    WorkerMetric {
        name: "script_failures",
        help: "Executions that failed",
        samples: Samples::Counter(|now| now.report.script.failures),
    },
    WorkerMetric {
        name: "script_running",
        help: "1 while the script is executed",
        samples: Samples::Gauge(|now| flag(now.report.script.running)),
    },
    WorkerMetric {
        name: "script_last_success_timestamp",
        help: "Unix time of the last execution that went well",
        samples: Samples::Seconds(|now| now.last_success.map(|seconds| seconds as f64)),
    },
    WorkerMetric {
        name: "runs_completed",
        help: "Runs that have had their final execution",
        samples: Samples::Counter(|now| now.completed_runs),
    },
    WorkerMetric {
        name: "reconnects",
        help: "Connections to the broker made again",
        samples: Samples::Counter(|now| now.ingest.reconnects),
    },
    WorkerMetric {
        name: "log_lines_dropped",
        help: "Lines of the log lost while Valkey was away",
        samples: Samples::Counter(|now| now.dropped_log_lines),
    },
    WorkerMetric {
        name: "ready",
        help: "1 once the worker has caught up",
        samples: Samples::Gauge(|now| flag(now.report.ready)),
    },
    WorkerMetric {
        name: "writer",
        help: "1 while this worker executes and publishes",
        samples: Samples::Gauge(|now| flag(now.report.writer)),
    },
    WorkerMetric {
        name: "degraded",
        help: "1 for each thing that is wrong",
        samples: Samples::Gauges(|now, samples| {
            // Two degradations of one reason would repeat a sample, which a scraper refuses.
            let reasons: BTreeSet<&str> = now.report.degraded.iter().map(|d| d.reason.as_str()).collect();
            reasons
                .into_iter()
                .try_for_each(|reason| samples.push(&[("reason", reason)], &ConstGauge::new(1_i64)))
        }),
    },
];

fn flag(on: bool) -> Option<f64> {
    Some(f64::from(u8::from(on)))
}

impl Collector for Readings {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), Error> {
        for metric in &self.engine {
            encode_engine_metric(metric, &mut encoder)?;
        }
        WORKER_METRICS
            .iter()
            .try_for_each(|metric| metric.encode(self, &mut encoder))
    }
}

impl WorkerMetric {
    fn encode(&self, readings: &Readings, encoder: &mut DescriptorEncoder<'_>) -> Result<(), Error> {
        let mut header = MetricHeader {
            encoder,
            name: self.name,
            help: self.help,
        };
        match self.samples {
            Samples::Counter(value) => {
                ConstCounter::new(value(readings)).encode(header.encode(None, MetricType::Counter)?)
            }
            Samples::Gauge(value) => value(readings).map_or(Ok(()), |value| {
                ConstGauge::new(value).encode(header.encode(None, MetricType::Gauge)?)
            }),
            Samples::Seconds(value) => value(readings).map_or(Ok(()), |value| {
                ConstGauge::new(value).encode(header.encode(Some(&Unit::Seconds), MetricType::Gauge)?)
            }),
            Samples::Bytes(value) => {
                ConstGauge::new(value(readings) as f64).encode(header.encode(Some(&Unit::Bytes), MetricType::Gauge)?)
            }
            Samples::Counters(push) => push(
                readings,
                &mut LabelledSamples(header.encode(None, MetricType::Counter)?),
            ),
            Samples::Gauges(push) => push(readings, &mut LabelledSamples(header.encode(None, MetricType::Gauge)?)),
        }
    }
}

fn encode_engine_metric(metric: &Metric, encoder: &mut DescriptorEncoder<'_>) -> Result<(), Error> {
    let mut header = MetricHeader {
        encoder,
        name: metric.name,
        help: metric.help,
    };
    match metric.value {
        MetricValue::Counter(value) => ConstCounter::new(value).encode(header.encode(None, MetricType::Counter)?),
        MetricValue::Gauge(value) => ConstGauge::new(value).encode(header.encode(None, MetricType::Gauge)?),
        MetricValue::Bytes(value) => {
            ConstGauge::new(value as f64).encode(header.encode(Some(&Unit::Bytes), MetricType::Gauge)?)
        }
    }
}

/// Name and help text of a metric, before its samples.
struct MetricHeader<'e, 'a> {
    encoder: &'e mut DescriptorEncoder<'a>,
    name: &'static str,
    help: &'static str,
}

impl MetricHeader<'_, '_> {
    fn encode<'s>(&'s mut self, unit: Option<&'s Unit>, kind: MetricType) -> Result<MetricEncoder<'s>, Error> {
        self.encoder.encode_descriptor(self.name, self.help, unit, kind)
    }
}

struct LabelledSamples<'a>(MetricEncoder<'a>);

impl LabelledSamples<'_> {
    fn push(&mut self, labels: &[(&str, &str)], value: &impl EncodeMetric) -> Result<(), Error> {
        value.encode(self.0.encode_family(&labels)?)
    }
}

/// Appends the histogram by hand: the crate's histogram type keeps its own counts.
fn encode_execution_times(page: &mut String, times: &ExecutionTimes) -> Result<(), Error> {
    let name = "live_data_script_duration_seconds";
    writeln!(page, "# HELP {name} How long executions of the script took.")?;
    writeln!(page, "# TYPE {name} histogram\n# UNIT {name} seconds")?;
    for (bound, count) in EXECUTION_TIME_BOUNDS.iter().zip(times.buckets) {
        writeln!(page, "{name}_bucket{{le=\"{bound:?}\"}} {count}")?;
    }
    writeln!(page, "{name}_bucket{{le=\"+Inf\"}} {}", times.count)?;
    writeln!(page, "{name}_sum {}\n{name}_count {}", times.sum, times.count)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::ingest_status::IngestStatus;
    use live_data_engine::counters::Counters;

    #[test]
    fn a_scrape_has_every_family_and_ends_as_it_must() {
        let status = Arc::new(StatusRegistry::new("LET", Some(5), Arc::default()));
        let mut ingest = IngestStatus {
            counters: Counters {
                events: 7,
                ..Counters::default()
            },
            lag_seconds: Some(0.5),
            ..IngestStatus::default()
        };
        ingest
            .messages
            .insert(("LET_events".into(), "ev44".into(), "accepted"), 3);
        ingest.rejected.insert("schema \"x\"\n".into(), 2);
        status.set_ingest(ingest);
        status.record_execution(0.2, true);
        let page = encode(&status, 4).unwrap();
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
    #[test]
    fn the_memos_counters_and_each_reason_once_are_in_a_scrape() {
        let status = StatusRegistry::new("LET", None, Arc::default());
        let degradation = live_data_crd::report::Degradation {
            reason: "RunWarning".into(),
            message: String::new(),
        };
        status.set_ingest(IngestStatus {
            degraded: vec![degradation.clone(), degradation],
            ..IngestStatus::default()
        });
        let page = encode(&status, 0).unwrap();
        for name in [
            "live_data_memo_hits_total ",
            "live_data_memo_updates_total ",
            "live_data_memo_builds_total ",
            "live_data_memo_evictions_total ",
            "live_data_memo_grids ",
            "live_data_memo_memory_bytes ",
            "live_data_memo_memory_limit_bytes ",
            "live_data_events_total ",
            "live_data_event_memory_bytes ",
            "live_data_events_held ",
            "live_data_chunks ",
            "live_data_event_rate ",
            "live_data_degraded{reason=\"RunWarning\"} 1",
        ] {
            assert_eq!(
                page.lines().filter(|line| line.starts_with(name)).count(),
                1,
                "{name} in\n{page}"
            );
        }
    }
}
