//! The data group: values and errors, or events, in blocks of rows.

use std::ops::Range;

use hdf5_metno::{Dataset, Group};

use super::Writer;
use crate::error::NexusError;
use crate::file::{Axis, BinMask, Data, EventSource, Horizontal, ProcessedEntry, RowSource, Vertical};
use crate::raw;

/// How many numbers a block holds, about: 8 MB.
const BLOCK: usize = 1 << 20;

impl Writer<'_> {
    pub(super) fn data(&self, entry: &Group, description: &ProcessedEntry<'_>) -> Result<(), NexusError> {
        match &description.data {
            Data::Matrix { x, rows } => {
                let group = self.group(entry, "workspace", "NXdata")?;
                let values = self.matrix(&group, x, *rows)?;
                self.number_attribute(&values, "signal", 1)?;
                self.attribute(&values, "axes", "axis2,axis1")?;
                self.attribute(&values, "units", &description.y_unit)?;
                self.attribute(&values, "unit_label", &description.y_label)?;
                self.axes(&group, description)?;
                self.masks(&group, &description.masked_bins)
            }
            Data::Events { x, per_row, events } => {
                let group = self.group(entry, "event_workspace", "NXdata")?;
                let shape = match per_row {
                    None => vec![x.len()],
                    Some(length) => vec![events.counts().len(), *length],
                };
                let expected = shape.iter().product();
                if x.len() != expected {
                    return Err(NexusError::Mismatch {
                        what: "the list of X values",
                        found: x.len(),
                        expected,
                    });
                }
                self.table(&group, "axis1", &shape, x)?;
                let indices = self.events(&group, *events)?;
                self.attribute(&indices, "units", &description.y_unit)?;
                self.attribute(&indices, "unit_label", &description.y_label)?;
                self.axes(&group, description)?;
                self.masks(&group, &description.masked_bins)
            }
        }
    }

    fn matrix(&self, group: &Group, x: &Horizontal, source: &dyn RowSource) -> Result<Dataset, NexusError> {
        let (rows, bins) = (source.rows(), source.bins());
        let values = self.empty::<f64>(group, "values", &[rows, bins])?;
        let errors = self.empty::<f64>(group, "errors", &[rows, bins])?;
        let step = BLOCK.checked_div(bins).unwrap_or(rows).max(1);
        let mut buffers = (vec![0.0; step.min(rows) * bins], vec![0.0; step.min(rows) * bins]);
        for block in blocks(rows, step) {
            let cells = block.len() * bins;
            let (y, e) = (&mut buffers.0[..cells], &mut buffers.1[..cells]);
            source.fill(block.clone(), y, e)?;
            let (start, count) = ([block.start, 0], [block.len(), bins]);
            raw::write_block(&values, &start, &count, y).map_err(self.failed("values"))?;
            raw::write_block(&errors, &start, &count, e).map_err(self.failed("errors"))?;
        }
        match x {
            Horizontal::Common(x) => {
                self.table(group, "axis1", &[x.len()], x)?;
            }
            Horizontal::PerRow(length) => {
                let axis = self.empty::<f64>(group, "axis1", &[rows, *length])?;
                let step = BLOCK.checked_div(*length).unwrap_or(rows).max(1);
                let mut buffer = vec![0.0; step.min(rows) * length];
                for block in blocks(rows, step) {
                    let x = &mut buffer[..block.len() * length];
                    source.fill_x(block.clone(), x)?;
                    let (start, count) = ([block.start, 0], [block.len(), *length]);
                    raw::write_block(&axis, &start, &count, x).map_err(self.failed("axis1"))?;
                }
            }
        }
        Ok(values)
    }

    fn events(&self, group: &Group, source: &dyn EventSource) -> Result<Dataset, NexusError> {
        let counts = source.counts();
        let mut indices: Vec<i64> = Vec::with_capacity(counts.len() + 1);
        let mut total = 0_usize;
        indices.push(0);
        for count in counts {
            total += *count as usize;
            indices.push(total as i64);
        }
        let indices = self.table(group, "indices", &[indices.len()], &indices)?;
        let x = self.empty::<f64>(group, "tof", &[total])?;
        let times = source
            .has_pulse_times()
            .then(|| self.empty::<i64>(group, "pulsetime", &[total]))
            .transpose()?;
        let weighted = source.is_weighted();
        let weights = weighted
            .then(|| self.empty::<f32>(group, "weight", &[total]))
            .transpose()?;
        let errors = weighted
            .then(|| self.empty::<f32>(group, "error_squared", &[total]))
            .transpose()?;
        let (mut first, mut written) = (0, 0_usize);
        while first < counts.len() {
            let mut last = first;
            let mut expected = 0_usize;
            while last < counts.len() && (last == first || expected + counts[last] as usize <= BLOCK) {
                expected += counts[last] as usize;
                last += 1;
            }
            let block = source.events(first..last)?;
            if block.x.len() != expected {
                return Err(NexusError::Mismatch {
                    what: "a block of events",
                    found: block.x.len(),
                    expected,
                });
            }
            let (start, count) = ([written], [expected]);
            raw::write_block(&x, &start, &count, &block.x).map_err(self.failed("tof"))?;
            if let Some(times) = &times {
                raw::write_block(times, &start, &count, &block.pulse_time).map_err(self.failed("pulsetime"))?;
            }
            if let (Some(weights), Some(errors)) = (&weights, &errors) {
                raw::write_block(weights, &start, &count, &block.weight).map_err(self.failed("weight"))?;
                raw::write_block(errors, &start, &count, &block.error_squared).map_err(self.failed("error_squared"))?;
            }
            written += expected;
            first = last;
        }
        Ok(indices)
    }

    fn axes(&self, group: &Group, entry: &ProcessedEntry<'_>) -> Result<(), NexusError> {
        let axis1 = group.dataset("axis1").map_err(self.failed("axis1"))?;
        self.unit(&axis1, &entry.x_axis)?;
        self.attribute(&axis1, "distribution", if entry.distribution { "1" } else { "0" })?;
        let rows = entry.rows();
        match &entry.vertical {
            Vertical::SpectraNumber => {
                let numbers: Vec<f64> = entry.spectra.numbers.iter().map(|number| f64::from(*number)).collect();
                let axis2 = self.table(group, "axis2", &[rows], &numbers)?;
                self.attribute(&axis2, "units", "spectraNumber")
            }
            Vertical::Numeric(values, axis) => {
                let axis2 = self.table(group, "axis2", &[values.len()], values)?;
                self.unit(&axis2, axis)
            }
            Vertical::Text(values) => {
                // One text with a line for each row.
                let axis2 = self.text(group, "axis2", &values.join("\n"))?;
                self.attribute(&axis2, "units", "TextAxis")
            }
        }
    }

    fn unit(&self, dataset: &Dataset, axis: &Axis) -> Result<(), NexusError> {
        self.attribute(dataset, "units", &axis.units)?;
        if let Some(caption) = &axis.caption {
            self.attribute(dataset, "caption", caption)?;
        }
        axis.label
            .as_ref()
            .map_or(Ok(()), |label| self.attribute(dataset, "label", label))
    }

    /// Masked bins: pairs of a row and where its bins begin in the lists that follow.
    fn masks(&self, group: &Group, masks: &[BinMask]) -> Result<(), NexusError> {
        if masks.is_empty() {
            return Ok(());
        }
        let mut pairs: Vec<i32> = Vec::new();
        let mut before = None;
        for (index, mask) in masks.iter().enumerate() {
            if before != Some(mask.row) {
                pairs.extend([mask.row as i32, index as i32]);
                before = Some(mask.row);
            }
        }
        let bins: Vec<u64> = masks.iter().map(|mask| mask.bin as u64).collect();
        let weights: Vec<f64> = masks.iter().map(|mask| mask.weight).collect();
        self.table(group, "masked_spectra", &[pairs.len() / 2, 2], &pairs)?;
        self.table(group, "masked_bins", &[bins.len()], &bins)?;
        self.table(group, "mask_weights", &[weights.len()], &weights)?;
        Ok(())
    }
}

fn blocks(rows: usize, step: usize) -> impl Iterator<Item = Range<usize>> {
    (0..rows)
        .step_by(step)
        .map(move |first| first..(first + step).min(rows))
}
