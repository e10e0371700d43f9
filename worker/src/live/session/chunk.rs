//! Processing of one chunk by a session: make a workspace, process, accumulate, store; then post-process.

use live_data_engine::cancel::Cancel;
use live_data_engine::fingerprint::Digest;
use live_data_engine::snapshot::Snapshot;
use live_data_reduction::live::accumulate::{self, Accumulator};
use live_data_reduction::live::{AccumulationMethod, process};
use live_data_reduction::workspace::{Workspace, WorkspaceCell};

use super::{MessageLevel, Session};
use crate::live::cursor::Chunk;
use crate::live::processing::{MethodRunner, ProcessError, store_workspace};

impl Session {
    /// Makes a workspace of `chunk`, processes it, accumulates it and stores the accumulated data.
    ///
    /// `code` is the text of a processing script.
    pub(super) fn process_chunk(
        &mut self,
        snapshot: &Snapshot,
        chunk: &Chunk,
        code: Option<&str>,
        cancel: &Cancel,
    ) -> Result<(), ProcessError> {
        let bound = self
            .dependencies
            .workspace_builder
            .build_portion(snapshot, &chunk.portion, cancel)?;
        for warning in &bound.warnings {
            (self.dependencies.notify)(MessageLevel::Warning, warning);
        }
        let mut made = bound.workspace;
        if let Some(method) = &self.request.processing {
            let input = WorkspaceCell::new("", made);
            let runner = self.runner(cancel);
            made = runner.process(
                method,
                code,
                &input,
                &self.request.output_workspace,
                "processing script",
            )?;
        }
        let group = matches!(made, Workspace::Group(_));
        let members = accumulate::members(&made).into_iter();
        let members = members.map(|matrix| self.with_events_as_requested(matrix, cancel));
        let chunk_workspace = accumulate::from_members(members.collect::<Result<_, _>>()?, group);
        let name = self.request.accumulated_in().to_owned();
        let held = self.dependencies.services.data.get(&name).map(|cell| cell.snapshot());
        let mut digest = Digest::new("live");
        digest.add((self.id, snapshot.run().key.as_str()));
        let accumulator = Accumulator {
            services: &self.dependencies.services,
            cancel,
            view_id: digest.finish(),
        };
        let method = if self.replace || chunk.whole {
            AccumulationMethod::Replace
        } else {
            self.request.accumulation
        };
        let given = accumulate::geometry_of(&chunk_workspace);
        let result = match &held {
            None => chunk_workspace,
            Some(held) if method == AccumulationMethod::Replace => {
                accumulator.keep_geometry_changes(held, &self.geometry, chunk_workspace)?
            }
            Some(held) => accumulator.accumulate(method, held, chunk_workspace)?,
        };
        if method == AccumulationMethod::Replace {
            self.geometry = given;
        }
        store_workspace(&self.dependencies.services, &name, result)?;
        self.replace = false;
        Ok(())
    }

    /// The workspace with events if PreserveEvents is set, else with counts.
    fn with_events_as_requested(
        &self,
        matrix: live_data_reduction::MatrixWorkspace,
        cancel: &Cancel,
    ) -> Result<live_data_reduction::MatrixWorkspace, ProcessError> {
        if self.request.preserve_events || !matrix.is_events() {
            return Ok(matrix);
        }
        let input = WorkspaceCell::new("", matrix);
        let made = process::run_algorithm(
            "ConvertToMatrixWorkspace",
            &[],
            &input,
            &self.dependencies.services,
            cancel,
        )?;
        WorkspaceCell::new("", made).matrix().map_err(ProcessError::from)
    }

    /// Processes the accumulated data into the output workspace; no effect without a post-processing method.
    pub(super) fn post_process(&mut self, code: Option<&str>, cancel: &Cancel) -> Result<(), ProcessError> {
        let Some(method) = &self.request.post_processing else {
            return Ok(());
        };
        let data = &self.dependencies.services.data;
        let (name, output) = (self.request.accumulated_in(), &self.request.output_workspace);
        let input = data.retrieve(name)?;
        let accumulated = input.snapshot();
        let runner = self.runner(cancel);
        let made = runner.process(method, code, &input, output, "post-processing script");
        // A script may rename or delete the accumulated data; the next chunk needs them.
        if !data.contains(name) {
            store_workspace(
                &self.dependencies.services,
                name,
                accumulate::with_own_members(accumulated),
            )?;
        }
        // The result must not share group members with the accumulated data.
        store_workspace(&self.dependencies.services, output, accumulate::with_own_members(made?))?;
        self.post_due = false;
        Ok(())
    }

    fn runner<'a>(&'a self, cancel: &'a Cancel) -> MethodRunner<'a> {
        MethodRunner {
            services: &self.dependencies.services,
            scripts: self.dependencies.scripts.as_ref(),
            running: &self.running,
            cancel,
        }
    }
}
