//! The list of algorithms that the engine has. Promises: each algorithm is declared once, in its own file, and named
//! once, in `algorithms/mod.rs`; names are found in any version; what is absent is named with the way to get it.
//! Must not execute anything.

use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock};

use crate::algorithm::Algorithm;
use crate::algorithms::ALL;
use crate::declaration::Declaration;

/// An algorithm with its declaration.
#[derive(Clone)]
pub struct Registered {
    /// What it says about itself.
    pub declaration: Arc<Declaration>,
    pub(crate) algorithm: &'static dyn Algorithm,
}

static REGISTRY: LazyLock<BTreeMap<(&'static str, u32), Registered>> = LazyLock::new(|| {
    let mut map = BTreeMap::new();
    for algorithm in ALL {
        let declaration = Arc::new(algorithm.declaration());
        map.insert(
            (declaration.name, declaration.version),
            Registered {
                declaration,
                algorithm: *algorithm,
            },
        );
    }
    map
});

/// The names of all algorithms, in order, each once.
pub fn names() -> Vec<&'static str> {
    let mut names: Vec<_> = REGISTRY.keys().map(|(name, _)| *name).collect();
    names.dedup();
    names
}

/// The algorithm of this name, in this version, or in its newest when none is given.
pub fn find(name: &str, version: Option<u32>) -> Option<Registered> {
    REGISTRY
        .iter()
        .rev()
        .find(|((known, v), _)| *known == name && version.is_none_or(|wanted| wanted == *v))
        .map(|(_, registered)| registered.clone())
}

/// The declaration of an algorithm, in its newest version when none is given.
pub fn declaration(name: &str, version: Option<u32>) -> Option<Arc<Declaration>> {
    find(name, version).map(|registered| registered.declaration)
}

/// What to tell a script that asks for an algorithm that is not here.
pub fn missing(name: &str) -> String {
    format!(
        "{name} is not available: the native engine has no algorithm of that name. \
         Run the worker with the real Mantid (ENGINE=mantid, in the worker's Mantid image) to use it."
    )
}
