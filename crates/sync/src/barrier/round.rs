//! The barrier's core.
//!
//! Invariants:
//! - `barrier.round`: a round ends when as many have arrived as belong to it; all of them pass, and nobody else.
//! - `barrier.leave`: who gives up before that has not arrived; who gives up after it has passed.
//!
//! Not here: `Cx`.

use core::task::Poll;

use crate::{WaitNode, Wakes, wait_queue::WaitQueue};

struct State {
    arrived: usize,
    round: u64,
}

/// A round of so many.
pub struct Round<W: Wakes> {
    state: WaitQueue<W, State>,
    parties: usize,
}

/// One arrival.
#[derive(Debug, Default)]
pub struct Arrival {
    /// The round it waits for the end of, from the first poll on.
    round: Option<u64>,
    node: WaitNode,
}

impl<W: Wakes> Round<W> {
    /// # Panics
    /// If `parties` is 0.
    #[track_caller]
    pub fn new(parties: usize) -> Self {
        assert!(parties > 0, "a barrier is for at least one");
        Self { state: WaitQueue::with_state(State { arrived: 0, round: 0 }), parties }
    }

    /// How many belong to a round.
    pub fn parties(&self) -> usize {
        self.parties
    }

    /// Arrives (first poll) and waits for the others; true for the one that came last. An arrival that returned `Pending`
    /// must be polled here again or given to [`leave`](Self::leave).
    pub fn poll_pass(&self, arrival: &mut Arrival, make: impl FnOnce() -> W) -> Poll<bool> {
        let mine = match arrival.round {
            Some(mine) => mine,
            None => {
                let (round, last) = self.state.tell(|state| {
                    let round = state.round;
                    state.arrived += 1;
                    let last = state.arrived == self.parties;
                    if last {
                        (state.arrived, state.round) = (0, round + 1);
                    }
                    ((round, last), last)
                });
                if last {
                    return Poll::Ready(true);
                }
                arrival.round = Some(round);
                round
            }
        };
        let polled =
            self.state.poll_until(&mut arrival.node, make, |state| (state.round != mine).then_some(false));
        if polled.is_ready() {
            arrival.round = None;
        }
        polled
    }

    /// Gives up waiting.
    pub fn leave(&self, arrival: &mut Arrival) {
        let Some(mine) = arrival.round.take() else { return };
        self.state.forget(&mut arrival.node);
        self.state.with(|state| {
            if state.round == mine && !types::seeded!("barrier.leaver-counts") {
                state.arrived -= 1;
            }
        });
    }
}
