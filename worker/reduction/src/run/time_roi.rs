//! Intervals of time whose data are selected.

use std::sync::Arc;

use crate::date_and_time::DateAndTime;

/// Half-open intervals `[start, stop)` in ascending order, without overlap: Mantid's `TimeROI`.
pub type TimeRoi = Arc<[(DateAndTime, DateAndTime)]>;
