//! Degradations of a worker: problems that it works around, each for as long as its guard lives.
//!
//! Promises: a degradation ends with the value that declared it, so that none outlives its cause unnoticed. The beginning,
//! a change of the message and the end are logged once each.

use std::collections::BTreeMap;
use std::sync::Arc;

use live_data_crd::reason::WorkerReason;
use live_data_crd::report::Degradation;
use parking_lot::Mutex;

/// Degradations in force, by reason.
#[derive(Clone, Debug, Default)]
pub struct Degradations {
    active: Arc<Mutex<ActiveDegradations>>,
}

#[derive(Debug, Default)]
struct ActiveDegradations {
    by_reason: BTreeMap<WorkerReason, ActiveDegradation>,
    declared: u64,
}

#[derive(Debug)]
struct ActiveDegradation {
    /// Guard that declared it last: the drop of an earlier one changes nothing.
    guard: u64,
    message: String,
}

impl Degradations {
    /// Declares a degradation until the guard is dropped. A second declaration of the reason replaces the first.
    pub fn declare(&self, reason: WorkerReason, message: String) -> DegradationGuard {
        let mut active = self.active.lock();
        active.declared += 1;
        let guard = active.declared;
        let former = active.by_reason.get(&reason).map(|former| former.message.as_str());
        if former != Some(message.as_str()) {
            tracing::warn!(reason = reason.name(), "{message}");
        }
        active.by_reason.insert(reason, ActiveDegradation { guard, message });
        DegradationGuard {
            degradations: self.clone(),
            reason,
            guard,
        }
    }

    /// Degradations in force, in order of their reasons.
    pub fn report(&self) -> Vec<Degradation> {
        let active = self.active.lock();
        active
            .by_reason
            .iter()
            .map(|(reason, degradation)| Degradation::new(*reason, degradation.message.clone()))
            .collect()
    }
}

/// A degradation in force; dropping the guard ends it.
#[derive(Debug)]
#[must_use = "the degradation ends when the guard is dropped"]
pub struct DegradationGuard {
    degradations: Degradations,
    reason: WorkerReason,
    guard: u64,
}

impl Drop for DegradationGuard {
    fn drop(&mut self) {
        let mut active = self.degradations.active.lock();
        if active
            .by_reason
            .get(&self.reason)
            .is_some_and(|degradation| degradation.guard == self.guard)
        {
            active.by_reason.remove(&self.reason);
            tracing::info!(reason = self.reason.name(), "recovered");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_degradation_ends_with_its_guard_and_not_with_the_guard_that_it_replaced() {
        let degradations = Degradations::default();
        let mut guard = Some(degradations.declare(WorkerReason::BrokerUnreachable, "first".into()));
        assert!(guard.is_some());
        guard = Some(degradations.declare(WorkerReason::BrokerUnreachable, "second".into()));
        assert_eq!(degradations.report().len(), 1);
        assert_eq!(degradations.report()[0].message, "second");
        drop(guard);
        assert!(degradations.report().is_empty());
    }
}
