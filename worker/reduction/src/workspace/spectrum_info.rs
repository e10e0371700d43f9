//! Detectors and masks of spectra: Mantid's `SpectrumInfo`. Promises: safe for any index. Must not: change data.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::matrix::{MaskedBins, MatrixWorkspace};
use crate::error::{AlgorithmError, Result};

impl MatrixWorkspace {
    /// Workspace index of a spectrum number. O(n): for many numbers use the mapping's index.
    ///
    /// # Errors
    /// `Execution` without such a spectrum.
    pub fn index_of_number(&self, number: i32) -> Result<usize> {
        self.spectra
            .numbers()
            .iter()
            .position(|known| *known == number)
            .ok_or_else(|| {
                AlgorithmError::Execution(format!(
                    "getIndexFromSpectrumNumber: no spectrum has the number {number}"
                ))
            })
    }

    /// Workspace indices of detector ids, in the order of the ids, without duplicates; unmapped ids are dropped.
    pub fn indices_of_detectors(&self, ids: &[i32]) -> Vec<usize> {
        let map = self.spectra.index_by_detector();
        let mut seen = std::collections::HashSet::new();
        ids.iter()
            .filter_map(|id| map.get(id).copied())
            .filter(|index| seen.insert(*index))
            .collect()
    }

    /// True for a masked detector. O(log n).
    pub fn is_detector_masked(&self, id: i32) -> bool {
        self.masked.binary_search(&id).is_ok()
    }

    /// Ids of masked detectors, ascending.
    pub fn masked_detectors(&self) -> &[i32] {
        &self.masked
    }

    /// Masks or unmasks detectors; Y and E are unchanged.
    pub fn set_masked(&mut self, ids: &[i32], masked: bool) {
        let mut all: std::collections::BTreeSet<i32> = self.masked.iter().copied().collect();
        for id in ids {
            if masked {
                all.insert(*id);
            } else {
                all.remove(id);
            }
        }
        self.masked = Arc::new(all.into_iter().collect());
    }

    /// Masked bins of a spectrum, if any.
    pub fn masked_bins(&self, index: usize) -> Option<&MaskedBins> {
        self.masked_bins.get(&index)
    }

    /// Replaces the masked bins of all spectra.
    pub(crate) fn set_masked_bins(&mut self, mut bins: BTreeMap<usize, MaskedBins>) {
        bins.retain(|_, bins| !bins.is_empty());
        self.masked_bins = Arc::new(bins);
    }

    /// True if a spectrum has detectors and all are masked: Mantid's `SpectrumInfo::isMasked`.
    pub fn is_masked(&self, index: usize) -> bool {
        let ids = self.spectra.detectors(index);
        !self.masked.is_empty() && !ids.is_empty() && ids.iter().all(|id| self.is_detector_masked(*id))
    }

    /// True if a spectrum has detectors and all are monitors: Mantid's `SpectrumInfo::isMonitor`.
    pub fn is_monitor(&self, index: usize) -> bool {
        let ids = self.spectra.detectors(index);
        !ids.is_empty()
            && ids
                .iter()
                .all(|id| self.instrument.detector(*id).is_some_and(|d| d.monitor))
    }

    /// True if the instrument has a detector of the spectrum: Mantid's `SpectrumInfo::hasDetectors`.
    pub fn has_detectors(&self, index: usize) -> bool {
        self.spectra
            .detectors(index)
            .iter()
            .any(|id| self.instrument.detector(*id).is_some())
    }
}
