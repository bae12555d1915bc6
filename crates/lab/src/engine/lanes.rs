//! [`Lanes`]: the lanes of the lab's one worker, and who is next in them.
//!
//! Not here: who is put into which lane (`engine`), the rule by which lanes are served (`sched::lanes`), what parked tasks
//! wait for (`parked`).
use super::line::Line;
use crate::overtaking::CLOCK;
use crate::parked::Parked;
use crate::watch;
use cx::Heed;
use explore::{Candidate, Crowd, name_of};
use sched::lanes::{Credits, Lane, LaneView, pick};
use task::Runnable;
use types::TaskId;

/// How many operations a task does in a row in production.
pub(super) const BUDGET: u32 = 128;

/// The lanes of the one worker, each in order of arrival.
#[derive(Default)]
pub(super) struct Lanes {
    /// Whoever ran last, if it gave way only because every operation is a scheduling point here: in production it
    /// would have gone on.
    pub(super) going: Option<Runnable>,
    /// How many steps it took in a row.
    pub(super) turns: u32,
    pub(super) last: Option<TaskId>,
    /// Who ran before that, the latest first.
    pub(super) before: [Option<TaskId>; 3],
    pub(super) cancel: Line,
    pub(super) timed: Line,
    pub(super) lifo: Option<Runnable>,
    /// Whom the LIFO slot served last: as in production, it waits in the queue when it is woken next.
    pub(super) served_lifo: Option<TaskId>,
    pub(super) ready: Line,
    credits: Credits,
    /// Only in explored runs: tasks that will go on once what they announced is possible.
    pub(super) parked: Parked,
    /// Whether the clock is among those who could be next: behind all others.
    pub(super) clock: bool,
    /// The parked task that is picked is woken to be run at once, and not queued.
    pub(super) picking: bool,
    pub(super) picked: Option<Runnable>,
}

/// Some of those who could be next, one behind the other.
enum Part<'l> {
    One(&'l Option<Runnable>),
    Line(&'l Line),
    Parked(&'l Parked),
    /// If it may move.
    Clock(bool),
}

impl Part<'_> {
    fn len(&self) -> usize {
        match self {
            Part::One(one) => usize::from(one.is_some()),
            Part::Line(line) => line.len(),
            Part::Parked(parked) => parked.able(),
            Part::Clock(may) => usize::from(*may),
        }
    }

    fn task(&self, at: usize) -> Option<TaskId> {
        match self {
            Part::One(one) => one.as_ref().map(|r| cx::task_id(r.header())),
            Part::Line(line) => line.task(at),
            Part::Parked(parked) => parked.able_task(at),
            Part::Clock(may) => may.then_some(CLOCK),
        }
    }

    /// How many of the first n have this short name.
    fn namesakes(&self, n: usize, name: u8) -> usize {
        match self {
            Part::Line(line) => line.namesakes(n, name),
            _ => (0..n).filter(|&at| self.is_named(at, name)).count(),
        }
    }

    fn namesake(&self, name: u8, nth: usize) -> Option<usize> {
        match self {
            Part::Line(line) => line.namesake(name, nth),
            _ => (0..self.len()).filter(|&at| self.is_named(at, name)).nth(nth),
        }
    }

    fn is_named(&self, at: usize, name: u8) -> bool {
        self.task(at).is_some_and(|task| name_of(task) == name)
    }
}

impl Lanes {
    /// As new, but for the memory. Nobody is queued.
    pub(super) fn renew(&mut self) {
        (self.turns, self.last, self.before, self.served_lifo) = (0, None, [None; 3], None);
        self.credits = Credits::default();
        self.clock = false;
        self.parked.renew()
    }

    /// How many are queued; not those who are parked.
    #[inline]
    pub(super) fn len(&self) -> usize {
        self.urgent() + self.ready.len()
    }

    /// How many come before the ready lane.
    #[inline]
    fn urgent(&self) -> usize {
        usize::from(self.going.is_some())
            + self.cancel.len()
            + self.timed.len()
            + usize::from(self.lifo.is_some())
    }

    /// This task takes the next step; who was going on stands behind the others now.
    #[inline]
    pub(super) fn goes(&mut self, task: TaskId) {
        if self.last == Some(task) {
            self.turns += 1
        } else {
            self.turns = 1;
            let [a, b, _] = self.before;
            self.before = [self.last.replace(task), a, b];
        }
        if let Some(before) = self.going.take() {
            self.ready.push_back(before)
        }
    }

    /// What a production worker would pick, counted as [`Lanes::nth`] counts; those of the parked who could go on stand
    /// behind the ready.
    #[inline]
    pub(super) fn usual(&mut self) -> usize {
        if self.going.is_some() {
            return 0;
        }
        // Who parked itself in the last step is the last of the parked.
        if self.turns < BUDGET && self.last.is_some() && self.parked.last_able() == self.last {
            return self.len() + self.parked.able() - 1;
        }
        let view = LaneView {
            cancel: !self.cancel.is_empty() || self.parked.first_told().is_some(),
            timed: !self.timed.is_empty(),
            lifo: self.lifo.is_some(),
            ready: !self.ready.is_empty() || self.parked.able() > 0,
            inject: false,
        };
        match pick(&mut self.credits, view) {
            Some(Lane::Cancel) if self.cancel.is_empty() => {
                self.len() + self.parked.first_told().expect("the lane is not empty")
            }
            None | Some(Lane::Cancel) => 0,
            Some(Lane::Timed) => self.cancel.len(),
            Some(Lane::Lifo) => self.cancel.len() + self.timed.len(),
            Some(Lane::Ready | Lane::Inject) => self.urgent(),
        }
    }

    /// The n-th runnable, counted through the lanes in the order in which a worker would come to them.
    pub(super) fn nth(&mut self, mut n: usize) -> Option<Runnable> {
        if self.going.is_some() {
            if n == 0 {
                return self.going.take();
            }
            n -= 1;
        }
        for lane in [&mut self.cancel, &mut self.timed] {
            if n < lane.len() {
                return lane.remove(n);
            }
            n -= lane.len();
        }
        if self.lifo.is_some() {
            if n == 0 {
                self.served_lifo = self.lifo.as_ref().map(|r| cx::task_id(r.header()));
                return self.lifo.take();
            }
            n -= 1;
        }
        self.ready.remove(n)
    }

    /// Everybody who could take the next step, in the order of [`Lanes::nth`]; who is parked stands behind the ready.
    pub(super) fn candidates(&self, into: &mut Vec<Candidate>) {
        into.clear();
        for part in &self.parts()[..5] {
            match part {
                Part::Line(line) => into.extend(line.iter().map(silent)),
                one => into.extend(one.task(0).map(silent)),
            }
        }
        self.parked.candidates(into);
        into.extend(self.clock.then_some(Candidate::silent(CLOCK)))
    }

    fn parts(&self) -> [Part<'_>; 7] {
        let Lanes { going, cancel, timed, lifo, ready, parked, clock, .. } = self;
        [
            Part::One(going),
            Part::Line(cancel),
            Part::Line(timed),
            Part::One(lifo),
            Part::Line(ready),
            Part::Parked(parked),
            Part::Clock(*clock),
        ]
    }
}

/// A queued task: nobody knows what it will do, but whether it looks at what it was asked.
fn silent(task: TaskId) -> Candidate {
    Candidate { request: watch::request(task, Heed::Never), ..Candidate::silent(task) }
}

/// Who could take the next step, as schedulers see them that don't need the list.
pub(super) struct Unlisted<'l> {
    pub(super) lanes: &'l Lanes,
    pub(super) size: usize,
    pub(super) usual: usize,
}

impl Crowd for Unlisted<'_> {
    fn size(&self) -> usize {
        self.size
    }

    fn usual(&self) -> usize {
        self.usual
    }

    fn task(&self, mut at: usize) -> TaskId {
        let place = at;
        for part in self.lanes.parts() {
            if at < part.len() {
                return part.task(at).expect("a part has as many as it says");
            }
            at -= part.len();
        }
        panic!("lab: {} could be next, and nobody stands at {place}", self.size)
    }

    fn namesakes_before(&self, mut at: usize, name: u8) -> usize {
        let mut namesakes = 0;
        for part in self.lanes.parts() {
            let here = at.min(part.len());
            namesakes += part.namesakes(here, name);
            at -= here;
            if at == 0 {
                break;
            }
        }
        namesakes
    }

    fn namesake(&self, name: u8, mut nth: usize) -> Option<usize> {
        let mut passed = 0;
        for part in self.lanes.parts() {
            if let Some(at) = part.namesake(name, nth) {
                return Some(passed + at);
            }
            nth -= part.namesakes(part.len(), name);
            passed += part.len();
        }
        None
    }
}
