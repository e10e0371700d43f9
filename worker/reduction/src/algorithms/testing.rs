//! What the algorithms' tests share: a service with the demonstration's instrument, and calls by name.
#![allow(clippy::unwrap_used, clippy::expect_used, dead_code)]

use std::sync::Arc;

use live_data_engine::cancel::Cancel;

use crate::algorithm::{AlgorithmRun, Outputs};
use crate::error::Result;
use crate::instrument::source::InstrumentFolders;
use crate::service::{Service, Silent};
use crate::value::Value;
use crate::workspace::{Handle, MatrixWorkspace};

/// A service and the calls of a test.
pub(crate) struct Bench {
    pub service: Service,
}

impl Bench {
    pub fn new() -> Self {
        Self {
            service: Service::new(Arc::new(Silent), Arc::new(InstrumentFolders::new(Vec::new()))),
        }
    }

    pub fn try_run(&self, name: &str, properties: &[(&str, Value)]) -> Result<Outputs> {
        let mut run = AlgorithmRun::create(name, None)?;
        for (property, value) in properties {
            run.set_property(property, value.clone())?;
        }
        run.execute(&self.service, &Cancel::new())
    }

    /// Runs an algorithm whose OutputWorkspace is stored as `out`.
    pub fn try_make(&self, out: &str, name: &str, properties: &[(&str, Value)]) -> Result<Handle> {
        let mut properties = properties.to_vec();
        properties.push(("OutputWorkspace", out.into()));
        Ok(self.try_run(name, &properties)?.workspace("OutputWorkspace").unwrap())
    }

    pub fn make(&self, out: &str, name: &str, properties: &[(&str, Value)]) -> Handle {
        self.try_make(out, name, properties).unwrap()
    }

    pub fn run(&self, name: &str, properties: &[(&str, Value)]) -> Outputs {
        self.try_run(name, properties).unwrap()
    }

    /// A workspace of X, Y and E = Y in `spectra` spectra.
    pub fn workspace(&self, out: &str, x: &[f64], y: &[f64], spectra: i64) -> Handle {
        self.workspace_with(out, x, y, y, spectra)
    }

    pub fn workspace_with(&self, out: &str, x: &[f64], y: &[f64], e: &[f64], spectra: i64) -> Handle {
        let (x, y, e): (Value, Value, Value) = (x.to_vec().into(), y.to_vec().into(), e.to_vec().into());
        self.make(
            out,
            "CreateWorkspace",
            &[("DataX", x), ("DataY", y), ("DataE", e), ("NSpec", spectra.into())],
        )
    }

    pub fn sample(&self, out: &str, properties: &[(&str, Value)]) -> Handle {
        self.make(out, "CreateSampleWorkspace", properties)
    }

    /// Gives a sample workspace a charge of 100 in each minute of its hour.
    pub fn charge(&self, name: &str) {
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

pub(crate) fn m(handle: &Handle) -> MatrixWorkspace {
    handle.matrix().unwrap()
}

pub(crate) fn x(handle: &Handle, index: usize) -> Vec<f64> {
    m(handle).x(index).unwrap().to_vec()
}

pub(crate) fn y(handle: &Handle, index: usize) -> Vec<f64> {
    m(handle).y(index, &Cancel::new()).unwrap().to_vec()
}

pub(crate) fn e(handle: &Handle, index: usize) -> Vec<f64> {
    m(handle).e(index, &Cancel::new()).unwrap().to_vec()
}

pub(crate) fn close(a: &[f64], b: &[f64]) {
    assert_eq!(a.len(), b.len(), "{a:?} {b:?}");
    for (x, y) in a.iter().zip(b) {
        assert!(
            (x - y).abs() <= 1e-6 * y.abs().max(1.0) || x == y || (x.is_nan() && y.is_nan()),
            "{a:?} {b:?}"
        );
    }
}

pub(crate) fn total(handle: &Handle) -> f64 {
    (0..m(handle).histograms())
        .map(|index| y(handle, index).iter().sum::<f64>())
        .sum()
}
