//! NormaliseToMonitor: counts by those of a monitor, bin by bin or over a range of X.

use crate::algorithm::{Algorithm, AlgorithmRun, Context};
use crate::compute::arithmetic::{Operation, combine};
use crate::compute::{Reader, as_histogram, build_rows, indices};
use crate::declaration::{Declaration, Kind, Validator, input, option, output};
use crate::error::{Result, failed};
use crate::service::Level;
use crate::value::Value;
use crate::workspace::data::{Row, Rows, Xs};
use crate::workspace::{MatrixWorkspace, WorkspaceCell};

pub(crate) struct NormaliseToMonitor;

impl Algorithm for NormaliseToMonitor {
    fn declaration(&self) -> Declaration {
        let index = "The spectrum of MonitorWorkspace.";
        let partial = "Count the share of bins that are partly in the range.";
        Declaration::new(
            "NormaliseToMonitor",
            1,
            "CorrectionFunctions\\NormalisationCorrections",
            "Divides each spectrum by a monitor's, bin by bin or by its counts in a range.",
        )
        .with(input("InputWorkspace", Kind::Matrix, "The workspace."))
        .with(output("OutputWorkspace", Kind::Matrix, "The normalised workspace."))
        .with(option(
            "MonitorSpectrum",
            Kind::Int,
            Value::None,
            "The monitor's spectrum number in InputWorkspace.",
        ))
        .with(option(
            "MonitorID",
            Kind::Int,
            Value::None,
            "The monitor's detector id in InputWorkspace.",
        ))
        .with(option(
            "MonitorWorkspace",
            Kind::Matrix,
            Value::None,
            "A workspace that holds the monitor instead.",
        ))
        .with(option("MonitorWorkspaceIndex", Kind::Int, 0_i64, index).validator(Validator::AtLeast(0.0)))
        .with(
            option(
                "IntegrationRangeMin",
                Kind::Float,
                Value::None,
                "Where the range begins.",
            )
            .unit("the unit of X"),
        )
        .with(option("IntegrationRangeMax", Kind::Float, Value::None, "Where the range ends.").unit("the unit of X"))
        .with(option("IncludePartialBins", Kind::Bool, false, partial))
        .with(output("NormFactorWS", Kind::Matrix, "What was divided by.").optional())
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
            context.log(Level::Warning, &text);
        }
        let alone = as_histogram(&holder.subset(&[index])?, context.cancel)?;
        let (low, high) = (
            context.opt_float("IntegrationRangeMin")?,
            context.opt_float("IntegrationRangeMax")?,
        );
        let (out, factor) = if low.is_some() || high.is_some() {
            let total = integrated(&alone, low, high, context)?;
            (combine(Operation::Divide, input, total.clone(), context.cancel)?, total)
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

/// The workspace that holds the monitor, and its index there.
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
        .execute(context.service, context.cancel)?
        .workspace("OutputWorkspace")
    {
        Some(total) => total.matrix(),
        None => failed("the monitor's counts could not be added up"),
    }
}

/// Divided by the monitor in each bin, whose mean over X is made 1, so that counts stay of the size that they were. A
/// monitor of other bins is put into those of each spectrum.
fn bin_by_bin(
    input: &MatrixWorkspace,
    monitor: &MatrixWorkspace,
    context: &Context<'_>,
) -> Result<(MatrixWorkspace, MatrixWorkspace)> {
    let (x, y, e) = Reader::new(monitor, context.cancel)?.get(0)?;
    if x.len() != y.len() + 1 {
        return failed("The monitor must hold histograms");
    }
    let same = |row: &Row| crate::workspace::data::same_row(row, &x);
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
        Xs::Common(x.clone()),
        Rows::new(ys.get(0).into_iter().collect()),
        Rows::new(es.get(0).into_iter().collect()),
    );
    let mut divisor = as_histogram(input, context.cancel)?.with_histogram(input.xs().clone(), ys, es);
    divisor.set_y_unit("");
    // The mask is the data's alone: the divisor has none of its own.
    divisor.masked = std::sync::Arc::default();
    let mut out = combine(Operation::Divide, input.clone(), divisor, context.cancel)?;
    out.set_y_unit(input.y_unit());
    Ok((out, factor))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use crate::algorithms::testing::{Bench, close, e, m, total, y};
    use crate::value::Value;

    fn normalise(bench: &Bench, more: &[(&str, Value)]) -> crate::Result<crate::Handle> {
        bench.try_make(
            "o",
            "NormaliseToMonitor",
            &[&[("InputWorkspace", "w".into())][..], more].concat(),
        )
    }

    #[test]
    fn bins_and_ranges_are_divided_by() {
        let bench = Bench::new();
        let values = [1.0, 4.0, 5.0, 20.0, 30.0, 50.0];
        bench.workspace_with("w", &[0.0, 1.0, 2.0, 4.0], &values, &[1.0; 6], 2);
        // The monitor's mean is 2.5 a unit of X: its bins are 0.4, 1.6 and 1 of it.
        let monitor = ("MonitorSpectrum", Value::from(1_i64));
        let out = normalise(&bench, &[monitor.clone(), ("NormFactorWS", "factor".into())]).unwrap();
        close(&y(&out, 0), &[2.5, 2.5, 5.0 / 1.0]);
        close(&y(&out, 1), &[50.0, 30.0 / 1.6, 50.0]);
        close(&e(&out, 1)[..1], &[50.0 * (0.05_f64.powi(2) + 1.0).sqrt()]);
        close(&y(&bench.service.data.retrieve("factor").unwrap(), 0), &[0.4, 1.6, 1.0]);
        let whole = normalise(&bench, &[monitor.clone(), ("IntegrationRangeMin", 1.0.into())]).unwrap();
        close(&y(&whole, 1), &[20.0 / 9.0, 30.0 / 9.0, 50.0 / 9.0]);
        let wrong = [
            monitor,
            ("IntegrationRangeMin", 3.0.into()),
            ("IntegrationRangeMax", 1.0.into()),
        ];
        assert!(
            normalise(&bench, &wrong)
                .unwrap_err()
                .to_string()
                .contains("larger value than maximum")
        );
    }

    #[test]
    fn events_stay_events_and_missing_monitors_are_named() {
        let bench = Bench::new();
        let event = [
            ("WorkspaceType", Value::from("Event")),
            ("BankPixelWidth", 2_i64.into()),
            ("NumMonitors", 1_i64.into()),
        ];
        let w = bench.sample("w", &event);
        let monitor = (0..m(&w).histograms()).find(|index| m(&w).is_monitor(*index)).unwrap();
        let (id, sum) = (
            m(&w).spectra().detectors(monitor)[0],
            y(&w, monitor).iter().sum::<f64>(),
        );
        let range = [("MonitorID", id.into()), ("IntegrationRangeMin", 0.0.into())];
        let out = normalise(&bench, &range).unwrap();
        assert_eq!(m(&out).id(), "EventWorkspace");
        close(&[total(&out)], &[total(&w) / sum]);
        let text = |more: &[(&str, Value)]| normalise(&bench, more).unwrap_err().to_string();
        assert!(text(&[]).contains("Either MonitorSpectrum, MonitorID or MonitorWorkspace has to be provided."));
        assert!(text(&[("MonitorSpectrum", 99_i64.into())]).contains("does not contain spectrum number"));
        assert!(text(&[("MonitorID", 9999_i64.into())]).starts_with("Can not find spectra"));
        bench.sample("m", &[("InstrumentName", "other".into())]);
        assert!(text(&[("MonitorWorkspace", "m".into())]).contains("same instrument"));
    }
}
