//! LoadEmptyInstrument: a workspace of an instrument's detectors, without data.

use std::path::Path;
use std::sync::Arc;

use live_data_engine::plan::EventPlan;

use crate::algorithm::{Algorithm, Context};
use crate::date_and_time::DateAndTime;
use crate::declaration::{Declaration, Kind, option, output};
use crate::error::{Result, failed};
use crate::instrument::Instrument;
use crate::unit::Unit;
use crate::value::Value;
use crate::workspace::MatrixWorkspace;
use crate::workspace::data::{Row, Rows, Xs};
use crate::workspace::events::EventData;
use crate::workspace::matrix::Data;
use crate::workspace::spectra::Spectra;

pub(crate) struct LoadEmptyInstrument;

impl Algorithm for LoadEmptyInstrument {
    fn declaration(&self) -> Declaration {
        Declaration::new(
            "LoadEmptyInstrument",
            1,
            "DataHandling\\Instrument",
            "Makes a workspace of one spectrum for each detector of an instrument.",
        )
        .with(option(
            "Filename",
            Kind::LoadFile,
            "",
            "The instrument definition file.",
        ))
        .with(option(
            "InstrumentName",
            Kind::Str,
            "",
            "The instrument's name, instead of a file.",
        ))
        .with(output(
            "OutputWorkspace",
            Kind::Matrix,
            "The workspace; spectra are in order of the detectors' ids, monitors included.",
        ))
        .with(option("DetectorValue", Kind::Float, 1.0, "Y of the detectors."))
        .with(option("MonitorValue", Kind::Float, 2.0, "Y of the monitors."))
        .with(option(
            "MakeEventWorkspace",
            Kind::Bool,
            false,
            "Make a workspace of no events.",
        ))
        .with(option("NumMonitors", Kind::Int, Value::None, "Not used."))
    }

    fn exec(&self, context: &mut Context<'_>) -> Result<()> {
        let (file, name) = (context.str("Filename")?, context.str("InstrumentName")?);
        let source = &context.service.instruments;
        let instrument = match (file.as_str(), name.as_str()) {
            ("", "") => return failed("Either the Filename or the InstrumentName must be given"),
            ("", name) => source.by_name(name, DateAndTime::now())?,
            (file, _) => source.by_file(Path::new(file))?,
        };
        if instrument.detectors.is_empty() {
            return failed(format!("No detectors found in the instrument {}", instrument.name));
        }
        let workspace = if context.bool("MakeEventWorkspace")? {
            let x: Row = [0.0, f64::MIN_POSITIVE].into();
            let plan = EventPlan::empty(instrument.detectors.len());
            bare(instrument, Data::Events(EventData::new(plan, Xs::Common(x))))?
        } else {
            let (detector, monitor) = (context.float("DetectorValue")?, context.float("MonitorValue")?);
            let rows: [Row; 2] = [[detector].into(), [monitor].into()];
            let [detector, monitor] = &rows;
            let of = |is_monitor: bool| if is_monitor { monitor.clone() } else { detector.clone() };
            let y = Rows::new(instrument.detectors.iter().map(|d| of(d.monitor)).collect());
            let data = Data::Histogram(crate::workspace::matrix::Histogram {
                x: Xs::Common([0.0, 1.0].into()),
                e: y.clone(),
                y,
            });
            bare(instrument, data)?
        };
        context.output("OutputWorkspace", workspace)
    }
}

/// A workspace of one spectrum for each detector, numbered from 1.
fn bare(instrument: Arc<Instrument>, data: Data) -> Result<MatrixWorkspace> {
    let mut spectra = Spectra::with_capacity(instrument.detectors.len());
    for (index, detector) in instrument.detectors.iter().enumerate() {
        spectra.push(index as i32 + 1, &[detector.id]);
    }
    let mut workspace = MatrixWorkspace::new(data);
    workspace.set_spectra(spectra)?;
    workspace.set_instrument(instrument);
    workspace.set_x_unit(Unit::TIME_OF_FLIGHT);
    workspace.set_y_unit("Counts");
    Ok(workspace)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use crate::algorithms::testing::{Bench, m, x, y};

    #[test]
    fn the_demonstrations_instrument_loads() {
        let bench = Bench::new();
        let out = bench.make("i", "LoadEmptyInstrument", &[("InstrumentName", "LIVEDEMO".into())]);
        assert_eq!(m(&out).histograms(), 514);
        assert_eq!(
            (y(&out, 0), y(&out, 2), x(&out, 5)),
            (vec![2.0], vec![1.0], vec![0.0, 1.0])
        );
        assert!(m(&out).is_monitor(1) && !m(&out).is_monitor(2));
        let events = bench.make(
            "i",
            "LoadEmptyInstrument",
            &[
                ("InstrumentName", "livedemo".into()),
                ("MakeEventWorkspace", true.into()),
            ],
        );
        assert_eq!(x(&events, 0), [0.0, f64::MIN_POSITIVE]);
        events
            .update(|ws| ws.events_mut().unwrap().add_event(3, 12.5, 0))
            .unwrap();
        assert_eq!(m(&events).events().unwrap().number(&Default::default()).unwrap(), 1);
        assert!(
            bench
                .try_make("j", "LoadEmptyInstrument", &[("InstrumentName", "NONE".into())])
                .is_err()
        );
    }
}
