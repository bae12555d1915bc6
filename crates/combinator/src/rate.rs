//! Rates: so many per so long, with so many at once at most.
//!
//! [`TokenBucket`] and [`Gcra`] decide, in exact integers; [`RateLimit`] is the line in front of one of them.
//!
//! Law (`rate.window`): in any window of length `t`, both ends included, at most `burst + rate * t` tokens are granted that
//! were not given back. And nothing else is refused: whatever the law allows is granted. Both cores say the same, always.
//!
//! | file | what |
//! |---|---|
//! | `bucket` | tokens that trickle in: pure |
//! | `gcra` | the same by the one instant at which the bucket would be full: pure |
//! | `limiter` | who waits, in which order, and permits |
//!
//! Not here: limits on how many run at a time (`bulkhead`).

mod bucket;
mod gcra;
mod limiter;
#[cfg(test)]
mod tests;

pub use bucket::TokenBucket;
pub use gcra::Gcra;
pub use limiter::{RateError, RateLimit, RatePermit, TryRateError};

use core::fmt;
use core::time::Duration;
use types::Time;

/// So many tokens for each span: a fraction of two integers, so no rounding ever adds up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Rate {
    tokens: u32,
    nanos: u64,
}

impl Rate {
    /// `tokens` for each `span`.
    ///
    /// # Panics
    /// If either is 0, or if `span` is longer than 64 bits of nanoseconds (584 years).
    #[must_use]
    #[track_caller]
    pub const fn new(tokens: u32, span: Duration) -> Rate {
        assert!(tokens > 0, "a rate of no tokens never lets anybody through");
        assert!(!span.is_zero(), "a rate needs a span of time");
        assert!(span.as_nanos() <= u64::MAX as u128, "the span of a rate is too long");
        Rate { tokens, nanos: span.as_nanos() as u64 }
    }

    /// `tokens` for each second.
    ///
    /// # Panics
    /// If it is 0.
    #[must_use]
    #[track_caller]
    pub const fn per_second(tokens: u32) -> Rate {
        Rate::new(tokens, Duration::from_secs(1))
    }

    /// One token for each `span`.
    ///
    /// # Panics
    /// As [`Rate::new`].
    #[must_use]
    #[track_caller]
    pub const fn every(span: Duration) -> Rate {
        Rate::new(1, span)
    }

    /// What one token weighs, where each nanosecond brings [`Rate::per_nano`].
    const fn weight(self) -> u128 {
        self.nanos as u128
    }

    const fn per_nano(self) -> u128 {
        self.tokens as u128
    }
}

/// Why no tokens were granted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Limited {
    /// Too early: at this instant, and not before, there would be enough, if nobody else takes any.
    Until(Time),
    /// More than there ever are at once.
    TooMany {
        /// The most that may be taken at once.
        burst: u32,
    },
}

impl fmt::Display for Limited {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Limited::Until(at) => write!(f, "rate limit reached until {at}"),
            Limited::TooMany { burst } => write!(f, "more than the {burst} tokens that a burst may have"),
        }
    }
}

impl core::error::Error for Limited {}

/// What was granted, for [`Limit::give_back`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Taken {
    /// How many grants there had been, this one included.
    grant: u64,
    /// The core's state before.
    level: u128,
    at: u64,
}

mod sealed {
    pub trait Core {}
    impl Core for super::TokenBucket {}
    impl Core for super::Gcra {}
}

/// A core that decides who is within a rate: [`TokenBucket`] or [`Gcra`].
pub trait Limit: sealed::Core {
    /// The most tokens that can be taken at once.
    fn burst(&self) -> u32;

    /// Takes `tokens` at `now`. A `now` that lies before an earlier one counts as that one. No tokens are always there.
    ///
    /// # Errors
    /// Nothing was taken: too early, or more than a burst.
    fn take(&mut self, tokens: u32, now: Time) -> Result<Taken, Limited>;

    /// Gives tokens back that were not used, where that is honest: if nothing was granted since. Then it is as if they had
    /// never been taken. Otherwise they are gone: while they were out, the bucket may have run over, and to put them back
    /// now would let through more than `rate.window` allows. Says whether they went back.
    fn give_back(&mut self, taken: Taken) -> bool;
}
