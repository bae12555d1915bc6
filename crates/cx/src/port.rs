//! The ports: one small object-safe trait per effect, and the [`World`] that holds them.
//!
//! Production and the lab implement the same traits; what a program does through its `Cx` it does through
//! these. Each method's contract is in MUSTs: an implementation that breaks one breaks the layers above.
use alloc::boxed::Box;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::any::Any;
use core::net::SocketAddr;
use core::panic::Location;
use core::sync::atomic::AtomicU64;
use core::task::{Poll, Waker};
use core::time::Duration;
use region::{Lock, MemberView, Sink};
use task::Header;
use task::engine::EngineHead;
use types::{RegionId, TaskId, Time, WallTime};

pub use crate::raw::due::{Due, What};
pub use crate::report::Report;

/// A clock.
pub trait Clock: Send + Sync {
    /// Now. MUST never go back as seen by one thread, and MUST NOT be ahead of the timers' clock.
    fn now(&self) -> Time;

    /// Date and time of day, if this world has a clock on the wall. It may go back and jump: nothing is measured by it.
    fn wall(&self) -> Option<WallTime> {
        None
    }
}

/// A timer that was set, for taking it back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TimerKey {
    /// Whose wheel.
    pub shard: u32,
    /// Which entry.
    pub entry: u64,
}

/// Timers.
pub trait Timers: Send + Sync {
    /// Sets a timer. MUST NOT fire before `at`, and MUST fire at most one tick later once the clock is there
    /// and the engine runs.
    fn set(&self, at: Time, due: Due) -> TimerKey;
    /// Sets a timer that bounds how long a cleanup takes. Default: as any other. (A lab in which the clock may overtake
    /// tasks has it overtake none that clean up.)
    fn set_bound(&self, at: Time, due: Due) -> TimerKey {
        self.set(at, due)
    }
    /// Takes a timer back. MUST return what was to happen if and only if it has not happened.
    fn take(&self, key: TimerKey) -> Option<Due>;
}

/// What a task waits for, as far as its end can be traced to somebody.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WaitOn {
    /// Anybody may end the wait.
    Anybody,
    /// The end of a task.
    Task(TaskId),
    /// The end of everything in a region.
    Region(RegionId),
    /// Something that is held ([`Cx::hold`](crate::Cx::hold)), until enough of it is given back.
    Held {
        /// Its address.
        resource: usize,
        /// How much of it is wanted; 1 of what has no parts.
        wanted: usize,
        /// Where it is asked for.
        at: &'static Location<'static>,
    },
}

/// Who gives back what is held ([`Holding`](crate::Holding)).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Holder {
    /// The task that took it.
    Task(TaskId),
    /// Whoever has it then: it may have been given away by the task that took it.
    Anybody(TaskId),
}

/// Who waits for whom, in a world that looks for deadlocks. Hears of traced tasks only.
pub trait Waits: Send + Sync {
    /// The task has to wait, in the poll it is in. MUST forget this when the task is polled again.
    fn wait(&self, task: &Header, id: TaskId, on: WaitOn);
    /// The resource is held from now on, and `free` of it is left. `what` says what it is: "the mutex"; `at`, where it was
    /// taken by the task that is polled. Returns a number for [`Waits::released`].
    fn held(
        &self,
        resource: usize,
        what: &'static str,
        at: &'static Location<'static>,
        by: Holder,
        free: usize,
    ) -> u64;
    /// What was held under this number is held in another way now, and `free` of it is there. If `asks`, its holder waits for
    /// the other holders of the resource, and not for itself.
    fn changed(&self, hold: u64, free: usize, asks: bool);
    /// A future of the task that waited for the resource, asked for at `at`, waits no more: it was dropped, or refused.
    fn left(&self, task: &Header, resource: usize, at: &'static Location<'static>);
    /// What was held under this number is given back, and `free` of it is there now.
    fn released(&self, hold: u64, free: usize);
    /// What was held under this number is used up: nobody holds it any more, and nobody else can have it for that.
    fn spent(&self, hold: u64);
}

/// A source of random numbers.
pub trait Entropy: Send + Sync {
    /// The number that this task draws after `drawn` others. MUST depend on nothing but the seed and these two.
    fn draw(&self, task: TaskId, drawn: u64) -> u64;

    /// The same for a number below `bound`, which is not 0. MUST be below it. Default: [`below`] of the number that is
    /// drawn. (A lab that explores tries every value of a small bound.)
    fn below(&self, task: TaskId, drawn: u64, bound: u64) -> u64 {
        below(self.draw(task, drawn), bound)
    }
}

/// One of the numbers below `bound`, from 64 random bits; 0 if `bound` is. Each is as likely as the others, but for
/// `bound` in 2^64 (Lemire's multiplication, ACM TOMACS 29(1), 2019, without its rejections).
#[inline]
#[must_use]
pub fn below(bits: u64, bound: u64) -> u64 {
    ((u128::from(bits) * u128::from(bound)) >> 64) as u64
}

/// A pool for closures that block.
pub trait Blocking: Send + Sync {
    /// Runs the job on a thread where blocking is allowed. MUST run it once or drop it.
    fn submit(&self, job: Box<dyn FnOnce() + Send>);
}

/// What a running process tells its operator.
pub trait Reports: Send + Sync {
    /// Takes one report. MUST NOT wait; may be called on any thread of the engine, from several at once.
    fn report(&self, report: Report);
}

/// Signals of the operating system that a program may wait for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Signal {
    /// Ctrl-C.
    Interrupt,
    /// The polite request to end.
    Terminate,
    /// SIGUSR1.
    User1,
}

/// Delivery of signals.
pub trait Signals: Send + Sync {
    /// How often the signal has come since the start; registers `waker` for the next one. MUST be watched
    /// from the first call on.
    fn poll_count(&self, signal: Signal, waker: &Waker) -> Result<u64, IoFailure>;
}

/// Why an I/O port failed: what `std::io::ErrorKind` and the system's number say, in a type that needs no
/// `std`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IoFailure {
    /// The system's error number, if there is one.
    pub code: Option<i32>,
    /// In words.
    pub text: String,
}

impl IoFailure {
    /// The failure of a world that was built without this port.
    pub fn absent(port: &str) -> IoFailure {
        IoFailure { code: None, text: alloc::format!("this world has no {port}") }
    }
}

impl core::fmt::Display for IoFailure {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(&self.text)
    }
}
impl core::error::Error for IoFailure {}

/// Which half of a connection to shut.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Half {
    /// No more is read.
    Read,
    /// No more is written: the peer reads the end.
    Write,
    /// Both.
    Both,
}

/// A connected byte stream. Every `poll_` method MUST register the waker when it returns `Pending`, at most
/// one waker for each direction.
pub trait Connection: Send + Sync {
    /// Reads some bytes; 0 is the end.
    fn poll_read(&self, waker: &Waker, buf: &mut [u8]) -> Poll<Result<usize, IoFailure>>;
    /// Writes some bytes.
    fn poll_write(&self, waker: &Waker, buf: &[u8]) -> Poll<Result<usize, IoFailure>>;
    /// Shuts one half or both. MUST NOT wait.
    fn shutdown(&self, half: Half) -> Result<(), IoFailure>;
    /// The other end.
    fn peer(&self) -> Result<SocketAddr, IoFailure>;
    /// This end.
    fn local(&self) -> Result<SocketAddr, IoFailure>;
    /// Whether small writes are sent at once.
    fn set_nodelay(&self, on: bool) -> Result<(), IoFailure>;
}

/// A new connection, and who it is from.
pub type Accepted = (Box<dyn Connection>, SocketAddr);

/// A listening socket.
pub trait Listener: Send + Sync {
    /// Accepts one connection.
    fn poll_accept(&self, waker: &Waker) -> Poll<Result<Accepted, IoFailure>>;
    /// Where it listens.
    fn local(&self) -> Result<SocketAddr, IoFailure>;
}

/// A connect that is under way.
pub trait Connecting: Send + Sync {
    /// The connection, once it stands.
    fn poll_connected(&mut self, waker: &Waker) -> Poll<Result<Box<dyn Connection>, IoFailure>>;
}

/// The network.
pub trait Net: Send + Sync {
    /// Listens at `at`. MUST NOT wait.
    fn listen(&self, at: SocketAddr, backlog: u32) -> Result<Box<dyn Listener>, IoFailure>;
    /// Begins to connect to `to`. MUST NOT wait.
    fn connect(&self, to: SocketAddr) -> Result<Box<dyn Connecting>, IoFailure>;
}

/// What somebody panicked with.
pub type PanicPayload = Box<dyn Any + Send>;
/// Whether a call returned or panicked.
pub type Caught = Result<(), PanicPayload>;

/// How panics are caught and resumed where there is `std`; bare metal aborts.
#[derive(Clone, Copy, Debug)]
pub struct Unwinding {
    /// Runs the closure; `Err` is what it panicked with.
    pub catch: fn(&mut dyn FnMut()) -> Caught,
    /// Panics again with what was caught.
    pub resume: fn(PanicPayload) -> !,
}

/// Panics where nothing can catch them.
fn no_catch(f: &mut dyn FnMut()) -> Caught {
    f();
    Ok(())
}
fn plain_panic(_payload: PanicPayload) -> ! {
    panic!("a child task panicked")
}

impl Unwinding {
    /// Nothing is caught: for targets without unwinding.
    pub const NONE: Unwinding = Unwinding { catch: no_catch, resume: plain_panic };
}

/// One world: an engine's entry points and its ports. The engine's own structure begins with it.
///
/// Made by [`World::new`] from what every world must have; the `with_..` methods add the rest. The fields are
/// there to be read.
#[repr(C)]
#[non_exhaustive]
pub struct World {
    /// How tasks are queued. First, so that a pointer to the world is one to the head.
    pub head: EngineHead,
    /// A recent reading of the clock in nanoseconds, kept by the engine: what is not worth a reading of its own
    /// looks here. Never ahead of the clock, and never behind a timer that has fired.
    pub recent: AtomicU64,
    /// Tasks that a shutdown gave up, as they were found: if there are any, the engine must stay registered for ever.
    pub written_off: Lock<Vec<MemberView>>,
    /// Default cleanup budget.
    pub grace: Duration,
    /// Whether regions that drain without a request report who is left.
    pub reports_slow_drains: bool,
    /// Whether who waits for a region goes on in a later poll even if everybody has left it already, as in a lab.
    pub pauses: bool,
    /// Whether tasks are polled one after the other by a thread that nobody else stands in for, as in a lab: a task that blocks
    /// inside of a poll waits for ever, and is told so by a panic where that is seen.
    pub single_file: bool,
    /// See [`Unwinding`].
    pub unwinding: Unwinding,
    /// The clock.
    pub clock: Arc<dyn Clock>,
    /// Timers.
    pub timers: Arc<dyn Timers>,
    /// Random numbers.
    pub entropy: Arc<dyn Entropy>,
    /// Reports.
    pub reports: Arc<dyn Reports>,
    /// Blocking pool, if the world has one.
    pub blocking: Option<Arc<dyn Blocking>>,
    /// Network, if the world has one.
    pub net: Option<Arc<dyn Net>>,
    /// Signals, if the world has them.
    pub signals: Option<Arc<dyn Signals>>,
    /// Where traced steps go.
    pub sink: Option<Arc<dyn Sink>>,
    /// Who waits for whom, if the world wants to know.
    pub waits: Option<Arc<dyn Waits>>,
}

/// The most operations that an engine may give a task for one poll. Above it the kernel counts in the same place how often an
/// operation was refused.
pub const MAX_COOP: u16 = u16::MAX - 4096;

/// Whether the task that was polled with a budget, of which its header says this now, gave way because that was spent, not
/// because it wanted to. Only an engine that gives budgets of one asks: elsewhere such a task would have gone on.
#[must_use]
pub const fn gave_way(coop: u16) -> bool {
    coop > MAX_COOP
}

/// What [`World::new`] gives a world that says nothing else: ten seconds.
pub const DEFAULT_GRACE: Duration = Duration::from_secs(10);

impl World {
    /// A world with the ports that none can do without. The others are absent until a `with_..` method adds
    /// them: no pool, network, signals or trace; panics are not caught ([`Unwinding::NONE`]), slow drains not
    /// reported, and cleanup has [`DEFAULT_GRACE`].
    pub fn new(
        head: EngineHead,
        clock: Arc<dyn Clock>,
        timers: Arc<dyn Timers>,
        entropy: Arc<dyn Entropy>,
        reports: Arc<dyn Reports>,
    ) -> World {
        World {
            head,
            recent: AtomicU64::new(0),
            written_off: Lock::new(Vec::new()),
            grace: DEFAULT_GRACE,
            reports_slow_drains: false,
            pauses: false,
            single_file: false,
            unwinding: Unwinding::NONE,
            clock,
            timers,
            entropy,
            reports,
            blocking: None,
            net: None,
            signals: None,
            sink: None,
            waits: None,
        }
    }

    /// The cleanup budget of requests that bring none, in regions that have none.
    #[must_use]
    pub fn with_grace(self, grace: Duration) -> World {
        World { grace, ..self }
    }

    /// Whether regions that drain without a request report who is left, after 5 s and then every 30 s.
    #[must_use]
    pub fn with_slow_drains_reported(self, reports_slow_drains: bool) -> World {
        World { reports_slow_drains, ..self }
    }

    /// Whether who waits for a region goes on in a later poll even if everybody has left it already ([`World::pauses`]).
    #[must_use]
    pub fn with_pauses(self, pauses: bool) -> World {
        World { pauses, ..self }
    }

    /// Whether a task that blocks inside of a poll is a panic ([`World::single_file`]).
    #[must_use]
    pub fn with_single_file(self, single_file: bool) -> World {
        World { single_file, ..self }
    }

    /// How panics are caught and resumed.
    #[must_use]
    pub fn with_unwinding(self, unwinding: Unwinding) -> World {
        World { unwinding, ..self }
    }

    /// A pool for closures that block.
    #[must_use]
    pub fn with_blocking(self, blocking: Arc<dyn Blocking>) -> World {
        World { blocking: Some(blocking), ..self }
    }

    /// A network.
    #[must_use]
    pub fn with_net(self, net: Arc<dyn Net>) -> World {
        World { net: Some(net), ..self }
    }

    /// Signals.
    #[must_use]
    pub fn with_signals(self, signals: Arc<dyn Signals>) -> World {
        World { signals: Some(signals), ..self }
    }

    /// Where traced steps go: its tasks are traced from then on. `None` leaves them untraced.
    #[must_use]
    pub fn with_sink(self, sink: Option<Arc<dyn Sink>>) -> World {
        World { sink, ..self }
    }

    /// Who hears which task waits for whom, if anybody.
    #[must_use]
    pub fn with_waits(self, waits: Option<Arc<dyn Waits>>) -> World {
        World { waits, ..self }
    }
}

impl World {
    /// Tells the operator. What his `Reports` panics with goes no further: the kernel has more to do.
    pub fn report(&self, report: Report) {
        let mut report = Some(report);
        let _ = (self.unwinding.catch)(&mut || {
            if let Some(report) = report.take() {
                self.reports.report(report)
            }
        });
    }
}

impl core::fmt::Debug for World {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("World").field("grace", &self.grace).finish_non_exhaustive()
    }
}
