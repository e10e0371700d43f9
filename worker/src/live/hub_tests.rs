//! Live data processing as scripts ask for it, on a simulated stream and real threads.
#![allow(clippy::unwrap_used)]

use super::*;
use crate::live::testing::{Stage, from_start, time};
use live_data_reduction::live::{LiveData, Properties};

/// How long anything may take before a test gives up.
const PATIENCE: Duration = Duration::from_secs(60);

fn wait(what: &str, mut condition: impl FnMut() -> bool) {
    let until = Instant::now() + PATIENCE;
    while !condition() {
        assert!(Instant::now() < until, "waited in vain for {what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// A run of which six seconds have come, and its hub.
fn on_a_run() -> (Stage, Arc<Hub>, ForScripts) {
    let mut stage = Stage::new();
    stage.start("101", 0.0);
    stage.pulses(0.0, 6.0);
    stage.tick();
    let board = Arc::new(Board::new("LIVEDEMO", None));
    board.set_ready();
    board.set_writer(true);
    let tools = HubTools {
        instrument: "LIVEDEMO".into(),
        service: stage.service.clone(),
        binder: stage.binder(),
        scripts: stage.scripts(),
        journal: Journal::new().0,
        board,
        memory_limit: None,
        timeout: PATIENCE,
    };
    let hub = Hub::new(tools, Arc::clone(&stage.feed) as Arc<dyn Feed>);
    let scripts = ForScripts(Arc::clone(&hub));
    (stage, hub, scripts)
}

fn request(change: impl Fn(Properties) -> Properties) -> Request {
    let often = Properties {
        update_every: 0.02,
        ..from_start()
    };
    change(often).judge().unwrap()
}

fn post_processed(accumulation: &str, output: &str) -> Request {
    request(|given| Properties {
        post_processing_algorithm: "SumSpectra".into(),
        accumulation_workspace: accumulation.into(),
        output_workspace: output.into(),
        ..given
    })
}

/// The end of the run, and what comes after it.
fn end_run(stage: &mut Stage) {
    stage.pulses(6.0, 12.0);
    stage.stop("101", 10.0);
    stage.tick();
}

#[test]
fn the_same_call_again_is_one_processing_and_no_other_writes_its_workspaces() {
    let (mut stage, hub, live) = on_a_run();
    let first = post_processed("all", "out");
    for _ in 0..2 {
        live.start(&first, &Cancel::new()).unwrap();
        assert_eq!(live.monitors().len(), 1);
    }
    let refused = |other: &Request, kind: &str| {
        let calls = [
            live.start(other, &Cancel::new()),
            live.monitor(other, &Cancel::new()),
            live.load(other, &Cancel::new()),
        ];
        for call in calls {
            assert_eq!(
                call.unwrap_err().to_string(),
                format!(
                    "Another MonitorLiveData thread is running with the same {kind}.\n\
                     Please specify a different {kind} name."
                )
            );
        }
    };
    refused(&post_processed("all", "other"), "AccumulationWorkspace");
    refused(&post_processed("other", "Out"), "OutputWorkspace");
    refused(&request(|given| given), "OutputWorkspace");
    let elsewhere = request(|given| Properties {
        instrument: "MERLIN".into(),
        output_workspace: "elsewhere".into(),
        ..given
    });
    let error = live.start(&elsewhere, &Cancel::new()).unwrap_err().to_string();
    assert!(error.contains("LIVEDEMO, not of MERLIN"), "{error}");
    live.start(&post_processed("all2", "out2"), &Cancel::new()).unwrap();
    assert_eq!(live.monitors().len(), 2);
    end_run(&mut stage);
    wait("both results", || stage.total("out") + stage.total("out2") == 2000.0);
    // Another script is in use: what this one began ends, and its names are free.
    hub.end_scripts();
    assert!(live.monitors().is_empty());
    live.start(&request(|given| given), &Cancel::new()).unwrap();
    hub.stop(PATIENCE);
}

#[test]
fn one_chunk_is_loaded_where_no_more_are_asked_for() {
    let (mut stage, hub, live) = on_a_run();
    let once = request(|given| Properties {
        update_every: 0.0,
        ..given
    });
    let last = live.start(&once, &Cancel::new()).unwrap().unwrap();
    // The newest pulse of each of two partitions may still grow.
    assert_eq!(last.to_pulse(), time(5.7));
    assert_eq!((stage.total("out"), live.monitors().len()), (580.0, 0));
    end_run(&mut stage);
    assert!(hub.alive().is_empty() && !hub.wants(hub.feed.runs().first().unwrap()));
    assert_eq!(stage.total("out"), 580.0);
}

#[test]
fn a_monitor_that_is_waited_for_ends_with_the_run_that_stops_it() {
    // mantid#21389, of MonitorLiveData itself.
    let (mut stage, hub, live) = on_a_run();
    let stops = request(|given| Properties {
        run_transition_behavior: "Stop".into(),
        ..given
    });
    std::thread::scope(|scope| {
        let waits = scope.spawn(|| live.monitor(&stops, &Cancel::new()).unwrap());
        wait("the monitor", || hub.alive().iter().any(|monitor| monitor.has_loaded()));
        assert!(!waits.is_finished());
        end_run(&mut stage);
        assert_eq!(waits.join().unwrap().map(DateAndTime::to_pulse), Some(time(9.9)));
    });
    assert!(hub.alive().is_empty());
    assert_eq!(stage.total("out"), 1000.0);
    // The same call in the script's next execution finds it done, and takes nothing of the next run.
    stage.start("102", 12.0);
    stage.pulses(12.0, 16.0);
    stage.tick();
    live.monitor(&stops, &Cancel::new()).unwrap();
    assert_eq!(stage.total("out"), 1000.0);
    // With its result gone it begins again.
    stage.service.data.clear();
    let again = Cancel::new();
    std::thread::scope(|scope| {
        let waits = scope.spawn(|| live.monitor(&stops, &again));
        wait("the next run", || stage.service.data.contains("out"));
        again.cancel();
        assert!(matches!(waits.join().unwrap(), Err(AlgorithmError::Cancelled)));
    });
    wait("its end", || hub.alive().is_empty());
    hub.stop(PATIENCE);
}

#[test]
fn a_monitor_that_is_waited_for_ends_when_it_is_cancelled_or_the_worker_stops() {
    for how in ["cancelled", "stopped"] {
        let (stage, hub, live) = on_a_run();
        let given = request(|given| given);
        std::thread::scope(|scope| {
            let waits = scope.spawn(|| live.monitor(&given, &Cancel::new()));
            wait("the monitor", || {
                live.monitors().len() == 1 && stage.service.data.contains("out")
            });
            if how == "cancelled" {
                assert!(live.cancel(live.monitors().first().unwrap().id));
            } else {
                hub.stop(PATIENCE);
            }
            waits.join().unwrap().unwrap();
        });
        assert!(live.monitors().is_empty(), "{how}");
        assert_eq!(stage.total("out"), 580.0, "{how}");
    }
}

#[test]
fn each_load_brings_what_came_since_the_one_before_to_the_end_of_the_run() {
    let (mut stage, hub, live) = on_a_run();
    let given = request(|given| Properties {
        update_every: 0.0,
        ..given
    });
    let load = || live.load(&given, &Cancel::new()).unwrap().map(DateAndTime::to_pulse);
    assert_eq!((load(), stage.total("out")), (Some(time(5.7)), 580.0));
    assert_eq!((load(), stage.total("out")), (Some(time(5.7)), 580.0));
    stage.pulses(6.0, 8.0);
    stage.tick();
    assert_eq!((load(), stage.total("out")), (Some(time(7.7)), 780.0));
    stage.pulses(8.0, 12.0);
    stage.stop("101", 10.0);
    stage.start("102", 10.5);
    stage.pulses(12.0, 14.0);
    stage.tick();
    // A run that is over is kept for the call that has not come yet, and so is what has been made of it.
    assert!(hub.names().contains(&"out".to_owned()));
    stage.feed.let_go(|run| hub.wants(run));
    assert_eq!((load(), stage.total("out")), (Some(time(9.9)), 1000.0));
    stage.feed.let_go(|run| hub.wants(run));
    let first = stage.feed.runs().remove(0);
    assert!(
        first.run_name == "101" && stage.feed.snapshot(&first.key).is_none(),
        "and no longer"
    );
    load();
    assert_eq!(stage.total("out"), 330.0, "the next run begins with nothing");
}
