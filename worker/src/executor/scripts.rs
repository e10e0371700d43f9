//! How the executor takes a script: one that cannot be loaded is shown, and the last good one goes on.

use sha2::{Digest, Sha256};

use super::{Executor, Script, shortened};
use crate::output::marker::hex;
use crate::python::{JobError, Limits};
use crate::script::LoadScriptError;

impl Executor {
    pub(super) fn take_last_good(&mut self) -> Result<(), JobError> {
        if self.script.is_none()
            && let Ok(text) = std::fs::read_to_string(self.tools.output.last_good_script())
        {
            self.tools
                .journal
                .warning("The script could not be fetched; going on with the last good one.");
            self.take_script(&text)?;
        }
        Ok(())
    }

    /// Loads a script if it is a new one. One that cannot be loaded is shown, and the last good one goes on.
    pub(super) fn take_script(&mut self, text: &str) -> Result<(), JobError> {
        let digest = Sha256::digest(text.as_bytes());
        let id = u64::from_le_bytes(digest[..8].try_into().unwrap_or_default());
        if self.refused == Some(id) || self.script.as_ref().is_some_and(|script| script.id == id) {
            return Ok(());
        }
        let hash = hex(&digest);
        match self.tools.runner.load(text, Limits::after(self.tools.timeout)) {
            Ok(()) => {
                self.tools
                    .journal
                    .info(&format!("A new script is in use ({}).", &hash[..12]));
                self.refused = None;
                if let (Some(hub), Some(_)) = (&self.tools.hub, &self.script) {
                    hub.end_scripts();
                }
                if let Err(error) = self
                    .tools
                    .output
                    .write_atomically(&self.tools.output.last_good_script(), text.as_bytes())
                {
                    tracing::warn!(%error, "the script is not kept for the next start");
                }
                self.tools.board.script(|script| {
                    script.hash = Some(hash.clone());
                    script.last_error = None;
                });
                self.script = Some(Script { id, hash });
                Ok(())
            }
            Err(LoadScriptError::Script(error)) => {
                self.refused = Some(id);
                let goes_on = if self.script.is_some() {
                    "the former script goes on"
                } else {
                    "there is no former script"
                };
                self.tools
                    .journal
                    .error(&format!("The new script cannot be loaded; {goes_on}.\n{error}"));
                self.tools
                    .board
                    .script(|script| script.last_error = Some(shortened(&error)));
                Ok(())
            }
            Err(LoadScriptError::Job(error)) => self.job_failed(error),
        }
    }

    pub(super) fn job_failed(&self, error: JobError) -> Result<(), JobError> {
        self.tools.journal.error(&error.to_string());
        self.tools
            .board
            .script(|script| script.last_error = Some(shortened(&error.to_string())));
        match error {
            JobError::Panicked(_) => Ok(()),
            JobError::Unkillable(_) | JobError::Gone => Err(error),
        }
    }
}
