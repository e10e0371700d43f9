//! Pulse time: nanoseconds since the Unix epoch, the only clock of the timeline.
//!
//! Promises: integer arithmetic that saturates instead of wrapping. It must not read the machine's clock: wall-clock
//! times arrive as values of the same type.

use std::fmt;

/// Nanoseconds in one second.
pub const NANOS_PER_SECOND: i64 = 1_000_000_000;

/// Moment in nanoseconds since the Unix epoch (UTC), of a pulse, a log value or the wall clock. Leap seconds do not
/// count.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PulseTime(i64);

impl PulseTime {
    /// Earlier than every pulse.
    pub const MIN: Self = Self(i64::MIN);
    /// Later than every pulse; the stop of an open run.
    pub const MAX: Self = Self(i64::MAX);

    /// Moment `nanos` nanoseconds after the Unix epoch.
    #[must_use]
    pub const fn from_nanos(nanos: i64) -> Self {
        Self(nanos)
    }

    /// Moment `millis` milliseconds after the Unix epoch; saturates.
    #[must_use]
    pub const fn from_millis(millis: i64) -> Self {
        Self(millis.saturating_mul(1_000_000))
    }

    /// Nanoseconds since the Unix epoch.
    #[must_use]
    pub const fn nanos(self) -> i64 {
        self.0
    }

    /// Milliseconds since the Unix epoch, rounded down.
    #[must_use]
    pub const fn millis(self) -> i64 {
        self.0.div_euclid(1_000_000)
    }

    /// This moment moved by `nanos` nanoseconds; saturates. `MIN` and `MAX` do not move.
    #[must_use]
    pub const fn plus(self, nanos: i64) -> Self {
        match self.0 {
            i64::MIN | i64::MAX => self,
            time => Self(time.saturating_add(nanos)),
        }
    }

    /// Nanoseconds from `earlier` to this moment, negative if `earlier` is later; saturates.
    #[must_use]
    pub const fn since(self, earlier: Self) -> i64 {
        self.0.saturating_sub(earlier.0)
    }

    /// Seconds from `earlier` to this moment, rounded to the nearest `f64`.
    #[must_use]
    #[allow(clippy::cast_precision_loss)]
    pub fn seconds_since(self, earlier: Self) -> f64 {
        self.since(earlier) as f64 / 1e9
    }
}

impl fmt::Display for PulseTime {
    /// Writes seconds since the Unix epoch with nine decimals (exact), or `-inf` and `+inf`.
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
