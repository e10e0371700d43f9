//! Input of the status.

use crate::observe::Observation;
use crate::problem::Problem;

/// Results of the earlier steps of a reconcile, from which the status follows.
#[derive(Debug)]
pub struct StatusInput<'a> {
    /// Generation of the spec that was reconciled.
    pub generation: Option<i64>,
    pub instrument: &'a str,
    /// `spec.suspend`.
    pub suspend: bool,
    /// True if validation made a plan; without one nothing is built.
    pub planned: bool,
    /// Problems of validation and apply.
    pub problems: &'a [Problem],
    /// Objects that are being deleted and will be created again, as `Kind/name`.
    pub waiting: &'a [String],
    pub observation: &'a Observation,
    /// Number of resources in the cluster, which share the budget of status writes.
    pub resources: usize,
}
