//! Sample logs, alarms and units by process variable, and a run's view of them.
//!
//! Promises: samples may come in any order and more than once; a run sees those within its bounds and, stamped at
//! its start, each log's last value before, however long before. Memory is bounded: what no run can ask for any more
//! is forgotten, and beyond the limit new samples are refused. It must not interpret values.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::message::{Alarm, LogSample, LogUnits, LogValue, Severity};
use crate::time::PulseTime;
use crate::timed::{Timed, TimedList};

/// Bytes that a series takes beside its entries, roughly.
const SERIES_BYTES: u64 = 256;

/// A value at a time.
#[derive(Clone, Debug, PartialEq)]
pub struct LogEntry {
    /// When the value was taken, or the run's start for the initial value.
    pub time: PulseTime,
    /// The value.
    pub value: LogValue,
}

/// An alarm at a time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AlarmEntry {
    /// When the alarm changed, or the run's start for the one in force then.
    pub time: PulseTime,
    /// How bad it is.
    pub severity: Severity,
    /// What it says.
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

#[derive(Clone, Debug)]
struct Series {
    name: Arc<str>,
    values: TimedList<LogEntry>,
    alarms: TimedList<AlarmEntry>,
    units: Option<(i64, Option<Arc<str>>)>,
}

impl Series {
    /// Whether there is more than the last value, or alarm, before `time`.
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

/// What became of a sample.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kept {
    New,
    Repeat,
    Full,
}

/// All logs that are held.
#[derive(Clone, Debug)]
pub(crate) struct LogStore {
    series: BTreeMap<Arc<str>, Arc<Series>>,
    prefix: Arc<str>,
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

    pub(crate) const fn bytes(&self) -> u64 {
        self.bytes
    }

    fn series(&mut self, source: &str) -> &mut Series {
        // Looked up by `&str` first: a name is allocated once per process variable, not once per sample.
        let (variable, bytes) = match self.series.get_key_value(source) {
            Some((variable, _)) => (Arc::clone(variable), 0),
            None => (Arc::from(source), SERIES_BYTES + source.len() as u64 * 2),
        };
        self.bytes += bytes;
        let prefix = &self.prefix;
        let series = self.series.entry(Arc::clone(&variable)).or_insert_with(|| {
            let stripped = variable.strip_prefix(&**prefix).filter(|name| !name.is_empty());
            let name = stripped.map_or_else(|| Arc::clone(&variable), Arc::from);
            Arc::new(Series {
                name,
                values: TimedList::default(),
                alarms: TimedList::default(),
                units: None,
            })
        });
        Arc::make_mut(series)
    }

    pub(crate) fn add(&mut self, sample: LogSample) -> Kept {
        let time = sample.time.nanos();
        if let Some(series) = self.series.get(sample.source.as_str())
            && series
                .values
                .range(time, time.saturating_add(1))
                .any(|entry| entry.value.same(&sample.value))
        {
            return Kept::Repeat;
        }
        let bytes = (size_of::<LogEntry>() + sample.value.heap_bytes()) as u64;
        if self.bytes + bytes > self.limit {
            return Kept::Full;
        }
        self.series(&sample.source).values.insert(LogEntry {
            time: sample.time,
            value: sample.value,
        });
        self.bytes += bytes;
        Kept::New
    }

    pub(crate) fn add_alarm(&mut self, alarm: Alarm) -> Kept {
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
            return Kept::Repeat;
        }
        let bytes = (size_of::<AlarmEntry>() + entry.message.len()) as u64;
        if self.bytes + bytes > self.limit {
            return Kept::Full;
        }
        self.series(&alarm.source).alarms.insert(entry);
        self.bytes += bytes;
        Kept::New
    }

    pub(crate) fn set_units(&mut self, units: LogUnits) -> Kept {
        let entry = (units.time.nanos(), units.units.map(Arc::from));
        if let Some(series) = self.series.get(units.source.as_str())
            && series.units.as_ref().is_some_and(|known| *known >= entry)
        {
            return Kept::Repeat;
        }
        if self.bytes + SERIES_BYTES > self.limit {
            return Kept::Full;
        }
        self.series(&units.source).units = Some(entry);
        Kept::New
    }

    /// Whether [`Self::forget_before`] has anything to forget.
    pub(crate) fn has_before(&self, time: i64) -> bool {
        self.series.values().any(|series| series.is_stale(time))
    }

    /// Forgets what no run that starts at `time` or later can see; the last value before stays.
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

/// The log of one process variable during a run.
#[derive(Clone, Debug, PartialEq)]
pub struct LogSeries {
    /// Its name in a run: the process variable without `IN:<INSTRUMENT>:CS:SB:`.
    pub name: Arc<str>,
    /// The process variable, an alias of the name.
    pub variable: Arc<str>,
    /// Its unit, the newest that was sent.
    pub units: Option<Arc<str>>,
    /// Its values in time order; the first is stamped at the run's start when the last value before it is known.
    pub values: Vec<LogEntry>,
    /// When the initial value was really taken, if the first value is one.
    pub initial_taken: Option<PulseTime>,
    /// Its alarms in time order, the one in force at the run's start stamped so.
    pub alarms: Vec<AlarmEntry>,
}

/// The logs of a run at one moment; made when asked for, series by series.
#[derive(Clone, Debug)]
pub struct RunLogs {
    store: Arc<LogStore>,
    start: PulseTime,
    stop: PulseTime,
}

impl RunLogs {
    pub(crate) fn new(store: &Arc<LogStore>, start: PulseTime, stop: PulseTime) -> Self {
        Self {
            store: Arc::clone(store),
            start,
            stop,
        }
    }

    /// The names of the logs that have a value or an alarm in the run or before it, sorted.
    #[must_use]
    pub fn names(&self) -> Vec<Arc<str>> {
        let mut names: Vec<_> = self
            .store
            .series
            .values()
            .filter(|series| {
                let stop = self.stop.nanos();
                let any = |first: Option<i64>| first.is_some_and(|time| time < stop);
                any(series.values.first().map(Timed::time)) || any(series.alarms.first().map(Timed::time))
            })
            .map(|series| Arc::clone(&series.name))
            .collect();
        names.sort();
        names.dedup();
        names
    }

    /// All logs, by process variable, without their values; some may have none in the run or before it.
    pub fn each(&self) -> impl Iterator<Item = RunLog> + '_ {
        self.store.series.iter().map(|(variable, series)| RunLog {
            variable: Arc::clone(variable),
            series: Arc::clone(series),
            start: self.start,
            stop: self.stop,
        })
    }

    /// A log by its name or by its process variable.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<LogSeries> {
        let store = &self.store;
        let found = store.series.get_key_value(name).or_else(|| {
            let variable = format!("{}{name}", store.prefix);
            store.series.get_key_value(variable.as_str())
        });
        found.map(|(variable, series)| self.view(variable, series))
    }

    /// All logs that have a value or an alarm in the run or before it, by process variable.
    pub fn iter(&self) -> impl Iterator<Item = LogSeries> + '_ {
        self.store
            .series
            .iter()
            .map(|(variable, series)| self.view(variable, series))
            .filter(|series| !series.values.is_empty() || !series.alarms.is_empty())
    }

    fn view(&self, variable: &Arc<str>, series: &Arc<Series>) -> LogSeries {
        let log = RunLog {
            variable: Arc::clone(variable),
            series: Arc::clone(series),
            start: self.start,
            stop: self.stop,
        };
        let start = self.start.nanos();
        let values = log.values(PulseTime::MIN, PulseTime::MAX);
        let initial_taken = log.initial().map(Timed::time).map(PulseTime::from_nanos);
        let mut alarms: Vec<_> = series.alarms.range(start, self.stop.nanos()).cloned().collect();
        if alarms.first().is_none_or(|entry| entry.time > self.start)
            && let Some(initial) = series.alarms.last_before(start)
        {
            alarms.insert(
                0,
                AlarmEntry {
                    time: self.start,
                    ..initial.clone()
                },
            );
        }
        LogSeries {
            name: Arc::clone(&series.name),
            variable: Arc::clone(variable),
            units: log.units(),
            values,
            initial_taken,
            alarms,
        }
    }
}

/// One log of a run at one moment; its values are made when asked for.
#[derive(Clone, Debug)]
pub struct RunLog {
    variable: Arc<str>,
    series: Arc<Series>,
    start: PulseTime,
    stop: PulseTime,
}

impl RunLog {
    /// Its name in a run.
    #[must_use]
    pub fn name(&self) -> &Arc<str> {
        &self.series.name
    }

    /// The process variable, an alias of the name.
    #[must_use]
    pub const fn variable(&self) -> &Arc<str> {
        &self.variable
    }

    /// Its unit, the newest that was sent.
    #[must_use]
    pub fn units(&self) -> Option<Arc<str>> {
        self.series.units.as_ref().and_then(|(_, units)| units.clone())
    }

    /// The last value before the run, where the run has none at its start.
    fn initial(&self) -> Option<&LogEntry> {
        let (start, stop) = (self.start.nanos(), self.stop.nanos());
        let first = self.series.values.range(start, stop).next();
        if first.is_some_and(|entry| entry.time <= self.start) {
            return None;
        }
        self.series.values.last_before(start)
    }

    /// The last of the values with `from <= time < until`, the initial value counted at the run's start.
    #[must_use]
    pub fn last(&self, from: PulseTime, until: PulseTime) -> Option<&LogValue> {
        let (low, high) = (from.max(self.start), until.min(self.stop));
        let last = self.series.values.last_before(high.nanos());
        last.filter(|entry| entry.time >= low)
            .or_else(|| self.initial().filter(|_| from <= self.start && self.start < until))
            .map(|entry| &entry.value)
    }

    /// The values with `from <= time < until` in time order, the initial value stamped at the run's start.
    #[must_use]
    pub fn values(&self, from: PulseTime, until: PulseTime) -> Vec<LogEntry> {
        let (low, high) = (from.max(self.start), until.min(self.stop));
        let initial = self.initial().filter(|_| from <= self.start && self.start < until);
        let initial = initial.map(|entry| LogEntry {
            time: self.start,
            value: entry.value.clone(),
        });
        let range = self.series.values.range(low.nanos(), high.nanos().max(low.nanos()));
        initial.into_iter().chain(range.cloned()).collect()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

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
            assert_eq!(store.add(sample("IN:MERLIN:CS:SB:Rot", time, value)), Kept::New);
        }
        assert_eq!(store.add(sample("IN:MERLIN:CS:SB:Rot", 20, 1.0)), Kept::Repeat);
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
        assert_eq!(store.set_units(units(3, "C")), Kept::Repeat);
        let alarm = |time, severity| Alarm {
            source: "T".into(),
            time: PulseTime::from_nanos(time),
            severity,
            message: "high".into(),
        };
        store.add_alarm(alarm(1, Severity::Major));
        assert_eq!(store.add_alarm(alarm(1, Severity::Major)), Kept::Repeat);
        store.add_alarm(alarm(15, Severity::Ok));
        let series = run(&store, 10, 20).get("T").unwrap();
        assert_eq!(series.units.as_deref(), Some("K"));
        let alarms: Vec<_> = series
            .alarms
            .iter()
            .map(|entry| (entry.time.nanos(), entry.severity))
            .collect();
        assert_eq!(alarms, [(10, Severity::Major), (15, Severity::Ok)]);
    }

    #[test]
    fn a_part_of_a_log_is_what_the_whole_has_then() {
        let mut store = LogStore::new("merlin", 1 << 20);
        for time in [5, 10, 20, 30, 30, 45] {
            store.add(sample("IN:MERLIN:CS:SB:Rot", time, time as f64));
        }
        for (start, stop) in [(0, 50), (10, 40), (15, 40), (40, 44), (50, 60), (20, 20), (0, 3)] {
            let logs = run(&store, start, stop);
            let whole = logs.get("Rot").unwrap().values;
            for (from, until) in [(i64::MIN, i64::MAX), (0, 30), (15, 31), (16, 20), (31, 100), (60, 70)] {
                let (from, until) = (PulseTime::from_nanos(from), PulseTime::from_nanos(until));
                let log = logs.each().next().unwrap();
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
            .filter(|&time| store.add(sample("T", time, 1.0)) == Kept::New)
            .count();
        assert_eq!(kept, (200_000 - SERIES_BYTES as usize - 2) / size_of::<LogEntry>());
        assert_eq!(store.add(sample("T", 20_000, 1.0)), Kept::Full);
        let full = store.bytes();
        store.forget_before(2000);
        assert!(store.bytes() < full);
        let series = run(&store, 2000, 2001).get("T").unwrap();
        assert_eq!(series.values.len(), 1);
        assert_eq!(run(&store, 1_000_000, 1_000_001).get("T").unwrap().values.len(), 1);
    }
}
