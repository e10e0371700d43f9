//! Encoding followed by decoding.

use live_data_engine::message::{
    AlarmSeverity, DetectorSpectrumMap, EventSchema, Frame, IdColumn, LogValue, Message, PulseColumns,
};
use live_data_engine::time::PulseTime;
use live_data_stream::decode;
use live_data_stream::encode::{Encoder, Ev44};
use proptest::prelude::*;

use crate::samples;

#[test]
fn every_schema_is_known_by_its_name() {
    for (schema, bytes) in samples::all() {
        assert_eq!(decode(&bytes).expect(schema).schema(), schema);
    }
}

#[test]
fn ev42_keeps_pulse_events_and_frame() {
    let all = samples::all();
    let Message::Events(batch) = decode(&all[0].1).unwrap() else {
        panic!("not events")
    };
    assert_eq!(
        (batch.schema, batch.source, batch.message_id),
        (EventSchema::Ev42, "s", 5)
    );
    assert!(matches!(batch.pulses, PulseColumns::Single(time) if time == PulseTime::from_nanos(77)));
    assert_eq!(batch.time_of_flight.iter().collect::<Vec<_>>(), [100, 200, 300]);
    let IdColumn::PerEvent(ids) = batch.ids else {
        panic!("no ids")
    };
    assert_eq!(ids.iter().collect::<Vec<_>>(), [7, 8, 9]);
    assert_eq!(
        batch.frame,
        Some(Frame {
            period: 2,
            setup: false,
            proton_charge: 0.5
        })
    );
}

#[test]
fn event_columns_are_borrowed_from_the_record() {
    let bytes = samples::events(1, 5, 1000);
    let Message::Events(batch) = decode(&bytes).unwrap() else {
        panic!("not events")
    };
    let within = bytes.as_ptr_range();
    assert!(within.contains(&batch.time_of_flight.bytes().as_ptr()));
    assert_eq!(batch.time_of_flight.len(), 1000);
}

#[test]
fn a_single_pixels_events_have_no_ids() {
    let message = Ev44 {
        source: "monitor_1",
        message_id: 0,
        reference_time: &[5],
        reference_time_index: &[0],
        time_of_flight: &[1, -1],
        pixel_id: &[],
    };
    let mut encoder = Encoder::new();
    let Message::Events(batch) = decode(encoder.ev44(&message)).unwrap() else {
        panic!("not events")
    };
    assert!(matches!(batch.ids, IdColumn::Implicit));
    assert_eq!(
        batch.time_of_flight.get(1),
        Some(u32::MAX),
        "a negative time of flight stays out of range"
    );
}

#[test]
fn a_run_start_keeps_its_map_and_absent_times() {
    let all = samples::all();
    let Message::RunStart(start) = decode(&all[4].1).unwrap() else {
        panic!("not a start")
    };
    assert_eq!(start.start_time, PulseTime::from_millis(1000));
    assert_eq!((start.stop_time, start.n_periods), (None, 4));
    let map = DetectorSpectrumMap {
        spectrum: vec![1, 2, 2],
        detector_id: vec![10, 20, 21],
        n_spectra: 3,
    };
    assert_eq!(start.map, Some(map));
    let Message::RunStop(stop) = decode(&samples::stop("job", 0)).unwrap() else {
        panic!("not a stop")
    };
    assert_eq!(stop.stop_time, None);
}

#[test]
fn what_a_frame_leaves_out_stays_absent() {
    let all = samples::all();
    let Message::Pulse(pulse) = decode(&all[2].1).unwrap() else {
        panic!("not a pulse")
    };
    assert_eq!(
        (pulse.vetos, pulse.period, pulse.proton_charge),
        (Some(8), None, Some(0.25))
    );
    let Message::Alarm(alarm) = decode(&all[7].1).unwrap() else {
        panic!("not an alarm")
    };
    assert_eq!((alarm.severity, alarm.message.as_str()), (AlarmSeverity::Major, "hot"));
    let Message::VetoConfig(vetoes) = decode(&all[3].1).unwrap() else {
        panic!("no vetoes")
    };
    assert_eq!((vetoes.mask, vetoes.names.len()), (9, 2));
}

#[test]
fn a_run_start_of_many_megabytes_is_taken() {
    let ids: Vec<i32> = (0..300_000).collect();
    let structure = "x".repeat(8 << 20);
    let mut encoder = Encoder::new();
    let bytes = encoder.pl72(&live_data_stream::encode::Pl72 {
        start_time: 1,
        nexus_structure: Some(&structure),
        map: Some(live_data_stream::encode::SpectrumMap {
            spectrum: &ids,
            detector_id: &ids,
            n_spectra: 300_000,
        }),
        ..Default::default()
    });
    let Message::RunStart(start) = decode(bytes).unwrap() else {
        panic!("not a start")
    };
    assert_eq!(start.map.unwrap().spectrum.len(), 300_000);
    assert_eq!(start.nexus_structure.unwrap().len(), 8 << 20);
}

#[test]
fn all_twenty_kinds_of_log_values_come_back() {
    let values = [
        LogValue::I8(-8),
        LogValue::U8(8),
        LogValue::I16(-16),
        LogValue::U16(16),
        LogValue::I32(-32),
        LogValue::U32(32),
        LogValue::I64(-64),
        LogValue::U64(u64::MAX),
        LogValue::F32(0.5),
        LogValue::F64(-0.25),
        LogValue::I8s([-1, 2].into()),
        LogValue::U8s([1, 2].into()),
        LogValue::I16s([-1, 2].into()),
        LogValue::U16s([1, 2].into()),
        LogValue::I32s([-1, 2].into()),
        LogValue::U32s([1, 2].into()),
        LogValue::I64s([-1, 2].into()),
        LogValue::U64s([1, u64::MAX].into()),
        LogValue::F32s([0.5, -1.0].into()),
        LogValue::F64s([].into()),
    ];
    let mut encoder = Encoder::new();
    for value in values {
        let Message::Log(sample) = decode(encoder.f144("PV", -7, &value)).unwrap() else {
            panic!("not a log")
        };
        assert_eq!(sample.value, value);
        assert_eq!((sample.source.as_str(), sample.time.nanos()), ("PV", -7));
    }
}

proptest! {
    #[test]
    fn any_ev44_comes_back(
        sizes in prop::collection::vec(0_usize..40, 1..8), seed in any::<i64>(), implicit in any::<bool>(),
    ) {
        let first: Vec<i32> = sizes.iter().scan(0, |at, size| { let now = *at; *at += *size as i32; Some(now) }).collect();
        let times: Vec<i64> = (0..sizes.len() as i64).map(|index| seed.wrapping_add(index)).collect();
        let events: usize = sizes.iter().sum();
        let time_of_flight: Vec<i32> = (0..events as i32).map(|index| index.wrapping_mul(seed as i32)).collect();
        let ids: Vec<i32> = if implicit { vec![] } else { time_of_flight.iter().rev().copied().collect() };
        let mut encoder = Encoder::new();
        let bytes = encoder.ev44(&Ev44 {
            source: "any", message_id: seed, reference_time: &times, reference_time_index: &first,
            time_of_flight: &time_of_flight, pixel_id: &ids,
        });
        let Message::Events(batch) = decode(bytes).unwrap() else { panic!("not events") };
        prop_assert_eq!(batch.message_id, seed);
        prop_assert!(batch.time_of_flight.iter().map(u32::cast_signed).eq(time_of_flight.iter().copied()));
        match batch.ids {
            IdColumn::PerEvent(column) => prop_assert!(column.iter().map(u32::cast_signed).eq(ids.iter().copied())),
            IdColumn::Implicit => prop_assert!(implicit && events > 0),
        }
        match batch.pulses {
            PulseColumns::Single(time) => prop_assert!(sizes.len() == 1 && time.nanos() == times[0]),
            PulseColumns::Multiple { times: column, first: starts } => {
                prop_assert!(column.iter().eq(times.iter().copied()) && starts.iter().eq(first.iter().copied()));
            }
        }
    }
}
