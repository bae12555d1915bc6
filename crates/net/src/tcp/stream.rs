//! A TCP connection.
//!
//! Not here: buffering, framing.

use super::Operation;
use crate::error::{Doing, NetError, OrCancelled};
use crate::turn::Turn;
use cx::port::{Connecting, Connection, Half, IoFailure};
use cx::{Cx, MayNet, Row};
use std::fmt;
use std::net::SocketAddr;
use std::task::{Poll, Waker, ready};
use types::WaitKind;

static CONNECT: WaitKind = WaitKind::new("TcpStream::connect");
static READ: WaitKind = WaitKind::new("TcpStream::read (no data)");
static WRITE: WaitKind = WaitKind::new("TcpStream::write (peer does not read)");

/// A TCP connection. All methods take `&self`: put it into an `Arc` to read in one task and write in another. One task
/// at a time may read and one may write; a second one gets an error. Dropping it closes it.
pub struct TcpStream {
    connection: Box<dyn Connection>,
    peer: SocketAddr,
    reading: Turn,
    writing: Turn,
}

impl TcpStream {
    pub(crate) fn new(connection: Box<dyn Connection>, peer: SocketAddr) -> TcpStream {
        TcpStream { connection, peer, reading: Turn::default(), writing: Turn::default() }
    }

    /// Connects to `address`. There is no time limit but the system's, which may be minutes: put a timeout around it.
    ///
    /// Cancelled or dropped while it waits, the attempt is given up.
    ///
    /// # Errors
    /// When the other end refuses or can't be reached, descriptors run out, or the world has no network.
    /// [`OrCancelled::Cancelled`] on request.
    pub async fn connect<C: MayNet>(
        cx: &Cx<C>,
        address: impl Into<SocketAddr>,
    ) -> Result<TcpStream, OrCancelled<NetError>> {
        let (to, alone) = (address.into(), Turn::default());
        let mut connecting: Option<Box<dyn Connecting>> = None;
        let poll = |waker: &Waker| {
            if connecting.is_none() {
                connecting = Some(cx.net()?.connect(to)?);
            }
            match &mut connecting {
                Some(connecting) => connecting.poll_connected(waker),
                None => unreachable!("it was begun two lines above"),
            }
        };
        let (kind, doing) = (&CONNECT, Doing::Connect);
        let connection = Operation { cx, turn: &alone, taken: None, kind, doing, address: &to, poll }.await?;
        Ok(TcpStream::new(connection, to))
    }

    /// Reads what has come, at least one byte if `buf` has room for one; 0 is the end of the stream.
    ///
    /// Cancelled or dropped while it waits, it has read nothing.
    ///
    /// # Errors
    /// When the connection broke, or another task is reading. [`OrCancelled::Cancelled`] on request.
    pub async fn read<C: MayNet>(&self, cx: &Cx<C>, buf: &mut [u8]) -> Result<usize, OrCancelled<NetError>> {
        self.reads(cx, |waker| self.connection.poll_read(waker, buf)).await
    }

    /// Writes as many bytes of `buf` as there is room for, at least one if it isn't empty; returns how many.
    ///
    /// Cancelled or dropped while it waits, it has written nothing.
    ///
    /// # Errors
    /// When the connection broke, or another task is writing. [`OrCancelled::Cancelled`] on request.
    pub async fn write<C: MayNet>(&self, cx: &Cx<C>, buf: &[u8]) -> Result<usize, OrCancelled<NetError>> {
        self.writes(cx, |waker| self.connection.poll_write(waker, buf)).await
    }

    /// Writes all of `buf`, and lets no other task write in between.
    ///
    /// Cancelled, dropped or failed on the way, some of the bytes have been written: the stream is of no more use for
    /// whoever counts bytes. Write in a `masked` scope where that must not happen.
    ///
    /// # Errors
    /// As [`TcpStream::write`].
    pub async fn write_all<C: MayNet>(&self, cx: &Cx<C>, buf: &[u8]) -> Result<(), OrCancelled<NetError>> {
        let mut rest = buf;
        self.writes(cx, |waker| {
            while !rest.is_empty() {
                match ready!(self.connection.poll_write(waker, rest))? {
                    0 => return Poll::Ready(Err(wrote_nothing())),
                    n => rest = &rest[n..],
                }
            }
            Poll::Ready(Ok(()))
        })
        .await
    }

    #[inline]
    fn reads<'a, C, T, P>(&'a self, cx: &'a Cx<C>, poll: P) -> Operation<'a, C, P>
    where
        C: Row,
        P: FnMut(&Waker) -> Poll<Result<T, IoFailure>>,
    {
        let (kind, doing, address) = (&READ, Doing::Read, &self.peer);
        Operation { cx, turn: &self.reading, taken: None, kind, doing, address, poll }
    }

    #[inline]
    fn writes<'a, C, T, P>(&'a self, cx: &'a Cx<C>, poll: P) -> Operation<'a, C, P>
    where
        C: Row,
        P: FnMut(&Waker) -> Poll<Result<T, IoFailure>>,
    {
        let (kind, doing, address) = (&WRITE, Doing::Write, &self.peer);
        Operation { cx, turn: &self.writing, taken: None, kind, doing, address, poll }
    }

    /// Shuts one half or both. Does not wait. Of the write half, the peer reads the end once it has read what was
    /// written before; a task of ours that waits in the half that is shut is woken.
    ///
    /// # Errors
    /// When the peer has ended the connection already.
    pub fn shutdown(&self, half: Half) -> Result<(), NetError> {
        self.connection.shutdown(half).map_err(NetError::of(Doing::Shutdown, self.peer))
    }

    /// The other end.
    pub fn peer_addr(&self) -> SocketAddr {
        self.peer
    }

    /// This end. One system call.
    ///
    /// # Errors
    /// What the system said.
    pub fn local_addr(&self) -> Result<SocketAddr, NetError> {
        self.connection.local().map_err(NetError::of(Doing::Address, self.peer))
    }

    /// Whether small writes are sent at once (TCP_NODELAY), instead of being gathered while an earlier one is
    /// unacknowledged. Off at first.
    ///
    /// # Errors
    /// What the system said.
    pub fn set_nodelay(&self, on: bool) -> Result<(), NetError> {
        self.connection.set_nodelay(on).map_err(NetError::of(Doing::Option, self.peer))
    }
}

/// A port that takes nothing and gives no reason would have us ask for ever.
fn wrote_nothing() -> IoFailure {
    IoFailure { code: None, text: "nothing could be written".into() }
}

impl fmt::Debug for TcpStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TcpStream").field("peer", &self.peer).finish_non_exhaustive()
    }
}
