//! AppendSpectra: the spectra of one workspace after those of another.

use crate::algorithm::{Algorithm, Context};
use crate::compute::joining::{check_compatible, check_kinds, join, span};
use crate::declaration::{Declaration, Kind, Validator, input, option, output};
use crate::error::{Result, failed, invalid};

pub(crate) struct AppendSpectra;

impl Algorithm for AppendSpectra {
    fn declaration(&self) -> Declaration {
        let number = option(
            "Number",
            Kind::Int,
            1_i64,
            "How many times the second one's spectra are added.",
        );
        Declaration::new(
            "AppendSpectra",
            1,
            "Transforms\\Merging",
            "Puts the spectra of a workspace after those of another.",
        )
        .with(input(
            "InputWorkspace1",
            Kind::Matrix,
            "The workspace that comes first.",
        ))
        .with(input(
            "InputWorkspace2",
            Kind::Matrix,
            "The workspace whose spectra are added.",
        ))
        .with(option(
            "ValidateInputs",
            Kind::Bool,
            true,
            "Check that both fit together.",
        ))
        .with(number.validator(Validator::AtLeast(1.0)))
        .with(output("OutputWorkspace", Kind::Matrix, "The spectra of both."))
        .with(option(
            "MergeLogs",
            Kind::Bool,
            false,
            "Join the logs of both; else the first one's stay.",
        ))
        .with(option(
            "AppendYAxisLabels",
            Kind::Bool,
            false,
            "Join the vertical axes, which then must be alike.",
        ))
        .with(option(
            "RewriteSpectraMap",
            Kind::Bool,
            false,
            "Not available: detectors stay where they are.",
        ))
    }

    fn exec(&self, context: &mut Context<'_>) -> Result<()> {
        let (first, second) = (context.matrix("InputWorkspace1")?, context.matrix("InputWorkspace2")?);
        check_kinds(&first, &second)?;
        if context.bool("ValidateInputs")? {
            check_compatible(&first, &second)?;
        }
        if context.bool("RewriteSpectraMap")? {
            return failed("RewriteSpectraMap is not available in the native engine: leave it out");
        }
        if !first.is_events() && first.blocksize()? != second.blocksize()? {
            return failed("Workspace2D's must have the same number of bins.");
        }
        if first.is_histogram_data() != second.is_histogram_data() {
            return invalid("Both input workspaces must be histograms, or both points");
        }
        let times = usize::try_from(context.opt_int("Number")?.unwrap_or(1)).unwrap_or(1);
        let mut out = join(&first, &second, times, context.cancel)?;
        let (one, two) = (span(first.spectra().numbers()), span(second.spectra().numbers()));
        // Numbers that come twice count anew from 0.
        if times > 1 || matches!((one, two), (Some((_, last)), Some((next, _))) if next <= last) {
            let mut spectra = (**out.spectra()).clone();
            for index in 0..spectra.len() {
                spectra.set_number(index, i32::try_from(index).unwrap_or(i32::MAX));
            }
            out.set_spectra(spectra)?;
        }
        if context.bool("MergeLogs")? {
            let theirs = second.run().clone();
            out.run_mut().merge(&theirs);
        }
        context.output("OutputWorkspace", out)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use crate::algorithms::testing::{Bench, m, total, x, y};
    use crate::value::Value;

    fn append(bench: &Bench, first: &str, second: &str, more: &[(&str, Value)]) -> crate::Result<crate::Handle> {
        let inputs = [("InputWorkspace1", first.into()), ("InputWorkspace2", second.into())];
        bench.try_make("out", "AppendSpectra", &[&inputs[..], more].concat())
    }

    #[test]
    fn documented_examples_come_out() {
        let bench = Bench::new();
        bench.sample("a", &[("BankPixelWidth", 1_i64.into())]);
        bench.sample("b", &[("BankPixelWidth", 2_i64.into())]);
        let out = append(&bench, "a", "b", &[]).unwrap();
        assert_eq!(m(&out).histograms(), 10);
        assert_eq!(m(&out).spectra().numbers(), [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
        assert_eq!(m(&out).spectra().detectors(2), [4]);
        let four = append(&bench, "a", "a", &[("Number", 4_i64.into())]).unwrap();
        assert_eq!(m(&four).histograms(), 10);
    }

    #[test]
    fn events_stay_events_and_numbers_that_follow_are_kept() {
        let bench = Bench::new();
        let event = [("WorkspaceType", "Event".into()), ("BankPixelWidth", 2_i64.into())];
        let s = bench.sample("s", &event);
        bench.charge("s");
        let part = |name: &str, from: i64, to: i64| {
            let range = [("StartWorkspaceIndex", from.into()), ("EndWorkspaceIndex", to.into())];
            bench.make(
                name,
                "CropWorkspace",
                &[&[("InputWorkspace", "s".into())][..], &range].concat(),
            )
        };
        part("low", 0, 2);
        part("high", 3, 7);
        let out = append(&bench, "low", "high", &[("MergeLogs", true.into())]).unwrap();
        assert_eq!((m(&out).id(), total(&out)), ("EventWorkspace", total(&s)));
        assert_eq!(m(&out).spectra().numbers(), m(&s).spectra().numbers());
        assert_eq!(m(&out).run().series("proton_charge").unwrap().len(), 120);
        assert_eq!(y(&out, 6), y(&s, 6));
    }

    #[test]
    fn what_does_not_fit_is_refused_in_the_known_words() {
        let bench = Bench::new();
        bench.sample("h", &[("BankPixelWidth", 1_i64.into())]);
        bench.sample(
            "e",
            &[("BankPixelWidth", 1_i64.into()), ("WorkspaceType", "Event".into())],
        );
        bench.sample(
            "other",
            &[("BankPixelWidth", 1_i64.into()), ("InstrumentName", "other".into())],
        );
        bench.sample("wide", &[("BankPixelWidth", 1_i64.into()), ("BinWidth", 400.0.into())]);
        let text = |second: &str, more: &[(&str, Value)]| append(&bench, "h", second, more).unwrap_err().to_string();
        assert!(text("e", &[]).starts_with("Only one of the input workspaces are of type EventWorkspace"));
        assert!(text("other", &[]).ends_with("because they come from different instruments"));
        assert!(text("wide", &[]).ends_with("because they have different binning"));
        let unchecked = [("ValidateInputs", false.into())];
        assert_eq!(
            text("wide", &unchecked),
            "Workspace2D's must have the same number of bins."
        );
        let out = append(&bench, "h", "other", &unchecked).unwrap();
        assert_eq!((m(&out).histograms(), x(&out, 3).len()), (4, 101));
        assert!(append(&bench, "h", "h", &[("Number", 0_i64.into())]).is_err());
        assert!(append(&bench, "h", "h", &[("Number", 2_000_000_000_i64.into())]).is_err());
    }
}
