//! NormaliseToMonitor: spectra divided by a monitor's, bin by bin or by its integral over a range of X.
//!
//! - Bin by bin: Y = (y / m)·w·Σm / Σw, with y and m the counts of the spectrum and the monitor in a bin and w its width.
//!   Sums run over the monitor's bins; the unit of Y is kept. A monitor with other bins is rebinned to the spectrum's.
//! - With IntegrationRangeMin or IntegrationRangeMax: Y = y / M, with M the monitor's counts in the range.
//!
//! E follows from Divide, with the standard deviations of y and m (M). Source: Mantid's page NormaliseToMonitor v1.

use crate::algorithm::{Algorithm, Context};
use crate::algorithm_run::AlgorithmRun;
use crate::compute::arithmetic::{BinaryOperation, combine};
use crate::compute::{HistogramReader, as_histogram, build_rows, indices};
use crate::declaration::{Declaration, PropertyKind, Validator, input, option, output};
use crate::error::{Result, failed};
use crate::service::LogLevel;
use crate::value::Value;
use crate::workspace::data::{Rows, SharedRow, XRows};
use crate::workspace::{MatrixWorkspace, WorkspaceCell};

pub(crate) struct NormaliseToMonitor;

impl Algorithm for NormaliseToMonitor {
    fn declaration(&self) -> Declaration {
        let index = "Workspace index of the monitor in MonitorWorkspace.";
        let partial = "Include the fraction of bins that are partly in the range.";
        Declaration::new(
            "NormaliseToMonitor",
            1,
            "CorrectionFunctions\\NormalisationCorrections",
            "Divides each spectrum by a monitor's, bin by bin or by its counts in a range.",
        )
        .with(input("InputWorkspace", PropertyKind::Matrix, "Workspace to normalise."))
        .with(output("OutputWorkspace", PropertyKind::Matrix, "Normalised workspace."))
        .with(option(
            "MonitorSpectrum",
            PropertyKind::Int,
            Value::None,
            "Spectrum number of the monitor in InputWorkspace.",
        ))
        .with(option(
            "MonitorID",
            PropertyKind::Int,
            Value::None,
            "Detector id of the monitor in InputWorkspace; used without MonitorSpectrum and MonitorWorkspace.",
        ))
        .with(option(
            "MonitorWorkspace",
            PropertyKind::Matrix,
            Value::None,
            "Workspace that holds the monitor, of the same instrument and unit of X.",
        ))
        .with(option("MonitorWorkspaceIndex", PropertyKind::Int, 0_i64, index).validator(Validator::AtLeast(0.0)))
        .with(
            option(
                "IntegrationRangeMin",
                PropertyKind::Float,
                Value::None,
                "Lower limit of the range; the first X when not given.",
            )
            .unit("the unit of X"),
        )
        .with(
            option(
                "IntegrationRangeMax",
                PropertyKind::Float,
                Value::None,
                "Upper limit of the range; the last X when not given.",
            )
            .unit("the unit of X"),
        )
        .with(option("IncludePartialBins", PropertyKind::Bool, false, partial))
        .with(
            output(
                "NormFactorWS",
                PropertyKind::Matrix,
                "Divisor: the scaled monitor, or its counts in the range.",
            )
            .optional(),
        )
    }

    fn cross_check(&self, context: &Context<'_>) -> Vec<(&'static str, String)> {
        let float = |name: &str| context.opt_float(name).ok().flatten();
        let mut problems = Vec::new();
        let names = ["MonitorSpectrum", "MonitorID", "MonitorWorkspace"];
        if names.iter().all(|name| !context.given(name)) {
            let text = "Either MonitorSpectrum, MonitorID or MonitorWorkspace has to be provided.";
            problems.extend(names.map(|name| (name, text.to_owned())));
        }
        if let (Some(low), Some(high)) = (float("IntegrationRangeMin"), float("IntegrationRangeMax"))
            && low > high
        {
            let text = |what: &str| format!("Range {what}.");
            problems.push((
                "IntegrationRangeMin",
                text("minimum set to a larger value than maximum"),
            ));
            problems.push((
                "IntegrationRangeMax",
                text("maximum set to a smaller value than minimum"),
            ));
        }
        problems
    }

    fn exec(&self, context: &mut Context<'_>) -> Result<()> {
        let input = context.matrix("InputWorkspace")?;
        let (holder, index) = monitor(&input, context)?;
        if !holder.is_monitor(index) {
            let text = format!(
                "The spectrum N: {index} in MonitorWorkspace does not refer to a monitor. Continuing with normalization \
                 regardless."
            );
            context.log(LogLevel::Warning, &text);
        }
        let alone = as_histogram(&holder.subset(&[index])?, context.cancel)?;
        let (low, high) = (
            context.opt_float("IntegrationRangeMin")?,
            context.opt_float("IntegrationRangeMax")?,
        );
        let (out, factor) = if low.is_some() || high.is_some() {
            let total = integrated(&alone, low, high, context)?;
            (
                combine(BinaryOperation::Divide, input, total.clone(), context.cancel)?,
                total,
            )
        } else {
            bin_by_bin(&input, &alone, context)?
        };
        let (out_name, factor_name) = (context.str("OutputWorkspace")?, context.str("NormFactorWS")?);
        if !factor_name.is_empty() && factor_name != out_name {
            context.output("NormFactorWS", factor)?;
        }
        context.output("OutputWorkspace", out)
    }
}

/// Workspace that holds the monitor, and the monitor's workspace index.
fn monitor(input: &MatrixWorkspace, context: &Context<'_>) -> Result<(MatrixWorkspace, usize)> {
    if let Some(number) = context.opt_int("MonitorSpectrum")?.filter(|number| *number >= 0) {
        let found = indices::of_numbers(input, &[number])
            .ok()
            .and_then(|found| found.first().copied());
        return match found {
            Some(index) => Ok((input.clone(), index)),
            None => failed("Input workspace does not contain spectrum number given for MonitorSpectrum"),
        };
    }
    if let Some(other) = context.opt_matrix("MonitorWorkspace")? {
        let index = context.opt_int("MonitorWorkspaceIndex")?.unwrap_or(0);
        let Some(index) = usize::try_from(index).ok().filter(|index| *index < other.histograms()) else {
            return failed("The MonitorWorkspace must contain the MonitorWorkspaceIndex.");
        };
        if other.instrument().name != input.instrument().name {
            return failed("The Input and Monitor workspaces must come from the same instrument.");
        }
        if other.x_unit() != input.x_unit() {
            return failed("The Input and Monitor workspaces must have the same unit");
        }
        return Ok((other, index));
    }
    let id = context.opt_int("MonitorID")?.unwrap_or(-1);
    match indices::of_detectors(input, &[id]).first() {
        Some(index) => Ok((input.clone(), *index)),
        None if id < 0 => failed("Both MonitorSpectrum and MonitorID can not be negative"),
        None => failed("Can not find spectra, corresponding to the requested monitor ID"),
    }
}

/// Counts of the monitor in the range, as a workspace of one bin.
fn integrated(
    monitor: &MatrixWorkspace,
    low: Option<f64>,
    high: Option<f64>,
    context: &Context<'_>,
) -> Result<MatrixWorkspace> {
    let x = monitor.x(0)?;
    let (first, last) = (
        x.first().copied().unwrap_or_default(),
        x.last().copied().unwrap_or_default(),
    );
    let mut run = AlgorithmRun::create("Integration", None)?;
    run.store_in_data_service(false);
    run.enable_logging(false);
    run.set_property("InputWorkspace", WorkspaceCell::new("", monitor.clone()).into())?;
    run.set_property("RangeLower", low.unwrap_or(first).max(first).into())?;
    run.set_property("RangeUpper", high.unwrap_or(last).min(last).into())?;
    run.set_property("IncludePartialBins", context.bool("IncludePartialBins")?.into())?;
    match run
        .execute(context.services, context.cancel)?
        .workspace("OutputWorkspace")
    {
        Some(total) => total.matrix(),
        None => failed("the monitor's counts could not be added up"),
    }
}

/// Quotient by the monitor, and the monitor scaled to a mean of 1 over X, by which Y stays in counts.
fn bin_by_bin(
    input: &MatrixWorkspace,
    monitor: &MatrixWorkspace,
    context: &Context<'_>,
) -> Result<(MatrixWorkspace, MatrixWorkspace)> {
    let (x, y, e) = HistogramReader::new(monitor, context.cancel)?.get(0)?;
    if x.len() != y.len() + 1 {
        return failed("The monitor must hold histograms");
    }
    let same = |row: &SharedRow| crate::workspace::data::same_row(row, &x);
    let common = (0..input.histograms()).all(|index| input.xs().get(index).is_some_and(same));
    let scaled = |x: &[f64], y: &[f64], e: &[f64]| -> (Vec<f64>, Vec<f64>) {
        let sum: f64 = y.iter().sum();
        let range = x.last().copied().unwrap_or_default() - x.first().copied().unwrap_or_default();
        let factors: Vec<f64> = x
            .windows(2)
            .map(|edges| range / ((edges[1] - edges[0]) * sum))
            .collect();
        let of = |values: &[f64]| values.iter().zip(&factors).map(|(v, factor)| v * factor).collect();
        (of(y), of(e))
    };
    let (ys, es) = if common {
        let (y, e) = scaled(&x, &y, &e);
        let count = input.histograms();
        (Rows::repeated(y.into(), count), Rows::repeated(e.into(), count))
    } else {
        build_rows(input.histograms(), context.cancel, |index| {
            let own = input.x(index)?;
            let (y, e) = crate::compute::binning::rebin(&x, &y, &e, &own, monitor.is_distribution(), true)?;
            Ok(scaled(&own, &y, &e))
        })?
    };
    let factor = monitor.clone().with_histogram(
        XRows::Common(x.clone()),
        Rows::new(ys.get(0).into_iter().collect()),
        Rows::new(es.get(0).into_iter().collect()),
    );
    let mut divisor = as_histogram(input, context.cancel)?.with_histogram(input.xs().clone(), ys, es);
    divisor.set_y_unit("");
    // The divisor is a copy of the input and must not apply the input's mask again.
    divisor.masked = std::sync::Arc::default();
    let mut out = combine(BinaryOperation::Divide, input.clone(), divisor, context.cancel)?;
    out.set_y_unit(input.y_unit());
    Ok((out, factor))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use crate::algorithms::testing::{AlgorithmFixture, assert_close, e, matrix, total_counts, y};
    use crate::value::Value;

    fn normalise(fixture: &AlgorithmFixture, more: &[(&str, Value)]) -> crate::Result<crate::WorkspaceHandle> {
        fixture.try_create(
            "o",
            "NormaliseToMonitor",
            &[&[("InputWorkspace", "w".into())][..], more].concat(),
        )
    }

    #[test]
    fn bins_and_ranges_are_divided_by() {
        let fixture = AlgorithmFixture::new();
        let values = [1.0, 4.0, 5.0, 20.0, 30.0, 50.0];
        fixture.workspace_with_errors("w", &[0.0, 1.0, 2.0, 4.0], &values, &[1.0; 6], 2);
        // The monitor's mean is 2.5 a unit of X: its bins are 0.4, 1.6 and 1 of it.
        let monitor = ("MonitorSpectrum", Value::from(1_i64));
        let out = normalise(&fixture, &[monitor.clone(), ("NormFactorWS", "factor".into())]).unwrap();
        assert_close(&y(&out, 0), &[2.5, 2.5, 5.0 / 1.0]);
        assert_close(&y(&out, 1), &[50.0, 30.0 / 1.6, 50.0]);
        assert_close(&e(&out, 1)[..1], &[50.0 * (0.05_f64.powi(2) + 1.0).sqrt()]);
        assert_close(
            &y(&fixture.service.data.retrieve("factor").unwrap(), 0),
            &[0.4, 1.6, 1.0],
        );
        let whole = normalise(&fixture, &[monitor.clone(), ("IntegrationRangeMin", 1.0.into())]).unwrap();
        assert_close(&y(&whole, 1), &[20.0 / 9.0, 30.0 / 9.0, 50.0 / 9.0]);
        let wrong = [
            monitor,
            ("IntegrationRangeMin", 3.0.into()),
            ("IntegrationRangeMax", 1.0.into()),
        ];
        assert!(
            normalise(&fixture, &wrong)
                .unwrap_err()
                .to_string()
                .contains("larger value than maximum")
        );
    }

    #[test]
    fn events_stay_events_and_missing_monitors_are_named() {
        let fixture = AlgorithmFixture::new();
        let event = [
            ("WorkspaceType", Value::from("Event")),
            ("BankPixelWidth", 2_i64.into()),
            ("NumMonitors", 1_i64.into()),
        ];
        let w = fixture.sample_workspace("w", &event);
        let monitor = (0..matrix(&w).histograms())
            .find(|index| matrix(&w).is_monitor(*index))
            .unwrap();
        let (id, sum) = (
            matrix(&w).spectra().detectors(monitor)[0],
            y(&w, monitor).iter().sum::<f64>(),
        );
        let range = [("MonitorID", id.into()), ("IntegrationRangeMin", 0.0.into())];
        let out = normalise(&fixture, &range).unwrap();
        assert_eq!(matrix(&out).id(), "EventWorkspace");
        assert_close(&[total_counts(&out)], &[total_counts(&w) / sum]);
        let text = |more: &[(&str, Value)]| normalise(&fixture, more).unwrap_err().to_string();
        assert!(text(&[]).contains("Either MonitorSpectrum, MonitorID or MonitorWorkspace has to be provided."));
        assert!(text(&[("MonitorSpectrum", 99_i64.into())]).contains("does not contain spectrum number"));
        assert!(text(&[("MonitorID", 9999_i64.into())]).starts_with("Can not find spectra"));
        fixture.sample_workspace("m", &[("InstrumentName", "other".into())]);
        assert!(text(&[("MonitorWorkspace", "m".into())]).contains("same instrument"));
    }
}
