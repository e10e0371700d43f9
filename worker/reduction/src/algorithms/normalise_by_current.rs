//! NormaliseByCurrent: Y / q and E / q, with q the run's good proton charge in µA·h.
//!
//! q is the log `gd_prtn_chrg`, otherwise the sum of `proton_charge` (pC: 1 pC = 10⁻⁶/3600 µA·h); with several periods
//! it is the entry `current_period` of `proton_charge_by_period`. q is stored as the log `NormalizationFactor` and has
//! no uncertainty. Source: Mantid's page NormaliseByCurrent v1.

use live_data_engine::plan::Factor;

use crate::algorithm::{Algorithm, Context};
use crate::compute::map_values;
use crate::declaration::{Declaration, PropertyKind, input, option, output};
use crate::error::{Result, failed};
use crate::run::{GOOD_CHARGE, Run};
use crate::service::LogLevel;
use crate::value::Value;
use crate::workspace::matrix::WorkspaceData;

pub(crate) struct NormaliseByCurrent;

impl Algorithm for NormaliseByCurrent {
    fn declaration(&self) -> Declaration {
        Declaration::new(
            "NormaliseByCurrent",
            1,
            "CorrectionFunctions\\NormalisationCorrections",
            "Divides Y and E by the good proton charge of the run.",
        )
        .with(input("InputWorkspace", PropertyKind::Matrix, "Workspace to normalise."))
        .with(
            output(
                "OutputWorkspace",
                PropertyKind::Matrix,
                "Y and E by unit of charge; events become weighted.",
            )
            .unit("counts per µA·h"),
        )
        .with(option(
            "RecalculatePCharge",
            PropertyKind::Bool,
            false,
            "Sum proton_charge also where gd_prtn_chrg exists.",
        ))
        .with(
            option(
                "CalculatedCharge",
                PropertyKind::Float,
                Value::None,
                "Not used: the charge comes from the logs.",
            )
            .unit("µA·h"),
        )
    }

    fn exec(&self, context: &mut Context<'_>) -> Result<()> {
        let mut input = context.matrix("InputWorkspace")?;
        let charge = charge(input.run(), context.bool("RecalculatePCharge")?)?;
        if charge == 0.0 || !charge.is_finite() {
            return failed("The proton charge found in the input workspace run information is zero");
        }
        context.log(LogLevel::Information, &format!("Normalisation current: {charge} uamps"));
        if !input.run().has(GOOD_CHARGE) {
            input.run_mut().set_number(GOOD_CHARGE, charge, "uA.hour");
        }
        let mut out = match input.events() {
            Some(events) => {
                let plan = events.plan().scale(Factor {
                    value: 1.0 / charge,
                    error_squared: 0.0,
                });
                let data = WorkspaceData::Events(events.with_plan(plan));
                input.with_data(data)
            }
            None => map_values(&input, context.cancel, |_, _, y, e| {
                for value in y.iter_mut().chain(e.iter_mut()) {
                    *value /= charge;
                }
                Ok(())
            })?,
        };
        out.run_mut().set_number("NormalizationFactor", charge, "");
        out.set_y_unit_label("Counts per microAmp.hour");
        context.output("OutputWorkspace", out)
    }
}

/// Charge of the run, or of the current period where there are several, µA·h; `recalculate` ignores `gd_prtn_chrg`.
fn charge(run: &Run, recalculate: bool) -> Result<f64> {
    if run.number("nperiods").is_some_and(|n| n > 1.0) {
        let Some(period) = run.number("current_period").filter(|n| *n >= 1.0) else {
            return failed("the run has several periods, and no log current_period says which one this is");
        };
        let list = match run.get("proton_charge_by_period").map(|log| &log.value) {
            Some(crate::run::LogPropertyValue::Floats(list)) => list.clone(),
            Some(other) => Value::Str(crate::run::LogProperty::new(other.clone()).text()).to_floats()?,
            None => return Ok(run.proton_charge()),
        };
        return match list.get(period as usize - 1) {
            Some(charge) => Ok(*charge),
            None => failed(format!(
                "proton_charge_by_period has {} values and none for period {period}",
                list.len()
            )),
        };
    }
    Ok(if recalculate {
        run.integrated_charge().unwrap_or_else(|| run.proton_charge())
    } else {
        run.proton_charge()
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use crate::algorithms::testing::{AlgorithmFixture, assert_close, matrix, y};

    // Mantid's page NormaliseByCurrent v1: 17 and 12 counts at 10 µA·h.
    #[test]
    fn the_documented_example_comes_out() {
        let fixture = AlgorithmFixture::new();
        fixture.workspace("w", &[0.0, 1.0, 2.0], &[17.0, 12.0], 1);
        fixture.run(
            "AddSampleLog",
            &[
                ("Workspace", "w".into()),
                ("LogName", "gd_prtn_chrg".into()),
                ("LogText", "10.0".into()),
                ("LogType", "Number".into()),
            ],
        );
        let out = fixture.create("o", "NormaliseByCurrent", &[("InputWorkspace", "w".into())]);
        assert_close(&y(&out, 0), &[1.7, 1.2]);
        assert_eq!(matrix(&out).run().number("NormalizationFactor"), Some(10.0));
        assert_eq!(matrix(&out).y_unit_label(), "Counts per microAmp.hour");
    }

    #[test]
    fn no_charge_is_an_error() {
        let fixture = AlgorithmFixture::new();
        fixture.workspace("w", &[0.0, 1.0], &[1.0], 1);
        let error = fixture
            .try_create("o", "NormaliseByCurrent", &[("InputWorkspace", "w".into())])
            .unwrap_err();
        assert_eq!(
            error.to_string(),
            "The proton charge found in the input workspace run information is zero"
        );
    }

    #[test]
    fn events_become_weighted() {
        let fixture = AlgorithmFixture::new();
        let s = fixture.sample_workspace("s", &[("WorkspaceType", "Event".into())]);
        fixture.add_charge("s");
        let out = fixture.create("o", "NormaliseByCurrent", &[("InputWorkspace", "s".into())]);
        assert_eq!(
            matrix(&out).events().unwrap().kind(),
            live_data_engine::columns::EventKind::Weighted
        );
        let wanted: Vec<f64> = y(&s, 3).iter().map(|v| v / 6000.0).collect();
        assert_close(&y(&out, 3), &wanted);
    }
}
