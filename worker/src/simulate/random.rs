//! Pseudo-random numbers that are the same on every machine for the same seed.
//!
//! Promises: xoshiro256** (D. Blackman and S. Vigna, ACM Trans. Math. Softw. 47, 4 (2021), doi:10.1145/3460772), seeded
//! by splitmix64; never changes, because tests contain seeds. Must not be used for secrets.

/// State of xoshiro256**.
#[derive(Debug, Clone)]
pub(super) struct Random([u64; 4]);

impl Random {
    pub(super) fn new(seed: u64) -> Random {
        let mut state = seed;
        let mut next = || {
            state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
            let mut mixed = state;
            mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            mixed ^ (mixed >> 31)
        };
        Random([next(), next(), next(), next()])
    }

    #[inline]
    pub(super) fn next(&mut self) -> u64 {
        let state = &mut self.0;
        let result = state[1].wrapping_mul(5).rotate_left(7).wrapping_mul(9);
        let shifted = state[1] << 17;
        state[2] ^= state[0];
        state[3] ^= state[1];
        state[1] ^= state[2];
        state[0] ^= state[3];
        state[2] ^= shifted;
        state[3] = state[3].rotate_left(45);
        result
    }

    /// Uniform in [0, 1).
    pub(super) fn fraction(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// True with `probability`; 0 consumes no number.
    pub(super) fn chance(&mut self, probability: f64) -> bool {
        probability > 0.0 && self.fraction() < probability
    }

    /// Uniform in [0, bound); 0 for a bound of 0.
    pub(super) fn below(&mut self, bound: u64) -> u64 {
        ((u128::from(self.next()) * u128::from(bound)) >> 64) as u64
    }

    /// Normal variate of mean 0 and standard deviation 1 (G. E. P. Box and M. E. Muller, 1958).
    pub(super) fn normal(&mut self) -> f64 {
        let radius = (-2.0 * (1.0 - self.fraction()).ln()).sqrt();
        radius * (std::f64::consts::TAU * self.fraction()).cos()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_means_the_same_numbers_everywhere() {
        let mut random = Random::new(1);
        let first: Vec<u64> = (0..3).map(|_| random.next()).collect();
        let mut again = Random::new(1);
        assert_eq!(first, (0..3).map(|_| again.next()).collect::<Vec<_>>());
        assert_ne!(first, (0..3).map(|_| Random::new(2).next()).collect::<Vec<_>>());
    }

    #[test]
    fn numbers_are_spread_evenly() {
        let mut random = Random::new(5);
        let mean: f64 = (0..100_000).map(|_| random.fraction()).sum::<f64>() / 100_000.0;
        assert!((mean - 0.5).abs() < 0.01, "{mean}");
        assert!((0..1000).all(|_| random.below(7) < 7));
        let normal: Vec<f64> = (0..100_000).map(|_| random.normal()).collect();
        let variance = normal.iter().map(|value| value * value).sum::<f64>() / 100_000.0;
        assert!((variance - 1.0).abs() < 0.03, "{variance}");
    }
}
