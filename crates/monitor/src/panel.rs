//! [`Panel`]: many monitors on one stream of events, with one honest answer to "which of the claims are false?".
//!
//! Nine monitors at 5 % each may together raise a false alarm on a third of all healthy systems. The panel asks e-BH instead:
//! of the claims it names, at most the share `level` is named wrongly, on average, although all monitors look at the same
//! events and may err together. For "is anything wrong at all?" it averages. One thing is asked of the claims: each speaks of
//! the next observation given everything the panel has seen, the other monitors' observations included.
//!
//! Both take the evidence as it is now, not its peaks: peaks aren't e-values. So a claim that was named may not be named
//! later; the guarantee is for the moment somebody acts on, which may be any that doesn't look ahead, such as the first at
//! which the list isn't empty.
//!
//! Not here: single verdicts (`monitor`), the readers (`readers`).

use core::{fmt, time::Duration};

use trace::Event;

use crate::{
    EValue, Level, Monitor, Question, average, e_bh,
    readers::{Abandoned, Deadlines, Drains, Finalizers, Leaks, Panics, Polls, Reader, Refusals, Timers},
};

/// Many monitors on one stream. Cost per event: every reader's, and a monitor's for those that made it an observation.
pub struct Panel {
    watches: Vec<Watch>,
}

struct Watch {
    monitor: Monitor,
    reader: Option<Box<dyn Reader + Send>>,
}

/// The limits of [`Panel::kernel`] that no event carries.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Limits {
    /// How long a poll may hold a worker.
    pub poll: Duration,
    /// How late a timer may fire.
    pub timer: Duration,
}

impl Default for Limits {
    /// A millisecond for a poll, ten for a timer: a wheel turns in milliseconds, and a worker may be in a poll.
    fn default() -> Self {
        Self { poll: Duration::from_millis(1), timer: Duration::from_millis(10) }
    }
}

impl Panel {
    /// A panel without a monitor.
    #[must_use]
    pub fn new() -> Self {
        Self { watches: Vec::new() }
    }

    /// Every question that the kernel's events answer.
    #[must_use]
    pub fn kernel(limits: Limits) -> Self {
        Self::new()
            .reading(Question::DRAINS, Drains::default())
            .reading(Question::LEAKS, Leaks)
            .reading(Question::DEADLINES, Deadlines)
            .reading(Question::POLLS, Polls::new(limits.poll))
            .reading(Question::TIMERS, Timers::new(limits.timer))
            .reading(Question::ABANDONED, Abandoned::default())
            .reading(Question::PANICS, Panics::default())
            .reading(Question::REFUSALS, Refusals)
            .reading(Question::FINALIZERS, Finalizers)
    }

    /// Adds a question that `reader` answers from the events.
    #[must_use]
    pub fn reading(mut self, question: Question, reader: impl Reader + Send + 'static) -> Self {
        self.watches.push(Watch { monitor: Monitor::new(question), reader: Some(Box::new(reader)) });
        self
    }

    /// Adds a question that [`Panel::tell`] answers.
    #[must_use]
    pub fn told(mut self, question: Question) -> Self {
        self.watches.push(Watch { monitor: Monitor::new(question), reader: None });
        self
    }

    /// Takes in the next event. Returns whether it was a violation to any of the questions: only then has the evidence
    /// against a claim grown.
    pub fn observe(&mut self, event: &Event) -> bool {
        let mut any = false;
        for Watch { monitor, reader } in &mut self.watches {
            if let Some(violated) = reader.as_mut().and_then(|reader| reader.read(event)) {
                monitor.observe(violated);
                any |= violated;
            }
        }
        any
    }

    /// Takes in an observation for the questions of this name, from outside the events. Returns whether there is one.
    pub fn tell(&mut self, name: &str, violated: bool) -> bool {
        let mut told = false;
        for Watch { monitor, .. } in &mut self.watches {
            if monitor.question().name() == name {
                monitor.observe(violated);
                told = true;
            }
        }
        told
    }

    /// A new run begins: what the last one left open never ends. The evidence stays.
    pub fn begin(&mut self) {
        self.watches.iter_mut().filter_map(|watch| watch.reader.as_mut()).for_each(|reader| reader.begin());
    }

    /// The monitors, in the order they were added.
    pub fn monitors(&self) -> impl Iterator<Item = &Monitor> {
        self.watches.iter().map(|watch| &watch.monitor)
    }

    /// The monitors, to acknowledge their alarms.
    pub fn monitors_mut(&mut self) -> impl Iterator<Item = &mut Monitor> {
        self.watches.iter_mut().map(|watch| &mut watch.monitor)
    }

    /// The evidence that not all claims are true.
    #[must_use]
    pub fn together(&self) -> EValue {
        average(&self.evidence())
    }

    /// The monitors whose claims are named as false, by e-BH at this level.
    #[must_use]
    pub fn findings(&self, level: Level) -> Vec<&Monitor> {
        e_bh(&self.evidence(), level).into_iter().map(|at| &self.watches[at].monitor).collect()
    }

    /// The monitors whose detectors raise an alarm now. For a stream without an end: as long as all claims are true, at least
    /// 1/level observations, those of all monitors counted together, pass before the first alarm, on average. (Each
    /// detector's value exceeds the number of its own observations by 0 on average; so does their sum, which is at least
    /// 1/level when any of them is.)
    pub fn alarms(&self, level: Level) -> impl Iterator<Item = &Monitor> {
        self.monitors().filter(move |monitor| monitor.detector().alarm(level))
    }

    /// All verdicts, and what they say together.
    #[must_use]
    pub fn report(&self, level: Level) -> Report<'_> {
        Report { panel: self, level }
    }

    fn evidence(&self) -> Vec<EValue> {
        if types::seeded!("panel.peaks") {
            return self.monitors().map(|monitor| monitor.wealth().peak()).collect();
        }
        self.monitors().map(Monitor::evidence).collect()
    }
}

impl Default for Panel {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Panel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.monitors()).finish()
    }
}

/// What a panel has to say. Displays one line per monitor that has seen anything, those named by e-BH marked and first, then
/// one line for all together.
#[derive(Clone, Copy, Debug)]
pub struct Report<'a> {
    panel: &'a Panel,
    level: Level,
}

impl fmt::Display for Report<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let named = e_bh(&self.panel.evidence(), self.level);
        let others = (0..self.panel.watches.len()).filter(|at| named.binary_search(at).is_err());
        let seen = |at: &usize| self.panel.watches[*at].monitor.wealth().seen() > 0;
        for (mark, at) in named.iter().map(|at| ("!", *at)).chain(others.filter(seen).map(|at| (" ", at))) {
            writeln!(f, "{mark} {}", self.panel.watches[at].monitor.verdict(self.level))?;
        }
        let (many, all) = (named.len(), self.panel.watches.len());
        let together = self.panel.together();
        write!(f, "{many} of {all} claims named as false (e-BH at {}); together e = {together}", self.level)
    }
}
