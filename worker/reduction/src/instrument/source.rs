//! Sources of instruments: definition files in folders, by name and date. Promises: of the definitions valid on a date the
//! one with the latest start is used, with the parameter file beside it; files are cached until they change (a mounted
//! ConfigMap does); errors name the file. Must not: look outside the given folders.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

use parking_lot::Mutex;

use crate::date_and_time::DateAndTime;
use crate::error::{Result, failed};
use crate::instrument::{Instrument, idf};

/// Provider of instruments by name or file.
pub trait InstrumentSource: Send + Sync {
    /// Instrument by name, in the definition valid at a date.
    ///
    /// # Errors
    /// `Execution` without a definition, or for an unreadable one.
    fn by_name(&self, name: &str, at: DateAndTime) -> Result<Arc<Instrument>>;

    /// Instrument of a definition file.
    ///
    /// # Errors
    /// `Execution` when the file is missing or invalid.
    fn by_file(&self, path: &Path) -> Result<Arc<Instrument>>;

    /// Adds the parameter file of an instrument whose geometry comes from elsewhere. Problems become warnings.
    fn add_parameters(&self, instrument: &mut Instrument) {
        let _ = instrument;
    }
}

/// Definition files in folders, and the built-in definitions. Safe to share between threads.
#[derive(Default)]
pub struct InstrumentFolders {
    folders: Vec<PathBuf>,
    cache: Mutex<HashMap<PathBuf, CachedInstrument>>,
}

/// Instrument with the versions of the files that it was read from.
type CachedInstrument = (Vec<FileVersion>, Arc<Instrument>);

/// Version of a file: path, time of the last change, size in bytes.
type FileVersion = (PathBuf, Option<SystemTime>, u64);

fn version(path: &Path) -> Option<FileVersion> {
    let file = std::fs::metadata(path).ok()?;
    Some((path.to_owned(), file.modified().ok(), file.len()))
}

/// Built-in definitions: name and text.
const BUILT_IN: &[(&str, &str)] = &[("LIVEDEMO", include_str!("../../instruments/LIVEDEMO_Definition.xml"))];

impl InstrumentFolders {
    /// Definitions in folders, searched in this order.
    pub fn new(folders: Vec<PathBuf>) -> Self {
        Self {
            folders,
            cache: Mutex::default(),
        }
    }

    fn candidates(&self, name: &str) -> Vec<PathBuf> {
        let prefix = format!("{}_definition", long_name(name).to_lowercase());
        let mut found = Vec::new();
        for folder in &self.folders {
            let Ok(entries) = std::fs::read_dir(folder) else {
                continue;
            };
            for entry in entries.flatten() {
                let file = entry.file_name().to_string_lossy().to_lowercase();
                let rest = file.strip_prefix(&prefix);
                if rest.is_some_and(|rest| rest.ends_with(".xml")) {
                    found.push(entry.path());
                }
            }
        }
        found.sort();
        found
    }

    fn read(&self, path: &Path) -> Result<Arc<Instrument>> {
        let parameters = path
            .parent()
            .map_or_else(Vec::new, |folder| parameters_beside(folder, path));
        // Before the files are read: a change in between is then seen at the next read.
        let versions: Vec<FileVersion> = std::iter::once(path)
            .chain(parameters.iter().map(PathBuf::as_path))
            .filter_map(version)
            .collect();
        if let Some((of, known)) = self.cache.lock().get(path)
            && *of == versions
        {
            return Ok(known.clone());
        }
        let text = match std::fs::read_to_string(path) {
            Ok(text) => text,
            Err(error) => {
                return failed(format!(
                    "Unable to read the instrument definition {}: {error}",
                    path.display()
                ));
            }
        };
        let mut instrument = parse(&path.display().to_string(), &text)?;
        add_parameters(&mut instrument, &parameters);
        let instrument = Arc::new(instrument);
        self.cache
            .lock()
            .insert(path.to_owned(), (versions, instrument.clone()));
        Ok(instrument)
    }
}

/// Short and full names of ISIS instruments. Source: Mantid's `Facilities.xml`.
const SHORT_NAMES: &[(&str, &str)] = &[
    ("CSP", "CRISP"),
    ("ENGINX", "ENGIN-X"),
    ("HRP", "HRPD"),
    ("EVS", "VESUVIO"),
    ("INS", "INES"),
    ("IRS", "IRIS"),
    ("MAP", "MAPS"),
    ("MAR", "MARI"),
    ("MER", "MERLIN"),
    ("OSI", "OSIRIS"),
    ("POL", "POLARIS"),
    ("PRL", "PEARL"),
    ("SLS", "SANDALS"),
    ("SRF", "SURF"),
    ("TSC", "TOSCA"),
];

/// Full name of an instrument given by short or full name.
fn long_name(name: &str) -> &str {
    let found = SHORT_NAMES.iter().find(|(short, _)| short.eq_ignore_ascii_case(name));
    found.map_or(name, |(_, long)| long)
}

/// Short name of an instrument, the prefix of its run names; the name itself if it has none.
pub fn short_name(name: &str) -> &str {
    let found = SHORT_NAMES.iter().find(|(_, long)| long.eq_ignore_ascii_case(name));
    found.map_or(name, |(short, _)| short)
}

/// Existing parameter files of a definition, most specific first: for `X_Definition_2020.xml` these are
/// `X_Parameters_2020.xml` and `X_Parameters.xml`.
fn parameters_beside(folder: &Path, definition: &Path) -> Vec<PathBuf> {
    let file = definition.file_name().unwrap_or_default().to_string_lossy();
    let lower = file.to_ascii_lowercase();
    let Some(at) = lower.find("_definition") else {
        return Vec::new();
    };
    let (name, rest) = (
        lower.get(..at).unwrap_or_default(),
        lower.get(at + "_definition".len()..).unwrap_or_default(),
    );
    let wanted = [format!("{name}_parameters{rest}"), format!("{name}_parameters.xml")];
    let Ok(entries) = std::fs::read_dir(folder) else {
        return Vec::new();
    };
    let files: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
    let named = |path: &&PathBuf, wanted: &str| {
        path.file_name()
            .is_some_and(|name| name.to_string_lossy().eq_ignore_ascii_case(wanted))
    };
    let found = |wanted: &String| files.iter().find(|path| named(path, wanted)).cloned();
    let mut paths: Vec<PathBuf> = wanted.iter().filter_map(found).collect();
    paths.dedup();
    paths
}

/// Adds the first of these parameter files. An unreadable one leaves a warning: the geometry is usable without it.
fn add_parameters(instrument: &mut Instrument, files: &[PathBuf]) {
    let Some(path) = files.first() else { return };
    let text = std::fs::read_to_string(path).map_err(|error| error.to_string());
    if let Err(error) = text.and_then(|text| idf::add_parameters(&text, instrument)) {
        let warning = format!("the parameters file {} cannot be used: {error}", path.display());
        instrument.warnings.push(warning);
    }
}

fn parse(name: &str, text: &str) -> Result<Instrument> {
    idf::parse(text).or_else(|error| failed(format!("Unable to parse the instrument definition {name}: {error}")))
}

impl InstrumentSource for InstrumentFolders {
    fn by_name(&self, name: &str, at: DateAndTime) -> Result<Arc<Instrument>> {
        let mut best: Option<(DateAndTime, PathBuf)> = None;
        let mut any = None;
        for path in self.candidates(name) {
            let Ok(text) = std::fs::read_to_string(&path) else {
                continue;
            };
            let (from, to) = idf::validity(&text);
            any = Some(path.clone());
            if from <= at && at <= to && best.as_ref().is_none_or(|(latest, _)| from > *latest) {
                best = Some((from, path));
            }
        }
        if let Some((_, path)) = best.or_else(|| any.map(|path| (at, path))) {
            return self.read(&path);
        }
        let Some((built_in, text)) = BUILT_IN
            .iter()
            .find(|(built_in, _)| built_in.eq_ignore_ascii_case(name))
        else {
            let folders: Vec<String> = self.folders.iter().map(|folder| folder.display().to_string()).collect();
            return failed(format!(
                "No instrument definition {name}_Definition*.xml was found in {}: set INSTRUMENT_DIR to a folder that holds it",
                if folders.is_empty() {
                    "any folder (none is set)".to_owned()
                } else {
                    folders.join(", ")
                }
            ));
        };
        let key = PathBuf::from(format!("<built in>/{built_in}"));
        if let Some((_, known)) = self.cache.lock().get(&key) {
            return Ok(known.clone());
        }
        let instrument = Arc::new(parse(built_in, text)?);
        self.cache.lock().insert(key, (Vec::new(), instrument.clone()));
        Ok(instrument)
    }

    fn by_file(&self, path: &Path) -> Result<Arc<Instrument>> {
        if path.exists() {
            return self.read(path);
        }
        for folder in &self.folders {
            let inside = folder.join(path);
            if inside.exists() {
                return self.read(&inside);
            }
        }
        failed(format!("The instrument definition {} was not found", path.display()))
    }
    fn add_parameters(&self, instrument: &mut Instrument) {
        let definition = PathBuf::from(format!("{}_Definition.xml", instrument.name));
        let files = self
            .folders
            .iter()
            .flat_map(|folder| parameters_beside(folder, &definition));
        let files: Vec<PathBuf> = files.collect();
        add_parameters(instrument, &files);
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::{InstrumentFolders, InstrumentSource};
    use crate::date_and_time::DateAndTime;

    #[test]
    fn short_names_find_the_definition() {
        let folder = tempfile::tempdir().unwrap();
        let xml = "<instrument name=\"MARI\"><component type=\"p\"><location/></component><type name=\"p\" is=\"SamplePos\"/></instrument>";
        std::fs::write(folder.path().join("MARI_Definition.xml"), xml).unwrap();
        let source = InstrumentFolders::new(vec![folder.path().to_owned()]);
        for name in ["MARI", "MAR", "mar"] {
            assert_eq!(source.by_name(name, DateAndTime::now()).unwrap().name, "MARI");
        }
        assert!(source.by_name("MA", DateAndTime::now()).is_err());
        assert_eq!([super::short_name("merlin"), super::short_name("LET")], ["MER", "LET"]);
    }

    #[test]
    fn a_definition_is_read_again_only_when_it_or_its_parameters_change() {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
        let definition = |place: &str| {
            format!(
                "<instrument name=\"X\"><component type=\"s\"><location/></component><type name=\"s\" is=\"SamplePos\"/>\
                 <component type=\"m\"><location z=\"{place}\"/></component><type name=\"m\" is=\"Source\"/></instrument>"
            )
        };
        let source = InstrumentFolders::new(vec![folder.path().to_owned()]);
        let read = || source.by_name("X", DateAndTime::now()).unwrap();
        write("X_Definition.xml", &definition("-5"));
        let first = read();
        assert!(std::sync::Arc::ptr_eq(&first, &read()));
        write("X_Definition.xml", &definition("-12.5"));
        assert_eq!((first.l1(), read().l1()), (Some(5.0), Some(12.5)));
        let second = read();
        write("X_Parameters.xml", "<parameter-file instrument=\"X\"/>");
        assert!(!std::sync::Arc::ptr_eq(&second, &read()));
    }
}
