//! Outages of brokers, changes of partition leaders, and authentication: counts stay exact.

use std::time::{Duration, Instant};

use crate::api::Api;
use crate::lab::Server;
use crate::main_job::COUNT_SCRIPT;
use crate::nexus;
use crate::process::{PATIENCE, Settings};
use crate::restarts::send;
use crate::stream::{Counts, Instrument, Run, SECOND, Schema, now};

#[test]
fn a_broker_restart_in_the_middle_of_a_run_loses_and_repeats_nothing() {
    let broker = Server::start("kafka");
    let mut instrument = Instrument::on(&broker, "itbroker", Schema::Ev44, 3);
    let output = tempfile::tempdir().unwrap();
    let api = Api::start(COUNT_SCRIPT);
    let base = now() / SECOND * SECOND - 40 * SECOND;
    let run = Run::new(401, base, base + 10 * SECOND);
    let mut counts = Counts::new();
    instrument.start_run(&run);
    send(&mut instrument, &mut counts, run.start, run.start + 5 * SECOND);
    let mut worker = Settings::new(&instrument.name, output.path(), api.url())
        .with("KAFKA_BOOTSTRAP_SERVERS", broker.value("KAFKA_BOOTSTRAP"))
        .start();
    let seen: u64 = counts.values().sum();
    worker.wait("the first half", |report| {
        report.run.as_ref().is_some_and(|run| run.events == seen)
    });
    broker.stop();
    worker.wait("the broker's absence in words", |report| {
        report.degraded.iter().any(|wrong| wrong.reason == "BrokerUnreachable")
    });
    broker.restart();
    send(&mut instrument, &mut counts, run.start + 5 * SECOND, run.stop);
    instrument.stop_run(&run);
    instrument.flush();
    let report = worker.wait_completed("401");
    assert!(
        report.degraded.iter().all(|wrong| wrong.reason != "BrokerUnreachable"),
        "{:?}",
        report.degraded
    );
    assert_eq!(nexus::read(&output.path().join("401.nxs")).counts(), counts);
}

#[test]
#[ignore = "over a minute, three brokers, stopped one by one: ci/test --full"]
fn partitions_that_change_their_leader_mid_run_are_read_on_from_the_new_one() {
    let cluster = Server::start_with("kafka", &["--brokers", "3"]);
    let mut instrument = Instrument::on(&cluster, "itleader", Schema::Ev44, 3);
    let output = tempfile::tempdir().unwrap();
    let api = Api::start(COUNT_SCRIPT);
    let base = now() / SECOND * SECOND - 40 * SECOND;
    let run = Run::new(411, base, base + 12 * SECOND);
    let mut counts = Counts::new();
    instrument.start_run(&run);
    send(&mut instrument, &mut counts, run.start, run.start + 4 * SECOND);
    let mut worker = Settings::new(&instrument.name, output.path(), api.url())
        .with("KAFKA_BOOTSTRAP_SERVERS", cluster.value("KAFKA_BOOTSTRAP"))
        .start();
    worker.wait("the first third", |report| {
        report
            .run
            .as_ref()
            .is_some_and(|run| run.events == counts.values().sum::<u64>())
    });
    // Broker 1 is the cluster's controller: kill another broker that leads a partition.
    let lost = (0..3)
        .filter_map(|partition| instrument.leader(partition))
        .find(|leader| *leader != 1)
        .unwrap();
    cluster.kill_broker(lost);
    let started = Instant::now();
    while (0..3).any(|partition| instrument.leader(partition).is_none_or(|leader| leader == lost)) {
        assert!(started.elapsed() < PATIENCE, "no new leader was elected");
        std::thread::sleep(Duration::from_millis(100));
    }
    send(
        &mut instrument,
        &mut counts,
        run.start + 4 * SECOND,
        run.start + 8 * SECOND,
    );
    worker.wait("the second third from the new leaders", |report| {
        report
            .run
            .as_ref()
            .is_some_and(|run| run.events == counts.values().sum::<u64>())
    });
    cluster.restart();
    send(&mut instrument, &mut counts, run.start + 8 * SECOND, run.stop);
    instrument.stop_run(&run);
    instrument.flush();
    worker.wait_completed("411");
    assert_eq!(nexus::read(&output.path().join("411.nxs")).counts(), counts);
}

#[test]
fn a_broker_with_tls_and_passwords_is_read_with_each_mechanism_and_refusals_are_said_without_them() {
    let broker = Server::start_with("kafka", &["--secure"]);
    let mut instrument = Instrument::on(&broker, "itsecure", Schema::Ev42, 2);
    let base = now() / SECOND * SECOND - 40 * SECOND;
    let mut counts = Counts::new();
    instrument.start_run(&Run::new(421, base, base + 900 * SECOND));
    send(&mut instrument, &mut counts, base, base + 2 * SECOND);
    let api = Api::start(COUNT_SCRIPT);
    let secrets = tempfile::tempdir().unwrap();
    let password = secrets.path().join("password");
    std::fs::write(&password, format!("{}\n", broker.value("KAFKA_PASSWORD"))).unwrap();
    let wrong = secrets.path().join("wrong");
    std::fs::write(&wrong, "open-sesame-4711\n").unwrap();
    let settings = |output: &tempfile::TempDir, mechanism: &str| {
        Settings::new(&instrument.name, output.path(), api.url())
            .with("KAFKA_BOOTSTRAP_SERVERS", broker.value("KAFKA_SECURE_BOOTSTRAP"))
            .with("KAFKA_SECURITY_PROTOCOL", "SASL_SSL")
            .with("KAFKA_SASL_MECHANISM", mechanism)
            .with("KAFKA_SASL_USERNAME", broker.value("KAFKA_USER"))
            .with("KAFKA_SASL_PASSWORD_FILE", password.to_str().unwrap())
            .with("KAFKA_SSL_CA_LOCATION", broker.value("KAFKA_CA"))
    };
    for mechanism in ["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"] {
        let output = tempfile::tempdir().unwrap();
        let mut worker = settings(&output, mechanism).start();
        worker.wait(mechanism, |report| {
            let all = counts.values().sum::<u64>();
            report.script.runs > 0 && report.run.as_ref().is_some_and(|run| run.events == all)
        });
        let runs = worker.report().unwrap().script.runs;
        worker.wait("an execution on all of it", |report| report.script.runs > runs);
        assert_eq!(
            nexus::read(&output.path().join("421.nxs")).counts(),
            counts,
            "{mechanism}"
        );
        let (status, log) = worker.stop();
        assert!(status.success(), "{status}");
        assert!(!log.contains(broker.value("KAFKA_PASSWORD")), "{log}");
    }
    let output = tempfile::tempdir().unwrap();
    for (what, settings) in [
        (
            "a wrong password",
            settings(&output, "SCRAM-SHA-512").with("KAFKA_SASL_PASSWORD_FILE", wrong.to_str().unwrap()),
        ),
        (
            "an unknown authority",
            settings(&output, "PLAIN").with("KAFKA_SSL_CA_LOCATION", "/etc/ssl/certs"),
        ),
    ] {
        let mut worker = settings.start();
        worker.wait(what, |report| {
            !report.ready
                && report.degraded.iter().any(|wrong| {
                    wrong.reason == "BrokerUnreachable" && wrong.message.contains("credentials and certificates")
                })
        });
        let (_, log) = worker.stop();
        assert!(!log.contains("open-sesame-4711"), "{log}");
    }
}
