//! Pulse time: nanoseconds since the Unix epoch, the one clock of the timeline.
//!
//! Promises: plain integer arithmetic that saturates instead of wrapping, whatever a clock on the stream says.
//! It must not ask the machine for the time: wall-clock times come in as values of the same type.

use std::fmt;

/// Nanoseconds in a second.
pub const NANOS_PER_SECOND: i64 = 1_000_000_000;

/// Seconds from the Unix epoch to Mantid's epoch, 1990-01-01T00:00:00 (both in UTC).
pub const MANTID_EPOCH_SECONDS: i64 = 631_152_000;

/// A moment in nanoseconds since the Unix epoch (UTC): of a pulse, of a log value, or of the wall clock.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PulseTime(i64);

impl PulseTime {
    /// Earlier than every pulse.
    pub const MIN: Self = Self(i64::MIN);
    /// Later than every pulse: the end of a run that goes on.
    pub const MAX: Self = Self(i64::MAX);

    /// The moment `nanos` nanoseconds after the Unix epoch.
    #[must_use]
    pub const fn from_nanos(nanos: i64) -> Self {
        Self(nanos)
    }

    /// The moment `millis` milliseconds after the Unix epoch; saturates.
    #[must_use]
    pub const fn from_millis(millis: i64) -> Self {
        Self(millis.saturating_mul(1_000_000))
    }

    /// Nanoseconds since the Unix epoch.
    #[must_use]
    pub const fn nanos(self) -> i64 {
        self.0
    }

    /// Milliseconds since the Unix epoch, rounded towards the past.
    #[must_use]
    pub const fn millis(self) -> i64 {
        self.0.div_euclid(1_000_000)
    }

    /// Nanoseconds since Mantid's epoch, 1990-01-01; saturates.
    #[must_use]
    pub const fn mantid_nanos(self) -> i64 {
        self.0.saturating_sub(MANTID_EPOCH_SECONDS * NANOS_PER_SECOND)
    }

    /// This moment moved by `nanos` nanoseconds; saturates. `MIN` and `MAX` stay where they are.
    #[must_use]
    pub const fn plus(self, nanos: i64) -> Self {
        match self.0 {
            i64::MIN | i64::MAX => self,
            time => Self(time.saturating_add(nanos)),
        }
    }

    /// Nanoseconds from `earlier` to this moment, negative when it is later; saturates.
    #[must_use]
    pub const fn since(self, earlier: Self) -> i64 {
        self.0.saturating_sub(earlier.0)
    }

    /// Seconds from `earlier` to this moment.
    #[must_use]
    #[allow(clippy::cast_precision_loss)]
    pub fn seconds_since(self, earlier: Self) -> f64 {
        self.since(earlier) as f64 / 1e9
    }
}

impl fmt::Display for PulseTime {
    /// Seconds since the Unix epoch with nine decimals: exact, and free of any calendar.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            i64::MIN => formatter.write_str("-inf"),
            i64::MAX => formatter.write_str("+inf"),
            nanos => write!(
                formatter,
                "{}.{:09}",
                nanos.div_euclid(NANOS_PER_SECOND),
                nanos.rem_euclid(NANOS_PER_SECOND)
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mantid_counts_from_1990() {
        let time = PulseTime::from_nanos(MANTID_EPOCH_SECONDS * NANOS_PER_SECOND + 7);
        assert_eq!(time.mantid_nanos(), 7);
    }

    #[test]
    fn arithmetic_saturates_and_infinities_stay() {
        assert_eq!(PulseTime::from_millis(i64::MAX), PulseTime::MAX);
        assert_eq!(PulseTime::MAX.plus(-5), PulseTime::MAX);
        assert_eq!(PulseTime::MIN.plus(5), PulseTime::MIN);
        assert_eq!(PulseTime::MAX.since(PulseTime::from_nanos(-1)), i64::MAX);
        assert_eq!(PulseTime::from_nanos(-1).millis(), -1);
    }

    #[test]
    fn it_is_printed_exactly() {
        assert_eq!(
            PulseTime::from_nanos(1_700_000_000_020_000_001).to_string(),
            "1700000000.020000001"
        );
        assert_eq!(PulseTime::MAX.to_string(), "+inf");
    }
}
