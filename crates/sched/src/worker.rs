//! One worker: its loop, what it does when it finds nothing, and how it looks after the others.
//!
//! Invariant `engine.watched`, described in `engine`; its handshakes are in `watch`. Not here: what the queues are, who
//! starts workers.
use crate::engine::{CatchUnwind, Engine};
use crate::idle::{End, Park, Recheck, Role, Sentinel, WokenBy, WorkerIndex};
use crate::inject::Placed;
use crate::lane::Lane as List;
use crate::lanes::{Credits, Lane, LaneView, pick};
use crate::queue::{LocalQueue, Owner};
use crate::raw;
use core::cell::{Cell, RefCell};
use core::ptr::NonNull;
use core::sync::atomic::{AtomicBool, AtomicPtr, AtomicU32, Ordering::*};
use core::time::Duration;
use std::sync::Arc;
use std::vec::Vec;
use task::{Header, Runnable, control};

/// What other threads see of a worker.
pub(crate) struct Shard {
    pub(crate) lifo: AtomicPtr<Header>,
    /// Whether there are other workers, which may take what is here.
    shared: bool,
    pub(crate) queue: LocalQueue<Header>,
    pub(crate) cancel: List,
    pub(crate) timed: List,
    /// Tasks that only this worker's thread may poll.
    pub(crate) pinned: List,
    /// Looks at the driver so far, and dispatches until the next one. Only the worker itself writes them; if
    /// both stand still, it is asleep or stuck.
    pub(crate) ticks: AtomicU32,
    pub(crate) until_tick: AtomicU32,
    pub(crate) asleep: AtomicBool,
}

impl Shard {
    pub(crate) fn new(shared: bool) -> Shard {
        Shard {
            lifo: AtomicPtr::new(core::ptr::null_mut()),
            shared,
            queue: if shared { LocalQueue::new() } else { LocalQueue::unshared() },
            cancel: List::default(),
            timed: List::default(),
            pinned: List::default(),
            ticks: AtomicU32::new(0),
            until_tick: AtomicU32::new(TICK),
            asleep: AtomicBool::new(false),
        }
    }

    /// Changes with every dispatch and every sleep.
    fn pulse(&self) -> u64 {
        u64::from(self.ticks.load(Relaxed)) << 32 | u64::from(self.until_tick.load(Relaxed))
    }

    fn begin_ticks(&self) {
        self.ticks.store(self.ticks.load(Relaxed).wrapping_add(1), Relaxed);
        self.until_tick.store(TICK, Relaxed);
    }

    fn take_lifo(&self) -> Option<Runnable> {
        NonNull::new(self.replace_lifo(core::ptr::null_mut())).map(raw::runnable)
    }

    /// Only the worker itself puts a task here; the others take, if there are any.
    #[inline]
    fn replace_lifo(&self, new: *mut Header) -> *mut Header {
        if self.shared {
            return self.lifo.swap(new, AcqRel);
        }
        let before = self.lifo.load(Relaxed);
        self.lifo.store(new, Relaxed);
        before
    }
}

/// Dispatches between two looks at the driver.
pub(crate) const TICK: u32 = 61;
/// How long the sentinel waits between two looks: at first, and, doubling, at most.
const FIRST_PAUSE: Duration = Duration::from_micros(100);
const LONGEST_PAUSE: Duration = Duration::from_millis(10);
/// After how many looks in a row that found everybody asleep it sleeps without a limit.
const QUIET: u32 = 3;

/// One worker, as its own thread sees it.
pub(crate) struct Worker<'e> {
    pub(crate) engine: &'e Arc<Engine>,
    pub(crate) shard: &'e Shard,
    pub(crate) index: usize,
    pub(crate) me: WorkerIndex,
    pub(crate) owner: Owner<'e, Header>,
    pub(crate) credits: Cell<Credits>,
    /// The task that the LIFO slot served last. Only its address is ever used.
    pub(crate) last_lifo: Cell<*const Header>,
    pub(crate) role: Cell<Role>,
    /// Timers are firing: what they wake goes to the timed lane.
    pub(crate) firing: Cell<bool>,
    /// Whose turn it is when both a pinned task and another one are ready.
    pub(crate) pinned_first: Cell<bool>,
    /// Everybody's pulse at the last look.
    pub(crate) seen: RefCell<Vec<u64>>,
    /// When this worker looked at the others while nobody slept, in nanoseconds.
    pub(crate) looked_at: Cell<u64>,
}

impl Worker<'_> {
    pub(crate) fn engine(&self) -> *const Engine {
        Arc::as_ptr(self.engine)
    }

    /// A task was woken on this thread.
    #[inline]
    pub(crate) fn woken(&self, runnable: Runnable) {
        let control = runnable.header().control();
        if control & (control::PINNED | control::TOLD) != 0 || self.firing.get() {
            return self.woken_specially(runnable, control);
        }
        let task = runnable.into_raw();
        if task.as_ptr().cast_const() == self.last_lifo.get() {
            // Nobody else was served there since: tasks of the queue wake it one after the other (they all end, and
            // it joins them; they all send, and it receives). In the queue it meets what they did in one go.
            return self.push(raw::runnable(task));
        }
        let before = self.shard.replace_lifo(task.as_ptr());
        if let Some(before) = NonNull::new(before) {
            self.push(raw::runnable(before))
        }
    }

    /// A task was spawned on this thread: it waits its turn in the queue, where it costs no read-modify-write and
    /// others can steal it.
    #[inline]
    pub(crate) fn spawned(&self, runnable: Runnable) {
        let control = runnable.header().control();
        if control & (control::PINNED | control::TOLD) != 0 {
            return self.woken_specially(runnable, control);
        }
        self.push(runnable)
    }

    #[cold]
    fn woken_specially(&self, runnable: Runnable, control: u32) {
        if control & control::PINNED != 0 {
            self.pin(runnable)
        } else if self.firing.get() {
            self.shard.timed.push(runnable)
        } else {
            self.shard.cancel.push(runnable)
        }
    }

    /// The running task was woken while it ran, or gave way.
    #[inline]
    pub(crate) fn requeued(&self, runnable: Runnable) {
        if runnable.header().control() & control::PINNED != 0 {
            return self.pin(runnable);
        }
        self.push(runnable)
    }

    /// Queues a task of the home thread, which may be this one.
    fn pin(&self, runnable: Runnable) {
        if self.index == 0 && !self.engine.home_is_apart() {
            self.shard.pinned.push(runnable)
        } else {
            self.engine.pin(runnable)
        }
    }

    #[inline]
    fn push(&self, runnable: Runnable) {
        let placed = self.owner.push_or_overflow(runnable.into_raw(), &self.engine.injector);
        let long = || placed == Placed::Injector || self.shard.queue.len() >= self.engine.threshold;
        if self.engine.idle.sleeping() != 0 && long() {
            self.offer()
        }
    }

    /// The queue is long: wakes a sleeper, if there is one.
    #[cold]
    fn offer(&self) {
        if self.engine.idle.sleeping() == 0 {
            return;
        }
        if let Some(w) = self.engine.idle.notify_local() {
            self.engine.driver.unpark(w.get())
        }
    }

    pub(crate) fn run(&self, done: &dyn Fn() -> bool) {
        loop {
            let left = self.shard.until_tick.load(Relaxed);
            if left == 0 {
                self.tick();
            } else {
                self.shard.until_tick.store(left - 1, Relaxed);
            }
            match self.next() {
                Some(runnable) => {
                    if self.role.get() == Role::Searching {
                        self.found()
                    }
                    runnable.header().coop.store(self.engine.coop, Relaxed);
                    task::run::<CatchUnwind>(runnable);
                    if self.index == 0 && done() {
                        break;
                    }
                }
                None => {
                    if self.engine.is_shut_down() || (self.index == 0 && done()) {
                        break;
                    }
                    self.park()
                }
            }
            if left == 0 && (self.engine.is_shut_down() || (self.index == 0 && done())) {
                break;
            }
        }
        if self.role.get() == Role::Searching {
            self.found()
        }
    }

    fn tick(&self) {
        self.shard.begin_ticks();
        self.engine.driver.tick(self.index);
        if self.shard.queue.len() >= self.engine.threshold {
            self.offer()
        }
        if self.engine.idle.sleeping() == 0 && self.engine.shards.len() > 1 {
            self.look_around()
        }
    }

    /// Nobody sleeps, so nobody watches: looks after the others now and then.
    #[cold]
    fn look_around(&self) {
        let now = self.engine.world.recent.load(Relaxed);
        if now.saturating_sub(self.looked_at.get()) < LONGEST_PAUSE.as_nanos() as u64 {
            return;
        }
        self.looked_at.set(now);
        self.relieve_all();
    }

    /// Runs `f`; what it wakes goes to the timed lane.
    pub(crate) fn firing<R>(&self, f: impl FnOnce() -> R) -> R {
        let before = self.firing.replace(true);
        let result = f();
        self.firing.set(before);
        result
    }

    #[inline]
    fn next(&self) -> Option<Runnable> {
        let view = LaneView {
            cancel: !self.shard.cancel.is_empty(),
            timed: !self.shard.timed.is_empty(),
            lifo: !self.shard.lifo.load(Relaxed).is_null(),
            ready: !self.shard.queue.is_empty() || !self.shard.pinned.is_empty(),
            inject: !self.engine.injector.is_empty(),
        };
        let mut credits = self.credits.get();
        let lane = pick(&mut credits, view);
        self.credits.set(credits);
        let found = match lane {
            Some(Lane::Lifo) => self.next_lifo(),
            Some(Lane::Ready) => self.next_ready(),
            Some(Lane::Cancel) => self.shard.cancel.pop(),
            Some(Lane::Timed) => self.shard.timed.pop(),
            Some(Lane::Inject) => self.next_injected(),
            None => return self.search(),
        };
        // A thief or the sentinel may have been faster: look everywhere.
        found.or_else(|| self.search())
    }

    #[inline]
    fn next_lifo(&self) -> Option<Runnable> {
        let runnable = self.shard.take_lifo()?;
        self.last_lifo.set(core::ptr::from_ref(runnable.header()));
        Some(runnable)
    }

    #[inline]
    fn next_ready(&self) -> Option<Runnable> {
        // Pinned tasks and the others take turns.
        if !self.shard.pinned.is_empty() && (self.pinned_first.get() || self.shard.queue.is_empty()) {
            self.pinned_first.set(false);
            return self.shard.pinned.pop();
        }
        self.pinned_first.set(true);
        self.owner.pop().map(raw::runnable)
    }

    fn next_injected(&self) -> Option<Runnable> {
        self.engine.injector.pop_share(&self.owner, self.engine.shards.len()).map(raw::runnable)
    }

    /// Own lanes once more, then the injector, then the others' queues.
    #[cold]
    #[inline(never)]
    fn search(&self) -> Option<Runnable> {
        let own = self
            .shard
            .cancel
            .pop()
            .or_else(|| self.shard.timed.pop())
            .or_else(|| self.shard.take_lifo())
            .or_else(|| self.next_ready())
            .or_else(|| self.next_injected());
        if own.is_some() {
            return own;
        }
        let engine = self.engine;
        if engine.shards.len() < 2 || (self.role.get() == Role::Working && !engine.idle.start_search()) {
            return None;
        }
        self.role.set(Role::Searching);
        let n = engine.shards.len();
        for step in 1..n {
            let victim = &engine.shards[(self.index + step) % n];
            if let Some(task) = victim.queue.steal_into(&self.owner) {
                return Some(raw::runnable(task));
            }
        }
        self.next_injected()
    }

    /// A search ended with work in hand.
    fn found(&self) {
        self.role.set(Role::Working);
        if self.engine.idle.end_search() == End::Last
            && (!self.engine.injector.is_empty() || self.shard.queue.len() >= self.engine.threshold.min(2))
            && let Some(w) = self.engine.idle.notify_one()
        {
            self.engine.driver.unpark(w.get())
        }
    }

    fn has_work(&self, recheck: Recheck) -> bool {
        let s = self.shard;
        let own = !s.cancel.is_empty()
            || !s.timed.is_empty()
            || !s.lifo.load(Acquire).is_null()
            || !s.queue.is_empty()
            || !s.pinned.is_empty()
            || !self.engine.injector.is_empty()
            || self.engine.is_shut_down();
        own || (recheck == Recheck::Everything && self.engine.shards.iter().any(|s| !s.queue.is_empty()))
    }

    fn park(&self) {
        let engine = self.engine;
        match engine.idle.park_unless(self.me, self.role.get(), |recheck| self.has_work(recheck)) {
            Park::Found => {
                self.role.set(Role::Searching);
                // Listed for a moment, which was enough for the sentinel to doze.
                self.risen(None);
            }
            Park::Sleep => {
                self.shard.asleep.store(true, Relaxed);
                let watch = if engine.shards.len() > 1 { engine.idle.claim_sentinel(self.me) } else { None };
                let woken = match &watch {
                    Some(_watch) => self.watch(),
                    None => {
                        engine.driver.park(self.index, None);
                        engine.idle.finish_park(self.me)
                    }
                };
                self.shard.asleep.store(false, Relaxed);
                self.shard.begin_ticks();
                self.role.set(woken.role());
                self.risen(watch);
            }
        }
    }

    /// This worker is no longer listed as asleep: hands its watch on, or calls back a sentinel that dozes.
    fn risen(&self, watch: Option<Sentinel<'_>>) {
        if let Some(next) = self.engine.watch.risen(&self.engine.idle, watch) {
            self.engine.driver.unpark(next.get())
        }
    }

    /// Sleeps as the sentinel: looks now and then whether those that run are stuck in one task, and if so serves
    /// what they cannot. When everybody has slept for a while it sleeps until it is called.
    fn watch(&self) -> WokenBy {
        let engine = self.engine;
        let mut pause = FIRST_PAUSE;
        let mut quiet = 0;
        self.take_pulses();
        loop {
            let dozes = quiet >= QUIET && engine.watch.doze(&engine.idle, self.me);
            engine.driver.park(self.index, if dozes { None } else { Some(pause) });
            if dozes {
                engine.watch.end_doze();
                quiet = 0;
                pause = FIRST_PAUSE;
            }
            if engine.idle.finish_park(self.me) == WokenBy::Notifier {
                return WokenBy::Notifier;
            }
            if self.has_work(Recheck::Own) {
                return WokenBy::Itself;
            }
            match self.relieve_all() {
                Relief::Taken => return WokenBy::Itself,
                Relief::NobodyRan if engine.idle.sleeping() + 1 == engine.shards.len() => quiet += 1,
                Relief::NobodyRan | Relief::NothingToTake => quiet = 0,
            }
            pause = (pause * 2).min(LONGEST_PAUSE);
            match engine.idle.park_unless(self.me, Role::Working, |recheck| self.has_work(recheck)) {
                Park::Sleep => {}
                // Counted as searching, as one that was notified.
                Park::Found => return WokenBy::Notifier,
            }
        }
    }

    /// Takes everybody's pulse.
    fn take_pulses(&self) {
        for (seen, shard) in self.seen.borrow_mut().iter_mut().zip(&self.engine.shards) {
            *seen = shard.pulse()
        }
    }

    /// Looks at the others, and takes over from the first one found stuck that has something to take.
    fn relieve_all(&self) -> Relief {
        let mut relief = Relief::NobodyRan;
        for (i, victim) in self.engine.shards.iter().enumerate() {
            let pulse = victim.pulse();
            let before = core::mem::replace(&mut self.seen.borrow_mut()[i], pulse);
            if i == self.index || victim.asleep.load(Relaxed) && pulse == before {
                continue;
            }
            relief = Relief::NothingToTake;
            if pulse == before && self.relieve(i, victim) {
                return Relief::Taken;
            }
        }
        relief
    }

    /// Takes over what a stuck worker cannot run. True if there was something.
    fn relieve(&self, stuck: usize, victim: &Shard) -> bool {
        self.engine.driver.tick_for(stuck);
        let mut got = false;
        if let Some(task) = victim.queue.steal_into(&self.owner) {
            self.push(raw::runnable(task));
            got = true;
        }
        if let Some(r) = victim.take_lifo() {
            self.push(r);
            got = true;
        }
        for list in [&victim.cancel, &victim.timed] {
            let chain = list.take();
            got |= chain.len > 0;
            self.shard.cancel.append(chain);
        }
        got || self.has_work(Recheck::Own)
    }
}

/// What a look at the others came to.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Relief {
    /// They have slept since the last look.
    NobodyRan,
    /// They run, or have nothing that could be taken over.
    NothingToTake,
    /// This worker has work now.
    Taken,
}
