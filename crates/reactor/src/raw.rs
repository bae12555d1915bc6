//! What a system call has returned, for those that call the C library themselves: a descriptor, or that it has failed.
//!
//! Not here: the calls (`selector/linux/raw`, `sockets/raw`).

use libc::c_int;
use std::io;
use std::os::fd::{FromRawFd, OwnedFd};

/// What a call that makes a descriptor has returned.
///
/// # Safety
/// A number that is not negative is an open descriptor, and nobody else's.
pub(crate) unsafe fn owned(made: c_int) -> io::Result<OwnedFd> {
    done(made)?;
    // SAFETY: the caller says so, and the number is not negative.
    Ok(unsafe { OwnedFd::from_raw_fd(made) })
}

/// What a call has returned whose only news is a failure.
pub(crate) fn done(returned: c_int) -> io::Result<()> {
    if returned < 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
}
