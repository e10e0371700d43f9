//! Pause: waits for a time, or until it is cancelled.

use std::time::{Duration, Instant};

use crate::algorithm::{Algorithm, Context};
use crate::declaration::{Declaration, PropertyKind, Validator, option};
use crate::error::{Result, invalid};

pub(crate) struct Pause;

/// Longest time between a cancellation and the end of the pause.
const CANCELLATION_INTERVAL: Duration = Duration::from_millis(20);

impl Algorithm for Pause {
    fn declaration(&self) -> Declaration {
        let duration = option("Duration", PropertyKind::Float, 1.0, "Time to wait, at least 0.").unit("s");
        Declaration::new("Pause", 1, "Utility\\Development", "Waits.").with(duration.validator(Validator::AtLeast(0.0)))
    }

    fn exec(&self, context: &mut Context<'_>) -> Result<()> {
        let Ok(duration) = Duration::try_from_secs_f64(context.float("Duration")?) else {
            return invalid("Duration must be a number of seconds");
        };
        let started = Instant::now();
        while let Some(left) = duration.checked_sub(started.elapsed()).filter(|left| !left.is_zero()) {
            context.check_cancelled()?;
            std::thread::sleep(left.min(CANCELLATION_INTERVAL));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use crate::algorithms::testing::AlgorithmFixture;

    #[test]
    fn it_waits_as_long_as_it_is_told() {
        let fixture = AlgorithmFixture::new();
        let started = Instant::now();
        fixture.run("Pause", &[("Duration", 0.05.into())]);
        assert!(started.elapsed() >= Duration::from_millis(50));
        for wrong in [-1.0, f64::NAN, f64::INFINITY] {
            assert!(fixture.try_run("Pause", &[("Duration", wrong.into())]).is_err());
        }
    }
}
