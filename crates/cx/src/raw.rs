//! The unsafe part: what a `Cx` reference is, and the few structures that are reached through addresses.
pub(crate) mod due;
pub(crate) mod ext;
pub(crate) mod owner;
pub(crate) mod place;
pub(crate) mod scope;
pub(crate) mod start;
pub(crate) mod watch;

pub use owner::wake_foreign;
