//! epoll. Needs Linux 5.11 (2021), whose `epoll_pwait2` takes nanoseconds: a timer that is due in 200 us is served after
//! 200 us and not after a millisecond.
//!
//! The bell is an eventfd of our own, edge triggered and never read: each write gives one edge, which costs the woken
//! thread no system call. `Poller::notify` must not be used beside it, since only `Poller::wait` re-arms what that needs.
//!
//! Not here: keys of sources.

use super::{MOST_EVENTS, Waited};
use crate::slot::event;
use polling::Poller;
use rustix::event::{EventfdFlags, Timespec, epoll, eventfd};
use rustix::fd::{AsFd, OwnedFd};
use rustix::io::Errno;
use std::io;
use std::mem::MaybeUninit;
use std::time::Duration;

/// `polling` keeps `usize::MAX` for itself.
const BELL: u64 = usize::MAX as u64 - 1;

/// Nothing: the events of one wait are on the stack.
pub(crate) struct Buffer;

impl Buffer {
    pub(crate) fn new() -> Buffer {
        Buffer
    }
}

/// One epoll and its bell.
pub(crate) struct Selector {
    poller: Poller,
    bell: OwnedFd,
}

impl Selector {
    pub(crate) fn new() -> io::Result<Selector> {
        let poller = Poller::new()?;
        let bell = eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)?;
        epoll::add(
            &poller,
            &bell,
            epoll::EventData::new_u64(BELL),
            epoll::EventFlags::IN | epoll::EventFlags::ET,
        )?;
        let selector = Selector { poller, bell };
        // Better to say so here than at the first wait of a worker.
        match selector.wait(&mut Buffer::new(), Some(Duration::ZERO), 1, |_, _| ()) {
            Err(error) if error.raw_os_error() == Some(Errno::NOSYS.raw_os_error()) => Err(io::Error::new(
                io::ErrorKind::Unsupported,
                "this system is older than Linux 5.11: no epoll_pwait2",
            )),
            Err(error) => Err(error),
            Ok(_) => Ok(selector),
        }
    }

    pub(crate) fn poller(&self) -> &Poller {
        &self.poller
    }

    /// Adds a source: both directions, edges only. The first event tells what is ready already.
    pub(crate) fn add(&self, source: impl AsFd, key: usize) -> io::Result<()> {
        use epoll::EventFlags as Flags;
        let interest = Flags::IN | Flags::OUT | Flags::RDHUP | Flags::ET;
        Ok(epoll::add(&self.poller, source, epoll::EventData::new_u64(key as u64), interest)?)
    }

    /// Waits, and gives each event's key and bits to `each`. `None` waits for ever. A signal handler that ran ends the
    /// wait early, with no events.
    pub(crate) fn wait(
        &self,
        _buffer: &mut Buffer,
        timeout: Option<Duration>,
        most: usize,
        mut each: impl FnMut(usize, u32),
    ) -> io::Result<Waited> {
        let timeout = timeout.map(timespec);
        let mut room = [const { MaybeUninit::uninit() }; MOST_EVENTS];
        let room = &mut room[..most.clamp(1, MOST_EVENTS)];
        let events = match epoll::wait(&self.poller, room, timeout.as_ref()) {
            Ok((events, _rest)) => events,
            Err(Errno::INTR) => &mut [],
            Err(error) => return Err(error.into()),
        };
        let mut waited = Waited { events: 0, rung: false };
        for event in events.iter() {
            // The kernel's structure is packed: copy, don't borrow.
            let (data, flags) = (event.data, event.flags);
            match data.u64() {
                BELL => waited.rung = true,
                key => {
                    waited.events += 1;
                    each(key as usize, bits(flags));
                }
            }
        }
        Ok(waited)
    }

    /// How often the bell was rung since this was asked last.
    #[cfg(test)]
    pub(crate) fn rings(&self) -> u64 {
        let mut count = [0; 8];
        rustix::io::read(&self.bell, &mut count).map_or(0, |_| u64::from_ne_bytes(count))
    }

    /// Ends the wait that is going on, or the next one.
    pub(crate) fn ring(&self) {
        // It can only fail when the count is full after 2^64 rings, and then the edge was given long ago.
        let _ = rustix::io::write(&self.bell, &1_u64.to_ne_bytes());
    }
}

/// Timeouts beyond what the kernel can count are for ever, near enough: 292 thousand million years.
fn timespec(timeout: Duration) -> Timespec {
    Timespec::try_from(timeout).unwrap_or(Timespec { tv_sec: i64::MAX, tv_nsec: 0 })
}

fn bits(flags: epoll::EventFlags) -> u32 {
    use epoll::EventFlags as Flags;
    let table = [
        (Flags::IN, event::READ),
        (Flags::OUT, event::WRITE),
        (Flags::RDHUP, event::READ | event::END),
        (Flags::HUP, event::HANGUP),
        (Flags::ERR, event::ERROR),
    ];
    table.iter().filter(|(flag, _)| flags.intersects(*flag)).fold(0, |bits, (_, bit)| bits | bit)
}
