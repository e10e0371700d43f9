//! Content of a reduced file as h5py, an independent implementation, reads it.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use serde::Deserialize;

use crate::lab;
use crate::stream::Counts;

/// Parts of a processed file that tests compare.
#[derive(Debug, Deserialize)]
pub struct ReducedFile {
    /// Spectrum numbers, in the order of the rows.
    pub spectra: Vec<i32>,
    /// Sum of each row.
    pub sums: Vec<f64>,
    /// Sum of the variances of each row.
    pub variances: Vec<f64>,
    /// Last value, as text, and number of values of each log.
    pub logs: BTreeMap<String, (String, usize)>,
    /// Paths of all groups and datasets.
    pub paths: Vec<String>,
}

const READ: &str = r#"
import json, sys, h5py, numpy
with h5py.File(sys.argv[1], "r") as file:
    entry = file["mantid_workspace_1"]
    values, errors = entry["workspace/values"][()], entry["workspace/errors"][()]
    logs = {}
    for name, log in entry["logs"].items():
        if "value" in log:
            value = numpy.atleast_1d(log["value"][()])
            last = value[-1]
            logs[name] = (last.decode() if isinstance(last, bytes) else str(last), len(value))
    paths = []
    file.visit(paths.append)
    print(json.dumps({"spectra": entry["workspace/axis2"][()].astype(int).tolist(), "sums": values.sum(axis=1).tolist(),
                      "variances": (errors ** 2).sum(axis=1).tolist(), "logs": logs, "paths": paths}))
"#;

/// Reads the first entry of a processed file.
pub fn read(path: &Path) -> ReducedFile {
    let output = Command::new(lab::python())
        .arg("-c")
        .arg(READ)
        .arg(path)
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}: {}",
        path.display(),
        String::from_utf8_lossy(&output.stderr)
    );
    serde_json::from_slice(&output.stdout).unwrap()
}

impl ReducedFile {
    /// Counts by spectrum number, without zeros.
    pub fn counts(&self) -> Counts {
        self.spectra
            .iter()
            .zip(&self.sums)
            .filter(|(_, sum)| **sum != 0.0)
            .map(|(spectrum, sum)| {
                assert!(sum.fract() == 0.0 && *sum > 0.0, "spectrum {spectrum} has {sum} counts");
                (*spectrum, *sum as u64)
            })
            .collect()
    }
}
