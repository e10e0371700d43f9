//! What the cluster holds of the operator's objects, kept small: one compact JSON text an object.
//!
//! Promises: an older version never replaces a newer one, whether it comes from a watch or from a write's answer;
//! managedFields are dropped (they are most of an object), but whether the former operator still owns fields is
//! kept. It must not talk to the cluster; `controller` feeds it and `apply` adds what its writes return.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Instant;

use kube::api::{ApiResource, DynamicObject};
use kube::core::gvk::GroupVersionKind;
use kube::runtime::watcher::Event;
use parking_lot::RwLock;
use serde_json::Value;

use crate::names::{MANAGER, OLD_MANAGER};

/// Kinds of the objects that the operator makes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Kind {
    /// The worker's account.
    ServiceAccount,
    /// The worker's name in the cluster.
    Service,
    /// Who may reach the worker.
    NetworkPolicy,
    /// A volume; cluster-wide.
    PersistentVolume,
    /// A claim.
    PersistentVolumeClaim,
    /// The worker.
    Deployment,
}

impl Kind {
    /// All of them.
    pub const ALL: [Self; 6] = [
        Self::ServiceAccount,
        Self::Service,
        Self::NetworkPolicy,
        Self::PersistentVolume,
        Self::PersistentVolumeClaim,
        Self::Deployment,
    ];

    /// Its name in the API and in messages.
    pub fn name(self) -> &'static str {
        match self {
            Self::ServiceAccount => "ServiceAccount",
            Self::Service => "Service",
            Self::NetworkPolicy => "NetworkPolicy",
            Self::PersistentVolume => "PersistentVolume",
            Self::PersistentVolumeClaim => "PersistentVolumeClaim",
            Self::Deployment => "Deployment",
        }
    }

    /// Where the API has it.
    pub fn api_resource(self) -> ApiResource {
        let (group, plural) = match self {
            Self::ServiceAccount => ("", "serviceaccounts"),
            Self::Service => ("", "services"),
            Self::NetworkPolicy => ("networking.k8s.io", "networkpolicies"),
            Self::PersistentVolume => ("", "persistentvolumes"),
            Self::PersistentVolumeClaim => ("", "persistentvolumeclaims"),
            Self::Deployment => ("apps", "deployments"),
        };
        ApiResource::from_gvk_with_plural(&GroupVersionKind::gvk(group, "v1", self.name()), plural)
    }

    /// Whether it lives in a namespace.
    pub fn namespaced(self) -> bool {
        self != Self::PersistentVolume
    }

    fn index(self) -> usize {
        Self::ALL.iter().position(|kind| *kind == self).unwrap_or_default()
    }
}

/// One object as the cluster holds it.
#[derive(Debug)]
pub struct Live {
    /// Its UID.
    pub uid: String,
    /// Its version.
    pub resource_version: String,
    /// Whether fields of it belong to the former operator.
    pub former: bool,
    /// Whether fields of it belong to our own creation, not yet to an apply.
    pub created: bool,
    /// When it was first seen, in whatever version.
    pub seen: Instant,
    json: Box<[u8]>,
}

impl Live {
    /// The object less what nobody needs.
    ///
    /// # Errors
    /// When the object is not JSON, which cannot be.
    pub fn new(mut object: DynamicObject) -> Result<Self, serde_json::Error> {
        let managed = object.metadata.managed_fields.take().unwrap_or_default();
        let updated_by = |manager: &str| {
            managed.iter().any(|entry| {
                entry.manager.as_deref() == Some(manager)
                    && entry.operation.as_deref() == Some("Update")
                    && entry.subresource.as_deref().unwrap_or_default().is_empty()
            })
        };
        let (former, created) = (updated_by(OLD_MANAGER), updated_by(MANAGER));
        Ok(Self {
            uid: object.metadata.uid.clone().unwrap_or_default(),
            resource_version: object.metadata.resource_version.clone().unwrap_or_default(),
            former,
            created,
            seen: Instant::now(),
            json: serde_json::to_vec(&object)?.into_boxed_slice(),
        })
    }

    /// The whole object.
    pub fn value(&self) -> Value {
        serde_json::from_slice(&self.json).unwrap_or_default()
    }
}

/// Namespace (empty for cluster-wide objects) and name.
pub type Key = (String, String);

/// All objects of the operator's kinds that carry its label.
#[derive(Debug, Default)]
pub struct Objects {
    maps: [RwLock<HashMap<Key, Arc<Live>>>; 6],
    /// Names under which something of another's was found, which no watch of ours shows.
    taken: RwLock<HashSet<(Kind, Key)>>,
}

impl Objects {
    /// One object.
    pub fn get(&self, kind: Kind, namespace: &str, name: &str) -> Option<Arc<Live>> {
        self.maps[kind.index()].read().get(&key(kind, namespace, name)).cloned()
    }

    /// Whether something of another's was found under this name.
    pub fn is_taken(&self, kind: Kind, namespace: &str, name: &str) -> bool {
        self.taken.read().contains(&(kind, key(kind, namespace, name)))
    }

    /// Remembers whether something of another's is under this name.
    pub fn set_taken(&self, kind: Kind, namespace: &str, name: &str, taken: bool) {
        if taken != self.is_taken(kind, namespace, name) {
            let entry = (kind, key(kind, namespace, name));
            let mut all = self.taken.write();
            if taken {
                all.insert(entry);
            } else {
                all.remove(&entry);
            }
        }
    }

    /// The object with the time when it was first seen.
    fn since(&self, kind: Kind, key: &Key, mut live: Live) -> Arc<Live> {
        let map = self.maps[kind.index()].read();
        if let Some(known) = map.get(key).filter(|known| known.uid == live.uid) {
            live.seen = known.seen;
        }
        Arc::new(live)
    }

    /// Takes in an object, unless a newer version of it is known.
    pub fn put(&self, kind: Kind, object: DynamicObject) -> Option<Arc<Live>> {
        let key = key_of(kind, &object)?;
        let live = self.since(kind, &key, Live::new(object).ok()?);
        let mut map = self.maps[kind.index()].write();
        let outdated = map
            .get(&key)
            .is_some_and(|known| known.uid == live.uid && newer(&known.resource_version, &live.resource_version));
        if !outdated {
            map.insert(key, live.clone());
        }
        Some(live)
    }

    /// Forgets an object that is gone; a new one of the same name stays.
    pub fn remove(&self, kind: Kind, namespace: &str, name: &str, uid: &str) {
        let mut map = self.maps[kind.index()].write();
        let key = key(kind, namespace, name);
        if map.get(&key).is_some_and(|known| known.uid == uid) {
            map.remove(&key);
        }
    }

    /// Takes in a watch's event; a new list is collected in `listed` and replaces the old one when it is complete.
    /// Answers whose object has changed.
    pub fn observe(&self, kind: Kind, event: Event<DynamicObject>, listed: &mut HashMap<Key, Arc<Live>>) -> Vec<Key> {
        match event {
            Event::Init => {
                listed.clear();
                Vec::new()
            }
            Event::InitApply(object) => {
                if let Some(key) = key_of(kind, &object)
                    && let Ok(live) = Live::new(object)
                {
                    let live = self.since(kind, &key, live);
                    listed.insert(key, live);
                }
                Vec::new()
            }
            Event::InitDone => {
                let mut map = self.maps[kind.index()].write();
                let new = std::mem::take(listed);
                let changed: Vec<Key> = map
                    .keys()
                    .chain(new.keys())
                    .filter(|key| {
                        map.get(*key).map(|live| &live.resource_version)
                            != new.get(*key).map(|live| &live.resource_version)
                    })
                    .cloned()
                    .collect();
                *map = new;
                changed
            }
            Event::Apply(object) => {
                let key = key_of(kind, &object);
                self.put(kind, object);
                key.into_iter().collect()
            }
            Event::Delete(object) => {
                let key = key_of(kind, &object);
                if let Some((namespace, name)) = &key {
                    self.remove(
                        kind,
                        namespace,
                        name,
                        object.metadata.uid.as_deref().unwrap_or_default(),
                    );
                }
                key.into_iter().collect()
            }
        }
    }
}

fn key(kind: Kind, namespace: &str, name: &str) -> Key {
    (
        if kind.namespaced() {
            namespace.to_owned()
        } else {
            String::new()
        },
        name.to_owned(),
    )
}

fn key_of(kind: Kind, object: &DynamicObject) -> Option<Key> {
    let name = object.metadata.name.as_deref()?;
    Some(key(
        kind,
        object.metadata.namespace.as_deref().unwrap_or_default(),
        name,
    ))
}

/// Whether the first version is newer. Versions of one object are growing numbers on every apiserver there is; where
/// they were not, each would count as newer and the last one to come would be kept.
pub fn newer(one: &str, other: &str) -> bool {
    match (one.parse::<u64>(), other.parse::<u64>()) {
        (Ok(one), Ok(other)) => one > other,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;

    fn object(version: &str, uid: &str) -> DynamicObject {
        serde_json::from_value(serde_json::json!({
            "apiVersion": "v1", "kind": "Service",
            "metadata": {"name": "a", "namespace": "n", "uid": uid, "resourceVersion": version,
                "managedFields": [{"manager": "OpenAPI-Generator", "operation": "Update"}]},
            "spec": {"x": 1},
        }))
        .unwrap()
    }

    #[test]
    fn an_older_version_does_not_replace_a_newer_one() {
        let objects = Objects::default();
        objects.put(Kind::Service, object("12", "u"));
        objects.put(Kind::Service, object("9", "u"));
        assert_eq!(objects.get(Kind::Service, "n", "a").unwrap().resource_version, "12");
        objects.put(Kind::Service, object("3", "other"));
        assert_eq!(objects.get(Kind::Service, "n", "a").unwrap().uid, "other");
    }

    #[test]
    fn an_object_is_as_old_as_its_first_version() {
        let objects = Objects::default();
        let seen = |objects: &Objects| objects.get(Kind::Service, "n", "a").unwrap().seen;
        objects.put(Kind::Service, object("1", "u"));
        let first = seen(&objects);
        objects.put(Kind::Service, object("2", "u"));
        let mut listed = HashMap::new();
        for event in [Event::Init, Event::InitApply(object("3", "u")), Event::InitDone] {
            objects.observe(Kind::Service, event, &mut listed);
        }
        assert_eq!(objects.get(Kind::Service, "n", "a").unwrap().resource_version, "3");
        assert_eq!(seen(&objects), first);
        objects.put(Kind::Service, object("4", "other"));
        assert!(seen(&objects) > first);
    }

    #[test]
    fn managed_fields_are_dropped_but_the_former_owner_is_known() {
        let live = Live::new(object("1", "u")).unwrap();
        assert!(live.former);
        assert_eq!(live.value().pointer("/metadata/managedFields"), None);
        assert_eq!(live.value().pointer("/spec/x"), Some(&serde_json::json!(1)));
    }

    #[test]
    fn a_new_list_drops_what_is_gone() {
        let objects = Objects::default();
        let mut listed = HashMap::new();
        objects.put(Kind::Service, object("1", "u"));
        objects.observe(Kind::Service, Event::Init, &mut listed);
        let changed = objects.observe(Kind::Service, Event::InitDone, &mut listed);
        assert_eq!(changed, [("n".to_owned(), "a".to_owned())]);
        assert!(objects.get(Kind::Service, "n", "a").is_none());
    }

    #[test]
    fn a_deletion_of_an_older_object_leaves_its_successor() {
        let objects = Objects::default();
        objects.put(Kind::Service, object("5", "new"));
        objects.observe(Kind::Service, Event::Delete(object("4", "old")), &mut HashMap::new());
        assert!(objects.get(Kind::Service, "n", "a").is_some());
    }
}
