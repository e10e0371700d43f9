//! What a session does with a chunk: bind, process, put together, store; then post-process.

use std::sync::Arc;

use live_data_engine::cancel::Cancel;
use live_data_engine::fingerprint::Digest;
use live_data_engine::snapshot::Snapshot;
use live_data_reduction::live::accumulate::{self, Accumulator};
use live_data_reduction::live::{Accumulation, Method};
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
        let group = matches!(bound.workspace, Workspace::Group(_));
        let mut members = Vec::new();
        for member in accumulate::members(&bound.workspace) {
            let mut made = Workspace::Matrix(member);
            if let Some(method) = &self.request.processing {
                let input = WorkspaceCell::new("", made);
                let processor = self.processor(cancel);
                let names = ("processing script", true);
                made = processor.process(method, code, &input, &self.request.output_workspace, names)?;
            }
            for matrix in accumulate::members(&made) {
                members.push(self.as_wished(matrix, cancel)?);
            }
        }
        let group = group || members.len() > 1;
        let chunk_workspace = accumulate::grouped(members, group);
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
        let method = Method::Algorithm("ConvertToMatrixWorkspace".into(), Vec::new());
        let made = self
            .processor(cancel)
            .process(&method, None, &input, "", ("conversion", true))?;
        let mut members = accumulate::members(&made);
        match members.pop() {
            Some(made) => Ok(made),
            None => Err(ProcessError::NoOutput { what: "conversion" }),
        }
    }

    pub(super) fn post_process(&mut self, code: Option<&str>, cancel: &Cancel) -> Result<(), ProcessError> {
        let Some(method) = &self.request.post_processing else {
            return Ok(());
        };
        let data = &self.tools.service.data;
        let input = data.retrieve(self.request.accumulated_in())?;
        let output = &self.request.output_workspace;
        let names = ("post-processing script", false);
        let made = self.processor(cancel).process(method, code, &input, output, names)?;
        let made = match made {
            // The accumulated data's own members must not go by the result's name as well.
            Workspace::Group(group) => {
                let members = group.members().iter().filter_map(|cell| cell.matrix().ok());
                accumulate::grouped(members.collect(), true)
            }
            matrix => matrix,
        };
        publish(&self.tools.service, output, made)?;
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
