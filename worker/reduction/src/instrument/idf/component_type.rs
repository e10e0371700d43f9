//! Types of components (`<type>`), compiled once. Promises: a use of a type does not read XML again. Must not: place
//! anything.

use std::sync::Arc;

use roxmltree::Node;

use super::element::{child, children, number};
use super::location::{Location, location, locations as many_locations};
use crate::instrument::{Cylinder, V3D};

/// `<component>` element: a use of a type at one or several locations.
pub(super) struct ComponentElement {
    pub(super) kind: String,
    pub(super) name: Option<Arc<str>>,
    pub(super) ids: Option<String>,
    pub(super) monitor: bool,
    pub(super) locations: Vec<Location>,
    pub(super) grid_ids: Option<PixelGridIds>,
}

/// Rule for the ids of a rectangular detector: `start + slow·step_by_row + fast·step`.
#[derive(Clone, Copy)]
pub(super) struct PixelGridIds {
    pub(super) start: i64,
    pub(super) fill_by_x: bool,
    pub(super) step_by_row: Option<i64>,
    pub(super) step: i64,
}

/// `<type>` element.
pub(super) struct ComponentType {
    pub(super) name: Arc<str>,
    pub(super) detector: bool,
    pub(super) monitor: bool,
    pub(super) source: bool,
    pub(super) sample: bool,
    pub(super) grid: Option<PixelGrid>,
    /// Shape of a gas tube or a piece of one.
    pub(super) cylinder: Option<Cylinder>,
    pub(super) children: Vec<ComponentElement>,
}

/// Pixels of a rectangular detector: number, first position and pitch in m, each as (x, y).
#[derive(Clone)]
pub(super) struct PixelGrid {
    pub(super) counts: (i64, i64),
    pub(super) start: (f64, f64),
    pub(super) step: (f64, f64),
}

pub(super) fn compile(node: Node<'_, '_>) -> Result<ComponentType, String> {
    let is = node.attribute("is").unwrap_or_default().to_ascii_lowercase();
    let grid = is == "rectangular_detector" || is == "rectangulardetector" || is == "grid_detector";
    let grid = grid.then(|| PixelGrid {
        counts: (
            number(node, "xpixels").unwrap_or(1.0) as i64,
            number(node, "ypixels").unwrap_or(1.0) as i64,
        ),
        start: (
            number(node, "xstart").unwrap_or(0.0),
            number(node, "ystart").unwrap_or(0.0),
        ),
        step: (
            number(node, "xstep").unwrap_or(0.0),
            number(node, "ystep").unwrap_or(0.0),
        ),
    });
    let mut nested = Vec::new();
    for component in children(node, "component") {
        nested.push(compile_child(component)?);
    }
    Ok(ComponentType {
        name: Arc::from(node.attribute("name").unwrap_or_default()),
        detector: is == "detector",
        monitor: is == "monitor",
        source: is == "source",
        sample: is == "samplepos",
        grid,
        cylinder: cylinder(node),
        children: nested,
    })
}

pub(super) fn compile_child(node: Node<'_, '_>) -> Result<ComponentElement, String> {
    let mut locations = Vec::new();
    for element in node.children().filter(Node::is_element) {
        match element.tag_name().name() {
            "location" => locations.push(location(element)),
            "locations" => many_locations(element, &mut locations)?,
            _ => {}
        }
    }
    let grid_ids = number(node, "idstart").map(|start| PixelGridIds {
        start: start as i64,
        fill_by_x: node.attribute("idfillbyfirst").unwrap_or("y") == "x",
        step_by_row: number(node, "idstepbyrow").map(|step| step as i64),
        step: number(node, "idstep").map_or(1, |step| step as i64),
    });
    let monitor = node.attribute("mark-as") == Some("monitor");
    Ok(ComponentElement {
        kind: node.attribute("type").unwrap_or_default().to_owned(),
        name: node.attribute("name").map(|name| Arc::from(name.trim())),
        ids: node.attribute("idlist").map(str::to_owned),
        monitor,
        locations,
        grid_ids,
    })
}

/// Cylinder of a type, in m; `None` for other shapes and incomplete elements.
fn cylinder(node: Node<'_, '_>) -> Option<Cylinder> {
    let shape = child(node, "cylinder")?;
    let axis = child(shape, "axis")?;
    let of = |name| number(axis, name).unwrap_or(0.0);
    Some(Cylinder {
        radius: number(child(shape, "radius")?, "val")?,
        height: number(child(shape, "height")?, "val")?,
        axis: V3D::new(of("x"), of("y"), of("z")).unit(),
    })
}
