//! Flag that stops a long computation.
//!
//! Promises: clones share the flag; a poll is one atomic load, cheap enough for the middle of a kernel. A computation
//! that polls it returns [`Cancelled`] and leaves shared data unchanged.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use thiserror::Error;

/// Error of a computation that ended early because its [`Cancel`] flag was raised.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("the computation was cancelled before it was complete")]
pub struct Cancelled;

/// Shared flag that is raised once and never lowered.
#[derive(Debug, Clone, Default)]
pub struct Cancel(Arc<AtomicBool>);

impl Cancel {
    /// Flag that is not raised.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Raises the flag of all clones.
    pub fn cancel(&self) {
        self.0.store(true, Ordering::Release);
    }

    /// True once the flag was raised.
    #[must_use]
    pub fn is_cancelled(&self) -> bool {
        self.0.load(Ordering::Acquire)
    }

    /// Poll for `?`.
    ///
    /// # Errors
    /// [`Cancelled`] once the flag was raised.
    pub fn check(&self) -> Result<(), Cancelled> {
        if self.is_cancelled() { Err(Cancelled) } else { Ok(()) }
    }
}
