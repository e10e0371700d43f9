//! Script runner, with every kind of misbehaving script.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use live_data_worker::python::output::{
    self, LineOrigin, OutputLine, OutputQueue, OutputQueueLimits, OutputSink, Redactor,
};
use live_data_worker::python::{EngineChoice, Interpreter, InterpreterConfig, InterpreterHandle, JobError, Limits};
use live_data_worker::script::{ExecutionOutcome, LoadScriptError, ScriptRunner};

use super::{in_own_process, venv};

struct World {
    runner: ScriptRunner,
    queue: Arc<OutputQueue>,
    folder: tempfile::TempDir,
}

fn world() -> World {
    world_with(Redactor::default(), vec![])
}

fn world_with(redactor: Redactor, hidden_variables: Vec<String>) -> World {
    let folder = tempfile::tempdir().unwrap();
    let queue = Arc::new(OutputQueue::new(OutputQueueLimits {
        lines: 1000,
        bytes: 1 << 20,
        allowance: 256 << 10,
    }));
    let config = InterpreterConfig {
        venv: Some(venv()),
        engine: EngineChoice::Native,
        output: OutputSink::Queue(Arc::clone(&queue)),
        redactor,
        hidden_variables,
        home: Some(folder.path().join("home")),
        native: None,
    };
    std::fs::create_dir(folder.path().join("home")).unwrap();
    let handle = Interpreter::start(config).unwrap();
    let runner = ScriptRunner::new(handle, &folder.path().join("script")).unwrap();
    World { runner, queue, folder }
}

impl World {
    fn load(&self, text: &str) -> Result<(), LoadScriptError> {
        self.runner.load(text, Limits::after(Duration::from_secs(60)))
    }

    fn execute(&self) -> ExecutionOutcome {
        self.runner
            .execute(Limits::after(Duration::from_secs(60)), |_| Ok(()))
            .unwrap()
    }

    fn execute_within(&self, seconds: f64) -> (ExecutionOutcome, Duration) {
        let started = Instant::now();
        let outcome = self
            .runner
            .execute(Limits::after(Duration::from_secs_f64(seconds)), |_| Ok(()))
            .unwrap();
        (outcome, started.elapsed())
    }

    fn lines(&self) -> Vec<OutputLine> {
        let mut lines = Vec::new();
        while let Some(line) = self.queue.receive(Duration::from_millis(20)) {
            lines.push(line);
        }
        lines
    }

    fn texts(&self) -> Vec<String> {
        self.lines().into_iter().map(|line| line.text).collect()
    }

    /// Waits for lines of C code or a child process, one with each text, in any order: standard output and standard error
    /// are captured separately.
    fn wait_for<const N: usize>(&self, texts: [&str; N]) -> [OutputLine; N] {
        let until = Instant::now() + Duration::from_secs(60);
        let mut found: [Option<OutputLine>; N] = std::array::from_fn(|_| None);
        while found.iter().any(Option::is_none) && Instant::now() < until {
            let Some(line) = self.queue.receive(Duration::from_millis(100)) else {
                continue;
            };
            if let Some(at) = texts.iter().position(|text| line.text.contains(text)) {
                found[at].get_or_insert(line);
            }
        }
        let mut texts = texts.into_iter();
        found.map(|line| {
            let text = texts.next();
            line.unwrap_or_else(|| panic!("no line with {text:?}"))
        })
    }

    /// Executes a script that must fail; returns the error.
    fn fails(&self, text: &str) -> String {
        self.load(text).unwrap();
        let outcome = self.execute();
        assert!(!outcome.ok, "{outcome:?}");
        outcome.error.unwrap()
    }

    fn handle(&self) -> &InterpreterHandle {
        self.runner.handle()
    }
}

#[test]
fn a_script_is_executed_again_and_again() {
    if !in_own_process("python::scripts::a_script_is_executed_again_and_again") {
        return;
    }
    let world = world();
    world
        .load("count = 0\ndef execute():\n    global count\n    count += 1\n    print('run', count)\n")
        .unwrap();
    for _ in 0..3 {
        let outcome = world.execute();
        assert!(
            outcome.ok && outcome.error.is_none() && outcome.lines.kept == 1,
            "{outcome:?}"
        );
    }
    assert_eq!(world.texts(), ["run 1", "run 2", "run 3"]);
}

#[test]
fn a_script_finds_its_folder_home_and_helpers() {
    if !in_own_process("python::scripts::a_script_finds_its_folder_home_and_helpers") {
        return;
    }
    let world = world();
    let text = "import os, sys\n\
        with open('helper_of_mine.py', 'w') as f:\n    f.write('value = 41')\n\
        import helper_of_mine\n\
        def execute():\n\
        \x20   assert os.path.dirname(os.path.abspath(__file__)) == os.getcwd() == sys.path[0]\n\
        \x20   open(os.path.expanduser('~/mine.txt'), 'w').write('x')\n\
        \x20   os.chdir('/')\n\
        \x20   print(__name__, helper_of_mine.value)\n";
    world.load(text).unwrap();
    for _ in 0..2 {
        let outcome = world.execute();
        assert!(outcome.ok, "{outcome:?}");
    }
    assert!(world.folder.path().join("home/mine.txt").exists());
    world.load(&text.replace("41", "42")).unwrap();
    assert!(world.execute().ok);
    let texts = world.texts();
    assert_eq!(
        texts,
        ["reduction_script 41", "reduction_script 41", "reduction_script 42"]
    );
}

#[test]
fn a_script_that_cannot_be_loaded_leaves_the_last_good_one() {
    if !in_own_process("python::scripts::a_script_that_cannot_be_loaded_leaves_the_last_good_one") {
        return;
    }
    let world = world();
    world.load("def execute():\n    print('good')\n").unwrap();
    let deep = format!("x = {}1{}\ndef execute(): pass\n", "(".repeat(500), ")".repeat(500));
    let bad: &[(&str, &str)] = &[
        ("def execute(:\n    pass\n", "SyntaxError"),
        ("def execute():\npass\n", "IndentationError"),
        (
            "import no_such_module\ndef execute(): pass\n",
            "No module named 'no_such_module'",
        ),
        ("def run(): pass\n", "defines no function execute()"),
        ("execute = 3\n", "defines no function execute()"),
        ("   \n", "the script is empty"),
        ("raise ValueError('at import')\ndef execute(): pass\n", "at import"),
        ("import sys\nsys.exit(2)\ndef execute(): pass\n", "sys.exit(2)"),
        ("x = '\0'\n", "null bytes"),
        (&deep, "too many nested parentheses"),
    ];
    for (text, expected) in bad {
        let error = world.load(text).unwrap_err().to_string();
        assert!(error.contains(expected), "{text:?} gave {error}");
        let outcome = world.execute();
        assert!(outcome.ok, "after {text:?}: {outcome:?}");
    }
    assert_eq!(world.texts().iter().filter(|line| *line == "good").count(), bad.len());
    let disk = std::fs::read_to_string(world.folder.path().join("script/reduction_script.py")).unwrap();
    assert!(disk.contains("good"));
}

#[test]
fn errors_are_shown_with_the_scripts_own_lines() {
    if !in_own_process("python::scripts::errors_are_shown_with_the_scripts_own_lines") {
        return;
    }
    let world = world();
    let error = world.fails("def helper(x):\n    return {}[x]\n\ndef execute():\n    helper('key')\n");
    assert!(
        error.contains("reduction_script.py\", line 2, in helper") && error.contains("return {}[x]"),
        "{error}"
    );
    assert!(
        error.contains("KeyError: 'key'") && !error.contains("<live-data>"),
        "{error}"
    );

    let error = world
        .load("import json\njson.loads('{')\ndef execute(): pass\n")
        .unwrap_err()
        .to_string();
    assert!(error.contains("line 2") && error.contains("json.loads('{')"), "{error}");

    let error = world.fails("def execute():\n    raise ValueError('x' * 1_000_000)\n");
    assert!(
        error.len() < 10_000 && error.contains("bytes left out"),
        "{}",
        error.len()
    );

    let error = world.fails("def execute():\n    execute()\n");
    assert!(error.contains("RecursionError") && error.len() < 10_000, "{error}");

    let error = world.fails("async def execute():\n    pass\n");
    assert!(error.contains("async"), "{error}");

    let text = "class E(Exception):\n    def __str__(self):\n        raise RuntimeError('no')\ndef execute():\n    raise E()\n";
    assert!(world.fails(text).contains("E"));
}

#[test]
fn exits_are_errors_in_words() {
    if !in_own_process("python::scripts::exits_are_errors_in_words") {
        return;
    }
    let world = world();
    for (call, words) in [
        ("import sys; sys.exit(3)", "sys.exit(3)"),
        ("exit()", "sys.exit()"),
        ("raise SystemExit('why')", "sys.exit('why')"),
        ("import os; os._exit(1)", "os._exit would end the whole worker"),
        ("raise KeyboardInterrupt", "KeyboardInterrupt"),
        ("raise GeneratorExit", "GeneratorExit"),
    ] {
        let error = world.fails(&format!("def execute():\n    {call}\n"));
        assert!(error.contains(words), "{call} gave {error}");
    }
    world.load("def execute():\n    print('still here')\n").unwrap();
    assert!(world.execute().ok);
}

#[test]
fn megabytes_of_output_are_bounded_and_counted() {
    if !in_own_process("python::scripts::megabytes_of_output_are_bounded_and_counted") {
        return;
    }
    let world = world();
    world
        .load("def execute():\n    for i in range(400_000):\n        print('line', i, 'x' * 50)\n")
        .unwrap();
    let (outcome, took) = world.execute_within(60.0);
    assert!(
        outcome.ok && outcome.lines.dropped > 390_000 && outcome.lines.kept > 100,
        "{outcome:?}"
    );
    assert!(took < Duration::from_secs(30), "{took:?}");
    let texts = world.texts();
    assert!(
        texts.len() <= 1001 && texts.last().unwrap().contains("lines of output were dropped"),
        "{:?}",
        texts.last()
    );

    world
        .load("import sys\ndef execute():\n    sys.stdout.write('y' * 50_000_000)\n    raise ValueError('after')\n")
        .unwrap();
    let outcome = world.execute();
    assert!(!outcome.ok && outcome.lines.kept == 1);
    let texts = world.texts();
    assert!(
        texts.len() == 1 && texts[0].len() < 10_000 && texts[0].contains("more bytes"),
        "{}",
        texts[0].len()
    );
}

#[test]
fn output_has_levels_and_no_secrets() {
    if !in_own_process("python::scripts::output_has_levels_and_no_secrets") {
        return;
    }
    let world = world_with(Redactor::new(["hunter2hunter2"]), vec!["PATH".into()]);
    let text = "import logging, sys, os, warnings\n\
        def execute():\n\
        \x20   print('plain'); print('err', file=sys.stderr)\n\
        \x20   logging.info('told'); logging.getLogger('x').error('bad %d', 3); logging.debug('hidden')\n\
        \x20   print('the token is hunter2hunter2!', end='')\n\
        \x20   sys.stdout.buffer.write('bytes ä\\n'.encode()); sys.stdout.writelines(['a\\n', 'b\\n'])\n\
        \x20   print('lone', chr(0xDC80)); print('PATH' in os.environ, end='')\n\
        \x20   sys.stdout.flush(); assert not sys.stdout.isatty() and sys.stdout.encoding == 'utf-8'\n";
    world.load(text).unwrap();
    let outcome = world.execute();
    assert!(outcome.ok, "{outcome:?}");
    let lines = world.lines();
    let of = |text: &str| {
        lines
            .iter()
            .find(|line| line.text == text)
            .map(|line| (line.level.name(), line.origin))
    };
    assert_eq!(of("plain"), Some(("INFO", LineOrigin::Stdout)), "{lines:?}");
    assert_eq!(of("err"), Some(("WARNING", LineOrigin::Stderr)));
    assert_eq!(of("told"), Some(("INFO", LineOrigin::Logging)));
    assert_eq!(of("bad 3"), Some(("ERROR", LineOrigin::Logging)));
    assert_eq!(of("hidden"), None);
    assert_eq!(
        of("the token is ***!bytes ä"),
        Some(("INFO", LineOrigin::Stdout)),
        "{lines:?}"
    );
    assert_eq!(of("False"), Some(("INFO", LineOrigin::Stdout)), "{lines:?}");
    assert!(!lines.iter().any(|line| line.text.contains("hunter2")));
    let error = world.fails("def execute():\n    raise ValueError('bad hunter2hunter2')\n");
    assert!(!error.contains("hunter2"), "{error}");
}

#[test]
fn what_c_code_and_children_print_is_caught() {
    if !in_own_process("python::scripts::what_c_code_and_children_print_is_caught") {
        return;
    }
    let world = world();
    let originals = output::capture(&world.queue, &Redactor::default()).unwrap();
    world
        .load("import os, subprocess\ndef execute():\n    os.write(1, b'from C\\n')\n    subprocess.run(['echo', 'from a child'])\n    os.write(2, b'E' * 300_000 + b'\\n')\n")
        .unwrap();
    let outcome = world.execute();
    assert!(outcome.ok, "{outcome:?}");
    let [from_c, _, long] = world.wait_for(["from C", "from a child", "EEEE"]);
    assert_eq!(from_c.origin, LineOrigin::Descriptor);
    assert_eq!(long.level.name(), "WARNING");
    // The test harness needs the original descriptors to print the result.
    use std::os::fd::AsRawFd;
    nix_dup2(originals.stdout.as_raw_fd(), 1);
    nix_dup2(originals.stderr.as_raw_fd(), 2);
}

fn nix_dup2(from: i32, to: i32) {
    // SAFETY: both are open descriptors of this process, used by nothing else now.
    assert!(unsafe { libc::dup2(from, to) } >= 0);
}

#[test]
fn loops_sleeps_and_sockets_are_interrupted_at_the_time_limit() {
    if !in_own_process("python::scripts::loops_sleeps_and_sockets_are_interrupted_at_the_time_limit") {
        return;
    }
    let world = world();
    for body in [
        "while True: pass",
        "import time; time.sleep(30)",
        "import socket; a, b = socket.socketpair(); a.recv(1)",
        "import threading; threading.Event().wait(30)",
        "import subprocess; subprocess.run(['sleep', '30'])",
        "x = 0\n    for i in range(10**12):\n        x += i",
        "try:\n        while True: pass\n    except Exception: pass",
        "sorted(range(10**7), key=lambda v: -v)",
    ] {
        world.load(&format!("def execute():\n    {body}\n")).unwrap();
        let (outcome, took) = world.execute_within(0.5);
        assert!(outcome.interrupted && !outcome.ok, "{body}: {outcome:?}");
        let limit = if body.starts_with("sorted") { 8.0 } else { 2.0 };
        assert!(took < Duration::from_secs_f64(limit), "{body} took {took:?}");
        let error = outcome.error.unwrap();
        assert!(
            error.contains("ScriptTimeout: the script was interrupted"),
            "{body}: {error}"
        );
        assert!(error.contains("reduction_script.py\", line "), "{body}: {error}");
    }
    world.load("def execute():\n    print('next')\n").unwrap();
    assert!(world.execute().ok);
}

#[test]
fn an_interruption_that_is_swallowed_is_repeated_and_then_reported() {
    if !in_own_process("python::scripts::an_interruption_that_is_swallowed_is_repeated_and_then_reported") {
        return;
    }
    let world = world();
    world
        .load("import time\nn = 0\ndef execute():\n    global n\n    while n < 2:\n        try:\n            time.sleep(30)\n        except BaseException:\n            n += 1\n    print('swallowed', n)\n")
        .unwrap();
    let (outcome, took) = world.execute_within(0.3);
    assert!(outcome.ok && took > Duration::from_secs(1), "{outcome:?} {took:?}");
    assert_eq!(world.texts(), ["swallowed 2"]);

    world.load("import time\ndef execute():\n    while True:\n        try:\n            time.sleep(30)\n        except BaseException: pass\n").unwrap();
    let limits = Limits {
        timeout: Duration::from_millis(200),
        patience: Duration::from_millis(1500),
    };
    let error = world.runner.execute(limits, |_| Ok(())).unwrap_err();
    assert!(matches!(error, JobError::Unkillable(_)), "{error}");
}

#[test]
fn a_stop_interrupts_with_its_reason_and_late_signals_do_nothing() {
    if !in_own_process("python::scripts::a_stop_interrupts_with_its_reason_and_late_signals_do_nothing") {
        return;
    }
    let world = world();
    world
        .load("import time\ndef execute():\n    print('started')\n    time.sleep(60)\n")
        .unwrap();
    let handle = world.handle().clone();
    let queue = Arc::clone(&world.queue);
    let stopper = std::thread::spawn(move || {
        while queue
            .receive(Duration::from_secs(20))
            .is_none_or(|line| line.text != "started")
        {}
        handle.interrupt("the worker is being stopped");
    });
    let outcome = world.execute();
    stopper.join().unwrap();
    assert!(outcome.interrupted && outcome.error.unwrap().contains("the worker is being stopped"));

    // Interrupts outside an execution are ignored.
    world.load("import os, signal, threading\ndef execute():\n    signal.pthread_kill(threading.main_thread().ident, signal.SIGRTMIN + 7)\n    print('unharmed')\n").unwrap();
    assert!(world.execute().ok);
}

#[test]
fn threads_that_survive_are_named() {
    if !in_own_process("python::scripts::threads_that_survive_are_named") {
        return;
    }
    let world = world();
    let text = "import threading\nstop = threading.Event()\ndef wait_for_ever():\n    stop.wait()\n\
        def execute():\n    threading.Thread(target=wait_for_ever, name='poller', daemon=True).start()\n\
        \x20   t = threading.Thread(target=print, args=('short',)); t.start(); t.join()\n";
    world.load(text).unwrap();
    let outcome = world.execute();
    assert!(outcome.ok, "{outcome:?}");
    assert_eq!(outcome.surviving_threads.len(), 1);
    assert!(outcome.surviving_threads[0].starts_with("poller"), "{outcome:?}");
    let (outcome, _) = world.execute_within(5.0);
    assert_eq!(
        outcome.surviving_threads.len(),
        1,
        "only new ones are reported: {outcome:?}"
    );
}

#[test]
fn other_threads_attach_while_a_script_sleeps() {
    if !in_own_process("python::scripts::other_threads_attach_while_a_script_sleeps") {
        return;
    }
    let world = world();
    world
        .load("import time\ndef execute():\n    print('sleeping')\n    time.sleep(1.5)\n")
        .unwrap();
    let queue = Arc::clone(&world.queue);
    let other = std::thread::spawn(move || {
        while queue
            .receive(Duration::from_secs(20))
            .is_none_or(|line| line.text != "sleeping")
        {}
        let started = Instant::now();
        let sum: i64 = pyo3::Python::attach(|py| {
            use pyo3::prelude::*;
            py.eval(c"sum(range(100))", None, None).unwrap().extract().unwrap()
        });
        (sum, started.elapsed())
    });
    let outcome = world.execute();
    let (sum, took) = other.join().unwrap();
    assert!(
        outcome.ok && sum == 4950 && took < Duration::from_millis(700),
        "{took:?}"
    );
}

#[test]
fn a_change_of_run_reloads_the_script_and_reports_what_is_pinned() {
    if !in_own_process("python::scripts::a_change_of_run_reloads_the_script_and_reports_what_is_pinned") {
        return;
    }
    let world = world();
    world
        .load("held = []\ndef execute():\n    held.append(1)\n    print(len(held))\n")
        .unwrap();
    world.execute();
    world.execute();
    let limits = Limits::after(Duration::from_secs(20));
    let change = world
        .runner
        .change_run(
            limits,
            |_| 7,
            |_, seven| {
                assert_eq!(seven, 7);
                Vec::new()
            },
        )
        .unwrap();
    assert!(change.retained.is_empty() && change.reload_error.is_none());
    world.execute();
    assert_eq!(world.texts(), ["1", "2", "1"]);
}

#[test]
fn a_failed_binding_is_an_error_of_the_execution() {
    if !in_own_process("python::scripts::a_failed_binding_is_an_error_of_the_execution") {
        return;
    }
    let world = world();
    world.load("def execute():\n    print('executed')\n").unwrap();
    let outcome = world
        .runner
        .execute(Limits::after(Duration::from_secs(5)), |_| Err("no events".into()))
        .unwrap();
    assert!(!outcome.ok && outcome.error.unwrap().contains("no events"));
    let panicked = world
        .runner
        .execute(Limits::after(Duration::from_secs(5)), |_| panic!("a fault"));
    assert!(matches!(panicked, Err(JobError::Panicked(text)) if text == "a fault"));
    assert!(world.execute().ok);
    assert_eq!(world.texts(), ["executed"]);
}

#[test]
fn a_missing_environment_is_replaced_and_said() {
    if !in_own_process("python::scripts::a_missing_environment_is_replaced_and_said") {
        return;
    }
    let queue = Arc::new(OutputQueue::new(OutputQueueLimits::default()));
    let config = InterpreterConfig {
        venv: Some("/nowhere/venv".into()),
        engine: EngineChoice::Native,
        output: OutputSink::Queue(queue),
        redactor: Redactor::default(),
        hidden_variables: vec![],
        home: None,
        native: None,
    };
    let handle = Interpreter::start(config).unwrap();
    assert!(
        handle
            .info()
            .warnings
            .iter()
            .any(|warning| warning.contains("/nowhere/venv"))
    );
    assert!(handle.info().python.starts_with("3.11"));
    assert!(Path::new(&handle.info().executable).exists());
}
