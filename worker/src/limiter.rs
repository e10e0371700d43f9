//! A bounded rate for lines of the log that could come with every message.
//!
//! Promises the first line of a kind at once and then one in each interval, with the number that was passed over.

use std::collections::HashMap;
use std::time::{Duration, Instant};

/// Kinds that are told apart; more would mean that a kind holds a value from the stream.
const KINDS: usize = 1000;

/// Passes lines on, or not.
#[derive(Debug)]
pub struct Limiter {
    interval: Duration,
    kinds: HashMap<&'static str, (Instant, u64)>,
}

impl Limiter {
    /// One line of each kind in each `interval`.
    pub fn new(interval: Duration) -> Self {
        Limiter {
            interval,
            kinds: HashMap::new(),
        }
    }

    /// `Some` when a line of this kind may be written, with the number of those that were not since the last.
    pub fn allow(&mut self, kind: &'static str) -> Option<u64> {
        self.allow_at(kind, Instant::now())
    }

    fn allow_at(&mut self, kind: &'static str, now: Instant) -> Option<u64> {
        let room = self.kinds.len() < KINDS;
        match self.kinds.get_mut(kind) {
            Some((last, passed_over)) if now.duration_since(*last) < self.interval => {
                *passed_over += 1;
                None
            }
            Some((last, passed_over)) => {
                *last = now;
                Some(std::mem::take(passed_over))
            }
            None if room => {
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
        let (mut limiter, start) = (Limiter::new(Duration::from_secs(30)), Instant::now());
        assert_eq!(limiter.allow_at("garbage", start), Some(0));
        assert_eq!(limiter.allow_at("other", start), Some(0));
        for _ in 0..9 {
            assert_eq!(limiter.allow_at("garbage", start + Duration::from_secs(1)), None);
        }
        assert_eq!(limiter.allow_at("garbage", start + Duration::from_secs(31)), Some(9));
        assert_eq!(limiter.allow_at("garbage", start + Duration::from_secs(70)), Some(0));
    }
}
