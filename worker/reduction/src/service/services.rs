//! Services that algorithms reach besides their properties, in one value. Must not: know Python, Kafka or HTTP.

use std::sync::Arc;

use super::config_service::ConfigService;
use super::data_service::DataService;
use super::logger::Logger;
use crate::instrument::source::InstrumentSource;
use crate::live::contract::LiveDataRegistration;

/// Services that algorithms reach besides their properties. Clones share everything.
#[derive(Clone)]
pub struct Services {
    pub data: Arc<DataService>,
    pub config: Arc<ConfigService>,
    pub logger: Arc<dyn Logger>,
    /// Instruments by name or definition file.
    pub instruments: Arc<dyn InstrumentSource>,
    /// Implementation of the live data algorithms, once a program with a stream has registered one.
    pub live: LiveDataRegistration,
}

impl Services {
    /// Services with an empty data service, the default configuration and no live stream.
    pub fn new(logger: Arc<dyn Logger>, instruments: Arc<dyn InstrumentSource>) -> Self {
        Self {
            data: Arc::default(),
            config: Arc::default(),
            logger,
            instruments,
            live: LiveDataRegistration::default(),
        }
    }
}
