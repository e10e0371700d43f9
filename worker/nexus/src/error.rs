//! What goes wrong with files, and whose business it is.

use std::path::PathBuf;

use thiserror::Error;

use crate::file::SourceError;

/// Why a file could not be written or read.
#[derive(Debug, Error)]
pub enum NexusError {
    /// The file could not be opened or created.
    #[error("cannot open {path} as an HDF5 file: {reason}")]
    Open {
        /// The file.
        path: PathBuf,
        /// What the library or the system said.
        reason: String,
    },
    /// Something could not be written.
    #[error("cannot write {what} to {path}: {reason}")]
    Write {
        /// Which group, dataset or attribute.
        what: String,
        /// The file.
        path: PathBuf,
        /// What the library or the system said.
        reason: String,
    },
    /// The volume is full.
    #[error(
        "cannot write {path}: No space left on its volume, {needed_mib} MiB are needed and {free_mib} MiB are free. Delete \
         what is not needed there, or save fewer bins"
    )]
    NoSpace {
        /// The file.
        path: PathBuf,
        /// What it needs.
        needed_mib: u64,
        /// What there is.
        free_mib: u64,
    },
    /// Something could not be read.
    #[error("cannot read {what} of {path}: {reason}")]
    Read {
        /// Which group, dataset or attribute.
        what: String,
        /// The file.
        path: PathBuf,
        /// What the library said, or what was found instead.
        reason: String,
    },
    /// The description contradicts itself.
    #[error("{what} has {found} entries where {expected} are needed: the file was not written")]
    Mismatch {
        /// What is of the wrong length.
        what: &'static str,
        /// Its length.
        found: usize,
        /// The length that the rest asks for.
        expected: usize,
    },
    /// The source of the data gave up.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// The file is HDF5, but holds no processed workspace.
    #[error("{path} holds no mantid_workspace_{number}: it is no processed NeXus file, or has fewer entries")]
    NotProcessed {
        /// The file.
        path: PathBuf,
        /// The entry that was asked for, from 1.
        number: usize,
    },
}
