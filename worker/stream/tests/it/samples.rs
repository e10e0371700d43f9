//! Valid messages, one of each schema.

use live_data_engine::message::{AlarmSeverity, LogValue};
use live_data_stream::encode::{Encoder, Ev42, Ev44, IsisFrame, Pl72, Pu00, RunStop6s4t, SpectrumMap, X5f2};

pub fn start(job_id: &str, run_name: &str, start_ms: u64) -> Vec<u8> {
    let message = Pl72 {
        start_time: start_ms,
        run_name: Some(run_name),
        job_id: Some(job_id),
        ..Pl72::default()
    };
    Encoder::new().pl72(&message).to_vec()
}

pub fn stop(job_id: &str, stop_ms: u64) -> Vec<u8> {
    let message = RunStop6s4t {
        stop_time: stop_ms,
        run_name: Some("test_run"),
        job_id: Some(job_id),
    };
    Encoder::new().run_stop(&message).to_vec()
}

pub fn events(message_id: i64, pulse_ns: i64, events: usize) -> Vec<u8> {
    let time_of_flight: Vec<i32> = (0..events as i32).collect();
    Encoder::new()
        .ev44(&Ev44 {
            source: "bank",
            message_id,
            reference_time: &[pulse_ns],
            reference_time_index: &[0],
            time_of_flight: &time_of_flight,
            pixel_id: &time_of_flight,
        })
        .to_vec()
}

/// File identifier and message of every schema that the encoder supports.
pub fn all() -> Vec<(&'static str, Vec<u8>)> {
    let mut encoder = Encoder::new();
    let isis = Some(IsisFrame {
        period_number: 2,
        running: true,
        proton_charge: 0.5,
    });
    let (time_of_flight, ids) = ([100_u32, 200, 300], [7_u32, 8, 9]);
    let ev42 = Ev42 {
        source: "s",
        message_id: 5,
        pulse_time: 77,
        time_of_flight: &time_of_flight,
        detector_id: &ids,
        isis,
    };
    let ev44 = Ev44 {
        source: "bank",
        message_id: 3,
        reference_time: &[10, 20],
        reference_time_index: &[0, 1],
        time_of_flight: &[1, 2, 3],
        pixel_id: &[4, 5, 6],
    };
    let pu00 = Pu00 {
        source: "f",
        message_id: 1,
        reference_time: 99,
        vetos: Some(8),
        period_number: None,
        proton_charge: Some(0.25),
    };
    let map = SpectrumMap {
        spectrum: &[1, 2, 2],
        detector_id: &[10, 20, 21],
        n_spectra: 3,
    };
    let pl72 = Pl72 {
        start_time: 1000,
        run_name: Some("MERLIN7"),
        instrument_name: Some("MERLIN"),
        nexus_structure: Some("{}"),
        job_id: Some("job"),
        n_periods: 4,
        map: Some(map),
        ..Pl72::default()
    };
    let x5f2 = X5f2 {
        software_name: "live-data",
        software_version: "0.1",
        service_id: "id",
        host_name: "host",
        process_id: 1,
        update_interval: 1000,
        status_json: "{}",
    };
    vec![
        ("ev42", encoder.ev42(&ev42).to_vec()),
        ("ev44", encoder.ev44(&ev44).to_vec()),
        ("pu00", encoder.pu00(&pu00).to_vec()),
        ("vc00", encoder.vc00(4, 9, &["a", "b"]).to_vec()),
        ("pl72", encoder.pl72(&pl72).to_vec()),
        ("6s4t", stop("job", 2000)),
        (
            "f144",
            encoder.f144("PV", 6, &LogValue::F64s([1.0, 2.0].into())).to_vec(),
        ),
        ("al00", encoder.al00("PV", 7, AlarmSeverity::Major, "hot").to_vec()),
        ("un00", encoder.un00("PV", 8, Some("K")).to_vec()),
        ("x5f2", encoder.x5f2(&x5f2).to_vec()),
    ]
}
