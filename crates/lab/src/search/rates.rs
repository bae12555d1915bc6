//! [`Rates`]: drawn runs that go on after a failure, and what they say of each judge: how often it finds something.
//!
//! Each judge's rate has a confidence sequence of its own, and a monitor of the claim that it is at most what is allowed.
//! The judges look at the same runs, so their evidence is never multiplied; which claims are false is said by e-BH.
//!
//! Invariant `rates.one-finding`: a run in which the program panicked, or which could not end, is counted for that alone:
//! what the oracles make of a run that was cut off follows from it.
//!
//! Not here: the statistics (`monitor`); making one failure small (`hunt`).
use super::hunt::Hunt;
use crate::executor::Executor;
use crate::runtime::LabRuntime;
use crate::search::{How, Search};
use crate::verdict::LabFailure;
use crate::world::locked;
use explore::{Recording, Replay, Scheduler};
use monitor::{AtMost, CleanRuns, Interval, Level, Panel, Question, Rate, RateSequence, Sampled, Statement};
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::{Arc, Mutex};

/// A judge of runs.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Judge {
    name: String,
    /// In how many runs it found something.
    found: u64,
    /// What repeats the first of them.
    again: Option<String>,
}

/// See the module. Displays as a line for each judge that found something, and one for all others together.
#[derive(Debug)]
pub struct Rates {
    test: String,
    runs: u64,
    level: Level,
    allowed: Rate,
    judges: Vec<Judge>,
    panel: Panel,
    clean: CleanRuns,
}

/// The judges of every run. Where an oracle has the same name, it looks for the same in the trace, and is one judge with it.
const ENDS: [&str; 5] = ["the program", "deadlock", "lost_wakeup", "limits", "no_foreign_calls"];
/// And of those that are checked against it.
pub(crate) const MODEL: &str = "the model";

fn judge_of(failure: Option<&LabFailure>) -> &'static str {
    match failure {
        Some(LabFailure::Deadlock { .. }) => "deadlock",
        Some(LabFailure::LostWakeup { .. }) => "lost_wakeup",
        Some(LabFailure::Stuck { .. }) => "limits",
        Some(LabFailure::Outside { .. }) => "no_foreign_calls",
        Some(LabFailure::Model { .. }) => MODEL,
        Some(LabFailure::Redundant) | None => "the program",
    }
}

impl Rates {
    fn new(search: &Search, test: &str, allowed: Rate, sampled: &Sampled) -> Rates {
        let others = search.config.judges().into_iter().filter(|name| !ENDS.contains(&name.as_str()));
        let names: Vec<String> = ENDS.into_iter().map(str::to_string).chain(others).collect();
        let question = |name: &String| {
            let violates = format!("are found wanting by {name}");
            Question::new(name.clone(), AtMost(allowed), "runs", violates)
        };
        let panel = names.iter().fold(Panel::new(), |panel, name| panel.told(question(name)));
        let judges = names.into_iter().map(|name| Judge { name, found: 0, again: None }).collect();
        let (test, clean) = (test.into(), CleanRuns::new(sampled));
        Rates { test, runs: 0, level: search.level, allowed, judges, panel, clean }
    }

    /// One more run, in which these judges found something.
    fn saw(&mut self, found: &[String], again: impl Fn() -> String) {
        self.runs += 1;
        self.clean.observe(!found.is_empty());
        for (judge, monitor) in self.judges.iter_mut().zip(self.panel.monitors_mut()) {
            let violated = found.contains(&judge.name);
            monitor.observe(violated);
            if violated {
                judge.found += 1;
                judge.again.get_or_insert_with(&again);
            }
        }
    }

    /// How many runs there were.
    #[must_use]
    pub fn runs(&self) -> u64 {
        self.runs
    }

    /// The judges by name, each with the number of runs in which it found something.
    pub fn judges(&self) -> impl Iterator<Item = (&str, u64)> {
        self.judges.iter().map(|judge| (judge.name.as_str(), judge.found))
    }

    /// Where the rate of this judge lies; wrong, ever, with probability `level` at most. Everything from 0 to 1 for a name
    /// that is none.
    #[must_use]
    pub fn interval(&self, judge: &str, level: Level) -> Interval {
        let found = self.judges.iter().find(|one| one.name == judge);
        match (found, RateSequence::new(level, u32::try_from(self.runs.max(1)).unwrap_or(u32::MAX))) {
            (Some(one), Ok(sequence)) => sequence.interval(one.found, self.runs),
            _ => Interval { lower: 0.0, upper: 1.0 },
        }
    }

    /// The judges that find something in more runs than is allowed, by e-BH: of those named, at most the share `level` is
    /// named wrongly, on average.
    #[must_use]
    pub fn above(&self, level: Level) -> Vec<&str> {
        self.panel.findings(level).into_iter().map(|monitor| monitor.question().name()).collect()
    }

    /// What follows from the runs if all were clean, for each judge and for all together; otherwise that they were not.
    #[must_use]
    pub fn clean(&self, level: Level) -> Statement {
        self.clean.statement(level)
    }

    /// The line that repeats the first run in which this judge found something.
    #[must_use]
    pub fn again(&self, judge: &str) -> Option<&str> {
        self.judges.iter().find(|one| one.name == judge)?.again.as_deref()
    }
}

impl fmt::Display for Rates {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Rates { test, runs, level, allowed, judges, .. } = self;
        let above = self.above(*level);
        for Judge { name, found, again } in judges.iter().filter(|judge| judge.found > 0) {
            let Interval { lower, upper } = self.interval(name, *level);
            let mark = if above.contains(&name.as_str()) { "!" } else { " " };
            writeln!(
                f,
                "{mark} {name}: {found} of {runs} runs, so {:.2} % to {:.2} % of them",
                lower * 100.0,
                upper * 100.0
            )?;
            if let Some(again) = again {
                writeln!(f, "    the first: {again}")?
            }
        }
        let silent = judges.iter().filter(|judge| judge.found == 0).count();
        let Interval { upper, .. } = judges
            .iter()
            .find(|judge| judge.found == 0)
            .map_or(Interval { lower: 0.0, upper: 1.0 }, |judge| self.interval(&judge.name, *level));
        match self.clean(*level) {
            statement @ Statement::Below { .. } => writeln!(f, "{silent} judges found nothing: {statement}")?,
            _ if silent > 0 => writeln!(
                f,
                "{silent} judges found nothing: each in less than {:.2} % of runs",
                upper * 100.0
            )?,
            _ => {}
        }
        let named = above.len();
        write!(
            f,
            "`{test}`: of {} claims of at most {allowed}, {named} named as false (e-BH at {level})",
            judges.len()
        )
    }
}

impl<P: Fn(&LabRuntime)> Hunt<'_, P> {
    /// See [`Search::rates`].
    pub(super) fn rates(&self, allowed: Rate) -> Rates {
        self.search.draws(self.test);
        let (How::Sample(schedule), Some(sampled)) = (&self.search.how, self.search.sampled()) else {
            unreachable!("who draws is a sampler")
        };
        let mut rates = Rates::new(self.search, self.test, allowed, &sampled);
        let scheduler = schedule.scheduler(self.search.config.seed);
        let scheduler = Arc::new(Mutex::new(Recording::decisions_only(scheduler)));
        let executor = Executor::new(self.search.config.clone(), self.search.grain).called_from(self.at);
        while rates.runs < self.search.limit {
            let found = self.findings(&executor, &scheduler);
            let again = || {
                let decisions = locked(&scheduler).taken().decisions;
                self.search.rerun.command(self.test, &Replay::new(self.test, decisions).line())
            };
            rates.saw(&found, again);
        }
        rates
    }

    /// The names of those who found something in one run.
    fn findings<S: Scheduler + Send + 'static>(
        &self,
        executor: &Executor,
        scheduler: &Arc<Mutex<Recording<S>>>,
    ) -> Vec<String> {
        let mut found = Vec::new();
        executor.execute(scheduler, |lab| {
            if let Err(payload) = catch_unwind(AssertUnwindSafe(|| (self.program)(lab))) {
                found = lab.findings();
                if found.is_empty() {
                    found.push(judge_of(lab.failure().as_ref()).into())
                }
                resume_unwind(payload)
            }
        });
        found
    }
}
