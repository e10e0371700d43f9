//! NeXus files of reduced data: Mantid's processed files, written and read, and NXSPE files, written.
//!
//! Promises: a file is complete, or an error names its cause. Data of any size are streamed from a source through a
//! buffer of a few megabytes. Must not know workspaces, nor publish: a caller that wants a file to appear whole passes
//! a temporary path and renames it.
//!
//! The HDF5 library is one per process and not thread-safe. Every call into it holds the global lock of `hdf5-metno`,
//! and waits for nothing but the disk meanwhile.
//!
//! # Layout
//! [`entry`] (content) and [`source`] (its numbers) → [`write`](mod@write) → [`read`](mod@read); [`nxspe`]; [`error`];
//! `space` (free space of the volume); `raw` (calls into the C library).

pub mod entry;
pub mod error;
pub mod nxspe;
mod raw;
pub mod read;
pub mod source;
mod space;
pub mod write;

pub use entry::{
    AxisUnit, BinMask, EntryData, History, Instrument, LogTimes, LogValues, NxLog, NxNote, PhysicalDetector,
    ProcessedEntry, Sample, Spectra, VerticalAxis, XValues,
};
pub use error::NexusError;
pub use read::{
    LoadedData, LoadedEntry, LoadedEvents, LoadedMatrix, LoadedVerticalAxis, LoadedWeights, ProcessedReader,
};
pub use source::{EventBlock, EventSource, RowSource, SourceError};
pub use write::{WriteOptions, append_to, write_to};
