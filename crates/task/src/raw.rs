//! The unsafe heart of the crate, split by noun. Everything outside talks to it through safe types.
pub mod cell;
pub mod engine;
pub mod header;
pub mod join;
pub mod owner;
pub(crate) mod party;
mod polled;
pub mod run;
pub mod slab;
pub mod waiter;

pub use polled::{is_inside_inline, is_inside_task, run_inline};
pub use slab::flush_thread_cache;
