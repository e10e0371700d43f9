//! Parameters and positions computed from logs, such as the height of a detector that follows an angle. Promises: a log
//! replaces the value of the definition; without the log the definition's value stays. Must not: know the origin of logs.

use std::sync::Arc;

use super::parameters::{LogDerived, Parameter, ParameterOwner};
use super::{Instrument, V3D};

impl Instrument {
    /// Instrument with the parameters and positions that logs determine; the same `Arc` when none does.
    ///
    /// `log` returns the values of a log, oldest first.
    pub fn with_logs(self: &Arc<Self>, log: impl Fn(&str) -> Option<Vec<f64>>) -> Arc<Self> {
        let value_of = |from: &LogDerived| {
            let value = from.statistic.of(&log(&from.log)?)?;
            let value = from.formula.as_ref().map_or(value, |formula| formula.evaluate(value));
            value.is_finite().then_some(value)
        };
        let known: Vec<(ParameterOwner<'_>, &str, f64)> = self
            .parameters
            .iter()
            .filter_map(|(owner, name, value)| match value {
                Parameter::FromLog(from) => Some((owner, name, value_of(from)?)),
                _ => None,
            })
            .collect();
        if known.is_empty() {
            return self.clone();
        }
        let mut changed = Self::clone(self);
        for (owner, name, value) in known {
            changed.parameters.set(owner, name, Parameter::Number(value));
            let axis = match name {
                "x" => 0,
                "y" => 1,
                "z" => 2,
                _ => continue,
            };
            changed.set_coordinate(owner, axis, value);
        }
        Arc::new(changed)
    }

    /// Sets one coordinate (0 to 2, m), in the parent's frame, of the components and detectors of an owner.
    fn set_coordinate(&mut self, owner: ParameterOwner<'_>, axis: usize, value: f64) {
        let named = |name: &str| matches!(owner, ParameterOwner::Name(owner) if owner == name);
        let places: Vec<usize> = self
            .components
            .iter()
            .enumerate()
            .filter(|(index, component)| {
                named(&component.name) || matches!(owner, ParameterOwner::Component(one) if one as usize == *index)
            })
            .map(|(index, _)| index)
            .collect();
        for index in places {
            let Some(component) = self.components.get(index) else {
                continue;
            };
            let Some(parent) = component.parent else { continue };
            let to = self.with_coordinate(parent, component.position, axis, value);
            // Cannot fail: the index comes from the list of components.
            let _ = self.move_component(index, to);
        }
        let moved: Vec<(usize, V3D)> = self
            .detectors
            .iter()
            .enumerate()
            .filter(|(_, detector)| {
                matches!(owner, ParameterOwner::Detector(id) if id == detector.id)
                    || (detector.number < 0 && named(&self.detector_name(detector)))
            })
            .map(|(index, detector)| {
                (
                    index,
                    self.with_coordinate(detector.parent, detector.position, axis, value),
                )
            })
            .collect();
        for (index, to) in moved {
            if let Some(detector) = self.detectors.get_mut(index) {
                detector.position = to;
            }
        }
    }

    /// Position with one coordinate replaced in the parent's frame.
    fn with_coordinate(&self, parent: u32, position: V3D, axis: usize, value: f64) -> V3D {
        let Some(parent) = self.components.get(parent as usize) else {
            return position;
        };
        let local = parent.rotation.inverse().apply(position - parent.position);
        let mut coordinates = local.to_array();
        if let Some(coordinate) = coordinates.get_mut(axis) {
            *coordinate = value;
        }
        let [x, y, z] = coordinates;
        parent.position + parent.rotation.apply(V3D::new(x, y, z))
    }
}
