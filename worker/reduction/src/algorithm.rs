//! How an algorithm is run: its properties are set and checked, it is executed on values, its outputs are stored.
//! Promises: nothing in the data service changes when an execution fails; a panic in an algorithm becomes an error;
//! groups are processed member by member. Error texts come without the `Problem setting …` or `<Alg>-v1:` prefix,
//! which the caller that shows them adds. Must not know Python.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use live_data_engine::cancel::Cancel;

use crate::date_and_time::DateAndTime;
use crate::declaration::{Declaration, Direction, Kind};
use crate::error::{AlgorithmError, Result, failed, invalid};
use crate::registry::{self, Registered};
use crate::service::{Level, Service};
use crate::value::Value;
use crate::workspace::history::HistoryEntry;
use crate::workspace::{Handle, MatrixWorkspace, Workspace, WorkspaceCell, WorkspaceGroup};

/// What every algorithm provides.
pub(crate) trait Algorithm: Send + Sync {
    /// Its name, version and properties.
    fn declaration(&self) -> Declaration;

    /// Checks of several properties together: pairs of a property's name and what is wrong with it.
    fn cross_check(&self, _context: &Context<'_>) -> Vec<(&'static str, String)> {
        Vec::new()
    }

    /// Whether a group given as input is processed member by member.
    fn by_member(&self) -> bool {
        true
    }

    /// Whether executions are recorded in the history of the workspaces that they make or change.
    fn records_history(&self) -> bool {
        true
    }

    /// Does the work: reads properties from the context and sets the outputs there.
    fn exec(&self, context: &mut Context<'_>) -> Result<()>;
}

/// What an execution returned: the output properties in declared order, without those that were not set.
#[derive(Debug, Clone, Default)]
pub struct Outputs {
    /// Name and value of each; workspaces as handles.
    pub values: Vec<(&'static str, Value)>,
}

impl Outputs {
    /// The value of the output of this name.
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.values
            .iter()
            .find(|(known, _)| known.eq_ignore_ascii_case(name))
            .map(|(_, value)| value)
    }

    /// The workspace in the output of this name.
    pub fn workspace(&self, name: &str) -> Option<Handle> {
        match self.get(name) {
            Some(Value::Workspace(handle)) => Some(handle.clone()),
            _ => None,
        }
    }
}

/// One run of one algorithm.
#[derive(Clone)]
pub struct AlgorithmRun {
    registered: Registered,
    given: Vec<Option<Value>>,
    stored: bool,
    logged: bool,
}

impl AlgorithmRun {
    /// A run of the algorithm of this name, in its newest version when none is given.
    ///
    /// # Errors
    /// `Execution` when there is no such algorithm, with the way to get it.
    pub fn create(name: &str, version: Option<u32>) -> Result<Self> {
        let Some(registered) = registry::find(name, version) else {
            return failed(match (registry::find(name, None), version) {
                (Some(_), Some(version)) => format!("{name} has no version {version} in the native engine"),
                _ => registry::missing(name),
            });
        };
        let given = vec![None; registered.declaration.properties.len()];
        Ok(Self {
            registered,
            given,
            stored: true,
            logged: true,
        })
    }

    /// What the algorithm says about itself.
    pub fn declaration(&self) -> &Arc<Declaration> {
        &self.registered.declaration
    }

    /// Whether outputs are put into the data service (they are, unless this is called with `false`).
    pub fn store_in_data_service(&mut self, stored: bool) {
        self.stored = stored;
    }

    /// Whether the algorithm writes lines of log (it does, unless this is called with `false`).
    pub fn enable_logging(&mut self, logged: bool) {
        self.logged = logged;
    }

    /// Sets a property. `Value::None` is skipped.
    ///
    /// # Errors
    /// `Type` for an unknown property or a value of the wrong type, `InvalidArgument` for a value that the property
    /// does not take.
    pub fn set_property(&mut self, name: &str, value: Value) -> Result<()> {
        let declaration = self.registered.declaration.clone();
        let Some(index) = declaration.index_of(name) else {
            return Err(AlgorithmError::Type(format!(
                "'{name}' is an invalid keyword argument for {}-v{}",
                declaration.name, declaration.version
            )));
        };
        if value.is_none() {
            return Ok(());
        }
        let accepted = match declaration.properties.get(index) {
            Some(property) => property.accept(value)?,
            None => return Ok(()),
        };
        if let Some(slot) = self.given.get_mut(index) {
            *slot = Some(accepted);
        }
        Ok(())
    }

    /// The value of a property: what was given, or the default.
    ///
    /// # Errors
    /// `Execution` for an unknown property.
    pub fn property(&self, name: &str) -> Result<Value> {
        let Some(index) = self.registered.declaration.index_of(name) else {
            return failed(format!("Unknown property search object {name}"));
        };
        let default = || {
            self.registered
                .declaration
                .properties
                .get(index)
                .map(|p| p.default.clone())
        };
        Ok(self
            .given
            .get(index)
            .cloned()
            .flatten()
            .or_else(default)
            .unwrap_or_default())
    }

    /// Whether a property has its default value.
    pub fn is_default(&self, name: &str) -> bool {
        let index = self.registered.declaration.index_of(name);
        index
            .and_then(|index| self.given.get(index))
            .is_none_or(Option::is_none)
    }

    /// Executes the algorithm. Call it detached from the interpreter: rows that Python may write are copied here,
    /// which attaches to it.
    ///
    /// # Errors
    /// What the algorithm raises; `Cancelled` when the flag was raised.
    pub fn execute(&self, service: &Service, cancel: &Cancel) -> Result<Outputs> {
        let name = self.registered.declaration.name;
        let done = catch_unwind(AssertUnwindSafe(|| self.execute_inner(service, cancel)));
        done.unwrap_or_else(|panic| {
            let text = panic
                .downcast_ref::<&str>()
                .map(|text| (*text).to_owned())
                .or_else(|| panic.downcast_ref::<String>().cloned())
                .unwrap_or_default();
            failed(format!(
                "{name} failed by a fault of its own ({text}): please report this with the script"
            ))
        })
    }

    fn execute_inner(&self, service: &Service, cancel: &Cancel) -> Result<Outputs> {
        let started = std::time::Instant::now();
        let mut context = Context::new(self, service, cancel);
        context.resolve_inputs()?;
        if self.registered.algorithm.by_member()
            && let Some(count) = context.group_size()?
        {
            return self.execute_members(service, cancel, &context, count);
        }
        context.check(self.registered.algorithm)?;
        self.registered.algorithm.exec(&mut context)?;
        if cancel.is_cancelled() {
            return Err(AlgorithmError::Cancelled);
        }
        context.store(started.elapsed().as_secs_f64())
    }

    /// Runs once for every member of the groups that were given, and groups the outputs.
    fn execute_members(
        &self,
        service: &Service,
        cancel: &Cancel,
        whole: &Context<'_>,
        count: usize,
    ) -> Result<Outputs> {
        let declaration = &self.registered.declaration;
        let mut results: Vec<(&'static str, Vec<Handle>)> = Vec::new();
        for member in 0..count {
            let mut run = self.clone();
            for (index, property) in declaration.properties.iter().enumerate() {
                let Some(slot) = run.given.get_mut(index) else { continue };
                if let Some(group) = whole
                    .inputs
                    .get(index)
                    .and_then(Option::as_ref)
                    .filter(|h| h.is_group())
                {
                    let members = group.members();
                    let handle = if members.len() == 1 {
                        members.first()
                    } else {
                        members.get(member)
                    };
                    *slot = handle.cloned().map(Value::Workspace);
                } else if property.direction == Direction::Out
                    && property.kind.is_workspace()
                    && let Some(Value::Str(name)) = slot
                {
                    // In place over a group: each member keeps its name.
                    let same = whole
                        .inputs
                        .iter()
                        .flatten()
                        .find(|h| h.is_group() && h.name() == *name);
                    *name = match same.and_then(|group| group.member_names().get(member).cloned()) {
                        Some(held) => held,
                        None => format!("{name}_{}", member + 1),
                    };
                }
            }
            for (name, value) in run.execute(service, cancel)?.values {
                if let Value::Workspace(handle) = value {
                    match results.iter_mut().find(|(known, _)| *known == name) {
                        Some((_, handles)) => handles.push(handle),
                        None => results.push((name, vec![handle])),
                    }
                }
            }
        }
        let mut outputs = Outputs::default();
        for (name, handles) in results {
            let group = Workspace::Group(WorkspaceGroup::new(handles));
            let handle = match self.property(name)?.to_str()? {
                stored if self.stored && !stored.is_empty() => {
                    let inputs: Vec<Handle> = whole.inputs.iter().flatten().cloned().collect();
                    service.data.publish(&stored, group, &inputs)?
                }
                _ => WorkspaceCell::new("", group),
            };
            outputs.values.push((name, Value::Workspace(handle)));
        }
        Ok(outputs)
    }
}

/// What an algorithm sees while it executes.
pub(crate) struct Context<'a> {
    run: &'a AlgorithmRun,
    /// What algorithms reach besides their properties.
    pub service: &'a Service,
    /// Raised when the execution has to stop.
    pub cancel: &'a Cancel,
    inputs: Vec<Option<Handle>>,
    outputs: Vec<Option<Value>>,
    workspaces: Vec<Option<Workspace>>,
    changed: Vec<(Handle, Workspace)>,
}

impl<'a> Context<'a> {
    fn new(run: &'a AlgorithmRun, service: &'a Service, cancel: &'a Cancel) -> Self {
        let count = run.given.len();
        Self {
            run,
            service,
            cancel,
            inputs: vec![None; count],
            outputs: vec![None; count],
            workspaces: (0..count).map(|_| None).collect(),
            changed: Vec::new(),
        }
    }

    /// Looks up the workspaces that were given, by handle or name, and checks that all that is mandatory is there.
    fn resolve_inputs(&mut self) -> Result<()> {
        let declaration = self.run.declaration().clone();
        let mut problems = Vec::new();
        for (index, property) in declaration.properties.iter().enumerate() {
            let value = self.run.given.get(index).cloned().flatten();
            let stored_output = property.direction == Direction::Out && property.kind.is_workspace();
            if stored_output {
                let named = matches!(&value, Some(Value::Str(name)) if !name.is_empty());
                let named = named || matches!(&value, Some(Value::Workspace(_)));
                if property.mandatory && self.run.stored && !named {
                    problems.push(format!("{}: Enter a name for the Output workspace", property.name));
                }
                continue;
            }
            let empty = match &value {
                None => true,
                Some(Value::Str(text)) => text.is_empty(),
                Some(Value::Floats(items)) => items.is_empty() && property.mandatory,
                Some(Value::Ints(items)) => items.is_empty() && property.mandatory,
                Some(Value::Strs(items)) => items.is_empty() && property.mandatory,
                Some(Value::Workspaces(items)) => items.is_empty() && property.mandatory,
                _ => false,
            };
            if empty && property.mandatory && property.default.is_none() {
                problems.push(match property.kind.is_workspace() {
                    true => format!("{}: Enter a name for the Input/InOut workspace", property.name),
                    false => format!("{}: A value must be entered for this parameter", property.name),
                });
                continue;
            }
            if !property.kind.is_workspace() || empty {
                continue;
            }
            let handle = match value {
                Some(Value::Workspace(handle)) => handle,
                Some(Value::Str(name)) => match self.service.data.get(&name) {
                    Some(handle) => handle,
                    None => {
                        return invalid(format!(
                            "Problem setting \"{}\" in {}-v{}: Workspace \"{name}\" was not found in the Analysis Data Service",
                            property.name, declaration.name, declaration.version
                        ));
                    }
                },
                _ => continue,
            };
            let group = handle.is_group();
            if property.kind == Kind::Group && !group {
                problems.push(format!(
                    "{}: Workspace {} is not a WorkspaceGroup",
                    property.name,
                    handle.name()
                ));
            } else if property.kind == Kind::Matrix && group && !self.run.registered.algorithm.by_member() {
                problems.push(format!(
                    "{}: Workspace {} is not of the correct type",
                    property.name,
                    handle.name()
                ));
            }
            if let Some(slot) = self.inputs.get_mut(index) {
                *slot = Some(handle);
            }
        }
        refuse(problems)
    }

    /// The number of members to process one by one, when a group was given where one workspace is taken.
    fn group_size(&self) -> Result<Option<usize>> {
        let mut size = None;
        for (handle, property) in self.inputs.iter().zip(&self.run.declaration().properties) {
            let Some(handle) = handle else { continue };
            if !handle.is_group() || property.kind == Kind::Group {
                continue;
            }
            let count = handle.members().len();
            if count == 0 {
                return failed(format!("the group {} is empty", handle.name()));
            }
            match size {
                Some(known) if known != count && known != 1 && count != 1 => {
                    return failed("Input WorkspaceGroups are not of the same size.");
                }
                Some(known) => size = Some(count.max(known)),
                None => size = Some(count),
            }
        }
        Ok(size)
    }

    fn check(&self, algorithm: &dyn Algorithm) -> Result<()> {
        let problems = algorithm.cross_check(self);
        refuse(
            problems
                .into_iter()
                .map(|(name, text)| format!("{name}: {text}"))
                .collect(),
        )
    }

    fn index(&self, name: &str) -> Result<usize> {
        let declaration = self.run.declaration();
        declaration
            .index_of(name)
            .ok_or_else(|| AlgorithmError::Execution(format!("{} has no property {name}", declaration.name)))
    }

    /// Whether the algorithm has a property of this name.
    pub fn declares(&self, name: &str) -> bool {
        self.run.declaration().index_of(name).is_some()
    }

    /// The name of the algorithm.
    pub fn algorithm(&self) -> &'static str {
        self.run.declaration().name
    }

    /// The value of a property: what was given, or the default.
    pub fn value(&self, name: &str) -> Result<Value> {
        self.run.property(name)
    }

    /// Whether a value was given for a property.
    pub fn given(&self, name: &str) -> bool {
        !self.run.is_default(name)
    }

    /// A truth value.
    pub fn bool(&self, name: &str) -> Result<bool> {
        self.value(name)?.to_bool()
    }

    /// A number that was given or has a default.
    pub fn float(&self, name: &str) -> Result<f64> {
        match self.value(name)? {
            Value::None => invalid(format!("{name}: a number must be given")),
            value => value.to_float(),
        }
    }

    /// A number, if one was given or is the default. The number that stands for "empty" counts as none.
    pub fn opt_float(&self, name: &str) -> Result<Option<f64>> {
        match self.value(name)? {
            Value::None => Ok(None),
            value => Ok(Some(value.to_float()?).filter(|v| *v != EMPTY_FLOAT)),
        }
    }

    /// A whole number, if one was given or is the default. The number that stands for "empty" counts as none.
    pub fn opt_int(&self, name: &str) -> Result<Option<i64>> {
        match self.value(name)? {
            Value::None => Ok(None),
            value => Ok(Some(value.to_int()?).filter(|v| *v != EMPTY_INT)),
        }
    }

    /// A text, empty when none was given.
    pub fn str(&self, name: &str) -> Result<String> {
        self.value(name)?.to_str()
    }

    /// Whole numbers, none when none were given.
    pub fn ints(&self, name: &str) -> Result<Vec<i64>> {
        self.value(name)?.to_ints()
    }

    /// Numbers, none when none were given.
    pub fn floats(&self, name: &str) -> Result<Vec<f64>> {
        self.value(name)?.to_floats()
    }

    /// The workspace given for a property, if one was.
    pub fn opt_handle(&self, name: &str) -> Result<Option<Handle>> {
        let index = self.index(name)?;
        Ok(self.inputs.get(index).cloned().flatten())
    }

    /// The workspace given for a property.
    pub fn handle(&self, name: &str) -> Result<Handle> {
        match self.opt_handle(name)? {
            Some(handle) => Ok(handle),
            None => failed(format!("{name}: no workspace was given")),
        }
    }

    /// The workspace of spectra given for a property, as a value that shares its data.
    pub fn matrix(&self, name: &str) -> Result<MatrixWorkspace> {
        self.handle(name)?.matrix()
    }

    /// The workspace of spectra given for a property, if one was.
    pub fn opt_matrix(&self, name: &str) -> Result<Option<MatrixWorkspace>> {
        self.opt_handle(name)?.map(|handle| handle.matrix()).transpose()
    }

    /// The workspaces of a list, looked up by name.
    pub fn handles(&self, name: &str) -> Result<Vec<Handle>> {
        match self.value(name)? {
            Value::Workspaces(handles) => Ok(handles),
            other => other
                .to_strs()?
                .iter()
                .map(|name| self.service.data.retrieve(name))
                .collect(),
        }
    }

    /// Sets an output workspace.
    pub fn output(&mut self, name: &str, workspace: impl Into<Workspace>) -> Result<()> {
        let index = self.index(name)?;
        if let Some(slot) = self.workspaces.get_mut(index) {
            *slot = Some(workspace.into());
        }
        Ok(())
    }

    /// Sets an output that is not a workspace.
    pub fn output_value(&mut self, name: &str, value: Value) -> Result<()> {
        let index = self.index(name)?;
        if let Some(slot) = self.outputs.get_mut(index) {
            *slot = Some(value);
        }
        Ok(())
    }

    /// Changes an InOut workspace of spectra. The change is stored when the execution succeeds.
    pub fn change(&mut self, name: &str, workspace: impl Into<Workspace>) -> Result<()> {
        let handle = self.handle(name)?;
        self.changed.push((handle, workspace.into()));
        Ok(())
    }

    /// Fails when the execution has to stop.
    pub fn check_cancelled(&self) -> Result<()> {
        if self.cancel.is_cancelled() {
            Err(AlgorithmError::Cancelled)
        } else {
            Ok(())
        }
    }

    /// Writes a line of log.
    pub fn log(&self, level: Level, text: &str) {
        if self.run.logged {
            self.service.logger.log(level, self.algorithm(), text);
        }
    }

    fn store(mut self, seconds: f64) -> Result<Outputs> {
        let declaration = self.run.declaration().clone();
        let records = self.run.registered.algorithm.records_history() && self.run.stored;
        let entry = records.then(|| Arc::new(self.history_entry(&declaration, seconds)));
        let inputs: Vec<Handle> = self.inputs.iter().flatten().cloned().collect();
        for (handle, mut workspace) in std::mem::take(&mut self.changed) {
            workspace.record(entry.as_ref());
            handle.replace_raw(workspace);
        }
        let mut outputs = Outputs::default();
        for (index, property) in declaration.properties.iter().enumerate() {
            if property.direction != Direction::Out {
                continue;
            }
            if let Some(mut workspace) = self.workspaces.get_mut(index).and_then(Option::take) {
                workspace.record(entry.as_ref());
                let name = self.run.property(property.name)?.to_str()?;
                let handle = if self.run.stored && !name.is_empty() {
                    self.service.data.publish(&name, workspace, &inputs)?
                } else {
                    WorkspaceCell::new("", workspace)
                };
                outputs.values.push((property.name, Value::Workspace(handle)));
            } else if let Some(value) = self.outputs.get_mut(index).and_then(Option::take) {
                outputs.values.push((property.name, value));
            }
        }
        Ok(outputs)
    }

    fn history_entry(&self, declaration: &Declaration, seconds: f64) -> HistoryEntry {
        let properties = declaration.properties.iter().map(|property| {
            let value = self.run.property(property.name).unwrap_or_default();
            let mut text = value.to_text();
            if text.is_empty() && property.kind.is_workspace() && !value.is_none() {
                text = "__TMP".to_owned();
            }
            (property.name.to_owned(), text, self.run.is_default(property.name))
        });
        HistoryEntry {
            name: declaration.name.to_owned(),
            version: declaration.version,
            time: DateAndTime::now(),
            seconds,
            properties: properties.collect(),
        }
    }
}

fn refuse(problems: Vec<String>) -> Result<()> {
    if problems.is_empty() {
        return Ok(());
    }
    failed(format!("Some invalid Properties found: \n {}", problems.join("\n ")))
}

/// The whole number that stands for "none given" in scripts.
pub const EMPTY_INT: i64 = i32::MAX as i64;
/// The number that stands for "none given" in scripts.
pub const EMPTY_FLOAT: f64 = 8.988_465_674_311_579e307;
