//! Objects that another controller or an admission webhook changes back after they were applied.
//!
//! Promises: corrections of one object are limited to five within the first minute and one a minute after that; such an
//! object is a problem until it has stayed as desired for a minute. Changes of the spec are not counted. Must not: read the
//! clock.

use std::collections::HashMap;
use std::time::Duration;

use live_data_crd::reason::ConditionReason;
use parking_lot::Mutex;
use tokio::time::Instant;

use crate::object_cache::ObjectId;
use crate::object_kind::ObjectKind;
use crate::problem::Problem;

/// Corrections within [`WINDOW`] from which an object counts as contended.
const MAX_CORRECTIONS: u32 = 5;
/// Time between corrections of a contended object.
const WINDOW: Duration = Duration::from_secs(60);
/// Age from which the record of an object that does not differ any more is dropped.
const RETENTION: Duration = Duration::from_secs(600);

/// Recent corrections of all objects, with the limit on each.
#[derive(Debug, Default)]
pub struct Contention {
    records: Mutex<HashMap<ObjectId, ContentionRecord>>,
}

#[derive(Debug)]
struct ContentionRecord {
    window_start: Instant,
    /// Corrections since the window's start.
    corrections: u32,
    /// Path of the field that others change, once the object is contended.
    contended_field: Option<String>,
}

/// Permission to correct an object that differs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Correction {
    /// The object may be applied now.
    pub allowed: bool,
    /// Problem of a contended object.
    pub problem: Option<Problem>,
}

impl Contention {
    /// Records that an object differs in `field` although it was applied before.
    pub fn record_difference(
        &self,
        kind: ObjectKind,
        namespace: &str,
        name: &str,
        field: &str,
        now: Instant,
    ) -> Correction {
        let mut records = self.records.lock();
        // Records of objects that are gone, or were not reconciled for that long.
        records.retain(|_, record| now.duration_since(record.window_start) < RETENTION);
        let record = records
            .entry(ObjectId::new(kind, namespace, name))
            .or_insert_with(|| ContentionRecord {
                window_start: now,
                corrections: 0,
                contended_field: None,
            });
        if now.duration_since(record.window_start) >= WINDOW {
            record.window_start = now;
            // A contended object gets one correction a window, until it stays as desired.
            record.corrections = if record.contended_field.is_some() {
                MAX_CORRECTIONS - 1
            } else {
                0
            };
        }
        let allowed = record.corrections < MAX_CORRECTIONS;
        record.corrections = record.corrections.saturating_add(1);
        if !allowed && record.contended_field.is_none() {
            record.contended_field = Some(field.to_owned());
        }
        Correction {
            allowed,
            problem: record
                .contended_field
                .as_deref()
                .map(|field| problem(kind, name, field)),
        }
    }

    /// Records that an object is as desired; returns the problem of one that was contended within the last minute.
    pub fn record_agreement(&self, kind: ObjectKind, namespace: &str, name: &str, now: Instant) -> Option<Problem> {
        let mut records = self.records.lock();
        let id = ObjectId::new(kind, namespace, name);
        let record = records.get(&id)?;
        if now.duration_since(record.window_start) >= WINDOW {
            records.remove(&id);
            return None;
        }
        record
            .contended_field
            .as_deref()
            .map(|field| problem(kind, name, field))
    }
}

fn problem(kind: ObjectKind, name: &str, field: &str) -> Problem {
    let kind = kind.name();
    Problem::new(
        ConditionReason::Contended,
        format!(
            "{} of the {kind} {name} is changed again and again by someone else, and put right once a minute: `kubectl get \
             {} {name} --show-managed-fields -o yaml` tells who; an admission webhook changes it without a name",
            field.trim_start_matches('/').replace('/', "."),
            kind.to_lowercase()
        ),
    )
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    const FIELD: &str = "/spec/replicas";

    fn times_applied(contention: &Contention, seconds: std::ops::Range<u64>, start: Instant) -> usize {
        seconds
            .filter(|second| {
                let now = start + Duration::from_secs(*second);
                contention
                    .record_difference(ObjectKind::Deployment, "n", "a", FIELD, now)
                    .allowed
            })
            .count()
    }

    #[test]
    fn a_fight_costs_five_writes_and_then_one_a_minute() {
        let (contention, start) = (Contention::default(), Instant::now());
        assert_eq!(times_applied(&contention, 0..60, start), 5);
        assert_eq!(times_applied(&contention, 60..360, start), 5);
        let other = contention.record_difference(ObjectKind::Deployment, "n", "b", FIELD, start);
        assert_eq!(
            other,
            Correction {
                allowed: true,
                problem: None
            }
        );
    }

    #[test]
    fn a_fight_is_told_until_it_has_been_over_for_a_minute() {
        let (contention, start) = (Contention::default(), Instant::now());
        times_applied(&contention, 0..6, start);
        let problem_at = |seconds| {
            let now = start + Duration::from_secs(seconds);
            contention.record_agreement(ObjectKind::Deployment, "n", "a", now)
        };
        let problem = problem_at(10).unwrap();
        assert_eq!(problem.reason, ConditionReason::Contended);
        assert!(
            problem.message.contains("spec.replicas of the Deployment a"),
            "{}",
            problem.message
        );
        assert_eq!(problem_at(61), None);
        assert_eq!(problem_at(10), None, "it was forgotten");
    }

    #[test]
    fn edits_by_hand_are_put_right_and_not_problem_at() {
        let (contention, start) = (Contention::default(), Instant::now());
        for minute in 0..10 {
            let now = start + Duration::from_secs(60 * minute);
            let correction = contention.record_difference(ObjectKind::Deployment, "n", "a", FIELD, now);
            assert!(correction.allowed && correction.problem.is_none());
        }
    }
}
