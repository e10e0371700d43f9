//! Methods of workspaces in Python, under Mantid's names.
//!
//! Promises that none holds the interpreter's lock (GIL) while it computes. The classes of the `mantid` package
//! (`MatrixWorkspace`, `EventWorkspace`, `WorkspaceGroup` and so on) inherit from [`PyWorkspace`] and add the rest.

use live_data_reduction::unit::Unit;
use live_data_reduction::workspace::Workspace;
use live_data_reduction::workspace::matrix::HistogramField;
use numpy::{IntoPyArray, PyArray2, PyArrayMethods};
use pyo3::exceptions::{PyIndexError, PyValueError};
use pyo3::prelude::*;

use super::arrays::{self, ExportedArray};
use super::engine_services::engine_services;
use super::error::RaiseInPython;
use super::logs;
use super::workspace::PyWorkspace;

impl PyWorkspace {
    fn read<'py>(&self, py: Python<'py>, column: HistogramField, index: i64) -> PyResult<Bound<'py, PyAny>> {
        let index = checked(index)?;
        if column == HistogramField::X {
            arrays::write_back(py)?;
            return arrays::read_only(py, self.matrix(py)?.x(index).raise(py)?);
        }
        let matrix = self.matrix(py)?;
        let cancel = engine_services()?.cancel();
        let row = py.detach(|| {
            if column == HistogramField::Y {
                matrix.y(index, &cancel)
            } else {
                matrix.e(index, &cancel)
            }
        });
        arrays::read_only(py, row.raise(py)?)
    }

    fn writable<'py>(&self, py: Python<'py>, column: HistogramField, index: i64) -> PyResult<Bound<'py, PyAny>> {
        let index = checked(index)?;
        if column == HistogramField::X {
            arrays::write_back(py)?;
            let row = self.matrix(py)?.x(index).raise(py)?;
            return Ok(arrays::writable_x(py, self.handle(), index, row));
        }
        let matrix = self.matrix(py)?;
        if let Some(exported) = matrix
            .exported_row(column, index)
            .and_then(|row| arrays::exported(&row))
        {
            return Ok(exported.array(py).into_any());
        }
        let cancel = engine_services()?.cancel();
        let row = py.detach(|| {
            if column == HistogramField::Y {
                matrix.y(index, &cancel)
            } else {
                matrix.e(index, &cancel)
            }
        });
        let exported = ExportedArray::copy_of(py, &row.raise(py)?);
        let array = exported.array(py);
        // A reference that is still held would make `modify` copy the workspace.
        drop(matrix);
        self.modify(py, |matrix| matrix.export_row(column, index, exported))?;
        Ok(array.into_any())
    }

    fn extract<'py>(&self, py: Python<'py>, column: HistogramField) -> PyResult<Bound<'py, PyAny>> {
        arrays::write_back(py)?;
        let matrix = self.matrix(py)?;
        let cancel = engine_services()?.cancel();
        let rows = matrix.histograms();
        let length = |index| match column {
            HistogramField::X => matrix.x(index).map_or(0, |row| row.len()),
            HistogramField::Y | HistogramField::E => matrix.bins(index),
        };
        let width = (0..rows).map(length).max().unwrap_or(0);
        if rows
            .checked_mul(width)
            .is_none_or(|values| values > isize::MAX as usize / 8)
        {
            return Err(PyValueError::new_err("the workspace is too large for one array"));
        }
        let array = PyArray2::<f64>::zeros(py, [rows, width], false);
        // SAFETY: the array was made here, is contiguous, and nothing else refers to it until this function returns.
        let out = unsafe { array.as_slice_mut() }?;
        let filled = py.detach(|| matrix.fill(column, width, out, &cancel));
        filled.raise(py)?;
        Ok(array.into_any())
    }
}

fn checked(index: i64) -> PyResult<usize> {
    usize::try_from(index)
        .map_err(|_| PyIndexError::new_err(format!("workspace index {index} is out of range: it is counted from 0")))
}

#[pymethods]
impl PyWorkspace {
    #[new]
    fn from_workspace(workspace: &Bound<'_, PyWorkspace>) -> Self {
        Self::new(workspace.get().handle().clone())
    }

    /// Mantid's identifier of the class: `EventWorkspace`, `Workspace2D`, `WorkspaceSingleValue`, `WorkspaceGroup` or
    /// `TableWorkspace`.
    fn id(&self) -> &'static str {
        self.handle().raw().id()
    }
    /// Name in the data service; empty if the workspace was never stored.
    fn name(&self) -> String {
        self.handle().name()
    }
    /// Alias of `name`, which Mantid has as well.
    #[pyo3(name = "getName")]
    fn get_name(&self) -> String {
        self.handle().name()
    }
    /// Identity of the workspace, unique in the process.
    fn _number(&self) -> u64 {
        self.handle().id()
    }
    /// Bytes of memory; of a group the sum over its members.
    #[pyo3(name = "getMemorySize")]
    fn get_memory_size(&self) -> usize {
        match self.handle().raw() {
            Workspace::Matrix(matrix) => matrix.memory(),
            Workspace::Group(group) => group
                .members()
                .iter()
                .map(|member| {
                    if let Workspace::Matrix(matrix) = member.raw() {
                        matrix.memory()
                    } else {
                        0
                    }
                })
                .sum(),
            Workspace::Table(table) => table.rows() * table.columns().len() * size_of::<f64>(),
        }
    }

    // Groups.
    fn _members(&self) -> Vec<PyWorkspace> {
        self.handle().members().into_iter().map(PyWorkspace::new).collect()
    }
    fn _member_names(&self) -> Vec<String> {
        self.handle().member_names()
    }
    fn _add_member(&self, py: Python<'_>, member: &Bound<'_, PyWorkspace>) -> PyResult<()> {
        let member = member.get().handle().clone();
        self.handle()
            .update_group(|group| {
                group.push(member);
                Ok(())
            })
            .raise(py)
    }
    fn _remove_member(&self, py: Python<'_>, name: &str) -> PyResult<()> {
        self.handle()
            .update_group(|group| group.remove(name).map(drop))
            .raise(py)
    }

    // Shape.
    /// Number of spectra.
    #[pyo3(name = "getNumberHistograms")]
    fn get_number_histograms(&self, py: Python<'_>) -> PyResult<usize> {
        Ok(self.matrix(py)?.histograms())
    }
    /// Number of bins of each spectrum; raises if spectra differ in it.
    fn blocksize(&self, py: Python<'_>) -> PyResult<usize> {
        self.matrix(py)?.blocksize().raise(py)
    }
    /// Number of bins of the spectrum at a workspace index.
    #[pyo3(name = "getNumberBins", signature = (index=0))]
    fn get_number_bins(&self, py: Python<'_>, index: i64) -> PyResult<usize> {
        Ok(self.matrix(py)?.bins(checked(index)?))
    }
    #[pyo3(name = "isHistogramData")]
    fn is_histogram_data(&self, py: Python<'_>) -> PyResult<bool> {
        Ok(self.matrix(py)?.is_histogram_data())
    }
    #[pyo3(name = "isCommonBins")]
    fn is_common_bins(&self, py: Python<'_>) -> PyResult<bool> {
        let matrix = self.matrix(py)?;
        Ok(py.detach(|| matrix.is_common_bins()))
    }
    #[pyo3(name = "isDistribution")]
    fn is_distribution(&self, py: Python<'_>) -> PyResult<bool> {
        Ok(self.matrix(py)?.is_distribution())
    }
    #[pyo3(name = "setDistribution")]
    fn set_distribution(&self, py: Python<'_>, distribution: bool) -> PyResult<()> {
        self.update(py, |matrix| {
            matrix.set_distribution(distribution);
            Ok(())
        })
    }

    // Data.
    /// Bin edges or points of a spectrum in the X unit: a read-only array that shares memory.
    #[pyo3(name = "readX")]
    fn read_x<'py>(&self, py: Python<'py>, index: i64) -> PyResult<Bound<'py, PyAny>> {
        self.read(py, HistogramField::X, index)
    }
    /// Signal of a spectrum: a read-only array of shape (bins,) that shares memory.
    #[pyo3(name = "readY")]
    fn read_y<'py>(&self, py: Python<'py>, index: i64) -> PyResult<Bound<'py, PyAny>> {
        self.read(py, HistogramField::Y, index)
    }
    /// Standard deviations of a spectrum: a read-only array of shape (bins,) that shares memory.
    #[pyo3(name = "readE")]
    fn read_e<'py>(&self, py: Python<'py>, index: i64) -> PyResult<Bound<'py, PyAny>> {
        self.read(py, HistogramField::E, index)
    }
    /// Bin edges or points of a spectrum: a writable array, read back before the workspace is next used.
    #[pyo3(name = "dataX")]
    fn data_x<'py>(&self, py: Python<'py>, index: i64) -> PyResult<Bound<'py, PyAny>> {
        self.writable(py, HistogramField::X, index)
    }
    /// Signal of a spectrum: a writable array of shape (bins,).
    #[pyo3(name = "dataY")]
    fn data_y<'py>(&self, py: Python<'py>, index: i64) -> PyResult<Bound<'py, PyAny>> {
        self.writable(py, HistogramField::Y, index)
    }
    /// Standard deviations of a spectrum: a writable array of shape (bins,).
    #[pyo3(name = "dataE")]
    fn data_e<'py>(&self, py: Python<'py>, index: i64) -> PyResult<Bound<'py, PyAny>> {
        self.writable(py, HistogramField::E, index)
    }
    /// Copy of all X: shape (spectra, longest row), shorter rows padded.
    #[pyo3(name = "extractX")]
    fn extract_x<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        self.extract(py, HistogramField::X)
    }
    /// Copy of the whole signal: shape (spectra, most bins), shorter rows padded.
    #[pyo3(name = "extractY")]
    fn extract_y<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        self.extract(py, HistogramField::Y)
    }
    /// Copy of all standard deviations: shape (spectra, most bins), shorter rows padded.
    #[pyo3(name = "extractE")]
    fn extract_e<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        self.extract(py, HistogramField::E)
    }
    /// Replaces the bin edges or points of a spectrum by values in the X unit.
    #[pyo3(name = "setX")]
    fn set_x(&self, py: Python<'_>, index: i64, values: &Bound<'_, PyAny>) -> PyResult<()> {
        arrays::write_back(py)?;
        let (index, row) = (checked(index)?, arrays::row_from(values)?);
        self.modify(py, |matrix| matrix.set_x(index, row))
    }
    /// Replaces the signal of a spectrum; raises if the number of values differs from the bins.
    #[pyo3(name = "setY")]
    fn set_y(&self, py: Python<'_>, index: i64, values: &Bound<'_, PyAny>) -> PyResult<()> {
        let (index, row) = (checked(index)?, arrays::row_from(values)?);
        self.modify(py, |matrix| matrix.set_y(index, row))
    }
    /// Replaces the standard deviations of a spectrum; raises if their number differs from the bins.
    #[pyo3(name = "setE")]
    fn set_e(&self, py: Python<'_>, index: i64, values: &Bound<'_, PyAny>) -> PyResult<()> {
        let (index, row) = (checked(index)?, arrays::row_from(values)?);
        self.modify(py, |matrix| matrix.set_e(index, row))
    }

    /// True if any bin of the spectrum is masked.
    #[pyo3(name = "hasMaskedBins")]
    fn has_masked_bins(&self, py: Python<'_>, index: i64) -> PyResult<bool> {
        Ok(self.matrix(py)?.masked_bins(checked(index)?).is_some())
    }
    /// Indices of the masked bins of a spectrum.
    #[pyo3(name = "maskedBinsIndices")]
    fn masked_bins(&self, py: Python<'_>, index: i64) -> PyResult<Vec<usize>> {
        let (index, matrix) = (checked(index)?, self.matrix(py)?);
        matrix.check_index(index).raise(py)?;
        Ok(matrix
            .masked_bins(index)
            .into_iter()
            .flatten()
            .map(|(bin, _)| *bin)
            .collect())
    }

    // Units and labels.
    fn _x_unit(&self, py: Python<'_>) -> PyResult<(String, String, String)> {
        let matrix = self.matrix(py)?;
        let unit = matrix.x_unit();
        Ok((
            unit.id().to_owned(),
            unit.caption().to_owned(),
            unit.symbol().to_owned(),
        ))
    }
    fn _set_x_unit(&self, py: Python<'_>, id: &str, caption: &str, symbol: &str) -> PyResult<()> {
        let unit = if id == "Label" {
            Some(Unit::label(caption, symbol))
        } else {
            Unit::from_id(id)
        };
        let unit = unit.ok_or_else(|| PyValueError::new_err(format!("there is no unit {id}")))?;
        self.update(py, |matrix| {
            matrix.set_x_unit(unit);
            Ok(())
        })
    }
    #[pyo3(name = "YUnit")]
    fn y_unit(&self, py: Python<'_>) -> PyResult<String> {
        Ok(self.matrix(py)?.y_unit().to_owned())
    }
    #[pyo3(name = "setYUnit")]
    fn set_y_unit(&self, py: Python<'_>, unit: &str) -> PyResult<()> {
        self.update(py, |matrix| {
            matrix.set_y_unit(unit);
            Ok(())
        })
    }
    #[pyo3(name = "YUnitLabel")]
    fn y_unit_label(&self, py: Python<'_>) -> PyResult<String> {
        Ok(self.matrix(py)?.y_unit_label())
    }
    #[pyo3(name = "setYUnitLabel")]
    fn set_y_unit_label(&self, py: Python<'_>, label: &str) -> PyResult<()> {
        self.update(py, |matrix| {
            matrix.set_y_unit_label(label);
            Ok(())
        })
    }
    #[pyo3(name = "getTitle")]
    fn get_title(&self, py: Python<'_>) -> PyResult<String> {
        Ok(self.matrix(py)?.title())
    }
    #[pyo3(name = "setTitle")]
    fn set_title(&self, py: Python<'_>, title: &str) -> PyResult<()> {
        self.update(py, |matrix| {
            matrix.set_title(title);
            Ok(())
        })
    }
    #[pyo3(name = "getComment")]
    fn get_comment(&self, py: Python<'_>) -> PyResult<String> {
        Ok(self.matrix(py)?.comment().to_owned())
    }
    #[pyo3(name = "getEMode")]
    fn energy_mode(&self, py: Python<'_>) -> PyResult<String> {
        Ok(self.matrix(py)?.energy_mode())
    }

    // Spectra.
    #[pyo3(name = "getSpectrumNumbers")]
    fn spectrum_numbers(&self, py: Python<'_>) -> PyResult<Vec<i32>> {
        Ok(self.matrix(py)?.spectra().numbers().to_vec())
    }
    fn _spectrum_number(&self, py: Python<'_>, index: i64) -> PyResult<i32> {
        Ok(self.matrix(py)?.spectra().number(checked(index)?))
    }
    fn _set_spectrum_number(&self, py: Python<'_>, index: i64, number: i32) -> PyResult<()> {
        let index = checked(index)?;
        self.update(py, |matrix| {
            let mut spectra = (**matrix.spectra()).clone();
            spectra.set_number(index, number);
            matrix.set_spectra(spectra)
        })
    }
    fn _detector_ids(&self, py: Python<'_>, index: i64) -> PyResult<Vec<i32>> {
        Ok(self.matrix(py)?.spectra().detectors(checked(index)?).to_vec())
    }
    fn _set_detector_ids(&self, py: Python<'_>, index: i64, ids: Vec<i32>) -> PyResult<()> {
        let index = checked(index)?;
        self.update(py, |matrix| {
            let mut spectra = (**matrix.spectra()).clone();
            spectra.set_detectors(index, &ids);
            matrix.set_spectra(spectra)
        })
    }
    #[pyo3(name = "getIndexFromSpectrumNumber")]
    fn index_of_number(&self, py: Python<'_>, number: i32) -> PyResult<usize> {
        self.matrix(py)?.index_of_number(number).raise(py)
    }
    #[pyo3(name = "getIndicesFromDetectorIDs")]
    fn indices_of_detectors(&self, py: Python<'_>, ids: Vec<i32>) -> PyResult<Vec<usize>> {
        let matrix = self.matrix(py)?;
        Ok(py.detach(|| matrix.indices_of_detectors(&ids)))
    }

    // Logs.
    fn _log_names(&self, py: Python<'_>) -> PyResult<Vec<String>> {
        Ok(self.matrix(py)?.run().names().into_iter().map(str::to_owned).collect())
    }
    fn _has_log(&self, py: Python<'_>, name: &str) -> PyResult<bool> {
        Ok(self.matrix(py)?.run().has(name))
    }
    /// (value, units) of a log; raises `RuntimeError` for an unknown name.
    fn _log<'py>(&self, py: Python<'py>, name: &str) -> PyResult<(Bound<'py, PyAny>, String)> {
        let matrix = self.matrix(py)?;
        let log = matrix.run().property(name).raise(py)?;
        Ok((logs::to_python(py, &log.value)?, log.units.clone()))
    }
    fn _log_text(&self, py: Python<'_>, name: &str) -> PyResult<String> {
        let matrix = self.matrix(py)?;
        Ok(matrix.run().property(name).raise(py)?.text())
    }
    fn _set_log(&self, py: Python<'_>, name: &str, held: &Bound<'_, PyAny>, units: &str) -> PyResult<()> {
        let log = logs::from_python(held, units)?;
        self.update(py, |matrix| {
            matrix.run_mut().set(name, log);
            Ok(())
        })
    }
    fn _remove_log(&self, py: Python<'_>, name: &str) -> PyResult<bool> {
        self.update(py, |matrix| Ok(matrix.run_mut().remove(name).is_some()))
    }
    #[pyo3(name = "getRunNumber")]
    fn run_number(&self, py: Python<'_>) -> PyResult<i64> {
        Ok(self.matrix(py)?.run().run_number())
    }
    fn _proton_charge(&self, py: Python<'_>) -> PyResult<f64> {
        Ok(self.matrix(py)?.run().proton_charge())
    }
    fn _start_time(&self, py: Python<'_>) -> PyResult<i64> {
        Ok(self.matrix(py)?.run().start_time().raise(py)?.nanoseconds())
    }
    fn _end_time(&self, py: Python<'_>) -> PyResult<i64> {
        Ok(self.matrix(py)?.run().end_time().raise(py)?.nanoseconds())
    }
    fn _goniometer(&self, py: Python<'_>) -> PyResult<[[f64; 3]; 3]> {
        Ok(self.matrix(py)?.run().goniometer())
    }
    fn _set_goniometer(&self, py: Python<'_>, rotation: [[f64; 3]; 3]) -> PyResult<()> {
        self.update(py, |matrix| {
            matrix.run_mut().set_goniometer(rotation);
            Ok(())
        })
    }

    /// Algorithm history: (name, version, start in ns since 1990, duration in s, [(property, value, is default)]).
    #[expect(clippy::type_complexity, reason = "rows of a table, taken apart in Python")]
    fn _history(&self, py: Python<'_>) -> PyResult<Vec<(String, u32, i64, f64, Vec<(String, String, bool)>)>> {
        let matrix = self.matrix(py)?;
        let executions = matrix.history().executions().iter();
        Ok(executions
            .map(|e| {
                (
                    e.name.clone(),
                    e.version,
                    e.time.nanoseconds(),
                    e.seconds,
                    e.properties
                        .iter()
                        .map(|p| (p.name.clone(), p.value.clone(), p.is_default))
                        .collect(),
                )
            })
            .collect())
    }
    fn _spectrum_numbers_array<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        Ok(self
            .matrix(py)?
            .spectra()
            .numbers()
            .to_vec()
            .into_pyarray(py)
            .into_any())
    }
}
