//! Reading as the worker's ingest thread does: source, decoder and timeline, with every check.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use live_data_engine::cancel::Cancel;
use live_data_engine::clock::now;
use live_data_engine::config::TimelineConfig;
use live_data_engine::edges::{Binning, Edges};
use live_data_engine::fingerprint::Digest;
use live_data_engine::memo::Memos;
use live_data_engine::plan::{EventPlan, SlotTable};
use live_data_engine::record_position::TopicRole;
use live_data_engine::time::PulseTime;
use live_data_engine::timeline::{Timeline, TimelineView};
use live_data_stream::config::SourceConfig;
use live_data_stream::decode;
use live_data_stream::source::{Polled, Source, StartingOffset, StartingOffsets};
use live_data_stream::topics::Topics;

use crate::Report;
use crate::clock::Clock;

/// Longest wait for a record.
const PATIENCE: Duration = Duration::from_secs(60);
/// Longest wait in one poll.
const POLL_TIMEOUT: Duration = Duration::from_millis(50);
/// Number of spectra of the histograms.
const SPECTRA: u32 = 69_632;

/// Reads the events topic up to its current high watermarks.
pub fn read(bootstrap: &str, instrument: &str, bin: bool) -> Result<Report, String> {
    let mut source = assigned_source(bootstrap, instrument)?;
    let wanted: i64 = source
        .positions()
        .iter()
        .filter(|position| position.partition.role == TopicRole::Events)
        .map(|position| position.high_watermark - position.next_offset)
        .sum();
    let (mut timeline, view) = Timeline::new(TimelineConfig::new(instrument));
    timeline.set_read_start(PulseTime::from_nanos(0));
    let (stop, binned) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
    let reducer = bin.then(|| {
        let (stop, binned, view) = (stop.clone(), binned.clone(), view.clone());
        std::thread::spawn(move || reduce(&view, &stop, &binned))
    });
    let mut report = ingest(&mut source, &mut timeline, wanted);
    stop.store(true, Ordering::Relaxed);
    if let Some(reducer) = reducer {
        // The thread ends after its current histogram.
        let _ = reducer.join();
    }
    if i64::try_from(report.records).unwrap_or(i64::MAX) < wanted {
        return Err(format!("only {} of {wanted} records came", report.records));
    }
    let counters = view.counters();
    report.events = counters.events;
    report.counts = vec![
        ("kept", counters.events_kept as f64),
        ("rejected", counters.rejected.values().sum::<u64>() as f64),
        ("histograms", binned.load(Ordering::Relaxed) as f64),
    ];
    Ok(report)
}

/// Source that reads every topic from its low watermarks.
fn assigned_source(bootstrap: &str, instrument: &str) -> Result<Source, String> {
    let mut source = Source::open(SourceConfig::new(bootstrap, Topics::of_instrument(instrument)))
        .map_err(|error| error.to_string())?;
    source.connect().map_err(|error| error.to_string())?;
    let starting_offsets = StartingOffsets {
        events: StartingOffset::Earliest,
        run_info: StartingOffset::Earliest,
        sample_env: StartingOffset::Earliest,
        veto_config: StartingOffset::Earliest,
    };
    source.assign(starting_offsets).map_err(|error| error.to_string())?;
    Ok(source)
}

/// Ingests records until `wanted` of the events topic came, or none of any topic for [`PATIENCE`].
fn ingest(source: &mut Source, timeline: &mut Timeline, wanted: i64) -> Report {
    let mut report = Report::default();
    let mut clock: Option<Clock> = None;
    let (mut silent, mut reviewed) = (Duration::ZERO, Instant::now());
    while i64::try_from(report.records).unwrap_or(i64::MAX) < wanted && silent < PATIENCE {
        let polled = source.poll(POLL_TIMEOUT);
        silent = if matches!(polled, Polled::Nothing) {
            silent + POLL_TIMEOUT
        } else {
            Duration::ZERO
        };
        if let Polled::Record(record) = polled {
            if record.position.partition.role == TopicRole::Events {
                clock.get_or_insert_with(Clock::start);
                report.records += 1;
                report.bytes += record.payload.len() as u64;
            }
            match decode(record.payload) {
                Ok(message) => {
                    timeline.ingest(record.position, message, now());
                }
                Err(error) => {
                    timeline.count_undecodable(record.position, error.schema().unwrap_or("unknown"), error.reason())
                }
            }
        }
        if report.records.is_multiple_of(64) && reviewed.elapsed() > Duration::from_millis(100) {
            reviewed = Instant::now();
            timeline.tick(now());
        }
    }
    (report.seconds, report.cpu) = clock.map_or((0.0, 0.0), |clock| clock.elapsed());
    report
}

/// Histograms the run into 69,632 spectra of 1,000 bins, again and again without memoization.
fn reduce(view: &TimelineView, stop: &AtomicBool, binned: &AtomicU64) {
    let table = SlotTable::new(SPECTRA as usize, (0..SPECTRA).map(|slot| (slot + 1, slot as usize)));
    let Ok(edges) = Edges::uniform(0.0, 20_000.0, 1000) else {
        return;
    };
    while !stop.load(Ordering::Relaxed) {
        let Some(snapshot) = view.current().and_then(|run| view.snapshot(&run.key)) else {
            std::thread::sleep(Duration::from_millis(5));
            continue;
        };
        let slots = table.resolve(snapshot.ids());
        let plan = EventPlan::snapshot(
            snapshot.chunks(),
            snapshot.settled_before(),
            slots,
            Digest::new("bench").finish().into(),
        );
        let counts = plan.histogram(&Binning::Common(edges.clone()), &Cancel::new(), &Memos::new(1 << 30));
        drop(std::hint::black_box(counts));
        binned.fetch_add(1, Ordering::Relaxed);
    }
}
