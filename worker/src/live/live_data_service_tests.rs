//! Requests of scripts for live data processing, on a simulated stream and real threads.
#![allow(clippy::unwrap_used)]

use super::script_live_data::ScriptLiveData;
use super::*;
use crate::live::run_inbox::RunInbox;
use crate::live::supervisor::LiveSupervisor;
use crate::live::testing::{SimulatedStream, from_start, time};
use live_data_reduction::live::{LiveData, LiveSpec, RunTransitionBehavior, parse_request};

/// Time after which a test gives up.
const PATIENCE: Duration = Duration::from_secs(60);

fn wait(what: &str, mut condition: impl FnMut() -> bool) {
    let until = Instant::now() + PATIENCE;
    while !condition() {
        assert!(Instant::now() < until, "waited in vain for {what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// Open run with six seconds of pulses, and its service.
fn on_a_run() -> (SimulatedStream, Arc<LiveDataService>, ScriptLiveData) {
    let mut stream = SimulatedStream::new();
    stream.start("101", 0.0);
    stream.pulses(0.0, 6.0);
    stream.tick();
    let readiness = Arc::new(Readiness::default());
    readiness.set_caught_up();
    readiness.set_holds_lease(true);
    let status = Arc::new(StatusRegistry::new("LIVEDEMO", None, Arc::clone(&readiness)));
    let dependencies = LiveDataServiceDependencies {
        instrument: "LIVEDEMO".into(),
        services: stream.services.clone(),
        workspace_builder: stream.workspace_builder(),
        scripts: stream.scripts(),
        script_log: ScriptLog::new().0,
        status,
        readiness,
        memory_limit: None,
        timeout: PATIENCE,
    };
    let service = LiveDataService::new(dependencies, Arc::clone(&stream.source) as Arc<dyn RunSource>);
    let scripts = ScriptLiveData(Arc::clone(&service));
    (stream, service, scripts)
}

fn request(change: impl Fn(LiveSpec) -> LiveSpec) -> LiveRequest {
    let often = LiveSpec {
        update_every: Some(0.02),
        ..from_start()
    };
    parse_request("LIVEDEMO", &change(often)).unwrap()
}

fn post_processed(accumulation: &str, output: &str) -> LiveRequest {
    request(|given| LiveSpec {
        post_processing_algorithm: Some("SumSpectra".into()),
        accumulation_workspace: Some(accumulation.into()),
        output_workspace: Some(output.into()),
        ..given
    })
}

/// Sends the rest of the run, two seconds beyond it, and its stop.
fn end_run(stream: &mut SimulatedStream) {
    stream.pulses(6.0, 12.0);
    stream.stop("101", 10.0);
    stream.tick();
}

#[test]
fn the_same_call_again_is_one_processing_and_no_other_writes_its_workspaces() {
    let (mut stream, service, live) = on_a_run();
    let first = post_processed("all", "out");
    for _ in 0..2 {
        live.start(&first, &Cancel::new()).unwrap();
        assert_eq!(live.monitors().len(), 1);
    }
    let refused = |other: &LiveRequest, kind: &str| {
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
    let mut elsewhere = request(|given| LiveSpec {
        output_workspace: Some("elsewhere".into()),
        ..given
    });
    elsewhere.instrument = "MERLIN".into();
    let error = live.start(&elsewhere, &Cancel::new()).unwrap_err().to_string();
    assert!(error.contains("LIVEDEMO, not of MERLIN"), "{error}");
    live.start(&post_processed("all2", "out2"), &Cancel::new()).unwrap();
    assert_eq!(live.monitors().len(), 2);
    end_run(&mut stream);
    wait("both results", || stream.total("out") + stream.total("out2") == 2000.0);
    // The script was replaced: its monitors end, and their workspace names are free.
    service.end_script_monitors();
    assert!(live.monitors().is_empty());
    live.start(&request(|given| given), &Cancel::new()).unwrap();
    service.stop(PATIENCE);
}

#[test]
fn one_chunk_is_loaded_where_no_more_are_asked_for() {
    let (mut stream, service, live) = on_a_run();
    let once = request(|given| LiveSpec {
        update_every: Some(0.0),
        ..given
    });
    let last = live.start(&once, &Cancel::new()).unwrap().unwrap();
    // The newest pulse of each of two partitions may still grow.
    assert_eq!(last.to_pulse(), time(5.7));
    assert_eq!((stream.total("out"), live.monitors().len()), (580.0, 0));
    end_run(&mut stream);
    assert!(service.running_monitors().is_empty() && !service.needs(service.runs.runs().first().unwrap()));
    assert_eq!(stream.total("out"), 580.0);
}

#[test]
fn a_monitor_that_is_waited_for_ends_with_the_run_that_stops_it() {
    // mantid#21389, of MonitorLiveData itself.
    let (mut stream, service, live) = on_a_run();
    let stops = request(|given| LiveSpec {
        run_transition_behavior: Some(RunTransitionBehavior::Stop),
        ..given
    });
    std::thread::scope(|scope| {
        let waits = scope.spawn(|| live.monitor(&stops, &Cancel::new()).unwrap());
        wait("the monitor", || {
            service.running_monitors().iter().any(|monitor| monitor.has_processed())
        });
        assert!(!waits.is_finished());
        end_run(&mut stream);
        assert_eq!(waits.join().unwrap().map(DateAndTime::to_pulse), Some(time(9.9)));
    });
    assert!(service.running_monitors().is_empty());
    assert_eq!(stream.total("out"), 1000.0);
    // The same call in the script's next execution returns at once, without data of the next run.
    stream.start("102", 12.0);
    stream.pulses(12.0, 16.0);
    stream.tick();
    live.monitor(&stops, &Cancel::new()).unwrap();
    assert_eq!(stream.total("out"), 1000.0);
    // After removal of its result the processing starts again.
    stream.services.data.clear();
    let again = Cancel::new();
    std::thread::scope(|scope| {
        let waits = scope.spawn(|| live.monitor(&stops, &again));
        wait("the next run", || stream.services.data.contains("out"));
        again.cancel();
        assert!(matches!(waits.join().unwrap(), Err(AlgorithmError::Cancelled)));
    });
    wait("its end", || service.running_monitors().is_empty());
    service.stop(PATIENCE);
}

#[test]
fn a_monitor_that_is_waited_for_ends_when_it_is_cancelled_or_the_worker_stops() {
    for how in ["cancelled", "stopped"] {
        let (stream, service, live) = on_a_run();
        let given = request(|given| given);
        std::thread::scope(|scope| {
            let waits = scope.spawn(|| live.monitor(&given, &Cancel::new()));
            wait("the monitor", || {
                live.monitors().len() == 1 && stream.services.data.contains("out")
            });
            if how == "cancelled" {
                assert!(live.cancel(live.monitors().first().unwrap().id));
            } else {
                service.stop(PATIENCE);
            }
            waits.join().unwrap().unwrap();
        });
        assert!(live.monitors().is_empty(), "{how}");
        assert_eq!(stream.total("out"), 580.0, "{how}");
    }
}

#[test]
fn each_load_brings_what_came_since_the_one_before_to_the_end_of_the_run() {
    let (mut stream, service, live) = on_a_run();
    let given = request(|given| LiveSpec {
        update_every: Some(0.0),
        ..given
    });
    let load = || live.load(&given, &Cancel::new()).unwrap().map(DateAndTime::to_pulse);
    assert_eq!((load(), stream.total("out")), (Some(time(5.7)), 580.0));
    assert_eq!((load(), stream.total("out")), (Some(time(5.7)), 580.0));
    stream.pulses(6.0, 8.0);
    stream.tick();
    assert_eq!((load(), stream.total("out")), (Some(time(7.7)), 780.0));
    stream.pulses(8.0, 12.0);
    stream.stop("101", 10.0);
    stream.start("102", 10.5);
    stream.pulses(12.0, 14.0);
    stream.tick();
    // An ended run and its results stay for the next call.
    assert!(service.names_in_use().contains(&"out".to_owned()));
    stream.source.release(|run| service.needs(run));
    assert_eq!((load(), stream.total("out")), (Some(time(9.9)), 1000.0));
    stream.source.release(|run| service.needs(run));
    let first = stream.source.runs().remove(0);
    assert!(
        first.run_name == "101" && stream.source.snapshot(&first.key).is_none(),
        "and no longer"
    );
    load();
    assert_eq!(stream.total("out"), 330.0, "the next run begins with nothing");
}

#[test]
fn a_configured_request_that_cannot_start_is_reported_and_tried_again() {
    let (stream, service, scripts) = on_a_run();
    scripts.start(&request(|given| given), &Cancel::new()).unwrap();
    let run_inbox = RunInbox::new(Arc::clone(&stream.source));
    run_inbox.set_finished(Vec::new());
    let configured = request(|given| LiveSpec {
        preserve_events: Some(true),
        ..given
    });
    let mut supervisor = LiveSupervisor::new(Arc::clone(&service), run_inbox, Some(configured));
    let reasons = || -> Vec<String> {
        let report = service.dependencies.status.report();
        report
            .degraded
            .into_iter()
            .map(|degradation| degradation.reason)
            .collect()
    };
    let now = Instant::now();
    supervisor.start_request(now);
    assert_eq!(reasons(), ["LiveNotStarted"]);
    service.end_script_monitors();
    supervisor.start_request(now + Duration::from_secs(1));
    assert_eq!(reasons(), ["LiveNotStarted"], "not yet tried again");
    supervisor.start_request(now + Duration::from_secs(11));
    assert_eq!((reasons().len(), service.running_monitors().len()), (0, 1));
    service.stop(PATIENCE);
}
