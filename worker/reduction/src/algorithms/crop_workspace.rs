//! CropWorkspace: a range of spectra over a range of X. Source: Mantid's page CropWorkspace v1.

use crate::algorithm::{Algorithm, Context};
use crate::algorithms::extract_spectra::crop_range;
use crate::compute::indices;
use crate::declaration::{Declaration, PropertyKind, Validator, input, option, output};
use crate::error::Result;
use crate::value::Value;

pub(crate) struct CropWorkspace;

impl Algorithm for CropWorkspace {
    fn declaration(&self) -> Declaration {
        Declaration::new(
            "CropWorkspace",
            1,
            "Transforms\\Splitting",
            "Keeps a range of X and a range of spectra.",
        )
        .with(input("InputWorkspace", PropertyKind::Matrix, "Workspace to crop."))
        .with(output(
            "OutputWorkspace",
            PropertyKind::Matrix,
            "Spectra and bins within the ranges.",
        ))
        .with(
            option(
                "XMin",
                PropertyKind::Float,
                Value::None,
                "Lower limit of X: bins that begin below it are removed.",
            )
            .unit("the unit of X"),
        )
        .with(
            option(
                "XMax",
                PropertyKind::Float,
                Value::None,
                "Upper limit of X: bins that end above it are removed.",
            )
            .unit("the unit of X"),
        )
        .with(
            option(
                "StartWorkspaceIndex",
                PropertyKind::Int,
                0_i64,
                "Workspace index of the first spectrum.",
            )
            .validator(Validator::AtLeast(0.0)),
        )
        .with(
            option(
                "EndWorkspaceIndex",
                PropertyKind::Int,
                Value::None,
                "Workspace index of the last spectrum, inclusive; the workspace's last when not given.",
            )
            .validator(Validator::AtLeast(0.0)),
        )
    }

    fn exec(&self, context: &mut Context<'_>) -> Result<()> {
        let mut input = context.matrix("InputWorkspace")?;
        let chosen = indices::range(
            &input,
            context.opt_int("StartWorkspaceIndex")?,
            context.opt_int("EndWorkspaceIndex")?,
        )?;
        if chosen.len() != input.histograms() {
            input = input.subset(&chosen)?;
        }
        let out = crop_range(input, context.opt_float("XMin")?, context.opt_float("XMax")?, context)?;
        context.output("OutputWorkspace", out)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use crate::algorithms::testing::{AlgorithmFixture, assert_close, matrix, total_counts, x, y};

    #[test]
    fn the_documented_example_comes_out() {
        let fixture = AlgorithmFixture::new();
        fixture.sample_workspace(
            "s",
            &[("XMin", 0.0.into()), ("XMax", 50.0.into()), ("BinWidth", 10.0.into())],
        );
        let range = [
            ("InputWorkspace", "s".into()),
            ("XMin", 10.0.into()),
            ("XMax", 40.0.into()),
        ];
        let out = fixture.create("o", "CropWorkspace", &range);
        assert_close(&x(&out, 0), &[10.0, 20.0, 30.0, 40.0]);
        let part = fixture.create(
            "o",
            "CropWorkspace",
            &[
                &range[..],
                &[
                    ("StartWorkspaceIndex", 2_i64.into()),
                    ("EndWorkspaceIndex", 4_i64.into()),
                ],
            ]
            .concat(),
        );
        assert_eq!((matrix(&part).histograms(), matrix(&part).spectra().number(0)), (3, 3));
    }

    #[test]
    fn ranges_that_keep_nothing_are_refused_in_the_known_words() {
        let fixture = AlgorithmFixture::new();
        fixture.workspace("w", &[0.0, 10.0, 20.0], &[1.0, 2.0], 1);
        for (low, high, text) in [
            (12.0, 3.0, "XMin must be less than XMax"),
            (12.0, 18.0, "The X range given lies entirely within a single bin"),
            (30.0, 40.0, "XMin is greater than the largest X value"),
            (-9.0, -5.0, "XMax is less than the smallest X value"),
        ] {
            let limits = [
                ("InputWorkspace", "w".into()),
                ("XMin", low.into()),
                ("XMax", high.into()),
            ];
            assert_eq!(
                fixture
                    .try_create("o", "CropWorkspace", &limits)
                    .unwrap_err()
                    .to_string(),
                text
            );
        }
    }

    #[test]
    fn events_outside_are_gone_and_both_ends_are_inside() {
        let fixture = AlgorithmFixture::new();
        fixture.sample_workspace(
            "s",
            &[("WorkspaceType", "Event".into()), ("BankPixelWidth", 1_i64.into())],
        );
        let out = fixture.create(
            "o",
            "CropWorkspace",
            &[
                ("InputWorkspace", "s".into()),
                ("XMin", 1000.0.into()),
                ("XMax", 3000.0.into()),
            ],
        );
        let wide = fixture.create(
            "wide",
            "Rebin",
            &[("InputWorkspace", "o".into()), ("Params", "0,20000,20000".into())],
        );
        assert_eq!(total_counts(&wide), total_counts(&out));
        assert_eq!((x(&out, 0).len(), y(&out, 0).len()), (11, 10));
    }
}
