//! The system calls that make sockets: all of them non-blocking from birth and closed on exec, and none of them waits.
//!
//! Not here: waiting.

use rustix::fd::OwnedFd;
use rustix::io::Errno;
use rustix::net::{AddressFamily, SocketType, sockopt};
use std::io;
use std::net::{SocketAddr, TcpListener, TcpStream};

/// A socket that listens at `at`. Its address can be taken again at once after a restart (SO_REUSEADDR).
pub(super) fn listener(at: SocketAddr, backlog: u32) -> io::Result<TcpListener> {
    let socket = stream_socket(at)?;
    sockopt::set_socket_reuseaddr(&socket, true)?;
    rustix::net::bind(&socket, &at)?;
    rustix::net::listen(&socket, i32::try_from(backlog).unwrap_or(i32::MAX))?;
    Ok(socket.into())
}

/// A socket that has begun to connect to `to`.
pub(super) fn connecting(to: SocketAddr) -> io::Result<TcpStream> {
    let socket = stream_socket(to)?;
    match rustix::net::connect(&socket, &to) {
        // Interrupted or not, the kernel goes on connecting.
        Ok(()) | Err(Errno::INPROGRESS | Errno::INTR) => Ok(socket.into()),
        Err(error) => Err(error.into()),
    }
}

#[cfg(any(
    target_os = "linux",
    target_os = "android",
    target_os = "freebsd",
    target_os = "netbsd",
    target_os = "openbsd"
))]
mod calls {
    use super::*;
    use rustix::net::SocketFlags;

    const FLAGS: SocketFlags = SocketFlags::NONBLOCK.union(SocketFlags::CLOEXEC);

    pub(super) fn stream_socket(at: SocketAddr) -> io::Result<OwnedFd> {
        Ok(rustix::net::socket_with(family(at), SocketType::STREAM, FLAGS, None)?)
    }

    /// Accepts one connection, in one system call.
    pub(in crate::sockets) fn accept(listener: &TcpListener) -> io::Result<(TcpStream, SocketAddr)> {
        let (socket, peer) = rustix::net::acceptfrom_with(listener, FLAGS)?;
        let peer = peer.and_then(|peer| SocketAddr::try_from(peer).ok());
        let stream = TcpStream::from(socket);
        // A peer that has left already may have no address; the next call on the stream says what happened to it.
        let peer = peer.ok_or_else(|| io::Error::from(io::ErrorKind::ConnectionAborted))?;
        Ok((stream, peer))
    }
}

#[cfg(not(any(
    target_os = "linux",
    target_os = "android",
    target_os = "freebsd",
    target_os = "netbsd",
    target_os = "openbsd"
)))]
mod calls {
    use super::*;

    pub(super) fn stream_socket(at: SocketAddr) -> io::Result<OwnedFd> {
        let socket = rustix::net::socket(family(at), SocketType::STREAM, None)?;
        rustix::io::fcntl_setfd(&socket, rustix::io::FdFlags::CLOEXEC)?;
        rustix::io::ioctl_fionbio(&socket, true)?;
        Ok(socket)
    }

    /// Accepts one connection, in as many calls as this system needs.
    pub(in crate::sockets) fn accept(listener: &TcpListener) -> io::Result<(TcpStream, SocketAddr)> {
        let (stream, peer) = listener.accept()?;
        stream.set_nonblocking(true)?;
        Ok((stream, peer))
    }
}

pub(super) use calls::accept;
use calls::stream_socket;

fn family(at: SocketAddr) -> AddressFamily {
    match at {
        SocketAddr::V4(_) => AddressFamily::INET,
        SocketAddr::V6(_) => AddressFamily::INET6,
    }
}
