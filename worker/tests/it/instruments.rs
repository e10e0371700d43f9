//! Reduction of simulated runs of real instruments: events are at the simulated positions, to the last event.
//!
//! The instrument definitions belong to the Mantid project and are not copied here; without them the tests print a note
//! and end.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::AtomicBool;

use clap::Parser;
use live_data_reduction::instrument::source::InstrumentFolders;
use live_data_worker::demo;
use live_data_worker::simulate::instrument::InstrumentLayout;
use live_data_worker::simulate::truth::Truth;
use live_data_worker::simulate::{SimulateArgs, simulate};

use crate::api::Api;
use crate::process::Settings;
use crate::stream::Counts;
use crate::{lab, nexus};

fn definitions() -> Option<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/instruments");
    if folder.is_dir() {
        return Some(folder);
    }
    println!(
        "{} is missing: reductions of real instruments are not tested",
        folder.display()
    );
    None
}

#[derive(Parser)]
struct Arguments {
    #[command(flatten)]
    simulate: SimulateArgs,
}

/// Sends one simulated run to the shared broker and returns the simulated truth.
fn send(layout: InstrumentLayout, more: &[&str]) -> Truth {
    let name = layout.name.clone();
    let common = [
        "simulate",
        "--instrument",
        &name,
        "--create-topics",
        "--full-speed",
        "--first-run",
        "501",
    ];
    let mut args = Arguments::parse_from(common.iter().chain(more)).simulate;
    args.kafka_bootstrap_servers = lab::kafka().value("KAFKA_BOOTSTRAP").to_owned();
    let (truth, _) = simulate(&args, Some(layout), &AtomicBool::new(false), |_, _| {}).unwrap();
    truth
}

/// Reduces the run with a script until its final execution.
fn reduce(instrument: &str, definitions: &Path, output: &Path, script: &str) {
    let api = Api::start(script);
    let settings = Settings::new(instrument, output, api.url()).with("INSTRUMENT_DIR", definitions.to_str().unwrap());
    let mut worker = settings.start();
    let report = worker.wait_completed("501");
    assert_eq!(report.script.last_error, None, "{}", worker.log());
    worker.stop();
}

/// Reduces the run with StartLiveData alone until its end; returns the saved file.
fn accumulate(instrument: &str, definitions: &Path, output: &Path, processing: &str) -> PathBuf {
    let api = Api::start("def execute():\n    raise RuntimeError('this script is not to be executed')\n");
    let mut worker = Settings::new(instrument, output, api.url())
        .with("INSTRUMENT_DIR", definitions.to_str().unwrap())
        .with("LIVE_PROCESSING_SCRIPT", processing)
        .with("LIVE_ACCUMULATION_METHOD", "Add")
        .with(
            "LIVE_POST_PROCESSING_SCRIPT",
            "SaveNexusProcessed(input, config['defaultsave.directory'] + '/live.nxs')\n",
        )
        .with("LIVE_FROM_START_OF_RUN", "true")
        .with("LIVE_UPDATE_EVERY", "0.3")
        .with("LIVE_ACCUMULATION_WORKSPACE", "all")
        .with("LIVE_OUTPUT_WORKSPACE", "out")
        .start();
    let report = worker.wait_completed("501");
    let error = report.monitors.first().and_then(|monitor| monitor.last_error.clone());
    assert_eq!(error, None, "{}", worker.log());
    let (_, log) = worker.stop();
    let file = output.join("live.nxs");
    assert!(file.exists(), "{log}");
    file
}

/// Edges and counts of the first spectrum of a processed file, read by h5py.
fn spectrum(path: &Path) -> (Vec<f64>, Vec<f64>) {
    let read = "import json, sys, h5py\nwith h5py.File(sys.argv[1]) as f:\n  w = f['mantid_workspace_1/workspace']\n  \
                print(json.dumps([w['axis1'][()].tolist(), w['values'][0].tolist()]))";
    let output = Command::new(lab::python())
        .args(["-c", read])
        .arg(path)
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

/// Script of a powder diffractometer: lattice spacing, focused into one spectrum and into two halves.
const POWDER: &str = r#"
from mantid.simpleapi import *

def execute():
    run = mtd["lives"]
    spacing = ConvertUnits(run, "dSpacing")
    spacing = Rebin(spacing, "0.2,0.002,5", PreserveEvents=True)
    powder = SumSpectra(spacing, IncludeMonitors=False)
    powder = ConvertToMatrixWorkspace(powder)
    folder = config["defaultsave.directory"]
    info = run.spectrumInfo()
    last = run.getNumberHistograms() - 1
    first = next(i for i in range(last) if not info.isMonitor(i))
    middle = (first + last) // 2
    halves = GroupDetectors(spacing, GroupingPattern=f"{first}-{middle},{middle + 1}-{last}")
    halves = Rebin(halves, "0.2,0.002,5", PreserveEvents=False)
    SaveNexusProcessed(halves, folder + "/halves.nxs")
    SaveNexusProcessed(powder, folder + "/powder.nxs")
"#;

#[test]
fn a_powder_reduction_of_wish_has_its_peaks_where_they_were_put() {
    let Some(definitions) = definitions() else { return };
    let layout = demo::layout("WISH", &InstrumentFolders::new(vec![definitions.clone()])).unwrap();
    let scattered: Vec<bool> = layout.pixels.iter().map(|pixel| !pixel.monitor).collect();
    // 10 pulses a second: at 42 m the slowest neutrons arrive within one frame.
    let stream = [
        "--schema",
        "ev44+pu00",
        "--rate",
        "40000",
        "--pulse-rate",
        "10",
        "--run-seconds",
        "8",
        "--no-map",
    ];
    let truth = send(layout, &stream);
    let produced: u64 = truth.runs[0]
        .counts()
        .iter()
        .zip(scattered)
        .filter(|(_, s)| *s)
        .map(|(count, _)| count)
        .sum();
    assert!(produced > 200_000, "{produced}");
    let output = tempfile::tempdir().unwrap();
    reduce("WISH", &definitions, output.path(), POWDER);

    let (edges, counts) = spectrum(&output.path().join("powder.nxs"));
    assert_eq!(
        counts.iter().sum::<f64>(),
        produced as f64,
        "every scattered event, once"
    );
    let near = |at: f64, half: f64| -> Vec<(f64, f64)> {
        let centres = edges.windows(2).map(|pair| (pair[0] + pair[1]) / 2.0);
        centres
            .zip(&counts)
            .filter(|(d, _)| (d - at).abs() < half)
            .map(|(d, count)| (d, *count))
            .collect()
    };
    let total = |bins: &[(f64, f64)]| bins.iter().map(|(_, count)| count).sum::<f64>();
    // Reflections of silicon, each 0.4 % wide.
    for reflection in [3.1355, 1.9201, 1.6375] {
        let peak = near(reflection, 0.01 * reflection);
        let centre = peak.iter().map(|(d, count)| d * count).sum::<f64>() / total(&peak);
        assert!(
            (centre - reflection).abs() < 0.0005 * reflection,
            "{centre} is not {reflection}"
        );
        let beside = near(reflection * 1.05, 0.01 * reflection);
        assert!(
            total(&peak) > 10.0 * total(&beside),
            "{} and {}",
            total(&peak),
            total(&beside)
        );
    }
    let other = tempfile::tempdir().unwrap();
    let live = accumulate("WISH", &definitions, other.path(), POWDER_OF_A_PORTION);
    assert_eq!(
        spectrum(&live),
        (edges.clone(), counts.clone()),
        "live data processing gives the same"
    );

    let halves = nexus::read(&output.path().join("halves.nxs"));
    assert_eq!(
        (halves.sums.len(), halves.sums.iter().sum::<f64>()),
        (2, produced as f64)
    );
    assert!(
        halves.sums.iter().all(|half| *half > 0.3 * produced as f64),
        "{:?}",
        halves.sums
    );
}

/// [`POWDER`] for each chunk of live data.
const POWDER_OF_A_PORTION: &str = r#"
spacing = ConvertUnits(input, "dSpacing", OutputWorkspace="spacing")
spacing = Rebin(spacing, "0.2,0.002,5", PreserveEvents=True, OutputWorkspace="spacing")
powder = SumSpectra(spacing, IncludeMonitors=False, OutputWorkspace="powder")
output = ConvertToMatrixWorkspace(powder)
"#;

/// Script of a spectrometer: time of flight of each spectrum of the run's map and of the monitors.
const SPECTROMETER: &str = r#"
from mantid.simpleapi import *

def execute():
    run = mtd["lives"]
    folder = config["defaultsave.directory"]
    times = Rebin(run, "0,20000,20000", PreserveEvents=False)
    SaveNexusProcessed(times, folder + "/times.nxs")
    detectors = ExtractSpectra(run, EndWorkspaceIndex=69631)
    whole = SumSpectra(detectors)
    whole = Rebin(whole, "0,50,20000", PreserveEvents=False)
    SaveNexusProcessed(whole, folder + "/whole.nxs")
"#;

/// MERLIN's map: 69,632 spectra of 143,360 pixels, followed by the monitors.
fn with_map(mut layout: InstrumentLayout) -> InstrumentLayout {
    const SPECTRA: i32 = 69_632;
    let (mut pixel, mut monitor) = (0, 0);
    for one in &mut layout.pixels {
        one.spectrum = if one.monitor {
            monitor += 1;
            SPECTRA + monitor
        } else {
            pixel += 1;
            // Pixels of one spectrum are far apart, so that ignoring the map changes the counts.
            1 + (pixel - 1) % SPECTRA
        };
    }
    layout
}

#[test]
fn a_reduction_of_merlin_follows_its_detector_map() {
    let Some(definitions) = definitions() else { return };
    let layout = with_map(demo::layout("MERLIN", &InstrumentFolders::new(vec![definitions.clone()])).unwrap());
    let pixels = layout.pixels.clone();
    let truth = send(layout, &["--rate", "60000", "--run-seconds", "6"]);
    let mut wanted = Counts::new();
    for (pixel, count) in pixels.iter().zip(truth.runs[0].counts()) {
        if count > 0 {
            *wanted.entry(pixel.spectrum).or_default() += count;
        }
    }
    let output = tempfile::tempdir().unwrap();
    reduce("MERLIN", &definitions, output.path(), SPECTROMETER);

    let file = nexus::read(&output.path().join("times.nxs"));
    assert_eq!(file.spectra.len(), 69_641);
    assert_eq!(file.counts(), wanted);
    let other = tempfile::tempdir().unwrap();
    let portion = "output = Rebin(input, '0,20000,20000', PreserveEvents=False)\n";
    let live = accumulate("MERLIN", &definitions, other.path(), portion);
    assert_eq!(
        nexus::read(&live).counts(),
        wanted,
        "live data processing gives the same"
    );
    let (_, counts) = spectrum(&output.path().join("whole.nxs"));
    let monitors: BTreeMap<&i32, &u64> = wanted.iter().filter(|(spectrum, _)| **spectrum > 69_632).collect();
    assert_eq!(monitors.len(), 9, "{monitors:?}");
    let scattered = wanted.values().sum::<u64>() - monitors.values().copied().sum::<u64>();
    assert_eq!(counts.iter().sum::<f64>(), scattered as f64);
}
