//! An executor for a machine with one core and a tick counter: the kernel (`cx`, `region`, `task`) with neither
//! engine nor operating system below it. Needs `core` and `alloc` only.
//!
//! Time is a counter that a hardware timer would advance: here an idle executor advances it to the next alarm,
//! where a real one would wait for the interrupt.
use crate::raw;
use alloc::boxed::Box;
use alloc::collections::{BTreeMap, VecDeque};
use alloc::string::String;
use alloc::sync::Arc;
use asupersync_cx::port::{Clock, Due, Entropy, Report, Reports, TimerKey, Timers, World};
use asupersync_cx::{All, Cx, Root};
use core::any::Any;
use core::fmt::Write;
use core::panic::Location;
use core::sync::atomic::{AtomicU64, Ordering::*};
use core::time::Duration;
use region::Lock;
use task::{Guard, Runnable};
use types::{AfterGrace, TaskId, Time};

/// Operations that a task may do before it gives way.
const COOP: u16 = 64;

/// The ready queue, and the world that tasks see. The world comes first: the kernel's pointer to the engine is
/// one to it.
#[repr(C)]
pub(crate) struct Executor {
    world: World,
    ready: Lock<VecDeque<Runnable>>,
    alarms: Arc<Alarms>,
}

/// The tick counter, and what is to happen when: clock and timers in one.
#[derive(Default)]
struct Alarms {
    now: AtomicU64,
    set: Lock<BTreeMap<(Time, u64), Due>>,
    last: AtomicU64,
}

impl Clock for Alarms {
    fn now(&self) -> Time {
        Time::from_nanos(self.now.load(Acquire))
    }
}

impl Timers for Alarms {
    fn set(&self, at: Time, due: Due) -> TimerKey {
        let entry = self.last.fetch_add(1, Relaxed);
        self.set.lock().insert((at, entry), due);
        TimerKey { shard: 0, entry }
    }

    fn take(&self, key: TimerKey) -> Option<Due> {
        let mut set = self.set.lock();
        let at = set.keys().find(|(_, entry)| *entry == key.entry).copied()?;
        set.remove(&at)
    }
}

/// Reports go to whoever asks: a device would send them over its serial line.
#[derive(Default)]
struct Log(Lock<String>);

impl Reports for Log {
    fn report(&self, report: Report) {
        let _ = writeln!(self.0.lock(), "{report}");
    }
}

/// The same numbers in every run; a device would mix in noise.
struct Numbers;

impl Entropy for Numbers {
    fn draw(&self, task: TaskId, drawn: u64) -> u64 {
        region::mix(task.as_u64(), drawn)
    }
}

/// Nothing unwinds here: a panic is the machine's end.
struct NoUnwinding;

impl Guard for NoUnwinding {
    fn catch(f: impl FnOnce()) -> Result<(), Box<dyn Any + Send>> {
        f();
        Ok(())
    }
}

impl Executor {
    /// An executor at tick zero.
    pub(crate) fn new() -> Executor {
        let alarms = Arc::new(Alarms::default());
        let (numbers, log) = (Arc::new(Numbers), Arc::new(Log::default()));
        let world = World::new(raw::HEAD, alarms.clone(), alarms.clone(), numbers, log)
            .with_grace(Duration::from_secs(1));
        Executor { world, ready: Lock::default(), alarms }
    }

    /// Queues a task that was woken.
    pub(crate) fn queue(&self, runnable: Runnable) {
        self.ready.lock().push_back(runnable)
    }

    /// Runs `body`, and everything it starts, to the end.
    ///
    /// # Panics
    /// When all tasks wait for each other.
    pub(crate) fn run<T>(&self, body: impl AsyncFnOnce(&mut Cx<All>) -> T) -> T {
        let mut value = None;
        raw::with_root(self, &mut value, body, |root| {
            while !root.is_finished() {
                if !self.step() && !self.wait() {
                    panic!("every task waits, and no alarm is set")
                }
            }
        });
        value.unwrap_or_else(|| unreachable!("the root task has finished"))
    }

    pub(crate) fn open_root(&self, tag: u16) -> Root {
        Root::open(tag, &self.world, AfterGrace::Wait, Location::caller())
    }

    /// Polls the task that has been ready longest.
    fn step(&self) -> bool {
        let Some(runnable) = self.ready.lock().pop_front() else { return false };
        runnable.header().coop.store(COOP, Relaxed);
        task::run::<NoUnwinding>(runnable);
        true
    }

    /// Lets time pass until the next alarm, and serves it.
    fn wait(&self) -> bool {
        let Some(((at, _), due)) = self.alarms.set.lock().pop_first() else { return false };
        self.alarms.now.fetch_max(at.as_nanos(), AcqRel);
        self.world.recent.store(self.alarms.now.load(Acquire), Release);
        self.world.serve(due);
        true
    }
}
