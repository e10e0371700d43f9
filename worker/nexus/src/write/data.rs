//! Data of an entry (NXdata): histograms in the group `workspace`, events in `event_workspace`.

use hdf5_metno::{Dataset, Group};

use super::{Writer, row_blocks, rows_per_block};
use crate::entry::{AxisUnit, BinMask, EntryData, ProcessedEntry, VerticalAxis, XValues};
use crate::error::NexusError;
use crate::raw;
use crate::source::{EventSource, RowSource};

/// Numbers in a block, about: 8 MiB of `f64`.
const BLOCK: usize = 1 << 20;

impl Writer<'_> {
    pub(super) fn data(&self, entry: &Group, description: &ProcessedEntry<'_>) -> Result<(), NexusError> {
        match &description.data {
            EntryData::Matrix { x, rows } => {
                let group = self.group(entry, "workspace", "NXdata")?;
                let values = self.matrix(&group, x, *rows)?;
                self.number_attribute(&values, "signal", 1)?;
                self.attribute(&values, "axes", "axis2,axis1")?;
                self.attribute(&values, "units", &description.y_unit)?;
                self.attribute(&values, "unit_label", &description.y_label)?;
                self.axes(&group, description)?;
                self.masks(&group, &description.masked_bins)
            }
            EntryData::Events { x, per_row, events } => {
                let group = self.group(entry, "event_workspace", "NXdata")?;
                let shape = match per_row {
                    None => vec![x.len()],
                    Some(length) => vec![events.counts().len(), *length],
                };
                let expected = shape.iter().product();
                if x.len() != expected {
                    return Err(NexusError::LengthMismatch {
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

    fn matrix(&self, group: &Group, x: &XValues, source: &dyn RowSource) -> Result<Dataset, NexusError> {
        let (rows, bins) = (source.rows(), source.bins());
        let values = self.empty::<f64>(group, "values", &[rows, bins])?;
        let errors = self.empty::<f64>(group, "errors", &[rows, bins])?;
        let numbers = rows_per_block(rows, bins, BLOCK).min(rows) * bins;
        let mut buffers = (vec![0.0; numbers], vec![0.0; numbers]);
        for block in row_blocks(rows, bins, BLOCK) {
            let cells = block.len() * bins;
            let (y, e) = (&mut buffers.0[..cells], &mut buffers.1[..cells]);
            source.fill(block.clone(), y, e)?;
            let (start, count) = ([block.start, 0], [block.len(), bins]);
            raw::write_block(&values, &start, &count, y).map_err(self.failed("values"))?;
            raw::write_block(&errors, &start, &count, e).map_err(self.failed("errors"))?;
        }
        match x {
            XValues::Common(x) => {
                self.table(group, "axis1", &[x.len()], x)?;
            }
            XValues::PerRow(length) => {
                let axis = self.empty::<f64>(group, "axis1", &[rows, *length])?;
                let mut buffer = vec![0.0; rows_per_block(rows, *length, BLOCK).min(rows) * length];
                for block in row_blocks(rows, *length, BLOCK) {
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
            let (last, expected) = event_block_end(counts, first);
            let block = source.events(first..last)?;
            if block.x.len() != expected {
                return Err(NexusError::LengthMismatch {
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
        self.unit(&axis1, &entry.x_unit)?;
        self.attribute(&axis1, "distribution", if entry.distribution { "1" } else { "0" })?;
        let rows = entry.rows();
        match &entry.vertical_axis {
            VerticalAxis::SpectraNumber => {
                let numbers: Vec<f64> = entry.spectra.numbers.iter().map(|number| f64::from(*number)).collect();
                let axis2 = self.table(group, "axis2", &[rows], &numbers)?;
                self.attribute(&axis2, "units", "spectraNumber")
            }
            VerticalAxis::Numeric(values, axis) => {
                let axis2 = self.table(group, "axis2", &[values.len()], values)?;
                self.unit(&axis2, axis)
            }
            VerticalAxis::Text(values) => {
                let axis2 = self.text(group, "axis2", &values.join("\n"))?;
                self.attribute(&axis2, "units", "TextAxis")
            }
        }
    }

    fn unit(&self, dataset: &Dataset, axis: &AxisUnit) -> Result<(), NexusError> {
        self.attribute(dataset, "units", &axis.units)?;
        if let Some(caption) = &axis.caption {
            self.attribute(dataset, "caption", caption)?;
        }
        axis.label
            .as_ref()
            .map_or(Ok(()), |label| self.attribute(dataset, "label", label))
    }

    /// Datasets of masked bins: `masked_spectra` holds pairs of a row and the index of its first element in
    /// `masked_bins` and `mask_weights`.
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

/// End (exclusive) of the block of rows that begins at `first`, and the number of its events. That is at most [`BLOCK`]
/// unless one row alone has more.
fn event_block_end(counts: &[u64], first: usize) -> (usize, usize) {
    let (mut last, mut events) = (first, 0_usize);
    while last < counts.len() && (last == first || events + counts[last] as usize <= BLOCK) {
        events += counts[last] as usize;
        last += 1;
    }
    (last, events)
}
