//! `CancelKind`: why a request to stop was made, in the order of severity.
//!
//! The order decides which of several requests is the effective one (`cancel.strengthen`). The
//! bytes start at one, so that a zero in a control word means "no request".

use core::fmt;

/// The kind of a request to stop. A later variant is more severe and outranks an earlier one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum CancelKind {
    /// Somebody asked.
    Explicit = 1,
    /// A deadline passed.
    Deadline = 2,
    /// A quota of polls or cost was used up.
    BudgetExhausted = 3,
    /// Another branch of a race (or of a hedge, a quorum) won.
    LostRace = 4,
    /// Another member of a fail-fast region failed.
    SiblingFailed = 5,
    /// The body of the region or task that owns this one failed.
    BodyFailed = 6,
    /// A child failed and nobody joined it.
    ChildFailed = 7,
    /// The region admits no more tasks: this one never ran.
    SpawnRefused = 8,
    /// The future that held the region's body was dropped.
    BodyDropped = 9,
    /// The runtime shuts down.
    Shutdown = 10,
}

impl CancelKind {
    /// Every kind, from the mildest to the most severe.
    pub const ALL: [CancelKind; 10] = [
        CancelKind::Explicit,
        CancelKind::Deadline,
        CancelKind::BudgetExhausted,
        CancelKind::LostRace,
        CancelKind::SiblingFailed,
        CancelKind::BodyFailed,
        CancelKind::ChildFailed,
        CancelKind::SpawnRefused,
        CancelKind::BodyDropped,
        CancelKind::Shutdown,
    ];

    /// The kind with this byte; `None` for zero ("no request") and for what is no kind.
    pub fn from_u8(byte: u8) -> Option<CancelKind> {
        CancelKind::ALL.get(usize::from(byte).checked_sub(1)?).copied()
    }

    /// The clause a report prints where no reason was given.
    pub(crate) const fn words(self) -> &'static str {
        match self {
            CancelKind::Explicit => "somebody asked for it",
            CancelKind::Deadline => "a deadline passed",
            CancelKind::BudgetExhausted => "a budget was used up",
            CancelKind::LostRace => "another branch won the race",
            CancelKind::SiblingFailed => "a sibling failed",
            CancelKind::BodyFailed => "the body of its region failed",
            CancelKind::ChildFailed => "a child failed",
            CancelKind::SpawnRefused => "its region admits no more tasks",
            CancelKind::BodyDropped => "the body of its region was dropped",
            CancelKind::Shutdown => "the runtime shuts down",
        }
    }
}

impl fmt::Display for CancelKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.words())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_count_up_from_one_with_severity() {
        for (byte, kind) in (1..).zip(CancelKind::ALL) {
            assert_eq!(kind as u8, byte);
            assert_eq!(CancelKind::from_u8(byte), Some(kind));
        }
        assert!(CancelKind::ALL.is_sorted());
        assert_eq!(CancelKind::from_u8(0), None);
        assert_eq!(CancelKind::from_u8(11), None);
        assert_eq!(CancelKind::from_u8(u8::MAX), None);
    }

    #[test]
    fn no_two_kinds_read_alike() {
        for (i, kind) in CancelKind::ALL.iter().enumerate() {
            assert!(CancelKind::ALL[..i].iter().all(|other| other.words() != kind.words()));
        }
    }
}
