//! [`Line`]: who has ended and was not joined, in that order, and who waits for it; and [`End`], what a task wakes at its end.
//!
//! Invariant `line.second-look`: who finds nobody in the line leaves his waker and looks again, both under the lock. So an end
//! comes before that look, or finds the waker. Checked under loom (`tests/loom.rs`).
//!
//! Not here: the tasks themselves.
#[cfg(loom)]
use crate::shared::Shared;
use alloc::collections::VecDeque;
use alloc::sync::Arc;
use alloc::task::Wake;
use core::task::Waker;
#[cfg(not(loom))]
use sync::shared::Shared;

/// See the module.
pub(super) struct Line {
    state: Shared<State>,
}

#[derive(Default)]
struct State {
    ended: VecDeque<usize>,
    waiter: Option<Waker>,
}

impl Line {
    #[track_caller]
    pub(super) fn new() -> Line {
        Line { state: Shared::new(State::default()) }
    }

    /// Whoever has ended first and was not taken.
    pub(super) fn take(&self) -> Option<usize> {
        self.state.write(|line| line.ended.pop_front())
    }

    /// Leaves a waker for the next end. False if somebody has ended by now.
    pub(super) fn waits(&self, waker: &Waker) -> bool {
        // Cloned before the lock; the one that is not needed is dropped after it: a waker may be anybody's.
        let mut spare = Some(waker.clone());
        let nobody = self.state.write(|line| {
            if line.waiter.as_ref().is_none_or(|old| !old.will_wake(waker)) {
                core::mem::swap(&mut line.waiter, &mut spare)
            }
            line.ended.is_empty()
        });
        drop(spare);
        nobody || types::seeded!("task-set.one-look")
    }

    fn come(&self, place: usize) {
        let waiter = self.state.write(|line| {
            line.ended.push_back(place);
            if types::seeded!("task-set.no-wake") { None } else { line.waiter.take() }
        });
        // Outside of the lock: a waker may be anybody's.
        if let Some(waiter) = waiter {
            waiter.wake()
        }
    }
}

/// Wakes whoever waits for a set when the task at this place ends.
pub(super) struct End {
    line: Arc<Line>,
    place: usize,
}

impl End {
    pub(super) fn new(line: &Arc<Line>, place: usize) -> Arc<End> {
        Arc::new(End { line: line.clone(), place })
    }

    /// The task had ended before it was told whom to wake.
    pub(super) fn has_come(&self) {
        self.line.come(self.place)
    }
}

impl Wake for End {
    fn wake(self: Arc<Self>) {
        self.has_come()
    }
}
