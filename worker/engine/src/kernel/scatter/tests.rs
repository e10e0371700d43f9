//! SIMD binning, pulse ranges and replicas compared with the scalar code.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use proptest::prelude::*;

use super::*;
use crate::edges::Edges;
use crate::kernel::testing::{Raw, cases, sealed};
use crate::plan::{RowMap, SlotTable};
use crate::transform::{Coefficient, ConversionStep, Formula};

const IDS: u32 = 700;

fn table(rows: &RowMap, transform: &Transform) -> IdTable {
    let slots = SlotTable::new(IDS as usize, (0..IDS).map(|id| (id, id as usize)));
    IdTable::new(&slots.resolve_ids(0..IDS), rows, transform)
}

fn counted(binner: &Binner<'_>, passes: &[Pass]) -> Vec<u64> {
    let buffers = Arc::default();
    let mut grid = Grid::zeros(binner.layout.cells(), 1 << 20, &buffers);
    binner.run(&mut grid, passes, &buffers, &Cancel::new()).unwrap();
    (0..binner.layout.cells())
        .map(|cell| grid.sum(cell..cell + 1))
        .collect()
}

/// Counts with and without SIMD, compares, and returns the number of counted events.
fn agree(passes: &[Pass], rows: (usize, &RowMap), transform: &Transform, binning: &Binning) -> u64 {
    let table = table(rows.1, transform);
    let layout = Layout::new(rows.0, binning).unwrap();
    let fast = counted(&Binner::new(&table, transform, binning, &layout), passes);
    let whole: Vec<Pass> = passes.iter().map(unordered).collect();
    let plain = counted(&Binner::new(&table, transform, binning, &layout).plain(), &whole);
    assert_eq!(fast, plain, "{transform:?} {binning:?}");
    fast.iter()
        .fold(0, |sum, count| sum + (*count as i32).unsigned_abs() as u64)
}

/// The pass over a copy of its chunk that is not marked as ordered, so that every event is tested.
fn unordered(pass: &Pass) -> Pass {
    let events: Vec<Raw> = {
        let mut events = Vec::new();
        crate::chunk::ChunkView::Sealed(Arc::clone(&pass.chunk))
            .for_each(|id, time, pulse| events.push((time, pulse, id)));
        events
    };
    let mut chunk = sealed(&events, &[]);
    Arc::get_mut(&mut chunk).unwrap().ascending = false;
    Pass { chunk, ..pass.clone() }
}

fn transforms() -> Vec<Transform> {
    let by_slot = |value: &dyn Fn(f64) -> f64| {
        Coefficient::per_slot(
            (0..IDS)
                .map(|slot| value(f64::from(slot) / f64::from(IDS)))
                .collect::<Vec<_>>(),
        )
    };
    let uniform = Coefficient::Uniform;
    let mut list = vec![
        Transform::identity(),
        Transform::identity().keep(2000.0, 9000.5),
        Transform::identity().then(ConversionStep::linear(by_slot(&|share| 0.5 + share), uniform(-3.0))),
        Transform::identity().then(ConversionStep::direct_energy_transfer(
            uniform(100.0),
            &by_slot(&|share| 5e6 * (2.5 + share).powi(2)),
            &uniform(2286.3),
        )),
    ];
    for formula in [
        Formula::Inverse,
        Formula::InverseSquare,
        Formula::InverseRoot,
        Formula::Root,
        Formula::Square,
    ] {
        let step = ConversionStep::formula(formula, by_slot(&|share| 1e3 + 1e4 * share), -5.0);
        list.push(list[2].then(step).keep(-1e9, 1e9));
    }
    list
}

fn binnings() -> Vec<Binning> {
    let edges = |values: Vec<f64>| Binning::Common(Edges::new(values).unwrap());
    let log = |low: f64, ratio: f64, bins: i32| (0..=bins).map(|bin| low * ratio.powi(bin)).collect::<Vec<_>>();
    vec![
        edges((0..=1000).map(|bin| f64::from(bin) * 20.0).collect()),
        edges((0..=333).map(|bin| f64::from(bin) * 17.3 + 0.0007).collect()),
        edges((0..=100).map(|bin| f64::from(bin) * 0.0003 + 5.0).collect()),
        edges((0..=500).map(|bin| f64::from(bin) * 0.59 - 200.0).collect()),
        edges(log(0.1, 1.01, 1000)),
        edges(log(100.0, 1.5, 11)),
        edges(vec![-1e6, -3.0, 0.0, 1e-3, 1e-2, 5000.0, 5000.001, 20_000.0]),
        edges((0..300).map(|bin| f64::from(bin * bin) - 50.0).collect()),
        Binning::Whole,
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(cases(24)))]
    #[test]
    fn every_way_counts_the_same(
        events in prop::collection::vec((prop_oneof![0_u32..20_000_001, 1_999_000_u32..2_001_000, any::<u32>()], 0_u32..IDS), 0..6000),
        chosen in prop::collection::vec(0_u16..400, 0..40), subtract in any::<bool>(), modulus in 1_u32..IDS,
        // Neighbours share rows, so that some buckets have one row for all of their ids.
        neighbours in 1_u32..40,
    ) {
        // Pulses ascend, as in a stream in order.
        let raw: Vec<Raw> = events.iter().enumerate().map(|(at, (time, id))| (*time, (at / 15) as u16, *id)).collect();
        let chunk = sealed(&raw, &vec![0; 400]);
        prop_assert!(chunk.ascending);
        let unless_full = Bitmap::from_fn(400, |pulse| chosen.contains(&(pulse as u16)));
        let rows = RowMap::new((0..IDS).map(|id| if id % 11 == 3 { UNMAPPED } else { id / neighbours % modulus }).collect());
        for pulses in [unless_full.clone(), Bitmap::all(400).and_not(&unless_full), Bitmap::all(400)] {
            let pass = Pass { chunk: Arc::clone(&chunk), pulses: Arc::new(pulses), subtract };
            for transform in transforms() {
                for binning in binnings() {
                    agree(std::slice::from_ref(&pass), (modulus as usize, &rows), &transform, &binning);
                }
            }
        }
    }
}

#[test]
fn few_pulses_of_many_are_found_by_halving() {
    let raw: Vec<Raw> = (0..300_000_u32)
        .map(|at| (at * 7 % 20_000_000, (at / 1000) as u16, at * 31 % IDS))
        .collect();
    let chunk = sealed(&raw, &vec![0; 300]);
    let pass = |pulses: Bitmap| Pass {
        chunk: Arc::clone(&chunk),
        pulses: Arc::new(pulses),
        subtract: false,
    };
    let few = pass(Bitmap::from_fn(300, |pulse| [0, 7, 8, 9, 299].contains(&pulse)));
    assert!(PulseRanges::of(&few).is_some());
    assert_eq!(PulseRanges::of(&unordered(&few)), None);
    let rows = (IDS as usize, &RowMap::identity());
    assert_eq!(agree(&[few], rows, &Transform::identity(), &Binning::Whole), 5000);
}

#[test]
fn a_sum_over_everything_counts_each_event_once() {
    let chunk = |seed: u32| {
        let raw: Vec<Raw> = (0..150_000_u32)
            .map(|at| ((at * 7919 + seed) % 20_000_000, 0, at % IDS))
            .collect();
        sealed(&raw, &[0])
    };
    let passes: Vec<Pass> = (0..4)
        .map(|seed| Pass {
            chunk: chunk(seed),
            pulses: Arc::new(Bitmap::all(1)),
            subtract: false,
        })
        .collect();
    let rows = RowMap::new(vec![0; IDS as usize]);
    for binning in binnings() {
        for bins in [Binning::Whole, binning] {
            agree(&passes, (1, &rows), &Transform::identity(), &bins);
        }
    }
    assert_eq!(
        agree(&passes, (1, &rows), &Transform::identity(), &Binning::Whole),
        600_000
    );
    // Groups of three rows: several cells of one task.
    let rows = RowMap::new((0..IDS).map(|id| id % 3).collect());
    assert_eq!(
        agree(&passes, (3, &rows), &Transform::identity(), &binnings()[0]),
        600_000
    );
}

#[test]
fn ids_that_the_map_does_not_know_are_in_no_row() {
    let raw: Vec<Raw> = (0..60_000_u32).map(|at| (at * 331 % 20_000_000, 0, at % IDS)).collect();
    let chunk = sealed(&raw, &[0]);
    let known = IDS - 9;
    let slots = SlotTable::new(known as usize, (0..known).map(|id| (id, id as usize)));
    let (rows, transform, binning) = (
        RowMap::new(vec![0; known as usize]),
        Transform::identity(),
        Binning::Whole,
    );
    let table = IdTable::new(&slots.resolve_ids(0..known), &rows, &transform);
    let layout = Layout::new(1, &binning).unwrap();
    let pass = Pass {
        chunk,
        pulses: Arc::new(Bitmap::all(1)),
        subtract: false,
    };
    let wanted = raw.iter().filter(|event| event.2 < known).count() as u64;
    let binner = || Binner::new(&table, &transform, &binning, &layout);
    assert_eq!(counted(&binner(), std::slice::from_ref(&pass)), [wanted]);
    assert_eq!(counted(&binner().plain(), &[pass]), [wanted]);
}

/// SIMD must be used if the processor has it; otherwise the other tests would compare scalar code with itself.
#[test]
fn common_edges_need_no_plain_way_where_the_processor_allows() {
    #[cfg(target_arch = "x86_64")]
    if is_x86_feature_detected!("avx512f")
        && is_x86_feature_detected!("avx512dq")
        && is_x86_feature_detected!("avx512vl")
    {
        for transform in transforms() {
            for binning in &binnings()[..6] {
                let table = table(&RowMap::identity(), &transform);
                assert!(
                    VectorBinner::new(&table, &transform, binning).is_some(),
                    "{transform:?} {binning:?}"
                );
            }
        }
        return;
    }
    let (transform, binning) = (Transform::identity(), Binning::Whole);
    assert!(VectorBinner::new(&table(&RowMap::identity(), &transform), &transform, &binning).is_none());
}
