//! ScaleX: X·F or X + F; F is the Factor, an instrument parameter P, or F·P (F + P).
//!
//! Promises: Y stays with its bin; a negative factor reverses the bins, and X increases. Source: Mantid's page
//! ScaleX v1.

use live_data_engine::transform::{Coefficient, ConversionStep};

use crate::algorithm::{Algorithm, Context};
use crate::compute::indices;
use crate::declaration::{Declaration, PropertyKind, Validator, input, option, output};
use crate::error::{Result, failed};
use crate::value::Value;
use crate::workspace::MatrixWorkspace;
use crate::workspace::data::{SharedRow, XRows};
use crate::workspace::matrix::WorkspaceData;

pub(crate) struct ScaleX;

impl Algorithm for ScaleX {
    fn declaration(&self) -> Declaration {
        Declaration::new(
            "ScaleX",
            1,
            "CorrectionFunctions;Transforms\\Axes",
            "Multiplies X by a factor, or adds a number to it.",
        )
        .with(input(
            "InputWorkspace",
            PropertyKind::Matrix,
            "Workspace whose X is changed.",
        ))
        .with(output(
            "OutputWorkspace",
            PropertyKind::Matrix,
            "Workspace with scaled X.",
        ))
        .with(option(
            "Factor",
            PropertyKind::Float,
            1.0,
            "Factor (dimensionless, not 0), or summand in the unit of X.",
        ))
        .with(
            option(
                "Operation",
                PropertyKind::Str,
                "Multiply",
                "Multiply by the factor or add it.",
            )
            .validator(Validator::OneOf(&["Multiply", "Add"])),
        )
        .with(option(
            "IndexMin",
            PropertyKind::Int,
            0_i64,
            "Workspace index of the first spectrum.",
        ))
        .with(option(
            "IndexMax",
            PropertyKind::Int,
            Value::None,
            "Workspace index of the last spectrum, inclusive; the workspace's last when not given.",
        ))
        .with(option(
            "InstrumentParameter",
            PropertyKind::Str,
            "",
            "Name of an instrument parameter whose value replaces Factor.",
        ))
        .with(option(
            "Combine",
            PropertyKind::Bool,
            false,
            "Combine Factor and the parameter by the operation.",
        ))
    }

    fn exec(&self, context: &mut Context<'_>) -> Result<()> {
        let input = context.matrix("InputWorkspace")?;
        let add = context.str("Operation")? == "Add";
        let factor = factor_or_parameter(&input, add, context)?;
        if !add && factor == 0.0 {
            return failed("Factor is zero: X would have no width");
        }
        let chosen = indices::range(&input, context.opt_int("IndexMin")?, context.opt_int("IndexMax")?)?;
        let all = chosen.len() == input.histograms();
        let mut selected = vec![false; input.histograms()];
        for index in chosen {
            if let Some(flag) = selected.get_mut(index) {
                *flag = true;
            }
        }
        let falls = !add && factor < 0.0;
        let change = |row: &SharedRow| -> SharedRow {
            let mut out: Vec<f64> = row.iter().map(|x| if add { x + factor } else { x * factor }).collect();
            if falls {
                out.reverse();
            }
            out.into()
        };
        let x = if all {
            input.xs().map(change)
        } else {
            let rows = selected.iter().enumerate();
            let rows =
                rows.map(|(index, selected)| input.x(index).map(|row| if *selected { change(&row) } else { row }));
            XRows::each(rows.collect::<Result<_>>()?)
        };
        let out = if let Some(events) = input.events() {
            let value = |selected: &bool, changed: f64, same: f64| if *selected { changed } else { same };
            let per_row = |changed: f64, same: f64| match all {
                true => Coefficient::Uniform(changed),
                false => Coefficient::per_slot(selected.iter().map(|t| value(t, changed, same)).collect::<Vec<_>>()),
            };
            let step = match add {
                true => ConversionStep::linear(Coefficient::Uniform(1.0), per_row(factor, 0.0)),
                false => ConversionStep::linear(per_row(factor, 1.0), Coefficient::Uniform(0.0)),
            };
            let mut data = events.with_plan(events.plan().convert(&step)?);
            data.set_x(x);
            input.clone().with_data(WorkspaceData::Events(data))
        } else {
            let mut out = crate::compute::map_values(&input, context.cancel, |index, _, y, e| {
                if falls && selected.get(index).copied().unwrap_or_default() {
                    y.reverse();
                    e.reverse();
                }
                Ok(())
            })?;
            out.set_xs(x);
            out
        };
        context.output("OutputWorkspace", out)
    }
}

/// Factor, the instrument parameter that replaces it, or both combined by the operation.
///
/// # Errors
/// `Execution` where the parameter is missing or is not a number.
fn factor_or_parameter(input: &MatrixWorkspace, add: bool, context: &Context<'_>) -> Result<f64> {
    let mut factor = context.float("Factor")?;
    let name = context.str("InstrumentParameter")?;
    if !name.is_empty() {
        let instrument = input.instrument();
        let ids = input.spectra().detectors(0);
        let near = ids
            .first()
            .and_then(|id| instrument.detector(*id))
            .map(|detector| detector.parent as usize);
        let Some(value) = instrument
            .parameter(near, &name)
            .and_then(|parameter| parameter.number())
        else {
            return failed(format!(
                "the instrument {} has no number as parameter {name}",
                instrument.name
            ));
        };
        factor = match (context.bool("Combine")?, add) {
            (true, true) => factor + value,
            (true, false) => factor * value,
            (false, _) => value,
        };
    }
    Ok(factor)
}

#[cfg(test)]
mod tests {
    use crate::algorithms::testing::{AlgorithmFixture, assert_close, total_counts, x, y};

    #[test]
    fn x_is_moved_or_stretched_and_counts_stay() {
        let fixture = AlgorithmFixture::new();
        fixture.workspace("w", &[1.0, 2.0, 3.0], &[1.0, 2.0], 1);
        let add = fixture.create(
            "o",
            "ScaleX",
            &[
                ("InputWorkspace", "w".into()),
                ("Factor", 2.5.into()),
                ("Operation", "Add".into()),
            ],
        );
        assert_close(&x(&add, 0), &[3.5, 4.5, 5.5]);
        let turned = fixture.create(
            "o",
            "ScaleX",
            &[("InputWorkspace", "w".into()), ("Factor", (-2.0).into())],
        );
        assert_close(&x(&turned, 0), &[-6.0, -4.0, -2.0]);
        assert_close(&y(&turned, 0), &[2.0, 1.0]);
        let s = fixture.sample_workspace(
            "s",
            &[("WorkspaceType", "Event".into()), ("BankPixelWidth", 1_i64.into())],
        );
        let events = fixture.create("o", "ScaleX", &[("InputWorkspace", "s".into()), ("Factor", 0.5.into())]);
        assert_eq!(total_counts(&events), total_counts(&s));
        assert!(
            fixture
                .try_create(
                    "o",
                    "ScaleX",
                    &[("InputWorkspace", "s".into()), ("InstrumentParameter", "none".into())]
                )
                .is_err()
        );
    }
}
