//! What a search says when a schedule fails.
//!
//! Not here: finding it (`search`), pictures of it (`timeline`).
use explore::{Decisions, Replay, Taken};
use std::any::Any;
use std::fmt;

/// A failing schedule, as its test reports it.
pub(crate) struct Failure<'a> {
    pub(crate) test: &'a str,
    /// What it failed with.
    pub(crate) what: String,
    /// Where the program panicked, if it did.
    pub(crate) at: Option<String>,
    /// How it was met.
    pub(crate) met: Met,
    /// The schedule that is reported.
    pub(crate) taken: Taken,
    pub(crate) minimal: bool,
    /// What came of running the schedule again, if it did not fail in the same way.
    pub(crate) unrepeated: Option<String>,
    /// The command that runs exactly this again.
    pub(crate) repeat: String,
    /// Why nothing is known but that it fails, if that is so.
    pub(crate) as_found: Option<String>,
    /// The faults that fired in it, if any did.
    pub(crate) faults: Option<String>,
    /// The racing pair, in words.
    pub(crate) pair: Option<String>,
    /// Where it was written, or why not.
    pub(crate) written: Option<String>,
}

/// How a failure was met.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Met {
    /// In this run of a search, from 1.
    Run(u64),
    /// By a sweep, with this seed.
    Seed(u64),
    /// It was replayed.
    Again,
}

impl fmt::Display for Met {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Met::Run(run) => write!(f, "in run {run}"),
            Met::Seed(seed) => write!(f, "with seed {seed}"),
            Met::Again => f.write_str("as it was recorded"),
        }
    }
}

/// How a test is run again, but for the replay.
#[derive(Clone, Debug, Default)]
pub(crate) struct Rerun {
    /// What else the environment has to say: `LAB_SEED=3 `, or nothing.
    pub(crate) settings: String,
    /// The command; `cargo test NAME` if nobody said.
    pub(crate) command: Option<String>,
}

/// Whose runs they are.
#[derive(Clone, Debug)]
pub(crate) struct Named {
    pub(crate) test: String,
    pub(crate) rerun: Rerun,
}

impl Named {
    /// The line that repeats a run that took these decisions.
    pub(crate) fn again(&self, decisions: Decisions) -> String {
        self.rerun.command(&self.test, &Replay::new(self.test.clone(), decisions).line())
    }
}

impl Rerun {
    /// The whole line, for a run with cancellations before these steps.
    pub(crate) fn cancelling(&self, test: &str, steps: &str) -> String {
        let Rerun { settings, command } = self;
        let test = command.clone().unwrap_or_else(|| format!("cargo test {test}"));
        format!("{settings}LAB_CANCEL={steps} {test}")
    }

    /// The whole line, for this replay of this test.
    pub(crate) fn command(&self, test: &str, replay: &str) -> String {
        let settings = &self.settings;
        match &self.command {
            Some(command) => format!("{settings}LAB_REPLAY={replay} {command}"),
            None => format!(
                "{settings}LAB_REPLAY={replay} cargo test {test} (if the test hands LAB_REPLAY on: by the attribute, by \
                 `LabTest`, or as the second argument of `Search::run`)"
            ),
        }
    }
}

impl<'a> Failure<'a> {
    /// A failure of which nothing else is known.
    pub(crate) fn new(test: &'a str, what: String, met: Met, repeat: String) -> Failure<'a> {
        Failure {
            test,
            what,
            at: None,
            met,
            taken: Taken::default(),
            minimal: false,
            unrepeated: None,
            repeat,
            as_found: None,
            faults: None,
            pair: None,
            written: None,
        }
    }
}

impl fmt::Display for Failure<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Failure { test, what, taken, .. } = self;
        writeln!(f, "`{test}` fails {}: {what}", self.met)?;
        if let Some(at) = &self.at {
            writeln!(f, "panicked at {at}")?
        }
        if let Some(why) = &self.unrepeated {
            writeln!(f, "this did not repeat: {why}")?
        } else if let Some(why) = &self.as_found {
            writeln!(f, "the schedule is as it was found: {why}")?
        } else {
            let deviations = taken.decisions.deviations().len() as u64;
            let (delays, steps) = (count(taken.delays, "delay"), count(taken.steps, "step"));
            let schedule = match (self.met, self.minimal) {
                (Met::Again, false) => "schedule",
                (_, true) => "smallest schedule",
                (_, false) => "smallest schedule so far",
            };
            writeln!(
                f,
                "{schedule}: departs from production's order {} ({delays}), {steps}",
                times(deviations)
            )?;
            match &self.pair {
                Some(pair) => writeln!(f, "racing pair: {pair}")?,
                None if deviations == 0 => writeln!(f, "no race: it fails in production's order too")?,
                None => {}
            }
        }
        for line in [&self.faults, &self.written].into_iter().flatten() {
            writeln!(f, "{line}")?;
        }
        let again = match self.unrepeated {
            Some(_) => "its schedule, which alone does not make it fail",
            None => "to run exactly this again",
        };
        write!(f, "{again}: {}", self.repeat)
    }
}

fn times(n: u64) -> String {
    if n == 1 { "once".into() } else { format!("{n} times") }
}

pub(crate) fn count(n: u64, what: &str) -> String {
    if n == 1 { format!("1 {what}") } else { format!("{n} {what}s") }
}

/// What a panic says.
pub(crate) fn message(payload: &(dyn Any + Send)) -> String {
    match (payload.downcast_ref::<String>(), payload.downcast_ref::<&str>()) {
        (Some(text), _) => text.clone(),
        (None, Some(text)) => (*text).into(),
        (None, None) => "a panic without a message".into(),
    }
}
