//! ConvertToEventWorkspace: histograms as weighted events, one or more in each bin.

use live_data_engine::columns::{Columns, Events};
use live_data_engine::plan::EventPlan;

use crate::algorithm::{Algorithm, Context};
use crate::compute::Reader;
use crate::date_and_time::DateAndTime;
use crate::declaration::{Declaration, Kind, Validator, input, option, output};
use crate::error::{Result, failed, invalid};
use crate::workspace::events::EventData;
use crate::workspace::matrix::Data;

pub(crate) struct ConvertToEventWorkspace;

/// More events than a conversion may make.
const MOST: usize = 500_000_000;

impl Algorithm for ConvertToEventWorkspace {
    fn declaration(&self) -> Declaration {
        let most = option("MaxEventsPerBin", Kind::Int, 10_i64, "The most events in one bin.");
        Declaration::new(
            "ConvertToEventWorkspace",
            1,
            "Events",
            "Makes weighted events of histograms.",
        )
        .with(input("InputWorkspace", Kind::Matrix, "Histograms."))
        .with(option(
            "GenerateZeros",
            Kind::Bool,
            false,
            "Make events of weight zero for empty bins.",
        ))
        .with(option(
            "GenerateMultipleEvents",
            Kind::Bool,
            false,
            "Make as many events as there are counts, evenly over the bin.",
        ))
        .with(most.validator(Validator::AtLeast(0.0)))
        .with(output("OutputWorkspace", Kind::Matrix, "Weighted events."))
    }

    fn exec(&self, context: &mut Context<'_>) -> Result<()> {
        let input = context.matrix("InputWorkspace")?;
        if input.is_events() {
            return invalid("InputWorkspace: it holds events already");
        }
        if !input.is_histogram_data() {
            return invalid("InputWorkspace: The workspace must contain histogram data");
        }
        let (zeros, several) = (context.bool("GenerateZeros")?, context.bool("GenerateMultipleEvents")?);
        let most = context.opt_int("MaxEventsPerBin")?.unwrap_or(10).clamp(1, 1_000_000);
        let pulse = DateAndTime::from_nanoseconds(0).unix_nanoseconds();
        let reader = Reader::new(&input, context.cancel)?;
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
                let count = if several {
                    (y.abs().ceil() as i64).clamp(1, most)
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
                if total > MOST {
                    return failed(format!("more than {MOST} events would be made"));
                }
            }
            rows.push(row);
        }
        let data = EventData::new(EventPlan::columns(Columns::from_rows(&rows)), input.xs().clone());
        context.output("OutputWorkspace", input.clone().with_data(Data::Events(data)))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use crate::algorithms::testing::{Bench, close, e, m, y};
    use crate::value::Value;

    fn convert(bench: &Bench, more: &[(&str, Value)]) -> (crate::Handle, u64) {
        let out = bench.make(
            "o",
            "ConvertToEventWorkspace",
            &[&[("InputWorkspace", "w".into())][..], more].concat(),
        );
        let number = m(&out).events().unwrap().number(&Default::default()).unwrap();
        (out, number)
    }

    #[test]
    fn bins_keep_their_signal_and_error() {
        let bench = Bench::new();
        let edges = [0.0, 1.0, 2.0, 3.0, 4.0];
        bench.workspace_with("w", &edges, &[3.0, 0.0, f64::NAN, 2.5], &[2.0, 0.0, 1.0, 0.5], 1);
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
            let (out, number) = convert(&bench, more);
            assert_eq!((m(&out).id(), number), ("EventWorkspace", wanted));
            close(&y(&out, 0), &[3.0, 0.0, 0.0, 2.5]);
            close(&e(&out, 0), &[2.0, 0.0, 0.0, 0.5]);
        }
        bench.workspace("w", &[0.0, 1.0], &[1.0, 2.0], 1);
        assert!(
            bench
                .try_make("o", "ConvertToEventWorkspace", &[("InputWorkspace", "w".into())])
                .is_err()
        );
        assert!(
            bench
                .try_make("p", "ConvertToEventWorkspace", &[("InputWorkspace", "o".into())])
                .is_err()
        );
    }
}
