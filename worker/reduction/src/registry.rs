//! Registry of the native engine's algorithms by name and version: Mantid's `AlgorithmFactory`. Promises: an algorithm is
//! declared in its own file and listed in `algorithms/mod.rs`. Must not: execute anything.

use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock};

use crate::algorithm::Algorithm;
use crate::algorithms::ALL;
use crate::declaration::Declaration;

/// Algorithm with its declaration, built once for the process.
#[derive(Clone)]
pub struct RegisteredAlgorithm {
    pub declaration: Arc<Declaration>,
    pub(crate) algorithm: &'static dyn Algorithm,
}

static REGISTRY: LazyLock<BTreeMap<(&'static str, u32), RegisteredAlgorithm>> = LazyLock::new(|| {
    let mut map = BTreeMap::new();
    for algorithm in ALL {
        let declaration = Arc::new(algorithm.declaration());
        map.insert(
            (declaration.name, declaration.version),
            RegisteredAlgorithm {
                declaration,
                algorithm: *algorithm,
            },
        );
    }
    map
});

/// Names of all algorithms, sorted, each once.
pub fn names() -> Vec<&'static str> {
    let mut names: Vec<_> = REGISTRY.keys().map(|(name, _)| *name).collect();
    names.dedup();
    names
}

/// Algorithm by exact name; the newest version when none is given.
pub fn find(name: &str, version: Option<u32>) -> Option<RegisteredAlgorithm> {
    REGISTRY
        .iter()
        .rev()
        .find(|((known, v), _)| *known == name && version.is_none_or(|wanted| wanted == *v))
        .map(|(_, registered)| registered.clone())
}

/// Declaration of an algorithm; the newest version when none is given.
pub fn declaration(name: &str, version: Option<u32>) -> Option<Arc<Declaration>> {
    find(name, version).map(|registered| registered.declaration)
}

/// Error text for an algorithm that the native engine lacks, with the remedy.
pub fn missing_algorithm_message(name: &str) -> String {
    format!(
        "{name} is not available: the native engine has no algorithm of that name. \
         Run the worker with the real Mantid (ENGINE=mantid, in the worker's Mantid image) to use it."
    )
}
