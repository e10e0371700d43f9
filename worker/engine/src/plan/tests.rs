//! Plans compared with lists of events under the same random operations.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::collections::BTreeMap;
use std::sync::Arc;

use proptest::prelude::*;

use super::*;
use crate::cancel::Cancel;
use crate::chunk::ChunkView;
use crate::columns::Events;
use crate::counts::Counts;
use crate::edges::{Binning, Edges, find_by_halves};
use crate::kernel::testing::{Raw, cases, sealed, tail};
use crate::memo::Memos;
use crate::transform::{Coefficient, Formula};

/// Event of the reference implementation.
#[derive(Debug, Clone, Copy, PartialEq)]
struct ReferenceEvent {
    x: f64,
    time: i64,
    weight: f64,
    error_squared: f64,
}

/// Reference implementation: rows of events, with every operation applied to every event at once.
#[derive(Debug, Clone, Default)]
struct ReferencePlan(Vec<Vec<ReferenceEvent>>);

impl ReferencePlan {
    fn each(&self, mut change: impl FnMut(usize, ReferenceEvent) -> Option<ReferenceEvent>) -> Self {
        Self(
            self.0
                .iter()
                .enumerate()
                .map(|(row, events)| events.iter().filter_map(|event| change(row, *event)).collect())
                .collect(),
        )
    }

    fn histogram(&self, edges: impl Fn(usize) -> Vec<f64>) -> Vec<(Vec<f64>, Vec<f64>)> {
        self.0
            .iter()
            .enumerate()
            .map(|(row, events)| {
                let edges = edges(row);
                let mut y = vec![0.0; edges.len() - 1];
                let mut e = y.clone();
                for event in events {
                    if let Some(bin) = find_by_halves(&edges, event.x) {
                        y[bin] += event.weight;
                        e[bin] += event.error_squared;
                    }
                }
                (y, e)
            })
            .collect()
    }
}

/// Operation on a plan, with numbers for which sums of `f64` are exact.
#[derive(Debug, Clone)]
enum Operation {
    Linear { by_row: bool },
    InverseSquare { by_row: bool },
    Keep(f64, f64),
    Scale(Factor),
    ScaleRows,
    Regroup(Vec<Vec<usize>>),
    Sum,
    Clear,
    PlusItself,
    MinusItself,
    Concat,
    Select(Vec<(i64, i64)>),
    Materialise,
}

fn operation() -> impl Strategy<Value = Operation> {
    prop_oneof![
        any::<bool>().prop_map(|by_row| Operation::Linear { by_row }),
        any::<bool>().prop_map(|by_row| Operation::InverseSquare { by_row }),
        (0.0_f64..10.0, 5.0_f64..30.0).prop_map(|(low, high)| Operation::Keep(low, high)),
        (
            prop_oneof![Just(2.0), Just(-0.5), Just(3.0)],
            prop_oneof![Just(0.0), Just(0.25)]
        )
            .prop_map(|(value, error_squared)| Operation::Scale(Factor { value, error_squared })),
        Just(Operation::ScaleRows),
        prop::collection::vec(prop::collection::vec(0_usize..64, 0..6), 1..6).prop_map(Operation::Regroup),
        Just(Operation::Sum),
        Just(Operation::Clear),
        Just(Operation::PlusItself),
        Just(Operation::MinusItself),
        Just(Operation::Concat),
        prop::collection::vec((0_i64..400, 0_i64..400), 0..4).prop_map(Operation::Select),
        Just(Operation::Materialise),
    ]
}

fn row_constant(row: usize) -> f64 {
    1.0 + (row % 5) as f64 * 0.25
}

fn apply(operation: &Operation, plan: EventPlan, reference: ReferencePlan) -> (EventPlan, ReferencePlan) {
    let rows = plan.rows();
    let constants = |by_row: bool| {
        if by_row {
            Coefficient::per_slot((0..rows).map(row_constant).collect::<Vec<_>>())
        } else {
            Coefficient::Uniform(1.5)
        }
    };
    let constant = |by_row: bool, row: usize| if by_row { row_constant(row) } else { 1.5 };
    match operation {
        Operation::Linear { by_row } => (
            plan.convert(&ConversionStep::linear(constants(*by_row), Coefficient::Uniform(0.125)))
                .unwrap(),
            reference.each(|row, one| {
                Some(ReferenceEvent {
                    x: constant(*by_row, row) * one.x + 0.125,
                    ..one
                })
            }),
        ),
        Operation::InverseSquare { by_row } => {
            let step = ConversionStep {
                offset: Coefficient::Uniform(-3.0),
                shift: Coefficient::Uniform(20.0),
                ..ConversionStep::formula(Formula::InverseSquare, constants(*by_row), -f64::MAX)
            };
            let convert = |row: usize, x: f64| {
                let u = x - 3.0;
                if u <= 0.0 {
                    -f64::MAX
                } else {
                    constant(*by_row, row) / (u * u) + 20.0
                }
            };
            (
                plan.convert(&step).unwrap(),
                reference.each(|row, one| {
                    Some(ReferenceEvent {
                        x: convert(row, one.x),
                        ..one
                    })
                }),
            )
        }
        Operation::Keep(low, high) => (
            plan.keep(*low, *high),
            reference.each(|_, one| (one.x >= *low && one.x <= *high).then_some(one)),
        ),
        Operation::Scale(factor) => (
            plan.scale(*factor),
            reference.each(|_, one| Some(weighed(one, *factor))),
        ),
        Operation::ScaleRows => {
            let factors: Vec<Factor> = (0..rows)
                .map(|row| Factor {
                    value: row_constant(row),
                    error_squared: 0.5,
                })
                .collect();
            let reference = reference.each(|row, one| Some(weighed(one, factors[row])));
            (plan.scale_rows(&factors).unwrap(), reference)
        }
        Operation::Regroup(groups) => {
            let groups: Vec<Vec<usize>> = groups
                .iter()
                .map(|group| group.iter().filter(|_| rows > 0).map(|row| row % rows).collect())
                .collect();
            let lists = groups
                .iter()
                .map(|group| group.iter().flat_map(|row| reference.0[*row].clone()).collect());
            (plan.regroup(&groups).unwrap(), ReferencePlan(lists.collect()))
        }
        Operation::Sum => (plan.sum(), ReferencePlan(vec![reference.0.concat()])),
        Operation::Clear => {
            let cleared: Vec<bool> = (0..rows).map(|row| row % 3 == 1).collect();
            (
                plan.clear(&cleared).unwrap(),
                reference.each(|row, one| (row % 3 != 1).then_some(one)),
            )
        }
        Operation::PlusItself => {
            let twice = reference
                .0
                .iter()
                .map(|row| [row.clone(), row.clone()].concat())
                .collect();
            (plan.plus(&plan).unwrap(), ReferencePlan(twice))
        }
        Operation::MinusItself => {
            let minus = Factor {
                value: -1.0,
                error_squared: 0.0,
            };
            let both = reference.0.iter().map(|row| {
                row.iter()
                    .copied()
                    .chain(row.iter().map(|one| weighed(*one, minus)))
                    .collect()
            });
            let both = both.collect();
            (plan.minus(&plan).unwrap(), ReferencePlan(both))
        }
        Operation::Concat => (
            plan.concat(&plan),
            ReferencePlan([reference.0.clone(), reference.0].concat()),
        ),
        Operation::Select(intervals) => {
            let times: Vec<(PulseTime, PulseTime)> = intervals
                .iter()
                .map(|(from, to)| (PulseTime::from_nanos(*from), PulseTime::from_nanos(*to)))
                .collect();
            let inside = |time: i64| intervals.iter().any(|(from, to)| time >= *from && time < *to);
            (
                plan.select_times(&times),
                reference.each(|_, one| inside(one.time).then_some(one)),
            )
        }
        Operation::Materialise => (EventPlan::columns(plan.to_columns(&Cancel::new()).unwrap()), reference),
    }
}

fn weighed(one: ReferenceEvent, factor: Factor) -> ReferenceEvent {
    ReferenceEvent {
        weight: one.weight * factor.value,
        error_squared: one.error_squared * factor.value * factor.value + one.weight * one.weight * factor.error_squared,
        ..one
    }
}

/// Values and squared errors of each row.
type Rows = Vec<(Vec<f64>, Vec<f64>)>;

/// Rows of a histogram: values and squared errors.
fn rows_of(counts: &Counts) -> Rows {
    (0..counts.rows())
        .map(|row| {
            let mut y = vec![f64::NAN; counts.bins(row)];
            let mut e = y.clone();
            counts.row_y(row, &mut y);
            counts.row_error_squared(row, &mut e);
            let mut added = (vec![0.0; y.len()], vec![0.0; y.len()]);
            counts.add_row(row, &mut added.0, &mut added.1);
            assert_eq!(added, (y.clone(), e.clone()));
            (y, e)
        })
        .collect()
}

fn close(a: &[(Vec<f64>, Vec<f64>)], b: &[(Vec<f64>, Vec<f64>)]) -> bool {
    let near = |a: &[f64], b: &[f64]| {
        a.len() == b.len()
            && a.iter()
                .zip(b)
                .all(|(a, b)| (a - b).abs() <= 1e-6 * (1.0 + a.abs().max(b.abs())))
    };
    a.len() == b.len() && a.iter().zip(b).all(|(a, b)| near(&a.0, &b.0) && near(&a.1, &b.1))
}

fn sorted(events: &Events) -> Vec<(u64, i64, i64, i64)> {
    let mut list: Vec<_> = (0..events.len())
        .map(|index| {
            let (weight, error) = events.weight(index);
            let micro = |value: f64| (value * 1e3).round() as i64;
            (
                events.x[index].to_bits(),
                events.pulse_time[index],
                micro(weight),
                micro(error),
            )
        })
        .collect();
    list.sort_unstable();
    list
}

/// Random chunks: events, selected pulses, and true for sealed ones.
#[derive(Debug, Clone)]
struct RandomChunks {
    chunks: Vec<(Vec<Raw>, Vec<bool>, bool)>,
    spread: u32,
}

const PULSES: usize = 40;
const SLOTS: usize = 12;

fn random_chunks() -> impl Strategy<Value = RandomChunks> {
    let event = (0_u32..30_000, 0_u16..PULSES as u16, 0_u32..40);
    let chunk = (
        prop::collection::vec(event, 0..300),
        prop::collection::vec(prop::bool::weighted(0.8), PULSES),
        prop::bool::weighted(0.7),
    );
    // Distant ids give wide buckets; close ones share a bucket.
    (
        prop::collection::vec(chunk, 1..5),
        prop_oneof![Just(1_u32), Just(7), Just(1000)],
    )
        .prop_map(|(chunks, spread)| RandomChunks { chunks, spread })
}

/// Map of raw id `i` to slot `i % SLOTS`; every 13th id has none.
fn slot_of(id: u32) -> Option<usize> {
    (id % 13 != 12).then_some(id as usize % SLOTS)
}

fn view(random_chunks: &RandomChunks, settled: Option<&Bitmap>) -> (EventPlan, ReferencePlan) {
    let table = SlotTable::new(
        SLOTS,
        (0..40).filter_map(|id| slot_of(id).map(|slot| (id * random_chunks.spread, slot))),
    );
    let slots = table.resolve_ids(0..40 * random_chunks.spread);
    let mut parts = Vec::new();
    let mut reference = ReferencePlan(vec![Vec::new(); SLOTS]);
    for (number, (events, selected, is_sealed)) in random_chunks.chunks.iter().enumerate() {
        let times: Vec<i64> = (0..PULSES).map(|pulse| (number * 100 + pulse * 2) as i64).collect();
        let spread: Vec<Raw> = events
            .iter()
            .map(|(tof, pulse, id)| (*tof, *pulse, id * random_chunks.spread))
            .collect();
        let chunk = if *is_sealed {
            ChunkView::Sealed(sealed(&spread, &times))
        } else {
            ChunkView::Tail(tail(&spread, &times))
        };
        let bits = Bitmap::from_fn(PULSES, |pulse| selected[pulse]);
        parts.push(SourceChunk {
            chunk,
            selected: Arc::new(bits),
            settled: settled.cloned().map(Arc::new),
        });
        for (tof, pulse, id) in events {
            if let (true, Some(slot)) = (selected[usize::from(*pulse)], slot_of(*id)) {
                let time = times[usize::from(*pulse)];
                let one = ReferenceEvent {
                    x: f64::from(*tof) / 1000.0,
                    time,
                    weight: 1.0,
                    error_squared: 1.0,
                };
                reference.0[slot].push(one);
            }
        }
    }
    (
        EventPlan::stream(parts.into(), slots, Digest::new("test").finish().into()),
        reference,
    )
}

fn edge_lists() -> impl Strategy<Value = Vec<f64>> {
    prop_oneof![
        (1_usize..60).prop_map(|bins| (0..=bins).map(|i| i as f64 * 0.5).collect::<Vec<_>>()),
        Just(vec![-f64::MAX, -10.0, 0.0, 1e-3, 1.0, 2.5, 20.0, 25.0, 1e6]),
        (1_usize..50).prop_map(|bins| (0..=bins).map(|i| 0.01 * 1.2_f64.powi(i as i32)).collect::<Vec<_>>()),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: cases(400), ..ProptestConfig::default() })]

    #[test]
    fn a_plan_gives_what_its_events_give(
        random_chunks in random_chunks(),
        operations in prop::collection::vec(operation(), 0..6),
        edges in edge_lists(),
        unsettled in any::<bool>(),
    ) {
        let settled = Bitmap::from_fn(PULSES, |pulse| pulse % 4 != 1);
        let (mut plan, mut reference) = view(&random_chunks, unsettled.then_some(&settled));
        for operation in &operations {
            // A few doublings suffice.
            if reference.0.len() > 100 { break }
            (plan, reference) = apply(operation, plan, reference);
        }
        let (cancel, memos) = (Cancel::new(), Memos::new(1 << 30));
        prop_assert_eq!(plan.rows(), reference.0.len());

        let counts = plan.histogram(&Binning::Common(Edges::new(edges.clone()).unwrap()), &cancel, &memos).unwrap();
        let expected = reference.histogram(|_| edges.clone());
        let rows = rows_of(&counts);
        prop_assert!(close(&rows, &expected), "{:?}\nis not\n{:?}", rows, expected);

        let shifted = |row: usize| edges.iter().map(|x| x + 0.25 * (row % 3) as f64).collect::<Vec<f64>>();
        let per_row: Vec<Edges> = (0..plan.rows()).map(|row| {
            let mut edges = shifted(row);
            edges.dedup();
            Edges::new(edges).unwrap()
        }).collect();
        let own = plan.histogram(&Binning::PerRow(per_row.clone().into()), &cancel, &memos).unwrap();
        let expected = reference.histogram(|row| per_row[row].values().to_vec());
        prop_assert!(close(&rows_of(&own), &expected));

        let numbers: Vec<u64> = reference.0.iter().map(|row| row.len() as u64).collect();
        prop_assert_eq!(plan.count_events(&cancel, &memos).unwrap(), numbers);

        let all = || reference.0.iter().flatten().map(|one| one.x).filter(|x| !x.is_nan());
        let range = all().fold(None, |range: Option<(f64, f64)>, x| {
            Some(range.map_or((x, x), |(low, high)| (low.min(x), high.max(x))))
        });
        prop_assert_eq!(plan.x_range(&cancel, &memos).unwrap(), range);

        let columns = plan.to_columns(&cancel).unwrap();
        prop_assert_eq!(columns.kind(), plan.kind());
        for (row, events) in reference.0.iter().enumerate() {
            let expected = Events {
                x: events.iter().map(|one| one.x).collect(),
                pulse_time: events.iter().map(|one| one.time).collect(),
                weight: events.iter().map(|one| one.weight as f32).collect(),
                error_squared: events.iter().map(|one| one.error_squared as f32).collect(),
            };
            prop_assert_eq!(sorted(&columns.row(row)), sorted(&expected));
        }
        if plan.rows() > 0 {
            prop_assert_eq!(plan.spectrum_events(0, &cancel).unwrap(), columns.row(0));
        }

        // All ways of reading give the same.
        let bins = counts.bins(0);
        let mut y = vec![-1.0; plan.rows() * bins];
        let mut e = y.clone();
        counts.fill_y(0..plan.rows(), &mut y, &cancel).unwrap();
        counts.fill_error(0..plan.rows(), &mut e, &cancel).unwrap();
        for (row, (expected_y, expected_e)) in rows.iter().enumerate() {
            prop_assert_eq!(&y[row * bins..(row + 1) * bins], &expected_y[..]);
            let roots: Vec<f64> = expected_e.iter().map(|e| e.sqrt()).collect();
            prop_assert!(e[row * bins..(row + 1) * bins].iter().zip(&roots).all(|(a, b)| a.to_bits() == b.to_bits()));
        }
    }

    #[test]
    fn chunks_are_as_good_as_one(random_chunks in random_chunks()) {
        let (plan, _) = view(&random_chunks, None);
        let merged = RandomChunks {
            chunks: vec![(
                random_chunks.chunks.iter().flat_map(|(events, selected, _)| {
                    events.iter().filter(|event| selected[usize::from(event.1)]).copied()
                }).collect(),
                vec![true; PULSES],
                true,
            )],
            spread: random_chunks.spread,
        };
        let (whole, _) = view(&merged, None);
        let binning = Binning::Common(Edges::uniform(0.0, 30.0, 100).unwrap());
        let count = |plan: &EventPlan| {
            rows_of(&plan.histogram(&binning, &Cancel::new(), &Memos::new(1 << 30)).unwrap())
        };
        prop_assert_eq!(count(&plan), count(&whole));
    }

    #[test]
    fn a_memo_is_as_good_as_counting_from_nothing(
        random_chunks in random_chunks(),
        changes in prop::collection::vec((0_usize..6, 0_usize..8, 0_usize..PULSES), 1..12),
        limit in prop_oneof![Just(0_usize), Just(3000), Just(1 << 30)],
    ) {
        let memos = Memos::new(limit);
        let table = SlotTable::new(SLOTS, (0..40).filter_map(|id| slot_of(id).map(|slot| (id, slot))));
        let slots = table.resolve_ids(0..40);
        let binnings = [
            Binning::Common(Edges::uniform(0.0, 30.0, 20).unwrap()),
            Binning::Whole,
            Binning::Common(Edges::new(vec![0.1, 0.2, 1.0, 7.0, 29.0]).unwrap()),
        ];
        let mut chunks: BTreeMap<usize, (ChunkView, Vec<bool>, Vec<bool>)> = BTreeMap::new();
        let mut held: Vec<(Counts, Rows)> = Vec::new();
        let times: Vec<i64> = (0..PULSES as i64).collect();
        let mut added = 0;
        for (what, which, pulse) in changes {
            match what {
                0 | 1 => {
                    let (events, selected, _) = &random_chunks.chunks[added % random_chunks.chunks.len()];
                    let chunk = ChunkView::Sealed(sealed(events, &times));
                    chunks.insert(added, (chunk, selected.clone(), vec![true; PULSES]));
                    added += 1;
                }
                2 => if let Some((_, selected, _)) = chunks.get_mut(&(which % added.max(1))) {
                    selected[pulse] = !selected[pulse];
                },
                3 => if let Some((_, _, settled)) = chunks.get_mut(&(which % added.max(1))) {
                    settled[pulse] = !settled[pulse];
                },
                4 => { chunks.remove(&(which % added.max(1))); }
                _ => memos.clear(),
            }
            let parts: Arc<[SourceChunk]> = chunks.values().map(|(chunk, selected, settled)| SourceChunk {
                chunk: chunk.clone(),
                selected: Arc::new(Bitmap::from_fn(PULSES, |pulse| selected[pulse])),
                settled: Some(Arc::new(Bitmap::from_fn(PULSES, |pulse| settled[pulse]))),
            }).collect();
            let plan = EventPlan::stream(parts, slots.clone(), Digest::new("run").finish().into());
            for plan in [plan.clone(), plan.sum(), plan.scale(Factor { value: 3.0, error_squared: 0.0 })] {
                for binning in &binnings {
                    let counts = plan.histogram(binning, &Cancel::new(), &memos).unwrap();
                    let fresh = plan.histogram(binning, &Cancel::new(), &Memos::new(1 << 30)).unwrap();
                    let rows = rows_of(&counts);
                    prop_assert_eq!(&rows, &rows_of(&fresh));
                    held.push((counts, rows));
                }
            }
            prop_assert_eq!(
                plan.x_range(&Cancel::new(), &memos).unwrap(),
                plan.x_range(&Cancel::new(), &Memos::new(0)).unwrap()
            );
            for (counts, rows) in &held {
                prop_assert_eq!(&rows_of(counts), rows, "a result that is held has changed");
            }
            prop_assert!(memos.counters().bytes <= limit, "{:?}", memos.counters());
        }
    }
}

fn large(chunks: usize, ids: u32, skewed: bool) -> (Vec<SourceChunk>, SlotMap) {
    let mut state = 12345_u64;
    let mut random = move || {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as u32
    };
    let times: Vec<i64> = (0..200).map(|pulse| pulse * 20).collect();
    let parts = (0..chunks)
        .map(|_| {
            let events: Vec<Raw> = (0..150_000)
                .map(|index| {
                    let id = if skewed && random() % 5 == 0 { 3 } else { random() % ids };
                    (random() % 20_000_000, (index / 750) as u16, id)
                })
                .collect();
            SourceChunk {
                chunk: ChunkView::Sealed(sealed(&events, &times)),
                selected: Arc::new(Bitmap::from_fn(200, |pulse| pulse % 10 != 3)),
                settled: None,
            }
        })
        .collect();
    let table = SlotTable::new(ids as usize, (0..ids).map(|id| (id, id as usize)));
    (parts, table.resolve_ids(0..ids))
}

/// Large enough for each way of sharing the work: owned rows, private grids, contended cells.
#[test]
fn every_way_of_sharing_the_work_counts_the_same() {
    let (parts, slots) = large(4, 20_000, true);
    let plan = EventPlan::stream(parts.clone().into(), slots, Digest::new("large").finish().into());
    let edges = Edges::uniform(0.0, 20_000.0, 500).unwrap();
    let (cancel, memos) = (Cancel::new(), Memos::new(1 << 30));
    // Row `i` has the ids `i` modulo the number of rows: all buckets share rows.
    let folded = |rows: usize| {
        let groups: Vec<Vec<usize>> = (0..rows).map(|row| (row..20_000).step_by(rows).collect()).collect();
        plan.regroup(&groups).unwrap()
    };
    for (rows, plan) in [
        (20_000, plan.clone()),
        (9_000, folded(9_000)),
        (10, folded(10)),
        (1, plan.sum()),
    ] {
        let mut expected = vec![0_u32; rows * 500];
        for part in &parts {
            part.chunk.for_each(|id, tof, pulse| {
                let bin = find_by_halves(edges.values(), f64::from(tof) / 1000.0);
                if let (true, Some(bin)) = (part.selected.get(usize::from(pulse)), bin) {
                    expected[id as usize % rows * 500 + bin] += 1;
                }
            });
        }
        let counts = plan
            .histogram(&Binning::Common(edges.clone()), &cancel, &memos)
            .unwrap();
        let mut y = vec![0.0; rows * 500];
        counts.fill_y(0..rows, &mut y, &cancel).unwrap();
        assert!(
            y.iter()
                .zip(&expected)
                .all(|(y, n)| y.to_bits() == f64::from(*n).to_bits()),
            "{rows} rows differ"
        );
    }
}

#[test]
fn a_cancelled_histogram_stops_and_leaves_the_memo_sound() {
    let (parts, slots) = large(2, 5000, false);
    let plan = EventPlan::stream(parts.into(), slots, Digest::new("cancel").finish().into());
    let binning = Binning::Common(Edges::uniform(0.0, 20_000.0, 100).unwrap());
    let memos = Memos::new(1 << 30);
    let cancelled = Cancel::new();
    cancelled.cancel();
    assert_eq!(
        plan.histogram(&binning, &cancelled, &memos).unwrap_err(),
        PlanError::Cancelled(crate::cancel::Cancelled)
    );
    // Raised somewhere in the middle: the result is an error or complete, never partial.
    for delay in 0..20 {
        let cancel = Cancel::new();
        let result = std::thread::scope(|scope| {
            scope.spawn(|| {
                std::thread::sleep(std::time::Duration::from_micros(delay * 50));
                cancel.cancel();
            });
            plan.histogram(&binning, &cancel, &memos)
        });
        if let Ok(counts) = result {
            assert_eq!(counts.total().0, 270_000.0);
        }
        if delay % 3 == 0 {
            memos.clear();
        }
    }
    let counts = plan.histogram(&binning, &Cancel::new(), &memos).unwrap();
    assert_eq!(counts.total(), (270_000.0, 270_000.0));
}

#[test]
fn a_changed_weight_finds_the_memo() {
    let (parts, slots) = large(1, 1000, false);
    let plan = EventPlan::stream(parts.into(), slots, Digest::new("charge").finish().into());
    let binning = Binning::Common(Edges::uniform(0.0, 20_000.0, 100).unwrap());
    let memos = Memos::new(1 << 30);
    for charge in 1..5 {
        let normalised = plan.scale(Factor {
            value: 1.0 / f64::from(charge),
            error_squared: 0.0,
        });
        let counts = normalised.histogram(&binning, &Cancel::new(), &memos).unwrap();
        assert!((counts.total().0 - 135_000.0 / f64::from(charge)).abs() < 1e-6);
    }
    let counters = memos.counters();
    assert_eq!((counters.builds, counters.hits, counters.updates), (1, 3, 0));
}

#[test]
fn a_frozen_chunk_stays_counted_when_it_is_gone() {
    let (parts, slots) = large(2, 1000, false);
    let memos = Memos::new(1 << 30);
    let binning = Binning::Common(Edges::uniform(0.0, 20_000.0, 100).unwrap());
    let view_id = Digest::new("frozen").finish().into();
    let count = |parts: &[SourceChunk]| {
        let plan = EventPlan::stream(parts.to_vec().into(), slots.clone(), view_id);
        plan.histogram(&binning, &Cancel::new(), &memos).unwrap().total().0
    };
    assert_eq!(count(&parts), 270_000.0);
    memos.freeze(parts[0].chunk.id());
    assert_eq!(
        count(&parts[1..]),
        270_000.0,
        "what was counted of the freed chunk stays"
    );
    memos.set_limit(0);
    assert_eq!(count(&parts[1..]), 270_000.0, "and is not evicted");
    assert_eq!(memos.counters().grids, 1);
}

#[test]
fn an_event_without_a_finite_weight_spoils_only_its_bin() {
    let columns = sealed(&[(1500, 0, 0), (3500, 0, 1)], &[7]);
    let part = SourceChunk {
        chunk: ChunkView::Sealed(columns),
        selected: Arc::new(Bitmap::all(1)),
        settled: None,
    };
    let slots = SlotTable::new(2, [(0, 0), (1, 1)]).resolve_ids([0, 1]);
    let plan = EventPlan::stream(Arc::from([part]), slots, Digest::new("nan").finish().into());
    let plan = plan
        .scale_rows(&[
            Factor {
                value: f64::NAN,
                error_squared: 0.0,
            },
            Factor::ONE,
        ])
        .unwrap();
    let binning = Binning::Common(Edges::uniform(0.0, 5.0, 5).unwrap());
    let counts = plan.histogram(&binning, &Cancel::new(), &Memos::new(1 << 20)).unwrap();
    let mut y = [0.0; 5];
    counts.row_y(0, &mut y);
    assert!(y[1].is_nan() && y[0] == 0.0 && y[4] == 0.0);
    counts.row_y(1, &mut y);
    assert_eq!(y, [0.0, 0.0, 0.0, 1.0, 0.0]);
}

#[test]
fn what_does_not_fit_is_refused() {
    let three = EventPlan::empty(3);
    assert_eq!(
        three.plus(&EventPlan::empty(2)).unwrap_err(),
        PlanError::RowsDiffer { left: 3, right: 2 }
    );
    assert_eq!(
        three.subset(&[0, 3]).unwrap_err(),
        PlanError::NoSuchRow { row: 3, rows: 3 }
    );
    assert!(matches!(
        three.scale_rows(&[Factor::ONE]),
        Err(PlanError::TableLength { found: 1, rows: 3, .. })
    ));
    assert!(matches!(three.clear(&[true]), Err(PlanError::TableLength { .. })));
    let short = ConversionStep::linear(Coefficient::per_slot(vec![1.0]), Coefficient::Uniform(0.0));
    assert!(matches!(three.convert(&short), Err(PlanError::TableLength { .. })));
    let fine = Edges::uniform(0.0, 1.0, 1 << 20).unwrap();
    let huge = EventPlan::empty(10_000).histogram(&Binning::Common(fine), &Cancel::new(), &Memos::new(0));
    assert!(matches!(huge, Err(PlanError::TooLarge { .. })), "{huge:?}");
    assert_eq!(three.x_range(&Cancel::new(), &Memos::new(0)).unwrap(), None);
}
