//! The unsafe part: accounts and records that point at each other, and the pool in which records stay what
//! they are.
//!
//! | file | what lives there |
//! |---|---|
//! | `account` | a region's count, and who is told of zero |
//! | `record` | one obligation's state word: settle, leak, move |
//! | `pool` | where records live, for ever |
//! | `spares` | free records that a thread keeps for itself |
//! | `permit` | the owned right to a record |
mod account;
mod permit;
mod pool;
mod record;
mod spares;

pub use account::{Account, Leaving, Settle};
pub use permit::Obligation;
pub use pool::Step;
pub use record::{Outstanding, Rehomed};
#[cfg(loom)]
pub use record::{Record, Unmoved};

#[cfg(all(test, not(loom)))]
mod tests;
