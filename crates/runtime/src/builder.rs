//! Every knob of a runtime, with its default, and errors that name the field.
use crate::running::Runtime;
use crate::watch::Watch;
use cx::port::Reports;
use region::Sink;
use sched::engine::Spread;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;
use types::AfterGrace;

/// How a runtime is to be made. Each knob says its default.
#[derive(Clone)]
pub struct Builder {
    pub(crate) workers: usize,
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

    /// Worker threads, the calling one among them: 1 to 56. Default: the machine's parallelism.
    #[must_use]
    pub fn workers(mut self, n: usize) -> Builder {
        self.workers = n;
        self
    }

    /// Prefix of the threads' names. Default: `asupersync`.
    #[must_use]
    pub fn name(mut self, name: impl Into<String>) -> Builder {
        self.name = name.into();
        self
    }

    /// Cleanup budget of cancel requests that bring none, from the request to the cleanup deadline. Default:
    /// 10 s.
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

    /// The most threads for blocking closures: at least 1. They start when needed. Default: 512.
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

    /// Stack size of the threads that are started, in bytes: at least 64 KiB. Default: the platform's.
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
            b if b.stack_size.is_some_and(|s| s < 64 * 1024) => {
                field("stack_size", b.stack_size.unwrap_or(0), "be at least 65536 bytes")
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
