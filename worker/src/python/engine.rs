//! Choice of the engine that scripts import as `mantid`: the real one or the native one.
//!
//! Promises a decision from values alone, with a message. Must not import anything; `module` does.

use std::str::FromStr;

use thiserror::Error;

/// Value of ENGINE.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum EngineChoice {
    /// The real Mantid if it can be imported, else the native engine.
    #[default]
    Auto,
    /// The real Mantid; the worker does not start without it.
    Mantid,
    /// The native engine, even beside a real Mantid.
    Native,
}

/// Engine that scripts import as `mantid`, decided at the start.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Engine {
    /// The real Mantid, with its version, such as 6.12.0.
    Mantid(String),
    /// The native engine.
    Native,
}

impl Engine {
    /// Name in `/status` and metrics: `mantid` or `native`.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Mantid(_) => "mantid",
            Self::Native => "native",
        }
    }
}

/// ENGINE is none of auto, mantid, native; holds its value.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("cannot choose the engine {0:?}: ENGINE is one of auto, mantid, native")]
pub struct ChooseEngineError(pub String);

impl FromStr for EngineChoice {
    type Err = ChooseEngineError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text.trim().to_ascii_lowercase().as_str() {
            "" | "auto" => Ok(Self::Auto),
            "mantid" => Ok(Self::Mantid),
            "native" => Ok(Self::Native),
            _ => Err(ChooseEngineError(text.to_owned())),
        }
    }
}

/// Engine for a choice and the result of importing the real Mantid, with a warning for the log.
///
/// `real` is Mantid's version, `None` if it is not installed, or the error of importing it.
///
/// # Errors
/// When [`EngineChoice::Mantid`] was chosen and `real` has no version.
pub fn decide(choice: EngineChoice, real: Result<Option<String>, String>) -> Result<(Engine, Option<String>), String> {
    match (choice, real) {
        (EngineChoice::Native, _) | (EngineChoice::Auto, Ok(None)) => Ok((Engine::Native, None)),
        (_, Ok(Some(version))) => Ok((Engine::Mantid(version), None)),
        (EngineChoice::Auto, Err(error)) => Ok((
            Engine::Native,
            Some(format!(
                "Mantid is installed but cannot be imported ({error}); using the native engine"
            )),
        )),
        (EngineChoice::Mantid, Ok(None)) => Err("ENGINE=mantid, but this Python has no mantid package; use the \
             worker's Mantid image, or ENGINE=native"
            .into()),
        (EngineChoice::Mantid, Err(error)) => Err(format!("ENGINE=mantid, but importing mantid failed: {error}")),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn auto_takes_what_works() {
        assert_eq!(decide(EngineChoice::Auto, Ok(None)).unwrap().0, Engine::Native);
        assert_eq!(
            decide(EngineChoice::Auto, Ok(Some("6.9".into()))).unwrap().0,
            Engine::Mantid("6.9".into())
        );
        let (engine, warning) = decide(EngineChoice::Auto, Err("no libfoo".into())).unwrap();
        assert_eq!(engine, Engine::Native);
        assert!(warning.unwrap().contains("no libfoo"));
    }

    #[test]
    fn asking_for_mantid_gets_mantid_or_an_error() {
        assert!(decide(EngineChoice::Mantid, Ok(None)).is_err());
        assert!(decide(EngineChoice::Mantid, Err("x".into())).is_err());
        assert_eq!("Native".parse(), Ok(EngineChoice::Native));
        assert!("numpy".parse::<EngineChoice>().is_err());
    }
}
