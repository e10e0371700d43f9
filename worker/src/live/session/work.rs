//! What a session does with a chunk: bind, process, put together, store; then post-process.

use std::sync::Arc;

use live_data_engine::cancel::Cancel;
use live_data_engine::fingerprint::Digest;
use live_data_engine::snapshot::Snapshot;
use live_data_reduction::live::accumulate::{self, Accumulator};
use live_data_reduction::live::{Accumulation, process};
use live_data_reduction::workspace::{Workspace, WorkspaceCell};
use live_data_reduction::{AlgorithmError, Service};

use super::{Session, Tell};
use crate::live::cursor::Chunk;
use crate::live::methods::{ProcessError, Processor};

impl Session {
    /// Binds a chunk, processes it, puts it together with those before and stores the result.
    pub(super) fn put(
        &mut self,
        snapshot: &Snapshot,
        chunk: &Chunk,
        code: Option<&str>,
        cancel: &Cancel,
    ) -> Result<(), ProcessError> {
        let bound = self.tools.binder.bind_portion(snapshot, &chunk.portion, cancel)?;
        for warning in &bound.warnings {
            (self.tools.tell)(Tell::Warning, warning);
        }
        let mut made = bound.workspace;
        if let Some(method) = &self.request.processing {
            let input = WorkspaceCell::new("", made);
            let processor = self.processor(cancel);
            made = processor.process(
                method,
                code,
                &input,
                &self.request.output_workspace,
                "processing script",
            )?;
        }
        let group = matches!(made, Workspace::Group(_));
        let members = accumulate::members(&made).into_iter();
        let members = members.map(|matrix| self.as_wished(matrix, cancel));
        let chunk_workspace = accumulate::grouped(members.collect::<Result<_, _>>()?, group);
        let name = self.request.accumulated_in().to_owned();
        let held = self.tools.service.data.get(&name).map(|cell| cell.snapshot());
        let mut digest = Digest::new("live");
        digest.add((self.id, snapshot.run().key.as_str()));
        let accumulator = Accumulator {
            service: &self.tools.service,
            cancel,
            lane: digest.finish(),
        };
        let method = if self.replace || chunk.whole {
            Accumulation::Replace
        } else {
            self.request.accumulation
        };
        let given = accumulate::given(&chunk_workspace);
        let result = match &held {
            None => chunk_workspace,
            Some(held) if method == Accumulation::Replace => {
                accumulator.keep_changes(held, &self.given, chunk_workspace)?
            }
            Some(held) => accumulator.put(method, held, chunk_workspace)?,
        };
        if method == Accumulation::Replace {
            self.given = given;
        }
        publish(&self.tools.service, &name, result)?;
        self.replace = false;
        Ok(())
    }

    /// Events or histograms, as the request says.
    fn as_wished(
        &self,
        matrix: live_data_reduction::MatrixWorkspace,
        cancel: &Cancel,
    ) -> Result<live_data_reduction::MatrixWorkspace, ProcessError> {
        if self.request.preserve_events || !matrix.is_events() {
            return Ok(matrix);
        }
        let input = WorkspaceCell::new("", matrix);
        let made = process::through("ConvertToMatrixWorkspace", &[], &input, &self.tools.service, cancel)?;
        WorkspaceCell::new("", made).matrix().map_err(ProcessError::from)
    }

    pub(super) fn post_process(&mut self, code: Option<&str>, cancel: &Cancel) -> Result<(), ProcessError> {
        let Some(method) = &self.request.post_processing else {
            return Ok(());
        };
        let data = &self.tools.service.data;
        let (name, output) = (self.request.accumulated_in(), &self.request.output_workspace);
        let input = data.retrieve(name)?;
        let accumulated = input.snapshot();
        let processor = self.processor(cancel);
        let made = processor.process(method, code, &input, output, "post-processing script");
        // A script may have given the accumulated data another name, or have deleted them; the next chunk is put to them.
        if !data.contains(name) {
            publish(&self.tools.service, name, accumulate::apart(accumulated))?;
        }
        // Their own members must not go by the result's name as well.
        publish(&self.tools.service, output, accumulate::apart(made?))?;
        self.post_due = false;
        Ok(())
    }

    fn processor<'a>(&'a self, cancel: &'a Cancel) -> Processor<'a> {
        Processor {
            service: &self.tools.service,
            scripts: self.tools.scripts.as_ref(),
            running: &self.running,
            cancel,
        }
    }
}

/// Stores a workspace; members of a group that was there and has fewer now are removed.
pub(super) fn publish(service: &Service, name: &str, workspace: Workspace) -> Result<(), AlgorithmError> {
    let data = &service.data;
    let former = data.get(name).map(|cell| cell.members()).unwrap_or_default();
    let cell = WorkspaceCell::new(name, workspace);
    data.add_or_replace(name, Arc::clone(&cell))?;
    let kept = cell.member_names();
    for member in former {
        let name = member.name();
        if !kept.contains(&name) && data.get(&name).is_some_and(|held| Arc::ptr_eq(&held, &member)) {
            data.remove(&name);
        }
    }
    Ok(())
}
