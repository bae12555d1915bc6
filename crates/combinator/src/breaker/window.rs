//! How a circuit breaker remembers calls: the last so many, or those of the last while.
//!
//! Calls of the last while are kept in [`SLOTS`] slots of equal length, so that memory is bounded whatever the load. A
//! call is forgotten when its slot is: between nine tenths of the span and the whole of it after the call.
//!
//! Not here: what the counts mean (`circuit`).
use alloc::collections::VecDeque;
use core::time::Duration;
use types::Time;

/// Which calls a breaker judges by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Window {
    /// The last so many, however long ago.
    Calls(u32),
    /// Those that ended within the last while, kept in tenths of it.
    Within(Duration),
}

impl Window {
    /// The widest [`Window::Calls`]: two bytes are kept for each.
    pub const MOST_CALLS: u32 = 1 << 20;
}

/// How many slots a span has.
const SLOTS: u64 = 10;

/// What became of a call, as far as it is remembered.
#[derive(Clone, Copy, Debug)]
pub(super) struct Call {
    pub(super) failed: bool,
    pub(super) slow: bool,
}

/// How many there were.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Counts {
    pub(super) calls: u64,
    pub(super) failures: u64,
    pub(super) slow: u64,
}

impl Counts {
    fn add(&mut self, call: Call) {
        self.calls += 1;
        self.failures += u64::from(call.failed);
        self.slow += u64::from(call.slow);
    }

    fn take(&mut self, call: Call) {
        self.calls -= 1;
        self.failures -= u64::from(call.failed);
        self.slow -= u64::from(call.slow);
    }

    fn and(self, other: Counts) -> Counts {
        Counts {
            calls: self.calls + other.calls,
            failures: self.failures + other.failures,
            slow: self.slow + other.slow,
        }
    }
}

/// Calls as they are remembered.
#[derive(Clone, Debug)]
pub(super) enum Windowed {
    Calls { last: VecDeque<Call>, counts: Counts, most: usize },
    Within { slots: VecDeque<Slot>, length: u64 },
}

/// The calls that ended in one tenth of the span.
#[derive(Clone, Debug)]
pub(super) struct Slot {
    number: u64,
    counts: Counts,
}

impl Windowed {
    pub(super) fn new(window: Window) -> Windowed {
        match window {
            Window::Calls(most) => {
                Windowed::Calls { last: VecDeque::new(), counts: Counts::default(), most: most as usize }
            }
            Window::Within(span) => {
                let nanos = u64::try_from(span.as_nanos()).unwrap_or(u64::MAX);
                Windowed::Within { slots: VecDeque::new(), length: nanos.div_ceil(SLOTS).max(1) }
            }
        }
    }

    /// A call has ended.
    pub(super) fn note(&mut self, call: Call, now: Time) {
        match self {
            Windowed::Calls { last, counts, most } => {
                if last.len() == *most
                    && let Some(oldest) = last.pop_front()
                {
                    counts.take(oldest)
                }
                last.push_back(call);
                counts.add(call);
            }
            Windowed::Within { slots, length } => {
                // Threads may note their calls in another order than they read the clock in.
                let number = slots.back().map_or(0, |s| s.number).max(now.as_nanos() / *length);
                if slots.back().is_none_or(|slot| slot.number < number) {
                    slots.push_back(Slot { number, counts: Counts::default() });
                }
                if let Some(slot) = slots.back_mut() {
                    slot.counts.add(call)
                }
            }
        }
    }

    /// How many calls it remembers, and what became of them.
    pub(super) fn count(&mut self, now: Time) -> Counts {
        match self {
            Windowed::Calls { counts, .. } => *counts,
            Windowed::Within { slots, length } => {
                let newest = now.as_nanos() / *length;
                while slots.front().is_some_and(|slot| newest.saturating_sub(slot.number) >= SLOTS) {
                    slots.pop_front();
                }
                slots.iter().fold(Counts::default(), |sum, slot| sum.and(slot.counts))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec::Vec;
    use proptest::prelude::*;

    fn at(nanos: u64) -> Time {
        Time::from_nanos(nanos)
    }

    #[test]
    fn the_end_of_time_is_a_slot_like_any_other() {
        for span in [Duration::from_nanos(1), Duration::MAX] {
            let mut seen = Windowed::new(Window::Within(span));
            seen.note(Call { failed: true, slow: false }, Time::MAX);
            assert_eq!(seen.count(Time::MAX), Counts { calls: 1, failures: 1, slow: 0 });
        }
    }

    proptest! {
        #[test]
        fn the_last_calls_are_the_last_calls(most in 1..8_u32, calls in proptest::collection::vec(any::<(bool, bool)>(), 0..40)) {
            let mut seen = Windowed::new(Window::Calls(most));
            for n in 0..calls.len() {
                let (failed, slow) = calls[n];
                seen.note(Call { failed, slow }, Time::ZERO);
                let last = &calls[(n + 1).saturating_sub(most as usize)..=n];
                let failures = last.iter().filter(|(failed, _)| *failed).count() as u64;
                let slow = last.iter().filter(|(_, slow)| *slow).count() as u64;
                prop_assert_eq!(seen.count(Time::ZERO), Counts { calls: last.len() as u64, failures, slow });
            }
        }

        /// Nothing older than the span counts, and everything younger than nine tenths of it does.
        #[test]
        fn a_span_is_kept_to_a_tenth(gaps in proptest::collection::vec((0..40_u64, any::<bool>()), 1..60)) {
            let mut seen = Windowed::new(Window::Within(Duration::from_nanos(100)));
            let mut all: Vec<(u64, bool)> = Vec::new();
            let mut now = 0;
            for (gap, failed) in gaps {
                now += gap;
                all.push((now, failed));
                seen.note(Call { failed, slow: !failed }, at(now));
                let Counts { calls, failures, slow } = seen.count(at(now));
                prop_assert_eq!(failures + slow, calls);
                let among = |span: u64, failed: bool| {
                    all.iter().filter(|(then, f)| now - then < span && (*f || !failed)).count() as u64
                };
                prop_assert!(calls >= among(91, false) && calls <= among(100, false));
                prop_assert!(failures >= among(91, true) && failures <= among(100, true));
            }
        }
    }
}
