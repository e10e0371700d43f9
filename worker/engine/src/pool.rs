//! Pool of compute threads, of lower priority than ingest.
//!
//! Promises: kernels never run on a thread that reads from the stream, and the scheduler prefers ingest to them
//! (nice 10 for each thread). Tasks start one by one in the caller's order, heaviest first for an even load.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::cancel::{Cancel, Cancelled};

/// Niceness of the compute threads (Linux `setpriority`; ingest has 0).
pub const NICE: i32 = 10;

static POOL: OnceLock<Option<rayon::ThreadPool>> = OnceLock::new();

fn pool() -> Option<&'static rayon::ThreadPool> {
    POOL.get_or_init(|| {
        // A pool that cannot be started leaves the computation on the caller's thread: slower, never wrong.
        rayon::ThreadPoolBuilder::new()
            .thread_name(|index| format!("compute-{index}"))
            .start_handler(|_| lower_priority())
            .build()
            .ok()
    })
    .as_ref()
}

/// Sets the niceness of the calling thread to [`NICE`]; a failure is ignored.
#[cfg(target_os = "linux")]
pub fn lower_priority() {
    // SAFETY: setpriority takes three integers and touches no memory of ours. On Linux `PRIO_PROCESS` with who = 0
    // names the calling thread alone. A refusal is harmless: the thread keeps its priority.
    let _ = unsafe { libc::setpriority(libc::PRIO_PROCESS as _, 0, NICE) };
}

/// Does nothing: only Linux has a niceness of single threads.
#[cfg(not(target_os = "linux"))]
pub fn lower_priority() {}

/// Number of compute threads: one per core, or 1 if the pool could not start.
#[must_use]
pub fn threads() -> usize {
    pool().map_or(1, rayon::ThreadPool::current_num_threads)
}

/// Runs `work` on a compute thread and waits for it; rayon calls inside it use the pool.
pub fn install<T: Send>(work: impl FnOnce() -> T + Send) -> T {
    match pool() {
        Some(pool) => pool.install(work),
        None => work(),
    }
}

/// Runs `task(0)` … `task(count - 1)` on the compute threads, each once, started in order, and waits for all.
///
/// # Errors
/// [`Cancelled`] if the flag was raised; some tasks were then not started.
pub fn run_tasks(count: usize, cancel: &Cancel, task: impl Fn(usize) + Sync) -> Result<(), Cancelled> {
    let next = AtomicUsize::new(0);
    let work = || {
        while !cancel.is_cancelled() {
            let index = next.fetch_add(1, Ordering::Relaxed);
            if index >= count {
                break;
            }
            task(index);
        }
    };
    match pool() {
        Some(pool) if count > 1 => {
            pool.broadcast(|_| work());
        }
        Some(pool) => pool.install(work),
        None => work(),
    }
    cancel.check()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]

    use std::sync::atomic::AtomicU32;

    use super::*;

    #[test]
    fn every_task_runs_once() {
        let ran: Vec<AtomicU32> = (0..1000).map(|_| AtomicU32::new(0)).collect();
        run_tasks(ran.len(), &Cancel::new(), |index| {
            ran[index].fetch_add(1, Ordering::Relaxed);
        })
        .unwrap();
        assert!(ran.iter().all(|count| count.load(Ordering::Relaxed) == 1));
    }

    #[test]
    fn a_raised_flag_stops_the_rest() {
        let cancel = Cancel::new();
        let ran = AtomicU32::new(0);
        let result = run_tasks(10_000, &cancel, |_| {
            ran.fetch_add(1, Ordering::Relaxed);
            cancel.cancel();
        });
        assert_eq!(result, Err(Cancelled));
        assert!(ran.load(Ordering::Relaxed) as usize <= threads());
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn compute_threads_are_nicer_than_the_others() {
        // SAFETY: getpriority takes two integers and touches no memory of ours.
        let nice = install(|| unsafe { libc::getpriority(libc::PRIO_PROCESS as _, 0) });
        assert_eq!(nice, NICE);
    }
}
