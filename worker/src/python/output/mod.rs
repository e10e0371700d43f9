//! Output of scripts on its way to the pod's log and the scientist's page.
//!
//! Promises that output neither blocks the script, nor fills memory, nor shows a secret. Text is cut into lines (`lines`),
//! secrets are replaced (`redact`), and a queue of fixed size (`queue`) drops and counts lines instead of blocking.
//! Writers are `sys.stdout` and `sys.stderr` (`stream`) and file descriptors 1 and 2 of C code (`descriptors`).
//!
//! # Layout
//! `stream` and `descriptors` → `lines` → `redact` → `queue` → the caller of [`OutputQueue::receive`].

pub mod descriptors;
pub mod lines;
pub mod queue;
pub mod redact;
pub mod stream;

pub use descriptors::{StandardStreams, capture};
pub use lines::LineSplitter;
pub use queue::{LineCounts, LineLevel, LineOrigin, OutputLine, OutputQueue, OutputQueueLimits};
pub use redact::Redactor;
pub use stream::{OutputSink, TextStream};
