//! One worker: into which lane a runnable goes, and which one is next, by the production pick, or any of them, as the
//! decisions say.
//!
//! | file | what lives there |
//! |---|---|
//! | `lanes` | the lanes, and who could be next |
//! | `line` | one lane, however long |
//! | `arrivals` | what other threads queue |
//! | `nudge` | polls for no reason, to find lost wakes |
//! | `clock` | the clock moves: when nothing can run, or before somebody who could |
mod arrivals;
mod clock;
mod lanes;
mod line;
mod nudge;

use crate::deadlock::WaitGraph;
use crate::decisions::Decisions;
use crate::lasso::Lasso;
use crate::parked::Goes;
use crate::raw::home::{HomeCell, HomeRef};
use crate::spins::{self, Spins};
use crate::watch;
use crate::world::{Recorder, VirtualClock, VirtualTimers, locked};
use cx::port::{self, World};
use cx::{Heed, Waiter};
use explore::{Candidate, Point, Step, Stuck, Touch};
use region::Sink;
use sched::engine::CatchUnwind;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::*};
use std::sync::{Arc, Mutex};
use task::{Header, Runnable, control};
use trace::{Event, Label, ObjectId};
use types::TaskId;

use arrivals::{Arrival, Arrivals};
use lanes::{BUDGET, Lanes, Unlisted};

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
    /// Its home is the thread that runs the root body, as that of `stepping` and `lasso`.
    lanes: HomeCell<Lanes>,
    stepping: HomeCell<Stepping>,
    /// Runnables that other threads queue.
    arrivals: Arrivals,
    firing: AtomicBool,
    pub(crate) steps: AtomicU64,
    /// Whoever picks the steps has no interest in the rest of the run.
    pub(crate) given_up: AtomicBool,
    /// Somebody asks again and again, and nothing changes.
    spins: AtomicBool,
    /// The last steps before the limit.
    pub(crate) lasso: HomeCell<Lasso>,
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

/// What a step needs, kept for its memory.
#[derive(Default)]
struct Stepping {
    log: Box<watch::StepLog>,
    candidates: Vec<Candidate>,
    /// Whoever picks has been told that the run is over.
    over: bool,
    spins: Spins,
    /// Who asks in vain, and for what.
    spun: Option<(TaskId, Touch)>,
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
            spins: AtomicBool::new(false),
            lasso: HomeCell::new(Lasso::default()),
            changed: Mutex::default(),
            lasso_from: AtomicU64::new(u64::MAX),
            interference: Mutex::default(),
            interferes: AtomicBool::new(false),
        }
    }

    /// Keeps what the steps do from this one on, for whoever looks for a loop in them.
    pub(crate) fn keep_steps_from(&self, step: u64) {
        self.lasso.get().forget();
        self.lasso_from.store(step, Relaxed)
    }

    /// How often somebody may ask again while nothing changes, where steps are looked at.
    pub(crate) fn limit_spins(&self, steps: u64) {
        self.stepping.get().spins.begin(steps);
        spins::limit_looks(Some(steps))
    }

    /// Whether somebody has asked more often than that.
    #[inline]
    pub(crate) fn spins(&self) -> bool {
        self.spins.load(Relaxed)
    }

    /// Who, for what, in words, and in how many steps in a row somebody did.
    pub(crate) fn spun(&self) -> Option<(TaskId, String, u64)> {
        let stepping = self.stepping.get();
        let ((task, look), times) = (stepping.spun?, stepping.spins.repeated());
        drop(stepping);
        Some((task, watch::told(&look), times))
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
        let Some(runnable) = self.enabled(&mut lanes, runnable) else { return };
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
        if lanes.parked.is_watching() {
            watch::spawned(cx::task_id(runnable.header()))
        }
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
        if port::gave_way(runnable.header().coop.load(Relaxed)) && lanes.turns < BUDGET {
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
        let Some(runnable) = self.enabled(&mut lanes, runnable) else { return };
        lanes.cancel.push_back(runnable)
    }

    /// A task became runnable by somebody else's doing: what it announced is void. But not if it was asked to end: then it
    /// stays parked, and nothing is given back.
    fn enabled(&self, lanes: &mut Lanes, runnable: Runnable) -> Option<Runnable> {
        if !lanes.parked.is_watching() {
            return Some(runnable);
        }
        let task = cx::task_id(runnable.header());
        if lanes.parked.will_try_it(task) {
            return Some(runnable);
        }
        let runnable = match watch::has_told(task) && !types::seeded!("lab.requests-unpark") {
            true => lanes.parked.tell(task, runnable)?,
            false => runnable,
        };
        let announced = lanes.parked.forget(task);
        watch::woken(task, announced.as_ref().map(|announced| &announced.touch));
        Some(runnable)
    }

    /// Runs one task for one poll. False if none is runnable, or if whoever picks gave the run up.
    pub(crate) fn step(&self) -> bool {
        self.take_arrivals();
        let mut stepping = self.stepping.get();
        let Stepping { log, candidates, over, spins, spun } = &mut *stepping;
        if *over {
            drop(stepping);
            return self.step_unasked();
        }
        let mut lanes = self.lanes.get();
        if lanes.parked.anybody_told() {
            let Lanes { parked, cancel, .. } = &mut *lanes;
            parked.told_more().into_iter().for_each(|runnable| cancel.push_back(runnable))
        }
        lanes.parked.look();
        let queued = lanes.len();
        let tasks = queued + lanes.parked.able();
        if tasks == 0 {
            return false;
        }
        lanes.clock = self.timers.may_overtake();
        let size = tasks + usize::from(lanes.clock);
        let usual = lanes.usual();
        let Some(picked) = self.pick(&lanes, candidates, size, usual) else {
            self.given_up.store(true, Relaxed);
            return false;
        };
        if picked == tasks {
            drop(lanes);
            self.overtake(log);
            return true;
        }
        let (task, runnable) = self.take(lanes, queued, picked);
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
        if let Some(look) = spins.step(task, &log.touches, !log.enabled.is_empty(), size > 1) {
            *spun = Some((task, *look));
            self.spins.store(true, Relaxed)
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
        let usual = lanes.usual();
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
        self.lasso.get().step(task, touches, &labels)
    }

    #[cold]
    fn announce(&self, step: u64, task: &Header) {
        if let Some(interference) = &mut *locked(&self.interference) {
            interference(step, task)
        }
    }

    #[inline]
    fn run(&self, runnable: Runnable) {
        // No other thread counts.
        let step = self.steps.load(Relaxed);
        self.steps.store(step + 1, Relaxed);
        if self.interferes.load(Relaxed) {
            self.announce(step, runnable.header())
        }
        self.poll(runnable)
    }

    #[inline]
    fn poll(&self, runnable: Runnable) {
        // One operation for each poll: every operation is a scheduling point. The first one too, after what a body does before
        // it awaits anything.
        let header = runnable.header();
        let begun = header.control() & control::BEGUN != 0;
        if !begun {
            header.control.fetch_or(control::BEGUN, Relaxed);
        }
        let has_one = begun || types::seeded!("lab.first-awaits-part-no-step");
        header.coop.store(u16::from(has_one), Relaxed);
        if let Some(waits) = &self.waits {
            waits.polls(runnable.header())
        }
        task::run::<CatchUnwind>(runnable);
    }

    /// Has the next step picked. Only who has to see everybody costs a list of them.
    #[inline]
    fn pick(
        &self,
        lanes: &Lanes,
        candidates: &mut Vec<Candidate>,
        size: usize,
        usual: usize,
    ) -> Option<usize> {
        let unlisted = Unlisted { lanes, size, usual };
        self.decisions.pick(size, |scheduler| {
            scheduler.pick_unlisted(&unlisted).or_else(|| {
                lanes.candidates(candidates);
                scheduler.pick(&Point { candidates, usual })
            })
        })
    }

    /// Takes the n-th of those who could be next, of whom `queued` are not parked, and tells who watches that his step
    /// begins.
    #[inline]
    fn take(&self, mut lanes: HomeRef<'_, Lanes>, queued: usize, n: usize) -> (TaskId, Runnable) {
        if n < queued {
            let runnable = lanes.nth(n).expect("who is a candidate can be run");
            let task = cx::task_id(runnable.header());
            let tries = lanes.parked.tries(task);
            lanes.goes(task);
            drop(lanes);
            watch::step(task, None, tries);
            return (task, runnable);
        }
        let announced = match lanes.parked.take(n - queued).expect("who is a candidate is parked") {
            Goes::Told(announced, runnable) => {
                let task = announced.task;
                lanes.goes(task);
                drop(lanes);
                watch::step(task, Some(&announced.touch), false);
                return (task, runnable);
            }
            Goes::Woken(announced) => announced,
        };
        let task = announced.task;
        lanes.goes(task);
        lanes.picking = true;
        drop(lanes);
        announced.waiter.wake();
        let mut lanes = self.lanes.get();
        lanes.picking = false;
        let runnable = lanes.picked.take().expect("a parked task can be woken");
        drop(lanes);
        watch::step(task, Some(&announced.touch), false);
        (task, runnable)
    }

    /// A task that announced one thing in its step, and was not queued, is parked until that is possible.
    fn park(&self, task: TaskId, log: &mut watch::StepLog) {
        // It may have ended in the same step, having left the branch that was to do it: nobody will.
        let over =
            |a: &watch::Announcement| a.waiter.header().is_some_and(|header| header.word.is_complete());
        if log.announced.iter().any(over) {
            log.announced.retain(|a| !over(a))
        }
        let Some(first) = log.announced.first() else { return };
        // Or it woke itself, its budget spent on something else: it is queued, and is to be a candidate once.
        let queued = first.waiter.header().is_some_and(|header| header.word.is_scheduled());
        // Nobody's step has enabled the root, and the first one says that it did.
        let woken = log.enabled.contains(&task) && self.steps.load(Relaxed) > 1;
        if log.announced.len() == 1 && !queued && !woken {
            return self.lanes.get().parked.park(&mut log.announced);
        }
        // Whoever waits for several things tries them all.
        self.lanes.get().parked.will_try(task);
        log.announced.drain(..).for_each(|a| a.waiter.wake());
    }

    /// The world moved by itself (the clock, something that was planned between two steps).
    pub(crate) fn moved(&self) {
        let Stepping { log, over, spins, .. } = &mut *self.stepping.get();
        spins.changed();
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
        self.lasso.claim();
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
        let (parked, told) = self.lanes.get().parked.leave();
        told.into_iter().for_each(|runnable| self.lanes.get().cancel.push_back(runnable));
        let mut stuck: Vec<Stuck> = parked.iter().map(|(_, stuck)| *stuck).collect();
        if !self.given_up.load(Relaxed) {
            stuck.extend(self.timers.overtaking().stuck());
            for task in waiting() {
                if stuck.iter().all(|s| s.task != task) {
                    stuck.push(Stuck { task, announced: None, request: watch::request(task, Heed::Never) })
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
        let Stepping { log, candidates, over, spun, .. } = &mut *self.stepping.get();
        log.clear();
        candidates.clear();
        *over = false;
        *spun = None;
        self.spins.store(false, Relaxed);
        drop(self.timers.renew());
        self.clock.renew();
        self.world.recent.store(0, Relaxed);
        self.steps.store(0, Relaxed);
        self.given_up.store(false, Relaxed);
        true
    }
}
