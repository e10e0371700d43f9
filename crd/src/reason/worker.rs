//! Reasons of a worker's degradations.

use strum::{Display, EnumString, IntoStaticStr, VariantArray};

use super::description::Severity::{Error, Warning};
use super::description::WorkerReasonDescription;

/// Reason of a degradation: a problem that the worker works around and lists under `degraded` of `/status`.
///
/// The variants are in alphabetical order, which is the order of the report. [`WorkerReason::description`] has the table.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Display, EnumString, IntoStaticStr, VariantArray,
)]
#[allow(missing_docs)]
pub enum WorkerReason {
    BrokerUnreachable,
    DetectorsUnknown,
    EventIdsOutsideMap,
    LeaseNotTaken,
    LiveNotStarted,
    LiveProcessingFailed,
    LiveWorkspace,
    MarkerNotWritten,
    MarkersNotRead,
    MemoryLimitReached,
    NoRun,
    NoScript,
    OutputNotWritable,
    PulsesOutsideRuns,
    RecordsLost,
    RunIncomplete,
    RunWarning,
    ScriptNotFetched,
    TopicMissing,
    ValkeyUnreachable,
}

impl WorkerReason {
    /// Text of the reason in reports, logs and metrics: the variant's name.
    pub fn name(self) -> &'static str {
        self.into()
    }

    /// Row of the reason in the table of `docs/reasons.md`.
    pub const fn description(self) -> WorkerReasonDescription {
        const fn row(
            severity: super::description::Severity,
            meaning: &'static str,
            next_step: &'static str,
        ) -> WorkerReasonDescription {
            WorkerReasonDescription::new(severity, meaning, next_step)
        }
        match self {
            Self::BrokerUnreachable => row(
                Error,
                "No Kafka broker answers, or the brokers refuse the worker's login",
                "Check KAFKA_BOOTSTRAP_SERVERS, the network policy and the credentials",
            ),
            Self::DetectorsUnknown => row(
                Warning,
                "Some spectra have no detector in Mantid's definition of the instrument; their events are left out of \
                 the workspace",
                "Provide the instrument definition that matches the run's detector map",
            ),
            Self::EventIdsOutsideMap => row(
                Warning,
                "Events of the open run have ids that the run's detector map does not contain",
                "Set EVENT_IDS to spectrum, detector or index, as the stream's ids are",
            ),
            Self::LeaseNotTaken => row(
                Error,
                "The lock file of the writer's lease in OUTPUT_DIR cannot be locked",
                "Check that the file system of OUTPUT_DIR supports locks and that its folder is writable",
            )
            .stops_executions(),
            Self::LiveNotStarted => row(
                Error,
                "The live processing of the settings cannot be started; the native engine tries again every ten seconds",
                "Correct the LIVE_ settings, or use ENGINE=native",
            )
            .latched("with the real Mantid, which is chosen at the worker's start; the native engine starts them later"),
            Self::LiveProcessingFailed => row(
                Error,
                "A StartLiveData monitor cannot process its chunks",
                "See `monitors[].lastError` in /status and correct the script or the properties",
            ),
            Self::LiveWorkspace => row(
                Warning,
                "The workspace made from the stream differs from the instrument definition",
                "Read the message, which names the mismatch, and provide the matching definition",
            ),
            Self::MarkerNotWritten => row(
                Warning,
                "The marker of a completed run cannot be written; a restart would execute the run again",
                "Make OUTPUT_DIR writable or free space on it",
            ),
            Self::MarkersNotRead => row(
                Warning,
                "The markers of completed runs cannot be read; completed runs may be executed again",
                "Make OUTPUT_DIR readable for the worker's user",
            ),
            Self::MemoryLimitReached => row(
                Warning,
                "The memory limit is reached; later events are counted but not kept",
                "Shorten the run, raise the memory limit, or use StartLiveData with PreserveEvents off",
            ),
            Self::NoRun => row(
                Warning,
                "No run start has been read from the runInfo topic",
                "Start a run; if one is open, check the runInfo topic and its retention",
            )
            .stops_executions(),
            Self::NoScript => row(
                Warning,
                "The source of the script has none for the instrument; the last one stays in use",
                "Provide a script at the source",
            ),
            Self::OutputNotWritable => row(
                Error,
                "OUTPUT_DIR cannot be written to",
                "Mount the output volume with write access for the worker's user, or free space on it",
            )
            .stops_executions(),
            Self::PulsesOutsideRuns => row(
                Warning,
                "A run is open, but no pulse of the last ten seconds lies within any run",
                "Compare the clocks of the control computer and of the pulses, and set RUN_CLOCK_OFFSET_MS",
            ),
            Self::RecordsLost => row(
                Warning,
                "Kafka removed records before the worker read them",
                "Ask for a longer retention of the topic, or give the worker more CPU",
            )
            .until_next_run(),
            Self::RunIncomplete => row(
                Warning,
                "The first seconds of the run are no longer in the topic",
                "Ask for a longer retention of the topic",
            ),
            Self::RunWarning => row(
                Warning,
                "A message of the run is malformed or contradictory; the run goes on without the part concerned",
                "Read the message, and correct the program that writes the runInfo topic",
            ),
            Self::ScriptNotFetched => row(
                Warning,
                "The script cannot be fetched; the last one stays in use",
                "Check the source of the script: FIA_API_URL, the ConfigMap or the file",
            ),
            Self::TopicMissing => row(
                Warning,
                "Topics of the instrument do not exist; they are read as soon as they do",
                "Create the topics, or correct their names in the settings",
            ),
            Self::ValkeyUnreachable => row(
                Warning,
                "Lines of the script's log cannot be sent to Valkey; they wait",
                "Check VALKEY_HOST and VALKEY_PORT",
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn reasons_are_in_the_order_of_their_names_and_read_back() {
        let names: Vec<&str> = WorkerReason::VARIANTS.iter().map(|reason| reason.name()).collect();
        assert!(names.is_sorted(), "{names:?}");
        for reason in WorkerReason::VARIANTS {
            assert_eq!(reason.name().parse::<WorkerReason>().unwrap(), *reason);
        }
        assert!("OfANewerWorker".parse::<WorkerReason>().is_err());
    }
}
