//! A simulated instrument: a realistic stream to any broker, and the counts of the events that it produced.
//!
//! Promises: the stream follows from its settings alone ([`generator`]); only [`producer`] knows a broker.
//!
//! # Layout
//!
//! [`generator`] makes records from [`settings`], [`instrument`] (pixels, Bragg's law) and `logs`, with [`faults`] on
//! purpose, and counts them in [`truth`]. [`producer`] sends them. `random` is the same on every machine.

pub mod faults;
pub mod generator;
pub mod instrument;
mod logs;
pub mod producer;
mod random;
pub mod settings;
pub mod truth;

use std::path::PathBuf;
use std::sync::atomic::AtomicBool;
use std::time::{SystemTime, UNIX_EPOCH};

use live_data_stream::security::{SaslMechanism, Secret, Security, SecurityError, SecurityProtocol};

use self::faults::Faults;
use self::generator::{EventSchema, Generator, SimulationSettings};
use self::instrument::InstrumentLayout;
use self::producer::{ProduceError, SendProgress, TopicNames};
use self::truth::Truth;

/// Arguments of the subcommand `simulate`.
#[derive(Clone, Debug, clap::Args)]
pub struct SimulateArgs {
    /// Name of the simulated instrument; its topics are `<INSTRUMENT>_events`, `_runInfo`, `_sampleEnv`, `_vetoConfig`.
    #[arg(long, env = "INSTRUMENT", default_value = "DEMO")]
    pub instrument: String,
    /// Folder of instrument definition files: an instrument found there is simulated with its own geometry.
    #[arg(long, env = "INSTRUMENT_DIR")]
    pub instrument_dir: Option<PathBuf>,
    /// Brokers as host:port,host:port.
    #[arg(
        long,
        env = "KAFKA_BOOTSTRAP_SERVERS",
        default_value = "localhost:9092",
        help_heading = "Kafka"
    )]
    pub kafka_bootstrap_servers: String,
    /// Create missing topics, the events topic with `--partitions` partitions.
    #[arg(long, help_heading = "Kafka")]
    pub create_topics: bool,
    /// Topic of events; `<INSTRUMENT>_events` when not given.
    #[arg(long, env = "EVENTS_TOPIC", help_heading = "Kafka")]
    pub events_topic: Option<String>,
    /// Protocol: plaintext, ssl, sasl_plaintext or sasl_ssl.
    #[arg(
        long,
        env = "KAFKA_SECURITY_PROTOCOL",
        default_value = "plaintext",
        help_heading = "Kafka"
    )]
    pub kafka_security_protocol: String,
    /// SASL mechanism: PLAIN, SCRAM-SHA-256 or SCRAM-SHA-512.
    #[arg(long, env = "KAFKA_SASL_MECHANISM", help_heading = "Kafka")]
    pub kafka_sasl_mechanism: Option<String>,
    /// User for SASL.
    #[arg(long, env = "KAFKA_SASL_USERNAME", help_heading = "Kafka")]
    pub kafka_sasl_username: Option<String>,
    /// File that holds the password for SASL.
    #[arg(long, env = "KAFKA_SASL_PASSWORD_FILE", help_heading = "Kafka")]
    pub kafka_sasl_password_file: Option<PathBuf>,
    /// Certificate authorities that the broker's certificate is checked against.
    #[arg(long, env = "KAFKA_SSL_CA_LOCATION", help_heading = "Kafka")]
    pub kafka_ssl_ca_location: Option<PathBuf>,
    /// Client certificate, where the broker requires one.
    #[arg(long, env = "KAFKA_SSL_CERTIFICATE_LOCATION", help_heading = "Kafka")]
    pub kafka_ssl_certificate_location: Option<PathBuf>,
    /// Key of the client certificate.
    #[arg(long, env = "KAFKA_SSL_KEY_LOCATION", help_heading = "Kafka")]
    pub kafka_ssl_key_location: Option<PathBuf>,

    /// Format of events.
    #[arg(long, value_enum, default_value_t = EventSchema::Ev42, help_heading = "Stream")]
    pub schema: EventSchema,
    /// Events a second, 0 to 1e9.
    #[arg(long, default_value_t = 100_000.0, help_heading = "Stream")]
    pub rate: f64,
    /// Pulses a second, 0.5 to 10000.
    #[arg(long, default_value_t = 50.0, help_heading = "Stream")]
    pub pulse_rate: f64,
    /// Largest number of events in a message.
    #[arg(long, default_value_t = 2000, help_heading = "Stream")]
    pub events_per_message: usize,
    /// Largest number of pulses in a message (ev44 only).
    #[arg(long, default_value_t = 1, help_heading = "Stream")]
    pub pulses_per_message: usize,
    /// Partitions of the events topic to write to.
    #[arg(long, default_value_t = 1, help_heading = "Stream")]
    pub partitions: i32,
    /// Send as fast as the broker accepts records, with times in the past, instead of in real time.
    #[arg(long, help_heading = "Stream")]
    pub full_speed: bool,
    /// Seed: equal seeds give equal streams apart from their times.
    #[arg(long, default_value_t = 1, help_heading = "Stream")]
    pub seed: u64,
    /// JSON file for the numbers of produced pulses and events, run by run.
    #[arg(long, help_heading = "Stream")]
    pub truth: Option<PathBuf>,

    /// Number of runs; 0 for runs until interrupted.
    #[arg(long, default_value_t = 1, help_heading = "Runs")]
    pub runs: u32,
    /// Duration of a run, seconds.
    #[arg(long, default_value_t = 60.0, help_heading = "Runs")]
    pub run_seconds: f64,
    /// Seconds of beam between two runs.
    #[arg(long, default_value_t = 2.0, help_heading = "Runs")]
    pub gap_seconds: f64,
    /// Number of the first run.
    #[arg(long, default_value_t = 1000, help_heading = "Runs")]
    pub first_run: u32,
    /// Number of periods, which alternate pulse by pulse.
    #[arg(long, default_value_t = 1, help_heading = "Runs")]
    pub periods: u32,
    /// Omit the detector-spectrum map from start messages.
    #[arg(long, help_heading = "Runs")]
    pub no_map: bool,
    /// Fraction of vetoed pulses, 0 to 1 (ev44+pu00 only).
    #[arg(long, default_value_t = 0.0, help_heading = "Runs")]
    pub veto_share: f64,
    /// Fraction of events in monitors, 0 to 1.
    #[arg(long, default_value_t = 0.05, help_heading = "Runs")]
    pub monitor_share: f64,

    /// Probability of an undecodable record before each event message.
    #[arg(long, default_value_t = 0.0, help_heading = "Faults")]
    pub garbage: f64,
    /// Probability that an event message is sent again under a new id.
    #[arg(long, default_value_t = 0.0, help_heading = "Faults")]
    pub duplicates: f64,
    /// Delay of start messages, seconds.
    #[arg(long, default_value_t = 0.0, help_heading = "Faults")]
    pub late_start: f64,
    /// Omit the stop message of every n-th run; 0 for none.
    #[arg(long, default_value_t = 0, help_heading = "Faults")]
    pub missing_stop_every: u32,
    /// Send each start message twice.
    #[arg(long, help_heading = "Faults")]
    pub repeat_start: bool,
    /// Delay of the last partition behind the first, seconds.
    #[arg(long, default_value_t = 0.0, help_heading = "Faults")]
    pub partition_lag: f64,
    /// Probability that an event has an id outside the instrument.
    #[arg(long, default_value_t = 0.0, help_heading = "Faults")]
    pub outside_map: f64,
    /// Probability that an event has an invalid time of flight.
    #[arg(long, default_value_t = 0.0, help_heading = "Faults")]
    pub bad_time_of_flight: f64,
}

/// Failure of a simulation.
#[derive(Debug, thiserror::Error)]
pub enum SimulateError {
    /// An argument out of its range: an error of the user.
    #[error("--{flag} is {value}: {advice}")]
    Setting {
        /// Name without the dashes.
        flag: &'static str,
        value: String,
        /// Advice with the allowed range.
        advice: &'static str,
    },
    /// Invalid security settings: an error of the user.
    #[error(transparent)]
    Security(#[from] SecurityError),
    /// Records were not delivered.
    #[error(transparent)]
    Produce(#[from] ProduceError),
    /// The file of `--truth` was not written.
    #[error("cannot write what was produced to {path}: {reason}")]
    Truth {
        path: PathBuf,
        /// Text of the operating system.
        reason: String,
    },
}

impl SimulateArgs {
    /// Settings of the generator; [`InstrumentLayout::small`] without a layout of an instrument definition.
    ///
    /// # Errors
    /// [`SimulateError::Setting`] for the first argument out of its range.
    pub fn settings(&self, layout: Option<InstrumentLayout>) -> Result<SimulationSettings, SimulateError> {
        self.check()?;
        let layout = layout.unwrap_or_else(|| InstrumentLayout::small(&self.instrument.to_uppercase()));
        let mut settings = SimulationSettings {
            seed: self.seed,
            pulse_rate: self.pulse_rate,
            event_rate: self.rate,
            events_per_message: self.events_per_message,
            pulses_per_message: self.pulses_per_message,
            schema: self.schema,
            partitions: self.partitions,
            periods: self.periods,
            veto_share: self.veto_share,
            monitor_share: self.monitor_share,
            runs: (self.runs > 0).then_some(self.runs),
            run_seconds: self.run_seconds,
            gap_seconds: self.gap_seconds,
            first_run: self.first_run,
            with_map: !self.no_map,
            faults: Faults {
                garbage: self.garbage,
                duplicates: self.duplicates,
                late_start: self.late_start,
                missing_stop_every: self.missing_stop_every,
                repeat_start: self.repeat_start,
                partition_lag: self.partition_lag,
                outside_map: self.outside_map,
                bad_time_of_flight: self.bad_time_of_flight,
            },
            ..SimulationSettings::new(layout, now_ns())
        };
        if self.full_speed {
            // The stream must end now: brokers refuse time stamps in the future.
            settings.start_ns -= settings.duration_ns().unwrap_or(0);
        }
        Ok(settings)
    }

    fn check(&self) -> Result<(), SimulateError> {
        let wrong = |flag, value: String, advice| Err(SimulateError::Setting { flag, value, advice });
        if !(0.5..=10_000.0).contains(&self.pulse_rate) {
            return wrong(
                "pulse-rate",
                self.pulse_rate.to_string(),
                "use 0.5 to 10000 pulses a second",
            );
        }
        if !(0.0..=1e9).contains(&self.rate) {
            return wrong("rate", self.rate.to_string(), "use 0 to 1e9 events a second");
        }
        if self.events_per_message == 0 || self.events_per_message > 10_000_000 {
            return wrong(
                "events-per-message",
                self.events_per_message.to_string(),
                "use 1 to 10000000",
            );
        }
        if !(1..=10_000).contains(&self.partitions) {
            return wrong("partitions", self.partitions.to_string(), "use 1 to 10000");
        }
        if !(1..=10_000).contains(&self.periods) {
            return wrong("periods", self.periods.to_string(), "use 1 to 10000");
        }
        if !(0.001..=1e7).contains(&self.run_seconds) {
            return wrong("run-seconds", self.run_seconds.to_string(), "use 0.001 to 1e7 seconds");
        }
        if self.pulses_per_message > 1 && self.schema == EventSchema::Ev42 {
            return wrong(
                "pulses-per-message",
                self.pulses_per_message.to_string(),
                "ev42 holds one pulse a message",
            );
        }
        if self.full_speed && self.runs == 0 {
            return wrong("runs", "0".into(), "with --full-speed the number of runs must be given");
        }
        let shares = [
            ("veto-share", self.veto_share),
            ("monitor-share", self.monitor_share),
            ("garbage", self.garbage),
            ("duplicates", self.duplicates),
            ("outside-map", self.outside_map),
            ("bad-time-of-flight", self.bad_time_of_flight),
        ];
        for (flag, value) in shares {
            if !(0.0..=1.0).contains(&value) {
                return wrong(flag, value.to_string(), "use a share from 0 to 1");
            }
        }
        Ok(())
    }

    fn security(&self) -> Result<Security, SecurityError> {
        let password = self.kafka_sasl_password_file.as_deref();
        Ok(Security {
            protocol: self.kafka_security_protocol.parse::<SecurityProtocol>()?,
            sasl_mechanism: self
                .kafka_sasl_mechanism
                .as_deref()
                .map(str::parse::<SaslMechanism>)
                .transpose()?,
            sasl_username: self.kafka_sasl_username.clone(),
            sasl_password: password
                .map(|path| Secret::from_file(path, "SASL password"))
                .transpose()?,
            ssl_ca_location: self.kafka_ssl_ca_location.clone(),
            ssl_certificate_location: self.kafka_ssl_certificate_location.clone(),
            ssl_key_location: self.kafka_ssl_key_location.clone(),
            ssl_key_password: None,
        })
    }
}

/// Produces the stream until it ends or `stop` is set, and returns its counts and the records sent.
///
/// `layout` replaces [`InstrumentLayout::small`]; `report` is called about once a second.
///
/// # Errors
/// Each variant of [`SimulateError`].
pub fn simulate(
    args: &SimulateArgs,
    layout: Option<InstrumentLayout>,
    stop: &AtomicBool,
    report: impl FnMut(&Generator, SendProgress),
) -> Result<(Truth, SendProgress), SimulateError> {
    let mut config = producer::client_config(&args.kafka_bootstrap_servers);
    for (key, value) in args.security()?.settings()? {
        config.set(key, value);
    }
    let mut names = TopicNames::of_instrument(&args.instrument);
    if let Some(events) = &args.events_topic {
        names.events.clone_from(events);
    }
    if args.create_topics {
        producer::create_topics(&config, &names, args.partitions)?;
    }
    let mut generator = Generator::new(args.settings(layout)?);
    let sent = producer::produce(&mut generator, &config, &names, !args.full_speed, stop, report)?;
    let truth = generator.into_truth();
    if let Some(path) = &args.truth {
        let failed = |reason: String| SimulateError::Truth {
            path: path.clone(),
            reason,
        };
        let text = serde_json::to_string_pretty(&truth).map_err(|error| failed(error.to_string()))?;
        std::fs::write(path, text).map_err(|error| failed(error.to_string()))?;
    }
    Ok((truth, sent))
}

fn now_ns() -> i64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(now.as_nanos()).unwrap_or(i64::MAX)
}
