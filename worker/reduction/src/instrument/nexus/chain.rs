//! Chains of transformations (`depends_on`): where a component is and how it is turned. Promises: metres and the
//! laboratory's frame, z along the beam and y up; a chain that comes back to itself is refused. A transformation that a
//! log moves has no value yet: it is taken as not moved, and named.

use serde_json::Value;

use super::NexusError;
use super::node::{self, Trail};
use crate::instrument::{Rotation, V3};

/// Longer than any chain.
const LONGEST: usize = 100;

/// A place and a turn: what a chain does to the origin.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(super) struct Pose {
    pub(super) position: V3,
    pub(super) rotation: Rotation,
}

impl Pose {
    /// A point of the component in the laboratory.
    pub(super) fn place(&self, local: V3) -> V3 {
        self.position + self.rotation.apply(local)
    }
}

/// A factor that makes metres of a length.
pub(super) fn length_unit(units: Option<&str>) -> Option<f64> {
    Some(match units.unwrap_or("m").trim() {
        "m" | "metre" | "meter" | "metres" | "meters" => 1.0,
        "cm" | "centimetre" | "centimeter" => 1e-2,
        "mm" | "millimetre" | "millimeter" | "millimetres" | "millimeters" => 1e-3,
        "um" | "µm" | "micron" | "micrometre" | "micrometer" => 1e-6,
        _ => return None,
    })
}

/// A factor that makes degrees of an angle.
pub(super) fn angle_unit(units: Option<&str>) -> Option<f64> {
    Some(match units.unwrap_or("deg").trim() {
        "deg" | "degree" | "degrees" => 1.0,
        "rad" | "radian" | "radians" => 1f64.to_degrees(),
        _ => return None,
    })
}

/// The pose that a group's `depends_on` gives; `None` without one.
pub(super) fn pose(group: &[&Value], moving: &mut Vec<String>) -> Result<Option<Pose>, NexusError> {
    let Some(first) = node::dataset_text(group, "depends_on") else {
        return Ok(None);
    };
    let owner = || group.last().map(|node| node::name(node).to_owned()).unwrap_or_default();
    let mut pose = Pose::default();
    let (mut at, mut next): (Trail<'_>, String) = (group.to_vec(), first.trim().to_owned());
    for _ in 0..LONGEST {
        if next.is_empty() || next == "." {
            return Ok(Some(pose));
        }
        let Some(trail) = node::resolve(&at, &next) else {
            return Err(NexusError::NoTransformation {
                owner: owner(),
                path: next,
            });
        };
        let Some((axis, holders)) = trail.split_last() else {
            return Err(NexusError::NoTransformation {
                owner: owner(),
                path: next,
            });
        };
        let step = transformation(axis, &trail, moving).map_err(|reason| NexusError::BadTransformation {
            path: next.clone(),
            reason,
        })?;
        // The first of a chain acts first.
        pose = Pose {
            position: step.place(pose.position),
            rotation: step.rotation.after(pose.rotation),
        };
        next = node::attribute_text(axis, "depends_on")
            .unwrap_or(".")
            .trim()
            .to_owned();
        at = holders.to_vec();
    }
    Err(NexusError::EndlessChain { owner: owner() })
}

fn transformation(axis: &Value, trail: &[&Value], moving: &mut Vec<String>) -> Result<Pose, String> {
    let units = node::attribute_text(axis, "units");
    let offset = match vector(axis, "offset")? {
        Some(offset) => {
            let unit =
                length_unit(node::attribute_text(axis, "offset_units")).ok_or("its offset_units is no length")?;
            offset * unit
        }
        None => V3::default(),
    };
    let value = match value(axis, trail)? {
        Some(value) => value,
        None => {
            let name = node::name(axis).to_owned();
            if !moving.contains(&name) {
                moving.push(name);
            }
            0.0
        }
    };
    let along = vector(axis, "vector")?.unwrap_or_default();
    match node::attribute_text(axis, "transformation_type")
        .map(str::to_ascii_lowercase)
        .as_deref()
    {
        Some("translation") => {
            let unit = length_unit(units).ok_or_else(|| format!("its unit {units:?} is no length"))?;
            Ok(Pose {
                position: along * (value * unit) + offset,
                rotation: Rotation::IDENTITY,
            })
        }
        Some("rotation") => {
            let unit = angle_unit(units).ok_or_else(|| format!("its unit {units:?} is no angle"))?;
            Ok(Pose {
                position: offset,
                rotation: Rotation::about(along, value * unit),
            })
        }
        other => Err(format!(
            "its transformation_type is {other:?}, neither translation nor rotation"
        )),
    }
}

/// The value of a transformation: of a dataset, or the first of a log; `None` for a log that has none yet.
fn value(axis: &Value, trail: &[&Value]) -> Result<Option<f64>, String> {
    let held = node::values(axis).or_else(|| node::dataset(trail, "value").and_then(node::values));
    let Some(held) = held else { return Ok(None) };
    let numbers = node::numbers(held).ok_or("its value is no finite number")?;
    Ok(numbers.first().copied())
}

fn vector(axis: &Value, name: &str) -> Result<Option<V3>, String> {
    let Some(given) = node::attribute(axis, name) else {
        return Ok(None);
    };
    match node::numbers(given).as_deref() {
        Some([x, y, z]) => Ok(Some(V3::new(*x, *y, *z))),
        _ => Err(format!("its {name} is not three numbers")),
    }
}
