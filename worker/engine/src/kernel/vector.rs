//! SIMD binning: cells of eight events at a time, on processors with AVX-512.
//!
//! Promises: the cells equal those of the scalar code: same operations in the same order, none fused. Without support
//! by processor, edges or conversion the scalar code runs. It must not count: it lists cells.

use crate::chunk::Event;
use crate::edges::{Binning, Edges};
use crate::kernel::table::IdTable;
use crate::selection::Bitmap;
use crate::transform::Transform;

/// Cells of a list before they are counted.
pub(crate) const LIST_CELLS: usize = 1024;
/// SIMD lanes: events per step. The list has room for as many beyond its end.
pub(crate) const LANES: usize = 8;

/// First cells of the rows of a bucket's ids.
#[derive(Clone, Copy)]
pub(crate) struct RowCells<'a> {
    /// First cell of the row of each id, from the bucket's first id on; [`crate::plan::UNMAPPED`] without a row.
    pub(crate) first_cells: &'a [u32],
    /// First cell of all ids of the bucket, if they have the same row.
    pub(crate) only: Option<u32>,
}

/// List of cells.
pub(crate) type CellList = [u32; LIST_CELLS + LANES];

#[cfg(target_arch = "x86_64")]
pub(crate) use x86::VectorBinner;

/// Placeholder for other processors; has no value.
#[cfg(not(target_arch = "x86_64"))]
pub(crate) enum VectorBinner<'a> {
    /// Cannot be constructed.
    #[allow(dead_code)]
    None(std::convert::Infallible, &'a ()),
}

#[cfg(not(target_arch = "x86_64"))]
impl<'a> VectorBinner<'a> {
    pub(crate) fn new(_: &'a IdTable, _: &'a Transform, _: &Binning) -> Option<Self> {
        None
    }

    pub(crate) fn list(&self, _: &[Event], _: usize, _: Option<&Bitmap>, _: RowCells<'_>, _: &mut CellList) -> usize {
        0
    }
}

#[cfg(target_arch = "x86_64")]
mod x86 {
    use std::arch::x86_64::*;

    use super::{Binning, Bitmap, CellList, Edges, Event, IdTable, LANES, LIST_CELLS, RowCells, Transform};
    use crate::edges::lanes::{LaneGuess, LaneSearch};
    use crate::kernel::prefetch::AHEAD;
    use crate::kernel::table::ConstantColumn;
    use crate::plan::UNMAPPED;
    use crate::transform::{Formula, TransformStep};

    /// Search for the bin of an event.
    enum BinSearch {
        /// By arithmetic from whole nanoseconds: slope, intercept, first limit, last limit.
        Nanoseconds(f64, f64, u32, u32),
        /// By a converted value.
        Edges(LaneSearch),
        /// One bin for all events.
        Whole,
    }

    /// Transform and binning, prepared for SIMD. A value exists only on processors with the required features.
    pub(crate) struct VectorBinner<'a> {
        table: &'a IdTable,
        transform: &'a Transform,
        search: BinSearch,
    }

    /// Constant of a step for the ids of a bucket.
    #[derive(Clone, Copy)]
    enum LaneConstant<'a> {
        All(__m512d),
        Each(&'a [f64]),
    }

    /// Step with its constants in SIMD registers.
    // At most six on the stack of a pass; a box would cost an indirection per block.
    #[allow(clippy::large_enum_variant)]
    #[derive(Clone, Copy)]
    enum PreparedStep<'a> {
        Convert(Formula, __m512d, [LaneConstant<'a>; 4]),
        Keep(__m512d, __m512d),
    }

    /// Largest number of steps of a transform; rarer, longer ones use the scalar code.
    const MAX_STEPS: usize = 6;

    impl<'a> VectorBinner<'a> {
        /// SIMD binner; `None` without support by processor, edges or conversion.
        pub(crate) fn new(table: &'a IdTable, transform: &'a Transform, binning: &Binning) -> Option<Self> {
            let able = is_x86_feature_detected!("avx512f")
                && is_x86_feature_detected!("avx512dq")
                && is_x86_feature_detected!("avx512vl");
            if !able || transform.steps().len() > MAX_STEPS {
                return None;
            }
            let of_time = |edges: &Edges| edges.nanoseconds().and_then(|edges| edges.exact());
            let search = match binning {
                Binning::Whole => BinSearch::Whole,
                Binning::PerRow(_) => return None,
                Binning::Common(edges) => match of_time(edges).filter(|_| transform.is_identity()) {
                    Some((slope, intercept, low, high)) => BinSearch::Nanoseconds(slope, intercept, low, high),
                    None => BinSearch::Edges(edges.lanes()?),
                },
            };
            Some(Self {
                table,
                transform,
                search,
            })
        }

        /// Lists the cells of the selected events among the first [`LIST_CELLS`] of a bucket; dense ids and `rows`
        /// begin at `first`. Returns the number of cells.
        pub(crate) fn list(
            &self,
            events: &[Event],
            first: usize,
            pulses: Option<&Bitmap>,
            rows: RowCells<'_>,
            out: &mut CellList,
        ) -> usize {
            // SAFETY: a `VectorBinner` is only made where the processor has these features.
            unsafe { self.cells(events, first, pulses, rows, out) }
        }

        #[target_feature(enable = "avx512f,avx512dq,avx512vl")]
        fn prepare(&self, first: usize, ids: usize) -> Option<([Option<PreparedStep<'_>>; MAX_STEPS], usize)> {
            let mut steps = [None; MAX_STEPS];
            let mut columns = self.table.columns.iter();
            for (slot, step) in steps.iter_mut().zip(self.transform.steps()) {
                *slot = Some(match step {
                    TransformStep::Keep { low, high } => {
                        PreparedStep::Keep(_mm512_set1_pd(*low), _mm512_set1_pd(*high))
                    }
                    TransformStep::Convert(step) => {
                        let mut lanes = [LaneConstant::All(_mm512_setzero_pd()); 4];
                        for (lane, column) in lanes.iter_mut().zip(columns.next()?) {
                            *lane = match column {
                                ConstantColumn::Uniform(value) => LaneConstant::All(_mm512_set1_pd(*value)),
                                ConstantColumn::PerId(values) => {
                                    LaneConstant::Each(values.get(first..first.checked_add(ids)?)?)
                                }
                            };
                        }
                        PreparedStep::Convert(step.formula, _mm512_set1_pd(step.inaccessible), lanes)
                    }
                });
            }
            Some((steps, self.transform.steps().len()))
        }

        #[target_feature(enable = "avx512f,avx512dq,avx512vl")]
        fn cells(
            &self,
            events: &[Event],
            first: usize,
            pulses: Option<&Bitmap>,
            RowCells { first_cells, only }: RowCells<'_>,
            out: &mut CellList,
        ) -> usize {
            let Some((steps, step_count)) = self.prepare(first, first_cells.len()) else {
                return 0;
            };
            let low_16 = _mm512_set1_epi64(0xffff);
            let ids = _mm512_set1_epi64(first_cells.len() as i64);
            let thousand = _mm512_set1_pd(1000.0);
            // Events of one row are processed fastest and need a larger distance.
            let ahead = if only.is_some() { 2 * AHEAD } else { AHEAD };
            let mut listed = 0;
            let now = events.get(..LIST_CELLS.min(events.len())).unwrap_or_default();
            for eight in now.chunks(LANES) {
                let there = (1_u16 << eight.len()).wrapping_sub(1) as u8;
                // An address beyond the bucket, or beyond the chunk, is harmless: a prefetch never faults.
                _mm_prefetch::<_MM_HINT_T0>(eight.as_ptr().wrapping_add(ahead).cast());
                // SAFETY: only lanes that `there` names are read, one for each event; an event is 64 bits.
                let event = unsafe { _mm512_maskz_loadu_epi64(there, eight.as_ptr().cast()) };
                let id = _mm512_and_epi64(event, low_16);
                let mut keep = _mm512_mask_cmplt_epu64_mask(there, id, ids);
                if let Some(pulses) = pulses {
                    keep = selected(
                        keep,
                        _mm512_and_epi64(_mm512_srli_epi64::<16>(event), low_16),
                        pulses.words(),
                    );
                }
                let row = if let Some(only) = only {
                    _mm256_set1_epi32(only as i32)
                } else {
                    // SAFETY: only lanes that `keep` names are read; their ids are below the table's length.
                    let row = unsafe {
                        _mm512_mask_i64gather_epi32::<4>(_mm256_setzero_si256(), keep, id, first_cells.as_ptr().cast())
                    };
                    keep = _mm256_mask_cmpneq_epu32_mask(keep, row, _mm256_set1_epi32(UNMAPPED as i32));
                    row
                };
                let ns = _mm512_srli_epi64::<32>(event);
                let bin = if let BinSearch::Nanoseconds(slope, intercept, low, high) = &self.search {
                    keep = _mm512_mask_cmpge_epu64_mask(keep, ns, _mm512_set1_epi64(i64::from(*low)));
                    keep = _mm512_mask_cmplt_epu64_mask(keep, ns, _mm512_set1_epi64(i64::from(*high)));
                    let bin = _mm512_mul_pd(_mm512_cvtepu64_pd(ns), _mm512_set1_pd(*slope));
                    _mm512_cvttpd_epi32(_mm512_add_pd(bin, _mm512_set1_pd(*intercept)))
                } else {
                    let mut x = _mm512_div_pd(_mm512_cvtepu64_pd(ns), thousand);
                    for step in steps.iter().take(step_count).flatten() {
                        match step {
                            PreparedStep::Keep(low, high) => {
                                keep = _mm512_mask_cmp_pd_mask::<_CMP_GE_OQ>(keep, x, *low);
                                keep = _mm512_mask_cmp_pd_mask::<_CMP_LE_OQ>(keep, x, *high);
                            }
                            PreparedStep::Convert(formula, inaccessible, lanes) => {
                                x = convert(*formula, *inaccessible, lanes, keep, id, x);
                            }
                        }
                    }
                    match &self.search {
                        BinSearch::Edges(search) => {
                            keep = _mm512_mask_cmp_pd_mask::<_CMP_GE_OQ>(keep, x, _mm512_set1_pd(search.range.0));
                            keep = _mm512_mask_cmp_pd_mask::<_CMP_LT_OQ>(keep, x, _mm512_set1_pd(search.range.1));
                            find(search, keep, x)
                        }
                        _ => _mm256_setzero_si256(),
                    }
                };
                let cells = _mm256_maskz_compress_epi32(keep, _mm256_add_epi32(row, bin));
                if let Some(target) = out.get_mut(listed..listed + LANES) {
                    // SAFETY: the slice has room for eight cells.
                    unsafe { _mm256_storeu_si256(target.as_mut_ptr().cast(), cells) };
                }
                listed += keep.count_ones() as usize;
            }
            listed
        }
    }

    /// Mask of the lanes whose pulses a bitmap selects.
    #[target_feature(enable = "avx512f,avx512dq,avx512vl")]
    fn selected(keep: __mmask8, pulse: __m512i, words: &[u64]) -> __mmask8 {
        let index = _mm512_srli_epi64::<6>(pulse);
        let keep = _mm512_mask_cmplt_epu64_mask(keep, index, _mm512_set1_epi64(words.len() as i64));
        // Events are in pulse order, so that eight words from the first event's on nearly always suffice. One load
        // replaces a gather, which costs as much as everything else together.
        let first = _mm_cvtsi128_si64(_mm512_castsi512_si128(index)) as usize;
        let near = words.get(first..).unwrap_or_default();
        let distance = _mm512_sub_epi64(index, _mm512_set1_epi64(first as i64));
        let word = if _mm512_mask_cmpge_epu64_mask(keep, distance, _mm512_set1_epi64(LANES as i64)) == 0 {
            let there = (1_u16 << near.len().min(LANES)).wrapping_sub(1) as u8;
            // SAFETY: only lanes that `there` names are read, one for each word of `near`.
            let eight = unsafe { _mm512_maskz_loadu_epi64(there, near.as_ptr().cast()) };
            _mm512_permutexvar_epi64(distance, eight)
        } else {
            // SAFETY: only lanes that `keep` names are read; their indices are below the number of words.
            unsafe { _mm512_mask_i64gather_epi64::<8>(_mm512_setzero_si512(), keep, index, words.as_ptr().cast()) }
        };
        let bit = _mm512_srlv_epi64(word, _mm512_and_epi64(pulse, _mm512_set1_epi64(63)));
        _mm512_mask_test_epi64_mask(keep, bit, _mm512_set1_epi64(1))
    }

    #[target_feature(enable = "avx512f,avx512dq,avx512vl")]
    fn constant(lane: &LaneConstant<'_>, keep: __mmask8, id: __m512i) -> __m512d {
        match lane {
            LaneConstant::All(value) => *value,
            // SAFETY: only lanes that `keep` names are read; their ids are below the length of `first_cells`, and
            // `prepare` made the constants as long.
            LaneConstant::Each(values) => unsafe {
                _mm512_mask_i64gather_pd::<8>(_mm512_setzero_pd(), keep, id, values.as_ptr())
            },
        }
    }

    /// SIMD form of [`crate::transform::SlotConstants::apply`].
    #[target_feature(enable = "avx512f,avx512dq,avx512vl")]
    fn convert(
        formula: Formula,
        inaccessible: __m512d,
        lanes: &[LaneConstant<'_>; 4],
        keep: __mmask8,
        id: __m512i,
        x: __m512d,
    ) -> __m512d {
        let [scale, offset, factor, shift] = lanes;
        let u = _mm512_add_pd(_mm512_mul_pd(constant(scale, keep, id), x), constant(offset, keep, id));
        if formula == Formula::Linear {
            return u;
        }
        let factor = constant(factor, keep, id);
        let value = match formula {
            Formula::Linear => u,
            Formula::Inverse => _mm512_div_pd(factor, u),
            Formula::InverseSquare => _mm512_div_pd(factor, _mm512_mul_pd(u, u)),
            Formula::InverseRoot => _mm512_div_pd(factor, _mm512_sqrt_pd(u)),
            Formula::Root => _mm512_mul_pd(factor, _mm512_sqrt_pd(u)),
            Formula::Square => _mm512_mul_pd(factor, _mm512_mul_pd(u, u)),
        };
        let value = _mm512_add_pd(value, constant(shift, keep, id));
        let is_inaccessible = _mm512_cmp_pd_mask::<_CMP_LE_OQ>(u, _mm512_setzero_pd());
        _mm512_mask_blend_pd(is_inaccessible, value, inaccessible)
    }

    /// Bins of values within the edges; undefined for lanes outside `keep`.
    #[target_feature(enable = "avx512f,avx512dq,avx512vl")]
    fn find(search: &LaneSearch, keep: __mmask8, x: __m512d) -> __m256i {
        let last = |length: usize| _mm256_set1_epi32(length.saturating_sub(1) as i32);
        let within = |cell: __m256i, length: usize| {
            _mm256_min_epi32(_mm256_max_epi32(cell, _mm256_setzero_si256()), last(length))
        };
        let linear = |slope: f64, intercept: f64| {
            let cell = _mm512_add_pd(_mm512_mul_pd(x, _mm512_set1_pd(slope)), _mm512_set1_pd(intercept));
            _mm512_cvttpd_epi32(cell)
        };
        // Number of edges in the cells before, which is the index of the deciding edge.
        let below = |cell: __m256i, below: &[u32]| {
            let cell = within(cell, below.len() - 1);
            // SAFETY: only lanes that `keep` names are read; every cell is within the table.
            unsafe { _mm256_mmask_i32gather_epi32::<4>(_mm256_setzero_si256(), keep, cell, below.as_ptr().cast()) }
        };
        let (guess, less) = match &search.guess {
            LaneGuess::Uniform { slope, intercept } => (within(linear(*slope, *intercept), search.deciding.len()), 0),
            LaneGuess::Linear {
                slope,
                intercept,
                below: table,
            } => (below(linear(*slope, *intercept), table), 1),
            LaneGuess::Bits {
                shift,
                first,
                below: table,
            } => {
                let bits = _mm512_srl_epi64(_mm512_castpd_si512(x), _mm_set_epi64x(0, i64::from(*shift)));
                let cell = _mm512_sub_epi64(bits, _mm512_set1_epi64(*first as i64));
                (below(_mm512_cvtepi64_epi32(cell), table), 1)
            }
        };
        // Every guess is an index of a deciding edge. It is clamped, or it is a number of edges, for which the list
        // ends in infinity.
        let guess = within(guess, search.deciding.len());
        // SAFETY: only lanes that `keep` names are read; every guess is within the list.
        let decides =
            unsafe { _mm512_mask_i32gather_pd::<8>(_mm512_setzero_pd(), keep, guess, search.deciding.as_ptr()) };
        let more = _mm512_cmp_pd_mask::<_CMP_GE_OQ>(x, decides);
        let bin = _mm256_mask_add_epi32(guess, more, guess, _mm256_set1_epi32(1));
        _mm256_sub_epi32(bin, _mm256_set1_epi32(less))
    }
}
