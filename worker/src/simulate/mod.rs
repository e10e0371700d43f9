//! A simulated instrument: a realistic stream, and the truth of what was produced.

/// Settings of `simulate`.
#[derive(Clone, Debug, clap::Args)]
pub struct SimulateArgs {}
