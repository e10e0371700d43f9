//! ConvertUnits: X in another unit, by the flight paths and angles of each spectrum's detectors.

use live_data_engine::transform::{Direction, Step};

use crate::algorithm::{Algorithm, Context};
use crate::compute::arithmetic::clear_masked;
use crate::compute::binning::{edges_to_points, points_to_edges, rebin};
use crate::compute::flight::{Fixed, flights};
use crate::compute::{Reader, Spectrum, build_spectra};
use crate::declaration::{Declaration, Kind, Validator, input, option, output};
use crate::error::{Result, failed, invalid};
use crate::run::{LogProperty, LogValue};
use crate::unit::{
    CONVERTIBLE, EnergyMode, Flight, Quantity, Unit, apply, from_time_of_flight, is_convertible, is_energy_transfer,
    to_time_of_flight,
};
use crate::value::Value;
use crate::workspace::MatrixWorkspace;
use crate::workspace::data::{Row, Xs};
use crate::workspace::matrix::Data;

pub(crate) struct ConvertUnits;

impl Algorithm for ConvertUnits {
    fn declaration(&self) -> Declaration {
        Declaration::new("ConvertUnits", 1, "Transforms\\Units", "Converts X to another unit.")
            .with(input(
                "InputWorkspace",
                Kind::Matrix,
                "The workspace; it needs an instrument.",
            ))
            .with(output(
                "OutputWorkspace",
                Kind::Matrix,
                "The workspace with X converted.",
            ))
            .with(
                input("Target", Kind::Str, "The unit.")
                    .mandatory()
                    .validator(Validator::OneOf(CONVERTIBLE)),
            )
            .with(
                option("EMode", Kind::Str, "Elastic", "How energy is exchanged.")
                    .validator(Validator::OneOf(&["Elastic", "Direct", "Indirect"])),
            )
            .with(
                option(
                    "EFixed",
                    Kind::Float,
                    Value::None,
                    "The energy before (Direct) or after (Indirect) the sample.",
                )
                .unit("meV")
                .validator(Validator::AtLeast(0.0)),
            )
            .with(option(
                "AlignBins",
                Kind::Bool,
                false,
                "Rebin, so that all spectra have the same X.",
            ))
            .with(option(
                "ConvertFromPointData",
                Kind::Bool,
                true,
                "Convert points by way of histograms.",
            ))
    }

    fn exec(&self, context: &mut Context<'_>) -> Result<()> {
        let input = context.matrix("InputWorkspace")?;
        let Some(target) = Unit::from_id(&context.str("Target")?) else {
            return invalid("Target is no unit");
        };
        let from = input.x_unit().quantity();
        if from == target.quantity() {
            return context.output("OutputWorkspace", input);
        }
        if !is_convertible(from) {
            return failed(format!(
                "X is in \"{}\", which cannot be converted",
                input.x_unit().id()
            ));
        }
        let Some(mode) = EnergyMode::from_name(&context.str("EMode")?) else {
            return invalid("EMode is not known");
        };
        if mode == EnergyMode::Elastic && (is_energy_transfer(target.quantity()) || is_energy_transfer(from)) {
            return failed("efixed must be set for energy transfer calculation: choose EMode Direct or Indirect");
        }
        let e_fixed = e_fixed(&input, mode, context)?;
        let known = flights(&input, e_fixed)?;
        if e_fixed == Fixed::OfDetector && known.iter().all(Option::is_none) {
            return failed("efixed must be set for energy transfer calculation");
        }
        let mut out = convert(
            &input,
            &known,
            &Conversion {
                from,
                to: target.quantity(),
                mode,
            },
            context,
        )?;
        out.set_x_unit(target);
        let name = context.str("EMode")?;
        out.run_mut().set("deltaE-mode", LogProperty::new(LogValue::Str(name)));
        if mode == EnergyMode::Direct
            && let Fixed::Same(energy) = e_fixed
        {
            out.run_mut().set_number("Ei", energy, "meV");
        }
        // What has no detectors cannot be converted, and holds nothing from here on.
        let lost: Vec<bool> = known.iter().map(Option::is_none).collect();
        if lost.iter().any(|lost| *lost) {
            out = clear_masked(out, &lost, context.cancel)?;
        }
        if context.bool("AlignBins")? {
            out = align(&out, context)?;
        }
        context.output("OutputWorkspace", out)
    }
}

struct Conversion {
    from: Quantity,
    to: Quantity,
    mode: EnergyMode,
}

impl Conversion {
    fn steps(&self, flights: &[Flight]) -> Vec<Step> {
        let mut steps = to_time_of_flight(self.from, self.mode, flights);
        steps.extend(from_time_of_flight(self.to, self.mode, flights));
        steps
    }
}

fn e_fixed(input: &MatrixWorkspace, mode: EnergyMode, context: &Context<'_>) -> Result<Fixed> {
    let given = context.opt_float("EFixed")?.filter(|energy| *energy > 0.0);
    match (mode, given) {
        (EnergyMode::Elastic, _) => Ok(Fixed::Nothing),
        (_, Some(given)) => Ok(Fixed::Same(given)),
        (EnergyMode::Direct, None) => match input.run().number("Ei") {
            Some(energy) if energy > 0.0 => Ok(Fixed::Same(energy)),
            _ => failed("Could not retrieve incident energy from run object"),
        },
        (EnergyMode::Indirect, None) => Ok(Fixed::OfDetector),
    }
}

fn convert(
    input: &MatrixWorkspace,
    known: &[Option<Flight>],
    conversion: &Conversion,
    context: &Context<'_>,
) -> Result<MatrixWorkspace> {
    // A flight for every spectrum, so that constants are one for each; what has none is cleared afterwards.
    let Some(stand_in) = known.iter().flatten().next().copied() else {
        return failed("no spectrum has a detector that the instrument knows: X cannot be converted");
    };
    let all: Vec<Flight> = known.iter().map(|flight| flight.unwrap_or(stand_in)).collect();
    let Some(events) = input.events() else {
        return convert_histograms(input, &all, known, conversion, context);
    };
    let mut plan = events.plan();
    for step in conversion.steps(&all) {
        plan = plan.convert(&step)?;
    }
    let falling = plan.direction() == Some(Direction::Decreasing);
    let rows: Vec<Row> = (0..input.histograms())
        .map(|index| {
            let x = input.x(index)?;
            let steps = conversion.steps(all.get(index..=index).unwrap_or_default());
            let mut row: Vec<f64> = x.iter().map(|x| apply(&steps, 0, *x)).collect();
            if falling || row.first() > row.last() {
                row.reverse();
            }
            Ok(tidy(row))
        })
        .collect::<Result<_>>()?;
    let mut data = events.with_plan(plan);
    data.set_x(shared(rows));
    Ok(input.clone().with_data(Data::Events(data)))
}

/// Edges of events that increase: what is inaccessible or the same as its neighbour is left out.
fn tidy(row: Vec<f64>) -> Row {
    let mut out: Vec<f64> = Vec::with_capacity(row.len());
    for value in row {
        if value.is_finite() && value.abs() < f64::MAX && out.last().is_none_or(|last| value > *last) {
            out.push(value);
        }
    }
    match out[..] {
        [] => [0.0, f64::MIN_POSITIVE].into(),
        [only] => [only, only.next_up()].into(),
        _ => out.into(),
    }
}

fn shared(rows: Vec<Row>) -> Xs {
    match rows.first() {
        Some(first) if rows.iter().all(|row| **row == **first) => Xs::Common(first.clone()),
        _ => Xs::Each(std::sync::Arc::new(rows)),
    }
}

fn convert_histograms(
    input: &MatrixWorkspace,
    all: &[Flight],
    known: &[Option<Flight>],
    conversion: &Conversion,
    context: &Context<'_>,
) -> Result<MatrixWorkspace> {
    let reader = Reader::new(input, context.cancel)?;
    let points = !input.is_histogram_data();
    let by_edges = points && context.bool("ConvertFromPointData")?;
    let distribution = input.is_distribution() && !points;
    // The inaccessible region is cut off alike everywhere, by the first spectrum that is no monitor.
    let leading = (0..input.histograms())
        .find(|index| !input.is_monitor(*index) && known.get(*index).is_some_and(Option::is_some));
    let inaccessible = match leading {
        Some(index) => {
            let steps = conversion.steps(all.get(index..=index).unwrap_or_default());
            let x = reader.get(index)?.0;
            x.iter()
                .filter(|x| {
                    let v = apply(&steps, 0, **x);
                    !v.is_finite() || v.abs() >= f64::MAX
                })
                .count()
        }
        None => 0,
    };
    let keeps = input.bins(leading.unwrap_or(0)) + usize::from(!points);
    if inaccessible >= keeps && inaccessible > 0 {
        return failed(
            "Check the input EFixed: the one given leads to all bins being in the physically inaccessible region.",
        );
    }
    let (x, y, e) = build_spectra(input.histograms(), context.cancel, |index| {
        let (x, y, e) = reader.get(index)?;
        let (mut y, mut e) = (y.to_vec(), e.to_vec());
        let old: Vec<f64> = if by_edges { points_to_edges(&x) } else { x.to_vec() };
        let steps = conversion.steps(all.get(index..=index).unwrap_or_default());
        let mut new: Vec<f64> = old.iter().map(|x| apply(&steps, 0, *x)).collect();
        if distribution {
            scale_by_width(&old, &mut y, &mut e, false);
        }
        let falls = new
            .iter()
            .rev()
            .find(|v| v.abs() < f64::MAX)
            .zip(new.iter().find(|v| v.abs() < f64::MAX))
            .is_some_and(|(last, first)| last < first);
        if falls {
            new.reverse();
            y.reverse();
            e.reverse();
        }
        if inaccessible > 0 && inaccessible < new.len() {
            // They are the earliest times: the lowest energy transfers of a direct instrument.
            let low = new.first().is_some_and(|v| *v <= -f64::MAX || !v.is_finite()) || !falls;
            let cut = |values: &mut Vec<f64>| {
                let n = inaccessible.min(values.len());
                if low {
                    values.drain(..n);
                } else {
                    values.truncate(values.len() - n);
                }
            };
            cut(&mut new);
            cut(&mut y);
            cut(&mut e);
        }
        if distribution {
            scale_by_width(&new, &mut y, &mut e, true);
        }
        if by_edges {
            new = edges_to_points(&new);
        }
        Ok(Spectrum { x: new.into(), y, e })
    })?;
    let x = match &x {
        Xs::Each(rows) => shared(rows.to_vec()),
        Xs::Common(_) => x,
    };
    Ok(input.clone().with_histogram(x, y, e))
}

fn scale_by_width(x: &[f64], y: &mut [f64], e: &mut [f64], out: bool) {
    for ((pair, y), e) in x.windows(2).zip(y).zip(e) {
        let width = if let [a, b] = pair { (b - a).abs() } else { 1.0 };
        let factor = if out { 1.0 / width } else { width };
        *y *= factor;
        *e *= factor;
    }
}

/// The same bins for all: from the smallest to the largest X, in as many steps as the first spectrum has.
fn align(input: &MatrixWorkspace, context: &Context<'_>) -> Result<MatrixWorkspace> {
    let Some((low, high)) = crate::algorithms::rebin::x_range(input) else {
        return Ok(input.clone());
    };
    let bins = (0..input.histograms())
        .map(|index| input.bins(index))
        .max()
        .unwrap_or(1)
        .max(1);
    let width = (high - low) / bins as f64;
    let edges: Row = (0..=bins)
        .map(|i| if i == bins { high } else { low + i as f64 * width })
        .collect();
    if input.is_events() {
        let mut out = input.clone();
        out.set_xs(Xs::Common(edges));
        return Ok(out);
    }
    let reader = Reader::new(input, context.cancel)?;
    let (y, e) = crate::compute::build_rows(input.histograms(), context.cancel, |index| {
        let (x, y, e) = reader.get(index)?;
        rebin(&x, &y, &e, &edges, input.is_distribution(), true)
    })?;
    Ok(input.clone().with_histogram(Xs::Common(edges), y, e))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use crate::algorithms::testing::{Bench, close, m, total, x, y};
    use crate::value::Value;

    fn one(bench: &Bench, kind: &str) -> crate::Handle {
        let small = [
            ("WorkspaceType", kind.into()),
            ("NumBanks", 1_i64.into()),
            ("BankPixelWidth", 1_i64.into()),
        ];
        bench.sample("s", &small)
    }

    fn to(bench: &Bench, out: &str, from: &str, target: &str, more: &[(&str, Value)]) -> crate::Handle {
        bench.make(
            out,
            "ConvertUnits",
            &[&[("InputWorkspace", from.into()), ("Target", target.into())], more].concat(),
        )
    }

    #[test]
    fn the_documented_wavelength_comes_out() {
        let bench = Bench::new();
        one(&bench, "Histogram");
        let out = to(&bench, "o", "s", "Wavelength", &[]);
        close(&x(&out, 0)[99..100], &[5.221_964_853_01]);
        assert_eq!(
            (m(&out).x_unit().id(), m(&out).energy_mode()),
            ("Wavelength", "Elastic".to_owned())
        );
    }

    #[test]
    fn events_and_histograms_agree_and_come_back() {
        let bench = Bench::new();
        let narrow = [
            ("XMin", 2000.0.into()),
            ("WorkspaceType", "Event".into()),
            ("BankPixelWidth", 3_i64.into()),
        ];
        let s = bench.sample("s", &narrow);
        let before = total(&s);
        for target in [
            "Wavelength",
            "dSpacing",
            "Energy",
            "MomentumTransfer",
            "Momentum",
            "QSquared",
            "Energy_inWavenumber",
        ] {
            // The pixels on the axis scatter by no angle: the others are enough.
            bench.make(
                "some",
                "ExtractSpectra",
                &[("InputWorkspace", "s".into()), ("WorkspaceIndexList", "4-8".into())],
            );
            bench.make(
                "counts",
                "ConvertToMatrixWorkspace",
                &[("InputWorkspace", "some".into())],
            );
            let events = to(&bench, "e", "some", target, &[]);
            let counts = to(&bench, "h", "counts", target, &[]);
            close(&x(&events, 2), &x(&counts, 2));
            let (a, b) = (y(&events, 2), y(&counts, 2));
            // Events that lie on an edge may change bins when the order is reversed.
            let moved: f64 = a.iter().zip(&b).map(|(a, b)| (a - b).abs()).sum();
            assert!(moved <= 0.01 * a.iter().sum::<f64>(), "{target} {moved}");
            let back = to(&bench, "b", "h", "TOF", &[]);
            let (there, here) = (x(&back, 1), x(&bench.service.data.retrieve("counts").unwrap(), 1));
            assert!(
                there.iter().zip(&here).all(|(a, b)| (a - b).abs() < 1e-6 * b),
                "{target}"
            );
            close(&y(&back, 1), &y(&bench.service.data.retrieve("counts").unwrap(), 1));
        }
        assert_eq!(before, total(&s));
    }

    #[test]
    fn energy_transfer_leaves_out_what_cannot_be() {
        let bench = Bench::new();
        one(&bench, "Histogram");
        let direct = [("EMode", "Direct".into()), ("EFixed", 12.0.into())];
        let out = to(&bench, "o", "s", "DeltaE", &direct);
        assert!(x(&out, 0).windows(2).all(|pair| pair[1] > pair[0]));
        assert!(x(&out, 0).len() < 101 && x(&out, 0)[0] > -1e300);
        assert_eq!(m(&out).run().number("Ei"), Some(12.0));
        let low = [("EMode", "Direct".into()), ("EFixed", 1e-6.into())];
        let call = [&[("InputWorkspace", "s".into()), ("Target", "DeltaE".into())][..], &low].concat();
        let error = bench.try_make("o", "ConvertUnits", &call).unwrap_err();
        assert!(error.to_string().starts_with("Check the input EFixed"));
        let none = [
            ("InputWorkspace", "s".into()),
            ("Target", "DeltaE".into()),
            ("EMode", "Direct".into()),
        ];
        let error = bench.try_make("o", "ConvertUnits", &none).unwrap_err();
        assert_eq!(error.to_string(), "Could not retrieve incident energy from run object");
    }

    #[test]
    fn each_detector_has_its_own_final_energy() {
        let bench = Bench::new();
        let s = bench.sample(
            "s",
            &[
                ("NumBanks", 1_i64.into()),
                ("BankPixelWidth", 2_i64.into()),
                ("XMin", 15_000.0.into()),
            ],
        );
        let indirect = ("EMode", Value::from("Indirect"));
        let call = [
            ("InputWorkspace", "s".into()),
            ("Target", "DeltaE".into()),
            indirect.clone(),
        ];
        let error = bench.try_make("o", "ConvertUnits", &call).unwrap_err();
        assert_eq!(error.to_string(), "efixed must be set for energy transfer calculation");
        s.update(|ws| {
            let mut instrument = crate::instrument::Instrument::clone(ws.instrument());
            let ids: Vec<i32> = (0..4).map(|index| ws.spectra().detectors(index)[0]).collect();
            let text = format!(
                "<parameter-file><component-link name='{}'><parameter name='Efixed'><value val='1.845'/></parameter></component-link>\
                 <component-link id='{}'><parameter name='Efixed'><value val='7.38'/></parameter></component-link></parameter-file>",
                instrument.name, ids[2]
            );
            crate::instrument::idf::add_parameters(&text, &mut instrument).unwrap();
            ws.set_instrument(std::sync::Arc::new(instrument));
            Ok(())
        })
        .unwrap();
        let own = to(&bench, "own", "s", "DeltaE", std::slice::from_ref(&indirect));
        for (energy, index) in [(1.845, 1), (7.38, 2)] {
            let same = to(
                &bench,
                "same",
                "s",
                "DeltaE",
                &[indirect.clone(), ("EFixed", energy.into())],
            );
            close(&x(&own, index), &x(&same, index));
        }
        assert!((x(&own, 1)[5] - x(&own, 2)[5]).abs() > 1.0);
    }

    #[test]
    fn spectra_without_detectors_are_cleared() {
        let bench = Bench::new();
        let s = bench.sample("s", &[("BankPixelWidth", 2_i64.into())]);
        s.update(|ws| {
            let mut spectra = (**ws.spectra()).clone();
            spectra.set_detectors(3, &[]);
            ws.set_spectra(spectra)
        })
        .unwrap();
        let out = to(&bench, "o", "s", "Wavelength", &[]);
        close(&[y(&out, 3).iter().sum::<f64>()], &[0.0]);
        assert!(y(&out, 2).iter().sum::<f64>() > 0.0);
        bench.workspace("w", &[0.0, 1.0], &[1.0], 1);
        assert!(
            bench
                .try_make(
                    "o",
                    "ConvertUnits",
                    &[("InputWorkspace", "w".into()), ("Target", "TOF".into())]
                )
                .is_err()
        );
    }
}
