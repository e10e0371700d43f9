//! What librdkafka says of itself: its log lines go to ours, its errors into a bounded queue.
//!
//! Promises: nothing of it is printed by librdkafka itself; at most [`LIMIT`] errors are kept between two
//! readings (the rest are counted). Must not decide what an error means: see `problem`.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

use rdkafka::ClientContext;
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::consumer::ConsumerContext;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::statistics::Statistics;

/// Errors kept between two readings.
const LIMIT: usize = 64;

/// An error of the client as a whole, not of one partition.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct ClientError {
    pub(crate) code: Option<RDKafkaErrorCode>,
    pub(crate) text: String,
}

/// The context of both clients.
#[derive(Debug, Default)]
pub(crate) struct Context {
    errors: Mutex<VecDeque<ClientError>>,
}

impl Context {
    /// The oldest error that was not read yet.
    pub(crate) fn next_error(&self) -> Option<ClientError> {
        self.errors.lock().unwrap_or_else(PoisonError::into_inner).pop_front()
    }
}

impl ClientContext for Context {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, text: &str) {
        match level {
            RDKafkaLogLevel::Emerg | RDKafkaLogLevel::Alert | RDKafkaLogLevel::Critical | RDKafkaLogLevel::Error => {
                // Every one of these also arrives as an error, which is reported at a bounded rate.
                tracing::debug!(target: "live_data_stream::librdkafka", facility, "{text}");
            }
            RDKafkaLogLevel::Warning | RDKafkaLogLevel::Notice => {
                tracing::debug!(target: "live_data_stream::librdkafka", facility, "{text}");
            }
            RDKafkaLogLevel::Info | RDKafkaLogLevel::Debug => {
                tracing::trace!(target: "live_data_stream::librdkafka", facility, "{text}");
            }
        }
    }

    fn stats(&self, _: Statistics) {}

    fn error(&self, error: KafkaError, reason: &str) {
        let mut errors = self.errors.lock().unwrap_or_else(PoisonError::into_inner);
        if errors.len() < LIMIT {
            errors.push_back(ClientError {
                code: error.rdkafka_error_code(),
                text: reason.to_owned(),
            });
        }
    }
}

impl ConsumerContext for Context {}
