//! The schedules of a program of the mini-language: one, every class, or a sample; and a failing one made small.
//!
//! Not here: when a run fails (`subject`), what is printed (`programs`).
use crate::subject::Subject;
use explore::mini::{End, Machine};
use explore::{
    Classified, Coverage, Decisions, Divergence, Ended, Explorer, Point, Recorded, Recording, Scheduler,
    Shrinker, Step, StepLog, Survey, Taken, Verdict,
};
use std::collections::BTreeMap;
use std::io::IsTerminal;
use std::time::{Duration, Instant};
use trace::Choice;

/// An execution that was recorded with its steps.
pub(crate) struct Execution {
    pub(crate) taken: Taken,
    pub(crate) steps: StepLog,
    pub(crate) outcome: String,
    pub(crate) failure: Option<String>,
}

/// One execution, as `scheduler` picks.
pub(crate) fn execute<S: Scheduler>(subject: &Subject, scheduler: S) -> (Execution, S) {
    let mut machine = Machine::new(&subject.program);
    let mut recording = Recording::with_steps(scheduler);
    machine.run(&mut recording);
    let execution = Execution {
        taken: recording.taken(),
        steps: recording.steps().cloned().unwrap_or_default(),
        outcome: subject.outcome(&mut machine),
        failure: subject.failure(&mut machine),
    };
    (execution, recording.into_inner())
}

/// The recorded execution; where the program left it, if it did.
pub(crate) fn replay(subject: &Subject, decisions: Decisions) -> (Execution, Option<Divergence>) {
    let (execution, recorded) = execute(subject, Recorded::new(decisions));
    (execution, recorded.divergence().cloned())
}

/// The smallest failing execution that was found within so many runs, and whether nothing smaller is left to try.
pub(crate) fn shrink(subject: &Subject, failing: Taken, runs: u64) -> (Execution, bool) {
    let mut shrinker = Shrinker::new(failing, runs);
    let mut machine = Machine::new(&subject.program);
    while let Some(proposal) = shrinker.propose() {
        let mut recording = Recording::new(Recorded::lenient(proposal));
        machine.run(&mut recording);
        shrinker.tell(match subject.failure(&mut machine) {
            Some(_) => Verdict::Failed(recording.taken()),
            None => Verdict::Passed,
        });
    }
    (replay(subject, shrinker.best().decisions.clone()).0, shrinker.is_minimal())
}

/// Which schedules, and for how long.
pub(crate) struct Limits {
    pub(crate) runs: u64,
    pub(crate) time: Option<Duration>,
}

/// What a search has seen.
pub(crate) struct Found {
    pub(crate) coverage: Coverage,
    /// How often each outcome came, and whether it is a failure.
    pub(crate) outcomes: BTreeMap<String, (u64, bool)>,
    pub(crate) failures: u64,
    pub(crate) first: Option<Taken>,
    pub(crate) complete: bool,
    /// Whether it ended since its time was over.
    pub(crate) late: bool,
    /// Of a search through every class.
    pub(crate) survey: Option<Survey>,
}

/// Who picks.
pub(crate) enum Picker {
    Every(Box<Explorer>),
    Sample(Box<dyn Scheduler + Send>),
}

impl Picker {
    fn inner(&mut self) -> &mut dyn Scheduler {
        match self {
            Picker::Every(explorer) => &mut **explorer,
            Picker::Sample(sampler) => &mut **sampler,
        }
    }
}

impl Scheduler for Picker {
    fn begin(&mut self) {
        self.inner().begin()
    }
    fn pick(&mut self, point: &Point<'_>) -> Option<usize> {
        self.inner().pick(point)
    }
    fn choose(&mut self, what: Choice, options: u32, usual: u32) -> u32 {
        self.inner().choose(what, options, usual)
    }
    fn ran(&mut self, step: &Step<'_>) {
        self.inner().ran(step)
    }
    fn ended(&mut self, how: &Ended<'_>) {
        self.inner().ended(how)
    }
}

/// Runs schedules until there are no more, or a limit is reached.
pub(crate) fn search(subject: &Subject, picker: Picker, limits: &Limits) -> Result<Found, String> {
    let began = Instant::now();
    let every = matches!(picker, Picker::Every(_));
    let mut ticker = Ticker::new(began);
    let mut machine = Machine::new(&subject.program);
    let mut watched = Classified::new(Recording::with_steps(picker));
    let mut found = Found {
        coverage: Coverage::new(),
        outcomes: BTreeMap::new(),
        failures: 0,
        first: None,
        complete: false,
        late: false,
        survey: every.then(Survey::new),
    };
    loop {
        let mut planned = Vec::new();
        if let Picker::Every(explorer) = watched.inner_mut().inner_mut() {
            if !explorer.next_execution() {
                if let Some(why) = explorer.divergence() {
                    return Err(why.to_string());
                }
                found.complete = true;
                return Ok(found);
            }
            planned = explorer.planned_branches().collect();
        }
        let late = limits.time.is_some_and(|time| began.elapsed() >= time);
        if late || found.coverage.runs() >= limits.runs {
            found.late = late;
            return match found.coverage.runs() {
                0 => Err("the time was over before the first run was: nothing was tried".into()),
                _ => Ok(found),
            };
        }
        if machine.run(&mut watched) == End::GivenUp {
            continue;
        }
        found.coverage.saw(watched.class().0);
        ticker.tick(&found);
        if let (Some(survey), Picker::Every(explorer)) = (&mut found.survey, watched.inner().inner()) {
            survey.executed(&explorer.path(), &planned)
        }
        let failure = subject.failure(&mut machine);
        let entry = found.outcomes.entry(subject.outcome(&mut machine)).or_insert((0, failure.is_some()));
        entry.0 += 1;
        if failure.is_some() {
            found.failures += 1;
            found.first.get_or_insert_with(|| watched.inner().taken());
        }
    }
}

/// A line on the terminal that says how far a search has come.
struct Ticker {
    began: Instant,
    next: Duration,
    terminal: bool,
    wrote: bool,
}

const REWRITE: Duration = Duration::from_millis(200);

impl Ticker {
    fn new(began: Instant) -> Ticker {
        Ticker { began, next: 4 * REWRITE, terminal: std::io::stderr().is_terminal(), wrote: false }
    }

    fn tick(&mut self, found: &Found) {
        let now = self.began.elapsed();
        if !self.terminal || now < self.next {
            return;
        }
        (self.next, self.wrote) = (now + REWRITE, true);
        let (classes, runs) = (found.coverage.classes(), found.coverage.runs());
        let of = found.survey.as_ref().map(|survey| format!(" of about {:.0}", survey.estimate().likely));
        let rate = runs as f64 / now.as_secs_f64();
        eprint!("\r\x1b[K{classes} classes{}, {rate:.0} runs a second", of.unwrap_or_default())
    }
}

impl Drop for Ticker {
    fn drop(&mut self) {
        if self.wrote {
            eprint!("\r\x1b[K")
        }
    }
}
