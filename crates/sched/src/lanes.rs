//! Which lane a worker serves next: one pure function, called by workers and by the lab.
//!
//! A worker has a **cancel** lane (tasks that were told to stop: finishing them frees what
//! everybody else waits for), a **timed** lane (tasks with a deadline that is due, earliest
//! first), and a **ready** lane made of the LIFO slot and a FIFO queue. Outside is the
//! **injector**. Urgent lanes go first, on credit: a *round* is at most 12 cancel dispatches, at
//! most 4 timed ones, then one of the ready class, which opens the next round. Within the ready
//! class the LIFO slot goes first, at most 16 times in a row while the queue has a task. The
//! injector is served when the ready class has nothing else, and at the latest by every 61st
//! dispatch, outside the rounds.
//!
//! # Theorem: nobody starves
//!
//! Let a task be queued with `p` tasks before it in its lane, whatever arrives anywhere after it.
//! Then at most [`Lane::wait_bound`]`(p)` other dispatches of this worker come before its own.
//! Write `I(n) = n + n/60 + 1`, for `n` dispatches and the injector's turns among them:
//!
//! | lane | bound | why |
//! |---|---|---|
//! | cancel | `I(p + 5 (p/12 + 1))` | a round without credit ends after 4 timed + 1 ready; then 12 go per round |
//! | timed | `I(p + 12 + 13 (p/4 + 1))` | at worst the credit was spent before the cancel lane filled: 12 + 1, then each round serves 12 cancel before 4 of ours, and 1 ready after them |
//! | ready queue | `I(289 (p + 1) - 1)` | our lane advances in one of 17 ready dispatches (16 LIFO between), and up to 16 urgent ones precede each |
//! | LIFO slot | `I(33)` | it is passed over for the queue once at most, and the dispatch from the queue starts its run afresh: 16 + 1 + 16 |
//! | injector | `61 p + 60` | its turn comes after 60 others, whatever they are |
//!
//! *Proof sketch.* Credits are refilled only when a ready dispatch was made or when the ready
//! class is empty. So while a ready task waits, at most 12 + 4 dispatches separate two ready ones
//! (also before the first); a LIFO run is cut after 16 as long as the queue isn't empty, so every
//! 17th ready dispatch goes to the queue, and first in, first out does the rest. While a timed
//! task waits, a round contains at most 12 cancel and 1 ready dispatches and serves 4 timed ones
//! unless the lane runs empty; the round that was under way adds its 12 + 1 once. Cancel is alike
//! with 4 + 1. The injector's turn isn't charged to the round and comes at most once in 61, which
//! gives `I`. The counting is simple enough to be wrong, so `lanes/tests.rs` computes the longest
//! wait over ALL credit states and ALL arrival patterns, and requires it to be exactly the bound.
//!
//! What the theorem asks of the caller: the lanes are FIFOs (the timed lane: an earlier deadline
//! that arrives later is a task before it, and counts in `p`), a flag is true when its lane has a
//! task, and each dispatch is one [`pick`]. A lane that turns out empty after all (a thief was
//! faster) costs nothing: the caller clears its flag and picks again. Leaving a queue by a steal
//! or an overflow starts a new wait, at a position in another queue.
//!
//! A dispatch is one poll of one task, bounded by the coop budget, not by this module. Not here:
//! the lanes themselves.

/// Cancel dispatches per round.
pub const CANCEL_CREDITS: u8 = 12;
/// Timed dispatches per round.
pub const TIMED_CREDITS: u8 = 4;
/// LIFO dispatches in a row while the ready queue has a task.
pub const LIFO_RUN: u8 = 16;
/// The injector is served at least once in this many dispatches. A prime, so that it doesn't fall
/// into step with rounds of 17.
pub const INJECT_INTERVAL: u8 = 61;

/// Where the next task comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Lane {
    /// Tasks that were told to stop.
    Cancel,
    /// Tasks whose deadline is due.
    Timed,
    /// The task that the running one woke last.
    Lifo,
    /// The worker's queue, oldest first.
    Ready,
    /// What came from outside the workers.
    Inject,
}

/// Which lanes have a task now.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct LaneView {
    /// The cancel lane has one.
    pub cancel: bool,
    /// The timed lane has one that is due.
    pub timed: bool,
    /// The LIFO slot is taken.
    pub lifo: bool,
    /// The ready queue has one.
    pub ready: bool,
    /// The injector has one.
    pub inject: bool,
}

/// What a worker remembers between two picks: four counters. `Default` is a fresh round.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Credits {
    /// Cancel dispatches left in this round.
    cancel: u8,
    /// Timed dispatches left in this round.
    timed: u8,
    /// LIFO dispatches since the last one from the ready queue, at most [`LIFO_RUN`].
    lifo_run: u8,
    /// Dispatches since the last one from the injector, at most `INJECT_INTERVAL - 1`.
    since_inject: u8,
}

/// The lane to serve now, charged to `credits`; `None` when no lane has a task.
///
/// A function of its two arguments and nothing else: a handful of compares, no clock, no memory
/// beyond `credits`.
///
/// ```
/// use asupersync_sched::lanes::{Credits, Lane, LaneView, pick};
///
/// let mut credits = Credits::default();
/// let flood = LaneView { cancel: true, ready: true, ..LaneView::default() };
/// for _ in 0..12 {
///     assert_eq!(pick(&mut credits, flood), Some(Lane::Cancel));
/// }
/// assert_eq!(pick(&mut credits, flood), Some(Lane::Ready));
/// assert_eq!(pick(&mut credits, LaneView::default()), None);
/// ```
#[inline]
pub fn pick(credits: &mut Credits, view: LaneView) -> Option<Lane> {
    if view.inject && credits.since_inject >= INJECT_INTERVAL - 1 {
        // Outside the rounds: otherwise a turn of the injector would refill the urgent lanes, and
        // the ready queue would wait for two rounds.
        credits.since_inject = 0;
        return Some(Lane::Inject);
    }
    let lane = if view.cancel && credits.cancel > 0 {
        Lane::Cancel
    } else if view.timed && credits.timed > 0 {
        Lane::Timed
    } else if let Some(lane) = pick_ready(credits, view) {
        lane
    } else if view.cancel || view.timed {
        // Nobody of the ready class is waiting for this round to end.
        credits.begin_round();
        if view.cancel { Lane::Cancel } else { Lane::Timed }
    } else {
        return None;
    };
    credits.charge(lane);
    Some(lane)
}

fn pick_ready(credits: &Credits, view: LaneView) -> Option<Lane> {
    let capped = credits.lifo_run >= LIFO_RUN && !types::seeded!("lanes.lifo-uncapped");
    if view.lifo && !(capped && view.ready) {
        Some(Lane::Lifo)
    } else if view.ready {
        Some(Lane::Ready)
    } else if view.inject {
        Some(Lane::Inject)
    } else {
        None
    }
}

impl Credits {
    fn begin_round(&mut self) {
        self.cancel = CANCEL_CREDITS;
        self.timed = TIMED_CREDITS;
    }

    fn charge(&mut self, lane: Lane) {
        self.since_inject = (self.since_inject + 1).min(INJECT_INTERVAL - 1);
        match lane {
            Lane::Cancel => {
                if !types::seeded!("lanes.cancel-on-the-house") {
                    self.cancel -= 1;
                }
            }
            Lane::Timed => self.timed -= 1,
            Lane::Lifo => {
                self.begin_round();
                self.lifo_run = (self.lifo_run + 1).min(LIFO_RUN);
            }
            Lane::Ready => {
                self.begin_round();
                self.lifo_run = 0;
            }
            Lane::Inject => {
                self.begin_round();
                self.since_inject = 0;
            }
        }
    }
}

impl Default for Credits {
    fn default() -> Self {
        Credits { cancel: CANCEL_CREDITS, timed: TIMED_CREDITS, lifo_run: 0, since_inject: 0 }
    }
}

impl Lane {
    /// The most other dispatches of a worker before that of a task that has `position` tasks
    /// before it in this lane: the theorem of the [module](self). Attained in the worst case.
    ///
    /// The LIFO slot holds one task, so its `position` is taken as 0; a task that is replaced in
    /// the slot moves to the tail of the ready queue and counts from there.
    #[must_use]
    pub const fn wait_bound(self, position: u64) -> u64 {
        const CANCEL: u64 = CANCEL_CREDITS as u64;
        const TIMED: u64 = TIMED_CREDITS as u64;
        const URGENT: u64 = CANCEL + TIMED;
        const READY: u64 = LIFO_RUN as u64 + 1;
        match self {
            Lane::Cancel => with_injector(position + (TIMED + 1) * (position / CANCEL + 1)),
            Lane::Timed => with_injector(position + CANCEL + (CANCEL + 1) * (position / TIMED + 1)),
            Lane::Ready => with_injector((URGENT + 1) * READY * (position + 1) - 1),
            Lane::Lifo => with_injector(URGENT + 1 + URGENT),
            Lane::Inject => INJECT_INTERVAL as u64 * (position + 1) - 1,
        }
    }
}

/// `others` dispatches, and the turns of the injector among them when the first is due at once.
const fn with_injector(others: u64) -> u64 {
    others + others / (INJECT_INTERVAL as u64 - 1) + 1
}

#[cfg(test)]
mod tests;
