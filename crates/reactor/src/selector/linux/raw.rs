//! epoll's system calls, and the eventfd.
//!
//! Invariant `epoll.plain`: what the kernel writes are structures of integers, of which every pattern of bits is a value;
//! it is given no pointer that outlives the call. The descriptors are owned here or borrowed for the call.
//!
//! Not here: what is asked for and what events mean.

use crate::raw::{done, owned};
use libc::{c_int, epoll_event};
use std::fs::File;
use std::io;
use std::mem::MaybeUninit;
use std::os::fd::{AsRawFd, BorrowedFd, OwnedFd};
use std::ptr;
use std::time::Duration;

/// One epoll, closed when dropped.
pub(super) struct Epoll(OwnedFd);

/// A time as `epoll_pwait2` takes it: 64 bits each, whatever the machine's word is.
#[repr(C)]
struct Timespec {
    seconds: i64,
    nanoseconds: i64,
}

impl Epoll {
    pub(super) fn new() -> io::Result<Epoll> {
        // SAFETY: takes a number and gives a descriptor that nobody else has.
        unsafe { owned(libc::epoll_create1(libc::EPOLL_CLOEXEC)) }.map(Epoll)
    }

    /// Adds a source, which is known by `data` from now on.
    pub(super) fn add(&self, source: BorrowedFd<'_>, events: c_int, data: u64) -> io::Result<()> {
        let mut event = epoll_event { events: events.cast_unsigned(), u64: data };
        self.control(libc::EPOLL_CTL_ADD, source, &mut event)
    }

    /// Takes a source out.
    pub(super) fn delete(&self, source: BorrowedFd<'_>) -> io::Result<()> {
        self.control(libc::EPOLL_CTL_DEL, source, ptr::null_mut())
    }

    fn control(&self, what: c_int, source: BorrowedFd<'_>, event: *mut epoll_event) -> io::Result<()> {
        // SAFETY: `epoll.plain`: the event is the caller's, or none, and is only read.
        done(unsafe { libc::epoll_ctl(self.0.as_raw_fd(), what, source.as_raw_fd(), event) })
    }

    /// Waits for events, in nanoseconds. `None` waits for ever, as do times beyond what the kernel can count (292
    /// thousand million years).
    pub(super) fn wait<'a>(
        &self,
        room: &'a mut [MaybeUninit<epoll_event>],
        timeout: Option<Duration>,
    ) -> io::Result<&'a [epoll_event]> {
        let timeout = timeout.map(|timeout| Timespec {
            seconds: i64::try_from(timeout.as_secs()).unwrap_or(i64::MAX),
            nanoseconds: timeout.subsec_nanos().into(),
        });
        let most = c_int::try_from(room.len()).unwrap_or(c_int::MAX);
        // Called by its number: not every C library has a function for it, and one that has makes it a point at which
        // threads may be cancelled.
        // SAFETY: `epoll.plain`: `room` has room for `most` events, the time is borrowed until the call returns, and no
        // mask of signals is given.
        let count = unsafe {
            libc::syscall(
                libc::SYS_epoll_pwait2,
                self.0.as_raw_fd(),
                room.as_mut_ptr(),
                most,
                timeout.as_ref().map_or(ptr::null(), ptr::from_ref),
                ptr::null::<libc::sigset_t>(),
                0_usize,
            )
        };
        let Ok(count) = usize::try_from(count) else { return Err(io::Error::last_os_error()) };
        // SAFETY: the kernel has written the first `count` of `room`.
        Ok(unsafe { room[..count].assume_init_ref() })
    }
}

/// A count to be written to, which never makes a writer wait.
pub(super) fn eventfd() -> io::Result<File> {
    // SAFETY: takes numbers and gives a descriptor that nobody else has.
    unsafe { owned(libc::eventfd(0, libc::EFD_CLOEXEC | libc::EFD_NONBLOCK)) }.map(File::from)
}
