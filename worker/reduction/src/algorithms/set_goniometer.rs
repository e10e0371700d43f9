//! SetGoniometer: the rotation R of the sample, from the axes of its goniometer and the logs of their angles.
//!
//! R = R₀·R₁·…·R₅ with Rᵢ the rotation by sᵢ·ωᵢ about axis i: ωᵢ the mean of its log in degrees, sᵢ = 1
//! counter-clockwise or −1. Axis0 is the farthest from the sample. Coordinates are right-handed with z along the beam
//! and y up. R turns a vector of the sample's frame into the laboratory's: Q_lab = 2π·R·UB·(h, k, l). Sources: Mantid's
//! page SetGoniometer v1; W. R. Busing and H. A. Levy, Acta Cryst. 22, 457 (1967), doi:10.1107/S0365110X67000970.

use crate::algorithm::{Algorithm, Context};
use crate::date_and_time::DateAndTime;
use crate::declaration::{Declaration, PropertyKind, Validator, in_out, option};
use crate::error::{Result, invalid};
use crate::instrument::{Rotation, V3D};
use crate::run::{LogProperty, LogPropertyValue, TimeSeriesProperty};
use crate::service::LogLevel;
use crate::value::Value;
use crate::workspace::MatrixWorkspace;

pub(crate) struct SetGoniometer;

const AXES: [&str; 6] = ["Axis0", "Axis1", "Axis2", "Axis3", "Axis4", "Axis5"];
const INDIVIDUAL_AXES: &str = "None, Specify Individually";
const UNIVERSAL: [&str; 3] = ["omega,0,1,0,1", "chi,0,0,1,1", "phi,0,1,0,1"];

impl Algorithm for SetGoniometer {
    fn declaration(&self) -> Declaration {
        let known = option(
            "Goniometers",
            PropertyKind::Str,
            INDIVIDUAL_AXES,
            "Universal: axes omega (y), chi (z) and phi (y); otherwise Axis0 to Axis5.",
        );
        let matrix = "Rotation matrix: nine numbers, row by row; other properties are ignored then.";
        let mut declared = Declaration::new(
            "SetGoniometer",
            1,
            "Crystal\\Goniometer",
            "Sets the rotation of the sample.",
        )
        .with(in_out(
            "Workspace",
            PropertyKind::Matrix,
            "Workspace whose goniometer is set.",
        ))
        .with(known.validator(Validator::OneOf(&[INDIVIDUAL_AXES, "Universal"])))
        .with(option("GoniometerMatrix", PropertyKind::Floats, Value::None, matrix))
        .with(option(
            "Average",
            PropertyKind::Bool,
            true,
            "Use the mean of each log; not used, as the native engine has one goniometer only.",
        ));
        for name in AXES {
            let axis =
                "name,x,y,z,sense: log of the angle in degrees (or a number), axis, and 1 (counter-clockwise) or -1.";
            declared = declared.with(option(name, PropertyKind::Str, "", axis));
        }
        declared
    }

    fn exec(&self, context: &mut Context<'_>) -> Result<()> {
        let mut workspace = context.handle("Workspace")?.raw_matrix()?;
        let matrix = context.floats("GoniometerMatrix")?;
        if !matrix.is_empty() {
            workspace.run_mut().set_goniometer(parse_matrix(&matrix)?);
            return context.change("Workspace", workspace);
        }
        let mut descriptions = Vec::new();
        if context.str("Goniometers")? == "Universal" {
            descriptions.extend(
                UNIVERSAL
                    .iter()
                    .zip(AXES)
                    .map(|(text, name)| (name, (*text).to_owned())),
            );
        } else {
            for name in AXES {
                descriptions.push((name, context.str(name)?));
            }
        }
        let mut rotation = Rotation::IDENTITY;
        let mut found = true;
        for (at, (name, text)) in descriptions.iter().enumerate() {
            if text.trim().is_empty() {
                continue;
            }
            let axis = parse_axis(name, text)?;
            match axis_angle(&mut workspace, at, &axis.log) {
                Some(degrees) => rotation = rotation.after(Rotation::about(axis.direction, degrees * axis.sense)),
                None => found = false,
            }
        }
        if descriptions.iter().all(|(_, text)| text.trim().is_empty()) {
            context.log(
                LogLevel::Warning,
                "Empty goniometer created; will always return an identity rotation matrix.",
            );
        }
        if found {
            let column = |x, y, z| rotation.apply(V3D::new(x, y, z)).to_array();
            let columns = [column(1.0, 0.0, 0.0), column(0.0, 1.0, 0.0), column(0.0, 0.0, 1.0)];
            workspace.run_mut().set_goniometer(transposed(columns));
        } else {
            context.log(LogLevel::Error, "No log values for goniometers");
        }
        context.change("Workspace", workspace)
    }
}

fn transposed([a, b, c]: [[f64; 3]; 3]) -> [[f64; 3]; 3] {
    let ([a0, a1, a2], [b0, b1, b2], [c0, c1, c2]) = (a, b, c);
    [[a0, b0, c0], [a1, b1, c1], [a2, b2, c2]]
}

fn parse_matrix(numbers: &[f64]) -> Result<[[f64; 3]; 3]> {
    match *numbers {
        [a, b, c, d, e, f, g, h, i] if numbers.iter().all(|v| v.is_finite()) => Ok([[a, b, c], [d, e, f], [g, h, i]]),
        _ => invalid(format!(
            "GoniometerMatrix has {} numbers: it must be nine finite ones",
            numbers.len()
        )),
    }
}

/// Axis of rotation and the log of its angle.
struct GoniometerAxis {
    log: String,
    direction: V3D,
    /// 1 for counter-clockwise, −1 for clockwise.
    sense: f64,
}

/// Axis of a text `name,x,y,z,sense`.
fn parse_axis(name: &str, text: &str) -> Result<GoniometerAxis> {
    let parts: Vec<&str> = text.split(',').map(str::trim).collect();
    let [log, x, y, z, sense] = parts[..] else {
        return invalid(format!(
            "Wrong number of arguments to parameter {name}. Expected 5 comma-separated arguments."
        ));
    };
    if log.is_empty() {
        return invalid("The name must not be empty");
    }
    let number = |text: &str| match text.parse::<f64>() {
        Ok(value) if value.is_finite() => Ok(value),
        _ => invalid(format!("Error converting string '{text}' to a number.")),
    };
    let direction = V3D::new(number(x)?, number(y)?, number(z)?);
    if direction.norm() < 1e-4 {
        return invalid("Rotation axis vector should be non-zero!");
    }
    match sense.parse::<f64>() {
        Ok(sense) if sense.abs() == 1.0 => Ok(GoniometerAxis {
            log: log.to_owned(),
            direction,
            sense,
        }),
        _ => invalid("The ccw parameter must be 1 (ccw) or -1 (cw) but no other value."),
    }
}

/// Angle of axis `at` in degrees: of its log, or a number, which is stored as the log `GoniometerAxis{at}_FixedValue`.
fn axis_angle(workspace: &mut MatrixWorkspace, at: usize, log: &str) -> Option<f64> {
    let Ok(fixed) = log.parse::<f64>() else {
        return workspace.run().number(log);
    };
    if let Some(series) = TimeSeriesProperty::single(DateAndTime::now(), &LogPropertyValue::Float(fixed)) {
        let property = LogProperty::new(LogPropertyValue::Series(series)).with_units("degree");
        workspace
            .run_mut()
            .set(&format!("GoniometerAxis{at}_FixedValue"), property);
    }
    Some(fixed)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use crate::algorithms::testing::{AlgorithmFixture, assert_close, matrix};
    use crate::value::Value;

    fn set(fixture: &AlgorithmFixture, more: &[(&str, Value)]) -> crate::Result<crate::Outputs> {
        fixture.try_run("SetGoniometer", &[&[("Workspace", "w".into())][..], more].concat())
    }

    // Mantid's page SetGoniometer v1: 45 and 5 degrees about y.
    #[test]
    fn angles_of_logs_and_numbers_add_up() {
        let fixture = AlgorithmFixture::new();
        let w = fixture.create("w", "CreateSingleValuedWorkspace", &[("DataValue", 0.0.into())]);
        let log = [
            ("Workspace", "w".into()),
            ("LogName", "Motor1".into()),
            ("LogText", "45.".into()),
            ("LogType", "Number".into()),
        ];
        fixture.run("AddSampleLog", &log);
        set(
            &fixture,
            &[("Axis0", "Motor1,0,1,0,1".into()), ("Axis1", "5,0,1,0,1".into())],
        )
        .unwrap();
        let (sine, cosine) = 50.0_f64.to_radians().sin_cos();
        let rotation = matrix(&w).run().goniometer();
        assert_close(&rotation[0], &[cosine, 0.0, sine]);
        assert_close(&rotation[2], &[-sine, 0.0, cosine]);
        assert_eq!(matrix(&w).run().number("GoniometerAxis1_FixedValue"), Some(5.0));
        set(&fixture, &[]).unwrap();
        assert_close(&matrix(&w).run().goniometer()[0], &[1.0, 0.0, 0.0]);
        // Axis0 is applied last.
        set(
            &fixture,
            &[("Axis0", "90,0,0,1,1".into()), ("Axis1", "90,0,1,0,-1".into())],
        )
        .unwrap();
        assert_close(&matrix(&w).run().goniometer()[1], &[0.0, 0.0, -1.0]);
        set(&fixture, &[("GoniometerMatrix", "0,0,1,1,0,0,0,1,0".into())]).unwrap();
        assert_close(&matrix(&w).run().goniometer()[1], &[1.0, 0.0, 0.0]);
    }

    #[test]
    fn axes_that_make_no_sense_are_refused_in_the_known_words() {
        let fixture = AlgorithmFixture::new();
        let w = fixture.create("w", "CreateSingleValuedWorkspace", &[("DataValue", 0.0.into())]);
        let text = |axis: &str| set(&fixture, &[("Axis0", axis.into())]).unwrap_err().to_string();
        assert!(text("a,0,1,0").starts_with("Wrong number of arguments to parameter Axis0."));
        assert_eq!(text(",0,1,0,1"), "The name must not be empty");
        assert_eq!(text("1,0,x,0,1"), "Error converting string 'x' to a number.");
        assert_eq!(text("1,0,0,0,1"), "Rotation axis vector should be non-zero!");
        assert!(text("1,0,1,0,2").starts_with("The ccw parameter must be 1"));
        assert!(set(&fixture, &[("GoniometerMatrix", "1,2".into())]).is_err());
        // A missing log leaves the goniometer unchanged.
        set(&fixture, &[("Goniometers", "Universal".into())]).unwrap();
        assert_close(&matrix(&w).run().goniometer()[0], &[1.0, 0.0, 0.0]);
    }
}
