//! What the Kafka source is told: where the broker is, which topics, how far back to read.
//!
//! Promises: turns settings into librdkafka's, all of them in one place, each with its reason. Must not
//! contact a broker, nor print a secret.

use std::time::Duration;

use rdkafka::ClientConfig;
use rdkafka::config::RDKafkaLogLevel;

use crate::security::{Security, SecurityError};
use crate::topics::Topics;

/// A configuration that cannot work (the user's to correct).
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ConfigError {
    /// No broker.
    #[error("no Kafka broker is given: set KAFKA_BOOTSTRAP_SERVERS, or KAFKA_IP and KAFKA_PORT")]
    NoBroker,
    /// No topic at all.
    #[error("no topic is given for {0}: set its name")]
    NoTopic(&'static str),
    /// The security settings.
    #[error(transparent)]
    Security(#[from] SecurityError),
    /// A librdkafka setting that it does not take.
    #[error("the Kafka client refuses its settings: {0}")]
    Refused(String),
}

/// The source's settings.
#[derive(Debug, Clone)]
pub struct SourceConfig {
    /// `host:port`, comma-separated.
    pub bootstrap_servers: String,
    /// Protocol, credentials, certificates.
    pub security: Security,
    /// The topics to read.
    pub topics: Topics,
    /// How the broker's logs call this client.
    pub client_id: String,
    /// The group under which positions are committed, for monitoring tools only; never read back.
    pub group_id: Option<String>,
    /// How far before a time the reading starts: a record's Kafka timestamp can differ from its pulse time.
    pub seek_margin: Duration,
    /// How often topics and partitions are looked for.
    pub metadata_interval: Duration,
    /// How often the ends of partitions are looked up.
    pub watermark_interval: Duration,
    /// How long one question to the broker may take.
    pub request_timeout: Duration,
    /// Further librdkafka settings, taken last.
    pub extra: Vec<(String, String)>,
}

impl SourceConfig {
    /// The defaults for a broker and a set of topics.
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

    /// The settings of the client that fetches. It is in no group: partitions are started by hand.
    pub(crate) fn fetch_client(&self) -> Result<ClientConfig, ConfigError> {
        let mut client = self.common()?;
        client
            // An offset that is gone is for us to see and report, not for the client to pass over.
            .set("auto.offset.reset", "error")
            .set("enable.partition.eof", "true")
            .set("enable.auto.commit", "false")
            .set("enable.auto.offset.store", "false")
            // A run start with its map and structure is several MB, event messages reach tens of MB.
            .set("fetch.message.max.bytes", (32 << 20).to_string())
            .set("fetch.max.bytes", (64 << 20).to_string())
            .set("receive.message.max.bytes", (512 << 20).to_string())
            // Bounds what is fetched ahead of the reader, per partition's queue.
            .set("queued.max.messages.kbytes", (64 << 10).to_string())
            .set("queued.min.messages", "1000000")
            // The default, a second's pause whenever the queue was full, would halve the rate of a replay.
            .set("fetch.queue.backoff.ms", "2")
            .set("fetch.error.backoff.ms", "100")
            .set("fetch.wait.max.ms", "100");
        self.finish(client)
    }

    /// The settings of the client that asks: metadata, ends of partitions, offsets by time, commits.
    pub(crate) fn ask_client(&self) -> Result<ClientConfig, ConfigError> {
        let mut client = self.common()?;
        client
            .set("enable.auto.commit", "false")
            .set("enable.auto.offset.store", "false");
        if let Some(group) = &self.group_id {
            client.set("group.id", group);
        }
        self.finish(client)
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

    fn finish(&self, mut client: ClientConfig) -> Result<ClientConfig, ConfigError> {
        for (key, value) in &self.extra {
            client.set(key, value);
        }
        Ok(client)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_source_without_a_broker_or_a_topic_is_refused() {
        let no_broker = SourceConfig::new(" ", Topics::of_instrument("LET"));
        assert_eq!(no_broker.fetch_client().unwrap_err(), ConfigError::NoBroker);
        let no_topic = SourceConfig::new("localhost:9092", Topics::new([]));
        assert!(matches!(no_topic.ask_client().unwrap_err(), ConfigError::NoTopic(_)));
    }

    #[test]
    fn the_reading_client_is_in_no_group() {
        let config = SourceConfig {
            group_id: Some("shown".into()),
            ..SourceConfig::new("h:1", Topics::of_instrument("LET"))
        };
        assert_eq!(config.fetch_client().unwrap().get("group.id"), None);
        assert_eq!(config.ask_client().unwrap().get("group.id"), Some("shown"));
    }
}
