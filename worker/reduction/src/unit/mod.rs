//! Units of X: names, physical constants, flight paths and the conversions between them. Promises: one source for every
//! constant and formula. Must not: know workspaces.
//!
//! # Layout
//! [`constants`], [`names`] ([`Unit`], [`Quantity`]) and [`flight_path`] ([`FlightPath`], [`EMode`]) → [`conversion`].

pub mod constants;
pub mod conversion;
pub mod flight_path;
pub mod names;

pub use constants::{MEV, MEV_IN_TERAHERTZ, MEV_IN_WAVENUMBER, NEUTRON_MASS, PLANCK, de_broglie, half_mass};
pub use conversion::{apply, convert, from_time_of_flight, to_time_of_flight};
pub use flight_path::{EMode, FlightPath};
pub use names::{CONVERTIBLE, Quantity, Unit, is_convertible, is_energy_transfer};
