//! [`Woken`]: which of many futures of one task were woken, so that the others need not be polled.
//!
//! Each place has a waker of its own, made once and used for every future that comes to that place: it marks the place and
//! wakes the task. No lock is needed, since a waker holds the task's waker from the start: when the stream is polled
//! through another one, new wakers are made and every place counts as woken, so that its future registers again.
//!
//! Invariant `woken.marked-first`: a place is marked before the task is woken, and its mark is taken before its future is
//! polled. So a wake that comes while the future is polled marks it again. Checked under loom (`tests/loom.rs`).
use alloc::sync::Arc;
use alloc::task::Wake;
use alloc::vec::Vec;
#[cfg(not(loom))]
use core::sync::atomic::AtomicU64;
use core::sync::atomic::Ordering::*;
use core::task::Waker;
#[cfg(loom)]
use loom::sync::atomic::AtomicU64;

/// See the module.
#[derive(Debug)]
pub(super) struct Woken {
    /// A bit for each place; a word is added when the first of its places is needed.
    marks: Vec<Arc<AtomicU64>>,
    /// Of each place, once it was needed.
    wakers: Vec<Option<Waker>>,
    /// Whom the wakers wake.
    task: Option<Waker>,
    /// Where the last mark was taken.
    turn: usize,
}

struct Place {
    marks: Arc<AtomicU64>,
    bit: u64,
    task: Waker,
}

impl Wake for Place {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref()
    }

    fn wake_by_ref(self: &Arc<Self>) {
        if types::seeded!("stream.told-before-marked") {
            self.task.wake_by_ref();
            self.marks.fetch_or(self.bit, AcqRel);
            return;
        }
        // One that is marked has woken the task, which has not taken the mark yet.
        let unmarked = self.marks.fetch_or(self.bit, AcqRel) & self.bit == 0;
        if unmarked && !types::seeded!("stream.woken-untold") {
            self.task.wake_by_ref()
        }
    }
}

impl Woken {
    pub(super) fn new() -> Woken {
        Woken { marks: Vec::new(), wakers: Vec::new(), task: None, turn: 0 }
    }

    /// The task is polled through `waker`: marks every place that was in use if it is another one than before.
    pub(super) fn polled_through(&mut self, waker: &Waker) {
        if self.task.as_ref().is_some_and(|task| task.will_wake(waker)) {
            return;
        }
        self.task = Some(waker.clone());
        for (index, made) in self.wakers.iter_mut().enumerate() {
            if made.take().is_some() {
                self.marks[index / 64].fetch_or(1 << (index % 64), AcqRel);
            }
        }
    }

    /// The waker of a place. [`Woken::polled_through`] was called before.
    pub(super) fn waker(&mut self, index: usize) -> &Waker {
        if self.wakers.len() <= index {
            self.wakers.resize(index + 1, None);
            self.marks.resize_with(index / 64 + 1, Arc::default);
        }
        let (marks, task) = (&self.marks, &self.task);
        self.wakers[index].get_or_insert_with(|| {
            let task = task.clone().unwrap_or_else(|| Waker::noop().clone());
            Arc::new(Place { marks: marks[index / 64].clone(), bit: 1 << (index % 64), task }).into()
        })
    }

    /// Takes a mark, round and round, so that every place has its turn; `None` if there is none.
    pub(super) fn take(&mut self) -> Option<usize> {
        let words = self.marks.len();
        let first = self.turn / 64;
        // The word of the last turn comes twice: for what lies behind it, and at last for what lies before.
        for round in 0..=words {
            let word = (first + round) % words.max(1);
            let marks = self.marks.get(word)?;
            let now = marks.load(Relaxed);
            if now == 0 {
                continue;
            }
            let from = if round == 0 { self.turn % 64 } else { 0 };
            let ahead = now & (u64::MAX << from);
            if ahead == 0 {
                continue;
            }
            let index = ahead.trailing_zeros() as usize;
            marks.fetch_and(!(1 << index), AcqRel);
            self.turn = word * 64 + index + 1;
            if self.turn >= words * 64 {
                self.turn = 0
            }
            return Some(word * 64 + index);
        }
        None
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;
    use core::sync::atomic::AtomicUsize;

    #[derive(Default)]
    struct Count(AtomicUsize);
    impl Wake for Count {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Relaxed);
        }
    }

    #[test]
    fn every_marked_place_has_its_turn_once() {
        let count = Arc::<Count>::default();
        let mut woken = Woken::new();
        woken.polled_through(&count.clone().into());
        let marked = [0, 5, 63, 64, 130, 199];
        for index in marked {
            woken.waker(index).wake_by_ref();
            woken.waker(index).wake_by_ref();
        }
        assert_eq!(count.0.load(Relaxed), marked.len(), "a place that is marked wakes nobody again");
        let mut taken = Vec::new();
        while let Some(index) = woken.take() {
            taken.push(index);
            if taken.len() == 3 {
                // Behind the turn and before it: both are found before anything comes twice.
                woken.waker(2).wake_by_ref();
                woken.waker(70).wake_by_ref();
            }
        }
        assert_eq!(taken, [0, 5, 63, 64, 70, 130, 199, 2]);
    }

    #[test]
    fn another_waker_marks_who_waits_and_old_wakers_wake_whom_they_know() {
        let (first, second) = (Arc::<Count>::default(), Arc::<Count>::default());
        let mut woken = Woken::new();
        woken.polled_through(&first.clone().into());
        let old = woken.waker(1).clone();
        woken.polled_through(&first.clone().into());
        assert_eq!(woken.take(), None);
        woken.polled_through(&second.clone().into());
        assert_eq!((woken.take(), woken.take()), (Some(1), None));
        woken.waker(1).wake_by_ref();
        assert_eq!((first.0.load(Relaxed), second.0.load(Relaxed)), (0, 1));
        assert_eq!(woken.take(), Some(1));
        old.wake();
        assert_eq!(woken.take(), Some(1), "the mark is the same");
    }
}
