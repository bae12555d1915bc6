//! The simulated machine: which addresses are listened at, which ports are in use, who waits to be accepted.
//!
//! A connection stands once its listener's backlog has room for it, accepted or not, as the system does it. Beyond
//! that, connects wait (the system repeats them until there is room).
use super::attempt::Attempt;
use super::failure::{ADDRESS_IN_USE, NO_ADDRESS, REFUSED, TOO_MANY_FILES};
use super::medium::{Loose, Medium};
use super::stream::SimStream;
use crate::world::locked;
use cx::Waiter;
use cx::port::{Accepted, IoFailure, Listener};
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::net::{IpAddr, SocketAddr};
use std::ops::RangeInclusive;
use std::sync::{Arc, Mutex, Weak};
use std::task::{Poll, Waker};

/// Ports for those who do not ask for one, as Linux has them.
const EPHEMERAL: RangeInclusive<u16> = 32768..=60999;

/// See the module.
pub(super) struct Host {
    pub(super) medium: Arc<Medium>,
    state: Mutex<State>,
}

struct State {
    listeners: BTreeMap<SocketAddr, Backlog>,
    /// The ports of clients.
    ports: BTreeSet<u16>,
    next: u16,
}

/// Who waits to be accepted.
struct Backlog {
    limit: usize,
    /// These stand.
    ready: VecDeque<SimStream>,
    /// These wait for room.
    queued: VecDeque<Weak<Attempt>>,
    accepting: Option<Waiter>,
}

impl State {
    /// A port that nobody uses.
    fn unused(&mut self) -> Option<u16> {
        for _ in EPHEMERAL {
            let port = self.next;
            self.next = if port == *EPHEMERAL.end() { *EPHEMERAL.start() } else { port + 1 };
            if !self.ports.contains(&port) && self.listeners.keys().all(|at| at.port() != port) {
                return Some(port);
            }
        }
        None
    }

    /// Where somebody listens who is asked when `to` is.
    fn listening(&self, to: SocketAddr) -> Option<SocketAddr> {
        let at = |at: &&SocketAddr| at.port() == to.port() && covers(at.ip(), to.ip());
        // The address itself before "any address".
        self.listeners
            .get_key_value(&to)
            .map(|(at, _)| *at)
            .or_else(|| self.listeners.keys().find(at).copied())
    }
}

/// Whether who listens at `at` is asked when `ip` is.
fn covers(at: IpAddr, ip: IpAddr) -> bool {
    at == ip || at.is_unspecified() && (at.is_ipv6() || ip.is_ipv4())
}

impl Host {
    pub(super) fn new(medium: Arc<Medium>) -> Host {
        let state = State { listeners: BTreeMap::new(), ports: BTreeSet::new(), next: *EPHEMERAL.start() };
        Host { medium, state: Mutex::new(state) }
    }

    /// What a connect arrives at: its connection stands, waits for room, or is refused.
    pub(super) fn arrive(&self, attempt: &Arc<Attempt>) {
        let mut loose = Loose::default();
        let mut state = locked(&self.state);
        let Some(at) = state.listening(attempt.to) else {
            drop(state);
            self.medium.count(|s| s.refused += 1);
            return attempt.answer(Err(REFUSED));
        };
        let Some(backlog) = state.listeners.get_mut(&at) else { return };
        if backlog.ready.len() >= backlog.limit {
            self.medium.count(|s| s.backlogged += 1);
            backlog.queued.push_back(Arc::downgrade(attempt));
            return;
        }
        let stands = self.stand(backlog, attempt, &mut loose);
        drop(state);
        drop(loose);
        if let Some(stream) = stands {
            attempt.answer(Ok(stream))
        }
    }

    /// Makes the connection, and gives back the client's end of it.
    fn stand(&self, backlog: &mut Backlog, attempt: &Attempt, loose: &mut Loose) -> Option<SimStream> {
        let port = attempt.take_port()?;
        let (client, server) = SimStream::pair(&self.medium, port, attempt.to);
        self.medium.count(|s| s.connections += 1);
        backlog.ready.push_back(server);
        loose.wake(backlog.accepting.take());
        Some(client)
    }
}

/// A client's port, in use for as long as this is there.
pub(super) struct Port {
    host: Arc<Host>,
    number: u16,
}

impl Port {
    pub(super) fn take(host: &Arc<Host>) -> Result<Port, IoFailure> {
        let mut state = locked(&host.state);
        let number = state.unused().ok_or(NO_ADDRESS)?;
        state.ports.insert(number);
        Ok(Port { host: host.clone(), number })
    }

    pub(super) fn number(&self) -> u16 {
        self.number
    }
}

impl Drop for Port {
    fn drop(&mut self) {
        locked(&self.host.state).ports.remove(&self.number);
    }
}

/// Listens at `at`, or at an unused port if its port is 0.
pub(super) fn listen(host: &Arc<Host>, mut at: SocketAddr, backlog: u32) -> Result<SimListener, IoFailure> {
    let mut state = locked(&host.state);
    if at.port() == 0 {
        at.set_port(state.unused().ok_or(ADDRESS_IN_USE)?)
    }
    let taken = |other: &SocketAddr| {
        other.port() == at.port() && (covers(other.ip(), at.ip()) || covers(at.ip(), other.ip()))
    };
    if state.listeners.keys().any(taken) {
        return Err(ADDRESS_IN_USE.into());
    }
    let backlog = Backlog {
        limit: backlog.max(1) as usize,
        ready: VecDeque::new(),
        queued: VecDeque::new(),
        accepting: None,
    };
    state.listeners.insert(at, backlog);
    Ok(SimListener { host: host.clone(), at })
}

/// A listening socket. Dropping it resets the connections that were not accepted.
pub(super) struct SimListener {
    host: Arc<Host>,
    at: SocketAddr,
}

impl Listener for SimListener {
    fn poll_accept(&self, waker: &Waker) -> Poll<Result<Accepted, IoFailure>> {
        let Host { medium, state } = &*self.host;
        let mut loose = Loose::of(waker);
        let mut state = locked(state);
        // It is there for as long as this listener is.
        let Some(backlog) = state.listeners.get_mut(&self.at) else {
            return Poll::Ready(Err(NO_ADDRESS.into()));
        };
        if backlog.ready.is_empty() {
            loose.register(&mut backlog.accepting, waker);
            return Poll::Pending;
        }
        if medium.fault(medium.profile.accept_fails_one_in) {
            medium.count(|s| s.accepts_failed += 1);
            return Poll::Ready(Err(TOO_MANY_FILES.into()));
        }
        let accepted = backlog.ready.pop_front();
        // The room is the first one's who is still there.
        let next = std::iter::from_fn(|| backlog.queued.pop_front()).find_map(|attempt| attempt.upgrade());
        let stands = next.map(|attempt| (self.host.stand(backlog, &attempt, &mut loose), attempt));
        drop(state);
        drop(loose);
        if let Some((Some(stream), attempt)) = stands {
            attempt.answer(Ok(stream))
        }
        match accepted {
            Some(stream) => {
                medium.count(|s| s.accepted += 1);
                let peer = stream.peer();
                Poll::Ready(Ok((Box::new(stream), peer)))
            }
            None => Poll::Pending,
        }
    }

    fn local(&self) -> Result<SocketAddr, IoFailure> {
        Ok(self.at)
    }
}

impl Drop for SimListener {
    fn drop(&mut self) {
        let gone = locked(&self.host.state).listeners.remove(&self.at);
        let Some(Backlog { ready, queued, .. }) = gone else { return };
        ready.into_iter().for_each(SimStream::abort);
        for attempt in queued.iter().filter_map(Weak::upgrade) {
            self.host.medium.count(|s| s.refused += 1);
            attempt.answer(Err(REFUSED))
        }
    }
}
