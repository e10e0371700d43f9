//! Command `simulate`: the simulated instrument's stream to any broker, with progress on the terminal.
//!
//! Promises that an interrupt ends it cleanly, with the truth about the produced runs written. Must not validate settings.

use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use live_data_reduction::instrument::source::InstrumentFolders;

use crate::demo;
use crate::simulate::instrument::InstrumentLayout;
use crate::simulate::{SimulateArgs, SimulateError, simulate};

/// Produces until the last run has ended or a signal arrives.
///
/// # Errors
/// Those of [`simulate`].
pub fn run(args: &SimulateArgs) -> Result<ExitCode, SimulateError> {
    let stop = Arc::new(AtomicBool::new(false));
    stop_on_interrupt(Arc::clone(&stop));
    let (truth, sent) = simulate(args, layout(args), &stop, |generator, sent| {
        let run = generator
            .truth()
            .runs
            .last()
            .map_or_else(String::new, |run| run.run_name.clone());
        eprintln!(
            "run {run}  {} events  {} records  {:.1} MB",
            generator.truth().events,
            sent.records,
            sent.bytes as f64 / 1e6
        );
    })?;
    for run in &truth.runs {
        println!(
            "run {}: {} events in {} pulses, {:.4} µA·h",
            run.run_name,
            run.events(),
            run.pulses,
            run.proton_charge
        );
    }
    println!(
        "{} records, {:.0} events/s",
        sent.records,
        truth.events as f64 / sent.seconds.max(1e-9)
    );
    Ok(ExitCode::SUCCESS)
}

/// Geometry of the instrument's definition; `None` without a definition, for the simulation's small instrument.
fn layout(args: &SimulateArgs) -> Option<InstrumentLayout> {
    let folders = InstrumentFolders::new(args.instrument_dir.clone().into_iter().collect());
    match demo::layout(&args.instrument.to_uppercase(), &folders) {
        Ok(layout) => Some(layout),
        Err(error) => {
            tracing::info!(%error, "simulating a small instrument of this name");
            None
        }
    }
}

fn stop_on_interrupt(stop: Arc<AtomicBool>) {
    let wait = move || {
        let Ok(runtime) = tokio::runtime::Builder::new_current_thread().enable_all().build() else {
            return;
        };
        runtime.block_on(async {
            use tokio::signal::unix::{SignalKind, signal};
            if let (Ok(mut interrupt), Ok(mut terminate)) =
                (signal(SignalKind::interrupt()), signal(SignalKind::terminate()))
            {
                tokio::select! {
                    _ = interrupt.recv() => {}
                    _ = terminate.recv() => {}
                }
            }
        });
        stop.store(true, Ordering::Relaxed);
    };
    // Without the thread an interrupt ends the process at once.
    let _ = std::thread::Builder::new().name("signals".into()).spawn(wait);
}
