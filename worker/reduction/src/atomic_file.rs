//! Atomic replacement of output files. Promises: a file is written under a hidden name on the same volume, synced and
//! renamed. A reader sees the former file or the new one, never a part. A failure leaves the former file unchanged and
//! removes the hidden one. Must not: know the content of files.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use crate::error::{AlgorithmError, Result};
use crate::service::ConfigService;

static NEXT: AtomicU64 = AtomicU64::new(0);

/// Absolute path of an output file. `~/` stands for `$HOME`; relative names are resolved in `defaultsave.directory`;
/// `extension` is added to names without one.
pub fn save_path(config: &ConfigService, name: &str, extension: &str) -> PathBuf {
    let mut path = match name.strip_prefix("~/").zip(std::env::var_os("HOME")) {
        Some((rest, home)) => PathBuf::from(home).join(rest),
        None => PathBuf::from(name),
    };
    if path.is_relative()
        && let Some(folder) = config.directories("defaultsave.directory").first()
    {
        path = folder.join(path);
    }
    if path.extension().is_none() && !extension.is_empty() {
        path.set_extension(extension);
    }
    path
}

/// Treatment of a file that already has the name of the output.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExistingFile {
    /// The output replaces it.
    Replace,
    /// The output starts as a copy of it, to be appended to.
    Extend,
}

impl ExistingFile {
    /// `Extend` for algorithms with `Append` set.
    pub fn from_append(append: bool) -> Self {
        if append { Self::Extend } else { Self::Replace }
    }
}

/// Replaces `target` by the file that `write` makes at a hidden path. Missing folders are created.
///
/// # Errors
/// `write`'s own; `Execution` with path and reason when the file or its folder cannot be written.
pub fn write_atomically(
    config: &ConfigService,
    target: &Path,
    existing: ExistingFile,
    write: impl FnOnce(&Path) -> Result<()>,
) -> Result<()> {
    let failed = |what: &str, path: &Path, error: &io::Error| {
        AlgorithmError::Execution(format!("Unable to {what} {}: {error}", path.display()))
    };
    let folder = target
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty())
        .unwrap_or(Path::new("."));
    std::fs::create_dir_all(folder).map_err(|error| failed("make the folder", folder, &error))?;
    let hidden = HiddenFile(hidden_path(config, target, folder));
    if let Some(parent) = hidden.0.parent() {
        std::fs::create_dir_all(parent).map_err(|error| failed("make the folder", parent, &error))?;
    }
    if existing == ExistingFile::Extend && target.exists() {
        std::fs::copy(target, &hidden.0).map_err(|error| failed("copy", target, &error))?;
    }
    write(&hidden.0)?;
    let synced = File::open(&hidden.0).and_then(|file| file.sync_all());
    synced.map_err(|error| failed("write", target, &error))?;
    if let Err(error) = std::fs::rename(&hidden.0, target) {
        if error.kind() != io::ErrorKind::CrossesDevices {
            return Err(failed("write", target, &error));
        }
        // The target's folder is another volume: copy to a hidden file beside the target first.
        let beside = HiddenFile(beside(target, folder));
        let moved = std::fs::copy(&hidden.0, &beside.0)
            .and_then(|_| File::open(&beside.0)?.sync_all())
            .and_then(|()| std::fs::rename(&beside.0, target));
        moved.map_err(|error| failed("write", target, &error))?;
    }
    // Syncing the folder lets the name survive a crash; some file systems refuse it.
    if let Ok(folder) = File::open(folder) {
        let _ = folder.sync_all();
    }
    Ok(())
}

/// Hidden file, removed on drop unless it has been renamed.
struct HiddenFile(PathBuf);

impl Drop for HiddenFile {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

fn hidden_path(config: &ConfigService, target: &Path, folder: &Path) -> PathBuf {
    let output = config.directories("defaultsave.directory").into_iter().next();
    let root = output.and_then(|output| output.canonicalize().ok());
    match (root, folder.canonicalize()) {
        (Some(root), Ok(inside)) if inside.starts_with(&root) => {
            root.join(".live-data").join("tmp").join(unique(target))
        }
        _ => beside(target, folder),
    }
}

fn beside(target: &Path, folder: &Path) -> PathBuf {
    folder.join(format!(".{}", unique(target)))
}

fn unique(target: &Path) -> String {
    let name = target
        .file_name()
        .map(|name| name.to_string_lossy().into_owned())
        .unwrap_or_default();
    format!("{}-{}-{name}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn names(folder: &Path) -> Vec<String> {
        let mut names: Vec<String> = std::fs::read_dir(folder)
            .unwrap()
            .map(|e| e.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    #[test]
    fn files_appear_whole_and_failures_leave_the_former_one() {
        let folder = tempfile::tempdir().unwrap();
        let config = ConfigService::new();
        config.set("defaultsave.directory", folder.path().to_str().unwrap());
        let target = save_path(&config, "sub/a", "txt");
        assert_eq!(target, folder.path().join("sub/a.txt"));
        write_atomically(&config, &target, ExistingFile::Replace, |path| {
            assert!(path.starts_with(folder.path().join(".live-data/tmp")));
            std::fs::write(path, "one").map_err(|e| AlgorithmError::Execution(e.to_string()))
        })
        .unwrap();
        let failed = write_atomically(&config, &target, ExistingFile::Replace, |path| {
            std::fs::write(path, "half").unwrap();
            Err(AlgorithmError::Cancelled)
        });
        assert!(failed.is_err());
        assert_eq!(std::fs::read_to_string(&target).unwrap(), "one");
        write_atomically(&config, &target, ExistingFile::Extend, |path| {
            let former = std::fs::read_to_string(path).unwrap();
            std::fs::write(path, former + "two").unwrap();
            Ok(())
        })
        .unwrap();
        assert_eq!(std::fs::read_to_string(&target).unwrap(), "onetwo");
        assert!(names(&folder.path().join(".live-data/tmp")).is_empty());
        assert_eq!(names(&folder.path().join("sub")), ["a.txt"]);
    }

    #[test]
    fn a_folder_that_cannot_be_written_is_named() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let target = file.path().join("a.txt");
        let error = write_atomically(&ConfigService::new(), &target, ExistingFile::Replace, |_| Ok(())).unwrap_err();
        assert!(error.to_string().contains(file.path().to_str().unwrap()));
    }
}
