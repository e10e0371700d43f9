//! Objects that do not stay as they were applied: another controller changes them back, or an admission webhook on the
//! way.
//!
//! Promises: an object is applied a few times a minute at most because of what others do to it, however often they do;
//! one that was left to them is told about until it has stayed as it should for a while. What the spec changes is never
//! held back. No I/O; the time is handed in.

use std::collections::HashMap;
use std::time::Duration;

use parking_lot::Mutex;
use tokio::time::Instant;

use crate::objects::Kind;
use crate::validate::Problem;

/// So often is an object put right within [`WINDOW`] before it counts as contended.
const TIMES: u32 = 5;
/// A contended object is put right once in this time.
const WINDOW: Duration = Duration::from_secs(60);
/// What nobody has touched for so long is forgotten.
const FORGOTTEN: Duration = Duration::from_secs(600);

/// Which object: kind, namespace, name.
type Key = (Kind, String, String);

/// How often each object was put right lately.
#[derive(Debug, Default)]
pub struct Contention {
    entries: Mutex<HashMap<Key, Entry>>,
}

#[derive(Debug)]
struct Entry {
    since: Instant,
    times: u32,
    contended: Option<String>,
}

/// Whether an object that differs may be put right now, and what is to be told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// It may be applied.
    pub apply: bool,
    /// It is changed again and again.
    pub problem: Option<Problem>,
}

impl Contention {
    /// An object that was applied as it should be differs again, in this field.
    pub fn differs(&self, kind: Kind, namespace: &str, name: &str, field: &str, now: Instant) -> Verdict {
        let mut entries = self.entries.lock();
        // Of objects that are gone, or were never looked at again.
        entries.retain(|_, entry| now.duration_since(entry.since) < FORGOTTEN);
        let entry = entries.entry(key(kind, namespace, name)).or_insert_with(|| Entry {
            since: now,
            times: 0,
            contended: None,
        });
        if now.duration_since(entry.since) >= WINDOW {
            entry.since = now;
            // One that was contended gets one attempt a window, until it stays as it is.
            entry.times = if entry.contended.is_some() { TIMES - 1 } else { 0 };
        }
        let apply = entry.times < TIMES;
        entry.times = entry.times.saturating_add(1);
        if !apply && entry.contended.is_none() {
            entry.contended = Some(field.to_owned());
        }
        Verdict {
            apply,
            problem: entry.contended.as_deref().map(|field| problem(kind, name, field)),
        }
    }

    /// An object is as it should be.
    pub fn agrees(&self, kind: Kind, namespace: &str, name: &str, now: Instant) -> Option<Problem> {
        let mut entries = self.entries.lock();
        let key = key(kind, namespace, name);
        let entry = entries.get(&key)?;
        if now.duration_since(entry.since) >= WINDOW {
            entries.remove(&key);
            return None;
        }
        entry.contended.as_deref().map(|field| problem(kind, name, field))
    }
}

fn key(kind: Kind, namespace: &str, name: &str) -> Key {
    (kind, namespace.to_owned(), name.to_owned())
}

fn problem(kind: Kind, name: &str, field: &str) -> Problem {
    let kind = kind.name();
    Problem::new(
        "Contended",
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
                contention.differs(Kind::Deployment, "n", "a", FIELD, now).apply
            })
            .count()
    }

    #[test]
    fn a_fight_costs_five_writes_and_then_one_a_minute() {
        let (contention, start) = (Contention::default(), Instant::now());
        assert_eq!(times_applied(&contention, 0..60, start), 5);
        assert_eq!(times_applied(&contention, 60..360, start), 5);
        let other = contention.differs(Kind::Deployment, "n", "b", FIELD, start);
        assert_eq!(
            other,
            Verdict {
                apply: true,
                problem: None
            }
        );
    }

    #[test]
    fn a_fight_is_told_until_it_has_been_over_for_a_minute() {
        let (contention, start) = (Contention::default(), Instant::now());
        times_applied(&contention, 0..6, start);
        let told = |seconds| {
            let now = start + Duration::from_secs(seconds);
            contention.agrees(Kind::Deployment, "n", "a", now)
        };
        let problem = told(10).unwrap();
        assert_eq!(problem.reason, "Contended");
        assert!(
            problem.message.contains("spec.replicas of the Deployment a"),
            "{}",
            problem.message
        );
        assert_eq!(told(61), None);
        assert_eq!(told(10), None, "it was forgotten");
    }

    #[test]
    fn edits_by_hand_are_put_right_and_not_told() {
        let (contention, start) = (Contention::default(), Instant::now());
        for minute in 0..10 {
            let now = start + Duration::from_secs(60 * minute);
            let verdict = contention.differs(Kind::Deployment, "n", "a", FIELD, now);
            assert!(verdict.apply && verdict.problem.is_none());
        }
    }
}
