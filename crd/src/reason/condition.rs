//! Conditions of the resource and their reasons.

use strum::{Display, EnumString, IntoStaticStr, VariantArray};

use super::description::ConditionReasonDescription;
use super::description::Severity::{self, Error, Normal, Warning};

/// Types of the resource's conditions, in the order of the status.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Display, EnumString, IntoStaticStr, VariantArray,
)]
pub enum ConditionType {
    /// True while a worker is available, according to the Deployment; never according to the worker's report.
    Ready,
    /// True while the operator or Kubernetes changes an object towards the spec.
    Progressing,
    /// True while a problem needs an action; a running worker may go on.
    Degraded,
    /// True while every claim is bound to the volume that the spec asks for.
    StorageReady,
}

/// Reasons that a condition can have, by its status.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ConditionReasons {
    /// Reasons of status True; empty for Degraded, which takes the problem's.
    pub of_true: &'static [ConditionReason],
    /// Reasons of status False, without those that a condition takes from Degraded.
    pub of_false: &'static [ConditionReason],
}

impl ConditionType {
    /// Reasons declared for this type. Ready and StorageReady, while False, may carry a problem's reason instead.
    pub const fn reasons(self) -> ConditionReasons {
        use ConditionReason as R;
        match self {
            Self::Ready => ConditionReasons {
                of_true: &[R::WorkerReady],
                of_false: &[R::Suspended, R::CatchingUp, R::WorkerStarting],
            },
            Self::Progressing => ConditionReasons {
                of_true: &[R::Creating, R::RollingOut, R::Suspending, R::WaitingForDeletion],
                of_false: &[R::Complete, R::Blocked, R::DeadlineExceeded],
            },
            Self::Degraded => ConditionReasons {
                of_true: &[],
                of_false: &[R::AsExpected],
            },
            Self::StorageReady => ConditionReasons {
                of_true: &[R::Bound, R::NotNeeded],
                of_false: &[R::Binding, R::Creating, R::ClaimLost, R::VolumeFailed, R::Blocked],
            },
        }
    }

    /// Value of the condition's field `type`: the variant's name.
    pub fn name(self) -> &'static str {
        self.into()
    }
}

/// Reason of a condition. [`ConditionReason::description`] has the table.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Display, EnumString, IntoStaticStr, VariantArray,
)]
#[allow(missing_docs)]
pub enum ConditionReason {
    AsExpected,
    Binding,
    Blocked,
    Bound,
    CatchingUp,
    ClaimLost,
    ClaimMissing,
    ClaimTaken,
    Complete,
    ContainerNotCreated,
    Contended,
    CrashLoop,
    Creating,
    DeadlineExceeded,
    DeletionWaits,
    ImagePullFailed,
    InstrumentInUse,
    InstrumentInvalid,
    Lagging,
    MountFailed,
    NameInvalid,
    NameTaken,
    NameTooLong,
    NoReport,
    NotNeeded,
    OutOfMemory,
    PodRefused,
    Refused,
    RequestsFail,
    RollingOut,
    ScriptFailed,
    ScriptTooLong,
    SiteNotConfigured,
    SpecInvalid,
    Suspended,
    Suspending,
    Unschedulable,
    VolumeDiffers,
    VolumeFailed,
    VolumeTaken,
    WaitingForDeletion,
    WorkerDegraded,
    WorkerReady,
    WorkerStarting,
}

impl ConditionReason {
    /// Value of a condition's field `reason`: the variant's name.
    pub fn name(self) -> &'static str {
        self.into()
    }

    /// Row of the reason in the table of `docs/reasons.md`.
    pub const fn description(self) -> ConditionReasonDescription {
        const fn row(severity: Severity, meaning: &'static str, next_step: &'static str) -> ConditionReasonDescription {
            ConditionReasonDescription::new(severity, meaning, next_step)
        }
        match self {
            Self::AsExpected => row(Normal, "No problem is known", ""),
            Self::Binding => row(
                Normal,
                "A claim waits for its volume",
                "If it lasts, see `kubectl describe` of the claim",
            ),
            Self::Blocked => row(
                Error,
                "Nothing is made for the resource, because of the problem that Degraded names",
                "Follow the message of Degraded",
            ),
            Self::Bound => row(Normal, "Every claim is bound", ""),
            Self::CatchingUp => row(
                Normal,
                "The worker runs and reads the stream from the run's start",
                "If it lasts, compare `lagSeconds` with the worker's CPU limit",
            ),
            Self::ClaimLost => row(
                Error,
                "The volume of a claim is gone",
                "Delete the claim; the operator makes both again",
            ),
            Self::ClaimMissing => row(
                Error,
                "The claim of `spec.storage.output` does not exist",
                "Create the claim in the resource's namespace",
            )
            .concerns_storage()
            .rechecked(),
            Self::ClaimTaken => row(
                Error,
                "A claim of the wanted name belongs to somebody else",
                "Delete that claim, or give the resource another name",
            )
            .blocks_apply()
            .concerns_storage()
            .rechecked(),
            Self::Complete => row(Normal, "Every object is as the spec asks", ""),
            Self::ContainerNotCreated => row(
                Error,
                "The node cannot create the worker's container, for instance because a Secret or a key is missing",
                "Create what the message names",
            ),
            Self::Contended => row(
                Warning,
                "Somebody else changes an object back again and again; the operator corrects it once a minute",
                "Find the field's manager with `kubectl get --show-managed-fields -o yaml`",
            )
            .rechecked(),
            Self::CrashLoop => row(
                Error,
                "The worker's program ends soon after each start",
                "See `kubectl logs --previous` of the pod",
            ),
            Self::Creating => row(Normal, "The objects are being created", ""),
            Self::DeadlineExceeded => row(
                Error,
                "A new worker is not ready after an hour",
                "See the other conditions and the worker's log",
            ),
            Self::DeletionWaits => row(
                Warning,
                "The resource is being deleted, and somebody else's finalizer or a refusal keeps one of its objects",
                "Remove the finalizer that the message names, or what it waits for",
            ),
            Self::ImagePullFailed => row(
                Error,
                "The node cannot pull the worker's image",
                "Check the image's name, the registry and the pull secrets",
            ),
            Self::InstrumentInUse => row(
                Error,
                "Another resource processes the same instrument",
                "Delete one of the two resources",
            )
            .blocks_plan(),
            Self::InstrumentInvalid => row(
                Error,
                "The instrument's name is not allowed",
                "Create the resource again with `spec.instrument` set",
            )
            .blocks_plan(),
            Self::Lagging => row(
                Warning,
                "The worker is more than a minute behind the stream",
                "Give the worker more CPU, or check the network to the brokers",
            )
            .reported_by_worker(),
            Self::MountFailed => row(
                Error,
                "The node cannot mount a volume of the worker",
                "Check the Secret, ConfigMap, claim or share that the message names",
            ),
            Self::NameInvalid => row(
                Error,
                "The resource's name cannot name containers and labels",
                "Create the resource again under a name of lower-case letters, digits and -",
            )
            .blocks_plan(),
            Self::NameTaken => row(
                Error,
                "An object of the wanted name belongs to somebody else or has another selector",
                "Delete that object, or give the resource another name",
            )
            .blocks_apply()
            .rechecked(),
            Self::NameTooLong => row(
                Error,
                "The resource's name has more than 45 characters",
                "Create the resource again under a shorter name",
            )
            .blocks_plan(),
            Self::NoReport => row(
                Warning,
                "The worker's pod runs but does not answer the operator's requests for `/status`",
                "Check the network policy between the operator and port 8080 of the worker",
            )
            .reported_by_worker(),
            Self::NotNeeded => row(Normal, "The resource needs no volume of its own", ""),
            Self::OutOfMemory => row(
                Error,
                "The worker exceeded its memory limit and was killed",
                "Raise `spec.resources.limits.memory`",
            ),
            Self::PodRefused => row(
                Error,
                "A quota, a policy or an admission webhook refuses the worker's pod",
                "Follow the message of the cluster's refusal",
            ),
            Self::Refused => row(
                Error,
                "The apiserver refuses an object: a quota, an admission policy or missing rights",
                "Follow the apiserver's text in the message",
            ),
            Self::RequestsFail => row(
                Error,
                "The apiserver has failed at least three times in a row, for instance because a webhook is absent",
                "Follow the apiserver's text in the message; the operator tries again every 15 s",
            ),
            Self::RollingOut => row(Normal, "A new worker replaces the old one", ""),
            Self::ScriptFailed => row(
                Error,
                "The last execution of the script ended with an error",
                "See the traceback in `status.script.lastError` or on the worker's page",
            )
            .reported_by_worker(),
            Self::ScriptTooLong => row(
                Error,
                "The text of `spec.script.inline` does not fit into the pod's annotations",
                "Use a ConfigMap",
            )
            .blocks_plan(),
            Self::SiteNotConfigured => row(
                Error,
                "A value that the site has to provide is missing; without CLUSTER_ID or FS_NAME no object is made, without \
                 brokers or FIA_API_URL the worker waits for them",
                "Set it in the values of the operator's chart",
            ),
            Self::SpecInvalid => row(
                Error,
                "The spec laid over WORKER_DEFAULTS is not valid",
                "Correct the field that the message names, in the spec or in WORKER_DEFAULTS",
            )
            .blocks_plan(),
            Self::Suspended => row(
                Normal,
                "`spec.suspend` is true: no worker runs",
                "Set `spec.suspend` to false",
            ),
            Self::Suspending => row(
                Normal,
                "The worker is being stopped, because `spec.suspend` is true",
                "",
            ),
            Self::Unschedulable => row(
                Error,
                "No node has room for the worker or matches its constraints",
                "Lower `spec.resources.requests`, relax the constraints, or add a node",
            ),
            Self::VolumeDiffers => row(
                Warning,
                "A volume or claim differs from the spec in a field that Kubernetes does not allow to change",
                "Suspend the resource, delete the claim and the volume (the data stay), and resume it; or restore the \
                 former value",
            )
            .concerns_storage(),
            Self::VolumeFailed => row(
                Error,
                "Kubernetes could not reclaim a volume",
                "Delete the volume and its claim; the operator makes both again and the data stay",
            ),
            Self::VolumeTaken => row(
                Error,
                "A volume of the wanted name is held by another claim or has another source",
                "Delete that claim or volume, or give the resource another name",
            )
            .blocks_apply()
            .concerns_storage()
            .rechecked(),
            Self::WaitingForDeletion => row(
                Normal,
                "An object is being deleted and will be made again",
                "If it is a claim or a volume, suspend the resource to release it",
            ),
            Self::WorkerDegraded => row(
                Warning,
                "The worker reports a degradation, whose reason begins the message",
                "See the table of the worker's reasons",
            )
            .reported_by_worker(),
            Self::WorkerReady => row(Normal, "A worker is available", ""),
            Self::WorkerStarting => row(Normal, "The worker's pod is being started", ""),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn reasons_read_back_and_every_problem_has_a_next_step() {
        for reason in ConditionReason::VARIANTS {
            assert_eq!(reason.name().parse::<ConditionReason>().unwrap(), *reason);
            let description = reason.description();
            assert!(
                description.severity == Normal || !description.next_step.is_empty(),
                "{reason} has no next step"
            );
        }
    }
}
