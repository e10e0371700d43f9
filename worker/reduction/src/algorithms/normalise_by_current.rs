//! NormaliseByCurrent: counts per charge.

use live_data_engine::plan::Factor;

use crate::algorithm::{Algorithm, Context};
use crate::compute::map_values;
use crate::declaration::{Declaration, Kind, input, option, output};
use crate::error::{Result, failed};
use crate::run::{GOOD_CHARGE, Run};
use crate::service::Level;
use crate::value::Value;
use crate::workspace::matrix::Data;

pub(crate) struct NormaliseByCurrent;

impl Algorithm for NormaliseByCurrent {
    fn declaration(&self) -> Declaration {
        Declaration::new(
            "NormaliseByCurrent",
            1,
            "CorrectionFunctions\\NormalisationCorrections",
            "Divides Y and E by the proton charge of the run.",
        )
        .with(input("InputWorkspace", Kind::Matrix, "The workspace to normalise."))
        .with(output("OutputWorkspace", Kind::Matrix, "Y and E per charge.").unit("counts per µA·h"))
        .with(option(
            "RecalculatePCharge",
            Kind::Bool,
            false,
            "Sum proton_charge even where a total is there.",
        ))
        .with(
            option(
                "CalculatedCharge",
                Kind::Float,
                Value::None,
                "Not used; the charge comes from the logs.",
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
        context.log(Level::Information, &format!("Normalisation current: {charge} uamps"));
        if !input.run().has(GOOD_CHARGE) {
            input.run_mut().set_number(GOOD_CHARGE, charge, "uA.hour");
        }
        let mut out = match input.events() {
            Some(events) => {
                let plan = events.plan().scale(Factor {
                    value: 1.0 / charge,
                    error_squared: 0.0,
                });
                let data = Data::Events(events.with_plan(plan));
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

/// The charge of the run, or of the current period where there are several.
fn charge(run: &Run, again: bool) -> Result<f64> {
    if run.number("nperiods").is_some_and(|n| n > 1.0) {
        let Some(period) = run.number("current_period").filter(|n| *n >= 1.0) else {
            return failed("the run has several periods, and no log current_period says which one this is");
        };
        let list = match run.get("proton_charge_by_period").map(|log| &log.value) {
            Some(crate::run::LogValue::Floats(list)) => list.clone(),
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
    Ok(if again {
        run.integrated_charge().unwrap_or_else(|| run.proton_charge())
    } else {
        run.proton_charge()
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use crate::algorithms::testing::{Bench, close, m, y};

    #[test]
    fn the_documented_example_comes_out() {
        let bench = Bench::new();
        bench.workspace("w", &[0.0, 1.0, 2.0], &[17.0, 12.0], 1);
        bench.run(
            "AddSampleLog",
            &[
                ("Workspace", "w".into()),
                ("LogName", "gd_prtn_chrg".into()),
                ("LogText", "10.0".into()),
                ("LogType", "Number".into()),
            ],
        );
        let out = bench.make("o", "NormaliseByCurrent", &[("InputWorkspace", "w".into())]);
        close(&y(&out, 0), &[1.7, 1.2]);
        assert_eq!(m(&out).run().number("NormalizationFactor"), Some(10.0));
        assert_eq!(m(&out).y_unit_label(), "Counts per microAmp.hour");
    }

    #[test]
    fn no_charge_is_an_error() {
        let bench = Bench::new();
        bench.workspace("w", &[0.0, 1.0], &[1.0], 1);
        let error = bench
            .try_make("o", "NormaliseByCurrent", &[("InputWorkspace", "w".into())])
            .unwrap_err();
        assert_eq!(
            error.to_string(),
            "The proton charge found in the input workspace run information is zero"
        );
    }

    #[test]
    fn events_become_weighted() {
        let bench = Bench::new();
        let s = bench.sample("s", &[("WorkspaceType", "Event".into())]);
        bench.charge("s");
        let out = bench.make("o", "NormaliseByCurrent", &[("InputWorkspace", "s".into())]);
        assert_eq!(
            m(&out).events().unwrap().kind(),
            live_data_engine::columns::EventKind::Weighted
        );
        let wanted: Vec<f64> = y(&s, 3).iter().map(|v| v / 6000.0).collect();
        close(&y(&out, 3), &wanted);
    }
}
