//! Errors of a reconcile and their classes.
//!
//! Promises: each error names the action and the object; its class decides the delay of the retry ([`crate::backoff`]).

use strum::IntoStaticStr;
use thiserror::Error;

/// Origin of an error, which decides how soon another attempt makes sense.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, IntoStaticStr)]
#[strum(serialize_all = "lowercase")]
pub enum ErrorClass {
    /// The apiserver refuses the request's content: a quota, an admission policy, missing rights (4xx).
    User,
    /// The apiserver or the network is unavailable, throttled or busy (408, 429, 5xx).
    External,
    /// Another writer was faster (409).
    Conflict,
    /// Fault of this program.
    Internal,
}

impl ErrorClass {
    /// Value of the metric's label `class`: the variant in lower case.
    pub fn label(self) -> &'static str {
        self.into()
    }
}

/// Error that ends a reconcile; its [`ErrorClass`] decides the retry.
#[derive(Debug, Error)]
pub enum ReconcileError {
    /// A request to the apiserver failed.
    #[error("{action} {object}: {}", api_message(source))]
    Api {
        /// Verb of the message, such as "apply".
        action: &'static str,
        /// Object as `Kind/name`, or the resource's name.
        object: String,
        /// Cause; a message of the apiserver appears without its Status object.
        source: Box<kube::Error>,
    },
    /// An object could not be converted to or from JSON.
    #[error("{action} {object}: {source}")]
    Json {
        /// Verb of the message, such as "write".
        action: &'static str,
        /// Object as `Kind/name`, or the resource's name.
        object: String,
        source: serde_json::Error,
    },
}

/// The apiserver's message without the structure of its Status.
fn api_message(error: &kube::Error) -> String {
    match error {
        kube::Error::Api(status) if !status.message.is_empty() => status.message.clone(),
        other => other.to_string(),
    }
}

impl ReconcileError {
    /// Error of a request: `action` is a verb, `object` is `Kind/name` or a resource's name.
    pub fn api(action: &'static str, object: impl Into<String>, source: kube::Error) -> Self {
        Self::Api {
            action,
            object: object.into(),
            source: Box::new(source),
        }
    }

    /// Error of a conversion to or from JSON; arguments as for [`ReconcileError::api`].
    pub fn json(action: &'static str, object: impl Into<String>, source: serde_json::Error) -> Self {
        Self::Json {
            action,
            object: object.into(),
            source,
        }
    }

    /// Class by the answer's HTTP code; an error without an answer is external unless it arose before the request.
    pub fn class(&self) -> ErrorClass {
        match self {
            Self::Api { source, .. } => match source.as_ref() {
                kube::Error::Api(status) => match status.code {
                    409 => ErrorClass::Conflict,
                    408 | 429 | 500..=599 => ErrorClass::External,
                    400..=499 => ErrorClass::User,
                    _ => ErrorClass::External,
                },
                kube::Error::SerdeError(_) | kube::Error::BuildRequest(_) => ErrorClass::Internal,
                _ => ErrorClass::External,
            },
            Self::Json { .. } => ErrorClass::Internal,
        }
    }
}
