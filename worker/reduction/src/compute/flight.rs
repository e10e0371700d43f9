//! The flight paths and angles of spectra. Promises: a spectrum of several detectors has their means; one whose
//! detectors are unknown has none; must not convert anything.

use crate::error::{Result, failed};
use crate::unit::Flight;
use crate::workspace::MatrixWorkspace;

/// The energy that is fixed.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Fixed {
    /// None: elastic.
    Nothing,
    /// The same for all spectra, meV.
    Same(f64),
    /// That of each spectrum's detector, as its parameter Efixed says.
    OfDetector,
}

/// Paths and angle of each spectrum; `None` for those without a detector that the instrument knows, or without the
/// energy that is asked for.
pub(crate) fn flights(workspace: &MatrixWorkspace, fixed: Fixed) -> Result<Vec<Option<Flight>>> {
    let instrument = workspace.instrument();
    let Some(l1) = instrument.l1() else {
        return failed(format!(
            "the instrument {} has no source: the distances that a conversion needs are not known",
            if instrument.name.is_empty() {
                "(none)"
            } else {
                &instrument.name
            }
        ));
    };
    let one = |index: usize| {
        let known: Vec<_> = workspace
            .spectra()
            .detectors(index)
            .iter()
            .filter_map(|id| instrument.detector(*id))
            .collect();
        if known.is_empty() {
            return None;
        }
        let count = known.len() as f64;
        let l2 = known.iter().map(|detector| instrument.l2(detector)).sum::<f64>() / count;
        let two_theta = known.iter().map(|detector| instrument.two_theta(detector)).sum::<f64>() / count;
        let e_fixed = match fixed {
            Fixed::Nothing => 0.0,
            Fixed::Same(energy) => energy,
            Fixed::OfDetector => known.iter().find_map(|detector| {
                let energy = instrument.detector_parameter(detector, "Efixed")?.number();
                energy.filter(|energy| *energy > 0.0)
            })?,
        };
        Some(Flight {
            l1,
            l2,
            two_theta,
            e_fixed,
        })
    };
    Ok((0..workspace.histograms()).map(one).collect())
}
