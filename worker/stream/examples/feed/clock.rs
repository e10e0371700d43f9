//! Wall time and processor time of a measurement.

use std::time::Instant;

/// Start of a measurement: wall clock, and processor time of the process in seconds.
pub struct Clock(Instant, f64);

impl Clock {
    pub fn start() -> Self {
        Self(Instant::now(), processor_seconds())
    }

    /// Seconds of wall time, and of processor time over all threads, since the start.
    pub fn elapsed(&self) -> (f64, f64) {
        (self.0.elapsed().as_secs_f64(), processor_seconds() - self.1)
    }
}

/// Processor time of the process: utime and stime of `/proc/self/stat`, in hundredths of a second.
fn processor_seconds() -> f64 {
    let text = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    // The program's name, in parentheses, may contain spaces.
    let fields: Vec<&str> = text.rsplit(") ").next().unwrap_or_default().split(' ').collect();
    let ticks = |index: usize| {
        fields
            .get(index)
            .and_then(|field| field.parse::<f64>().ok())
            .unwrap_or(0.0)
    };
    (ticks(11) + ticks(12)) / 100.0
}
