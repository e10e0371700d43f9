//! Decoding of malformed records: any bytes give a message or an error.

use live_data_stream::encode::{Encoder, Ev42, Ev44, Pl72, Pu00};
use live_data_stream::{DecodeError, decode};
use proptest::prelude::*;

use crate::samples;

fn ev44(times: &[i64], first: &[i32], time_of_flight: &[i32], ids: &[i32]) -> Vec<u8> {
    let message = Ev44 {
        source: "bank",
        message_id: 1,
        reference_time: times,
        reference_time_index: first,
        time_of_flight,
        pixel_id: ids,
    };
    Encoder::new().ev44(&message).to_vec()
}

fn refused(bytes: &[u8], reason: &str) -> DecodeError {
    let error = decode(bytes).expect_err(reason);
    assert_eq!(error.reason(), reason, "{error}");
    assert!(!error.to_string().is_empty());
    error
}

#[test]
fn records_without_a_schema() {
    refused(&[], "empty");
    refused(&[1, 2, 3], "too_short");
    refused(b"1234567", "too_short");
    let unknown = refused(b"\x10\0\0\0f142 and so on", "unknown_schema");
    assert!(unknown.to_string().contains("f142") && unknown.schema().is_none());
    refused(b"\x10\0\0\0\xff\xfe\0\x01 and so on", "unknown_schema");
}

#[test]
fn every_schema_truncated_or_relabelled_is_refused_or_read_but_never_a_panic() {
    for (schema, bytes) in samples::all() {
        for length in 8..bytes.len() {
            if let Err(error) = decode(&bytes[..length]) {
                assert_eq!(error.schema(), Some(schema));
            }
        }
        assert!(decode(&bytes[..12]).is_err(), "{schema}");
        for (other, _) in samples::all() {
            let mut relabelled = bytes.clone();
            relabelled[4..8].copy_from_slice(other.as_bytes());
            // Some schemas share a layout, so that decoding may succeed; it must not panic.
            let _ = decode(&relabelled).map(|message| assert_eq!(message.schema(), other));
        }
    }
}

#[test]
fn huge_vector_lengths_are_refused() {
    for (schema, bytes) in samples::all() {
        for at in (8..bytes.len() - 3).step_by(4) {
            for value in [0x7fff_ffff_u32, 0xffff_ffff, 0x4000_0000] {
                let mut huge = bytes.clone();
                huge[at..at + 4].copy_from_slice(&value.to_le_bytes());
                if let Ok(message) = decode(&huge) {
                    assert_eq!(message.schema(), schema);
                }
            }
        }
    }
}

#[test]
fn pulses_out_of_order_or_range_are_refused() {
    refused(&ev44(&[1, 2], &[0, 4], &[1, 2, 3], &[1, 2, 3]), "bad_pulse_index");
    refused(&ev44(&[1, 2, 3], &[0, 2, 1], &[1, 2, 3], &[1, 2, 3]), "bad_pulse_index");
    refused(&ev44(&[1], &[1], &[1, 2, 3], &[1, 2, 3]), "bad_pulse_index");
    refused(&ev44(&[1, 2], &[0, -1], &[1, 2, 3], &[1, 2, 3]), "bad_pulse_index");
    refused(&ev44(&[], &[], &[1], &[1]), "missing_field");
    assert!(
        decode(&ev44(&[1, 2], &[0, 3], &[1, 2, 3], &[1, 2, 3])).is_ok(),
        "the last pulse may have no events"
    );
    assert!(decode(&ev44(&[], &[], &[], &[])).is_ok());
}

#[test]
fn columns_of_different_lengths_are_refused() {
    let error = refused(&ev44(&[1], &[0], &[1, 2, 3], &[1, 2]), "mismatched_lengths");
    assert!(
        error.to_string().contains('3') && error.to_string().contains('2'),
        "{error}"
    );
    refused(&ev44(&[1, 2], &[0], &[1], &[1]), "mismatched_lengths");
    let message = Ev42 {
        source: "s",
        message_id: 1,
        pulse_time: 1,
        time_of_flight: &[1, 2],
        detector_id: &[1],
        isis: None,
    };
    refused(Encoder::new().ev42(&message), "mismatched_lengths");
}

#[test]
fn values_that_cannot_be_are_refused() {
    let message = Ev42 {
        source: "s",
        message_id: 1,
        pulse_time: u64::MAX,
        time_of_flight: &[],
        detector_id: &[],
        isis: None,
    };
    refused(Encoder::new().ev42(&message), "bad_value");
    refused(Encoder::new().pl72(&Pl72::default()), "missing_field");
    refused(
        Encoder::new().pl72(&Pl72 {
            start_time: u64::MAX,
            ..Pl72::default()
        }),
        "bad_value",
    );
    let charge = Some(f32::NAN);
    let pulse = Pu00 {
        source: "f",
        message_id: 1,
        reference_time: 1,
        vetos: None,
        period_number: None,
        proton_charge: charge,
    };
    refused(Encoder::new().pu00(&pulse), "bad_value");
    refused(Encoder::new().un00("", 1, None), "missing_field");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4000))]

    #[test]
    fn random_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..300), schema in 0_usize..10) {
        let _ = decode(&bytes);
        let mut named = bytes;
        if named.len() >= 8 {
            named[4..8].copy_from_slice(samples::all()[schema].0.as_bytes());
            let _ = decode(&named);
        }
    }

    #[test]
    fn changed_bytes_never_panic(
        schema in 0_usize..10, changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
    ) {
        let mut bytes = samples::all().swap_remove(schema).1;
        for (at, value) in changes {
            let at = at.index(bytes.len());
            bytes[at] = value;
        }
        if let Ok(live_data_engine::message::Message::Events(batch)) = decode(&bytes) {
            prop_assert!(batch.time_of_flight.iter().count() <= bytes.len());
        }
    }
}
