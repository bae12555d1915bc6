//! [`Refusal`]: why a number was not taken as a rate, a level, a bet or an alternative.
//!
//! The words matter more than the type: a person who asks for "at most 0 %" has asked the wrong kind of judge, and the
//! refusal says which one to ask instead.
//!
//! Not here: the checks themselves, which stand in the constructors.

use core::fmt;

/// Why a value was refused. Nothing was made.
#[derive(Clone, Copy, PartialEq, Debug)]
#[non_exhaustive]
pub enum Refusal {
    /// A rate of 0: what must never happen is no rate.
    Never,
    /// A rate of 1 or more: what may always happen can't be tested.
    Always(f64),
    /// A rate below 0, or no number at all.
    NotARate(f64),
    /// A level outside 0 to 1, both ends excluded.
    NotALevel(f64),
    /// A stake outside 0 to 1, where 1 is excluded.
    NotAStake(f64),
    /// A share outside 0 to 1.
    NotAShare(f64),
    /// An alternative that doesn't lie above the rate it is an alternative to.
    NotAbove {
        /// The alternative.
        point: f64,
        /// The rate it should exceed.
        at_most: f64,
    },
    /// A grid without a point, or with weights that aren't positive numbers.
    NoGrid,
    /// The parameters of a Beta distribution aren't positive numbers.
    NotABeta {
        /// The first parameter.
        a: f64,
        /// The second parameter.
        b: f64,
    },
    /// A count or a scale that must be a positive number.
    NotPositive(f64),
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Never => f.write_str(
                "failed to make a rate of 0: what must never happen is no question for statistics, because one \
                 violation is a proof; use an oracle or an assertion",
            ),
            Self::Always(rate) => {
                write!(f, "failed to make a rate of {rate}: nothing could ever be seen against it")
            }
            Self::NotARate(rate) => write!(f, "failed to make a rate of {rate}: it must lie between 0 and 1"),
            Self::NotALevel(level) => {
                write!(f, "failed to make a level of {level}: it must lie between 0 and 1, both excluded")
            }
            Self::NotAStake(stake) => write!(
                f,
                "failed to make a stake of {stake}: a bet risks a share of what is there, from 0 to less than 1"
            ),
            Self::NotAShare(share) => write!(f, "failed to take {share} as a share: it must lie from 0 to 1"),
            Self::NotAbove { point, at_most } => write!(
                f,
                "failed to test `at most {at_most}` against {point}: the alternative must lie above, and below 1; \
                 a point below would count good news as evidence"
            ),
            Self::NoGrid => f.write_str("failed to make a grid: it needs points, with positive weights"),
            Self::NotABeta { a, b } => {
                write!(f, "failed to make a Beta({a}, {b}) prior: both parameters must be positive")
            }
            Self::NotPositive(value) => write!(f, "failed to take {value}: it must be a positive number"),
        }
    }
}

impl core::error::Error for Refusal {}
