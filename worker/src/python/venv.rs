//! Choice of the Python environment: LIVE_DATA_VENV, the one compiled in, or Debian's own.
//!
//! Promises a decision with a warning for the log. Reads the candidates' files and `pyvenv.cfg` only; must not start an
//! interpreter.

use std::path::{Path, PathBuf};

/// Environment of the images; `LIVE_DATA_VENV` at build time replaces it.
pub const COMPILED_IN: &str = match option_env!("LIVE_DATA_VENV") {
    Some(path) => path,
    None => "/opt/live-data/venv",
};

/// Debian's interpreter, used with its own packages if no environment exists.
pub const FALLBACK: &str = "/usr/bin/python3.11";

/// Interpreter chosen by [`choose`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PythonChoice {
    /// Program for `sys.executable`, from which Python finds its packages.
    pub executable: PathBuf,
    /// `major.minor.micro` that the environment was made with, from `pyvenv.cfg`.
    pub version: Option<String>,
    /// Message for the log about missing environments.
    pub warning: Option<String>,
}

/// First existing environment of `asked` (LIVE_DATA_VENV: a folder with `bin/python`, or a program), [`COMPILED_IN`] and
/// [`FALLBACK`].
#[must_use]
pub fn choose(asked: Option<&Path>) -> PythonChoice {
    let mut missing = Vec::new();
    for candidate in asked.into_iter().chain([Path::new(COMPILED_IN)]) {
        if let Some(executable) = executable_of(candidate) {
            let version = stated_version(&executable);
            let warning = (!missing.is_empty()).then(|| {
                format!(
                    "no Python environment at {}; using {}",
                    missing.join(", "),
                    candidate.display()
                )
            });
            return PythonChoice {
                executable,
                version,
                warning,
            };
        }
        missing.push(candidate.display().to_string());
    }
    PythonChoice {
        executable: PathBuf::from(FALLBACK),
        version: None,
        warning: Some(format!(
            "no Python environment at {}; using {FALLBACK} with the packages that it has (set LIVE_DATA_VENV to a venv \
             with numpy, scipy, h5py and requests)",
            missing.join(", ")
        )),
    }
}

fn executable_of(candidate: &Path) -> Option<PathBuf> {
    if candidate.is_file() {
        return Some(candidate.to_path_buf());
    }
    ["bin/python3", "bin/python"]
        .iter()
        .map(|name| candidate.join(name))
        .find(|path| path.is_file())
}

fn stated_version(executable: &Path) -> Option<String> {
    let configuration = executable.parent()?.parent()?.join("pyvenv.cfg");
    let text = std::fs::read_to_string(configuration).ok()?;
    text.lines().find_map(|line| {
        let (key, value) = line.split_once('=')?;
        matches!(key.trim(), "version" | "version_info").then(|| value.trim().to_owned())
    })
}

/// Warning if the environment's version differs from the loaded library's in its micro number only.
///
/// # Errors
/// Message if major or minor number differ: the environment's packages cannot be loaded.
pub fn compare(stated: Option<&str>, loaded: (u8, u8, u8)) -> Result<Option<String>, String> {
    let Some(stated) = stated else { return Ok(None) };
    let numbers: Vec<u8> = stated.split('.').map_while(|part| part.parse().ok()).collect();
    let (major, minor, micro) = loaded;
    match numbers.as_slice() {
        [a, b, ..] if (*a, *b) != (major, minor) => Err(format!(
            "the environment was made for Python {stated}, but the library loaded is {major}.{minor}.{micro}; make the \
             environment again with {FALLBACK}"
        )),
        [_, _, c, ..] if *c != micro => Ok(Some(format!(
            "the environment was made with Python {stated}, the library loaded is {major}.{minor}.{micro}"
        ))),
        _ => Ok(None),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_environment_is_reported_and_replaced() {
        let choice = choose(Some(Path::new("/nowhere/venv")));
        assert!(choice.warning.unwrap().contains("/nowhere/venv"));
        assert!(choice.executable.is_absolute());
    }

    #[test]
    fn an_environment_is_found_by_its_folder_with_its_version() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("bin")).unwrap();
        std::fs::write(folder.path().join("bin/python"), "").unwrap();
        std::fs::write(folder.path().join("pyvenv.cfg"), "home = /usr/bin\nversion = 3.11.2\n").unwrap();
        let choice = choose(Some(folder.path()));
        assert_eq!(choice.executable, folder.path().join("bin/python"));
        assert_eq!(choice.version.as_deref(), Some("3.11.2"));
        assert_eq!(choice.warning, None);
    }

    #[test]
    fn versions_are_compared_by_what_matters() {
        assert_eq!(compare(Some("3.11.2"), (3, 11, 2)), Ok(None));
        assert!(compare(Some("3.11.7"), (3, 11, 2)).unwrap().is_some());
        assert!(compare(Some("3.12.1"), (3, 11, 2)).is_err());
        assert_eq!(compare(None, (3, 11, 2)), Ok(None));
        assert_eq!(compare(Some("garbage"), (3, 11, 2)), Ok(None));
    }
}
