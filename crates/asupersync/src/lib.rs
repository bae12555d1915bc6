//! An async runtime in which correctness is structural.
//!
//! Every task has an owner that waits for it; cancellation is a request that is seen, drained and finished;
//! an effect is reserved before it is committed; everything goes through a [`Cx`]; and the same program runs
//! in production and, deterministically, in the lab. The [`guide`] goes through it step by step;
//! [`migration`] has what you called in tokio and futures beside what you call here.
//!
//! ```
//! use asupersync::prelude::*;
//!
//! async fn greet(cx: &mut Cx) -> Res {
//!     cx.sleep(Duration::from_millis(1)).await?;
//!     cx.trace("hello");
//!     Ok(())
//! }
//!
//! asupersync::run(async |cx| {
//!     cx.region(|scope| async {
//!         scope.spawn(greet);
//!         scope.spawn(greet);
//!     })
//!     .await;
//!     // Nothing from inside is still running.
//! });
//! ```
//!
//! # The shapes
//!
//! **Tasks belong to a region**, which does not end before they have. The inner context is a `Cx` like any
//! other; the outer one is borrowed meanwhile, so nobody spawns into the wrong region by accident.
//!
//! ```
//! # use asupersync::prelude::*;
//! # async fn task_a(cx: &mut Cx) -> Res { cx.sleep(Duration::from_millis(10)).await?; cx.trace("a"); Ok(()) }
//! # async fn task_b(cx: &mut Cx) -> Res { cx.checkpoint()?; cx.trace("b"); Ok(()) }
//! # async fn two(scope: &mut Cx) {
//! scope.region(|sub| async { sub.spawn(task_a); sub.spawn(task_b); }).await;
//! # scope.trace("after");
//! # }
//! # let lab = LabRuntime::new(LabConfig::default());
//! # lab.run(|cx| async { two(cx).await });
//! # assert_eq!(lab.notes().len(), 3);
//! # assert_eq!(lab.notes()[2], "after");
//! ```
//!
//! **Effects come in two phases**: reserving may wait, and may be cancelled with nothing done; committing
//! cannot wait, fail or be cancelled.
//!
//! ```
//! # use asupersync::prelude::*;
//! # use asupersync::sync::mpsc::{self, Sender};
//! # async fn produce(cx: &mut Cx, tx: &Sender<&'static str>, message: &'static str) -> Res {
//! let permit = tx.reserve(cx).await?;
//! permit.send(message);
//! # Ok(())
//! # }
//! # let (tx, mut rx) = mpsc::channel(1);
//! # asupersync::run(async |cx| produce(cx, &tx, "hello").await).unwrap();
//! # assert_eq!(rx.try_recv(), Ok("hello"));
//! ```
//!
//! **A task is an async fn that takes its context.** What it may do is what the context offers.
//!
//! ```
//! # use asupersync::prelude::*;
//! # async fn other(cx: &mut Cx) { cx.trace("other"); }
//! # const NOON: Time = Time::from_nanos(20_000_000);
//! async fn my_task(cx: &mut Cx) {
//!     cx.spawn(other);
//!     cx.sleep_until(NOON).await.ok();
//!     cx.trace("my_task");
//! }
//! # let lab = LabRuntime::new(LabConfig::default());
//! # lab.run(|cx| async { cx.region(|scope| async { scope.spawn(my_task); }).await });
//! # assert_eq!((lab.notes().join(" "), lab.now()), ("other my_task".to_string(), NOON));
//! ```
//!
//! **The lab runs the same code** under virtual time and a seed, and judges what it saw.
//!
//! ```
//! # use asupersync::prelude::*;
//! # async fn task_under_test(cx: &mut Cx) -> Res { cx.sleep(Duration::from_secs(3600)).await?; Ok(()) }
//! let lab = LabRuntime::new(LabConfig::default().seed(42));
//! lab.run(|cx| async { cx.region(|scope| async { scope.spawn(task_under_test); }).await });
//! assert!(lab.obligation_leak_oracle().is_ok());
//! assert!(lab.quiescence_oracle().is_ok());
//! ```
//!
//! # Where things are
//!
//! | module | what it offers | feature |
//! |---|---|---|
//! | [`prelude`] | what most programs want in scope | |
//! | [`types`] | outcomes, `?` for failure and cancellation, reasons, budgets | |
//! | [`cx`] | the context: spawning, regions, checkpoints, rows of authority; for authors of leaf operations | |
//! | [`time`] | sleeping, intervals, schedules | |
//! | [`combinator`] | `join`, `race`, `select`, `timeout`, `quorum`, `hedge`, `bracket`; `TaskSet`, `map_reduce`, plans; `retry`, bulkhead, circuit breaker, rate limits; streams | `futures` for those of `futures-core` |
//! | [`sync`] | channels in two phases, locks, permits, signals, a pool | |
//! | [`runtime`] | threads, and every knob of them | `runtime` |
//! | [`net`] | TCP, signals | `net` |
//! | [`lab`] | the deterministic world: seeds, searches through schedules, replay, oracles ([`testing`]) | `lab` |
//! | [`explore`], [`timeline`] | what searches decide with and are told in; pictures of runs | `lab` |
//! | [`trace`], [`oracle`], [`region`] | events, what judges them, views of a live tree | |
//! | [`monitor`] | how often something goes wrong, in the lab and on a server | |
//! | [`main`](macro@main), [`test`](macro@test), [`lab_test`] | sugar for plain functions | `macros` |
//!
//! All features but `futures` are on by default. This crate only re-exports: each layer is a crate that can be used alone
//! (`docs/ARCHITECTURE.md`).
#![forbid(unsafe_code)]

#[cfg(all(feature = "lab", feature = "macros", feature = "runtime"))]
pub mod guide;
#[cfg(all(feature = "lab", feature = "runtime"))]
pub mod migration;
pub mod prelude;
#[cfg(all(feature = "lab", feature = "macros"))]
pub mod testing;

pub use combinator;
pub use cx::{
    self, All, Branch, Collected, Cx, EnvProvides, Guest, MayBlock, MayFiles, MayNet, MayProcess, MayRandom,
    MayRemote, MaySignal, MaySpawn, MayTime, MayTrace, NarrowOf, NoIo, NoSpawn, Provides, Pure, RegionHandle,
    RegionOptions, Row, Task, TaskHandle, TimeOnly, With, port, row,
};
#[cfg(feature = "lab")]
pub use explore;
#[cfg(feature = "lab")]
pub use lab::{self, LabConfig, LabRuntime, Search};
#[cfg(all(feature = "macros", feature = "lab"))]
pub use macros::lab_test;
#[cfg(all(feature = "macros", feature = "runtime"))]
pub use macros::{main, test};
pub use monitor;
#[cfg(feature = "net")]
pub use net;
pub use oracle;
pub use region;
#[cfg(feature = "runtime")]
pub use runtime::{self, Builder, Local, LocalRuntime, Runtime, run};
pub use sync;
pub use time;
#[cfg(feature = "lab")]
pub use timeline;
pub use trace;
pub use types::{
    self, AfterGrace, Budget, CancelKind, Cancelled, Error, Never, Outcome, Panic, Policy, Res, Stop, Time,
};
