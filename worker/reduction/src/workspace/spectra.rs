//! The spectrum number and the detectors of each spectrum. Promises: one row per spectrum, whatever is asked; built
//! once and shared. Must not know the instrument: detector ids here may be unknown to it.

use std::collections::HashMap;

/// Spectrum numbers and detector ids by workspace index.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Spectra {
    numbers: Vec<i32>,
    /// Where each spectrum's detectors begin in `detectors`; one more than there are spectra.
    starts: Vec<usize>,
    detectors: Vec<i32>,
}

impl Spectra {
    /// An empty list, to be filled by `push`.
    pub fn with_capacity(spectra: usize) -> Self {
        let mut starts = Vec::with_capacity(spectra + 1);
        starts.push(0);
        Self {
            numbers: Vec::with_capacity(spectra),
            starts,
            detectors: Vec::with_capacity(spectra),
        }
    }

    /// Spectra numbered 1 to `count`, without detectors.
    pub fn numbered(count: usize) -> Self {
        let mut spectra = Self::with_capacity(count);
        for number in 1..=count {
            spectra.push(i32::try_from(number).unwrap_or(i32::MAX), &[]);
        }
        spectra
    }

    /// Adds a spectrum.
    pub fn push(&mut self, number: i32, detectors: &[i32]) {
        if self.starts.is_empty() {
            self.starts.push(0);
        }
        self.numbers.push(number);
        self.detectors.extend_from_slice(detectors);
        self.starts.push(self.detectors.len());
    }

    /// The number of spectra.
    pub fn len(&self) -> usize {
        self.numbers.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.numbers.is_empty()
    }

    /// The spectrum numbers by workspace index.
    pub fn numbers(&self) -> &[i32] {
        &self.numbers
    }

    /// The spectrum number at a workspace index; 0 outside.
    pub fn number(&self, index: usize) -> i32 {
        self.numbers.get(index).copied().unwrap_or_default()
    }

    /// The detector ids of the spectrum at a workspace index; none outside.
    pub fn detectors(&self, index: usize) -> &[i32] {
        match (self.starts.get(index), self.starts.get(index + 1)) {
            (Some(&start), Some(&end)) => self.detectors.get(start..end).unwrap_or_default(),
            _ => &[],
        }
    }

    /// The workspace index of each spectrum number; the first, where a number comes twice.
    pub fn index_by_number(&self) -> HashMap<i32, usize> {
        let mut map = HashMap::with_capacity(self.numbers.len());
        for (index, number) in self.numbers.iter().enumerate() {
            map.entry(*number).or_insert(index);
        }
        map
    }

    /// The workspace index of each detector id; the first, where an id comes twice.
    pub fn index_by_detector(&self) -> HashMap<i32, usize> {
        let mut map = HashMap::with_capacity(self.detectors.len());
        for index in 0..self.len() {
            for id in self.detectors(index) {
                map.entry(*id).or_insert(index);
            }
        }
        map
    }

    /// The spectra at these indices, in their order; indices outside are left out.
    pub fn subset(&self, indices: &[usize]) -> Self {
        let mut out = Self::with_capacity(indices.len());
        for &index in indices.iter().filter(|index| **index < self.len()) {
            out.push(self.number(index), self.detectors(index));
        }
        out
    }

    /// Gives a spectrum another number.
    pub fn set_number(&mut self, index: usize, number: i32) {
        if let Some(slot) = self.numbers.get_mut(index) {
            *slot = number;
        }
    }

    /// Gives a spectrum other detectors.
    pub fn set_detectors(&mut self, index: usize, ids: &[i32]) {
        let mut out = Self::with_capacity(self.len());
        for i in 0..self.len() {
            out.push(self.number(i), if i == index { ids } else { self.detectors(i) });
        }
        *self = out;
    }
}
