//! Instrument of a sample workspace.
//!
//! Promises: the beam runs along z with the sample at the origin; bank n is a square of pixels at z = n times the
//! distance, its first pixel on the beam, ids column after column from n·width²; monitors follow with ids of their own.
//! Must not know data.

use std::sync::Arc;

use crate::instrument::{Component, Detector, Instrument, Rotation, V3D};

/// Numbers of parts, and distances in m.
pub(crate) struct InstrumentLayout {
    pub(crate) name: String,
    pub(crate) banks: i64,
    /// Pixels along each side of a bank.
    pub(crate) width: i64,
    pub(crate) monitors: i64,
    pub(crate) pixel_spacing: f64,
    pub(crate) bank_distance: f64,
    pub(crate) source_distance: f64,
}

struct InstrumentBuilder {
    instrument: Instrument,
}

impl InstrumentBuilder {
    fn component(&mut self, name: &str, parent: Option<u32>, z: f64) -> u32 {
        let index = self.instrument.components.len() as u32;
        self.instrument.components.push(Component {
            name: name.into(),
            parent,
            position: V3D::new(0.0, 0.0, z),
            rotation: Rotation::IDENTITY,
        });
        index
    }

    fn detector(&mut self, id: i64, name: String, parent: u32, position: V3D, monitor: bool) {
        let Ok(id) = i32::try_from(id) else { return };
        let named = self.instrument.detector_names.len() as u32;
        self.instrument.detector_names.push(Arc::from(name));
        self.instrument.detectors.push(Detector {
            id,
            position,
            monitor,
            parent,
            name: named,
            number: -1,
        });
    }
}

pub(crate) fn build(layout: &InstrumentLayout) -> Instrument {
    let mut builder = InstrumentBuilder {
        instrument: Instrument {
            name: layout.name.clone(),
            ..Instrument::default()
        },
    };
    let root = builder.component(&layout.name, None, 0.0);
    let per_bank = layout.width * layout.width;
    for bank in 1..=layout.banks {
        let z = layout.bank_distance * bank as f64;
        let assembly = builder.component(&format!("bank{bank}"), Some(root), z);
        for column in 0..layout.width {
            let parent = builder.component(&format!("bank{bank}(x={column})"), Some(assembly), z);
            for row in 0..layout.width {
                let position = V3D::new(
                    column as f64 * layout.pixel_spacing,
                    row as f64 * layout.pixel_spacing,
                    z,
                );
                let id = bank * per_bank + column * layout.width + row;
                builder.detector(id, format!("bank{bank}({column},{row})"), parent, position, false);
            }
        }
    }
    for monitor in 0..layout.monitors {
        // Halfway from the sample to the first bank, then from each bank to the next.
        let position = V3D::new(0.0, 0.0, layout.bank_distance * (monitor as f64 + 0.5));
        let id = (layout.banks + 1) * per_bank + monitor;
        builder.detector(id, format!("monitor{}", monitor + 1), root, position, true);
    }
    let source = builder.component("moderator", Some(root), -layout.source_distance);
    builder.component("chopper-position", Some(root), -0.25 * layout.source_distance);
    let sample = builder.component("sample", Some(root), 0.0);
    let InstrumentBuilder { mut instrument } = builder;
    (instrument.source, instrument.sample) = (Some(source), Some(sample));
    instrument.sort_detectors();
    instrument
}
