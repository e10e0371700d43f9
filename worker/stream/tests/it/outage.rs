//! Reading across an outage of the broker.

use std::time::Duration;

use live_data_stream::source::{Notice, Source};

use crate::broker::{Broker, FROM_BEGINNING, Seen, Sender, assigned, config, create_instrument, now_ms};
use crate::samples;

#[test]
fn a_broker_that_is_killed_and_comes_back_costs_no_record() {
    let broker = Broker::up();
    create_instrument(&broker.bootstrap, "OUTAGE", 2);
    let sender = Sender::new(&broker.bootstrap);
    let send = |numbers: std::ops::Range<i64>| {
        for number in numbers {
            sender.send(
                "OUTAGE_events",
                (number % 2) as i32,
                now_ms(),
                &samples::events(number, number, 10),
            );
        }
        sender.flush();
    };
    send(0..1000);
    let config = live_data_stream::config::SourceConfig {
        request_timeout: Duration::from_secs(1),
        ..config(&broker.bootstrap, "OUTAGE")
    };
    let mut source = assigned(config, FROM_BEGINNING);
    let mut seen = Seen::default();
    seen.read_until(&mut source, "half of the records", |seen| seen.records.len() == 500);
    broker.stop();
    seen.read_until(&mut source, "that the broker is gone", |seen| {
        seen.notices
            .iter()
            .any(|notice| matches!(notice, Notice::BrokerUnreachable(_)))
    });
    broker.start();
    seen.read_until(&mut source, "that the broker is back", |seen| {
        seen.notices.contains(&Notice::BrokerReachable)
    });
    assert!(source.is_reachable() && source.reconnects() >= 1);
    send(1000..2000);
    seen.read_until(&mut source, "all records", |seen| seen.records.len() >= 2000);
    for partition in 0..2 {
        assert_eq!(
            seen.offsets(0, partition),
            (0..1000).collect::<Vec<_>>(),
            "partition {partition}"
        );
    }
}

#[test]
fn a_broker_that_is_not_there_is_an_error_within_the_time_limit() {
    let nobody = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = nobody.local_addr().unwrap().to_string();
    drop(nobody);
    let config = live_data_stream::config::SourceConfig {
        request_timeout: Duration::from_secs(1),
        ..config(&address, "NOBODY")
    };
    let mut source = Source::open(config).unwrap();
    let error = source.connect().unwrap_err();
    assert!(
        !error.refused && error.to_string().contains("list the topics"),
        "{error}"
    );
    assert!(!source.is_reachable());
}
