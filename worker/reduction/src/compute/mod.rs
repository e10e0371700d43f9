//! Computations that several algorithms share. Promises: functions of values, parallel on the engine's pool, that stop when
//! cancelled. Must not: read properties or the data service.

pub(crate) mod arithmetic;
pub(crate) mod binning;
pub(crate) mod flight_paths;
pub(crate) mod gaussian;
pub(crate) mod grouping;
pub(crate) mod helium;
pub(crate) mod indices;
pub(crate) mod joining;
pub(crate) mod peak;

use std::sync::Arc;

use live_data_engine::cancel::Cancel;
use live_data_engine::pool;
use rayon::prelude::*;

use crate::error::{AlgorithmError, Result, outside};
use crate::workspace::MatrixWorkspace;
use crate::workspace::data::{Rows, SharedRow, XRows};

/// X, Y and E of one spectrum.
pub(crate) struct Spectrum {
    pub x: SharedRow,
    pub y: Vec<f64>,
    pub e: Vec<f64>,
}

/// Rows of Y and E from a function of the row index, in parallel; `Cancelled` between rows.
pub(crate) fn build_rows(
    count: usize,
    cancel: &Cancel,
    make: impl Fn(usize) -> Result<(Vec<f64>, Vec<f64>)> + Sync,
) -> Result<(Rows, Rows)> {
    let made: Result<Vec<(SharedRow, SharedRow)>> = pool::install(|| {
        (0..count)
            .into_par_iter()
            .map(|index| {
                cancel.check().map_err(|_| AlgorithmError::Cancelled)?;
                let (y, e) = make(index)?;
                Ok((Arc::from(y), Arc::from(e)))
            })
            .collect()
    });
    let (y, e) = made?.into_iter().unzip();
    Ok((Rows::new(y), Rows::new(e)))
}

/// X, Y and E from a function of the workspace index, in parallel; `Cancelled` between spectra.
pub(crate) fn build_spectra(
    count: usize,
    cancel: &Cancel,
    make: impl Fn(usize) -> Result<Spectrum> + Sync,
) -> Result<(XRows, Rows, Rows)> {
    let made: Result<Vec<(SharedRow, SharedRow, SharedRow)>> = pool::install(|| {
        (0..count)
            .into_par_iter()
            .map(|index| {
                cancel.check().map_err(|_| AlgorithmError::Cancelled)?;
                let made = make(index)?;
                Ok((made.x, Arc::from(made.y), Arc::from(made.e)))
            })
            .collect()
    });
    let (mut xs, mut ys, mut es) = (
        Vec::with_capacity(count),
        Vec::with_capacity(count),
        Vec::with_capacity(count),
    );
    for (x, y, e) in made? {
        xs.push(x);
        ys.push(y);
        es.push(e);
    }
    Ok((XRows::each(xs), Rows::new(ys), Rows::new(es)))
}

/// X, Y and E of a workspace, to be read row by row.
pub(crate) struct HistogramReader {
    pub x: XRows,
    pub y: Rows,
    pub e: Rows,
}

impl HistogramReader {
    /// Reader of a workspace; its events are binned over their X.
    pub(crate) fn new(workspace: &MatrixWorkspace, cancel: &Cancel) -> Result<Self> {
        Ok(Self {
            x: workspace.xs().clone(),
            y: workspace.ys(cancel)?,
            e: workspace.es(cancel)?,
        })
    }

    /// X, Y and E of a spectrum; `Index` outside.
    pub(crate) fn get(&self, index: usize) -> Result<(SharedRow, SharedRow, SharedRow)> {
        match (self.x.get(index), self.y.get(index), self.e.get(index)) {
            (Some(x), Some(y), Some(e)) => Ok((x.clone(), y, e)),
            _ => outside("workspace index", index, self.y.len()),
        }
    }
}

/// Workspace as histograms; events are binned over their X.
pub(crate) fn as_histogram(workspace: &MatrixWorkspace, cancel: &Cancel) -> Result<MatrixWorkspace> {
    if !workspace.is_events() {
        return Ok(workspace.clone());
    }
    let (x, y, e) = (workspace.xs().clone(), workspace.ys(cancel)?, workspace.es(cancel)?);
    Ok(workspace.clone().with_histogram(x, y, e))
}

/// Workspace with Y and E changed in place by `f(index, x, y, e)`, in parallel over spectra.
pub(crate) fn map_values(
    workspace: &MatrixWorkspace,
    cancel: &Cancel,
    f: impl Fn(usize, &[f64], &mut [f64], &mut [f64]) -> Result<()> + Sync,
) -> Result<MatrixWorkspace> {
    let reader = HistogramReader::new(workspace, cancel)?;
    let (y, e) = build_rows(workspace.histograms(), cancel, |index| {
        let (x, y, e) = reader.get(index)?;
        let (mut y, mut e) = (y.to_vec(), e.to_vec());
        f(index, &x, &mut y, &mut e)?;
        Ok((y, e))
    })?;
    Ok(workspace.clone().with_histogram(reader.x.clone(), y, e))
}
