//! AppendSpectra: the spectra of one workspace followed by those of another.

use crate::algorithm::{Algorithm, Context};
use crate::compute::joining::{check_compatible, check_same_data_type, join, span};
use crate::declaration::{Declaration, PropertyKind, Validator, input, option, output};
use crate::error::{Result, failed, invalid};

pub(crate) struct AppendSpectra;

impl Algorithm for AppendSpectra {
    fn declaration(&self) -> Declaration {
        let number = option(
            "Number",
            PropertyKind::Int,
            1_i64,
            "Number of copies of the second workspace's spectra.",
        );
        Declaration::new(
            "AppendSpectra",
            1,
            "Transforms\\Merging",
            "Appends the spectra of a workspace to those of another.",
        )
        .with(input(
            "InputWorkspace1",
            PropertyKind::Matrix,
            "Workspace whose spectra come first.",
        ))
        .with(input(
            "InputWorkspace2",
            PropertyKind::Matrix,
            "Workspace whose spectra follow.",
        ))
        .with(option(
            "ValidateInputs",
            PropertyKind::Bool,
            true,
            "Require the same instrument, units and bins.",
        ))
        .with(number.validator(Validator::AtLeast(1.0)))
        .with(output(
            "OutputWorkspace",
            PropertyKind::Matrix,
            "Spectra of both workspaces.",
        ))
        .with(option(
            "MergeLogs",
            PropertyKind::Bool,
            false,
            "Merge the logs of both; otherwise the first workspace's logs are kept.",
        ))
        .with(option(
            "AppendYAxisLabels",
            PropertyKind::Bool,
            false,
            "Concatenate the vertical axes, which must be of one type.",
        ))
        .with(option(
            "RewriteSpectraMap",
            PropertyKind::Bool,
            false,
            "Not available: the detectors of spectra are kept.",
        ))
    }

    fn exec(&self, context: &mut Context<'_>) -> Result<()> {
        let (first, second) = (context.matrix("InputWorkspace1")?, context.matrix("InputWorkspace2")?);
        check_same_data_type(&first, &second)?;
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
        let copies = usize::try_from(context.opt_int("Number")?.unwrap_or(1)).unwrap_or(1);
        let mut out = join(&first, &second, copies, context.cancel)?;
        let (one, two) = (span(first.spectra().numbers()), span(second.spectra().numbers()));
        // Spectrum numbers that would repeat are replaced by the workspace indices.
        if copies > 1 || matches!((one, two), (Some((_, last)), Some((next, _))) if next <= last) {
            let mut spectra = (**out.spectra()).clone();
            for index in 0..spectra.len() {
                spectra.set_number(index, i32::try_from(index).unwrap_or(i32::MAX));
            }
            out.set_spectra(spectra)?;
        }
        if context.bool("MergeLogs")? {
            let second_run = second.run().clone();
            out.run_mut().merge(&second_run);
        }
        context.output("OutputWorkspace", out)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use crate::algorithms::testing::{AlgorithmFixture, matrix, total_counts, x, y};
    use crate::value::Value;

    fn append(
        fixture: &AlgorithmFixture,
        first: &str,
        second: &str,
        more: &[(&str, Value)],
    ) -> crate::Result<crate::WorkspaceHandle> {
        let inputs = [("InputWorkspace1", first.into()), ("InputWorkspace2", second.into())];
        fixture.try_create("out", "AppendSpectra", &[&inputs[..], more].concat())
    }

    #[test]
    fn documented_examples_come_out() {
        let fixture = AlgorithmFixture::new();
        fixture.sample_workspace("a", &[("BankPixelWidth", 1_i64.into())]);
        fixture.sample_workspace("b", &[("BankPixelWidth", 2_i64.into())]);
        let out = append(&fixture, "a", "b", &[]).unwrap();
        assert_eq!(matrix(&out).histograms(), 10);
        assert_eq!(matrix(&out).spectra().numbers(), [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
        assert_eq!(matrix(&out).spectra().detectors(2), [4]);
        let four = append(&fixture, "a", "a", &[("Number", 4_i64.into())]).unwrap();
        assert_eq!(matrix(&four).histograms(), 10);
    }

    #[test]
    fn events_stay_events_and_numbers_that_follow_are_kept() {
        let fixture = AlgorithmFixture::new();
        let event = [("WorkspaceType", "Event".into()), ("BankPixelWidth", 2_i64.into())];
        let s = fixture.sample_workspace("s", &event);
        fixture.add_charge("s");
        let part = |name: &str, from: i64, to: i64| {
            let range = [("StartWorkspaceIndex", from.into()), ("EndWorkspaceIndex", to.into())];
            fixture.create(
                name,
                "CropWorkspace",
                &[&[("InputWorkspace", "s".into())][..], &range].concat(),
            )
        };
        part("low", 0, 2);
        part("high", 3, 7);
        let out = append(&fixture, "low", "high", &[("MergeLogs", true.into())]).unwrap();
        assert_eq!(
            (matrix(&out).id(), total_counts(&out)),
            ("EventWorkspace", total_counts(&s))
        );
        assert_eq!(matrix(&out).spectra().numbers(), matrix(&s).spectra().numbers());
        assert_eq!(matrix(&out).run().series("proton_charge").unwrap().len(), 120);
        assert_eq!(y(&out, 6), y(&s, 6));
    }

    #[test]
    fn what_does_not_fit_is_refused_in_the_known_words() {
        let fixture = AlgorithmFixture::new();
        fixture.sample_workspace("h", &[("BankPixelWidth", 1_i64.into())]);
        fixture.sample_workspace(
            "e",
            &[("BankPixelWidth", 1_i64.into()), ("WorkspaceType", "Event".into())],
        );
        fixture.sample_workspace(
            "other",
            &[("BankPixelWidth", 1_i64.into()), ("InstrumentName", "other".into())],
        );
        fixture.sample_workspace("wide", &[("BankPixelWidth", 1_i64.into()), ("BinWidth", 400.0.into())]);
        let text = |second: &str, more: &[(&str, Value)]| append(&fixture, "h", second, more).unwrap_err().to_string();
        assert!(text("e", &[]).starts_with("Only one of the input workspaces are of type EventWorkspace"));
        assert!(text("other", &[]).ends_with("because they come from different instruments"));
        assert!(text("wide", &[]).ends_with("because they have different binning"));
        let unchecked = [("ValidateInputs", false.into())];
        assert_eq!(
            text("wide", &unchecked),
            "Workspace2D's must have the same number of bins."
        );
        let out = append(&fixture, "h", "other", &unchecked).unwrap();
        assert_eq!((matrix(&out).histograms(), x(&out, 3).len()), (4, 101));
        assert!(append(&fixture, "h", "h", &[("Number", 0_i64.into())]).is_err());
        assert!(append(&fixture, "h", "h", &[("Number", 2_000_000_000_i64.into())]).is_err());
    }
}
