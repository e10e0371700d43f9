//! An instrument from the file structure in a run's start message: NXsource, NXsample, NXdetector and NXmonitor with
//! their chains of transformations, or ISIS's table of detectors (`isis_vms_compat`). Promises: any text gives an
//! instrument, nothing (it says no places), or a reason in words. Must not look anything up outside the structure.
//!
//! # Layout
//! [`node`] (groups, datasets and links in JSON) → [`chain`] (transformations) → [`pixels`] (ids and places) → here.

mod chain;
mod node;
mod pixels;

use std::sync::Arc;

use serde_json::Value;
use thiserror::Error;

use crate::instrument::{Component, Detector, Instrument, Rotation, V3};
use chain::{Pose, length_unit, pose};
use node::Trail;

/// Why a structure gives no instrument.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum NexusError {
    /// No JSON.
    #[error("it is no JSON: {0}")]
    Json(String),
    /// A `depends_on` that leads nowhere.
    #[error("{owner} depends on \"{path}\", which is not in the structure")]
    NoTransformation {
        /// What depends on it.
        owner: String,
        /// Where it should be.
        path: String,
    },
    /// A transformation that says nothing.
    #[error("the transformation \"{path}\" cannot be used: {reason}")]
    BadTransformation {
        /// Where it is.
        path: String,
        /// What is wrong.
        reason: String,
    },
    /// A chain without an end.
    #[error("the transformations of {owner} depend on each other in a circle")]
    EndlessChain {
        /// Whose chain.
        owner: String,
    },
    /// A detector that contradicts itself.
    #[error("the detector {name} cannot be used: {reason}")]
    BadDetector {
        /// Its name.
        name: String,
        /// What is wrong.
        reason: String,
    },
    /// Detectors, but no source.
    #[error("it has detectors, but no NXsource or NXmoderator that says where it is")]
    NoSource,
}

/// What a structure gave.
#[derive(Debug)]
pub struct Described {
    /// The instrument.
    pub instrument: Instrument,
    /// What a scientist should know, in words.
    pub warnings: Vec<String>,
}

/// Reads a structure; `None` when it says nothing of where detectors are, as those of ISIS's control program.
///
/// # Errors
/// Why what it says of detectors cannot be used.
pub fn parse(text: &str, name: &str) -> Result<Option<Described>, NexusError> {
    let json: Value = serde_json::from_str(text).map_err(|error| NexusError::Json(error.to_string()))?;
    let root = json.get("nexus_structure").unwrap_or(&json);
    Reader {
        instrument: Instrument {
            name: instrument_name(root).unwrap_or(name).to_owned(),
            ..Instrument::default()
        },
        moving: Vec::new(),
        unplaced: Vec::new(),
    }
    .read(root)
}

fn instrument_name(root: &Value) -> Option<&str> {
    let groups = node::of_class(root, &["NXinstrument"]);
    let name = groups.iter().find_map(|group| node::dataset_text(group, "name"));
    name.map(str::trim).filter(|name| !name.is_empty())
}

fn name_of<'a>(group: &[&'a Value]) -> &'a str {
    group.last().map(|node| node::name(node)).unwrap_or_default()
}

struct Reader {
    instrument: Instrument,
    /// Transformations that logs move.
    moving: Vec<String>,
    /// Detectors whose places are not said.
    unplaced: Vec<String>,
}

impl Reader {
    fn read(mut self, root: &Value) -> Result<Option<Described>, NexusError> {
        self.component(None, Pose::default(), self.instrument.name.clone());
        let sample = self.sample(root)?;
        for group in node::of_class(root, &["NXdetector"]) {
            self.detectors(&group, false, sample)?;
        }
        if self.instrument.detectors.is_empty() {
            for group in tables(root) {
                self.detectors(&group, false, sample)?;
            }
        }
        if self.instrument.detectors.is_empty() {
            return Ok(None);
        }
        for group in node::of_class(root, &["NXmonitor"]) {
            self.detectors(&group, true, sample)?;
        }
        self.source(root, sample)?;
        let before = self.instrument.detectors.len();
        self.instrument.sort_detectors();
        let twice = before - self.instrument.detectors.len();
        let mut warnings = Vec::new();
        if twice > 0 {
            warnings.push(format!(
                "{twice} detector ids are given more than once: the first of each is used"
            ));
        }
        if !self.moving.is_empty() {
            let names = self.moving.join(", ");
            warnings.push(format!(
                "the transformations {names} are moved by logs: they are taken as not moved"
            ));
        }
        if !self.unplaced.is_empty() {
            let names = self.unplaced.join(", ");
            warnings.push(format!(
                "the structure does not say where the pixels of {names} are: they are left out"
            ));
        }
        Ok(Some(Described {
            instrument: self.instrument,
            warnings,
        }))
    }

    fn component(&mut self, parent: Option<u32>, pose: Pose, name: String) -> u32 {
        let index = u32::try_from(self.instrument.components.len()).unwrap_or(u32::MAX);
        self.instrument.components.push(Component {
            name: Arc::from(name),
            parent,
            position: pose.position,
            rotation: pose.rotation,
        });
        index
    }

    /// Where the sample is: the origin when the structure does not say.
    fn sample(&mut self, root: &Value) -> Result<V3, NexusError> {
        let groups = node::of_class(root, &["NXsample"]);
        let Some(group) = groups.first() else {
            self.instrument.sample = Some(self.component(Some(0), Pose::default(), "sample".to_owned()));
            return Ok(V3::default());
        };
        let place = pose(group, &mut self.moving)?.unwrap_or_default();
        self.instrument.sample = Some(self.component(Some(0), place, name_of(group).to_owned()));
        Ok(place.position)
    }

    fn source(&mut self, root: &Value, sample: V3) -> Result<(), NexusError> {
        for group in node::of_class(root, &["NXsource", "NXmoderator"]) {
            let place = match pose(&group, &mut self.moving)? {
                Some(pose) => pose,
                None => {
                    let wrong = |reason| NexusError::BadDetector {
                        name: name_of(&group).to_owned(),
                        reason,
                    };
                    let distance = pixels::column(&group, &["distance"], length_unit).map_err(wrong)?;
                    let Some(distance) = distance.and_then(|values| values.first().copied()) else {
                        continue;
                    };
                    // Upstream, whatever sign it is given.
                    Pose {
                        position: sample - V3::new(0.0, 0.0, distance.abs()),
                        rotation: Rotation::IDENTITY,
                    }
                }
            };
            if (place.position - sample).norm() > 0.0 {
                self.instrument.source = Some(self.component(Some(0), place, name_of(&group).to_owned()));
                return Ok(());
            }
        }
        Err(NexusError::NoSource)
    }

    fn detectors(&mut self, group: &Trail<'_>, monitor: bool, sample: V3) -> Result<(), NexusError> {
        let name = name_of(group).to_owned();
        let wrong = |reason| NexusError::BadDetector {
            name: name.clone(),
            reason,
        };
        let ids = pixels::ids(group).map_err(wrong)?.unwrap_or_default();
        let pose = pose(group, &mut self.moving)?;
        if ids.is_empty() {
            return Ok(());
        }
        let places = match pixels::places(group, ids.len(), pose, sample).map_err(wrong)? {
            Some(places) => places,
            None if monitor && ids.len() == 1 => {
                let distance = pixels::column(group, &["distance"], length_unit).map_err(wrong)?;
                match distance.and_then(|values| values.first().copied()) {
                    Some(distance) => vec![sample + V3::new(0.0, 0.0, distance)],
                    None => Vec::new(),
                }
            }
            None => Vec::new(),
        };
        if places.is_empty() {
            self.unplaced.push(name);
            return Ok(());
        }
        let parent = self.component(Some(0), pose.unwrap_or_default(), name.clone());
        let label = u32::try_from(self.instrument.names.len()).unwrap_or(u32::MAX);
        self.instrument
            .names
            .push(Arc::from(if monitor { name.as_str() } else { "pixel" }));
        let single = ids.len() == 1;
        for (number, (id, position)) in (0_i32..).zip(ids.into_iter().zip(places)) {
            self.instrument.detectors.push(Detector {
                id,
                position,
                monitor,
                parent,
                name: label,
                number: if single { -1 } else { number },
            });
        }
        Ok(())
    }
}

/// ISIS's tables of detectors: ids, distances and angles of all in one group.
fn tables(root: &Value) -> Vec<Trail<'_>> {
    let mut found = node::of_class(root, &["IXvms"]);
    if found.is_empty() {
        let entries = node::of_class(root, &["NXentry"]);
        found.extend(
            entries
                .iter()
                .filter_map(|entry| node::resolve(entry, "isis_vms_compat")),
        );
    }
    found
}

#[cfg(test)]
mod tests;
