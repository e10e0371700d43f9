//! The worker's way: the source, the decoder and the timeline, every check on.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use live_data_engine::cancel::Cancel;
use live_data_engine::clock::present;
use live_data_engine::config::TimelineConfig;
use live_data_engine::edges::{Binning, Edges};
use live_data_engine::fingerprint::Digest;
use live_data_engine::memo::Memos;
use live_data_engine::place::{PartitionKey, Place, TopicRole};
use live_data_engine::plan::{EventPlan, SlotTable};
use live_data_engine::time::PulseTime;
use live_data_engine::timeline::{Timeline, TimelineView};
use live_data_stream::config::SourceConfig;
use live_data_stream::decode;
use live_data_stream::source::{self, Begin, Point, Polled, Source};
use live_data_stream::topics::{Role, Topics};

use crate::Report;
use crate::clock::Clock;

const PATIENCE: Duration = Duration::from_secs(60);
/// Longest wait for a record.
const POLL: Duration = Duration::from_millis(50);
/// Spectra of the histograms that are made meanwhile.
const SPECTRA: u32 = 69_632;

fn key(role: Role, topic: usize, partition: i32) -> PartitionKey {
    PartitionKey {
        role: match role {
            Role::Events => TopicRole::Events,
            Role::RunInfo => TopicRole::RunInfo,
            Role::SampleEnv => TopicRole::SampleEnv,
            Role::VetoConfig => TopicRole::VetoConfig,
        },
        topic: u16::try_from(topic).unwrap_or(u16::MAX),
        partition,
    }
}

fn place(place: &source::Place) -> Place {
    Place {
        partition: key(place.role, place.topic, place.partition),
        offset: place.offset,
        timestamp_ms: place.timestamp_ms,
    }
}

/// Reads what the events topic holds now, after the other topics' records.
pub fn read(bootstrap: &str, instrument: &str, bin: bool) -> Result<Report, String> {
    let mut source = Source::open(SourceConfig::new(bootstrap, Topics::of_instrument(instrument)))
        .map_err(|error| error.to_string())?;
    source.connect().map_err(|error| error.to_string())?;
    let begin = Begin {
        events: Point::Earliest,
        run_info: Point::Earliest,
        sample_env: Point::Earliest,
        veto_config: Point::Earliest,
    };
    source.begin(begin).map_err(|error| error.to_string())?;
    let wanted: i64 = source
        .progress()
        .iter()
        .filter(|part| part.role == Role::Events)
        .map(|part| part.high_watermark - part.next_offset)
        .sum();
    let (mut timeline, view) = Timeline::new(TimelineConfig::new(instrument));
    timeline.positioned(PulseTime::from_nanos(0));
    let (stop, binned) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
    let reducer = bin.then(|| {
        let (stop, binned, view) = (stop.clone(), binned.clone(), view.clone());
        std::thread::spawn(move || reduce(&view, &stop, &binned))
    });
    let mut report = Report::default();
    let mut clock: Option<Clock> = None;
    let (mut silent, mut reviewed) = (Duration::ZERO, Instant::now());
    while i64::try_from(report.records).unwrap_or(i64::MAX) < wanted && silent < PATIENCE {
        let polled = source.poll(POLL);
        silent = if matches!(polled, Polled::Nothing) {
            silent + POLL
        } else {
            Duration::ZERO
        };
        if let Polled::Record(record) = polled {
            if record.place.role == Role::Events {
                clock.get_or_insert_with(Clock::start);
                report.records += 1;
                report.bytes += record.payload.len() as u64;
            }
            let place = place(&record.place);
            match decode(record.payload) {
                Ok(message) => {
                    timeline.ingest(place, message, present());
                }
                Err(error) => timeline.reject(place, error.schema().unwrap_or("unknown"), error.reason()),
            }
        }
        if report.records.is_multiple_of(64) && reviewed.elapsed() > Duration::from_millis(100) {
            reviewed = Instant::now();
            timeline.tick(present());
        }
    }
    (report.seconds, report.cpu) = clock.map_or((0.0, 0.0), |clock| clock.read());
    stop.store(true, Ordering::Relaxed);
    if let Some(reducer) = reducer {
        // It ends with the histogram that it is at.
        let _ = reducer.join();
    }
    if i64::try_from(report.records).unwrap_or(i64::MAX) < wanted {
        return Err(format!("only {} of {wanted} records came", report.records));
    }
    let figures = view.figures();
    report.events = figures.events;
    report.more = vec![
        ("kept", figures.events_kept as f64),
        ("rejected", figures.rejected.values().sum::<u64>() as f64),
        ("histograms", binned.load(Ordering::Relaxed) as f64),
    ];
    Ok(report)
}

/// Bins the run into 69,632 × 1,000, each time from nothing.
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
            snapshot.parts(),
            snapshot.settled_before(),
            slots,
            Digest::new("bench").finish(),
        );
        let counts = plan.histogram(&Binning::Common(edges.clone()), &Cancel::new(), &Memos::new(1 << 30));
        drop(std::hint::black_box(counts));
        binned.fetch_add(1, Ordering::Relaxed);
    }
}
