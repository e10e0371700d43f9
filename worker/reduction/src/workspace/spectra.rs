//! Spectrum numbers and detector ids. Promises: safe for any index. Must not: know the instrument, which may lack some of
//! the ids.

use std::collections::HashMap;

/// Spectrum number and detector ids of each workspace index: Mantid's `SpectrumDetectorMapping`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SpectrumDetectorMapping {
    numbers: Vec<i32>,
    /// Index in `detectors` of each spectrum's first id, and the length of `detectors` at the end.
    starts: Vec<usize>,
    detectors: Vec<i32>,
}

impl SpectrumDetectorMapping {
    /// Empty mapping with memory for `spectra` spectra of one detector.
    pub fn with_capacity(spectra: usize) -> Self {
        let mut starts = Vec::with_capacity(spectra + 1);
        starts.push(0);
        Self {
            numbers: Vec::with_capacity(spectra),
            starts,
            detectors: Vec::with_capacity(spectra),
        }
    }

    /// Mapping of spectra numbered 1 to `count`, without detectors.
    pub fn numbered(count: usize) -> Self {
        let mut spectra = Self::with_capacity(count);
        for number in 1..=count {
            spectra.push(i32::try_from(number).unwrap_or(i32::MAX), &[]);
        }
        spectra
    }

    /// Appends a spectrum with its detector ids; numbers may repeat.
    pub fn push(&mut self, number: i32, detectors: &[i32]) {
        if self.starts.is_empty() {
            self.starts.push(0);
        }
        self.numbers.push(number);
        self.detectors.extend_from_slice(detectors);
        self.starts.push(self.detectors.len());
    }

    /// Number of spectra.
    pub fn len(&self) -> usize {
        self.numbers.len()
    }

    /// True without spectra.
    pub fn is_empty(&self) -> bool {
        self.numbers.is_empty()
    }

    /// Spectrum numbers by workspace index.
    pub fn numbers(&self) -> &[i32] {
        &self.numbers
    }

    /// Spectrum number of a workspace index; 0 outside.
    pub fn number(&self, index: usize) -> i32 {
        self.numbers.get(index).copied().unwrap_or_default()
    }

    /// Detector ids of a workspace index; none outside.
    pub fn detectors(&self, index: usize) -> &[i32] {
        match (self.starts.get(index), self.starts.get(index + 1)) {
            (Some(&start), Some(&end)) => self.detectors.get(start..end).unwrap_or_default(),
            _ => &[],
        }
    }

    /// Workspace index by spectrum number; the first of repeated numbers. O(n).
    pub fn index_by_number(&self) -> HashMap<i32, usize> {
        let mut map = HashMap::with_capacity(self.numbers.len());
        for (index, number) in self.numbers.iter().enumerate() {
            map.entry(*number).or_insert(index);
        }
        map
    }

    /// Workspace index by detector id; the first of repeated ids. O(n).
    pub fn index_by_detector(&self) -> HashMap<i32, usize> {
        let mut map = HashMap::with_capacity(self.detectors.len());
        for index in 0..self.len() {
            for id in self.detectors(index) {
                map.entry(*id).or_insert(index);
            }
        }
        map
    }

    /// Spectra at indices, in their order; indices outside are dropped.
    pub fn subset(&self, indices: &[usize]) -> Self {
        let mut out = Self::with_capacity(indices.len());
        for &index in indices.iter().filter(|index| **index < self.len()) {
            out.push(self.number(index), self.detectors(index));
        }
        out
    }

    /// Sets the number of a spectrum; an index outside is ignored.
    pub fn set_number(&mut self, index: usize, number: i32) {
        if let Some(slot) = self.numbers.get_mut(index) {
            *slot = number;
        }
    }

    /// Replaces the detector ids of a spectrum. O(n).
    pub fn set_detectors(&mut self, index: usize, ids: &[i32]) {
        let mut out = Self::with_capacity(self.len());
        for i in 0..self.len() {
            out.push(self.number(i), if i == index { ids } else { self.detectors(i) });
        }
        *self = out;
    }
}
