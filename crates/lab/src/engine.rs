//! One worker's lanes, and which runnable is next: by the production pick, or any of them, as the decisions
//! say.
mod arrivals;
mod nudge;

use crate::deadlock::WaitGraph;
use crate::decisions::Decisions;
use crate::lasso::Lasso;
use crate::parked::Parked;
use crate::raw::home::{HomeCell, HomeRef};
use crate::watch;
use crate::world::{Recorder, VirtualClock, VirtualTimers, locked};
use cx::Waiter;
use cx::port::{Clock, World};
use explore::{Candidate, Step, Stuck, Touch};
use region::Sink;
use sched::engine::CatchUnwind;
use sched::lanes::{Credits, Lane, LaneView, pick};
use std::collections::{BTreeMap, VecDeque};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::*};
use std::sync::{Arc, Mutex};
use task::{Header, Runnable, control};
use trace::{Event, Label, ObjectId};
use types::{TaskId, Time};

use arrivals::{Arrival, Arrivals};

/// The lab's engine. Begins with its world, as every engine does.
#[repr(C)]
pub(crate) struct Engine {
    pub(crate) world: World,
    pub(crate) clock: Arc<VirtualClock>,
    pub(crate) timers: Arc<VirtualTimers>,
    pub(crate) recorder: Option<Arc<Recorder>>,
    /// Where steps are traced.
    pub(crate) waits: Option<Arc<WaitGraph>>,
    pub(crate) decisions: Arc<Decisions>,
    /// Its home is the thread that runs the root body, as that of `stepping`.
    lanes: HomeCell<Lanes>,
    stepping: HomeCell<Stepping>,
    /// Runnables that other threads queue.
    arrivals: Arrivals,
    firing: AtomicBool,
    pub(crate) steps: AtomicU64,
    /// Whoever picks the steps has no interest in the rest of the run.
    pub(crate) given_up: AtomicBool,
    /// The last steps before the limit.
    pub(crate) lasso: Mutex<Lasso>,
    /// In explored runs with a trace, who was the last to change what; by object.
    changed: Mutex<BTreeMap<ObjectId, (TaskId, Touch)>>,
    /// From which step on they are kept.
    lasso_from: AtomicU64,
    /// Called before each step with its number, if anybody wants to interfere.
    interference: Mutex<Option<Interference>>,
    interferes: AtomicBool,
}

/// Sees each step before it is taken, and may do something to its task.
pub(crate) type Interference = Box<dyn FnMut(u64, &Header) + Send>;

/// The lanes of the one worker, each in order of arrival.
#[derive(Default)]
struct Lanes {
    /// Whoever ran last, if it gave way only because every operation is a scheduling point here: in production it
    /// would have gone on.
    going: Option<Runnable>,
    /// How many steps it took in a row.
    turns: u32,
    last: Option<TaskId>,
    /// Who ran before that, the latest first.
    before: [Option<TaskId>; 3],
    cancel: VecDeque<Runnable>,
    timed: VecDeque<Runnable>,
    lifo: Option<Runnable>,
    /// Whom the LIFO slot served last: as in production, it waits in the queue when it is woken next.
    served_lifo: Option<TaskId>,
    ready: VecDeque<Runnable>,
    credits: Credits,
    /// Only in explored runs: tasks that will go on once what they announced is possible.
    parked: Parked,
    /// The parked task that is picked is woken to be run at once, and not queued.
    picking: bool,
    picked: Option<Runnable>,
}

/// How many operations a task does in a row in production.
const BUDGET: u32 = 128;

/// What a step needs, kept for its memory.
#[derive(Default)]
struct Stepping {
    log: watch::StepLog,
    candidates: Vec<Candidate>,
    /// Whoever picks has been told that the run is over.
    over: bool,
}

impl Lanes {
    /// As new, but for the memory. Nobody is queued.
    fn renew(&mut self) {
        let Lanes { cancel, timed, ready, parked, .. } = std::mem::take(self);
        *self = Lanes { cancel, timed, ready, parked, ..Lanes::default() };
        self.parked.renew();
    }

    fn len(&self) -> usize {
        self.urgent() + self.ready.len()
    }

    /// How many come before the ready lane.
    fn urgent(&self) -> usize {
        self.first() + self.cancel.len() + self.timed.len() + usize::from(self.lifo.is_some())
    }

    fn first(&self) -> usize {
        usize::from(self.going.is_some())
    }

    /// This task takes the next step; who was going on stands behind the others now.
    fn goes(&mut self, task: TaskId) {
        self.turns = if self.last == Some(task) { self.turns + 1 } else { 1 };
        if self.last != Some(task) {
            let [a, b, _] = self.before;
            self.before = [self.last.replace(task), a, b];
        }
        if let Some(before) = self.going.take() {
            self.ready.push_back(before)
        }
    }

    /// What a production worker would pick, counted as [`Lanes::nth`] counts.
    /// `parked` are those of the parked who could go on.
    fn usual(&mut self, parked: &[Candidate]) -> usize {
        if self.going.is_some() {
            return 0;
        }
        if let Some(last) = self.last.filter(|_| self.turns < BUDGET)
            && let Some(behind) = parked.iter().position(|c| c.task == last)
        {
            return self.len() + behind;
        }
        let view = LaneView {
            cancel: !self.cancel.is_empty(),
            timed: !self.timed.is_empty(),
            lifo: self.lifo.is_some(),
            ready: !self.ready.is_empty() || !parked.is_empty(),
            inject: false,
        };
        match pick(&mut self.credits, view) {
            None | Some(Lane::Cancel) => 0,
            Some(Lane::Timed) => self.cancel.len(),
            Some(Lane::Lifo) => self.cancel.len() + self.timed.len(),
            Some(Lane::Ready | Lane::Inject) => self.urgent(),
        }
    }

    /// The n-th runnable, counted through the lanes in the order in which a worker would come to them.
    fn nth(&mut self, mut n: usize) -> Option<Runnable> {
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
    /// Returns how many are not parked.
    fn candidates(&mut self, into: &mut Vec<Candidate>) -> usize {
        into.clear();
        let Lanes { going, cancel, timed, lifo, ready, .. } = &*self;
        let queued = going.iter().chain(cancel).chain(timed).chain(lifo).chain(ready);
        into.extend(queued.map(|r| Candidate { task: cx::task_id(r.header()), announced: None }));
        let queued = into.len();
        self.parked.possible(into);
        queued
    }
}

impl Engine {
    pub(crate) fn new(
        world: World,
        clock: Arc<VirtualClock>,
        timers: Arc<VirtualTimers>,
        recorder: Option<Arc<Recorder>>,
        waits: Option<Arc<WaitGraph>>,
        decisions: Arc<Decisions>,
    ) -> Engine {
        Engine {
            world,
            clock,
            timers,
            recorder,
            waits,
            decisions,
            lanes: HomeCell::new(Lanes::default()),
            stepping: HomeCell::new(Stepping::default()),
            arrivals: Arrivals::default(),
            firing: AtomicBool::new(false),
            steps: AtomicU64::new(0),
            given_up: AtomicBool::new(false),
            lasso: Mutex::default(),
            changed: Mutex::default(),
            lasso_from: AtomicU64::new(u64::MAX),
            interference: Mutex::default(),
            interferes: AtomicBool::new(false),
        }
    }

    /// Keeps what the steps do from this one on, for whoever looks for a loop in them.
    pub(crate) fn keep_steps_from(&self, step: u64) {
        locked(&self.lasso).forget();
        self.lasso_from.store(step, Relaxed)
    }

    /// Has every step announced to `interference` before it is taken.
    pub(crate) fn interfere(&self, interference: Interference) {
        *locked(&self.interference) = Some(interference);
        self.interferes.store(true, Relaxed)
    }

    /// Who ran last, the latest first.
    pub(crate) fn ran_last(&self) -> Vec<TaskId> {
        let lanes = self.lanes.get();
        lanes.last.into_iter().chain(lanes.before.iter().copied().flatten()).collect()
    }

    pub(crate) fn emit(&self, label: Label) {
        if let Some(recorder) = &self.recorder {
            recorder.emit(None, label)
        }
    }

    /// A task was woken.
    pub(crate) fn woken(&self, runnable: Runnable) {
        let Some(mut lanes) = self.lanes.reach() else {
            return self.arrives(Arrival::Woken(runnable));
        };
        if lanes.picking {
            lanes.picked = Some(runnable);
            return;
        }
        self.enabled(&mut lanes, &runnable);
        if self.firing.load(Relaxed) {
            lanes.timed.push_back(runnable)
        } else if runnable.header().control() & control::TOLD != 0 {
            lanes.cancel.push_back(runnable)
        } else if lanes.served_lifo == Some(cx::task_id(runnable.header())) {
            lanes.ready.push_back(runnable)
        } else if let Some(before) = lanes.lifo.replace(runnable) {
            lanes.ready.push_back(before)
        }
    }

    /// A task was spawned: it waits its turn in the queue.
    pub(crate) fn spawned(&self, runnable: Runnable) {
        let Some(mut lanes) = self.lanes.reach() else {
            return self.arrives(Arrival::Spawned(runnable));
        };
        self.enabled(&mut lanes, &runnable);
        if runnable.header().control() & control::TOLD == 0 {
            lanes.ready.push_back(runnable)
        } else if self.firing.load(Relaxed) {
            lanes.timed.push_back(runnable)
        } else {
            lanes.cancel.push_back(runnable)
        }
    }

    /// The running task was woken while it ran, or gave way.
    pub(crate) fn requeued(&self, runnable: Runnable) {
        let Some(mut lanes) = self.lanes.reach() else {
            return self.arrives(Arrival::Woken(runnable));
        };
        if runnable.header().control() & control::SPENT != 0 && lanes.turns < BUDGET {
            lanes.going = Some(runnable)
        } else {
            lanes.ready.push_back(runnable)
        }
    }

    /// Runnables that a request woke.
    pub(crate) fn cancelled(&self, runnable: Runnable) {
        let Some(mut lanes) = self.lanes.reach() else {
            return self.arrives(Arrival::Cancelled(runnable));
        };
        self.enabled(&mut lanes, &runnable);
        lanes.cancel.push_back(runnable)
    }

    /// A task became runnable by somebody else's doing: what it announced is void.
    fn enabled(&self, lanes: &mut Lanes, runnable: &Runnable) {
        if !lanes.parked.is_watching() {
            return;
        }
        let task = cx::task_id(runnable.header());
        lanes.parked.forget(task);
        watch::enabled(task);
    }

    /// Runs one task for one poll. False if none is runnable, or if whoever picks gave the run up.
    pub(crate) fn step(&self) -> bool {
        self.take_arrivals();
        let mut stepping = self.stepping.get();
        let Stepping { log, candidates, over } = &mut *stepping;
        if *over {
            drop(stepping);
            return self.step_unasked();
        }
        let mut lanes = self.lanes.get();
        let queued = lanes.candidates(candidates);
        if candidates.is_empty() {
            return false;
        }
        let usual = lanes.usual(&candidates[queued..]);
        let Some(picked) = self.decisions.pick(candidates, usual) else {
            self.given_up.store(true, Relaxed);
            return false;
        };
        let Candidate { task, announced } = candidates[picked];
        let tries = lanes.parked.tries(task);
        let Some(runnable) = self.take_candidate(lanes, picked, task) else {
            unreachable!("who is a candidate can be run")
        };
        watch::step(task, announced.as_ref(), tries);
        let keeps = self.steps.load(Relaxed) >= self.lasso_from.load(Relaxed);
        let said = if keeps { self.events() } else { 0 };
        self.run(runnable);
        watch::ended(log);
        if keeps {
            self.keep(task, &log.touches, said)
        }
        if self.waits.is_some() && !log.touches.is_empty() {
            self.remember(task, &log.touches)
        }
        self.park(task, log);
        let step = Step { task: Some(task), touches: &log.touches, enabled: &log.enabled };
        self.decisions.ask(|s| s.ran(&step));
        true
    }

    /// A step of a run that is over for whoever picks, and only has to be taken down.
    fn step_unasked(&self) -> bool {
        let mut lanes = self.lanes.get();
        if lanes.len() == 0 {
            return false;
        }
        let usual = lanes.usual(&[]);
        let next = lanes.nth(usual);
        drop(lanes);
        next.map(|runnable| self.run(runnable)).is_some()
    }

    #[cold]
    fn remember(&self, task: TaskId, touches: &[Touch]) {
        use trace::Access::{Empty, Ended, Exchange, Observe, Read, Refused};
        let looks =
            |touch: &Touch| matches!(touch.access, Read | Refused(_) | Empty | Ended | Observe | Exchange(_));
        let changes = touches.iter().filter(|touch| !looks(touch));
        locked(&self.changed).extend(changes.map(|touch| (touch.object, (task, *touch))))
    }

    /// How long the trace is.
    fn events(&self) -> usize {
        self.recorder.as_ref().map_or(0, |r| r.len())
    }

    #[cold]
    fn keep(&self, task: TaskId, touches: &[Touch], said: usize) {
        let labels = self.recorder.as_ref().map(|r| r.since(said, Event::clone)).unwrap_or_default();
        locked(&self.lasso).step(task, touches, &labels)
    }

    #[cold]
    fn announce(&self, step: u64, task: &Header) {
        if let Some(interference) = &mut *locked(&self.interference) {
            interference(step, task)
        }
    }

    fn run(&self, runnable: Runnable) {
        // No other thread counts.
        let step = self.steps.load(Relaxed);
        self.steps.store(step + 1, Relaxed);
        if self.interferes.load(Relaxed) {
            self.announce(step, runnable.header())
        }
        self.poll(runnable)
    }

    fn poll(&self, runnable: Runnable) {
        if runnable.header().control() & control::SPENT != 0 {
            runnable.header().control.fetch_and(!control::SPENT, Relaxed);
        }
        // One operation for each poll: every operation is a scheduling point.
        runnable.header().coop.store(1, Relaxed);
        if let Some(waits) = &self.waits {
            waits.polls(runnable.header())
        }
        task::run::<CatchUnwind>(runnable);
    }

    fn take_candidate(&self, mut lanes: HomeRef<'_, Lanes>, n: usize, task: TaskId) -> Option<Runnable> {
        let queued = lanes.len();
        if n < queued {
            let runnable = lanes.nth(n);
            lanes.goes(task);
            return runnable;
        }
        let waiter = lanes.parked.take(n - queued)?;
        lanes.goes(task);
        lanes.picking = true;
        drop(lanes);
        waiter.wake();
        let mut lanes = self.lanes.get();
        lanes.picking = false;
        lanes.picked.take()
    }

    /// A task that announced one thing in its step, and was not queued, is parked until that is possible.
    fn park(&self, task: TaskId, log: &mut watch::StepLog) {
        if log.announced.is_empty() {
            return;
        }
        if let [_] = log.announced[..]
            && !log.enabled.contains(&task)
            && let Some(announcement) = log.announced.pop()
        {
            self.lanes.get().parked.park(task, announcement);
            return;
        }
        // Whoever waits for several things tries them all.
        self.lanes.get().parked.will_try(task);
        log.announced.drain(..).for_each(|a| a.waiter.wake());
    }

    /// The world moved by itself (the clock, something that was planned between two steps).
    pub(crate) fn moved(&self) {
        let Stepping { log, over, .. } = &mut *self.stepping.get();
        if !*over {
            watch::ended(log);
            let step = Step { task: None, touches: &log.touches, enabled: &log.enabled };
            self.decisions.ask(|s| s.ran(&step));
        }
    }

    /// The run begins. `watched`: tasks announce what they will do.
    pub(crate) fn begin(&self, watched: bool) {
        self.lanes.claim();
        self.stepping.claim();
        self.decisions.ask(|s| s.begin());
        if watched {
            self.lanes.get().parked.watch();
        }
    }

    /// The run is over; what follows, if anything, takes it down. `waiting` are the tasks that are still there. Returns
    /// those that are parked: they have to be woken before they can be taken down.
    pub(crate) fn end(&self, waiting: impl FnOnce() -> Vec<TaskId>) -> Vec<(Waiter, Stuck)> {
        if std::mem::replace(&mut self.stepping.get().over, true) {
            return Vec::new();
        }
        self.interferes.store(false, Relaxed);
        let parked = self.lanes.get().parked.leave();
        let mut stuck: Vec<Stuck> = parked.iter().map(|(_, stuck)| *stuck).collect();
        if !self.given_up.load(Relaxed) {
            for task in waiting() {
                if stuck.iter().all(|s| s.task != task) {
                    stuck.push(Stuck { task, announced: None })
                }
            }
        }
        self.decisions.ask(|s| s.ended(&explore::Ended { stuck: &stuck }));
        parked
    }

    /// Whether this is the thread on which it runs.
    pub(crate) fn is_home(&self) -> bool {
        self.lanes.is_home()
    }

    /// The run is over, and nothing of it is left. As new, but for the memory, if that can be: no trace was kept, no
    /// other thread interfered, nobody has a hand on the clock or the timers.
    pub(crate) fn renew(&self) -> bool {
        let Some(mut lanes) = self.lanes.reach() else { return false };
        // The engine's, its world's, the network's; and the recorder's clock.
        let shared = Arc::strong_count(&self.timers) > 3 || Arc::strong_count(&self.clock) > 4;
        let traced = self.waits.is_some() || self.recorder.as_ref().is_some_and(|r| r.keeps());
        // Nobody has seen the steps but those who pick.
        let told = self.interferes.load(Relaxed) || self.steps.load(Relaxed) > self.lasso_from.load(Relaxed);
        if shared || traced || told || self.arrivals.were_any() || lanes.len() > 0 {
            return false;
        }
        lanes.renew();
        let Stepping { log, candidates, over } = &mut *self.stepping.get();
        log.clear();
        candidates.clear();
        *over = false;
        drop(self.timers.renew());
        self.clock.renew();
        self.world.recent.store(0, Relaxed);
        self.steps.store(0, Relaxed);
        self.given_up.store(false, Relaxed);
        true
    }

    /// Moves the clock to the next timer and serves everything that is due there. False if there is none, or
    /// if it is beyond `limit`.
    pub(crate) fn advance(&self, limit: Time) -> bool {
        let Some(next) = self.timers.next() else { return false };
        if next > limit {
            return false;
        }
        if next > self.clock.now() {
            self.clock.set(next);
            self.world.recent.store(next.as_nanos(), Relaxed);
            self.emit(Label::TimeAdvance { to: next });
            locked(&self.lasso).forget();
        }
        let due = self.timers.due(next);
        self.firing.store(true, Relaxed);
        due.into_iter().for_each(|d| self.world.serve(d));
        self.firing.store(false, Relaxed);
        self.moved();
        true
    }
}
