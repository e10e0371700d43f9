//! Whether there is room for a file before it is begun.
//!
//! Promises an error in words instead of a file that ends in the middle: the HDF5 library keeps what it could not write in
//! its cache, and gives up the process when such a file is closed in some builds. Must not reserve anything: another
//! program may still fill the volume meanwhile, which then shows as an error of the library.

use std::path::Path;

use crate::error::NexusError;
use crate::file::{Data, Horizontal, ProcessedEntry};
use crate::write::Options;

/// What a file takes beside its data: groups, attributes, the instrument's definition is counted by itself.
const OVERHEAD: u64 = 256 << 10;

/// Fails when the volume of `path` has less room than the entries will take.
pub(crate) fn check(path: &Path, entries: &[ProcessedEntry<'_>], options: Options) -> Result<(), NexusError> {
    room(path, entries.iter().map(|entry| size(entry, options)).sum())
}

/// Fails when the volume of `path` has less room than this many bytes.
pub(crate) fn room(path: &Path, needed: u64) -> Result<(), NexusError> {
    let folder = path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty())
        .unwrap_or(Path::new("."));
    // A volume that does not tell is written to all the same.
    let Ok(volume) = nix::sys::statvfs::statvfs(folder) else {
        return Ok(());
    };
    #[allow(clippy::useless_conversion)] // its width depends on the platform
    let free = u64::from(volume.blocks_available()).saturating_mul(volume.fragment_size());
    if free >= needed {
        return Ok(());
    }
    Err(NexusError::NoSpace {
        path: path.to_owned(),
        needed_mib: needed.div_ceil(1 << 20),
        free_mib: free >> 20,
    })
}

/// Bytes that an entry will take, at least; compressed data can become very small.
fn size(entry: &ProcessedEntry<'_>, options: Options) -> u64 {
    let data = match &entry.data {
        Data::Matrix { x, rows } => {
            let count = rows.rows() as u64;
            let x = match x {
                Horizontal::Common(x) => x.len() as u64,
                Horizontal::PerRow(each) => (*each as u64).saturating_mul(count),
            };
            (count.saturating_mul(rows.bins() as u64).saturating_mul(2))
                .saturating_add(x)
                .saturating_mul(8)
        }
        Data::Events { x, events, .. } => {
            let count: u64 = events.counts().iter().sum();
            count.saturating_mul(16).saturating_add(8 * x.len() as u64)
        }
    };
    let logs: u64 = entry.logs.iter().map(|log| 16 * log.values.len() as u64).sum();
    let detectors = 28 * entry.spectra.detectors.len() as u64;
    let data = if options.compress { 0 } else { data };
    OVERHEAD
        .saturating_add(data)
        .saturating_add(logs)
        .saturating_add(detectors)
}
