//! Chunks of a cursor on a simulated stream.
#![allow(clippy::unwrap_used)]

use super::*;
use crate::live::testing::{SimulatedStream, time};
use live_data_engine::run::RunKey;
use proptest::prelude::*;

fn snapshot(stream: &SimulatedStream, name: &str) -> Snapshot {
    let key = stream
        .view
        .runs()
        .into_iter()
        .find(|run| run.run_name == name)
        .unwrap()
        .key;
    let _: &RunKey = &key;
    stream.view.snapshot(&key).unwrap()
}

/// Events and frames of a chunk.
fn counts(chunk: &Chunk) -> (u64, i64) {
    let mut events = 0;
    for (view, selected) in chunk.portion.periods.iter().flat_map(|period| &period.parts) {
        view.for_each(|_, _, pulse| events += u64::from(selected.get(usize::from(pulse))));
    }
    (
        events,
        chunk
            .portion
            .periods
            .iter()
            .map(|period| period.frames.raw_frames)
            .sum(),
    )
}

#[test]
fn a_pulse_that_grew_after_it_was_delivered_makes_the_whole_view_new() {
    let mut stream = SimulatedStream::new();
    stream.start("1", 0.0);
    stream.pulse(0, 1.0, 5, 0);
    let first = Cursor::new(PulseTime::MIN)
        .next(&snapshot(&stream, "1"), PulseTime::MAX, ChunkUse::Accumulated, 1)
        .unwrap();
    assert_eq!((counts(&first), first.whole), ((5, 1), true));
    stream.pulse(0, 1.0, 3, 0);
    let second = first
        .after
        .next(&snapshot(&stream, "1"), PulseTime::MAX, ChunkUse::Accumulated, 2)
        .unwrap();
    assert_eq!((counts(&second), second.whole), ((8, 1), true));
    // Delivered pulses are not delivered again when later ones follow.
    stream.pulse(0, 2.0, 4, 0);
    let third = second
        .after
        .next(&snapshot(&stream, "1"), PulseTime::MAX, ChunkUse::Accumulated, 3)
        .unwrap();
    assert_eq!((counts(&third), third.whole), ((4, 1), false));
    assert!(
        third
            .after
            .next(&snapshot(&stream, "1"), PulseTime::MAX, ChunkUse::Accumulated, 4)
            .is_none()
    );
}

#[test]
fn events_of_a_delivered_frame_that_come_later_bring_no_second_charge() {
    let mut stream = SimulatedStream::new();
    stream.start("1", 0.0);
    stream.pulse(0, 1.0, 5, 0);
    stream.pulse(0, 2.0, 5, 0);
    let first = Cursor::new(PulseTime::MIN)
        .next(&snapshot(&stream, "1"), PulseTime::MAX, ChunkUse::Accumulated, 1)
        .unwrap();
    stream.pulse(1, 1.0, 7, 0);
    let late = first
        .after
        .next(&snapshot(&stream, "1"), PulseTime::MAX, ChunkUse::Accumulated, 2)
        .unwrap();
    assert_eq!((counts(&late), late.whole), ((7, 0), false));
    assert_eq!(late.portion.periods[0].frames.charge, None);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]
    /// Accumulated chunks equal the run for any interleaving of pulses and chunks.
    #[test]
    fn chunks_add_up_to_the_run(steps in prop::collection::vec((0_i32..2, 0_u32..60, 0_u32..6, 0_u32..2, any::<bool>()), 1..60)) {
        let mut stream = SimulatedStream::new();
        stream.start("1", 0.0);
        let mut cursor = Cursor::new(PulseTime::MIN);
        let (mut events, mut frames, mut charge) = (0_u64, 0_i64, 0.0);
        let mut number = 0;
        let mut look = |stream: &SimulatedStream, cursor: &mut Cursor, until: PulseTime| {
            number += 1;
            if let Some(chunk) = cursor.next(&snapshot(stream, "1"), until, ChunkUse::Accumulated, number) {
                if chunk.whole {
                    (events, frames, charge) = (0, 0, 0.0);
                }
                let (more, frames_more) = counts(&chunk);
                events += more;
                frames += frames_more;
                charge += chunk.portion.periods.iter().filter_map(|period| period.frames.charge).sum::<f64>();
                *cursor = chunk.after;
            }
        };
        for (partition, tenth, count, period, looks) in steps {
            stream.pulse(partition, f64::from(tenth) / 10.0, count, period);
            if looks {
                look(&stream, &mut cursor, time(f64::from(tenth) / 10.0));
            }
        }
        look(&stream, &mut cursor, PulseTime::MAX);
        let totals = snapshot(&stream, "1").run().totals;
        prop_assert_eq!(events, totals.events);
        prop_assert_eq!(frames, totals.raw_frames as i64);
        prop_assert!((charge - totals.proton_charge.unwrap_or(0.0)).abs() < 1e-9);
    }
}
