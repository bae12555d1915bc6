//! A socket together with its place in a driver's queue.
//!
//! Invariant `source.deleted-first`: a socket that was added to a poller is deleted from it before it is closed. This file
//! keeps it: the socket is private here, is only lent out by shared reference, and `drop` deletes it before the field
//! goes. A descriptor that lived on in the queue would report another socket's events once its number is used again.
//!
//! Invariant `source.slot`: once a source is registered, it knows the address of its slot, which stays where it is for as long as
//! the driver lives (`entries.stable`), and the driver for as long as the source (`reactor`). Looking it up by its key costs
//! fifty instructions, three times a message.

use crate::Driver;
use crate::entries::Key;
use crate::group::Reactor;
use crate::slot::Slot;
use cx::Waiter;
use std::io;
use std::net::{TcpListener, TcpStream};
use std::os::fd::{AsFd, AsRawFd};
use std::os::unix::net::UnixStream;
use std::ptr;
use std::sync::atomic::{
    AtomicPtr,
    Ordering::{Acquire, Release},
};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

/// What may be a source: types of `std` that own one descriptor and give out that one for their whole life.
pub(crate) trait Socket: AsFd + AsRawFd + Send + Sync {}
impl Socket for TcpStream {}
impl Socket for TcpListener {}
impl Socket for UnixStream {}

#[derive(Clone, Copy)]
struct Registration {
    driver: usize,
    key: Key,
}

/// A non-blocking socket, registered once it has had to wait.
pub(crate) struct Source<S: Socket> {
    /// Its readiness: null until it is registered.
    slot: AtomicPtr<Slot<Waiter>>,
    registration: OnceLock<Registration>,
    /// Held while registering: a reader and a writer may come to wait at the same time.
    registering: Mutex<()>,
    reactor: Arc<Reactor>,
    io: S,
}

impl<S: Socket> Source<S> {
    /// Takes a socket that is non-blocking already.
    pub(crate) fn new(reactor: Arc<Reactor>, io: S) -> Source<S> {
        let (slot, registration) = (AtomicPtr::default(), OnceLock::new());
        Source { slot, registration, registering: Mutex::new(()), reactor, io }
    }

    /// The socket.
    pub(crate) fn io(&self) -> &S {
        &self.io
    }

    /// Whose driver it registers with.
    #[cfg(test)]
    pub(crate) fn reactor(&self) -> &Reactor {
        &self.reactor
    }

    /// Its readiness, once it is registered.
    pub(crate) fn slot(&self) -> Option<&Slot<Waiter>> {
        // SAFETY: `source.slot`: only `register` stores here, and stores the address of a slot of its reactor's.
        unsafe { self.slot.load(Acquire).as_ref() }
    }

    /// Registers with this thread's driver, unless that has been done; `assumed` is what is taken to be ready until a
    /// call disproves it. One system call.
    pub(crate) fn register(&self, assumed: u32) -> io::Result<&Slot<Waiter>> {
        let _one_at_a_time = self.registering.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(slot) = self.slot() {
            return Ok(slot);
        }
        let index = self.reactor.home();
        let driver = self.reactor.driver(index);
        let key = driver.admit(assumed)?;
        if let Err(error) = self.add_to(driver, key) {
            driver.release(key);
            return Err(error);
        }
        self.registration.get_or_init(|| Registration { driver: index, key });
        let slot = driver.slot(key);
        self.slot.store(ptr::from_ref(slot).cast_mut(), Release);
        Ok(slot)
    }

    #[cfg(target_os = "linux")]
    fn add_to(&self, driver: &Driver, key: Key) -> io::Result<()> {
        driver.selector().add(&self.io, key.word())
    }

    #[cfg(not(target_os = "linux"))]
    fn add_to(&self, driver: &Driver, key: Key) -> io::Result<()> {
        let (interest, mode) = (polling::Event::all(key.word()), polling::PollMode::Edge);
        // SAFETY: `source.deleted-first`: `io` is this struct's own, is never moved out, and `drop` deletes it.
        unsafe { driver.selector().poller().add_with_mode(&self.io, interest, mode) }
    }
}

impl<S: Socket> Drop for Source<S> {
    fn drop(&mut self) {
        if let Some(at) = self.registration.get() {
            let driver = self.reactor.driver(at.driver);
            // It was added and is still open, so this cannot fail in a way that leaves it there.
            let deleted = driver.selector().delete(&self.io);
            debug_assert!(deleted.is_ok(), "a source was not in its queue: {deleted:?}");
            driver.release(at.key);
        }
    }
}
