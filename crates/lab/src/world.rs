//! Virtual time, timers and the trace of one lab.
use crate::deadlock::address;
use crate::wall;
use cx::port::{Clock, Due, Report, Reports, TimerKey, Timers};
use region::Sink;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use time::{Key, Wheel};
use trace::{Event, Label};
use types::{ObligationId, TaskId, Time, WallTime};

pub(crate) fn locked<T: ?Sized>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The virtual clock: it stands still until nothing can run.
#[derive(Debug)]
pub(crate) struct VirtualClock {
    now: AtomicU64,
    /// What the wall clock shows when virtual time begins, in nanoseconds since 1970, as it was last set.
    wall_from: AtomicI64,
}

impl Default for VirtualClock {
    fn default() -> VirtualClock {
        VirtualClock { now: AtomicU64::new(0), wall_from: AtomicI64::new(wall::FIRST.unix_nanos()) }
    }
}

impl VirtualClock {
    pub(crate) fn set(&self, now: Time) {
        self.now.store(now.as_nanos(), Relaxed)
    }

    /// As new.
    pub(crate) fn renew(&self) {
        self.set(Time::ZERO);
        self.wall_from.store(wall::FIRST.unix_nanos(), Relaxed)
    }

    pub(crate) fn wall_now(&self) -> WallTime {
        let from = WallTime::from_unix_nanos(self.wall_from.load(Relaxed));
        from.saturating_add(self.now() - Time::ZERO)
    }

    pub(crate) fn set_wall(&self, wall: WallTime) {
        let from = wall.saturating_sub(self.now() - Time::ZERO);
        self.wall_from.store(from.unix_nanos(), Relaxed)
    }
}

impl Clock for VirtualClock {
    fn now(&self) -> Time {
        Time::from_nanos(self.now.load(Relaxed))
    }

    fn wall(&self) -> Option<WallTime> {
        Some(self.wall_now())
    }
}

/// Timers to the nanosecond, in order of deadline, then of setting.
pub(crate) struct VirtualTimers(Mutex<Pending>);

struct Pending {
    wheel: Wheel<Due>,
    /// Whether a timer was ever set.
    used: bool,
    /// How many timers will wake a task, by the address of its header, which the timer keeps alive.
    asleep: BTreeMap<usize, usize>,
}

impl Pending {
    fn new() -> Pending {
        Pending { wheel: Wheel::with_shift(Time::ZERO, 0), used: false, asleep: BTreeMap::new() }
    }

    fn gone(&mut self, due: &Due) {
        let Some(task) = sleeper(due) else { return };
        if let Some(n) = self.asleep.get_mut(&task) {
            *n -= 1;
            if *n == 0 {
                self.asleep.remove(&task);
            }
        }
    }
}

/// The task that a timer will wake.
fn sleeper(due: &Due) -> Option<usize> {
    due.task().map(address)
}

impl VirtualTimers {
    pub(crate) fn new() -> VirtualTimers {
        VirtualTimers(Mutex::new(Pending::new()))
    }

    /// As if no timer had ever been set. Returns what was still to happen.
    pub(crate) fn renew(&self) -> impl Sized {
        let mut pending = locked(&self.0);
        pending.used.then(|| std::mem::replace(&mut *pending, Pending::new()))
    }

    /// When something is due next.
    pub(crate) fn next(&self) -> Option<Time> {
        locked(&self.0).wheel.next_expiry()
    }

    /// Everything that is due at `now`.
    pub(crate) fn due(&self, now: Time) -> Vec<Due> {
        let mut due = Vec::new();
        let mut pending = locked(&self.0);
        while pending.wheel.advance(now, 1024, |_, d| due.push(d)).more {}
        due.iter().for_each(|d| pending.gone(d));
        due
    }

    /// The addresses of the tasks that a timer will wake.
    pub(crate) fn asleep(&self) -> BTreeSet<usize> {
        locked(&self.0).asleep.keys().copied().collect()
    }
}

impl Timers for VirtualTimers {
    fn set(&self, at: Time, due: Due) -> TimerKey {
        let mut pending = locked(&self.0);
        pending.used = true;
        if let Some(task) = sleeper(&due) {
            *pending.asleep.entry(task).or_default() += 1;
        }
        TimerKey { shard: 0, entry: pending.wheel.insert(at, due).to_bits() }
    }

    fn take(&self, key: TimerKey) -> Option<Due> {
        let mut pending = locked(&self.0);
        let due = pending.wheel.remove(Key::from_bits(key.entry)?)?;
        pending.gone(&due);
        Some(due)
    }
}

/// What the kernel reports during a run, kept for its verdict.
#[derive(Debug, Default)]
pub(crate) struct Kept(Mutex<Vec<String>>);

impl Kept {
    pub(crate) fn all(&self) -> Vec<String> {
        locked(&self.0).clone()
    }
}

impl Reports for Kept {
    fn report(&self, report: Report) {
        locked(&self.0).push(report.to_string())
    }
}

/// The recorded trace.
#[derive(Debug)]
pub(crate) struct Recorder {
    clock: Arc<VirtualClock>,
    /// If not, labels only go to who explores.
    keeps: bool,
    trace: Mutex<Recorded>,
}

#[derive(Debug, Default)]
struct Recorded {
    events: Vec<Event>,
    obligations: BTreeMap<ObligationId, u64>,
}

impl Recorded {
    /// Obligations are known by their place in a pool that all runtimes of the process share. A run's own are
    /// numbered here, in the order in which they were reserved, so that nothing else can be seen in its trace.
    fn rename(&mut self, label: &mut Label) {
        if let Label::ObligationReserve { obligation, .. }
        | Label::ObligationCommit { obligation }
        | Label::ObligationAbort { obligation }
        | Label::ObligationLeak { obligation }
        | Label::ObligationRehome { obligation, .. }
        | Label::ObligationLate { obligation } = label
        {
            let next = self.obligations.len() as u64 + 1;
            *obligation = ObligationId::from_u64(*self.obligations.entry(*obligation).or_insert(next))
        }
    }
}

impl Recorder {
    pub(crate) fn new(clock: Arc<VirtualClock>, keeps: bool) -> Recorder {
        Recorder { clock, keeps, trace: Mutex::default() }
    }

    /// Whether events are kept.
    pub(crate) fn keeps(&self) -> bool {
        self.keeps
    }

    pub(crate) fn events(&self) -> Vec<Event> {
        locked(&self.trace).events.clone()
    }

    /// How many events there are.
    pub(crate) fn len(&self) -> usize {
        locked(&self.trace).events.len()
    }

    /// What `of` says of each event from this one on.
    pub(crate) fn since<T>(&self, from: usize, of: impl Fn(&Event) -> T) -> Vec<T> {
        locked(&self.trace).events.iter().skip(from).map(of).collect()
    }
}

impl Sink for Recorder {
    fn emit(&self, by: Option<TaskId>, mut label: Label) {
        crate::watch::label(&label);
        if !self.keeps {
            return;
        }
        let mut trace = locked(&self.trace);
        trace.rename(&mut label);
        let seq = trace.events.len() as u64;
        trace.events.push(Event { seq, time: self.clock.now(), task: by, label })
    }
}
