//! Reads instrument definition files. Promises: any text gives an instrument or an error, in bounded time and memory;
//! each type is compiled once, however often it is used. Must not open files.

use std::collections::HashMap;
use std::sync::Arc;

use roxmltree::{Document, Node};

use crate::date_and_time::DateAndTime;
use crate::instrument::parameters::Parameter;
use crate::instrument::{Component, Detector, Frame, Instrument, Rotation, V3};

/// More than any instrument has, so that a definition that multiplies itself ends.
const MOST_DETECTORS: usize = 10_000_000;
/// Deeper than any instrument nests, so that a type that holds itself ends.
const DEEPEST: usize = 24;

/// The dates between which a definition is valid; all of time when it does not say.
pub fn validity(text: &str) -> (DateAndTime, DateAndTime) {
    // Only the root's attributes are needed, which stand at the head of the file.
    let head = text
        .find("<instrument")
        .and_then(|at| text.get(at..))
        .unwrap_or_default();
    let head = head.find('>').and_then(|end| head.get(..end)).unwrap_or_default();
    let date = |name: &str| {
        let after = head.split_once(name)?.1.trim_start().strip_prefix('=')?.trim_start();
        let quote = after.chars().next().filter(|c| *c == '"' || *c == '\'')?;
        DateAndTime::parse(after.get(1..)?.split(quote).next()?)
    };
    let first = DateAndTime::from_nanoseconds(i64::MIN);
    let last = DateAndTime::from_nanoseconds(i64::MAX);
    (date("valid-from").unwrap_or(first), date("valid-to").unwrap_or(last))
}

/// Reads a definition.
///
/// # Errors
/// What is wrong with the text, in words.
pub fn parse(text: &str) -> Result<Instrument, String> {
    let options = roxmltree::ParsingOptions {
        allow_dtd: false,
        ..roxmltree::ParsingOptions::default()
    };
    let document = Document::parse_with_options(text, options).map_err(|error| error.to_string())?;
    let root = document.root_element();
    if root.tag_name().name() != "instrument" {
        return Err(format!(
            "the root element is <{}>, not <instrument>",
            root.tag_name().name()
        ));
    }
    let mut builder = Builder::new(root)?;
    builder.instrument.xml = Arc::from(text);
    builder.build(root)?;
    Ok(builder.finish())
}

/// Reads the parameters in a parameters file into an instrument.
///
/// # Errors
/// What is wrong with the text, in words.
pub fn add_parameters(text: &str, instrument: &mut Instrument) -> Result<(), String> {
    let document = Document::parse(text).map_err(|error| error.to_string())?;
    for link in children(document.root_element(), "component-link") {
        let name = link.attribute("name").unwrap_or_default().trim().to_owned();
        read_parameters(link, &name, instrument);
    }
    Ok(())
}

fn children<'a, 'b>(node: Node<'a, 'b>, name: &'static str) -> impl Iterator<Item = Node<'a, 'b>> {
    node.children()
        .filter(move |child| child.is_element() && child.tag_name().name() == name)
}

fn child<'a, 'b>(node: Node<'a, 'b>, name: &'static str) -> Option<Node<'a, 'b>> {
    children(node, name).next()
}

fn number(node: Node<'_, '_>, name: &str) -> Option<f64> {
    node.attribute(name)?.trim().parse().ok()
}

fn number_of(node: Node<'_, '_>, names: &[&str]) -> Option<f64> {
    names.iter().find_map(|name| number(node, name))
}

fn read_parameters(node: Node<'_, '_>, owner: &str, instrument: &mut Instrument) {
    for parameter in children(node, "parameter") {
        let Some(name) = parameter.attribute("name") else {
            continue;
        };
        let kind = parameter.attribute("type").unwrap_or("double");
        let value = if let Some(value) = child(parameter, "value").and_then(|value| value.attribute("val")) {
            match kind {
                "string" => Parameter::Text(value.to_owned()),
                "bool" => Parameter::Flag(value.trim().eq_ignore_ascii_case("true") || value.trim() == "1"),
                _ => value
                    .trim()
                    .parse()
                    .map_or_else(|_| Parameter::Text(value.to_owned()), Parameter::Number),
            }
        } else if let Some(log) = child(parameter, "logfile") {
            let how = log
                .attribute("eq")
                .or_else(|| log.attribute("extract-single-value-as"))
                .unwrap_or("mean");
            Parameter::FromLog {
                log: log.attribute("id").unwrap_or_default().to_owned(),
                how: how.to_owned(),
            }
        } else {
            continue;
        };
        instrument
            .parameters
            .entry(owner.to_owned())
            .or_default()
            .insert(name.trim().to_owned(), value);
    }
}

/// Where a location puts its component.
#[derive(Clone, Copy)]
enum Place {
    Cartesian(V3),
    /// Distance and angles, m and degrees.
    Spherical(f64, f64, f64),
}

/// One `<rot>` or `<trans>` within a location.
#[derive(Clone, Copy)]
enum Turn {
    Rotate(Rotation),
    Shift(Place),
}

#[derive(Clone, Copy)]
enum Facing {
    /// As the definition's default says.
    Default,
    /// Towards nothing.
    Nowhere,
    /// Towards a point.
    Point(V3),
}

#[derive(Clone)]
struct Location {
    name: Option<Arc<str>>,
    place: Place,
    rotation: Rotation,
    turns: Vec<Turn>,
    facing: Facing,
    /// Names of parts that are left out here.
    excluded: Arc<[Arc<str>]>,
}

struct Child {
    kind: String,
    name: Option<Arc<str>>,
    ids: Option<String>,
    monitor: bool,
    locations: Vec<Location>,
    grid_ids: Option<GridIds>,
    source: bool,
    sample: bool,
}

#[derive(Clone, Copy)]
struct GridIds {
    start: i64,
    fill_by_x: bool,
    step_by_row: Option<i64>,
    step: i64,
}

struct Type {
    name: Arc<str>,
    detector: bool,
    monitor: bool,
    source: bool,
    sample: bool,
    grid: Option<Grid>,
    children: Vec<Child>,
}

#[derive(Clone)]
struct Grid {
    counts: (i64, i64),
    start: (f64, f64),
    step: (f64, f64),
}

struct Builder {
    instrument: Instrument,
    types: HashMap<String, Arc<Type>>,
    lists: HashMap<String, Arc<[i32]>>,
    facing: Option<V3>,
    delta: bool,
    names: HashMap<Arc<str>, u32>,
}

/// The list of ids that is being handed out, and how far.
#[derive(Default)]
struct Cursor {
    ids: Arc<[i32]>,
    next: usize,
}

struct At {
    /// Names of parts that are left out.
    excluded: Arc<[Arc<str>]>,
    parent: u32,
    position: V3,
    rotation: Rotation,
    monitor: bool,
    depth: usize,
}

impl Builder {
    fn new(root: Node<'_, '_>) -> Result<Self, String> {
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
            builder.facing = child(defaults, "components-are-facing").map(|node| builder.point(node));
            builder.delta = child(defaults, "offsets").and_then(|node| node.attribute("spherical")) == Some("delta");
            builder.instrument.frame = frame(defaults);
        }
        for list in children(root, "idlist") {
            let name = list.attribute("idname").unwrap_or_default();
            builder.lists.insert(name.to_owned(), id_list(list)?.into());
        }
        let components = children(root, "type");
        for node in components {
            let compiled = builder.compile(node)?;
            builder.types.insert(
                node.attribute("name").unwrap_or_default().to_owned(),
                Arc::new(compiled),
            );
        }
        Ok(builder)
    }

    fn point(&self, node: Node<'_, '_>) -> V3 {
        match place(node) {
            Place::Cartesian(v) => v,
            Place::Spherical(r, t, p) => V3::spherical(r, t, p),
        }
    }

    fn compile(&self, node: Node<'_, '_>) -> Result<Type, String> {
        let is = node.attribute("is").unwrap_or_default().to_ascii_lowercase();
        let grid = is == "rectangular_detector" || is == "rectangulardetector" || is == "grid_detector";
        let grid = grid.then(|| Grid {
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
        let mut kids = Vec::new();
        for component in children(node, "component") {
            kids.push(self.compile_child(component)?);
        }
        Ok(Type {
            name: Arc::from(node.attribute("name").unwrap_or_default()),
            detector: is == "detector",
            monitor: is == "monitor",
            source: is == "source",
            sample: is == "samplepos",
            grid,
            children: kids,
        })
    }

    fn compile_child(&self, node: Node<'_, '_>) -> Result<Child, String> {
        let mut locations = Vec::new();
        for element in node.children().filter(Node::is_element) {
            match element.tag_name().name() {
                "location" => locations.push(self.location(element)),
                "locations" => self.locations(element, &mut locations)?,
                _ => {}
            }
        }
        let grid_ids = number(node, "idstart").map(|start| GridIds {
            start: start as i64,
            fill_by_x: node.attribute("idfillbyfirst").unwrap_or("y") == "x",
            step_by_row: number(node, "idstepbyrow").map(|step| step as i64),
            step: number(node, "idstep").map_or(1, |step| step as i64),
        });
        let monitor = node.attribute("mark-as") == Some("monitor");
        Ok(Child {
            kind: node.attribute("type").unwrap_or_default().to_owned(),
            name: node.attribute("name").map(|name| Arc::from(name.trim())),
            ids: node.attribute("idlist").map(str::to_owned),
            monitor,
            locations,
            grid_ids,
            source: false,
            sample: false,
        })
    }

    fn location(&self, node: Node<'_, '_>) -> Location {
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
            Some(facing) => Facing::Point(self.point(facing)),
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
    fn locations(&self, node: Node<'_, '_>, out: &mut Vec<Location>) -> Result<(), String> {
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

    fn build(&mut self, root: Node<'_, '_>) -> Result<(), String> {
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
            let compiled = self.compile_child(node)?;
            let owner = compiled
                .name
                .clone()
                .unwrap_or_else(|| Arc::from(compiled.kind.as_str()));
            let location_name = compiled.locations.first().and_then(|l| l.name.clone());
            read_parameters(node, &location_name.unwrap_or(owner), &mut self.instrument);
            self.place(&compiled, &at, &mut Cursor::default())?;
        }
        for link in children(root, "component-link") {
            let name = link.attribute("name").unwrap_or_default().trim().to_owned();
            read_parameters(link, &name, &mut self.instrument);
        }
        Ok(())
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
        let origin = Location {
            name: None,
            place: Place::Cartesian(V3::default()),
            rotation: Rotation::IDENTITY,
            turns: Vec::new(),
            facing: Facing::Default,
            excluded: Arc::default(),
        };
        let only = [origin];
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
                self.detector(
                    id,
                    position,
                    monitor,
                    at.parent,
                    given.unwrap_or_else(|| kind.name.clone()),
                )?;
                continue;
            }
            let index = self.component(
                given.unwrap_or_else(|| kind.name.clone()),
                at.parent,
                position,
                rotation,
            )?;
            if kind.source || component.source {
                self.instrument.source.get_or_insert(index);
            }
            if kind.sample || component.sample {
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

    fn detector(&mut self, id: i32, position: V3, monitor: bool, parent: u32, name: Arc<str>) -> Result<(), String> {
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
        Ok(())
    }

    fn grid(&mut self, grid: &Grid, ids: Option<GridIds>, cursor: &mut Cursor, at: &At) -> Result<(), String> {
        let (columns, rows) = grid.counts;
        let total = columns
            .checked_mul(rows)
            .filter(|n| *n > 0 && *n <= MOST_DETECTORS as i64);
        if columns <= 0 || rows <= 0 || total.is_none() {
            return Err(format!("a rectangular detector has {columns} × {rows} pixels"));
        }
        for column in 0..columns {
            for row in 0..rows {
                let id = match ids {
                    Some(ids) => {
                        let (slow, fast, length) = if ids.fill_by_x {
                            (row, column, columns)
                        } else {
                            (column, row, rows)
                        };
                        let by_row = ids.step_by_row.unwrap_or_else(|| length.saturating_mul(ids.step));
                        let id = slow
                            .checked_mul(by_row)
                            .and_then(|n| n.checked_add(fast.checked_mul(ids.step)?))
                            .and_then(|n| n.checked_add(ids.start));
                        id.and_then(|id| i32::try_from(id).ok())
                    }
                    None => {
                        cursor.next += 1;
                        cursor.ids.get(cursor.next - 1).copied()
                    }
                };
                let Some(id) = id else {
                    return Err("a rectangular detector has more pixels than ids".to_owned());
                };
                let local = V3::new(
                    grid.start.0 + column as f64 * grid.step.0,
                    grid.start.1 + row as f64 * grid.step.1,
                    0.0,
                );
                let position = at.position + at.rotation.apply(local);
                self.detector(id, position, at.monitor, at.parent, Arc::from("pixel"))?;
            }
        }
        Ok(())
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

    fn finish(mut self) -> Instrument {
        self.instrument.sort_detectors();
        self.instrument
    }
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

fn id_list(list: Node<'_, '_>) -> Result<Vec<i32>, String> {
    let mut ids = Vec::new();
    let mut range = |node: Node<'_, '_>| -> Result<(), String> {
        if let Some(value) = number(node, "val") {
            ids.push(value as i32);
            return Ok(());
        }
        let Some(start) = number(node, "start") else {
            return Ok(());
        };
        let (start, end) = (start as i64, number(node, "end").unwrap_or(start) as i64);
        let step = number(node, "step").unwrap_or(1.0) as i64;
        if step == 0 || (end - start).signum() * step.signum() < 0 {
            return Err(format!("the ids from {start} to {end} have the step {step}"));
        }
        if (end - start) / step > MOST_DETECTORS as i64 {
            return Err(format!("the ids from {start} to {end} are more than {MOST_DETECTORS}"));
        }
        let mut id = start;
        while (step > 0 && id <= end) || (step < 0 && id >= end) {
            ids.push(i32::try_from(id).map_err(|_| format!("the id {id} does not fit 32 bits"))?);
            id += step;
        }
        Ok(())
    };
    range(list)?;
    for node in children(list, "id") {
        range(node)?;
    }
    Ok(ids)
}
