//! One reactor without a runtime: the test's own thread polls, and turns the driver while it has to wait.

use asupersync_reactor::{Reactor, SystemNet};
use cx::port::{Connection, IoFailure, Listener, Net};
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::task::{Poll, Wake, Waker};
use std::time::Duration;

/// Counts its wakes.
#[derive(Default)]
pub(crate) struct Counter(AtomicUsize);

impl Wake for Counter {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, SeqCst);
    }
}

impl Counter {
    pub(crate) fn count(&self) -> usize {
        self.0.load(SeqCst)
    }
}

pub(crate) struct Machine {
    pub(crate) reactor: Arc<Reactor>,
    pub(crate) net: SystemNet,
}

impl Machine {
    pub(crate) fn new() -> Machine {
        let reactor = Arc::new(Reactor::new(1).expect("a driver"));
        Machine { net: SystemNet::new(reactor.clone()), reactor }
    }

    /// Polls until it is ready. Every turn but the first poll needs a wake: a lost one shows as a test that hangs.
    pub(crate) fn wait<T>(&self, mut poll: impl FnMut(&Waker) -> Poll<T>) -> T {
        let wakes = Arc::new(Counter::default());
        let waker = Waker::from(wakes.clone());
        loop {
            let before = wakes.count();
            if let Poll::Ready(value) = poll(&waker) {
                return value;
            }
            while wakes.count() == before {
                self.reactor.driver(0).turn(None, 64).expect("a turn");
            }
        }
    }

    /// Takes the events that are there.
    pub(crate) fn turn(&self) -> usize {
        self.reactor.driver(0).turn(Some(Duration::ZERO), 64).expect("a turn")
    }

    pub(crate) fn listen(&self) -> (Box<dyn Listener>, SocketAddr) {
        let listener = self.net.listen(SocketAddr::from(([127, 0, 0, 1], 0)), 16).expect("a listener");
        let at = listener.local().expect("its address");
        (listener, at)
    }

    pub(crate) fn connect(&self, to: SocketAddr) -> Result<Box<dyn Connection>, IoFailure> {
        let mut connecting = self.net.connect(to)?;
        self.wait(|waker| connecting.poll_connected(waker))
    }

    pub(crate) fn accept(&self, listener: &dyn Listener) -> Result<Box<dyn Connection>, IoFailure> {
        self.wait(|waker| listener.poll_accept(waker)).map(|(connection, _)| connection)
    }

    /// Both ends of one connection.
    pub(crate) fn pair(&self) -> (Box<dyn Connection>, Box<dyn Connection>) {
        let (listener, at) = self.listen();
        let client = self.connect(at).expect("connected");
        (client, self.accept(&*listener).expect("accepted"))
    }

    /// A connection of ours whose other end is a blocking stream of `std`.
    pub(crate) fn beside(&self) -> (Box<dyn Connection>, std::net::TcpStream) {
        let (listener, at) = self.listen();
        let theirs = std::net::TcpStream::connect(at).expect("connected");
        (self.accept(&*listener).expect("accepted"), theirs)
    }

    pub(crate) fn read(&self, connection: &dyn Connection, room: usize) -> Result<Vec<u8>, IoFailure> {
        let mut buf = vec![0; room];
        let n = self.wait(|waker| connection.poll_read(waker, &mut buf))?;
        buf.truncate(n);
        Ok(buf)
    }

    pub(crate) fn write(&self, connection: &dyn Connection, bytes: &[u8]) -> Result<usize, IoFailure> {
        self.wait(|waker| connection.poll_write(waker, bytes))
    }

    /// Whether a read has to wait, with whom it wakes then.
    pub(crate) fn read_waits(&self, connection: &dyn Connection) -> Option<Arc<Counter>> {
        let wakes = Arc::new(Counter::default());
        let polled = connection.poll_read(&Waker::from(wakes.clone()), &mut [0; 8]);
        polled.is_pending().then_some(wakes)
    }
}
