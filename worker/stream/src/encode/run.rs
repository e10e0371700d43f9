//! Messages of runs: pl72 (with the table of df12 as detector-spectrum map) and 6s4t.

use isis_streaming_data_types::flatbuffers_generated::{run_start_pl72 as pl72, run_stop_6s4t as stop};

use super::encoder::Encoder;

/// Detector-spectrum map of a run start: entry `i` maps `detector_id[i]` to `spectrum[i]`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SpectrumMap<'a> {
    pub spectrum: &'a [i32],
    pub detector_id: &'a [i32],
    /// Number of spectra, as the producer states it; decoding does not compare it with the lists.
    pub n_spectra: i32,
}

/// Message pl72: start of a run. `None` leaves a field out.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Pl72<'a> {
    /// Start of the run, ms since the Unix epoch.
    pub start_time: u64,
    /// Planned stop, ms since the Unix epoch; 0 for none.
    pub stop_time: u64,
    /// Run number, with or without the instrument's name: `MERLIN71617` or `71617`.
    pub run_name: Option<&'a str>,
    pub instrument_name: Option<&'a str>,
    /// JSON of the file writer: groups and datasets of the NeXus file.
    pub nexus_structure: Option<&'a str>,
    /// Unique id of the run; its stop message has the same.
    pub job_id: Option<&'a str>,
    /// Number of periods; 0 is encoded as the schema's default, 1.
    pub n_periods: u32,
    pub map: Option<SpectrumMap<'a>>,
    /// JSON of the producer, not interpreted.
    pub metadata: Option<&'a str>,
}

/// Message 6s4t: stop of a run. `None` leaves a field out.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct RunStop6s4t<'a> {
    /// End of the run, ms since the Unix epoch; 0 stands for the record's Kafka timestamp.
    pub stop_time: u64,
    /// Run number, as in the start; producers may leave it out or fill in another.
    pub run_name: Option<&'a str>,
    /// Job id of the run's start.
    pub job_id: Option<&'a str>,
}

impl Encoder {
    /// Encodes a pl72 message; the bytes are lent until the next message.
    pub fn pl72(&mut self, message: &Pl72<'_>) -> &[u8] {
        let builder = self.reset();
        let mut string = |text: Option<&str>| text.map(|text| builder.create_string(text));
        let (run_name, instrument_name) = (string(message.run_name), string(message.instrument_name));
        let (nexus_structure, job_id) = (string(message.nexus_structure), string(message.job_id));
        let metadata = string(message.metadata);
        let detector_spectrum_map = message.map.map(|map| {
            let arguments = pl72::SpectraDetectorMappingArgs {
                spectrum: Some(builder.create_vector(map.spectrum)),
                detector_id: Some(builder.create_vector(map.detector_id)),
                n_spectra: map.n_spectra,
            };
            pl72::SpectraDetectorMapping::create(builder, &arguments)
        });
        let arguments = pl72::RunStartArgs {
            start_time: message.start_time,
            stop_time: message.stop_time,
            run_name,
            instrument_name,
            nexus_structure,
            job_id,
            n_periods: message.n_periods.max(1),
            detector_spectrum_map,
            metadata,
            ..Default::default()
        };
        let root = pl72::RunStart::create(builder, &arguments);
        pl72::finish_run_start_buffer(builder, root);
        self.finished()
    }

    /// Encodes a 6s4t message; the bytes are lent until the next message.
    pub fn run_stop(&mut self, message: &RunStop6s4t<'_>) -> &[u8] {
        let builder = self.reset();
        let arguments = stop::RunStopArgs {
            stop_time: message.stop_time,
            run_name: message.run_name.map(|text| builder.create_string(text)),
            job_id: message.job_id.map(|text| builder.create_string(text)),
            ..Default::default()
        };
        let root = stop::RunStop::create(builder, &arguments);
        stop::finish_run_stop_buffer(builder, root);
        self.finished()
    }
}
