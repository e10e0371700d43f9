//! A workspace through an algorithm, the way a chunk goes: the workspace is the first input that the algorithm takes, the
//! result its first output.
//!
//! Promises: nothing is put into the data service. An algorithm that changes its input in place returns that; one that
//! only writes a file returns what it was given.

use live_data_engine::cancel::Cancel;

use crate::algorithm::AlgorithmRun;
use crate::declaration::{Direction, Property};
use crate::error::{Result, failed};
use crate::live::accumulate::apart;
use crate::service::Service;
use crate::value::Value;
use crate::workspace::{Handle, Workspace, WorkspaceCell};

/// Runs an algorithm on a workspace.
///
/// # Errors
/// What the algorithm raises, with its name.
pub fn through(
    name: &str,
    properties: &[(String, String)],
    input: &Handle,
    service: &Service,
    cancel: &Cancel,
) -> Result<Workspace> {
    let named = |error: crate::error::AlgorithmError| {
        let text = format!("{name}: {error}");
        error.with_text(text)
    };
    let mut run = AlgorithmRun::create(name, None)?;
    run.store_in_data_service(false);
    for (property, value) in properties {
        run.set_property(property, value.as_str().into()).map_err(named)?;
    }
    let declaration = run.declaration().clone();
    let taken = |property: &&Property| property.kind.is_workspace() && property.direction != Direction::Out;
    let inputs: Vec<&Property> = declaration.properties.iter().filter(taken).collect();
    let first = inputs
        .iter()
        .find(|property| property.name == "InputWorkspace")
        .or(inputs.first());
    let Some(first) = first.copied() else {
        return failed(format!("{name} takes no workspace: chunks cannot go through it"));
    };
    // A copy, so that an algorithm that works in place leaves the original as it is.
    let copy = WorkspaceCell::new(&input.name(), apart(input.snapshot()));
    if run.is_default(first.name) {
        run.set_property(first.name, Value::Workspace(copy.clone()))
            .map_err(named)?;
    }
    let outputs = run.execute(service, cancel).map_err(named)?;
    let made = declaration
        .properties
        .iter()
        .filter(|property| property.direction == Direction::Out && property.kind.is_workspace())
        .find_map(|property| outputs.workspace(property.name));
    Ok(made.unwrap_or(copy).raw())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::algorithms::testing::{Bench, total};

    fn done(bench: &Bench, input: &Handle, name: &str, properties: &[(&str, &str)]) -> Result<Handle> {
        let properties: Vec<_> = properties
            .iter()
            .map(|(n, v)| ((*n).to_owned(), (*v).to_owned()))
            .collect();
        through(name, &properties, input, &bench.service, &Cancel::new()).map(|made| WorkspaceCell::new("", made))
    }

    #[test]
    fn a_chunk_goes_in_and_the_result_comes_out_with_nothing_stored() {
        let bench = Bench::new();
        let input = bench.sample("s", &[("WorkspaceType", "Event".into())]);
        let names = bench.service.data.object_names();
        let sum = done(&bench, &input, "SumSpectra", &[]).unwrap();
        assert_eq!((sum.matrix().unwrap().histograms(), total(&sum)), (1, total(&input)));
        assert_eq!(bench.service.data.object_names(), names);
    }

    #[test]
    fn what_works_in_place_leaves_the_original_and_what_only_writes_returns_its_input() {
        let bench = Bench::new();
        let input = bench.sample("s", &[]);
        let masked = done(&bench, &input, "MaskDetectors", &[("WorkspaceIndexList", "0")]).unwrap();
        assert!(masked.matrix().unwrap().is_masked(0));
        assert!(!input.matrix().unwrap().is_masked(0));
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("a.nxs");
        let saved = done(
            &bench,
            &input,
            "SaveNexusProcessed",
            &[("Filename", file.to_str().unwrap())],
        )
        .unwrap();
        assert!(file.exists());
        assert_eq!(total(&saved), total(&input));
    }

    #[test]
    fn failures_name_the_algorithm() {
        let bench = Bench::new();
        let input = bench.sample("s", &[]);
        let error = done(&bench, &input, "CropWorkspace", &[("XMin", "5"), ("XMax", "4")])
            .unwrap_err()
            .to_string();
        assert!(
            error.starts_with("CropWorkspace: ") && error.contains("XMin must be less than XMax"),
            "{error}"
        );
        let error = done(&bench, &input, "CreateSampleWorkspace", &[])
            .unwrap_err()
            .to_string();
        assert!(error.contains("takes no workspace"), "{error}");
    }
}
