//! The production engine: threads, clocks, timers, I/O, the blocking pool, and the end of it all.
//!
//! ```
//! let answer = asupersync_runtime::run(async |cx| cx.spawn(async |_| Ok::<u8, std::fmt::Error>(42)).join(cx).await);
//! assert_eq!(answer.unwrap(), 42);
//! ```
//! | file | what lives there |
//! |---|---|
//! | `builder` | every knob, and what is wrong with a bad one |
//! | `running` | from the root body to the end of the process' share |
//! | `program` | whole programs and tests: outcomes as exit codes |
//! | `local` | `LocalRuntime`: tasks that stay on one thread |
//! | `driver` | a worker's clock, timers and readiness, as the scheduler drives them |
//! | `wheels` | one timer wheel per worker |
//! | `pool` | threads for closures that block |
//! | `thread` | starting a thread, and saying why it could not be |
//! | `ports` | clock, entropy and reports of the machine |
//! | `watch` | monitors on the events of a running program |
//!
//! Not here: which task is next (`sched`), what a timer means (`cx`), sockets (`reactor`).

// The one crate that starts threads and reads the machine's clock.
#![allow(clippy::disallowed_methods)]

mod builder;
mod driver;
mod local;
mod pool;
mod ports;
mod program;
mod raw;
mod running;
mod thread;
mod watch;
mod wheels;

pub use builder::{BuildError, Builder};
pub use local::{Local, LocalHandle, LocalRuntime};
pub use program::{program, test};
pub use running::{EndReport, Runtime, run};
pub use sched::engine::Spread;
pub use watch::{Alarm, Watch};
