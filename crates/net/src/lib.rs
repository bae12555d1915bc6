//! TCP and signals, through a `Cx`: on the machine's network in production, on a simulated one in the lab.
//!
//! | module | what lives there |
//! |---|---|
//! | [`tcp`] | [`TcpListener`], [`TcpStream`] |
//! | [`signal`] | waiting for Ctrl-C and its kin; moves to `os` when that crate exists |
//! | [`error`] | what failed, where, and whose fault it is; failures and cancellation in one `?` |
//! | `turn` | one reader and one writer at a time |
//!
//! Operations that wait take a `&Cx` first, and keep, all alike:
//! - `cancel.first`: a cancellation that is effective is returned before anything happens to the socket.
//! - A future that is dropped while it waits has done nothing. (What spans several calls to the system, `write_all`, says
//!   what it may have done.)
//! - They hold no obligation. That is for operations whose buffer the kernel owns while it works (`ObligationKind::Io`);
//!   here the kernel only says that a call would succeed, and the call is then made by the task itself, within one poll.
//!
//! Not here: names (DNS), UDP, Unix sockets, TLS, buffers, time limits (`combinator::timeout` around any of these).
#![forbid(unsafe_code)]

pub mod error;
pub mod signal;
pub mod tcp;
mod turn;

pub use cx::port::Half;
pub use error::{Doing, Fault, NetError, OrCancelled};
pub use tcp::{ListenOptions, TcpListener, TcpStream};
