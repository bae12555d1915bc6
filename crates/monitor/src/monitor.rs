//! [`Monitor`]: a question about a stream, asked after every observation; [`Verdict`]: its answer, in a line.
//!
//! It keeps two accounts. The e-process since the start answers "was the claim ever false?" with a false alarm probability
//! for all time. The detector answers "has something changed since?" and is what a server of many months looks at; its
//! promise is a mean time between false alarms. See `docs/monitors.md` for which to use when.
//!
//! A monitor takes only tests of "at most": the default is a grid over worse rates, and [`Monitor::with`] takes any other
//! e-process whose null is [`AtMost`]. One for a point null doesn't fit:
//!
//! ```compile_fail
//! use asupersync_monitor::{Beta, Exactly, Mixture, Monitor, Question};
//! let mixture = Mixture::new(Exactly::rate(0.05).unwrap(), Beta::UNIFORM);
//! let _ = Monitor::with(Question::DRAINS, mixture); // its null is `Exactly`
//! ```
//!
//! Not here: where observations come from (`readers`), several monitors at once (`panel`).

use core::{fmt, time::Duration};

use crate::{AtMost, Detector, EProcess, EValue, Form, Grid, Level, Question, Wealth};

/// A named question about a stream. Cost per observation: two exponentials and a logarithm per point of the grid,
/// about 90 ns with the four points of a 5 % claim (2-core machine, 2026-11-22); fixed memory.
#[derive(Clone, Debug)]
pub struct Monitor<P = Grid> {
    question: Question,
    process: P,
    detector: Detector,
}

impl Monitor {
    /// Asks `question` with the default test, a [`Grid`].
    #[must_use]
    pub fn new(question: Question) -> Self {
        let process = Grid::new(question.null());
        Self::with(question, process)
    }
}

impl<P: EProcess<Null = AtMost>> Monitor<P> {
    /// Asks `question` with a test of one's own.
    ///
    /// # Panics
    /// If `process` tests another rate than the question claims.
    #[must_use]
    pub fn with(question: Question, process: P) -> Self {
        assert_eq!(question.null(), process.null(), "the test is of the claim `{question}`");
        let detector = Detector::new(question.null(), Form::ShiryaevRoberts);
        Self { question, process, detector }
    }

    /// The question.
    #[must_use]
    pub fn question(&self) -> &Question {
        &self.question
    }

    /// Takes in the next observation: was it a violation?
    pub fn observe(&mut self, violated: bool) {
        self.process.observe(violated);
        self.detector.observe(violated);
    }

    /// Takes in how long something took, a violation if that is more than `limit`.
    pub fn observe_duration(&mut self, took: Duration, limit: Duration) {
        self.observe(took > limit);
    }

    /// The evidence against the claim, now.
    #[must_use]
    pub fn evidence(&self) -> EValue {
        self.process.wealth().now()
    }

    /// The account since the start.
    #[must_use]
    pub fn wealth(&self) -> &Wealth {
        self.process.wealth()
    }

    /// The watch for a change; see [`Detector::alarm`].
    #[must_use]
    pub fn detector(&self) -> &Detector {
        &self.detector
    }

    /// Starts the watch for a change anew, as one does after its alarm was attended to. The account since the start stays.
    pub fn acknowledge(&mut self) {
        self.detector.restart();
    }

    /// The answer at this level.
    #[must_use]
    pub fn verdict(&self, level: Level) -> Verdict<'_> {
        Verdict { question: &self.question, wealth: *self.process.wealth(), level }
    }
}

/// The answer of one monitor. Displays as a line for people.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Verdict<'a> {
    question: &'a Question,
    wealth: Wealth,
    level: Level,
}

impl Verdict<'_> {
    /// Whether the claim is rejected at the level asked for: at some time the evidence reached one over it.
    #[must_use]
    pub fn is_rejection(&self) -> bool {
        self.wealth.peak().rejects(self.level)
    }

    /// The numbers behind it.
    #[must_use]
    pub fn wealth(&self) -> &Wealth {
        &self.wealth
    }
}

impl fmt::Display for Verdict<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { question, wealth, level } = self;
        let (name, units, seen) = (question.name(), question.units(), wealth.seen());
        if seen == 0 {
            return write!(f, "{name}: no {units} seen yet, so nothing to say about '{question}'");
        }
        let count = wealth.violations();
        if wealth.now().rejects(*level) {
            write!(f, "{name}: evidence e = {} against '{question}'", wealth.now())?;
        } else if self.is_rejection() {
            write!(
                f,
                "{name}: evidence e = {} at its peak, {} now, against '{question}'",
                wealth.peak(),
                wealth.now()
            )?;
        } else {
            write!(f, "{name}: no evidence against '{question}' (e = {})", wealth.now())?;
        }
        write!(f, ", after {seen} {units}, {count} of them bad")
    }
}
