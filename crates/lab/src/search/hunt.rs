//! One search of one program, from the first schedule to the verdict.
//!
//! Invariant `search.no-silent-end`: a search only says that it is complete if the exploration came to its end, and a
//! program that does not repeat itself is a failure.
//!
//! Not here: the knobs (`search`), who picks (`picker`), the words of the report (`failure`).
use super::picker::Picker;
use super::{Found, How, Search};
use crate::executor::{Execution, Executor};
use crate::failure::{Failure, Met, Rerun, count, message};
use crate::followed::complaint;
use crate::left::Left;
use crate::progress::{Go, Progress};
use crate::runtime::LabRuntime;
use crate::telling::{Marked, Telling};
use crate::twice::{Twice, twice};
use crate::verdict::LabFailure;
use crate::watch::{Looks, Unlooked};
use crate::world::locked;
use explore::{
    Classified, Coverage, Decisions, Recorded, Recording, Replay, Shrinker, Survey, Taken, Verdict,
};
use monitor::{CleanRuns, Panel};
use std::any::Any;
use std::panic::Location;
use std::sync::{Arc, Mutex};

/// See the module.
pub(crate) struct Hunt<'a, P> {
    pub(crate) search: &'a Search,
    pub(crate) test: &'a str,
    pub(crate) program: &'a P,
    /// Where the search was asked for, which is where the root region is opened.
    pub(crate) at: &'static Location<'static>,
}

/// Everybody who looks at a schedule while it runs.
type Watched = Arc<Mutex<Classified<Recording<Picker>>>>;

/// What is behind a program that does not repeat itself.
pub(crate) const OUTSIDE: &str = "something decides that the lab does not see (a static, a clock, a thread, a random seed, the address of \
                                  something)";

/// The search is to be begun anew, with steps that record more.
struct Anew {
    unlooked: Unlooked,
    /// The failure of that run, if it failed, and which one it was.
    failed: Option<Box<(Taken, String, u64)>>,
}

/// What a run that came to its end says.
#[derive(Default)]
struct Said {
    /// What the claims' statistics are about.
    observations: Vec<Option<bool>>,
    /// Random numbers that were no decisions.
    undecided: u64,
    /// The first frame that was left before its end.
    left: Option<String>,
}

/// What a search has learnt so far.
struct Learnt {
    runs: u64,
    repeated: u64,
    /// Random numbers that were no decisions.
    undecided: u64,
    left: Left,
    coverage: Coverage,
    /// Of an exploration of every class that somebody wants to know the length of.
    survey: Option<Survey>,
    /// Of drawn runs: how many there were, all of them clean, as the first that isn't ends the search.
    clean: Option<CleanRuns>,
    /// The claims about them.
    panel: Option<Panel>,
}

impl<P: Fn(&LabRuntime)> Hunt<'_, P> {
    pub(super) fn executor(&self, looks: &Looks) -> Executor {
        let executor = Executor::new(self.search.config.clone(), self.search.grain);
        executor.with_looks(looks).called_from(self.at)
    }

    pub(super) fn all(&self) -> Found {
        let found = self.searched();
        assert!(
            found.runs > 0,
            "lab: `{}` was not run at all: the limit on runs or time leaves room for none",
            self.test
        );
        self.check_limit(&found);
        found
    }

    /// Whoever asked for everything and was given a part has not passed.
    fn check_limit(&self, found: &Found) {
        let limit = self.search.limit;
        if found.complete || found.runs < limit || !self.search.fails_at_limit() {
            return;
        }
        panic!(
            "lab: `{}` has more schedules than its limit of {}: {found}\nnone of those fails, and nothing is known of the \
             others: raise `limit`, make the test smaller, draw schedules instead (`explore = \"pct:3\"`), or say `budget = \
             {limit}` instead of `limit` if so many are enough",
            self.test,
            count(limit, "run")
        )
    }

    fn searched(&self) -> Found {
        // Most programs ask nobody to end, and look at no region. A search that meets a task that is asked is begun anew, with
        // that one's steps looking at it, and so is one that meets such a look: samples too, as they say how many classes
        // there are.
        let (mut looks, mut first, mut lost) = (Looks::default(), None, None);
        let found = loop {
            match self.attempt(&looks, &mut lost) {
                Ok(found) => break found,
                Err(Anew { unlooked, failed }) => {
                    first = first.or(failed);
                    looks.add(unlooked)
                }
            }
        };
        // A failure that nobody meets again is one all the same.
        if let Some(failed) = first {
            let (taken, what, run) = *failed;
            self.fail(&Looks::default(), taken, what, Met::Run(run))
        }
        if let Some(place) = lost {
            panic!(
                "lab: `{}` does not repeat itself: a run panicked at {place}, and none of {} others does\n{OUTSIDE}",
                self.test, found.runs
            )
        }
        found
    }

    /// A search whose steps look at requests as `looks` says.
    ///
    /// `lost` is where the run panicked that was not looked at, if it was given up before its panic came out; nowhere any
    /// more if a run panics there again.
    fn attempt(&self, looks: &Looks, lost: &mut Option<String>) -> Result<Found, Anew> {
        let every = matches!(self.search.how, How::Every);
        let executor = self.executor(looks);
        let surveys = every && (self.search.hook.is_some() || self.search.limit < u64::MAX);
        let picker = Picker::of(self.search);
        let watched: Watched = Arc::new(Mutex::new(Classified::new(Recording::decisions_only(picker))));
        let survey = surveys.then(Survey::new);
        let mut learnt = Learnt {
            runs: 0,
            repeated: 0,
            undecided: 0,
            left: Left::default(),
            coverage: Coverage::new(),
            survey,
            clean: self.search.sampled().as_ref().map(CleanRuns::new),
            panel: self.search.panel(self.test),
        };
        let complete = loop {
            let planned = {
                let mut watched = locked(&watched);
                let picker = watched.inner_mut().inner_mut();
                if !picker.another() {
                    self.check_repeats(picker);
                    break true;
                }
                if learnt.runs >= self.search.limit {
                    break false;
                }
                if surveys { picker.planned() } else { Vec::new() }
            };
            let (mut execution, said) = self.once(&executor, &watched);
            let unlooked = execution.take_unlooked();
            let Execution { failure, panicked_at, .. } = execution;
            if !unlooked.is_empty() {
                let failed = failure.filter(|f| !LabFailure::is_redundant(&**f));
                let run = learnt.runs + 1;
                *lost = lost.take().or(panicked_at.filter(|_| failed.is_none()));
                let told = |f: Box<dyn Any + Send>| (locked(&watched).inner().taken(), message(&*f), run);
                return Err(Anew { unlooked, failed: failed.map(|f| Box::new(told(f))) });
            }
            if lost.is_some() && *lost == panicked_at {
                *lost = None;
            }
            learnt.undecided += said.undecided;
            learnt.left.add(said.left);
            self.learn(&mut learnt, &watched, failure, looks, &planned);
            self.judge_claims(&mut learnt, &said.observations);
            if self.watcher_stops(&learnt) {
                break false;
            }
        };
        Ok(Found {
            runs: learnt.runs,
            classes: learnt.coverage.classes(),
            repeated: learnt.repeated,
            complete,
            unseen: matches!(self.search.how, How::Sample(_)).then(|| learnt.coverage.unseen()),
            within: match self.search.how {
                How::Within(delays) => Some(delays),
                How::Every | How::Sample(_) => None,
            },
            likely: learnt.survey.filter(|_| !complete).map(|survey| survey.estimate()),
            clean: learnt.clean.map(|clean| clean.statement(self.search.level)),
            undecided: learnt.undecided,
            left: learnt.left,
        })
    }

    /// One run.
    fn once(&self, executor: &Executor, watched: &Watched) -> (Execution, Said) {
        let mut said = Said::default();
        let execution = executor.execute(watched, |lab: &LabRuntime| {
            (self.program)(lab);
            said = self.said(lab)
        });
        (execution, said)
    }

    fn said(&self, lab: &LabRuntime) -> Said {
        Said {
            observations: self.search.observations(lab),
            undecided: lab.take_undecided(),
            left: lab.left(),
        }
    }

    fn learn(
        &self,
        learnt: &mut Learnt,
        watched: &Watched,
        failure: Option<Box<dyn Any + Send>>,
        looks: &Looks,
        planned: &[u64],
    ) {
        if failure.as_ref().is_some_and(|f| LabFailure::is_redundant(&**f)) {
            learnt.repeated += 1;
            return;
        }
        learnt.runs += 1;
        let watched = locked(watched);
        learnt.coverage.saw(watched.class().0);
        if let Some(survey) = &mut learnt.survey {
            survey.executed(&watched.inner().inner().path(), planned)
        }
        if let Some(payload) = failure {
            let taken = watched.inner().taken();
            drop(watched);
            self.fail(looks, taken, message(&*payload), Met::Run(learnt.runs))
        }
        if self.search.twice {
            let list = watched.inner().taken().decisions;
            drop(watched);
            self.check_twice(&list, learnt.runs)
        }
        if let Some(clean) = &mut learnt.clean {
            clean.observe(false)
        }
    }

    /// Fails if two more runs with these decisions part.
    fn check_twice(&self, list: &Decisions, run: u64) {
        if let Some(difference) = self.twice(list).difference {
            panic!("lab: `{}` does not repeat itself, in run {run}: {difference}\n{OUTSIDE}", self.test)
        }
    }

    /// A claim that the runs so far speak against is a failure, at the first moment at which one is named.
    fn judge_claims(&self, learnt: &mut Learnt, seen: &[Option<bool>]) {
        let Some(panel) = &mut learnt.panel else { return };
        self.search.observe(panel, seen);
        let level = self.search.level;
        if panel.findings(level).is_empty() {
            return;
        }
        let Rerun { settings, command } = &self.search.rerun;
        let command = command.clone().unwrap_or_else(|| format!("cargo test {}", self.test));
        panic!(
            "`{}` makes a claim that its runs speak against, after run {}:\n{}\nto draw the same runs again: {settings}{command}",
            self.test,
            learnt.runs,
            panel.report(level),
        )
    }

    fn watcher_stops(&self, learnt: &Learnt) -> bool {
        let Some(hook) = &self.search.hook else { return false };
        let progress = Progress {
            runs: learnt.runs,
            repeated: learnt.repeated,
            limit: Some(self.search.limit).filter(|limit| *limit < u64::MAX),
            coverage: &learnt.coverage,
            survey: learnt.survey.as_ref(),
        };
        locked(&hook.0)(&progress) == Go::Stop
    }

    /// An exploration also ends when the program doesn't repeat itself: nothing can be said of it then.
    fn check_repeats(&self, picker: &Picker) {
        if let Some(why) = picker.divergence() {
            // In production's order a program of which one can see it at all mostly shows it too.
            let parts = self.twice(&Decisions::default()).difference;
            let parts = parts.map_or(String::new(), |difference| format!("\n{difference}"));
            panic!("lab: `{}` does not repeat itself: {why}\n{OUTSIDE}{parts}", self.test)
        }
    }

    /// Makes the failing schedule small, and panics with the report.
    fn fail(&self, looks: &Looks, taken: Taken, what: String, met: Met) -> ! {
        let shrinks = self.search.shrinks(taken.steps);
        let shrinker = self.shrunk(looks, Shrinker::new(taken, shrinks), &what);
        let mut failure = self.reported(shrinker.best().decisions.clone(), what, met);
        failure.minimal = shrinker.is_minimal();
        if shrinker.reproduced() == Some(false) && failure.unrepeated.is_none() {
            failure.unrepeated = Some(format!("it failed again only sometimes; {OUTSIDE}"))
        }
        panic!("{failure}")
    }

    /// Goes on until the shrinker has nothing left to propose.
    fn shrunk(&self, looks: &Looks, mut shrinker: Shrinker, what: &str) -> Shrinker {
        while let Some(proposal) = shrinker.propose() {
            let told = self.follow(looks, Recorded::lenient(proposal));
            shrinker.tell(match told.failure {
                Some(found) if alike(&found, what) => Verdict::Failed(told.taken),
                _ => Verdict::Passed,
            });
        }
        shrinker
    }

    /// A schedule that failed with `what` elsewhere, made small and told; `None` if it does not fail so here, or if what
    /// became of it doesn't fail there (`fails`).
    pub(crate) fn told(
        &self,
        decisions: Decisions,
        what: &str,
        met: Met,
        fails: impl Fn(&Decisions) -> bool,
    ) -> Option<Failure<'_>> {
        let shrinks = self.search.shrinks(decisions.len());
        let shrinker = Shrinker::from_decisions(decisions.clone(), shrinks.max(1));
        let shrinker = self.shrunk(&Looks::everybody(), shrinker, what);
        if shrinker.reproduced() != Some(true) {
            return None;
        }
        let shrinks = shrinks > 0;
        let best = if shrinks { shrinker.best().decisions.clone() } else { decisions };
        if !fails(&best) {
            return None;
        }
        let mut failure = self.reported(best, what.into(), met);
        failure.minimal = shrinks && shrinker.is_minimal();
        Some(failure)
    }

    /// Runs the failing schedule once more for everything that can be said of it.
    fn reported(&self, list: Decisions, what: String, met: Met) -> Failure<'_> {
        let unrepeated = self.unrepeated(&list, &what);
        let mut told = self.follow_traced(Recorded::new(list));
        let again = told.failure.take();
        let what = again.filter(|_| unrepeated.is_none()).unwrap_or(what);
        let replay = Replay::new(self.test, told.taken.decisions.clone());
        let repeat = self.search.rerun.command(self.test, &replay.line());
        // As the report has it, whatever the execution said of itself.
        told.failure = Some(what.clone());
        Failure {
            written: self.write(&told, &what, &repeat, &replay),
            at: told.panicked_at.take(),
            pair: told.pair(),
            taken: told.taken,
            unrepeated,
            ..Failure::new(self.test, what, met, repeat)
        }
    }

    /// What came of running this schedule twice more, unless both runs failed with `what` again.
    pub(crate) fn unrepeated(&self, list: &Decisions, what: &str) -> Option<String> {
        let Twice { difference, failures } = self.twice(list);
        let other =
            failures.into_iter().find(|found| !found.as_ref().is_some_and(|found| alike(found, what)))?;
        let came = match &other {
            None => "with the same decisions it does not fail".to_string(),
            Some(other) => {
                let first = other.lines().next().unwrap_or_default();
                format!("with the same decisions it fails otherwise ({first})")
            }
        };
        // What has few outcomes may come out the same twice.
        let difference = difference.or_else(|| (1..8).find_map(|_| self.twice(list).difference));
        let parts = match difference {
            Some(difference) => difference.to_string(),
            None => {
                "the runs after it are all the same: perhaps it was a static that an earlier run had changed"
                    .into()
            }
        };
        Some(format!("{came}; {OUTSIDE}\n{parts}"))
    }

    /// Two runs with these decisions, judged as the search judges: with a trace a failure may be told in other words.
    fn twice(&self, list: &Decisions) -> Twice {
        let config = self.search.config.clone();
        let executor =
            Executor::new(config, self.search.grain).looks(true).keeps_events(true).called_from(self.at);
        twice(&executor, || Box::new(Recorded::new(list.clone())), self.program)
    }

    fn write(&self, told: &Telling, what: &str, repeat: &str, replay: &Replay) -> Option<String> {
        let run = told.run(self.test, repeat);
        self.search.artefact.as_ref().map(|artefact| artefact.written(self.test, &run, &replay.file(what)))
    }

    /// One execution as the list says.
    fn follow(&self, looks: &Looks, list: Recorded) -> Telling {
        let scheduler = Arc::new(Mutex::new(Recording::new(list)));
        let execution = self.executor(looks).execute(&scheduler, self.program);
        let taken = locked(&scheduler).taken();
        let failure = execution.failure.map(|f| message(&*f));
        Telling::of(&Marked::new(()), None, taken, failure, Vec::new(), execution.names)
    }

    /// The same with everything that a report can use: steps, and the trace even if the search goes without.
    fn follow_traced(&self, list: Recorded) -> Telling {
        let scheduler = Arc::new(Mutex::new(Marked::new(Recording::with_steps(list))));
        let config = &self.search.config;
        let config = config.clone().check_model(config.model && config.traced).traced(true);
        let executor =
            Executor::new(config, self.search.grain).looks(true).keeps_events(true).called_from(self.at);
        let execution = executor.execute(&scheduler, self.program);
        let marked = locked(&scheduler);
        let (log, taken) = (marked.inner.steps(), marked.inner.taken());
        let failure = execution.failure.map(|f| message(&*f));
        let mut told = Telling::of(&marked, log, taken, failure, execution.events, execution.names);
        told.panicked_at = execution.panicked_at;
        told
    }

    pub(super) fn replay(&self, line: &str) -> Found {
        let decisions = match Replay::read(line).and_then(|replay| replay.decisions_of(self.test)) {
            Ok(decisions) => decisions,
            Err(why) => panic!("lab: {why}"),
        };
        self.replayed(decisions)
    }

    fn replayed(&self, decisions: Decisions) -> Found {
        let recorded = Arc::new(Mutex::new(Recorded::new(decisions.clone())));
        let scheduler = Arc::new(Mutex::new(Recording::new(recorded.clone())));
        let Execution { failure, .. } = self.executor(&Looks::everybody()).execute(&scheduler, self.program);
        let divergence = locked(&recorded).divergence().cloned();
        let text = failure.as_ref().map(|f| message(&**f));
        if let Some(why) = complaint(self.test, &decisions, divergence.as_ref(), text.as_deref()) {
            panic!("{why}")
        }
        let payload = failure.unwrap_or_else(|| unreachable!("a replay that passes is complained of"));
        if self.search.shrinks_replay {
            let taken = locked(&scheduler).taken();
            self.fail(&Looks::everybody(), taken, message(&*payload), Met::Run(1))
        }
        panic!("{}", self.reported(decisions, message(&*payload), Met::Again))
    }
}

/// Whether two failures are the same one: their first lines, numbers aside.
pub(crate) fn alike(one: &str, other: &str) -> bool {
    let line = |text: &str| -> String {
        text.lines().next().unwrap_or_default().chars().filter(|c| !c.is_ascii_digit()).collect()
    };
    line(one) == line(other)
}
