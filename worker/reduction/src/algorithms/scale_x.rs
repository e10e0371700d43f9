//! ScaleX: X times a factor, or moved by a number.

use live_data_engine::transform::{Coefficient, Step};

use crate::algorithm::{Algorithm, Context};
use crate::compute::indices;
use crate::declaration::{Declaration, Kind, Validator, input, option, output};
use crate::error::{Result, failed};
use crate::value::Value;
use crate::workspace::data::{Row, Xs};
use crate::workspace::matrix::Data;

pub(crate) struct ScaleX;

impl Algorithm for ScaleX {
    fn declaration(&self) -> Declaration {
        Declaration::new(
            "ScaleX",
            1,
            "CorrectionFunctions;Transforms\\Axes",
            "Multiplies X by a factor, or adds a number to it.",
        )
        .with(input("InputWorkspace", Kind::Matrix, "The workspace."))
        .with(output("OutputWorkspace", Kind::Matrix, "The workspace with other X."))
        .with(option("Factor", Kind::Float, 1.0, "The factor, or the number to add."))
        .with(
            option("Operation", Kind::Str, "Multiply", "What to do with it.")
                .validator(Validator::OneOf(&["Multiply", "Add"])),
        )
        .with(option("IndexMin", Kind::Int, 0_i64, "The first spectrum."))
        .with(option("IndexMax", Kind::Int, Value::None, "The last spectrum."))
        .with(option(
            "InstrumentParameter",
            Kind::Str,
            "",
            "A parameter of the instrument to use instead of the factor.",
        ))
        .with(option(
            "Combine",
            Kind::Bool,
            false,
            "Use the factor together with the parameter.",
        ))
    }

    fn exec(&self, context: &mut Context<'_>) -> Result<()> {
        let input = context.matrix("InputWorkspace")?;
        let add = context.str("Operation")? == "Add";
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
        if !add && factor == 0.0 {
            return failed("Factor is zero: X would have no width");
        }
        let chosen = indices::range(&input, context.opt_int("IndexMin")?, context.opt_int("IndexMax")?)?;
        let all = chosen.len() == input.histograms();
        let mut touched = vec![false; input.histograms()];
        for index in chosen {
            if let Some(flag) = touched.get_mut(index) {
                *flag = true;
            }
        }
        let falls = !add && factor < 0.0;
        let change = |row: &Row| -> Row {
            let mut out: Vec<f64> = row.iter().map(|x| if add { x + factor } else { x * factor }).collect();
            if falls {
                out.reverse();
            }
            out.into()
        };
        let x = if all {
            input.xs().map(change)
        } else {
            let rows = touched.iter().enumerate();
            let rows = rows.map(|(index, touched)| input.x(index).map(|row| if *touched { change(&row) } else { row }));
            Xs::each(rows.collect::<Result<_>>()?)
        };
        let out = if let Some(events) = input.events() {
            let value = |touched: &bool, changed: f64, same: f64| if *touched { changed } else { same };
            let per_row = |changed: f64, same: f64| match all {
                true => Coefficient::Uniform(changed),
                false => Coefficient::per_slot(touched.iter().map(|t| value(t, changed, same)).collect::<Vec<_>>()),
            };
            let step = match add {
                true => Step::linear(Coefficient::Uniform(1.0), per_row(factor, 0.0)),
                false => Step::linear(per_row(factor, 1.0), Coefficient::Uniform(0.0)),
            };
            let mut data = events.with_plan(events.plan().convert(&step)?);
            data.set_x(x);
            input.clone().with_data(Data::Events(data))
        } else {
            let mut out = crate::compute::map_values(&input, context.cancel, |index, _, y, e| {
                if falls && touched.get(index).copied().unwrap_or_default() {
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

#[cfg(test)]
mod tests {
    use crate::algorithms::testing::{Bench, close, total, x, y};

    #[test]
    fn x_is_moved_or_stretched_and_counts_stay() {
        let bench = Bench::new();
        bench.workspace("w", &[1.0, 2.0, 3.0], &[1.0, 2.0], 1);
        let add = bench.make(
            "o",
            "ScaleX",
            &[
                ("InputWorkspace", "w".into()),
                ("Factor", 2.5.into()),
                ("Operation", "Add".into()),
            ],
        );
        close(&x(&add, 0), &[3.5, 4.5, 5.5]);
        let turned = bench.make(
            "o",
            "ScaleX",
            &[("InputWorkspace", "w".into()), ("Factor", (-2.0).into())],
        );
        close(&x(&turned, 0), &[-6.0, -4.0, -2.0]);
        close(&y(&turned, 0), &[2.0, 1.0]);
        let s = bench.sample(
            "s",
            &[("WorkspaceType", "Event".into()), ("BankPixelWidth", 1_i64.into())],
        );
        let events = bench.make("o", "ScaleX", &[("InputWorkspace", "s".into()), ("Factor", 0.5.into())]);
        assert_eq!(total(&events), total(&s));
        assert!(
            bench
                .try_make(
                    "o",
                    "ScaleX",
                    &[("InputWorkspace", "s".into()), ("InstrumentParameter", "none".into())]
                )
                .is_err()
        );
    }
}
