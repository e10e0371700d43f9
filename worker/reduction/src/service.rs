//! What algorithms reach besides their properties: the data service, the configuration, the logger and
//! instruments. Promises: names are found without regard to case, and groups follow what is removed or replaced;
//! must not know Python, Kafka or HTTP.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use parking_lot::RwLock;

use crate::error::{AlgorithmError, Result, failed};
use crate::instrument::source::InstrumentSource;
use crate::live::LiveSlot;
use crate::workspace::{Handle, Workspace, WorkspaceCell};

/// The named workspaces.
#[derive(Default)]
pub struct DataService {
    /// By name in lower case, each with the name as it was given: a workspace may be there under several.
    names: RwLock<BTreeMap<String, (String, Handle)>>,
}

impl DataService {
    /// An empty service.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a workspace under a name that is not yet used.
    ///
    /// # Errors
    /// When the name is empty or used already.
    pub fn add(&self, name: &str, handle: Handle) -> Result<()> {
        check_name(name)?;
        if self.contains(name) {
            return failed(format!("Unable to insert Data Object : '{name}' already exists"));
        }
        self.add_or_replace(name, handle)
    }

    /// Puts a workspace under a name, in place of one that may be there. Groups that held the former hold the new one, but
    /// for those that are in the new one: no group ever holds itself. A member of a group's own name gets another.
    ///
    /// # Errors
    /// When the name is empty.
    pub fn add_or_replace(&self, name: &str, handle: Handle) -> Result<()> {
        check_name(name)?;
        handle.set_name(name);
        let members = handle.members();
        for member in members.iter().filter(|member| member.name().eq_ignore_ascii_case(name)) {
            member.set_name("");
        }
        let held = (name.to_owned(), handle.clone());
        let old = self.names.write().insert(name.to_lowercase(), held);
        if let Some((_, old)) = old.filter(|(_, old)| !Arc::ptr_eq(old, &handle)) {
            self.replace_in_groups(&old, Some(&handle));
        }
        for (index, member) in members.iter().enumerate() {
            if member.name().is_empty() {
                self.add_or_replace(&format!("{name}_{}", index + 1), member.clone())?;
            } else if !self.get(&member.name()).is_some_and(|held| Arc::ptr_eq(&held, member)) {
                self.add_or_replace(&member.name(), member.clone())?;
            }
        }
        Ok(())
    }

    /// The workspace of this name.
    ///
    /// # Errors
    /// `NotFound` when there is none.
    pub fn retrieve(&self, name: &str) -> Result<Handle> {
        self.get(name).ok_or_else(|| {
            AlgorithmError::NotFound(format!(
                "Unable to find Data Object type with name '{name}': data service"
            ))
        })
    }

    /// The workspace of this name, if there is one.
    pub fn get(&self, name: &str) -> Option<Handle> {
        self.names
            .read()
            .get(&name.to_lowercase())
            .map(|(_, held)| held.clone())
    }

    /// Whether there is a workspace of this name.
    pub fn contains(&self, name: &str) -> bool {
        self.names.read().contains_key(&name.to_lowercase())
    }

    /// Removes a workspace; also from groups that hold it. Returns it, if there was one.
    pub fn remove(&self, name: &str) -> Option<Handle> {
        let (_, removed) = self.names.write().remove(&name.to_lowercase())?;
        self.replace_in_groups(&removed, None);
        Some(removed)
    }

    /// Removes a workspace and, if it is a group, its members.
    pub fn remove_deep(&self, name: &str) -> Option<Handle> {
        let removed = self.remove(name)?;
        for member in removed.members() {
            self.remove_deep(&member.name());
        }
        Some(removed)
    }

    /// Gives a workspace another name, replacing what is there.
    ///
    /// # Errors
    /// When there is no workspace of the old name, or the new one is empty.
    pub fn rename(&self, old: &str, new: &str) -> Result<()> {
        check_name(new)?;
        let handle = self.retrieve(old)?;
        {
            let mut names = self.names.write();
            names.remove(&old.to_lowercase());
        }
        self.add_or_replace(new, handle)
    }

    /// Removes everything.
    pub fn clear(&self) {
        self.names.write().clear();
    }

    /// The number of workspaces.
    pub fn len(&self) -> usize {
        self.names.read().len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.names.read().is_empty()
    }

    /// The names, in order.
    pub fn object_names(&self) -> Vec<String> {
        let mut names: Vec<String> = self.names.read().values().map(|(name, _)| name.clone()).collect();
        names.sort();
        names
    }

    /// A name of at least `length` characters that is not used.
    pub fn unique_name(&self, length: usize, prefix: &str, suffix: &str) -> String {
        for counter in 0_u64.. {
            let digits = format!("{counter:0width$}", width = length.clamp(1, 64));
            let name = format!("{prefix}{digits}{suffix}");
            if !self.contains(&name) {
                return name;
            }
        }
        format!("{prefix}{suffix}")
    }

    fn replace_in_groups(&self, old: &Handle, new: Option<&Handle>) {
        let names = self.names.read();
        let held = names.values().map(|(_, held)| held);
        let groups: Vec<Handle> = held.filter(|held| held.is_group()).cloned().collect();
        drop(names);
        for group in groups {
            if !new.is_some_and(|new| reaches(new, &group)) {
                group.replace_member(old, new);
            }
        }
    }

    /// Puts a workspace under a name: into the cell that is there when that cell is among `inputs` (so that handles
    /// to it see the change, as they do when Mantid works in place), otherwise as a new cell. Returns the cell.
    pub(crate) fn publish(&self, name: &str, workspace: Workspace, inputs: &[Handle]) -> Result<Handle> {
        if let Some(held) = self.get(name)
            && inputs.iter().any(|input| Arc::ptr_eq(input, &held))
            && !members(&workspace).iter().any(|member| reaches(member, &held))
        {
            held.replace(workspace);
            self.add_or_replace(name, held.clone())?;
            return Ok(held);
        }
        let handle = WorkspaceCell::new(name, workspace);
        self.add_or_replace(name, handle.clone())?;
        Ok(handle)
    }
}

/// The members, where it is a group.
fn members(workspace: &Workspace) -> &[Handle] {
    match workspace {
        Workspace::Group(group) => group.members(),
        Workspace::Matrix(_) | Workspace::Table(_) => &[],
    }
}

/// Whether a cell is another, or holds it at any depth.
fn reaches(from: &Handle, to: &Handle) -> bool {
    Arc::ptr_eq(from, to) || from.members().iter().any(|member| reaches(member, to))
}

fn check_name(name: &str) -> Result<()> {
    if name.trim().is_empty() {
        return failed("Add Data Object with empty name: give the workspace a name");
    }
    Ok(())
}

/// The configuration keys, as scripts read and set them.
pub struct Config {
    keys: RwLock<BTreeMap<String, String>>,
}

impl Default for Config {
    fn default() -> Self {
        let defaults = [
            ("defaultsave.directory", ""),
            ("datasearch.directories", ""),
            ("datasearch.searcharchive", "off"),
            ("default.facility", "ISIS"),
            ("default.instrument", ""),
            ("instrumentDefinition.directory", ""),
            ("logging.loggers.root.level", "notice"),
        ];
        Self {
            keys: RwLock::new(
                defaults
                    .into_iter()
                    .map(|(k, v)| (k.to_owned(), v.to_owned()))
                    .collect(),
            ),
        }
    }
}

impl Config {
    /// The configuration with its defaults.
    pub fn new() -> Self {
        Self::default()
    }

    /// The value of a key, if it is set.
    pub fn get(&self, key: &str) -> Option<String> {
        self.keys.read().get(key).cloned()
    }

    /// Sets a key.
    pub fn set(&self, key: &str, value: &str) {
        self.keys.write().insert(key.to_owned(), value.to_owned());
    }

    /// All keys, in order.
    pub fn keys(&self) -> Vec<String> {
        self.keys.read().keys().cloned().collect()
    }

    /// The folders of a key that holds several, separated by `;`.
    pub fn directories(&self, key: &str) -> Vec<PathBuf> {
        let text = self.get(key).unwrap_or_default();
        text.split(';')
            .map(str::trim)
            .filter(|item| !item.is_empty())
            .map(PathBuf::from)
            .collect()
    }
}

/// How serious a line of log is, most serious first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// The program cannot go on.
    Fatal,
    /// Something important failed.
    Critical,
    /// Something failed.
    Error,
    /// Something looks wrong.
    Warning,
    /// Something worth knowing happened.
    Notice,
    /// Something happened.
    Information,
    /// For developers.
    Debug,
    /// For developers, and often.
    Trace,
}

/// Where lines of log go.
pub trait Logger: Send + Sync {
    /// Takes one line from `source` (an algorithm's name, say). Must not block.
    fn log(&self, level: Level, source: &str, text: &str);
}

/// A logger that keeps nothing.
pub struct Silent;

impl Logger for Silent {
    fn log(&self, _: Level, _: &str, _: &str) {}
}

/// What algorithms reach besides their properties.
#[derive(Clone)]
pub struct Service {
    /// The named workspaces.
    pub data: Arc<DataService>,
    /// The configuration.
    pub config: Arc<Config>,
    /// Where lines of log go.
    pub logger: Arc<dyn Logger>,
    /// Where instruments come from.
    pub instruments: Arc<dyn InstrumentSource>,
    /// Who loads chunks of a live stream, where there is one.
    pub live: LiveSlot,
}

impl Service {
    /// An empty data service and the default configuration, with this logger and these instruments.
    pub fn new(logger: Arc<dyn Logger>, instruments: Arc<dyn InstrumentSource>) -> Self {
        Self {
            data: Arc::default(),
            config: Arc::default(),
            logger,
            instruments,
            live: LiveSlot::default(),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::workspace::{MatrixWorkspace, WorkspaceGroup};

    fn cell() -> Handle {
        WorkspaceCell::new("", Workspace::Matrix(MatrixWorkspace::single_value(1.0, 0.0)))
    }

    #[test]
    fn names_are_found_in_any_case_and_kept_as_given() {
        let data = DataService::new();
        data.add("Lives", cell()).unwrap();
        assert!(data.contains("lives"));
        assert_eq!(data.object_names(), ["Lives"]);
        assert!(data.add("LIVES", cell()).is_err());
        assert_eq!(
            data.retrieve("other").unwrap_err().class(),
            crate::error::ErrorClass::NotFound
        );
        assert!(data.add_or_replace(" ", cell()).is_err());
    }

    #[test]
    fn a_workspace_under_two_names_is_listed_by_both() {
        let data = DataService::new();
        let one = cell();
        data.add("a", one.clone()).unwrap();
        data.add("b", one).unwrap();
        assert_eq!(data.object_names(), ["a", "b"]);
        for name in data.object_names() {
            data.remove(&name).unwrap();
        }
        assert!(data.is_empty());
    }

    #[test]
    fn groups_follow_what_is_removed_and_replaced() {
        let data = DataService::new();
        let (a, b) = (cell(), cell());
        data.add("a", a.clone()).unwrap();
        data.add("b", b.clone()).unwrap();
        let group = WorkspaceCell::new("", Workspace::Group(WorkspaceGroup::new(vec![a, b])));
        data.add("g", group.clone()).unwrap();
        data.remove("a");
        assert_eq!(group.member_names(), ["b"]);
        let c = cell();
        data.add_or_replace("b", c.clone()).unwrap();
        assert!(Arc::ptr_eq(group.members().first().unwrap(), &c));
        data.remove_deep("g");
        assert!(data.is_empty());
    }

    #[test]
    fn no_group_holds_itself() {
        let group_of = |members: Vec<Handle>| Workspace::Group(WorkspaceGroup::new(members));
        let data = DataService::new();
        let (a, b) = (cell(), cell());
        data.add("a", a.clone()).unwrap();
        data.add("b", b.clone()).unwrap();
        // The result has the name of an input that it holds.
        let made = data
            .publish("b", group_of(vec![a.clone(), b.clone()]), &[a.clone(), b.clone()])
            .unwrap();
        assert!(!Arc::ptr_eq(&made, &b));
        assert_eq!(
            (made.name(), made.member_names()),
            ("b".to_owned(), vec!["a".to_owned(), "b_2".to_owned()])
        );
        // What it holds is given the name of something that it holds as well.
        let outer = WorkspaceCell::new("", group_of(vec![made.clone()]));
        data.add_or_replace("a", outer.clone()).unwrap();
        assert!(
            !reaches(made.members().first().unwrap(), &made),
            "{:?}",
            made.member_names()
        );
        assert!(reaches(&outer, &made));
        assert_eq!(data.object_names(), ["a", "b", "b_2"]);
    }
}
