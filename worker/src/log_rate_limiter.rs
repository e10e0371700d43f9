//! Rate limit of log lines that could come with every message.
//!
//! Promises: the first line of a kind passes, then one in each interval, with the number of those suppressed in between.

use std::collections::HashMap;
use std::time::{Duration, Instant};

/// Number of kinds, at most: more would mean that a kind holds a value of the stream.
const MAX_KINDS: usize = 1000;

/// Times and counts of the lines of each kind.
#[derive(Debug)]
pub struct LogRateLimiter {
    interval: Duration,
    /// Time of the last line that passed, and number of lines suppressed since.
    kinds: HashMap<&'static str, (Instant, u64)>,
}

impl LogRateLimiter {
    /// Limiter that passes one line of each kind in each `interval`.
    pub fn new(interval: Duration) -> Self {
        LogRateLimiter {
            interval,
            kinds: HashMap::new(),
        }
    }

    /// Number of lines of this kind suppressed since the last, if one may be written now; else counts it and returns `None`.
    pub fn allow(&mut self, kind: &'static str) -> Option<u64> {
        self.allow_at(kind, Instant::now())
    }

    fn allow_at(&mut self, kind: &'static str, now: Instant) -> Option<u64> {
        let has_room = self.kinds.len() < MAX_KINDS;
        match self.kinds.get_mut(kind) {
            Some((last, suppressed)) if now.duration_since(*last) < self.interval => {
                *suppressed += 1;
                None
            }
            Some((last, suppressed)) => {
                *last = now;
                Some(std::mem::take(suppressed))
            }
            None if has_room => {
                self.kinds.insert(kind, (now, 0));
                Some(0)
            }
            None => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_is_passed_on_and_the_rest_counted() {
        let (mut limiter, start) = (LogRateLimiter::new(Duration::from_secs(30)), Instant::now());
        assert_eq!(limiter.allow_at("garbage", start), Some(0));
        assert_eq!(limiter.allow_at("other", start), Some(0));
        for _ in 0..9 {
            assert_eq!(limiter.allow_at("garbage", start + Duration::from_secs(1)), None);
        }
        assert_eq!(limiter.allow_at("garbage", start + Duration::from_secs(31)), Some(9));
        assert_eq!(limiter.allow_at("garbage", start + Duration::from_secs(70)), Some(0));
    }
}
