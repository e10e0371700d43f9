//! Instrument from the NeXus structure in a run's start message: NXsource, NXsample, NXdetector and NXmonitor with their
//! transformations, or ISIS's table of detectors (`isis_vms_compat`). Promises: any text gives an instrument, nothing
//! (no positions), or an error. Must not: read anything outside the structure.
//!
//! Sources: NeXus definitions NXtransformations, NXdetector, NXsource; ESS `run_start` schema (pl72).
//!
//! # Layout
//! [`node`] (groups, datasets and links in JSON) → [`transformations`] → [`pixels`] (ids and positions) → here.

mod error;
mod node;
mod pixels;
mod transformations;

use std::sync::Arc;

use serde_json::Value;

use crate::instrument::{Component, Detector, Instrument, Rotation, V3D};
pub use error::NexusError;
use node::NodePath;
use transformations::{Placement, length_unit, placement};

/// Instrument of a structure with the warnings that arose.
#[derive(Debug)]
pub struct NexusInstrument {
    pub instrument: Instrument,
    /// Sentences for the status page, such as transformations that logs move.
    pub warnings: Vec<String>,
}

/// Instrument of a structure; `None` without positions of detectors, as in the structures of ISIS's control program.
///
/// `name` is used when the structure has none.
///
/// # Errors
/// See [`NexusError`].
pub fn parse(text: &str, name: &str) -> Result<Option<NexusInstrument>, NexusError> {
    let json: Value = serde_json::from_str(text).map_err(|error| NexusError::Json(error.to_string()))?;
    let root = json.get("nexus_structure").unwrap_or(&json);
    StructureReader {
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

struct StructureReader {
    instrument: Instrument,
    /// Names of transformations that logs move.
    moving: Vec<String>,
    /// Names of detectors without positions.
    unplaced: Vec<String>,
}

impl StructureReader {
    fn read(mut self, root: &Value) -> Result<Option<NexusInstrument>, NexusError> {
        self.component(None, Placement::default(), self.instrument.name.clone());
        let sample = self.sample(root)?;
        for group in node::of_class(root, &["NXdetector"]) {
            self.detectors(&group, false, sample)?;
        }
        if self.instrument.detectors.is_empty() {
            for group in isis_detector_tables(root) {
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
        Ok(Some(NexusInstrument {
            instrument: self.instrument,
            warnings,
        }))
    }

    fn component(&mut self, parent: Option<u32>, placement: Placement, name: String) -> u32 {
        let index = u32::try_from(self.instrument.components.len()).unwrap_or(u32::MAX);
        self.instrument.components.push(Component {
            name: Arc::from(name),
            parent,
            position: placement.position,
            rotation: placement.rotation,
        });
        index
    }

    /// Adds the sample and returns its position; the origin without an NXsample.
    fn sample(&mut self, root: &Value) -> Result<V3D, NexusError> {
        let groups = node::of_class(root, &["NXsample"]);
        let Some(group) = groups.first() else {
            self.instrument.sample = Some(self.component(Some(0), Placement::default(), "sample".to_owned()));
            return Ok(V3D::default());
        };
        let place = placement(group, &mut self.moving)?.unwrap_or_default();
        self.instrument.sample = Some(self.component(Some(0), place, name_of(group).to_owned()));
        Ok(place.position)
    }

    fn source(&mut self, root: &Value, sample: V3D) -> Result<(), NexusError> {
        for group in node::of_class(root, &["NXsource", "NXmoderator"]) {
            let place = match placement(&group, &mut self.moving)? {
                Some(placement) => placement,
                None => {
                    let wrong = |reason| NexusError::BadDetector {
                        name: name_of(&group).to_owned(),
                        reason,
                    };
                    let distance = pixels::column(&group, &["distance"], length_unit).map_err(wrong)?;
                    let Some(distance) = distance.and_then(|values| values.first().copied()) else {
                        continue;
                    };
                    // Files give the distance upstream with either sign.
                    Placement {
                        position: sample - V3D::new(0.0, 0.0, distance.abs()),
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

    fn detectors(&mut self, group: &NodePath<'_>, monitor: bool, sample: V3D) -> Result<(), NexusError> {
        let name = name_of(group).to_owned();
        let wrong = |reason| NexusError::BadDetector {
            name: name.clone(),
            reason,
        };
        let ids = pixels::ids(group).map_err(wrong)?.unwrap_or_default();
        let own = placement(group, &mut self.moving)?;
        if ids.is_empty() {
            return Ok(());
        }
        let positions = match pixels::positions(group, ids.len(), own, sample).map_err(wrong)? {
            Some(positions) => positions,
            None if monitor && ids.len() == 1 => {
                let distance = pixels::column(group, &["distance"], length_unit).map_err(wrong)?;
                match distance.and_then(|values| values.first().copied()) {
                    Some(distance) => vec![sample + V3D::new(0.0, 0.0, distance)],
                    None => Vec::new(),
                }
            }
            None => Vec::new(),
        };
        if positions.is_empty() {
            self.unplaced.push(name);
            return Ok(());
        }
        let parent = self.component(Some(0), own.unwrap_or_default(), name.clone());
        let label = u32::try_from(self.instrument.detector_names.len()).unwrap_or(u32::MAX);
        self.instrument
            .detector_names
            .push(Arc::from(if monitor { name.as_str() } else { "pixel" }));
        let single = ids.len() == 1;
        for (number, (id, position)) in (0_i32..).zip(ids.into_iter().zip(positions)) {
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

/// Groups with ISIS's tables of detectors: ids, distances and angles of all detectors in one group.
fn isis_detector_tables(root: &Value) -> Vec<NodePath<'_>> {
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
