//! One end of a simulated connection, as the port sees it.
use super::host::Port;
use super::link::{End, Link};
use super::medium::Medium;
use cx::port::{Connection, Half, IoFailure};
use std::net::SocketAddr;
use std::sync::Arc;
use std::task::{Poll, Waker};

/// See the module. Dropping it closes the connection: with the end of the stream, or with a reset if bytes are unread.
pub(super) struct SimStream {
    link: Arc<Link>,
    end: End,
    local: SocketAddr,
    peer: SocketAddr,
    /// The client's port is its own for as long as this is there; the server's is its listener's.
    _port: Option<Port>,
}

impl SimStream {
    /// The two ends of a new connection: the client's, then the server's.
    pub(super) fn pair(medium: &Arc<Medium>, client: Port, server: SocketAddr) -> (SimStream, SimStream) {
        let link = Link::new(medium.clone());
        let from = SocketAddr::new(server.ip(), client.number());
        let at_client = SimStream {
            link: link.clone(),
            end: End::Client,
            local: from,
            peer: server,
            _port: Some(client),
        };
        let at_server = SimStream { link, end: End::Server, local: server, peer: from, _port: None };
        (at_client, at_server)
    }

    pub(super) fn peer(&self) -> SocketAddr {
        self.peer
    }

    /// Closes the connection with a reset.
    pub(super) fn abort(self) {
        self.link.close(self.end, true)
    }
}

impl Connection for SimStream {
    fn poll_read(&self, waker: &Waker, buf: &mut [u8]) -> Poll<Result<usize, IoFailure>> {
        self.link.poll_read(self.end, waker, buf)
    }

    fn poll_write(&self, waker: &Waker, buf: &[u8]) -> Poll<Result<usize, IoFailure>> {
        self.link.poll_write(self.end, waker, buf)
    }

    fn shutdown(&self, half: Half) -> Result<(), IoFailure> {
        self.link.shutdown(self.end, half)
    }

    fn peer(&self) -> Result<SocketAddr, IoFailure> {
        Ok(self.peer)
    }

    fn local(&self) -> Result<SocketAddr, IoFailure> {
        Ok(self.local)
    }

    /// Nothing to do: what is written leaves at once.
    fn set_nodelay(&self, _on: bool) -> Result<(), IoFailure> {
        Ok(())
    }
}

impl Drop for SimStream {
    fn drop(&mut self) {
        self.link.close(self.end, false)
    }
}
