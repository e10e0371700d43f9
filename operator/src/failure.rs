//! Why a reconcile could not be finished, and how soon to try again.
//!
//! Promises: each failure says what was tried on which object; its class decides the delay, which grows with the
//! number of attempts and carries jitter, so that resources do not come back all at once. Pure but for the jitter.

use std::hash::{BuildHasher, RandomState};
use std::time::Duration;

use thiserror::Error;

/// Whose fault it is, which decides how soon another attempt makes sense.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Class {
    /// The request was refused for what it says: a quota, an admission policy, missing rights.
    User,
    /// The apiserver was away, throttled or busy.
    External,
    /// Someone else wrote first.
    Conflict,
    /// A fault of this program.
    Internal,
}

impl Class {
    /// Label of the metric.
    pub fn label(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::External => "external",
            Self::Conflict => "conflict",
            Self::Internal => "internal",
        }
    }
}

/// Why a reconcile could not be finished.
#[derive(Debug, Error)]
pub enum Failure {
    /// A request failed.
    #[error("{action} {object}: {}", words(source))]
    Api {
        /// What was tried.
        action: &'static str,
        /// On what.
        object: String,
        /// What came back.
        source: Box<kube::Error>,
    },
    /// A value of ours could not be written as JSON, or one of the cluster's could not be read.
    #[error("{action} {object}: {source}")]
    Json {
        /// What was tried.
        action: &'static str,
        /// On what.
        object: String,
        /// Why not.
        source: serde_json::Error,
    },
}

/// The apiserver's own words, without the answer's structure.
fn words(error: &kube::Error) -> String {
    match error {
        kube::Error::Api(status) if !status.message.is_empty() => status.message.clone(),
        other => other.to_string(),
    }
}

impl Failure {
    /// A failed request.
    pub fn api(action: &'static str, object: impl Into<String>, source: kube::Error) -> Self {
        Self::Api {
            action,
            object: object.into(),
            source: Box::new(source),
        }
    }

    /// A failed conversion.
    pub fn json(action: &'static str, object: impl Into<String>, source: serde_json::Error) -> Self {
        Self::Json {
            action,
            object: object.into(),
            source,
        }
    }

    /// Its class.
    pub fn class(&self) -> Class {
        match self {
            Self::Api { source, .. } => match source.as_ref() {
                kube::Error::Api(status) => match status.code {
                    409 => Class::Conflict,
                    408 | 429 | 500..=599 => Class::External,
                    400..=499 => Class::User,
                    _ => Class::External,
                },
                kube::Error::SerdeError(_) | kube::Error::BuildRequest(_) => Class::Internal,
                _ => Class::External,
            },
            Self::Json { .. } => Class::Internal,
        }
    }
}

/// How long to wait before the given attempt, counted from 1.
pub fn delay(class: Class, attempt: u32) -> Duration {
    let (first, last) = match class {
        Class::Conflict => (Duration::from_millis(200), Duration::from_secs(10)),
        Class::External => (Duration::from_millis(500), Duration::from_secs(15)),
        Class::User => (Duration::from_secs(5), Duration::from_secs(300)),
        Class::Internal => (Duration::from_secs(30), Duration::from_secs(600)),
    };
    let doubled = first.saturating_mul(1_u32.checked_shl(attempt.saturating_sub(1).min(16)).unwrap_or(u32::MAX));
    doubled.min(last).mul_f64(0.75 + 0.5 * random())
}

/// A number from 0 to 1, from the hasher's random keys: enough to keep resources apart.
pub fn random() -> f64 {
    let bits = RandomState::new().hash_one(0_u8) >> 11;
    #[allow(clippy::cast_precision_loss)]
    let fraction = bits as f64 / (1_u64 << 53) as f64;
    fraction
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn delays_grow_to_their_limit_and_vary() {
        for class in [Class::User, Class::External, Class::Conflict, Class::Internal] {
            assert!(delay(class, 1) < delay(class, 6));
            assert!(delay(class, u32::MAX) <= Duration::from_secs(750));
        }
        assert_ne!(delay(Class::External, 3), delay(Class::External, 3));
        assert!(delay(Class::External, 100) <= Duration::from_secs(19));
    }
}
