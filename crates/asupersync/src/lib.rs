//! An async runtime in which correctness is structural.
//!
//! Every task has an owner that waits for it; cancellation is a request that is seen, drained and finished;
//! an effect is reserved before it is committed; everything goes through a [`Cx`]; and the same program runs
//! in production and, deterministically, in the lab.
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
//! This crate only re-exports: each layer is a crate that can be used alone (`docs/ARCHITECTURE.md`).
#![forbid(unsafe_code)]

pub use combinator;
pub use cx::{
    All, Branch, Collected, Cx, MayBlock, MayFiles, MayNet, MayProcess, MayRandom, MayRemote, MaySignal,
    MaySpawn, MayTime, MayTrace, NarrowOf, NoIo, NoSpawn, Provides, Pure, RegionHandle, RegionOptions, Row,
    Task, TaskHandle, TimeOnly, With, port, row,
};
#[cfg(feature = "lab")]
pub use lab;
#[cfg(feature = "lab")]
pub use lab::{LabConfig, LabRuntime};
#[cfg(feature = "macros")]
pub use macros::{lab_test, main, test};
#[cfg(feature = "net")]
pub use net;
pub use oracle;
pub use region;
#[cfg(feature = "runtime")]
pub use runtime::{self, Builder, Local, LocalRuntime, Runtime, run};
pub use sync;
pub use time;
pub use trace;
pub use types::{
    self, AfterGrace, Budget, CancelKind, Cancelled, Error, Never, Outcome, Panic, Policy, Res, Stop, Time,
};

/// What most programs want in scope.
pub mod prelude {
    pub use crate::{
        Cancelled, Cx, MayNet, MaySpawn, MayTime, MayTrace, Outcome, RegionHandle, RegionOptions, Res, Row, Stop,
        TaskHandle, Time,
    };
    pub use combinator::CombineExt;
    pub use core::time::Duration;
    #[cfg(feature = "lab")]
    pub use lab::{LabConfig, LabRuntime};
    pub use time::TimeExt;
}
