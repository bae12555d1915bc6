//! Structured ownership: the tree of regions. A region owns tasks, child regions, finalizers and
//! obligations, and closes only when none is left.
//!
//! ```text
//! Open ──body over──▶ Draining ──no live task, no open child──▶ Finalizing ──list empty──▶ Settling ──▶ Closed
//! ```
//! Invariants, by name (`docs/spec/02-regions.md`): `region.tree`, `region.quiescent`, `region.no-admit`,
//! `region.waits`, `region.outcome`; and of cancellation `cancel.down`, `cancel.strengthen`.
//!
//! | file | what lives there |
//! |---|---|
//! | `phase` | the pure part: who is admitted when, which phase may follow |
//! | `open` | what a region is made from: options, finalizers, sinks |
//! | `gate` | quiescence: who is in, who may come in, who is woken when nobody is left |
//! | `region` | the node: opening, and what everybody may ask it |
//! | `origin` | identities, and what the origin of a cancellation says about a member's end |
//! | `above` | the scopes that a frame is nested in |
//! | `shield` | what masks keep away from it |
//! | `walk` | a request on its way down the tree; piercing and abandoning after the cleanup deadline |
//! | `close` | the phases after the body, what was lost, the report |
//! | `unjoined` | members whose outcome the close has to look at |
//! | `late` | who tells of regions that are late |
//! | `inspect` | what a dump needs to know |
//! | `render` | the same as text for people |
//! | `raw` | the lock, the member lists, members coming and going |
//!
//! Not here: who polls the close (`cx`), what a finalizer is (`cx`), queues (`sched`), time (nobody's clock
//! is read here: callers say when it is).
#![no_std]
extern crate alloc;
#[cfg(any(feature = "std", test))]
extern crate std;

mod above;
mod close;
#[cfg(loom)]
pub mod gate;
#[cfg(not(loom))]
mod gate;
mod inspect;
mod late;
mod open;
mod origin;
mod phase;
mod raw;
mod region;
mod render;
mod shield;
mod sync;
mod unjoined;
mod walk;

pub use above::Above;
pub use close::{Drained, Leaver, Lost, Settlement};
pub use inspect::{DEEPEST, MemberView, Names, RegionView};
pub use open::{Body, Finalizer, Isolated, Mask, OnFailure, Open, Sink};
pub use origin::{mix, refusal, task_id};
pub use phase::{Via, admits, after};
pub use raw::{Lock, Locked, WrittenOff, has_left};
pub use region::Region;
pub use render::render;
