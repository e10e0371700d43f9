//! Store of sample logs, alarms and units by process variable.
//!
//! Promises: values may arrive in any order and more than once. Memory is bounded: values that no run can need are
//! forgotten, and beyond the limit new ones are refused. It must not interpret values.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::message::{Alarm, AlarmSeverity, LogSample, LogUnits, LogValue};
use crate::time::PulseTime;
use crate::timed::{Timed, TimedList};

/// Approximate bytes of a series beside its entries.
const SERIES_BYTES: u64 = 256;

/// Value of a log at a time.
#[derive(Clone, Debug, PartialEq)]
pub struct LogEntry {
    /// Time of the measurement; in a run's log the run's start for the initial value.
    pub time: PulseTime,
    pub value: LogValue,
}

/// Alarm of a process variable at a time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AlarmEntry {
    /// Time of the change; in a run's log the run's start for the alarm in force then.
    pub time: PulseTime,
    pub severity: AlarmSeverity,
    /// EPICS alarm status.
    pub message: Arc<str>,
}

impl Timed for LogEntry {
    fn time(&self) -> i64 {
        self.time.nanos()
    }
}

impl Timed for AlarmEntry {
    fn time(&self) -> i64 {
        self.time.nanos()
    }
}

/// Logs, alarms and unit of one process variable.
#[derive(Clone, Debug)]
pub(crate) struct VariableSeries {
    pub(crate) name: Arc<str>,
    pub(crate) values: TimedList<LogEntry>,
    pub(crate) alarms: TimedList<AlarmEntry>,
    /// Latest unit and the time (ns) from which it holds.
    pub(crate) units: Option<(i64, Option<Arc<str>>)>,
}

impl VariableSeries {
    /// True if more than one value, or more than one alarm, lies before `time` (ns).
    fn is_stale(&self, time: i64) -> bool {
        let stale = |first: Option<i64>, kept: Option<i64>| first.zip(kept).is_some_and(|(first, kept)| first < kept);
        stale(
            self.values.first().map(Timed::time),
            self.values.last_before(time).map(Timed::time),
        ) || stale(
            self.alarms.first().map(Timed::time),
            self.alarms.last_before(time).map(Timed::time),
        )
    }
}

/// Result of inserting a log value, alarm or unit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum LogInsertion {
    New,
    Repeat,
    Full,
}

/// Logs in memory, by process variable.
#[derive(Clone, Debug)]
pub(crate) struct LogStore {
    pub(crate) series: BTreeMap<Arc<str>, Arc<VariableSeries>>,
    /// Prefix that names lose: `IN:<INSTRUMENT>:CS:SB:`.
    pub(crate) prefix: Arc<str>,
    bytes: u64,
    limit: u64,
}

impl LogStore {
    pub(crate) fn new(instrument: &str, limit: u64) -> Self {
        let prefix = format!("IN:{}:CS:SB:", instrument.to_uppercase()).into();
        Self {
            series: BTreeMap::new(),
            prefix,
            bytes: 0,
            limit,
        }
    }

    /// Approximate bytes of all logs.
    pub(crate) const fn bytes(&self) -> u64 {
        self.bytes
    }

    fn series(&mut self, source: &str) -> &mut VariableSeries {
        // The look-up by `&str` comes first: a name is allocated once per process variable, not once per value.
        let (variable, bytes) = match self.series.get_key_value(source) {
            Some((variable, _)) => (Arc::clone(variable), 0),
            None => (Arc::from(source), SERIES_BYTES + source.len() as u64 * 2),
        };
        self.bytes += bytes;
        let prefix = &self.prefix;
        let series = self.series.entry(Arc::clone(&variable)).or_insert_with(|| {
            let stripped = variable.strip_prefix(&**prefix).filter(|name| !name.is_empty());
            let name = stripped.map_or_else(|| Arc::clone(&variable), Arc::from);
            Arc::new(VariableSeries {
                name,
                values: TimedList::default(),
                alarms: TimedList::default(),
                units: None,
            })
        });
        Arc::make_mut(series)
    }

    /// Inserts a log value, unless it equals one of the same time or the limit is reached.
    pub(crate) fn insert(&mut self, sample: LogSample) -> LogInsertion {
        let time = sample.time.nanos();
        if let Some(series) = self.series.get(sample.source.as_str())
            && series
                .values
                .range(time, time.saturating_add(1))
                .any(|entry| entry.value.same(&sample.value))
        {
            return LogInsertion::Repeat;
        }
        let bytes = (size_of::<LogEntry>() + sample.value.heap_bytes()) as u64;
        if self.bytes + bytes > self.limit {
            return LogInsertion::Full;
        }
        self.series(&sample.source).values.insert(LogEntry {
            time: sample.time,
            value: sample.value,
        });
        self.bytes += bytes;
        LogInsertion::New
    }

    /// Inserts an alarm, unless it equals one of the same time or the limit is reached.
    pub(crate) fn insert_alarm(&mut self, alarm: Alarm) -> LogInsertion {
        let entry = AlarmEntry {
            time: alarm.time,
            severity: alarm.severity,
            message: alarm.message.into(),
        };
        let time = entry.time.nanos();
        if let Some(series) = self.series.get(alarm.source.as_str())
            && series
                .alarms
                .range(time, time.saturating_add(1))
                .any(|other| *other == entry)
        {
            return LogInsertion::Repeat;
        }
        let bytes = (size_of::<AlarmEntry>() + entry.message.len()) as u64;
        if self.bytes + bytes > self.limit {
            return LogInsertion::Full;
        }
        self.series(&alarm.source).alarms.insert(entry);
        self.bytes += bytes;
        LogInsertion::New
    }

    /// Sets the unit of a process variable, unless a later one is known.
    pub(crate) fn set_units(&mut self, units: LogUnits) -> LogInsertion {
        let entry = (units.time.nanos(), units.units.map(Arc::from));
        if let Some(series) = self.series.get(units.source.as_str())
            && series.units.as_ref().is_some_and(|known| *known >= entry)
        {
            return LogInsertion::Repeat;
        }
        if self.bytes + SERIES_BYTES > self.limit {
            return LogInsertion::Full;
        }
        self.series(&units.source).units = Some(entry);
        LogInsertion::New
    }

    /// True if [`Self::forget_before`] would forget anything.
    pub(crate) fn has_before(&self, time: i64) -> bool {
        self.series.values().any(|series| series.is_stale(time))
    }

    /// Forgets values and alarms that no run from `time` (ns) on can see; the last one before stays.
    pub(crate) fn forget_before(&mut self, time: i64) {
        let mut freed = 0_u64;
        for series in self.series.values_mut() {
            if !series.is_stale(time) {
                continue;
            }
            let series = Arc::make_mut(series);
            if let Some(kept) = series.values.last_before(time).map(Timed::time) {
                series.values.forget_before(kept, |entry| {
                    freed += (size_of::<LogEntry>() + entry.value.heap_bytes()) as u64;
                });
            }
            if let Some(kept) = series.alarms.last_before(time).map(Timed::time) {
                series.alarms.forget_before(kept, |entry| {
                    freed += (size_of::<AlarmEntry>() + entry.message.len()) as u64;
                });
            }
        }
        self.bytes = self.bytes.saturating_sub(freed);
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::run_logs::RunLogs;

    fn sample(source: &str, time: i64, value: f64) -> LogSample {
        LogSample {
            source: source.into(),
            time: PulseTime::from_nanos(time),
            value: LogValue::F64(value),
        }
    }

    fn run(store: &LogStore, start: i64, stop: i64) -> RunLogs {
        RunLogs::new(
            &Arc::new(store.clone()),
            PulseTime::from_nanos(start),
            PulseTime::from_nanos(stop),
        )
    }

    #[test]
    fn a_run_sees_its_values_and_the_last_before() {
        let mut store = LogStore::new("MERLIN", 1 << 20);
        for (time, value) in [(150, 2.0), (5, 0.5), (20, 1.0), (200, 3.0)] {
            assert_eq!(
                store.insert(sample("IN:MERLIN:CS:SB:Rot", time, value)),
                LogInsertion::New
            );
        }
        assert_eq!(
            store.insert(sample("IN:MERLIN:CS:SB:Rot", 20, 1.0)),
            LogInsertion::Repeat
        );
        let logs = run(&store, 100, 200);
        assert_eq!(logs.names(), ["Rot".into()]);
        let series = logs.get("Rot").unwrap();
        assert_eq!(series, logs.get("IN:MERLIN:CS:SB:Rot").unwrap());
        let values: Vec<_> = series
            .values
            .iter()
            .map(|entry| (entry.time.nanos(), entry.value.number()))
            .collect();
        assert_eq!(values, [(100, Some(1.0)), (150, Some(2.0))]);
        assert_eq!(series.initial_taken, Some(PulseTime::from_nanos(20)));
        assert_eq!(run(&store, 150, 160).get("Rot").unwrap().initial_taken, None);
    }

    #[test]
    fn units_are_the_newest_and_alarms_follow_the_run() {
        let mut store = LogStore::new("LOKI", 1 << 20);
        let units = |time, units: &str| LogUnits {
            source: "T".into(),
            time: PulseTime::from_nanos(time),
            units: Some(units.into()),
        };
        store.set_units(units(9, "K"));
        assert_eq!(store.set_units(units(3, "C")), LogInsertion::Repeat);
        let alarm = |time, severity| Alarm {
            source: "T".into(),
            time: PulseTime::from_nanos(time),
            severity,
            message: "high".into(),
        };
        store.insert_alarm(alarm(1, AlarmSeverity::Major));
        assert_eq!(store.insert_alarm(alarm(1, AlarmSeverity::Major)), LogInsertion::Repeat);
        store.insert_alarm(alarm(15, AlarmSeverity::Ok));
        let series = run(&store, 10, 20).get("T").unwrap();
        assert_eq!(series.units.as_deref(), Some("K"));
        let alarms: Vec<_> = series
            .alarms
            .iter()
            .map(|entry| (entry.time.nanos(), entry.severity))
            .collect();
        assert_eq!(alarms, [(10, AlarmSeverity::Major), (15, AlarmSeverity::Ok)]);
    }

    #[test]
    fn a_part_of_a_log_is_what_the_whole_has_then() {
        let mut store = LogStore::new("merlin", 1 << 20);
        for time in [5, 10, 20, 30, 30, 45] {
            store.insert(sample("IN:MERLIN:CS:SB:Rot", time, time as f64));
        }
        for (start, stop) in [(0, 50), (10, 40), (15, 40), (40, 44), (50, 60), (20, 20), (0, 3)] {
            let logs = run(&store, start, stop);
            let whole = logs.get("Rot").unwrap().values;
            for (from, until) in [(i64::MIN, i64::MAX), (0, 30), (15, 31), (16, 20), (31, 100), (60, 70)] {
                let (from, until) = (PulseTime::from_nanos(from), PulseTime::from_nanos(until));
                let log = logs.logs().next().unwrap();
                let expected: Vec<_> = whole
                    .iter()
                    .filter(|entry| from <= entry.time && entry.time < until)
                    .collect();
                assert_eq!(
                    log.values(from, until).iter().collect::<Vec<_>>(),
                    expected,
                    "{start} {stop}"
                );
                assert_eq!(
                    log.last(from, until),
                    expected.last().map(|entry| &entry.value),
                    "{start} {stop}"
                );
            }
        }
    }

    #[test]
    fn memory_is_bounded_and_the_initial_value_survives() {
        let mut store = LogStore::new("LOKI", 200_000);
        let kept = (0..10_000)
            .filter(|&time| store.insert(sample("T", time, 1.0)) == LogInsertion::New)
            .count();
        assert_eq!(kept, (200_000 - SERIES_BYTES as usize - 2) / size_of::<LogEntry>());
        assert_eq!(store.insert(sample("T", 20_000, 1.0)), LogInsertion::Full);
        let full = store.bytes();
        store.forget_before(2000);
        assert!(store.bytes() < full);
        let series = run(&store, 2000, 2001).get("T").unwrap();
        assert_eq!(series.values.len(), 1);
        assert_eq!(run(&store, 1_000_000, 1_000_001).get("T").unwrap().values.len(), 1);
    }
}
