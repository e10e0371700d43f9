//! SumSpectra: several spectra added bin by bin into one.
//!
//! Y = Σ yᵢ and E = √(Σ eᵢ²) over the selected spectra i that are not masked. With WeightedSum, wᵢ = 1/eᵢ² and Y = N·Σ
//! wᵢyᵢ / Σ wᵢ, E = √(Σ eᵢ²), with N the number of terms of the bin; without MultiplyBySpectra Y = Σ wᵢyᵢ / Σ wᵢ and E
//! = 1/√(Σ wᵢ). Terms with eᵢ = 0 are left out of weighted sums. y and e are the signal and its standard deviation.
//! Source: Mantid's page SumSpectra v1.

use std::sync::Arc;

use live_data_engine::pool;
use rayon::prelude::*;

use crate::algorithm::{Algorithm, Context};
use crate::compute::{HistogramReader, indices};
use crate::declaration::{Declaration, PropertyKind, Validator, input, option, output};
use crate::error::{AlgorithmError, Result, failed};
use crate::run::{LogProperty, LogPropertyValue};
use crate::value::Value;
use crate::workspace::MatrixWorkspace;
use crate::workspace::axis::VerticalAxis;
use crate::workspace::data::{Rows, XRows};
use crate::workspace::events::EventData;
use crate::workspace::matrix::WorkspaceData;
use crate::workspace::spectra::SpectrumDetectorMapping;

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
            PropertyKind::Matrix,
            "Workspace whose spectra are added; all of one length.",
        ))
        .with(output(
            "OutputWorkspace",
            PropertyKind::Matrix,
            "Workspace of one spectrum, with the bins of the first.",
        ))
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
        .with(option(
            "ListOfWorkspaceIndices",
            PropertyKind::Ints,
            Value::None,
            "Workspace indices; in addition to the range where one is given.",
        ))
        .with(option("IncludeMonitors", PropertyKind::Bool, true, "Add monitors too."))
        .with(option(
            "WeightedSum",
            PropertyKind::Bool,
            false,
            "Weight each term by 1/E²; not used for events.",
        ))
        .with(option(
            "MultiplyBySpectra",
            PropertyKind::Bool,
            true,
            "Multiply a weighted mean by the number of its terms.",
        ))
        .with(option(
            "RemoveSpecialValues",
            PropertyKind::Bool,
            false,
            "Leave out terms whose Y or E is not finite.",
        ))
        .with(option(
            "UseFractionalArea",
            PropertyKind::Bool,
            false,
            "Not used: the native engine has no workspaces of fractional areas.",
        ))
    }

    fn exec(&self, context: &mut Context<'_>) -> Result<()> {
        let input = context.matrix("InputWorkspace")?;
        let mut chosen = selected_indices(&input, context)?;
        let considered = chosen.len();
        chosen.retain(|index| !input.is_masked(*index));
        let masked = considered - chosen.len();
        if !context.bool("IncludeMonitors")? {
            chosen.retain(|index| !input.is_monitor(*index));
        }
        let mut zero = 0;
        let (first, data) = match input.events() {
            Some(events) => {
                let plan = events.plan().regroup(std::slice::from_ref(&chosen))?;
                let x = input.x(0)?;
                (0, WorkspaceData::Events(EventData::new(plan, XRows::Common(x))))
            }
            None => {
                let options = SumOptions {
                    weighted: context.bool("WeightedSum")?,
                    multiply_by_spectra: context.bool("MultiplyBySpectra")?,
                    finite_only: context.bool("RemoveSpecialValues")?,
                };
                let sum = sum_histograms(&input, &chosen, options, context)?;
                zero = sum.zero;
                let x = XRows::Common(input.x(0)?);
                (
                    0,
                    WorkspaceData::Histogram(crate::workspace::matrix::Histogram {
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
        let mut spectra = SpectrumDetectorMapping::with_capacity(1);
        spectra.push(number.unwrap_or_else(|| input.spectra().number(first)), &ids);
        let mut out = input.clone().with_data(data);
        out.spectra = Arc::new(spectra);
        out.vertical = VerticalAxis::Spectra;
        for (name, count) in [
            ("NumAllSpectra", chosen.len()),
            ("NumMaskSpectra", masked),
            ("NumZeroSpectra", zero),
        ] {
            out.run_mut()
                .set(name, LogProperty::new(LogPropertyValue::Int(count as i64)));
        }
        context.output("OutputWorkspace", out)
    }
}

/// Rule of a sum of histograms.
#[derive(Clone, Copy)]
struct SumOptions {
    weighted: bool,
    multiply_by_spectra: bool,
    finite_only: bool,
}

/// Sums bin by bin.
struct SpectrumSum {
    y: Vec<f64>,
    /// Squared until all terms are added.
    e: Vec<f64>,
    weight: Vec<f64>,
    terms: Vec<u32>,
    /// Number of spectra without any count.
    zero: usize,
}

/// Sum of the chosen spectra.
///
/// # Errors
/// `Execution` for spectra of different lengths.
fn sum_histograms(
    input: &MatrixWorkspace,
    chosen: &[usize],
    options: SumOptions,
    context: &Context<'_>,
) -> Result<SpectrumSum> {
    let reader = HistogramReader::new(input, context.cancel)?;
    let bins = input.bins(0);
    if chosen.iter().any(|index| input.bins(*index) != bins) {
        return failed("SumSpectra needs spectra of one length: rebin them first");
    }
    let empty = || SpectrumSum {
        y: vec![0.0; bins],
        e: vec![0.0; bins],
        weight: vec![0.0; bins],
        terms: vec![0; bins],
        zero: 0,
    };
    // Blocks of fixed size are added in order: the sum does not depend on the number of threads.
    let blocks: Result<Vec<SpectrumSum>> = pool::install(|| {
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
                        if options.finite_only && !(y.is_finite() && e.is_finite()) {
                            continue;
                        }
                        let weight = if options.weighted { 1.0 / (e * e) } else { 1.0 };
                        if options.weighted && *e == 0.0 {
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
    finish(&mut out, options);
    Ok(out)
}

/// Divides weighted sums by their weights, and takes the square roots of the squared errors.
fn finish(out: &mut SpectrumSum, options: SumOptions) {
    for bin in 0..out.y.len() {
        if options.weighted {
            let terms = if options.multiply_by_spectra {
                f64::from(out.terms[bin])
            } else {
                1.0
            };
            let weight = out.weight[bin];
            out.y[bin] = if weight > 0.0 { terms * out.y[bin] / weight } else { 0.0 };
            out.e[bin] = if options.multiply_by_spectra {
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
}

/// Workspace indices of the list and the range, ascending, each once; the list replaces a range that is not given.
fn selected_indices(input: &MatrixWorkspace, context: &Context<'_>) -> Result<Vec<usize>> {
    let listed = context.ints("ListOfWorkspaceIndices")?;
    let mut chosen = indices::checked(input, &listed)?;
    if listed.is_empty() || context.given("StartWorkspaceIndex") || context.given("EndWorkspaceIndex") {
        chosen.extend(indices::range(
            input,
            context.opt_int("StartWorkspaceIndex")?,
            context.opt_int("EndWorkspaceIndex")?,
        )?);
    }
    chosen.sort_unstable();
    chosen.dedup();
    Ok(chosen)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use crate::algorithms::testing::{AlgorithmFixture, assert_close, e, matrix, y};

    #[test]
    fn spectra_add_with_errors_in_quadrature() {
        let fixture = AlgorithmFixture::new();
        fixture.sample_workspace("s", &[]);
        let out = fixture.create(
            "o",
            "SumSpectra",
            &[
                ("InputWorkspace", "s".into()),
                ("ListOfWorkspaceIndices", "0-3, 10-13".into()),
            ],
        );
        assert_eq!(matrix(&out).histograms(), 1);
        assert!((y(&out, 0)[0] - 8.0 * 0.3).abs() < 1e-12);
        assert!((e(&out, 0)[0] - (8.0_f64 * 0.3).sqrt()).abs() < 1e-12);
        assert_eq!(matrix(&out).run().number("NumAllSpectra"), Some(8.0));
        assert_eq!(matrix(&out).spectra().detectors(0).len(), 8);
    }

    #[test]
    fn weighted_sums_drop_terms_without_an_error() {
        let fixture = AlgorithmFixture::new();
        fixture.workspace_with_errors("w", &[0.0, 1.0], &[2.0, 4.0, 9.0], &[1.0, 2.0, 0.0], 3);
        let out = fixture.create(
            "o",
            "SumSpectra",
            &[("InputWorkspace", "w".into()), ("WeightedSum", true.into())],
        );
        assert_close(&y(&out, 0), &[2.0 * (2.0 + 1.0) / 1.25]);
    }

    #[test]
    fn events_stay_events_and_agree_with_histograms() {
        let fixture = AlgorithmFixture::new();
        fixture.sample_workspace("s", &[("WorkspaceType", "Event".into())]);
        let events = fixture.create("e", "SumSpectra", &[("InputWorkspace", "s".into())]);
        fixture.create("h", "ConvertToMatrixWorkspace", &[("InputWorkspace", "s".into())]);
        let histogram = fixture.create("h", "SumSpectra", &[("InputWorkspace", "h".into())]);
        assert_eq!(matrix(&events).id(), "EventWorkspace");
        assert_close(&y(&events, 0), &y(&histogram, 0));
        assert_close(&e(&events, 0), &e(&histogram, 0));
    }

    #[test]
    fn indices_outside_are_refused() {
        let fixture = AlgorithmFixture::new();
        fixture.workspace("w", &[0.0, 1.0], &[1.0, 2.0], 2);
        for (name, value) in [
            ("ListOfWorkspaceIndices", "0,2"),
            ("StartWorkspaceIndex", "5"),
            ("EndWorkspaceIndex", "2"),
        ] {
            assert!(
                fixture
                    .try_create(
                        "o",
                        "SumSpectra",
                        &[("InputWorkspace", "w".into()), (name, value.into())]
                    )
                    .is_err()
            );
        }
    }
}
