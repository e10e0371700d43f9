//! Fixture of the algorithms' tests: a service with the demonstration's instrument, and calls by name.
#![allow(clippy::unwrap_used, clippy::expect_used, dead_code)]

use std::sync::Arc;

use live_data_engine::cancel::Cancel;

use crate::algorithm_run::AlgorithmRun;
use crate::error::Result;
use crate::instrument::source::InstrumentFolders;
use crate::outputs::Outputs;
use crate::service::{NullLogger, Services};
use crate::value::Value;
use crate::workspace::{MatrixWorkspace, WorkspaceHandle};

/// Service without logger and instrument folders, on which a test runs algorithms.
pub(crate) struct AlgorithmFixture {
    pub service: Services,
}

impl AlgorithmFixture {
    pub fn new() -> Self {
        Self {
            service: Services::new(Arc::new(NullLogger), Arc::new(InstrumentFolders::new(Vec::new()))),
        }
    }

    pub fn try_run(&self, name: &str, properties: &[(&str, Value)]) -> Result<Outputs> {
        let mut run = AlgorithmRun::create(name, None)?;
        for (property, value) in properties {
            run.set_property(property, value.clone())?;
        }
        run.execute(&self.service, &Cancel::new())
    }

    /// Runs an algorithm and returns its OutputWorkspace, stored as `out`.
    pub fn try_create(&self, out: &str, name: &str, properties: &[(&str, Value)]) -> Result<WorkspaceHandle> {
        let mut properties = properties.to_vec();
        properties.push(("OutputWorkspace", out.into()));
        Ok(self.try_run(name, &properties)?.workspace("OutputWorkspace").unwrap())
    }

    pub fn create(&self, out: &str, name: &str, properties: &[(&str, Value)]) -> WorkspaceHandle {
        self.try_create(out, name, properties).unwrap()
    }

    pub fn run(&self, name: &str, properties: &[(&str, Value)]) -> Outputs {
        self.try_run(name, properties).unwrap()
    }

    /// Workspace with E = Y, split evenly into `spectra` spectra.
    pub fn workspace(&self, out: &str, x: &[f64], y: &[f64], spectra: i64) -> WorkspaceHandle {
        self.workspace_with_errors(out, x, y, y, spectra)
    }

    pub fn workspace_with_errors(&self, out: &str, x: &[f64], y: &[f64], e: &[f64], spectra: i64) -> WorkspaceHandle {
        let (x, y, e): (Value, Value, Value) = (x.to_vec().into(), y.to_vec().into(), e.to_vec().into());
        self.create(
            out,
            "CreateWorkspace",
            &[("DataX", x), ("DataY", y), ("DataE", e), ("NSpec", spectra.into())],
        )
    }

    pub fn sample_workspace(&self, out: &str, properties: &[(&str, Value)]) -> WorkspaceHandle {
        self.create(out, "CreateSampleWorkspace", properties)
    }

    /// Appends `proton_charge` 100 in each minute of a sample workspace's hour.
    pub fn add_charge(&self, name: &str) {
        for minute in 0..60 {
            let time = format!("2010-01-01T00:{minute:02}:00");
            let series = [
                ("Workspace", name.into()),
                ("Name", "proton_charge".into()),
                ("Time", time.into()),
            ];
            self.run("AddTimeSeriesLog", &[&series[..], &[("Value", 100.0.into())]].concat());
        }
    }
}

pub(crate) fn matrix(handle: &WorkspaceHandle) -> MatrixWorkspace {
    handle.matrix().unwrap()
}

pub(crate) fn x(handle: &WorkspaceHandle, index: usize) -> Vec<f64> {
    matrix(handle).x(index).unwrap().to_vec()
}

pub(crate) fn y(handle: &WorkspaceHandle, index: usize) -> Vec<f64> {
    matrix(handle).y(index, &Cancel::new()).unwrap().to_vec()
}

pub(crate) fn e(handle: &WorkspaceHandle, index: usize) -> Vec<f64> {
    matrix(handle).e(index, &Cancel::new()).unwrap().to_vec()
}

pub(crate) fn assert_close(a: &[f64], b: &[f64]) {
    assert_eq!(a.len(), b.len(), "{a:?} {b:?}");
    for (x, y) in a.iter().zip(b) {
        assert!(
            (x - y).abs() <= 1e-6 * y.abs().max(1.0) || x == y || (x.is_nan() && y.is_nan()),
            "{a:?} {b:?}"
        );
    }
}

pub(crate) fn total_counts(handle: &WorkspaceHandle) -> f64 {
    (0..matrix(handle).histograms())
        .map(|index| y(handle, index).iter().sum::<f64>())
        .sum()
}
