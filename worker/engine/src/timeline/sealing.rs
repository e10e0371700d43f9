//! Who seals: a thread beside ingest, so that a full tail does not hold up what comes after it.
//!
//! Promises: every tail that is handed over is sealed once and put in its place. Where that thread is behind, or there
//! is none, the caller seals by itself, so that no more than a few tails ever wait. It must not decide when a tail is
//! full.

use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::sync::mpsc::{SyncSender, TrySendError, sync_channel};
use std::thread::JoinHandle;

use parking_lot::Mutex;

use crate::chunk::{ChunkView, Tail};
use crate::seal::seal;

use super::state::State;

/// Tails that may wait for the thread, beside the one that it is at.
const WAITING: usize = 2;
/// Smaller tails are sealed at once: handing them over costs about as much.
const SMALL: usize = 1 << 16;

/// A tail that is full, and how wide its buckets are to be.
pub(super) type Full = (Arc<Tail>, u32);

/// Seals tails.
#[derive(Debug)]
pub(super) struct Sealer {
    state: Arc<Mutex<State>>,
    total: Arc<AtomicU64>,
    aside: Aside,
}

#[derive(Debug)]
enum Aside {
    /// Nothing was handed over yet.
    NotYet,
    /// Every tail is sealed by the caller: one core, or no thread to be had.
    Never,
    Thread(Option<SyncSender<Full>>, Option<JoinHandle<()>>),
}

impl Sealer {
    pub(super) fn new(state: Arc<Mutex<State>>) -> Self {
        let total = Arc::clone(&state.lock().event_bytes);
        Self {
            state,
            total,
            aside: Aside::NotYet,
        }
    }

    /// Seals a tail, now or soon.
    pub(super) fn take(&mut self, full: Full) {
        if full.0.len() < SMALL {
            return one(&self.state, &self.total, &full);
        }
        if matches!(self.aside, Aside::NotYet) {
            self.aside = self.begin();
        }
        let refused = match &self.aside {
            Aside::Thread(Some(sender), _) => match sender.try_send(full) {
                Ok(()) => return,
                Err(TrySendError::Full(full) | TrySendError::Disconnected(full)) => full,
            },
            _ => full,
        };
        one(&self.state, &self.total, &refused);
    }

    fn begin(&self) -> Aside {
        if std::thread::available_parallelism().is_ok_and(|cores| cores.get() < 2) {
            return Aside::Never;
        }
        let (sender, receiver) = sync_channel::<Full>(WAITING);
        let (state, total) = (Arc::clone(&self.state), Arc::clone(&self.total));
        let thread = std::thread::Builder::new().name("seal".to_owned()).spawn(move || {
            for full in receiver {
                one(&state, &total, &full);
            }
        });
        match thread {
            Ok(thread) => Aside::Thread(Some(sender), Some(thread)),
            Err(_) => Aside::Never,
        }
    }
}

impl Drop for Sealer {
    fn drop(&mut self) {
        if let Aside::Thread(sender, thread) = &mut self.aside {
            drop(sender.take());
            // It ends with the tails that wait; what a panic of its would say was printed where it happened.
            let _ = thread.take().map(JoinHandle::join);
        }
    }
}

fn one(state: &Mutex<State>, total: &Arc<AtomicU64>, (tail, shift): &Full) {
    let chunk = ChunkView::Sealed(Arc::new(seal(tail, *shift, total)));
    state.lock().sealed(chunk);
}
