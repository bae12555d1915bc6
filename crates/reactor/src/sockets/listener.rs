//! A listening socket of the system.
//!
//! Connections that died between arriving and being accepted are passed over. When the process or the machine has no
//! descriptor left, the failure is returned each time: the caller has to wait a while, because the connection stays in
//! the queue and the next attempt fails as well.
//!
//! Not here: that waiting (`net`).

use super::connection::SystemConnection;
use super::open;
use crate::source::{Left, Source};
use crate::{Direction, Reactor, failure};
use cx::port::{Accepted, IoFailure, Listener};
use std::io;
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::task::{Poll, Waker, ready};

/// So many dead connections are passed over before another task may have the worker.
const DEAD_IN_A_ROW: usize = 16;

pub(super) struct SystemListener {
    reactor: Arc<Reactor>,
    source: Source<TcpListener>,
}

impl SystemListener {
    pub(super) fn new(reactor: Arc<Reactor>, socket: TcpListener) -> SystemListener {
        SystemListener { source: Source::new(reactor.clone(), socket), reactor }
    }
}

impl Listener for SystemListener {
    fn poll_accept(&self, waker: &Waker) -> Poll<Result<Accepted, IoFailure>> {
        for _ in 0..DEAD_IN_A_ROW {
            let accepted =
                self.source.poll_io(Direction::Read, waker, |listener| match open::accept(listener) {
                    Ok(accepted) => Ok((Some(accepted), Left::More)),
                    Err(error) if was_the_connections(&error) => Ok((None, Left::More)),
                    Err(error) => Err(error),
                });
            if let Some((stream, peer)) = ready!(accepted)? {
                return Poll::Ready(Ok((
                    Box::new(SystemConnection::new(self.reactor.clone(), stream)),
                    peer,
                )));
            }
        }
        waker.wake_by_ref();
        Poll::Pending
    }

    fn local(&self) -> Result<SocketAddr, IoFailure> {
        self.source.io().local_addr().map_err(failure::from)
    }
}

/// Whether a failed accept says something of the one connection that was taken from the queue, and nothing of the next.
/// Linux hands on what happened to it in the network (accept(2), "Error handling").
fn was_the_connections(error: &io::Error) -> bool {
    let of_the_connection = [
        libc::ECONNABORTED,
        libc::EPROTO,
        libc::ENETDOWN,
        libc::ENOPROTOOPT,
        libc::EHOSTDOWN,
        libc::EHOSTUNREACH,
        libc::ENETUNREACH,
    ];
    error.kind() == io::ErrorKind::ConnectionAborted
        || error.raw_os_error().is_some_and(|code| of_the_connection.contains(&code))
}
