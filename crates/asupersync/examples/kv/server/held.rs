//! `Pool`: the bytes that the server holds for all its clients together, and `Share`, one buffer's part of it.
//!
//! Each limit of one client is multiplied by ten thousand clients, so large buffers have a limit together
//! [`maxmemory-clients`]: of requests that have arrived in part, of replies and messages that were not sent; and so
//! do the names of the channels that clients subscribe to. What every client may hold anyway, `FREE` in each direction, is not counted and costs nothing to count.
//!
//! Invariant `pool.balanced`: what is left and all shares are the limit together. A share gives its bytes back when
//! dropped, whatever happened to its client.
//!
//! Not here: what becomes of a client whose buffer cannot grow (`connection`, `subscriber`).

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

/// Bytes of a buffer that are not counted.
pub(super) const FREE: usize = 64 * 1024;

/// What a client is told whose request or reply does not fit.
pub(super) const REFUSAL: &[u8] = b"-OOM this server holds too much for its clients already\r\n";

/// The bytes that are left.
#[derive(Debug)]
pub(super) struct Pool(AtomicUsize);

impl Pool {
    pub(super) fn new(limit: usize) -> Arc<Pool> {
        Arc::new(Pool(AtomicUsize::new(limit)))
    }
}

/// The bytes of one buffer.
#[derive(Debug)]
pub(super) struct Share {
    pool: Arc<Pool>,
    bytes: usize,
}

impl Share {
    /// The share of a buffer that is empty.
    pub(super) fn new(pool: &Arc<Pool>) -> Share {
        Share { pool: pool.clone(), bytes: 0 }
    }

    /// Makes it the share of a buffer of `len` bytes. False, and nothing has changed, if so much is not left; never
    /// when the buffer becomes smaller.
    #[inline]
    #[must_use]
    pub(super) fn resize(&mut self, len: usize) -> bool {
        let bytes = if len > FREE { len } else { 0 };
        bytes == self.bytes || self.change(bytes)
    }

    #[cold]
    fn change(&mut self, bytes: usize) -> bool {
        // Relaxed: the number stands for itself, no other memory is handed over with it.
        let Share { pool, bytes: before } = self;
        if bytes > *before {
            let more = bytes - *before;
            let taken = pool.0.fetch_update(Relaxed, Relaxed, |left| left.checked_sub(more));
            if taken.is_err() {
                return false;
            }
        } else {
            pool.0.fetch_add(*before - bytes, Relaxed);
        }
        *before = bytes;
        true
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        let given_back = self.resize(0);
        debug_assert!(given_back, "a share can always become smaller");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_are_limited_together_and_given_back() {
        let pool = Pool::new(1_000_000);
        let (mut one, mut other) = (Share::new(&pool), Share::new(&pool));
        assert!(one.resize(600_000));
        assert!(!other.resize(500_000), "that is more than is left");
        assert!(other.resize(400_000) && other.resize(FREE), "what is free is not counted");
        assert!(one.resize(1_000_000) && !other.resize(FREE + 1));
        drop(one);
        assert!(other.resize(1_000_000));
        drop(other);
        assert_eq!(pool.0.load(Relaxed), 1_000_000);
    }
}
