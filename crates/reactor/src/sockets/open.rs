//! How sockets are made: all of them non-blocking from birth and closed on exec, and none of the calls waits.
//!
//! Not here: the system calls (`raw`); waiting.

use super::raw;
use std::io;
use std::net::{SocketAddr, TcpListener, TcpStream};

/// A socket that listens at `at`. Its address can be taken again at once after a restart (SO_REUSEADDR).
pub(super) fn listener(at: SocketAddr, backlog: u32) -> io::Result<TcpListener> {
    let socket = raw::stream_socket(at)?;
    raw::reuse_address(&socket)?;
    raw::bind(&socket, at)?;
    raw::listen(&socket, i32::try_from(backlog).unwrap_or(i32::MAX))?;
    Ok(socket.into())
}

/// A socket that has begun to connect to `to`.
pub(super) fn connecting(to: SocketAddr) -> io::Result<TcpStream> {
    let socket = raw::stream_socket(to)?;
    match raw::connect(&socket, to) {
        Ok(()) => Ok(socket.into()),
        // Interrupted or not, the kernel goes on connecting.
        Err(error) if matches!(error.raw_os_error(), Some(libc::EINPROGRESS | libc::EINTR)) => {
            Ok(socket.into())
        }
        Err(error) => Err(error),
    }
}

/// Accepts one connection.
pub(super) fn accept(listener: &TcpListener) -> io::Result<(TcpStream, SocketAddr)> {
    let (socket, peer) = raw::accept(listener)?;
    // A peer that has left already may have no address; the next call on the stream says what happened to it.
    let peer = peer.ok_or_else(|| io::Error::from(io::ErrorKind::ConnectionAborted))?;
    Ok((socket.into(), peer))
}
