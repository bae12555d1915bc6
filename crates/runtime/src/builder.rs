//! Every knob of a runtime, with its default, and errors that name the field.
use crate::running::Runtime;
use crate::thread;
use crate::watch::Watch;
use cx::port::Reports;
use region::Sink;
use sched::engine::Spread;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;
use types::AfterGrace;

/// The least a thread's stack may be: below, the engine itself may not fit.
const LEAST_STACK: usize = 64 * 1024;
/// The most that is tried: all threads of a runtime with this much fit into the address space.
const MOST_STACK: usize = if usize::BITS < 64 { 1 << 28 } else { 1 << 36 };

/// How a runtime is to be made. Each knob says its default.
#[derive(Clone)]
pub struct Builder {
    pub(crate) workers: usize,
    pub(crate) dedicated_caller: bool,
    pub(crate) name: String,
    pub(crate) grace: Duration,
    pub(crate) after_grace: AfterGrace,
    pub(crate) spread: Spread,
    pub(crate) coop: u16,
    pub(crate) blocking_threads: usize,
    pub(crate) blocking_keep_alive: Duration,
    pub(crate) stack_size: Option<usize>,
    pub(crate) seed: Option<u64>,
    pub(crate) reports: Option<Arc<dyn Reports>>,
    pub(crate) report_slow_drains: bool,
    pub(crate) sink: Option<Arc<dyn Sink>>,
    pub(crate) watch: Option<Watch>,
}

impl fmt::Debug for Builder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Builder")
            .field("workers", &self.workers)
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

impl Default for Builder {
    fn default() -> Self {
        Builder::new()
    }
}

impl Builder {
    /// All defaults.
    pub fn new() -> Builder {
        Builder {
            workers: std::thread::available_parallelism()
                .map_or(1, usize::from)
                .min(sched::idle::MAX_WORKERS),
            dedicated_caller: false,
            name: "asupersync".into(),
            grace: Duration::from_secs(10),
            after_grace: AfterGrace::Wait,
            spread: Spread::Balanced,
            coop: 128,
            blocking_threads: 512,
            blocking_keep_alive: Duration::from_secs(10),
            stack_size: None,
            seed: None,
            reports: None,
            report_slow_drains: true,
            sink: None,
            watch: None,
        }
    }

    /// Worker threads, the calling one among them unless it is [dedicated](Builder::dedicated_caller): 1 to 56. Default: the
    /// machine's parallelism.
    #[must_use]
    pub fn workers(mut self, n: usize) -> Builder {
        self.workers = n;
        self
    }

    /// Whether the thread that calls [`Runtime::run`] polls the body alone, and all workers are threads of their own, at least
    /// two. Default: no, it is a worker.
    ///
    /// Then no task can keep that thread, so that the body goes on, and a shutdown ends in bounded time, as long as one of the
    /// workers is not kept by a task that spins or blocks: it serves the timers of all. The price: what passes between the body and its tasks (a spawn, a join, a message) goes from
    /// thread to thread. For servers whose body waits, for a signal say, and spawns what works.
    #[must_use]
    pub fn dedicated_caller(mut self, yes: bool) -> Builder {
        self.dedicated_caller = yes;
        self
    }

    /// Prefix of the threads' names. Default: `asupersync`.
    #[must_use]
    pub fn name(mut self, name: impl Into<String>) -> Builder {
        self.name = name.into();
        self
    }

    /// Cleanup budget of cancel requests that bring none, from the request to the cleanup deadline. 0: the deadline is the
    /// request. Default: 10 s.
    #[must_use]
    pub fn grace(mut self, grace: Duration) -> Builder {
        self.grace = grace;
        self
    }

    /// What happens to tasks that are still there at the cleanup deadline. Default: wait, and report.
    #[must_use]
    pub fn after_grace(mut self, after: AfterGrace) -> Builder {
        self.after_grace = after;
        self
    }

    /// When a worker with a backlog wakes another one. Default: balanced.
    #[must_use]
    pub fn spread(mut self, spread: Spread) -> Builder {
        self.spread = spread;
        self
    }

    /// Operations a task may do in one poll before it gives way: at least 1; more than [`cx::port::MAX_COOP`] count as that. Default:
    /// 128.
    #[must_use]
    pub fn coop_budget(mut self, operations: u16) -> Builder {
        self.coop = operations;
        self
    }

    /// The most threads for blocking closures: at least 1. They start when needed, so a number that is never reached is no
    /// bound, and costs nothing. Default: 512.
    #[must_use]
    pub fn blocking_threads(mut self, n: usize) -> Builder {
        self.blocking_threads = n;
        self
    }

    /// How long a blocking thread without work stays. Default: 10 s.
    #[must_use]
    pub fn blocking_keep_alive(mut self, d: Duration) -> Builder {
        self.blocking_keep_alive = d;
        self
    }

    /// Stack size of the threads that are started, in bytes: 64 KiB to 64 GiB (to 256 MiB where addresses have 32 bits), and
    /// what the system allows: [`build`](Builder::build) starts a thread with it and ends it, to see. Default: the
    /// platform's.
    #[must_use]
    pub fn stack_size(mut self, bytes: usize) -> Builder {
        self.stack_size = Some(bytes);
        self
    }

    /// Seed of the random numbers that tasks draw. Default: from the operating system.
    #[must_use]
    pub fn seed(mut self, seed: u64) -> Builder {
        self.seed = Some(seed);
        self
    }

    /// Where reports go (what did not stop and why, leaked obligations). Default: one line each on standard
    /// error.
    #[must_use]
    pub fn reports(mut self, reports: impl Reports + 'static) -> Builder {
        self.reports = Some(Arc::new(reports));
        self
    }

    /// Whether a region that drains without a request reports who is left, after 5 s and then every 30 s.
    /// Default: yes.
    #[must_use]
    pub fn report_slow_drains(mut self, on: bool) -> Builder {
        self.report_slow_drains = on;
        self
    }

    /// Where every step of the kernel goes, as one label each, in an order that the rules of the model agree with
    /// (`event.linear`). For tests and for looking into a program; each task pays for it, so the default is none.
    #[must_use]
    pub fn sink(mut self, sink: impl Sink + 'static) -> Builder {
        self.sink = Some(Arc::new(sink));
        self
    }

    /// Monitors that see every step of the kernel, beside a [`sink`](Builder::sink) or without one. Each task pays for it:
    /// a lock, a read of the clock, and every reader of the panel for each event. Default: none.
    #[must_use]
    pub fn watch(mut self, watch: &Watch) -> Builder {
        self.watch = Some(watch.clone());
        self
    }

    /// Makes the runtime; its threads start with [`Runtime::run`].
    ///
    /// # Errors
    /// A knob out of its range, or what the system refused.
    pub fn build(self) -> Result<Runtime, BuildError> {
        self.check()?;
        if let Some(bytes) = self.stack_size {
            // Later, each thread that can't start would be missed on its own: a worker, then blocking closures.
            thread::try_stack(bytes).map_err(|error| BuildError::Field {
                field: "stack_size",
                value: bytes.to_string(),
                must: format!("be what the system gives a thread, which says: {error}"),
            })?;
        }
        Runtime::new(self)
    }

    fn check(&self) -> Result<(), BuildError> {
        let field = |field, value: usize, must: &str| {
            Err(BuildError::Field { field, value: value.to_string(), must: must.into() })
        };
        match self {
            b if b.workers == 0 || b.workers > sched::idle::MAX_WORKERS => {
                field("workers", b.workers, &format!("be between 1 and {}", sched::idle::MAX_WORKERS))
            }
            b if b.coop == 0 => field("coop_budget", 0, "be at least 1"),
            b if b.blocking_threads == 0 => field("blocking_threads", 0, "be at least 1"),
            Builder { stack_size: Some(bytes), .. } if !(LEAST_STACK..=MOST_STACK).contains(bytes) => {
                field("stack_size", *bytes, &format!("be between {LEAST_STACK} and {MOST_STACK} bytes"))
            }
            b if b.name.contains('\0') => Err(BuildError::Field {
                field: "name",
                value: format!("{:?}", b.name),
                must: "not contain a NUL character".into(),
            }),
            _ => Ok(()),
        }
    }
}

/// Why a runtime could not be made.
#[derive(Debug)]
pub enum BuildError {
    /// A knob is out of its range.
    Field {
        /// Its name, as in [`Builder`].
        field: &'static str,
        /// What it was set to.
        value: String,
        /// What it must do.
        must: String,
    },
    /// The system refused something.
    System {
        /// What was asked.
        what: &'static str,
        /// What it answered.
        error: std::io::Error,
    },
    /// There are too many runtimes in this process.
    TooMany,
}

impl fmt::Display for BuildError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            BuildError::Field { field, value, must } => {
                write!(f, "runtime builder: `{field}` is {value}, but must {must}")
            }
            BuildError::System { what, error } => write!(f, "runtime builder: failed to {what}: {error}"),
            BuildError::TooMany => {
                write!(f, "runtime builder: this process has {} runtimes already", task::engine::MAX_ENGINES)
            }
        }
    }
}

impl std::error::Error for BuildError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            BuildError::System { error, .. } => Some(error),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use cx::Cx;
    use types::{CancelKind, Never};

    type Knob = fn(Builder) -> Builder;

    /// Each knob at its ends and beyond them.
    const REFUSED: &[(&str, &str, Knob)] = &[
        ("workers", "0", |b| b.workers(0)),
        ("workers", "57", |b| b.workers(57)),
        ("workers", "18446744073709551615", |b| b.workers(usize::MAX)),
        ("coop_budget", "0", |b| b.coop_budget(0)),
        ("blocking_threads", "0", |b| b.blocking_threads(0)),
        ("stack_size", "0", |b| b.stack_size(0)),
        ("stack_size", "1", |b| b.stack_size(1)),
        ("stack_size", "65535", |b| b.stack_size(LEAST_STACK - 1)),
        ("stack_size", "68719476737", |b| b.stack_size(MOST_STACK + 1)),
        ("stack_size", "18446744073709551615", |b| b.stack_size(usize::MAX)),
        ("name", r#""a\0b""#, |b| b.name("a\0b")),
    ];

    const GOOD: &[(&str, Knob)] = &[
        ("1 worker", |b| b.workers(1)),
        ("56 workers", |b| b.workers(sched::idle::MAX_WORKERS)),
        ("a coop budget of 1", |b| b.coop_budget(1)),
        ("a dedicated caller", |b| b.dedicated_caller(true)),
        ("a dedicated caller and many workers", |b| {
            b.workers(sched::idle::MAX_WORKERS).dedicated_caller(true)
        }),
        ("the largest coop budget", |b| b.coop_budget(u16::MAX)),
        ("1 blocking thread", |b| b.blocking_threads(1)),
        ("blocking threads without end", |b| b.blocking_threads(usize::MAX)),
        ("blocking threads that go at once", |b| b.blocking_keep_alive(Duration::ZERO)),
        ("blocking threads that stay", |b| b.blocking_keep_alive(Duration::MAX)),
        ("the least stack", |b| b.stack_size(LEAST_STACK)),
        ("much stack", |b| b.stack_size(64 * 1024 * 1024)),
        ("no grace", |b| b.grace(Duration::ZERO)),
        ("grace without end", |b| b.grace(Duration::MAX)),
        ("no name", |b| b.name("")),
        ("a name that no thread can have whole", |b| b.name("x".repeat(100_000))),
        ("seed 0", |b| b.seed(0)),
        ("the largest seed", |b| b.seed(u64::MAX)),
    ];

    #[test]
    #[cfg(target_pointer_width = "64")]
    fn a_knob_out_of_its_range_is_an_error_that_names_it_and_says_its_range() {
        for (name, shown, knob) in REFUSED {
            match knob(Builder::new()).build() {
                Err(BuildError::Field { field, value, must }) => {
                    assert_eq!((field, &*value), (*name, *shown));
                    let text = BuildError::Field { field, value, must }.to_string();
                    assert!(
                        text.starts_with(&format!("runtime builder: `{name}` is {shown}, but must ")),
                        "{text}"
                    );
                }
                other => panic!("`{name}` = {shown}: {other:?}"),
            }
        }
    }

    /// Whether there is so much is the system's to say, but it's said at once.
    #[test]
    fn the_most_stack_is_there_or_is_refused_by_name() {
        match Builder::new().workers(2).stack_size(MOST_STACK).build() {
            Ok(runtime) => {
                assert!(runtime.run(async |cx| cx.spawn_blocking(|_| 7).join(cx).await).ok().is_ok())
            }
            Err(BuildError::Field { field, must, .. }) => {
                assert_eq!(field, "stack_size");
                assert!(must.starts_with("be what the system gives a thread, which says: "), "{must}");
            }
            Err(other) => panic!("{other}"),
        }
    }

    #[test]
    fn a_knob_at_its_ends_makes_a_runtime_that_runs_cancels_and_blocks() {
        for (what, knob) in GOOD {
            let runtime = knob(Builder::new().workers(2)).build();
            let runtime = runtime.unwrap_or_else(|e| panic!("{what}: {e}"));
            let blocked = runtime.run(async |cx| {
                cx.region(|cx| async {
                    cx.spawn(async |cx: &mut Cx| drop(cx.cancelled().await));
                    cx.handle().cancel(CancelKind::Explicit, "to see the grace", None);
                })
                .await;
                cx.spawn_blocking(|_| 7).join(cx).await
            });
            let blocked: Result<u8, types::Stop<Never>> = blocked.ok();
            assert_eq!(blocked.ok(), Some(7), "{what}");
        }
    }
}
