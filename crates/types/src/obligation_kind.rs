//! `ObligationKind`: what sort of two-phase effect an obligation stands for.
//!
//! One byte, so that it fits into the obligation's record; the words are for leak reports.
//!
//! Not here: records and their states (`obligation`).

use core::fmt;

/// What was reserved and must be committed or aborted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum ObligationKind {
    /// Capacity in a channel, committed by sending.
    SendPermit = 0,
    /// A received item, to be acknowledged or refused.
    Ack = 1,
    /// A thing borrowed from a pool, to be given back.
    Lease = 2,
    /// An I/O operation that the kernel may still be working on.
    Io = 3,
    /// A semaphore's permit.
    Semaphore = 4,
    /// A transaction, to be committed or rolled back.
    Transaction = 5,
    /// A name in a registry, to be published or withdrawn.
    Registration = 6,
}

impl ObligationKind {
    /// Every kind, in the order of its byte.
    pub const ALL: [ObligationKind; 7] = [
        ObligationKind::SendPermit,
        ObligationKind::Ack,
        ObligationKind::Lease,
        ObligationKind::Io,
        ObligationKind::Semaphore,
        ObligationKind::Transaction,
        ObligationKind::Registration,
    ];

    /// The kind with this byte, where there is one.
    pub fn from_u8(byte: u8) -> Option<ObligationKind> {
        ObligationKind::ALL.get(usize::from(byte)).copied()
    }
}

impl fmt::Display for ObligationKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            ObligationKind::SendPermit => "send permit",
            ObligationKind::Ack => "acknowledgement",
            ObligationKind::Lease => "lease",
            ObligationKind::Io => "I/O operation",
            ObligationKind::Semaphore => "semaphore permit",
            ObligationKind::Transaction => "transaction",
            ObligationKind::Registration => "name registration",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::collections::BTreeSet;
    use alloc::string::ToString;

    #[test]
    fn every_byte_that_is_written_can_be_read() {
        for kind in ObligationKind::ALL {
            assert_eq!(ObligationKind::from_u8(kind as u8), Some(kind));
        }
        assert_eq!(ObligationKind::from_u8(7), None);
    }

    #[test]
    fn no_two_kinds_read_alike() {
        let words: BTreeSet<_> = ObligationKind::ALL.iter().map(ToString::to_string).collect();
        assert_eq!(words.len(), ObligationKind::ALL.len());
    }
}
