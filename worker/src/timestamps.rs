//! Texts of times in reports, markers and messages: RFC 3339 in UTC.
//!
//! Pure but for the wall clock of [`now`].

use jiff::Timestamp;

/// Wall clock time, to the second: `2026-01-31T12:00:00Z`.
pub fn now() -> String {
    rfc3339(Timestamp::now())
}

/// RFC 3339 text of `time`, to the second.
pub fn rfc3339(time: Timestamp) -> String {
    time.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// RFC 3339 text of `ns` nanoseconds since the Unix epoch, to the millisecond; `None` outside jiff's calendar (years -9999 to 9999).
pub fn rfc3339_ns(ns: i64) -> Option<String> {
    Timestamp::from_nanosecond(i128::from(ns))
        .ok()
        .map(|time| time.strftime("%Y-%m-%dT%H:%M:%S%.3fZ").to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_written_in_utc() {
        assert_eq!(rfc3339_ns(1_500_000_000).as_deref(), Some("1970-01-01T00:00:01.500Z"));
        assert_eq!(rfc3339_ns(i64::MIN).is_some(), rfc3339_ns(i64::MAX).is_some());
    }
}
