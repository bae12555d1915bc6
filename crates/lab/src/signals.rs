//! Simulated signals: the program, or the test around it, raises them.
//!
//! Not here: what a program makes of a signal (`net::signal`).
use crate::world::locked;
use cx::Waiter;
use cx::port::{IoFailure, Signal, Signals};
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering::*};
use std::sync::{Arc, Mutex, MutexGuard};
use std::task::Waker;

/// Raises signals in a lab. A clone is the same switch, and may go into tasks.
///
/// ```
/// use asupersync_lab::{LabConfig, LabRuntime};
/// use cx::port::Signal;
/// let lab = LabRuntime::new(LabConfig::default());
/// let signals = lab.signals();
/// lab.run(|cx| async {
///     cx.spawn(async move |_| signals.raise(Signal::Interrupt));
/// });
/// assert_eq!(lab.signals().count(Signal::Interrupt), 1);
/// ```
#[derive(Clone, Default)]
pub struct LabSignals(Arc<Switch>);

#[derive(Default)]
struct Switch {
    /// Whether a signal was ever raised or waited for.
    used: AtomicBool,
    lines: Mutex<BTreeMap<Signal, Line>>,
}

/// One signal.
#[derive(Default)]
struct Line {
    count: u64,
    waiting: Vec<Waiter>,
}

impl Switch {
    fn lines_to_use(&self) -> MutexGuard<'_, BTreeMap<Signal, Line>> {
        self.used.store(true, Release);
        locked(&self.lines)
    }
}

impl LabSignals {
    /// The signal comes, once more.
    pub fn raise(&self, signal: Signal) {
        let mut lines = self.0.lines_to_use();
        let line = lines.entry(signal).or_default();
        line.count += 1;
        let waiting = std::mem::take(&mut line.waiting);
        drop(lines);
        // With no lock held: a waker may run anything.
        waiting.into_iter().for_each(Waiter::wake)
    }

    /// How many signals have come.
    pub(crate) fn raised(&self) -> u64 {
        locked(&self.0.lines).values().map(|line| line.count).sum()
    }

    /// How often the signal has come.
    pub fn count(&self, signal: Signal) -> u64 {
        locked(&self.0.lines).get(&signal).map_or(0, |line| line.count)
    }
}

impl LabSignals {
    /// Whether none was ever raised or waited for, and there are `clones` of the switch.
    pub(crate) fn are_unused(&self, clones: usize) -> bool {
        Arc::strong_count(&self.0) == clones && !self.0.used.load(Acquire)
    }
}

impl std::fmt::Debug for LabSignals {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_map()
            .entries(locked(&self.0.lines).iter().map(|(signal, line)| (signal, line.count)))
            .finish()
    }
}

impl Signals for LabSignals {
    fn poll_count(&self, signal: Signal, waker: &Waker) -> Result<u64, IoFailure> {
        // Made without the lock, and dropped without it if it was there already: both may be code of others.
        let mut fresh = Some(Waiter::from_waker(waker));
        let mut lines = self.0.lines_to_use();
        let line = lines.entry(signal).or_default();
        if !line.waiting.iter().any(|w| w.will_wake(waker)) {
            line.waiting.extend(fresh.take())
        }
        Ok(line.count)
    }
}
