//! Time limit of scripts.
//!
//! Promises that a job is interrupted once its time limit has passed. A thread that never attaches to the interpreter
//! signals the script thread, whose handler in Python raises `ScriptTimeout`. It ends loops, sleeps and waits for the
//! network. An interruption that a script catches is repeated each second. After [`Limits::patience`] the job is
//! reported as unkillable. Must not end the process: the caller does, with a reason.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use parking_lot::{Condvar, Mutex};

use live_data_engine::cancel::Cancel;

/// Time between two interruptions of a job that catches them.
pub const REPEAT: Duration = Duration::from_secs(1);

/// Number of the interrupting signal: a real-time one, as libraries and scripts use the others.
#[must_use]
pub fn signal_number() -> i32 {
    libc::SIGRTMIN() + 7
}

/// Time limit of a job.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Time from the job's start to its first interruption.
    pub timeout: Duration,
    /// Time from the first interruption until the job counts as unkillable.
    pub patience: Duration,
}

impl Limits {
    /// Limits with a patience of 10 s.
    #[must_use]
    pub fn after(timeout: Duration) -> Self {
        Self {
            timeout,
            patience: Duration::from_secs(10),
        }
    }
}

type Report = Box<dyn FnOnce() + Send>;

struct WatchedJob {
    next: Instant,
    gives_up: Option<Instant>,
    patience: Duration,
    report: Option<Report>,
    why: String,
}

/// Watchdog of the script thread; shared with the threads that submit jobs.
pub struct Watchdog {
    watched: Mutex<Option<WatchedJob>>,
    changed: Condvar,
    due: AtomicBool,
    cancel: Mutex<Cancel>,
}

impl Watchdog {
    /// Starts the watchdog thread. The calling thread becomes the script thread and must never end.
    ///
    /// # Errors
    /// When the system has no thread left.
    pub fn start() -> std::io::Result<Arc<Self>> {
        let watchdog = Arc::new(Self {
            watched: Mutex::new(None),
            changed: Condvar::new(),
            due: AtomicBool::new(false),
            cancel: Mutex::new(Cancel::new()),
        });
        // SAFETY: pthread_self has no preconditions.
        let script_thread = unsafe { libc::pthread_self() };
        let watching = Arc::clone(&watchdog);
        std::thread::Builder::new()
            .name("script-watchdog".into())
            .spawn(move || watching.run(script_thread))?;
        Ok(watchdog)
    }

    /// Cancellation of the present job, which Rust loops poll while detached from the interpreter.
    #[must_use]
    pub fn cancel(&self) -> Cancel {
        self.cancel.lock().clone()
    }

    /// Reason of the pending interruption; `None` once its job has ended.
    ///
    /// The signal handler calls it, so that a late signal has no effect.
    #[must_use]
    pub fn interruption(&self) -> Option<String> {
        if !self.due.load(Ordering::Acquire) {
            return None;
        }
        self.watched.lock().as_ref().map(|watched| watched.why.clone())
    }

    /// Starts the time limit of a job; `report` is called once if the job is unkillable.
    pub fn begin(&self, limits: Option<Limits>, report: Report) {
        *self.cancel.lock() = Cancel::new();
        self.due.store(false, Ordering::Release);
        let now = Instant::now();
        // A job without a limit can still be ended by `interrupt`.
        let far = Duration::from_secs(100 * 365 * 24 * 3600);
        let limits = limits.unwrap_or(Limits {
            timeout: far,
            patience: Duration::from_secs(10),
        });
        *self.watched.lock() = Some(WatchedJob {
            next: now.checked_add(limits.timeout).unwrap_or(now + far),
            gives_up: None,
            patience: limits.patience,
            report: Some(report),
            why: format!(
                "the script was interrupted: it had run for {} s",
                seconds(limits.timeout)
            ),
        });
        self.changed.notify_all();
    }

    /// Ends the time limit of the present job.
    pub fn end(&self) {
        *self.watched.lock() = None;
        self.due.store(false, Ordering::Release);
    }

    /// Interrupts the present job, if any, before its time limit.
    pub fn interrupt(&self, why: &str) {
        if let Some(watched) = self.watched.lock().as_mut() {
            watched.next = Instant::now();
            watched.why = why.to_owned();
        }
        self.changed.notify_all();
    }

    fn run(&self, script_thread: libc::pthread_t) {
        let mut guard = self.watched.lock();
        loop {
            let Some(watched) = guard.as_mut() else {
                self.changed.wait(&mut guard);
                continue;
            };
            let now = Instant::now();
            if now < watched.next {
                let until = watched.next;
                self.changed.wait_until(&mut guard, until);
                continue;
            }
            let gives_up = *watched.gives_up.get_or_insert(now + watched.patience);
            watched.next = now + REPEAT;
            let report = if now >= gives_up { watched.report.take() } else { None };
            self.due.store(true, Ordering::Release);
            self.cancel.lock().cancel();
            // SAFETY: the script thread lives as long as the process, because its loop never returns while the watchdog
            // exists. Its id is therefore valid. The signal has a handler, which Python installed before the first job.
            unsafe {
                libc::pthread_kill(script_thread, signal_number());
            }
            if let Some(report) = report {
                parking_lot::MutexGuard::unlocked(&mut guard, report);
            }
        }
    }
}

/// Whole seconds; one decimal below 10 s.
fn seconds(time: Duration) -> String {
    if time < Duration::from_secs(10) {
        format!("{:.1}", time.as_secs_f64())
    } else {
        time.as_secs().to_string()
    }
}
