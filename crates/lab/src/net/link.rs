//! One connection: two sides, and for each what is on its way there and what has arrived.
//!
//! A segment that takes no time arrives within the write. Others wait in the receiving side's `flight`, and one timer
//! stands for the first of them.
//!
//! What a side is told when its peer is gone, as on Linux: bytes that had arrived can still be read. After the peer's
//! end of stream a reader gets 0 for ever, and a writer's bytes are taken, once: the peer, if it was dropped, answers
//! with a reset, after which writing is a broken pipe. A reset before the end of stream is told once, to whoever reads
//! or writes first; then reading gives 0 and writing is a broken pipe.
use super::failure::{BROKEN_PIPE, Errno, NOT_CONNECTED, RESET};
use super::medium::{Loose, Medium};
use crate::world::locked;
use cx::Waiter;
use cx::port::{Half, IoFailure, TimerKey};
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, Weak};
use std::task::{Poll, Wake, Waker};
use types::Time;

/// Which of the two sides.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    Client,
    Server,
}

impl End {
    fn other(self) -> End {
        match self {
            End::Client => End::Server,
            End::Server => End::Client,
        }
    }
}

enum Segment {
    Bytes(Vec<u8>),
    /// The sender writes no more.
    Fin,
    Reset,
}

impl Segment {
    fn len(&self) -> usize {
        match self {
            Segment::Bytes(bytes) => bytes.len(),
            Segment::Fin | Segment::Reset => 0,
        }
    }
}

/// What one side has and knows.
#[derive(Default)]
struct Side {
    /// On the way here, as they were sent, with the earliest time of arrival: none overtakes another.
    flight: VecDeque<(Time, Segment)>,
    /// For the first of them.
    timer: Option<TimerKey>,
    /// Arrived and not read.
    inbox: VecDeque<u8>,
    /// The peer's end of stream has arrived.
    ended: bool,
    /// The connection was reset, as far as this side knows.
    reset: bool,
    /// What is told once.
    error: Option<Errno>,
    shut_read: bool,
    shut_write: bool,
    dropped: bool,
    reader: Option<Waiter>,
    writer: Option<Waiter>,
}

impl Side {
    /// Bytes that count against the capacity of the direction to here.
    fn held(&self) -> usize {
        self.inbox.len() + self.flight.iter().map(|(_, segment)| segment.len()).sum::<usize>()
    }
}

/// See the module.
pub(super) struct Link {
    medium: Arc<Medium>,
    sides: Mutex<[Side; 2]>,
    me: Weak<Link>,
}

/// The sides under their lock, and what has to wait for its end.
struct Locked<'a> {
    link: &'a Link,
    sides: &'a mut [Side; 2],
    loose: &'a mut Loose,
}

impl Link {
    pub(super) fn new(medium: Arc<Medium>) -> Arc<Link> {
        Arc::new_cyclic(|me| Link { medium, sides: Mutex::default(), me: me.clone() })
    }

    fn with<R>(&self, mut loose: Loose, f: impl FnOnce(Locked<'_>) -> R) -> R {
        let mut sides = locked(&self.sides);
        f(Locked { link: self, sides: &mut sides, loose: &mut loose })
    }

    pub(super) fn poll_read(
        &self,
        end: End,
        waker: &Waker,
        buf: &mut [u8],
    ) -> Poll<Result<usize, IoFailure>> {
        self.with(Loose::of(waker), |mut l| l.read(end, waker, buf)).map_err(IoFailure::from)
    }

    pub(super) fn poll_write(&self, end: End, waker: &Waker, buf: &[u8]) -> Poll<Result<usize, IoFailure>> {
        self.with(Loose::of(waker), |mut l| l.write(end, waker, buf)).map_err(IoFailure::from)
    }

    pub(super) fn shutdown(&self, end: End, half: Half) -> Result<(), IoFailure> {
        self.with(Loose::default(), |mut l| l.shutdown(end, half)).map_err(IoFailure::from)
    }

    /// The side is gone; `abort` makes a reset of it even if nothing is unread.
    pub(super) fn close(&self, end: End, abort: bool) {
        self.with(Loose::default(), |mut l| l.close(end, abort))
    }
}

impl Locked<'_> {
    fn side(&mut self, end: End) -> &mut Side {
        &mut self.sides[end as usize]
    }

    fn medium(&self) -> &Medium {
        &self.link.medium
    }

    fn read(&mut self, end: End, waker: &Waker, buf: &mut [u8]) -> Poll<Result<usize, Errno>> {
        if buf.is_empty() {
            return Poll::Ready(Ok(0));
        }
        let side = &mut self.sides[end as usize];
        if !side.inbox.is_empty() {
            let possible = side.inbox.len().min(buf.len());
            let n = self.link.medium.portion(possible);
            for (to, from) in buf.iter_mut().zip(side.inbox.drain(..n)) {
                *to = from
            }
            self.medium().count(|s| {
                s.read += n as u64;
                s.partial_reads += u64::from(n < possible);
            });
            let writer = self.side(end.other()).writer.take();
            self.loose.wake(writer);
            return Poll::Ready(Ok(n));
        }
        if side.shut_read || side.ended {
            return Poll::Ready(Ok(0));
        }
        if let Some(error) = side.error.take() {
            return Poll::Ready(Err(error));
        }
        if side.reset {
            return Poll::Ready(Ok(0));
        }
        self.loose.register(&mut side.reader, waker);
        Poll::Pending
    }

    fn write(&mut self, end: End, waker: &Waker, buf: &[u8]) -> Poll<Result<usize, Errno>> {
        if buf.is_empty() {
            return Poll::Ready(Ok(0));
        }
        let peer = end.other();
        let room = self.medium().profile.capacity.saturating_sub(self.side(peer).held());
        let side = &mut self.sides[end as usize];
        if let Some(error) = side.error.take() {
            return Poll::Ready(Err(error));
        }
        if side.reset || side.shut_write {
            return Poll::Ready(Err(BROKEN_PIPE));
        }
        if room == 0 {
            self.loose.register(&mut side.writer, waker);
            return Poll::Pending;
        }
        if self.medium().fault(self.medium().profile.reset_one_in) {
            self.medium().count(|s| s.resets_injected += 1);
            self.reset(end);
            self.send(peer, Segment::Reset);
            let told = self.side(end).error.take();
            return Poll::Ready(Err(told.unwrap_or(RESET)));
        }
        let possible = room.min(buf.len());
        let n = self.medium().portion(possible);
        self.medium().count(|s| {
            s.written += n as u64;
            s.partial_writes += u64::from(n < possible);
        });
        self.send(peer, Segment::Bytes(buf[..n].to_vec()));
        Poll::Ready(Ok(n))
    }

    fn shutdown(&mut self, end: End, half: Half) -> Result<(), Errno> {
        if self.side(end).reset {
            return Err(NOT_CONNECTED);
        }
        if matches!(half, Half::Read | Half::Both) {
            self.side(end).shut_read = true;
            let reader = self.side(end).reader.take();
            self.loose.wake(reader);
        }
        if matches!(half, Half::Write | Half::Both) && !self.side(end).shut_write {
            self.side(end).shut_write = true;
            let writer = self.side(end).writer.take();
            self.loose.wake(writer);
            self.send(end.other(), Segment::Fin);
        }
        Ok(())
    }

    fn close(&mut self, end: End, abort: bool) {
        let side = &mut self.sides[end as usize];
        side.dropped = true;
        let unread = !side.inbox.is_empty();
        side.inbox = VecDeque::new();
        let waiters = [side.reader.take(), side.writer.take()];
        let (reset, fin) = (side.reset, side.shut_write);
        side.shut_write = true;
        waiters.into_iter().for_each(|w| self.loose.forget(w));
        if !reset && (unread || abort) {
            self.refuse(end)
        } else if !reset && !fin {
            self.send(end.other(), Segment::Fin)
        }
        if self.sides.iter().all(|s| s.dropped) {
            self.lose(End::Client);
            self.lose(End::Server);
        }
    }

    /// The side, which is gone, answers with a reset, once.
    fn refuse(&mut self, end: End) {
        if !std::mem::replace(&mut self.side(end).reset, true) {
            self.medium().count(|s| s.resets += 1);
            self.send(end.other(), Segment::Reset)
        }
    }

    /// Puts a segment on its way to `to`.
    fn send(&mut self, to: End, segment: Segment) {
        let at = self.medium().arrival();
        let now = self.medium().now();
        let side = self.side(to);
        if at <= now && side.flight.is_empty() {
            return self.arrive(to, segment);
        }
        side.flight.push_back((at, segment));
        self.arm(to)
    }

    /// Has the first segment in flight delivered in time.
    fn arm(&mut self, to: End) {
        let link = self.link;
        let side = self.side(to);
        if let (None, Some((at, _))) = (side.timer, side.flight.front()) {
            side.timer = Some(link.medium.set(*at, Arrival { link: link.me.clone(), to }))
        }
    }

    fn arrive(&mut self, to: End, segment: Segment) {
        let side = &mut self.sides[to as usize];
        match segment {
            Segment::Bytes(_) if side.dropped => return self.refuse(to),
            // What comes to a side that was reset comes from a peer that does not know yet.
            Segment::Bytes(_) | Segment::Fin if side.reset => return,
            Segment::Bytes(bytes) => side.inbox.extend(bytes),
            Segment::Fin => side.ended = true,
            Segment::Reset => return self.reset(to),
        }
        let reader = side.reader.take();
        self.loose.wake(reader);
    }

    /// The side learns that the connection was reset. What it sent and has not arrived is lost.
    fn reset(&mut self, end: End) {
        let side = &mut self.sides[end as usize];
        if std::mem::replace(&mut side.reset, true) {
            return;
        }
        if !side.dropped {
            side.error = Some(if side.ended { BROKEN_PIPE } else { RESET })
        }
        let waiters = [side.reader.take(), side.writer.take()];
        waiters.into_iter().for_each(|w| self.loose.wake(w));
        self.lose(end.other())
    }

    /// Nothing of what is on its way to `to` arrives.
    fn lose(&mut self, to: End) {
        let side = self.side(to);
        side.flight.clear();
        if let Some(timer) = side.timer.take() {
            self.medium().take(timer)
        }
    }
}

/// The first segment in flight has arrived.
struct Arrival {
    link: Weak<Link>,
    to: End,
}

impl Wake for Arrival {
    fn wake(self: Arc<Self>) {
        let Some(link) = self.link.upgrade() else { return };
        let to = self.to;
        link.with(Loose::default(), |mut l| {
            let now = l.medium().now();
            l.side(to).timer = None;
            while let Some((_, segment)) = l.side(to).flight.pop_front_if(|(at, _)| *at <= now) {
                l.arrive(to, segment)
            }
            l.arm(to)
        })
    }
}
