//! Delays between attempts, with jitter against retries in step.

use std::hash::{BuildHasher, RandomState};
use std::time::Duration;

use crate::error::ErrorClass;

/// Delay before the retry after failed attempt number `attempt`, counted from 1; it doubles up to the class's limit.
pub fn retry_delay(class: ErrorClass, attempt: u32) -> Duration {
    let (first, last) = match class {
        ErrorClass::Conflict => (Duration::from_millis(200), Duration::from_secs(10)),
        ErrorClass::External => (Duration::from_millis(500), Duration::from_secs(15)),
        ErrorClass::User => (Duration::from_secs(5), Duration::from_secs(300)),
        ErrorClass::Internal => (Duration::from_secs(30), Duration::from_secs(600)),
    };
    let doubled = first.saturating_mul(1_u32.checked_shl(attempt.saturating_sub(1).min(16)).unwrap_or(u32::MAX));
    jittered(doubled.min(last), 0.25)
}

/// `duration` times a random factor in `[1 - spread, 1 + spread)`.
pub fn jittered(duration: Duration, spread: f64) -> Duration {
    // The hasher's random keys are random enough to spread retries, and need no further crate.
    let bits = RandomState::new().hash_one(0_u8) >> 11;
    #[allow(clippy::cast_precision_loss)]
    let fraction = bits as f64 / (1_u64 << 53) as f64;
    duration.mul_f64(1.0 - spread + 2.0 * spread * fraction)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn delays_grow_to_their_limit_and_vary() {
        for class in [
            ErrorClass::User,
            ErrorClass::External,
            ErrorClass::Conflict,
            ErrorClass::Internal,
        ] {
            assert!(retry_delay(class, 1) < retry_delay(class, 6));
            assert!(retry_delay(class, u32::MAX) <= Duration::from_secs(750));
        }
        assert_ne!(
            retry_delay(ErrorClass::External, 3),
            retry_delay(ErrorClass::External, 3)
        );
        assert!(retry_delay(ErrorClass::External, 100) <= Duration::from_secs(19));
    }
}
