//! The stream of decisions: every choice of a run is a number below a bound, drawn from the seed or from a
//! recording, and recorded.
use crate::config::Schedule;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// SplitMix64: small, seedable, and enough for choosing.
#[derive(Clone, Debug)]
pub(crate) struct Stream(u64);

impl Stream {
    pub(crate) fn new(seed: u64) -> Stream {
        Stream(seed ^ 0x5DEE_CE66_D1CE_4E5B)
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// A number below `n`, without bias worth speaking of (Lemire's multiplication).
    pub(crate) fn below(&mut self, n: usize) -> usize {
        ((u128::from(self.next()) * n as u128) >> 64) as usize
    }
}

/// See the module.
#[derive(Debug)]
pub(crate) struct Decisions(Mutex<Inner>);

#[derive(Debug)]
struct Inner {
    stream: Stream,
    replay: Option<std::vec::IntoIter<u32>>,
    fifo: bool,
    taken: Vec<u32>,
}

impl Decisions {
    pub(crate) fn new(seed: u64, schedule: &Schedule) -> Decisions {
        let replay = match schedule {
            Schedule::Replay(list) => Some(list.clone().into_iter()),
            _ => None,
        };
        let fifo = *schedule == Schedule::Fifo;
        Decisions(Mutex::new(Inner { stream: Stream::new(seed), replay, fifo, taken: Vec::new() }))
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Chooses one of `n`, and records it. One possibility is no decision.
    pub(crate) fn choose(&self, n: usize) -> usize {
        if n < 2 {
            return 0;
        }
        let mut inner = self.lock();
        let inner = &mut *inner;
        let chosen = match &mut inner.replay {
            Some(list) => (list.next().unwrap_or(0) as usize).min(n - 1),
            None if inner.fifo => 0,
            None => inner.stream.below(n),
        };
        inner.taken.push(chosen as u32);
        chosen
    }

    /// The decisions so far.
    pub(crate) fn taken(&self) -> Vec<u32> {
        self.lock().taken.clone()
    }
}
