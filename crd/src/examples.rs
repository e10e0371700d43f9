//! Check of the examples in `crd/examples`: the types read every field of theirs and lose none.

#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::LiveDataProcessor;

#[test]
fn every_field_of_every_example_is_read_and_none_is_lost() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples");
    let mut seen = 0;
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let text = fs::read_to_string(&path).unwrap();
        let mut written: Value = serde_saphyr::from_str(&text).unwrap();
        // The apiserver adds an absent spec, by the default of the definition.
        written
            .as_object_mut()
            .unwrap()
            .entry("spec")
            .or_insert_with(|| serde_json::json!({}));
        let resource: LiveDataProcessor = serde_json::from_value(written.clone()).unwrap_or_else(|error| {
            panic!("{}: {error}", path.display());
        });
        let mut read = serde_json::to_value(&resource).unwrap();
        numbers_of_quantities_as_text(&mut written);
        numbers_of_quantities_as_text(&mut read);
        assert_eq!(read, written, "{}", path.display());
        seen += 1;
    }
    assert!(seen >= 6, "only {seen} examples were found");
}

/// A quantity may be written as a number and is read as text.
fn numbers_of_quantities_as_text(document: &mut Value) {
    for list in ["requests", "limits"] {
        let Some(quantities) = document.pointer_mut(&format!("/spec/resources/{list}")) else {
            continue;
        };
        for quantity in quantities.as_object_mut().unwrap().values_mut() {
            if quantity.is_number() {
                *quantity = quantity.to_string().into();
            }
        }
    }
}
