//! [`Ring`]: the last `n` events of a run, for flight recording and for reports.
//!
//! A full ring forgets the oldest event, and counts what it forgot: a judge that sees a trace with
//! `lost() > 0` must not conclude from the absence of an event.
//!
//! Invariants: `ring.bounded` (never more than the capacity, allocated once), `ring.order` (oldest
//! first).
//!
//! Not here: sharing between threads; whoever shares a ring wraps it.

use alloc::{collections::VecDeque, vec::Vec};

use crate::Event;

/// A bounded buffer that keeps the newest events.
#[derive(Clone, Debug)]
pub struct Ring {
    events: VecDeque<Event>,
    capacity: usize,
    lost: u64,
}

impl Ring {
    /// An empty ring for `capacity` events; allocates all of them at once.
    ///
    /// # Panics
    /// If `capacity` is 0: a ring that keeps nothing is a mistake of its maker.
    #[must_use]
    pub fn new(capacity: usize) -> Self {
        assert!(capacity > 0, "a ring keeps at least one event");
        Self { events: VecDeque::with_capacity(capacity), capacity, lost: 0 }
    }

    /// Adds an event; a full ring gives back the one it forgot.
    pub fn push(&mut self, event: Event) -> Option<Event> {
        let forgotten = if self.events.len() == self.capacity { self.events.pop_front() } else { None };
        self.lost += u64::from(forgotten.is_some());
        self.events.push_back(event);
        forgotten
    }

    /// The kept events, oldest first.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = &Event> + ExactSizeIterator {
        self.events.iter()
    }

    /// Takes the kept events, oldest first, and leaves the ring empty. `lost` keeps its count.
    pub fn take(&mut self) -> Vec<Event> {
        self.events.drain(..).collect()
    }

    /// How many events are kept.
    #[must_use]
    pub fn len(&self) -> usize {
        self.events.len()
    }

    /// Whether no event is kept.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.events.is_empty()
    }

    /// How many events were forgotten since the ring was made.
    #[must_use]
    pub fn lost(&self) -> u64 {
        self.lost
    }
}

#[cfg(test)]
mod tests {
    use types::Time;

    use super::*;
    use crate::Label;

    fn event(seq: u64) -> Event {
        Event::new(seq, Time::ZERO, Label::Stuck { steps: seq })
    }

    #[test]
    fn a_full_ring_forgets_the_oldest_and_counts_it() {
        let mut ring = Ring::new(3);
        for seq in 0..3 {
            assert_eq!(ring.push(event(seq)), None);
        }
        assert_eq!(ring.push(event(3)), Some(event(0)));
        assert_eq!(ring.push(event(4)), Some(event(1)));
        assert_eq!(ring.iter().map(|event| event.seq).collect::<Vec<_>>(), [2, 3, 4]);
        assert_eq!((ring.len(), ring.lost()), (3, 2));
    }

    #[test]
    fn taking_leaves_the_ring_empty_and_usable() {
        let mut ring = Ring::new(1);
        ring.push(event(0));
        ring.push(event(1));
        assert_eq!(ring.take(), [event(1)]);
        assert!(ring.is_empty());
        ring.push(event(2));
        assert_eq!((ring.len(), ring.lost()), (1, 1));
    }

    #[test]
    #[should_panic(expected = "at least one event")]
    fn a_ring_for_nothing_is_refused() {
        let _ = Ring::new(0);
    }
}
