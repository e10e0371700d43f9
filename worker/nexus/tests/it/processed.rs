//! Processed files: layout as h5py reads it, round trip, appending, and errors.

use std::ops::Range;
use std::path::{Path, PathBuf};
use std::process::Command;

use live_data_nexus::*;
use serde_json::Value;

/// Python with h5py: `LIVE_DATA_TEST_PYTHON`, or the cached environment of the project.
fn python() -> PathBuf {
    if let Some(python) = std::env::var_os("LIVE_DATA_TEST_PYTHON") {
        return python.into();
    }
    let cache = std::env::var_os("LIVE_DATA_CACHE")
        .map(PathBuf::from)
        .unwrap_or_else(|| PathBuf::from(std::env::var_os("HOME").unwrap_or_default()).join(".cache/live-data"));
    let python = cache.join("py/bin/python");
    assert!(
        python.exists(),
        "{} is missing: these tests need a Python with h5py and numpy; make one with `python3 -m venv {1}/py && \
         {1}/py/bin/pip install h5py numpy`, or name one in LIVE_DATA_TEST_PYTHON",
        python.display(),
        cache.display()
    );
    python
}

/// Script that prints a file as JSON: path → {attrs, attr_types, dtype, shape, value, compression}.
const DUMP: &str = r#"
import h5py, json, sys, numpy as np
def plain(v):
    if isinstance(v, bytes): return v.decode()
    if isinstance(v, np.ndarray): return [plain(x) for x in v.tolist()]
    if isinstance(v, np.generic): return plain(v.item())
    if isinstance(v, list): return [plain(x) for x in v]
    if isinstance(v, float) and v != v: return "nan"
    return v
out = {}
with h5py.File(sys.argv[1], "r") as f:
    out["/"] = {"attrs": {k: plain(v) for k, v in f.attrs.items()}}
    def visit(name, o):
        d = {"attrs": {k: plain(v) for k, v in o.attrs.items()}, "attr_types": {k: o.attrs.get_id(k).dtype.str for k in o.attrs}}
        if isinstance(o, h5py.Dataset):
            d.update(dtype=o.dtype.str, shape=list(o.shape), value=plain(o[()]), compression=o.compression)
        out[name] = d
    f.visititems(visit)
print(json.dumps(out))
"#;

fn dump(path: &Path) -> Value {
    let output = Command::new(python())
        .arg("-c")
        .arg(DUMP)
        .arg(path)
        .output()
        .expect("python starts");
    assert!(
        output.status.success(),
        "h5py could not read the file: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    serde_json::from_slice(&output.stdout).unwrap()
}

/// Rows whose values count up from 0 over the whole table.
struct Ramp {
    rows: usize,
    bins: usize,
}

impl RowSource for Ramp {
    fn rows(&self) -> usize {
        self.rows
    }
    fn bins(&self) -> usize {
        self.bins
    }
    fn fill(&self, rows: Range<usize>, values: &mut [f64], errors: &mut [f64]) -> Result<(), SourceError> {
        assert_eq!(values.len(), rows.len() * self.bins);
        for (index, cell) in (rows.start * self.bins..rows.end * self.bins).enumerate() {
            values[index] = cell as f64;
            errors[index] = (cell as f64).sqrt();
        }
        Ok(())
    }
    fn fill_x(&self, rows: Range<usize>, x: &mut [f64]) -> Result<(), SourceError> {
        for (row, x) in rows.zip(x.chunks_mut(self.bins + 1)) {
            x.iter_mut()
                .enumerate()
                .for_each(|(edge, x)| *x = row as f64 + edge as f64 * 0.5);
        }
        Ok(())
    }
}

/// Source that fails at the first block.
struct Failing;

impl RowSource for Failing {
    fn rows(&self) -> usize {
        2
    }
    fn bins(&self) -> usize {
        3
    }
    fn fill(&self, _: Range<usize>, _: &mut [f64], _: &mut [f64]) -> Result<(), SourceError> {
        Err(SourceError("the computation was cancelled".to_owned()))
    }
}

/// Row `i` has `counts[i]` events.
struct Counted {
    counts: Vec<u64>,
    weighted: bool,
}

impl EventSource for Counted {
    fn counts(&self) -> &[u64] {
        &self.counts
    }
    fn has_pulse_times(&self) -> bool {
        true
    }
    fn is_weighted(&self) -> bool {
        self.weighted
    }
    fn events(&self, rows: Range<usize>) -> Result<EventBlock, SourceError> {
        let mut block = EventBlock::default();
        for row in rows {
            for event in 0..self.counts[row] {
                block.x.push(row as f64 * 1000.0 + event as f64);
                block
                    .pulse_time
                    .push(1_100_000_000_000_000_000 + event as i64 * 20_000_000);
                if self.weighted {
                    block.weight.push(0.5);
                    block.error_squared.push(0.25);
                }
            }
        }
        Ok(block)
    }
}

fn entry<'a>(name: &str, data: EntryData<'a>) -> ProcessedEntry<'a> {
    let rows = match &data {
        EntryData::Matrix { rows, .. } => rows.rows(),
        EntryData::Events { events, .. } => events.counts().len(),
    };
    let series = |seconds| {
        Some(LogTimes {
            start: "2024-11-05T12:00:00".to_owned(),
            seconds,
        })
    };
    let log = |name: &str, units: &str, values, times| NxLog {
        name: name.into(),
        units: units.into(),
        values,
        times,
    };
    ProcessedEntry {
        title: "Vanadium, 50 meV – Å".into(),
        workspace_name: name.into(),
        data,
        x_unit: AxisUnit {
            units: "TOF".into(),
            ..AxisUnit::default()
        },
        y_unit: "Counts".into(),
        y_label: "Counts per microAmp.hour".into(),
        distribution: false,
        vertical_axis: VerticalAxis::SpectraNumber,
        spectra: Spectra {
            numbers: (1..=rows as i32).collect(),
            detector_counts: vec![2; rows],
            detectors: (100..100 + 2 * rows as i32).collect(),
            positions: (0..2 * rows).map(|index| [2.5, index as f64, 90.0]).collect(),
        },
        masked_bins: vec![
            BinMask {
                row: 0,
                bin: 1,
                weight: 1.0,
            },
            BinMask {
                row: 0,
                bin: 2,
                weight: 0.5,
            },
            BinMask {
                row: 1,
                bin: 0,
                weight: 1.0,
            },
        ],
        instrument: Instrument {
            name: "DEMO".into(),
            xml: Some("<instrument name=\"DEMO\"/>\n".repeat(100_000)),
            parameter_map: "detID:7;bool;masked;1;visible:true|".into(),
            detectors: vec![PhysicalDetector {
                id: 100,
                azimuthal: 90.0,
                polar: 30.0,
                distance: 2.5,
            }],
            monitors: vec![PhysicalDetector {
                id: 1,
                azimuthal: 0.0,
                polar: 180.0,
                distance: 3.0,
            }],
        },
        sample: Sample {
            name: "vanadium".into(),
            thickness: 1.5,
            ..Sample::default()
        },
        logs: vec![
            log("Temp", "K", LogValues::Float(vec![1.5, 2.5]), series(vec![0.0, 1.25])),
            log("count", "", LogValues::Int(vec![7]), None),
            log("big", "", LogValues::Long(vec![1 << 40]), series(vec![3.0])),
            log(
                "shutter",
                "",
                LogValues::Bool(vec![true, false]),
                series(vec![0.0, 9.0]),
            ),
            log(
                "mode",
                "",
                LogValues::Text(vec!["on".into(), "standby".into()]),
                series(vec![0.0, 2.0]),
            ),
            log(
                "run_start",
                "",
                LogValues::Text(vec!["2024-11-05T12:00:00".into()]),
                None,
            ),
            log("IN:DEMO/slash", "mm", LogValues::Float(vec![4.0]), None),
            log("empty", "", LogValues::Float(Vec::new()), series(Vec::new())),
        ],
        history: History {
            environment: NxNote {
                author: "live-data".into(),
                date: "2024-11-05T12:10:00".into(),
                ..NxNote::default()
            },
            algorithms: vec![NxNote {
                author: "live-data".into(),
                date: "2024-11-05T12:11:00".into(),
                description: "Rebin history".into(),
                data: "Algorithm: Rebin v1\nParams: 2".into(),
            }],
        },
    }
}

fn matrix(rows: &Ramp) -> EntryData<'_> {
    EntryData::Matrix {
        x: XValues::Common((0..=rows.bins).map(|edge| edge as f64 * 2.0).collect()),
        rows,
    }
}

#[test]
fn h5py_reads_the_layout_of_processed_files() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("first.nxs");
    let ramp = Ramp { rows: 3, bins: 4 };
    let events = Counted {
        counts: vec![2, 0, 3],
        weighted: true,
    };
    let second = EntryData::Events {
        x: vec![0.0, 5000.0],
        per_row: None,
        events: &events,
    };
    write_to(
        &path,
        &[entry("lives", matrix(&ramp)), entry("events", second)],
        WriteOptions::default(),
    )
    .unwrap();
    let file = dump(&path);
    let at = |name: &str| &file[format!("mantid_workspace_1/{name}")];
    let of = |name: &str| &file[format!("mantid_workspace_2/{name}")];

    assert_eq!(file["/"]["attrs"]["file_name"], "first.nxs");
    for (path, class) in [
        ("mantid_workspace_1", "NXentry"),
        ("mantid_workspace_1/instrument", "NXinstrument"),
        ("mantid_workspace_1/instrument/instrument_xml", "NXnote"),
        ("mantid_workspace_1/instrument/instrument_parameter_map", "NXnote"),
        ("mantid_workspace_1/instrument/physical_detectors", "NXdetector"),
        ("mantid_workspace_1/instrument/physical_monitors", "NXmonitor"),
        ("mantid_workspace_1/instrument/detector", "NXdetector"),
        ("mantid_workspace_1/sample", "NXsample"),
        ("mantid_workspace_1/logs", "NXgroup"),
        ("mantid_workspace_1/logs/Temp", "NXlog"),
        ("mantid_workspace_1/workspace", "NXdata"),
        ("mantid_workspace_1/process", "NXprocess"),
        ("mantid_workspace_1/process/MantidEnvironment", "NXnote"),
        ("mantid_workspace_1/process/MantidAlgorithm_1", "NXnote"),
        ("mantid_workspace_2/event_workspace", "NXdata"),
    ] {
        assert_eq!(file[path]["attrs"]["NX_class"], class, "{path}");
    }
    assert_eq!(at("title")["value"][0], "Vanadium, 50 meV – Å");
    assert_eq!(at("workspace_name")["value"][0], "lives");
    assert_eq!(at("definition")["value"][0], "Mantid Processed Workspace");
    assert_eq!(at("definition")["attrs"]["Version"], "1.0");
    assert!(
        at("definition_local")["attrs"]["URL"]
            .as_str()
            .unwrap()
            .contains("IXmantid")
    );

    let values = at("workspace/values");
    assert_eq!(
        (&values["dtype"], &values["shape"]),
        (&"<f8".into(), &serde_json::json!([3, 4]))
    );
    assert_eq!(values["value"][2], serde_json::json!([8.0, 9.0, 10.0, 11.0]));
    assert_eq!(values["attrs"]["signal"], 1);
    assert_eq!(values["attr_types"]["signal"], "<i4");
    assert_eq!(values["attrs"]["axes"], "axis2,axis1");
    assert_eq!(values["attrs"]["units"], "Counts");
    assert_eq!(values["attrs"]["unit_label"], "Counts per microAmp.hour");
    assert_eq!(at("workspace/errors")["value"][1][0], 2.0);
    assert_eq!(
        at("workspace/axis1")["value"],
        serde_json::json!([0.0, 2.0, 4.0, 6.0, 8.0])
    );
    assert_eq!(at("workspace/axis1")["attrs"]["units"], "TOF");
    assert_eq!(at("workspace/axis1")["attrs"]["distribution"], "0");
    assert_eq!(at("workspace/axis2")["value"], serde_json::json!([1.0, 2.0, 3.0]));
    assert_eq!(at("workspace/axis2")["attrs"]["units"], "spectraNumber");
    assert_eq!(
        at("workspace/masked_spectra")["value"],
        serde_json::json!([[0, 0], [1, 2]])
    );
    assert_eq!(at("workspace/masked_spectra")["dtype"], "<i4");
    assert_eq!(at("workspace/masked_bins")["value"], serde_json::json!([1, 2, 0]));
    assert_eq!(at("workspace/masked_bins")["dtype"], "<u8");
    assert_eq!(
        at("workspace/mask_weights")["value"],
        serde_json::json!([1.0, 0.5, 1.0])
    );

    assert_eq!(at("instrument")["attrs"]["version"], 1);
    assert_eq!(at("instrument/name")["value"][0], "DEMO");
    assert_eq!(
        at("instrument/instrument_xml/data")["value"][0].as_str().unwrap().len(),
        2_600_000
    );
    assert_eq!(at("instrument/instrument_xml/type")["value"][0], "text/xml");
    assert!(
        at("instrument/instrument_parameter_map/data")["value"][0]
            .as_str()
            .unwrap()
            .contains("masked")
    );
    assert_eq!(
        at("instrument/detector/detector_index")["value"],
        serde_json::json!([0, 2, 4])
    );
    assert_eq!(
        at("instrument/detector/detector_count")["value"],
        serde_json::json!([2, 2, 2])
    );
    assert_eq!(
        at("instrument/detector/detector_list")["value"],
        serde_json::json!([100, 101, 102, 103, 104, 105])
    );
    assert_eq!(at("instrument/detector/detector_list")["dtype"], "<i4");
    assert_eq!(at("instrument/detector/spectra")["value"], serde_json::json!([1, 2, 3]));
    assert_eq!(
        at("instrument/detector/detector_positions")["value"][5],
        serde_json::json!([2.5, 5.0, 90.0])
    );
    assert_eq!(at("instrument/physical_detectors/number_of_detectors")["value"][0], 1);
    assert_eq!(
        at("instrument/physical_detectors/polar_angle")["attrs"]["units"],
        "degree"
    );
    assert_eq!(at("instrument/physical_detectors/distance")["attrs"]["units"], "metre");
    assert_eq!(at("instrument/physical_monitors/number_of_monitors")["value"][0], 1);
    assert_eq!(at("instrument/physical_monitors/detector_number")["value"][0], 1);

    assert_eq!(at("sample")["attrs"]["name"], "vanadium");
    assert_eq!(at("sample/geom_thickness")["value"][0], 1.5);
    assert_eq!(at("sample/num_other_samples")["value"][0], 0);

    assert_eq!(at("logs/Temp/value")["value"], serde_json::json!([1.5, 2.5]));
    assert_eq!(at("logs/Temp/value")["attrs"]["units"], "K");
    assert_eq!(at("logs/Temp/time")["value"], serde_json::json!([0.0, 1.25]));
    assert_eq!(at("logs/Temp/time")["attrs"]["start"], "2024-11-05T12:00:00");
    assert_eq!(at("logs/shutter/value")["dtype"], "|u1");
    assert_eq!(at("logs/shutter/value")["attrs"]["boolean"], "1");
    assert_eq!(at("logs/shutter/value")["value"], serde_json::json!([1, 0]));
    assert_eq!(at("logs/mode/value")["dtype"], "|S8", "one more than the longest word");
    assert_eq!(at("logs/mode/value")["value"], serde_json::json!([["on"], ["standby"]]));
    assert_eq!(at("logs/run_start/value")["value"][0], "2024-11-05T12:00:00");
    assert_eq!(at("logs/count/value")["dtype"], "<i4");
    assert_eq!(at("logs/big/value")["value"][0], 1_i64 << 40);
    assert_eq!(at("logs/IN:DEMO_slash/value")["value"][0], 4.0);
    assert!(at("logs/empty").is_null(), "a series without values is left out");

    assert_eq!(
        at("process/MantidAlgorithm_1/author")["attrs"]["date"],
        "2024-11-05T12:11:00"
    );
    assert!(
        at("process/MantidAlgorithm_1/data")["value"][0]
            .as_str()
            .unwrap()
            .contains("Params")
    );

    assert_eq!(of("event_workspace/indices")["value"], serde_json::json!([0, 2, 2, 5]));
    assert_eq!(of("event_workspace/indices")["dtype"], "<i8");
    assert_eq!(
        of("event_workspace/indices")["attrs"]["unit_label"],
        "Counts per microAmp.hour"
    );
    assert_eq!(
        of("event_workspace/tof")["value"],
        serde_json::json!([0.0, 1.0, 2000.0, 2001.0, 2002.0])
    );
    assert_eq!(
        of("event_workspace/pulsetime")["value"][4],
        1_100_000_000_040_000_000_i64
    );
    assert_eq!(of("event_workspace/weight")["dtype"], "<f4");
    assert_eq!(of("event_workspace/error_squared")["value"][0], 0.25);
    assert!(of("workspace").is_null());
}

#[test]
fn what_is_written_is_read_back() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("back.nxs");
    let ramp = Ramp { rows: 3, bins: 4 };
    let ragged = EntryData::Matrix {
        x: XValues::PerRow(5),
        rows: &ramp,
    };
    let events = Counted {
        counts: vec![2, 0, 3],
        weighted: false,
    };
    let plain = EntryData::Events {
        x: vec![0.0, 5000.0],
        per_row: None,
        events: &events,
    };
    let mut first = entry("ragged", ragged);
    first.vertical_axis = VerticalAxis::Text(vec!["a".into(), "b c".into(), String::new()]);
    first.distribution = true;
    write_to(&path, &[first, entry("plain", plain)], WriteOptions::default()).unwrap();
    let reader = ProcessedReader::open(&path).unwrap();
    assert_eq!(reader.entries(), 2);
    let (first, second) = (reader.entry(1).unwrap(), reader.entry(2).unwrap());

    let LoadedData::Matrix(matrix) = &first.data else {
        panic!("a table became events")
    };
    assert_eq!((matrix.rows, matrix.bins), (3, 4));
    assert_eq!(matrix.values, (0..12).map(f64::from).collect::<Vec<_>>());
    assert_eq!(matrix.errors[9], 3.0);
    assert_eq!(
        (first.x_per_row, first.x[5..10].to_vec()),
        (Some(5), vec![1.0, 1.5, 2.0, 2.5, 3.0])
    );
    assert_eq!(first.vertical_axis.texts, ["a", "b c", ""]);
    assert!(first.distribution && !second.distribution);

    let description = entry(
        "plain",
        EntryData::Matrix {
            x: XValues::PerRow(5),
            rows: &ramp,
        },
    );
    assert_eq!(second.title, description.title);
    assert_eq!(second.workspace_name, "plain");
    assert_eq!(second.instrument_xml, description.instrument.xml);
    assert_eq!(second.parameter_map, description.instrument.parameter_map);
    assert_eq!(second.spectra.detectors, description.spectra.detectors);
    assert_eq!(second.spectra.positions, description.spectra.positions);
    assert_eq!(second.masked_bins, description.masked_bins);
    assert_eq!(
        (
            second.vertical_axis.units.as_str(),
            second.vertical_axis.values.as_slice()
        ),
        ("spectraNumber", &[1.0, 2.0, 3.0][..])
    );
    assert_eq!(second.history, description.history.algorithms);
    assert_eq!(second.sample, "vanadium");
    for log in description.logs.iter().filter(|log| !log.values.is_empty()) {
        let name = log.name.replace('/', "_");
        let read = second
            .logs
            .iter()
            .find(|read| read.name == name)
            .unwrap_or_else(|| panic!("{name} is missing"));
        assert_eq!(
            (&read.units, &read.values, &read.times),
            (&log.units, &log.values, &log.times)
        );
    }
    let LoadedData::Events(read) = &second.data else {
        panic!("events became a table")
    };
    assert_eq!(read.offsets, [0, 2, 2, 5]);
    assert_eq!(read.x, [0.0, 1.0, 2000.0, 2001.0, 2002.0]);
    assert_eq!(read.pulse_time.as_ref().unwrap()[1], 1_100_000_000_020_000_000);
    assert!(read.weights.is_none());
}

#[test]
fn large_tables_are_streamed_and_compression_changes_no_number() {
    let folder = tempfile::tempdir().unwrap();
    // Several blocks of rows, the last one short.
    let ramp = Ramp { rows: 2500, bins: 1000 };
    let events = Counted {
        counts: (0..1500).map(|row| row % 2000).collect(),
        weighted: true,
    };
    for compress in [false, true] {
        let path = folder.path().join(format!("large-{compress}.nxs"));
        let second = EntryData::Events {
            x: vec![0.0, 5000.0],
            per_row: None,
            events: &events,
        };
        write_to(
            &path,
            &[entry("table", matrix(&ramp)), entry("events", second)],
            WriteOptions { compress },
        )
        .unwrap();
        let reader = ProcessedReader::open(&path).unwrap();
        let LoadedData::Matrix(matrix) = reader.entry(1).unwrap().data else {
            panic!("a table became events")
        };
        assert!(
            matrix
                .values
                .iter()
                .enumerate()
                .all(|(cell, value)| *value == cell as f64)
        );
        let LoadedData::Events(read) = reader.entry(2).unwrap().data else {
            panic!("events became a table")
        };
        let expected: u64 = events.counts.iter().sum();
        assert_eq!(*read.offsets.last().unwrap(), expected);
        assert_eq!(*read.x.last().unwrap(), 1499.0 * 1000.0 + 1498.0);
        assert!(read.weights.unwrap().weight.iter().all(|weight| *weight == 0.5));
    }
    let size = |name: &str| std::fs::metadata(folder.path().join(name)).unwrap().len();
    assert!(size("large-true.nxs") < size("large-false.nxs") / 2);
}

#[test]
fn entries_are_appended_to_what_is_there() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("append.nxs");
    let ramp = Ramp { rows: 2, bins: 3 };
    for number in 1..=3 {
        assert_eq!(
            append_to(
                &path,
                &entry(&format!("ws{number}"), matrix(&ramp)),
                WriteOptions::default()
            )
            .unwrap(),
            number
        );
    }
    let reader = ProcessedReader::open(&path).unwrap();
    assert_eq!(reader.entries(), 3);
    assert_eq!(reader.entry(3).unwrap().workspace_name, "ws3");
    assert!(matches!(
        reader.entry(4),
        Err(NexusError::NotProcessed { number: 4, .. })
    ));
    drop(reader);
    write_to(&path, &[entry("alone", matrix(&ramp))], WriteOptions::default()).unwrap();
    assert_eq!(
        ProcessedReader::open(&path).unwrap().entries(),
        1,
        "writing replaces what was there"
    );
}

#[test]
fn empty_workspaces_are_files_too() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("empty.nxs");
    let nothing = Ramp { rows: 0, bins: 3 };
    let events = Counted {
        counts: vec![0, 0],
        weighted: false,
    };
    let second = EntryData::Events {
        x: vec![0.0, 1.0],
        per_row: None,
        events: &events,
    };
    let mut first = entry("none", matrix(&nothing));
    first.masked_bins.clear();
    write_to(
        &path,
        &[first, entry("no events", second)],
        WriteOptions { compress: true },
    )
    .unwrap();
    let reader = ProcessedReader::open(&path).unwrap();
    let LoadedData::Matrix(matrix) = reader.entry(1).unwrap().data else {
        panic!("a table became events")
    };
    assert_eq!((matrix.rows, matrix.values.len()), (0, 0));
    let LoadedData::Events(read) = reader.entry(2).unwrap().data else {
        panic!("events became a table")
    };
    assert_eq!((read.offsets, read.x.len()), (vec![0, 0, 0], 0));
    assert!(dump(&path)["mantid_workspace_2/event_workspace/tof"]["shape"][0] == 0);
}

#[test]
fn failures_are_reported() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("wrong.nxs");
    let ramp = Ramp { rows: 2, bins: 3 };
    let mut short = entry("short", matrix(&ramp));
    short.spectra.numbers.pop();
    let error = write_to(&path, &[short], WriteOptions::default()).unwrap_err();
    assert!(
        matches!(
            error,
            NexusError::LengthMismatch {
                found: 1,
                expected: 2,
                ..
            }
        ),
        "{error}"
    );
    assert!(!path.exists(), "a description that contradicts itself leaves no file");

    let failing = EntryData::Matrix {
        x: XValues::Common(vec![0.0, 1.0, 2.0, 3.0]),
        rows: &Failing,
    };
    let error = write_to(&path, &[entry("failing", failing)], WriteOptions::default()).unwrap_err();
    assert!(error.to_string().contains("cancelled"), "{error}");

    let missing = folder.path().join("no/such/folder/file.nxs");
    let error = write_to(&missing, &[entry("lost", matrix(&ramp))], WriteOptions::default()).unwrap_err();
    assert!(
        matches!(error, NexusError::Open { .. }) && error.to_string().contains("no/such/folder"),
        "{error}"
    );

    let text = folder.path().join("text.nxs");
    std::fs::write(&text, "not HDF5 at all").unwrap();
    assert!(matches!(ProcessedReader::open(&text), Err(NexusError::Open { .. })));
    assert!(matches!(ProcessedReader::open(&missing), Err(NexusError::Open { .. })));

    let foreign = folder.path().join("foreign.nxs");
    let script = "import h5py,sys\nwith h5py.File(sys.argv[1],'w') as f: f['x']=1";
    assert!(
        Command::new(python())
            .arg("-c")
            .arg(script)
            .arg(&foreign)
            .status()
            .unwrap()
            .success()
    );
    let error = ProcessedReader::open(&foreign).unwrap_err();
    assert!(matches!(error, NexusError::NotProcessed { number: 1, .. }), "{error}");
}

#[test]
fn files_of_others_with_other_strings_and_broken_events_are_handled() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("theirs.nxs");
    let script = r#"
import h5py, sys, numpy as np
with h5py.File(sys.argv[1], "w") as f:
    for n, indices in ((1, [0, 2, 3]), (2, [0, 5, 3])):
        e = f.create_group(f"mantid_workspace_{n}")
        e["title"] = "variable length – text"
        w = e.create_group("event_workspace")
        w["axis1"] = [0.0, 10.0]
        w["axis1"].attrs["units"] = "dSpacing"
        w["tof"] = [1.0, 2.0, 3.0]
        w["indices"] = np.array(indices, dtype="int64")
        l = e.create_group("logs/odd")
        l["value"] = np.array([(1, 2.0)], dtype=[("a", "i4"), ("b", "f8")])
        l = e.create_group("logs/short")
        l["value"] = np.array([1, 2], dtype="int16")
        l["time"] = [0.0]
"#;
    assert!(
        Command::new(python())
            .arg("-c")
            .arg(script)
            .arg(&path)
            .status()
            .unwrap()
            .success()
    );
    let reader = ProcessedReader::open(&path).unwrap();
    let entry = reader.entry(1).unwrap();
    assert_eq!(entry.title, "variable length – text");
    assert_eq!(entry.x_unit.units, "dSpacing");
    assert_eq!(entry.unknown_logs, ["odd"]);
    assert_eq!(entry.logs[0].values, LogValues::Int(vec![1, 2]));
    assert!(
        entry.logs[0].times.is_none(),
        "times that do not fit the values are not taken"
    );
    let error = reader.entry(2).unwrap_err();
    assert!(error.to_string().contains("index 5"), "{error}");
}

#[test]
fn several_threads_write_at_once() {
    let folder = tempfile::tempdir().unwrap();
    std::thread::scope(|scope| {
        for number in 0..4 {
            let path = folder.path().join(format!("{number}.nxs"));
            scope.spawn(move || {
                let ramp = Ramp { rows: 300, bins: 200 };
                for _ in 0..5 {
                    write_to(&path, &[entry("threads", matrix(&ramp))], WriteOptions::default()).unwrap();
                    let read = ProcessedReader::open(&path).unwrap().entry(1).unwrap();
                    assert!(matches!(read.data, LoadedData::Matrix(matrix) if matrix.values[59_999] == 59_999.0));
                }
            });
        }
    });
}
