//! Decoding of messages that the Python package `ess-streaming-data-types` encoded.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::Command;

use live_data_engine::message::{AlarmSeverity, Frame, IdColumn, LogValue, Message, PulseColumns};
use live_data_engine::time::PulseTime;
use live_data_stream::decode;
use serde_json::Value;

/// Python with ess-streaming-data-types: `LIVE_DATA_TEST_PYTHON`, or the cached environment of the project.
fn python() -> PathBuf {
    if let Some(path) = std::env::var_os("LIVE_DATA_TEST_PYTHON") {
        return path.into();
    }
    let cache = std::env::var_os("LIVE_DATA_CACHE").map_or_else(
        || PathBuf::from(std::env::var_os("HOME").expect("HOME is set")).join(".cache/live-data"),
        PathBuf::from,
    );
    let path = cache.join("py/bin/python");
    assert!(
        path.exists(),
        "{} is missing: make it with 'python3.11 -m venv' and 'pip install numpy ess-streaming-data-types', or set \
         LIVE_DATA_TEST_PYTHON",
        path.display()
    );
    path
}

fn integers<T: TryFrom<i128>>(value: &Value) -> Vec<T> {
    let one = |value: &Value| {
        value
            .as_i64()
            .map(i128::from)
            .or(value.as_u64().map(i128::from))
            .unwrap()
    };
    value
        .as_array()
        .unwrap()
        .iter()
        .map(|value| T::try_from(one(value)).ok().unwrap())
        .collect()
}

#[test]
fn messages_of_the_python_package_decode_to_equal_values() {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/producers.py");
    let output = Command::new(python()).arg(script).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let mut seen: BTreeMap<String, u32> = BTreeMap::new();
    for line in String::from_utf8(output.stdout).unwrap().lines() {
        let line: Value = serde_json::from_str(line).unwrap();
        let schema = line["schema"].as_str().unwrap();
        let hex = line["hex"].as_str().unwrap();
        let bytes: Vec<u8> = (0..hex.len())
            .step_by(2)
            .map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap())
            .collect();
        let message = decode(&bytes).unwrap_or_else(|error| panic!("{schema}: {error}"));
        assert_eq!(message.schema(), schema);
        compare(&message, &line["values"]);
        *seen.entry(schema.to_owned()).or_default() += 1;
    }
    let expected = [
        ("6s4t", 2),
        ("al00", 4),
        ("ep01", 1),
        ("ev42", 8),
        ("ev44", 6),
        ("f144", 30),
        ("pl72", 2),
        ("pu00", 2),
        ("un00", 2),
        ("x5f2", 1),
    ];
    assert_eq!(seen, expected.map(|(schema, count)| (schema.to_owned(), count)).into());
}

fn compare(message: &Message<'_>, values: &Value) {
    match message {
        Message::Events(batch) => {
            assert_eq!(batch.source, values["source"]);
            assert_eq!(batch.message_id, values["message_id"]);
            assert_eq!(
                batch.time_of_flight.iter().collect::<Vec<_>>(),
                integers::<u32>(&values["tof"])
            );
            match batch.ids {
                IdColumn::PerEvent(ids) => assert_eq!(ids.iter().collect::<Vec<_>>(), integers::<u32>(&values["ids"])),
                IdColumn::Implicit => assert!(values["ids"].as_array().unwrap().is_empty()),
            }
            match batch.pulses {
                PulseColumns::Single(time) => {
                    let expected = values["pulse"].as_i64().or(values["times"][0].as_i64());
                    assert_eq!(Some(time.nanos()), expected);
                }
                PulseColumns::Multiple { times, first } => {
                    assert_eq!(times.iter().collect::<Vec<_>>(), integers::<i64>(&values["times"]));
                    assert_eq!(first.iter().collect::<Vec<_>>(), integers::<i32>(&values["first"]));
                }
            }
            let frame = values["frame"].is_object().then_some(Frame {
                period: 3,
                setup: false,
                proton_charge: 0.125,
            });
            assert_eq!(batch.frame, frame);
        }
        Message::RunStart(start) => {
            assert_eq!(start.job_id, values["job"]);
            assert_eq!(start.start_time.millis(), values["start"]);
            assert_eq!(start.run_name, values["name"]);
            assert_eq!(start.instrument_name, values["instrument"]);
            assert_eq!(start.nexus_structure.as_deref(), values["structure"].as_str());
            assert_eq!((start.stop_time, start.n_periods), (None, 1));
            let entries = values["entries"].as_u64().unwrap() as i32;
            assert_eq!(start.map.is_some(), entries > 0);
            if let Some(map) = &start.map {
                assert!(map.spectrum.iter().copied().eq(1..=entries));
                assert!(map.detector_id.iter().copied().eq(1_000_001..=1_000_000 + entries));
                assert_eq!(map.n_spectra, entries);
            }
        }
        Message::RunStop(stop) => {
            assert_eq!(stop.job_id, values["job"]);
            assert_eq!(stop.run_name, values["name"]);
            assert_eq!(stop.stop_time.map(PulseTime::millis), values["stop"].as_i64());
        }
        Message::Log(sample) => {
            assert_eq!(sample.source, "IN:MERLIN:CS:SB:Rot");
            assert_eq!(sample.time.nanos(), 1_700_000_000_000_000_001);
            let (kind, array, numbers) = described(&sample.value);
            assert_eq!(
                (kind, array),
                (values["kind"].as_str().unwrap(), values["array"].as_bool().unwrap())
            );
            let expected: Vec<f64> = match &values["value"] {
                Value::Array(list) => list.iter().map(|value| value.as_f64().unwrap()).collect(),
                one => vec![one.as_f64().unwrap()],
            };
            assert_eq!(numbers, expected);
        }
        Message::Alarm(alarm) => {
            let order = [
                AlarmSeverity::Ok,
                AlarmSeverity::Minor,
                AlarmSeverity::Major,
                AlarmSeverity::Invalid,
            ];
            assert_eq!(alarm.severity, order[values["severity"].as_u64().unwrap() as usize]);
            assert_eq!(
                (alarm.source.as_str(), alarm.time.nanos(), alarm.message.as_str()),
                ("PV", 123, "why")
            );
        }
        Message::Units(units) => {
            assert_eq!(units.units.as_deref(), values["units"].as_str());
            assert_eq!((units.source.as_str(), units.time.nanos()), ("PV", 55));
        }
        Message::Pulse(pulse) => {
            assert_eq!(pulse.vetos.map(u64::from), values["vetos"].as_u64());
            assert_eq!(pulse.period.map(u64::from), values["period"].as_u64());
            assert_eq!(pulse.proton_charge.map(f64::from), values["charge"].as_f64());
            assert_eq!(pulse.reference_time.nanos(), 1_700_000_000_000_000_000);
        }
        Message::Ignored(_) | Message::VetoConfig(_) => {}
    }
}

/// NumPy's name of the type, true for an array, and the numbers.
fn described(value: &LogValue) -> (&'static str, bool, Vec<f64>) {
    macro_rules! array {
        ($name:literal, $values:expr) => {
            ($name, true, $values.iter().map(|&value| value as f64).collect())
        };
    }
    let one = |name| (name, false, value.number().into_iter().collect());
    match value {
        LogValue::I8(_) => one("int8"),
        LogValue::U8(_) => one("uint8"),
        LogValue::I16(_) => one("int16"),
        LogValue::U16(_) => one("uint16"),
        LogValue::I32(_) => one("int32"),
        LogValue::U32(_) => one("uint32"),
        LogValue::I64(_) => one("int64"),
        LogValue::U64(_) => one("uint64"),
        LogValue::F32(_) => one("float32"),
        LogValue::F64(_) => one("float64"),
        LogValue::I8s(values) => array!("int8", values),
        LogValue::U8s(values) => array!("uint8", values),
        LogValue::I16s(values) => array!("int16", values),
        LogValue::U16s(values) => array!("uint16", values),
        LogValue::I32s(values) => array!("int32", values),
        LogValue::U32s(values) => array!("uint32", values),
        LogValue::I64s(values) => array!("int64", values),
        LogValue::U64s(values) => array!("uint64", values),
        LogValue::F32s(values) => array!("float32", values),
        LogValue::F64s(values) => array!("float64", values),
        LogValue::Text(_) => ("text", true, Vec::new()),
    }
}
