//! The stream of decisions: every choice of a run is a number below a bound, drawn from the seed or from a
//! recording, and recorded.
use crate::config::Schedule;
use crate::world::{Recorder, locked};
use region::Sink;
use std::sync::{Arc, Mutex};
use trace::{Choice, Label};

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

/// Where choices come from.
#[derive(Debug)]
enum Source {
    Drawn(Stream),
    /// What is usual, always.
    Usual,
    Recorded(std::vec::IntoIter<u32>),
}

/// See the module.
#[derive(Debug)]
pub(crate) struct Decisions {
    inner: Mutex<Inner>,
    recorder: Option<Arc<Recorder>>,
}

#[derive(Debug)]
struct Inner {
    source: Source,
    taken: Vec<u32>,
}

impl Decisions {
    pub(crate) fn new(seed: u64, schedule: &Schedule, recorder: Option<Arc<Recorder>>) -> Decisions {
        let source = match schedule {
            Schedule::Random => Source::Drawn(Stream::new(seed)),
            Schedule::Fifo => Source::Usual,
            Schedule::Replay(list) => Source::Recorded(list.clone().into_iter()),
        };
        Decisions { inner: Mutex::new(Inner { source, taken: Vec::new() }), recorder }
    }

    /// Chooses one of `options`, and records it; `usual` is what happens when nobody interferes: production's
    /// pick, a whole read, no fault. One possibility is no decision.
    pub(crate) fn choose(&self, choice: Choice, options: usize, usual: usize) -> usize {
        if options < 2 {
            return 0;
        }
        let mut inner = locked(&self.inner);
        let chosen = match &mut inner.source {
            Source::Drawn(stream) => stream.below(options),
            Source::Usual => usual,
            Source::Recorded(list) => list.next().map_or(usual, |chosen| (chosen as usize).min(options - 1)),
        };
        inner.taken.push(chosen as u32);
        drop(inner);
        if let Some(recorder) = &self.recorder {
            recorder.emit(None, Label::Decision { choice, options: options as u32, chosen: chosen as u32 })
        }
        chosen
    }

    /// The decisions so far.
    pub(crate) fn taken(&self) -> Vec<u32> {
        locked(&self.inner).taken.clone()
    }
}
