//! Full output volume: the script's error names it, no partial file appears, and writing succeeds once there is space.

use std::process::Command;

use crate::api::Api;
use crate::process::Settings;
use crate::stream::{Instrument, Run, SECOND, Schema, now, pulses};

/// Small tmpfs volume, unmounted when dropped.
struct Volume(tempfile::TempDir);

impl Volume {
    fn mount(size: &str) -> Volume {
        let folder = tempfile::tempdir().unwrap();
        let mounted = Command::new("mount")
            .args(["-t", "tmpfs", "-o", &format!("size={size}"), "tmpfs"])
            .arg(folder.path())
            .output()
            .unwrap();
        let words = String::from_utf8_lossy(&mounted.stderr);
        assert!(
            mounted.status.success(),
            "this test mounts a small volume, which needs root: {words}"
        );
        Volume(folder)
    }

    fn resize(&self, size: &str) {
        let options = format!("remount,size={size}");
        let resized = Command::new("mount")
            .args(["-o", &options])
            .arg(self.0.path())
            .status()
            .unwrap();
        assert!(resized.success());
    }
}

impl Drop for Volume {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(self.0.path()).status();
    }
}

#[test]
fn a_full_volume_is_said_and_leaves_no_partial_file() {
    let script = r#"
from mantid.simpleapi import *

def execute():
    fine = Rebin(mtd["lives"], "0,1,20000", PreserveEvents=False)
    SaveNexusProcessed(fine, config["defaultsave.directory"] + "/fine.nxs")
"#;
    let mut instrument = Instrument::new("itfulldisk", Schema::Ev42, 1);
    let volume = Volume::mount("2m");
    let api = Api::start(script);
    let base = now() / SECOND * SECOND - 10 * SECOND;
    instrument.start_run(&Run::new(902, base, base + 3600 * SECOND));
    for time in pulses(base, base + SECOND) {
        instrument.pulse(time, 20);
    }
    instrument.flush();
    let mut worker = Settings::new(&instrument.name, volume.0.path(), api.url()).start();
    let report = worker.wait("the failure in words", |report| report.script.last_error.is_some());
    let error = report.script.last_error.unwrap();
    assert!(error.contains("fine.nxs") && error.contains("No space left"), "{error}");
    let visible = || {
        let names = std::fs::read_dir(volume.0.path())
            .unwrap()
            .map(|e| e.unwrap().file_name().into_string().unwrap());
        names.filter(|name| !name.starts_with('.')).collect::<Vec<_>>()
    };
    assert_eq!(visible(), Vec::<String>::new());
    volume.resize("200m");
    worker.wait("a whole file", |report| {
        report.script.last_error.is_none() && report.script.runs > 0
    });
    assert_eq!(visible(), ["fine.nxs"]);
    worker.stop();
}
