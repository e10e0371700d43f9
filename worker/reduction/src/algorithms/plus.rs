//! Plus: the sum of two workspaces, with their uncertainties; the right one may be a value, a spectrum or a column.

crate::algorithms::binary::binary!(Plus, "Adds two workspaces.");

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use crate::algorithms::testing::{Bench, close, e, m, total, x, y};

    fn pair(bench: &Bench) -> [(&'static str, crate::Value); 2] {
        let (edges, values): (Vec<f64>, Vec<f64>) = ((0..10).map(f64::from).collect(), (0..9).map(f64::from).collect());
        bench.workspace("a", &edges, &values, 1);
        bench.workspace_with("b", &edges, &[2.0; 9], &[3.0; 9], 1);
        [("LHSWorkspace", "a".into()), ("RHSWorkspace", "b".into())]
    }

    #[test]
    fn documented_numbers_come_out() {
        let bench = Bench::new();
        let input = pair(&bench);
        let sum = bench.make("o", "Plus", &input);
        close(&y(&sum, 0), &[2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0, 10.0]);
        close(&e(&sum, 0)[..3], &[3.0, 3.162_277_66, 3.605_551_28]);
        close(&e(&sum, 0)[8..], &[8.544_003_75]);
        let difference = bench.make("o", "Minus", &input);
        close(&y(&difference, 0)[..2], &[-2.0, -1.0]);
        let product = bench.make("o", "Multiply", &input);
        close(&e(&product, 0)[..3], &[0.0, 3.605_551_28, 7.211_102_55]);
        let quotient = bench.make("o", "Divide", &input);
        close(&y(&quotient, 0), &[0.0, 0.5, 1.0, 1.5, 2.0, 2.5, 3.0, 3.5, 4.0]);
        close(&e(&quotient, 0)[1..2], &[0.901_387_82]);
    }

    #[test]
    fn a_value_a_spectrum_and_a_column_are_spread() {
        let bench = Bench::new();
        bench.workspace("a", &[0.0, 1.0, 2.0], &[1.0, 2.0, 3.0, 4.0], 2);
        bench.workspace_with("spectrum", &[0.0, 1.0, 2.0], &[10.0, 20.0], &[0.0; 2], 1);
        bench.workspace_with("column", &[0.0, 2.0], &[10.0, 100.0], &[0.0; 2], 2);
        bench.make("value", "CreateSingleValuedWorkspace", &[("DataValue", 5.0.into())]);
        let plus = |rhs: &str| {
            bench.make(
                "o",
                "Plus",
                &[("LHSWorkspace", "a".into()), ("RHSWorkspace", rhs.into())],
            )
        };
        close(&y(&plus("spectrum"), 1), &[13.0, 24.0]);
        close(&y(&plus("column"), 1), &[103.0, 104.0]);
        close(&y(&plus("value"), 0), &[6.0, 7.0]);
        // A sum may be written either way round.
        let swapped = bench.make(
            "o",
            "Plus",
            &[("LHSWorkspace", "value".into()), ("RHSWorkspace", "a".into())],
        );
        close(&y(&swapped, 0), &[6.0, 7.0]);
    }

    #[test]
    fn workspaces_that_do_not_fit_are_refused_in_the_known_words() {
        let bench = Bench::new();
        bench.workspace("a", &[0.0, 1.0, 2.0], &[1.0; 4], 2);
        bench.workspace("b", &[0.0, 1.0, 3.0], &[1.0; 4], 2);
        bench.workspace("c", &[0.0, 1.0, 2.0], &[1.0; 6], 3);
        let text = |name: &str, l: &str, r: &str| {
            bench
                .try_make("o", name, &[("LHSWorkspace", l.into()), ("RHSWorkspace", r.into())])
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
        bench
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
        let bench = Bench::new();
        let s = bench.sample(
            "s",
            &[("WorkspaceType", "Event".into()), ("BankPixelWidth", 2_i64.into())],
        );
        let both = [("LHSWorkspace", "s".into()), ("RHSWorkspace", "s".into())];
        let sum = bench.make("sum", "Plus", &both);
        assert_eq!((m(&sum).id(), total(&sum)), ("EventWorkspace", 2.0 * total(&s)));
        let none = bench.make("none", "Minus", &both);
        assert_eq!((m(&none).id(), total(&none)), ("EventWorkspace", 0.0));
        close(&e(&none, 0), &y(&sum, 0).iter().map(|v| v.sqrt()).collect::<Vec<_>>());
        bench.make("two", "CreateSingleValuedWorkspace", &[("DataValue", 2.0.into())]);
        let half = bench.make(
            "half",
            "Divide",
            &[("LHSWorkspace", "s".into()), ("RHSWorkspace", "two".into())],
        );
        assert_eq!((m(&half).id(), total(&half)), ("EventWorkspace", total(&s) / 2.0));
        bench.make("zero", "CreateSingleValuedWorkspace", &[("DataValue", 0.0.into())]);
        let error = bench
            .try_make(
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
        let bench = Bench::new();
        let s = bench.sample(
            "s",
            &[("WorkspaceType", "Event".into()), ("BankPixelWidth", 1_i64.into())],
        );
        bench.workspace_with("f", &x(&s, 0), &[2.0; 100], &[0.0; 100], 1);
        let out = bench.make(
            "o",
            "Multiply",
            &[("LHSWorkspace", "s".into()), ("RHSWorkspace", "f".into())],
        );
        assert_eq!((m(&out).id(), total(&out)), ("EventWorkspace", 2.0 * total(&s)));
    }
}
