//! Installing a signal handler.
//!
//! Invariant `signals.handler-safe`: what runs inside a handler only touches atomics and makes one system call on a
//! descriptor that stays open as long as the handler can run. No allocation, no lock, no panic.

use super::Line;
use cx::port::Signal;
use signal_hook_registry::SigId;
use std::io;
use std::sync::Arc;

/// A handler that is in place until this is dropped. The handlers that were there before it are called too.
pub(super) struct Installed(SigId);

impl Drop for Installed {
    fn drop(&mut self) {
        signal_hook_registry::unregister(self.0);
    }
}

/// Counts and announces the signal on `line` from now on.
pub(super) fn install(signal: Signal, line: Arc<Line>) -> io::Result<Installed> {
    let number = match signal {
        Signal::Interrupt => libc::SIGINT,
        Signal::Terminate => libc::SIGTERM,
        Signal::User1 => libc::SIGUSR1,
    };
    // SAFETY: `signals.handler-safe`: `deliver` is an atomic add and a write; the registry restores `errno`, owns the
    // closure and with it the line, and frees both only where no handler runs (`unregister` waits for that).
    let id = unsafe { signal_hook_registry::register(number, move || line.deliver(signal)) }?;
    Ok(Installed(id))
}
