//! Instrument, sample, logs and history of an entry.

use std::collections::HashSet;

use hdf5_metno::Group;

use super::Writer;
use crate::entry::{History, LogValues, NxLog, NxNote, PhysicalDetector, ProcessedEntry, Sample};
use crate::error::NexusError;
use crate::raw;

impl Writer<'_> {
    pub(super) fn instrument(&self, entry: &Group, description: &ProcessedEntry<'_>) -> Result<(), NexusError> {
        let instrument = &description.instrument;
        let group = self.group(entry, "instrument", "NXinstrument")?;
        self.number_attribute(&group, "version", 1)?;
        self.text(&group, "name", &instrument.name)?;
        if let Some(xml) = &instrument.xml {
            let note = self.group(&group, "instrument_xml", "NXnote")?;
            self.text(&note, "data", xml)?;
            self.text(&note, "type", "text/xml")?;
            self.text(&note, "description", "XML contents of the instrument definition file")?;
        }
        let map = self.group(&group, "instrument_parameter_map", "NXnote")?;
        self.text(&map, "data", &instrument.parameter_map)?;
        self.text(&map, "type", "text/plain")?;
        self.text(&map, "description", "A string representation of the parameter map")?;
        self.physical_detectors(
            &group,
            "physical_detectors",
            "NXdetector",
            "detectors",
            &instrument.detectors,
        )?;
        self.physical_detectors(
            &group,
            "physical_monitors",
            "NXmonitor",
            "monitors",
            &instrument.monitors,
        )?;
        self.spectra(&group, description)
    }

    fn spectra(&self, instrument: &Group, description: &ProcessedEntry<'_>) -> Result<(), NexusError> {
        let spectra = &description.spectra;
        let rows = spectra.numbers.len();
        let group = self.group(instrument, "detector", "NXdetector")?;
        self.number_attribute(&group, "version", 1)?;
        let mut next = 0_i32;
        let index: Vec<i32> = spectra
            .detector_counts
            .iter()
            .map(|count| {
                let first = next;
                next = next.saturating_add(*count);
                first
            })
            .collect();
        self.table(&group, "detector_index", &[rows], &index)?;
        self.table(&group, "detector_count", &[rows], &spectra.detector_counts)?;
        self.table(&group, "spectra", &[rows], &spectra.numbers)?;
        self.table(&group, "detector_list", &[spectra.detectors.len()], &spectra.detectors)?;
        if !spectra.positions.is_empty() {
            self.table(
                &group,
                "detector_positions",
                &[spectra.positions.len(), 3],
                spectra.positions.as_flattened(),
            )?;
        }
        Ok(())
    }

    fn physical_detectors(
        &self,
        instrument: &Group,
        name: &str,
        class: &str,
        what: &str,
        detectors: &[PhysicalDetector],
    ) -> Result<(), NexusError> {
        if detectors.is_empty() {
            return Ok(());
        }
        let group = self.group(instrument, name, class)?;
        let count = [detectors.len()];
        self.table(&group, &format!("number_of_{what}"), &[1], &[detectors.len() as u64])?;
        let ids: Vec<i32> = detectors.iter().map(|detector| detector.id).collect();
        self.table(&group, "detector_number", &count, &ids)?;
        let column = |name: &str, units: &str, value: &dyn Fn(&PhysicalDetector) -> f64| {
            let values: Vec<f64> = detectors.iter().map(value).collect();
            let dataset = self.table(&group, name, &count, &values)?;
            self.attribute(&dataset, "units", units)
        };
        column("azimuthal_angle", "degree", &|detector| detector.azimuthal)?;
        column("polar_angle", "degree", &|detector| detector.polar)?;
        column("distance", "metre", &|detector| detector.distance)
    }

    pub(super) fn sample(&self, entry: &Group, sample: &Sample) -> Result<(), NexusError> {
        let group = self.group(entry, "sample", "NXsample")?;
        self.attribute(&group, "name", &sample.name)?;
        self.number_attribute(&group, "version", 1)?;
        self.attribute(&group, "shape_xml", &sample.shape_xml)?;
        self.table(&group, "num_other_samples", &[1], &[0_i32])?;
        self.table(&group, "num_oriented_lattice", &[1], &[0_i32])?;
        self.table(&group, "geom_id", &[1], &[sample.geometry])?;
        self.table(&group, "geom_thickness", &[1], &[sample.thickness])?;
        self.table(&group, "geom_height", &[1], &[sample.height])?;
        self.table(&group, "geom_width", &[1], &[sample.width])?;
        Ok(())
    }

    pub(super) fn logs(&self, entry: &Group, logs: &[NxLog]) -> Result<(), NexusError> {
        let group = self.group(entry, "logs", "NXgroup")?;
        self.number_attribute(&group, "version", 1)?;
        let mut names = HashSet::new();
        for log in logs {
            // A log without values is not written; of two logs with one link name the first is kept.
            let name = link_name(&log.name);
            if !log.values.is_empty() && names.insert(name.clone()) {
                self.log(&group, &name, log)?;
            }
        }
        Ok(())
    }

    fn log(&self, logs: &Group, name: &str, log: &NxLog) -> Result<(), NexusError> {
        let group = self.group(logs, name, "NXlog")?;
        let count = [log.values.len()];
        let value = match &log.values {
            LogValues::Float(values) => self.table(&group, "value", &count, values)?,
            LogValues::Int(values) => self.table(&group, "value", &count, values)?,
            LogValues::Long(values) => self.table(&group, "value", &count, values)?,
            LogValues::Bool(values) => {
                let bytes: Vec<u8> = values.iter().map(|value| u8::from(*value)).collect();
                let dataset = self.table(&group, "value", &count, &bytes)?;
                self.attribute(&dataset, "boolean", "1")?;
                dataset
            }
            LogValues::Text(values) if log.times.is_none() => {
                self.text(&group, "value", values.first().map_or("", |text| text.as_str()))?
            }
            LogValues::Text(values) => {
                let texts: Vec<&str> = values.iter().map(String::as_str).collect();
                raw::write_strings(&group, "value", &texts, &[texts.len(), 1]).map_err(self.failed(name))?
            }
        };
        self.attribute(&value, "units", &log.units)?;
        if let Some(times) = &log.times {
            let time = self.table(&group, "time", &count, &times.seconds)?;
            self.attribute(&time, "units", "second")?;
            self.attribute(&time, "start", &times.start)?;
        }
        Ok(())
    }

    pub(super) fn history(&self, entry: &Group, history: &History) -> Result<(), NexusError> {
        let group = self.group(entry, "process", "NXprocess")?;
        self.note(&group, "MantidEnvironment", &history.environment)?;
        for (index, note) in history.algorithms.iter().enumerate() {
            self.note(&group, &format!("MantidAlgorithm_{}", index + 1), note)?;
        }
        Ok(())
    }

    fn note(&self, process: &Group, name: &str, note: &NxNote) -> Result<(), NexusError> {
        let group = self.group(process, name, "NXnote")?;
        let author = self.text(&group, "author", &note.author)?;
        self.attribute(&author, "date", &note.date)?;
        self.text(&group, "description", &note.description)?;
        self.text(&group, "data", &note.data)?;
        Ok(())
    }
}

/// Name of a log's group. HDF5 reads `/` as a path and a lone `.` as the parent group itself.
fn link_name(name: &str) -> String {
    match name {
        "" => "unnamed".to_owned(),
        "." => "_".to_owned(),
        name => name.replace(['/', '\0'], "_"),
    }
}
