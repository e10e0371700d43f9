//! Requests that the broker did not answer.

use rdkafka::error::KafkaError;

use super::client_context::ClientError;
use super::notice::{Notice, NoticeClass};

/// Request that the broker did not answer within the request timeout, or refused. The source is unchanged: repeat the
/// call.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("cannot {request}: {reason}")]
pub struct BrokerRequestError {
    /// Infinitive of the request, such as "list the topics".
    pub request: &'static str,
    /// Text of librdkafka or of the system.
    pub reason: String,
    /// True where the broker refuses the credentials or certificates: the configuration must change.
    pub refused: bool,
}

impl BrokerRequestError {
    /// Error of a request; of the client's own errors a refusal takes precedence, else the newest explains it.
    pub(super) fn new(request: &'static str, error: &KafkaError, client_errors: &[ClientError]) -> BrokerRequestError {
        let refusal = client_errors
            .iter()
            .map(Notice::of_client)
            .find(|notice| notice.class() == NoticeClass::User);
        let reason = match (&refusal, client_errors.last()) {
            (Some(notice), _) => notice.to_string(),
            (None, Some(last)) => format!("{error}: {}", last.text),
            (None, None) => error.to_string(),
        };
        BrokerRequestError {
            request,
            reason,
            refused: refusal.is_some(),
        }
    }
}
