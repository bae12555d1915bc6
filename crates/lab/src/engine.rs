//! One worker's lanes, and which runnable is next: by the production pick, or any of them, as the decisions
//! say.
use crate::deadlock::WaitGraph;
use crate::decisions::Decisions;
use crate::world::{Recorder, VirtualClock, VirtualTimers, locked};
use cx::port::{Clock, World};
use region::Sink;
use sched::engine::CatchUnwind;
use sched::lanes::{Credits, Lane, LaneView, pick};
use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::*};
use std::sync::{Arc, Mutex, OnceLock};
use std::thread::ThreadId;
use task::{Runnable, control};
use trace::{Choice, Label};
use types::Time;

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
    lanes: Mutex<Lanes>,
    firing: AtomicBool,
    pub(crate) steps: AtomicU64,
    /// The thread of the first wake, which is that of the root body's start.
    home: OnceLock<ThreadId>,
    pub(crate) foreign: AtomicBool,
}

/// The lanes of the one worker, each in order of arrival.
#[derive(Default)]
struct Lanes {
    cancel: VecDeque<Runnable>,
    timed: VecDeque<Runnable>,
    lifo: Option<Runnable>,
    ready: VecDeque<Runnable>,
    credits: Credits,
}

impl Lanes {
    fn len(&self) -> usize {
        self.cancel.len() + self.timed.len() + self.ready.len() + usize::from(self.lifo.is_some())
    }

    /// What a production worker would pick, counted as [`Lanes::nth`] counts.
    fn usual(&mut self) -> usize {
        let view = LaneView {
            cancel: !self.cancel.is_empty(),
            timed: !self.timed.is_empty(),
            lifo: self.lifo.is_some(),
            ready: !self.ready.is_empty(),
            inject: false,
        };
        let urgent = self.cancel.len() + self.timed.len();
        match pick(&mut self.credits, view) {
            None | Some(Lane::Cancel) => 0,
            Some(Lane::Timed) => self.cancel.len(),
            Some(Lane::Lifo) => urgent,
            Some(Lane::Ready | Lane::Inject) => urgent + usize::from(self.lifo.is_some()),
        }
    }

    /// The n-th runnable, counted through the lanes in the order in which a worker would come to them.
    fn nth(&mut self, mut n: usize) -> Option<Runnable> {
        for lane in [&mut self.cancel, &mut self.timed] {
            if n < lane.len() {
                return lane.remove(n);
            }
            n -= lane.len();
        }
        if self.lifo.is_some() {
            if n == 0 {
                return self.lifo.take();
            }
            n -= 1;
        }
        self.ready.remove(n)
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
            lanes: Mutex::default(),
            firing: AtomicBool::new(false),
            steps: AtomicU64::new(0),
            home: OnceLock::new(),
            foreign: AtomicBool::new(false),
        }
    }

    fn watch_thread(&self) {
        let here = std::thread::current().id();
        if here != *self.home.get_or_init(|| here) && !self.foreign.swap(true, AcqRel) {
            self.emit(Label::ForeignCall { what: "a wake from a thread that is not the lab's".into() });
        }
    }

    pub(crate) fn emit(&self, label: Label) {
        if let Some(recorder) = &self.recorder {
            recorder.emit(None, label)
        }
    }

    /// A task was woken.
    pub(crate) fn woken(&self, runnable: Runnable) {
        self.watch_thread();
        let mut lanes = locked(&self.lanes);
        if self.firing.load(Relaxed) {
            lanes.timed.push_back(runnable)
        } else if runnable.header().control() & control::TOLD != 0 {
            lanes.cancel.push_back(runnable)
        } else if let Some(before) = lanes.lifo.replace(runnable) {
            lanes.ready.push_back(before)
        }
    }

    /// The running task was woken while it ran, or gave way.
    pub(crate) fn requeued(&self, runnable: Runnable) {
        self.watch_thread();
        locked(&self.lanes).ready.push_back(runnable)
    }

    /// Runnables that a request woke.
    pub(crate) fn cancelled(&self, runnable: Runnable) {
        self.watch_thread();
        locked(&self.lanes).cancel.push_back(runnable)
    }

    /// Runs one task for one poll. False if none is runnable.
    pub(crate) fn step(&self) -> bool {
        let mut lanes = locked(&self.lanes);
        let next = match lanes.len() {
            0 => None,
            options => {
                let usual = lanes.usual();
                let chosen = self.decisions.choose(Choice::Task, options, usual);
                lanes.nth(chosen)
            }
        };
        drop(lanes);
        let Some(runnable) = next else { return false };
        self.steps.fetch_add(1, Relaxed);
        // One operation for each poll: every operation is a scheduling point.
        runnable.header().coop.store(1, Relaxed);
        if let Some(waits) = &self.waits {
            waits.polls(runnable.header())
        }
        task::run::<CatchUnwind>(runnable);
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
        }
        let due = self.timers.due(next);
        self.firing.store(true, Relaxed);
        due.into_iter().for_each(|d| self.world.serve(d));
        self.firing.store(false, Relaxed);
        true
    }
}
