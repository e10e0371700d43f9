//! Security of the connection to the broker: protocol, SASL, TLS and secrets.
//!
//! Promises: no secret in any Debug, Display, error or log text; a setting that cannot work is refused with its name and
//! the next step. Must not open a connection.

use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

/// Security settings that cannot work; the user or the operator must correct them.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SecurityError {
    /// The protocol is none of librdkafka's four.
    #[error("KAFKA_SECURITY_PROTOCOL is '{0}': use PLAINTEXT, SSL, SASL_PLAINTEXT or SASL_SSL")]
    Protocol(String),
    /// The SASL mechanism is unknown, or is GSSAPI, which this build lacks.
    #[error("the SASL mechanism is '{0}': use PLAIN, SCRAM-SHA-256 or SCRAM-SHA-512 (this build has no GSSAPI)")]
    Mechanism(String),
    /// The protocol uses SASL, but the user name or the password is missing or empty.
    #[error("the security protocol is {protocol} but there is no SASL {what}: set it, or use another protocol")]
    MissingSasl {
        protocol: SecurityProtocol,
        /// "username" or "password".
        what: &'static str,
    },
    /// SASL credentials are given for a protocol that ignores them.
    #[error("SASL credentials are given but the security protocol is {0}: use SASL_SSL (or SASL_PLAINTEXT)")]
    UnusedSasl(SecurityProtocol),
    /// TLS files are given for a protocol that ignores them.
    #[error("TLS files are given but the security protocol is {0}: use SSL or SASL_SSL")]
    UnusedTls(SecurityProtocol),
    /// A client certificate is given without its key, or the reverse.
    #[error("a client certificate needs both its certificate and its key: only the {0} is given")]
    HalfCertificate(&'static str),
    /// A file does not exist or cannot be read.
    #[error("cannot read {path} ({what}): {reason}; check the path and that the secret is mounted")]
    File {
        /// Use of the file, such as "client key".
        what: &'static str,
        path: PathBuf,
        /// Error text of the system.
        reason: String,
    },
}

/// Password. `Debug` prints `[secret]`; `Display` is not implemented.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Secret of a value that is in memory already.
    pub fn new(value: impl Into<String>) -> Secret {
        Secret(value.into())
    }

    /// Reads a secret from a file, without the line ends at its end. `what` names its use in the error.
    ///
    /// # Errors
    /// [`SecurityError::File`] for a file that does not exist, cannot be read or is not UTF-8.
    pub fn from_file(path: &Path, what: &'static str) -> Result<Secret, SecurityError> {
        let text = std::fs::read_to_string(path).map_err(|error| SecurityError::File {
            what,
            path: path.to_owned(),
            reason: error.to_string(),
        })?;
        Ok(Secret(text.trim_end_matches(['\r', '\n']).to_owned()))
    }

    /// Value in clear text, for the client's settings only.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("[secret]")
    }
}

/// Security protocol of the connection (`security.protocol`). Displayed as Kafka writes it, such as `SASL_SSL`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, strum::Display)]
#[strum(serialize_all = "SCREAMING_SNAKE_CASE")]
pub enum SecurityProtocol {
    /// Neither encrypted nor authenticated.
    #[default]
    Plaintext,
    /// TLS, with a client certificate where one is given.
    Ssl,
    /// SASL authentication without encryption.
    SaslPlaintext,
    /// SASL authentication within TLS.
    SaslSsl,
}

impl SecurityProtocol {
    fn has_sasl(self) -> bool {
        matches!(self, SecurityProtocol::SaslPlaintext | SecurityProtocol::SaslSsl)
    }

    fn has_tls(self) -> bool {
        matches!(self, SecurityProtocol::Ssl | SecurityProtocol::SaslSsl)
    }
}

impl FromStr for SecurityProtocol {
    type Err = SecurityError;

    fn from_str(text: &str) -> Result<SecurityProtocol, SecurityError> {
        match text.trim().to_ascii_uppercase().as_str() {
            "PLAINTEXT" | "" => Ok(SecurityProtocol::Plaintext),
            "SSL" | "TLS" => Ok(SecurityProtocol::Ssl),
            "SASL_PLAINTEXT" => Ok(SecurityProtocol::SaslPlaintext),
            "SASL_SSL" => Ok(SecurityProtocol::SaslSsl),
            _ => Err(SecurityError::Protocol(text.to_owned())),
        }
    }
}

/// SASL mechanism (`sasl.mechanism`), of those that this build supports.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SaslMechanism {
    /// PLAIN (RFC 4616): the password is sent in clear text.
    Plain,
    /// SCRAM-SHA-256 (RFC 7677).
    ScramSha256,
    /// SCRAM-SHA-512.
    ScramSha512,
}

impl SaslMechanism {
    fn name(self) -> &'static str {
        match self {
            SaslMechanism::Plain => "PLAIN",
            SaslMechanism::ScramSha256 => "SCRAM-SHA-256",
            SaslMechanism::ScramSha512 => "SCRAM-SHA-512",
        }
    }
}

impl FromStr for SaslMechanism {
    type Err = SecurityError;

    fn from_str(text: &str) -> Result<SaslMechanism, SecurityError> {
        match text.trim().to_ascii_uppercase().as_str() {
            "PLAIN" => Ok(SaslMechanism::Plain),
            "SCRAM-SHA-256" => Ok(SaslMechanism::ScramSha256),
            "SCRAM-SHA-512" => Ok(SaslMechanism::ScramSha512),
            _ => Err(SecurityError::Mechanism(text.to_owned())),
        }
    }
}

/// Security settings of a connection; by default plaintext.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Security {
    pub protocol: SecurityProtocol,
    /// `None` means PLAIN where the protocol uses SASL.
    pub sasl_mechanism: Option<SaslMechanism>,
    pub sasl_username: Option<String>,
    pub sasl_password: Option<Secret>,
    /// Trusted certificate authorities, PEM; `None` means the system's.
    pub ssl_ca_location: Option<PathBuf>,
    /// Client certificate, PEM; requires `ssl_key_location`.
    pub ssl_certificate_location: Option<PathBuf>,
    /// Private key of the client certificate, PEM.
    pub ssl_key_location: Option<PathBuf>,
    pub ssl_key_password: Option<Secret>,
}

impl Security {
    /// Settings of librdkafka by name, secrets included in clear text. Opens the TLS files to check that they are
    /// readable.
    ///
    /// # Errors
    /// [`SecurityError`] for credentials that are missing or unused, a certificate without its key (or the reverse), and
    /// files that cannot be read.
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
        let mechanism = self.sasl_mechanism.unwrap_or(SaslMechanism::Plain);
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
            // The default folder of a linked OpenSSL is that of its build machine: search where systems keep them.
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
            protocol: SecurityProtocol::SaslSsl,
            sasl_mechanism: Some(SaslMechanism::ScramSha512),
            sasl_username: Some("reader".into()),
            sasl_password: Some(Secret::new("hunter2")),
            ..Security::default()
        }
    }

    #[test]
    fn names_are_read_and_unknown_ones_are_refused() {
        for name in ["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"] {
            assert_eq!(
                name.to_lowercase().parse::<SecurityProtocol>().unwrap().to_string(),
                name
            );
        }
        assert!(
            "HTTPS"
                .parse::<SecurityProtocol>()
                .unwrap_err()
                .to_string()
                .contains("HTTPS")
        );
        assert!(
            "GSSAPI"
                .parse::<SaslMechanism>()
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
            protocol: SecurityProtocol::Plaintext,
            ..sasl()
        };
        assert_eq!(
            plain.settings(),
            Err(SecurityError::UnusedSasl(SecurityProtocol::Plaintext))
        );
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
            protocol: SecurityProtocol::Ssl,
            ssl_certificate_location: Some("/etc/hostname".into()),
            ..Security::default()
        };
        assert_eq!(half.settings(), Err(SecurityError::HalfCertificate("certificate")));
        let absent = Security {
            protocol: SecurityProtocol::Ssl,
            ssl_ca_location: Some("/nowhere/ca.pem".into()),
            ..Security::default()
        };
        assert!(absent.settings().unwrap_err().to_string().contains("/nowhere/ca.pem"));
        let unused = Security {
            ssl_ca_location: Some("/etc/hostname".into()),
            ..Security::default()
        };
        assert_eq!(
            unused.settings(),
            Err(SecurityError::UnusedTls(SecurityProtocol::Plaintext))
        );
    }

    #[test]
    fn a_password_file_may_end_in_a_line_end() {
        let path = std::env::temp_dir().join(format!("live-data-secret-{}", std::process::id()));
        std::fs::write(&path, "pass word\r\n").unwrap();
        let secret = Secret::from_file(&path, "SASL password").unwrap();
        std::fs::remove_file(&path).unwrap();
        assert_eq!(secret.expose(), "pass word");
        let error = Secret::from_file(&path, "SASL password").unwrap_err();
        assert!(error.to_string().contains("SASL password"), "{error}");
    }
}
