//! Scale: Y and E times a factor, or Y plus a number.

use live_data_engine::plan::Factor;

use crate::algorithm::{Algorithm, Context};
use crate::compute::map_values;
use crate::declaration::{Declaration, Kind, Validator, input, option, output};
use crate::error::{Result, failed};
use crate::workspace::matrix::Data;

pub(crate) struct Scale;

impl Algorithm for Scale {
    fn declaration(&self) -> Declaration {
        Declaration::new(
            "Scale",
            1,
            "Arithmetic",
            "Multiplies Y and E by a factor, or adds a number to Y.",
        )
        .with(input("InputWorkspace", Kind::Matrix, "The workspace to scale."))
        .with(output("OutputWorkspace", Kind::Matrix, "The scaled workspace."))
        .with(input("Factor", Kind::Float, "The factor, or the number to add.").mandatory())
        .with(
            option("Operation", Kind::Str, "Multiply", "What to do with it.")
                .validator(Validator::OneOf(&["Multiply", "Add"])),
        )
    }

    fn exec(&self, context: &mut Context<'_>) -> Result<()> {
        let input = context.matrix("InputWorkspace")?;
        let factor = context.float("Factor")?;
        let multiply = context.str("Operation")? == "Multiply";
        let out = match input.events() {
            Some(_) if !multiply => {
                return failed("cannot add a number to an event list: make histograms of the events first");
            }
            Some(events) => {
                let data = events.with_plan(events.plan().scale(Factor {
                    value: factor,
                    error_squared: 0.0,
                }));
                input.clone().with_data(Data::Events(data))
            }
            None => map_values(&input, context.cancel, |_, _, y, e| {
                for y in y.iter_mut() {
                    *y = if multiply { *y * factor } else { *y + factor };
                }
                for e in e.iter_mut().filter(|_| multiply) {
                    *e *= factor.abs();
                }
                Ok(())
            })?,
        };
        context.output("OutputWorkspace", out)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use crate::algorithms::testing::{Bench, close, e, y};

    #[test]
    fn documented_numbers_come_out() {
        let bench = Bench::new();
        bench.sample("s", &[]);
        let add = bench.make(
            "a",
            "Scale",
            &[
                ("InputWorkspace", "s".into()),
                ("Factor", 2.0.into()),
                ("Operation", "Add".into()),
            ],
        );
        close(&y(&add, 0)[49..51], &[2.3, 12.3]);
        close(&e(&add, 0)[49..50], &[0.3_f64.sqrt()]);
        let times = bench.make("a", "Scale", &[("InputWorkspace", "s".into()), ("Factor", 10.0.into())]);
        close(&y(&times, 0)[49..51], &[3.0, 103.0]);
        bench.sample("e", &[("WorkspaceType", "Event".into())]);
        assert!(
            bench
                .try_make(
                    "a",
                    "Scale",
                    &[
                        ("InputWorkspace", "e".into()),
                        ("Factor", 2.0.into()),
                        ("Operation", "Add".into())
                    ]
                )
                .is_err()
        );
    }
}
