//! Wall time, processor time and memory of this process.

use std::time::Instant;

/// What a piece of work cost.
#[derive(Clone, Copy, Debug)]
pub struct Cost {
    /// Seconds on the wall.
    pub seconds: f64,
    /// Seconds of processor time, over all threads.
    pub cpu: f64,
}

/// Measures a piece of work.
pub fn timed<T>(work: impl FnOnce() -> T) -> (T, Cost) {
    let (began, cpu) = (Instant::now(), processor_seconds());
    let value = work();
    let cost = Cost {
        seconds: began.elapsed().as_secs_f64(),
        cpu: processor_seconds() - cpu,
    };
    (value, cost)
}

/// Processor time of the process so far.
pub fn processor_seconds() -> f64 {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: the clock's number is valid and `time` is a valid place for the answer.
    unsafe { libc::clock_gettime(libc::CLOCK_PROCESS_CPUTIME_ID, &raw mut time) };
    time.tv_sec as f64 + time.tv_nsec as f64 * 1e-9
}

/// Resident memory of the process in bytes.
pub fn resident() -> u64 {
    let text = std::fs::read_to_string("/proc/self/statm").unwrap_or_default();
    let pages: u64 = text.split(' ').nth(1).and_then(|pages| pages.parse().ok()).unwrap_or(0);
    pages * 4096
}

/// Processor time of the calling thread so far.
pub fn thread_seconds() -> f64 {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: as above.
    unsafe { libc::clock_gettime(libc::CLOCK_THREAD_CPUTIME_ID, &raw mut time) };
    time.tv_sec as f64 + time.tv_nsec as f64 * 1e-9
}
