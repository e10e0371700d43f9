//! RemoveSpectra: a workspace without some of its spectra.

use crate::algorithm::{Algorithm, Context};
use crate::compute::indices;
use crate::declaration::{Declaration, Kind, input, option, output};
use crate::error::{Result, failed};
use crate::value::Value;

pub(crate) struct RemoveSpectra;

impl Algorithm for RemoveSpectra {
    fn declaration(&self) -> Declaration {
        let list = option(
            "WorkspaceIndices",
            Kind::Ints,
            Value::None,
            "Indices of spectra that are left out.",
        );
        Declaration::new(
            "RemoveSpectra",
            1,
            "Transforms\\Splitting",
            "Leaves spectra out by list, mask or lack of detectors.",
        )
        .with(input("InputWorkspace", Kind::Matrix, "The workspace."))
        .with(list)
        .with(option(
            "RemoveMaskedSpectra",
            Kind::Bool,
            false,
            "Leave out spectra that are masked.",
        ))
        .with(option(
            "RemoveSpectraWithNoDetector",
            Kind::Bool,
            false,
            "Leave out spectra without a detector that the instrument knows.",
        ))
        .with(output("OutputWorkspace", Kind::Matrix, "The spectra that are left."))
    }

    fn exec(&self, context: &mut Context<'_>) -> Result<()> {
        let input = context.matrix("InputWorkspace")?;
        let mut gone = vec![false; input.histograms()];
        for index in indices::checked(&input, &context.ints("WorkspaceIndices")?)? {
            if let Some(flag) = gone.get_mut(index) {
                *flag = true;
            }
        }
        let (masked, bare) = (
            context.bool("RemoveMaskedSpectra")?,
            context.bool("RemoveSpectraWithNoDetector")?,
        );
        for (index, flag) in gone.iter_mut().enumerate() {
            *flag |= (masked && input.is_masked(index)) || (bare && !input.has_detectors(index));
        }
        let kept: Vec<usize> = (0..gone.len())
            .filter(|index| gone.get(*index) == Some(&false))
            .collect();
        if kept.is_empty() {
            return failed("No spectrum would be left: a workspace holds at least one");
        }
        let out = if kept.len() == input.histograms() {
            input
        } else {
            input.subset(&kept)?
        };
        context.output("OutputWorkspace", out)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use crate::algorithms::testing::{Bench, m};
    use crate::value::Value;

    #[test]
    fn listed_masked_and_bare_spectra_go() {
        let bench = Bench::new();
        let s = bench.sample("s", &[("BankPixelWidth", 2_i64.into())]);
        bench.run(
            "MaskDetectors",
            &[("Workspace", "s".into()), ("WorkspaceIndexList", "2,3".into())],
        );
        let bare = |ws: &mut crate::MatrixWorkspace| {
            let mut spectra = (**ws.spectra()).clone();
            spectra.set_detectors(7, &[]);
            ws.set_spectra(spectra)
        };
        s.update(bare).unwrap();
        let left = |more: &[(&str, Value)]| {
            let out = bench.make(
                "o",
                "RemoveSpectra",
                &[&[("InputWorkspace", "s".into())][..], more].concat(),
            );
            m(&out).spectra().numbers().to_vec()
        };
        assert_eq!(left(&[("WorkspaceIndices", "0,5".into())]), [2, 3, 4, 5, 7, 8]);
        assert_eq!(left(&[("RemoveMaskedSpectra", true.into())]), [1, 2, 5, 6, 7, 8]);
        assert_eq!(
            left(&[("RemoveSpectraWithNoDetector", true.into())]),
            [1, 2, 3, 4, 5, 6, 7]
        );
        assert_eq!(left(&[]).len(), 8);
        for wrong in ["8", "-1", "0-7"] {
            let call = [("InputWorkspace", "s".into()), ("WorkspaceIndices", wrong.into())];
            assert!(bench.try_make("o", "RemoveSpectra", &call).is_err(), "{wrong}");
        }
    }
}
