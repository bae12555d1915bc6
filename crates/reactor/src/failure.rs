//! How the system's errors become the ports' [`IoFailure`]: number and words, nothing else.
//!
//! Not here: whose fault it is (`net` decides that from the number).

use cx::port::IoFailure;
use std::io;

/// Keeps the number and the words. Allocates for the words: failures are rare.
pub(crate) fn of(error: &io::Error) -> IoFailure {
    IoFailure { code: error.raw_os_error(), text: error.to_string() }
}

/// As [`of`], for `map_err` on what the crates around us return.
pub(crate) fn from(error: impl Into<io::Error>) -> IoFailure {
    of(&error.into())
}
