//! pl72 (with df12's table within) and 6s4t.

use isis_streaming_data_types::flatbuffers_generated::{run_start_pl72 as pl72, run_stop_6s4t as stop};

use super::Encoder;

/// The detector-spectrum map of a run start.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SpectrumMap<'a> {
    /// Spectrum numbers, one for each entry.
    pub spectrum: &'a [i32],
    /// Detector ids, one for each entry.
    pub detector_id: &'a [i32],
    /// How many spectra there are.
    pub n_spectra: i32,
}

/// A pl72 message. An absent string is not written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Pl72<'a> {
    /// ms since the Unix epoch.
    pub start_time: u64,
    /// ms since the Unix epoch, 0 for none.
    pub stop_time: u64,
    /// `MERLIN71617` or `71617`.
    pub run_name: Option<&'a str>,
    /// The instrument.
    pub instrument_name: Option<&'a str>,
    /// The file writer's JSON.
    pub nexus_structure: Option<&'a str>,
    /// What a stop refers to.
    pub job_id: Option<&'a str>,
    /// The number of periods, 0 for the format's default (1).
    pub n_periods: u32,
    /// The map.
    pub map: Option<SpectrumMap<'a>>,
    /// JSON.
    pub metadata: Option<&'a str>,
}

/// A 6s4t message.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct RunStop6s4t<'a> {
    /// ms since the Unix epoch, 0 for "the record's own timestamp".
    pub stop_time: u64,
    /// The run's name, if the producer says.
    pub run_name: Option<&'a str>,
    /// The start's job id.
    pub job_id: Option<&'a str>,
}

impl Encoder {
    /// pl72.
    pub fn pl72(&mut self, message: &Pl72<'_>) -> &[u8] {
        let builder = self.fresh();
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
        self.bytes()
    }

    /// 6s4t.
    pub fn run_stop(&mut self, message: &RunStop6s4t<'_>) -> &[u8] {
        let builder = self.fresh();
        let arguments = stop::RunStopArgs {
            stop_time: message.stop_time,
            run_name: message.run_name.map(|text| builder.create_string(text)),
            job_id: message.job_id.map(|text| builder.create_string(text)),
            ..Default::default()
        };
        let root = stop::RunStop::create(builder, &arguments);
        stop::finish_run_stop_buffer(builder, root);
        self.bytes()
    }
}
