//! The unsafe part: the lock, the intrusive lists, and the two things that are reached by address alone: a
//! member's header from its region, a region from its account.
mod account;
mod cell;
mod chain;
mod counted;
mod live;
mod lock;
mod member;
mod members;
mod write_off;

pub(crate) use account::account_is_zero;
pub(crate) use counted::in_arc;
pub(crate) use live::Roused;
pub use lock::{Lock, Locked};
pub use member::has_left;
pub(crate) use members::Members;
pub use write_off::WrittenOff;
