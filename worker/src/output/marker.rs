//! Completion markers: files that record the runs which have had their final execution, across restarts.
//!
//! One small file a run, `.live-data/runs/<job_id>.json`. Promises that no name of the stream leads out of that folder.
//! Must not decide which runs are executed: [`crate::schedule`] and [`crate::resume`] do.

use std::fs;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::{OutputError, OutputFolder};

/// Number of markers that are kept: those of weeks of short runs.
const MAX_MARKERS: usize = 1000;

/// Record of a run that has had its final execution; the content of a marker file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CompletionMarker {
    /// Job id of the run, or its name and start time if it has none.
    pub identity: String,
    pub run_name: String,
    /// Start of the run, in ns since the Unix epoch.
    pub start_ns: i64,
    /// End of the run, in ns since the Unix epoch; `None` if the next run's start ended it.
    #[serde(default)]
    pub stop_ns: Option<i64>,
    /// Number of events in the view of the final execution.
    pub events: u64,
    /// SHA-256 of the script in hexadecimal; `None` if nothing had to be executed.
    #[serde(default)]
    pub script: Option<String>,
    /// Time of the final execution's end, RFC 3339 in UTC.
    pub finished: String,
    /// Error of the final execution.
    #[serde(default)]
    pub error: Option<String>,
}

/// File name of a run's marker: the identity itself if that is a plain name of at most 100 bytes, else its hash.
fn file_name(identity: &str) -> String {
    let plain = !identity.is_empty()
        && identity.len() <= 100
        && !identity.starts_with('.')
        && identity
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.'));
    if plain {
        format!("{identity}.json")
    } else {
        format!("sha256-{}.json", hex(&Sha256::digest(identity)))
    }
}

/// Lower-case hexadecimal digits of `bytes`.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|b| format!("{b:02x}")).collect()
}

impl OutputFolder {
    fn markers_folder(&self) -> PathBuf {
        self.hidden().join("runs")
    }

    /// Writes the marker of a run, and deletes the oldest beyond 1000.
    ///
    /// # Errors
    /// [`OutputError::NotWritable`] with the marker's path.
    pub fn write_marker(&self, marker: &CompletionMarker) -> Result<(), OutputError> {
        let path = self.markers_folder().join(file_name(&marker.identity));
        let text = serde_json::to_vec_pretty(marker).map_err(|e| OutputError::not_writable(&path, e.into()))?;
        self.write_atomically(&path, &text)?;
        self.prune_markers();
        Ok(())
    }

    /// Markers in order of their runs' starts, and names of the files that are no markers.
    ///
    /// # Errors
    /// [`OutputError::NotWritable`] if the folder cannot be listed.
    pub fn read_markers(&self) -> Result<(Vec<CompletionMarker>, Vec<String>), OutputError> {
        let folder = self.markers_folder();
        let mut markers = Vec::new();
        let mut unreadable = Vec::new();
        for entry in fs::read_dir(&folder)
            .map_err(|e| OutputError::not_writable(&folder, e))?
            .flatten()
        {
            let parsed = fs::read(entry.path())
                .ok()
                .and_then(|text| serde_json::from_slice::<CompletionMarker>(&text).ok());
            match parsed {
                Some(marker) => markers.push(marker),
                None => unreadable.push(entry.file_name().to_string_lossy().into_owned()),
            }
        }
        markers.sort_by_key(|m| m.start_ns);
        Ok((markers, unreadable))
    }

    fn prune_markers(&self) {
        let Ok((markers, _)) = self.read_markers() else { return };
        for old in markers.iter().take(markers.len().saturating_sub(MAX_MARKERS)) {
            // A marker that cannot be deleted is only read again.
            let _ = fs::remove_file(self.markers_folder().join(file_name(&old.identity)));
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn marker(identity: &str, start_ns: i64) -> CompletionMarker {
        CompletionMarker {
            identity: identity.into(),
            run_name: "71617".into(),
            start_ns,
            stop_ns: Some(start_ns + 1),
            events: 3,
            script: None,
            finished: "2026-01-01T00:00:00Z".into(),
            error: None,
        }
    }

    #[test]
    fn markers_come_back_oldest_run_first() {
        let dir = tempfile::tempdir().unwrap();
        let output = OutputFolder::new(dir.path());
        output.prepare().unwrap();
        output.write_marker(&marker("b", 2)).unwrap();
        output.write_marker(&marker("a", 1)).unwrap();
        fs::write(dir.path().join(".live-data/runs/torn.json"), b"{").unwrap();
        let (markers, unreadable) = output.read_markers().unwrap();
        assert_eq!(markers, [marker("a", 1), marker("b", 2)]);
        assert_eq!(unreadable, ["torn.json"]);
    }

    #[test]
    fn an_identity_from_the_stream_cannot_leave_the_folder() {
        for identity in ["../../etc/passwd", ".hidden", "", "a/b", &"x".repeat(300), "naïve"] {
            let name = file_name(identity);
            assert!(
                name.starts_with("sha256-") && !name.contains('/') && name.len() < 100,
                "{identity} → {name}"
            );
        }
        assert_eq!(file_name("6f1c-88.x"), "6f1c-88.x.json");
    }
}
