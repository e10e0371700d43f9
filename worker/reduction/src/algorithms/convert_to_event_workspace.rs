//! ConvertToEventWorkspace: histograms as weighted events.
//!
//! A bin of signal y and standard deviation e becomes n events of weight y / n and squared error e² / n. Without
//! GenerateMultipleEvents n = 1. With it n = ⌈|y|⌉, at most MaxEventsPerBin, spread evenly over the bin. Source:
//! Mantid's page ConvertToEventWorkspace v1.

use live_data_engine::columns::{Columns, Events};
use live_data_engine::plan::EventPlan;

use crate::algorithm::{Algorithm, Context};
use crate::compute::HistogramReader;
use crate::date_and_time::DateAndTime;
use crate::declaration::{Declaration, PropertyKind, Validator, input, option, output};
use crate::error::{Result, failed, invalid};
use crate::workspace::events::EventData;
use crate::workspace::matrix::WorkspaceData;

pub(crate) struct ConvertToEventWorkspace;

/// Largest number of events of one conversion: 12 GB at 24 bytes an event.
const MAX_EVENTS: usize = 500_000_000;

impl Algorithm for ConvertToEventWorkspace {
    fn declaration(&self) -> Declaration {
        let max_per_bin = option(
            "MaxEventsPerBin",
            PropertyKind::Int,
            10_i64,
            "Largest number of events in one bin.",
        );
        Declaration::new(
            "ConvertToEventWorkspace",
            1,
            "Events",
            "Converts histograms to weighted events.",
        )
        .with(input(
            "InputWorkspace",
            PropertyKind::Matrix,
            "Workspace of histograms.",
        ))
        .with(option(
            "GenerateZeros",
            PropertyKind::Bool,
            false,
            "Create events of weight zero for empty bins.",
        ))
        .with(option(
            "GenerateMultipleEvents",
            PropertyKind::Bool,
            false,
            "Create as many events as counts, spread evenly over the bin.",
        ))
        .with(max_per_bin.validator(Validator::AtLeast(0.0)))
        .with(output(
            "OutputWorkspace",
            PropertyKind::Matrix,
            "Workspace of weighted events with the input's bins.",
        ))
    }

    fn exec(&self, context: &mut Context<'_>) -> Result<()> {
        let input = context.matrix("InputWorkspace")?;
        if input.is_events() {
            return invalid("InputWorkspace: it holds events already");
        }
        if !input.is_histogram_data() {
            return invalid("InputWorkspace: The workspace must contain histogram data");
        }
        let (zeros, multiple) = (context.bool("GenerateZeros")?, context.bool("GenerateMultipleEvents")?);
        let max_per_bin = context.opt_int("MaxEventsPerBin")?.unwrap_or(10).clamp(1, 1_000_000);
        let pulse = DateAndTime::from_nanoseconds(0).unix_nanoseconds();
        let reader = HistogramReader::new(&input, context.cancel)?;
        let mut rows = Vec::with_capacity(input.histograms());
        let mut total = 0_usize;
        for index in 0..input.histograms() {
            context.check_cancelled()?;
            let (x, y, e) = reader.get(index)?;
            let mut row = Events::default();
            for ((pair, y), e) in x.windows(2).zip(y.iter()).zip(e.iter()) {
                let &[low, high] = pair else { continue };
                let empty = *y == 0.0 && *e == 0.0;
                if !y.is_finite() || !e.is_finite() || (empty && !zeros) {
                    continue;
                }
                let count = if multiple {
                    (y.abs().ceil() as i64).clamp(1, max_per_bin)
                } else {
                    1
                };
                for at in 0..count {
                    row.x.push(low + (high - low) * (at as f64 + 0.5) / count as f64);
                    row.pulse_time.push(pulse);
                    row.weight.push((y / count as f64) as f32);
                    row.error_squared.push((e * e / count as f64) as f32);
                }
                total += count as usize;
                if total > MAX_EVENTS {
                    return failed(format!("more than {MAX_EVENTS} events would be made"));
                }
            }
            rows.push(row);
        }
        let data = EventData::new(EventPlan::columns(Columns::from_rows(&rows)), input.xs().clone());
        context.output("OutputWorkspace", input.clone().with_data(WorkspaceData::Events(data)))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use crate::algorithms::testing::{AlgorithmFixture, assert_close, e, matrix, y};
    use crate::value::Value;

    fn convert(fixture: &AlgorithmFixture, more: &[(&str, Value)]) -> (crate::WorkspaceHandle, u64) {
        let out = fixture.create(
            "o",
            "ConvertToEventWorkspace",
            &[&[("InputWorkspace", "w".into())][..], more].concat(),
        );
        let number = matrix(&out).events().unwrap().number(&Default::default()).unwrap();
        (out, number)
    }

    #[test]
    fn bins_keep_their_signal_and_error() {
        let fixture = AlgorithmFixture::new();
        let edges = [0.0, 1.0, 2.0, 3.0, 4.0];
        fixture.workspace_with_errors("w", &edges, &[3.0, 0.0, f64::NAN, 2.5], &[2.0, 0.0, 1.0, 0.5], 1);
        for (more, wanted) in [
            (&[][..], 2),
            (&[("GenerateZeros", true.into())][..], 3),
            (&[("GenerateMultipleEvents", true.into())][..], 6),
            (
                &[
                    ("GenerateMultipleEvents", true.into()),
                    ("MaxEventsPerBin", 2_i64.into()),
                ][..],
                4,
            ),
        ] {
            let (out, number) = convert(&fixture, more);
            assert_eq!((matrix(&out).id(), number), ("EventWorkspace", wanted));
            assert_close(&y(&out, 0), &[3.0, 0.0, 0.0, 2.5]);
            assert_close(&e(&out, 0), &[2.0, 0.0, 0.0, 0.5]);
        }
        fixture.workspace("w", &[0.0, 1.0], &[1.0, 2.0], 1);
        assert!(
            fixture
                .try_create("o", "ConvertToEventWorkspace", &[("InputWorkspace", "w".into())])
                .is_err()
        );
        assert!(
            fixture
                .try_create("p", "ConvertToEventWorkspace", &[("InputWorkspace", "o".into())])
                .is_err()
        );
    }
}
