//! Sample logs of the simulated instrument: slow and fast ones, numbers, an array and a text.
//!
//! Promises: a value is a function of the log and the time only.

use std::sync::Arc;

use live_data_engine::message::LogValue;

/// Process variable of the simulated instrument.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct SimulatedLog {
    /// EPICS name of an ISIS block: `IN:<INSTRUMENT>:CS:SB:<block>`.
    pub(super) pv: String,
    pub(super) units: Option<&'static str>,
    /// Interval between two values, seconds.
    pub(super) interval: f64,
    kind: SimulatedLogKind,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum SimulatedLogKind {
    Temperature,
    Rotation,
    Frames,
    Slits,
    Status,
}

impl SimulatedLog {
    /// All logs of an instrument.
    pub(super) fn all(instrument: &str) -> Vec<SimulatedLog> {
        let log = |block: &str, units, interval, kind| SimulatedLog {
            pv: format!("IN:{instrument}:CS:SB:{block}"),
            units,
            interval,
            kind,
        };
        vec![
            log("Temp_Sample", Some("K"), 1.0, SimulatedLogKind::Temperature),
            // One value an hour: a run may have none.
            log("Rot", Some("deg"), 3600.0, SimulatedLogKind::Rotation),
            log("Frames", None, 1.0, SimulatedLogKind::Frames),
            log("Slits", Some("mm"), 2.0, SimulatedLogKind::Slits),
            log("Status", None, 5.0, SimulatedLogKind::Status),
        ]
    }

    /// Value at `seconds` since the start of the stream, which may be negative.
    pub(super) fn value(&self, seconds: f64) -> LogValue {
        match self.kind {
            SimulatedLogKind::Temperature => LogValue::F64(self.temperature(seconds)),
            SimulatedLogKind::Rotation => LogValue::F64(45.0 + 5.0 * (seconds / self.interval).floor()),
            SimulatedLogKind::Frames => LogValue::I32((seconds * 50.0) as i32),
            SimulatedLogKind::Slits => {
                let gap = 10.0 + (seconds / 20.0).sin();
                LogValue::F64s(Arc::from([gap, 2.0 * gap, 0.0, 0.0]))
            }
            SimulatedLogKind::Status => LogValue::Text(Arc::from(if seconds < 0.0 { "SETUP" } else { "RUNNING" })),
        }
    }

    /// True if the value at `seconds` raises an alarm: a temperature above 14 K.
    pub(super) fn is_alarming(&self, seconds: f64) -> bool {
        self.kind == SimulatedLogKind::Temperature && self.temperature(seconds) > 14.0
    }

    fn temperature(&self, seconds: f64) -> f64 {
        10.0 + 5.0 * (seconds / 15.0).sin()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_is_a_number_an_array_and_a_text() {
        let values: Vec<LogValue> = SimulatedLog::all("DEMO").iter().map(|log| log.value(12.0)).collect();
        assert!(values.iter().any(|value| matches!(value, LogValue::F64(_))));
        assert!(
            values
                .iter()
                .any(|value| matches!(value, LogValue::F64s(array) if array.len() == 4))
        );
        assert!(values.contains(&LogValue::Text(Arc::from("RUNNING"))));
    }
}
