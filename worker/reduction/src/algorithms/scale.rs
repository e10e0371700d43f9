//! Scale: Y·F and E·|F|, or Y + F with E unchanged; F is the Factor.
//!
//! Source: Mantid's page Scale v1.

use live_data_engine::plan::Factor;

use crate::algorithm::{Algorithm, Context};
use crate::compute::map_values;
use crate::declaration::{Declaration, PropertyKind, Validator, input, option, output};
use crate::error::{Result, failed};
use crate::workspace::matrix::WorkspaceData;

pub(crate) struct Scale;

impl Algorithm for Scale {
    fn declaration(&self) -> Declaration {
        Declaration::new(
            "Scale",
            1,
            "Arithmetic",
            "Multiplies Y and E by a factor, or adds a number to Y.",
        )
        .with(input(
            "InputWorkspace",
            PropertyKind::Matrix,
            "Workspace to scale; events can be multiplied only.",
        ))
        .with(output("OutputWorkspace", PropertyKind::Matrix, "Scaled workspace."))
        .with(
            input(
                "Factor",
                PropertyKind::Float,
                "Factor (dimensionless), or summand in the unit of Y.",
            )
            .mandatory(),
        )
        .with(
            option(
                "Operation",
                PropertyKind::Str,
                "Multiply",
                "Multiply by Factor or add it.",
            )
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
                input.clone().with_data(WorkspaceData::Events(data))
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
    use crate::algorithms::testing::{AlgorithmFixture, assert_close, e, y};

    // Mantid's page Scale v1.
    #[test]
    fn documented_numbers_come_out() {
        let fixture = AlgorithmFixture::new();
        fixture.sample_workspace("s", &[]);
        let add = fixture.create(
            "a",
            "Scale",
            &[
                ("InputWorkspace", "s".into()),
                ("Factor", 2.0.into()),
                ("Operation", "Add".into()),
            ],
        );
        assert_close(&y(&add, 0)[49..51], &[2.3, 12.3]);
        assert_close(&e(&add, 0)[49..50], &[0.3_f64.sqrt()]);
        let times = fixture.create("a", "Scale", &[("InputWorkspace", "s".into()), ("Factor", 10.0.into())]);
        assert_close(&y(&times, 0)[49..51], &[3.0, 103.0]);
        fixture.sample_workspace("e", &[("WorkspaceType", "Event".into())]);
        assert!(
            fixture
                .try_create(
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
