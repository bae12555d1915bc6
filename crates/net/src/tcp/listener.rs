//! A TCP socket that listens.
//!
//! Not here: a loop that accepts; what to do when descriptors run out (see [`NetError`]).

use super::{Operation, TcpStream};
use crate::error::{Doing, NetError, OrCancelled};
use crate::turn::Turn;
use cx::port::Listener;
use cx::{Cx, MayNet};
use std::fmt;
use std::net::SocketAddr;
use std::task::Waker;
use types::WaitKind;

static ACCEPT: WaitKind = WaitKind::new("TcpListener::accept (no connection)");

/// How to listen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ListenOptions {
    backlog: u32,
}

impl ListenOptions {
    /// The defaults: a backlog of 1024.
    pub const fn new() -> ListenOptions {
        ListenOptions { backlog: 1024 }
    }

    /// How many connections may wait to be accepted before the system turns more away. The system has a limit of its own
    /// (Linux: `net.core.somaxconn`, 4096 by default).
    pub const fn backlog(mut self, connections: u32) -> ListenOptions {
        self.backlog = connections;
        self
    }
}

impl Default for ListenOptions {
    fn default() -> Self {
        ListenOptions::new()
    }
}

/// A TCP socket that listens. Dropping it closes it, and refuses whoever has not been accepted.
pub struct TcpListener {
    listener: Box<dyn Listener>,
    at: SocketAddr,
    accepting: Turn,
}

impl TcpListener {
    /// Listens at `address`; port 0 lets the system choose one. Does not wait. The address can be taken again at once
    /// after a restart (SO_REUSEADDR).
    ///
    /// # Errors
    /// When the address is in use or isn't this machine's, or the world has no network.
    pub fn bind<C: MayNet>(cx: &Cx<C>, address: impl Into<SocketAddr>) -> Result<TcpListener, NetError> {
        TcpListener::bind_with(cx, address, ListenOptions::new())
    }

    /// As [`TcpListener::bind`], with options.
    ///
    /// # Errors
    /// As [`TcpListener::bind`].
    pub fn bind_with<C: MayNet>(
        cx: &Cx<C>,
        address: impl Into<SocketAddr>,
        options: ListenOptions,
    ) -> Result<TcpListener, NetError> {
        let address = address.into();
        let error = NetError::of(Doing::Listen, address);
        let listener = cx.net().and_then(|net| net.listen(address, options.backlog)).map_err(&error)?;
        let at = listener.local().map_err(&error)?;
        Ok(TcpListener { listener, at, accepting: Turn::default() })
    }

    /// Waits for a connection; returns it and where it's from. One task at a time may wait here.
    ///
    /// Cancelled or dropped while it waits, it has taken no connection from the queue.
    ///
    /// # Errors
    /// When the machine has no descriptor left: the connection stays in the queue, and trying again at once fails again
    /// at once. Connections that died before they were accepted are no errors. [`OrCancelled::Cancelled`] on request.
    pub async fn accept<C: MayNet>(
        &self,
        cx: &Cx<C>,
    ) -> Result<(TcpStream, SocketAddr), OrCancelled<NetError>> {
        let (turn, kind, doing, address) = (&self.accepting, &ACCEPT, Doing::Accept, &self.at);
        let poll = |waker: &Waker| self.listener.poll_accept(waker);
        let (connection, from) = Operation { cx, turn, taken: None, kind, doing, address, poll }.await?;
        Ok((TcpStream::new(connection, from), from))
    }

    /// Where it listens, with the port that the system chose.
    pub fn local_addr(&self) -> SocketAddr {
        self.at
    }
}

impl fmt::Debug for TcpListener {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TcpListener").field("at", &self.at).finish_non_exhaustive()
    }
}
