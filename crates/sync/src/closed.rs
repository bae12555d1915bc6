//! [`Closed`]: the other side, or the structure itself, will never again give what was asked for.
//!
//! Not here: errors that carry a value back (`mpsc`).

/// The structure was closed, or whoever could have answered is gone. Final.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Closed;

impl core::fmt::Display for Closed {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("closed")
    }
}

impl core::error::Error for Closed {}
