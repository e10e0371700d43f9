#![allow(clippy::unwrap_used)]
use std::collections::BTreeMap;

use live_data_engine::message::{IdColumn, Message, PulseColumns};
use live_data_engine::time::PulseTime;

use super::*;
use crate::simulate::faults::Faults;
use crate::simulate::instrument::InstrumentLayout;

fn settings(schema: EventSchema) -> SimulationSettings {
    SimulationSettings {
        schema,
        runs: Some(2),
        run_seconds: 2.0,
        gap_seconds: 0.5,
        event_rate: 50_000.0,
        events_per_message: 300,
        partitions: 3,
        ..SimulationSettings::new(InstrumentLayout::small("DEMO"), 1_700_000_000_123_456_789)
    }
}

/// Events of each run by id and their pulses' number, recounted from the messages alone.
fn recount(records: &[SimulatedRecord], truth: &Truth) -> Vec<BTreeMap<u32, u64>> {
    let mut runs = vec![BTreeMap::new(); truth.runs.len()];
    for record in records.iter().filter(|record| record.role == TopicRole::Events) {
        let Ok(Message::Events(batch)) = live_data_stream::decode(&record.payload) else {
            continue;
        };
        let IdColumn::PerEvent(ids) = batch.ids else { continue };
        let pulses: Vec<(PulseTime, usize)> = match batch.pulses {
            PulseColumns::Single(time) => vec![(time, 0)],
            PulseColumns::Multiple { times, first } => times
                .iter()
                .map(PulseTime::from_nanos)
                .zip(first.iter().map(|at| at as usize))
                .collect(),
        };
        for (at, id) in ids.iter().enumerate() {
            let (time, _) = pulses.iter().rev().find(|(_, first)| *first <= at).unwrap();
            let run = truth.runs.iter().position(|run| holds(run, time.nanos()));
            if let Some(run) = run {
                *runs[run].entry(id).or_default() += 1;
            }
        }
    }
    runs
}

#[test]
fn the_truth_agrees_with_the_messages() {
    for (schema, pulses_per_message) in [(EventSchema::Ev42, 1), (EventSchema::Ev44, 1), (EventSchema::Ev44, 7)] {
        let settings = SimulationSettings {
            pulses_per_message,
            ..settings(schema)
        };
        let mut generator = Generator::new(settings);
        let records: Vec<SimulatedRecord> = generator.by_ref().collect();
        let layout = generator.settings().layout.clone();
        let truth = generator.into_truth();
        assert_eq!(truth.runs.len(), 2);
        let counted = recount(&records, &truth);
        for (run, counted) in truth.runs.iter().zip(&counted) {
            let expected: BTreeMap<u32, u64> = if schema == EventSchema::Ev42 {
                run.by_spectrum(&layout)
                    .into_iter()
                    .map(|(id, count)| (id as u32, count))
                    .collect()
            } else {
                run.by_detector(&layout)
                    .into_iter()
                    .map(|(id, count)| (id as u32, count))
                    .collect()
            };
            assert_eq!(counted, &expected);
            assert_eq!(run.pulses, 100);
            assert!(run.events() > 80_000, "{}", run.events());
            assert!(run.stop_sent);
        }
        assert!(truth.outside.events > 0);
        let inside: u64 = truth.runs.iter().map(RunTruth::events).sum();
        assert_eq!(truth.events, inside + truth.outside.events);
        let partitions: std::collections::BTreeSet<i32> = records
            .iter()
            .filter(|record| record.role == TopicRole::Events)
            .map(|record| record.partition)
            .collect();
        assert_eq!(partitions.len(), 3);
    }
}

#[test]
fn the_same_seed_gives_the_same_bytes_in_order_of_sending() {
    let faulty = SimulationSettings {
        faults: Faults {
            garbage: 0.1,
            duplicates: 0.1,
            partition_lag: 1.0,
            late_start: 0.7,
            ..Faults::default()
        },
        ..settings(EventSchema::Ev44Pu00)
    };
    let once: Vec<SimulatedRecord> = Generator::new(faulty.clone()).collect();
    assert!(once == Generator::new(faulty.clone()).collect::<Vec<_>>());
    assert!(once.windows(2).all(|pair| pair[0].send_ns <= pair[1].send_ns));
    let other = SimulationSettings { seed: 2, ..faulty };
    assert!(once != Generator::new(other).collect::<Vec<_>>());
}

#[test]
fn faults_have_their_effect_and_are_kept_apart() {
    let faulty = SimulationSettings {
        veto_share: 0.2,
        periods: 2,
        faults: Faults {
            garbage: 0.2,
            duplicates: 0.2,
            late_start: 1.0,
            missing_stop_every: 2,
            repeat_start: true,
            outside_map: 0.01,
            bad_time_of_flight: 0.01,
            ..Faults::default()
        },
        ..settings(EventSchema::Ev44Pu00)
    };
    let mut generator = Generator::new(faulty);
    let records: Vec<SimulatedRecord> = generator.by_ref().collect();
    let layout = generator.settings().layout.clone();
    let truth = generator.into_truth();
    let undecodable = records
        .iter()
        .filter(|record| live_data_stream::decode(&record.payload).is_err())
        .count();
    assert_eq!(undecodable as u64, truth.records["garbage"]);
    assert!(truth.records["duplicate"] > 10);
    assert_eq!(truth.records["pl72"], 4);
    assert_eq!(
        truth.runs.iter().map(|run| run.stop_sent).collect::<Vec<_>>(),
        [true, false]
    );
    for run in &truth.runs {
        assert!(run.vetoed_pulses > 5 && run.vetoed_events > 1000);
        assert!(run.bad_time_of_flight > 100 && run.outside_map.values().sum::<u64>() > 100);
        assert_eq!(run.periods.len(), 2);
        assert_eq!(
            run.periods.iter().map(|period| period.pulses).sum::<u64>() + run.vetoed_pulses,
            run.pulses
        );
        assert_eq!(run.by_detector(&layout).values().sum::<u64>(), run.events());
        let starts = records.iter().find(|record| {
            matches!(live_data_stream::decode(&record.payload), Ok(Message::RunStart(start)) if start.job_id == run.job_id)
        });
        assert_eq!(starts.unwrap().send_ns, run.start_ns + SECOND);
    }
    let wrong: u64 = truth
        .runs
        .iter()
        .map(|run| run.events() + run.vetoed_events + run.bad_time_of_flight + run.outside_map.values().sum::<u64>())
        .sum();
    assert_eq!(truth.events, wrong + truth.outside.events);
}

#[test]
fn logs_come_with_units_alarms_and_a_value_from_long_before() {
    let settings = SimulationSettings {
        run_seconds: 60.0,
        runs: Some(1),
        event_rate: 100.0,
        ..settings(EventSchema::Ev42)
    };
    let mut generator = Generator::new(settings);
    let mut seen = BTreeMap::new();
    let mut rotation_times = Vec::new();
    for record in generator.by_ref().filter(|record| record.role == TopicRole::SampleEnv) {
        let message = live_data_stream::decode(&record.payload).unwrap();
        *seen.entry(message.schema()).or_insert(0) += 1;
        if let Message::Log(sample) = message
            && sample.source == "IN:DEMO:CS:SB:Rot"
        {
            rotation_times.push(sample.time.nanos());
        }
    }
    let run = &generator.truth().runs[0];
    assert_eq!(seen["un00"], 5);
    assert!(seen["al00"] >= 2, "{seen:?}");
    assert_eq!(rotation_times.len(), 1);
    assert!(rotation_times[0] < run.start_ns - 500 * SECOND);
    assert_eq!(run.log_samples["IN:DEMO:CS:SB:Temp_Sample"], 60);
    assert!(!run.log_samples.contains_key("IN:DEMO:CS:SB:Rot"));
}
