//! What is known of a run, as logs with the names that scripts expect.
//!
//! Promises: charge is absent, not 0, when it is unknown; a period's workspace has its own charge; a log whose values are
//! arrays has no place among a workspace's logs and is left out. Must not compute from events.

use live_data_engine::logs::LogSeries;
use live_data_engine::message::LogValue as StreamValue;
use live_data_engine::snapshot::Snapshot;

use crate::date_and_time::DateAndTime;
use crate::run::{GOOD_CHARGE, LogProperty, LogValue, PULSE_CHARGE, Run, SeriesValues, TimeSeries};

/// Charge and frames of each period, from 0.
pub fn charge_by_period(snapshot: &Snapshot) -> Vec<Charge> {
    let mut periods = vec![Charge::default(); snapshot.run().n_periods.max(1) as usize];
    for pulse in snapshot.pulses().iter() {
        let Some(period) = periods.get_mut(usize::from(pulse.period)) else {
            continue;
        };
        period.raw_frames += 1;
        if pulse.good {
            period.good_frames += 1;
            if let Some(charge) = pulse.proton_charge {
                period.known = true;
                period.charge += f64::from(charge);
                period.times.push(DateAndTime::from_pulse(pulse.time));
                period.charges.push(f64::from(charge));
            }
        }
    }
    periods
}

/// Charge and frames of one period.
#[derive(Debug, Clone, Default)]
pub struct Charge {
    known: bool,
    charge: f64,
    raw_frames: i64,
    good_frames: i64,
    times: Vec<DateAndTime>,
    charges: Vec<f64>,
}

/// The run's title, where its metadata hold one.
pub fn title(snapshot: &Snapshot) -> String {
    let metadata = snapshot.run().metadata.as_deref().unwrap_or_default();
    let value: serde_json::Value = serde_json::from_str(metadata).unwrap_or_default();
    ["title", "run_title"]
        .iter()
        .find_map(|key| value.get(key)?.as_str())
        .unwrap_or_default()
        .to_owned()
}

/// The logs of a run, or of one of its periods.
pub fn run(snapshot: &Snapshot, period: Option<u16>, charges: &[Charge]) -> Run {
    let info = snapshot.run();
    let mut logs = Run::default();
    for series in snapshot.logs().iter() {
        add(&mut logs, &series);
    }
    let start = DateAndTime::from_pulse(info.start);
    let end = info.stop.or(info.last_pulse).map(DateAndTime::from_pulse);
    let number = if info.run_number.is_empty() {
        &info.run_name
    } else {
        &info.run_number
    };
    logs.set_text("run_number", number);
    logs.set_text("run_title", &title(snapshot));
    logs.set_text("run_start", &start.to_iso());
    logs.set_text("start_time", &start.to_iso());
    if let Some(end) = end {
        logs.set_text("run_end", &end.to_iso());
        logs.set_text("end_time", &end.to_iso());
        logs.set_number("dur", end.seconds_since(start), "second");
    }
    logs.set("nperiods", int(i64::from(info.n_periods.max(1))));
    let chosen: Vec<&Charge> = match period {
        Some(period) => charges.get(usize::from(period)).into_iter().collect(),
        None => charges.iter().collect(),
    };
    logs.set("rawfrm", int(chosen.iter().map(|charge| charge.raw_frames).sum()));
    logs.set("goodfrm", int(chosen.iter().map(|charge| charge.good_frames).sum()));
    if chosen.iter().any(|charge| charge.known) {
        logs.set_number(GOOD_CHARGE, chosen.iter().map(|charge| charge.charge).sum(), "uA.hour");
        let times: Vec<DateAndTime> = chosen.iter().flat_map(|charge| charge.times.iter().copied()).collect();
        let values: Vec<f64> = chosen
            .iter()
            .flat_map(|charge| charge.charges.iter().copied())
            .collect();
        if let Some(series) = TimeSeries::new(times, SeriesValues::Floats(values)) {
            logs.set(
                PULSE_CHARGE,
                LogProperty::new(LogValue::Series(series)).with_units("uA.hour"),
            );
        }
    }
    if let Some(period) = period {
        logs.set("current_period", int(i64::from(period) + 1));
        let by_period = charges.iter().map(|charge| charge.charge).collect();
        let by_period = LogProperty::new(LogValue::Floats(by_period)).with_units("uA.hour");
        logs.set("proton_charge_by_period", by_period);
    }
    logs
}

fn int(value: i64) -> LogProperty {
    LogProperty::new(LogValue::Int(value))
}

/// Adds a log under its name, and under its process variable where that is another.
fn add(logs: &mut Run, series: &LogSeries) {
    let times = series
        .values
        .iter()
        .map(|entry| DateAndTime::from_pulse(entry.time))
        .collect();
    let Some(values) = values(series) else { return };
    let Some(values) = TimeSeries::new(times, values) else {
        return;
    };
    let units = series.units.as_deref().unwrap_or_default();
    let log = LogProperty::new(LogValue::Series(values)).with_units(units);
    if series.variable != series.name {
        logs.set(&series.variable, log.clone());
    }
    logs.set(&series.name, log);
}

/// One kind for all values: whole numbers, numbers, or texts; `None` where a value is an array or there is none.
fn values(series: &LogSeries) -> Option<SeriesValues> {
    let values = || series.values.iter().map(|entry| &entry.value);
    if series.values.is_empty() {
        return None;
    }
    if let Some(whole) = values().map(whole).collect() {
        return Some(SeriesValues::Ints(whole));
    }
    if let Some(numbers) = values().map(StreamValue::number).collect() {
        return Some(SeriesValues::Floats(numbers));
    }
    let texts = values().map(|value| match value {
        StreamValue::Text(text) => Some(text.to_string()),
        other => other.number().map(|number| number.to_string()),
    });
    texts.collect::<Option<_>>().map(SeriesValues::Strs)
}

fn whole(value: &StreamValue) -> Option<i64> {
    match *value {
        StreamValue::I8(v) => Some(v.into()),
        StreamValue::U8(v) => Some(v.into()),
        StreamValue::I16(v) => Some(v.into()),
        StreamValue::U16(v) => Some(v.into()),
        StreamValue::I32(v) => Some(v.into()),
        StreamValue::U32(v) => Some(v.into()),
        StreamValue::I64(v) => Some(v),
        StreamValue::U64(v) => i64::try_from(v).ok(),
        _ => None,
    }
}
