//! Processing of a workspace by an algorithm, as chunks are processed.
//!
//! The workspace is the algorithm's first workspace input, the result its first workspace output.
//!
//! Promises: nothing is stored in the data service. An algorithm that works in place gives the changed copy; one without
//! output gives its input.

use live_data_engine::cancel::Cancel;

use crate::algorithm_run::AlgorithmRun;
use crate::declaration::{Property, PropertyDirection};
use crate::error::{Result, failed};
use crate::live::accumulate::with_own_members;
use crate::service::Services;
use crate::value::Value;
use crate::workspace::{Workspace, WorkspaceCell, WorkspaceHandle};

/// Result of the algorithm `name` on a copy of `input`.
///
/// # Errors
/// Errors of the algorithm, after its name; `Execution` if it takes no workspace.
pub fn run_algorithm(
    name: &str,
    properties: &[(String, String)],
    input: &WorkspaceHandle,
    service: &Services,
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
    let taken = |property: &&Property| property.kind.is_workspace() && property.direction != PropertyDirection::Out;
    let inputs: Vec<&Property> = declaration.properties.iter().filter(taken).collect();
    let first = inputs
        .iter()
        .find(|property| property.name == "InputWorkspace")
        .or(inputs.first());
    let Some(first) = first.copied() else {
        return failed(format!("{name} takes no workspace: chunks cannot go through it"));
    };
    // An algorithm that works in place must not change the original.
    let copy = WorkspaceCell::new(&input.name(), with_own_members(input.snapshot()));
    if run.is_default(first.name) {
        run.set_property(first.name, Value::Workspace(copy.clone()))
            .map_err(named)?;
    }
    let outputs = run.execute(service, cancel).map_err(named)?;
    let made = declaration
        .properties
        .iter()
        .filter(|property| property.direction == PropertyDirection::Out && property.kind.is_workspace())
        .find_map(|property| outputs.workspace(property.name));
    Ok(made.unwrap_or(copy).raw())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::algorithms::testing::{AlgorithmFixture, total_counts};

    fn done(
        fixture: &AlgorithmFixture,
        input: &WorkspaceHandle,
        name: &str,
        properties: &[(&str, &str)],
    ) -> Result<WorkspaceHandle> {
        let properties: Vec<_> = properties
            .iter()
            .map(|(n, v)| ((*n).to_owned(), (*v).to_owned()))
            .collect();
        run_algorithm(name, &properties, input, &fixture.service, &Cancel::new())
            .map(|made| WorkspaceCell::new("", made))
    }

    #[test]
    fn a_chunk_goes_in_and_the_result_comes_out_with_nothing_stored() {
        let fixture = AlgorithmFixture::new();
        let input = fixture.sample_workspace("s", &[("WorkspaceType", "Event".into())]);
        let names = fixture.service.data.object_names();
        let sum = done(&fixture, &input, "SumSpectra", &[]).unwrap();
        assert_eq!(
            (sum.matrix().unwrap().histograms(), total_counts(&sum)),
            (1, total_counts(&input))
        );
        assert_eq!(fixture.service.data.object_names(), names);
    }

    #[test]
    fn what_works_in_place_leaves_the_original_and_what_only_writes_returns_its_input() {
        let fixture = AlgorithmFixture::new();
        let input = fixture.sample_workspace("s", &[]);
        let masked = done(&fixture, &input, "MaskDetectors", &[("WorkspaceIndexList", "0")]).unwrap();
        assert!(masked.matrix().unwrap().is_masked(0));
        assert!(!input.matrix().unwrap().is_masked(0));
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("a.nxs");
        let saved = done(
            &fixture,
            &input,
            "SaveNexusProcessed",
            &[("Filename", file.to_str().unwrap())],
        )
        .unwrap();
        assert!(file.exists());
        assert_eq!(total_counts(&saved), total_counts(&input));
    }

    #[test]
    fn failures_name_the_algorithm() {
        let fixture = AlgorithmFixture::new();
        let input = fixture.sample_workspace("s", &[]);
        let error = done(&fixture, &input, "CropWorkspace", &[("XMin", "5"), ("XMax", "4")])
            .unwrap_err()
            .to_string();
        assert!(
            error.starts_with("CropWorkspace: ") && error.contains("XMin must be less than XMax"),
            "{error}"
        );
        let error = done(&fixture, &input, "CreateSampleWorkspace", &[])
            .unwrap_err()
            .to_string();
        assert!(error.contains("takes no workspace"), "{error}");
    }
}
