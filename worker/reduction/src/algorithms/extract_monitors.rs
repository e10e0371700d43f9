//! ExtractMonitors: the spectra of detectors and of monitors as two workspaces.

use crate::algorithm::{Algorithm, Context};
use crate::declaration::{Declaration, PropertyKind, input, output};
use crate::error::{Result, failed};
use crate::service::LogLevel;
use crate::workspace::{Workspace, WorkspaceCell};

pub(crate) struct ExtractMonitors;

impl Algorithm for ExtractMonitors {
    fn declaration(&self) -> Declaration {
        Declaration::new(
            "ExtractMonitors",
            1,
            "CorrectionFunctions\\InstrumentCorrections",
            "Separates the spectra of monitors from those of detectors.",
        )
        .with(input(
            "InputWorkspace",
            PropertyKind::Matrix,
            "Workspace with spectra of monitors and of detectors.",
        ))
        .with(
            output(
                "DetectorWorkspace",
                PropertyKind::Matrix,
                "Spectra of detectors; MonitorWorkspace becomes its monitor workspace.",
            )
            .optional(),
        )
        .with(output("MonitorWorkspace", PropertyKind::Matrix, "Spectra of monitors.").optional())
    }

    fn exec(&self, context: &mut Context<'_>) -> Result<()> {
        let input = context.matrix("InputWorkspace")?;
        let (detectors, monitors) = (context.str("DetectorWorkspace")?, context.str("MonitorWorkspace")?);
        if detectors.is_empty() && monitors.is_empty() {
            return failed("Must specify one of DetectorWorkspace or MonitorWorkspace");
        }
        let (monitor, detector): (Vec<usize>, Vec<usize>) =
            (0..input.histograms()).partition(|index| input.is_monitor(*index));
        if monitor.is_empty() {
            context.log(LogLevel::Notice, "No monitors were found in the workspace");
        }
        let monitor = if monitor.is_empty() {
            None
        } else {
            Some(input.subset(&monitor)?)
        };
        if let Some(monitor) = monitor.clone().filter(|_| !monitors.is_empty()) {
            context.output("MonitorWorkspace", monitor)?;
        }
        if !detectors.is_empty() {
            let mut out = input.subset(&detector)?;
            if let Some(monitor) = monitor {
                out.set_monitor_workspace(Some(WorkspaceCell::new(&monitors, Workspace::Matrix(monitor))));
            }
            context.output("DetectorWorkspace", out)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use crate::algorithms::testing::{AlgorithmFixture, matrix};

    #[test]
    fn both_kinds_are_separated() {
        let fixture = AlgorithmFixture::new();
        fixture.create("i", "LoadEmptyInstrument", &[("InstrumentName", "LIVEDEMO".into())]);
        let out = fixture.run(
            "ExtractMonitors",
            &[
                ("InputWorkspace", "i".into()),
                ("DetectorWorkspace", "d".into()),
                ("MonitorWorkspace", "m".into()),
            ],
        );
        let (d, mon) = (
            out.workspace("DetectorWorkspace").unwrap(),
            out.workspace("MonitorWorkspace").unwrap(),
        );
        assert_eq!((matrix(&d).histograms(), matrix(&mon).histograms()), (512, 2));
        assert!(matrix(&d).monitor_workspace().is_some());
    }
}
