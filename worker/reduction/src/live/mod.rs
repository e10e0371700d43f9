//! Live data processing as Mantid's StartLiveData defines it, without stream and Python.
//!
//! Promises: everything works on values. Must not know the source of chunks or their times: the implementation of
//! [`LiveData`] does.
//!
//! # Layout
//! - [`properties`] (declaration, conversion) → [`request`] (validated values) → [`contract`] (implementation by the worker).
//! - [`process`] (an algorithm on a chunk) → [`accumulate`] (accumulation of chunks).

pub mod accumulate;
pub mod contract;
pub mod process;
pub mod properties;
pub mod request;

pub use contract::{LiveData, LiveDataRegistration, MonitorInfo};
pub use live_data_crd::live::{LiveProperty, LivePropertyError, LiveSpec};
pub use properties::parse_request;
pub use request::{AccumulationMethod, LiveRequest, ProcessingMethod, RunTransitionBehavior, StartFrom};
