//! [`Dice`]: the numbers a sampler draws.
//!
//! SplitMix64 (Steele, Lea, Flood, OOPSLA'14): small, seedable, one multiplication away from good enough for
//! choosing schedules. Not for secrets.

/// The finalizer of SplitMix64: spreads the bits of `z` over all 64.
pub(crate) const fn mix(mut z: u64) -> u64 {
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

const GOLDEN: u64 = 0x9E37_79B9_7F4A_7C15;

/// A stream of numbers for one execution.
#[derive(Clone, Debug)]
pub(crate) struct Dice {
    seed: u64,
    execution: u64,
    state: u64,
}

impl Dice {
    /// The dice of all executions under one seed. Roll them only after `next_execution`.
    pub(crate) fn new(seed: u64) -> Dice {
        Dice { seed, execution: 0, state: mix(seed ^ GOLDEN) }
    }

    /// Starts the stream of the next execution: a function of the seed and of its number, so that an execution can be
    /// had again without those before it.
    pub(crate) fn next_execution(&mut self) {
        self.execution += 1;
        self.state = mix(mix(self.seed ^ GOLDEN).wrapping_add(self.execution.wrapping_mul(GOLDEN)));
    }

    /// 64 bits.
    pub(crate) fn next(&mut self) -> u64 {
        self.state = self.state.wrapping_add(GOLDEN);
        mix(self.state)
    }

    /// A number below `n`, which isn't 0. Lemire's multiplication: the bias is below n / 2^64.
    pub(crate) fn below(&mut self, n: u64) -> u64 {
        debug_assert!(n > 0, "a number below 0 was asked for");
        ((u128::from(self.next()) * u128::from(n)) >> 64) as u64
    }
}
