//! The logs of a live run, from its snapshot. Promises: what is unknown is absent (a charge that nobody sent is not
//! zero); each value keeps its time and unit; a process variable is found by its short name and by its full one.

use live_data_engine::logs::{LogEntry, LogSeries};
use live_data_engine::message::LogValue as Sent;
use live_data_engine::snapshot::Snapshot;
use live_data_engine::time::PulseTime;

use crate::bind::{Frames, LogPortion};
use crate::date_and_time::DateAndTime;
use crate::run::{GOOD_CHARGE, LogProperty, LogValue, PULSE_CHARGE, Run, SeriesValues, TimeSeries};

/// What differs from period to period.
pub(crate) struct PeriodLogs {
    /// The charge of the good frames, µAh; `None` when nobody sent one.
    pub charge: Option<f64>,
    times: Vec<DateAndTime>,
    charges: Vec<f64>,
    raw: i64,
    good: i64,
}

impl PeriodLogs {
    /// Adds these logs; where there are several periods, which one this is (from 0) and the charges of all.
    pub(crate) fn add_to(self, run: &mut Run, period: Option<(usize, &Vec<f64>)>) {
        if let Some(charge) = self.charge {
            run.set_number(GOOD_CHARGE, charge, "uA.hour");
        }
        if let Some(series) = TimeSeries::new(self.times, SeriesValues::Floats(self.charges))
            && !series.is_empty()
        {
            run.set(
                PULSE_CHARGE,
                LogProperty::new(LogValue::Series(series)).with_units("uA.hour"),
            );
        }
        run.set("rawfrm", LogProperty::new(LogValue::Int(self.raw)));
        run.set("goodfrm", LogProperty::new(LogValue::Int(self.good)));
        if let Some((period, charges)) = period {
            run.set("current_period", LogProperty::new(LogValue::Int(period as i64 + 1)));
            run.set(
                "proton_charge_by_period",
                LogProperty::new(LogValue::Floats(charges.clone())).with_units("uA.hour"),
            );
        }
    }
}

/// Frames and charge of each period.
pub(crate) fn period_logs(snapshot: &Snapshot, periods: u32) -> Vec<PeriodLogs> {
    let empty = || PeriodLogs {
        charge: None,
        times: Vec::new(),
        charges: Vec::new(),
        raw: 0,
        good: 0,
    };
    let mut out: Vec<PeriodLogs> = (0..periods).map(|_| empty()).collect();
    for pulse in snapshot.pulses().iter() {
        let at = if periods == 1 { 0 } else { usize::from(pulse.period) };
        let Some(logs) = out.get_mut(at) else { continue };
        logs.raw += 1;
        if !pulse.good {
            continue;
        }
        logs.good += 1;
        if let Some(charge) = pulse.proton_charge {
            let charge = f64::from(charge);
            *logs.charge.get_or_insert(0.0) += charge;
            logs.times.push(DateAndTime::from_pulse(pulse.time));
            logs.charges.push(charge);
        }
    }
    out
}

impl From<&Frames> for PeriodLogs {
    fn from(frames: &Frames) -> Self {
        Self {
            charge: frames.charge,
            times: frames.times.iter().copied().map(DateAndTime::from_pulse).collect(),
            charges: frames.charges.clone(),
            raw: frames.raw,
            good: frames.good,
        }
    }
}

/// The logs that all periods share; of the series only a portion, where one is given.
pub(crate) fn shared_logs(snapshot: &Snapshot, portion: Option<&LogPortion>) -> Run {
    let info = snapshot.run();
    let mut run = Run::default();
    for mut log in snapshot.logs().iter() {
        if let Some(portion) = portion {
            let from = portion.from.get(&log.variable).copied().unwrap_or(PulseTime::MIN);
            log.values
                .retain(|entry| entry.time >= from && entry.time < portion.until);
        }
        if let Some(property) = property(&log) {
            run.set(&log.variable, property.clone());
            run.set(&log.name, property);
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
        LogProperty::new(LogValue::Int(i64::from(info.n_periods.max(1)))),
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

/// A series of one kind: whole numbers, numbers or texts, the narrowest that all values fit. Arrays have no series:
/// the last one is the value.
fn property(log: &LogSeries) -> Option<LogProperty> {
    let values: Vec<&LogEntry> = log.values.iter().collect();
    let last = values.last()?;
    let units = log.units.as_deref().unwrap_or_default();
    if let Some(array) = array(&last.value) {
        return Some(LogProperty::new(LogValue::Floats(array)).with_units(units));
    }
    let times = |kept: &[&LogEntry]| kept.iter().map(|entry| DateAndTime::from_pulse(entry.time)).collect();
    let whole: Option<Vec<i64>> = values.iter().map(|entry| integer(&entry.value)).collect();
    let numbers: Option<Vec<f64>> = values.iter().map(|entry| entry.value.number()).collect();
    let series = match (whole, numbers) {
        (Some(whole), _) => SeriesValues::Ints(whole),
        (None, Some(numbers)) => SeriesValues::Floats(numbers),
        (None, None) => SeriesValues::Strs(values.iter().map(|entry| text(&entry.value)).collect()),
    };
    let series = TimeSeries::new(times(&values), series)?;
    Some(LogProperty::new(LogValue::Series(series)).with_units(units))
}

fn integer(value: &Sent) -> Option<i64> {
    Some(match *value {
        Sent::I8(v) => i64::from(v),
        Sent::U8(v) => i64::from(v),
        Sent::I16(v) => i64::from(v),
        Sent::U16(v) => i64::from(v),
        Sent::I32(v) => i64::from(v),
        Sent::U32(v) => i64::from(v),
        Sent::I64(v) => v,
        Sent::U64(v) => i64::try_from(v).ok()?,
        _ => return None,
    })
}

fn text(value: &Sent) -> String {
    match value {
        Sent::Text(text) => text.to_string(),
        other => match (integer(other), other.number()) {
            (Some(whole), _) => whole.to_string(),
            (None, Some(number)) => number.to_string(),
            (None, None) => array(other)
                .map(|values| values.iter().map(ToString::to_string).collect::<Vec<_>>().join(","))
                .unwrap_or_default(),
        },
    }
}

fn array(value: &Sent) -> Option<Vec<f64>> {
    fn wide<T: Copy + Into<f64>>(values: &[T]) -> Option<Vec<f64>> {
        Some(values.iter().map(|value| (*value).into()).collect())
    }
    match value {
        Sent::I8s(v) => wide(v),
        Sent::U8s(v) => wide(v),
        Sent::I16s(v) => wide(v),
        Sent::U16s(v) => wide(v),
        Sent::I32s(v) => wide(v),
        Sent::U32s(v) => wide(v),
        Sent::F32s(v) => wide(v),
        Sent::F64s(v) => wide(v),
        Sent::I64s(v) => Some(v.iter().map(|v| *v as f64).collect()),
        Sent::U64s(v) => Some(v.iter().map(|v| *v as f64).collect()),
        _ => None,
    }
}
