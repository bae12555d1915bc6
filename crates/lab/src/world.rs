//! Virtual time, timers and the trace of one lab.
use crate::deadlock::address;
use crate::overtaking::{Fast, Overtaking};
use crate::{wall, watch};
use cx::port::{Clock, Due, Report, Reports, TimerKey, Timers};
use region::Sink;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering::*};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use time::{Key, Wheel};
use trace::{Event, Label};
use types::{ObligationId, TaskId, Time, WallTime};

pub(crate) fn locked<T: ?Sized>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The virtual clock: it stands still until nothing can run, unless it may overtake tasks.
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

    /// What it shows, for the lab itself: no task has looked.
    pub(crate) fn reading(&self) -> Time {
        Time::from_nanos(self.now.load(Relaxed))
    }

    /// As new.
    pub(crate) fn renew(&self) {
        self.set(Time::ZERO);
        self.wall_from.store(wall::FIRST.unix_nanos(), Relaxed)
    }

    pub(crate) fn wall_now(&self) -> WallTime {
        let from = WallTime::from_unix_nanos(self.wall_from.load(Relaxed));
        from.saturating_add(self.reading() - Time::ZERO)
    }

    pub(crate) fn set_wall(&self, wall: WallTime) {
        let from = wall.saturating_sub(self.reading() - Time::ZERO);
        self.wall_from.store(from.unix_nanos(), Relaxed)
    }
}

impl Clock for VirtualClock {
    fn now(&self) -> Time {
        watch::looks_at_clock();
        self.reading()
    }

    fn wall(&self) -> Option<WallTime> {
        watch::looks_at_clock();
        Some(self.wall_now())
    }
}

/// Timers to the nanosecond, in order of deadline, then of setting.
pub(crate) struct VirtualTimers {
    pending: Mutex<Pending>,
    /// Whether a timer was ever set. Changed while `pending` is locked.
    used: AtomicBool,
    overtaking: Overtaking,
}

struct Pending {
    wheel: Wheel<Due>,
    /// Those that may overtake tasks.
    fast: Fast,
    /// How many timers will wake a task, by the address of its header, which the timer keeps alive.
    asleep: BTreeMap<usize, usize>,
}

impl Pending {
    fn new() -> Pending {
        Pending { wheel: Wheel::with_shift(Time::ZERO, 0), fast: Fast::default(), asleep: BTreeMap::new() }
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
    pub(crate) fn new(overtaking: Overtaking) -> VirtualTimers {
        VirtualTimers { pending: Mutex::new(Pending::new()), used: AtomicBool::new(false), overtaking }
    }

    /// As if no timer had ever been set. Returns what was still to happen.
    pub(crate) fn renew(&self) -> impl Sized {
        self.overtaking.renew();
        self.used.load(Acquire).then(|| {
            let mut pending = locked(&self.pending);
            self.used.store(false, Release);
            std::mem::replace(&mut *pending, Pending::new())
        })
    }

    /// When something is due next.
    pub(crate) fn next(&self) -> Option<Time> {
        locked(&self.pending).wheel.next_expiry()
    }

    /// Whether the clock may move to what is due next although tasks can run.
    #[inline]
    pub(crate) fn may_overtake(&self) -> bool {
        self.overtaking.may() && self.next_is_fast()
    }

    /// Whether that is so because of a decision, so that its move is a step as any other whenever it comes.
    pub(crate) fn next_was_decided(&self) -> bool {
        self.overtaking.is_decided() && self.next_is_fast()
    }

    #[cold]
    fn next_is_fast(&self) -> bool {
        let pending = locked(&self.pending);
        pending.wheel.next_expiry().is_some_and(|next| pending.fast.has(next))
    }

    /// Who decides that.
    pub(crate) fn overtaking(&self) -> &Overtaking {
        &self.overtaking
    }

    /// Everything that is due at `now`.
    pub(crate) fn due(&self, now: Time) -> Vec<Due> {
        let mut due = Vec::new();
        let mut pending = locked(&self.pending);
        while pending.wheel.advance(now, 1024, |_, d| due.push(d)).more {}
        pending.fast.forget_until(now);
        due.iter().for_each(|d| pending.gone(d));
        due
    }

    /// The addresses of the tasks that a timer will wake.
    pub(crate) fn asleep(&self) -> BTreeSet<usize> {
        locked(&self.pending).asleep.keys().copied().collect()
    }

    fn insert(&self, at: Time, due: Due, fast: bool) -> TimerKey {
        let mut pending = locked(&self.pending);
        self.used.store(true, Release);
        if let Some(task) = sleeper(&due) {
            *pending.asleep.entry(task).or_default() += 1;
        }
        let entry = pending.wheel.insert(at, due).to_bits();
        if fast {
            pending.fast.add(entry, at)
        }
        TimerKey { shard: 0, entry }
    }
}

impl Timers for VirtualTimers {
    fn set(&self, at: Time, due: Due) -> TimerKey {
        // What the kernel has due itself are the bounds of cleanups, and reports.
        let fast = due.is_wake() && self.overtaking.is_fast();
        // The last thing that a task touches is what it waits for.
        watch::looks_at_clock();
        self.insert(at, due, fast)
    }

    fn set_bound(&self, at: Time, due: Due) -> TimerKey {
        watch::looks_at_clock();
        self.insert(at, due, false)
    }

    fn take(&self, key: TimerKey) -> Option<Due> {
        watch::looks_at_clock();
        let mut pending = locked(&self.pending);
        let due = pending.wheel.remove(Key::from_bits(key.entry)?)?;
        pending.gone(&due);
        pending.fast.forget(key.entry);
        Some(due)
    }
}

/// What the kernel reports during a run, kept for its verdict.
#[derive(Debug, Default)]
pub(crate) struct Kept {
    any: AtomicBool,
    all: Mutex<Vec<String>>,
}

impl Kept {
    pub(crate) fn all(&self) -> Vec<String> {
        locked(&self.all).clone()
    }

    pub(crate) fn is_empty(&self) -> bool {
        !self.any.load(Acquire)
    }
}

impl Reports for Kept {
    fn report(&self, report: Report) {
        self.any.store(true, Release);
        locked(&self.all).push(report.to_string())
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
    /// Whether a frame was dropped with its body unfinished.
    left: bool,
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

    /// Whether a frame was dropped with its body unfinished, and events are kept.
    pub(crate) fn left_a_frame(&self) -> bool {
        locked(&self.trace).left
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
        trace.left |= matches!(label, Label::BodyDropped { .. } | Label::ReleaseSkipped { .. });
        let seq = trace.events.len() as u64;
        trace.events.push(Event { seq, time: self.clock.reading(), task: by, label })
    }
}
