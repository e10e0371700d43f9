//! Reading from librdkafka's mock cluster, which the demo uses and which has no time index.

use live_data_engine::time::PulseTime;
use live_data_stream::source::StartingOffsets;
use rdkafka::mocking::MockCluster;

use crate::broker::{FROM_BEGINNING, Seen, Sender, assigned, config, connected, find, insist, now_ms};
use crate::samples;

#[test]
fn a_broker_that_cannot_look_up_times_is_read_from_its_beginning() {
    let cluster = MockCluster::new(1).unwrap();
    for topic in ["MOCK_events", "MOCK_runInfo", "MOCK_sampleEnv"] {
        cluster.create_topic(topic, 2, 1).unwrap();
    }
    let bootstrap = cluster.bootstrap_servers();
    let sender = Sender::new(&bootstrap);
    for number in 0..40_i64 {
        sender.send(
            "MOCK_events",
            (number % 2) as i32,
            now_ms(),
            &samples::events(number, number, 5),
        );
    }
    sender.send(
        "MOCK_runInfo",
        0,
        now_ms(),
        &samples::start("mock", "1", now_ms() as u64),
    );
    sender.flush();
    let mut source = connected(config(&bootstrap, "MOCK"));
    let history = find(&mut source, 1);
    assert_eq!(history.current().unwrap().start.job_id, "mock");
    let events = source.starting_offset_at(PulseTime::from_millis(now_ms()));
    insist(|| {
        source.assign(StartingOffsets {
            events,
            ..FROM_BEGINNING
        })
    });
    let mut seen = Seen::default();
    seen.read_until(&mut source, "41 records", |seen| seen.records.len() == 41);
}

#[test]
fn a_demo_may_start_before_its_instrument() {
    let cluster = MockCluster::new(1).unwrap();
    for topic in ["EARLY_events", "EARLY_runInfo", "EARLY_sampleEnv"] {
        cluster.create_topic(topic, 1, 1).unwrap();
    }
    let bootstrap = cluster.bootstrap_servers();
    let mut source = assigned(config(&bootstrap, "EARLY"), FROM_BEGINNING);
    let sender = Sender::new(&bootstrap);
    for number in 0..10 {
        sender.send("EARLY_events", 0, now_ms(), &samples::events(number, number, 5));
    }
    sender.flush();
    let mut seen = Seen::default();
    seen.read_until(&mut source, "ten records", |seen| seen.records.len() == 10);
}
