//! Veto bits in force by time, from veto configurations (vc00) in any order.
//!
//! Promises: clones share the list, so that a snapshot costs two words. It must not know runs.

use std::sync::Arc;

use crate::frame_row::FrameRow;

/// Veto bits in force by pulse time, and the treatment of SETUP frames.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct VetoMasks {
    /// (pulse time in ns from which the mask holds, mask), ascending.
    steps: Arc<Vec<(i64, u32)>>,
    exclude_setup: bool,
}

impl VetoMasks {
    /// No bits in force at any time.
    pub(crate) fn new(exclude_setup: bool) -> Self {
        Self {
            steps: Arc::default(),
            exclude_setup,
        }
    }

    /// True before the first veto configuration.
    pub(crate) fn is_empty(&self) -> bool {
        self.steps.is_empty()
    }

    /// Sets the bits in force from `time` (ns) on. Returns the range `[time, stop)` in which they changed, if any.
    pub(crate) fn set(&mut self, time: i64, mask: u32) -> Option<(i64, i64)> {
        let steps = &self.steps;
        let index = steps.partition_point(|&(from, _)| from < time);
        let until = |index: usize| steps.get(index).map_or(i64::MAX, |&(from, _)| from);
        match steps.get(index) {
            Some(&(from, known)) if from == time => {
                if known == mask {
                    return None;
                }
                let until = until(index + 1);
                if let Some(step) = Arc::make_mut(&mut self.steps).get_mut(index) {
                    step.1 = mask;
                }
                Some((time, until))
            }
            _ => {
                let until = until(index);
                let before = self.at(time);
                let first = self.steps.is_empty();
                Arc::make_mut(&mut self.steps).insert(index, (time, mask));
                (first || before != mask).then_some((time, until))
            }
        }
    }

    /// Forgets masks that no frame from `time` (ns) on can have, once the list has more than 64.
    pub(crate) fn forget_before(&mut self, time: i64) {
        let in_force = self.steps.partition_point(|&(from, _)| from <= time);
        if in_force > 64 {
            Arc::make_mut(&mut self.steps).drain(..in_force - 1);
        }
    }

    /// Bits in force at a pulse time; none before the first configuration.
    fn at(&self, time: i64) -> u32 {
        match self.steps.last() {
            None => 0,
            Some(&(from, mask)) if time >= from => mask,
            _ => self
                .steps
                .partition_point(|&(from, _)| from <= time)
                .checked_sub(1)
                .and_then(|index| self.steps.get(index))
                .map_or(0, |&(_, mask)| mask),
        }
    }

    /// True if a veto bit of the frame is in force at its pulse time.
    pub(crate) fn vetoed(&self, row: &FrameRow) -> bool {
        row.has_vetos() && row.veto_bits() & self.at(row.pulse_time()) != 0
    }

    /// True if the frame counts: neither vetoed nor excluded as SETUP.
    pub(crate) fn good(&self, row: &FrameRow) -> bool {
        !self.vetoed(row) && (!self.exclude_setup || !row.is_setup())
    }
}
