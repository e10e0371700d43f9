//! Script log in a real Redis: complete, trimmed, without secrets, and without gaps after an outage.

use crate::lab::{self, Server};
use crate::scripts::on_a_run;

/// Entry of the stream of log lines.
struct LogLine {
    level: String,
    msg: String,
}

/// All entries of the instrument's stream, oldest first.
fn entries(redis: &Server, instrument: &str) -> Vec<LogLine> {
    let client = redis::Client::open(redis.value("REDIS_URL")).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let entries: Vec<(String, Vec<(String, String)>)> = runtime.block_on(async {
        let mut connection = client.get_multiplexed_async_connection().await.unwrap();
        redis::cmd("XRANGE")
            .arg(format!("{instrument}_live_data_processor_logs"))
            .arg("-")
            .arg("+")
            .query_async(&mut connection)
            .await
            .unwrap()
    });
    let value = |fields: &[(String, String)], key: &str| fields.iter().find(|(k, _)| k == key).unwrap().1.clone();
    entries
        .iter()
        .map(|(_, fields)| LogLine {
            level: value(fields, "level"),
            msg: value(fields, "msg"),
        })
        .collect()
}

#[test]
fn the_log_reaches_valkey_line_by_line_and_is_trimmed() {
    let redis = lab::redis();
    let script = "import os\nn = 0\ndef execute():\n    global n\n    n += 1\n    print('execution', n)\n    \
                  print('token', os.environ['GITHUB_API_TOKEN'])\n    for i in range(300): print('line', i)\n";
    let (_instrument, mut worker, _api, _output) = on_a_run("itvalkey", script, |settings| {
        settings
            .with("VALKEY_HOST", "127.0.0.1")
            .with("VALKEY_PORT", redis.value("REDIS_PORT"))
            .with("GITHUB_API_TOKEN", "ghp_nobodymayseethis")
            .with("SCRIPT_RUN_INTERVAL", "0.2")
    });
    worker.wait("twelve executions", |report| report.script.runs > 12);
    let entries = entries(redis, "ITVALKEY");
    assert_eq!(entries.len(), 2000, "trimmed to the newest 2000");
    assert!(entries.iter().all(|entry| entry.level == "INFO"));
    let lines: Vec<String> = entries.into_iter().map(|entry| entry.msg).collect();
    assert!(lines.iter().any(|line| line == "line 299"));
    assert!(!lines.iter().any(|line| line.contains("ghp_nobodymayseethis")));
    let (_, log) = worker.stop();
    assert!(log.contains("execution 1") && !log.contains("ghp_nobodymayseethis"));
}

#[test]
fn a_server_that_goes_away_delays_nothing_and_gets_every_line_when_it_is_back() {
    let redis = Server::start("redis");
    let script = "n = 0\ndef execute():\n    global n\n    n += 1\n    print('execution', n)\n";
    let (_instrument, mut worker, _api, _output) = on_a_run("itvalkeygone", script, |settings| {
        settings
            .with("VALKEY_HOST", "127.0.0.1")
            .with("VALKEY_PORT", redis.value("REDIS_PORT"))
            .with("SCRIPT_RUN_INTERVAL", "0.2")
    });
    worker.wait("executions", |report| report.script.runs > 3);
    redis.stop();
    let before = worker.report().unwrap().script.runs;
    let report = worker.wait("its absence in words, and executions all the same", |report| {
        report.script.runs > before + 20 && report.degraded.iter().any(|wrong| wrong.reason == "ValkeyUnreachable")
    });
    assert!(report.ready && report.writer, "{report:?}");
    redis.restart();
    let report = worker.wait("recovery", |report| {
        report.degraded.iter().all(|wrong| wrong.reason != "ValkeyUnreachable")
    });
    let until = report.script.runs;
    worker.wait("some more executions", |report| report.script.runs > until + 3);
    let numbers: Vec<u64> = entries(&redis, "ITVALKEYGONE")
        .iter()
        .filter_map(|line| line.msg.strip_prefix("execution ")?.parse().ok())
        // The line sent during the outage may be there twice or be missing.
        .filter(|n| *n > before + 1)
        .collect();
    let expected: Vec<u64> = (before + 2..).take(numbers.len()).collect();
    assert!(numbers.len() as u64 >= until - before - 1, "{} lines", numbers.len());
    assert_eq!(numbers, expected, "each line once and in order");
}
