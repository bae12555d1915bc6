//! [`Progress`]: how far a search has come, for whoever watches it and may end it.
//!
//! Not here: clocks and terminals. Who watches has them (`lab_test`).
use explore::{Coverage, Estimate, Survey};
use std::fmt;
use std::sync::{Arc, Mutex};

/// Whether a search goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Go {
    /// It does.
    On,
    /// It ends here, and says of how much it has seen how much ([`Found`](crate::Found)).
    Stop,
}

/// How far a search has come. What has to be computed is computed when it is asked for.
#[derive(Clone, Copy, Debug)]
pub struct Progress<'a> {
    /// Executions so far.
    pub runs: u64,
    /// Executions that were given up because they would have repeated another.
    pub repeated: u64,
    /// How many there will be at most, if there is a limit.
    pub limit: Option<u64>,
    pub(crate) coverage: &'a Coverage,
    pub(crate) survey: Option<&'a Survey>,
}

impl Progress<'_> {
    /// How many classes were seen.
    #[must_use]
    pub fn classes(&self) -> u64 {
        self.coverage.classes()
    }

    /// How many executions a search through every class will likely have; `None` for samples. Cost: a few operations
    /// for each step of the last execution.
    #[must_use]
    pub fn likely(&self) -> Option<Estimate> {
        self.survey.map(Survey::estimate)
    }

    /// For samples: the probability that one more run is of a class that was not seen. `None` otherwise.
    #[must_use]
    pub fn unseen(&self) -> Option<f64> {
        self.survey.is_none().then(|| self.coverage.unseen())
    }
}

impl fmt::Display for Progress<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.likely(), self.limit) {
            (Some(estimate), _) => {
                write!(f, "{} classes of about {}", self.classes(), rounded(estimate.likely))
            }
            (None, Some(limit)) => write!(f, "run {} of {limit}, {} classes", self.runs, self.classes()),
            (None, None) => write!(f, "run {}, {} classes", self.runs, self.classes()),
        }
    }
}

/// A guess, with two digits that say something.
pub(crate) fn rounded(guess: f64) -> String {
    if !guess.is_finite() {
        return "nobody knows how many".into();
    }
    let digits = guess.max(1.0).log10().floor() as i32 - 1;
    let unit = 10f64.powi(digits.max(0));
    format!("{:.0}", (guess / unit).round() * unit)
}

/// A guess of how many classes there are, where so many are known and there are others.
pub(crate) fn about(known: u64, guess: f64) -> String {
    if !guess.is_finite() {
        rounded(guess)
    } else if guess.round() > known as f64 {
        format!("about {}", rounded(guess))
    } else {
        format!("more than {known}")
    }
}

/// Who is told.
#[derive(Clone)]
pub(crate) struct Hook(pub(crate) Arc<Mutex<Told>>);

type Told = dyn FnMut(&Progress<'_>) -> Go + Send;

impl fmt::Debug for Hook {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Hook")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_guess_shows_two_digits() {
        assert_eq!(["7", "90", "1200", "99000"], [7.4, 90.2, 1234.0, 98_765.0].map(rounded));
        assert_eq!(rounded(f64::INFINITY), "nobody knows how many");
    }

    #[test]
    fn a_guess_that_knows_of_no_other_is_not_told_as_all_there_are() {
        assert_eq!([about(2, 2.0), about(2, 2.3), about(2, 2.6)], ["more than 2", "more than 2", "about 3"]);
        assert_eq!([about(0, 0.0), about(3, f64::INFINITY)], ["more than 0", "nobody knows how many"]);
    }
}
