//! Free space of a volume, checked before a file is begun.
//!
//! Promises an error instead of a truncated file. Some builds of the HDF5 library abort the process when a file with
//! unwritten data is closed on a full volume. Must not reserve space: where another program fills the volume meanwhile,
//! the library's own error remains.

use std::path::Path;

use crate::entry::{EntryData, ProcessedEntry, XValues};
use crate::error::NexusError;

/// Bytes of an entry's groups, attributes and texts, estimated.
const OVERHEAD: u64 = 256 << 10;

/// Fails with [`NexusError::NoSpace`] when the volume of `path` cannot hold the entries.
pub(crate) fn require_space(path: &Path, entries: &[ProcessedEntry<'_>], compress: bool) -> Result<(), NexusError> {
    require_bytes(path, entries.iter().map(|entry| size(entry, compress)).sum())
}

/// Fails with [`NexusError::NoSpace`] when the volume of `path` has less than `needed` bytes free.
pub(crate) fn require_bytes(path: &Path, needed: u64) -> Result<(), NexusError> {
    let folder = path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty())
        .unwrap_or(Path::new("."));
    // Where the free space is unknown, writing is attempted.
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

/// Lower bound of an entry's size in bytes; compressed data count as 0, since they can become very small.
fn size(entry: &ProcessedEntry<'_>, compress: bool) -> u64 {
    let data = match &entry.data {
        EntryData::Matrix { x, rows } => {
            let count = rows.rows() as u64;
            let x = match x {
                XValues::Common(x) => x.len() as u64,
                XValues::PerRow(each) => (*each as u64).saturating_mul(count),
            };
            (count.saturating_mul(rows.bins() as u64).saturating_mul(2))
                .saturating_add(x)
                .saturating_mul(8)
        }
        EntryData::Events { x, events, .. } => {
            let count: u64 = events.counts().iter().sum();
            count.saturating_mul(16).saturating_add(8 * x.len() as u64)
        }
    };
    let logs: u64 = entry.logs.iter().map(|log| 16 * log.values.len() as u64).sum();
    let detectors = 28 * entry.spectra.detectors.len() as u64;
    let data = if compress { 0 } else { data };
    OVERHEAD
        .saturating_add(data)
        .saturating_add(logs)
        .saturating_add(detectors)
}
