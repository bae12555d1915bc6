//! [`Backoff`]: how long to wait before the next attempt. A value, and pure: random numbers are passed in.
//!
//! ```text
//! n-th wait, before jitter and cap
//!   constant       first                    first                first         ..
//!   exponential    first                    first * factor       first * factor^2 ..
//!   decorrelated   first ..= 3 * first      first ..= 3 * the wait before      ..
//! ```
//! Sources: M. Brooker, "Exponential Backoff And Jitter", AWS Architecture Blog, March 2015 (full, equal and
//! decorrelated jitter, and why jitter at all: callers that failed together would come back together).
//!
//! Invariants:
//! - `backoff.capped`: no wait is longer than the cap.
//! - `backoff.saturates`: no arithmetic wraps or panics; a wait that does not fit 64 bits of nanoseconds is the
//!   cap.
//!
//! Not here: whether there is a next attempt (`retry`).
use core::time::Duration;

/// How waits spread, so that callers that failed together do not come back together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Jitter {
    /// Not at all.
    None,
    /// Anywhere between nothing and the wait: the best spread, and half the wait on average.
    #[default]
    Full,
    /// Anywhere between half the wait and the wait.
    Equal,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Growth {
    Factor(u32),
    Decorrelated,
}

/// How long to wait between attempts.
///
/// ```
/// use asupersync_combinator::backoff::{Backoff, Jitter};
/// use core::time::Duration;
///
/// let ms = Duration::from_millis;
/// let backoff = Backoff::exponential(ms(100), 2).cap(ms(1_000)).jitter(Jitter::None);
/// let mut waits = backoff.waits();
/// let waits: Vec<Duration> = (0..6).map(|_| waits.next_wait(|_| 0)).collect();
/// assert_eq!(waits, [ms(100), ms(200), ms(400), ms(800), ms(1_000), ms(1_000)]);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Backoff {
    first: Duration,
    cap: Duration,
    growth: Growth,
    jitter: Jitter,
}

impl Backoff {
    /// The cap of waits that grow, unless another is set: 30 seconds.
    pub const DEFAULT_CAP: Duration = Duration::from_secs(30);

    /// No wait at all.
    pub const NONE: Backoff = Backoff::constant(Duration::ZERO);

    /// The same wait each time, without jitter.
    #[must_use]
    pub const fn constant(wait: Duration) -> Backoff {
        Backoff { first: wait, cap: Duration::MAX, growth: Growth::Factor(1), jitter: Jitter::None }
    }

    /// `first`, and each time `factor` times as long, up to the cap; with full jitter.
    ///
    /// # Panics
    /// If `factor` is 0: waits would end.
    #[must_use]
    #[track_caller]
    pub const fn exponential(first: Duration, factor: u32) -> Backoff {
        assert!(factor > 0, "a back-off by the factor 0 would not wait at all: use `Backoff::NONE`");
        Backoff { first, cap: Backoff::DEFAULT_CAP, growth: Growth::Factor(factor), jitter: Jitter::Full }
    }

    /// Anywhere between `first` and three times the wait before, up to the cap: grows like an exponential one,
    /// and callers drift apart further with every wait. Further jitter is not applied.
    #[must_use]
    pub const fn decorrelated(first: Duration) -> Backoff {
        Backoff { first, cap: Backoff::DEFAULT_CAP, growth: Growth::Decorrelated, jitter: Jitter::None }
    }

    /// No wait is longer than `cap`, the first one included.
    #[must_use]
    pub const fn cap(mut self, cap: Duration) -> Backoff {
        self.cap = cap;
        self
    }

    /// How waits spread.
    #[must_use]
    pub const fn jitter(mut self, jitter: Jitter) -> Backoff {
        self.jitter = jitter;
        self
    }

    /// The waits, from the first one.
    #[must_use]
    pub const fn waits(&self) -> Waits {
        Waits { backoff: *self, before: nanos(self.first) }
    }
}

/// The waits of one sequence of attempts.
#[derive(Clone, Debug)]
pub struct Waits {
    backoff: Backoff,
    /// The next wait of a growing one, before jitter; of a decorrelated one the wait before.
    before: u64,
}

impl Waits {
    /// How long to wait now. `random` gives a random number below the bound that it is called with, as
    /// [`cx::Cx::random_below`] does; it is called at most once, and only where there is something to draw.
    pub fn next_wait(&mut self, random: impl FnOnce(u64) -> u64) -> Duration {
        let cap = nanos(self.backoff.cap);
        let wait = match self.backoff.growth {
            Growth::Factor(factor) => {
                let wait = self.before.min(cap);
                self.before = self.before.saturating_mul(u64::from(factor));
                match self.backoff.jitter {
                    Jitter::None => wait,
                    Jitter::Full => between(0, wait, random),
                    Jitter::Equal => between(wait - wait / 2, wait, random),
                }
            }
            Growth::Decorrelated => {
                let first = nanos(self.backoff.first).min(cap);
                let most = self.before.saturating_mul(3).clamp(first, cap);
                self.before = between(first, most, random);
                self.before
            }
        };
        Duration::from_nanos(wait)
    }
}

/// A span in nanoseconds; beyond 64 bits (584 years) the most there is.
const fn nanos(span: Duration) -> u64 {
    let nanos = span.as_nanos();
    if nanos > u64::MAX as u128 { u64::MAX } else { nanos as u64 }
}

/// A number from `least` to `most`, both included. Of all 2^64 there are the largest is left out, as there is no bound for
/// them: nobody will see that in a wait.
fn between(least: u64, most: u64, random: impl FnOnce(u64) -> u64) -> u64 {
    if least == most {
        return least;
    }
    least + random((most - least).saturating_add(1))
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec::Vec;
    use proptest::prelude::*;

    fn waits(backoff: Backoff, random: &[u64]) -> Vec<u64> {
        let mut waits = backoff.waits();
        random.iter().map(|r| nanos(waits.next_wait(|bound| cx::port::below(*r, bound)))).collect()
    }

    #[test]
    fn nothing_is_drawn_where_there_is_nothing_to_draw() {
        for backoff in
            [Backoff::NONE, Backoff::constant(Duration::MAX), Backoff::exponential(Duration::ZERO, 7)]
        {
            let mut waits = backoff.waits();
            for _ in 0..3 {
                waits.next_wait(|_| unreachable!("a random number"));
            }
        }
    }

    #[test]
    fn a_constant_wait_is_not_capped_unless_asked() {
        let day = Duration::from_secs(86_400);
        assert_eq!(Backoff::constant(day).waits().next_wait(|_| 0), day);
        assert_eq!(Backoff::constant(day).cap(Duration::ZERO).waits().next_wait(|_| 0), Duration::ZERO);
    }

    #[test]
    fn what_does_not_fit_is_the_cap() {
        let backoff = Backoff::exponential(Duration::MAX, u32::MAX).cap(Duration::MAX).jitter(Jitter::None);
        assert_eq!(waits(backoff, &[0; 3]), [u64::MAX; 3]);
        let backoff = Backoff::decorrelated(Duration::MAX).cap(Duration::MAX);
        assert_eq!(waits(backoff, &[0, u64::MAX]), [u64::MAX; 2]);
    }

    #[test]
    #[should_panic(expected = "factor 0")]
    fn a_factor_of_nothing_is_refused() {
        let _ = Backoff::exponential(Duration::from_secs(1), 0);
    }

    #[test]
    fn both_ends_of_an_interval_are_drawn() {
        let ends = |least, most| (between(least, most, |_| 0), between(least, most, |bound| bound - 1));
        assert_eq!(ends(3, 9), (3, 9));
        assert_eq!(ends(0, u64::MAX), (0, u64::MAX - 1));
    }

    proptest! {
        #[test]
        fn exponential_waits_are_powers_up_to_the_cap(first: u32, factor in 1..9_u32, cap: u32, n in 1..40_usize) {
            let backoff = Backoff::exponential(Duration::from_nanos(first.into()), factor)
                .cap(Duration::from_nanos(cap.into()))
                .jitter(Jitter::None);
            let expected = (0..n).map(|k| {
                let power = u128::from(factor).checked_pow(k as u32);
                let wait = power.and_then(|p| p.checked_mul(first.into())).unwrap_or(u128::MAX);
                if first == 0 { 0 } else { wait.min(cap.into()) as u64 }
            });
            prop_assert_eq!(waits(backoff, &alloc::vec![0; n]), expected.collect::<Vec<_>>());
        }

        #[test]
        fn jitter_shortens_and_never_by_more_than_it_says(
            first: u32, factor in 1..9_u32, cap: u32, random in proptest::collection::vec(any::<u64>(), 1..40),
        ) {
            let backoff = Backoff::exponential(Duration::from_nanos(first.into()), factor)
                .cap(Duration::from_nanos(cap.into()));
            let plain = waits(backoff.jitter(Jitter::None), &random);
            let full = waits(backoff.jitter(Jitter::Full), &random);
            let equal = waits(backoff.jitter(Jitter::Equal), &random);
            for ((plain, full), equal) in plain.into_iter().zip(full).zip(equal) {
                prop_assert!(full <= plain);
                prop_assert!(equal <= plain && equal >= plain / 2);
            }
        }

        #[test]
        fn decorrelated_waits_lie_between_the_first_and_three_times_the_one_before(
            first in 1..u64::MAX, cap in 1..u64::MAX, random in proptest::collection::vec(any::<u64>(), 1..40),
        ) {
            let backoff = Backoff::decorrelated(Duration::from_nanos(first)).cap(Duration::from_nanos(cap));
            let mut before = first;
            for wait in waits(backoff, &random) {
                prop_assert!(wait >= first.min(cap) && wait <= before.saturating_mul(3).min(cap));
                before = wait;
            }
        }
    }
}
