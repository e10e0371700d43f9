//! Execution of algorithms: property values, checks, execution and storing of outputs. Promises: nothing in the data
//! service changes when an execution fails; a panic in an algorithm becomes an error; groups are processed member by
//! member. Must not: know Python.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use live_data_engine::cancel::Cancel;

use crate::algorithm::Algorithm;
use crate::context::{Context, ExecutionOptions, refuse};
use crate::declaration::{Declaration, PropertyDirection};
use crate::error::{AlgorithmError, Result, failed};
use crate::outputs::Outputs;
use crate::property_values::PropertyValues;
use crate::registry;
use crate::service::Services;
use crate::value::Value;
use crate::workspace::{Workspace, WorkspaceCell, WorkspaceGroup, WorkspaceHandle};

/// Algorithm with its property values, ready to be executed any number of times.
#[derive(Clone)]
pub struct AlgorithmRun {
    algorithm: &'static dyn Algorithm,
    properties: PropertyValues,
    stored: bool,
    logged: bool,
}

impl AlgorithmRun {
    /// Run of a registered algorithm; the newest version when none is given.
    ///
    /// # Errors
    /// `Execution` for an unknown algorithm or version, with a remedy.
    pub fn create(name: &str, version: Option<u32>) -> Result<Self> {
        let Some(registered) = registry::find(name, version) else {
            return failed(match (registry::find(name, None), version) {
                (Some(_), Some(version)) => format!("{name} has no version {version} in the native engine"),
                _ => registry::missing_algorithm_message(name),
            });
        };
        Ok(Self {
            algorithm: registered.algorithm,
            properties: PropertyValues::new(registered.declaration),
            stored: true,
            logged: true,
        })
    }

    /// Declaration of the algorithm, shared with the registry.
    pub fn declaration(&self) -> &Arc<Declaration> {
        &self.properties.declaration
    }

    /// With `false`, outputs stay outside the data service; otherwise named outputs enter it.
    pub fn store_in_data_service(&mut self, stored: bool) {
        self.stored = stored;
    }

    /// With `false`, the algorithm's log messages are dropped.
    pub fn enable_logging(&mut self, logged: bool) {
        self.logged = logged;
    }

    /// Sets a property, converted to its type; `Value::None` leaves it unchanged.
    ///
    /// # Errors
    /// `Type` for an unknown property or a value of another type; `InvalidArgument` when the validator refuses it.
    pub fn set_property(&mut self, name: &str, value: Value) -> Result<()> {
        self.properties.set(name, value)
    }

    /// Value of a property, or its default.
    ///
    /// # Errors
    /// `Execution` for an unknown property.
    pub fn property(&self, name: &str) -> Result<Value> {
        self.properties.get(name)
    }

    /// True while no value was set, also for an unknown property.
    pub fn is_default(&self, name: &str) -> bool {
        self.properties.is_default(name)
    }

    /// Executes the algorithm; nothing in the data service changes when it fails.
    ///
    /// Must be called detached from the Python interpreter: copying rows that Python may write attaches to it.
    ///
    /// # Errors
    /// The algorithm's own; `Execution` for a panic inside it; `Cancelled`.
    pub fn execute(&self, services: &Services, cancel: &Cancel) -> Result<Outputs> {
        let name = self.properties.declaration.name;
        let done = catch_unwind(AssertUnwindSafe(|| self.execute_inner(services, cancel)));
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

    fn execute_inner(&self, services: &Services, cancel: &Cancel) -> Result<Outputs> {
        let started = std::time::Instant::now();
        let mut context = Context::new(&self.properties, self.options(), services, cancel);
        context.resolve_inputs()?;
        if self.algorithm.by_member()
            && let Some(count) = context.group_size()?
        {
            return self.execute_members(services, cancel, &context, count);
        }
        let problems = self.algorithm.cross_check(&context).into_iter();
        refuse(problems.map(|(name, text)| format!("{name}: {text}")).collect())?;
        self.algorithm.exec(&mut context)?;
        if cancel.is_cancelled() {
            return Err(AlgorithmError::Cancelled);
        }
        context.store(started.elapsed().as_secs_f64())
    }

    /// Run of this algorithm for one member of the input groups.
    fn member_run(&self, whole: &Context<'_>, member: usize) -> Self {
        let declaration = &self.properties.declaration;
        let mut run = self.clone();
        for (index, property) in declaration.properties.iter().enumerate() {
            let Some(slot) = run.properties.values.get_mut(index) else {
                continue;
            };
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
            } else if property.direction == PropertyDirection::Out
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
                    Some(member_name) => member_name,
                    None => format!("{name}_{}", member + 1),
                };
            }
        }
        run
    }

    fn options(&self) -> ExecutionOptions {
        ExecutionOptions {
            stored: self.stored,
            logged: self.logged,
            by_member: self.algorithm.by_member(),
            records_history: self.algorithm.records_history(),
        }
    }

    /// Executes once for every member of the input groups, and groups the outputs.
    fn execute_members(
        &self,
        services: &Services,
        cancel: &Cancel,
        whole: &Context<'_>,
        count: usize,
    ) -> Result<Outputs> {
        let mut results: Vec<(&'static str, Vec<WorkspaceHandle>)> = Vec::new();
        for member in 0..count {
            let run = self.member_run(whole, member);
            for (name, value) in run.execute(services, cancel)?.values {
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
                    let inputs: Vec<WorkspaceHandle> = whole.inputs.iter().flatten().cloned().collect();
                    services.data.publish(&stored, group, &inputs)?
                }
                _ => WorkspaceCell::new("", group),
            };
            outputs.values.push((name, Value::Workspace(handle)));
        }
        Ok(outputs)
    }
}
