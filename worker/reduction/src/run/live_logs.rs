//! Logs of a live run from its snapshot. Promises: unknown values are absent (an unknown charge is not zero); each value
//! keeps its time and unit; a process variable has its short name and its full one.

use live_data_engine::message::LogValue as MessageValue;
use live_data_engine::period_totals::PeriodTotals;
use live_data_engine::pulse_table::PulseTable;
use live_data_engine::run_logs::RunLog;
use live_data_engine::snapshot::Snapshot;
use live_data_engine::time::PulseTime;

use crate::date_and_time::DateAndTime;
use crate::run::property::{LogProperty, LogPropertyValue};
use crate::run::series::{SeriesValues, TimeSeriesProperty};
use crate::run::{GOOD_CHARGE, PULSE_CHARGE, Run};
use crate::run_portion::{LogPortion, PeriodFrames};

/// Frames and proton charge of one period.
pub(crate) struct PeriodLogs {
    /// Charge of the good frames, µA·h; `None` when no message has carried one.
    pub charge: Option<f64>,
    /// Charge of each good pulse, µA·h.
    charges: Option<TimeSeriesProperty>,
    raw_frames: i64,
    good_frames: i64,
}

impl PeriodLogs {
    /// Adds the logs to a run. `period` is the index from 0 and the charges of all periods, where there are several.
    pub(crate) fn add_to(self, run: &mut Run, period: Option<(usize, &Vec<f64>)>) {
        if let Some(charge) = self.charge {
            run.set_number(GOOD_CHARGE, charge, "uA.hour");
        }
        if let Some(series) = self.charges {
            run.set(
                PULSE_CHARGE,
                LogProperty::new(LogPropertyValue::Series(series)).with_units("uA.hour"),
            );
        }
        run.set("rawfrm", LogProperty::new(LogPropertyValue::Int(self.raw_frames)));
        run.set("goodfrm", LogProperty::new(LogPropertyValue::Int(self.good_frames)));
        if let Some((period, charges)) = period {
            run.set(
                "current_period",
                LogProperty::new(LogPropertyValue::Int(period as i64 + 1)),
            );
            run.set(
                "proton_charge_by_period",
                LogProperty::new(LogPropertyValue::Floats(charges.clone())).with_units("uA.hour"),
            );
        }
    }
}

/// Frames and charge of each period. The series of pulse charges is deferred, since it grows with the run.
pub(crate) fn period_logs(snapshot: &Snapshot, periods: u32, known: &mut PeriodTotals) -> Vec<PeriodLogs> {
    let empty = || PeriodLogs {
        charge: None,
        charges: None,
        raw_frames: 0,
        good_frames: 0,
    };
    let mut out: Vec<PeriodLogs> = (0..periods).map(|_| empty()).collect();
    for (period, totals) in known.totals(snapshot.pulses()) {
        let at = if periods == 1 { 0 } else { usize::from(period) };
        let Some(logs) = out.get_mut(at) else { continue };
        let whole = |count: u64| i64::try_from(count).unwrap_or(i64::MAX);
        logs.raw_frames += whole(totals.raw_frames);
        logs.good_frames += whole(totals.good_frames);
        if let Some(charge) = totals.proton_charge {
            *logs.charge.get_or_insert(0.0) += charge;
            logs.charges.get_or_insert_with(|| {
                let pulses = snapshot.pulses().clone();
                let wanted = (periods > 1).then_some(period);
                TimeSeriesProperty::deferred(move || charges(&pulses, wanted))
            });
        }
    }
    out
}

/// Times and charges (µA·h) of the good pulses of a period, or of all periods.
fn charges(pulses: &PulseTable, period: Option<u16>) -> (Vec<DateAndTime>, SeriesValues) {
    let good = pulses
        .iter()
        .filter(|pulse| pulse.good && period.is_none_or(|period| period == pulse.period));
    let (times, charges) = good
        .filter_map(|pulse| Some((DateAndTime::from_pulse(pulse.time), f64::from(pulse.proton_charge?))))
        .unzip();
    (times, SeriesValues::Floats(charges))
}

impl From<&PeriodFrames> for PeriodLogs {
    fn from(frames: &PeriodFrames) -> Self {
        let times = frames.times.iter().copied().map(DateAndTime::from_pulse).collect();
        Self {
            charge: frames.charge,
            charges: TimeSeriesProperty::new(times, SeriesValues::Floats(frames.charges.clone()))
                .filter(|series| !series.is_empty()),
            raw_frames: frames.raw_frames,
            good_frames: frames.good_frames,
        }
    }
}

/// Logs common to all periods; series are limited to a portion if given.
pub(crate) fn shared_logs(snapshot: &Snapshot, portion: Option<&LogPortion>) -> Run {
    let info = snapshot.run();
    let mut run = Run::default();
    for log in snapshot.logs().logs() {
        let (from, until) = portion.map_or((PulseTime::MIN, PulseTime::MAX), |portion| {
            let from = portion.from.get(log.variable()).copied();
            (from.unwrap_or(PulseTime::MIN), portion.until)
        });
        if let Some(property) = property(&log, from, until) {
            run.set(log.variable(), property.clone());
            run.set(log.name(), property);
        }
    }
    let number = if info.run_number.is_empty() {
        &info.run_name
    } else {
        &info.run_number
    };
    run.set_text("run_number", number);
    let start = DateAndTime::from_pulse(info.start);
    run.set_text("run_start", &start.to_iso_seconds());
    run.set_text("start_time", &start.to_iso());
    let last = info.last_pulse.unwrap_or(info.start);
    let end = DateAndTime::from_pulse(info.stop.filter(|stop| *stop != PulseTime::MAX).unwrap_or(last));
    run.set_text("run_end", &end.to_iso_seconds());
    run.set_text("end_time", &end.to_iso());
    run.set_number("duration", end.seconds_since(start), "second");
    run.set(
        "nperiods",
        LogProperty::new(LogPropertyValue::Int(i64::from(info.n_periods.max(1)))),
    );
    if let Some(title) = info.metadata.as_deref().and_then(title) {
        run.set_text("run_title", &title);
    }
    run
}

fn title(metadata: &str) -> Option<String> {
    let parsed: serde_json::Value = serde_json::from_str(metadata).ok()?;
    ["run_title", "title"]
        .iter()
        .find_map(|key| parsed.get(key)?.as_str().map(str::to_owned))
}

/// Log as a deferred series; of a log of arrays the last array. `None` without values in `[from, until)`.
fn property(log: &RunLog, from: PulseTime, until: PulseTime) -> Option<LogProperty> {
    let last = log.last(from, until)?;
    let units = log.units();
    let value = match array(last) {
        Some(array) => LogPropertyValue::Floats(array),
        None => {
            let log = log.clone();
            LogPropertyValue::Series(TimeSeriesProperty::deferred(move || series(&log, from, until)))
        }
    };
    Some(LogProperty::new(value).with_units(units.as_deref().unwrap_or_default()))
}

/// Times and values of a log in the narrowest type that fits all: integers, numbers or texts.
fn series(log: &RunLog, from: PulseTime, until: PulseTime) -> (Vec<DateAndTime>, SeriesValues) {
    let entries = log.values(from, until);
    let times = entries
        .iter()
        .map(|entry| DateAndTime::from_pulse(entry.time))
        .collect();
    let whole: Option<Vec<i64>> = entries.iter().map(|entry| integer(&entry.value)).collect();
    let numbers: Option<Vec<f64>> = entries.iter().map(|entry| entry.value.number()).collect();
    let values = match (whole, numbers) {
        (Some(whole), _) => SeriesValues::Ints(whole),
        (None, Some(numbers)) => SeriesValues::Floats(numbers),
        (None, None) => SeriesValues::Strs(entries.iter().map(|entry| text(&entry.value)).collect()),
    };
    (times, values)
}

fn integer(value: &MessageValue) -> Option<i64> {
    Some(match *value {
        MessageValue::I8(v) => i64::from(v),
        MessageValue::U8(v) => i64::from(v),
        MessageValue::I16(v) => i64::from(v),
        MessageValue::U16(v) => i64::from(v),
        MessageValue::I32(v) => i64::from(v),
        MessageValue::U32(v) => i64::from(v),
        MessageValue::I64(v) => v,
        MessageValue::U64(v) => i64::try_from(v).ok()?,
        _ => return None,
    })
}

fn text(value: &MessageValue) -> String {
    match value {
        MessageValue::Text(text) => text.to_string(),
        other => match (integer(other), other.number()) {
            (Some(whole), _) => whole.to_string(),
            (None, Some(number)) => number.to_string(),
            (None, None) => array(other)
                .map(|values| values.iter().map(ToString::to_string).collect::<Vec<_>>().join(","))
                .unwrap_or_default(),
        },
    }
}

fn array(value: &MessageValue) -> Option<Vec<f64>> {
    fn wide<T: Copy + Into<f64>>(values: &[T]) -> Option<Vec<f64>> {
        Some(values.iter().map(|value| (*value).into()).collect())
    }
    match value {
        MessageValue::I8s(v) => wide(v),
        MessageValue::U8s(v) => wide(v),
        MessageValue::I16s(v) => wide(v),
        MessageValue::U16s(v) => wide(v),
        MessageValue::I32s(v) => wide(v),
        MessageValue::U32s(v) => wide(v),
        MessageValue::F32s(v) => wide(v),
        MessageValue::F64s(v) => wide(v),
        MessageValue::I64s(v) => Some(v.iter().map(|v| *v as f64).collect()),
        MessageValue::U64s(v) => Some(v.iter().map(|v| *v as f64).collect()),
        _ => None,
    }
}
