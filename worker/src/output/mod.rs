//! The output folder: what the worker keeps in it besides the scripts' files, all under one hidden folder.
//!
//! Promises that nothing but finished files of scripts ever appears outside `.live-data`, whose content is small:
//! `writer.lock` ([`lease`]), `runs/` ([`marker`]), `tmp/` (files being written) and `script.py` (the last good one).
//! It must not decide what is executed.

pub mod keeper;
pub mod lease;
pub mod marker;

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// Why the output folder cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum OutputError {
    /// A folder or file in it could not be written.
    #[error(
        "cannot write to the output folder, at {path}: {source}. Check that the volume is mounted read-write and that its \
         files belong to the user or group that the worker runs as (uid {uid}, gid {gid})"
    )]
    NotWritable {
        /// What could not be written.
        path: PathBuf,
        /// The operating system's reason.
        source: io::Error,
        /// User of this process.
        uid: u32,
        /// Group of this process.
        gid: u32,
    },
}

impl OutputError {
    fn at(path: &Path, source: io::Error) -> Self {
        OutputError::NotWritable {
            path: path.to_owned(),
            source,
            uid: nix::unistd::geteuid().as_raw(),
            gid: nix::unistd::getegid().as_raw(),
        }
    }
}

/// The output folder of one worker.
#[derive(Clone, Debug)]
pub struct OutputFolder {
    root: PathBuf,
}

impl OutputFolder {
    /// The folder at `root`; nothing is read or written yet.
    pub fn new(root: impl Into<PathBuf>) -> Self {
        OutputFolder { root: root.into() }
    }

    /// Where scripts write their files.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// The hidden folder.
    pub fn hidden(&self) -> PathBuf {
        self.root.join(".live-data")
    }

    /// Where files are while they are being written: on the same volume, so that a rename publishes them.
    pub fn temporary(&self) -> PathBuf {
        self.hidden().join("tmp")
    }

    /// Where the last script that could be loaded is kept.
    pub fn last_good_script(&self) -> PathBuf {
        self.hidden().join("script.py")
    }

    /// Makes the hidden folders and shows, by writing and deleting a file, that the volume can be written.
    pub fn prepare(&self) -> Result<(), OutputError> {
        for folder in [self.temporary(), self.hidden().join("runs")] {
            fs::create_dir_all(&folder).map_err(|e| OutputError::at(&folder, e))?;
        }
        let probe = self.temporary().join(format!("write-check-{}", std::process::id()));
        fs::write(&probe, b"live-data").map_err(|e| OutputError::at(&probe, e))?;
        fs::remove_file(&probe).map_err(|e| OutputError::at(&probe, e))
    }

    /// Deletes what a worker that was killed left half written. Only the holder of the lease may call this.
    pub fn sweep(&self) -> Result<usize, OutputError> {
        let folder = self.temporary();
        let entries = fs::read_dir(&folder).map_err(|e| OutputError::at(&folder, e))?;
        let mut swept = 0;
        for entry in entries.flatten() {
            let path = entry.path();
            let gone = if path.is_dir() {
                fs::remove_dir_all(&path)
            } else {
                fs::remove_file(&path)
            };
            swept += usize::from(gone.is_ok());
        }
        Ok(swept)
    }

    /// Writes a small file of ours so that a reader sees the old content or the new, never a part.
    pub fn write_atomically(&self, target: &Path, content: &[u8]) -> Result<(), OutputError> {
        use std::io::Write;
        let name = target
            .file_name()
            .map(|n| n.to_string_lossy().into_owned())
            .unwrap_or_default();
        let temporary = self.temporary().join(format!("{name}.{}", std::process::id()));
        let written = fs::File::create(&temporary).and_then(|mut file| {
            file.write_all(content)?;
            file.sync_all()
        });
        written
            .and_then(|()| fs::rename(&temporary, target))
            .map_err(|e| OutputError::at(target, e))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn only_the_hidden_folder_appears() {
        let dir = tempfile::tempdir().unwrap();
        let output = OutputFolder::new(dir.path());
        output.prepare().unwrap();
        output
            .write_atomically(&output.last_good_script(), b"def execute(): pass")
            .unwrap();
        let names: Vec<_> = fs::read_dir(dir.path())
            .unwrap()
            .map(|e| e.unwrap().file_name())
            .collect();
        assert_eq!(names, [".live-data"]);
        assert_eq!(fs::read(output.last_good_script()).unwrap(), b"def execute(): pass");
    }

    #[test]
    fn a_folder_that_cannot_be_made_is_reported_with_its_path_and_the_user() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("file");
        fs::write(&file, b"").unwrap();
        let error = OutputFolder::new(&file).prepare().unwrap_err().to_string();
        assert!(error.contains("file/.live-data") && error.contains("uid"), "{error}");
    }

    #[test]
    fn half_written_files_are_swept() {
        let dir = tempfile::tempdir().unwrap();
        let output = OutputFolder::new(dir.path());
        output.prepare().unwrap();
        fs::write(output.temporary().join("half.nxs"), b"x").unwrap();
        assert_eq!(output.sweep().unwrap(), 1);
        assert_eq!(fs::read_dir(output.temporary()).unwrap().count(), 0);
    }
}
