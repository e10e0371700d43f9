//! Instruments from the Mantid project's definitions, which are read from its folder and not copied.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use live_data_reduction::date_and_time::DateAndTime;
use live_data_reduction::instrument::Instrument;
use live_data_reduction::instrument::source::{InstrumentFolders, InstrumentSource};

fn folder() -> Option<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/instruments");
    if folder.is_dir() {
        return Some(folder);
    }
    println!(
        "{} is missing: the real instrument definitions are not tested",
        folder.display()
    );
    None
}

fn load(name: &str) -> Option<std::sync::Arc<Instrument>> {
    let source = InstrumentFolders::new(vec![folder()?]);
    let date = DateAndTime::parse("2018-01-01T00:00:00").unwrap();
    Some(
        source
            .by_name(name, date)
            .unwrap_or_else(|error| panic!("{name}: {error}")),
    )
}

fn check(name: &str, (detectors, monitors): (usize, usize), l1: f64) {
    let Some(instrument) = load(name) else { return };
    let found = instrument.detectors.iter().filter(|d| d.monitor).count();
    assert_eq!(
        (instrument.detectors.len() - found, found),
        (detectors, monitors),
        "{name}"
    );
    if l1 > 0.0 {
        assert!(
            (instrument.l1().unwrap() - l1).abs() < 1e-6,
            "{name}: {:?}",
            instrument.l1()
        );
    }
}

fn place(name: &str, id: i32, l2: f64, two_theta: f64, tolerance: f64) {
    let Some(instrument) = load(name) else { return };
    let detector = instrument.detector(id).unwrap();
    let (found, angle) = (instrument.l2(detector), instrument.two_theta(detector).to_degrees());
    assert!(
        (found - l2).abs() < tolerance && (angle - two_theta).abs() < tolerance,
        "{name} {id}: {found} {angle}"
    );
}

#[test]
fn every_instrument_has_its_detectors() {
    for (name, counts, l1) in [
        ("MERLIN", (143_360, 9), 11.8),
        ("MARI", (918, 3), 11.739),
        ("LET", (393_216, 8), 25.0),
        ("MAPS", (165_888, 4), 0.0),
        ("WISH", (389_120, 5), 40.0),
        ("LARMOR", (40_960, 10), 25.3),
        ("ZOOM", (98_304, 10), 17.3635),
        // Three pixels of each of its ten modules are excluded by the definition.
        ("ENGIN-X", (2_500, 2), 0.0),
        ("INTER", (244, 3), 0.0),
        ("INES", (144, 2), 22.804),
    ] {
        check(name, counts, l1);
    }
}

#[test]
fn detectors_are_where_they_should_be() {
    place("MERLIN", 1_110_001, 2.896_901, 52.401_79, 1e-5);
    place("LET", 1_110_001, 4.032_637, 47.545_21, 1e-5);
    place("MARI", 1101, 4.022, 13.71, 1e-4);
    place("WISH", 1_100_000, 2.264_313, 43.586_34, 1e-5);
    if let Some(merlin) = load("MERLIN") {
        let p = merlin.detector(1_110_001).unwrap().position;
        for (found, wanted) in p.to_array().into_iter().zip([-1.768_075, -1.463_569, 1.767_458]) {
            assert!((found - wanted).abs() < 1e-6, "{p:?}");
        }
    }
    let merlin: Vec<(i32, f64)> = [(11, -3.258)]
        .into_iter()
        .chain((21..=24).map(|id| (id, -1.504)))
        .chain((31..=34).map(|id| (id, 4.247)))
        .collect();
    for (name, monitors) in [("MERLIN", merlin), ("MARI", vec![(1, -4.739), (2, -1.442), (3, 5.82)])] {
        let Some(instrument) = load(name) else { continue };
        for (id, z) in monitors {
            let monitor = instrument.detector(id).unwrap();
            assert!(
                monitor.monitor && (monitor.position.z - z).abs() < 1e-6,
                "{name} monitor {id}: {monitor:?}"
            );
            // The path of a monitor is its distance from the source.
            let path = instrument.l1().unwrap() + instrument.l2(monitor);
            assert!((path - (z - instrument.source_position().unwrap().z)).abs() < 1e-9);
        }
    }
}

#[test]
fn tubes_have_their_gas_and_shape() {
    let Some(merlin) = load("MERLIN") else { return };
    let detector = merlin.detector(1_110_001).unwrap();
    let number = |id: i32, name: &str| {
        let parameter = merlin.detector_parameter(merlin.detector(id).unwrap(), name);
        parameter.and_then(live_data_reduction::instrument::parameters::Parameter::number)
    };
    assert_eq!(number(1_110_001, "TubePressure"), Some(10.0));
    assert_eq!(number(1_110_001, "TubeThickness"), Some(0.0008));
    // Detectors and monitors have different delays.
    assert_eq!(
        (number(1_110_001, "DelayTime"), number(11, "DelayTime")),
        (Some(-5.3), Some(0.0))
    );
    let tube = merlin.cylinder(detector).unwrap();
    assert!((tube.radius - 0.0127).abs() < 1e-12, "{tube:?}");
    assert!((tube.axis.norm() - 1.0).abs() < 1e-9 && tube.axis.y > 0.7, "{tube:?}");
    let monitor = merlin.cylinder(merlin.detector(11).unwrap()).unwrap();
    assert_eq!((monitor.radius, monitor.axis.z), (0.01, 1.0));
}

#[test]
fn the_parameters_file_beside_a_definition_is_read() {
    let Some(merlin) = load("MERLIN") else { return };
    assert!(merlin.warnings.is_empty(), "{:?}", merlin.warnings);
    let text = |name: &str| merlin.parameter(None, name).map(|value| (value.kind(), value.text()));
    assert_eq!(text("map_file"), Some(("string", "one2one_125.map".to_owned())));
    assert_eq!(text("norm-mon1-spec"), Some(("double", "69633".to_owned())));
    assert_eq!(text("norm-mon2-spec"), Some(("int", "69634".to_owned())));
    assert_eq!(text("load_monitors_with_workspace"), Some(("bool", "false".to_owned())));
    assert_eq!(text("deltaE-mode"), Some(("string", "direct".to_owned())));
}

#[test]
fn a_broken_parameters_file_leaves_a_note_and_the_geometry() {
    let folder = tempfile::tempdir().unwrap();
    let definition = "<instrument name='X'><component type='s'><location z='-3'/></component><type name='s' is='Source'/></instrument>";
    std::fs::write(folder.path().join("X_Definition_2020.xml"), definition).unwrap();
    std::fs::write(folder.path().join("X_Parameters.xml"), "<parameter-file").unwrap();
    let at = DateAndTime::parse("2021-01-01T00:00:00").unwrap();
    let load = || {
        InstrumentFolders::new(vec![folder.path().to_owned()])
            .by_name("x", at)
            .unwrap()
    };
    let x = load();
    assert_eq!((x.l1(), x.warnings.len()), (Some(3.0), 1));
    assert!(x.warnings[0].contains("X_Parameters.xml"), "{:?}", x.warnings);
    // The file of the same edition is preferred.
    let own = "<parameter-file instrument='X'><component-link name='X'><parameter name='p'><value val='2'/></parameter></component-link></parameter-file>";
    std::fs::write(folder.path().join("x_parameters_2020.XML"), own).unwrap();
    let x = load();
    assert_eq!((x.number_parameter("P"), x.warnings.len()), (Some(2.0), 0));
}

#[test]
fn the_detector_of_inter_follows_its_angle() {
    let Some(inter) = load("INTER") else { return };
    let angle = |name: &str| (name == "Theta" || name == "theta").then(|| vec![0.5, 0.7]);
    let moved = inter.with_logs(angle);
    let twice = 2.0 * 0.7 * 0.0174533_f64;
    for (id, height) in [
        (2001, 3.163 * twice.tan() - 46.0 * 0.0012),
        (2002, 3.163 * twice.tan() - 45.0 * 0.0012),
    ] {
        let (still, now) = (
            inter.detector(id).unwrap().position,
            moved.detector(id).unwrap().position,
        );
        assert!((now.y - height).abs() < 1e-9, "{id}: {now:?}");
        assert!((now.z - still.z).abs() < 1e-12 && (now.x - still.x).abs() < 1e-12);
    }
}

#[test]
fn the_latest_definition_that_is_valid_is_taken() {
    let folder = tempfile::tempdir().unwrap();
    for (file, from, to, z) in [
        ("Y_Definition.xml", "1900-01-01 00:00:00", "2015-12-31 23:59:59", 1),
        ("Y_Definition_b.xml", "2010-01-01 00:00:00", "2015-12-31 23:59:59", 2),
        ("Y_Definition_c.xml", "2016-01-01 00:00:00", "2100-01-01 00:00:00", 3),
    ] {
        let text = format!(
            "<instrument name='Y' valid-from='{from}' valid-to='{to}'><component type='s'><location z='-{z}'/></component><type name='s' is='Source'/></instrument>"
        );
        std::fs::write(folder.path().join(file), text).unwrap();
    }
    let source = InstrumentFolders::new(vec![folder.path().to_owned()]);
    for (date, l1) in [
        ("2005-06-01T00:00:00", 1.0),
        ("2012-06-01T00:00:00", 2.0),
        ("2020-06-01T00:00:00", 3.0),
    ] {
        let found = source.by_name("Y", DateAndTime::parse(date).unwrap()).unwrap();
        assert_eq!(found.l1(), Some(l1), "{date}");
    }
}

#[test]
fn the_largest_is_read_in_a_second() {
    let Some(folder) = folder() else { return };
    let source = InstrumentFolders::new(vec![folder.clone()]);
    let began = Instant::now();
    source.by_file(&folder.join("LET_Definition_dr1to12.xml")).unwrap();
    // The limit leaves room for a busy machine.
    assert!(began.elapsed() < Duration::from_secs(3), "{:?}", began.elapsed());
}

#[test]
fn definitions_that_are_wrong_are_refused_in_words() {
    let folder = tempfile::tempdir().unwrap();
    for (at, text) in [
        "",
        "<a/>",
        "<instrument name='x'><component type='none'/></instrument>",
        "<instrument name='x'><component type='a'><location/></component><type name='a'><component type='a'><location/></component></type></instrument>",
        "<instrument name='x'><component type='d'><location/></component><type name='d' is='detector'/></instrument>",
        "<instrument name='x'><idlist idname='l'><id start='1' end='99999999999'/></idlist></instrument>",
        "<instrument name='x'><type name='b'><component type='d'><locations n-elements='1e12'/></component></type></instrument>",
    ]
    .into_iter()
    .enumerate()
    {
        let path = folder.path().join(format!("{at}.xml"));
        std::fs::write(&path, text).unwrap();
        let error = InstrumentFolders::new(Vec::new()).by_file(&path).unwrap_err();
        assert!(error.to_string().contains(path.to_str().unwrap()), "{error}");
    }
}
