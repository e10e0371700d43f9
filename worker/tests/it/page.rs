//! The worker's page in a real browser: figures, log lines and errors.

use std::process::Command;

use crate::api::Answer;
use crate::lab;
use crate::process::Worker;
use crate::scripts::on_a_run;

/// Opens the page and waits until every selector of `SELECTOR => TEXT` has its text.
fn shows(worker: &Worker, expectations: &[&str]) {
    let output = Command::new("node")
        .arg(lab::root().join("worker/tests/page/page.cjs"))
        .arg(worker.url())
        .args(expectations)
        .env("NODE_PATH", lab::cache().join("tools/browser/node_modules"))
        .output()
        .expect("node is missing: run ci/setup first");
    assert!(
        output.status.success(),
        "{}\n{}",
        String::from_utf8_lossy(&output.stderr),
        worker.log()
    );
}

#[test]
fn the_page_shows_the_run_the_log_and_errors_as_text() {
    let script = "def execute():\n    print('a line of <b>the script</b>')\n";
    let (_instrument, mut worker, api, _output) = on_a_run("itpage", script, |settings| settings);
    worker.wait("executions", |report| report.script.runs > 1);
    shows(
        &worker,
        &[
            "#instrument => ITPAGE",
            "#state => live",
            "#figures div:has(dt:text-is('run')) dd => 900",
            "#figures div:has(dt:text-is('events')) dd => 1,000",
            "#log span => a line of <b>the script</b>",
            "#partitions tr => ITPAGE_events",
        ],
    );
    api.answer(Answer::Script(
        "def execute():\n    raise ValueError('<img src=x onerror=alert(1)> is no number')\n".into(),
    ));
    worker.wait("the failure", |report| report.script.failures > 0);
    // Interpreted as markup, the error text would load an image, and loading would fail.
    shows(&worker, &["#error => <img src=x onerror=alert(1)> is no number"]);
}
