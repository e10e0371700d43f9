//! Sums over frames as integers, so that they do not depend on the order of arrival.

use crate::frame_row::FrameRow;
use crate::run::RunTotals;
use crate::veto_masks::VetoMasks;

/// Units of charge in one µA·h: sums are kept in 2⁻⁴⁴ µA·h (6·10⁻¹⁴), far below the resolution of a frame's `f32`.
const CHARGE_UNIT: f64 = (1_u64 << 44) as f64;

/// Exact sums over frames; an added frame can be subtracted again.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct FrameSums {
    events: u64,
    excluded_events: u64,
    raw: u64,
    good: u64,
    vetoed: u64,
    setup: u64,
    charged: u64,
    /// Proton charge in units of 2⁻⁴⁴ µA·h.
    charge: i128,
    /// One more than the highest period number seen; a subtraction leaves it.
    pub(crate) periods: u32,
    /// True once a frame had veto bits; a subtraction leaves it.
    pub(crate) veto_bits: bool,
}

impl FrameSums {
    /// Adds a frame under the masks in force.
    pub(crate) fn add(&mut self, row: &FrameRow, masks: &VetoMasks) {
        self.apply(row, masks, true);
        self.periods = self.periods.max(u32::from(row.period()) + 1);
        self.veto_bits |= row.has_vetos();
    }

    /// Subtracts a frame that was added with the same values and masks.
    pub(crate) fn subtract(&mut self, row: &FrameRow, masks: &VetoMasks) {
        self.apply(row, masks, false);
    }

    /// Adds the sums of other frames.
    pub(crate) fn merge(&mut self, other: &Self) {
        self.events += other.events;
        self.excluded_events += other.excluded_events;
        self.raw += other.raw;
        self.good += other.good;
        self.vetoed += other.vetoed;
        self.setup += other.setup;
        self.charged += other.charged;
        self.charge += other.charge;
        self.periods = self.periods.max(other.periods);
        self.veto_bits |= other.veto_bits;
    }

    fn apply(&mut self, row: &FrameRow, masks: &VetoMasks, add: bool) {
        let step = |count: &mut u64, by: u64| {
            *count = if add {
                count.saturating_add(by)
            } else {
                count.saturating_sub(by)
            };
        };
        step(&mut self.raw, 1);
        if masks.vetoed(row) {
            step(&mut self.vetoed, 1);
        }
        if row.is_setup() {
            step(&mut self.setup, 1);
        }
        if !masks.good(row) {
            step(&mut self.excluded_events, u64::from(row.events()));
            return;
        }
        step(&mut self.good, 1);
        step(&mut self.events, u64::from(row.events()));
        if let Some(charge) = row.charge() {
            step(&mut self.charged, 1);
            #[allow(clippy::cast_possible_truncation)]
            let charge = (f64::from(charge) * CHARGE_UNIT).round() as i128;
            self.charge += if add { charge } else { -charge };
        }
    }

    /// The sums in public units; the charge in µA·h.
    #[allow(clippy::cast_precision_loss)]
    pub(crate) fn totals(&self) -> RunTotals {
        RunTotals {
            events: self.events,
            excluded_events: self.excluded_events,
            raw_frames: self.raw,
            good_frames: self.good,
            vetoed_frames: self.vetoed,
            setup_frames: self.setup,
            charged_frames: self.charged,
            proton_charge: (self.charged > 0).then_some(self.charge as f64 / CHARGE_UNIT),
        }
    }
}
