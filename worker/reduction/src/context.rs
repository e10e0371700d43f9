//! Context of one execution: properties, input workspaces, outputs and services. Promises: nothing in the data service
//! changes until [`Context::store`]. Error texts have no `Problem setting …` or `<Alg>-v1:` prefix: the caller that shows
//! them adds it. Must not: know algorithms.

use std::sync::Arc;

use live_data_engine::cancel::Cancel;

use crate::date_and_time::DateAndTime;
use crate::declaration::{Declaration, Property, PropertyDirection, PropertyKind};
use crate::error::{AlgorithmError, Result, failed, invalid};
use crate::outputs::Outputs;
use crate::property_values::PropertyValues;
use crate::service::{LogLevel, Services};
use crate::value::Value;
use crate::workspace::history::{AlgorithmHistory, PropertyHistory};
use crate::workspace::{MatrixWorkspace, Workspace, WorkspaceCell, WorkspaceHandle};

/// Options of an execution that are not properties.
#[derive(Clone, Copy)]
pub(crate) struct ExecutionOptions {
    /// Outputs with a name enter the data service.
    pub stored: bool,
    /// Log messages reach the logger.
    pub logged: bool,
    /// See [`crate::algorithm::Algorithm::by_member`].
    pub by_member: bool,
    /// See [`crate::algorithm::Algorithm::records_history`].
    pub records_history: bool,
}

/// Properties, inputs and outputs of one execution, as the algorithm reads and sets them.
pub(crate) struct Context<'a> {
    properties: &'a PropertyValues,
    options: ExecutionOptions,
    pub services: &'a Services,
    /// Raised when the execution has to stop; long loops check it.
    pub cancel: &'a Cancel,
    /// Input workspaces in the declaration's order.
    pub(crate) inputs: Vec<Option<WorkspaceHandle>>,
    outputs: Vec<Option<Value>>,
    workspaces: Vec<Option<Workspace>>,
    changed: Vec<(WorkspaceHandle, Workspace)>,
}

impl<'a> Context<'a> {
    pub(crate) fn new(
        properties: &'a PropertyValues,
        options: ExecutionOptions,
        services: &'a Services,
        cancel: &'a Cancel,
    ) -> Self {
        let count = properties.values.len();
        Self {
            properties,
            options,
            services,
            cancel,
            inputs: vec![None; count],
            outputs: vec![None; count],
            workspaces: (0..count).map(|_| None).collect(),
            changed: Vec::new(),
        }
    }

    /// Looks up the input workspaces by handle or name and requires every mandatory property.
    ///
    /// # Errors
    /// `InvalidArgument` for a name that the data service does not hold; `Execution` with every other problem at once.
    pub(crate) fn resolve_inputs(&mut self) -> Result<()> {
        let declaration = self.properties.declaration.clone();
        let mut problems = Vec::new();
        for (index, property) in declaration.properties.iter().enumerate() {
            let value = self.properties.values.get(index).cloned().flatten();
            if property.direction == PropertyDirection::Out && property.kind.is_workspace() {
                if property.mandatory && self.options.stored && !names_a_workspace(value.as_ref()) {
                    problems.push(format!("{}: Enter a name for the Output workspace", property.name));
                }
                continue;
            }
            let empty = is_empty(value.as_ref(), property.mandatory);
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
                Some(Value::Str(name)) => match self.services.data.get(&name) {
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
            problems.extend(self.type_problem(property, &handle));
            if let Some(input) = self.inputs.get_mut(index) {
                *input = Some(handle);
            }
        }
        refuse(problems)
    }

    /// Sentence about an input workspace of the wrong type; `None` when it fits.
    fn type_problem(&self, property: &Property, handle: &WorkspaceHandle) -> Option<String> {
        let expected = match (property.kind, handle.is_group()) {
            (PropertyKind::Group, false) => "a WorkspaceGroup",
            (PropertyKind::Matrix, true) if !self.options.by_member => "of the correct type",
            _ => return None,
        };
        Some(format!(
            "{}: Workspace {} is not {expected}",
            property.name,
            handle.name()
        ))
    }

    /// Number of members when a group was given where one workspace is expected; `None` without such a group.
    ///
    /// # Errors
    /// `Execution` for an empty group, or groups of different sizes above 1.
    pub(crate) fn group_size(&self) -> Result<Option<usize>> {
        let mut size = None;
        for (handle, property) in self.inputs.iter().zip(&self.properties.declaration.properties) {
            let Some(handle) = handle else { continue };
            if !handle.is_group() || property.kind == PropertyKind::Group {
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

    fn index(&self, name: &str) -> Result<usize> {
        let declaration = &self.properties.declaration;
        declaration
            .index_of(name)
            .ok_or_else(|| AlgorithmError::Execution(format!("{} has no property {name}", declaration.name)))
    }

    /// True if the algorithm has a property `name`, letter case ignored.
    pub fn declares(&self, name: &str) -> bool {
        self.properties.declaration.index_of(name).is_some()
    }

    /// Name of the algorithm, the source of its log messages.
    pub fn algorithm(&self) -> &'static str {
        self.properties.declaration.name
    }

    /// Value of a property, or its default.
    ///
    /// # Errors
    /// `Execution` for an undeclared property.
    pub fn value(&self, name: &str) -> Result<Value> {
        self.properties.get(name)
    }

    /// True if the caller has set the property.
    pub fn given(&self, name: &str) -> bool {
        !self.properties.is_default(name)
    }

    /// Value of a boolean property, also of a text or a number that stands for one.
    ///
    /// # Errors
    /// `Execution` for an undeclared property; those of [`Value::to_bool`].
    pub fn bool(&self, name: &str) -> Result<bool> {
        self.value(name)?.to_bool()
    }

    /// Value of a number property, in the property's unit.
    ///
    /// # Errors
    /// `Execution` for an undeclared property; `InvalidArgument` without value and default; those of [`Value::to_float`].
    pub fn float(&self, name: &str) -> Result<f64> {
        match self.value(name)? {
            Value::None => invalid(format!("{name}: a number must be given")),
            value => value.to_float(),
        }
    }

    /// Value of an optional number property; [`EMPTY_FLOAT`] counts as none.
    ///
    /// # Errors
    /// `Execution` for an undeclared property; those of [`Value::to_float`].
    pub fn opt_float(&self, name: &str) -> Result<Option<f64>> {
        match self.value(name)? {
            Value::None => Ok(None),
            value => Ok(Some(value.to_float()?).filter(|v| *v != EMPTY_FLOAT)),
        }
    }

    /// Value of an optional integer property; [`EMPTY_INT`] counts as none.
    ///
    /// # Errors
    /// `Execution` for an undeclared property; those of [`Value::to_int`].
    pub fn opt_int(&self, name: &str) -> Result<Option<i64>> {
        match self.value(name)? {
            Value::None => Ok(None),
            value => Ok(Some(value.to_int()?).filter(|v| *v != EMPTY_INT)),
        }
    }

    /// Value of a text property, empty when unset.
    ///
    /// # Errors
    /// `Execution` for an undeclared property; those of [`Value::to_str`].
    pub fn str(&self, name: &str) -> Result<String> {
        self.value(name)?.to_str()
    }

    /// Values of an integer list property, empty when unset.
    ///
    /// # Errors
    /// `Execution` for an undeclared property; those of [`Value::to_ints`].
    pub fn ints(&self, name: &str) -> Result<Vec<i64>> {
        self.value(name)?.to_ints()
    }

    /// Values of a number list property, empty when unset.
    ///
    /// # Errors
    /// `Execution` for an undeclared property; those of [`Value::to_floats`].
    pub fn floats(&self, name: &str) -> Result<Vec<f64>> {
        self.value(name)?.to_floats()
    }

    /// Input workspace of a property, if set.
    ///
    /// # Errors
    /// `Execution` for an undeclared property.
    pub fn opt_handle(&self, name: &str) -> Result<Option<WorkspaceHandle>> {
        let index = self.index(name)?;
        Ok(self.inputs.get(index).cloned().flatten())
    }

    /// Input workspace that a property names or holds.
    ///
    /// # Errors
    /// `Execution` for an undeclared or unset property.
    pub fn handle(&self, name: &str) -> Result<WorkspaceHandle> {
        match self.opt_handle(name)? {
            Some(handle) => Ok(handle),
            None => failed(format!("{name}: no workspace was given")),
        }
    }

    /// Input workspace of spectra, as a value that shares its data.
    ///
    /// # Errors
    /// As [`Self::handle`]; `Execution` for a group or table.
    pub fn matrix(&self, name: &str) -> Result<MatrixWorkspace> {
        self.handle(name)?.matrix()
    }

    /// Input workspace of spectra, if set.
    ///
    /// # Errors
    /// `Execution` for an undeclared property, a group or a table.
    pub fn opt_matrix(&self, name: &str) -> Result<Option<MatrixWorkspace>> {
        self.opt_handle(name)?.map(|handle| handle.matrix()).transpose()
    }

    /// Workspaces of a list property, in the order of the list.
    ///
    /// # Errors
    /// `Execution` for an undeclared property; `NotFound` for a name that the data service does not hold.
    pub fn handles(&self, name: &str) -> Result<Vec<WorkspaceHandle>> {
        match self.value(name)? {
            Value::Workspaces(handles) => Ok(handles),
            other => other
                .to_strs()?
                .iter()
                .map(|name| self.services.data.retrieve(name))
                .collect(),
        }
    }

    /// Sets an output workspace, stored when the execution succeeds.
    ///
    /// # Errors
    /// `Execution` for an undeclared property.
    pub fn output(&mut self, name: &str, workspace: impl Into<Workspace>) -> Result<()> {
        let index = self.index(name)?;
        if let Some(slot) = self.workspaces.get_mut(index) {
            *slot = Some(workspace.into());
        }
        Ok(())
    }

    /// Sets an output that is a plain value, such as a number.
    ///
    /// # Errors
    /// `Execution` for an undeclared property.
    pub fn output_value(&mut self, name: &str, value: Value) -> Result<()> {
        let index = self.index(name)?;
        if let Some(slot) = self.outputs.get_mut(index) {
            *slot = Some(value);
        }
        Ok(())
    }

    /// Replaces the content of an `InOut` workspace when the execution succeeds.
    ///
    /// # Errors
    /// `Execution` for an undeclared or unset property.
    pub fn change(&mut self, name: &str, workspace: impl Into<Workspace>) -> Result<()> {
        let handle = self.handle(name)?;
        self.changed.push((handle, workspace.into()));
        Ok(())
    }

    /// Check for long loops, at the cost of one atomic load.
    ///
    /// # Errors
    /// `Cancelled` once the execution has to stop.
    pub fn check_cancelled(&self) -> Result<()> {
        if self.cancel.is_cancelled() {
            Err(AlgorithmError::Cancelled)
        } else {
            Ok(())
        }
    }

    /// Sends one message to the logger, unless logging is disabled for this execution.
    pub fn log(&self, level: LogLevel, text: &str) {
        if self.options.logged {
            self.services.logger.log(level, self.algorithm(), text);
        }
    }

    /// Stores changed and output workspaces with their history entry; `seconds` is the time of the execution.
    pub(crate) fn store(mut self, seconds: f64) -> Result<Outputs> {
        let declaration = self.properties.declaration.clone();
        let records = self.options.records_history && self.options.stored;
        let entry = records.then(|| Arc::new(self.history_entry(&declaration, seconds)));
        let inputs: Vec<WorkspaceHandle> = self.inputs.iter().flatten().cloned().collect();
        for (handle, mut workspace) in std::mem::take(&mut self.changed) {
            workspace.record(entry.as_ref());
            handle.replace_raw(workspace);
        }
        let mut outputs = Outputs::default();
        for (index, property) in declaration.properties.iter().enumerate() {
            if property.direction != PropertyDirection::Out {
                continue;
            }
            if let Some(mut workspace) = self.workspaces.get_mut(index).and_then(Option::take) {
                workspace.record(entry.as_ref());
                let name = self.properties.get(property.name)?.to_str()?;
                let handle = if self.options.stored && !name.is_empty() {
                    self.services.data.publish(&name, workspace, &inputs)?
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

    fn history_entry(&self, declaration: &Declaration, seconds: f64) -> AlgorithmHistory {
        let properties = declaration.properties.iter().map(|property| {
            let value = self.properties.get(property.name).unwrap_or_default();
            let mut text = value.to_text();
            if text.is_empty() && property.kind.is_workspace() && !value.is_none() {
                text = "__TMP".to_owned();
            }
            PropertyHistory {
                name: property.name.to_owned(),
                value: text,
                is_default: self.properties.is_default(property.name),
            }
        });
        AlgorithmHistory {
            name: declaration.name.to_owned(),
            version: declaration.version,
            time: DateAndTime::now(),
            seconds,
            properties: properties.collect(),
        }
    }
}

/// True for an output property with a name or a workspace.
fn names_a_workspace(value: Option<&Value>) -> bool {
    match value {
        Some(Value::Str(name)) => !name.is_empty(),
        Some(Value::Workspace(_)) => true,
        _ => false,
    }
}

/// True for an unset property, an empty text, and, where a value is mandatory, an empty list.
fn is_empty(value: Option<&Value>, mandatory: bool) -> bool {
    match value {
        None => true,
        Some(Value::Str(text)) => text.is_empty(),
        Some(Value::Floats(items)) => mandatory && items.is_empty(),
        Some(Value::Ints(items)) => mandatory && items.is_empty(),
        Some(Value::Strs(items)) => mandatory && items.is_empty(),
        Some(Value::Workspaces(items)) => mandatory && items.is_empty(),
        _ => false,
    }
}

/// `Execution` that lists all problems; `Ok` without any.
pub(crate) fn refuse(problems: Vec<String>) -> Result<()> {
    if problems.is_empty() {
        return Ok(());
    }
    failed(format!("Some invalid Properties found: \n {}", problems.join("\n ")))
}

/// Integer that scripts pass for "unset": Mantid's `EMPTY_INT()`.
pub const EMPTY_INT: i64 = i32::MAX as i64;
/// Number that scripts pass for "unset": Mantid's `EMPTY_DBL()`, half the largest double.
pub const EMPTY_FLOAT: f64 = 8.988_465_674_311_579e307;
