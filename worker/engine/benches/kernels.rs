//! Benchmarks of single kernels: `cargo bench -p live-data-engine`. `ci/bench` compares them with other programs.
#![allow(
    missing_docs,
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss
)]
// Shared with the program of `ci/bench`, which uses the rest.
#![allow(dead_code)]

#[path = "../examples/measure/bench.rs"]
mod bench;
#[path = "../examples/measure/clock.rs"]
mod clock;
#[path = "../examples/measure/events.rs"]
mod events;

use std::hint::black_box;

use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};

use bench::{Bench, Histogram};

const EVENTS: u64 = 10_000_000;

fn histogram(unit: &str, rows: &str, fresh: bool) -> Histogram {
    Histogram {
        unit: unit.to_owned(),
        rows: rows.to_owned(),
        bins: 1000,
        fresh,
        write: "none".to_owned(),
        scale: 1.0,
        keep: false,
    }
}

fn kernels(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("ten million events");
    group.sample_size(10).throughput(Throughput::Elements(EVENTS));
    group.bench_function("taken in and sealed", |bencher| {
        let make = || Bench::new(69_632, 2000, 0.0, 1, 120);
        bencher.iter_batched_ref(make, |bench| black_box(bench.fill(EVENTS)), BatchSize::PerIteration);
    });
    let mut bench = Bench::new(69_632, 2000, 0.0, 1, 120);
    bench.fill(EVENTS);
    for (name, unit, rows) in [
        ("times of flight, 69,632 rows", "tof", "all"),
        ("energy transfer, 69,632 rows", "energy", "all"),
        ("d-spacing, logarithmic, 69,632 rows", "d", "all"),
        ("times of flight, summed", "tof", "one"),
    ] {
        group.bench_function(name, |bencher| {
            bencher.iter(|| black_box(bench.bin(&histogram(unit, rows, true))))
        });
    }
    group.bench_function("nothing new", |bencher| {
        bencher.iter(|| black_box(bench.bin(&histogram("tof", "all", false))));
    });
    group.finish();
}

criterion_group!(benches, kernels);
criterion_main!(benches);
