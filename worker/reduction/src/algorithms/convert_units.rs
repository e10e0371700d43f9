//! ConvertUnits: X in another unit, by the flight path and scattering angle of each spectrum's detectors.
//!
//! t is the time of flight (µs), L = L1 + L2 the flight path (m) and 2θ the scattering angle. h is Planck's constant, m
//! the neutron's mass:
//!
//! | unit | formula | unit of the result |
//! |---|---|---|
//! | Wavelength | λ = h·t / (m·L) | Å |
//! | Energy | E = m·(L/t)² / 2 | meV |
//! | dSpacing | d = λ / (2 sin θ) | Å |
//! | MomentumTransfer, QSquared | Q = 4π sin θ / λ, Q² | Å⁻¹, Å⁻² |
//! | Momentum | k = 2π / λ | Å⁻¹ |
//! | DeltaE, Direct | ΔE = Ei − m·(L2 / (t − t1))² / 2, t1 = L1·√(m / (2·Ei)) | meV |
//! | DeltaE, Indirect | ΔE = m·(L1 / (t − t2))² / 2 − Ef, t2 = L2·√(m / (2·Ef)) | meV |
//!
//! Ei and Ef (EFixed) are the energies before and after the sample in meV. Constants are in [`crate::unit`].
//! Distributions are multiplied by the old bins' widths and divided by the new ones'. Sources: Mantid's pages
//! ConvertUnits v1 and UnitFactory (concept), and PhysicalConstants.h (CODATA 2006).
//!
//! Promises: X increases afterwards; bins of energy transfer that no neutron can have are removed from all spectra
//! alike; spectra without detectors are cleared and masked.

use live_data_engine::transform::{ConversionStep, Direction};

use crate::algorithm::{Algorithm, Context};
use crate::compute::arithmetic::clear_masked;
use crate::compute::binning::{edges_to_points, points_to_edges, rebin};
use crate::compute::flight_paths::{EfixedSource, flight_paths};
use crate::compute::{HistogramReader, Spectrum, build_spectra};
use crate::declaration::{Declaration, PropertyKind, Validator, input, option, output};
use crate::error::{Result, failed, invalid};
use crate::run::{LogProperty, LogPropertyValue};
use crate::unit::{
    CONVERTIBLE, EMode, FlightPath, Quantity, Unit, apply, from_time_of_flight, is_convertible, is_energy_transfer,
    to_time_of_flight,
};
use crate::value::Value;
use crate::workspace::MatrixWorkspace;
use crate::workspace::data::{SharedRow, XRows};
use crate::workspace::matrix::WorkspaceData;

pub(crate) struct ConvertUnits;

impl Algorithm for ConvertUnits {
    fn declaration(&self) -> Declaration {
        Declaration::new("ConvertUnits", 1, "Transforms\\Units", "Converts X to another unit.")
            .with(input(
                "InputWorkspace",
                PropertyKind::Matrix,
                "Workspace with an instrument.",
            ))
            .with(output(
                "OutputWorkspace",
                PropertyKind::Matrix,
                "Workspace with X converted.",
            ))
            .with(
                input("Target", PropertyKind::Str, "Unit of X afterwards.")
                    .mandatory()
                    .validator(Validator::OneOf(CONVERTIBLE)),
            )
            .with(
                option("EMode", PropertyKind::Str, "Elastic", "Elastic, or the fixed energy: before (Direct) or after (Indirect) the sample.")
                    .validator(Validator::OneOf(&["Elastic", "Direct", "Indirect"])),
            )
            .with(
                option(
                    "EFixed",
                    PropertyKind::Float,
                    Value::None,
                    "Energy before (Direct) or after (Indirect) the sample; the log Ei or the parameter Efixed when not given.",
                )
                .unit("meV")
                .validator(Validator::AtLeast(0.0)),
            )
            .with(option(
                "AlignBins",
                PropertyKind::Bool,
                false,
                "Rebin to common bins of equal width from the smallest to the largest X.",
            ))
            .with(option(
                "ConvertFromPointData",
                PropertyKind::Bool,
                true,
                "Convert points through histograms.",
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
        let Some(mode) = EMode::from_name(&context.str("EMode")?) else {
            return invalid("EMode is not known");
        };
        if mode == EMode::Elastic && (is_energy_transfer(target.quantity()) || is_energy_transfer(from)) {
            return failed("efixed must be set for energy transfer calculation: choose EMode Direct or Indirect");
        }
        let efixed = efixed(&input, mode, context)?;
        let known = flight_paths(&input, efixed)?;
        if efixed == EfixedSource::OfDetector && known.iter().all(Option::is_none) {
            return failed("efixed must be set for energy transfer calculation");
        }
        let mut out = convert(
            &input,
            &known,
            &UnitConversion {
                from,
                to: target.quantity(),
                mode,
            },
            context,
        )?;
        out.set_x_unit(target);
        let name = context.str("EMode")?;
        out.run_mut()
            .set("deltaE-mode", LogProperty::new(LogPropertyValue::Str(name)));
        if mode == EMode::Direct
            && let EfixedSource::Same(energy) = efixed
        {
            out.run_mut().set_number("Ei", energy, "meV");
        }
        // A spectrum without detectors has no flight path: its data are cleared.
        let lost: Vec<bool> = known.iter().map(Option::is_none).collect();
        if lost.iter().any(|lost| *lost) {
            out = clear_masked(out, &lost, context.cancel)?;
        }
        if context.bool("AlignBins")? {
            out = align_bins(&out, context)?;
        }
        context.output("OutputWorkspace", out)
    }
}

/// Conversion of X between two quantities in one energy mode.
struct UnitConversion {
    from: Quantity,
    to: Quantity,
    mode: EMode,
}

impl UnitConversion {
    fn steps(&self, flights: &[FlightPath]) -> Vec<ConversionStep> {
        let mut steps = to_time_of_flight(self.from, self.mode, flights);
        steps.extend(from_time_of_flight(self.to, self.mode, flights));
        steps
    }
}

fn efixed(input: &MatrixWorkspace, mode: EMode, context: &Context<'_>) -> Result<EfixedSource> {
    let given = context.opt_float("EFixed")?.filter(|energy| *energy > 0.0);
    match (mode, given) {
        (EMode::Elastic, _) => Ok(EfixedSource::Nothing),
        (_, Some(given)) => Ok(EfixedSource::Same(given)),
        (EMode::Direct, None) => match input.run().number("Ei") {
            Some(energy) if energy > 0.0 => Ok(EfixedSource::Same(energy)),
            _ => failed("Could not retrieve incident energy from run object"),
        },
        (EMode::Indirect, None) => Ok(EfixedSource::OfDetector),
    }
}

fn convert(
    input: &MatrixWorkspace,
    known: &[Option<FlightPath>],
    conversion: &UnitConversion,
    context: &Context<'_>,
) -> Result<MatrixWorkspace> {
    // A conversion of events needs one constant for each spectrum. Spectra without a flight path, which are cleared
    // afterwards, take that of another.
    let Some(substitute) = known.iter().flatten().next().copied() else {
        return failed("no spectrum has a detector that the instrument knows: X cannot be converted");
    };
    let all: Vec<FlightPath> = known.iter().map(|flight| flight.unwrap_or(substitute)).collect();
    let Some(events) = input.events() else {
        return convert_histograms(input, &all, known, conversion, context);
    };
    let mut plan = events.plan();
    for step in conversion.steps(&all) {
        plan = plan.convert(&step)?;
    }
    let falling = plan.direction() == Some(Direction::Decreasing);
    let rows: Vec<SharedRow> = (0..input.histograms())
        .map(|index| {
            let x = input.x(index)?;
            let steps = conversion.steps(all.get(index..=index).unwrap_or_default());
            let mut row: Vec<f64> = x.iter().map(|x| apply(&steps, 0, *x)).collect();
            if falling || row.first() > row.last() {
                row.reverse();
            }
            Ok(increasing_edges(row))
        })
        .collect::<Result<_>>()?;
    let mut data = events.with_plan(plan);
    data.set_x(common_or_per_spectrum(rows));
    Ok(input.clone().with_data(WorkspaceData::Events(data)))
}

/// Strictly increasing edges: values that are inaccessible (±∞, ±`f64::MAX`) or repeat their neighbour are removed.
fn increasing_edges(row: Vec<f64>) -> SharedRow {
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

fn common_or_per_spectrum(rows: Vec<SharedRow>) -> XRows {
    match rows.first() {
        Some(first) if rows.iter().all(|row| **row == **first) => XRows::Common(first.clone()),
        _ => XRows::PerSpectrum(std::sync::Arc::new(rows)),
    }
}

fn convert_histograms(
    input: &MatrixWorkspace,
    all: &[FlightPath],
    known: &[Option<FlightPath>],
    conversion: &UnitConversion,
    context: &Context<'_>,
) -> Result<MatrixWorkspace> {
    let reader = HistogramReader::new(input, context.cancel)?;
    let points = !input.is_histogram_data();
    let by_edges = points && context.bool("ConvertFromPointData")?;
    let distribution = input.is_distribution() && !points;
    // As in Mantid, the first spectrum that is not a monitor gives the number of inaccessible bins of all spectra.
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
            // Inaccessible bins have the earliest times: the lowest energy transfers of a direct instrument.
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
        XRows::PerSpectrum(rows) => common_or_per_spectrum(rows.to_vec()),
        XRows::Common(_) => x,
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

/// Data over common bins of equal width from the smallest to the largest X, as many as the longest spectrum has.
fn align_bins(input: &MatrixWorkspace, context: &Context<'_>) -> Result<MatrixWorkspace> {
    let Some((low, high)) = crate::algorithms::rebin::x_range(input) else {
        return Ok(input.clone());
    };
    let bins = (0..input.histograms())
        .map(|index| input.bins(index))
        .max()
        .unwrap_or(1)
        .max(1);
    let width = (high - low) / bins as f64;
    let edges: SharedRow = (0..=bins)
        .map(|i| if i == bins { high } else { low + i as f64 * width })
        .collect();
    if input.is_events() {
        let mut out = input.clone();
        out.set_xs(XRows::Common(edges));
        return Ok(out);
    }
    let reader = HistogramReader::new(input, context.cancel)?;
    let (y, e) = crate::compute::build_rows(input.histograms(), context.cancel, |index| {
        let (x, y, e) = reader.get(index)?;
        rebin(&x, &y, &e, &edges, input.is_distribution(), true)
    })?;
    Ok(input.clone().with_histogram(XRows::Common(edges), y, e))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use crate::algorithms::testing::{AlgorithmFixture, assert_close, matrix, total_counts, x, y};
    use crate::value::Value;

    fn one(fixture: &AlgorithmFixture, kind: &str) -> crate::WorkspaceHandle {
        let small = [
            ("WorkspaceType", kind.into()),
            ("NumBanks", 1_i64.into()),
            ("BankPixelWidth", 1_i64.into()),
        ];
        fixture.sample_workspace("s", &small)
    }

    fn to(
        fixture: &AlgorithmFixture,
        out: &str,
        from: &str,
        target: &str,
        more: &[(&str, Value)],
    ) -> crate::WorkspaceHandle {
        fixture.create(
            out,
            "ConvertUnits",
            &[&[("InputWorkspace", from.into()), ("Target", target.into())], more].concat(),
        )
    }

    // Mantid's page ConvertUnits v1: the edge at 19800 µs over 15 m.
    #[test]
    fn the_documented_wavelength_comes_out() {
        let fixture = AlgorithmFixture::new();
        one(&fixture, "Histogram");
        let out = to(&fixture, "o", "s", "Wavelength", &[]);
        assert_close(&x(&out, 0)[99..100], &[5.221_964_853_01]);
        assert_eq!(
            (matrix(&out).x_unit().id(), matrix(&out).energy_mode()),
            ("Wavelength", "Elastic".to_owned())
        );
    }

    #[test]
    fn events_and_histograms_agree_and_come_back() {
        let fixture = AlgorithmFixture::new();
        let narrow = [
            ("XMin", 2000.0.into()),
            ("WorkspaceType", "Event".into()),
            ("BankPixelWidth", 3_i64.into()),
        ];
        let s = fixture.sample_workspace("s", &narrow);
        let before = total_counts(&s);
        for target in [
            "Wavelength",
            "dSpacing",
            "Energy",
            "MomentumTransfer",
            "Momentum",
            "QSquared",
            "Energy_inWavenumber",
        ] {
            // Pixels on the beam have the angle 0 and no d-spacing; the others suffice.
            fixture.create(
                "some",
                "ExtractSpectra",
                &[("InputWorkspace", "s".into()), ("WorkspaceIndexList", "4-8".into())],
            );
            fixture.create(
                "counts",
                "ConvertToMatrixWorkspace",
                &[("InputWorkspace", "some".into())],
            );
            let events = to(&fixture, "e", "some", target, &[]);
            let counts = to(&fixture, "h", "counts", target, &[]);
            assert_close(&x(&events, 2), &x(&counts, 2));
            let (a, b) = (y(&events, 2), y(&counts, 2));
            // Events that lie on an edge may change bins when the order is reversed.
            let moved: f64 = a.iter().zip(&b).map(|(a, b)| (a - b).abs()).sum();
            assert!(moved <= 0.01 * a.iter().sum::<f64>(), "{target} {moved}");
            let back = to(&fixture, "b", "h", "TOF", &[]);
            let (there, here) = (x(&back, 1), x(&fixture.service.data.retrieve("counts").unwrap(), 1));
            assert!(
                there.iter().zip(&here).all(|(a, b)| (a - b).abs() < 1e-6 * b),
                "{target}"
            );
            assert_close(&y(&back, 1), &y(&fixture.service.data.retrieve("counts").unwrap(), 1));
        }
        assert_eq!(before, total_counts(&s));
    }

    #[test]
    fn energy_transfer_leaves_out_what_cannot_be() {
        let fixture = AlgorithmFixture::new();
        one(&fixture, "Histogram");
        let direct = [("EMode", "Direct".into()), ("EFixed", 12.0.into())];
        let out = to(&fixture, "o", "s", "DeltaE", &direct);
        assert!(x(&out, 0).windows(2).all(|pair| pair[1] > pair[0]));
        assert!(x(&out, 0).len() < 101 && x(&out, 0)[0] > -1e300);
        assert_eq!(matrix(&out).run().number("Ei"), Some(12.0));
        let low = [("EMode", "Direct".into()), ("EFixed", 1e-6.into())];
        let call = [&[("InputWorkspace", "s".into()), ("Target", "DeltaE".into())][..], &low].concat();
        let error = fixture.try_create("o", "ConvertUnits", &call).unwrap_err();
        assert!(error.to_string().starts_with("Check the input EFixed"));
        let none = [
            ("InputWorkspace", "s".into()),
            ("Target", "DeltaE".into()),
            ("EMode", "Direct".into()),
        ];
        let error = fixture.try_create("o", "ConvertUnits", &none).unwrap_err();
        assert_eq!(error.to_string(), "Could not retrieve incident energy from run object");
    }

    #[test]
    fn each_detector_has_its_own_final_energy() {
        let fixture = AlgorithmFixture::new();
        let s = fixture.sample_workspace(
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
        let error = fixture.try_create("o", "ConvertUnits", &call).unwrap_err();
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
        let own = to(&fixture, "own", "s", "DeltaE", std::slice::from_ref(&indirect));
        for (energy, index) in [(1.845, 1), (7.38, 2)] {
            let same = to(
                &fixture,
                "same",
                "s",
                "DeltaE",
                &[indirect.clone(), ("EFixed", energy.into())],
            );
            assert_close(&x(&own, index), &x(&same, index));
        }
        assert!((x(&own, 1)[5] - x(&own, 2)[5]).abs() > 1.0);
    }

    #[test]
    fn spectra_without_detectors_are_cleared() {
        let fixture = AlgorithmFixture::new();
        let s = fixture.sample_workspace("s", &[("BankPixelWidth", 2_i64.into())]);
        s.update(|ws| {
            let mut spectra = (**ws.spectra()).clone();
            spectra.set_detectors(3, &[]);
            ws.set_spectra(spectra)
        })
        .unwrap();
        let out = to(&fixture, "o", "s", "Wavelength", &[]);
        assert_close(&[y(&out, 3).iter().sum::<f64>()], &[0.0]);
        assert!(y(&out, 2).iter().sum::<f64>() > 0.0);
        fixture.workspace("w", &[0.0, 1.0], &[1.0], 1);
        assert!(
            fixture
                .try_create(
                    "o",
                    "ConvertUnits",
                    &[("InputWorkspace", "w".into()), ("Target", "TOF".into())]
                )
                .is_err()
        );
    }
}
