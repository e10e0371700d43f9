//! SetUB: the crystal lattice of the sample and its orientation.

use std::sync::Arc;

use crate::algorithm::{Algorithm, Context};
use crate::declaration::{Declaration, Kind, Validator, in_out, option};
use crate::error::{Result, invalid};
use crate::value::Value;
use crate::workspace::sample::Lattice;

pub(crate) struct SetUB;

impl Algorithm for SetUB {
    fn declaration(&self) -> Declaration {
        let length = |name| {
            option(name, Kind::Float, 1.0, "A length of the cell.")
                .unit("Å")
                .validator(Validator::AtLeast(0.0))
        };
        let angle = |name| {
            option(name, Kind::Float, 90.0, "An angle of the cell.")
                .unit("degrees")
                .validator(Validator::Between(5.0, 175.0))
        };
        let vector = |name, value: [f64; 3], document| option(name, Kind::Floats, value.to_vec(), document);
        Declaration::new(
            "SetUB",
            1,
            "Crystal\\UBMatrix",
            "Gives the sample a crystal lattice and its orientation.",
        )
        .with(in_out("Workspace", Kind::Matrix, "The workspace."))
        .with(length("a"))
        .with(length("b"))
        .with(length("c"))
        .with(angle("alpha"))
        .with(angle("beta"))
        .with(angle("gamma"))
        .with(vector(
            "u",
            [1.0, 0.0, 0.0],
            "h, k, l along the beam when the goniometer is at zero.",
        ))
        .with(vector(
            "v",
            [0.0, 1.0, 0.0],
            "h, k, l of another vector in the horizontal plane.",
        ))
        .with(
            option(
                "UB",
                Kind::Floats,
                vec![0.0; 9],
                "The matrix itself, row by row, instead of cell and vectors.",
            )
            .unit("Å⁻¹"),
        )
        .with(option(
            "MDSampleNumber",
            Kind::Int,
            Value::None,
            "Not used: a workspace of spectra has one sample.",
        ))
    }

    fn exec(&self, context: &mut Context<'_>) -> Result<()> {
        let mut workspace = context.handle("Workspace")?.raw_matrix()?;
        let ub = context.floats("UB")?;
        let lattice = match ub[..] {
            [a, b, c, d, e, f, g, h, i] if ub.iter().any(|v| *v != 0.0) => {
                Lattice::of([[a, b, c], [d, e, f], [g, h, i]])
            }
            [_, _, _, _, _, _, _, _, _] => {
                let number = |name: &str| context.float(name);
                let lengths = [number("a")?, number("b")?, number("c")?];
                let angles = [number("alpha")?, number("beta")?, number("gamma")?];
                Lattice::along(lengths, angles, vector(context, "u")?, vector(context, "v")?)
            }
            _ => return invalid(format!("UB: Incorrect size: it has {} numbers, not 9", ub.len())),
        };
        let mut sample = (**workspace.sample()).clone();
        sample.lattice = Some(lattice.or_else(invalid)?);
        workspace.set_sample(Arc::new(sample));
        context.change("Workspace", workspace)
    }
}

fn vector(context: &Context<'_>, name: &str) -> Result<[f64; 3]> {
    match context.floats(name)?[..] {
        [h, k, l] => Ok([h, k, l]),
        ref other => invalid(format!("{name}: Incorrect size: it has {} numbers, not 3", other.len())),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use crate::algorithms::testing::{Bench, m};
    use crate::value::Value;

    fn set(bench: &Bench, more: &[(&str, Value)]) -> crate::Result<crate::Outputs> {
        bench.try_run("SetUB", &[&[("Workspace", "w".into())][..], more].concat())
    }

    #[test]
    fn the_documented_matrix_comes_out() {
        let bench = Bench::new();
        let w = bench.make("w", "CreateSingleValuedWorkspace", &[("DataValue", 5.0.into())]);
        let cell = [
            ("a", 5.0.into()),
            ("b", 6.0.into()),
            ("c", 7.0.into()),
            ("u", "1,1,0".into()),
            ("v", "0,0,1".into()),
        ];
        set(&bench, &cell).unwrap();
        let ub = m(&w).sample().lattice.unwrap().ub;
        let wanted = [[0.0, 0.0, 0.143], [0.128, -0.128, 0.0], [0.154, 0.107, 0.0]];
        for (row, wanted) in ub.iter().flatten().zip(wanted.iter().flatten()) {
            assert!((row - wanted).abs() < 5e-4, "{ub:?}");
        }
        set(&bench, &[("UB", "0.5,0,0,0,0.25,0,0,0,0.2".into())]).unwrap();
        assert_eq!(m(&w).sample().lattice.unwrap().lengths, [2.0, 4.0, 5.0]);
    }

    #[test]
    fn what_is_no_lattice_is_refused() {
        let bench = Bench::new();
        bench.make("w", "CreateSingleValuedWorkspace", &[("DataValue", 5.0.into())]);
        for wrong in [
            ("u", "1,0"),
            ("v", "1,0,0"),
            ("UB", "1,1,1,1,1,1,1,1,1"),
            ("UB", "1"),
            ("alpha", "1"),
            ("a", "-2"),
            ("a", "0"),
            ("b", "nan"),
        ] {
            assert!(set(&bench, &[(wrong.0, wrong.1.into())]).is_err(), "{wrong:?}");
        }
    }
}
