//! What scripts print, on its way to the pod's log and the scientist's page.
//!
//! Promises that nothing a script prints can make it wait, fill the memory or show a secret: text is cut into lines
//! (`lines`), secrets are blotted out (`redact`), and the lines pass through a queue of fixed size (`queue`) that drops
//! and counts rather than blocks. Python's `sys.stdout` and `sys.stderr` write into it (`stream`), and so does what C
//! code prints on file descriptors 1 and 2 (`descriptors`).
//!
//! # Layout
//! `stream` and `descriptors` → `lines` → `redact` → `queue` → whoever calls [`Queue::receive`].

pub mod descriptors;
pub mod lines;
pub mod queue;
pub mod redact;
pub mod stream;

pub use descriptors::{Originals, capture};
pub use lines::LineSplitter;
pub use queue::{Counts, Level, Line, Origin, Queue, QueueLimits};
pub use redact::Redactor;
pub use stream::{Sink, TextStream};
