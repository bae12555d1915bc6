//! Simulated TCP.
use crate::decisions::Decisions;
use crate::world::{VirtualClock, VirtualTimers};
use cx::port::{Connecting, IoFailure, Listener, Net};
use std::net::SocketAddr;
use std::sync::Arc;

/// How the simulated network behaves.
#[derive(Clone, Debug, Default)]
pub struct NetProfile {}

pub(crate) struct SimNet {}

impl SimNet {
    pub(crate) fn new(_: NetProfile, _: Arc<VirtualClock>, _: Arc<VirtualTimers>, _: Arc<Decisions>) -> SimNet {
        SimNet {}
    }
}
impl Net for SimNet {
    fn listen(&self, _at: SocketAddr, _backlog: u32) -> Result<Box<dyn Listener>, IoFailure> {
        Err(IoFailure { code: None, text: "simulated network: being written".into() })
    }
    fn connect(&self, _to: SocketAddr) -> Result<Box<dyn Connecting>, IoFailure> {
        Err(IoFailure { code: None, text: "simulated network: being written".into() })
    }
}
