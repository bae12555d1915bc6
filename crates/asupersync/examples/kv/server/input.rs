//! `Input`: the bytes of a connection that have arrived and are not understood yet.
//!
//! ```text
//! bytes:  | executed | filled: what the decoder sees | room: where the next read goes |
//!                    ^start                          ^end
//! ```
//! It grows when a read has filled it, or for a request that does not fit, and shrinks when it is empty: an
//! idle connection holds `SMALL` to `KEPT` bytes. What it can grow to is bounded by the decoder, which refuses a request
//! beyond the limit when its header announces it, and by what is held for all clients (`held`).
//!
//! Moving the filled bytes to the front costs no more than reading them did: it happens only when the room
//! has run out, and then at least half of the buffer was executed.

use super::held::{FREE, Pool, Share};
use std::sync::Arc;

/// What an idle connection holds.
const SMALL: usize = 2 * 1024;
/// What is kept between requests: as much as Redis reads at once.
const KEPT: usize = 16 * 1024;
/// How far filling it makes it grow; what one read can bring.
const CHUNK: usize = FREE;

/// See the module.
#[derive(Debug)]
pub(super) struct Input {
    bytes: Vec<u8>,
    start: usize,
    end: usize,
    share: Share,
}

impl Input {
    pub(super) fn new(pool: &Arc<Pool>) -> Input {
        Input { bytes: Vec::new(), start: 0, end: 0, share: Share::new(pool) }
    }

    /// What has arrived and was not executed.
    #[inline]
    pub(super) fn filled(&self) -> &[u8] {
        &self.bytes[self.start..self.end]
    }

    /// Whether a request has begun that is not complete.
    #[inline]
    pub(super) fn is_empty(&self) -> bool {
        self.start == self.end
    }

    /// Where the next read goes; never empty. `None` if there can be no more room, because of what the server holds
    /// for all its clients.
    pub(super) fn room(&mut self) -> Option<&mut [u8]> {
        if self.start == self.end {
            (self.start, self.end) = (0, 0);
            if self.bytes.len() > KEPT {
                self.bytes = Vec::new();
                // Less is always granted.
                let _ = self.share.resize(0);
            }
        }
        if self.bytes.len() < SMALL {
            self.bytes.resize(SMALL, 0);
        }
        if self.end == self.bytes.len() {
            if self.start >= self.bytes.len() / 2 {
                self.bytes.copy_within(self.start..self.end, 0);
                (self.start, self.end) = (0, self.end - self.start);
            } else {
                let len = 2 * self.bytes.len();
                if !self.share.resize(len) {
                    return None;
                }
                self.bytes.resize(len, 0);
            }
        }
        Some(&mut self.bytes[self.end..])
    }

    /// A read has put `count` bytes into the room. True if it filled it, so that there is probably more.
    pub(super) fn arrived(&mut self, count: usize) -> bool {
        self.end += count;
        let full = self.end == self.bytes.len();
        if full && self.bytes.len() < CHUNK {
            self.bytes.resize(2 * self.bytes.len(), 0);
        }
        full
    }

    /// The first `count` bytes were executed.
    #[inline]
    pub(super) fn executed(&mut self, count: usize) {
        self.start += count;
        debug_assert!(self.start <= self.end, "more executed than arrived");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn roomy() -> Input {
        Input::new(&Pool::new(1 << 30))
    }

    fn feed(input: &mut Input, mut data: &[u8]) -> usize {
        let mut reads = 0;
        while !data.is_empty() {
            let room = input.room().expect("the pool is large");
            let n = room.len().min(data.len());
            room[..n].copy_from_slice(&data[..n]);
            input.arrived(n);
            data = &data[n..];
            reads += 1;
        }
        reads
    }

    #[test]
    fn what_arrives_in_pieces_is_there_in_one_piece() {
        let data: Vec<u8> = (0..300_000u32).map(|i| i as u8).collect();
        let mut input = roomy();
        let reads = feed(&mut input, &data);
        assert_eq!(input.filled(), data);
        assert!(reads < 16, "{reads} reads: it grows geometrically");
    }

    #[test]
    fn what_was_executed_makes_room_without_growing() {
        let mut input = roomy();
        for _ in 0..1000 {
            feed(&mut input, &[7; 1500]);
            input.executed(1500);
        }
        assert!(input.is_empty());
        assert_eq!(input.bytes.len(), SMALL);
    }

    #[test]
    fn a_large_request_is_given_back() {
        let pool = Pool::new(2 << 20);
        let mut input = Input::new(&pool);
        feed(&mut input, &[1; (1 << 20) + 1]);
        assert!(input.bytes.len() > 1 << 20);
        assert!(!Share::new(&pool).resize(FREE + 1), "all that there is");
        input.executed((1 << 20) + 1);
        input.room();
        assert_eq!(input.bytes.len(), SMALL);
        assert!(Share::new(&pool).resize(2 << 20));
    }

    #[test]
    fn there_is_no_more_room_than_is_left_for_all() {
        let mut input = Input::new(&Pool::new(CHUNK * 2));
        feed(&mut input, &[1; CHUNK * 2]);
        assert!(input.room().is_none());
        assert_eq!(input.filled().len(), CHUNK * 2, "nothing is lost");
    }
}
