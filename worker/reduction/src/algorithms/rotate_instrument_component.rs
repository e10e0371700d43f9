//! RotateInstrumentComponent: a component of the instrument, with all that it carries, rotated about its position.
//!
//! A relative rotation R by Angle about (X, Y, Z) is applied after the component's rotation R₀; an absolute one
//! replaces R₀, that is, R·R₀⁻¹ is applied. Positive angles are counter-clockwise seen against the axis. Source:
//! Mantid's page RotateInstrumentComponent v1.

use std::sync::Arc;

use crate::algorithm::{Algorithm, Context};
use crate::declaration::{Declaration, PropertyKind, in_out, option};
use crate::error::{Result, failed, invalid};
use crate::instrument::{Rotation, V3D};
use crate::value::Value;

pub(crate) struct RotateInstrumentComponent;

impl Algorithm for RotateInstrumentComponent {
    fn declaration(&self) -> Declaration {
        Declaration::new(
            "RotateInstrumentComponent",
            1,
            "DataHandling\\Instrument",
            "Rotates a component of a workspace's instrument.",
        )
        .with(in_out(
            "Workspace",
            PropertyKind::Matrix,
            "Workspace whose instrument is changed.",
        ))
        .with(option(
            "ComponentName",
            PropertyKind::Str,
            "",
            "Name of the component, or its path such as bank1/tube2.",
        ))
        .with(option(
            "DetectorID",
            PropertyKind::Int,
            Value::None,
            "Detector id; a detector has no rotation of its own, so nothing is changed.",
        ))
        .with(option(
            "X",
            PropertyKind::Float,
            0.0,
            "Component of the rotation axis, which need not be normalised.",
        ))
        .with(option(
            "Y",
            PropertyKind::Float,
            0.0,
            "Component of the rotation axis, which need not be normalised.",
        ))
        .with(option(
            "Z",
            PropertyKind::Float,
            0.0,
            "Component of the rotation axis, which need not be normalised.",
        ))
        .with(option("Angle", PropertyKind::Float, 0.0, "Angle of rotation.").unit("degrees"))
        .with(option(
            "RelativeRotation",
            PropertyKind::Bool,
            true,
            "Rotate in addition to the present rotation; otherwise replace it.",
        ))
    }

    fn exec(&self, context: &mut Context<'_>) -> Result<()> {
        let mut workspace = context.handle("Workspace")?.raw_matrix()?;
        let axis = V3D::new(context.float("X")?, context.float("Y")?, context.float("Z")?);
        let angle = context.float("Angle")?;
        if !axis.norm().is_finite() || !angle.is_finite() {
            return invalid("X, Y, Z and Angle must be numbers");
        }
        if axis.norm() == 0.0 {
            return invalid("The rotation axis must not be a zero vector");
        }
        let rotation = Rotation::about(axis, angle);
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
        let Some((at, present)) = found else {
            return failed(format!("Component with name {name} was not found."));
        };
        let by = if context.bool("RelativeRotation")? {
            rotation
        } else {
            rotation.after(present.inverse())
        };
        instrument.rotate_component(at, by)?;
        context.change("Workspace", workspace)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use crate::algorithms::testing::{AlgorithmFixture, matrix};
    use crate::instrument::V3D;
    use crate::value::Value;

    #[test]
    fn detectors_go_round_with_their_bank() {
        let fixture = AlgorithmFixture::new();
        let s = fixture.sample_workspace("s", &[("NumBanks", 1_i64.into()), ("BankPixelWidth", 2_i64.into())]);
        let turn = |more: &[(&str, Value)]| {
            let given = [
                ("Workspace", "s".into()),
                ("ComponentName", "bank1".into()),
                ("Y", 1.0.into()),
            ];
            fixture.try_run("RotateInstrumentComponent", &[&given[..], more].concat())
        };
        let place = || matrix(&s).instrument().detectors[2].position;
        let close = |a: V3D, b: V3D| (a - b).norm() < 1e-12;
        assert!(close(place(), V3D::new(0.008, 0.0, 5.0)));
        turn(&[("Angle", 90.0.into())]).unwrap();
        assert!(close(place(), V3D::new(0.0, 0.0, 5.0 - 0.008)));
        turn(&[("Angle", 90.0.into())]).unwrap();
        assert!(close(place(), V3D::new(-0.008, 0.0, 5.0)));
        turn(&[("Angle", 0.0.into()), ("RelativeRotation", false.into())]).unwrap();
        assert!(close(place(), V3D::new(0.008, 0.0, 5.0)));
        assert!(turn(&[("ComponentName", "bank9".into())]).is_err());
        assert!(turn(&[("Y", 0.0.into())]).is_err());
        assert!(turn(&[("Angle", f64::NAN.into())]).is_err());
    }
}
