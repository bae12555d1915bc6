//! A connect under way: it goes to the listener and its answer comes back, each taking the medium's time.
use super::failure::Errno;
use super::host::{Host, Port};
use super::medium::Loose;
use super::stream::SimStream;
use crate::world::locked;
use cx::Waiter;
use cx::port::{Connecting, Connection, IoFailure, TimerKey};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::{Arc, Mutex, Weak};
use std::task::{Poll, Wake, Waker};

/// See the module.
pub(super) struct Attempt {
    host: Arc<Host>,
    pub(super) to: SocketAddr,
    state: Mutex<State>,
}

struct State {
    /// Until the connection stands.
    port: Option<Port>,
    way: Way,
    timer: Option<TimerKey>,
    waiter: Option<Waiter>,
}

/// Where it is.
enum Way {
    /// On its way there, or waiting there for room.
    There,
    /// The answer is on its way back.
    Back(Result<SimStream, Errno>),
    /// The answer is here.
    Here(Result<SimStream, Errno>),
    /// The answer was taken.
    Taken,
}

/// Begins to connect.
pub(super) fn connect(host: &Arc<Host>, mut to: SocketAddr) -> Result<SimConnecting, IoFailure> {
    // "Any address" is this machine's, to those who connect.
    match to.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => to.set_ip(Ipv4Addr::LOCALHOST.into()),
        IpAddr::V6(ip) if ip.is_unspecified() => to.set_ip(Ipv6Addr::LOCALHOST.into()),
        _ => {}
    }
    let port = Some(Port::take(host)?);
    let state = Mutex::new(State { port, way: Way::There, timer: None, waiter: None });
    let attempt = Arc::new(Attempt { host: host.clone(), to, state });
    attempt.travel();
    Ok(SimConnecting(attempt))
}

impl Attempt {
    /// Arrives, now or in time.
    fn travel(self: &Arc<Self>) {
        let medium = &self.host.medium;
        let at = medium.arrival();
        if at <= medium.now() {
            return self.arrived();
        }
        let timer = medium.set(at, Arrival(Arc::downgrade(self)));
        locked(&self.state).timer = Some(timer)
    }

    fn arrived(self: &Arc<Self>) {
        let mut loose = Loose::default();
        let mut state = locked(&self.state);
        state.timer = None;
        match std::mem::replace(&mut state.way, Way::There) {
            Way::There => {
                drop(state);
                self.host.arrive(self)
            }
            Way::Back(answer) => {
                state.way = Way::Here(answer);
                loose.wake(state.waiter.take())
            }
            over @ (Way::Here(_) | Way::Taken) => state.way = over,
        }
    }

    /// Sends the answer back.
    pub(super) fn answer(self: &Arc<Self>, answer: Result<SimStream, Errno>) {
        locked(&self.state).way = Way::Back(answer);
        self.travel()
    }

    /// The client's port, for the connection.
    pub(super) fn take_port(&self) -> Option<Port> {
        locked(&self.state).port.take()
    }
}

/// The step that the attempt is at is over.
struct Arrival(Weak<Attempt>);

impl Wake for Arrival {
    fn wake(self: Arc<Self>) {
        if let Some(attempt) = self.0.upgrade() {
            attempt.arrived()
        }
    }
}

/// A connect under way, as the port sees it. Dropping it gives up: a connection that stands by then is closed.
pub(super) struct SimConnecting(Arc<Attempt>);

impl Connecting for SimConnecting {
    fn poll_connected(&mut self, waker: &Waker) -> Poll<Result<Box<dyn Connection>, IoFailure>> {
        let mut loose = Loose::of(waker);
        let mut state = locked(&self.0.state);
        match std::mem::replace(&mut state.way, Way::Taken) {
            Way::Here(Ok(stream)) => Poll::Ready(Ok(Box::new(stream))),
            Way::Here(Err(errno)) => Poll::Ready(Err(errno.into())),
            under_way => {
                state.way = under_way;
                loose.register(&mut state.waiter, waker);
                Poll::Pending
            }
        }
    }
}

impl Drop for SimConnecting {
    fn drop(&mut self) {
        let timer = locked(&self.0.state).timer.take();
        if let Some(timer) = timer {
            self.0.host.medium.take(timer)
        }
    }
}
