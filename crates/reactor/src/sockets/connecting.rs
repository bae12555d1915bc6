//! A connect that the kernel is working on.
//!
//! It has ended when the socket is writable or has an error; since readiness may be a false alarm, the socket is asked both
//! whether it failed and whether it has a peer.
//!
//! Not here: time limits; more than one address.

use super::connection::SystemConnection;
use crate::source::{Left, Source};
use crate::{Direction, Reactor, failure};
use cx::port::{Connecting, Connection, IoFailure};
use std::io;
use std::net::TcpStream;
use std::sync::Arc;
use std::task::{Poll, Waker, ready};

pub(super) struct SystemConnecting {
    /// Nothing once the connection was handed out.
    source: Option<Source<TcpStream>>,
}

impl SystemConnecting {
    pub(super) fn new(reactor: Arc<Reactor>, socket: TcpStream) -> SystemConnecting {
        SystemConnecting { source: Some(Source::new(reactor, socket)) }
    }
}

impl Connecting for SystemConnecting {
    fn poll_connected(&mut self, waker: &Waker) -> Poll<Result<Box<dyn Connection>, IoFailure>> {
        let Some(source) = &self.source else {
            let error = io::Error::new(io::ErrorKind::NotConnected, "the connection was handed out already");
            return Poll::Ready(Err(failure::of(&error)));
        };
        let ended =
            ready!(source.poll_io(Direction::Write, waker, |stream| Ok((outcome(stream)?, Left::More))));
        let source = self.source.take();
        ended?;
        match source {
            Some(source) => Poll::Ready(Ok(Box::new(SystemConnection::connected(source)))),
            None => unreachable!("it was there ten lines above"),
        }
    }
}

/// Connected, failed, or (as "would block") neither.
fn outcome(stream: &TcpStream) -> io::Result<()> {
    if let Some(error) = stream.take_error()? {
        return Err(error);
    }
    match stream.peer_addr() {
        Ok(_) => Ok(()),
        // Some systems say "invalid" of a connection that its peer has ended already: it did stand.
        Err(error) if error.raw_os_error() == Some(libc::EINVAL) => Ok(()),
        Err(error) if error.kind() == io::ErrorKind::NotConnected => Err(io::ErrorKind::WouldBlock.into()),
        Err(error) => Err(error),
    }
}
