//! Checksum of the bytes of event messages, and a hasher for keys that are checksums.

use std::hash::Hasher;

/// Hasher for keys that are hashes already: returns the key itself.
#[derive(Default)]
pub(crate) struct IdentityHasher(u64);

impl Hasher for IdentityHasher {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        self.0 = checksum(self.0, bytes);
    }

    fn write_u64(&mut self, value: u64) {
        self.0 = value;
    }
}

/// Odd multipliers with well mixed bits (primes of xxHash and of MurmurHash3's finaliser among them).
const PRIMES: [u64; 8] = [
    0x9e37_79b1_85eb_ca87,
    0xc2b2_ae3d_27d4_eb4f,
    0x1656_67b1_9e37_79f9,
    0x85eb_ca77_c2b2_ae63,
    0x27d4_eb2f_1656_67c5,
    0xff51_afd7_ed55_8ccd,
    0xc4ce_b9fe_1a85_ec53,
    0xd6e8_feb8_6659_fd93,
];

/// 64-bit checksum of bytes: eight lanes of multiply and rotate per 64 bytes, mixed at the end. Reads about as fast as
/// memory; not cryptographic.
pub(crate) fn checksum(seed: u64, bytes: &[u8]) -> u64 {
    let mut lanes = PRIMES;
    let (blocks, rest) = bytes.as_chunks::<64>();
    for block in blocks {
        let (words, _) = block.as_chunks::<8>();
        for ((lane, word), prime) in lanes.iter_mut().zip(words).zip(PRIMES) {
            *lane = (*lane ^ u64::from_le_bytes(*word)).wrapping_mul(prime).rotate_left(29);
        }
    }
    let (words, last) = rest.as_chunks::<8>();
    let mut hash = mix(seed ^ bytes.len() as u64);
    for word in words {
        hash = mix(hash ^ u64::from_le_bytes(*word));
    }
    let mut tail = [0; 8];
    for (to, from) in tail.iter_mut().zip(last) {
        *to = *from;
    }
    hash = mix(hash ^ u64::from_le_bytes(tail));
    if blocks.is_empty() {
        hash
    } else {
        lanes.iter().fold(hash, |hash, lane| mix(hash ^ lane))
    }
}

/// Mixes all bits of a value into each bit of the result; a bijection.
pub(crate) const fn mix(value: u64) -> u64 {
    let value = (value ^ value >> 32).wrapping_mul(PRIMES[7]);
    let value = (value ^ value >> 32).wrapping_mul(PRIMES[7]);
    value ^ value >> 32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_byte_counts() {
        let bytes: Vec<u8> = (0..1000_u32).map(|value| (value * 7) as u8).collect();
        for length in [0, 1, 7, 8, 63, 64, 65, 200, 1000] {
            let whole = checksum(3, &bytes[..length]);
            for index in 0..length {
                let mut other = bytes[..length].to_vec();
                other[index] ^= 1;
                assert_ne!(whole, checksum(3, &other), "{length} {index}");
            }
            assert_ne!(whole, checksum(4, &bytes[..length]));
        }
    }
}
