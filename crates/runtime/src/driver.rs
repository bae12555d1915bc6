//! A worker's clock, timers and readiness events, as the scheduler drives them.
use crate::wheels::Wheels;
use cx::port::{Clock, World};
use reactor::Reactor;
use sched::engine::{Driver, Engine, as_timed};
use std::sync::atomic::{AtomicU32, Ordering::*};
use std::sync::{Arc, OnceLock, Weak};
use std::time::Duration;

/// Ticks between two polls for I/O while the worker is busy.
const POLL_EVERY: u32 = 4;
/// Events taken at a time while busy, and after a wait.
const BUSY_EVENTS: usize = 32;
const PARKED_EVENTS: usize = 256;

pub(crate) struct Machine {
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) wheels: Arc<Wheels>,
    pub(crate) reactor: Arc<Reactor>,
    engine: OnceLock<Weak<Engine>>,
    ticks: Vec<AtomicU32>,
}

impl Machine {
    pub(crate) fn new(
        clock: Arc<dyn Clock>,
        wheels: Arc<Wheels>,
        reactor: Arc<Reactor>,
        workers: usize,
    ) -> Machine {
        let ticks = (0..workers).map(|_| AtomicU32::new(0)).collect();
        Machine { clock, wheels, reactor, engine: OnceLock::new(), ticks }
    }

    pub(crate) fn attach(&self, engine: Weak<Engine>) {
        let _ = self.engine.set(engine);
    }

    fn with_engine(&self, f: impl FnOnce(&Engine, &World)) {
        if let Some(engine) = self.engine.get().and_then(Weak::upgrade) {
            f(&engine, engine.world())
        }
    }

    fn fire(&self, worker: usize) {
        let now = self.clock.now();
        self.with_engine(|engine, world| {
            world.recent.store(now.as_nanos(), Relaxed);
            as_timed(engine, || self.wheels.advance(worker, now, |due| world.serve(due)))
        })
    }
}

impl Driver for Machine {
    fn tick(&self, worker: usize) {
        self.fire(worker);
        let n = self.ticks[worker].fetch_add(1, Relaxed);
        if n.is_multiple_of(POLL_EVERY) && self.reactor.sources(worker) > 0 {
            self.reactor.turn(worker, Some(Duration::ZERO), BUSY_EVENTS)
        }
    }

    fn park(&self, worker: usize, limit: Option<Duration>) {
        let timer = self.wheels.next(worker).map(|at| at.saturating_since(self.clock.now()));
        let timeout = match (timer, limit) {
            (Some(a), Some(b)) => Some(a.min(b)),
            (a, b) => a.or(b),
        };
        self.reactor.turn(worker, timeout, PARKED_EVENTS);
        self.fire(worker)
    }

    fn unpark(&self, worker: usize) {
        self.reactor.unpark(worker)
    }

    fn tick_for(&self, stuck: usize) {
        self.fire(stuck);
        self.reactor.try_turn(stuck, BUSY_EVENTS)
    }
}
