//! Flight paths and scattering angles of spectra. Promises: a spectrum of several detectors has their mean L2 and 2θ, as in
//! Mantid's `SpectrumInfo`; one of unknown detectors has none. Must not: convert anything.

use crate::error::{Result, failed};
use crate::unit::FlightPath;
use crate::workspace::MatrixWorkspace;

/// Source of the fixed energy Efixed.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum EfixedSource {
    /// Elastic mode: no fixed energy.
    Nothing,
    /// One energy for all spectra, meV.
    Same(f64),
    /// Parameter `Efixed` of each spectrum's detectors, meV.
    OfDetector,
}

/// Flight path of each spectrum; `None` without known detectors, or without the fixed energy.
///
/// # Errors
/// `Execution` for an instrument without a source.
pub(crate) fn flight_paths(workspace: &MatrixWorkspace, fixed: EfixedSource) -> Result<Vec<Option<FlightPath>>> {
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
        let efixed = match fixed {
            EfixedSource::Nothing => 0.0,
            EfixedSource::Same(energy) => energy,
            EfixedSource::OfDetector => known.iter().find_map(|detector| {
                let energy = instrument.detector_parameter(detector, "Efixed")?.number();
                energy.filter(|energy| *energy > 0.0)
            })?,
        };
        Some(FlightPath {
            l1,
            l2,
            two_theta,
            efixed,
        })
    };
    Ok((0..workspace.histograms()).map(one).collect())
}
