//! The way of an event from its bucket to its cell, eight events at a time, on processors that have AVX-512.
//!
//! Promises: the cells are those that the plain way gives, bit for bit: the same operations in the same order, none
//! fused. Where the processor, the edges or the conversion do not allow it there is no [`Vector`], and the plain way is
//! taken. It must not count: it lists cells.

use crate::chunk::Event;
use crate::edges::{Binning, Edges};
use crate::kernel::table::IdTable;
use crate::selection::Bitmap;
use crate::transform::Transform;

/// How many cells are listed before they are counted.
pub(crate) const LIST: usize = 1024;
/// Events taken at once; the list has room for as many beyond its end.
pub(crate) const LANES: usize = 8;

/// Where the rows of a bucket's ids begin.
#[derive(Clone, Copy)]
pub(crate) struct Rows<'a> {
    /// The first cell of each id's row, from the bucket's first id on; those that go nowhere have none.
    pub(crate) first_cells: &'a [u32],
    /// The one that all of the bucket's ids have, where that is so: it need not be looked up.
    pub(crate) only: Option<u32>,
}

/// Cells that were found.
pub(crate) type List = [u32; LIST + LANES];

#[cfg(target_arch = "x86_64")]
pub(crate) use x86::Vector;

/// Elsewhere there is none.
#[cfg(not(target_arch = "x86_64"))]
pub(crate) enum Vector<'a> {
    /// Never made.
    #[allow(dead_code)]
    None(std::convert::Infallible, &'a ()),
}

#[cfg(not(target_arch = "x86_64"))]
impl<'a> Vector<'a> {
    pub(crate) fn new(_: &'a IdTable, _: &'a Transform, _: &Binning) -> Option<Self> {
        None
    }

    pub(crate) fn list(&self, _: &[Event], _: usize, _: Option<&Bitmap>, _: Rows<'_>, _: &mut List) -> usize {
        0
    }
}

#[cfg(target_arch = "x86_64")]
mod x86 {
    use std::arch::x86_64::*;

    use super::{Binning, Bitmap, Edges, Event, IdTable, LANES, LIST, List, Rows, Transform};
    use crate::edges::lanes::{LaneGuess, LaneSearch};
    use crate::kernel::prefetch::AHEAD;
    use crate::kernel::table::Field;
    use crate::plan::NONE;
    use crate::transform::{Formula, Stage};

    /// How a bin is found.
    enum Search {
        /// From whole nanoseconds: slope, intercept, first limit, last limit.
        Nanoseconds(f64, f64, u32, u32),
        /// From a converted value.
        Edges(LaneSearch),
        /// One bin for all.
        Whole,
    }

    /// A transform and a binning, made ready. That one exists shows that the processor has what the code below needs.
    pub(crate) struct Vector<'a> {
        table: &'a IdTable,
        transform: &'a Transform,
        search: Search,
    }

    /// The constants of a stage for the ids of a bucket.
    #[derive(Clone, Copy)]
    enum Lane<'a> {
        All(__m512d),
        Each(&'a [f64]),
    }

    // At most six of them, on the stack of a pass: a box would cost an indirection for every block.
    #[allow(clippy::large_enum_variant)]
    #[derive(Clone, Copy)]
    enum Prepared<'a> {
        Convert(Formula, __m512d, [Lane<'a>; 4]),
        Keep(__m512d, __m512d),
    }

    /// Most stages that are taken; more are rare and go the plain way.
    const STAGES: usize = 6;

    impl<'a> Vector<'a> {
        /// Ready to list cells, where processor, edges and conversion allow it.
        pub(crate) fn new(table: &'a IdTable, transform: &'a Transform, binning: &Binning) -> Option<Self> {
            let able = is_x86_feature_detected!("avx512f")
                && is_x86_feature_detected!("avx512dq")
                && is_x86_feature_detected!("avx512vl");
            if !able || transform.stages().len() > STAGES {
                return None;
            }
            let of_time = |edges: &Edges| edges.nanoseconds().and_then(|edges| edges.exact());
            let search = match binning {
                Binning::Whole => Search::Whole,
                Binning::PerRow(_) => return None,
                Binning::Common(edges) => match of_time(edges).filter(|_| transform.is_identity()) {
                    Some((slope, intercept, low, high)) => Search::Nanoseconds(slope, intercept, low, high),
                    None => Search::Edges(edges.lanes()?),
                },
            };
            Some(Self {
                table,
                transform,
                search,
            })
        }

        /// Lists the cells of the selected ones of a bucket's first [`LIST`] events, whose dense ids begin at `first`, as
        /// do `rows`. Says how many there are.
        pub(crate) fn list(
            &self,
            events: &[Event],
            first: usize,
            pulses: Option<&Bitmap>,
            rows: Rows<'_>,
            out: &mut List,
        ) -> usize {
            // SAFETY: a `Vector` is only made where the processor has these features.
            unsafe { self.cells(events, first, pulses, rows, out) }
        }

        #[target_feature(enable = "avx512f,avx512dq,avx512vl")]
        fn prepare(&self, first: usize, ids: usize) -> Option<([Option<Prepared<'_>>; STAGES], usize)> {
            let mut stages = [None; STAGES];
            let mut fields = self.table.fields.iter();
            for (slot, stage) in stages.iter_mut().zip(self.transform.stages()) {
                *slot = Some(match stage {
                    Stage::Keep { low, high } => Prepared::Keep(_mm512_set1_pd(*low), _mm512_set1_pd(*high)),
                    Stage::Convert(step) => {
                        let mut lanes = [Lane::All(_mm512_setzero_pd()); 4];
                        for (lane, field) in lanes.iter_mut().zip(fields.next()?) {
                            *lane = match field {
                                Field::All(value) => Lane::All(_mm512_set1_pd(*value)),
                                Field::Each(values) => Lane::Each(values.get(first..first.checked_add(ids)?)?),
                            };
                        }
                        Prepared::Convert(step.formula, _mm512_set1_pd(step.beyond), lanes)
                    }
                });
            }
            Some((stages, self.transform.stages().len()))
        }

        #[target_feature(enable = "avx512f,avx512dq,avx512vl")]
        fn cells(
            &self,
            events: &[Event],
            first: usize,
            pulses: Option<&Bitmap>,
            Rows { first_cells, only }: Rows<'_>,
            out: &mut List,
        ) -> usize {
            let Some((stages, stage_count)) = self.prepare(first, first_cells.len()) else {
                return 0;
            };
            let low_16 = _mm512_set1_epi64(0xffff);
            let ids = _mm512_set1_epi64(first_cells.len() as i64);
            let thousand = _mm512_set1_pd(1000.0);
            // What goes into one row is read chunk by chunk and faster than anything else.
            let ahead = if only.is_some() { 2 * AHEAD } else { AHEAD };
            let mut listed = 0;
            let now = events.get(..LIST.min(events.len())).unwrap_or_default();
            for eight in now.chunks(LANES) {
                let there = (1_u16 << eight.len()).wrapping_sub(1) as u8;
                // Beyond the bucket's end are the next bucket's events, or nothing, which harms nobody.
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
                    keep = _mm256_mask_cmpneq_epu32_mask(keep, row, _mm256_set1_epi32(NONE as i32));
                    row
                };
                let ns = _mm512_srli_epi64::<32>(event);
                let bin = if let Search::Nanoseconds(slope, intercept, low, high) = &self.search {
                    keep = _mm512_mask_cmpge_epu64_mask(keep, ns, _mm512_set1_epi64(i64::from(*low)));
                    keep = _mm512_mask_cmplt_epu64_mask(keep, ns, _mm512_set1_epi64(i64::from(*high)));
                    let bin = _mm512_mul_pd(_mm512_cvtepu64_pd(ns), _mm512_set1_pd(*slope));
                    _mm512_cvttpd_epi32(_mm512_add_pd(bin, _mm512_set1_pd(*intercept)))
                } else {
                    let mut x = _mm512_div_pd(_mm512_cvtepu64_pd(ns), thousand);
                    for stage in stages.iter().take(stage_count).flatten() {
                        match stage {
                            Prepared::Keep(low, high) => {
                                keep = _mm512_mask_cmp_pd_mask::<_CMP_GE_OQ>(keep, x, *low);
                                keep = _mm512_mask_cmp_pd_mask::<_CMP_LE_OQ>(keep, x, *high);
                            }
                            Prepared::Convert(formula, beyond, lanes) => {
                                x = convert(*formula, *beyond, lanes, keep, id, x);
                            }
                        }
                    }
                    match &self.search {
                        Search::Edges(search) => {
                            keep = _mm512_mask_cmp_pd_mask::<_CMP_GE_OQ>(keep, x, _mm512_set1_pd(search.range.0));
                            keep = _mm512_mask_cmp_pd_mask::<_CMP_LT_OQ>(keep, x, _mm512_set1_pd(search.range.1));
                            find(search, keep, x)
                        }
                        _ => _mm256_setzero_si256(),
                    }
                };
                let cells = _mm256_maskz_compress_epi32(keep, _mm256_add_epi32(row, bin));
                if let Some(place) = out.get_mut(listed..listed + LANES) {
                    // SAFETY: the place has room for eight cells.
                    unsafe { _mm256_storeu_si256(place.as_mut_ptr().cast(), cells) };
                }
                listed += keep.count_ones() as usize;
            }
            listed
        }
    }

    /// The lanes whose pulses a bitmap selects.
    #[target_feature(enable = "avx512f,avx512dq,avx512vl")]
    fn selected(keep: __mmask8, pulse: __m512i, words: &[u64]) -> __mmask8 {
        let index = _mm512_srli_epi64::<6>(pulse);
        let keep = _mm512_mask_cmplt_epu64_mask(keep, index, _mm512_set1_epi64(words.len() as i64));
        // Events come in the order of their pulses, so that eight words from the first one's on hold nearly always all
        // that are wanted: one load instead of a gather, which costs as much as everything else together.
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
    fn constant(lane: &Lane<'_>, keep: __mmask8, id: __m512i) -> __m512d {
        match lane {
            Lane::All(value) => *value,
            // SAFETY: only lanes that `keep` names are read; their ids are below the length of `first_cells`, and
            // `prepare` made the constants as long.
            Lane::Each(values) => unsafe {
                _mm512_mask_i64gather_pd::<8>(_mm512_setzero_pd(), keep, id, values.as_ptr())
            },
        }
    }

    /// As [`crate::transform::Constants::apply`].
    #[target_feature(enable = "avx512f,avx512dq,avx512vl")]
    fn convert(
        formula: Formula,
        beyond: __m512d,
        lanes: &[Lane<'_>; 4],
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
        let inaccessible = _mm512_cmp_pd_mask::<_CMP_LE_OQ>(u, _mm512_setzero_pd());
        _mm512_mask_blend_pd(inaccessible, value, beyond)
    }

    /// The bins of values within the edges; of the lanes that `keep` does not name, anything.
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
        // The number of edges in the cells before, which is the index of the edge that decides.
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
        // Every guess is an index of a deciding edge: clamped above, or a number of edges, for which there is infinity.
        let guess = within(guess, search.deciding.len());
        // SAFETY: only lanes that `keep` names are read; every guess is within the list.
        let decides =
            unsafe { _mm512_mask_i32gather_pd::<8>(_mm512_setzero_pd(), keep, guess, search.deciding.as_ptr()) };
        let more = _mm512_cmp_pd_mask::<_CMP_GE_OQ>(x, decides);
        let bin = _mm256_mask_add_epi32(guess, more, guess, _mm256_set1_epi32(1));
        _mm256_sub_epi32(bin, _mm256_set1_epi32(less))
    }
}
