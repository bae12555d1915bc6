//! One value, once, from one side to the other.
//!
//! Not here: obligations and `Cx`; a sender that must answer gets its record from the asynchronous face.

mod raw;

pub use raw::{Rx, TryRecvError, Tx, channel};
