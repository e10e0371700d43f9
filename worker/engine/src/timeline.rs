//! The one timeline that everything is appended to; runs are views of it.
//!
//! Promises: no record stops it and none goes uncounted; each (partition, offset) is taken in once; a snapshot is
//! one moment and never waits for more than one message. It must not know Kafka, and must not wait for readers.
