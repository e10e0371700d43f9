//! Frames and their charge between two looks at a run: pure.
//!
//! Promises: what is given piece by piece sums up to what the run has, also when frames come late, learn their charge late,
//! or stop counting. Must not look at events.

use live_data_engine::ledger::{Pulse, PulseTable};
use live_data_engine::time::PulseTime;
use live_data_reduction::bind::Frames;

/// The frames of a run that were looked at.
#[derive(Clone, Debug)]
pub struct Delivered {
    table: PulseTable,
    from: PulseTime,
    until: PulseTime,
}

impl Delivered {
    /// The frames of the table from `from` up to `until`.
    pub fn new(table: PulseTable, from: PulseTime, until: PulseTime) -> Self {
        Delivered { table, from, until }
    }

    fn iter(&self) -> impl Iterator<Item = Pulse> + '_ {
        self.table.range(self.from, self.until)
    }

    /// The time of the newest.
    pub fn newest(&self) -> Option<PulseTime> {
        self.iter().map(|pulse| pulse.time).last()
    }
}

/// What is new in `now`, by period. With `corrections` also what was given and has changed since: its former part is
/// taken back.
pub fn since(now: &Delivered, before: Option<&Delivered>, periods: u32, corrections: bool) -> Vec<Frames> {
    let mut tallies: Vec<Frames> = (0..periods.max(1)).map(|_| Frames::default()).collect();
    let mut former = before.into_iter().flat_map(Delivered::iter).peekable();
    for pulse in now.iter() {
        while let Some(gone) = former.next_if(|old| old.time < pulse.time) {
            if corrections {
                count(&mut tallies, &gone, periods, -1);
            }
        }
        match former.next_if(|old| old.time == pulse.time) {
            Some(old) if same(&old, &pulse) => {}
            Some(old) if corrections => {
                count(&mut tallies, &old, periods, -1);
                count(&mut tallies, &pulse, periods, 1);
            }
            Some(_) => {}
            None => count(&mut tallies, &pulse, periods, 1),
        }
    }
    if corrections {
        former.for_each(|gone| count(&mut tallies, &gone, periods, -1));
    }
    tallies
}

fn same(a: &Pulse, b: &Pulse) -> bool {
    (a.period, a.good, a.proton_charge.map(f32::to_bits)) == (b.period, b.good, b.proton_charge.map(f32::to_bits))
}

fn count(tallies: &mut [Frames], pulse: &Pulse, periods: u32, sign: i64) {
    let period = if periods <= 1 { 0 } else { usize::from(pulse.period) };
    let Some(tally) = tallies.get_mut(period) else { return };
    tally.raw += sign;
    if !pulse.good {
        return;
    }
    tally.good += sign;
    if let Some(charge) = pulse.proton_charge {
        let charge = f64::from(charge);
        *tally.charge.get_or_insert(0.0) += if sign > 0 { charge } else { -charge };
        if sign > 0 {
            tally.times.push(pulse.time);
            tally.charges.push(charge);
        }
    }
}
