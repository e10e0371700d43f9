//! LoadEmptyInstrument: one spectrum for each detector of an instrument, monitors included, without data.
//!
//! X is [0, 1] µs, Y = E = DetectorValue or MonitorValue; with MakeEventWorkspace there are no events and X is [0,
//! 2.2·10⁻³⁰⁸], as in Mantid. Source: Mantid's page LoadEmptyInstrument v1.

use std::path::Path;
use std::sync::Arc;

use live_data_engine::plan::EventPlan;

use crate::algorithm::{Algorithm, Context};
use crate::date_and_time::DateAndTime;
use crate::declaration::{Declaration, PropertyKind, option, output};
use crate::error::{Result, failed};
use crate::instrument::Instrument;
use crate::unit::Unit;
use crate::value::Value;
use crate::workspace::MatrixWorkspace;
use crate::workspace::data::{Rows, SharedRow, XRows};
use crate::workspace::events::EventData;
use crate::workspace::matrix::WorkspaceData;
use crate::workspace::spectra::SpectrumDetectorMapping;

pub(crate) struct LoadEmptyInstrument;

impl Algorithm for LoadEmptyInstrument {
    fn declaration(&self) -> Declaration {
        Declaration::new(
            "LoadEmptyInstrument",
            1,
            "DataHandling\\Instrument",
            "Creates a workspace of one spectrum for each detector of an instrument.",
        )
        .with(option(
            "Filename",
            PropertyKind::LoadFile,
            "",
            "Path of the instrument definition file.",
        ))
        .with(option(
            "InstrumentName",
            PropertyKind::Str,
            "",
            "Name of the instrument; used without Filename.",
        ))
        .with(output(
            "OutputWorkspace",
            PropertyKind::Matrix,
            "Workspace with spectra in the order of the detectors' ids.",
        ))
        .with(option(
            "DetectorValue",
            PropertyKind::Float,
            1.0,
            "Y and E of detectors.",
        ))
        .with(option("MonitorValue", PropertyKind::Float, 2.0, "Y and E of monitors."))
        .with(option(
            "MakeEventWorkspace",
            PropertyKind::Bool,
            false,
            "Create a workspace of events, without any event.",
        ))
        .with(option("NumMonitors", PropertyKind::Int, Value::None, "Not used."))
    }

    fn exec(&self, context: &mut Context<'_>) -> Result<()> {
        let (file, name) = (context.str("Filename")?, context.str("InstrumentName")?);
        let source = &context.services.instruments;
        let instrument = match (file.as_str(), name.as_str()) {
            ("", "") => return failed("Either the Filename or the InstrumentName must be given"),
            ("", name) => source.by_name(name, DateAndTime::now())?,
            (file, _) => source.by_file(Path::new(file))?,
        };
        if instrument.detectors.is_empty() {
            return failed(format!("No detectors found in the instrument {}", instrument.name));
        }
        let workspace = if context.bool("MakeEventWorkspace")? {
            let x: SharedRow = [0.0, f64::MIN_POSITIVE].into();
            let plan = EventPlan::empty(instrument.detectors.len());
            one_spectrum_per_detector(
                instrument,
                WorkspaceData::Events(EventData::new(plan, XRows::Common(x))),
            )?
        } else {
            let (detector, monitor) = (context.float("DetectorValue")?, context.float("MonitorValue")?);
            let rows: [SharedRow; 2] = [[detector].into(), [monitor].into()];
            let [detector, monitor] = &rows;
            let of = |is_monitor: bool| if is_monitor { monitor.clone() } else { detector.clone() };
            let y = Rows::new(instrument.detectors.iter().map(|d| of(d.monitor)).collect());
            let data = WorkspaceData::Histogram(crate::workspace::matrix::Histogram {
                x: XRows::Common([0.0, 1.0].into()),
                e: y.clone(),
                y,
            });
            one_spectrum_per_detector(instrument, data)?
        };
        context.output("OutputWorkspace", workspace)
    }
}

/// Workspace of one spectrum for each detector, numbered from 1, with X in time of flight.
fn one_spectrum_per_detector(instrument: Arc<Instrument>, data: WorkspaceData) -> Result<MatrixWorkspace> {
    let mut spectra = SpectrumDetectorMapping::with_capacity(instrument.detectors.len());
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
    use crate::algorithms::testing::{AlgorithmFixture, matrix, x, y};

    #[test]
    fn the_demonstrations_instrument_loads() {
        let fixture = AlgorithmFixture::new();
        let out = fixture.create("i", "LoadEmptyInstrument", &[("InstrumentName", "LIVEDEMO".into())]);
        assert_eq!(matrix(&out).histograms(), 514);
        assert_eq!(
            (y(&out, 0), y(&out, 2), x(&out, 5)),
            (vec![2.0], vec![1.0], vec![0.0, 1.0])
        );
        assert!(matrix(&out).is_monitor(1) && !matrix(&out).is_monitor(2));
        let events = fixture.create(
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
        assert_eq!(
            matrix(&events).events().unwrap().number(&Default::default()).unwrap(),
            1
        );
        assert!(
            fixture
                .try_create("j", "LoadEmptyInstrument", &[("InstrumentName", "NONE".into())])
                .is_err()
        );
    }
}
