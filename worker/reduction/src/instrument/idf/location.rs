//! Locations of components: `<location>`, `<locations>`, their rotations, translations and facing. Promises: the number of
//! locations in one element is bounded. Must not: know components.

use std::sync::Arc;

use roxmltree::Node;

use super::element::{child, children, number, number_of};
use super::limits::{MAX_DEPTH, MAX_DETECTORS};
use crate::instrument::{Rotation, V3D};

/// Position relative to the parent component.
#[derive(Clone, Copy)]
pub(super) enum Coordinates {
    Cartesian(V3D),
    /// r in m, θ from z and φ from x in degrees.
    Spherical(f64, f64, f64),
}

/// `<rot>` or `<trans>` nested in a location.
#[derive(Clone, Copy)]
pub(super) enum Transformation {
    Rotate(Rotation),
    Translate(Coordinates),
}

/// Rule for the component's z axis.
#[derive(Clone, Copy)]
pub(super) enum FacingRule {
    /// By `components-are-facing` in the defaults.
    Default,
    /// By rotations alone.
    Nowhere,
    /// Away from a point in the laboratory frame.
    Point(V3D),
}

#[derive(Clone)]
pub(super) struct Location {
    pub(super) name: Option<Arc<str>>,
    pub(super) coordinates: Coordinates,
    pub(super) rotation: Rotation,
    /// In the order of nesting, each relative to the one before.
    pub(super) transformations: Vec<Transformation>,
    pub(super) facing: FacingRule,
    /// Names of parts that this location excludes.
    pub(super) excluded: Arc<[Arc<str>]>,
}

impl Location {
    /// Position and orientation of the parent.
    pub(super) fn origin() -> Self {
        Self {
            name: None,
            coordinates: Coordinates::Cartesian(V3D::default()),
            rotation: Rotation::IDENTITY,
            transformations: Vec::new(),
            facing: FacingRule::Default,
            excluded: Arc::default(),
        }
    }
}

pub(super) fn point(node: Node<'_, '_>) -> V3D {
    match place(node) {
        Coordinates::Cartesian(v) => v,
        Coordinates::Spherical(r, t, p) => V3D::spherical(r, t, p),
    }
}

pub(super) fn location(node: Node<'_, '_>) -> Location {
    let mut transformations = Vec::new();
    let mut at = node;
    for _ in 0..MAX_DEPTH {
        let inner = at
            .children()
            .find(|c| c.is_element() && matches!(c.tag_name().name(), "rot" | "trans"));
        let Some(inner) = inner else { break };
        transformations.push(match inner.tag_name().name() {
            "rot" => Transformation::Rotate(Rotation::about(axis(inner), number(inner, "val").unwrap_or(0.0))),
            _ => Transformation::Translate(place(inner)),
        });
        at = inner;
    }
    let excluded = children(node, "exclude")
        .filter_map(|part| part.attribute("sub-part"))
        .map(Arc::from)
        .collect();
    let facing = match child(node, "facing") {
        Some(facing) if facing.attribute("val") == Some("none") => FacingRule::Nowhere,
        Some(facing) => FacingRule::Point(point(facing)),
        None => FacingRule::Default,
    };
    Location {
        name: node.attribute("name").map(|name| Arc::from(name.trim())),
        coordinates: place(node),
        rotation: Rotation::about(axis(node), number(node, "rot").unwrap_or(0.0)),
        transformations,
        facing,
        excluded,
    }
}

/// Locations of `<locations n-elements="…">`: attributes with `-end` are spread evenly, both ends included.
pub(super) fn locations(node: Node<'_, '_>, out: &mut Vec<Location>) -> Result<(), String> {
    let count = number(node, "n-elements").unwrap_or(0.0);
    if !(1.0..=MAX_DETECTORS as f64).contains(&count) {
        return Err(format!(
            "<locations> has n-elements={count}: it must be between 1 and {MAX_DETECTORS}"
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
            (None, None, None) => Coordinates::Cartesian(V3D::new(
                spread(&["x"], index).unwrap_or(0.0),
                spread(&["y"], index).unwrap_or(0.0),
                spread(&["z"], index).unwrap_or(0.0),
            )),
            (r, t, p) => Coordinates::Spherical(r.unwrap_or(0.0), t.unwrap_or(0.0), p.unwrap_or(0.0)),
        };
        let name = node
            .attribute("name")
            .map(|name| Arc::from(format!("{}{}", name.trim(), first_name + increment * index as i64)));
        let rotation = Rotation::about(axis(node), spread(&["rot"], index).unwrap_or(0.0));
        out.push(Location {
            name,
            coordinates: place,
            rotation,
            transformations: Vec::new(),
            facing: FacingRule::Default,
            excluded: Arc::default(),
        });
    }
    Ok(())
}

fn axis(node: Node<'_, '_>) -> V3D {
    let given = V3D::new(
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
        V3D::new(0.0, 0.0, 1.0)
    }
}

fn place(node: Node<'_, '_>) -> Coordinates {
    let r = number_of(node, &["r", "R"]);
    let t = number_of(node, &["t", "theta"]);
    let p = number_of(node, &["p", "phi"]);
    if r.is_some() || t.is_some() || p.is_some() {
        return Coordinates::Spherical(r.unwrap_or(0.0), t.unwrap_or(0.0), p.unwrap_or(0.0));
    }
    let of = |name| number(node, name).unwrap_or(0.0);
    Coordinates::Cartesian(V3D::new(of("x"), of("y"), of("z")))
}
