//! Schedulers that pick without a list of the candidates: whoever is asked with the list and without picks the same, also
//! among so many tasks that their short names repeat.
use asupersync_lab::{Executor, Grain, LabConfig, LabRuntime};
use cx::{Access, Cx};
use explore::{Crowd, Ended, Fifo, Point, Random, Recorded, Recording, Scheduler, Step, Taken};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use sync::mutex::Mutex as Lock;
use time::TimeExt;
use trace::{Choice, Event};

/// Insists on the list, if it is told to.
struct Asked<S> {
    inner: S,
    listed: bool,
    /// How often it picked without one.
    unlisted: u64,
}

impl<S: Scheduler> Scheduler for Asked<S> {
    fn begin(&mut self) {
        self.inner.begin()
    }
    fn pick(&mut self, point: &Point<'_>) -> Option<usize> {
        self.inner.pick(point)
    }
    fn pick_unlisted(&mut self, crowd: &dyn Crowd) -> Option<usize> {
        if self.listed {
            return None;
        }
        self.unlisted += 1;
        self.inner.pick_unlisted(crowd)
    }
    fn choose(&mut self, what: Choice, options: u32, usual: u32) -> u32 {
        self.inner.choose(what, options, usual)
    }
    fn ran(&mut self, step: &Step<'_>) {
        self.inner.ran(step)
    }
    fn ended(&mut self, how: &Ended<'_>) {
        self.inner.ended(how)
    }
}

/// Four hundred tasks that give way, sleep, share a lock, and are asked to end while some have not.
fn crowded(lab: &LabRuntime) {
    lab.run(async |cx| {
        let lock = Arc::new(Lock::new(0));
        let mut crowd = Vec::new();
        for n in 0..400u64 {
            let lock = lock.clone();
            crowd.push(cx.spawn(async move |cx: &mut Cx| {
                cx.yield_now().await;
                if n % 3 == 0 && cx.sleep(Duration::from_millis(n % 2)).await.is_err() {
                    return;
                }
                if n % 7 == 0 {
                    let Ok(mut guard) = lock.lock(cx).await else { return };
                    *guard += 1;
                    cx.step_to(lock.object(), Access::Release(1)).await;
                }
                cx.trace(format!("{n} is done"))
            }));
        }
        for (n, task) in crowd.iter().enumerate() {
            if n % 5 == 0 {
                task.cancel("it is late")
            }
            if n % 40 == 0 {
                cx.yield_now().await
            }
        }
    })
}

fn run<S: Scheduler + Send + 'static>(grain: Grain, listed: bool, inner: S) -> (Taken, Vec<Event>, u64) {
    let recording = Recording::decisions_only(inner);
    let scheduler = Arc::new(Mutex::new(Asked { inner: recording, listed, unlisted: 0 }));
    let executor = Executor::new(LabConfig::default(), grain).looks(true).keeps_events(true);
    let execution = executor.execute(&scheduler, crowded);
    assert!(execution.failure.is_none(), "the program holds");
    let asked = scheduler.lock().expect("nobody panics");
    (asked.inner.taken(), execution.events, asked.unlisted)
}

fn picks_the_same(grain: Grain, scheduler: impl Scheduler + Clone + Send + 'static) -> Taken {
    let (listed, trace, none) = run(grain, true, scheduler.clone());
    let (unlisted, same, all) = run(grain, false, scheduler);
    assert!(listed == unlisted, "other decisions");
    assert!(trace == same, "another trace");
    assert!(none == 0 && all > 800, "{all} of {} picks went without a list", unlisted.decisions.len());
    listed
}

#[test]
fn a_pick_without_the_list_is_the_one_with_it() {
    for grain in [Grain::Operation, Grain::Poll] {
        picks_the_same(grain, Fifo);
        let taken = picks_the_same(grain, Random::new(7));
        assert!(taken.decisions.deviations().len() > 500, "hardly anything was out of order");
    }
}

#[test]
fn a_replay_finds_tasks_by_name_without_the_list_as_it_does_with_it() {
    for grain in [Grain::Operation, Grain::Poll] {
        let (drawn, trace, _) = run(grain, false, Random::new(11));
        let replayed = picks_the_same(grain, Recorded::new(drawn.decisions.clone()));
        assert!(replayed.decisions == drawn.decisions, "the replay went another way");
        let (_, again, _) = run(grain, false, Recorded::new(drawn.decisions));
        assert!(trace == again, "another trace");
    }
}
