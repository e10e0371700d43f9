//! The 32-bit Mersenne Twister (MT19937, Matsumoto and Nishimura 1998). Promises: the sequence of the published
//! generator for each seed, so that sample events are the same everywhere. Must not be used for anything secret.

const SIZE: usize = 624;
const SHIFT: usize = 397;

/// A generator of numbers in [0, 1).
pub(crate) struct Twister {
    state: Vec<u32>,
    next: usize,
}

impl Twister {
    /// The generator of this seed.
    pub(crate) fn new(seed: u32) -> Self {
        let mut state = Vec::with_capacity(SIZE);
        let mut last = seed;
        state.push(last);
        for index in 1..SIZE as u32 {
            last = 1_812_433_253_u32.wrapping_mul(last ^ (last >> 30)).wrapping_add(index);
            state.push(last);
        }
        Self { state, next: SIZE }
    }

    fn at(&self, index: usize) -> u32 {
        self.state.get(index % SIZE).copied().unwrap_or_default()
    }

    fn turn(&mut self) {
        for index in 0..SIZE {
            let joined = (self.at(index) & 0x8000_0000) | (self.at(index + 1) & 0x7fff_ffff);
            let odd = if joined & 1 == 1 { 0x9908_b0df } else { 0 };
            let value = self.at(index + SHIFT) ^ (joined >> 1) ^ odd;
            if let Some(slot) = self.state.get_mut(index) {
                *slot = value;
            }
        }
        self.next = 0;
    }

    /// The next 32 bits.
    pub(crate) fn bits(&mut self) -> u32 {
        if self.next >= SIZE {
            self.turn();
        }
        let mut value = self.at(self.next);
        self.next += 1;
        value ^= value >> 11;
        value ^= (value << 7) & 0x9d2c_5680;
        value ^= (value << 15) & 0xefc6_0000;
        value ^ (value >> 18)
    }

    /// The next number in [0, 1), of two draws: the low bits first.
    pub(crate) fn fraction(&mut self) -> f64 {
        let low = f64::from(self.bits());
        let high = f64::from(self.bits());
        let value = (low + high * 4_294_967_296.0) / 18_446_744_073_709_551_616.0;
        value.min(1.0 - f64::EPSILON / 2.0)
    }
}

#[cfg(test)]
mod tests {
    use super::Twister;

    #[test]
    fn the_sequence_is_the_published_one() {
        // The generator's usual check: the 10,000th draw of seed 5489.
        let mut twister = Twister::new(5489);
        assert_eq!((twister.bits(), twister.bits()), (3_499_211_612, 581_869_302));
        let last = (2..10_000).map(|_| twister.bits()).last();
        assert_eq!(last, Some(4_123_659_995));
    }

    #[test]
    fn fractions_fill_the_unit_interval() {
        let mut twister = Twister::new(0);
        let drawn: Vec<f64> = (0..10_000).map(|_| twister.fraction()).collect();
        assert!(drawn.iter().all(|value| (0.0..1.0).contains(value)));
        assert!((drawn.iter().sum::<f64>() / 10_000.0 - 0.5).abs() < 0.01);
    }
}
