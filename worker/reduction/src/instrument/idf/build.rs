//! Builds the instrument: types and locations become components and detectors with positions. Promises: a definition that
//! nests or multiplies itself is refused. Must not: read attributes of components.

use std::collections::HashMap;
use std::sync::Arc;

use roxmltree::Node;

use super::component_type::{ComponentElement, ComponentType, compile, compile_child};
use super::element::{child, children};
use super::ids::{IdCursor, id_list};
use super::limits::{MAX_DEPTH, MAX_DETECTORS};
use super::location::{Coordinates, FacingRule, Location, Transformation, point};
use super::parameters;
use crate::instrument::{Component, Detector, Instrument, ReferenceFrame, Rotation, V3D};

/// Instrument under construction, with the definition's types, id lists and defaults.
pub(super) struct InstrumentBuilder {
    pub(super) instrument: Instrument,
    pub(super) types: HashMap<String, Arc<ComponentType>>,
    pub(super) lists: HashMap<String, Arc<[i32]>>,
    pub(super) facing: Option<V3D>,
    /// `<offsets spherical="delta"/>`: spherical coordinates add to those of the parent.
    pub(super) spherical_delta: bool,
    /// Index of each type name in `instrument.detector_names`.
    pub(super) name_indices: HashMap<Arc<str>, u32>,
}

/// Component that carries the parts to be placed, in the laboratory frame.
pub(super) struct ParentFrame {
    /// Names of parts that the location excludes.
    pub(super) excluded: Arc<[Arc<str>]>,
    pub(super) parent: u32,
    pub(super) position: V3D,
    pub(super) rotation: Rotation,
    pub(super) monitor: bool,
    pub(super) depth: usize,
}

impl InstrumentBuilder {
    pub(super) fn new(root: Node<'_, '_>) -> Result<Self, String> {
        let mut builder = Self {
            instrument: Instrument {
                name: root.attribute("name").unwrap_or_default().to_owned(),
                ..Instrument::default()
            },
            types: HashMap::new(),
            lists: HashMap::new(),
            facing: None,
            spherical_delta: false,
            name_indices: HashMap::new(),
        };
        if let Some(defaults) = child(root, "defaults") {
            builder.facing = child(defaults, "components-are-facing").map(point);
            builder.spherical_delta =
                child(defaults, "offsets").and_then(|node| node.attribute("spherical")) == Some("delta");
            builder.instrument.frame = frame(defaults);
        }
        for list in children(root, "idlist") {
            let name = list.attribute("idname").unwrap_or_default();
            builder.lists.insert(name.to_owned(), id_list(list)?.into());
        }
        let components = children(root, "type");
        for node in components {
            let compiled = compile(node)?;
            for (part, child) in children(node, "component").zip(&compiled.children) {
                parameters::of_component(part, child, &mut builder.instrument);
            }
            builder.types.insert(
                node.attribute("name").unwrap_or_default().to_owned(),
                Arc::new(compiled),
            );
        }
        Ok(builder)
    }

    pub(super) fn build(&mut self, root: Node<'_, '_>) -> Result<(), String> {
        self.instrument.components.push(Component {
            name: Arc::from(self.instrument.name.as_str()),
            parent: None,
            position: V3D::default(),
            rotation: Rotation::IDENTITY,
        });
        let at = ParentFrame {
            excluded: Arc::default(),
            parent: 0,
            position: V3D::default(),
            rotation: Rotation::IDENTITY,
            monitor: false,
            depth: 0,
        };
        for node in children(root, "component") {
            let compiled = compile_child(node)?;
            parameters::of_component(node, &compiled, &mut self.instrument);
            self.place(&compiled, &at, &mut IdCursor::default())?;
        }
        // Links refer to components and detectors by path and id: both must exist.
        self.instrument.sort_detectors();
        parameters::of_links(root, &mut self.instrument)
    }

    /// Places a component at each of its locations, with all its parts.
    fn place(&mut self, component: &ComponentElement, at: &ParentFrame, outer: &mut IdCursor) -> Result<(), String> {
        if at.depth > MAX_DEPTH {
            return Err(format!(
                "components nest deeper than {MAX_DEPTH} levels at type {}",
                component.kind
            ));
        }
        let Some(kind) = self.types.get(&component.kind).cloned() else {
            return Err(format!(
                "a component has the type \"{}\", which is not defined",
                component.kind
            ));
        };
        let mut own_ids = match &component.ids {
            Some(name) => {
                let Some(ids) = self.lists.get(name) else {
                    return Err(format!("a component has the idlist \"{name}\", which is not defined"));
                };
                Some(IdCursor {
                    ids: ids.clone(),
                    next: 0,
                })
            }
            None => None,
        };
        let cursor = own_ids.as_mut().unwrap_or(outer);
        let only = [Location::origin()];
        let locations: &[Location] = if component.locations.is_empty() {
            &only
        } else {
            &component.locations
        };
        for location in locations {
            self.place_at(component, &kind, location, at, cursor)?;
        }
        Ok(())
    }

    /// Places a component at one location: a detector, or a component with its parts.
    fn place_at(
        &mut self,
        component: &ComponentElement,
        kind: &ComponentType,
        location: &Location,
        at: &ParentFrame,
        cursor: &mut IdCursor,
    ) -> Result<(), String> {
        let monitor = at.monitor || component.monitor || kind.monitor;
        let given = location.name.clone().or_else(|| component.name.clone());
        if given.as_ref().is_some_and(|name| at.excluded.contains(name)) {
            return Ok(());
        }
        let (position, rotation) = self.resolve(location, at);
        if kind.detector || kind.monitor {
            let Some(id) = cursor.ids.get(cursor.next).copied() else {
                return Err(format!(
                    "there are more detectors of type \"{}\" than ids for them",
                    kind.name
                ));
            };
            cursor.next += 1;
            let name = given.unwrap_or_else(|| kind.name.clone());
            let name = self.detector(id, position, monitor, at.parent, name)?;
            if let Some(cylinder) = kind.cylinder {
                self.instrument.cylinders.entry(name).or_insert(cylinder);
                let axis = at.rotation.inverse().apply(rotation.apply(cylinder.axis));
                if (axis - cylinder.axis).norm() > 1e-9 * cylinder.axis.norm() {
                    self.instrument.cylinder_axes.push((id, axis));
                }
            }
            return Ok(());
        }
        let name = given.unwrap_or_else(|| kind.name.clone());
        let index = self.component(name, at.parent, position, rotation)?;
        if kind.source {
            self.instrument.source.get_or_insert(index);
        }
        if kind.sample {
            self.instrument.sample.get_or_insert(index);
        }
        let inner = ParentFrame {
            excluded: location.excluded.clone(),
            parent: index,
            position,
            rotation,
            monitor,
            depth: at.depth + 1,
        };
        if let Some(grid) = &kind.grid {
            self.grid(grid, component.grid_ids, cursor, &inner)?;
        }
        for nested in &kind.children {
            self.place(nested, &inner, cursor)?;
        }
        Ok(())
    }

    fn component(&mut self, name: Arc<str>, parent: u32, position: V3D, rotation: Rotation) -> Result<u32, String> {
        let index = self.instrument.components.len();
        if index > MAX_DETECTORS {
            return Err(format!("the definition has more than {MAX_DETECTORS} components"));
        }
        self.instrument.components.push(Component {
            name,
            parent: Some(parent),
            position,
            rotation,
        });
        u32::try_from(index).map_err(|error| error.to_string())
    }

    pub(super) fn detector(
        &mut self,
        id: i32,
        position: V3D,
        monitor: bool,
        parent: u32,
        name: Arc<str>,
    ) -> Result<u32, String> {
        if self.instrument.detectors.len() >= MAX_DETECTORS {
            return Err(format!("the definition has more than {MAX_DETECTORS} detectors"));
        }
        // pixel17 becomes the name "pixel" and the number 17: one string for millions of detectors.
        let digits = name.bytes().rev().take_while(u8::is_ascii_digit).count().min(9);
        let (stem, tail) = name.split_at(name.len() - digits);
        let number = if tail.starts_with('0') && tail.len() > 1 {
            None
        } else {
            tail.parse::<i32>().ok()
        };
        let (stem, number): (Arc<str>, i32) = match number {
            Some(number) => (Arc::from(stem), number),
            None => (name, -1),
        };
        let next = self.name_indices.len() as u32;
        let names = &mut self.instrument.detector_names;
        let name = *self.name_indices.entry(stem).or_insert_with_key(|key| {
            names.push(key.clone());
            next
        });
        self.instrument.detectors.push(Detector {
            id,
            position,
            monitor,
            parent,
            name,
            number,
        });
        Ok(name)
    }

    fn resolve(&self, location: &Location, at: &ParentFrame) -> (V3D, Rotation) {
        let mut local = self.relative(location.coordinates, at);
        let mut turned = location.rotation;
        for transformation in &location.transformations {
            match transformation {
                Transformation::Rotate(rotation) => turned = turned.after(*rotation),
                Transformation::Translate(place) => local = local + turned.apply(self.relative(*place, at)),
            }
        }
        let position = at.position + at.rotation.apply(local);
        let rotation = at.rotation.after(turned);
        let towards = match location.facing {
            FacingRule::Nowhere => None,
            FacingRule::Point(point) => Some(point),
            FacingRule::Default => self.facing,
        };
        match towards.map(|point| position - point).filter(|away| away.norm() > 0.0) {
            Some(away) => {
                let local = rotation.inverse().apply(away);
                (
                    position,
                    rotation.after(Rotation::between(V3D::new(0.0, 0.0, 1.0), local)),
                )
            }
            None => (position, rotation),
        }
    }

    /// Position relative to the parent, in the parent's frame.
    fn relative(&self, place: Coordinates, at: &ParentFrame) -> V3D {
        match place {
            Coordinates::Cartesian(v) => v,
            Coordinates::Spherical(r, t, p) if self.spherical_delta && at.depth > 0 => {
                let from = at.position;
                let (r0, t0) = (from.norm(), from.angle(V3D::new(0.0, 0.0, 1.0)).to_degrees());
                let p0 = from.y.atan2(from.x).to_degrees();
                at.rotation
                    .inverse()
                    .apply(V3D::spherical(r0 + r, t0 + t, p0 + p) - from)
            }
            Coordinates::Spherical(r, t, p) => V3D::spherical(r, t, p),
        }
    }

    pub(super) fn finish(mut self) -> Instrument {
        self.instrument.sort_detectors();
        self.instrument
    }
}

/// Reference frame of the definition; y up and z along the beam by default.
fn frame(defaults: Node<'_, '_>) -> ReferenceFrame {
    let mut frame = ReferenceFrame::default();
    let Some(node) = child(defaults, "reference-frame") else {
        return frame;
    };
    let axis = |name: &'static str| match child(node, name)?.attribute("axis")?.trim() {
        "x" => Some(0),
        "y" => Some(1),
        "z" => Some(2),
        _ => None,
    };
    if let Some(up) = axis("pointing-up") {
        frame.up = up;
    }
    if let Some(along) = axis("along-beam") {
        frame.along_beam = along;
    }
    frame
}
