//! What is wrong with properties is said in the known words.
#![allow(clippy::unwrap_used)]
use super::*;

fn given() -> Properties {
    Properties {
        instrument: "merlin".into(),
        output_workspace: "out".into(),
        ..Properties::default()
    }
}

fn texts(properties: &Properties) -> Vec<String> {
    let mut texts: Vec<String> = properties
        .judge()
        .unwrap_err()
        .into_iter()
        .map(|(_, text)| text)
        .collect();
    texts.dedup();
    texts
}

#[test]
fn the_defaults_are_the_known_ones() {
    let request = given().judge().unwrap();
    assert_eq!(
        request,
        Request {
            instrument: "MERLIN".into(),
            processing: None,
            accumulation: Accumulation::Add,
            preserve_events: false,
            post_processing: None,
            transition: Transition::Restart,
            start: StartFrom::Now,
            update_every: 60.0,
            accumulation_workspace: None,
            output_workspace: "out".into(),
        }
    );
}

#[test]
fn each_mistake_has_its_known_words() {
    let one = "Please check exactly one of FromNow, FromStartOfRun, FromTime.";
    assert_eq!(
        texts(&Properties {
            from_start_of_run: true,
            ..given()
        }),
        [one]
    );
    assert_eq!(
        texts(&Properties {
            from_now: false,
            ..given()
        }),
        [one]
    );
    assert_eq!(
        texts(&Properties {
            update_every: -1.0,
            ..given()
        }),
        ["UpdateEvery must be > 0"]
    );
    assert_eq!(
        texts(&Properties {
            update_every: f64::NAN,
            ..given()
        }),
        ["UpdateEvery must be > 0"]
    );
    assert_eq!(
        texts(&Properties {
            output_workspace: " ".into(),
            ..given()
        }),
        ["Must specify the OutputWorkspace."]
    );
    let two = Properties {
        processing_algorithm: "Rebin".into(),
        processing_script: "pass".into(),
        ..given()
    };
    assert_eq!(texts(&two), ["Only specify one processing method"]);
    let post = Properties {
        post_processing_script: "pass".into(),
        post_processing_script_filename: "x.py".into(),
        accumulation_workspace: "a".into(),
        ..given()
    };
    assert_eq!(texts(&post), ["Only specify one post processing method"]);
    let alone = Properties {
        post_processing_script: "pass".into(),
        ..given()
    };
    assert_eq!(
        texts(&alone),
        ["Must specify the AccumulationWorkspace parameter if using PostProcessing."]
    );
    let same = Properties {
        accumulation_workspace: "out".into(),
        ..alone
    };
    assert_eq!(
        texts(&same),
        ["The AccumulationWorkspace must be different than the OutputWorkspace, when using PostProcessing."]
    );
}

#[test]
fn what_cannot_be_processed_with_is_said_at_once() {
    let with = |algorithm: &str, properties: &str| {
        texts(&Properties {
            processing_algorithm: algorithm.into(),
            processing_properties: properties.into(),
            ..given()
        })
        .join("|")
    };
    assert!(with("BinMD", "").contains("BinMD is not available"));
    assert!(
        with("Rebin", "Params=2,1").contains("must be odd"),
        "{}",
        with("Rebin", "Params=2,1")
    );
    assert!(with("Rebin", "Width=2").contains("Width"));
    assert!(with("Rebin", "Params").contains("Name=value"));
    let right = Properties {
        processing_algorithm: "Rebin".into(),
        processing_properties: "Params=0,1,9; PreserveEvents=0".into(),
        ..given()
    };
    let Some(Method::Algorithm(_, list)) = right.judge().unwrap().processing else {
        panic!()
    };
    assert_eq!(
        list,
        [
            ("Params".to_owned(), "0,1,9".to_owned()),
            ("PreserveEvents".to_owned(), "0".to_owned())
        ]
    );
}

#[test]
fn a_start_time_needs_from_time_and_the_other_way_round() {
    let at = |from_time: bool, time: &str| Properties {
        from_now: !from_time,
        from_time,
        start_time: time.into(),
        ..given()
    };
    assert!(texts(&at(true, "yesterday"))[0].contains("no time"));
    assert!(texts(&at(false, "2026-01-01T00:00:00"))[0].contains("FromTime only"));
    let time = DateAndTime::parse("2026-01-01T00:00:00").unwrap();
    assert_eq!(
        at(true, "2026-01-01T00:00:00").judge().unwrap().start,
        StartFrom::Time(time)
    );
    let mut encoded = at(false, "1990-01-01T00:00:01");
    encoded.read_start_time();
    assert_eq!(encoded.judge().unwrap().start, StartFrom::StartOfRun);
}
