//! The numbers of a question, parsed once: [`Rate`], [`Level`], [`Share`], and the two kinds of null hypothesis,
//! [`AtMost`] and [`Exactly`].
//!
//! Why two types for one number: "at most 5 %" and "exactly 5 %" need different tests. A test of the second kind that is
//! advertised as one of the first raises an alarm with near certainty when the truth is *better* than promised. So each
//! e-process names the null it is valid for in its type, and a monitor takes only those for [`AtMost`].
//!
//! Invariants: `rate.open` (0 < rate < 1), `level.open` (0 < level < 1), `share.closed` (0 <= share <= 1); no value is NaN.
//!
//! Not here: tests of a null (`process`).

use core::fmt;

use crate::Refusal;

/// How often something may happen, per observation: strictly between 0 and 1. Displays in per cent.
#[derive(Clone, Copy, PartialEq, PartialOrd, Debug)]
pub struct Rate(f64);

impl Rate {
    /// The rate with this value.
    ///
    /// # Errors
    /// [`Refusal::Never`] for 0: what must never happen is a hard invariant, and one violation of it is a proof.
    /// [`Refusal::Always`] for 1 and more, [`Refusal::NotARate`] for what is negative, no number, or below the smallest normal
    /// `f64` (one over it has to be a number too).
    pub const fn new(value: f64) -> Result<Self, Refusal> {
        if value == 0.0 {
            Err(Refusal::Never)
        } else if value >= 1.0 {
            Err(Refusal::Always(value))
        } else if value >= f64::MIN_POSITIVE {
            Ok(Self(value))
        } else {
            Err(Refusal::NotARate(value))
        }
    }

    /// The value, strictly between 0 and 1.
    #[must_use]
    pub const fn value(self) -> f64 {
        self.0
    }

    /// For constants of this crate, which are rates by sight; a mistake fails the build where it is a constant.
    pub(crate) const fn known(value: f64) -> Self {
        match Self::new(value) {
            Ok(rate) => rate,
            Err(_) => panic!("a rate lies between 0 and 1"),
        }
    }
}

impl fmt::Display for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        percent(self.0, f)
    }
}

/// How rarely a test may err: the chance of ever raising a false alarm, strictly between 0 and 1. Displays in per cent.
#[derive(Clone, Copy, PartialEq, PartialOrd, Debug)]
pub struct Level(f64);

impl Level {
    /// One false alarm in twenty.
    pub const FIVE_PERCENT: Self = Self(0.05);
    /// One false alarm in a hundred.
    pub const ONE_PERCENT: Self = Self(0.01);
    /// One false alarm in a thousand.
    pub const ONE_PER_MILLE: Self = Self(0.001);

    /// The level with this value.
    ///
    /// # Errors
    /// [`Refusal::NotALevel`] unless it lies strictly between 0 and 1.
    pub const fn new(value: f64) -> Result<Self, Refusal> {
        if value > 0.0 && value < 1.0 { Ok(Self(value)) } else { Err(Refusal::NotALevel(value)) }
    }

    /// The value, strictly between 0 and 1.
    #[must_use]
    pub const fn value(self) -> f64 {
        self.0
    }

    /// The natural logarithm of one over the level: the evidence that rejects at it.
    #[must_use]
    pub fn ln_threshold(self) -> f64 {
        -self.0.ln()
    }
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        percent(self.0, f)
    }
}

/// A bounded observation, 0 to 1: how much of a limit was used, which part of a batch failed.
#[derive(Clone, Copy, PartialEq, PartialOrd, Debug)]
pub struct Share(f64);

impl Share {
    /// Nothing.
    pub const NONE: Self = Self(0.0);
    /// All of it.
    pub const ALL: Self = Self(1.0);

    /// The share with this value.
    ///
    /// # Errors
    /// [`Refusal::NotAShare`] unless it lies from 0 to 1. The bound is what makes a bet safe, so nothing is clipped in
    /// silence; see [`Share::clipped`].
    pub const fn new(value: f64) -> Result<Self, Refusal> {
        if value >= 0.0 && value <= 1.0 { Ok(Self(value)) } else { Err(Refusal::NotAShare(value)) }
    }

    /// `part` of `whole`, everything above `whole` counted as all of it. With an empty `whole`, all of it.
    #[must_use]
    pub fn clipped(part: core::time::Duration, whole: core::time::Duration) -> Self {
        if part >= whole { Self::ALL } else { Self(part.as_secs_f64() / whole.as_secs_f64()) }
    }

    /// The value, 0 to 1.
    #[must_use]
    pub const fn value(self) -> f64 {
        self.0
    }
}

impl From<bool> for Share {
    /// All or nothing.
    fn from(violated: bool) -> Self {
        if violated { Self::ALL } else { Self::NONE }
    }
}

/// The one-sided null hypothesis: given everything seen before, the next observation is a violation with probability (or
/// has a mean) of at most this. The truth may be better, and may change with time, as long as it stays at or below.
#[derive(Clone, Copy, PartialEq, PartialOrd, Debug)]
pub struct AtMost(pub Rate);

/// The point null hypothesis: given everything seen before, the next observation is a violation with probability of
/// exactly this. Fewer violations count against it as much as more do.
#[derive(Clone, Copy, PartialEq, PartialOrd, Debug)]
pub struct Exactly(pub Rate);

impl AtMost {
    /// Shorthand for `AtMost(Rate::new(rate)?)`.
    ///
    /// # Errors
    /// Those of [`Rate::new`].
    pub const fn rate(rate: f64) -> Result<Self, Refusal> {
        match Rate::new(rate) {
            Ok(rate) => Ok(Self(rate)),
            Err(why) => Err(why),
        }
    }
}

impl Exactly {
    /// Shorthand for `Exactly(Rate::new(rate)?)`.
    ///
    /// # Errors
    /// Those of [`Rate::new`].
    pub const fn rate(rate: f64) -> Result<Self, Refusal> {
        match Rate::new(rate) {
            Ok(rate) => Ok(Self(rate)),
            Err(why) => Err(why),
        }
    }
}

impl fmt::Display for AtMost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "at most {}", self.0)
    }
}

impl fmt::Display for Exactly {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "exactly {}", self.0)
    }
}

/// Three significant digits at least, and no trailing zeros: `5 %`, `0.1 %`, `33.3 %`.
fn percent(value: f64, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let value = value * 100.0;
    let before_the_point = value.log10().floor() as i32 + 1;
    let digits = usize::try_from(3 - before_the_point).unwrap_or(0);
    let text = format!("{value:.digits$}");
    let text = if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.') } else { &text };
    write!(f, "{text} %")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hard_invariant_is_no_rate_and_the_refusal_says_whom_to_ask() {
        let refusal = Rate::new(0.0).unwrap_err();
        assert_eq!(refusal, Refusal::Never);
        assert!(refusal.to_string().contains("one violation is a proof; use an oracle"));
        assert_eq!(Rate::new(-0.0).unwrap_err(), Refusal::Never);
    }

    #[test]
    fn what_is_not_inside_is_refused() {
        assert_eq!(Rate::new(1.0), Err(Refusal::Always(1.0)));
        assert_eq!(Rate::new(-0.1), Err(Refusal::NotARate(-0.1)));
        assert!(matches!(Rate::new(f64::NAN), Err(Refusal::NotARate(_))));
        assert!(matches!(Rate::new(1e-310), Err(Refusal::NotARate(_))));
        for level in [0.0, 1.0, -1.0, f64::NAN, f64::INFINITY] {
            assert!(matches!(Level::new(level), Err(Refusal::NotALevel(_))), "{level}");
        }
        for share in [-0.1, 1.1, f64::NAN] {
            assert!(matches!(Share::new(share), Err(Refusal::NotAShare(_))), "{share}");
        }
        assert_eq!((Share::new(0.0), Share::new(1.0)), (Ok(Share::NONE), Ok(Share::ALL)));
    }

    #[test]
    fn rates_are_read_in_per_cent() {
        let words = [0.05, 0.07, 0.001, 1e-4, 1.0 / 3.0, 0.995, 1e-6].map(|r| Rate::known(r).to_string());
        assert_eq!(words, ["5 %", "7 %", "0.1 %", "0.01 %", "33.3 %", "99.5 %", "0.0001 %"]);
        assert_eq!(AtMost::rate(0.05).unwrap().to_string(), "at most 5 %");
        assert_eq!(Exactly::rate(0.5).unwrap().to_string(), "exactly 50 %");
    }

    #[test]
    fn more_than_the_whole_is_the_whole() {
        use core::time::Duration;
        let ms = Duration::from_millis;
        assert_eq!(Share::clipped(ms(5), ms(20)).value(), 0.25);
        assert_eq!(Share::clipped(ms(50), ms(20)), Share::ALL);
        assert_eq!(Share::clipped(ms(0), ms(0)), Share::ALL);
    }
}
