//! Parameters and places that come from logs, such as the height of a detector that follows an angle. Promises: what a
//! log says replaces what the definition says, and what no log says stays. Must not know where logs come from.

use std::sync::Arc;

use super::parameters::{FromLog, Owner, Parameter};
use super::{Instrument, V3};

impl Instrument {
    /// This instrument with its parameters and places as some logs say; itself when the logs say nothing. `log` gives
    /// the values of a log, oldest first.
    pub fn with_logs(self: &Arc<Self>, log: impl Fn(&str) -> Option<Vec<f64>>) -> Arc<Self> {
        let said = |from: &FromLog| {
            let value = from.take.of(&log(&from.log)?)?;
            let value = from.formula.as_ref().map_or(value, |formula| formula.evaluate(value));
            value.is_finite().then_some(value)
        };
        let known: Vec<(Owner<'_>, &str, f64)> = self
            .parameters
            .iter()
            .filter_map(|(owner, name, value)| match value {
                Parameter::FromLog(from) => Some((owner, name, said(from)?)),
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
            changed.follow(owner, axis, value);
        }
        Arc::new(changed)
    }

    /// Sets one coordinate, relative to the carrier, of all that an owner means.
    fn follow(&mut self, owner: Owner<'_>, axis: usize, value: f64) {
        let named = |name: &str| matches!(owner, Owner::Name(owner) if owner == name);
        let places: Vec<usize> = self
            .components
            .iter()
            .enumerate()
            .filter(|(index, component)| {
                named(&component.name) || matches!(owner, Owner::Component(one) if one as usize == *index)
            })
            .map(|(index, _)| index)
            .collect();
        for index in places {
            let Some(component) = self.components.get(index) else {
                continue;
            };
            let Some(carrier) = component.parent else { continue };
            let to = self.beside(carrier, component.position, axis, value);
            // The component is there: that is where its index came from.
            let _ = self.move_component(index, to);
        }
        let moved: Vec<(usize, V3)> = self
            .detectors
            .iter()
            .enumerate()
            .filter(|(_, detector)| {
                matches!(owner, Owner::Detector(id) if id == detector.id)
                    || (detector.number < 0 && named(&self.detector_name(detector)))
            })
            .map(|(index, detector)| (index, self.beside(detector.parent, detector.position, axis, value)))
            .collect();
        for (index, to) in moved {
            if let Some(detector) = self.detectors.get_mut(index) {
                detector.position = to;
            }
        }
    }

    /// A place with one coordinate replaced in its carrier's frame.
    fn beside(&self, carrier: u32, place: V3, axis: usize, value: f64) -> V3 {
        let Some(carrier) = self.components.get(carrier as usize) else {
            return place;
        };
        let local = carrier.rotation.inverse().apply(place - carrier.position);
        let mut coordinates = local.to_array();
        if let Some(coordinate) = coordinates.get_mut(axis) {
            *coordinate = value;
        }
        let [x, y, z] = coordinates;
        carrier.position + carrier.rotation.apply(V3::new(x, y, z))
    }
}
