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
    /// The widest [`Window::Calls`]: a bit is kept for each.
    pub const MOST_CALLS: u32 = 1 << 20;
}

/// How many slots a span has.
const SLOTS: u64 = 10;

/// Calls as they are remembered.
#[derive(Clone, Debug)]
pub(super) enum Windowed {
    Calls { failed: VecDeque<bool>, failures: u64, most: usize },
    Within { slots: VecDeque<Slot>, length: u64 },
}

/// The calls that ended in one tenth of the span.
#[derive(Clone, Debug)]
pub(super) struct Slot {
    number: u64,
    calls: u64,
    failures: u64,
}

impl Windowed {
    pub(super) fn new(window: Window) -> Windowed {
        match window {
            Window::Calls(most) => {
                Windowed::Calls { failed: VecDeque::new(), failures: 0, most: most as usize }
            }
            Window::Within(span) => {
                let nanos = u64::try_from(span.as_nanos()).unwrap_or(u64::MAX);
                Windowed::Within { slots: VecDeque::new(), length: nanos.div_ceil(SLOTS).max(1) }
            }
        }
    }

    /// A call has ended.
    pub(super) fn note(&mut self, failed_now: bool, now: Time) {
        match self {
            Windowed::Calls { failed, failures, most } => {
                if failed.len() == *most && failed.pop_front() == Some(true) {
                    *failures -= 1;
                }
                failed.push_back(failed_now);
                *failures += u64::from(failed_now);
            }
            Windowed::Within { slots, length } => {
                // Threads may note their calls in another order than they read the clock in.
                let number = slots.back().map_or(0, |s| s.number).max(now.as_nanos() / *length);
                if slots.back().is_none_or(|slot| slot.number < number) {
                    slots.push_back(Slot { number, calls: 0, failures: 0 });
                }
                if let Some(slot) = slots.back_mut() {
                    slot.calls += 1;
                    slot.failures += u64::from(failed_now);
                }
            }
        }
    }

    /// How many calls it remembers, and how many of them failed.
    pub(super) fn count(&mut self, now: Time) -> (u64, u64) {
        match self {
            Windowed::Calls { failed, failures, .. } => (failed.len() as u64, *failures),
            Windowed::Within { slots, length } => {
                let newest = now.as_nanos() / *length;
                while slots.front().is_some_and(|slot| newest.saturating_sub(slot.number) >= SLOTS) {
                    slots.pop_front();
                }
                slots
                    .iter()
                    .fold((0, 0), |(calls, failures), slot| (calls + slot.calls, failures + slot.failures))
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
            seen.note(true, Time::MAX);
            assert_eq!(seen.count(Time::MAX), (1, 1));
        }
    }

    proptest! {
        #[test]
        fn the_last_calls_are_the_last_calls(most in 1..8_u32, calls in proptest::collection::vec(any::<bool>(), 0..40)) {
            let mut seen = Windowed::new(Window::Calls(most));
            for n in 0..calls.len() {
                seen.note(calls[n], Time::ZERO);
                let last = &calls[(n + 1).saturating_sub(most as usize)..=n];
                let failures = last.iter().filter(|failed| **failed).count();
                prop_assert_eq!(seen.count(Time::ZERO), (last.len() as u64, failures as u64));
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
                seen.note(failed, at(now));
                let (calls, failures) = seen.count(at(now));
                let among = |span: u64, failed: bool| {
                    all.iter().filter(|(then, f)| now - then < span && (*f || !failed)).count() as u64
                };
                prop_assert!(calls >= among(91, false) && calls <= among(100, false));
                prop_assert!(failures >= among(91, true) && failures <= among(100, true));
            }
        }
    }
}
