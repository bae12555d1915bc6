//! A connected TCP stream of the system.
//!
//! Not here: buffers; whole messages.

use super::raw;
use crate::source::{Left, Source};
use crate::{Direction, Reactor, event, failure};
use cx::port::{Connection, Half, IoFailure};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::sync::Arc;
use std::task::{Poll, Waker};

pub(super) struct SystemConnection {
    source: Source<TcpStream>,
}

impl SystemConnection {
    pub(super) fn new(reactor: Arc<Reactor>, stream: TcpStream) -> SystemConnection {
        SystemConnection { source: Source::new(reactor, stream) }
    }

    pub(super) fn connected(source: Source<TcpStream>) -> SystemConnection {
        SystemConnection { source }
    }
}

impl Connection for SystemConnection {
    fn poll_read(&self, waker: &Waker, buf: &mut [u8]) -> Poll<Result<usize, IoFailure>> {
        if buf.is_empty() {
            return Poll::Ready(Ok(0));
        }
        self.source.poll_io(Direction::Read, waker, |stream| {
            let n = raw::recv(stream, buf)?;
            // A short read has emptied the socket. The end of the stream stays to be read again.
            let left = if n == 0 || n == buf.len() { Left::More } else { Left::Nothing };
            Ok((n, left))
        })
    }

    fn poll_write(&self, waker: &Waker, buf: &[u8]) -> Poll<Result<usize, IoFailure>> {
        if buf.is_empty() {
            return Poll::Ready(Ok(0));
        }
        self.source.poll_io(Direction::Write, waker, |stream| {
            let n = raw::send(stream, buf)?;
            Ok((n, if n < buf.len() { Left::Nothing } else { Left::More }))
        })
    }

    fn shutdown(&self, half: Half) -> Result<(), IoFailure> {
        let (how, bits) = match half {
            Half::Read => (Shutdown::Read, event::READ | event::END),
            Half::Write => (Shutdown::Write, event::WRITE),
            Half::Both => (Shutdown::Both, event::READ | event::WRITE | event::END),
        };
        self.source.io().shutdown(how).map_err(failure::from)?;
        // Whoever waits on the half that was shut is told here and now; not every system makes an event of it.
        if let Some(slot) = self.source.slot() {
            slot.event(bits);
        }
        Ok(())
    }

    fn peer(&self) -> Result<SocketAddr, IoFailure> {
        self.source.io().peer_addr().map_err(failure::from)
    }

    fn local(&self) -> Result<SocketAddr, IoFailure> {
        self.source.io().local_addr().map_err(failure::from)
    }

    fn set_nodelay(&self, on: bool) -> Result<(), IoFailure> {
        self.source.io().set_nodelay(on).map_err(failure::from)
    }
}
