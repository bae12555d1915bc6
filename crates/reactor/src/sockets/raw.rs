//! The system calls of sockets that std has no functions for, or none that fit: sockets that never wait from birth, with the
//! option for an address that is taken again, and transfers that raise no signal.
//!
//! Invariants:
//! - `sockets.plain`: what the system writes are bytes and structures of integers, of which every pattern of bits is a
//!   value; it is given no pointer that outlives the call, and lengths that are those of what is pointed to.
//! - `sockets.owned`: a descriptor that a call has made is owned before anything else is done.
//!
//! Not here: which calls make what (`open`); waiting.

use crate::raw::{done, owned};
use libc::{c_int, sockaddr, sockaddr_in, sockaddr_in6, sockaddr_storage, socklen_t};
use std::io;
use std::mem;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV6};
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::ptr;

/// Sockets that never wait and are closed on exec, for the systems that make them so in the one call.
#[cfg(any(
    target_os = "linux",
    target_os = "android",
    target_os = "freebsd",
    target_os = "netbsd",
    target_os = "openbsd"
))]
const AT_BIRTH: c_int = libc::SOCK_NONBLOCK | libc::SOCK_CLOEXEC;

/// What has a send to a peer that has gone fail and not raise SIGPIPE.
#[cfg(not(target_vendor = "apple"))]
const NO_SIGNAL: c_int = libc::MSG_NOSIGNAL;
#[cfg(target_vendor = "apple")]
const NO_SIGNAL: c_int = 0;

/// A stream socket for addresses of this kind, which never waits and is closed on exec.
pub(super) fn stream_socket(at: SocketAddr) -> io::Result<OwnedFd> {
    let family = match at {
        SocketAddr::V4(_) => libc::AF_INET,
        SocketAddr::V6(_) => libc::AF_INET6,
    };
    birth::socket(family)
}

/// Takes the next connection of a listening socket. It never waits and is closed on exec. A peer that has left already
/// may have no address.
pub(super) fn accept(listener: impl AsFd) -> io::Result<(OwnedFd, Option<SocketAddr>)> {
    // SAFETY: `sockets.plain`: integers, for which zeros are a value.
    let mut peer: sockaddr_storage = unsafe { mem::zeroed() };
    let mut length = 0;
    let socket = birth::accept(listener.as_fd().as_raw_fd(), &mut peer, &mut length)?;
    Ok((socket, decoded(&peer, length)))
}

/// Lets the address of this socket be taken again at once after a restart.
pub(super) fn reuse_address(socket: impl AsFd) -> io::Result<()> {
    set(socket.as_fd().as_raw_fd(), libc::SO_REUSEADDR)
}

/// Gives the socket its own address.
pub(super) fn bind(socket: impl AsFd, at: SocketAddr) -> io::Result<()> {
    let at = Encoded::of(at);
    let (address, length) = at.parts();
    // SAFETY: `sockets.plain`: `at` lives until the call has returned.
    done(unsafe { libc::bind(socket.as_fd().as_raw_fd(), address, length) })
}

/// Has the socket take connections from now on.
pub(super) fn listen(socket: impl AsFd, backlog: c_int) -> io::Result<()> {
    // SAFETY: takes numbers.
    done(unsafe { libc::listen(socket.as_fd().as_raw_fd(), backlog) })
}

/// Begins to connect.
pub(super) fn connect(socket: impl AsFd, to: SocketAddr) -> io::Result<()> {
    let to = Encoded::of(to);
    let (address, length) = to.parts();
    // SAFETY: `sockets.plain`: `to` lives until the call has returned.
    done(unsafe { libc::connect(socket.as_fd().as_raw_fd(), address, length) })
}

/// Takes what has come, at most as much as there is room for.
pub(super) fn recv(socket: impl AsFd, room: &mut [u8]) -> io::Result<usize> {
    let socket = socket.as_fd().as_raw_fd();
    // SAFETY: `sockets.plain`: the room is the caller's for as long as the call takes; no address is asked for.
    moved(unsafe { transfer::recv(socket, room.as_mut_ptr(), room.len()) })
}

/// Gives as many of the bytes to the socket as it takes. A peer that has gone is an error of this call, and not a signal
/// to the process.
pub(super) fn send(socket: impl AsFd, bytes: &[u8]) -> io::Result<usize> {
    let socket = socket.as_fd().as_raw_fd();
    // SAFETY: `sockets.plain`: the bytes are borrowed for as long as the call takes; no address is given.
    moved(unsafe { transfer::send(socket, bytes.as_ptr(), bytes.len(), NO_SIGNAL) })
}

/// Called by number: the C library's functions are points at which a thread may be cancelled, which costs two atomic
/// operations a call (measured: 40 % of an echo's user time).
#[cfg(target_os = "linux")]
mod transfer {
    use libc::{SYS_recvfrom, SYS_sendto, c_int, c_long, socklen_t, syscall};
    use std::ptr::null_mut;

    /// # Safety
    /// The room is valid for writes of as many bytes as are said.
    pub(super) unsafe fn recv(socket: c_int, room: *mut u8, most: usize) -> c_long {
        // SAFETY: the caller's; the places for an address and its length are none.
        unsafe {
            syscall(SYS_recvfrom, socket, room, most, 0 as c_int, null_mut::<u8>(), null_mut::<socklen_t>())
        }
    }

    /// # Safety
    /// The bytes are valid for as many reads as are said.
    pub(super) unsafe fn send(socket: c_int, bytes: *const u8, length: usize, flags: c_int) -> c_long {
        // SAFETY: the caller's; there is no address.
        unsafe { syscall(SYS_sendto, socket, bytes, length, flags, null_mut::<u8>(), 0 as c_long) }
    }
}

#[cfg(not(target_os = "linux"))]
mod transfer {
    use libc::c_int;

    /// # Safety
    /// The room is valid for writes of as many bytes as are said.
    pub(super) unsafe fn recv(socket: c_int, room: *mut u8, most: usize) -> isize {
        // SAFETY: the caller's.
        unsafe { libc::recv(socket, room.cast(), most, 0) }
    }

    /// # Safety
    /// The bytes are valid for as many reads as are said.
    pub(super) unsafe fn send(socket: c_int, bytes: *const u8, length: usize, flags: c_int) -> isize {
        // SAFETY: the caller's.
        unsafe { libc::send(socket, bytes.cast(), length, flags) }
    }
}

#[cfg(any(
    target_os = "linux",
    target_os = "android",
    target_os = "freebsd",
    target_os = "netbsd",
    target_os = "openbsd"
))]
mod birth {
    use super::*;

    pub(super) fn socket(family: c_int) -> io::Result<OwnedFd> {
        // SAFETY: takes numbers and gives a descriptor that nobody else has.
        unsafe { owned(libc::socket(family, libc::SOCK_STREAM | AT_BIRTH, 0)) }
    }

    pub(super) fn accept(
        listener: c_int,
        peer: &mut sockaddr_storage,
        length: &mut socklen_t,
    ) -> io::Result<OwnedFd> {
        *length = size_of_val(peer) as socklen_t;
        let peer = ptr::from_mut(peer).cast();
        // SAFETY: `sockets.plain`: the length is that of `peer`. The descriptor is nobody else's.
        unsafe { owned(libc::accept4(listener, peer, length, AT_BIRTH)) }
    }
}

#[cfg(not(any(
    target_os = "linux",
    target_os = "android",
    target_os = "freebsd",
    target_os = "netbsd",
    target_os = "openbsd"
)))]
mod birth {
    use super::*;

    pub(super) fn socket(family: c_int) -> io::Result<OwnedFd> {
        // SAFETY: takes numbers and gives a descriptor that nobody else has.
        raised(unsafe { owned(libc::socket(family, libc::SOCK_STREAM, 0)) }?)
    }

    pub(super) fn accept(
        listener: c_int,
        peer: &mut sockaddr_storage,
        length: &mut socklen_t,
    ) -> io::Result<OwnedFd> {
        *length = size_of_val(peer) as socklen_t;
        let peer = ptr::from_mut(peer).cast();
        // SAFETY: `sockets.plain`: the length is that of `peer`. The descriptor is nobody else's.
        raised(unsafe { owned(libc::accept(listener, peer, length)) }?)
    }

    /// The socket as it would have been from birth elsewhere.
    fn raised(socket: OwnedFd) -> io::Result<OwnedFd> {
        // SAFETY: takes numbers.
        done(unsafe { libc::fcntl(socket.as_raw_fd(), libc::F_SETFD, libc::FD_CLOEXEC) })?;
        #[cfg(target_vendor = "apple")]
        set(socket.as_raw_fd(), libc::SO_NOSIGPIPE)?;
        let socket = std::net::TcpStream::from(socket);
        socket.set_nonblocking(true)?;
        Ok(socket.into())
    }
}

/// Switches an option of the socket on.
fn set(socket: c_int, option: c_int) -> io::Result<()> {
    let on: c_int = 1;
    // SAFETY: `sockets.plain`: the option takes an int.
    done(unsafe {
        libc::setsockopt(
            socket,
            libc::SOL_SOCKET,
            option,
            ptr::from_ref(&on).cast(),
            size_of::<c_int>() as socklen_t,
        )
    })
}

/// An address as the system takes it.
enum Encoded {
    V4(sockaddr_in),
    V6(sockaddr_in6),
}

impl Encoded {
    fn of(address: SocketAddr) -> Encoded {
        match address {
            SocketAddr::V4(address) => {
                // SAFETY: `sockets.plain`: integers, for which zeros are a value.
                let mut encoded: sockaddr_in = unsafe { mem::zeroed() };
                encoded.sin_family = libc::AF_INET as libc::sa_family_t;
                encoded.sin_port = address.port().to_be();
                encoded.sin_addr.s_addr = u32::from_ne_bytes(address.ip().octets());
                Encoded::V4(encoded)
            }
            SocketAddr::V6(address) => {
                // SAFETY: `sockets.plain`: integers, for which zeros are a value.
                let mut encoded: sockaddr_in6 = unsafe { mem::zeroed() };
                encoded.sin6_family = libc::AF_INET6 as libc::sa_family_t;
                encoded.sin6_port = address.port().to_be();
                encoded.sin6_addr.s6_addr = address.ip().octets();
                encoded.sin6_flowinfo = address.flowinfo();
                encoded.sin6_scope_id = address.scope_id();
                Encoded::V6(encoded)
            }
        }
    }

    fn parts(&self) -> (*const sockaddr, socklen_t) {
        match self {
            Encoded::V4(address) => (ptr::from_ref(address).cast(), size_of_val(address) as socklen_t),
            Encoded::V6(address) => (ptr::from_ref(address).cast(), size_of_val(address) as socklen_t),
        }
    }
}

/// The address that the system has written, if it is one of ours.
fn decoded(address: &sockaddr_storage, length: socklen_t) -> Option<SocketAddr> {
    let (family, length) = (c_int::from(address.ss_family), length as usize);
    let address = ptr::from_ref(address);
    if family == libc::AF_INET && length >= size_of::<sockaddr_in>() {
        // SAFETY: `sockets.plain`: so says the family, and the storage is aligned and long enough for each of them.
        let address = unsafe { &*address.cast::<sockaddr_in>() };
        let ip = Ipv4Addr::from(address.sin_addr.s_addr.to_ne_bytes());
        return Some(SocketAddr::from((ip, u16::from_be(address.sin_port))));
    }
    if family == libc::AF_INET6 && length >= size_of::<sockaddr_in6>() {
        // SAFETY: as above.
        let address = unsafe { &*address.cast::<sockaddr_in6>() };
        let (ip, port) = (Ipv6Addr::from(address.sin6_addr.s6_addr), u16::from_be(address.sin6_port));
        let address = SocketAddrV6::new(ip, port, address.sin6_flowinfo, address.sin6_scope_id);
        return Some(SocketAddr::V6(address));
    }
    None
}

/// What a call has returned that moves bytes.
fn moved(returned: impl TryInto<usize>) -> io::Result<usize> {
    returned.try_into().map_err(|_| io::Error::last_os_error())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs::File;
    use std::io::Write;
    use std::os::unix::net::UnixStream;
    use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};

    #[test]
    fn a_send_to_a_peer_that_has_gone_fails_and_raises_no_signal() {
        static RAISED: AtomicUsize = AtomicUsize::new(0);
        let count = || {
            RAISED.fetch_add(1, SeqCst);
        };
        // SAFETY: all that the handler does is one atomic operation.
        unsafe { signal_hook_registry::register(libc::SIGPIPE, count) }.expect("a handler");
        let (ours, theirs) = UnixStream::pair().expect("a pair");
        drop(theirs);
        assert_eq!(send(&ours, b"x").map_err(|error| error.raw_os_error()), Err(Some(libc::EPIPE)));
        assert_eq!(RAISED.load(SeqCst), 0);
        File::from(OwnedFd::from(ours)).write(b"x").expect_err("a plain write fails as well");
        assert_eq!(RAISED.load(SeqCst), 1, "and raises it");
    }

    #[test]
    fn an_address_comes_back_from_the_system_as_it_was_given() {
        let addresses = [
            SocketAddr::from(([1, 2, 3, 4], 0x1234)),
            SocketAddr::from(([0x2001, 0xdb8, 0, 0, 0, 0, 0, 7], 1)),
            SocketAddr::V6(SocketAddrV6::new(Ipv6Addr::LOCALHOST, 443, 5, 9)),
        ];
        for address in addresses {
            let encoded = Encoded::of(address);
            let (bytes, length) = encoded.parts();
            // SAFETY: integers, for which zeros are a value.
            let mut storage: sockaddr_storage = unsafe { mem::zeroed() };
            // SAFETY: `parts` gives a pointer to so many bytes, and the storage is longer than each kind of address.
            unsafe {
                ptr::copy_nonoverlapping(
                    bytes.cast::<u8>(),
                    ptr::from_mut(&mut storage).cast(),
                    length as usize,
                );
            }
            assert_eq!(decoded(&storage, length), Some(address));
            assert_eq!(decoded(&storage, length - 1), None, "it was cut");
        }
    }
}
