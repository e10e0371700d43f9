//! GroupDetectors in its first version: some spectra of a workspace are summed into the first of them, in place; the
//! others stay without counts, without detectors and with the number -1.

use crate::algorithm::{Algorithm, Context};
use crate::algorithms::group_detectors::join;
use crate::compute::indices;
use crate::declaration::{Declaration, Direction, Kind, Property, in_out, option, output};
use crate::error::{Result, invalid};
use crate::value::Value;

pub(crate) struct GroupDetectors1;

impl Algorithm for GroupDetectors1 {
    fn declaration(&self) -> Declaration {
        let result = output(
            "ResultIndex",
            Kind::Int,
            "The workspace index of the sum; -1 when there is none.",
        );
        Declaration::new(
            "GroupDetectors",
            1,
            "Transforms\\Grouping",
            "Sums spectra into the first of them, in place.",
        )
        .with(in_out(
            "Workspace",
            Kind::Matrix,
            "The workspace; its spectra must have common X.",
        ))
        .with(option("SpectraList", Kind::Ints, Value::None, "Spectrum numbers."))
        .with(option("DetectorList", Kind::Ints, Value::None, "Detector ids."))
        .with(option(
            "WorkspaceIndexList",
            Kind::Ints,
            Value::None,
            "Workspace indices.",
        ))
        .with(Property {
            direction: Direction::Out,
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
        let out = join(&input, &members, &numbers, false, context)?;
        context.output_value("ResultIndex", Value::Int(first as i64))?;
        context.change("Workspace", out)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use live_data_engine::cancel::Cancel;

    use crate::algorithm::{AlgorithmRun, Outputs};
    use crate::algorithms::testing::{Bench, close, m, total, y};
    use crate::value::Value;

    fn group(bench: &Bench, name: &str, more: (&str, Value)) -> crate::Result<Outputs> {
        let mut run = AlgorithmRun::create("GroupDetectors", Some(1))?;
        run.set_property("Workspace", name.into())?;
        run.set_property(more.0, more.1)?;
        run.execute(&bench.service, &Cancel::new())
    }

    #[test]
    fn the_first_spectrum_gets_the_others() {
        let bench = Bench::new();
        for kind in ["Histogram", "Event"] {
            let s = bench.sample("s", &[("WorkspaceType", kind.into()), ("BankPixelWidth", 2_i64.into())]);
            let (before, alone) = (total(&s), y(&s, 4));
            let out = group(&bench, "s", ("SpectraList", "5,2,4".into())).unwrap();
            assert_eq!(out.get("ResultIndex").unwrap().to_int().unwrap(), 4, "{kind}");
            assert_eq!(m(&s).histograms(), 8);
            close(&[total(&s)], &[before]);
            close(&y(&s, 4), &alone.iter().map(|v| v * 3.0).collect::<Vec<_>>());
            close(&y(&s, 1), &vec![0.0; alone.len()]);
            assert_eq!(m(&s).spectra().detectors(4), [5, 7, 8]);
            assert!(m(&s).spectra().detectors(3).is_empty());
            assert_eq!(m(&s).spectra().numbers(), [1, -1, 3, -1, 5, 6, 7, 8]);
        }
    }

    #[test]
    fn what_names_no_spectrum_is_refused_or_has_no_result() {
        let bench = Bench::new();
        bench.sample("s", &[("BankPixelWidth", 1_i64.into())]);
        let none = group(&bench, "s", ("DetectorList", "99".into())).unwrap();
        assert_eq!(none.get("ResultIndex").unwrap().to_int().unwrap(), -1);
        assert!(group(&bench, "s", ("WorkspaceIndexList", "2".into())).is_err());
        assert!(group(&bench, "s", ("WorkspaceIndexList", "".into())).is_err());
    }
}
