//! Frames and proton charge that are new since the last chunk: pure.
//!
//! Promises: the sum over chunks equals the run's total, also if frames or their charges arrive late, or frames are
//! vetoed later. Must not read events.

use live_data_engine::pulse_table::{Pulse, PulseTable};
use live_data_engine::time::PulseTime;
use live_data_reduction::run_portion::PeriodFrames;

/// Frames of a run in a range of pulse times `[from, until)`.
#[derive(Clone, Debug)]
pub struct DeliveredFrames {
    table: PulseTable,
    from: PulseTime,
    until: PulseTime,
}

impl DeliveredFrames {
    /// Frames of `table` in `[from, until)`.
    pub fn new(table: PulseTable, from: PulseTime, until: PulseTime) -> Self {
        DeliveredFrames { table, from, until }
    }

    fn iter(&self) -> impl Iterator<Item = Pulse> + '_ {
        self.table.range(self.from, self.until)
    }

    /// Pulse time of the newest frame; `None` without frames.
    pub fn newest(&self) -> Option<PulseTime> {
        self.iter().map(|pulse| pulse.time).last()
    }
}

/// Frames by period that are in `now` and not in `before`.
///
/// With `corrections`, frames that changed are subtracted as they were and added as they are. O(frames of both).
pub fn frames_since(
    now: &DeliveredFrames,
    before: Option<&DeliveredFrames>,
    periods: u32,
    corrections: bool,
) -> Vec<PeriodFrames> {
    let mut tallies: Vec<PeriodFrames> = (0..periods.max(1)).map(|_| PeriodFrames::default()).collect();
    let mut former = before.into_iter().flat_map(DeliveredFrames::iter).peekable();
    for pulse in now.iter() {
        while let Some(gone) = former.next_if(|old| old.time < pulse.time) {
            if corrections {
                add_frame(&mut tallies, &gone, periods, -1);
            }
        }
        match former.next_if(|old| old.time == pulse.time) {
            Some(old) if is_unchanged(&old, &pulse) => {}
            Some(old) if corrections => {
                add_frame(&mut tallies, &old, periods, -1);
                add_frame(&mut tallies, &pulse, periods, 1);
            }
            Some(_) => {}
            None => add_frame(&mut tallies, &pulse, periods, 1),
        }
    }
    if corrections {
        former.for_each(|gone| add_frame(&mut tallies, &gone, periods, -1));
    }
    tallies
}

fn is_unchanged(a: &Pulse, b: &Pulse) -> bool {
    (a.period, a.good, a.proton_charge.map(f32::to_bits)) == (b.period, b.good, b.proton_charge.map(f32::to_bits))
}

fn add_frame(tallies: &mut [PeriodFrames], pulse: &Pulse, periods: u32, sign: i64) {
    let period = if periods <= 1 { 0 } else { usize::from(pulse.period) };
    let Some(tally) = tallies.get_mut(period) else { return };
    tally.raw_frames += sign;
    if !pulse.good {
        return;
    }
    tally.good_frames += sign;
    if let Some(charge) = pulse.proton_charge {
        let charge = f64::from(charge);
        *tally.charge.get_or_insert(0.0) += if sign > 0 { charge } else { -charge };
        if sign > 0 {
            tally.times.push(pulse.time);
            tally.charges.push(charge);
        }
    }
}
