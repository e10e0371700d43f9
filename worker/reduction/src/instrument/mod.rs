//! Instruments: source, sample, detectors and other components with their positions. Promises: detectors are sorted by id
//! and found by binary search; positions are in m in the laboratory frame; a moved component moves its children. Must
//! not: read files; [`source`] does.
//!
//! # Layout
//! [`vector`] → [`formula`], [`parameters`] → here → [`idf`] (definition files) and [`nexus`] (structure of a start
//! message) → [`source`] (folders) → [`run_instrument`] (choice for a run) → `log_parameters` (values from logs).
//! [`detector_files`] are masks, groups and calibrations.

pub mod detector_files;
pub mod formula;
pub mod idf;
mod log_parameters;
pub mod nexus;
pub mod parameters;
pub mod run_instrument;
pub mod source;
pub mod vector;

use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock};

use crate::error::{Result, failed};
use parameters::{Parameter, ParameterMap, ParameterOwner};
pub use vector::{Rotation, V3D};

/// Component of an instrument other than a detector: Mantid's `Component`. The first one is the instrument itself.
#[derive(Debug, Clone, PartialEq)]
pub struct Component {
    pub name: Arc<str>,
    /// Index of the parent component; `None` for the instrument.
    pub parent: Option<u32>,
    /// Position in the laboratory frame, m.
    pub position: V3D,
    /// Rotation from its own frame to the laboratory frame.
    pub rotation: Rotation,
}

/// Detector or monitor with its place in the tree of components: Mantid's `Detector`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Detector {
    pub id: i32,
    /// Position in the laboratory frame, m.
    pub position: V3D,
    /// True for a beam monitor.
    pub monitor: bool,
    /// Index of the parent component.
    pub parent: u32,
    /// Index in [`Instrument::detector_names`].
    pub name: u32,
    /// Number that follows the name (`pixel17`); -1 for none.
    pub number: i32,
}

/// Instrument with the present values of its parameters.
#[derive(Debug, Clone, Default)]
pub struct Instrument {
    pub name: String,
    /// Components other than detectors, each after its parent.
    pub components: Vec<Component>,
    /// Detectors and monitors by ascending id.
    pub detectors: Vec<Detector>,
    /// Names of detectors, shared by all of one type.
    pub detector_names: Vec<Arc<str>>,
    /// Index of the component that is the source.
    pub source: Option<u32>,
    /// Index of the component that is the sample position.
    pub sample: Option<u32>,
    pub parameters: ParameterMap,
    /// Shapes of cylindrical detectors by index of their name.
    pub cylinders: BTreeMap<u32, Cylinder>,
    /// Axes of cylinders rotated against their parent, in its frame, by ascending detector id.
    pub cylinder_axes: Vec<(i32, V3D)>,
    /// Sentences about files beside the definition, such as an unreadable parameter file.
    pub warnings: Vec<String>,
    /// Text of the definition, for saved files; empty when read from elsewhere.
    pub xml: Arc<str>,
    pub frame: ReferenceFrame,
}

/// Cylinder of a gas tube, or of a piece of one.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Cylinder {
    /// Radius, m.
    pub radius: f64,
    /// Height, m.
    pub height: f64,
    /// Unit vector along the axis: in the frame of the parent in a definition, in the laboratory frame from
    /// [`Instrument::cylinder`].
    pub axis: V3D,
}

/// Axes of the laboratory frame (Mantid's `ReferenceFrame`), as indices of x, y, z. By default y is up and z along the beam.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReferenceFrame {
    pub up: usize,
    pub along_beam: usize,
}

impl Default for ReferenceFrame {
    fn default() -> Self {
        Self { up: 1, along_beam: 2 }
    }
}

impl Instrument {
    /// Shared instrument without components, for workspaces without geometry.
    pub fn empty() -> Arc<Self> {
        static EMPTY: LazyLock<Arc<Instrument>> = LazyLock::new(Arc::default);
        EMPTY.clone()
    }

    /// True without a name and without detectors.
    pub fn is_empty(&self) -> bool {
        self.name.is_empty() && self.detectors.is_empty()
    }

    /// Sorts the detectors by id; of equal ids the first stays.
    pub(crate) fn sort_detectors(&mut self) {
        self.detectors.sort_by_key(|detector| detector.id);
        self.detectors.dedup_by_key(|detector| detector.id);
        self.cylinder_axes.sort_by_key(|(id, _)| *id);
        self.cylinder_axes.dedup_by_key(|(id, _)| *id);
    }

    /// Index of a detector id in `detectors`. O(log n).
    pub fn index_of(&self, id: i32) -> Option<usize> {
        self.detectors.binary_search_by_key(&id, |detector| detector.id).ok()
    }

    /// Detector by id. O(log n).
    pub fn detector(&self, id: i32) -> Option<&Detector> {
        self.index_of(id).and_then(|index| self.detectors.get(index))
    }

    /// Name of a detector, such as `pixel17`.
    pub fn detector_name(&self, detector: &Detector) -> String {
        let name = self.detector_names.get(detector.name as usize).map_or("", |name| name);
        if detector.number < 0 {
            name.to_owned()
        } else {
            format!("{name}{}", detector.number)
        }
    }

    fn position_of(&self, component: Option<u32>) -> Option<V3D> {
        component
            .and_then(|index| self.components.get(index as usize))
            .map(|component| component.position)
    }

    /// Position of the source, m; `None` without a source.
    pub fn source_position(&self) -> Option<V3D> {
        self.position_of(self.source)
    }

    /// Position of the sample, m; the origin without a sample component.
    pub fn sample_position(&self) -> V3D {
        self.position_of(self.sample).unwrap_or_default()
    }

    /// Primary flight path L1 = |sample − source|, m; `None` without a source.
    ///
    /// Source: Mantid's `SpectrumInfo::l1`.
    ///
    /// ```
    /// # use live_data_reduction::date_and_time::DateAndTime;
    /// # use live_data_reduction::instrument::source::{InstrumentFolders, InstrumentSource};
    /// let built_in = InstrumentFolders::new(Vec::new());
    /// let instrument = built_in.by_name("LIVEDEMO", DateAndTime::now()).unwrap();
    /// assert_eq!(instrument.l1(), Some(15.0));
    /// ```
    pub fn l1(&self) -> Option<f64> {
        self.source_position()
            .map(|source| (self.sample_position() - source).norm())
    }

    fn beam(&self) -> V3D {
        match self.source_position() {
            Some(source) => self.sample_position() - source,
            None => V3D::new(0.0, 0.0, 1.0),
        }
    }

    /// Secondary flight path L2 = |detector − sample|, m; of a monitor |monitor − source| − L1, which makes L1 + L2 its path.
    ///
    /// Source: Mantid's `SpectrumInfo::l2`.
    pub fn l2(&self, detector: &Detector) -> f64 {
        match (detector.monitor, self.source_position(), self.l1()) {
            (true, Some(source), Some(l1)) => (detector.position - source).norm() - l1,
            _ => (detector.position - self.sample_position()).norm(),
        }
    }

    /// Scattering angle 2θ between the beam and the direction from sample to detector, radians in [0, π].
    ///
    /// Source: Mantid's `SpectrumInfo::twoTheta`.
    ///
    /// ```
    /// # use live_data_reduction::instrument::{Detector, Instrument, V3D};
    /// // A detector at 45° in the horizontal plane; without a source the beam is along z.
    /// let detector = Detector { id: 1, position: V3D::new(1.0, 0.0, 1.0), monitor: false, parent: 0, name: 0, number: -1 };
    /// let instrument = Instrument::empty();
    /// assert!((instrument.two_theta(&detector).to_degrees() - 45.0).abs() < 1e-9);
    /// assert!((instrument.l2(&detector) - 2.0_f64.sqrt()).abs() < 1e-12);
    /// ```
    pub fn two_theta(&self, detector: &Detector) -> f64 {
        (detector.position - self.sample_position()).angle(self.beam())
    }

    /// Azimuthal angle φ = atan2(y, x) of a detector about the z axis, radians in (−π, π].
    ///
    /// Source: Mantid's `IDetector::getPhi`.
    pub fn phi(&self, detector: &Detector) -> f64 {
        let p = detector.position - self.sample_position();
        p.y.atan2(p.x)
    }

    /// Signed scattering angle, radians: 2θ, negative where (beam × position) · up < 0.
    ///
    /// Source: Mantid's `SpectrumInfo::signedTwoTheta`.
    pub fn signed_two_theta(&self, detector: &Detector) -> f64 {
        let two_theta = self.two_theta(detector);
        let mut up = [0.0; 3];
        if let Some(axis) = up.get_mut(self.frame.up) {
            *axis = 1.0;
        }
        let [x, y, z] = up;
        let p = detector.position - self.sample_position();
        let normal = self.beam().cross(p);
        if normal.dot(V3D::new(x, y, z)) < 0.0 {
            -two_theta
        } else {
            two_theta
        }
    }

    /// Index of the first component with a name, or with a path such as `bank1/tube2`.
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

    /// True if `component` is `ancestor` or inside it.
    pub fn is_within(&self, component: usize, ancestor: usize) -> bool {
        let mut at = Some(component);
        // Parents precede children, which bounds the loop.
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

    /// Ids of the detectors inside a component, ascending.
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

    /// Moves a component and everything inside it; its new position is `to`, m in the laboratory frame.
    ///
    /// # Errors
    /// `Execution` without such a component.
    pub fn move_component(&mut self, component: usize, to: V3D) -> Result<()> {
        let Some(from) = self.components.get(component).map(|c| c.position) else {
            return failed(format!("the instrument {} has no component {component}", self.name));
        };
        self.transform_within(component, |position| position + (to - from), Rotation::IDENTITY);
        Ok(())
    }

    /// Rotates a component and everything inside it about its position, after its present rotation.
    ///
    /// # Errors
    /// `Execution` without such a component.
    pub fn rotate_component(&mut self, component: usize, by: Rotation) -> Result<()> {
        let Some(centre) = self.components.get(component).map(|c| c.position) else {
            return failed(format!("the instrument {} has no component {component}", self.name));
        };
        self.transform_within(component, |position| centre + by.apply(position - centre), by);
        Ok(())
    }

    /// Applies a map of positions and a rotation to a component and everything inside it.
    fn transform_within(&mut self, component: usize, map: impl Fn(V3D) -> V3D, rotation: Rotation) {
        let inside: Vec<bool> = (0..self.components.len())
            .map(|index| self.is_within(index, component))
            .collect();
        for (carried, inside) in self.components.iter_mut().zip(&inside) {
            if *inside {
                carried.position = map(carried.position);
                carried.rotation = rotation.after(carried.rotation);
            }
        }
        for detector in &mut self.detectors {
            if inside.get(detector.parent as usize).copied().unwrap_or_default() {
                detector.position = map(detector.position);
            }
        }
    }

    /// Moves one detector to a position, m. `false` without such a detector.
    pub fn move_detector(&mut self, id: i32, to: V3D) -> bool {
        let Some(index) = self.index_of(id) else { return false };
        if let Some(detector) = self.detectors.get_mut(index) {
            detector.position = to;
        }
        true
    }

    /// Parameter of a component, else of its nearest ancestor that has it, else of the instrument.
    pub fn parameter(&self, component: Option<usize>, name: &str) -> Option<&Parameter> {
        let mut at = component;
        while let Some(index) = at {
            let component = self.components.get(index)?;
            let one = u32::try_from(index).ok().map(ParameterOwner::Component);
            let own = one.and_then(|owner| self.parameters.get(owner, name));
            if let Some(found) = own.or_else(|| self.parameters.get(ParameterOwner::Name(&component.name), name)) {
                return Some(found);
            }
            at = component
                .parent
                .map(|parent| parent as usize)
                .filter(|parent| *parent < index);
        }
        self.parameters.get(ParameterOwner::Name(&self.name), name)
    }

    /// Parameter of a detector, else of its nearest ancestor that has it.
    pub fn detector_parameter(&self, detector: &Detector, name: &str) -> Option<&Parameter> {
        self.parameters
            .get(ParameterOwner::Detector(detector.id), name)
            .or_else(|| {
                self.parameters
                    .get(ParameterOwner::Name(&self.detector_name(detector)), name)
            })
            .or_else(|| self.parameter(Some(detector.parent as usize), name))
    }

    /// Names of the parameters of a detector, else of a component, else of the instrument. Sorted, without duplicates.
    ///
    /// Those of its ancestors are included if `recursive`.
    pub fn parameter_names(&self, component: Option<usize>, detector: Option<&Detector>, recursive: bool) -> Vec<&str> {
        let mut names = std::collections::BTreeSet::new();
        let mut add = |owner: ParameterOwner<'_>| {
            let own = self.parameters.owned_by(owner).into_iter().flatten();
            names.extend(own.map(|(name, _)| self.parameters.original_name(name)));
        };
        if let Some(detector) = detector {
            add(ParameterOwner::Detector(detector.id));
            add(ParameterOwner::Name(&self.detector_name(detector)));
        }
        let mut at = match detector {
            Some(detector) => recursive.then_some(detector.parent as usize),
            None => Some(component.unwrap_or(0)),
        };
        while let Some((index, part)) = at.and_then(|index| Some((index, self.components.get(index)?))) {
            if let Ok(index) = u32::try_from(index) {
                add(ParameterOwner::Component(index));
            }
            add(ParameterOwner::Name(&part.name));
            at = part
                .parent
                .map(|parent| parent as usize)
                .filter(|parent| recursive && *parent < index);
        }
        if recursive || (component.is_none() && detector.is_none()) {
            add(ParameterOwner::Name(&self.name));
        }
        names.into_iter().collect()
    }

    /// Parameter of the instrument as a number.
    pub fn number_parameter(&self, name: &str) -> Option<f64> {
        self.parameter(None, name).and_then(Parameter::number)
    }

    /// Cylinder of a detector with its axis in the laboratory frame; `None` for other shapes.
    pub fn cylinder(&self, detector: &Detector) -> Option<Cylinder> {
        let shape = self.cylinders.get(&detector.name)?;
        let carrier = self.components.get(detector.parent as usize)?;
        let own = self
            .cylinder_axes
            .binary_search_by_key(&detector.id, |(id, _)| *id)
            .ok();
        let own = own.and_then(|at| self.cylinder_axes.get(at)).map(|(_, axis)| *axis);
        Some(Cylinder {
            axis: carrier.rotation.apply(own.unwrap_or(shape.axis)),
            ..*shape
        })
    }
}
