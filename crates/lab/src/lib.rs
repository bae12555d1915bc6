//! The lab: the production kernel on one thread, where every source of nondeterminism is one choice of one
//! seeded stream of decisions. The same program with the same decisions gives the same trace, byte for byte.
//!
//! ```
//! use asupersync_lab::{LabConfig, LabRuntime};
//! let lab = LabRuntime::new(LabConfig::default().seed(42));
//! let sum = lab.run(|cx| async {
//!     let mut a = cx.spawn(async |_| Ok::<u8, std::fmt::Error>(1));
//!     let mut b = cx.spawn(async |_| Ok::<u8, std::fmt::Error>(2));
//!     a.join(cx).await.unwrap() + b.join(cx).await.unwrap()
//! });
//! assert_eq!(sum, 3);
//! assert!(lab.quiescence_oracle().is_ok());
//! ```
//! | file | what lives there |
//! |---|---|
//! | `config` | seeds, schedules, limits |
//! | `runtime` | `LabRuntime`: a run from its root body to its verdict |
//! | `engine` | one worker's lanes, and which runnable is next |
//! | `decisions` | the stream of choices: drawn, recorded, replayed |
//! | `deadlock` | circles of tasks that wait for each other |
//! | `futurelock` | futures that keep others waiting because nobody polls them |
//! | `lasso` | the loop that a run ended in |
//! | `spins` | tasks that ask again and again, while nothing changes |
//! | `watch` | what the steps of an explored run do to what tasks share |
//! | `outside` | what threads that are not the lab's do to what its tasks share |
//! | `parked` | tasks that announced what they will do next |
//! | `asleep` | what tasks sleep for, and who could wake them |
//! | `world` | virtual clock and timers, the trace |
//! | `numbers` | random numbers |
//! | `overtaking` | eager time: which timers may go off before slow tasks |
//! | `net` | simulated TCP |
//! | `premises` | what a lab is built of, used again by the next one |
//! | `plans` | what a test wants done between two steps |
//! | `signals` | simulated signals |
//! | `wall` | the clock on the wall, which a test may set |
//! | `executor` | one program again and again, each time as somebody else's scheduler picks |
//! | `search` | every schedule that matters, or a sample: failures made small and repeatable |
//! | `proof` | a small program on every schedule and cancelled everywhere |
//! | `progress` | how far a search has come, for whoever watches it |
//! | `telling`, `artefact` | a failing run with all its steps, and where it is written |
//! | `failure` | what a search says when a schedule fails |
//! | `followed` | whether a replay was the failure that was recorded |
//! | `footprints` | what the steps of a recorded run did, and whether two runs are of one class |
//! | `names` | what tasks and objects were, for people |
//! | `quiet` | panics of a search are not printed |
//! | `sweep` | one program under many seeds |
//! | `cancel_sweep`, `asker` | one program with a cancellation at each of its checkpoints |
//! | `twice` | whether a program does the same when it is run again |
//! | `calls` | the history of one object, to be judged against a model of it |
//! | `faults` | what was really done to a run |
//! | `own` | oracles of the test's own |
//! | `left` | runs that passed although a frame was left before its end |
//! | `lab_test`, `ticker` | what the attribute stands for: a sweep or a search, and what the environment asks of it |
//! | `verdict` | what went wrong, in words |
//!
//! Not here: the kernel (`task`, `region`, `cx`), the lanes' rules (`sched`), what an oracle looks for
//! (`oracle`), the model of the rules (`model`).

mod artefact;
mod asker;
mod asleep;
mod calls;
mod cancel_sweep;
mod config;
mod deadlock;
mod decisions;
mod engine;
mod executor;
mod failure;
mod faults;
mod followed;
mod footprints;
mod futurelock;
mod lab_test;
mod lasso;
mod left;
mod names;
mod net;
mod numbers;
mod outside;
mod overtaking;
mod own;
mod parked;
mod plans;
mod premises;
mod progress;
mod proof;
mod quiet;
mod raw;
mod runtime;
mod search;
mod signals;
mod spins;
mod sweep;
mod telling;
mod ticker;
mod twice;
mod verdict;
mod wall;
mod watch;
mod world;

pub use artefact::{Artefact, UnknownKind};
pub use calls::Calls;
pub use cancel_sweep::{CancelSweep, Swept, cancel_sweep};
pub use config::{LabConfig, Schedule, UnknownSchedule};
pub use executor::{Execution, Executor};
pub use faults::Faults;
pub use footprints::{Footprints, Swapped, UnreadableStep};
pub use lab_test::{Given, LabTest, numbers_below, overtakings};
pub use left::Left;
pub use names::Names;
pub use net::{NetProfile, NetStats};
pub use progress::{Go, Progress};
pub use proof::{Proof, prove};
pub use runtime::{LabRuntime, explore, explore_with};
pub use search::rates::Rates;
pub use search::{Crew, Found, Search};
pub use signals::LabSignals;
pub use sweep::{seeds, sweep};
pub use twice::{Difference, run_twice};
pub use verdict::{LabFailure, OracleReport};
pub use wall::LabWall;
pub use watch::Grain;
