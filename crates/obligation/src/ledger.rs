//! The ledger's rules, pure: what a record may become, what a report says of it, and the answer to a commit
//! that comes too late. The records themselves are in `raw`.
use core::panic::Location;
use types::{ObligationId, ObligationKind, TaskId};

/// How a record left `Reserved`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Settled {
    /// The effect happened.
    Committed = 1,
    /// It was given up, with nothing done.
    Aborted = 2,
    /// The region closed over it.
    Leaked = 3,
}

/// Whether `from` may become `to` (`obligation.linear`), as a pure function.
pub fn step(from: Option<Settled>, to: Settled) -> Option<Settled> {
    match from {
        None => Some(to),
        Some(_) => None,
    }
}

/// What is known of one outstanding obligation, for reports.
#[derive(Clone, Copy, Debug)]
pub struct Note {
    /// Which.
    pub id: ObligationId,
    /// What was reserved.
    pub kind: ObligationKind,
    /// Where.
    pub site: &'static Location<'static>,
    /// The task that reserved it.
    pub by: TaskId,
}

/// The commit came too late: the region that owned the obligation has declared it leaked, and what it had
/// reserved was given back already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AlreadyLeaked;

impl core::fmt::Display for AlreadyLeaked {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("the region that owned this permit has closed over it and reported it as leaked")
    }
}

impl core::error::Error for AlreadyLeaked {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_follows_the_first_end() {
        use Settled::*;
        for to in [Committed, Aborted, Leaked] {
            assert_eq!(step(None, to), Some(to));
            for from in [Committed, Aborted, Leaked] {
                assert_eq!(step(Some(from), to), None);
            }
        }
    }
}
