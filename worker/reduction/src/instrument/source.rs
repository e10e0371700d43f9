//! Where instruments come from: definition files in folders, chosen by name and date. Promises: of the files that are
//! valid on a date the one with the latest start is taken, with the parameters file that lies beside it; files are read
//! once and kept until they change (a mounted ConfigMap does); what is wrong with a file is said with its name. Must not look anywhere but in the folders given.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

use parking_lot::Mutex;

use crate::date_and_time::DateAndTime;
use crate::error::{Result, failed};
use crate::instrument::{Instrument, idf};

/// Provides instruments by name.
pub trait InstrumentSource: Send + Sync {
    /// The instrument of this name as it was at a date.
    ///
    /// # Errors
    /// When there is no definition for the name, or it cannot be read.
    fn by_name(&self, name: &str, at: DateAndTime) -> Result<Arc<Instrument>>;

    /// The instrument in a definition file.
    ///
    /// # Errors
    /// When the file cannot be read.
    fn by_file(&self, path: &Path) -> Result<Arc<Instrument>>;

    /// Adds what is known of an instrument beside its definition (its parameters file) to one that was described
    /// elsewhere.
    fn complete(&self, instrument: &mut Instrument) {
        let _ = instrument;
    }
}

/// Definition files in folders, and those that the program brings along.
#[derive(Default)]
pub struct InstrumentFolders {
    folders: Vec<PathBuf>,
    read: Mutex<HashMap<PathBuf, Known>>,
}

/// An instrument, and the files that it was read from.
type Known = (Vec<Stamp>, Arc<Instrument>);

/// What tells that a file is another than before: its path, when it was changed, its size.
type Stamp = (PathBuf, Option<SystemTime>, u64);

fn stamp(path: &Path) -> Option<Stamp> {
    let file = std::fs::metadata(path).ok()?;
    Some((path.to_owned(), file.modified().ok(), file.len()))
}

/// Definitions that the program brings along: name and content.
const OWN: &[(&str, &str)] = &[("LIVEDEMO", include_str!("../../instruments/LIVEDEMO_Definition.xml"))];

impl InstrumentFolders {
    /// Definitions in these folders, the first folder first.
    pub fn new(folders: Vec<PathBuf>) -> Self {
        Self {
            folders,
            read: Mutex::default(),
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
        // Taken before the files are read: what changes meanwhile is seen the next time.
        let stamps: Vec<Stamp> = std::iter::once(path)
            .chain(parameters.iter().map(PathBuf::as_path))
            .filter_map(stamp)
            .collect();
        if let Some((of, known)) = self.read.lock().get(path)
            && *of == stamps
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
        self.read.lock().insert(path.to_owned(), (stamps, instrument.clone()));
        Ok(instrument)
    }
}

/// The short names that files of runs and older scripts know instruments by.
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

/// The full name of an instrument that may be given by its short one.
fn long_name(name: &str) -> &str {
    let found = SHORT_NAMES.iter().find(|(short, _)| short.eq_ignore_ascii_case(name));
    found.map_or(name, |(_, long)| long)
}

/// The short name of an instrument: that which names of its runs begin with.
pub fn short_name(name: &str) -> &str {
    let found = SHORT_NAMES.iter().find(|(_, long)| long.eq_ignore_ascii_case(name));
    found.map_or(name, |(short, _)| short)
}

/// The parameters files that could belong to a definition, the most particular first: for `X_Definition_2020.xml` they
/// are `X_Parameters_2020.xml` and `X_Parameters.xml`.
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

/// Adds the first parameters file of some. One that cannot be read leaves a note: the geometry is good without it.
fn add_parameters(instrument: &mut Instrument, files: &[PathBuf]) {
    let Some(path) = files.first() else { return };
    let text = std::fs::read_to_string(path).map_err(|error| error.to_string());
    if let Err(error) = text.and_then(|text| idf::add_parameters(&text, instrument)) {
        let note = format!("the parameters file {} cannot be used: {error}", path.display());
        instrument.notes.push(note);
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
        let Some((own, text)) = OWN.iter().find(|(own, _)| own.eq_ignore_ascii_case(name)) else {
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
        let key = PathBuf::from(format!("<built in>/{own}"));
        if let Some((_, known)) = self.read.lock().get(&key) {
            return Ok(known.clone());
        }
        let instrument = Arc::new(parse(own, text)?);
        self.read.lock().insert(key, (Vec::new(), instrument.clone()));
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
    fn complete(&self, instrument: &mut Instrument) {
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
