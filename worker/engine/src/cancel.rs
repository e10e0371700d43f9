//! A flag by which a long computation is told to stop.
//!
//! Promises: cloning shares the flag; reading it is one relaxed load, cheap enough to poll in the middle of a
//! kernel. Whoever polls it returns [`Cancelled`] and leaves what is shared as it was before.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use thiserror::Error;

/// A computation ended because it was asked to, not because anything is wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("the computation was cancelled before it was complete")]
pub struct Cancelled;

/// A shared flag, raised once.
#[derive(Debug, Clone, Default)]
pub struct Cancel(Arc<AtomicBool>);

impl Cancel {
    /// A flag that is not raised.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Raises the flag: every computation that polls it stops soon.
    pub fn cancel(&self) {
        self.0.store(true, Ordering::Release);
    }

    /// Whether the flag was raised.
    #[must_use]
    pub fn is_cancelled(&self) -> bool {
        self.0.load(Ordering::Acquire)
    }

    /// `Err(Cancelled)` once the flag was raised.
    ///
    /// # Errors
    /// [`Cancelled`] when the flag was raised.
    pub fn check(&self) -> Result<(), Cancelled> {
        if self.is_cancelled() { Err(Cancelled) } else { Ok(()) }
    }
}
