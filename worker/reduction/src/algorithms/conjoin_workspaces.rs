//! ConjoinWorkspaces: a second workspace's spectra appended to a first one in place; the second is removed.

use std::collections::HashSet;

use crate::algorithm::{Algorithm, Context};
use crate::compute::joining::{check_compatible, check_same_data_type, join, span};
use crate::declaration::{Declaration, PropertyKind, in_out, input, option};
use crate::error::{Result, failed, invalid};
use crate::workspace::MatrixWorkspace;

pub(crate) struct ConjoinWorkspaces;

impl Algorithm for ConjoinWorkspaces {
    fn declaration(&self) -> Declaration {
        Declaration::new(
            "ConjoinWorkspaces",
            1,
            "Transforms\\Merging",
            "Appends the spectra of a second workspace to a first one, and removes the second.",
        )
        .with(in_out(
            "InputWorkspace1",
            PropertyKind::Matrix,
            "Workspace that receives the spectra.",
        ))
        .with(input(
            "InputWorkspace2",
            PropertyKind::Matrix,
            "Workspace whose spectra are appended; it is removed afterwards.",
        ))
        .with(option(
            "CheckOverlapping",
            PropertyKind::Bool,
            true,
            "Refuse spectrum numbers or detectors that occur in both workspaces.",
        ))
        .with(option(
            "YAxisLabel",
            PropertyKind::Str,
            "",
            "Label of Y; unchanged when empty.",
        ))
        .with(option(
            "YAxisUnit",
            PropertyKind::Str,
            "",
            "Unit of Y; unchanged when empty.",
        ))
        .with(option(
            "CheckMatchingBins",
            PropertyKind::Bool,
            true,
            "Refuse workspaces with different bins.",
        ))
    }

    fn exec(&self, context: &mut Context<'_>) -> Result<()> {
        let (target, source) = (context.handle("InputWorkspace1")?, context.handle("InputWorkspace2")?);
        let (first, second) = (target.matrix()?, source.matrix()?);
        check_same_data_type(&first, &second)?;
        if context.bool("CheckMatchingBins")? {
            check_compatible(&first, &second)?;
        }
        if !first.is_events() && first.blocksize()? != second.blocksize()? {
            return failed("Workspace2D's must have the same number of bins.");
        }
        let checked = context.bool("CheckOverlapping")?;
        if checked {
            check_overlap(&first, &second, !first.is_events())?;
        }
        let mut out = join(&first, &second, 1, context.cancel)?;
        let number_range = span(out.spectra().numbers()).map_or(0, |(low, high)| i64::from(high) - i64::from(low));
        if !checked && number_range < out.histograms() as i64 {
            let last = span(first.spectra().numbers()).map_or(0, |(_, last)| last);
            let mut spectra = (**out.spectra()).clone();
            for index in first.histograms()..spectra.len() {
                spectra.set_number(index, spectra.number(index).saturating_add(last));
            }
            out.set_spectra(spectra)?;
        }
        let (unit, label) = (context.str("YAxisUnit")?, context.str("YAxisLabel")?);
        if !unit.is_empty() {
            out.set_y_unit(&unit);
        }
        if !label.is_empty() {
            out.set_y_unit_label(&label);
        }
        context.change("InputWorkspace1", out)?;
        let stored = context.services.data.get(&source.name());
        if source.id() != target.id() && stored.is_some_and(|stored| stored.id() == source.id()) {
            context.services.data.remove(&source.name());
        }
        Ok(())
    }
}

fn check_overlap(first: &MatrixWorkspace, second: &MatrixWorkspace, compare_numbers: bool) -> Result<()> {
    let numbers: HashSet<i32> = first.spectra().numbers().iter().copied().collect();
    let ids = |workspace: &MatrixWorkspace, index: usize| workspace.spectra().detectors(index).to_vec();
    let detectors: HashSet<i32> = (0..first.histograms()).flat_map(|index| ids(first, index)).collect();
    for index in 0..second.histograms() {
        let number = second.spectra().number(index);
        if compare_numbers && number > 0 && numbers.contains(&number) {
            return invalid("The input workspaces have overlapping spectrum numbers");
        }
        if ids(second, index).iter().any(|id| detectors.contains(id)) {
            return invalid("The input workspaces have common detectors");
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use crate::algorithms::testing::{AlgorithmFixture, matrix};

    #[test]
    fn the_documented_example_comes_out_and_the_second_one_goes() {
        let fixture = AlgorithmFixture::new();
        let small = |banks: i64| {
            [
                ("NumBanks", banks.into()),
                ("BankPixelWidth", 1_i64.into()),
                ("BinWidth", 10.0.into()),
                ("XMax", 50.0.into()),
            ]
        };
        let first = fixture.sample_workspace("ws1", &small(2));
        fixture.sample_workspace("ws2", &small(3));
        let inputs = [("InputWorkspace1", "ws1".into()), ("InputWorkspace2", "ws2".into())];
        let error = fixture.try_run("ConjoinWorkspaces", &inputs).unwrap_err();
        assert_eq!(
            error.to_string(),
            "The input workspaces have overlapping spectrum numbers"
        );
        assert!(fixture.service.data.contains("ws2"));
        let labels = [
            ("CheckOverlapping", false.into()),
            ("YAxisUnit", "New unit".into()),
            ("YAxisLabel", "New label".into()),
        ];
        fixture.run("ConjoinWorkspaces", &[&inputs[..], &labels].concat());
        let joined = matrix(&first);
        assert_eq!(
            (joined.histograms(), joined.y_unit(), joined.y_unit_label()),
            (5, "New unit", "New label".to_owned())
        );
        assert_eq!(joined.spectra().numbers(), [1, 2, 3, 4, 5]);
        assert!(!fixture.service.data.contains("ws2"));
    }

    #[test]
    fn detectors_that_both_have_are_refused() {
        let fixture = AlgorithmFixture::new();
        for name in ["a", "b"] {
            fixture.sample_workspace(
                name,
                &[("BankPixelWidth", 1_i64.into()), ("WorkspaceType", "Event".into())],
            );
        }
        let inputs = [("InputWorkspace1", "a".into()), ("InputWorkspace2", "b".into())];
        let error = fixture.try_run("ConjoinWorkspaces", &inputs).unwrap_err();
        assert_eq!(error.to_string(), "The input workspaces have common detectors");
    }
}
