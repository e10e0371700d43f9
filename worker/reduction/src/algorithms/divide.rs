//! Divide: the quotient of two workspaces, with their uncertainties; the right one may be a value, a spectrum or a column.

crate::algorithms::binary::binary!(Divide, "Divides one workspace by another.");

#[cfg(test)]
mod tests {
    use crate::algorithms::testing::{Bench, close, y};

    #[test]
    fn it_takes_a_single_value() {
        let bench = Bench::new();
        bench.workspace("a", &[0.0, 1.0, 2.0], &[1.0, 2.0], 1);
        bench.make("v", "CreateSingleValuedWorkspace", &[("DataValue", 2.5.into())]);
        let out = bench.make(
            "o",
            "Divide",
            &[("LHSWorkspace", "a".into()), ("RHSWorkspace", "v".into())],
        );
        close(&y(&out, 0), &[1.0, 2.0].map(|v: f64| v / 2.5));
    }
}
