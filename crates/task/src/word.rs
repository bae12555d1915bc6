//! The state word of a task: completion, references and wakes in one 64-bit counter.
//!
//! ```text
//!  63            32 31              4 3    1 0
//! ┌────────────────┬─────────────────┬──────┬──────────┐
//! │ wakes          │ references      │ -    │ COMPLETE │
//! └────────────────┴─────────────────┴──────┴──────────┘
//! ```
//! A wake is one `fetch_add`; whoever raised the count from zero owns the runnable. The end of a poll takes
//! back exactly the wakes that were there when it began; a remainder means "woken while running", and the
//! poller keeps the runnable (`task.single-poller`). Counting instead of flags costs two read-modify-writes
//! for a wake and a poll together, where a flag protocol needs four or five.
//!
//! Invariants: `task.single-poller`, `task.live-ref`. Loom runs this very code in `tests/loom_word.rs`.
use crate::sync::{AtomicU64, Ordering::*};

const COMPLETE: u64 = 1;
const REF: u64 = 1 << 4;
const REF_MASK: u64 = (1 << 32) - REF;
const WAKE: u64 = 1 << 32;
/// Half of what fits: beyond it somebody leaks references or wakes without end.
const REF_LIMIT: u64 = REF_MASK / 2;
const WAKE_LIMIT: u64 = 1 << 31;

/// Completion, references and wakes of one task.
#[derive(Debug)]
pub struct Word(AtomicU64);

/// What a wake that gave up its reference has to do next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WokenByValue {
    /// Queue the task: this wake raised the count from zero.
    Schedule,
    /// Free the cell: it was complete and this was the last reference.
    Free,
    /// Nothing.
    Nothing,
}

impl Word {
    /// A word with `refs` references and one wake: a new task is runnable, its spawner queues it.
    pub fn scheduled(refs: u64) -> Word {
        Word(AtomicU64::new(refs * REF + WAKE))
    }

    /// A word that is complete from the start.
    pub fn completed(refs: u64) -> Word {
        Word(AtomicU64::new(refs * REF + COMPLETE))
    }

    /// Wakes, keeping the caller's reference. True if the caller now owns the runnable and must queue it.
    #[inline]
    pub fn wake_by_ref(&self) -> bool {
        let order = if types::seeded!("task.relaxed-wake") { Relaxed } else { AcqRel };
        let before = self.0.fetch_add(WAKE, order);
        if before >> 32 >= WAKE_LIMIT {
            self.take_back()
        }
        if types::seeded!("task.wake-always-schedules") {
            return before & COMPLETE == 0;
        }
        before >> 32 == 0 && before & COMPLETE == 0
    }

    /// Wakes and gives up one reference, in one operation.
    #[inline]
    pub fn wake_by_value(&self) -> WokenByValue {
        let before = self.0.fetch_add(WAKE.wrapping_sub(REF), AcqRel);
        if before >> 32 >= WAKE_LIMIT {
            self.take_back()
        }
        if before >> 32 == 0 && before & COMPLETE == 0 {
            WokenByValue::Schedule
        } else if before & REF_MASK == REF || types::seeded!("task.free-while-live") {
            WokenByValue::Free
        } else {
            WokenByValue::Nothing
        }
    }

    /// Half of what fits: somebody wakes without end what is not polled meanwhile. There is a runnable already
    /// (or the task is complete and nobody looks at wakes), so one more says nothing new: it is taken back.
    #[cold]
    #[inline(never)]
    fn take_back(&self) {
        self.0.fetch_sub(WAKE, Relaxed);
    }

    /// The wakes that the coming poll answers. Needs the runnable.
    #[inline]
    pub fn begin_poll(&self) -> u64 {
        self.0.load(Acquire) & !(WAKE - 1)
    }

    /// The poll that answered `wakes` was pending. True if the task was woken meanwhile: the caller still
    /// owns the runnable and must queue it.
    #[inline]
    pub fn end_poll(&self, wakes: u64) -> bool {
        let before = self.0.fetch_sub(wakes, AcqRel);
        if types::seeded!("task.no-requeue") {
            return false;
        }
        before & !(WAKE - 1) != wakes
    }

    /// Marks the task complete and gives up the live reference, and `spare` ones that the task keeps. True if that
    /// were the last ones.
    #[inline]
    pub fn complete(&self, spare: u64) -> bool {
        let mine = if types::seeded!("task.spare-kept") { REF } else { (1 + spare) * REF };
        if self.are_all(mine) {
            // Nobody is left who could look: marked for whoever frees the cell.
            self.0.store(COMPLETE, Relaxed);
            return true;
        }
        let before = self.0.fetch_add(COMPLETE.wrapping_sub(mine), AcqRel);
        debug_assert!(before & COMPLETE == 0, "a task completed twice");
        before & REF_MASK == mine
    }

    /// Whether the task is complete.
    #[inline]
    pub fn is_complete(&self) -> bool {
        self.0.load(Acquire) & COMPLETE != 0
    }

    /// Whether a runnable exists (queued or being polled).
    #[inline]
    pub fn is_scheduled(&self) -> bool {
        self.0.load(Relaxed) >> 32 != 0
    }

    /// Takes one more reference; the caller has one already.
    #[inline]
    pub fn acquire_ref(&self) {
        self.acquire_refs(1)
    }

    /// Takes several more references; the caller has one already.
    #[inline]
    pub fn acquire_refs(&self, count: u64) {
        let before = self.0.fetch_add(count * REF, Relaxed);
        if before & REF_MASK >= REF_LIMIT {
            overflow()
        }
    }

    /// Gives one reference up. True if it was the last; then the caller frees the cell.
    #[inline]
    pub fn release_ref(&self) -> bool {
        self.are_all(REF) || self.0.fetch_sub(REF, AcqRel) & REF_MASK == REF
    }

    /// Whether the caller's references are the only ones. If so it stays so: a reference is only ever made from
    /// another one. Then the one locked instruction that would give them up is saved, and the acquire here orders
    /// what the others did before they gave up theirs.
    #[inline]
    fn are_all(&self, mine: u64) -> bool {
        let order = if types::seeded!("task.sole-relaxed") { Relaxed } else { Acquire };
        let references = self.0.load(order) & REF_MASK;
        references == mine || types::seeded!("task.sole-of-two") && references == mine + REF
    }
}

/// A counter about to wrap would free a live task: unwinding could be caught and continue, so the process
/// ends. A panic while panicking is how `core` spells abort.
#[cold]
#[inline(never)]
fn overflow() -> ! {
    struct Abort;
    impl Drop for Abort {
        fn drop(&mut self) {
            panic!("task word overflow: aborting")
        }
    }
    let _abort = Abort;
    panic!("task word overflow: more than 2^27 references to one task")
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    #[test]
    fn first_wake_schedules_later_ones_do_not() {
        let w = Word::scheduled(2);
        assert!(!w.wake_by_ref(), "a new task is queued already");
        let seen = w.begin_poll();
        assert!(!w.end_poll(seen), "both wakes were seen by this poll");
        assert!(w.wake_by_ref());
        let seen = w.begin_poll();
        assert!(!w.wake_by_ref());
        assert!(w.end_poll(seen), "woken while running: queue again");
    }

    #[test]
    fn wakes_of_a_complete_task_never_overflow() {
        let w = Word(AtomicU64::new(2 * REF + COMPLETE + (WAKE_LIMIT << 32)));
        assert!(!w.wake_by_ref());
        assert_eq!(w.wake_by_value(), WokenByValue::Nothing);
        assert!(w.is_complete() && w.release_ref(), "only the wakes were taken off");
    }

    #[test]
    fn last_reference_frees_only_after_completion() {
        let w = Word::scheduled(2);
        assert!(!w.complete(0));
        assert!(w.is_complete());
        assert_eq!(w.wake_by_value(), WokenByValue::Free);
    }
}
