//! The engine of one runtime: its workers and what each of them does, in a loop.
//!
//! ```text
//!      woken by the running task        woken while running, yielded
//!               │                                │
//!             [LIFO] ──pushed out──▶ [local queue, 1024] ──full──▶ [injector] ◀── threads outside
//!                                                                      timers due ──▶ [timed lane]
//!                                                                      requests   ──▶ [cancel lane]
//! ```
//! Which of them is next is [`lanes::pick`](crate::lanes::pick)'s to say. A worker that has nothing searches
//! (at most half of them at a time), then sleeps in its own driver. Waking a second worker costs about 5 us,
//! so it happens when the local queue is long enough to pay ([`Spread`]); liveness does not depend on it: the
//! pusher is running and will come to its queue, and a sleeping sentinel looks after workers that are stuck
//! in one task.
//!
//! Not here: threads (`runtime`), clocks, timers and I/O ([`Driver`], implemented by `runtime`).
use crate::idle::{End, Idle, Park, Recheck, Role, WokenBy, WorkerIndex};
use crate::inject::{Injector, Placed};
use crate::lane::Lane as List;
use crate::lanes::{Credits, Lane, LaneView, pick};
use crate::padded::CachePadded;
use crate::queue::{LocalQueue, Owner};
use crate::raw::{self, Chain, Entered};
use core::cell::Cell;
use core::ptr::NonNull;
use core::sync::atomic::{AtomicBool, AtomicPtr, AtomicU32, Ordering::*};
use core::time::Duration;
use cx::port::World;
use std::any::Any;
use std::boxed::Box;
use std::sync::Arc;
use std::vec::Vec;
use task::engine::{EngineHead, EngineSlot};
use task::{Guard, Header, Runnable, control};

/// What an engine needs of the machine: a clock, timers and I/O, per worker.
pub trait Driver: Send + Sync {
    /// Serves what is due without waiting: fires timers, and, every few calls, polls for I/O. Called every 61
    /// dispatches or so on the worker's own thread.
    fn tick(&self, worker: usize);
    /// Waits until something is due for this worker, it is unparked, or `limit` has passed; serves it.
    fn park(&self, worker: usize, limit: Option<Duration>);
    /// Ends the worker's wait, now or the next time it begins. Any thread.
    fn unpark(&self, worker: usize);
    /// Serves what is due for a worker that is stuck, from another worker's thread, if that can be had
    /// without waiting.
    fn tick_for(&self, stuck: usize);
}

/// When a worker wakes another one for work in its own queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Spread {
    /// When the queue is 64 long on up to two workers, 8 otherwise: small tasks stay together.
    #[default]
    Balanced,
    /// Only when the queue is 64 long.
    Consolidate,
    /// At once.
    Eager,
}

/// The engine. Begins with its world, so that the kernel's pointer to the one is a pointer to the other.
#[repr(C)]
pub struct Engine {
    world: World,
    driver: Arc<dyn Driver>,
    shards: Vec<CachePadded<Shard>>,
    idle: Idle,
    injector: Injector<Header>,
    shutdown: AtomicBool,
    threshold: usize,
    coop: u16,
}

/// What other threads see of a worker.
struct Shard {
    lifo: AtomicPtr<Header>,
    queue: LocalQueue<Header>,
    cancel: List,
    timed: List,
    /// Tasks that only this worker's thread may poll.
    pinned: List,
    /// Dispatches so far, for the sentinel.
    ticks: AtomicU32,
    asleep: AtomicBool,
}

impl core::fmt::Debug for Engine {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Engine").field("workers", &self.shards.len()).finish_non_exhaustive()
    }
}

/// Index of the worker that runs on this thread, if it is one of the engine at this address. The address is
/// only compared.
#[inline]
pub fn current_worker(engine: *const Engine) -> Option<usize> {
    raw::current_index(engine)
}

/// Fires timers: what `f` wakes on this thread goes to the timed lane of the worker that runs here. For
/// drivers.
pub fn as_timed<R>(engine: *const Engine, f: impl FnOnce() -> R) -> R {
    raw::as_timed(engine, f)
}

/// Panics become outcomes.
#[derive(Debug)]
pub struct CatchUnwind;

impl Guard for CatchUnwind {
    #[inline]
    fn catch(f: impl FnOnce()) -> Result<(), Box<dyn Any + Send>> {
        std::panic::catch_unwind(std::panic::AssertUnwindSafe(f))
    }
}

/// Catching and resuming through `std`.
pub fn unwinding() -> cx::port::Unwinding {
    cx::port::Unwinding {
        catch: |f| std::panic::catch_unwind(std::panic::AssertUnwindSafe(f)),
        resume: |payload| std::panic::resume_unwind(payload),
    }
}

/// The head that a [`World`] for this engine has.
pub fn head() -> EngineHead {
    raw::HEAD
}

/// How an engine is made.
pub struct Setup {
    /// Its world; `head` must be [`head()`].
    pub world: World,
    /// Its driver.
    pub driver: Arc<dyn Driver>,
    /// Workers, 1 to [`crate::idle::MAX_WORKERS`].
    pub workers: usize,
    /// When workers wake each other.
    pub spread: Spread,
    /// Operations a task may do in one poll.
    pub coop: u16,
}

impl core::fmt::Debug for Setup {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Setup").field("workers", &self.workers).finish_non_exhaustive()
    }
}

impl Engine {
    /// An engine and its place in the table; `None` if there are too many engines in this process.
    pub fn new(setup: Setup) -> Option<(Arc<Engine>, EngineSlot)> {
        let threshold = match setup.spread {
            Spread::Eager => 1,
            Spread::Consolidate => 64,
            Spread::Balanced => {
                if setup.workers <= 2 {
                    64
                } else {
                    8
                }
            }
        };
        let engine = Arc::new(Engine {
            world: setup.world,
            driver: setup.driver,
            shards: (0..setup.workers).map(|_| CachePadded::new(Shard::new())).collect(),
            idle: Idle::new(setup.workers),
            injector: Injector::new(),
            shutdown: AtomicBool::new(false),
            threshold,
            coop: setup.coop,
        });
        let slot = raw::register(&engine)?;
        Some((engine, slot))
    }

    /// Its world.
    pub fn world(&self) -> &World {
        &self.world
    }

    /// How many workers it has.
    pub fn workers(&self) -> usize {
        self.shards.len()
    }

    /// Index of the worker that runs on this thread, if it is one of this engine's.
    pub fn current(&self) -> Option<usize> {
        current_worker(self)
    }

    /// Whether the workers were told to end.
    pub fn is_shut_down(&self) -> bool {
        self.shutdown.load(Acquire)
    }

    /// Tells the workers to end after the task they run. Runnables that are left stay where they are.
    pub fn shut_down(&self) {
        self.shutdown.store(true, Release);
        for i in 0..self.shards.len() {
            self.driver.unpark(i)
        }
    }

    /// Queues a runnable from a thread that is no worker.
    pub(crate) fn inject(&self, runnable: Runnable) {
        if runnable.header().control() & control::PINNED != 0 {
            return self.pin(runnable);
        }
        self.injector.push(runnable.into_raw());
        if let Some(w) = self.idle.notify_published() {
            self.driver.unpark(w.get())
        }
    }

    /// Queues a task of the home thread.
    fn pin(&self, runnable: Runnable) {
        let Some(home) = self.shards.first() else { return };
        home.pinned.push(runnable);
        // The worker may be between its last look and its wait: the unpark is sticky.
        self.driver.unpark(0);
    }

    /// Queues runnables that a request woke: in this worker's cancel lane, or where any worker finds them.
    pub(crate) fn cancelled(&self, mut chain: Chain) {
        let me = raw::with_current(NonNull::from(self).cast(), |w| w.index);
        let mut rest = Chain::default();
        while let Some(r) = chain.pop() {
            if r.header().control() & control::PINNED != 0 && me != Some(0) { self.pin(r) } else { rest.push(r) }
        }
        match me {
            Some(index) => {
                if let Some(shard) = self.shards.get(index) {
                    shard.cancel.append(rest)
                }
            }
            None => {
                let mut batch = self.injector.batch();
                while let Some(r) = rest.pop() {
                    batch.push(r.into_raw())
                }
                drop(batch);
                if let Some(w) = self.idle.notify_published() {
                    self.driver.unpark(w.get())
                }
            }
        }
    }

    /// Runs one worker on this thread until `done` says so or the engine is shut down. Worker 0 is the home
    /// thread: it alone runs pinned tasks.
    ///
    /// # Panics
    /// If another thread runs this worker.
    pub fn run(self: &Arc<Engine>, index: usize, done: &dyn Fn() -> bool) {
        let Some(shard) = self.shards.get(index) else { panic!("worker {index} of {}", self.shards.len()) };
        let Some(owner) = shard.queue.claim() else { panic!("worker {index} runs already") };
        let worker = Worker {
            engine: self,
            shard,
            index,
            me: self.idle.worker(index),
            owner,
            credits: Cell::new(Credits::default()),
            role: Cell::new(Role::Working),
            firing: Cell::new(false),
            until_tick: Cell::new(TICK),
            long_since: Cell::new(0),
        };
        let _entered = Entered::new(&worker);
        worker.run(done);
    }
}

impl Shard {
    fn new() -> Shard {
        Shard {
            lifo: AtomicPtr::new(core::ptr::null_mut()),
            queue: LocalQueue::new(),
            cancel: List::default(),
            timed: List::default(),
            pinned: List::default(),
            ticks: AtomicU32::new(0),
            asleep: AtomicBool::new(false),
        }
    }

    fn take_lifo(&self) -> Option<Runnable> {
        NonNull::new(self.lifo.swap(core::ptr::null_mut(), AcqRel)).map(raw::runnable)
    }
}

/// Dispatches between two looks at the driver.
const TICK: u32 = 61;

/// One worker, as its own thread sees it.
pub(crate) struct Worker<'e> {
    engine: &'e Arc<Engine>,
    shard: &'e Shard,
    pub(crate) index: usize,
    me: WorkerIndex,
    owner: Owner<'e, Header>,
    credits: Cell<Credits>,
    role: Cell<Role>,
    /// Timers are firing: what they wake goes to the timed lane.
    firing: Cell<bool>,
    until_tick: Cell<u32>,
    /// For how many ticks the queue has been long.
    long_since: Cell<u32>,
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
        let before = self.shard.lifo.swap(runnable.into_raw().as_ptr(), AcqRel);
        if let Some(before) = NonNull::new(before) {
            self.push(raw::runnable(before))
        }
    }

    #[cold]
    fn woken_specially(&self, runnable: Runnable, control: u32) {
        if control & control::PINNED != 0 {
            if self.index == 0 { self.shard.pinned.push(runnable) } else { self.engine.pin(runnable) }
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
            return if self.index == 0 { self.shard.pinned.push(runnable) } else { self.engine.pin(runnable) };
        }
        self.push(runnable)
    }

    #[inline]
    fn push(&self, runnable: Runnable) {
        let placed = self.owner.push_or_overflow(runnable.into_raw(), &self.engine.injector);
        if placed == Placed::Injector || self.shard.queue.len() >= self.engine.threshold {
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

    fn run(&self, done: &dyn Fn() -> bool) {
        loop {
            let left = self.until_tick.get();
            if left == 0 {
                self.tick();
            } else {
                self.until_tick.set(left - 1);
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
        self.until_tick.set(TICK);
        self.shard.ticks.fetch_add(1, Relaxed);
        self.engine.driver.tick(self.index);
        if self.shard.queue.len() >= self.engine.threshold {
            self.offer()
        }
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
            Some(Lane::Lifo) => self.shard.take_lifo(),
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
    fn next_ready(&self) -> Option<Runnable> {
        // Pinned tasks and the others take turns.
        if !self.shard.pinned.is_empty() && (self.until_tick.get() & 1 == 0 || self.shard.queue.is_empty()) {
            return self.shard.pinned.pop();
        }
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
            Park::Found => self.role.set(Role::Searching),
            Park::Sleep => {
                self.shard.asleep.store(true, Relaxed);
                let woken = match engine.idle.claim_sentinel(self.me) {
                    Some(_watch) => self.watch(),
                    None => {
                        engine.driver.park(self.index, None);
                        engine.idle.finish_park(self.me)
                    }
                };
                self.shard.asleep.store(false, Relaxed);
                self.role.set(woken.role());
                self.until_tick.set(TICK);
                self.long_since.set(0);
            }
        }
    }

    /// Sleeps as the sentinel: while somebody runs, looks now and then whether they are stuck in one task,
    /// and if so serves what they cannot.
    fn watch(&self) -> WokenBy {
        let engine = self.engine;
        let mut pause = Duration::from_micros(100);
        let mut seen: Vec<u32> = engine.shards.iter().map(|s| s.ticks.load(Relaxed)).collect();
        loop {
            // Nobody runs: nobody can be stuck, and nothing needs waking up for.
            let limit = if engine.idle.all_asleep() { None } else { Some(pause) };
            engine.driver.park(self.index, limit);
            if engine.idle.finish_park(self.me) == WokenBy::Notifier {
                return WokenBy::Notifier;
            }
            if self.has_work(Recheck::Own) || limit.is_none() {
                return WokenBy::Itself;
            }
            for (i, victim) in engine.shards.iter().enumerate() {
                let ticks = victim.ticks.load(Relaxed);
                let stuck = i != self.index && ticks == seen[i] && !victim.asleep.load(Relaxed);
                seen[i] = ticks;
                if stuck && self.relieve(i, victim) {
                    return WokenBy::Itself;
                }
            }
            pause = (pause * 2).min(Duration::from_millis(10));
            match engine.idle.park_unless(self.me, Role::Working, |recheck| self.has_work(recheck)) {
                Park::Sleep => {}
                Park::Found => {
                    return WokenBy::Notifier;
                }
            }
        }
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
