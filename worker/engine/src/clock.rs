//! Wall clock for the callers of the timeline.
//!
//! Promises: right to within a few milliseconds (the kernel's tick). It is read once per record; an exact clock would
//! cost a twentieth of the ingest of small records.

use crate::time::PulseTime;

/// Current wall-clock time, to within a few milliseconds on Linux.
#[must_use]
pub fn now() -> PulseTime {
    #[cfg(target_os = "linux")]
    {
        let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
        // SAFETY: the clock is one that Linux has, and `time` is valid memory for the result.
        if unsafe { libc::clock_gettime(libc::CLOCK_REALTIME_COARSE, &raw mut time) } == 0 {
            return PulseTime::from_nanos(time.tv_sec * crate::time::NANOS_PER_SECOND).plus(time.tv_nsec);
        }
    }
    let since = std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .unwrap_or_default();
    PulseTime::from_nanos(i64::try_from(since.as_nanos()).unwrap_or(i64::MAX))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]

    #[test]
    fn it_is_the_time_that_everybody_has() {
        let exact = std::time::SystemTime::now()
            .duration_since(std::time::UNIX_EPOCH)
            .unwrap()
            .as_millis();
        let difference = i128::from(super::now().millis()) - i128::try_from(exact).unwrap();
        assert!(difference.abs() < 2000, "{difference} ms");
    }
}
