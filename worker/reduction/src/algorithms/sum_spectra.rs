//! SumSpectra: several spectra as one.

use std::sync::Arc;

use live_data_engine::pool;
use rayon::prelude::*;

use crate::algorithm::{Algorithm, Context};
use crate::compute::{Reader, indices};
use crate::declaration::{Declaration, Kind, Validator, input, option, output};
use crate::error::{AlgorithmError, Result, failed};
use crate::run::{LogProperty, LogValue};
use crate::value::Value;
use crate::workspace::MatrixWorkspace;
use crate::workspace::axis::VerticalAxis;
use crate::workspace::data::{Rows, Xs};
use crate::workspace::events::EventData;
use crate::workspace::matrix::Data;
use crate::workspace::spectra::Spectra;

pub(crate) struct SumSpectra;

impl Algorithm for SumSpectra {
    fn declaration(&self) -> Declaration {
        Declaration::new(
            "SumSpectra",
            1,
            "Transforms\\Grouping",
            "Adds spectra bin by bin into one.",
        )
        .with(input(
            "InputWorkspace",
            Kind::Matrix,
            "The workspace whose spectra are added.",
        ))
        .with(output("OutputWorkspace", Kind::Matrix, "A workspace of one spectrum."))
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
        .with(option(
            "ListOfWorkspaceIndices",
            Kind::Ints,
            Value::None,
            "The spectra, instead of or besides the range.",
        ))
        .with(option(
            "IncludeMonitors",
            Kind::Bool,
            true,
            "Whether monitors are added too.",
        ))
        .with(option(
            "WeightedSum",
            Kind::Bool,
            false,
            "Weigh each term by 1/e²; not for events.",
        ))
        .with(option(
            "MultiplyBySpectra",
            Kind::Bool,
            true,
            "Multiply a weighted sum by the number of its terms.",
        ))
        .with(option(
            "RemoveSpecialValues",
            Kind::Bool,
            false,
            "Leave out values that are not finite.",
        ))
        .with(option(
            "UseFractionalArea",
            Kind::Bool,
            false,
            "For rebinned outputs, which the native engine has none of.",
        ))
    }

    fn exec(&self, context: &mut Context<'_>) -> Result<()> {
        let input = context.matrix("InputWorkspace")?;
        let listed = context.ints("ListOfWorkspaceIndices")?;
        let mut chosen = indices::checked(&input, &listed)?;
        if listed.is_empty() || context.given("StartWorkspaceIndex") || context.given("EndWorkspaceIndex") {
            chosen.extend(indices::range(
                &input,
                context.opt_int("StartWorkspaceIndex")?,
                context.opt_int("EndWorkspaceIndex")?,
            )?);
        }
        chosen.sort_unstable();
        chosen.dedup();
        let considered = chosen.len();
        chosen.retain(|index| !input.is_masked(*index));
        let masked = considered - chosen.len();
        if !context.bool("IncludeMonitors")? {
            chosen.retain(|index| !input.is_monitor(*index));
        }
        let weighted = context.bool("WeightedSum")?;
        let mut zero = 0;
        let (first, data) = match input.events() {
            Some(events) => {
                let plan = events.plan().regroup(std::slice::from_ref(&chosen))?;
                let x = input.x(0)?;
                (0, Data::Events(EventData::new(plan, Xs::Common(x))))
            }
            None => {
                let sum = add(
                    &input,
                    &chosen,
                    (weighted, context.bool("MultiplyBySpectra")?),
                    context.bool("RemoveSpecialValues")?,
                    context,
                )?;
                zero = sum.zero;
                let x = Xs::Common(input.x(0)?);
                (
                    0,
                    Data::Histogram(crate::workspace::matrix::Histogram {
                        x,
                        y: Rows::new(vec![sum.y.into()]),
                        e: Rows::new(vec![sum.e.into()]),
                    }),
                )
            }
        };
        let number = chosen.iter().map(|index| input.spectra().number(*index)).min();
        let mut ids: Vec<i32> = chosen
            .iter()
            .flat_map(|index| input.spectra().detectors(*index).to_vec())
            .collect();
        ids.sort_unstable();
        ids.dedup();
        let mut spectra = Spectra::with_capacity(1);
        spectra.push(number.unwrap_or_else(|| input.spectra().number(first)), &ids);
        let mut out = input.clone().with_data(data);
        out.spectra = Arc::new(spectra);
        out.vertical = VerticalAxis::Spectra;
        for (name, count) in [
            ("NumAllSpectra", chosen.len()),
            ("NumMaskSpectra", masked),
            ("NumZeroSpectra", zero),
        ] {
            out.run_mut().set(name, LogProperty::new(LogValue::Int(count as i64)));
        }
        context.output("OutputWorkspace", out)
    }
}

struct Sum {
    y: Vec<f64>,
    /// Squared while it is added up.
    e: Vec<f64>,
    weight: Vec<f64>,
    terms: Vec<u32>,
    zero: usize,
}

fn add(
    input: &MatrixWorkspace,
    chosen: &[usize],
    (weighted, multiply): (bool, bool),
    finite: bool,
    context: &Context<'_>,
) -> Result<Sum> {
    let reader = Reader::new(input, context.cancel)?;
    let bins = input.bins(0);
    if chosen.iter().any(|index| input.bins(*index) != bins) {
        return failed("SumSpectra needs spectra of one length: rebin them first");
    }
    let empty = || Sum {
        y: vec![0.0; bins],
        e: vec![0.0; bins],
        weight: vec![0.0; bins],
        terms: vec![0; bins],
        zero: 0,
    };
    // Blocks of fixed size, added in order: the sum does not depend on how many threads there are.
    let blocks: Result<Vec<Sum>> = pool::install(|| {
        chosen
            .par_chunks(512)
            .map(|block| {
                context.cancel.check().map_err(|_| AlgorithmError::Cancelled)?;
                let mut sum = empty();
                for index in block {
                    let (_, y, e) = reader.get(*index)?;
                    let mut any = false;
                    for (bin, (y, e)) in y.iter().zip(e.iter()).enumerate() {
                        any |= *y != 0.0;
                        if finite && !(y.is_finite() && e.is_finite()) {
                            continue;
                        }
                        let weight = if weighted { 1.0 / (e * e) } else { 1.0 };
                        if weighted && *e == 0.0 {
                            continue;
                        }
                        let (Some(ys), Some(es), Some(ws), Some(n)) = (
                            sum.y.get_mut(bin),
                            sum.e.get_mut(bin),
                            sum.weight.get_mut(bin),
                            sum.terms.get_mut(bin),
                        ) else {
                            continue;
                        };
                        *ys += y * weight;
                        *es += e * e;
                        *ws += weight;
                        *n += 1;
                    }
                    sum.zero += usize::from(!any);
                }
                Ok(sum)
            })
            .collect()
    });
    let mut out = empty();
    for block in blocks? {
        for bin in 0..bins {
            out.y[bin] += block.y[bin];
            out.e[bin] += block.e[bin];
            out.weight[bin] += block.weight[bin];
            out.terms[bin] += block.terms[bin];
        }
        out.zero += block.zero;
    }
    for bin in 0..bins {
        if weighted {
            let terms = if multiply { f64::from(out.terms[bin]) } else { 1.0 };
            let weight = out.weight[bin];
            out.y[bin] = if weight > 0.0 { terms * out.y[bin] / weight } else { 0.0 };
            out.e[bin] = if multiply {
                out.e[bin].sqrt()
            } else if weight > 0.0 {
                (1.0 / weight).sqrt()
            } else {
                0.0
            };
        } else {
            out.e[bin] = out.e[bin].sqrt();
        }
    }
    Ok(out)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use crate::algorithms::testing::{Bench, close, e, m, y};

    #[test]
    fn spectra_add_with_errors_in_quadrature() {
        let bench = Bench::new();
        bench.sample("s", &[]);
        let out = bench.make(
            "o",
            "SumSpectra",
            &[
                ("InputWorkspace", "s".into()),
                ("ListOfWorkspaceIndices", "0-3, 10-13".into()),
            ],
        );
        assert_eq!(m(&out).histograms(), 1);
        assert!((y(&out, 0)[0] - 8.0 * 0.3).abs() < 1e-12);
        assert!((e(&out, 0)[0] - (8.0_f64 * 0.3).sqrt()).abs() < 1e-12);
        assert_eq!(m(&out).run().number("NumAllSpectra"), Some(8.0));
        assert_eq!(m(&out).spectra().detectors(0).len(), 8);
    }

    #[test]
    fn weighted_sums_drop_terms_without_an_error() {
        let bench = Bench::new();
        bench.workspace_with("w", &[0.0, 1.0], &[2.0, 4.0, 9.0], &[1.0, 2.0, 0.0], 3);
        let out = bench.make(
            "o",
            "SumSpectra",
            &[("InputWorkspace", "w".into()), ("WeightedSum", true.into())],
        );
        close(&y(&out, 0), &[2.0 * (2.0 + 1.0) / 1.25]);
    }

    #[test]
    fn events_stay_events_and_agree_with_histograms() {
        let bench = Bench::new();
        bench.sample("s", &[("WorkspaceType", "Event".into())]);
        let events = bench.make("e", "SumSpectra", &[("InputWorkspace", "s".into())]);
        bench.make("h", "ConvertToMatrixWorkspace", &[("InputWorkspace", "s".into())]);
        let histogram = bench.make("h", "SumSpectra", &[("InputWorkspace", "h".into())]);
        assert_eq!(m(&events).id(), "EventWorkspace");
        close(&y(&events, 0), &y(&histogram, 0));
        close(&e(&events, 0), &e(&histogram, 0));
    }

    #[test]
    fn indices_outside_are_refused() {
        let bench = Bench::new();
        bench.workspace("w", &[0.0, 1.0], &[1.0, 2.0], 2);
        for (name, value) in [
            ("ListOfWorkspaceIndices", "0,2"),
            ("StartWorkspaceIndex", "5"),
            ("EndWorkspaceIndex", "2"),
        ] {
            assert!(
                bench
                    .try_make(
                        "o",
                        "SumSpectra",
                        &[("InputWorkspace", "w".into()), (name, value.into())]
                    )
                    .is_err()
            );
        }
    }
}
