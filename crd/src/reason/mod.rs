//! Reasons: the CamelCase words of a worker's degradations, of the resource's conditions and of its Events.
//!
//! Promises: each reason is one variant, whose name is its text on the wire; meaning, next step and flags of a reason
//! stand in one table. Must not: reject a reason that only a newer worker knows; such a reason stays text.

pub mod condition;
pub mod description;
#[cfg(feature = "kube")]
pub mod document;
pub mod event;
pub mod worker;

pub use condition::{ConditionReason, ConditionType};
pub use event::EventReason;
pub use worker::WorkerReason;
