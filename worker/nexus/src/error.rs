//! Errors of reading and writing NeXus files.

use std::path::PathBuf;

use thiserror::Error;

use crate::source::SourceError;

/// Failure of a file that is read or written. Each names the file, and the group, dataset or attribute concerned.
#[derive(Debug, Error)]
pub enum NexusError {
    /// The file does not exist, is no HDF5 file, or cannot be created.
    #[error("cannot open {path} as an HDF5 file: {reason}")]
    Open {
        path: PathBuf,
        /// Text of the HDF5 library or of the system.
        reason: String,
    },
    /// The HDF5 library or the system failed while the file was written; the file is incomplete.
    #[error("cannot write {what} to {path}: {reason}")]
    Write {
        /// Group, dataset or attribute.
        what: String,
        path: PathBuf,
        /// Text of the HDF5 library or of the system.
        reason: String,
    },
    /// The volume has less free space than the file needs; nothing was written.
    #[error(
        "cannot write {path}: No space left on its volume, {needed_mib} MiB are needed and {free_mib} MiB are free. Delete \
         what is not needed there, or save fewer bins"
    )]
    NoSpace {
        path: PathBuf,
        /// Lower bound of the file's size, MiB, rounded up.
        needed_mib: u64,
        /// Free space for unprivileged users, MiB, rounded down.
        free_mib: u64,
    },
    /// A part that the layout requires is missing, of another type, or contradicts another part.
    #[error("cannot read {what} of {path}: {reason}")]
    Read {
        /// Group, dataset or attribute.
        what: String,
        path: PathBuf,
        /// Text of the HDF5 library, or the deviation from the layout.
        reason: String,
    },
    /// Two lists of an entry that belong together differ in length.
    #[error("{what} has {found} entries where {expected} are needed: the file was not written")]
    LengthMismatch {
        what: &'static str,
        found: usize,
        expected: usize,
    },
    /// The source of the data failed; the file is incomplete.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// The file is HDF5 but has no such entry.
    #[error("{path} holds no mantid_workspace_{number}: it is no processed NeXus file, or has fewer entries")]
    NotProcessed {
        path: PathBuf,
        /// Number of the entry, from 1.
        number: usize,
    },
}
