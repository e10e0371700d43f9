//! Pause: waits.

use std::time::{Duration, Instant};

use crate::algorithm::{Algorithm, Context};
use crate::declaration::{Declaration, Kind, Validator, option};
use crate::error::{Result, invalid};

pub(crate) struct Pause;

/// How long a pause may take to notice that it has to end.
const STEP: Duration = Duration::from_millis(20);

impl Algorithm for Pause {
    fn declaration(&self) -> Declaration {
        let duration = option("Duration", Kind::Float, 1.0, "How long to wait.").unit("s");
        Declaration::new("Pause", 1, "Utility\\Development", "Waits.").with(duration.validator(Validator::AtLeast(0.0)))
    }

    fn exec(&self, context: &mut Context<'_>) -> Result<()> {
        let Ok(duration) = Duration::try_from_secs_f64(context.float("Duration")?) else {
            return invalid("Duration must be a number of seconds");
        };
        let started = Instant::now();
        while let Some(left) = duration.checked_sub(started.elapsed()).filter(|left| !left.is_zero()) {
            context.check_cancelled()?;
            std::thread::sleep(left.min(STEP));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use crate::algorithms::testing::Bench;

    #[test]
    fn it_waits_as_long_as_it_is_told() {
        let bench = Bench::new();
        let started = Instant::now();
        bench.run("Pause", &[("Duration", 0.05.into())]);
        assert!(started.elapsed() >= Duration::from_millis(50));
        for wrong in [-1.0, f64::NAN, f64::INFINITY] {
            assert!(bench.try_run("Pause", &[("Duration", wrong.into())]).is_err());
        }
    }
}
