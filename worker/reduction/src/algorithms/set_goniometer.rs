//! SetGoniometer: how the sample is turned, by the axes of its goniometer and the logs that hold their angles.

use crate::algorithm::{Algorithm, Context};
use crate::date_and_time::DateAndTime;
use crate::declaration::{Declaration, Kind, Validator, in_out, option};
use crate::error::{Result, invalid};
use crate::instrument::{Rotation, V3};
use crate::run::{LogProperty, LogValue, TimeSeries};
use crate::service::Level;
use crate::value::Value;
use crate::workspace::MatrixWorkspace;

pub(crate) struct SetGoniometer;

const AXES: [&str; 6] = ["Axis0", "Axis1", "Axis2", "Axis3", "Axis4", "Axis5"];
const BY_HAND: &str = "None, Specify Individually";
const UNIVERSAL: [&str; 3] = ["omega,0,1,0,1", "chi,0,0,1,1", "phi,0,1,0,1"];

impl Algorithm for SetGoniometer {
    fn declaration(&self) -> Declaration {
        let known = option("Goniometers", Kind::Str, BY_HAND, "Axes of a goniometer that is known.");
        let matrix = "The rotation itself: nine numbers, row by row. Nothing else is used then.";
        let mut declared = Declaration::new(
            "SetGoniometer",
            1,
            "Crystal\\Goniometer",
            "States how the sample is turned.",
        )
        .with(in_out("Workspace", Kind::Matrix, "The workspace."))
        .with(known.validator(Validator::OneOf(&[BY_HAND, "Universal"])))
        .with(option("GoniometerMatrix", Kind::Floats, Value::None, matrix))
        .with(option(
            "Average",
            Kind::Bool,
            true,
            "Use the mean of each log; the native engine has no other way.",
        ));
        for name in AXES {
            let axis = "name,x,y,z,sense: the log of the angle in degrees (or a number), the axis, 1 for counter-clockwise or -1.";
            declared = declared.with(option(name, Kind::Str, "", axis));
        }
        declared
    }

    fn exec(&self, context: &mut Context<'_>) -> Result<()> {
        let mut workspace = context.handle("Workspace")?.raw_matrix()?;
        let matrix = context.floats("GoniometerMatrix")?;
        if !matrix.is_empty() {
            workspace.run_mut().set_goniometer(rotation_of(&matrix)?);
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
        let mut turn = Rotation::IDENTITY;
        let mut found = true;
        for (at, (name, text)) in descriptions.iter().enumerate() {
            if text.trim().is_empty() {
                continue;
            }
            let axis = axis(name, text)?;
            match angle(&mut workspace, at, &axis.log) {
                Some(degrees) => turn = turn.after(Rotation::about(axis.direction, degrees * axis.sense)),
                None => found = false,
            }
        }
        if descriptions.iter().all(|(_, text)| text.trim().is_empty()) {
            context.log(
                Level::Warning,
                "Empty goniometer created; will always return an identity rotation matrix.",
            );
        }
        if found {
            let column = |x, y, z| turn.apply(V3::new(x, y, z)).to_array();
            let columns = [column(1.0, 0.0, 0.0), column(0.0, 1.0, 0.0), column(0.0, 0.0, 1.0)];
            workspace.run_mut().set_goniometer(transposed(columns));
        } else {
            context.log(Level::Error, "No log values for goniometers");
        }
        context.change("Workspace", workspace)
    }
}

fn transposed([a, b, c]: [[f64; 3]; 3]) -> [[f64; 3]; 3] {
    let ([a0, a1, a2], [b0, b1, b2], [c0, c1, c2]) = (a, b, c);
    [[a0, b0, c0], [a1, b1, c1], [a2, b2, c2]]
}

fn rotation_of(numbers: &[f64]) -> Result<[[f64; 3]; 3]> {
    match *numbers {
        [a, b, c, d, e, f, g, h, i] if numbers.iter().all(|v| v.is_finite()) => Ok([[a, b, c], [d, e, f], [g, h, i]]),
        _ => invalid(format!(
            "GoniometerMatrix has {} numbers: it must be nine finite ones",
            numbers.len()
        )),
    }
}

struct Axis {
    log: String,
    direction: V3,
    sense: f64,
}

fn axis(name: &str, text: &str) -> Result<Axis> {
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
    let direction = V3::new(number(x)?, number(y)?, number(z)?);
    if direction.norm() < 1e-4 {
        return invalid("Rotation axis vector should be non-zero!");
    }
    match sense.parse::<f64>() {
        Ok(sense) if sense.abs() == 1.0 => Ok(Axis {
            log: log.to_owned(),
            direction,
            sense,
        }),
        _ => invalid("The ccw parameter must be 1 (ccw) or -1 (cw) but no other value."),
    }
}

/// The angle of an axis, degrees: of its log, or the number that stands for one, which becomes a log.
fn angle(workspace: &mut MatrixWorkspace, at: usize, log: &str) -> Option<f64> {
    let Ok(fixed) = log.parse::<f64>() else {
        return workspace.run().number(log);
    };
    if let Some(series) = TimeSeries::single(DateAndTime::now(), &LogValue::Float(fixed)) {
        let property = LogProperty::new(LogValue::Series(series)).with_units("degree");
        workspace
            .run_mut()
            .set(&format!("GoniometerAxis{at}_FixedValue"), property);
    }
    Some(fixed)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use crate::algorithms::testing::{Bench, close, m};
    use crate::value::Value;

    fn set(bench: &Bench, more: &[(&str, Value)]) -> crate::Result<crate::Outputs> {
        bench.try_run("SetGoniometer", &[&[("Workspace", "w".into())][..], more].concat())
    }

    #[test]
    fn angles_of_logs_and_numbers_add_up() {
        let bench = Bench::new();
        let w = bench.make("w", "CreateSingleValuedWorkspace", &[("DataValue", 0.0.into())]);
        let log = [
            ("Workspace", "w".into()),
            ("LogName", "Motor1".into()),
            ("LogText", "45.".into()),
            ("LogType", "Number".into()),
        ];
        bench.run("AddSampleLog", &log);
        set(
            &bench,
            &[("Axis0", "Motor1,0,1,0,1".into()), ("Axis1", "5,0,1,0,1".into())],
        )
        .unwrap();
        let (sine, cosine) = 50.0_f64.to_radians().sin_cos();
        let rotation = m(&w).run().goniometer();
        close(&rotation[0], &[cosine, 0.0, sine]);
        close(&rotation[2], &[-sine, 0.0, cosine]);
        assert_eq!(m(&w).run().number("GoniometerAxis1_FixedValue"), Some(5.0));
        set(&bench, &[]).unwrap();
        close(&m(&w).run().goniometer()[0], &[1.0, 0.0, 0.0]);
        // The first axis is the outermost.
        set(
            &bench,
            &[("Axis0", "90,0,0,1,1".into()), ("Axis1", "90,0,1,0,-1".into())],
        )
        .unwrap();
        close(&m(&w).run().goniometer()[1], &[0.0, 0.0, -1.0]);
        set(&bench, &[("GoniometerMatrix", "0,0,1,1,0,0,0,1,0".into())]).unwrap();
        close(&m(&w).run().goniometer()[1], &[1.0, 0.0, 0.0]);
    }

    #[test]
    fn axes_that_make_no_sense_are_refused_in_the_known_words() {
        let bench = Bench::new();
        let w = bench.make("w", "CreateSingleValuedWorkspace", &[("DataValue", 0.0.into())]);
        let text = |axis: &str| set(&bench, &[("Axis0", axis.into())]).unwrap_err().to_string();
        assert!(text("a,0,1,0").starts_with("Wrong number of arguments to parameter Axis0."));
        assert_eq!(text(",0,1,0,1"), "The name must not be empty");
        assert_eq!(text("1,0,x,0,1"), "Error converting string 'x' to a number.");
        assert_eq!(text("1,0,0,0,1"), "Rotation axis vector should be non-zero!");
        assert!(text("1,0,1,0,2").starts_with("The ccw parameter must be 1"));
        assert!(set(&bench, &[("GoniometerMatrix", "1,2".into())]).is_err());
        // A log that is not there leaves the goniometer as it is.
        set(&bench, &[("Goniometers", "Universal".into())]).unwrap();
        close(&m(&w).run().goniometer()[0], &[1.0, 0.0, 0.0]);
    }
}
