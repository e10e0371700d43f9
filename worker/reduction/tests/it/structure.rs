//! Live workspaces whose geometry is in the start message.

use live_data_engine::cancel::Cancel;
use live_data_engine::config::EventIdKind;
use live_data_engine::message::{EventSchema, RunStart};
use live_data_reduction::Workspace;
use live_data_reduction::run_workspace::{RunWorkspace, RunWorkspaceBuilder};

use crate::support::{Stream, instruments, run_start};

/// Two pixels at 90 degrees, 3 m from the sample and 20 m from the source.
const STRUCTURE: &str = r#"{"children": [{"type": "group", "name": "entry", "attributes": [{"name": "NX_class", "values": "NXentry"}], "children": [
  {"type": "group", "name": "instrument", "attributes": [{"name": "NX_class", "values": "NXinstrument"}], "children": [
    {"type": "group", "name": "source", "attributes": [{"name": "NX_class", "values": "NXsource"}], "children": [
      {"module": "dataset", "config": {"name": "distance", "values": -20.0}, "attributes": [{"name": "units", "values": "m"}]}]},
    {"type": "group", "name": "bank", "attributes": [{"name": "NX_class", "values": "NXdetector"}], "children": [
      {"module": "dataset", "config": {"name": "detector_number", "values": [1001, 1002]}},
      {"module": "dataset", "config": {"name": "x_pixel_offset", "values": [3000.0, -3000.0]}, "attributes": [{"name": "units", "values": "mm"}]}]}]}]}]}"#;

fn bound(structure: Option<&str>) -> RunWorkspace {
    let mut stream = Stream::new("LIVEDEMO");
    stream.start(RunStart {
        nexus_structure: structure.map(str::to_owned),
        ..run_start("LIVEDEMO")
    });
    stream.pulse(
        EventSchema::Ev44,
        0.5,
        None,
        &[(1001, 5_000_000), (1002, 6_000_000), (1003, 6_000_000)],
    );
    let binder = RunWorkspaceBuilder::new(EventIdKind::Auto, "LIVEDEMO", instruments());
    binder.build(&stream.snapshot(), &Cancel::new()).unwrap()
}

/// L1 in m, number of spectra, number of events outside every spectrum.
fn seen(bound: &RunWorkspace) -> (Option<f64>, usize, u64) {
    let Workspace::Matrix(matrix) = &bound.workspace else {
        panic!("one period was expected")
    };
    (matrix.instrument().l1(), matrix.histograms(), bound.unexplained_events)
}

#[test]
fn the_start_message_comes_before_the_definition() {
    let bound = bound(Some(STRUCTURE));
    assert_eq!(seen(&bound), (Some(20.0), 2, 1));
    let Workspace::Matrix(matrix) = &bound.workspace else {
        return;
    };
    let instrument = matrix.instrument();
    let left = instrument.detector(1001).unwrap();
    assert!((instrument.l2(left) - 3.0).abs() < 1e-12 && (instrument.two_theta(left).to_degrees() - 90.0).abs() < 1e-9);
    assert!(
        bound.warnings.iter().all(|text| !text.contains("geometry")),
        "{:?}",
        bound.warnings
    );
}

#[test]
fn a_structure_that_cannot_be_used_is_told_and_the_definition_taken() {
    for (structure, words) in [
        ("{", "no JSON"),
        (&STRUCTURE.replace("NXsource", "NXother"), "NXsource"),
        (
            &STRUCTURE.replace("[3000.0, -3000.0]", "[1.0, 2.0, 3.0]"),
            "3 x offsets",
        ),
        (&STRUCTURE.replace("\"mm\"", "\"furlong\""), "furlong"),
    ] {
        let bound = bound(Some(structure));
        assert_eq!(seen(&bound), (Some(15.0), 514, 0), "{words}");
        let reported = bound
            .warnings
            .iter()
            .any(|text| text.contains("start message") && text.contains(words));
        assert!(reported, "{words}: {:?}", bound.warnings);
    }
}

#[test]
fn structures_without_places_are_passed_over_without_a_word() {
    for structure in [None, Some(""), Some("{}"), Some(r#"{"children": []}"#)] {
        let bound = bound(structure);
        assert_eq!(seen(&bound), (Some(15.0), 514, 0));
        let reported = bound
            .warnings
            .iter()
            .any(|text| text.contains("start message") || text.contains("geometry"));
        assert!(!reported, "{:?}", bound.warnings);
    }
}
