//! Plus, Minus, Multiply and Divide: arithmetic of two workspaces with propagation of standard deviations.
//!
//! | algorithm | Y | E |
//! |---|---|---|
//! | Plus, Minus | y₁ ± y₂ | √(e₁² + e₂²) |
//! | Multiply | y₁·y₂ | √((e₁·y₂)² + (e₂·y₁)²) |
//! | Divide | y₁ / y₂ | √(e₁² + (y₁·e₂ / y₂)²) / \|y₂\| |
//!
//! y is the signal of one bin of the left (1) or right (2) workspace and e its standard deviation, both in the unit of
//! Y. The two workspaces are taken as independent. Sources: Mantid's pages Plus v1, Minus v1, Multiply v1
//! and Divide v1; P. R. Bevington and D. K. Robinson, Data Reduction and Error Analysis for the Physical Sciences,
//! third edition (2003), chapter 3.
//!
//! Promises: the right side may have one value, one spectrum, one column or the left side's shape.

use crate::algorithm::{Algorithm, Context};
use crate::compute::arithmetic::{BinaryOperation, combine};
use crate::declaration::{Declaration, PropertyKind, input, option, output};
use crate::error::{Result, failed};
use crate::workspace::MatrixWorkspace;

/// Algorithm whose name is that of its operation.
pub(crate) struct BinaryAlgorithm {
    operation: BinaryOperation,
    summary: &'static str,
}

pub(crate) static PLUS: BinaryAlgorithm = BinaryAlgorithm {
    operation: BinaryOperation::Plus,
    summary: "Adds two workspaces.",
};

pub(crate) static MINUS: BinaryAlgorithm = BinaryAlgorithm {
    operation: BinaryOperation::Minus,
    summary: "Subtracts one workspace from another.",
};

pub(crate) static MULTIPLY: BinaryAlgorithm = BinaryAlgorithm {
    operation: BinaryOperation::Multiply,
    summary: "Multiplies two workspaces.",
};

pub(crate) static DIVIDE: BinaryAlgorithm = BinaryAlgorithm {
    operation: BinaryOperation::Divide,
    summary: "Divides one workspace by another.",
};

impl Algorithm for BinaryAlgorithm {
    fn declaration(&self) -> Declaration {
        Declaration::new(self.operation.name(), 1, "Arithmetic", self.summary)
            .with(input("LHSWorkspace", PropertyKind::Matrix, "Left operand."))
            .with(input(
                "RHSWorkspace",
                PropertyKind::Matrix,
                "Right operand: of the same shape, one spectrum, one column or one value.",
            ))
            .with(output(
                "OutputWorkspace",
                PropertyKind::Matrix,
                "Result of the operation.",
            ))
            .with(option(
                "AllowDifferentNumberSpectra",
                PropertyKind::Bool,
                false,
                "Match spectra by their detectors where their numbers differ.",
            ))
            .with(option(
                "ClearRHSWorkspace",
                PropertyKind::Bool,
                false,
                "Not used: unreferenced data are freed in any case.",
            ))
    }

    fn exec(&self, context: &mut Context<'_>) -> Result<()> {
        let lhs = context.matrix("LHSWorkspace")?;
        let mut rhs = context.matrix("RHSWorkspace")?;
        if context.bool("AllowDifferentNumberSpectra")? && rhs.histograms() != lhs.histograms() && rhs.histograms() > 1
        {
            rhs = matched_by_detector(&lhs, &rhs)?;
        }
        let out = combine(self.operation, lhs, rhs, context.cancel)?;
        context.output("OutputWorkspace", out)
    }
}

/// Spectra of the right side in the left side's order, one for each left spectrum, matched by any common detector.
fn matched_by_detector(lhs: &MatrixWorkspace, rhs: &MatrixWorkspace) -> Result<MatrixWorkspace> {
    let by_detector = rhs.spectra().index_by_detector();
    let mut rows = Vec::with_capacity(lhs.histograms());
    for index in 0..lhs.histograms() {
        match lhs.spectra().detectors(index).iter().find_map(|id| by_detector.get(id)) {
            Some(row) => rows.push(*row),
            None => {
                return failed(format!(
                    "spectrum {index} of the left-hand side has no match on the right"
                ));
            }
        }
    }
    rhs.subset(&rows)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use crate::algorithms::testing::{AlgorithmFixture, assert_close, e, matrix, total_counts, x, y};

    fn pair(fixture: &AlgorithmFixture) -> [(&'static str, crate::Value); 2] {
        let (edges, values): (Vec<f64>, Vec<f64>) = ((0..10).map(f64::from).collect(), (0..9).map(f64::from).collect());
        fixture.workspace("a", &edges, &values, 1);
        fixture.workspace_with_errors("b", &edges, &[2.0; 9], &[3.0; 9], 1);
        [("LHSWorkspace", "a".into()), ("RHSWorkspace", "b".into())]
    }

    #[test]
    fn it_takes_a_single_value() {
        type Scalar = fn(f64) -> f64;
        let expected: [(&str, Scalar); 3] = [
            ("Divide", |v| v / 2.5),
            ("Minus", |v| v - 2.5),
            ("Multiply", |v| v * 2.5),
        ];
        for (name, operation) in expected {
            let fixture = AlgorithmFixture::new();
            fixture.workspace("a", &[0.0, 1.0, 2.0], &[1.0, 2.0], 1);
            fixture.create("v", "CreateSingleValuedWorkspace", &[("DataValue", 2.5.into())]);
            let input = [("LHSWorkspace", "a".into()), ("RHSWorkspace", "v".into())];
            assert_close(&y(&fixture.create("o", name, &input), 0), &[1.0, 2.0].map(operation));
        }
    }

    // Mantid's pages Plus v1, Minus v1, Multiply v1 and Divide v1.
    #[test]
    fn documented_numbers_come_out() {
        let fixture = AlgorithmFixture::new();
        let input = pair(&fixture);
        let sum = fixture.create("o", "Plus", &input);
        assert_close(&y(&sum, 0), &[2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0, 10.0]);
        assert_close(&e(&sum, 0)[..3], &[3.0, 3.162_277_66, 3.605_551_28]);
        assert_close(&e(&sum, 0)[8..], &[8.544_003_75]);
        let difference = fixture.create("o", "Minus", &input);
        assert_close(&y(&difference, 0)[..2], &[-2.0, -1.0]);
        let product = fixture.create("o", "Multiply", &input);
        assert_close(&e(&product, 0)[..3], &[0.0, 3.605_551_28, 7.211_102_55]);
        let quotient = fixture.create("o", "Divide", &input);
        assert_close(&y(&quotient, 0), &[0.0, 0.5, 1.0, 1.5, 2.0, 2.5, 3.0, 3.5, 4.0]);
        assert_close(&e(&quotient, 0)[1..2], &[0.901_387_82]);
    }

    #[test]
    fn a_value_a_spectrum_and_a_column_are_spread() {
        let fixture = AlgorithmFixture::new();
        fixture.workspace("a", &[0.0, 1.0, 2.0], &[1.0, 2.0, 3.0, 4.0], 2);
        fixture.workspace_with_errors("spectrum", &[0.0, 1.0, 2.0], &[10.0, 20.0], &[0.0; 2], 1);
        fixture.workspace_with_errors("column", &[0.0, 2.0], &[10.0, 100.0], &[0.0; 2], 2);
        fixture.create("value", "CreateSingleValuedWorkspace", &[("DataValue", 5.0.into())]);
        let plus = |rhs: &str| {
            fixture.create(
                "o",
                "Plus",
                &[("LHSWorkspace", "a".into()), ("RHSWorkspace", rhs.into())],
            )
        };
        assert_close(&y(&plus("spectrum"), 1), &[13.0, 24.0]);
        assert_close(&y(&plus("column"), 1), &[103.0, 104.0]);
        assert_close(&y(&plus("value"), 0), &[6.0, 7.0]);
        // A sum may have its sides exchanged.
        let swapped = fixture.create(
            "o",
            "Plus",
            &[("LHSWorkspace", "value".into()), ("RHSWorkspace", "a".into())],
        );
        assert_close(&y(&swapped, 0), &[6.0, 7.0]);
    }

    #[test]
    fn workspaces_that_do_not_fit_are_refused_in_the_known_words() {
        let fixture = AlgorithmFixture::new();
        fixture.workspace("a", &[0.0, 1.0, 2.0], &[1.0; 4], 2);
        fixture.workspace("b", &[0.0, 1.0, 3.0], &[1.0; 4], 2);
        fixture.workspace("c", &[0.0, 1.0, 2.0], &[1.0; 6], 3);
        let text = |name: &str, l: &str, r: &str| {
            fixture
                .try_create("o", name, &[("LHSWorkspace", l.into()), ("RHSWorkspace", r.into())])
                .unwrap_err()
                .to_string()
        };
        assert_eq!(
            text("Plus", "a", "b"),
            "X arrays must match when performing this operation on a 2D workspaces."
        );
        assert_eq!(
            text("Divide", "a", "b"),
            "X arrays must match when dividing 2D workspaces."
        );
        assert_eq!(text("Minus", "a", "c"), "Left hand side smaller than right hand side.");
        assert_eq!(text("Minus", "c", "a"), "Number of histograms not identical.");
        fixture
            .service
            .data
            .retrieve("b")
            .unwrap()
            .update(|ws| {
                ws.set_y_unit("Counts");
                Ok(())
            })
            .unwrap();
        assert_eq!(
            text("Plus", "a", "b"),
            "The two workspaces are not compatible for algorithm Plus"
        );
    }

    #[test]
    fn events_are_joined_and_subtracted_by_weight() {
        let fixture = AlgorithmFixture::new();
        let s = fixture.sample_workspace(
            "s",
            &[("WorkspaceType", "Event".into()), ("BankPixelWidth", 2_i64.into())],
        );
        let both = [("LHSWorkspace", "s".into()), ("RHSWorkspace", "s".into())];
        let sum = fixture.create("sum", "Plus", &both);
        assert_eq!(
            (matrix(&sum).id(), total_counts(&sum)),
            ("EventWorkspace", 2.0 * total_counts(&s))
        );
        let none = fixture.create("none", "Minus", &both);
        assert_eq!((matrix(&none).id(), total_counts(&none)), ("EventWorkspace", 0.0));
        assert_close(&e(&none, 0), &y(&sum, 0).iter().map(|v| v.sqrt()).collect::<Vec<_>>());
        fixture.create("two", "CreateSingleValuedWorkspace", &[("DataValue", 2.0.into())]);
        let half = fixture.create(
            "half",
            "Divide",
            &[("LHSWorkspace", "s".into()), ("RHSWorkspace", "two".into())],
        );
        assert_eq!(
            (matrix(&half).id(), total_counts(&half)),
            ("EventWorkspace", total_counts(&s) / 2.0)
        );
        fixture.create("zero", "CreateSingleValuedWorkspace", &[("DataValue", 0.0.into())]);
        let error = fixture
            .try_create(
                "o",
                "Divide",
                &[("LHSWorkspace", "s".into()), ("RHSWorkspace", "zero".into())],
            )
            .unwrap_err();
        assert_eq!(
            error.to_string(),
            "EventList::divide() called with value of 0.0. Cannot divide by zero."
        );
    }

    #[test]
    fn events_are_weighed_bin_by_bin() {
        let fixture = AlgorithmFixture::new();
        let s = fixture.sample_workspace(
            "s",
            &[("WorkspaceType", "Event".into()), ("BankPixelWidth", 1_i64.into())],
        );
        fixture.workspace_with_errors("f", &x(&s, 0), &[2.0; 100], &[0.0; 100], 1);
        let out = fixture.create(
            "o",
            "Multiply",
            &[("LHSWorkspace", "s".into()), ("RHSWorkspace", "f".into())],
        );
        assert_eq!(
            (matrix(&out).id(), total_counts(&out)),
            ("EventWorkspace", 2.0 * total_counts(&s))
        );
    }
}
