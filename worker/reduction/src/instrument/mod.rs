//! The instrument: where its source, sample, detectors and other components are. Promises: detectors are in order of
//! their ids and found by binary search; positions are in the laboratory's frame; a moved component moves all that
//! it carries. Must not read files: `source` does.
//!
//! # Layout
//! [`vector`] → [`formula`], [`parameters`] → [`idf`] (definitions) and [`nexus`] (a start message's structure) →
//! [`source`] (folders) → [`of_run`] (which of them) → `logs` (what logs change). [`lists`] are files that name
//! detectors.

pub mod formula;
pub mod idf;
pub mod lists;
mod logs;
pub mod nexus;
pub mod of_run;
pub mod parameters;
pub mod source;
pub mod vector;

use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock};

use crate::error::{Result, failed};
use parameters::{Owner, Parameter, Parameters};
pub use vector::{Rotation, V3};

/// One part of an instrument. The first is the instrument itself.
#[derive(Debug, Clone, PartialEq)]
pub struct Component {
    /// Its name.
    pub name: Arc<str>,
    /// The component that carries it; `None` for the instrument.
    pub parent: Option<u32>,
    /// Where it is, m.
    pub position: V3,
    /// How it is turned.
    pub rotation: Rotation,
}

/// One detector or monitor.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Detector {
    /// Its id.
    pub id: i32,
    /// Where it is, m.
    pub position: V3,
    /// Whether it is a monitor.
    pub monitor: bool,
    /// The component that carries it.
    pub parent: u32,
    /// Index of the name of its type among the instrument's names.
    pub name: u32,
    /// Its number among components of the same name; -1 when the name stands alone.
    pub number: i32,
}

/// An instrument.
#[derive(Debug, Clone, Default)]
pub struct Instrument {
    /// Its name.
    pub name: String,
    /// Its parts other than detectors, each after the one that carries it.
    pub components: Vec<Component>,
    /// Its detectors and monitors, in order of their ids.
    pub detectors: Vec<Detector>,
    /// The names of detectors' types.
    pub names: Vec<Arc<str>>,
    /// The component that is the source.
    pub source: Option<u32>,
    /// The component that is the sample's place.
    pub sample: Option<u32>,
    /// The parameters of its components.
    pub parameters: Parameters,
    /// The shapes of detectors that are cylinders, by the index of their name.
    pub cylinders: BTreeMap<u32, Cylinder>,
    /// The axes of cylinders that are turned against what carries them, in its frame, in order of the detectors' ids.
    pub axes: Vec<(i32, V3)>,
    /// What was wrong beside the definition, in words: a parameters file that cannot be read, say.
    pub notes: Vec<String>,
    /// The definition it was read from, kept for saved files.
    pub xml: Arc<str>,
    /// Which axis points up and which along the beam, as indices of coordinates.
    pub frame: Frame,
}

/// The shape of a gas tube, or of a piece of one.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Cylinder {
    /// Its radius, m.
    pub radius: f64,
    /// Its height, m.
    pub height: f64,
    /// The direction of its axis: in the detector's own frame as defined, in the laboratory's as asked for.
    pub axis: V3,
}

/// Which coordinates point up and along the beam.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Frame {
    /// The index of the coordinate that points up.
    pub up: usize,
    /// The index of the coordinate along the beam.
    pub along_beam: usize,
}

impl Default for Frame {
    fn default() -> Self {
        Self { up: 1, along_beam: 2 }
    }
}

impl Instrument {
    /// An instrument of no parts.
    pub fn empty() -> Arc<Self> {
        static EMPTY: LazyLock<Arc<Instrument>> = LazyLock::new(Arc::default);
        EMPTY.clone()
    }

    /// Whether there is neither a name nor a detector.
    pub fn is_empty(&self) -> bool {
        self.name.is_empty() && self.detectors.is_empty()
    }

    /// Puts the detectors in order of their ids. Of equal ids the first stays.
    pub(crate) fn sort_detectors(&mut self) {
        self.detectors.sort_by_key(|detector| detector.id);
        self.detectors.dedup_by_key(|detector| detector.id);
        self.axes.sort_by_key(|(id, _)| *id);
        self.axes.dedup_by_key(|(id, _)| *id);
    }

    /// The index of a detector id, if there is such a detector.
    pub fn index_of(&self, id: i32) -> Option<usize> {
        self.detectors.binary_search_by_key(&id, |detector| detector.id).ok()
    }

    /// The detector of an id, if there is one.
    pub fn detector(&self, id: i32) -> Option<&Detector> {
        self.index_of(id).and_then(|index| self.detectors.get(index))
    }

    /// The name of a detector: that of its type, with its number where several share it.
    pub fn detector_name(&self, detector: &Detector) -> String {
        let name = self.names.get(detector.name as usize).map_or("", |name| name);
        if detector.number < 0 {
            name.to_owned()
        } else {
            format!("{name}{}", detector.number)
        }
    }

    fn position_of(&self, component: Option<u32>) -> Option<V3> {
        component
            .and_then(|index| self.components.get(index as usize))
            .map(|component| component.position)
    }

    /// Where the source is.
    pub fn source_position(&self) -> Option<V3> {
        self.position_of(self.source)
    }

    /// Where the sample is; the origin when the definition does not say.
    pub fn sample_position(&self) -> V3 {
        self.position_of(self.sample).unwrap_or_default()
    }

    /// Source to sample, m; `None` without a source.
    pub fn l1(&self) -> Option<f64> {
        self.source_position()
            .map(|source| (self.sample_position() - source).norm())
    }

    fn beam(&self) -> V3 {
        match self.source_position() {
            Some(source) => self.sample_position() - source,
            None => V3::new(0.0, 0.0, 1.0),
        }
    }

    /// Sample to a detector, m; for a monitor, its distance from the source less L1, so that L1 + L2 is its path.
    pub fn l2(&self, detector: &Detector) -> f64 {
        match (detector.monitor, self.source_position(), self.l1()) {
            (true, Some(source), Some(l1)) => (detector.position - source).norm() - l1,
            _ => (detector.position - self.sample_position()).norm(),
        }
    }

    /// The scattering angle of a detector, radians.
    pub fn two_theta(&self, detector: &Detector) -> f64 {
        (detector.position - self.sample_position()).angle(self.beam())
    }

    /// The azimuth of a detector, radians, from the horizontal across the beam.
    pub fn phi(&self, detector: &Detector) -> f64 {
        let p = detector.position - self.sample_position();
        p.y.atan2(p.x)
    }

    /// The scattering angle, negative on the side of the beam where the vertical axis times the position points against the
    /// beam.
    pub fn signed_two_theta(&self, detector: &Detector) -> f64 {
        let two_theta = self.two_theta(detector);
        let mut up = [0.0; 3];
        if let Some(axis) = up.get_mut(self.frame.up) {
            *axis = 1.0;
        }
        let [x, y, z] = up;
        let p = detector.position - self.sample_position();
        // The normal to beam and position, compared with the direction up.
        let normal = self.beam().cross(p);
        if normal.dot(V3::new(x, y, z)) < 0.0 {
            -two_theta
        } else {
            two_theta
        }
    }

    /// The component of this name or path (`bank1/tube2`), if there is one.
    pub fn component(&self, name: &str) -> Option<usize> {
        let mut parts = name.split('/').filter(|part| !part.is_empty());
        let first = parts.next()?;
        let mut found = self.components.iter().position(|component| *component.name == *first)?;
        for part in parts {
            found = self.components.iter().enumerate().position(|(index, component)| {
                *component.name == *part && self.is_within(index, found) && index != found
            })?;
        }
        Some(found)
    }

    /// Whether a component is another, or is carried by it.
    pub fn is_within(&self, component: usize, ancestor: usize) -> bool {
        let mut at = Some(component);
        // A component comes after the one that carries it, so that this ends.
        while let Some(index) = at {
            if index == ancestor {
                return true;
            }
            at = self
                .components
                .get(index)
                .and_then(|c| c.parent)
                .map(|p| p as usize)
                .filter(|p| *p < index);
        }
        false
    }

    /// The ids of the detectors that a component carries, in order.
    pub fn detectors_within(&self, component: usize) -> Vec<i32> {
        let inside: Vec<bool> = (0..self.components.len())
            .map(|index| self.is_within(index, component))
            .collect();
        let within = |detector: &&Detector| inside.get(detector.parent as usize).copied().unwrap_or_default();
        self.detectors
            .iter()
            .filter(within)
            .map(|detector| detector.id)
            .collect()
    }

    /// Moves a component with all that it carries.
    ///
    /// # Errors
    /// When there is no such component.
    pub fn move_component(&mut self, component: usize, to: V3) -> Result<()> {
        let Some(from) = self.components.get(component).map(|c| c.position) else {
            return failed(format!("the instrument {} has no component {component}", self.name));
        };
        self.carry(component, |position| position + (to - from), Rotation::IDENTITY);
        Ok(())
    }

    /// Turns a component about its own place with all that it carries, on top of the turn that it has.
    ///
    /// # Errors
    /// When there is no such component.
    pub fn turn_component(&mut self, component: usize, by: Rotation) -> Result<()> {
        let Some(centre) = self.components.get(component).map(|c| c.position) else {
            return failed(format!("the instrument {} has no component {component}", self.name));
        };
        self.carry(component, |position| centre + by.apply(position - centre), by);
        Ok(())
    }

    fn carry(&mut self, component: usize, place: impl Fn(V3) -> V3, turn: Rotation) {
        let inside: Vec<bool> = (0..self.components.len())
            .map(|index| self.is_within(index, component))
            .collect();
        for (carried, inside) in self.components.iter_mut().zip(&inside) {
            if *inside {
                carried.position = place(carried.position);
                carried.rotation = turn.after(carried.rotation);
            }
        }
        for detector in &mut self.detectors {
            if inside.get(detector.parent as usize).copied().unwrap_or_default() {
                detector.position = place(detector.position);
            }
        }
    }

    /// Moves one detector.
    pub fn move_detector(&mut self, id: i32, to: V3) -> bool {
        let Some(index) = self.index_of(id) else { return false };
        if let Some(detector) = self.detectors.get_mut(index) {
            detector.position = to;
        }
        true
    }

    /// A parameter of a component, or of one that carries it, or of the instrument.
    pub fn parameter(&self, component: Option<usize>, name: &str) -> Option<&Parameter> {
        let mut at = component;
        while let Some(index) = at {
            let component = self.components.get(index)?;
            let one = u32::try_from(index).ok().map(Owner::Component);
            let own = one.and_then(|owner| self.parameters.own(owner, name));
            if let Some(found) = own.or_else(|| self.parameters.own(Owner::Name(&component.name), name)) {
                return Some(found);
            }
            at = component
                .parent
                .map(|parent| parent as usize)
                .filter(|parent| *parent < index);
        }
        self.parameters.own(Owner::Name(&self.name), name)
    }

    /// A parameter of a detector, or of what carries it.
    pub fn detector_parameter(&self, detector: &Detector, name: &str) -> Option<&Parameter> {
        self.parameters
            .own(Owner::Detector(detector.id), name)
            .or_else(|| self.parameters.own(Owner::Name(&self.detector_name(detector)), name))
            .or_else(|| self.parameter(Some(detector.parent as usize), name))
    }

    /// The names of the parameters of a detector, or of a component (of the instrument without either), and, if they are
    /// asked for, of what carries it; in order, each once.
    pub fn parameter_names(&self, component: Option<usize>, detector: Option<&Detector>, carried: bool) -> Vec<&str> {
        let mut names = std::collections::BTreeSet::new();
        let mut add = |owner: Owner<'_>| {
            let own = self.parameters.all(owner).into_iter().flatten();
            names.extend(own.map(|(name, _)| self.parameters.spelled(name)));
        };
        if let Some(detector) = detector {
            add(Owner::Detector(detector.id));
            add(Owner::Name(&self.detector_name(detector)));
        }
        let mut at = match detector {
            Some(detector) => carried.then_some(detector.parent as usize),
            None => Some(component.unwrap_or(0)),
        };
        while let Some((index, part)) = at.and_then(|index| Some((index, self.components.get(index)?))) {
            if let Ok(index) = u32::try_from(index) {
                add(Owner::Component(index));
            }
            add(Owner::Name(&part.name));
            at = part
                .parent
                .map(|parent| parent as usize)
                .filter(|parent| carried && *parent < index);
        }
        if carried || (component.is_none() && detector.is_none()) {
            add(Owner::Name(&self.name));
        }
        names.into_iter().collect()
    }

    /// A parameter of the instrument as a number, if it has one.
    pub fn number_parameter(&self, name: &str) -> Option<f64> {
        self.parameter(None, name).and_then(Parameter::number)
    }

    /// The cylinder that a detector is, its axis in the laboratory's frame; `None` when its shape is another.
    pub fn cylinder(&self, detector: &Detector) -> Option<Cylinder> {
        let shape = self.cylinders.get(&detector.name)?;
        let carrier = self.components.get(detector.parent as usize)?;
        let own = self.axes.binary_search_by_key(&detector.id, |(id, _)| *id).ok();
        let own = own.and_then(|at| self.axes.get(at)).map(|(_, axis)| *axis);
        Some(Cylinder {
            axis: carrier.rotation.apply(own.unwrap_or(shape.axis)),
            ..*shape
        })
    }
}
