//! RotateInstrumentComponent: a component of the instrument, with all that it carries, turned about its place.

use std::sync::Arc;

use crate::algorithm::{Algorithm, Context};
use crate::declaration::{Declaration, Kind, in_out, option};
use crate::error::{Result, failed, invalid};
use crate::instrument::{Rotation, V3};
use crate::value::Value;

pub(crate) struct RotateInstrumentComponent;

impl Algorithm for RotateInstrumentComponent {
    fn declaration(&self) -> Declaration {
        Declaration::new(
            "RotateInstrumentComponent",
            1,
            "DataHandling\\Instrument",
            "Turns a component of a workspace's instrument.",
        )
        .with(in_out(
            "Workspace",
            Kind::Matrix,
            "The workspace whose instrument is changed.",
        ))
        .with(option(
            "ComponentName",
            Kind::Str,
            "",
            "The component's name, or its path such as bank1/tube2.",
        ))
        .with(option(
            "DetectorID",
            Kind::Int,
            Value::None,
            "A detector, which turns about itself: nothing moves.",
        ))
        .with(option("X", Kind::Float, 0.0, "The axis."))
        .with(option("Y", Kind::Float, 0.0, "The axis."))
        .with(option("Z", Kind::Float, 0.0, "The axis."))
        .with(option("Angle", Kind::Float, 0.0, "By how much, or to where.").unit("degrees"))
        .with(option(
            "RelativeRotation",
            Kind::Bool,
            true,
            "Whether the angle adds to the turn that there is.",
        ))
    }

    fn exec(&self, context: &mut Context<'_>) -> Result<()> {
        let mut workspace = context.handle("Workspace")?.raw_matrix()?;
        let axis = V3::new(context.float("X")?, context.float("Y")?, context.float("Z")?);
        let angle = context.float("Angle")?;
        if !axis.norm().is_finite() || !angle.is_finite() {
            return invalid("X, Y, Z and Angle must be numbers");
        }
        if axis.norm() == 0.0 {
            return invalid("The rotation axis must not be a zero vector");
        }
        let turn = Rotation::about(axis, angle);
        let name = context.str("ComponentName")?;
        let instrument = Arc::make_mut(&mut workspace.instrument);
        let id = context.opt_int("DetectorID")?.filter(|id| *id >= 0);
        if let Some(id) = id {
            if i32::try_from(id).ok().and_then(|id| instrument.detector(id)).is_none() {
                return failed(format!("Detector with ID {id} was not found."));
            }
            return Ok(());
        }
        if name.is_empty() {
            return failed("DetectorID or ComponentName must be given.");
        }
        let found = instrument
            .component(&name)
            .and_then(|at| instrument.components.get(at).map(|c| (at, c.rotation)));
        let Some((at, now)) = found else {
            return failed(format!("Component with name {name} was not found."));
        };
        let by = if context.bool("RelativeRotation")? {
            turn
        } else {
            turn.after(now.inverse())
        };
        instrument.turn_component(at, by)?;
        context.change("Workspace", workspace)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use crate::algorithms::testing::{Bench, m};
    use crate::instrument::V3;
    use crate::value::Value;

    #[test]
    fn detectors_go_round_with_their_bank() {
        let bench = Bench::new();
        let s = bench.sample("s", &[("NumBanks", 1_i64.into()), ("BankPixelWidth", 2_i64.into())]);
        let turn = |more: &[(&str, Value)]| {
            let given = [
                ("Workspace", "s".into()),
                ("ComponentName", "bank1".into()),
                ("Y", 1.0.into()),
            ];
            bench.try_run("RotateInstrumentComponent", &[&given[..], more].concat())
        };
        let place = || m(&s).instrument().detectors[2].position;
        let close = |a: V3, b: V3| (a - b).norm() < 1e-12;
        assert!(close(place(), V3::new(0.008, 0.0, 5.0)));
        turn(&[("Angle", 90.0.into())]).unwrap();
        assert!(close(place(), V3::new(0.0, 0.0, 5.0 - 0.008)));
        turn(&[("Angle", 90.0.into())]).unwrap();
        assert!(close(place(), V3::new(-0.008, 0.0, 5.0)));
        turn(&[("Angle", 0.0.into()), ("RelativeRotation", false.into())]).unwrap();
        assert!(close(place(), V3::new(0.008, 0.0, 5.0)));
        assert!(turn(&[("ComponentName", "bank9".into())]).is_err());
        assert!(turn(&[("Y", 0.0.into())]).is_err());
        assert!(turn(&[("Angle", f64::NAN.into())]).is_err());
    }
}
