//! [`Reports`]: a queue for what each of many tasks reports once, which grows with their number.
//!
//! A ring has its size for good, and tasks that work hold on to theirs. So when more are at work than a ring has room for, those
//! that begin then get one of twice the size, and the smaller one goes when its last report has come: there are few, and mostly one.
//!
//! Invariant `reports.room`: no ring is owed more reports than it has room for. So a report never waits, and none is lost.
//!
//! Not here: who reports what (`tasks`).
use alloc::collections::VecDeque;
use core::task::{Context, Poll};
use cx::Waiter;
use sync::mpsc::ring::{self, Rx, Tx};

/// The room of the first ring, unless less is asked for.
const FIRST: u32 = 64;

/// See the module.
pub(super) struct Reports<T> {
    /// From the smallest on. Only the last one is given to those that begin.
    rings: VecDeque<Ring<T>>,
}

struct Ring<T> {
    tx: Tx<T, Waiter>,
    rx: Rx<T, Waiter>,
    room: u32,
    /// How many who have this ring have not reported, or were not heard.
    owed: u32,
}

impl<T> Ring<T> {
    fn new(room: u32) -> Ring<T> {
        let (tx, rx) = ring::channel(room);
        Ring { tx, rx, room, owed: 0 }
    }
}

impl<T> Reports<T> {
    /// For at most `limit` at a time.
    pub(super) fn new(limit: u32) -> Reports<T> {
        Reports { rings: [Ring::new(limit.min(FIRST))].into() }
    }

    /// Where one more is to report, once.
    pub(super) fn owe(&mut self) -> Tx<T, Waiter> {
        if let Some(last) = self.rings.back()
            && last.owed == last.room
        {
            let room = last.room.saturating_mul(2).min(ring::MAX_CAPACITY);
            self.rings.push_back(Ring::new(room));
        }
        let last = self.rings.len() - 1;
        let last = &mut self.rings[last];
        last.owed += 1;
        last.tx.clone()
    }

    /// The next report. From one ring they come in the order they were made; those of a smaller one come first.
    pub(super) fn poll(&mut self, context: &Context<'_>) -> Poll<T> {
        while self.rings.len() > 1 && self.rings[0].owed == 0 {
            self.rings.pop_front();
        }
        for ring in self.rings.iter_mut().filter(|ring| ring.owed > 0) {
            // No ring is at its end: it keeps a sender itself.
            if let Poll::Ready(Some(report)) = ring.rx.poll_recv(|| Waiter::from_waker(context.waker())) {
                ring.owed -= 1;
                return Poll::Ready(report);
            }
        }
        Poll::Pending
    }
}
