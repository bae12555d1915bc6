//! [`Handed`]: permits or notifications that are handed to whoever waits, as one writes them by hand on a bad day.
//!
//! What is handed over to a future that is dropped before it looks is lost: nothing here has a `Drop`. That is the
//! mistake under test. What it shares it tells the lab, as a program under test has to.
//!
//! Not here: the right way (`sync::semaphore`, `sync::notify`).

use std::collections::VecDeque;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};
use sync::shared::Shared;

/// See the module.
pub(crate) struct Handed {
    state: Shared<State>,
}

#[derive(Default)]
struct State {
    free: usize,
    /// Who waits, in order: a number, and how it is woken.
    waiting: VecDeque<(u64, Waker)>,
    /// To whom something was handed that was not looked at yet.
    handed: Vec<u64>,
    taken: usize,
    numbers: u64,
}

/// Waits for one.
pub(crate) struct Take<'h> {
    from: &'h Handed,
    number: Option<u64>,
}

impl Handed {
    pub(crate) fn new(free: usize) -> Handed {
        Handed { state: Shared::new(State { free, ..State::default() }) }
    }

    pub(crate) fn take(&self) -> Take<'_> {
        Take { from: self, number: None }
    }

    /// One more, for the first who waits.
    pub(crate) fn hand_on(&self) {
        let woken = self.state.write(|state| {
            let Some((number, waker)) = state.waiting.pop_front() else {
                state.free += 1;
                return None;
            };
            state.handed.push(number);
            Some(waker)
        });
        if let Some(waker) = woken {
            waker.wake()
        }
    }

    /// How many were taken.
    pub(crate) fn taken(&self) -> usize {
        self.state.read(|state| state.taken)
    }

    /// How many wait.
    pub(crate) fn waiting(&self) -> usize {
        self.state.read(|state| state.waiting.len())
    }
}

impl Future for Take<'_> {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let known = self.number;
        let (number, ready) = self.from.state.write(|state| {
            let number = known.unwrap_or(state.numbers);
            let had = state.handed.len();
            state.handed.retain(|handed| *handed != number);
            let ready = if state.handed.len() < had {
                true
            } else if known.is_none() && state.free > 0 {
                state.free -= 1;
                true
            } else {
                if known.is_none() {
                    state.numbers += 1;
                    state.waiting.push_back((number, context.waker().clone()));
                }
                false
            };
            state.taken += usize::from(ready);
            (number, ready)
        });
        self.number = Some(number);
        if ready { Poll::Ready(()) } else { Poll::Pending }
    }
}
