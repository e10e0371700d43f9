//! Configuration of the framework, as scripts read and set it. Promises: every known key has a default. Must not: read
//! files or the environment; the program that creates the service does.

use std::collections::BTreeMap;
use std::path::PathBuf;

use parking_lot::RwLock;

/// Configuration by key: Mantid's `ConfigService`, with the few keys that the native engine reads.
pub struct ConfigService {
    keys: RwLock<BTreeMap<String, String>>,
}

impl Default for ConfigService {
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

impl ConfigService {
    /// Configuration with the default of every known key.
    pub fn new() -> Self {
        Self::default()
    }

    /// Value of a key, if set; keys are case-sensitive.
    pub fn get(&self, key: &str) -> Option<String> {
        self.keys.read().get(key).cloned()
    }

    /// Sets a key, also one that nothing reads.
    pub fn set(&self, key: &str, value: &str) {
        self.keys.write().insert(key.to_owned(), value.to_owned());
    }

    /// Keys in alphabetical order.
    pub fn keys(&self) -> Vec<String> {
        self.keys.read().keys().cloned().collect()
    }

    /// Folders in the value of a key, separated by `;`; empty entries are dropped.
    pub fn directories(&self, key: &str) -> Vec<PathBuf> {
        let text = self.get(key).unwrap_or_default();
        text.split(';')
            .map(str::trim)
            .filter(|item| !item.is_empty())
            .map(PathBuf::from)
            .collect()
    }
}
