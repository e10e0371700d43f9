//! Bad input on the stream: each kind is counted by its reason, reading continues, and valid records are kept.

use live_data_engine::message::LogValue;
use live_data_stream::encode::{Encoder, Ev44, Pl72, RunStop6s4t, SpectrumMap};

use crate::api::Api;
use crate::main_job::COUNT_SCRIPT;
use crate::nexus;
use crate::process::{Settings, Worker};
use crate::stream::{Counts, Instrument, Run, SECOND, Schema, add, now, pulses};

fn start(instrument: &Instrument, output: &tempfile::TempDir, api: &Api) -> Worker {
    let mut worker = Settings::new(&instrument.name, output.path(), api.url()).start();
    worker.wait_writer();
    worker
}

fn ev44(encoder: &mut Encoder, times: &[i64], first: &[i32], tofs: &[i32], ids: &[i32]) -> Vec<u8> {
    let message = Ev44 {
        source: "test",
        message_id: 0,
        reference_time: times,
        reference_time_index: first,
        time_of_flight: tofs,
        pixel_id: ids,
    };
    encoder.ev44(&message).to_vec()
}

#[test]
fn every_kind_of_bad_record_is_counted_and_the_good_events_are_all_there() {
    let mut instrument = Instrument::new("itbadrecords", Schema::Ev44, 1);
    let (output, api) = (tempfile::tempdir().unwrap(), Api::start(COUNT_SCRIPT));
    let mut worker = start(&instrument, &output, &api);
    let base = now() / SECOND * SECOND - 30 * SECOND;
    let run = Run::new(801, base, base + 10 * SECOND);
    let mut encoder = Encoder::new();
    let milliseconds = base / 1_000_000;
    let bad = |suffix: &str, payload: &[u8]| instrument.send(suffix, 0, milliseconds, payload);
    let good = ev44(&mut encoder, &[base + 1], &[0], &[1000, 2000], &[1002, 1003]);

    bad("events", b"");
    bad("events", b"short");
    bad("events", b"\x10\0\0\0zz99 a schema that nobody knows");
    bad("events", &good[..good.len() / 2]);
    bad("events", &vec![0x5a; 8 << 20]);
    bad("events", &ev44(&mut encoder, &[base + 2], &[0], &[1000, 2000], &[1002]));
    bad(
        "events",
        &ev44(
            &mut encoder,
            &[base + 3, base + 4],
            &[0, 9],
            &[1000, 2000],
            &[1002, 1003],
        ),
    );
    bad("events", &ev44(&mut encoder, &[0], &[0], &[1000], &[1002]));
    bad("events", &ev44(&mut encoder, &[i64::MAX], &[0], &[1000], &[1002]));
    bad("runInfo", b"\x10\0\0\0pl72garbage behind a known identifier");
    bad(
        "runInfo",
        encoder.run_stop(&RunStop6s4t {
            stop_time: 1,
            run_name: Some("nobody"),
            job_id: Some("unknown"),
        }),
    );
    bad("sampleEnv", b"\x10\0\0\0f144\xff\xff\xff\xff");

    let mut counts = instrument.whole_run(&run, 15);
    // Of these three events one has an invalid time of flight and one an id without a spectrum.
    let mixed = ev44(
        &mut encoder,
        &[base + 11],
        &[0],
        &[-5, 1000, 1000],
        &[1002, 999_999, 1002],
    );
    instrument.send("events", 0, milliseconds, &mixed);
    add(&mut counts, &Counts::from([(1, 1)]));
    instrument.flush();
    worker.wait_completed("801");
    let report = worker.wait("every reason", |report| {
        [
            "empty",
            "too_short",
            "unknown_schema",
            "malformed",
            "pulse_time_unbelievable",
            "time_of_flight_out_of_range",
            "run_stop_without_start",
        ]
        .iter()
        .all(|reason| report.rejected.contains_key(*reason))
    });
    let explained = report.degraded.iter().find(|wrong| wrong.reason == "LiveWorkspace");
    let words = &explained.expect("an id that no spectrum has is said").message;
    assert!(
        words.contains("1 events have ids") && words.contains("EVENT_IDS=spectrum"),
        "{words}"
    );
    let lengths = [
        "mismatched_lengths",
        "event_columns_differ",
        "bad_pulse_index",
        "pulse_index_malformed",
    ];
    let counted: u64 = lengths.iter().filter_map(|reason| report.rejected.get(*reason)).sum();
    assert_eq!(counted, 2, "{:?}", report.rejected);
    assert_eq!(report.rejected["time_of_flight_out_of_range"], 1);
    assert_eq!(nexus::read(&output.path().join("801.nxs")).counts(), counts);
    let (status, metrics) = worker.get("/metrics").unwrap();
    assert_eq!(status, 200);
    assert!(
        metrics.contains("live_data_rejected_total{reason=\"unknown_schema\"} 2"),
        "{metrics}"
    );
}

#[test]
fn odd_run_messages_end_in_the_right_runs() {
    let mut instrument = Instrument::new("itoddruns", Schema::Ev44, 1);
    let (output, api) = (tempfile::tempdir().unwrap(), Api::start(COUNT_SCRIPT));
    let mut worker = start(&instrument, &output, &api);
    let base = now() / SECOND * SECOND - 90 * SECOND;
    let run = |number: u32, from: i64, to: i64| Run::new(number, base + from * SECOND, base + to * SECOND);
    let (first, second, third, fourth) = (run(811, 0, 5), run(812, 8, 12), run(813, 12, 17), run(814, 20, 25));

    // Starts: of another instrument, with a map whose columns differ in length, of several megabytes, and repeated.
    let other = Pl72 {
        start_time: u64::try_from(base / 1_000_000).unwrap(),
        stop_time: 0,
        run_name: Some("999"),
        instrument_name: Some("SOMEBODY"),
        nexus_structure: None,
        job_id: Some("other"),
        n_periods: 1,
        map: None,
        metadata: None,
    };
    let payload = Encoder::new().pl72(&other).to_vec();
    instrument.send("runInfo", 0, base / 1_000_000, &payload);
    let mut counts = instrument.whole_run(&first, 10);
    instrument.start_run(&first);
    let structure = format!("{{\"children\": [\"{}\"]}}", "x".repeat(6 << 20));
    let large = Pl72 {
        start_time: u64::try_from(second.start / 1_000_000).unwrap(),
        run_name: Some(&second.name),
        instrument_name: Some(&instrument.name.clone()),
        nexus_structure: Some(&structure),
        job_id: Some(&second.job),
        map: Some(SpectrumMap {
            spectrum: &[1, 2, 3],
            detector_id: &[1002, 1004],
            n_spectra: 3,
        }),
        ..other
    };
    let payload = Encoder::new().pl72(&large).to_vec();
    instrument.send("runInfo", 0, second.start / 1_000_000, &payload);
    for time in pulses(second.start, second.stop) {
        instrument.pulse(time, 10);
    }
    // The second run has no stop, so that the third run's start ends it. The third run's stop has time 0.
    instrument.start_run(&third);
    let mut third_counts = Counts::new();
    for time in pulses(third.start, third.stop) {
        add(&mut third_counts, &instrument.pulse(time, 10));
    }
    let stop = RunStop6s4t {
        stop_time: 0,
        run_name: Some("test_run"),
        job_id: Some(&third.job),
    };
    let payload = Encoder::new().run_stop(&stop).to_vec();
    instrument.send("runInfo", 0, third.stop / 1_000_000, &payload);
    // The fourth run has no events.
    instrument.start_run(&fourth);
    instrument.stop_run(&fourth);
    instrument.flush();

    let report = worker.wait_completed("814");
    assert!(
        report.rejected.contains_key("run_start_of_other_instrument"),
        "{:?}",
        report.rejected
    );
    assert!(
        report.rejected.contains_key("detector_map_malformed"),
        "{:?}",
        report.rejected
    );
    counts.retain(|_, count| *count > 0);
    assert_eq!(nexus::read(&output.path().join("811.nxs")).counts(), counts);
    let pulses_of_second = u64::try_from((second.stop - second.start) / crate::stream::FRAME).unwrap();
    let second_sum: u64 = nexus::read(&output.path().join("812.nxs")).counts().values().sum();
    assert_eq!(
        second_sum,
        10 * pulses_of_second,
        "without a map every id that was seen is a spectrum"
    );
    assert_eq!(nexus::read(&output.path().join("813.nxs")).counts(), third_counts);
    assert!(
        !output.path().join("814.nxs").exists(),
        "nothing is executed for a run without events"
    );
    assert!(!output.path().join("999.nxs").exists());
}

#[test]
fn logs_of_every_kind_and_a_frame_that_is_sent_twice() {
    let mut instrument = Instrument::new("itlogs", Schema::Ev42, 1);
    let (output, api) = (tempfile::tempdir().unwrap(), Api::start(COUNT_SCRIPT));
    let mut worker = start(&instrument, &output, &api);
    let base = now() / SECOND * SECOND - 30 * SECOND;
    let run = Run::new(821, base, base + 8 * SECOND);
    for (name, value) in [
        ("IN:ITLOGS:CS:SB:text", LogValue::Text("open".into())),
        ("IN:ITLOGS:CS:SB:array", LogValue::F64s([1.0, 2.0].into())),
        ("IN:ITLOGS:CS:SB:int", LogValue::I16(-7)),
        ("IN:ITLOGS:CS:SB:nan", LogValue::F32(f32::NAN)),
    ] {
        for second in [1, 2, 2] {
            instrument.log(name, base + second * SECOND, &value);
        }
    }
    instrument.units("IN:ITLOGS:CS:SB:int", base, "mm");
    let counts = instrument.whole_run(&run, 10);
    instrument.flush();
    let report = worker.wait_completed("821");
    let file = nexus::read(&output.path().join("821.nxs"));
    assert_eq!(file.counts(), counts);
    assert_eq!(
        file.logs["int"],
        ("-7".into(), 2),
        "the same value at the same time is one value"
    );
    assert!(report.rejected["duplicate_logs"] >= 2, "{:?}", report.rejected);
    assert!(file.logs.contains_key("run_number") && file.logs.contains_key("proton_charge"));
}
