//! The logs of a run as readers see them.
//!
//! Promises: the logs of a run have the values within its bounds. Each log's last value before the run, of any age, has
//! the run's start as its time. It must not interpret values.

use std::sync::Arc;

use crate::logs::{AlarmEntry, LogEntry, LogStore, VariableSeries};
use crate::message::LogValue;
use crate::time::PulseTime;
use crate::timed::Timed;

/// Log of one process variable during a run, with copies of its values.
#[derive(Clone, Debug, PartialEq)]
pub struct LogSeries {
    /// Process variable without the prefix `IN:<INSTRUMENT>:CS:SB:`.
    pub name: Arc<str>,
    /// EPICS process variable, an alias of the name.
    pub variable: Arc<str>,
    /// Latest unit (un00).
    pub units: Option<Arc<str>>,
    /// Values in time order. The last value before the run, if known, comes first and has the run's start as its time.
    pub values: Vec<LogEntry>,
    /// True time of the initial value, if the first value is one from before the run.
    pub initial_taken: Option<PulseTime>,
    /// Alarms in time order; the one in force at the run's start has that time.
    pub alarms: Vec<AlarmEntry>,
}

/// Logs of a run at one moment. Shares the store; values are copied on request, log by log.
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

    /// Names of the logs with a value or an alarm before the run's end, sorted.
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

    /// Logs by process variable, without copies of values; a log may be empty in the run.
    pub fn logs(&self) -> impl Iterator<Item = RunLog> + '_ {
        self.store.series.iter().map(|(variable, series)| RunLog {
            variable: Arc::clone(variable),
            series: Arc::clone(series),
            start: self.start,
            stop: self.stop,
        })
    }

    /// Log by name or by process variable.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<LogSeries> {
        let store = &self.store;
        let found = store.series.get_key_value(name).or_else(|| {
            let variable = format!("{}{name}", store.prefix);
            store.series.get_key_value(variable.as_str())
        });
        found.map(|(variable, series)| self.view(variable, series))
    }

    /// Logs with a value or an alarm before the run's end, by process variable.
    pub fn iter(&self) -> impl Iterator<Item = LogSeries> + '_ {
        self.store
            .series
            .iter()
            .map(|(variable, series)| self.view(variable, series))
            .filter(|series| !series.values.is_empty() || !series.alarms.is_empty())
    }

    fn view(&self, variable: &Arc<str>, series: &Arc<VariableSeries>) -> LogSeries {
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

/// One log of a run at one moment; values are copied on request.
#[derive(Clone, Debug)]
pub struct RunLog {
    variable: Arc<str>,
    series: Arc<VariableSeries>,
    start: PulseTime,
    stop: PulseTime,
}

impl RunLog {
    /// Process variable without the prefix `IN:<INSTRUMENT>:CS:SB:`.
    #[must_use]
    pub fn name(&self) -> &Arc<str> {
        &self.series.name
    }

    /// EPICS process variable, an alias of the name.
    #[must_use]
    pub const fn variable(&self) -> &Arc<str> {
        &self.variable
    }

    /// Latest unit (un00); `None` if none was sent or it was empty.
    #[must_use]
    pub fn units(&self) -> Option<Arc<str>> {
        self.series.units.as_ref().and_then(|(_, units)| units.clone())
    }

    /// Last value before the run, if the run has none at its very start.
    fn initial(&self) -> Option<&LogEntry> {
        let (start, stop) = (self.start.nanos(), self.stop.nanos());
        let first = self.series.values.range(start, stop).next();
        if first.is_some_and(|entry| entry.time <= self.start) {
            return None;
        }
        self.series.values.last_before(start)
    }

    /// Last value in `[from, until)` within the run; the initial value counts at the run's start. O(log n).
    #[must_use]
    pub fn last(&self, from: PulseTime, until: PulseTime) -> Option<&LogValue> {
        let (low, high) = (from.max(self.start), until.min(self.stop));
        let last = self.series.values.last_before(high.nanos());
        last.filter(|entry| entry.time >= low)
            .or_else(|| self.initial().filter(|_| from <= self.start && self.start < until))
            .map(|entry| &entry.value)
    }

    /// Values in `[from, until)` within the run, in time order; the initial value has the run's start as its time.
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
