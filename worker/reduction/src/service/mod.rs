//! Services of the framework: workspaces, configuration and logging. Must not: know Python, Kafka or HTTP.

mod config_service;
mod data_service;
mod logger;
mod services;

pub use config_service::ConfigService;
pub use data_service::DataService;
pub use logger::{LogLevel, Logger, NullLogger};
pub use services::Services;
