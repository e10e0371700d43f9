//! Processed NeXus files in the layout of Mantid's SaveNexusProcessed, written row block by row block and read back.
//!
//! Promises: a file is complete or an error says why not; data of any size are streamed from a source through a
//! buffer of a few megabytes. It knows nothing of workspaces, and publishes nothing: a caller that wants a file to
//! appear whole gives a temporary path and renames it.
//!
//! The HDF5 library is one per process and not safe for threads; every call into it holds its global lock (see
//! [`locked`]), and no call waits for anything but the disk while it does.
//!
//! # Layout
//! [`file`] (what a file says) → [`write`](mod@write) → the disk, where there is `space` → [`read`](mod@read); [`nxspe`]; [`error`]; `raw` (the library itself).

pub mod error;
pub mod file;
pub mod nxspe;
mod raw;
pub mod read;
mod space;
pub mod write;

pub use error::NexusError;
pub use file::{
    Axis, BinMask, Data, EventBlock, EventSource, History, Horizontal, Instrument, Log, LogValues, Note,
    PhysicalDetector, ProcessedEntry, RowSource, Sample, SourceError, Spectra, Vertical,
};
pub use read::{LoadedData, LoadedEntry, LoadedEvents, LoadedMatrix, ProcessedReader};
pub use write::{Options, append_to, write_to};

/// Runs `work` while holding the lock of the HDF5 library: for other users of the library in this process.
pub fn locked<T>(work: impl FnOnce() -> T) -> T {
    hdf5_metno::sync::sync(work)
}
