//! How the simulated network behaves, and what it did: a fault that was asked for and never happened is no test.
use std::time::Duration;

/// How the simulated network behaves.
///
/// ```
/// use asupersync_lab::{LabConfig, NetProfile};
/// use std::time::Duration;
/// let slow = NetProfile::default().latency(Duration::from_millis(40)).jitter(Duration::from_millis(20)).capacity(4096);
/// let config = LabConfig::default().seed(7).net(slow);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NetProfile {
    pub(super) capacity: usize,
    pub(super) latency: Duration,
    pub(super) jitter: Duration,
    pub(super) chunking: bool,
    pub(super) reset_one_in: u32,
    pub(super) accept_fails_one_in: u32,
}

impl Default for NetProfile {
    fn default() -> NetProfile {
        NetProfile {
            capacity: 64 * 1024,
            latency: Duration::ZERO,
            jitter: Duration::ZERO,
            chunking: true,
            reset_one_in: 0,
            accept_fails_one_in: 0,
        }
    }
}

impl NetProfile {
    /// How many bytes one direction of a connection holds, in flight and unread together; at least 1. A writer waits
    /// when it is full. Default: 65 536.
    #[must_use]
    pub fn capacity(mut self, bytes: usize) -> NetProfile {
        self.capacity = bytes.max(1);
        self
    }

    /// How long every segment is on its way, one way; a connect takes two of them. Default: none, and what is written
    /// can be read at once. That gives the most interleavings: virtual time moves only when no task can run, so with
    /// a latency everything that can happen before the segment arrives does.
    #[must_use]
    pub fn latency(mut self, one_way: Duration) -> NetProfile {
        self.latency = one_way;
        self
    }

    /// By how much a segment's latency may be longer: by one of eight steps from nothing to all of it, decided for
    /// each segment. Segments do not overtake each other within one direction of a connection. Default: none.
    #[must_use]
    pub fn jitter(mut self, at_most: Duration) -> NetProfile {
        self.jitter = at_most;
        self
    }

    /// The default, with faults: one write in 16 finds a reset, one accept in 16 fails.
    #[must_use]
    pub fn faulty() -> NetProfile {
        NetProfile::default().reset_one_in(16).accept_fails_one_in(16)
    }

    /// Whether reads and writes may take a part of what they could: all of it, one byte, half, or any number, as the
    /// decisions say. Default: yes.
    #[must_use]
    pub fn chunking(mut self, on: bool) -> NetProfile {
        self.chunking = on;
        self
    }

    /// One write in so many finds that the connection was reset, as the peer will find too; 0 for none. Default: none.
    #[must_use]
    pub fn reset_one_in(mut self, writes: u32) -> NetProfile {
        self.reset_one_in = writes;
        self
    }

    /// One accept in so many fails for want of file descriptors (EMFILE); the connection stays in the backlog. 0 for
    /// none. Default: none.
    #[must_use]
    pub fn accept_fails_one_in(mut self, accepts: u32) -> NetProfile {
        self.accept_fails_one_in = accepts;
        self
    }
}

/// What the simulated network did in a run so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct NetStats {
    /// Connections that came to stand.
    pub connections: u64,
    /// Connects that were refused.
    pub refused: u64,
    /// Connects that found the backlog full, and waited.
    pub backlogged: u64,
    /// Connections accepted.
    pub accepted: u64,
    /// Bytes written.
    pub written: u64,
    /// Bytes read.
    pub read: u64,
    /// Reads that were given less than there was room for and there was.
    pub partial_reads: u64,
    /// Writes that took less than they were given and there was room for.
    pub partial_writes: u64,
    /// Reset segments sent: by a side that was dropped with bytes unread, or that bytes came to after it was dropped.
    pub resets: u64,
    /// Connections reset by [`NetProfile::reset_one_in`].
    pub resets_injected: u64,
    /// Accepts failed by [`NetProfile::accept_fails_one_in`].
    pub accepts_failed: u64,
}
