//! Reasons of the Events on resources that are not reasons of a condition.

use strum::{Display, IntoStaticStr, VariantArray};

/// Reason of an Event. Events about Degraded carry the [`super::ConditionReason`] instead.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Display, IntoStaticStr, VariantArray)]
#[allow(missing_docs)]
pub enum EventReason {
    Applied,
    DeletionWaits,
    NotReady,
    Ready,
    TakenOver,
    Unreadable,
}

impl EventReason {
    /// Value of the Event's field `reason`: the variant's name.
    pub fn name(self) -> &'static str {
        self.into()
    }

    /// Meaning of the Event, as half a sentence without a full stop.
    pub const fn meaning(self) -> &'static str {
        match self {
            Self::Applied => "The operator created or changed the objects listed",
            Self::DeletionWaits => "The deleted resource keeps its finalizer until the objects listed are gone",
            Self::NotReady => "The worker is no longer available",
            Self::Ready => "A worker has become available",
            Self::TakenOver => "The operator adopted the objects of the former operator",
            Self::Unreadable => "The resource does not match its definition and is ignored",
        }
    }
}
