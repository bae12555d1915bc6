//! The capability context. Everything a task does to the world it does through a `&Cx` or `&mut Cx`: where
//! its children go, when it has to stop, what it may touch, whose clock it reads.
//!
//! | file | what lives there |
//! |---|---|
//! | `row` | capability rows: what a `Cx` may do, as a type |
//! | `context` | checkpoints, time, narrowing, user values; the calls for authors of leaf operations |
//! | `spawn` | tasks, handles, joining |
//! | `frame` | `region`, `try_region` and their kin |
//! | `outcome` | what becomes of a region's losses beside its body's end |
//! | `scope` | what request is effective where; masks, budgets |
//! | `branch` | branches of combinators, phases of a bracket |
//! | `alarm` | a timer that somebody waits for |
//! | `close` | draining, finalizers, settling |
//! | `finalizer` | one finalizer, as it runs |
//! | `unclaimed` | dropping what a task left and nobody took |
//! | `permit` | obligations of the region a `Cx` stands in |
//! | `name` | what a task is called in dumps |
//! | `foreign` | wakers of others that a request has to reach |
//! | `handle` | `RegionHandle`: spawn, cancel and observe from outside |
//! | `guest` | a task of a region as a future for any executor |
//! | `blocking` | closures that block, as tasks of a region |
//! | `hold` | who holds what and who waits for whom, for deadlock reports |
//! | `wall` | date and time of day |
//! | `object` | what tasks share, reported where schedules are explored |
//! | `port` | one trait per effect, and the world that holds them |
//! | `report` | what the operator is told |
//! | `raw` | the representation |
//!
//! Not here: queues and threads (`sched`, `runtime`), combinators, channels.
#![no_std]
extern crate alloc;

mod alarm;
mod blocking;
mod branch;
mod close;
mod context;
mod due;
mod finalizer;
mod foreign;
mod frame;
mod guest;
mod handle;
mod hold;
mod joins;
mod name;
mod object;
mod outcome;
mod permit;
pub mod port;
mod raw;
mod report;
mod root;
mod row;
mod scope;
mod spawn;
mod unclaimed;
mod wall;

/// The memory of task cells, for authors of primitives that are made and gone as often as tasks: free blocks are kept by
/// each thread, and memory is never given back to the system.
pub mod memory {
    pub use task::raw::slab::{discard, put};
}

pub use alarm::Alarm;
pub use blocking::{BlockingCx, BlockingHandle};
pub use branch::{Branch, Combinator};
pub use context::YieldNow;
pub use frame::{Collected, Refusal, RegionOptions};
pub use guest::Guest;
pub use handle::RegionHandle;
pub use hold::{Hold, Holding};
pub use joins::Joins;
pub use object::{Heed, Object, RegionLook, Watcher, watch_objects};
pub use permit::Reserved;
pub use raw::place::Cx;
pub use raw::wake_foreign;
/// The kernel's lock for sections of a few instructions, for authors of primitives.
pub use region::{Lock, Locked};
pub use root::{Root, RootTask};
pub use row::{
    All, EnvProvides, Has, MayBlock, MayFiles, MayNet, MayProcess, MayRandom, MayRemote, MaySignal, MaySpawn,
    MayTime, MayTrace, NarrowOf, No, NoEnv, NoIo, NoSpawn, Provides, Pure, Row, TimeOnly, With, Yes,
};
pub use scope::task_id;
pub use spawn::{Task, TaskFn, TaskHandle};
pub use task::{Verdict, Waiter, is_inside_inline, is_inside_task};
pub use trace::{Access, ObjectKind, ScopeKind};
