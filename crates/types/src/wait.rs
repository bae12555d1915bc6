//! `WaitKind`: what a suspended task waits for, in words.
//!
//! A leaf operation stores a `&'static WaitKind` in its scope when it returns `Pending`, which is
//! one store of one word; dumps and deadlock reports read it. So the text is decided at compile
//! time, and what varies (since when, on which object) is kept beside it.
//!
//! Not here: the wait site itself (`cx`).

use core::fmt;

/// A kind of waiting, made once per leaf operation:
///
/// ```
/// use asupersync_types::WaitKind;
/// static FULL: WaitKind = WaitKind::new("Sender::reserve (full)");
/// assert_eq!(FULL.to_string(), "Sender::reserve (full)");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct WaitKind {
    /// The operation and, in brackets, the condition that keeps it: `recv (empty)`, `timer`.
    pub what: &'static str,
}

impl WaitKind {
    /// A kind of waiting that prints as `what`.
    pub const fn new(what: &'static str) -> WaitKind {
        WaitKind { what }
    }
}

impl fmt::Display for WaitKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.what)
    }
}
