//! What happens to the source that somebody should know: classified, in words, at a bounded rate.
//!
//! Promises: a class that says who can mend it, a stable reason for counters, a text with the offending
//! value. Must not hold a secret.

use rdkafka::error::RDKafkaErrorCode;

use super::client::ClientError;

/// Who can mend it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Class {
    /// The configuration.
    User,
    /// The broker, the network, or those who write the topics.
    External,
    /// This program.
    Internal,
}

/// Something that happened to the source. The source goes on in every case.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Notice {
    /// No broker answers.
    #[error("no Kafka broker answers ({0}); trying again")]
    Unreachable(String),
    /// A broker answers again.
    #[error("the Kafka broker answers again")]
    Reachable,
    /// Credentials or certificates are refused.
    #[error("the Kafka broker refuses us: {0}; check the security protocol, credentials and certificates")]
    Refused(String),
    /// A topic does not exist.
    #[error("the topic {0} does not exist; it is followed as soon as it does")]
    TopicMissing(String),
    /// The broker does not let us see a topic, or has trouble with it.
    #[error("the topic {topic} cannot be read: {reason}; trying again")]
    TopicFailed {
        /// Its name.
        topic: String,
        /// The broker's words.
        reason: String,
    },
    /// Partitions are read that were not before.
    #[error("{topic}: reading partitions {partitions:?}")]
    PartitionsAdded {
        /// The topic.
        topic: String,
        /// Their numbers.
        partitions: Vec<i32>,
    },
    /// Records were removed before they were read.
    #[error("{topic} [{partition}]: records {from} to {to} are gone (retention); going on at {to}")]
    Lost {
        /// The topic.
        topic: String,
        /// The partition.
        partition: i32,
        /// The first one lost.
        from: i64,
        /// The first one that is still there.
        to: i64,
    },
    /// A partition is shorter than what was read of it: the topic was deleted and made anew.
    #[error("{topic} [{partition}]: the topic was made anew (was at {from}); reading it from {to}")]
    Restarted {
        /// The topic.
        topic: String,
        /// The partition.
        partition: i32,
        /// Where we were.
        from: i64,
        /// Where it begins.
        to: i64,
    },
    /// The broker has trouble with one partition.
    #[error("{topic} [{partition}]: {reason}; trying again")]
    PartitionFailed {
        /// The topic.
        topic: String,
        /// The partition.
        partition: i32,
        /// librdkafka's words.
        reason: String,
    },
    /// The client has trouble of another kind.
    #[error("the Kafka client: {0}")]
    Client(String),
}

impl Notice {
    /// Who can mend it.
    pub fn class(&self) -> Class {
        match self {
            Notice::Refused(_) => Class::User,
            Notice::Client(_) => Class::Internal,
            _ => Class::External,
        }
    }

    /// A stable name for counters.
    pub fn reason(&self) -> &'static str {
        match self {
            Notice::Unreachable(_) => "broker_unreachable",
            Notice::Reachable => "broker_reachable",
            Notice::Refused(_) => "broker_refused",
            Notice::TopicMissing(_) => "topic_missing",
            Notice::TopicFailed { .. } => "topic_failed",
            Notice::PartitionsAdded { .. } => "partitions_added",
            Notice::Lost { .. } => "records_lost",
            Notice::Restarted { .. } => "topic_restarted",
            Notice::PartitionFailed { .. } => "partition_failed",
            Notice::Client(_) => "client",
        }
    }

    /// Whether it only tells of progress.
    pub fn is_good(&self) -> bool {
        matches!(self, Notice::Reachable | Notice::PartitionsAdded { .. })
    }

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
            ) => Notice::Refused(text),
            Some(
                RDKafkaErrorCode::BrokerTransportFailure
                | RDKafkaErrorCode::AllBrokersDown
                | RDKafkaErrorCode::Resolve
                | RDKafkaErrorCode::OperationTimedOut
                | RDKafkaErrorCode::MessageTimedOut
                | RDKafkaErrorCode::RequestTimedOut,
            ) => Notice::Unreachable(text),
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
        assert_eq!(notice(RDKafkaErrorCode::Authentication).class(), Class::User);
        assert_eq!(notice(RDKafkaErrorCode::AllBrokersDown).class(), Class::External);
        assert_eq!(notice(RDKafkaErrorCode::AllBrokersDown).reason(), "broker_unreachable");
        assert_eq!(notice(RDKafkaErrorCode::InvalidArgument).class(), Class::Internal);
    }
}
