//! Transpose: X and the vertical axis exchanged, columns of Y and E as rows.

use crate::algorithm::{Algorithm, Context};
use crate::compute::{HistogramReader, build_rows};
use crate::declaration::{Declaration, PropertyKind, input, output};
use crate::error::{Result, failed, invalid};
use crate::unit::Unit;
use crate::workspace::MatrixWorkspace;
use crate::workspace::axis::VerticalAxis;
use crate::workspace::data::{SharedRow, XRows};
use crate::workspace::spectra::SpectrumDetectorMapping;

pub(crate) struct Transpose;

impl Algorithm for Transpose {
    fn declaration(&self) -> Declaration {
        Declaration::new("Transpose", 1, "Transforms\\Axes", "Exchanges X and the vertical axis.")
            .with(input(
                "InputWorkspace",
                PropertyKind::Matrix,
                "Workspace with common bins.",
            ))
            .with(output(
                "OutputWorkspace",
                PropertyKind::Matrix,
                "Workspace with its axes exchanged.",
            ))
    }

    fn exec(&self, context: &mut Context<'_>) -> Result<()> {
        let input = context.matrix("InputWorkspace")?;
        if !input.is_common_bins() {
            return invalid("InputWorkspace: The workspace must have common bin boundaries for all histograms");
        }
        let (count, bins) = (input.histograms(), input.blocksize()?);
        if count == 0 || bins == 0 {
            return failed("the workspace is empty: there is nothing to transpose");
        }
        let (unit, x): (Unit, SharedRow) = match input.vertical() {
            VerticalAxis::Spectra => (
                Unit::EMPTY,
                input.spectra().numbers().iter().map(|n| f64::from(*n)).collect(),
            ),
            VerticalAxis::Numeric { unit, values } => (unit.clone(), values.clone()),
            VerticalAxis::Text(_) => {
                return invalid("Axis(1) is a text axis. Transpose is unable to cope with text axes.");
            }
        };
        let reader = HistogramReader::new(&input, context.cancel)?;
        let (mut signal, mut deviation) = (vec![0.0; count * bins], vec![0.0; count * bins]);
        for (index, (to_y, to_e)) in signal.chunks_mut(bins).zip(deviation.chunks_mut(bins)).enumerate() {
            context.check_cancelled()?;
            reader.y.read(index, to_y);
            reader.e.read(index, to_e);
        }
        let column = |all: &[f64], bin: usize| all.iter().skip(bin).step_by(bins).copied().collect::<Vec<f64>>();
        let (y, e) = build_rows(bins, context.cancel, |bin| {
            Ok((column(&signal, bin), column(&deviation, bin)))
        })?;
        let mut out = MatrixWorkspace::histogram(XRows::Common(x), y, e);
        out.set_vertical(VerticalAxis::Numeric {
            unit: input.x_unit().clone(),
            values: input.x(0)?,
        })?;
        out.x_unit = unit;
        out.spectra = SpectrumDetectorMapping::numbered(bins).into();
        out.y_unit.clone_from(&input.y_unit);
        out.y_label.clone_from(&input.y_label);
        out.distribution = input.distribution;
        out.instrument = input.instrument.clone();
        out.run = input.run.clone();
        out.sample = input.sample.clone();
        out.title.clone_from(&input.title);
        out.comment.clone_from(&input.comment);
        out.history = input.history.clone();
        context.output("OutputWorkspace", out)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use crate::algorithms::testing::{AlgorithmFixture, assert_close, e, matrix, x, y};
    use crate::workspace::axis::VerticalAxis;

    #[test]
    fn the_documented_shape_comes_out_and_back() {
        let fixture = AlgorithmFixture::new();
        let s = fixture.sample_workspace("s", &[("BankPixelWidth", 2_i64.into())]);
        let turned = fixture.create("t", "Transpose", &[("InputWorkspace", "s".into())]);
        assert_eq!(
            (matrix(&turned).histograms(), matrix(&turned).blocksize().unwrap()),
            (100, 8)
        );
        assert_close(&x(&turned, 0), &[1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0]);
        assert_close(&y(&turned, 50), &[10.3; 8]);
        assert!(!matrix(&turned).is_histogram_data());
        let back = fixture.create("b", "Transpose", &[("InputWorkspace", "t".into())]);
        assert_eq!((x(&back, 3), y(&back, 3), e(&back, 3)), (x(&s, 3), y(&s, 3), e(&s, 3)));
        assert!(matrix(&back).is_histogram_data());
        assert_eq!(matrix(&back).x_unit().id(), "TOF");
    }

    #[test]
    fn texts_and_ragged_workspaces_are_refused() {
        let fixture = AlgorithmFixture::new();
        let w = fixture.workspace("w", &[0.0, 1.0, 2.0], &[1.0, 2.0, 3.0, 4.0], 2);
        w.update(|ws| ws.set_x(1, [0.0, 1.0, 3.0].into())).unwrap();
        let refused = |fixture: &AlgorithmFixture| {
            fixture
                .try_create("o", "Transpose", &[("InputWorkspace", "w".into())])
                .unwrap_err()
        };
        assert!(
            refused(&fixture)
                .to_string()
                .ends_with("must have common bin boundaries for all histograms")
        );
        let w = fixture.workspace("w", &[0.0, 1.0, 2.0], &[1.0, 2.0, 3.0, 4.0], 2);
        w.update(|ws| ws.set_vertical(VerticalAxis::Text(vec!["a".to_owned(), "b".to_owned()].into())))
            .unwrap();
        assert!(refused(&fixture).to_string().starts_with("Axis(1) is a text axis."));
    }
}
