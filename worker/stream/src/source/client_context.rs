//! Context of the Kafka clients: librdkafka's log lines become tracing events, its errors go into a bounded queue.
//!
//! Promises: librdkafka prints nothing itself; at most [`MAX_ERRORS`] errors are queued, later ones are dropped. Must not
//! classify an error: see [`notice`](super::notice).

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

use rdkafka::ClientContext;
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::consumer::ConsumerContext;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::statistics::Statistics;

/// Errors queued until they are read.
const MAX_ERRORS: usize = 64;

/// Error of a client as a whole, not of one partition.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct ClientError {
    pub(crate) code: Option<RDKafkaErrorCode>,
    pub(crate) text: String,
}

/// Callbacks of both clients, called on librdkafka's poll.
#[derive(Debug, Default)]
pub(crate) struct SourceClientContext {
    errors: Mutex<VecDeque<ClientError>>,
}

impl SourceClientContext {
    /// Removes the oldest error.
    pub(crate) fn pop_error(&self) -> Option<ClientError> {
        self.errors.lock().unwrap_or_else(PoisonError::into_inner).pop_front()
    }
}

impl ClientContext for SourceClientContext {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, text: &str) {
        match level {
            RDKafkaLogLevel::Emerg | RDKafkaLogLevel::Alert | RDKafkaLogLevel::Critical | RDKafkaLogLevel::Error => {
                // librdkafka also reports these as errors, which become notices at a bounded rate.
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
        if errors.len() < MAX_ERRORS {
            errors.push_back(ClientError {
                code: error.rdkafka_error_code(),
                text: reason.to_owned(),
            });
        }
    }
}

impl ConsumerContext for SourceClientContext {}
