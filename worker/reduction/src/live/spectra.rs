//! Which ids of the stream make up which spectrum. Promises: pure; every spectrum of the run's map is there, with or without
//! events; spectrum numbers are in order. Must not know events.

use std::collections::BTreeMap;

use live_data_engine::config::EventIds;
use live_data_engine::dictionary::Dictionary;
use live_data_engine::message::{DetectorSpectrumMap, EventSchema};

use crate::instrument::Instrument;
use crate::workspace::spectra::Spectra;

/// What an event's id is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Meaning {
    /// A spectrum number.
    Spectrum,
    /// A detector id.
    Detector,
    /// A workspace index.
    Index,
}

/// The choice for a stream: spectrum numbers for ev42 when the run start carries a map, else detector ids.
pub fn meaning(choice: EventIds, schema: Option<EventSchema>, has_map: bool) -> Meaning {
    match choice {
        EventIds::Spectrum => Meaning::Spectrum,
        EventIds::Detector => Meaning::Detector,
        EventIds::Index => Meaning::Index,
        EventIds::Auto if schema == Some(EventSchema::Ev42) && has_map => Meaning::Spectrum,
        EventIds::Auto => Meaning::Detector,
    }
}

/// Spectra, and the workspace index of each id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Layout {
    /// Spectrum numbers and detectors by workspace index.
    pub spectra: Spectra,
    /// (id in the stream, workspace index).
    pub slots: Vec<(u32, usize)>,
}

/// The spectra of a run: those of its map, else one for each detector of the instrument, else one for each id seen.
pub fn layout(
    map: Option<&DetectorSpectrumMap>,
    instrument: &Instrument,
    meaning: Meaning,
    seen: &Dictionary,
) -> Layout {
    let spectra = match map {
        Some(map) if !map.spectrum.is_empty() => from_map(map),
        _ if !instrument.is_empty() => {
            one_each(instrument.detectors.iter().map(|detector| detector.id), |number, _| {
                number
            })
        }
        _ => {
            let mut ids: Vec<i32> = seen.ids().filter_map(|id| i32::try_from(id).ok()).collect();
            ids.sort_unstable();
            one_each(
                ids.into_iter(),
                |number, id| if meaning == Meaning::Spectrum { id } else { number },
            )
        }
    };
    let slots = match meaning {
        Meaning::Spectrum => by_id(spectra.numbers().iter().copied().enumerate()),
        Meaning::Detector => {
            by_id((0..spectra.len()).flat_map(|index| spectra.detectors(index).iter().map(move |id| (index, *id))))
        }
        Meaning::Index => (0..spectra.len())
            .filter_map(|index| Some((u32::try_from(index).ok()?, index)))
            .collect(),
    };
    Layout { spectra, slots }
}

fn by_id(pairs: impl Iterator<Item = (usize, i32)>) -> Vec<(u32, usize)> {
    pairs
        .filter_map(|(index, id)| Some((u32::try_from(id).ok()?, index)))
        .collect()
}

/// Detectors of equal spectrum number are one spectrum; spectra are in order of their numbers.
fn from_map(map: &DetectorSpectrumMap) -> Spectra {
    let mut groups: BTreeMap<i32, Vec<i32>> = BTreeMap::new();
    for (number, detector) in map.spectrum.iter().zip(&map.detector_id) {
        groups.entry(*number).or_default().push(*detector);
    }
    let mut spectra = Spectra::with_capacity(groups.len());
    for (number, mut detectors) in groups {
        detectors.sort_unstable();
        detectors.dedup();
        spectra.push(number, &detectors);
    }
    spectra
}

fn one_each(detectors: impl Iterator<Item = i32>, number: impl Fn(i32, i32) -> i32) -> Spectra {
    let mut spectra = Spectra::with_capacity(0);
    for (next, id) in (1..).zip(detectors) {
        spectra.push(number(next, id), &[id]);
    }
    spectra
}

#[cfg(test)]
mod tests {
    use super::*;

    fn map() -> DetectorSpectrumMap {
        DetectorSpectrumMap {
            spectrum: vec![3, 1, 3, 2],
            detector_id: vec![31, 11, 30, 21],
            n_spectra: 4,
        }
    }

    #[test]
    fn ids_mean_what_the_stream_and_the_setting_say() {
        assert_eq!(
            meaning(EventIds::Auto, Some(EventSchema::Ev42), true),
            Meaning::Spectrum
        );
        assert_eq!(
            meaning(EventIds::Auto, Some(EventSchema::Ev42), false),
            Meaning::Detector
        );
        assert_eq!(
            meaning(EventIds::Auto, Some(EventSchema::Ev44), true),
            Meaning::Detector
        );
        assert_eq!(meaning(EventIds::Index, None, true), Meaning::Index);
    }

    #[test]
    fn a_map_gives_spectra_in_order_with_their_detectors_merged() {
        let layout = layout(
            Some(&map()),
            &Instrument::default(),
            Meaning::Detector,
            &Dictionary::default(),
        );
        assert_eq!(layout.spectra.numbers(), [1, 2, 3]);
        assert_eq!(layout.spectra.detectors(2), [30, 31]);
        assert_eq!(layout.slots, [(11, 0), (21, 1), (30, 2), (31, 2)]);
    }

    #[test]
    fn spectrum_numbers_and_indices_find_the_same_spectra() {
        let number = layout(
            Some(&map()),
            &Instrument::default(),
            Meaning::Spectrum,
            &Dictionary::default(),
        );
        assert_eq!(number.slots, [(1, 0), (2, 1), (3, 2)]);
        let index = layout(
            Some(&map()),
            &Instrument::default(),
            Meaning::Index,
            &Dictionary::default(),
        );
        assert_eq!(index.slots, [(0, 0), (1, 1), (2, 2)]);
    }
}
