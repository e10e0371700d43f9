//! What Plus, Minus, Multiply and Divide have in common: their properties and how they are executed.

use crate::algorithm::Context;
use crate::compute::arithmetic::{Operation, combine};
use crate::declaration::{Declaration, Kind, input, option, output};
use crate::error::{Result, failed};

/// Declares the algorithm of one operation.
macro_rules! binary {
    ($operation:ident, $summary:literal) => {
        pub(crate) struct $operation;

        impl crate::algorithm::Algorithm for $operation {
            fn declaration(&self) -> crate::declaration::Declaration {
                crate::algorithms::binary::declaration(stringify!($operation), $summary)
            }

            fn exec(&self, context: &mut crate::algorithm::Context<'_>) -> crate::error::Result<()> {
                crate::algorithms::binary::execute(crate::compute::arithmetic::Operation::$operation, context)
            }
        }
    };
}
pub(crate) use binary;

pub(crate) fn declaration(name: &'static str, summary: &'static str) -> Declaration {
    Declaration::new(name, 1, "Arithmetic", summary)
        .with(input("LHSWorkspace", Kind::Matrix, "The left-hand side."))
        .with(input(
            "RHSWorkspace",
            Kind::Matrix,
            "The right-hand side: of the same shape, one spectrum, one column or one value.",
        ))
        .with(output("OutputWorkspace", Kind::Matrix, "The result."))
        .with(option(
            "AllowDifferentNumberSpectra",
            Kind::Bool,
            false,
            "Match spectra by their detectors where their numbers differ.",
        ))
        .with(option(
            "ClearRHSWorkspace",
            Kind::Bool,
            false,
            "Not used: data that nothing refers to are freed anyway.",
        ))
}

pub(crate) fn execute(operation: Operation, context: &mut Context<'_>) -> Result<()> {
    let lhs = context.matrix("LHSWorkspace")?;
    let mut rhs = context.matrix("RHSWorkspace")?;
    if context.bool("AllowDifferentNumberSpectra")? && rhs.histograms() != lhs.histograms() && rhs.histograms() > 1 {
        let map = rhs.spectra().index_by_detector();
        let mut rows = Vec::with_capacity(lhs.histograms());
        for index in 0..lhs.histograms() {
            let found = lhs.spectra().detectors(index).iter().find_map(|id| map.get(id));
            match found {
                Some(row) => rows.push(*row),
                None => {
                    return failed(format!(
                        "spectrum {index} of the left-hand side has no match on the right"
                    ));
                }
            }
        }
        rhs = rhs.subset(&rows)?;
    }
    let out = combine(operation, lhs, rhs, context.cancel)?;
    context.output("OutputWorkspace", out)
}
