//! Settings of the Kafka source, and the librdkafka settings made of them.
//!
//! Promises: every librdkafka setting is in this file, with its reason where it is not the obvious one. Must not contact
//! a broker, nor print a secret.

use std::time::Duration;

use rdkafka::ClientConfig;
use rdkafka::config::RDKafkaLogLevel;

use crate::security::{Security, SecurityError};
use crate::topics::Topics;

/// Configuration that cannot work; the user must correct it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ConfigError {
    /// The list of brokers is empty.
    #[error("no Kafka broker is given: set KAFKA_BOOTSTRAP_SERVERS, or KAFKA_IP and KAFKA_PORT")]
    NoBroker,
    /// The list of topics is empty.
    #[error("no topic is given for {0}: set its name")]
    NoTopic(&'static str),
    /// The security settings contradict each other, or a file of theirs cannot be read.
    #[error(transparent)]
    Security(#[from] SecurityError),
    /// librdkafka rejects a setting or a topic's name.
    #[error("the Kafka client refuses its settings: {0}")]
    Refused(String),
}

/// Settings of a [`Source`](crate::source::Source).
#[derive(Debug, Clone)]
pub struct SourceConfig {
    /// Brokers, as `host:port` separated by commas.
    pub bootstrap_servers: String,
    pub security: Security,
    pub topics: Topics,
    /// Name of the client in the broker's logs and quotas (`client.id`).
    pub client_id: String,
    /// Consumer group under which positions are committed for monitoring tools; committed offsets are never read.
    pub group_id: Option<String>,
    /// Time subtracted from starting and rewind times: a record's Kafka timestamp can be earlier than its pulse time.
    pub seek_margin: Duration,
    /// Interval of metadata requests, which discover topics and partitions.
    pub metadata_interval: Duration,
    /// Interval of requests for the partitions' watermarks.
    pub watermark_interval: Duration,
    /// Timeout of one request to the broker, after which [`BrokerRequestError`](crate::source::BrokerRequestError) is
    /// returned.
    pub request_timeout: Duration,
    /// Further librdkafka settings by name, which override those of this crate.
    pub extra: Vec<(String, String)>,
}

impl SourceConfig {
    /// Plaintext connection without a group; seek margin 60 s, metadata every 5 s, watermarks every 1 s, request timeout
    /// 5 s.
    pub fn new(bootstrap_servers: impl Into<String>, topics: Topics) -> SourceConfig {
        SourceConfig {
            bootstrap_servers: bootstrap_servers.into(),
            security: Security::default(),
            topics,
            client_id: "live-data".into(),
            group_id: None,
            seek_margin: Duration::from_secs(60),
            metadata_interval: Duration::from_secs(5),
            watermark_interval: Duration::from_secs(1),
            request_timeout: Duration::from_secs(5),
            extra: Vec::new(),
        }
    }

    /// Settings of the client that fetches. It is in no group, since partitions are assigned by this crate.
    pub(crate) fn fetch_client_config(&self) -> Result<ClientConfig, ConfigError> {
        let mut client = self.common()?;
        client
            // An offset out of range must become a notice; librdkafka would silently skip records.
            .set("auto.offset.reset", "error")
            .set("enable.partition.eof", "true")
            .set("enable.auto.commit", "false")
            .set("enable.auto.offset.store", "false")
            // A run start with its map and structure is several MB, event messages reach tens of MB.
            .set("fetch.message.max.bytes", (32 << 20).to_string())
            .set("fetch.max.bytes", (64 << 20).to_string())
            .set("receive.message.max.bytes", (512 << 20).to_string())
            // Limits what librdkafka fetches ahead, for each partition's queue.
            .set("queued.max.messages.kbytes", (64 << 10).to_string())
            .set("queued.min.messages", "1000000")
            // The default, a pause of 1 s whenever the queue was full, would halve the rate of a rewind.
            .set("fetch.queue.backoff.ms", "2")
            .set("fetch.error.backoff.ms", "100")
            .set("fetch.wait.max.ms", "100");
        Ok(self.with_extra(client))
    }

    /// Settings of the client for requests: metadata, watermarks, offsets by timestamp, commits.
    pub(crate) fn metadata_client_config(&self) -> Result<ClientConfig, ConfigError> {
        let mut client = self.common()?;
        client
            .set("enable.auto.commit", "false")
            .set("enable.auto.offset.store", "false");
        if let Some(group) = &self.group_id {
            client.set("group.id", group);
        }
        Ok(self.with_extra(client))
    }

    fn common(&self) -> Result<ClientConfig, ConfigError> {
        if self.bootstrap_servers.trim().is_empty() {
            return Err(ConfigError::NoBroker);
        }
        if self.topics.as_slice().is_empty() {
            return Err(ConfigError::NoTopic("any role"));
        }
        let mut client = ClientConfig::new();
        client
            .set("bootstrap.servers", self.bootstrap_servers.trim())
            .set("client.id", &self.client_id)
            .set("reconnect.backoff.ms", "50")
            .set("reconnect.backoff.max.ms", "2000")
            .set("socket.keepalive.enable", "true")
            .set("socket.nagle.disable", "true")
            .set("allow.auto.create.topics", "false")
            .set("topic.metadata.refresh.interval.ms", "30000")
            .set_log_level(RDKafkaLogLevel::Warning);
        for (key, value) in self.security.settings()? {
            client.set(key, value);
        }
        Ok(client)
    }

    fn with_extra(&self, mut client: ClientConfig) -> ClientConfig {
        for (key, value) in &self.extra {
            client.set(key, value);
        }
        client
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_source_without_a_broker_or_a_topic_is_refused() {
        let no_broker = SourceConfig::new(" ", Topics::of_instrument("LET"));
        assert_eq!(no_broker.fetch_client_config().unwrap_err(), ConfigError::NoBroker);
        let no_topic = SourceConfig::new("localhost:9092", Topics::new([]));
        assert!(matches!(
            no_topic.metadata_client_config().unwrap_err(),
            ConfigError::NoTopic(_)
        ));
    }

    #[test]
    fn the_reading_client_is_in_no_group() {
        let config = SourceConfig {
            group_id: Some("shown".into()),
            ..SourceConfig::new("h:1", Topics::of_instrument("LET"))
        };
        assert_eq!(config.fetch_client_config().unwrap().get("group.id"), None);
        assert_eq!(config.metadata_client_config().unwrap().get("group.id"), Some("shown"));
    }
}
