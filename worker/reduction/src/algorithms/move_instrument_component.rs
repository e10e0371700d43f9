//! MoveInstrumentComponent: a component of the instrument at another position, with all that it carries.

use std::sync::Arc;

use crate::algorithm::{Algorithm, Context};
use crate::declaration::{Declaration, PropertyKind, in_out, option};
use crate::error::{Result, failed};
use crate::instrument::V3D;
use crate::value::Value;

pub(crate) struct MoveInstrumentComponent;

impl Algorithm for MoveInstrumentComponent {
    fn declaration(&self) -> Declaration {
        Declaration::new(
            "MoveInstrumentComponent",
            1,
            "DataHandling\\Instrument",
            "Moves a component of a workspace's instrument.",
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
            "Detector id; it takes precedence over ComponentName.",
        ))
        .with(
            option(
                "X",
                PropertyKind::Float,
                0.0,
                "Coordinate of the displacement, or of the new position.",
            )
            .unit("m"),
        )
        .with(
            option(
                "Y",
                PropertyKind::Float,
                0.0,
                "Coordinate of the displacement, or of the new position.",
            )
            .unit("m"),
        )
        .with(
            option(
                "Z",
                PropertyKind::Float,
                0.0,
                "Coordinate of the displacement, or of the new position.",
            )
            .unit("m"),
        )
        .with(option(
            "RelativePosition",
            PropertyKind::Bool,
            true,
            "X, Y and Z are a displacement; otherwise the new position.",
        ))
    }

    fn exec(&self, context: &mut Context<'_>) -> Result<()> {
        let mut workspace = context.handle("Workspace")?.raw_matrix()?;
        let offset = V3D::new(context.float("X")?, context.float("Y")?, context.float("Z")?);
        let relative = context.bool("RelativePosition")?;
        let instrument = Arc::make_mut(&mut workspace.instrument);
        let name = context.str("ComponentName")?;
        let id = context
            .opt_int("DetectorID")?
            .filter(|id| *id >= 0)
            .and_then(|id| i32::try_from(id).ok());
        if let Some(id) = id {
            let Some(from) = instrument.detector(id).map(|detector| detector.position) else {
                return failed(format!("Detector with ID {id} was not found."));
            };
            instrument.move_detector(id, if relative { from + offset } else { offset });
        } else if name.is_empty() {
            return failed("DetectorID or ComponentName must be given.");
        } else {
            let found = instrument
                .component(&name)
                .and_then(|at| instrument.components.get(at).map(|c| (at, c.position)));
            let Some((at, from)) = found else {
                let by_name = instrument
                    .detectors
                    .iter()
                    .find(|d| instrument.detector_name(d) == name)
                    .map(|d| (d.id, d.position));
                let Some((id, from)) = by_name else {
                    return failed(format!("Component with name {name} was not found."));
                };
                instrument.move_detector(id, if relative { from + offset } else { offset });
                return context.change("Workspace", workspace);
            };
            instrument.move_component(at, if relative { from + offset } else { offset })?;
        }
        context.change("Workspace", workspace)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use crate::algorithms::testing::{AlgorithmFixture, matrix};
    use crate::value::Value;

    #[test]
    fn the_documented_example_comes_out_and_detectors_go_along() {
        let fixture = AlgorithmFixture::new();
        let s = fixture.sample_workspace("s", &[]);
        let bank = |properties: &[(&str, Value)]| {
            fixture.run(
                "MoveInstrumentComponent",
                &[
                    &[("Workspace", "s".into()), ("ComponentName", "bank1".into())],
                    properties,
                ]
                .concat(),
            );
            let instrument = matrix(&s).instrument().clone();
            instrument.components[instrument.component("bank1").unwrap()]
                .position
                .to_array()
        };
        assert_eq!(bank(&[("X", 1.0.into())]), [1.0, 0.0, 5.0]);
        assert_eq!(bank(&[("X", 2.0.into())]), [3.0, 0.0, 5.0]);
        assert_eq!(
            bank(&[
                ("X", 1.0.into()),
                ("Y", 2.0.into()),
                ("Z", 3.0.into()),
                ("RelativePosition", false.into())
            ]),
            [1.0, 2.0, 3.0]
        );
        assert_eq!(
            matrix(&s).instrument().detector(100).unwrap().position.to_array(),
            [1.0, 2.0, 3.0]
        );
        let wrong = [("Workspace", "s".into()), ("ComponentName", "bank9".into())];
        assert!(fixture.try_run("MoveInstrumentComponent", &wrong).is_err());
    }
}
