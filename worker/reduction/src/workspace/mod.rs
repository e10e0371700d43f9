//! Workspaces: values that scripts name and algorithms compute with. Promises: clones share their data, which are copied
//! when changed. Must not: know Python.
//!
//! # Layout
//! [`data`] (rows of X, Y and E), [`events`], [`axis`], [`spectra`], [`sample`], [`history`] → [`matrix`] with
//! [`spectrum_info`], [`labels`] and [`dense`]; [`table`] with `table_values` → [`cell`] (any workspace, cells, groups).

pub mod axis;
pub mod cell;
pub mod data;
pub mod dense;
pub mod events;
pub mod history;
pub mod labels;
pub mod matrix;
pub mod sample;
pub mod spectra;
pub mod spectrum_info;
pub mod table;
mod table_values;

pub use cell::{Workspace, WorkspaceCell, WorkspaceGroup, WorkspaceHandle};
pub use matrix::MatrixWorkspace;
pub use table::TableWorkspace;
