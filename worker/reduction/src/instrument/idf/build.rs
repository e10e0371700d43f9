//! Places components: types and locations become parts and detectors with places. Promises: what nests or multiplies
//! itself ends, with words. Must not read attributes.

use std::collections::HashMap;
use std::sync::Arc;

use roxmltree::Node;

use super::element::{child, children};
use super::ids::{Cursor, id_list};
use super::kind::{Child, Type, compile, compile_child};
use super::location::{Facing, Location, Place, Turn, point};
use super::{DEEPEST, MOST_DETECTORS, parameters};
use crate::instrument::{Component, Detector, Frame, Instrument, Rotation, V3};

pub(super) struct Builder {
    pub(super) instrument: Instrument,
    pub(super) types: HashMap<String, Arc<Type>>,
    pub(super) lists: HashMap<String, Arc<[i32]>>,
    pub(super) facing: Option<V3>,
    pub(super) delta: bool,
    pub(super) names: HashMap<Arc<str>, u32>,
}

pub(super) struct At {
    /// Names of parts that are left out.
    pub(super) excluded: Arc<[Arc<str>]>,
    pub(super) parent: u32,
    pub(super) position: V3,
    pub(super) rotation: Rotation,
    pub(super) monitor: bool,
    pub(super) depth: usize,
}

impl Builder {
    pub(super) fn new(root: Node<'_, '_>) -> Result<Self, String> {
        let mut builder = Self {
            instrument: Instrument {
                name: root.attribute("name").unwrap_or_default().to_owned(),
                ..Instrument::default()
            },
            types: HashMap::new(),
            lists: HashMap::new(),
            facing: None,
            delta: false,
            names: HashMap::new(),
        };
        if let Some(defaults) = child(root, "defaults") {
            builder.facing = child(defaults, "components-are-facing").map(point);
            builder.delta = child(defaults, "offsets").and_then(|node| node.attribute("spherical")) == Some("delta");
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
            position: V3::default(),
            rotation: Rotation::IDENTITY,
        });
        let at = At {
            excluded: Arc::default(),
            parent: 0,
            position: V3::default(),
            rotation: Rotation::IDENTITY,
            monitor: false,
            depth: 0,
        };
        for node in children(root, "component") {
            let compiled = compile_child(node)?;
            parameters::of_component(node, &compiled, &mut self.instrument);
            self.place(&compiled, &at, &mut Cursor::default())?;
        }
        // Links name components and detectors, so that these come first.
        self.instrument.sort_detectors();
        parameters::of_links(root, &mut self.instrument)
    }

    /// Puts a component at each of its locations.
    fn place(&mut self, component: &Child, at: &At, outer: &mut Cursor) -> Result<(), String> {
        if at.depth > DEEPEST {
            return Err(format!(
                "components nest deeper than {DEEPEST} levels at type {}",
                component.kind
            ));
        }
        let Some(kind) = self.types.get(&component.kind).cloned() else {
            return Err(format!(
                "a component has the type \"{}\", which is not defined",
                component.kind
            ));
        };
        let mut own = match &component.ids {
            Some(name) => {
                let Some(ids) = self.lists.get(name) else {
                    return Err(format!("a component has the idlist \"{name}\", which is not defined"));
                };
                Some(Cursor {
                    ids: ids.clone(),
                    next: 0,
                })
            }
            None => None,
        };
        let cursor = own.as_mut().unwrap_or(outer);
        let only = [Location::origin()];
        let locations: &[Location] = if component.locations.is_empty() {
            &only
        } else {
            &component.locations
        };
        let monitor = at.monitor || component.monitor || kind.monitor;
        for location in locations {
            let given = location.name.clone().or_else(|| component.name.clone());
            if given.as_ref().is_some_and(|name| at.excluded.contains(name)) {
                continue;
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
                let label = self.detector(id, position, monitor, at.parent, name)?;
                if let Some(cylinder) = kind.cylinder {
                    self.instrument.cylinders.entry(label).or_insert(cylinder);
                    let axis = at.rotation.inverse().apply(rotation.apply(cylinder.axis));
                    if (axis - cylinder.axis).norm() > 1e-9 * cylinder.axis.norm() {
                        self.instrument.axes.push((id, axis));
                    }
                }
                continue;
            }
            let index = self.component(
                given.unwrap_or_else(|| kind.name.clone()),
                at.parent,
                position,
                rotation,
            )?;
            if kind.source {
                self.instrument.source.get_or_insert(index);
            }
            if kind.sample {
                self.instrument.sample.get_or_insert(index);
            }
            let inner = At {
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
        }
        Ok(())
    }

    fn component(&mut self, name: Arc<str>, parent: u32, position: V3, rotation: Rotation) -> Result<u32, String> {
        let index = self.instrument.components.len();
        if index > MOST_DETECTORS {
            return Err(format!("the definition has more than {MOST_DETECTORS} components"));
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
        position: V3,
        monitor: bool,
        parent: u32,
        name: Arc<str>,
    ) -> Result<u32, String> {
        if self.instrument.detectors.len() >= MOST_DETECTORS {
            return Err(format!("the definition has more than {MOST_DETECTORS} detectors"));
        }
        // Names such as pixel17 are kept as a name and a number, once for each name.
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
        let next = self.names.len() as u32;
        let names = &mut self.instrument.names;
        let name = *self.names.entry(stem).or_insert_with_key(|key| {
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

    fn resolve(&self, location: &Location, at: &At) -> (V3, Rotation) {
        let mut local = self.relative(location.place, at);
        let mut turned = location.rotation;
        for turn in &location.turns {
            match turn {
                Turn::Rotate(rotation) => turned = turned.after(*rotation),
                Turn::Shift(place) => local = local + turned.apply(self.relative(*place, at)),
            }
        }
        let position = at.position + at.rotation.apply(local);
        let rotation = at.rotation.after(turned);
        let towards = match location.facing {
            Facing::Nowhere => None,
            Facing::Point(point) => Some(point),
            Facing::Default => self.facing,
        };
        match towards.map(|point| position - point).filter(|away| away.norm() > 0.0) {
            Some(away) => {
                let local = rotation.inverse().apply(away);
                (
                    position,
                    rotation.after(Rotation::between(V3::new(0.0, 0.0, 1.0), local)),
                )
            }
            None => (position, rotation),
        }
    }

    /// The place relative to the component that carries it.
    fn relative(&self, place: Place, at: &At) -> V3 {
        match place {
            Place::Cartesian(v) => v,
            Place::Spherical(r, t, p) if self.delta && at.depth > 0 => {
                // Distance and angles are added to those of the carrier.
                let from = at.position;
                let (r0, t0) = (from.norm(), from.angle(V3::new(0.0, 0.0, 1.0)).to_degrees());
                let p0 = from.y.atan2(from.x).to_degrees();
                at.rotation
                    .inverse()
                    .apply(V3::spherical(r0 + r, t0 + t, p0 + p) - from)
            }
            Place::Spherical(r, t, p) => V3::spherical(r, t, p),
        }
    }

    pub(super) fn finish(mut self) -> Instrument {
        self.instrument.sort_detectors();
        self.instrument
    }
}

fn frame(defaults: Node<'_, '_>) -> Frame {
    let mut frame = Frame::default();
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
