//! epoll. Needs Linux 5.11 (2021), whose `epoll_pwait2` takes nanoseconds: a timer that is due in 200 us is served after
//! 200 us and not after a millisecond.
//!
//! The bell is an eventfd of our own, edge triggered and never read: each write gives one edge, which costs the woken
//! thread no system call.
//!
//! Not here: keys of sources; the system calls (`raw`).

mod raw;

use super::{MOST_EVENTS, Waited};
use crate::slot::event;
use raw::Epoll;
use std::fs::File;
use std::io::{self, Write};
use std::mem::MaybeUninit;
use std::os::fd::AsFd;
use std::time::Duration;

/// No source has this key.
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
    epoll: Epoll,
    bell: File,
}

impl Selector {
    pub(crate) fn new() -> io::Result<Selector> {
        let (epoll, bell) = (Epoll::new()?, raw::eventfd()?);
        epoll.add(bell.as_fd(), libc::EPOLLIN | libc::EPOLLET, BELL)?;
        let selector = Selector { epoll, bell };
        // Better to say so here than at the first wait of a worker.
        match selector.wait(&mut Buffer::new(), Some(Duration::ZERO), 1, |_, _| ()) {
            Err(error) if error.raw_os_error() == Some(libc::ENOSYS) => Err(io::Error::new(
                io::ErrorKind::Unsupported,
                "this system is older than Linux 5.11: no epoll_pwait2",
            )),
            Err(error) => Err(error),
            Ok(_) => Ok(selector),
        }
    }

    /// Adds a source: both directions, edges only. The first event tells what is ready already.
    pub(crate) fn add(&self, source: impl AsFd, key: usize) -> io::Result<()> {
        let interest = libc::EPOLLIN | libc::EPOLLOUT | libc::EPOLLRDHUP | libc::EPOLLET;
        self.epoll.add(source.as_fd(), interest, key as u64)
    }

    /// Takes out a source that was added and is still open.
    pub(crate) fn delete(&self, source: impl AsFd) -> io::Result<()> {
        self.epoll.delete(source.as_fd())
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
        let mut room = [const { MaybeUninit::uninit() }; MOST_EVENTS];
        let room = &mut room[..most.clamp(1, MOST_EVENTS)];
        let events = match self.epoll.wait(room, timeout) {
            Ok(events) => events,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => &[],
            Err(error) => return Err(error),
        };
        let mut waited = Waited { events: 0, rung: false };
        for event in events {
            // The kernel's structure is packed: copy, don't borrow.
            let (data, flags) = (event.u64, event.events);
            match data {
                BELL => waited.rung = true,
                key => {
                    waited.events += 1;
                    each(key as usize, bits(flags.cast_signed()));
                }
            }
        }
        Ok(waited)
    }

    /// How often the bell was rung since this was asked last.
    #[cfg(test)]
    pub(crate) fn rings(&self) -> u64 {
        use std::io::Read as _;
        let mut count = [0; 8];
        (&self.bell).read(&mut count).map_or(0, |_| u64::from_ne_bytes(count))
    }

    /// Ends the wait that is going on, or the next one.
    pub(crate) fn ring(&self) {
        // It can only fail when the count is full after 2^64 rings, and then the edge was given long ago.
        let _ = (&self.bell).write(&1_u64.to_ne_bytes());
    }
}

fn bits(flags: i32) -> u32 {
    let table = [
        (libc::EPOLLIN, event::READ),
        (libc::EPOLLOUT, event::WRITE),
        (libc::EPOLLRDHUP, event::READ | event::END),
        (libc::EPOLLHUP, event::HANGUP),
        (libc::EPOLLERR, event::ERROR),
    ];
    table.iter().filter(|(flag, _)| flags & flag != 0).fold(0, |bits, (_, bit)| bits | bit)
}
