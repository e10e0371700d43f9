//! Bad input and bounded memory, with their counters.

use live_data_engine::config::TimelineConfig;
use live_data_engine::counters::Refusal;
use live_data_engine::message::{
    DetectorSpectrumMap, EventBatch, EventSchema, Frame, IdColumn, LeI32, LeI64, LeU32, Message, PulseColumns,
};
use live_data_engine::outcome::{IngestOutcome, Signal};
use live_data_engine::record_position::{RecordPosition, TopicRole};
use live_data_engine::time::PulseTime;

use crate::stream::{Record, Worker, at, events, key, listed, pulse, start};

const EVENTS: TopicRole = TopicRole::Events;

fn worker() -> Worker {
    let mut worker = Worker::new(TimelineConfig {
        seal_events: 1000,
        ..TimelineConfig::new("MERLIN")
    });
    worker.ingest(key(TopicRole::RunInfo, 0), 0, &start("a", "1", at(0.0)));
    worker
}

fn raw(
    worker: &mut Worker,
    offset: i64,
    times: &[i64],
    first: &[i32],
    tofs: &[i32],
    ids: Option<&[i32]>,
) -> IngestOutcome {
    let times: Vec<u8> = times.iter().flat_map(|value| value.to_le_bytes()).collect();
    let column = |values: &[i32]| values.iter().flat_map(|value| value.to_le_bytes()).collect::<Vec<u8>>();
    let (first, tofs, ids) = (column(first), column(tofs), ids.map(column));
    let batch = EventBatch {
        schema: EventSchema::Ev44,
        source: "bank",
        message_id: 0,
        pulses: PulseColumns::Multiple {
            times: LeI64::new(&times),
            first: LeI32::new(&first),
        },
        time_of_flight: LeU32::new(&tofs),
        ids: ids
            .as_deref()
            .map_or(IdColumn::Implicit, |ids| IdColumn::PerEvent(LeU32::new(ids))),
        frame: None,
    };
    let place = RecordPosition {
        partition: key(EVENTS, 0),
        offset,
        timestamp_ms: worker.now.millis(),
    };
    worker.timeline.ingest(place, Message::Events(batch), worker.now)
}

#[test]
fn malformed_messages_are_refused_whole_and_counted() {
    let mut worker = worker();
    let time = at(1.0);
    #[allow(clippy::type_complexity)]
    let cases: [(&[i64], &[i32], &[i32], &[i32], Refusal); 8] = [
        (&[time], &[0], &[1, 2], &[1], Refusal::EventColumns),
        (&[time], &[1], &[1, 2], &[1, 2], Refusal::PulseIndex),
        (&[time, time + 1], &[0, 3], &[1, 2], &[1, 2], Refusal::PulseIndex),
        (
            &[time, time + 1, time + 2],
            &[0, 2, 1],
            &[1, 2],
            &[1, 2],
            Refusal::PulseIndex,
        ),
        (&[time, time + 1], &[0], &[1, 2], &[1, 2], Refusal::PulseIndex),
        (&[time], &[-1], &[1], &[1], Refusal::PulseIndex),
        (&[], &[], &[1], &[1], Refusal::PulseIndex),
        (&[time], &[i32::MAX], &[1], &[1], Refusal::PulseIndex),
    ];
    for (offset, (times, first, tofs, ids, reason)) in cases.into_iter().enumerate() {
        assert_eq!(
            raw(&mut worker, offset as i64, times, first, tofs, Some(ids)),
            IngestOutcome::Refused(reason)
        );
    }
    assert_eq!(
        raw(&mut worker, 100, &[], &[], &[], Some(&[])),
        IngestOutcome::Events { stored: 0, dropped: 0 }
    );
    let rejected = worker.view.counters().rejected;
    assert_eq!(rejected["event_columns_differ"], 1);
    assert_eq!(rejected["pulse_index_malformed"], 7);
    assert_eq!(listed(&worker.snapshot("a")), []);
}

#[test]
fn times_of_flight_out_of_range_are_dropped_by_event() {
    let mut worker = worker();
    let (one, two) = (at(1.0), at(1.02));
    let outcome = raw(
        &mut worker,
        0,
        &[one, two],
        &[0, 3],
        &[5, -1, 7, i32::MIN, i32::MAX],
        Some(&[1, 2, 3, 4, -5]),
    );
    assert_eq!(outcome, IngestOutcome::Events { stored: 3, dropped: 2 });
    let expected = [(one, 1, 5), (one, 3, 7), (two, (-5_i32) as u32, i32::MAX as u32)];
    assert_eq!(listed(&worker.snapshot("a")), expected);
    assert_eq!(worker.view.counters().rejected["time_of_flight_out_of_range"], 2);
    assert_eq!(worker.view.counters().events, 5);
}

#[test]
fn a_detector_of_one_pixel_gets_its_id_from_its_source() {
    let mut config = TimelineConfig::new("MERLIN");
    config.implicit_ids.insert("bank".into(), 4001);
    let mut worker = Worker::new(config);
    worker.ingest(key(TopicRole::RunInfo, 0), 0, &start("a", "1", at(0.0)));
    raw(&mut worker, 0, &[at(1.0), at(1.02)], &[0, 1], &[5, 6, 7], None);
    assert_eq!(
        listed(&worker.snapshot("a")),
        [(at(1.0), 4001, 5), (at(1.02), 4001, 6), (at(1.02), 4001, 7)]
    );
}

#[test]
fn a_clock_that_jumps_neither_wrecks_the_run_nor_the_memory() {
    let mut worker = worker();
    let jumps = [
        0,
        -5,
        1,
        i64::MAX,
        i64::MIN,
        worker.now.plus(7200 * 1_000_000_000).nanos(),
    ];
    for (offset, time) in jumps.into_iter().enumerate() {
        assert_eq!(
            worker.ingest(key(EVENTS, 0), offset as i64, &events(time, &[(1, 1)])),
            IngestOutcome::PartlyRefused(Refusal::PulseTime)
        );
        assert_eq!(
            worker.ingest(key(TopicRole::SampleEnv, 0), offset as i64, &pulse(time, 0, 0, 1.0)),
            IngestOutcome::Refused(Refusal::PulseTime)
        );
    }
    worker.ingest(key(EVENTS, 0), 99, &events(at(1.0), &[(1, 1)]));
    worker.tick();
    assert_eq!(listed(&worker.snapshot("a")).len(), 1);
    assert_eq!(worker.view.counters().rejected["pulse_time_unbelievable"], 12);
    assert_eq!(
        worker.view.counters().newest_pulse,
        Some(PulseTime::from_nanos(at(1.0)))
    );
}

#[test]
fn metadata_that_cannot_be_is_left_out_and_the_rest_is_kept() {
    let mut worker = worker();
    let place = key(TopicRole::SampleEnv, 0);
    assert_eq!(
        worker.ingest(place, 0, &pulse(at(1.0), 0, 3, f32::NAN)),
        IngestOutcome::PartlyRefused(Refusal::ProtonCharge)
    );
    assert_eq!(
        worker.ingest(place, 1, &pulse(at(1.02), 0, 70_000, 0.5)),
        IngestOutcome::PartlyRefused(Refusal::Period)
    );
    let run = worker.view.current().unwrap();
    assert_eq!(
        (run.n_periods, run.totals.proton_charge, run.totals.raw_frames),
        (4, Some(0.5), 2)
    );
}

#[test]
fn setup_frames_are_counted_and_left_out_only_on_demand() {
    for exclude_setup in [false, true] {
        let mut worker = Worker::new(TimelineConfig {
            exclude_setup,
            ..TimelineConfig::new("MERLIN")
        });
        worker.ingest(key(TopicRole::RunInfo, 0), 0, &start("a", "1", at(0.0)));
        for (offset, setup) in [(0, true), (1, false), (2, true)] {
            let record = Record::Events {
                source: "dae",
                schema: EventSchema::Ev42,
                pulses: vec![(at(offset as f64), vec![(1, 9), (2, 9)])],
                frame: Some(Frame {
                    period: 0,
                    setup,
                    proton_charge: 0.5,
                }),
                id: offset,
            };
            worker.ingest(key(EVENTS, 0), offset, &record);
        }
        let snapshot = worker.snapshot("a");
        let totals = snapshot.run().totals;
        assert_eq!((totals.setup_frames, totals.raw_frames), (2, 3));
        assert_eq!(totals.events, if exclude_setup { 2 } else { 6 });
        assert_eq!(totals.proton_charge, Some(if exclude_setup { 0.5 } else { 1.5 }));
        assert_eq!(listed(&snapshot).len() as u64, totals.events);
    }
}

#[test]
fn repeats_and_gaps_are_counted() {
    let mut worker = worker();
    let message = |id: i64, time: f64| Record::Events {
        source: "aggregator",
        schema: EventSchema::Ev44,
        pulses: vec![(at(time), vec![(1, id as u32), (2, 5)])],
        frame: None,
        id,
    };
    for (offset, id) in [3, 4, 6, 9].into_iter().enumerate() {
        worker.ingest(key(EVENTS, offset as i32 % 2), offset as i64, &message(id, id as f64));
    }
    assert_eq!(worker.view.counters().missing_messages, 3);
    // The same frame under a new id, after a crash of the producer.
    let Record::Events {
        source,
        schema,
        pulses,
        frame,
        ..
    } = message(9, 9.0)
    else {
        unreachable!()
    };
    let again = Record::Events {
        source,
        schema,
        pulses,
        frame,
        id: 10,
    };
    assert_eq!(worker.ingest(key(EVENTS, 0), 20, &again), IngestOutcome::Duplicate);
    let counters = worker.view.counters();
    assert_eq!(
        (counters.duplicate_messages, counters.duplicate_events, counters.events),
        (1, 2, 8)
    );
    assert_eq!(counters.messages["ev44"].repeated, 1);
    assert_eq!(worker.ingest(key(EVENTS, 0), 20, &again), IngestOutcome::AlreadyHeld);
}

#[test]
fn ids_outside_the_map_are_counted_and_kept() {
    let mut worker = Worker::new(TimelineConfig::new("MERLIN"));
    let mut record = start("a", "1", at(0.0));
    if let Record::Start(run) = &mut record {
        run.map = Some(DetectorSpectrumMap {
            spectrum: (1..=500).collect(),
            detector_id: (10_001..=10_500).collect(),
            n_spectra: 500,
        });
    }
    worker.ingest(key(TopicRole::RunInfo, 0), 0, &record);
    worker.ingest(
        key(EVENTS, 0),
        0,
        &events(at(1.0), &[(10_001, 1), (10_500, 1), (10_501, 1), (0, 1)]),
    );
    let counters = worker.view.counters();
    assert_eq!((counters.ids_outside_map, counters.id_outside_map), (2, Some(0)));
    assert_eq!(listed(&worker.snapshot("a")).len(), 4);
}

#[test]
fn at_the_memory_limit_the_view_ends_and_the_totals_go_on() {
    let mut config = TimelineConfig {
        seal_events: 1000,
        ..TimelineConfig::new("MERLIN")
    };
    config.memory_limit = Some(200_000);
    let mut worker = Worker::new(config);
    worker.ingest(key(TopicRole::RunInfo, 0), 0, &start("a", "1", at(0.0)));
    for number in 0..1000 {
        let list: Vec<(u32, u32)> = (0..100).map(|event| (event, number)).collect();
        worker.ingest(
            key(EVENTS, number as i32 % 2),
            i64::from(number),
            &events(at(f64::from(number) * 0.02), &list),
        );
        if number % 50 == 0 {
            worker.tick();
        }
    }
    worker.tick();
    let from = worker.signals.iter().find_map(|signal| match signal {
        Signal::MemoryLimit(time) => Some(*time),
        _ => None,
    });
    let from = from.expect("the limit was told");
    let counters = worker.view.counters();
    assert!(counters.event_bytes < 230_000, "{}", counters.event_bytes);
    assert_eq!(counters.kept_until, Some(from));
    let snapshot = worker.snapshot("a");
    let run = snapshot.run();
    assert_eq!(run.totals.events, 100_000, "totals go on");
    assert_eq!(run.kept_until, Some(from));
    let kept = listed(&snapshot);
    assert_eq!(
        kept.len() as u64,
        snapshot.pulses().totals().events,
        "the view ends for pulses and events alike"
    );
    assert_eq!(kept.len() as u64 + run.not_kept_events, 100_000);
    assert!(kept.iter().all(|event| event.0 < from.nanos()));
    drop(snapshot);
    // The next run is complete once the previous one is freed.
    worker.ingest(key(TopicRole::RunInfo, 0), 1, &start("b", "2", at(100.0)));
    for number in 0..100 {
        worker.ingest(
            key(EVENTS, number % 2),
            i64::from(2000 + number),
            &events(at(120.0 + f64::from(number)), &[]),
        );
    }
    worker.tick();
    worker.signals.clear();
    worker.tick();
    worker.tick();
    for number in 0..100 {
        worker.ingest(
            key(EVENTS, number % 2),
            i64::from(3000 + number),
            &events(at(130.0 + f64::from(number)), &[(1, 1)]),
        );
    }
    assert_eq!(worker.view.counters().kept_until, None);
    assert_eq!(listed(&worker.snapshot("b")).len(), 100);
}
