//! Sums of a run's frames by period, at the cost of the frames that changed since the previous call.
//!
//! Promises: equal to sums over all frames. Unchanged slices of frames are recognised by address; the cache holds them,
//! so that no other slice can get the same address. It must not change the frames.

use std::collections::HashMap;
use std::sync::Arc;

use crate::frame_row::FrameRow;
use crate::frame_sums::FrameSums;
use crate::pulse_table::PulseTable;
use crate::run::RunTotals;
use crate::veto_masks::VetoMasks;

/// Sums of one slice by period number, ascending.
type PeriodSums = Vec<(u16, FrameSums)>;

/// Cache of the sums of unchanged slices of frames, for one run.
#[derive(Debug, Default)]
pub struct PeriodTotals {
    masks: VetoMasks,
    slices: HashMap<usize, (Arc<Vec<FrameRow>>, PeriodSums)>,
}

impl PeriodTotals {
    /// Totals of each period with frames, by period number, ascending.
    pub fn totals(&mut self, pulses: &PulseTable) -> Vec<(u16, RunTotals)> {
        let masks = pulses.masks();
        if self.masks != *masks {
            self.slices.clear();
            self.masks = masks.clone();
        }
        let mut known = HashMap::with_capacity(self.slices.len());
        let mut all = PeriodSums::new();
        for (rows, whole) in pulses.slices() {
            let Some(slice) = whole else {
                add(&mut all, &sums(rows, masks));
                continue;
            };
            let identity = Arc::as_ptr(slice) as usize;
            let entry = self.slices.remove(&identity);
            let entry = entry.unwrap_or_else(|| (Arc::clone(slice), sums(rows, masks)));
            add(&mut all, &entry.1);
            known.insert(identity, entry);
        }
        self.slices = known;
        all.into_iter().map(|(period, sum)| (period, sum.totals())).collect()
    }
}

fn sums(rows: &[FrameRow], masks: &VetoMasks) -> PeriodSums {
    let mut sums = PeriodSums::new();
    for row in rows {
        of_period(&mut sums, row.period()).add(row, masks);
    }
    sums
}

fn add(all: &mut PeriodSums, more: &PeriodSums) {
    for (period, sum) in more {
        of_period(all, *period).merge(sum);
    }
}

fn of_period(sums: &mut PeriodSums, period: u16) -> &mut FrameSums {
    // Few periods: a sorted list is faster than a map.
    let index = match sums.binary_search_by_key(&period, |(period, _)| *period) {
        Ok(index) => index,
        Err(index) => {
            sums.insert(index, (period, FrameSums::default()));
            index
        }
    };
    &mut sums[index].1
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::frame_row::FrameMetadata;
    use crate::frame_store::FrameStore;
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
            let mut frames = FrameStore::new(false);
            let mut known = PeriodTotals::default();
            for (step, (pulses, start, span)) in steps.into_iter().enumerate() {
                for (time, period, charge, vetos) in pulses {
                    let metadata = FrameMetadata {
                        vetos: Some(vetos),
                        period: Some(period),
                        charge: (charge > 0).then(|| f32::from(charge)),
                        setup: None,
                    };
                    frames.add_events(time, 3, &mut 0);
                    frames.join_pulse(time, metadata, &mut 0);
                }
                if step % 2 == 1 {
                    frames.set_mask(start, 1);
                }
                let table = frames.table(PulseTime::from_nanos(start), PulseTime::from_nanos(start + span));
                prop_assert_eq!(comparable(known.totals(&table)), comparable(walk(&table)));
                prop_assert_eq!(comparable(known.totals(&table)), comparable(walk(&table)));
            }
        }
    }

    #[test]
    fn what_did_not_change_is_not_summed_again() {
        let mut frames = FrameStore::new(false);
        for time in 0..10_000 {
            frames.add_events(time, 1, &mut 0);
        }
        let table = |frames: &FrameStore| frames.table(PulseTime::from_nanos(0), PulseTime::from_nanos(1 << 40));
        let mut known = PeriodTotals::default();
        known.totals(&table(&frames));
        let before: Vec<usize> = known.slices.keys().copied().collect();
        frames.add_events(10_000, 1, &mut 0);
        assert_eq!(known.totals(&table(&frames))[0].1.raw_frames, 10_001);
        let kept = before
            .iter()
            .filter(|identity| known.slices.contains_key(identity))
            .count();
        assert!(
            kept + 1 >= before.len() && before.len() > 10,
            "{kept} of {}",
            before.len()
        );
    }
}
