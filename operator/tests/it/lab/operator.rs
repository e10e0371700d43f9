//! Operators as processes, with the rights that the chart gives them.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use super::{LONG, Lab, SITE, eventually};

impl Lab {
    /// `kubectl proxy` as the operator's account.
    pub fn proxy(&self) -> KubectlProxy {
        let mut child = self
            .tool("kubectl")
            .env("KUBECONFIG", self.operator_kubeconfig())
            .args(["proxy", "--port=0", "--accept-hosts=.*", "--disable-filter=true"])
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap())
            .read_line(&mut line)
            .unwrap();
        let port = line.trim().rsplit(':').next().and_then(|port| port.parse().ok());
        KubectlProxy {
            child,
            port: port.unwrap_or_else(|| panic!("kubectl proxy says {line:?}")),
        }
    }

    /// Path of a kubeconfig for plain HTTP on this port, without credentials.
    pub fn plain_kubeconfig(&self, name: &str, port: u16) -> PathBuf {
        let file = self.folder.join(format!("{name}.kubeconfig"));
        let text = format!(
            "apiVersion: v1\nkind: Config\ncurrent-context: c\nclusters: [{{name: c, cluster: {{server: \"http://127.0.0.1:{port}\"}}}}]\n\
             contexts: [{{name: c, context: {{cluster: c, user: u}}}}]\nusers: [{{name: u, user: {{}}}}]\n"
        );
        fs::write(&file, text).unwrap();
        file
    }

    /// Starts an operator with the settings of [`SITE`](super::SITE).
    pub fn operator(&self) -> Operator {
        self.operator_with("operator-0", &[])
    }

    /// Starts an operator under a name with further settings; an empty value removes one.
    pub fn operator_with(&self, name: &str, settings: &[(&str, &str)]) -> Operator {
        self.start_operator(&program(), name, settings)
    }

    /// As [`Self::operator_with`], with this build's program also if LIVE_DATA_OPERATOR names another.
    pub fn own_operator_with(&self, name: &str, settings: &[(&str, &str)]) -> Operator {
        self.start_operator(Path::new(env!("CARGO_BIN_EXE_live-data-operator")), name, settings)
    }

    fn start_operator(&self, program: &Path, name: &str, settings: &[(&str, &str)]) -> Operator {
        let mut command = Command::new(program);
        command.env_clear().env("KUBECONFIG", self.operator_kubeconfig());
        command.envs([
            ("POD_NAME", name),
            ("POD_NAMESPACE", "fia"),
            ("HTTP_ADDR", "127.0.0.1:0"),
        ]);
        command.envs([("RUST_LOG", "info"), ("LOG_FORMAT", "text")]).envs(SITE);
        for (name, value) in settings {
            if value.is_empty() {
                command.env_remove(name)
            } else {
                command.env(name, value)
            };
        }
        Operator::start(command)
    }
}

/// Process of `kubectl proxy`, ended on drop.
pub struct KubectlProxy {
    child: Child,
    pub port: u16,
}

impl KubectlProxy {
    pub fn end(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Drop for KubectlProxy {
    fn drop(&mut self) {
        self.end();
    }
}

/// Operator's program: the one in LIVE_DATA_OPERATOR, else this build's.
pub fn program() -> PathBuf {
    std::env::var_os("LIVE_DATA_OPERATOR")
        .map_or_else(|| env!("CARGO_BIN_EXE_live-data-operator").into(), PathBuf::from)
}

/// Process of an operator, with the lines of its log.
pub struct Operator {
    child: Child,
    pub log: Arc<Mutex<Vec<String>>>,
}

impl Operator {
    fn start(mut command: Command) -> Self {
        let mut child = command.stderr(Stdio::piped()).stdout(Stdio::null()).spawn().unwrap();
        let log = Arc::new(Mutex::new(Vec::new()));
        let stderr = BufReader::new(child.stderr.take().unwrap());
        let sink = log.clone();
        thread::spawn(move || {
            for line in stderr.lines().map_while(Result::ok) {
                sink.lock().unwrap().push(line);
            }
        });
        let operator = Self { child, log };
        operator.wait_log("serving");
        operator
    }

    pub fn wait_log(&self, text: &str) -> String {
        eventually(&format!("the operator logs {text:?}"), LONG, || {
            let log = self.log.lock().unwrap();
            log.iter()
                .find(|line| line.contains(text))
                .cloned()
                .ok_or_else(|| log.join("\n"))
        })
    }

    /// True if a line of the log so far contains `text`.
    pub fn logged(&self, text: &str) -> bool {
        self.log.lock().unwrap().iter().any(|line| line.contains(text))
    }

    pub fn page(&self, path: &str) -> Result<String, String> {
        let line = self.wait_log("serving");
        let address = line
            .split("address=")
            .nth(1)
            .unwrap()
            .split_whitespace()
            .next()
            .unwrap()
            .to_owned();
        crate::workers::http_get(&address, path)
    }

    pub fn wait_ready(&self) -> &Self {
        eventually("the operator is ready", LONG, || self.page("/readyz"));
        self
    }

    pub fn wait_leading(&self) -> &Self {
        self.wait_log("leading");
        self.wait_ready()
    }

    /// Memory of the process in MiB: a field of `/proc/PID/status`, such as `VmRSS`.
    pub fn memory(&self, field: &str) -> f64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let line = status.lines().find(|line| line.starts_with(field)).unwrap();
        line.split_whitespace().nth(1).unwrap().parse::<f64>().unwrap() / 1024.0
    }

    fn signal(&self, name: &str) {
        assert!(
            Command::new("kill")
                .arg(format!("-{name}"))
                .arg(self.child.id().to_string())
                .status()
                .unwrap()
                .success()
        );
    }

    /// Ends the process by SIGTERM; panics unless it exits with 0.
    pub fn stop(mut self) {
        self.signal("TERM");
        let status = self.child.wait().unwrap();
        assert!(
            status.success(),
            "the operator ended with {status}: {}",
            self.log.lock().unwrap().join("\n")
        );
    }

    pub fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

impl Drop for Operator {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        if thread::panicking() {
            let log = self.log.lock().unwrap_or_else(PoisonError::into_inner);
            let tail: Vec<_> = log.iter().rev().take(40).rev().cloned().collect();
            eprintln!("--- the operator's log ---\n{}", tail.join("\n"));
        }
    }
}
