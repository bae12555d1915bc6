//! The engine of one runtime: its workers and what each of them does, in a loop.
//!
//! ```text
//!      woken by the running task        woken while running, yielded, spawned, woken again and again
//!               │                                │
//!             [LIFO] ──pushed out──▶ [local queue, 1024] ──full──▶ [injector] ◀── threads outside
//!                                                                      timers due ──▶ [timed lane]
//!                                                                      requests   ──▶ [cancel lane]
//! ```
//! Which of them is next is [`lanes::pick`](crate::lanes::pick)'s to say. A worker that has nothing searches
//! (at most half of them at a time), then sleeps in its own driver. Waking a second worker costs about 5 us,
//! so it happens when the local queue is long enough to pay ([`Spread`]); liveness does not depend on it: the
//! pusher is running and will come to its queue, and a sentinel looks after workers that are stuck in one task.
//!
//! Invariant `engine.watched`: while a worker runs and another one sleeps, a sleeper watches. The watch ends only
//! while everybody sleeps, so that a runtime without work has no wake-ups, and the first one up calls the
//! sentinel back; a sentinel that leaves has the next sleeper take over. While nobody sleeps, the busy workers
//! look after each other.
//!
//! Not here: threads (`runtime`), clocks, timers and I/O ([`Driver`], implemented by `runtime`).
use crate::home::Home;
use crate::idle::{Idle, Role};
use crate::inject::Injector;
use crate::lanes::Credits;
use crate::padded::CachePadded;
use crate::raw::{self, Chain, Entered};
use crate::watch::Watch;
use crate::worker::{Shard, Worker};
use core::cell::{Cell, RefCell};
use core::ptr::NonNull;
use core::sync::atomic::{AtomicBool, Ordering::*};
use core::time::Duration;
use cx::port::World;
use std::any::Any;
use std::boxed::Box;
use std::sync::{Arc, OnceLock};
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
    pub(crate) world: World,
    pub(crate) driver: Arc<dyn Driver>,
    pub(crate) shards: Vec<CachePadded<Shard>>,
    pub(crate) idle: Idle,
    pub(crate) injector: Injector<Header>,
    pub(crate) watch: Watch,
    pub(crate) shutdown: AtomicBool,
    /// The home thread, if it is no worker.
    pub(crate) home: OnceLock<Home>,
    pub(crate) threshold: usize,
    pub(crate) coop: u16,
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

/// An engine's place in the table. It keeps the engine, so that the table never names one that is gone.
#[derive(Debug)]
pub struct Registration {
    // Dropped first: the place is given up before the engine may go.
    slot: EngineSlot,
    _engine: Arc<Engine>,
}

impl Registration {
    /// The tag that tasks of the engine carry.
    pub fn tag(&self) -> u16 {
        self.slot.tag()
    }
}

/// Aborts the process when it is dropped: for a caller whose borrows must not end before its root task has.
/// [`MustFinish::check`] lets go of it.
#[derive(Debug)]
pub struct MustFinish(&'static str);

impl MustFinish {
    /// `otherwise` is what is printed before the process ends.
    pub fn new(otherwise: &'static str) -> MustFinish {
        MustFinish(otherwise)
    }

    /// Nothing more to fear if `task` has finished; aborts if not.
    pub fn check(self, task: &cx::RootTask) {
        if task.is_finished() {
            core::mem::forget(self)
        }
    }
}

impl Drop for MustFinish {
    fn drop(&mut self) {
        std::eprintln!("{}", self.0);
        std::process::abort()
    }
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
    /// Operations a task may do in one poll; more than [`cx::port::MAX_COOP`] count as that.
    pub coop: u16,
}

impl core::fmt::Debug for Setup {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Setup").field("workers", &self.workers).finish_non_exhaustive()
    }
}

impl Engine {
    /// An engine and its place in the table; `None` if there are too many engines in this process.
    pub fn new(setup: Setup) -> Option<(Arc<Engine>, Registration)> {
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
            shards: (0..setup.workers).map(|_| CachePadded::new(Shard::new(setup.workers > 1))).collect(),
            idle: Idle::new(setup.workers),
            injector: Injector::new(),
            watch: Watch::new(),
            shutdown: AtomicBool::new(false),
            home: OnceLock::new(),
            threshold,
            coop: setup.coop.min(cx::port::MAX_COOP),
        });
        let slot = raw::register(&engine)?;
        let registration = Registration { slot, _engine: engine.clone() };
        Some((engine, registration))
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
    pub(crate) fn pin(&self, runnable: Runnable) {
        if let Some(home) = self.home.get() {
            return home.push(runnable);
        }
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
            // Never into a cancel lane, which the sentinel may take over.
            if r.header().control() & control::PINNED != 0 { self.pin(r) } else { rest.push(r) }
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

    /// Has the home thread be none of the workers: it runs [`Engine::run_home`], and worker 0 polls no pinned task. Call it
    /// before there is a pinned task, and before worker 0 runs.
    pub fn keep_home_apart(&self) {
        self.home.get_or_init(Home::default);
    }

    /// Whether [`Engine::keep_home_apart`] was called.
    pub fn home_is_apart(&self) -> bool {
        self.home.get().is_some()
    }

    /// Polls pinned tasks on this thread, the home thread, until `done` says so after one of them.
    ///
    /// # Panics
    /// If the home thread is worker 0.
    pub fn run_home(&self, done: &dyn Fn() -> bool) {
        let Some(home) = self.home.get() else { panic!("the home thread is worker 0") };
        while !done() {
            match home.pop() {
                Some(task) => {
                    task.header().coop.store(self.coop, Relaxed);
                    task::run::<CatchUnwind>(task)
                }
                None => home.sleep(),
            }
        }
    }

    /// Runs one worker on this thread until `done` says so or the engine is shut down. Worker 0 is the home
    /// thread, unless that is apart: it alone runs pinned tasks.
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
            last_lifo: Cell::new(core::ptr::null()),
            role: Cell::new(Role::Working),
            firing: Cell::new(false),
            pinned_first: Cell::new(false),
            seen: RefCell::new(std::vec![0; self.shards.len()]),
            looked_at: Cell::new(0),
        };
        let _entered = Entered::new(&worker);
        worker.run(done);
    }
}
