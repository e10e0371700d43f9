//! CropWorkspace: part of the spectra, over part of X.

use crate::algorithm::{Algorithm, Context};
use crate::algorithms::extract_spectra::crop;
use crate::compute::indices;
use crate::declaration::{Declaration, Kind, Validator, input, option, output};
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
        .with(input("InputWorkspace", Kind::Matrix, "The workspace to crop."))
        .with(output("OutputWorkspace", Kind::Matrix, "What is left."))
        .with(
            option(
                "XMin",
                Kind::Float,
                Value::None,
                "Bins that begin before this are left out.",
            )
            .unit("the unit of X"),
        )
        .with(
            option(
                "XMax",
                Kind::Float,
                Value::None,
                "Bins that end after this are left out.",
            )
            .unit("the unit of X"),
        )
        .with(option("StartWorkspaceIndex", Kind::Int, 0_i64, "The first spectrum.").validator(Validator::AtLeast(0.0)))
        .with(
            option(
                "EndWorkspaceIndex",
                Kind::Int,
                Value::None,
                "The last spectrum; all to the end when not given.",
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
        let out = crop(input, context.opt_float("XMin")?, context.opt_float("XMax")?, context)?;
        context.output("OutputWorkspace", out)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use crate::algorithms::testing::{Bench, close, m, total, x, y};

    #[test]
    fn the_documented_example_comes_out() {
        let bench = Bench::new();
        bench.sample(
            "s",
            &[("XMin", 0.0.into()), ("XMax", 50.0.into()), ("BinWidth", 10.0.into())],
        );
        let range = [
            ("InputWorkspace", "s".into()),
            ("XMin", 10.0.into()),
            ("XMax", 40.0.into()),
        ];
        let out = bench.make("o", "CropWorkspace", &range);
        close(&x(&out, 0), &[10.0, 20.0, 30.0, 40.0]);
        let part = bench.make(
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
        assert_eq!((m(&part).histograms(), m(&part).spectra().number(0)), (3, 3));
    }

    #[test]
    fn ranges_that_keep_nothing_are_refused_in_the_known_words() {
        let bench = Bench::new();
        bench.workspace("w", &[0.0, 10.0, 20.0], &[1.0, 2.0], 1);
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
                bench.try_make("o", "CropWorkspace", &limits).unwrap_err().to_string(),
                text
            );
        }
    }

    #[test]
    fn events_outside_are_gone_and_both_ends_are_inside() {
        let bench = Bench::new();
        bench.sample(
            "s",
            &[("WorkspaceType", "Event".into()), ("BankPixelWidth", 1_i64.into())],
        );
        let out = bench.make(
            "o",
            "CropWorkspace",
            &[
                ("InputWorkspace", "s".into()),
                ("XMin", 1000.0.into()),
                ("XMax", 3000.0.into()),
            ],
        );
        let wide = bench.make(
            "wide",
            "Rebin",
            &[("InputWorkspace", "o".into()), ("Params", "0,20000,20000".into())],
        );
        assert_eq!(total(&wide), total(&out));
        assert_eq!((x(&out, 0).len(), y(&out, 0).len()), (11, 10));
    }
}
