//! What can go wrong: [`NetError`] says what was being done, at which address, what the system said and whose fault it is.
//! [`OrCancelled`] puts a failure beside a cancellation so that one `?` tells them apart.
//!
//! Not here: retrying.

use cx::port::IoFailure;
use std::fmt;
use std::io;
use std::net::SocketAddr;
use types::{Cancelled, IntoStop, Stop};

/// What was being done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Doing {
    /// Taking an address to listen at.
    Listen,
    /// Accepting a connection.
    Accept,
    /// Connecting.
    Connect,
    /// Reading.
    Read,
    /// Writing.
    Write,
    /// Shutting a half.
    Shutdown,
    /// Asking for an address.
    Address,
    /// Setting an option.
    Option,
}

impl Doing {
    fn words(self) -> (&'static str, &'static str) {
        match self {
            Doing::Listen => ("listen", "at"),
            Doing::Accept => ("accept a connection", "at"),
            Doing::Connect => ("connect", "to"),
            Doing::Read => ("read", "from"),
            Doing::Write => ("write", "to"),
            Doing::Shutdown => ("shut down the connection", "to"),
            Doing::Address => ("find the address of the socket", "of"),
            Doing::Option => ("set an option of the connection", "to"),
        }
    }
}

/// Who would have to change something.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Fault {
    /// This program or its configuration: the address is taken or isn't ours, permission is missing, two tasks use one half.
    Caller,
    /// The other end: it refused, reset, or left.
    Peer,
    /// What lies between: unreachable, or no answer in time.
    Network,
    /// This machine: no descriptors or no memory are left. It may pass: wait a while and try again.
    Machine,
}

/// An operation of the network failed. One word; the details are behind it.
///
/// ```
/// use asupersync_net::{Fault, NetError, OrCancelled, TcpListener, TcpStream};
/// use std::time::Duration;
///
/// /// When the machine is out of descriptors, accepting again at once would fail again at once.
/// async fn accept(cx: &cx::Cx, listener: &TcpListener) -> Result<TcpStream, OrCancelled<NetError>> {
///     loop {
///         match listener.accept(cx).await {
///             Ok((stream, _from)) => return Ok(stream),
///             Err(OrCancelled::Failed(e)) if e.fault() == Fault::Machine => cx.yield_now().await, // better: sleep
///             Err(stop) => return Err(stop),
///         }
///     }
/// }
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct NetError(Box<Details>);

#[derive(Clone, Debug, PartialEq, Eq)]
struct Details {
    doing: Doing,
    address: Option<SocketAddr>,
    failure: IoFailure,
}

impl NetError {
    pub(crate) fn new(doing: Doing, address: Option<SocketAddr>, failure: IoFailure) -> NetError {
        NetError(Box::new(Details { doing, address, failure }))
    }

    /// Makes the errors of one operation, for `map_err`.
    pub(crate) fn of(doing: Doing, address: SocketAddr) -> impl Fn(IoFailure) -> NetError {
        move |failure| NetError::new(doing, Some(address), failure)
    }

    /// What was being done.
    pub fn doing(&self) -> Doing {
        self.0.doing
    }

    /// With which address: the own one of a listener, the other end's of a connection.
    pub fn address(&self) -> Option<SocketAddr> {
        self.0.address
    }

    /// The system's error number, if the failure was the system's.
    pub fn code(&self) -> Option<i32> {
        self.0.failure.code
    }

    /// What `std` calls the number; [`io::ErrorKind::Other`] without one.
    pub fn kind(&self) -> io::ErrorKind {
        self.code().map_or(io::ErrorKind::Other, |code| io::Error::from_raw_os_error(code).kind())
    }

    /// Who would have to change something.
    pub fn fault(&self) -> Fault {
        use io::ErrorKind as Kind;
        match self.kind() {
            Kind::ConnectionRefused | Kind::ConnectionReset | Kind::ConnectionAborted | Kind::BrokenPipe => {
                Fault::Peer
            }
            Kind::TimedOut | Kind::HostUnreachable | Kind::NetworkUnreachable | Kind::NetworkDown => {
                Fault::Network
            }
            Kind::OutOfMemory => Fault::Machine,
            _ if self.code().is_some_and(|code| NOTHING_LEFT.contains(&code)) => Fault::Machine,
            _ => Fault::Caller,
        }
    }
}

/// No descriptors in the system (ENFILE), in the process (EMFILE), no buffers (ENOBUFS): `std` has no kind for them. The
/// first two have the same numbers on every Unix.
const NOTHING_LEFT: [i32; 3] = [23, 24, if cfg!(target_os = "linux") { 105 } else { 55 }];

impl fmt::Debug for NetError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Details { doing, address, failure } = &*self.0;
        f.debug_struct("NetError")
            .field("doing", doing)
            .field("address", address)
            .field("fault", &self.fault())
            .field("failure", failure)
            .finish()
    }
}

/// "failed to connect to 192.0.2.1:80: Connection refused (os error 111)"
impl fmt::Display for NetError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (what, preposition) = self.0.doing.words();
        write!(f, "failed to {what}")?;
        if let Some(address) = self.0.address {
            write!(f, " {preposition} {address}")?;
        }
        write!(f, ": {}", self.0.failure)
    }
}

impl std::error::Error for NetError {}

/// So that `?` serves functions that return `io::Error`, too. Keeps the number where there is one, otherwise the words.
impl From<NetError> for io::Error {
    fn from(error: NetError) -> io::Error {
        match error.code() {
            Some(code) => io::Error::from_raw_os_error(code),
            None => io::Error::other(error),
        }
    }
}

/// Why an operation ended with nothing: it failed, or it was told to stop.
///
/// Deliberately no [`std::error::Error`]: the cancellation in it must not become an application error. `?` takes it
/// apart in any `Res<T, E>` whose `E` can be made from `F`.
///
/// ```
/// use asupersync_net::TcpStream;
/// use types::Res;
///
/// async fn greet(cx: &cx::Cx, to: std::net::SocketAddr) -> Res {
///     let stream = TcpStream::connect(cx, to).await?;
///     stream.write_all(cx, b"hello\n").await?;
///     Ok(())
/// }
/// ```
#[derive(Debug)]
pub enum OrCancelled<F> {
    /// It failed.
    Failed(F),
    /// A cancellation was effective.
    Cancelled(Cancelled),
}

impl<F> OrCancelled<F> {
    /// Whether it was a cancellation.
    pub const fn is_cancelled(&self) -> bool {
        matches!(self, OrCancelled::Cancelled(_))
    }

    /// The failure, if it was one.
    pub fn failed(self) -> Option<F> {
        match self {
            OrCancelled::Failed(failure) => Some(failure),
            OrCancelled::Cancelled(_) => None,
        }
    }
}

impl<F: fmt::Display> fmt::Display for OrCancelled<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            OrCancelled::Failed(failure) => failure.fmt(f),
            OrCancelled::Cancelled(cancelled) => cancelled.fmt(f),
        }
    }
}

impl<F> From<Cancelled> for OrCancelled<F> {
    fn from(cancelled: Cancelled) -> Self {
        OrCancelled::Cancelled(cancelled)
    }
}

impl From<NetError> for OrCancelled<NetError> {
    fn from(error: NetError) -> Self {
        OrCancelled::Failed(error)
    }
}

impl<F, E: From<F>> From<OrCancelled<F>> for Stop<E> {
    fn from(error: OrCancelled<F>) -> Self {
        match error {
            OrCancelled::Failed(failure) => Stop::Err(failure.into()),
            OrCancelled::Cancelled(cancelled) => Stop::Cancelled(cancelled),
        }
    }
}

/// So that a task may return `Result<_, OrCancelled<F>>`.
impl<F: fmt::Debug + Send + 'static> IntoStop for OrCancelled<F> {
    type App = F;
    fn into_stop(self) -> Stop<F> {
        self.into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn failed(kind: io::ErrorKind, code: Option<i32>) -> NetError {
        let text = kind.to_string();
        NetError::new(Doing::Connect, Some(([192, 0, 2, 1], 80).into()), IoFailure { code, text })
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn the_number_says_whose_fault_it_is() {
        let table = [
            (111, Fault::Peer, "refused"),
            (104, Fault::Peer, "reset"),
            (32, Fault::Peer, "broken pipe"),
            (113, Fault::Network, "no route"),
            (110, Fault::Network, "timed out"),
            (24, Fault::Machine, "too many open files here"),
            (23, Fault::Machine, "too many open files anywhere"),
            (105, Fault::Machine, "no buffers"),
            (12, Fault::Machine, "no memory"),
            (98, Fault::Caller, "in use"),
            (13, Fault::Caller, "not permitted"),
        ];
        for (code, fault, name) in table {
            assert_eq!(failed(io::ErrorKind::Other, Some(code)).fault(), fault, "{name}");
        }
    }

    #[test]
    fn what_is_not_the_systems_failure_is_the_callers() {
        assert_eq!(failed(io::ErrorKind::Other, None).fault(), Fault::Caller);
    }

    #[test]
    fn an_error_reads_as_a_sentence_with_its_address() {
        let error = failed(io::ErrorKind::ConnectionRefused, None);
        assert_eq!(error.to_string(), "failed to connect to 192.0.2.1:80: connection refused");
    }

    #[test]
    fn the_question_mark_tells_failures_and_cancellations_apart() {
        let failed: Stop<NetError> = OrCancelled::Failed(failed(io::ErrorKind::Other, Some(111))).into();
        assert!(matches!(failed, Stop::Err(e) if e.code() == Some(111)));
        let cancelled = Cancelled::new(types::CancelKind::Explicit, types::Origin::OUTSIDE).build();
        let cancelled: Stop<NetError> = OrCancelled::<NetError>::Cancelled(cancelled).into();
        assert!(cancelled.is_cancelled());
    }

    #[test]
    fn as_an_io_error_it_keeps_its_number() {
        let error = io::Error::from(failed(io::ErrorKind::Other, Some(111)));
        assert_eq!(error.raw_os_error(), Some(111));
    }
}
