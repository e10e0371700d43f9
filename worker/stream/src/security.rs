//! How the broker is reached safely: protocol, SASL, TLS, and secrets that never show.
//!
//! Promises: no secret in any Debug, Display, error or log text; a setting that cannot work is refused with
//! the setting's name and what to do. Must not open a connection.

use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

/// A setting that cannot work (the operator's or the user's to correct).
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SecurityError {
    /// An unknown protocol name.
    #[error("KAFKA_SECURITY_PROTOCOL is '{0}': use PLAINTEXT, SSL, SASL_PLAINTEXT or SASL_SSL")]
    Protocol(String),
    /// An unknown or unsupported SASL mechanism.
    #[error("the SASL mechanism is '{0}': use PLAIN, SCRAM-SHA-256 or SCRAM-SHA-512 (this build has no GSSAPI)")]
    Mechanism(String),
    /// A SASL protocol without credentials.
    #[error("the security protocol is {protocol} but there is no SASL {what}: set it, or use another protocol")]
    MissingSasl {
        /// The protocol asked for.
        protocol: Protocol,
        /// What is missing.
        what: &'static str,
    },
    /// Credentials given for a protocol that would not use them.
    #[error("SASL credentials are given but the security protocol is {0}: use SASL_SSL (or SASL_PLAINTEXT)")]
    UnusedSasl(Protocol),
    /// TLS files given for a protocol that would not use them.
    #[error("TLS files are given but the security protocol is {0}: use SSL or SASL_SSL")]
    UnusedTls(Protocol),
    /// A client certificate without its key, or the reverse.
    #[error("a client certificate needs both its certificate and its key: only the {0} is given")]
    HalfCertificate(&'static str),
    /// A file that is not there or cannot be read.
    #[error("cannot read {path} ({what}): {reason}; check the path and that the secret is mounted")]
    File {
        /// What it is for.
        what: &'static str,
        /// The path.
        path: PathBuf,
        /// The system's words.
        reason: String,
    },
}

/// A password or a token. Prints as `[secret]`.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Wraps a value.
    pub fn new(value: impl Into<String>) -> Secret {
        Secret(value.into())
    }

    /// Reads one from a file, without the line end that editors leave there.
    pub fn read(path: &Path, what: &'static str) -> Result<Secret, SecurityError> {
        let text = std::fs::read_to_string(path).map_err(|error| SecurityError::File {
            what,
            path: path.to_owned(),
            reason: error.to_string(),
        })?;
        Ok(Secret(text.trim_end_matches(['\r', '\n']).to_owned()))
    }

    /// The value, for the one place that needs it.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("[secret]")
    }
}

/// librdkafka's `security.protocol`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Protocol {
    /// Neither encrypted nor authenticated.
    #[default]
    Plaintext,
    /// TLS.
    Ssl,
    /// SASL in clear.
    SaslPlaintext,
    /// SASL within TLS.
    SaslSsl,
}

impl Protocol {
    fn has_sasl(self) -> bool {
        matches!(self, Protocol::SaslPlaintext | Protocol::SaslSsl)
    }

    fn has_tls(self) -> bool {
        matches!(self, Protocol::Ssl | Protocol::SaslSsl)
    }
}

impl fmt::Display for Protocol {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Protocol::Plaintext => "PLAINTEXT",
            Protocol::Ssl => "SSL",
            Protocol::SaslPlaintext => "SASL_PLAINTEXT",
            Protocol::SaslSsl => "SASL_SSL",
        })
    }
}

impl FromStr for Protocol {
    type Err = SecurityError;

    fn from_str(text: &str) -> Result<Protocol, SecurityError> {
        match text.trim().to_ascii_uppercase().as_str() {
            "PLAINTEXT" | "" => Ok(Protocol::Plaintext),
            "SSL" | "TLS" => Ok(Protocol::Ssl),
            "SASL_PLAINTEXT" => Ok(Protocol::SaslPlaintext),
            "SASL_SSL" => Ok(Protocol::SaslSsl),
            _ => Err(SecurityError::Protocol(text.to_owned())),
        }
    }
}

/// The SASL mechanisms of this build.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mechanism {
    /// User and password as they are.
    Plain,
    /// SCRAM with SHA-256.
    ScramSha256,
    /// SCRAM with SHA-512.
    ScramSha512,
}

impl Mechanism {
    fn name(self) -> &'static str {
        match self {
            Mechanism::Plain => "PLAIN",
            Mechanism::ScramSha256 => "SCRAM-SHA-256",
            Mechanism::ScramSha512 => "SCRAM-SHA-512",
        }
    }
}

impl FromStr for Mechanism {
    type Err = SecurityError;

    fn from_str(text: &str) -> Result<Mechanism, SecurityError> {
        match text.trim().to_ascii_uppercase().as_str() {
            "PLAIN" => Ok(Mechanism::Plain),
            "SCRAM-SHA-256" => Ok(Mechanism::ScramSha256),
            "SCRAM-SHA-512" => Ok(Mechanism::ScramSha512),
            _ => Err(SecurityError::Mechanism(text.to_owned())),
        }
    }
}

/// Everything about a safe connection. [`Security::default`] is a plain one.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Security {
    /// The protocol.
    pub protocol: Protocol,
    /// The SASL mechanism (default, where the protocol has SASL: PLAIN).
    pub sasl_mechanism: Option<Mechanism>,
    /// The SASL user.
    pub sasl_username: Option<String>,
    /// The SASL password.
    pub sasl_password: Option<Secret>,
    /// The authorities to trust, in PEM (default: the system's).
    pub ssl_ca_location: Option<PathBuf>,
    /// The client's certificate, in PEM.
    pub ssl_certificate_location: Option<PathBuf>,
    /// The client's key, in PEM.
    pub ssl_key_location: Option<PathBuf>,
    /// The key's password.
    pub ssl_key_password: Option<Secret>,
}

impl Security {
    /// librdkafka's settings for it, the secret ones included.
    ///
    /// # Errors
    /// Whatever cannot work: credentials missing or unused, half a certificate, files that cannot be read.
    pub fn settings(&self) -> Result<Vec<(&'static str, String)>, SecurityError> {
        let mut settings = vec![("security.protocol", self.protocol.to_string())];
        self.sasl_settings(&mut settings)?;
        self.tls_settings(&mut settings)?;
        Ok(settings)
    }

    fn sasl_settings(&self, settings: &mut Vec<(&'static str, String)>) -> Result<(), SecurityError> {
        let protocol = self.protocol;
        if !protocol.has_sasl() {
            let given = self.sasl_username.is_some() || self.sasl_password.is_some() || self.sasl_mechanism.is_some();
            return if given {
                Err(SecurityError::UnusedSasl(protocol))
            } else {
                Ok(())
            };
        }
        let missing = |what| SecurityError::MissingSasl { protocol, what };
        let username = self.sasl_username.as_deref().filter(|name| !name.is_empty());
        let password = self.sasl_password.as_ref().filter(|secret| !secret.expose().is_empty());
        let mechanism = self.sasl_mechanism.unwrap_or(Mechanism::Plain);
        settings.push(("sasl.mechanism", mechanism.name().to_owned()));
        settings.push(("sasl.username", username.ok_or(missing("username"))?.to_owned()));
        settings.push((
            "sasl.password",
            password.ok_or(missing("password"))?.expose().to_owned(),
        ));
        Ok(())
    }

    fn tls_settings(&self, settings: &mut Vec<(&'static str, String)>) -> Result<(), SecurityError> {
        let files = [
            ("ssl.ca.location", "certificate authorities", &self.ssl_ca_location),
            (
                "ssl.certificate.location",
                "client certificate",
                &self.ssl_certificate_location,
            ),
            ("ssl.key.location", "client key", &self.ssl_key_location),
        ];
        if !self.protocol.has_tls() {
            let given = files.iter().any(|(_, _, path)| path.is_some());
            return if given {
                Err(SecurityError::UnusedTls(self.protocol))
            } else {
                Ok(())
            };
        }
        match (&self.ssl_certificate_location, &self.ssl_key_location) {
            (Some(_), None) => return Err(SecurityError::HalfCertificate("certificate")),
            (None, Some(_)) => return Err(SecurityError::HalfCertificate("key")),
            _ => {}
        }
        for (setting, what, path) in files {
            let Some(path) = path else { continue };
            std::fs::File::open(path).map_err(|error| SecurityError::File {
                what,
                path: path.clone(),
                reason: error.to_string(),
            })?;
            settings.push((setting, path.to_string_lossy().into_owned()));
        }
        if self.ssl_ca_location.is_none() {
            // OpenSSL is linked in, so its own default folder means nothing here: look where systems keep them.
            settings.push(("ssl.ca.location", "probe".to_owned()));
        }
        if let Some(password) = &self.ssl_key_password {
            settings.push(("ssl.key.password", password.expose().to_owned()));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn sasl() -> Security {
        Security {
            protocol: Protocol::SaslSsl,
            sasl_mechanism: Some(Mechanism::ScramSha512),
            sasl_username: Some("reader".into()),
            sasl_password: Some(Secret::new("hunter2")),
            ..Security::default()
        }
    }

    #[test]
    fn names_are_read_and_unknown_ones_are_refused() {
        for name in ["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"] {
            assert_eq!(name.to_lowercase().parse::<Protocol>().unwrap().to_string(), name);
        }
        assert!("HTTPS".parse::<Protocol>().unwrap_err().to_string().contains("HTTPS"));
        assert!(
            "GSSAPI"
                .parse::<Mechanism>()
                .unwrap_err()
                .to_string()
                .contains("no GSSAPI")
        );
    }

    #[test]
    fn a_secret_never_shows() {
        let security = sasl();
        assert!(!format!("{security:?}").contains("hunter2"));
        let settings = security.settings().unwrap();
        assert!(settings.contains(&("sasl.password", "hunter2".to_owned())));
        assert!(settings.contains(&("sasl.mechanism", "SCRAM-SHA-512".to_owned())));
        assert!(settings.contains(&("ssl.ca.location", "probe".to_owned())));
    }

    #[test]
    fn what_cannot_work_is_refused() {
        let plain = Security {
            protocol: Protocol::Plaintext,
            ..sasl()
        };
        assert_eq!(plain.settings(), Err(SecurityError::UnusedSasl(Protocol::Plaintext)));
        let nameless = Security {
            sasl_username: None,
            ..sasl()
        };
        assert!(
            nameless
                .settings()
                .unwrap_err()
                .to_string()
                .contains("no SASL username")
        );
        let half = Security {
            protocol: Protocol::Ssl,
            ssl_certificate_location: Some("/etc/hostname".into()),
            ..Security::default()
        };
        assert_eq!(half.settings(), Err(SecurityError::HalfCertificate("certificate")));
        let absent = Security {
            protocol: Protocol::Ssl,
            ssl_ca_location: Some("/nowhere/ca.pem".into()),
            ..Security::default()
        };
        assert!(absent.settings().unwrap_err().to_string().contains("/nowhere/ca.pem"));
        let unused = Security {
            ssl_ca_location: Some("/etc/hostname".into()),
            ..Security::default()
        };
        assert_eq!(unused.settings(), Err(SecurityError::UnusedTls(Protocol::Plaintext)));
    }

    #[test]
    fn a_password_file_may_end_in_a_line_end() {
        let path = std::env::temp_dir().join(format!("live-data-secret-{}", std::process::id()));
        std::fs::write(&path, "pass word\r\n").unwrap();
        let secret = Secret::read(&path, "SASL password").unwrap();
        std::fs::remove_file(&path).unwrap();
        assert_eq!(secret.expose(), "pass word");
        let error = Secret::read(&path, "SASL password").unwrap_err();
        assert!(error.to_string().contains("SASL password"), "{error}");
    }
}
