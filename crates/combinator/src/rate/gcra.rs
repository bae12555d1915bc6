//! [`Gcra`]: the generic cell rate algorithm. Its whole state is one instant: when the bucket will be full again.
//!
//! Instants are counted in parts of a nanosecond, as many as the rate has tokens, so that the distance of two tokens is a
//! whole number: exact. 64 bits of nanoseconds times 32 bits of tokens, and a burst of the same size: 128 bits are enough.
//!
//! Source: ITU-T Recommendation I.371 (03/2004), annex A: the virtual scheduling algorithm. Its increment `T` is the
//! distance of two tokens, its limit `tau` here `(burst - 1) * T`.
use super::{Limit, Limited, Rate, Taken};
use types::Time;

/// See the module. Begins with a whole burst free.
///
/// ```
/// use asupersync_combinator::rate::{Gcra, Limit, Limited, Rate};
/// use core::time::Duration;
/// use types::Time;
/// let at = Time::from_nanos;
/// // 3 in 10 ns: the fourth one at the first whole nanosecond after 3 1/3.
/// let mut gcra = Gcra::new(Rate::new(3, Duration::from_nanos(10)), 3);
/// assert!(gcra.take(3, at(0)).is_ok());
/// assert_eq!(gcra.take(1, at(1)), Err(Limited::Until(at(4))));
/// ```
#[derive(Clone, Debug)]
pub struct Gcra {
    rate: Rate,
    burst: u32,
    /// The theoretical arrival time, in parts of a nanosecond.
    full_again: u128,
    /// The latest instant that was asked about, in nanoseconds.
    latest: u64,
    grants: u64,
}

impl Gcra {
    /// A limit of `rate`, with `burst` tokens at once.
    ///
    /// # Panics
    /// If `burst` is 0: nobody would ever get through.
    #[must_use]
    #[track_caller]
    pub const fn new(rate: Rate, burst: u32) -> Gcra {
        assert!(burst > 0, "a burst of no tokens never lets anybody through");
        Gcra { rate, burst, full_again: 0, latest: 0, grants: 0 }
    }
}

impl Limit for Gcra {
    fn burst(&self) -> u32 {
        self.burst
    }

    fn take(&mut self, tokens: u32, now: Time) -> Result<Taken, Limited> {
        if tokens > self.burst {
            return Err(Limited::TooMany { burst: self.burst });
        }
        let nanos = now.as_nanos().max(self.latest);
        let now = u128::from(nanos) * self.rate.per_nano();
        let full_again = self.full_again.max(now) + u128::from(tokens) * self.rate.weight();
        let earliest = full_again.saturating_sub(u128::from(self.burst) * self.rate.weight());
        if earliest > now {
            let nanos = earliest.div_ceil(self.rate.per_nano());
            let nanos = u64::try_from(nanos).unwrap_or(u64::MAX);
            return Err(Limited::Until(Time::from_nanos(nanos)));
        }
        self.grants += 1;
        let taken = Taken { grant: self.grants, level: self.full_again, at: nanos };
        (self.full_again, self.latest) = (full_again, nanos);
        Ok(taken)
    }

    fn give_back(&mut self, taken: Taken) -> bool {
        let honest = taken.grant == self.grants;
        if honest {
            self.full_again = taken.level;
        }
        honest
    }
}
