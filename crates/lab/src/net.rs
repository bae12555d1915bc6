//! Simulated TCP for the net port: listeners, connects, byte streams with bounded buffers, latency on the
//! virtual clock, pieces of any size, resets. Good enough that a server cannot tell, and nastier than a
//! loopback device.
//!
//! | file | what lives there |
//! |---|---|
//! | `profile` | how the network behaves, and what it did |
//! | `medium` | what everything shares: clock, timers, decisions, the profile |
//! | `host` | addresses, listeners and their backlogs |
//! | `attempt` | a connect under way |
//! | `link` | one connection: two sides, and what is on its way to each |
//! | `stream` | one end of a connection, as the port sees it |
//! | `failure` | the system's error numbers and texts |
//!
//! There is one machine, which has every address: a program may listen at 127.0.0.1, at 10.0.0.7, or at both, and a
//! connect comes from the address that it goes to. What is done follows Linux, down to which error a socket gives once
//! and which for ever. Not simulated: lost segments (TCP repairs them; what is left of them is latency), windows apart
//! from one bounded buffer for each direction, keep-alive, TIME_WAIT, connects that time out.
//!
//! Invariants:
//! - `simnet.deterministic`: whatever could happen in more than one way is one decision of the lab's stream; nothing
//!   depends on addresses in memory or on the order of a hash table.
//! - `simnet.bounded`: a direction holds at most the profile's capacity, in flight and unread together.
//! - `simnet.ordered`: what was sent arrives in that order, whatever each segment's latency; the end of the stream, or
//!   a reset, comes after the bytes that were sent before it.
//! - `simnet.unlocked-wakes`: wakers are woken and dropped with no lock held; either may drop a task, and with it
//!   sockets.
//! - `simnet.nothing-left`: what was dropped is gone: listeners from their address, ports from those in use, timers
//!   from the wheel.

mod attempt;
mod failure;
mod host;
mod link;
mod medium;
mod profile;
mod stream;

pub use profile::{NetProfile, NetStats};

use crate::decisions::Decisions;
use crate::world::{VirtualClock, VirtualTimers};
use cx::port::{Connecting, IoFailure, Listener, Net};
use host::Host;
use medium::Medium;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

/// The lab's network.
pub(crate) struct SimNet {
    medium: Arc<Medium>,
    host: Arc<Host>,
    used: AtomicBool,
}

impl SimNet {
    pub(crate) fn new(
        profile: NetProfile,
        clock: Arc<VirtualClock>,
        timers: Arc<VirtualTimers>,
        decisions: Arc<Decisions>,
    ) -> SimNet {
        let medium = Arc::new(Medium::new(profile, clock, timers, decisions));
        SimNet { host: Arc::new(Host::new(medium.clone())), medium, used: AtomicBool::new(false) }
    }

    /// Whether nobody has listened or connected.
    pub(crate) fn is_unused(&self) -> bool {
        !self.used.load(Relaxed)
    }

    pub(crate) fn stats(&self) -> NetStats {
        self.medium.stats()
    }
}

impl Net for SimNet {
    fn listen(&self, at: SocketAddr, backlog: u32) -> Result<Box<dyn Listener>, IoFailure> {
        self.used.store(true, Relaxed);
        Ok(Box::new(host::listen(&self.host, at, backlog)?))
    }

    fn connect(&self, to: SocketAddr) -> Result<Box<dyn Connecting>, IoFailure> {
        self.used.store(true, Relaxed);
        Ok(Box::new(attempt::connect(&self.host, to)?))
    }
}
