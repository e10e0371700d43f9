//! Notices: changes and troubles of the source, classified.
//!
//! Promises: a class by who can act, a stable reason for counters, a text with the offending value. Must not contain a
//! secret.

use rdkafka::error::RDKafkaErrorCode;

use super::client_context::ClientError;

/// Party that can remove the cause of a notice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NoticeClass {
    /// Author of the configuration: credentials and certificates.
    User,
    /// Operators of the broker and the network, or the producers of the topics.
    External,
    /// Developers of this program.
    Internal,
}

/// Change or trouble of the source; reading continues in every case.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, strum::IntoStaticStr)]
#[strum(serialize_all = "snake_case")]
pub enum Notice {
    /// No broker answers; repeated at most every 30 s.
    #[error("no Kafka broker answers ({0}); trying again")]
    BrokerUnreachable(String),
    /// A broker answers after [`Notice::BrokerUnreachable`].
    #[error("the Kafka broker answers again")]
    BrokerReachable,
    /// The broker refuses the credentials, or TLS fails.
    #[error("the Kafka broker refuses us: {0}; check the security protocol, credentials and certificates")]
    BrokerRefused(String),
    /// A configured topic does not exist; its partitions are assigned once it does.
    #[error("the topic {0} does not exist; it is followed as soon as it does")]
    TopicMissing(String),
    /// The broker reports an error for a topic, such as a missing authorization.
    #[error("the topic {topic} cannot be read: {reason}; trying again")]
    TopicFailed {
        topic: String,
        /// Error text of the broker.
        reason: String,
    },
    /// Partitions were assigned.
    #[error("{topic}: reading partitions {partitions:?}")]
    PartitionsAdded {
        topic: String,
        /// Numbers of the partitions, ascending.
        partitions: Vec<i32>,
    },
    /// Retention deleted the records `[from, to)` before they were read.
    #[error("{topic} [{partition}]: records {from} to {to} are gone (retention); going on at {to}")]
    RecordsLost {
        topic: String,
        partition: i32,
        /// Offset of the first lost record.
        from: i64,
        /// Low watermark.
        to: i64,
    },
    /// The high watermark is below the position: the topic was deleted and created again.
    #[error("{topic} [{partition}]: the topic was made anew (was at {from}); reading it from {to}")]
    TopicRestarted {
        topic: String,
        partition: i32,
        /// Position in the deleted topic.
        from: i64,
        /// Low watermark of the new topic.
        to: i64,
    },
    /// The broker reports an error for one partition.
    #[error("{topic} [{partition}]: {reason}; trying again")]
    PartitionFailed {
        topic: String,
        partition: i32,
        /// Error text of librdkafka.
        reason: String,
    },
    /// Error of librdkafka that is none of the others.
    #[error("the Kafka client: {0}")]
    Client(String),
}

impl Notice {
    /// Party that can remove the cause; [`NoticeClass::External`] for changes for the better.
    pub fn class(&self) -> NoticeClass {
        match self {
            Notice::BrokerRefused(_) => NoticeClass::User,
            Notice::Client(_) => NoticeClass::Internal,
            _ => NoticeClass::External,
        }
    }

    /// Stable reason for logs and counters: the variant's name in snake case, such as `records_lost`.
    pub fn reason(&self) -> &'static str {
        self.into()
    }

    /// True for a change for the better, which needs no attention.
    pub fn is_improvement(&self) -> bool {
        matches!(self, Notice::BrokerReachable | Notice::PartitionsAdded { .. })
    }

    /// Classifies an error of a client by its librdkafka code.
    pub(crate) fn of_client(error: &ClientError) -> Notice {
        let text = error.text.clone();
        match error.code {
            Some(
                RDKafkaErrorCode::Authentication
                | RDKafkaErrorCode::SaslAuthenticationFailed
                | RDKafkaErrorCode::UnsupportedSASLMechanism
                | RDKafkaErrorCode::IllegalSASLState
                | RDKafkaErrorCode::SSL
                | RDKafkaErrorCode::ClusterAuthorizationFailed
                | RDKafkaErrorCode::GroupAuthorizationFailed
                | RDKafkaErrorCode::TopicAuthorizationFailed,
            ) => Notice::BrokerRefused(text),
            Some(
                RDKafkaErrorCode::BrokerTransportFailure
                | RDKafkaErrorCode::AllBrokersDown
                | RDKafkaErrorCode::Resolve
                | RDKafkaErrorCode::OperationTimedOut
                | RDKafkaErrorCode::MessageTimedOut
                | RDKafkaErrorCode::RequestTimedOut,
            ) => Notice::BrokerUnreachable(text),
            _ => Notice::Client(text),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refused_credentials_are_the_users_and_a_lost_broker_is_not() {
        let notice = |code| {
            Notice::of_client(&ClientError {
                code: Some(code),
                text: "why".into(),
            })
        };
        assert_eq!(notice(RDKafkaErrorCode::Authentication).class(), NoticeClass::User);
        assert_eq!(notice(RDKafkaErrorCode::AllBrokersDown).class(), NoticeClass::External);
        assert_eq!(notice(RDKafkaErrorCode::AllBrokersDown).reason(), "broker_unreachable");
        assert_eq!(notice(RDKafkaErrorCode::InvalidArgument).class(), NoticeClass::Internal);
    }
}
