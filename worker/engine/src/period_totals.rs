//! Totals of a run's frames by period, at a cost that does not grow with the run: a stretch of frames that has not
//! changed since it was last asked for is not summed again.
//!
//! Promises: the totals are those of a walk over all frames. Stretches are known by identity and held for as long as
//! they are known, so that no other can be taken for one. It must not change the ledger.

use std::collections::HashMap;
use std::sync::Arc;

use crate::ledger::{Masks, PulseTable, Row, Sum};
use crate::run::RunTotals;

/// Sums of one stretch, by period, ascending.
type Sums = Vec<(u16, Sum)>;

/// What was summed when totals were last asked for.
#[derive(Debug, Default)]
pub struct PeriodTotals {
    masks: Masks,
    stretches: HashMap<usize, (Arc<Vec<Row>>, Sums)>,
}

impl PeriodTotals {
    /// The totals of each period that has frames, ascending.
    pub fn of(&mut self, pulses: &PulseTable) -> Vec<(u16, RunTotals)> {
        let masks = pulses.masks();
        if self.masks != *masks {
            self.stretches.clear();
            self.masks = masks.clone();
        }
        let mut known = HashMap::with_capacity(self.stretches.len());
        let mut all = Sums::new();
        for (rows, whole) in pulses.stretches() {
            let Some(stretch) = whole else {
                add(&mut all, &sums(rows, masks));
                continue;
            };
            let identity = Arc::as_ptr(stretch) as usize;
            let entry = self.stretches.remove(&identity);
            let entry = entry.unwrap_or_else(|| (Arc::clone(stretch), sums(rows, masks)));
            add(&mut all, &entry.1);
            known.insert(identity, entry);
        }
        self.stretches = known;
        all.into_iter().map(|(period, sum)| (period, sum.totals())).collect()
    }
}

fn sums(rows: &[Row], masks: &Masks) -> Sums {
    let mut sums = Sums::new();
    for row in rows {
        of_period(&mut sums, row.period()).add(row, masks);
    }
    sums
}

fn add(all: &mut Sums, more: &Sums) {
    for (period, sum) in more {
        of_period(all, *period).join(sum);
    }
}

fn of_period(sums: &mut Sums, period: u16) -> &mut Sum {
    // Most frames are of the period of the frame before, or of a run's only one.
    let place = match sums.binary_search_by_key(&period, |(period, _)| *period) {
        Ok(place) => place,
        Err(place) => {
            sums.insert(place, (period, Sum::default()));
            place
        }
    };
    &mut sums[place].1
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ledger::{Ledger, Metadata};
    use crate::time::PulseTime;
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    fn walk(table: &PulseTable) -> Vec<(u16, RunTotals)> {
        let mut periods: BTreeMap<u16, (u64, u64, u64, f64, u64)> = BTreeMap::new();
        for pulse in table.iter() {
            let of = periods.entry(pulse.period).or_default();
            of.0 += 1;
            if pulse.good {
                of.1 += 1;
                of.2 += u64::from(pulse.events);
                if let Some(charge) = pulse.proton_charge {
                    of.3 += f64::from(charge);
                    of.4 += 1;
                }
            }
        }
        let totals = |(raw_frames, good_frames, events, charge, charged_frames): (u64, u64, u64, f64, u64)| RunTotals {
            raw_frames,
            good_frames,
            events,
            charged_frames,
            proton_charge: (charged_frames > 0).then_some(charge),
            ..RunTotals::default()
        };
        periods.into_iter().map(|(period, of)| (period, totals(of))).collect()
    }

    fn comparable(totals: Vec<(u16, RunTotals)>) -> Vec<(u16, u64, u64, u64, u64, Option<f64>)> {
        let each = |(period, totals): (u16, RunTotals)| {
            let (raw, good, charged) = (totals.raw_frames, totals.good_frames, totals.charged_frames);
            (period, raw, good, totals.events, charged, totals.proton_charge)
        };
        totals.into_iter().map(each).collect()
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn totals_are_those_of_a_walk_whatever_changed_since(
            steps in prop::collection::vec(
                (prop::collection::vec((0_i64..4000, 0_u16..3, 0_u8..4, 0_u32..2), 1..900), 0_i64..4000, 1_i64..5000), 1..6),
        ) {
            let mut ledger = Ledger::new(false);
            let mut known = PeriodTotals::default();
            for (step, (pulses, start, span)) in steps.into_iter().enumerate() {
                for (time, period, charge, vetos) in pulses {
                    let metadata = Metadata {
                        vetos: Some(vetos),
                        period: Some(period),
                        charge: (charge > 0).then(|| f32::from(charge)),
                        setup: None,
                    };
                    ledger.add_events(time, 3, &mut 0);
                    ledger.join_pulse(time, metadata, &mut 0);
                }
                if step % 2 == 1 {
                    ledger.set_mask(start, 1);
                }
                let table = ledger.table(PulseTime::from_nanos(start), PulseTime::from_nanos(start + span));
                prop_assert_eq!(comparable(known.of(&table)), comparable(walk(&table)));
                prop_assert_eq!(comparable(known.of(&table)), comparable(walk(&table)));
            }
        }
    }

    #[test]
    fn what_did_not_change_is_not_summed_again() {
        let mut ledger = Ledger::new(false);
        for time in 0..10_000 {
            ledger.add_events(time, 1, &mut 0);
        }
        let table = |ledger: &Ledger| ledger.table(PulseTime::from_nanos(0), PulseTime::from_nanos(1 << 40));
        let mut known = PeriodTotals::default();
        known.of(&table(&ledger));
        let before: Vec<usize> = known.stretches.keys().copied().collect();
        ledger.add_events(10_000, 1, &mut 0);
        assert_eq!(known.of(&table(&ledger))[0].1.raw_frames, 10_001);
        let kept = before
            .iter()
            .filter(|identity| known.stretches.contains_key(identity))
            .count();
        assert!(
            kept + 1 >= before.len() && before.len() > 10,
            "{kept} of {}",
            before.len()
        );
    }
}
