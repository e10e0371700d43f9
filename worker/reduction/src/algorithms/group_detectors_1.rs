//! GroupDetectors, version 1: some spectra summed into the first of them, in place.
//!
//! The other members of the group keep their index, without counts, without detectors and with spectrum number −1.
//! Source: Mantid's page GroupDetectors v1.

use crate::algorithm::{Algorithm, Context};
use crate::algorithms::group_detectors::join_spectra;
use crate::compute::indices;
use crate::declaration::{Declaration, Property, PropertyDirection, PropertyKind, in_out, option, output};
use crate::error::{Result, invalid};
use crate::value::Value;

pub(crate) struct GroupDetectors1;

impl Algorithm for GroupDetectors1 {
    fn declaration(&self) -> Declaration {
        let result = output(
            "ResultIndex",
            PropertyKind::Int,
            "Workspace index of the sum; -1 where no spectrum is selected.",
        );
        Declaration::new(
            "GroupDetectors",
            1,
            "Transforms\\Grouping",
            "Sums spectra into the first of them, in place.",
        )
        .with(in_out(
            "Workspace",
            PropertyKind::Matrix,
            "Workspace with common bins of the grouped spectra, changed in place.",
        ))
        .with(option(
            "SpectraList",
            PropertyKind::Ints,
            Value::None,
            "Spectrum numbers of the group.",
        ))
        .with(option(
            "DetectorList",
            PropertyKind::Ints,
            Value::None,
            "Detector ids of the group; used without SpectraList.",
        ))
        .with(option(
            "WorkspaceIndexList",
            PropertyKind::Ints,
            Value::None,
            "Workspace indices of the group; used without the other lists.",
        ))
        .with(Property {
            direction: PropertyDirection::Out,
            ..result
        })
    }

    fn exec(&self, context: &mut Context<'_>) -> Result<()> {
        let input = context.matrix("Workspace")?;
        let (spectra, detectors) = (context.ints("SpectraList")?, context.ints("DetectorList")?);
        let listed = context.ints("WorkspaceIndexList")?;
        if spectra.is_empty() && detectors.is_empty() && listed.is_empty() {
            return invalid("SpectraList, DetectorList, and WorkspaceIndexList properties are all empty");
        }
        let chosen = if !spectra.is_empty() {
            indices::of_numbers(&input, &spectra)?
        } else if !detectors.is_empty() {
            indices::of_detectors(&input, &detectors)
        } else {
            indices::checked(&input, &listed)?
        };
        let Some(first) = chosen.first().copied() else {
            return context.output_value("ResultIndex", Value::Int(-1));
        };
        let mut members: Vec<Vec<usize>> = (0..input.histograms()).map(|index| vec![index]).collect();
        let mut numbers = input.spectra().numbers().to_vec();
        let mut group = vec![first];
        for index in chosen.into_iter().filter(|index| *index != first) {
            if !group.contains(&index) {
                group.push(index);
            }
            if let (Some(member), Some(number)) = (members.get_mut(index), numbers.get_mut(index)) {
                member.clear();
                *number = -1;
            }
        }
        if let Some(member) = members.get_mut(first) {
            *member = group;
        }
        let out = join_spectra(&input, &members, &numbers, false, context)?;
        context.output_value("ResultIndex", Value::Int(first as i64))?;
        context.change("Workspace", out)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use live_data_engine::cancel::Cancel;

    use crate::algorithm_run::AlgorithmRun;
    use crate::algorithms::testing::{AlgorithmFixture, assert_close, matrix, total_counts, y};
    use crate::outputs::Outputs;
    use crate::value::Value;

    fn group(fixture: &AlgorithmFixture, name: &str, more: (&str, Value)) -> crate::Result<Outputs> {
        let mut run = AlgorithmRun::create("GroupDetectors", Some(1))?;
        run.set_property("Workspace", name.into())?;
        run.set_property(more.0, more.1)?;
        run.execute(&fixture.service, &Cancel::new())
    }

    #[test]
    fn the_first_spectrum_gets_the_others() {
        let fixture = AlgorithmFixture::new();
        for kind in ["Histogram", "Event"] {
            let s = fixture.sample_workspace("s", &[("WorkspaceType", kind.into()), ("BankPixelWidth", 2_i64.into())]);
            let (before, alone) = (total_counts(&s), y(&s, 4));
            let out = group(&fixture, "s", ("SpectraList", "5,2,4".into())).unwrap();
            assert_eq!(out.get("ResultIndex").unwrap().to_int().unwrap(), 4, "{kind}");
            assert_eq!(matrix(&s).histograms(), 8);
            assert_close(&[total_counts(&s)], &[before]);
            assert_close(&y(&s, 4), &alone.iter().map(|v| v * 3.0).collect::<Vec<_>>());
            assert_close(&y(&s, 1), &vec![0.0; alone.len()]);
            assert_eq!(matrix(&s).spectra().detectors(4), [5, 7, 8]);
            assert!(matrix(&s).spectra().detectors(3).is_empty());
            assert_eq!(matrix(&s).spectra().numbers(), [1, -1, 3, -1, 5, 6, 7, 8]);
        }
    }

    #[test]
    fn what_names_no_spectrum_is_refused_or_has_no_result() {
        let fixture = AlgorithmFixture::new();
        fixture.sample_workspace("s", &[("BankPixelWidth", 1_i64.into())]);
        let none = group(&fixture, "s", ("DetectorList", "99".into())).unwrap();
        assert_eq!(none.get("ResultIndex").unwrap().to_int().unwrap(), -1);
        assert!(group(&fixture, "s", ("WorkspaceIndexList", "2".into())).is_err());
        assert!(group(&fixture, "s", ("WorkspaceIndexList", "".into())).is_err());
    }
}
