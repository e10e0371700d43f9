//! Chains of transformations (`depends_on`): position and orientation of a component. Promises: metres in the laboratory
//! frame, z along the beam and y up; a circular chain is refused. A transformation that a log moves counts as not moved
//! and is reported.
//!
//! Source: NeXus base class NXtransformations: each transformation acts on the result of the one that depends on it.

use serde_json::Value;

use super::error::NexusError;
use super::node::{self, NodePath};
use crate::instrument::{Rotation, V3D};

/// Largest length of a chain.
const MAX_LENGTH: usize = 100;

/// Position in m and orientation of a component in the laboratory frame.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(super) struct Placement {
    pub(super) position: V3D,
    pub(super) rotation: Rotation,
}

impl Placement {
    /// Laboratory position of a point given in the component's frame.
    pub(super) fn to_laboratory(self, local: V3D) -> V3D {
        self.position + self.rotation.apply(local)
    }
}

/// Metres per unit of length; `m` without a unit, `None` for an unknown one.
pub(super) fn length_unit(units: Option<&str>) -> Option<f64> {
    Some(match units.unwrap_or("m").trim() {
        "m" | "metre" | "meter" | "metres" | "meters" => 1.0,
        "cm" | "centimetre" | "centimeter" => 1e-2,
        "mm" | "millimetre" | "millimeter" | "millimetres" | "millimeters" => 1e-3,
        "um" | "µm" | "micron" | "micrometre" | "micrometer" => 1e-6,
        _ => return None,
    })
}

/// Degrees per unit of angle; `deg` without a unit, `None` for an unknown one.
pub(super) fn angle_unit(units: Option<&str>) -> Option<f64> {
    Some(match units.unwrap_or("deg").trim() {
        "deg" | "degree" | "degrees" => 1.0,
        "rad" | "radian" | "radians" => 1f64.to_degrees(),
        _ => return None,
    })
}

/// Placement by a group's `depends_on`; `None` without one. Names of moved transformations are added to `moving`.
pub(super) fn placement(group: &[&Value], moving: &mut Vec<String>) -> Result<Option<Placement>, NexusError> {
    let Some(first) = node::dataset_text(group, "depends_on") else {
        return Ok(None);
    };
    let owner = || group.last().map(|node| node::name(node).to_owned()).unwrap_or_default();
    let mut placed = Placement::default();
    let (mut at, mut next): (NodePath<'_>, String) = (group.to_vec(), first.trim().to_owned());
    for _ in 0..MAX_LENGTH {
        if next.is_empty() || next == "." {
            return Ok(Some(placed));
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
        placed = Placement {
            position: step.to_laboratory(placed.position),
            rotation: step.rotation.after(placed.rotation),
        };
        next = node::attribute_text(axis, "depends_on")
            .unwrap_or(".")
            .trim()
            .to_owned();
        at = holders.to_vec();
    }
    Err(NexusError::EndlessChain { owner: owner() })
}

fn transformation(axis: &Value, trail: &[&Value], moving: &mut Vec<String>) -> Result<Placement, String> {
    let units = node::attribute_text(axis, "units");
    let offset = match vector(axis, "offset")? {
        Some(offset) => {
            let unit =
                length_unit(node::attribute_text(axis, "offset_units")).ok_or("its offset_units is no length")?;
            offset * unit
        }
        None => V3D::default(),
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
            Ok(Placement {
                position: along * (value * unit) + offset,
                rotation: Rotation::IDENTITY,
            })
        }
        Some("rotation") => {
            let unit = angle_unit(units).ok_or_else(|| format!("its unit {units:?} is no angle"))?;
            Ok(Placement {
                position: offset,
                rotation: Rotation::about(along, value * unit),
            })
        }
        other => Err(format!(
            "its transformation_type is {other:?}, neither translation nor rotation"
        )),
    }
}

/// Value of a transformation: of its dataset, or the first of its log; `None` for a log without values.
fn value(axis: &Value, trail: &[&Value]) -> Result<Option<f64>, String> {
    let stored = node::values(axis).or_else(|| node::dataset(trail, "value").and_then(node::values));
    let Some(stored) = stored else { return Ok(None) };
    let numbers = node::numbers(stored).ok_or("its value is no finite number")?;
    Ok(numbers.first().copied())
}

fn vector(axis: &Value, name: &str) -> Result<Option<V3D>, String> {
    let Some(given) = node::attribute(axis, name) else {
        return Ok(None);
    };
    match node::numbers(given).as_deref() {
        Some([x, y, z]) => Ok(Some(V3D::new(*x, *y, *z))),
        _ => Err(format!("its {name} is not three numbers")),
    }
}
