//! [`TokenBucket`]: tokens trickle into a bucket that holds a burst, and are taken out.
//!
//! The level is kept in parts of a token such that each nanosecond brings a whole number of them: exact, and 128 bits
//! hold the largest burst (2^32 tokens of 2^64 parts) with room to spare.
//!
//! Source: J. Turner, "New Directions in Communications (or Which Way to the Information Age?)", IEEE Communications
//! Magazine 24(10), 1986 (the leaky bucket as a meter, of which this is the mirror image).
use super::{Limit, Limited, Rate, Taken};
use types::Time;

/// See the module. Begins full.
///
/// ```
/// use asupersync_combinator::rate::{Limit, Limited, Rate, TokenBucket};
/// use types::Time;
/// let at = Time::from_nanos;
/// let mut bucket = TokenBucket::new(Rate::per_second(10), 2);
/// assert!(bucket.take(2, at(0)).is_ok());
/// assert_eq!(bucket.take(1, at(0)), Err(Limited::Until(at(100_000_000))));
/// assert!(bucket.take(1, at(100_000_000)).is_ok());
/// ```
#[derive(Clone, Debug)]
pub struct TokenBucket {
    rate: Rate,
    burst: u32,
    /// At `at`.
    level: u128,
    at: u64,
    grants: u64,
}

impl TokenBucket {
    /// A full bucket of `burst` tokens, filled at `rate`.
    ///
    /// # Panics
    /// If `burst` is 0: nobody would ever get through.
    #[must_use]
    #[track_caller]
    pub const fn new(rate: Rate, burst: u32) -> TokenBucket {
        assert!(burst > 0, "a burst of no tokens never lets anybody through");
        TokenBucket { rate, burst, level: burst as u128 * rate.weight(), at: 0, grants: 0 }
    }

    /// Whole tokens that are there at `now`.
    #[must_use]
    pub fn available(&self, now: Time) -> u32 {
        let tokens = self.level_at(now.as_nanos()) / self.rate.weight();
        u32::try_from(tokens).unwrap_or(self.burst)
    }

    fn level_at(&self, now: u64) -> u128 {
        let full = u128::from(self.burst) * self.rate.weight();
        let came = u128::from(now.saturating_sub(self.at)) * self.rate.per_nano();
        (self.level + came).min(full)
    }
}

impl Limit for TokenBucket {
    fn burst(&self) -> u32 {
        self.burst
    }

    fn take(&mut self, tokens: u32, now: Time) -> Result<Taken, Limited> {
        if tokens > self.burst {
            return Err(Limited::TooMany { burst: self.burst });
        }
        let now = now.as_nanos().max(self.at);
        let (level, wanted) = (self.level_at(now), u128::from(tokens) * self.rate.weight());
        let Some(left) = level.checked_sub(wanted) else {
            let wait = (wanted - level).div_ceil(self.rate.per_nano());
            let wait = u64::try_from(wait).unwrap_or(u64::MAX);
            return Err(Limited::Until(Time::from_nanos(now.saturating_add(wait))));
        };
        self.grants += 1;
        let taken = Taken { grant: self.grants, level, at: now };
        (self.level, self.at) = (left, now);
        Ok(taken)
    }

    fn give_back(&mut self, taken: Taken) -> bool {
        let honest = taken.grant == self.grants || types::seeded!("rate.gives-back-too-much");
        if honest {
            (self.level, self.at) = (taken.level, taken.at);
        }
        honest
    }
}
