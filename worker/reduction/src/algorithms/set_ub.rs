//! SetUB: the sample's crystal lattice and its orientation.
//!
//! UB has the reciprocal vectors a*, b*, c* as columns, in Å⁻¹ without 2π, in the laboratory's frame with the
//! goniometer at zero: Q = 2π·UB·(h, k, l). From the cell (a, b, c in Å; α, β, γ in degrees) B is built with a* along x
//! and b* in the plane of x and y; U turns B·u to z (along the beam) and B·v into the horizontal plane.
//!
//! Sources: Mantid's page SetUB v1 and concept Lattice; W. R. Busing and H. A. Levy, Acta Cryst. 22, 457 (1967),
//! doi:10.1107/S0365110X67000970.

use std::sync::Arc;

use crate::algorithm::{Algorithm, Context};
use crate::declaration::{Declaration, PropertyKind, Validator, in_out, option};
use crate::error::{Result, invalid};
use crate::value::Value;
use crate::workspace::sample::OrientedLattice;

pub(crate) struct SetUB;

impl Algorithm for SetUB {
    fn declaration(&self) -> Declaration {
        let length = |name| {
            option(name, PropertyKind::Float, 1.0, "Length of the unit cell, above 0.")
                .unit("Å")
                .validator(Validator::AtLeast(0.0))
        };
        let angle = |name| {
            option(name, PropertyKind::Float, 90.0, "Angle of the unit cell, 5 to 175.")
                .unit("degrees")
                .validator(Validator::Between(5.0, 175.0))
        };
        let vector = |name, value: [f64; 3], document| option(name, PropertyKind::Floats, value.to_vec(), document);
        Declaration::new(
            "SetUB",
            1,
            "Crystal\\UBMatrix",
            "Sets the sample's crystal lattice and its orientation.",
        )
        .with(in_out(
            "Workspace",
            PropertyKind::Matrix,
            "Workspace whose sample is changed.",
        ))
        .with(length("a"))
        .with(length("b"))
        .with(length("c"))
        .with(angle("alpha"))
        .with(angle("beta"))
        .with(angle("gamma"))
        .with(vector(
            "u",
            [1.0, 0.0, 0.0],
            "h, k, l along the beam with the goniometer at zero.",
        ))
        .with(vector(
            "v",
            [0.0, 1.0, 0.0],
            "h, k, l of a second vector in the horizontal plane, not parallel to u.",
        ))
        .with(
            option(
                "UB",
                PropertyKind::Floats,
                vec![0.0; 9],
                "UB matrix, row by row; it replaces cell and vectors unless all numbers are 0.",
            )
            .unit("Å⁻¹"),
        )
        .with(option(
            "MDSampleNumber",
            PropertyKind::Int,
            Value::None,
            "Not used: a workspace of spectra has one sample.",
        ))
    }

    fn exec(&self, context: &mut Context<'_>) -> Result<()> {
        let mut workspace = context.handle("Workspace")?.raw_matrix()?;
        let ub = context.floats("UB")?;
        let lattice = match ub[..] {
            [a, b, c, d, e, f, g, h, i] if ub.iter().any(|v| *v != 0.0) => {
                OrientedLattice::from_ub([[a, b, c], [d, e, f], [g, h, i]])
            }
            [_, _, _, _, _, _, _, _, _] => {
                let number = |name: &str| context.float(name);
                let lengths = [number("a")?, number("b")?, number("c")?];
                let angles = [number("alpha")?, number("beta")?, number("gamma")?];
                OrientedLattice::from_vectors(lengths, angles, vector(context, "u")?, vector(context, "v")?)
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
    use crate::algorithms::testing::{AlgorithmFixture, matrix};
    use crate::value::Value;

    fn set(fixture: &AlgorithmFixture, more: &[(&str, Value)]) -> crate::Result<crate::Outputs> {
        fixture.try_run("SetUB", &[&[("Workspace", "w".into())][..], more].concat())
    }

    // Mantid's page SetUB v1.
    #[test]
    fn the_documented_matrix_comes_out() {
        let fixture = AlgorithmFixture::new();
        let w = fixture.create("w", "CreateSingleValuedWorkspace", &[("DataValue", 5.0.into())]);
        let cell = [
            ("a", 5.0.into()),
            ("b", 6.0.into()),
            ("c", 7.0.into()),
            ("u", "1,1,0".into()),
            ("v", "0,0,1".into()),
        ];
        set(&fixture, &cell).unwrap();
        let ub = matrix(&w).sample().lattice.unwrap().ub;
        let wanted = [[0.0, 0.0, 0.143], [0.128, -0.128, 0.0], [0.154, 0.107, 0.0]];
        for (row, wanted) in ub.iter().flatten().zip(wanted.iter().flatten()) {
            assert!((row - wanted).abs() < 5e-4, "{ub:?}");
        }
        set(&fixture, &[("UB", "0.5,0,0,0,0.25,0,0,0,0.2".into())]).unwrap();
        assert_eq!(matrix(&w).sample().lattice.unwrap().lengths, [2.0, 4.0, 5.0]);
    }

    #[test]
    fn what_is_no_lattice_is_refused() {
        let fixture = AlgorithmFixture::new();
        fixture.create("w", "CreateSingleValuedWorkspace", &[("DataValue", 5.0.into())]);
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
            assert!(set(&fixture, &[(wrong.0, wrong.1.into())]).is_err(), "{wrong:?}");
        }
    }
}
