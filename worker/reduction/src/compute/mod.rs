//! What several algorithms compute. Promises: functions of values, in parallel on the engine's pool, that stop when
//! they are told to; must not read properties or the data service.

pub(crate) mod arithmetic;
pub(crate) mod binning;
pub(crate) mod flight;
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
use crate::workspace::data::{Row, Rows, Xs};

/// X, Y and E of one spectrum.
pub(crate) struct Spectrum {
    pub x: Row,
    pub y: Vec<f64>,
    pub e: Vec<f64>,
}

/// Makes Y and E row by row.
pub(crate) fn build_rows(
    count: usize,
    cancel: &Cancel,
    make: impl Fn(usize) -> Result<(Vec<f64>, Vec<f64>)> + Sync,
) -> Result<(Rows, Rows)> {
    let made: Result<Vec<(Row, Row)>> = pool::install(|| {
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

/// Makes X, Y and E spectrum by spectrum.
pub(crate) fn build_spectra(
    count: usize,
    cancel: &Cancel,
    make: impl Fn(usize) -> Result<Spectrum> + Sync,
) -> Result<(Xs, Rows, Rows)> {
    let made: Result<Vec<(Row, Row, Row)>> = pool::install(|| {
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
    Ok((Xs::each(xs), Rows::new(ys), Rows::new(es)))
}

/// Y and E of every spectrum, to be read row by row.
pub(crate) struct Reader {
    pub x: Xs,
    pub y: Rows,
    pub e: Rows,
}

impl Reader {
    /// Reads a workspace; events are binned over their X.
    pub(crate) fn new(workspace: &MatrixWorkspace, cancel: &Cancel) -> Result<Self> {
        Ok(Self {
            x: workspace.xs().clone(),
            y: workspace.ys(cancel)?,
            e: workspace.es(cancel)?,
        })
    }

    /// X, Y and E of a spectrum.
    pub(crate) fn get(&self, index: usize) -> Result<(Row, Row, Row)> {
        match (self.x.get(index), self.y.get(index), self.e.get(index)) {
            (Some(x), Some(y), Some(e)) => Ok((x.clone(), y, e)),
            _ => outside("workspace index", index, self.y.len()),
        }
    }
}

/// The same workspace as histograms: events are binned over their X, lazily.
pub(crate) fn as_histogram(workspace: &MatrixWorkspace, cancel: &Cancel) -> Result<MatrixWorkspace> {
    if !workspace.is_events() {
        return Ok(workspace.clone());
    }
    let (x, y, e) = (workspace.xs().clone(), workspace.ys(cancel)?, workspace.es(cancel)?);
    Ok(workspace.clone().with_histogram(x, y, e))
}

/// Changes Y and E of every spectrum in place of each other, value by value: `f(index, x, y, e)`.
pub(crate) fn map_values(
    workspace: &MatrixWorkspace,
    cancel: &Cancel,
    f: impl Fn(usize, &[f64], &mut [f64], &mut [f64]) -> Result<()> + Sync,
) -> Result<MatrixWorkspace> {
    let reader = Reader::new(workspace, cancel)?;
    let (y, e) = build_rows(workspace.histograms(), cancel, |index| {
        let (x, y, e) = reader.get(index)?;
        let (mut y, mut e) = (y.to_vec(), e.to_vec());
        f(index, &x, &mut y, &mut e)?;
        Ok((y, e))
    })?;
    Ok(workspace.clone().with_histogram(reader.x.clone(), y, e))
}
