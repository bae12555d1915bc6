//! For tests only: known mistakes (`types::seeded!`) switched on one at a time, and what counts as noticing them.
//!
//! A check that fails for any reason proves little: a mistake that merely hangs its test, or that trips over something
//! next to the point, would count. So each mistake declares how it shows (`Shows`): words that the failing check
//! prints, or, only where that is what the mistake does, that the check never ends.
//!
//! ```text
//! mutants::mistakes! {
//!     a_wake_that_is_lost: "queue.no-recheck" breaks models::every_item_is_taken, says "deadlock";
//! }
//! ```
//!
//! - `mistakes!` makes one test for each mistake; it also runs the check without the mistake, in the same build.
//! - `mutants!` does the same for checks that have a test of their own in that build (loom models).
//!
//! Invariant `mutants.own-process`: the mistake is on in a child process only, which may abort, hang, or leave a
//! deadlocked model behind without touching its neighbours.
//!
//! Empty in an ordinary build. Not here: the switch itself (`types::seeded`), the mistakes (beside the code).
#![forbid(unsafe_code)]
// It starts child processes, tells them what to do, and gives up on them by the machine's clock: tests only.
#![allow(clippy::disallowed_methods)]

#[cfg(any(asupersync_seeded, loom, test))]
mod child;
#[cfg(any(asupersync_seeded, loom, test))]
mod shows;
#[cfg(any(asupersync_seeded, loom))]
mod table;

#[cfg(any(asupersync_seeded, loom, test))]
pub use shows::Shows;
#[cfg(any(asupersync_seeded, loom))]
pub use table::{Mistake, check, heard, is_caught};
