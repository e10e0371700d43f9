//! Instruments from their real definitions, which belong to the Mantid project and are read where they lie.

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
        for (id, z) in [(11, -3.258), (21, -1.504), (31, 4.247)] {
            assert!(
                (merlin.detector(id).unwrap().position.z - z).abs() < 1e-6,
                "monitor {id}"
            );
        }
    }
}

#[test]
fn the_largest_is_read_in_a_second() {
    let Some(folder) = folder() else { return };
    let source = InstrumentFolders::new(vec![folder.clone()]);
    let began = Instant::now();
    source.by_file(&folder.join("LET_Definition_dr1to12.xml")).unwrap();
    // A limit with room for a machine that does other things at once.
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
