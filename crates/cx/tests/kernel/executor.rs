//! The smallest engine that can run the kernel and catch panics: one queue, a clock that jumps to the next
//! alarm, and more threads if a test wants them. Its entry points are those of `examples/embedded`.
use crate::raw;
use asupersync_cx::port::{Clock, Due, Entropy, Report, Reports, TimerKey, Timers, Unwinding, World};
use asupersync_cx::{All, Cx, Root};
use region::Lock;
use std::any::Any;
use std::collections::{BTreeMap, VecDeque};
use std::panic::{AssertUnwindSafe, Location, catch_unwind, resume_unwind};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::*};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use task::{Guard, Runnable, control};
use types::{AfterGrace, TaskId, Time};

#[repr(C)]
pub(crate) struct Executor {
    world: World,
    ready: Lock<VecDeque<Runnable>>,
    /// For the home thread alone.
    pinned: Lock<VecDeque<Runnable>>,
    alarms: Arc<Alarms>,
    reports: Arc<Said>,
}

#[derive(Default)]
struct Alarms {
    now: AtomicU64,
    last: AtomicU64,
    set: Lock<BTreeMap<(Time, u64), Due>>,
}

impl Clock for Alarms {
    fn now(&self) -> Time {
        Time::from_nanos(self.now.load(SeqCst))
    }
}

impl Timers for Alarms {
    fn set(&self, at: Time, due: Due) -> TimerKey {
        let entry = self.last.fetch_add(1, SeqCst);
        self.set.lock().insert((at, entry), due);
        TimerKey { shard: 0, entry }
    }
    fn take(&self, key: TimerKey) -> Option<Due> {
        let mut set = self.set.lock();
        let at = set.keys().find(|(_, entry)| *entry == key.entry).copied()?;
        set.remove(&at)
    }
}

#[derive(Default)]
struct Said(Mutex<Vec<String>>);

impl Reports for Said {
    fn report(&self, report: Report) {
        self.0.lock().expect("nobody panics in here").push(report.to_string())
    }
}

struct Zero;

impl Entropy for Zero {
    fn draw(&self, _: TaskId, _: u64) -> u64 {
        0
    }
}

struct Catch;

impl Guard for Catch {
    fn catch(f: impl FnOnce()) -> Result<(), Box<dyn Any + Send>> {
        catch_unwind(AssertUnwindSafe(f))
    }
}

impl Executor {
    pub(crate) fn new() -> Executor {
        let (alarms, reports) = (Arc::new(Alarms::default()), Arc::new(Said::default()));
        let unwinding = Unwinding {
            catch: |f| catch_unwind(AssertUnwindSafe(f)),
            resume: |payload| resume_unwind(payload),
        };
        let world = World::new(raw::HEAD, alarms.clone(), alarms.clone(), Arc::new(Zero), reports.clone())
            .with_grace(Duration::from_secs(1))
            .with_unwinding(unwinding);
        Executor { world, ready: Lock::default(), pinned: Lock::default(), alarms, reports }
    }

    pub(crate) fn queue(&self, runnable: Runnable) {
        let pinned = runnable.header().control() & control::PINNED != 0;
        let queue = if pinned { &self.pinned } else { &self.ready };
        queue.lock().push_back(runnable)
    }

    pub(crate) fn open_root(&self, tag: u16) -> Root {
        Root::open(tag, &self.world, AfterGrace::Wait, Location::caller())
    }

    /// Runs `body` and everything it starts to the end.
    pub(crate) fn run<T>(&self, body: impl AsyncFnOnce(&mut Cx<All>) -> T) -> T {
        let mut value = None;
        raw::with_root(self, &mut value, body, |root| {
            let mut steps = 0;
            while !root.is_finished() {
                steps += 1;
                assert!(steps < 1_000_000, "this goes on for ever");
                let (pinned, ready) = (self.step(&self.pinned), self.step(&self.ready));
                let went_on = pinned || ready || self.wait();
                assert!(went_on, "every task waits, and no alarm is set")
            }
        });
        value.expect("the root body panicked")
    }

    /// As `run`, with more threads that poll tasks. The clock stands still.
    pub(crate) fn run_on<T>(&self, threads: usize, body: impl AsyncFnOnce(&mut Cx<All>) -> T) -> T {
        let mut value = None;
        let over = AtomicBool::new(false);
        std::thread::scope(|scope| {
            for _ in 1..threads {
                scope.spawn(|| {
                    while !over.load(SeqCst) {
                        if !self.step(&self.ready) {
                            std::thread::yield_now()
                        }
                    }
                });
            }
            raw::with_root(self, &mut value, body, |root| {
                while !root.is_finished() {
                    let (pinned, ready) = (self.step(&self.pinned), self.step(&self.ready));
                    if !pinned && !ready {
                        std::thread::yield_now()
                    }
                }
            });
            over.store(true, SeqCst);
        });
        value.expect("the root body panicked")
    }

    /// What was reported so far.
    pub(crate) fn reported(&self) -> String {
        self.reports.0.lock().expect("nobody panics in here").join("\n")
    }

    fn step(&self, queue: &Lock<VecDeque<Runnable>>) -> bool {
        let Some(runnable) = queue.lock().pop_front() else { return false };
        runnable.header().coop.store(64, Relaxed);
        task::run::<Catch>(runnable);
        true
    }

    fn wait(&self) -> bool {
        let Some(((at, _), due)) = self.alarms.set.lock().pop_first() else { return false };
        self.alarms.now.fetch_max(at.as_nanos(), SeqCst);
        self.world.recent.store(self.alarms.now.load(SeqCst), SeqCst);
        self.world.serve(due);
        true
    }
}
