//! [`Plans`]: what a test wants done between two steps of a run.
//!
//! Not here: when the run comes to a step (`runtime`).
use crate::world::locked;
use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering::*};

/// Something to do between two steps.
pub(crate) type Planned = Box<dyn FnOnce() + Send>;

/// See the module.
pub(crate) struct Plans {
    /// The first step for which there is something, `u64::MAX` if there is nothing: a run looks before each step.
    /// Written with the map locked.
    first: AtomicU64,
    by_step: Mutex<BTreeMap<u64, Vec<Planned>>>,
}

impl Default for Plans {
    fn default() -> Plans {
        Plans { first: AtomicU64::new(u64::MAX), by_step: Mutex::default() }
    }
}

impl Plans {
    /// Does this before the step of that number.
    pub(crate) fn add(&self, step: u64, act: Planned) {
        let mut by_step = locked(&self.by_step);
        by_step.entry(step).or_default().push(act);
        self.first.fetch_min(step, Release);
    }

    pub(crate) fn is_empty(&self) -> bool {
        locked(&self.by_step).is_empty()
    }

    /// For which step there is something next.
    pub(crate) fn next(&self) -> Option<u64> {
        locked(&self.by_step).keys().next().copied()
    }

    /// Whether there is something for this step, or for one before.
    #[inline]
    pub(crate) fn is_due(&self, step: u64) -> bool {
        self.first.load(Acquire) <= step
    }

    /// What there is for this step and those before, in order; it is no longer planned then.
    pub(crate) fn take(&self, step: u64) -> Vec<Planned> {
        let mut by_step = locked(&self.by_step);
        let later = step.checked_add(1).map(|after| by_step.split_off(&after)).unwrap_or_default();
        let due = std::mem::replace(&mut *by_step, later);
        self.first.store(by_step.keys().next().copied().unwrap_or(u64::MAX), Release);
        due.into_values().flatten().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;

    #[test]
    fn what_is_planned_is_taken_once_and_in_the_order_of_steps() {
        let (plans, said) = (Plans::default(), Arc::new(Mutex::new(Vec::new())));
        for (step, what) in [(5, 'd'), (2, 'b'), (2, 'c'), (0, 'a'), (u64::MAX, 'e')] {
            let said = said.clone();
            plans.add(step, Box::new(move || said.lock().expect("nobody panics").push(what)));
        }
        let taken = |step| {
            plans.take(step).into_iter().for_each(|act| act());
            said.lock().expect("nobody panics").drain(..).collect::<String>()
        };
        assert_eq!((taken(0), taken(1), plans.next()), ("a".into(), String::new(), Some(2)));
        assert_eq!((taken(4), taken(6), plans.next()), ("bc".into(), "d".into(), Some(u64::MAX)));
        assert!(!plans.is_empty());
        assert_eq!((taken(u64::MAX), plans.is_empty()), ("e".into(), true));
    }
}
