//! Where a location puts its component: `<location>`, `<locations>`, rotations, shifts and what it faces. Promises:
//! many locations in one element are bounded in number. Must not know components.

use std::sync::Arc;

use roxmltree::Node;

use super::element::{child, children, number, number_of};
use super::{DEEPEST, MOST_DETECTORS};
use crate::instrument::{Rotation, V3};

/// Where a location puts its component.
#[derive(Clone, Copy)]
pub(super) enum Place {
    Cartesian(V3),
    /// Distance and angles, m and degrees.
    Spherical(f64, f64, f64),
}

/// One `<rot>` or `<trans>` within a location.
#[derive(Clone, Copy)]
pub(super) enum Turn {
    Rotate(Rotation),
    Shift(Place),
}

#[derive(Clone, Copy)]
pub(super) enum Facing {
    /// As the definition's default says.
    Default,
    /// Towards nothing.
    Nowhere,
    /// Towards a point.
    Point(V3),
}

#[derive(Clone)]
pub(super) struct Location {
    pub(super) name: Option<Arc<str>>,
    pub(super) place: Place,
    pub(super) rotation: Rotation,
    pub(super) turns: Vec<Turn>,
    pub(super) facing: Facing,
    /// Names of parts that are left out here.
    pub(super) excluded: Arc<[Arc<str>]>,
}

impl Location {
    /// No location: where the carrier is.
    pub(super) fn origin() -> Self {
        Self {
            name: None,
            place: Place::Cartesian(V3::default()),
            rotation: Rotation::IDENTITY,
            turns: Vec::new(),
            facing: Facing::Default,
            excluded: Arc::default(),
        }
    }
}

pub(super) fn point(node: Node<'_, '_>) -> V3 {
    match place(node) {
        Place::Cartesian(v) => v,
        Place::Spherical(r, t, p) => V3::spherical(r, t, p),
    }
}

pub(super) fn location(node: Node<'_, '_>) -> Location {
    let mut turns = Vec::new();
    let mut at = node;
    // Rotations and translations nest; each is relative to the turn reached so far.
    for _ in 0..DEEPEST {
        let inner = at
            .children()
            .find(|c| c.is_element() && matches!(c.tag_name().name(), "rot" | "trans"));
        let Some(inner) = inner else { break };
        turns.push(match inner.tag_name().name() {
            "rot" => Turn::Rotate(Rotation::about(axis(inner), number(inner, "val").unwrap_or(0.0))),
            _ => Turn::Shift(place(inner)),
        });
        at = inner;
    }
    let excluded = children(node, "exclude")
        .filter_map(|part| part.attribute("sub-part"))
        .map(Arc::from)
        .collect();
    let facing = match child(node, "facing") {
        Some(facing) if facing.attribute("val") == Some("none") => Facing::Nowhere,
        Some(facing) => Facing::Point(point(facing)),
        None => Facing::Default,
    };
    Location {
        name: node.attribute("name").map(|name| Arc::from(name.trim())),
        place: place(node),
        rotation: Rotation::about(axis(node), number(node, "rot").unwrap_or(0.0)),
        turns,
        facing,
        excluded,
    }
}

/// `<locations n-elements="…">`: attributes with an end go evenly from one to the other.
pub(super) fn locations(node: Node<'_, '_>, out: &mut Vec<Location>) -> Result<(), String> {
    let count = number(node, "n-elements").unwrap_or(0.0);
    if !(1.0..=MOST_DETECTORS as f64).contains(&count) {
        return Err(format!(
            "<locations> has n-elements={count}: it must be between 1 and {MOST_DETECTORS}"
        ));
    }
    let count = count as usize;
    let first_name = number(node, "name-count-start").unwrap_or(0.0) as i64;
    let increment = number(node, "name-count-increment").unwrap_or(1.0) as i64;
    let spread = |names: &[&str], index: usize| -> Option<f64> {
        let from = number_of(node, names);
        let to = names.iter().find_map(|name| number(node, &format!("{name}-end")));
        match (from, to) {
            (Some(from), Some(to)) if count > 1 => Some(from + (to - from) * index as f64 / (count - 1) as f64),
            (from, _) => from,
        }
    };
    for index in 0..count {
        let spherical = (
            spread(&["r", "R"], index),
            spread(&["t", "theta"], index),
            spread(&["p", "phi"], index),
        );
        let place = match spherical {
            (None, None, None) => Place::Cartesian(V3::new(
                spread(&["x"], index).unwrap_or(0.0),
                spread(&["y"], index).unwrap_or(0.0),
                spread(&["z"], index).unwrap_or(0.0),
            )),
            (r, t, p) => Place::Spherical(r.unwrap_or(0.0), t.unwrap_or(0.0), p.unwrap_or(0.0)),
        };
        let name = node
            .attribute("name")
            .map(|name| Arc::from(format!("{}{}", name.trim(), first_name + increment * index as i64)));
        let rotation = Rotation::about(axis(node), spread(&["rot"], index).unwrap_or(0.0));
        out.push(Location {
            name,
            place,
            rotation,
            turns: Vec::new(),
            facing: Facing::Default,
            excluded: Arc::default(),
        });
    }
    Ok(())
}

fn axis(node: Node<'_, '_>) -> V3 {
    let given = V3::new(
        number(node, "axis-x").unwrap_or(0.0),
        number(node, "axis-y").unwrap_or(0.0),
        number(node, "axis-z").unwrap_or(0.0),
    );
    if ["axis-x", "axis-y", "axis-z"]
        .iter()
        .any(|name| node.has_attribute(*name))
    {
        given
    } else {
        V3::new(0.0, 0.0, 1.0)
    }
}

fn place(node: Node<'_, '_>) -> Place {
    let r = number_of(node, &["r", "R"]);
    let t = number_of(node, &["t", "theta"]);
    let p = number_of(node, &["p", "phi"]);
    if r.is_some() || t.is_some() || p.is_some() {
        return Place::Spherical(r.unwrap_or(0.0), t.unwrap_or(0.0), p.unwrap_or(0.0));
    }
    let of = |name| number(node, name).unwrap_or(0.0);
    Place::Cartesian(V3::new(of("x"), of("y"), of("z")))
}
