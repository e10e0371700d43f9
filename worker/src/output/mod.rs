//! Output folder: the scripts' files, and the worker's own in one hidden folder.
//!
//! Promises that only finished files of scripts appear outside `.live-data`. That folder holds `writer.lock`
//! ([`lease`]), `runs/` ([`marker`]), `tmp/` (files being written) and `script.py` (the last one that was loaded). Must
//! not decide what is executed.

pub mod lease;
pub mod lease_holder;
pub mod marker;

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// Failure to use the output folder.
#[derive(Debug, thiserror::Error)]
pub enum OutputError {
    /// A folder or file in it could not be written.
    #[error(
        "cannot write to the output folder, at {path}: {source}. Check that the volume is mounted read-write and that its \
         files belong to the user or group that the worker runs as (uid {uid}, gid {gid})"
    )]
    NotWritable {
        path: PathBuf,
        source: io::Error,
        /// Effective user of this process.
        uid: u32,
        /// Effective group of this process.
        gid: u32,
    },
}

impl OutputError {
    fn not_writable(path: &Path, source: io::Error) -> Self {
        OutputError::NotWritable {
            path: path.to_owned(),
            source,
            uid: nix::unistd::geteuid().as_raw(),
            gid: nix::unistd::getegid().as_raw(),
        }
    }
}

/// Paths of the output folder of one worker.
#[derive(Clone, Debug)]
pub struct OutputFolder {
    root: PathBuf,
}

impl OutputFolder {
    /// Folder at `root`, which need not exist: nothing is read or written.
    pub fn new(root: impl Into<PathBuf>) -> Self {
        OutputFolder { root: root.into() }
    }

    /// Folder for the scripts' files.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Folder `.live-data` for the worker's own files.
    pub fn hidden(&self) -> PathBuf {
        self.root.join(".live-data")
    }

    /// Folder for files while they are written: on the same volume, so that a rename publishes them.
    pub fn temporary(&self) -> PathBuf {
        self.hidden().join("tmp")
    }

    /// Path of the last script that was loaded.
    pub fn last_good_script(&self) -> PathBuf {
        self.hidden().join("script.py")
    }

    /// Makes the hidden folders, and writes and deletes a file as a check.
    ///
    /// # Errors
    /// [`OutputError::NotWritable`] with the first path that failed.
    pub fn prepare(&self) -> Result<(), OutputError> {
        for folder in [self.temporary(), self.hidden().join("runs")] {
            fs::create_dir_all(&folder).map_err(|e| OutputError::not_writable(&folder, e))?;
        }
        let probe = self.temporary().join(format!("write-check-{}", std::process::id()));
        fs::write(&probe, b"live-data").map_err(|e| OutputError::not_writable(&probe, e))?;
        fs::remove_file(&probe).map_err(|e| OutputError::not_writable(&probe, e))
    }

    /// Deletes the partial files of a worker that was killed; returns their number. Only the holder of the lease may call it.
    ///
    /// # Errors
    /// [`OutputError::NotWritable`] if the folder cannot be listed; a file that cannot be deleted is skipped.
    pub fn remove_partial_files(&self) -> Result<usize, OutputError> {
        let folder = self.temporary();
        let entries = fs::read_dir(&folder).map_err(|e| OutputError::not_writable(&folder, e))?;
        let mut removed = 0;
        for entry in entries.flatten() {
            let path = entry.path();
            let result = if path.is_dir() {
                fs::remove_dir_all(&path)
            } else {
                fs::remove_file(&path)
            };
            removed += usize::from(result.is_ok());
        }
        Ok(removed)
    }

    /// Replaces the file `target`, synced to disk: a reader sees the old content or the new, never a part.
    ///
    /// # Errors
    /// [`OutputError::NotWritable`] with `target`.
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
            .map_err(|e| OutputError::not_writable(target, e))
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
        assert_eq!(output.remove_partial_files().unwrap(), 1);
        assert_eq!(fs::read_dir(output.temporary()).unwrap().count(), 0);
    }
}
