//! Ends scripts that run for too long.
//!
//! Promises that a job with a time limit is interrupted when it is over it: a thread that never attaches to the
//! interpreter sends a signal to the script thread, whose Python-level handler raises `ScriptTimeout`. It ends loops,
//! sleeps and waits for the network alike. An interruption that is swallowed is repeated each second; after
//! [`Limits::patience`] the job is reported as one that cannot be ended. Must not end the process itself: the caller
//! does, with a reason.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use parking_lot::{Condvar, Mutex};

use live_data_engine::cancel::Cancel;

/// Time between two interruptions of a job that swallows them.
pub const REPEAT: Duration = Duration::from_secs(1);

/// The signal that interrupts. A real-time one: libraries and scripts use the others.
#[must_use]
pub fn signal_number() -> i32 {
    libc::SIGRTMIN() + 7
}

/// How long a job may run.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Time after which it is interrupted.
    pub timeout: Duration,
    /// Time after the first interruption until it counts as one that cannot be ended.
    pub patience: Duration,
}

impl Limits {
    /// A time limit with the usual patience.
    #[must_use]
    pub fn after(timeout: Duration) -> Self {
        Self {
            timeout,
            patience: Duration::from_secs(10),
        }
    }
}

type Report = Box<dyn FnOnce() + Send>;

struct Watched {
    next: Instant,
    gives_up: Option<Instant>,
    patience: Duration,
    report: Option<Report>,
    why: String,
}

/// State shared by the watchdog, the script thread and whoever starts jobs.
pub struct Watch {
    watched: Mutex<Option<Watched>>,
    changed: Condvar,
    due: AtomicBool,
    cancel: Mutex<Cancel>,
}

impl Watch {
    /// Starts the watchdog of the calling thread, which becomes the script thread.
    ///
    /// # Errors
    /// When the system has no thread left.
    pub fn start() -> std::io::Result<Arc<Self>> {
        let watch = Arc::new(Self {
            watched: Mutex::new(None),
            changed: Condvar::new(),
            due: AtomicBool::new(false),
            cancel: Mutex::new(Cancel::new()),
        });
        // SAFETY: pthread_self has no preconditions.
        let script_thread = unsafe { libc::pthread_self() };
        let watching = Arc::clone(&watch);
        std::thread::Builder::new()
            .name("script-watchdog".into())
            .spawn(move || watching.run(script_thread))?;
        Ok(watch)
    }

    /// The flag that Rust loops poll while they are detached, for the present job.
    #[must_use]
    pub fn cancel(&self) -> Cancel {
        self.cancel.lock().clone()
    }

    /// The words of the interruption that is due, if one is. The signal's handler asks: a signal that arrives after its
    /// job has ended does nothing.
    #[must_use]
    pub fn interruption(&self) -> Option<String> {
        if !self.due.load(Ordering::Acquire) {
            return None;
        }
        self.watched.lock().as_ref().map(|watched| watched.why.clone())
    }

    /// Begins to watch a job; `report` is called when it cannot be ended.
    pub fn begin(&self, limits: Option<Limits>, report: Report) {
        *self.cancel.lock() = Cancel::new();
        self.due.store(false, Ordering::Release);
        let now = Instant::now();
        // Without a limit the job is only watched for `interrupt`.
        let far = Duration::from_secs(100 * 365 * 24 * 3600);
        let limits = limits.unwrap_or(Limits {
            timeout: far,
            patience: Duration::from_secs(10),
        });
        *self.watched.lock() = Some(Watched {
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

    /// The job has ended.
    pub fn end(&self) {
        *self.watched.lock() = None;
        self.due.store(false, Ordering::Release);
    }

    /// Interrupts the present job now, if there is one.
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
            // SAFETY: the script thread lives as long as the process (its loop never returns while the watchdog is
            // there), so that its id is valid; the signal has a handler, which Python installed before the first job.
            unsafe {
                libc::pthread_kill(script_thread, signal_number());
            }
            if let Some(report) = report {
                parking_lot::MutexGuard::unlocked(&mut guard, report);
            }
        }
    }
}

/// Whole seconds, or tenths of a short time.
fn seconds(time: Duration) -> String {
    if time < Duration::from_secs(10) {
        format!("{:.1}", time.as_secs_f64())
    } else {
        time.as_secs().to_string()
    }
}
