#![allow(clippy::unwrap_used)]
use serde_json::{Value, json};

use super::{NexusError, parse};

/// Transformation in the spelling of the newest file writers.
fn axis(name: &str, kind: &str, value: f64, units: &str, vector: [f64; 3], depends_on: &str) -> Value {
    json!({"module": "dataset", "config": {"name": name, "values": value, "dtype": "double"}, "attributes": [
        {"name": "transformation_type", "values": kind}, {"name": "units", "values": units},
        {"name": "vector", "values": vector}, {"name": "depends_on", "values": depends_on}]})
}

fn field(name: &str, values: Value, units: &str) -> Value {
    json!({"module": "dataset", "config": {"name": name, "values": values}, "attributes": [{"name": "units", "values": units}]})
}

fn group(name: &str, class: &str, children: Vec<Value>) -> Value {
    json!({"type": "group", "name": name, "attributes": [{"name": "NX_class", "dtype": "string", "values": class}], "children": children})
}

fn source() -> Value {
    let axes = group(
        "transformations",
        "NXtransformations",
        vec![axis("back", "translation", -25.0, "m", [0.0, 0.0, 1.0], ".")],
    );
    group(
        "source",
        "NXsource",
        vec![field("depends_on", json!("transformations/back"), ""), axes],
    )
}

fn whole(parts: Vec<Value>) -> String {
    let instrument = group(
        "instrument",
        "NXinstrument",
        [vec![field("name", json!("LOKI"), "")], parts].concat(),
    );
    json!({"children": [group("entry", "NXentry", vec![instrument, group("sample", "NXsample", vec![])])]}).to_string()
}

/// Two rows of three pixels, 2 m from the sample, turned to 90 degrees.
fn panel(chain: Vec<Value>) -> Value {
    let axes = group("transformations", "NXtransformations", chain);
    group(
        "panel",
        "NXdetector",
        vec![
            field("detector_number", json!([[1, 2, 3], [4, 5, 6]]), ""),
            field("x_pixel_offset", json!([-100.0, 0.0, 100.0]), "mm"),
            field("y_pixel_offset", json!([-0.05, 0.05]), "m"),
            field("depends_on", json!("/entry/instrument/panel/transformations/out"), ""),
            axes,
        ],
    )
}

fn arm() -> Vec<Value> {
    vec![
        axis("out", "translation", 200.0, "cm", [0.0, 0.0, 1.0], "turn"),
        axis(
            "turn",
            "rotation",
            std::f64::consts::FRAC_PI_2,
            "rad",
            [0.0, 1.0, 0.0],
            ".",
        ),
    ]
}

#[test]
fn chains_place_pixels_first_link_first() {
    let read = parse(&whole(vec![source(), panel(arm())]), "other").unwrap().unwrap();
    assert!(read.warnings.is_empty(), "{:?}", read.warnings);
    let instrument = read.instrument;
    assert_eq!(
        (instrument.name.as_str(), instrument.l1(), instrument.detectors.len()),
        ("LOKI", Some(25.0), 6)
    );
    // Turned by 90 degrees about y, z becomes x and x becomes -z.
    for (id, wanted) in [(1, [2.0, -0.05, 0.1]), (3, [2.0, -0.05, -0.1]), (5, [2.0, 0.05, 0.0])] {
        let found = instrument.detector(id).unwrap().position.to_array();
        assert!(
            found.iter().zip(wanted).all(|(a, b)| (a - b).abs() < 1e-12),
            "{id}: {found:?}"
        );
    }
    let middle = instrument.detector(5).unwrap();
    assert!((instrument.l2(middle) - 2.000_624_902_4).abs() < 1e-9);
    assert!((instrument.two_theta(middle).to_degrees() - 90.0).abs() < 1e-9);
    assert_eq!(
        instrument
            .component("panel")
            .map(|at| instrument.detectors_within(at).len()),
        Some(6)
    );
}

#[test]
fn the_older_spelling_and_single_pixels_are_read() {
    let text = json!({"nexus_structure": {"children": [
    {"type": "group", "name": "raw_data_1", "attributes": {"NX_class": "NXentry"}, "children": [
        {"type": "group", "name": "instrument", "attributes": {"NX_class": "NXinstrument"}, "children": [
            {"type": "group", "name": "moderator", "attributes": {"NX_class": "NXmoderator"}, "children": [
                {"type": "dataset", "name": "distance", "dataset": {"type": "double"}, "values": -11.8, "attributes": {"units": "metre"}}]},
            {"type": "group", "name": "detector_1", "attributes": {"NX_class": "NXdetector"}, "children": [
                {"type": "dataset", "name": "detector_number", "values": [7, 8]},
                {"type": "dataset", "name": "distance", "values": [4.0, 5.0]},
                {"type": "dataset", "name": "polar_angle", "values": [30.0, 60.0], "attributes": {"units": "degree"}},
                {"type": "dataset", "name": "azimuthal_angle", "values": [0.0, 90.0]}]},
            {"type": "group", "name": "monitor_1", "attributes": {"NX_class": "NXmonitor"}, "children": [
                {"type": "dataset", "name": "detector_id", "values": 11},
                {"type": "dataset", "name": "distance", "values": -3.258}]}
        ]}]}]}});
    let read = parse(&text.to_string(), "MERLIN").unwrap().unwrap().instrument;
    assert_eq!((read.name.as_str(), read.l1()), ("MERLIN", Some(11.8)));
    let (a, b, monitor) = (
        read.detector(7).unwrap(),
        read.detector(8).unwrap(),
        read.detector(11).unwrap(),
    );
    assert!((read.two_theta(a).to_degrees() - 30.0).abs() < 1e-9 && (read.l2(b) - 5.0).abs() < 1e-12);
    assert!((read.phi(b).to_degrees() - 90.0).abs() < 1e-9);
    assert!(monitor.monitor && (monitor.position.z + 3.258).abs() < 1e-12);
}

#[test]
fn isis_detector_tables_are_read() {
    let table = group(
        "isis_vms_compat",
        "IXvms",
        vec![
            field("UDET", json!([1_110_001, 1_110_002]), ""),
            field("LEN2", json!([2.5, 2.6]), "m"),
            field("TTHE", json!([20.0, 21.0]), "degree"),
            field("UT01", json!([180.0, 180.0]), "degree"),
        ],
    );
    let moderator = group("moderator", "NXmoderator", vec![field("distance", json!(11.8), "m")]);
    let read = parse(&whole(vec![moderator, table]), "x").unwrap().unwrap().instrument;
    let second = read.detector(1_110_002).unwrap();
    assert!((read.l2(second) - 2.6).abs() < 1e-12 && (read.two_theta(second).to_degrees() - 21.0).abs() < 1e-9);
    assert!(second.position.x < 0.0);
}

#[test]
fn a_structure_without_places_is_no_instrument() {
    // Structure of ISIS's control program.
    let stream =
        json!({"type": "stream", "stream": {"topic": "LARMOR_events", "source": "ISISICP", "writer_module": "ev44"}});
    let isis = json!({"children": [group("raw_data_1", "NXentry", vec![json!({"type": "group", "name": "events", "children": [stream]})])]});
    assert!(parse(&isis.to_string(), "LARMOR").unwrap().is_none());
    assert!(parse("{}", "x").unwrap().is_none() && parse("[]", "x").unwrap().is_none());
    let bare = group("panel", "NXdetector", vec![field("detector_number", json!([1, 2]), "")]);
    assert!(parse(&whole(vec![source(), bare]), "x").unwrap().is_none());
}

#[test]
fn what_is_wrong_is_said() {
    let nowhere = vec![axis("out", "translation", 2.0, "m", [0.0, 0.0, 1.0], "gone")];
    let circle = vec![
        axis("out", "translation", 2.0, "m", [0.0, 0.0, 1.0], "turn"),
        axis("turn", "rotation", 1.0, "deg", [0.0, 1.0, 0.0], "out"),
    ];
    let strange = vec![axis("out", "shear", 2.0, "m", [0.0, 0.0, 1.0], ".")];
    let unit = vec![axis("out", "translation", 2.0, "furlong", [0.0, 0.0, 1.0], ".")];
    let few = group(
        "few",
        "NXdetector",
        vec![
            field("detector_number", json!([1, 2]), ""),
            field("x_pixel_offset", json!([1.0, 2.0, 3.0]), "m"),
        ],
    );
    let id = group("id", "NXdetector", vec![field("detector_number", json!([1e12]), "")]);
    for (parts, words) in [
        (vec![source(), panel(nowhere)], "gone"),
        (vec![source(), panel(circle)], "circle"),
        (vec![source(), panel(strange)], "shear"),
        (vec![source(), panel(unit)], "furlong"),
        (vec![source(), few], "3 x offsets"),
        (vec![source(), id], "no id"),
        (vec![panel(arm())], "NXsource"),
    ] {
        let error = parse(&whole(parts), "x").unwrap_err().to_string();
        assert!(error.contains(words), "{error}");
    }
    assert!(matches!(parse("{", "x"), Err(NexusError::Json(_))));
    assert!(parse(&"[".repeat(100_000), "x").is_err());
}

#[test]
fn what_a_log_moves_is_named_and_repeated_ids_are_counted() {
    let log = json!({"type": "group", "name": "out", "attributes": [{"name": "NX_class", "values": "NXlog"},
        {"name": "transformation_type", "values": "translation"}, {"name": "units", "values": "m"},
        {"name": "vector", "values": [0.0, 0.0, 1.0]}, {"name": "depends_on", "values": "turn"}],
        "children": [{"module": "f144", "config": {"source": "motor", "topic": "x"}}]});
    let chain = vec![log, axis("turn", "rotation", 90.0, "deg", [0.0, 1.0, 0.0], ".")];
    let twice = group(
        "other",
        "NXdetector",
        vec![
            field("detector_number", json!([6]), ""),
            field("distance", json!([1.0]), "m"),
            field("polar_angle", json!([10.0]), "deg"),
        ],
    );
    let read = parse(&whole(vec![source(), panel(chain), twice]), "x")
        .unwrap()
        .unwrap();
    assert!(
        read.warnings
            .iter()
            .any(|text| text.contains("out") && text.contains("logs")),
        "{:?}",
        read.warnings
    );
    assert!(
        read.warnings.iter().any(|text| text.contains("1 detector ids")),
        "{:?}",
        read.warnings
    );
    assert_eq!(read.instrument.detectors.len(), 6);
}
