//! Messages about invalid live data properties.
#![allow(clippy::unwrap_used)]
use super::*;
use crate::live::{AccumulationMethod, RunTransitionBehavior};

fn given() -> LiveSpec {
    LiveSpec {
        output_workspace: Some("out".into()),
        from_now: Some(true),
        ..LiveSpec::default()
    }
}

fn parse(spec: &LiveSpec) -> Result<LiveRequest, Vec<LivePropertyError>> {
    parse_request("merlin", spec)
}

fn texts(spec: &LiveSpec) -> Vec<String> {
    let mut texts: Vec<String> = parse(spec)
        .unwrap_err()
        .into_iter()
        .map(|error| error.message)
        .collect();
    texts.dedup();
    texts
}

#[test]
fn the_defaults_are_the_known_ones() {
    let request = parse(&given()).unwrap();
    assert_eq!(
        request,
        LiveRequest {
            instrument: "MERLIN".into(),
            processing: None,
            accumulation: AccumulationMethod::Add,
            preserve_events: false,
            post_processing: None,
            transition: RunTransitionBehavior::Restart,
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
        texts(&LiveSpec {
            from_start_of_run: Some(true),
            ..given()
        }),
        [one]
    );
    assert_eq!(
        texts(&LiveSpec {
            from_now: Some(false),
            ..given()
        }),
        [one]
    );
    assert_eq!(
        texts(&LiveSpec {
            update_every: Some(-1.0),
            ..given()
        }),
        ["UpdateEvery must be > 0"]
    );
    assert_eq!(
        texts(&LiveSpec {
            update_every: Some(f64::NAN),
            ..given()
        }),
        ["UpdateEvery must be > 0"]
    );
    assert_eq!(
        texts(&LiveSpec {
            output_workspace: Some(" ".into()),
            ..given()
        }),
        ["Must specify the OutputWorkspace."]
    );
    let two = LiveSpec {
        processing_algorithm: Some("Rebin".into()),
        processing_script: Some("pass".into()),
        ..given()
    };
    assert_eq!(texts(&two), ["Only specify one processing method"]);
    let post = LiveSpec {
        post_processing_script: Some("pass".into()),
        post_processing_script_filename: Some("x.py".into()),
        accumulation_workspace: Some("a".into()),
        ..given()
    };
    assert_eq!(texts(&post), ["Only specify one post processing method"]);
    let alone = LiveSpec {
        post_processing_script: Some("pass".into()),
        ..given()
    };
    assert_eq!(
        texts(&alone),
        ["Must specify the AccumulationWorkspace parameter if using PostProcessing."]
    );
    let same = LiveSpec {
        accumulation_workspace: Some("out".into()),
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
        texts(&LiveSpec {
            processing_algorithm: Some(algorithm.into()),
            processing_properties: Some(properties.into()),
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
    let right = LiveSpec {
        processing_algorithm: Some("Rebin".into()),
        processing_properties: Some("Params=0,1,9; PreserveEvents=0".into()),
        ..given()
    };
    let Some(ProcessingMethod::Algorithm(_, list)) = parse(&right).unwrap().processing else {
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
    let at = |from_time: bool, time: &str| LiveSpec {
        from_now: Some(!from_time),
        from_time: Some(from_time),
        start_time: Some(time.into()),
        ..given()
    };
    assert!(texts(&at(true, "yesterday"))[0].contains("no time"));
    assert!(texts(&at(false, "2026-01-01T00:00:00"))[0].contains("FromTime only"));
    let time = DateAndTime::parse("2026-01-01T00:00:00").unwrap();
    assert_eq!(
        parse(&at(true, "2026-01-01T00:00:00")).unwrap().start,
        StartFrom::Time(time)
    );
    let mut encoded = at(false, "1990-01-01T00:00:01");
    decode_start_time(&mut encoded);
    assert_eq!(parse(&encoded).unwrap().start, StartFrom::StartOfRun);
}
