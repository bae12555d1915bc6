//! A runtime from its root body to its end.
//!
//! Shutdown order: the body returns and its region drains (admission off, finalizers), the workers end, the
//! blocking pool ends. What a shutdown request could not stop by its deadline is written off and named, and the end is
//! not a clean one; its threads are left behind rather than joined, so that this terminates. The thread that called `run`
//! can't be left behind: what keeps that one keeps the end waiting (`shutdown.home`).
use crate::builder::{BuildError, Builder};
use crate::driver::Machine;
use crate::pool::Pool;
use crate::ports::{Mixed, Monotonic, StandardError};
use crate::raw::with_root;
use crate::thread;
use crate::wheels::Wheels;
use cx::port::{Clock, Report, Reports, World};
use cx::{All, Cx, RegionHandle, Root};
use reactor::{Reactor, SystemNet, SystemSignals};
use region::{MemberView, RegionView, Sink};
use sched::engine::{self, Engine, Setup};
use std::fmt;
use std::panic::Location;
use std::sync::{Arc, mpsc};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};
use types::{Cancelled, Never, Outcome};

/// How long the end waits for threads that should be gone.
const LAST_WAIT: Duration = Duration::from_millis(500);

/// A runtime that has not run yet. Dropping it drops what was spawned into it through a [`Runtime::handle`],
/// unpolled.
pub struct Runtime(Option<Parts>);

/// What a runtime is made of.
struct Parts {
    /// First, so that it is dropped first: threads outside may use the engine for as long as it is registered.
    slot: engine::Registration,
    engine: Arc<Engine>,
    machine: Arc<Machine>,
    root: Root,
    pool: Pool,
    name: String,
    stack_size: Option<usize>,
    /// Whether the thread that runs the body is no worker.
    dedicated: bool,
}

/// A worker's thread, and a channel that closes when it is through.
type Started = (JoinHandle<()>, mpsc::Receiver<()>);

impl fmt::Debug for Runtime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Runtime").field("workers", &self.parts().engine.workers()).finish_non_exhaustive()
    }
}

/// Runs `body` on a runtime with all defaults, on all cores, and returns its value once everything it
/// started has ended.
///
/// # Panics
/// With the body's panic, or a child's that nobody joined. Also if the machine refuses threads or a poller;
/// [`Builder::build`] returns that as an error.
#[track_caller]
pub fn run<T>(body: impl AsyncFnOnce(&mut Cx<All>) -> T) -> T {
    match Builder::new().build() {
        Ok(runtime) => runtime.run(body),
        Err(e) => panic!("{e}"),
    }
}

/// What a runtime's end has to say beside its value.
#[derive(Debug)]
pub struct EndReport<T> {
    /// The body's value.
    pub value: T,
    /// Why the end is not clean: a child failed and nobody joined it, or was cut short; or the request to shut down
    /// that some did not heed in time.
    pub cause: Cancelled,
    /// Tasks that a shutdown wrote off, as they were found at its deadline (`cancel.bounded`). They may still run: on
    /// threads that are left behind, which the end of the process takes with it.
    pub written_off: Vec<MemberView>,
}

/// The cause, after a line for each task that was written off.
impl<T> fmt::Display for EndReport<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the program's root did not end cleanly: ")?;
        if !self.written_off.is_empty() {
            writeln!(f, "{}", Report::WrittenOff { tasks: self.written_off.clone() })?;
        }
        write!(f, "{}", self.cause)
    }
}

impl<T: fmt::Debug> std::error::Error for EndReport<T> {}

impl Runtime {
    pub(crate) fn new(builder: Builder) -> Result<Runtime, BuildError> {
        // One of two looks after the other one, should that get stuck; a caller that is no worker doesn't.
        let workers = if builder.dedicated_caller { builder.workers.max(2) } else { builder.workers };
        let reactor = Reactor::new(workers)
            .map_err(|error| BuildError::System { what: "make the readiness queues", error })?;
        let reactor = Arc::new(reactor);
        let clock: Arc<dyn Clock> = Arc::new(Monotonic::start());
        let wheels = Arc::new(Wheels::new(workers));
        let machine = Arc::new(Machine::new(clock.clone(), wheels.clone(), reactor.clone(), workers));
        let reports = builder.reports.unwrap_or_else(|| Arc::new(StandardError));
        let pool = Pool::new(
            builder.blocking_threads,
            builder.blocking_keep_alive,
            &builder.name,
            builder.stack_size,
            reports.clone(),
        );
        let entropy = Arc::new(Mixed::new(builder.seed));
        let sink = match builder.watch {
            Some(watch) => Some(Arc::new(watch.sink(clock.clone(), builder.sink)) as Arc<dyn Sink>),
            None => builder.sink,
        };
        let world = World::new(engine::head(), clock, wheels.clone(), entropy, reports)
            .with_grace(builder.grace)
            .with_slow_drains_reported(builder.report_slow_drains)
            .with_unwinding(engine::unwinding())
            .with_blocking(Arc::new(pool.clone()))
            .with_net(Arc::new(SystemNet::new(reactor.clone())))
            .with_signals(Arc::new(SystemSignals::new(reactor.clone())))
            .with_sink(sink);
        let setup =
            Setup { world, driver: machine.clone(), workers, spread: builder.spread, coop: builder.coop };
        let (engine, slot) = Engine::new(setup).ok_or(BuildError::TooMany)?;
        machine.attach(Arc::downgrade(&engine));
        let unpark = reactor.clone();
        wheels.attach(Arc::downgrade(&engine), Box::new(move |worker| unpark.unpark(worker)));
        let root = Root::open(slot.tag(), engine.world(), builder.after_grace, Location::caller());
        let (name, stack_size, dedicated) = (builder.name, builder.stack_size, builder.dedicated_caller);
        Ok(Runtime(Some(Parts { slot, engine, machine, root, pool, name, stack_size, dedicated })))
    }

    fn parts(&self) -> &Parts {
        let Some(parts) = &self.0 else { unreachable!("only what consumes the runtime takes its parts") };
        parts
    }

    fn into_parts(mut self) -> Parts {
        let Some(parts) = self.0.take() else {
            unreachable!("only what consumes the runtime takes its parts")
        };
        parts
    }

    pub(crate) fn reports(&self) -> Arc<dyn Reports> {
        self.parts().engine.world().reports.clone()
    }

    /// A handle on the root region, for threads outside.
    pub fn handle(&self) -> RegionHandle<All> {
        self.parts().root.handle()
    }

    /// Tag of its engine.
    pub(crate) fn tag(&self) -> u16 {
        self.parts().root.tag()
    }

    /// One look at everything that lives in this runtime.
    pub fn view(&self) -> RegionView {
        self.parts().root.view()
    }

    /// Runs `body` on this thread, which is worker 0 ([unless](Builder::dedicated_caller)), and what it spawns on all of them. Returns the body's
    /// value once everything has ended. A child's failure that nobody joined is printed as a report, and so are tasks that a
    /// shutdown wrote off; see [`Runtime::try_run`].
    ///
    /// A shutdown ends in bounded time beside tasks that spin or block, but for one that does so on this thread: nobody can
    /// take a thread from under it. It is reported at the shutdown's deadline, if there is another worker to do so, and
    /// this returns once it gives way. What may block belongs on the blocking pool
    /// ([`spawn_blocking`](cx::Cx::spawn_blocking)), which never uses this thread; and
    /// [`Builder::dedicated_caller`] keeps it for the body alone.
    ///
    /// # Panics
    /// With the body's panic, or a child's that nobody joined.
    #[track_caller]
    pub fn run<T>(self, body: impl AsyncFnOnce(&mut Cx<All>) -> T) -> T {
        let reports = self.reports();
        match self.end_of(Location::caller(), body) {
            (value, None, _) => value,
            (value, Some(cause), _) => {
                reports.report(Report::Unclean { cause });
                value
            }
        }
    }

    /// As [`Runtime::run`], with the end's report as an error.
    ///
    /// # Errors
    /// A child of the body failed and nobody joined it, or was cut short by a request from outside; or a shutdown wrote
    /// tasks off that did not stop by its deadline. The value is in the report. It comes late if one of these tasks keeps
    /// this thread ([`Runtime::run`]).
    ///
    /// # Panics
    /// As [`Runtime::run`].
    #[track_caller]
    pub fn try_run<T>(self, body: impl AsyncFnOnce(&mut Cx<All>) -> T) -> Result<T, Box<EndReport<T>>> {
        let (value, cause, left) = self.end_of(Location::caller(), body);
        match (cause, left) {
            (None, None) => Ok(value),
            (cause, Some(Left { shutdown, tasks })) => {
                let cause = cause.unwrap_or(shutdown);
                Err(Box::new(EndReport { value, cause, written_off: tasks }))
            }
            (Some(cause), None) => Err(Box::new(EndReport { value, cause, written_off: Vec::new() })),
        }
    }

    /// The body's value, why its outcome is not `Ok`, and what was written off.
    fn end_of<T>(
        self,
        at: &'static Location<'static>,
        body: impl AsyncFnOnce(&mut Cx<All>) -> T,
    ) -> (T, Option<Cancelled>, Option<Left>) {
        let parts = self.into_parts();
        let threads = parts.start_workers();
        match parts.drive(at, threads, body) {
            (Some(Outcome::Panicked(p)), ..) => std::panic::resume_unwind(p.into_payload()),
            (Some(Outcome::Cancelled(cause)), Some(value), left) => (value, Some(cause), left),
            (_, Some(value), left) => (value, None, left),
            (_, None, _) => panic!("the root body was dropped before it returned"),
        }
    }
}

/// What a shutdown wrote off.
struct Left {
    shutdown: Cancelled,
    /// At least one.
    tasks: Vec<MemberView>,
}

impl Drop for Runtime {
    fn drop(&mut self) {
        if let Some(parts) = self.0.take() {
            parts.root.abandon();
            // A panic in the drop of a future was reported to nobody, as nobody runs this.
            let _ = parts.drive(Location::caller(), Vec::new(), async |_| ());
        }
    }
}

impl Parts {
    /// Runs the root body on this thread, worker 0 unless that is another one, until everything has ended, and ends the
    /// runtime.
    fn drive<T>(
        self,
        at: &'static Location<'static>,
        threads: Vec<Started>,
        body: impl AsyncFnOnce(&mut Cx<All>) -> T,
    ) -> (Option<Outcome<(), Never>>, Option<T>, Option<Left>) {
        let mut value = None;
        let mut task = with_root(
            &self.root,
            at,
            async |cx: &mut Cx<All>| body(cx).await,
            &mut value,
            |task| {
                let done = || task.is_finished();
                if self.engine.home_is_apart() {
                    return self.engine.run_home(&done);
                }
                reactor::precise_timers();
                let _driver = self.machine.reactor.enter(0);
                self.engine.run(0, &done);
            },
        );
        let outcome = task.take();
        drop(task);
        // Nobody is written off any more: the root region has closed.
        let tasks = self.engine.world().written_off.lock().clone();
        let left = if tasks.is_empty() { None } else { self.root.request() };
        self.end(threads);
        (outcome, value, left.map(|shutdown| Left { shutdown, tasks }))
    }

    /// Returns when they all have begun: a thread that was just made may share the processor of the one that made it, and the
    /// system leaves it there for many milliseconds while that one works on.
    fn start_workers(&self) -> Vec<Started> {
        let (begun, beginning) = mpsc::channel::<()>();
        let mut threads = Vec::new();
        if self.dedicated {
            let (opens, gate) = mpsc::channel::<()>();
            // Without that thread this one is worker 0 after all.
            if let Some(first) = self.start_worker(0, begun.clone(), Some(gate)) {
                self.engine.keep_home_apart();
                threads.push(first)
            }
            drop(opens);
        }
        // One worker fewer is slower, not wrong: its queue stays empty.
        threads.extend((1..self.engine.workers()).filter_map(|i| self.start_worker(i, begun.clone(), None)));
        drop(begun);
        // Closed by the last of them.
        let _ = beginning.recv();
        threads
    }

    /// Starts a worker's thread, which waits until the gate is closed for ever, and then drops `begun`.
    fn start_worker(
        &self,
        index: usize,
        begun: mpsc::Sender<()>,
        gate: Option<mpsc::Receiver<()>>,
    ) -> Option<Started> {
        let (engine, reactor) = (self.engine.clone(), self.machine.reactor.clone());
        let (gone, left) = mpsc::channel();
        let name = format!("{}-{index}", self.name);
        let thread = thread::start(name, self.stack_size, &*self.engine.world().reports, move || {
            if let Some(gate) = gate {
                let _ = gate.recv();
            }
            reactor::precise_timers();
            let _driver = reactor.enter(index);
            drop(begun);
            engine.run(index, &|| false);
            task::raw::flush_thread_cache();
            drop(gone);
        })?;
        Some((thread, left))
    }

    fn end(self, threads: Vec<Started>) {
        self.engine.shut_down();
        let mut stuck = false;
        let until = Instant::now() + LAST_WAIT;
        for (thread, left) in threads {
            // The channel closes when the worker is through.
            let limit = until.saturating_duration_since(Instant::now());
            if left.recv_timeout(limit) == Err(mpsc::RecvTimeoutError::Disconnected) {
                let _ = thread.join();
            } else {
                stuck = true;
            }
        }
        stuck |= !self.pool.close(LAST_WAIT);
        stuck |= !self.engine.world().written_off.lock().is_empty();
        if stuck {
            // Somebody is still inside a task that was written off: what it may touch is left in place.
            std::mem::forget((self.slot, self.engine, self.machine, self.root));
        }
    }
}
