//! 32-bit Mersenne Twister MT19937 (M. Matsumoto and T. Nishimura, ACM Trans. Model. Comput. Simul. 8, 3 (1998),
//! doi:10.1145/272991.272995).
//!
//! Promises: the published sequence for each seed: sample events are those of Mantid on every machine. Must not
//! be used for secrets.

const STATE_SIZE: usize = 624;
const SHIFT_SIZE: usize = 397;

/// Generator of 32-bit numbers, and of fractions in [0, 1).
pub(crate) struct MersenneTwister {
    state: Vec<u32>,
    next: usize,
}

impl MersenneTwister {
    pub(crate) fn new(seed: u32) -> Self {
        let mut state = Vec::with_capacity(STATE_SIZE);
        let mut last = seed;
        state.push(last);
        for index in 1..STATE_SIZE as u32 {
            last = 1_812_433_253_u32.wrapping_mul(last ^ (last >> 30)).wrapping_add(index);
            state.push(last);
        }
        Self {
            state,
            next: STATE_SIZE,
        }
    }

    fn at(&self, index: usize) -> u32 {
        self.state.get(index % STATE_SIZE).copied().unwrap_or_default()
    }

    /// Computes the next 624 words of the state.
    fn regenerate(&mut self) {
        for index in 0..STATE_SIZE {
            let joined = (self.at(index) & 0x8000_0000) | (self.at(index + 1) & 0x7fff_ffff);
            let odd = if joined & 1 == 1 { 0x9908_b0df } else { 0 };
            let value = self.at(index + SHIFT_SIZE) ^ (joined >> 1) ^ odd;
            if let Some(slot) = self.state.get_mut(index) {
                *slot = value;
            }
        }
        self.next = 0;
    }

    /// Next 32 bits of the sequence.
    pub(crate) fn next_bits(&mut self) -> u32 {
        if self.next >= STATE_SIZE {
            self.regenerate();
        }
        let mut value = self.at(self.next);
        self.next += 1;
        value ^= value >> 11;
        value ^= (value << 7) & 0x9d2c_5680;
        value ^= (value << 15) & 0xefc6_0000;
        value ^ (value >> 18)
    }

    /// Next fraction in [0, 1), from two draws: the low 32 bits first.
    pub(crate) fn next_fraction(&mut self) -> f64 {
        let low = f64::from(self.next_bits());
        let high = f64::from(self.next_bits());
        let value = (low + high * 4_294_967_296.0) / 18_446_744_073_709_551_616.0;
        value.min(1.0 - f64::EPSILON / 2.0)
    }
}

#[cfg(test)]
mod tests {
    use super::MersenneTwister;

    #[test]
    fn the_sequence_is_the_published_one() {
        // The generator's usual check: the 10,000th draw of seed 5489.
        let mut random = MersenneTwister::new(5489);
        assert_eq!((random.next_bits(), random.next_bits()), (3_499_211_612, 581_869_302));
        let last = (2..10_000).map(|_| random.next_bits()).last();
        assert_eq!(last, Some(4_123_659_995));
    }

    #[test]
    fn fractions_fill_the_unit_interval() {
        let mut random = MersenneTwister::new(0);
        let drawn: Vec<f64> = (0..10_000).map(|_| random.next_fraction()).collect();
        assert!(drawn.iter().all(|value| (0.0..1.0).contains(value)));
        assert!((drawn.iter().sum::<f64>() / 10_000.0 - 0.5).abs() < 0.01);
    }
}
