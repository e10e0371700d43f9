//! Loading of fetched scripts: one that cannot be loaded is reported, and the former one stays in use.

use sha2::{Digest, Sha256};

use super::{Executor, LoadedScript, end_of_error};
use crate::output::marker::hex;
use crate::python::{JobError, Limits};
use crate::script::LoadScriptError;

impl Executor {
    /// Loads the script that an earlier worker kept, if none is loaded.
    pub(super) fn load_last_script(&mut self) -> Result<(), JobError> {
        if self.script.is_none()
            && let Ok(text) = std::fs::read_to_string(self.deps.output.last_good_script())
        {
            self.deps
                .script_log
                .warning("The script could not be fetched; going on with the last good one.");
            self.load_script(&text)?;
        }
        Ok(())
    }

    /// Loads a script unless it is in use or was refused, and keeps it for the next worker.
    pub(super) fn load_script(&mut self, text: &str) -> Result<(), JobError> {
        let digest = Sha256::digest(text.as_bytes());
        let id = u64::from_le_bytes(digest[..8].try_into().unwrap_or_default());
        if self.refused_script == Some(id) || self.script.as_ref().is_some_and(|script| script.id == id) {
            return Ok(());
        }
        match self.deps.runner.load(text, Limits::after(self.deps.timeout)) {
            Ok(()) => {
                self.use_script(LoadedScript { id, hash: hex(&digest) }, text);
                Ok(())
            }
            Err(LoadScriptError::Script(error)) => {
                self.refused_script = Some(id);
                let consequence = if self.script.is_some() {
                    "the former script goes on"
                } else {
                    "there is no former script"
                };
                self.deps
                    .script_log
                    .error(&format!("The new script cannot be loaded; {consequence}.\n{error}"));
                self.deps
                    .status
                    .update_script(|report| report.last_error = Some(end_of_error(&error)));
                Ok(())
            }
            Err(LoadScriptError::Job(error)) => self.report_job_error(error),
        }
    }

    fn use_script(&mut self, script: LoadedScript, text: &str) {
        self.deps
            .script_log
            .info(&format!("A new script is in use ({}).", &script.hash[..12]));
        self.refused_script = None;
        if let (Some(live_data), Some(_)) = (&self.deps.live_data, &self.script) {
            live_data.end_script_monitors();
        }
        let kept = self
            .deps
            .output
            .write_atomically(&self.deps.output.last_good_script(), text.as_bytes());
        if let Err(error) = kept {
            tracing::warn!(%error, "the script is not kept for the next start");
        }
        self.deps.status.update_script(|report| {
            report.hash = Some(script.hash.clone());
            report.last_error = None;
        });
        self.script = Some(script);
    }

    /// Reports an error of the interpreter, and returns it if the interpreter is lost.
    pub(super) fn report_job_error(&self, error: JobError) -> Result<(), JobError> {
        self.deps.script_log.error(&error.to_string());
        self.deps
            .status
            .update_script(|report| report.last_error = Some(end_of_error(&error.to_string())));
        match error {
            JobError::Panicked(_) => Ok(()),
            JobError::Unkillable(_) | JobError::Gone => Err(error),
        }
    }
}
