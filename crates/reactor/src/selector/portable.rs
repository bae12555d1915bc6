//! Where there is no epoll: `polling`'s own wait and notification.
//!
//! Not here: keys of sources.

use super::{MOST_EVENTS, Waited};
use crate::slot::event;
use polling::{Events, Poller};
use std::io;
use std::num::NonZeroUsize;
use std::os::fd::AsFd;
use std::time::Duration;

/// Room for the events of one wait.
pub(crate) struct Buffer(Events);

impl Buffer {
    pub(crate) fn new() -> Buffer {
        Buffer(Events::with_capacity(const { NonZeroUsize::new(MOST_EVENTS).unwrap() }))
    }
}

/// One poller; its notification is the bell.
pub(crate) struct Selector {
    poller: Poller,
}

impl Selector {
    pub(crate) fn new() -> io::Result<Selector> {
        Ok(Selector { poller: Poller::new()? })
    }

    /// Where sources are added, which is the business of whoever sees to it that they are deleted.
    pub(crate) fn poller(&self) -> &Poller {
        &self.poller
    }

    /// Takes out a source that was added and is still open.
    pub(crate) fn delete(&self, source: impl AsFd) -> io::Result<()> {
        self.poller.delete(source)
    }

    /// Waits, and gives each event's key and bits to `each`. `None` waits for ever. `most` is not heeded here: a wait
    /// takes in what there is, up to [`MOST_EVENTS`].
    pub(crate) fn wait(
        &self,
        buffer: &mut Buffer,
        timeout: Option<Duration>,
        _most: usize,
        mut each: impl FnMut(usize, u32),
    ) -> io::Result<Waited> {
        buffer.0.clear();
        match self.poller.wait(&mut buffer.0, timeout) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            other => drop(other?),
        }
        let mut events = 0;
        for found in buffer.0.iter() {
            let table = [
                (found.readable, event::READ),
                (found.writable, event::WRITE),
                // kqueue tells the end of a stream as a hang-up. Reading once more costs one call, missing it hangs.
                (found.is_interrupt(), event::READ | event::END),
                (found.is_err() == Some(true), event::ERROR),
            ];
            events += 1;
            each(found.key, table.iter().filter(|(is, _)| *is).fold(0, |bits, (_, bit)| bits | bit));
        }
        // A notification does not show among the events, so every return counts as one: asking twice is harmless.
        Ok(Waited { events, rung: true })
    }

    /// Ends the wait that is going on, or the next one.
    pub(crate) fn ring(&self) {
        // It fails only when the queue is gone, and it lives as long as this.
        let _ = self.poller.notify();
    }
}
