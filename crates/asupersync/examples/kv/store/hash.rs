//! The hash function of the tables: fast, keyed, the same on every run with the same seed.
//!
//! It multiplies two words into 128 bits and folds the halves together, sixteen bytes at a step.
//! Both secrets come from the seed the caller gives: a server gives a random one, so that a client
//! can't precompute keys that collide; a lab test gives a fixed one. It is no cryptographic hash:
//! it makes flooding hard for a client that can't observe the seed, not impossible.

/// The two secrets of the hash function.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Seed {
    first: u64,
    second: u64,
}

impl Seed {
    /// Expands one number into the two secrets (SplitMix64).
    pub(crate) fn new(seed: u64) -> Self {
        let mix = |step: u64| {
            let z = seed.wrapping_add(step.wrapping_mul(0x9e37_79b9_7f4a_7c15));
            let z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            z ^ (z >> 31)
        };
        Seed { first: mix(1), second: mix(2) }
    }

    /// The hash of `bytes`.
    #[inline]
    pub(super) fn hash(self, bytes: &[u8]) -> u64 {
        let mut state = self.first;
        let mut rest = bytes;
        while let Some((block, tail)) = rest.split_first_chunk::<16>()
            && !tail.is_empty()
        {
            let (low, high) = halves(block);
            state = fold(low ^ self.second, high ^ state);
            rest = tail;
        }
        let (low, high) = last_words(rest);
        state = fold(low ^ self.second, high ^ state);
        fold(state ^ bytes.len() as u64, 0x9e37_79b9_7f4a_7c15)
    }
}

#[inline]
fn fold(a: u64, b: u64) -> u64 {
    let wide = u128::from(a) * u128::from(b);
    wide as u64 ^ (wide >> 64) as u64
}

#[inline]
fn halves(block: &[u8; 16]) -> (u64, u64) {
    let wide = u128::from_le_bytes(*block);
    (wide as u64, (wide >> 64) as u64)
}

/// Up to sixteen bytes as two words that overlap where there are fewer; the length, mixed in
/// later, tells apart what overlapping makes equal.
#[inline]
fn last_words(bytes: &[u8]) -> (u64, u64) {
    if let (Some(first), Some(last)) = (bytes.first_chunk::<8>(), bytes.last_chunk::<8>()) {
        return (u64::from_le_bytes(*first), u64::from_le_bytes(*last));
    }
    if let (Some(first), Some(last)) = (bytes.first_chunk::<4>(), bytes.last_chunk::<4>()) {
        return (u32::from_le_bytes(*first).into(), u32::from_le_bytes(*last).into());
    }
    match *bytes {
        [] => (0, 0),
        [a, .., b] => (a.into(), u64::from(b) | u64::from(bytes[bytes.len() / 2]) << 8),
        [a] => (a.into(), a.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn short_keys_of_every_length_hash_apart() {
        let seed = Seed::new(7);
        let mut seen = BTreeSet::new();
        let mut keys = 0;
        for len in 0..40usize {
            for changed in 0..len.max(1) {
                for value in [1u8, 2, 255] {
                    let mut key = vec![0u8; len];
                    if let Some(byte) = key.get_mut(changed) {
                        *byte = value;
                    } else if value != 1 {
                        continue;
                    }
                    seen.insert(seed.hash(&key));
                    keys += 1;
                }
            }
        }
        assert_eq!(seen.len(), keys);
    }

    #[test]
    fn the_seed_decides_the_hash() {
        assert_eq!(Seed::new(1).hash(b"key"), Seed::new(1).hash(b"key"));
        assert_ne!(Seed::new(1).hash(b"key"), Seed::new(2).hash(b"key"));
    }

    #[test]
    fn counted_keys_spread_over_the_low_bits_of_the_tag() {
        let seed = Seed::new(3);
        let mut buckets = [0u32; 256];
        for i in 0..25_600 {
            let hash = seed.hash(format!("key:{i:012}").as_bytes());
            buckets[(hash >> 32) as usize & 255] += 1;
        }
        assert!(buckets.iter().all(|&n| (50..170).contains(&n)), "{buckets:?}");
    }
}
