//! Units, axes, title and comment of a workspace. Promises: setting a unit converts nothing.

use super::axis::VerticalAxis;
use super::matrix::MatrixWorkspace;
use crate::error::{Result, invalid};
use crate::unit::Unit;

impl MatrixWorkspace {
    /// Unit of X; plain numbers by default.
    pub fn x_unit(&self) -> &Unit {
        &self.x_unit
    }

    /// Sets the unit of X without conversion.
    pub fn set_x_unit(&mut self, unit: Unit) {
        self.x_unit = unit;
    }

    /// Vertical axis; spectrum numbers by default.
    pub fn vertical(&self) -> &VerticalAxis {
        &self.vertical
    }

    /// Replaces the vertical axis.
    ///
    /// # Errors
    /// `InvalidArgument` unless its length is the number of spectra, or one more for edges.
    pub fn set_vertical(&mut self, axis: VerticalAxis) -> Result<()> {
        let count = self.histograms();
        let length = match &axis {
            VerticalAxis::Spectra => count,
            VerticalAxis::Numeric { values, .. } => values.len(),
            VerticalAxis::Text(texts) => texts.len(),
        };
        if length != count && length != count + 1 {
            return invalid(format!("the axis has {length} values for {count} spectra"));
        }
        self.vertical = axis;
        Ok(())
    }

    /// Unit of Y such as `Counts`; empty for plain numbers.
    pub fn y_unit(&self) -> &str {
        &self.y_unit
    }

    /// Axis label of Y: the label that was set, else the unit, followed by "per" and the symbol of X for a distribution.
    pub fn y_unit_label(&self) -> String {
        if !self.y_label.is_empty() {
            return self.y_label.clone();
        }
        match self.distribution && !self.y_unit.is_empty() && !self.x_unit.symbol().is_empty() {
            true => format!("{} per {}", self.y_unit, self.x_unit.symbol()),
            false => self.y_unit.clone(),
        }
    }

    /// Sets the unit of Y without conversion, and clears the label.
    pub fn set_y_unit(&mut self, unit: &str) {
        unit.clone_into(&mut self.y_unit);
        self.y_label.clear();
    }

    /// Sets the axis label of Y, which [`Self::set_y_unit`] clears.
    pub fn set_y_unit_label(&mut self, label: &str) {
        label.clone_into(&mut self.y_label);
    }

    /// Title; the log `run_title` while none was set.
    pub fn title(&self) -> String {
        if self.title.is_empty() {
            self.run.text("run_title").unwrap_or_default()
        } else {
            self.title.clone()
        }
    }

    /// Sets the title, which takes precedence over the log `run_title`.
    pub fn set_title(&mut self, title: &str) {
        title.clone_into(&mut self.title);
    }

    /// Comment, empty by default.
    pub fn comment(&self) -> &str {
        &self.comment
    }
}
