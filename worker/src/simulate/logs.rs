//! The sample logs of the simulated instrument: slow and fast ones, numbers, an array and a text.
//!
//! Promises: a value is a function of the log and the time, so that the same run has the same logs.

use std::sync::Arc;

use live_data_engine::message::LogValue;

/// One log.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Log {
    /// The EPICS name, as ISIS's blocks have it: `IN:<INSTRUMENT>:CS:SB:<block>`.
    pub(super) pv: String,
    pub(super) units: Option<&'static str>,
    /// Seconds between two values.
    pub(super) interval: f64,
    kind: Kind,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Kind {
    Temperature,
    Rotation,
    Frames,
    Slits,
    Status,
}

impl Log {
    /// The logs of an instrument.
    pub(super) fn all(instrument: &str) -> Vec<Log> {
        let log = |block: &str, units, interval, kind| Log {
            pv: format!("IN:{instrument}:CS:SB:{block}"),
            units,
            interval,
            kind,
        };
        vec![
            log("Temp_Sample", Some("K"), 1.0, Kind::Temperature),
            // Changes so seldom that a run may see no value of it at all.
            log("Rot", Some("deg"), 3600.0, Kind::Rotation),
            log("Frames", None, 1.0, Kind::Frames),
            log("Slits", Some("mm"), 2.0, Kind::Slits),
            log("Status", None, 5.0, Kind::Status),
        ]
    }

    /// The value at a time (seconds since the simulation began).
    pub(super) fn value(&self, seconds: f64) -> LogValue {
        match self.kind {
            Kind::Temperature => LogValue::F64(self.temperature(seconds)),
            Kind::Rotation => LogValue::F64(45.0 + 5.0 * (seconds / self.interval).floor()),
            Kind::Frames => LogValue::I32((seconds * 50.0) as i32),
            Kind::Slits => {
                let gap = 10.0 + (seconds / 20.0).sin();
                LogValue::F64s(Arc::from([gap, 2.0 * gap, 0.0, 0.0]))
            }
            Kind::Status => LogValue::Text(Arc::from(if seconds < 0.0 { "SETUP" } else { "RUNNING" })),
        }
    }

    /// Whether the value at a time is one to be alarmed about.
    pub(super) fn is_alarming(&self, seconds: f64) -> bool {
        self.kind == Kind::Temperature && self.temperature(seconds) > 14.0
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
        let values: Vec<LogValue> = Log::all("DEMO").iter().map(|log| log.value(12.0)).collect();
        assert!(values.iter().any(|value| matches!(value, LogValue::F64(_))));
        assert!(
            values
                .iter()
                .any(|value| matches!(value, LogValue::F64s(array) if array.len() == 4))
        );
        assert!(values.contains(&LogValue::Text(Arc::from("RUNNING"))));
    }
}
