//! The flight paths and angles of spectra. Promises: a spectrum of several detectors has their means; one whose
//! detectors are unknown has none; must not convert anything.

use crate::error::{Result, failed};
use crate::unit::Flight;
use crate::workspace::MatrixWorkspace;

/// Paths and angle of each spectrum; `None` for those without a detector that the instrument knows.
pub(crate) fn flights(workspace: &MatrixWorkspace, e_fixed: Option<f64>) -> Result<Vec<Option<Flight>>> {
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
        Some(Flight {
            l1,
            l2,
            two_theta,
            e_fixed: e_fixed.unwrap_or_default(),
        })
    };
    Ok((0..workspace.histograms()).map(one).collect())
}
