//! [`SystemNet`]: TCP for the net port.
//!
//! | file | what lives there |
//! |---|---|
//! | `open` | making sockets: listening, connecting, accepted |
//! | `raw` | the system calls |
//! | `listener` | accepting |
//! | `connecting` | a connect under way |
//! | `connection` | a connected stream |
//!
//! Not here: names and addresses, time limits, what users see (`net`).

mod connecting;
mod connection;
mod listener;
mod open;
mod raw;

use crate::{Reactor, failure};
use connecting::SystemConnecting;
use cx::port::{Connecting, IoFailure, Listener, Net};
use listener::SystemListener;
use std::net::SocketAddr;
use std::sync::Arc;

/// The machine's network. Its sockets register with the driver of the worker that first waits for them.
///
/// Of every socket, one task may wait to read and one to write (or accept, or connect); a second one takes the first
/// one's place.
#[derive(Clone, Debug)]
pub struct SystemNet {
    reactor: Arc<Reactor>,
}

impl SystemNet {
    /// Sockets that wait with these drivers.
    pub fn new(reactor: Arc<Reactor>) -> SystemNet {
        SystemNet { reactor }
    }
}

impl Net for SystemNet {
    fn listen(&self, at: SocketAddr, backlog: u32) -> Result<Box<dyn Listener>, IoFailure> {
        let socket = open::listener(at, backlog).map_err(failure::from)?;
        Ok(Box::new(SystemListener::new(self.reactor.clone(), socket)))
    }

    fn connect(&self, to: SocketAddr) -> Result<Box<dyn Connecting>, IoFailure> {
        let socket = open::connecting(to).map_err(failure::from)?;
        Ok(Box::new(SystemConnecting::new(self.reactor.clone(), socket)))
    }
}
