//! Small programs, drawn from a seed, and what running one comes to.
use crate::dice::Dice;
use asupersync_lab::{LabFailure, LabRuntime};
use combinator::{CombineExt, Either};
use cx::{Cx, TaskHandle};
use std::fmt::Write as _;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use sync::event::Event;
use sync::mutex::Mutex as Lock;
use sync::notify::Notify;
use sync::semaphore::Semaphore;
use time::TimeExt;
use types::Res;

/// Something that a task may have to wait for.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Wait {
    Set(usize),
    Notified,
    Locked,
    Permit,
    Slept(u64),
    Ended(usize),
}

#[derive(Clone, Copy, Debug)]
pub(crate) enum Op {
    Set(usize),
    /// Only who sleeps by then goes on.
    Pulse(usize),
    Look(usize),
    Notify,
    NotifyAll,
    Give,
    Hold,
    Step,
    For(Wait),
    Either(Wait, Wait),
    Both(Wait, Wait),
    Within(u64, Wait),
    Cancel(usize),
}

/// What programs are made of.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Family {
    Select,
    Cancel,
    Timeout,
    Join,
    /// Without requests.
    Both,
    All,
}

/// The tasks that the root spawns, one after the other, and what each does. A task that is cancelled or joined is so by one
/// that comes later, and by no other.
#[derive(Clone, Debug)]
pub(crate) struct Program(pub(crate) Vec<Vec<Op>>);

impl Program {
    pub(crate) fn random(family: Family, seed: u64) -> Program {
        let mut dice = Dice(seed ^ (family as u64) << 32);
        let mut tasks: Vec<Vec<Op>> = Vec::new();
        let mut owned = [None; 4];
        let count = 2 + dice.below(2);
        for own in 0..count {
            let ops = if own == 0 { 1 } else { 1 + dice.below(2) };
            let ops = (0..ops).map(|_| op(family, &mut dice, own, &mut owned));
            tasks.push(ops.collect());
        }
        // Somebody waits in each of them.
        let first = waiting(family, &mut dice);
        tasks[0].insert(0, first);
        // Some wait until the first task waits.
        if dice.below(3) == 0 {
            tasks[0].insert(0, Op::Set(0));
            tasks[1..].iter_mut().for_each(|ops| ops.insert(0, Op::For(Wait::Set(0))))
        }
        Program(tasks)
    }
}

/// A task before this one that nobody else asks or waits for.
fn target(dice: &mut Dice, own: usize, owned: &mut [Option<usize>; 4]) -> Option<usize> {
    let target = (own > 0).then(|| dice.below(own))?;
    (*owned[target].get_or_insert(own) == own).then_some(target)
}

fn wait(family: Family, dice: &mut Dice) -> Wait {
    let all = [
        Wait::Set(0),
        Wait::Set(1),
        Wait::Notified,
        Wait::Locked,
        Wait::Permit,
        Wait::Slept(1),
        Wait::Slept(2),
    ];
    match family {
        Family::Timeout => all[dice.below(7)],
        _ => all[dice.below(5)],
    }
}

fn waiting(family: Family, dice: &mut Dice) -> Op {
    match family {
        Family::Select => Op::Either(wait(family, dice), wait(family, dice)),
        Family::Both => Op::Both(wait(family, dice), wait(family, dice)),
        Family::Timeout => Op::Within(1 + dice.below(2) as u64, wait(family, dice)),
        _ if dice.below(3) == 0 => Op::Either(wait(family, dice), wait(family, dice)),
        _ => Op::For(wait(family, dice)),
    }
}

fn op(family: Family, dice: &mut Dice, own: usize, owned: &mut [Option<usize>; 4]) -> Op {
    let cancels = matches!(family, Family::Cancel | Family::Join | Family::All);
    let joins = matches!(family, Family::Join | Family::Both | Family::All);
    if cancels
        && dice.below(3) == 0
        && let Some(target) = target(dice, own, owned)
    {
        return Op::Cancel(target);
    }
    if joins
        && dice.below(2) == 0
        && let Some(target) = target(dice, own, owned)
    {
        let end = Wait::Ended(target);
        if matches!(family, Family::Both) {
            return Op::Both(end, wait(family, dice));
        }
        return match dice.below(4) {
            0 => Op::Either(end, wait(family, dice)),
            1 => Op::Either(wait(family, dice), end),
            2 if matches!(family, Family::All) => Op::Within(1, end),
            _ => Op::For(end),
        };
    }
    if matches!(family, Family::Timeout) && dice.below(3) == 0 {
        return Op::For(Wait::Slept(1 + dice.below(2) as u64));
    }
    match dice.below(12) {
        0 => Op::Set(dice.below(2)),
        1..4 => Op::Pulse(dice.below(2)),
        4 => Op::Look(dice.below(2)),
        5 => Op::Notify,
        6 => Op::NotifyAll,
        7 => Op::Give,
        8 => Op::Hold,
        9 => Op::Step,
        10 => Op::For(wait(family, dice)),
        _ => waiting(family, dice),
    }
}

/// What the tasks share.
struct World {
    events: [Event; 2],
    notify: Notify,
    lock: Lock<()>,
    permits: Semaphore,
    /// Each is used by one task only.
    handles: [Mutex<Option<TaskHandle<(), types::Never>>>; 4],
    /// Each is written by one task only.
    notes: [Mutex<String>; 4],
}

impl World {
    fn note(&self, own: usize, what: impl std::fmt::Display) {
        let mut notes = self.notes[own].lock().unwrap_or_else(PoisonError::into_inner);
        let _ = write!(notes, "{what} ");
    }

    /// Whether it came to pass.
    async fn wait(&self, cx: &mut Cx, wait: Wait) -> bool {
        match wait {
            Wait::Set(event) => self.events[event].wait(cx).await.is_ok(),
            Wait::Notified => self.notify.notified(cx).await.is_ok(),
            Wait::Locked => self.lock.lock(cx).await.is_ok(),
            Wait::Permit => self.permits.acquire(cx, 1).await.is_ok(),
            Wait::Slept(ms) => cx.sleep(Duration::from_millis(ms)).await.is_ok(),
            Wait::Ended(task) => {
                let handle = self.handles[task].lock().unwrap_or_else(PoisonError::into_inner).take();
                let Some(mut handle) = handle else { return false };
                let joined = handle.join(cx).await.is_ok();
                *self.handles[task].lock().unwrap_or_else(PoisonError::into_inner) = Some(handle);
                joined
            }
        }
    }

    async fn act(&self, cx: &mut Cx, own: usize, op: Op) {
        match op {
            Op::Set(event) => self.events[event].set(),
            Op::Pulse(event) => {
                self.events[event].set();
                self.events[event].reset()
            }
            Op::Look(event) => self.note(own, self.events[event].is_set()),
            Op::Notify => self.notify.notify_one(),
            Op::NotifyAll => self.notify.notify_waiters(),
            Op::Give => self.permits.add(1),
            Op::Hold => match self.lock.lock(cx).await {
                Ok(_held) => cx.step().await,
                Err(_) => self.note(own, "unheld"),
            },
            Op::Step => cx.step().await,
            Op::For(wait) => {
                let came = self.wait(cx, wait).await;
                self.note(own, came)
            }
            Op::Either(a, b) => {
                let first =
                    cx.select(async |cx| self.wait(cx, a).await, async |cx| self.wait(cx, b).await).await;
                match first {
                    Either::First(came) => self.note(own, format_args!("a:{came}")),
                    Either::Second(came) => self.note(own, format_args!("b:{came}")),
                }
            }
            Op::Both(a, b) => {
                let leg = async |cx: &mut Cx, name: char, wait: Wait| {
                    let came = self.wait(cx, wait).await;
                    self.note(own, format_args!("{name}:{came}:{}", self.events[1].is_set()))
                };
                cx.join(async |cx| leg(cx, 'a', a).await, async |cx| leg(cx, 'b', b).await).await;
            }
            Op::Within(ms, wait) => {
                let body = async |cx: &mut Cx| Res::<bool>::Ok(self.wait(cx, wait).await);
                let came = cx.timeout(Duration::from_millis(ms), body).await;
                self.note(own, format_args!("{:?}", came.ok()))
            }
            Op::Cancel(task) => {
                if let Some(handle) = &*self.handles[task].lock().unwrap_or_else(PoisonError::into_inner) {
                    handle.cancel("it is no longer needed")
                }
            }
        }
    }
}

/// Runs the program in this lab. What it came to; nothing if the run was given up as one that is like another.
pub(crate) fn run(lab: &LabRuntime, program: &Program) -> Option<String> {
    let notes = Mutex::new(None);
    let ended = lab.try_run(|cx| async {
        let world = Arc::new(World {
            events: [Event::new(false), Event::new(false)],
            notify: Notify::new(),
            lock: Lock::new(()),
            permits: Semaphore::new(0),
            handles: Default::default(),
            notes: Default::default(),
        });
        *notes.lock().unwrap_or_else(PoisonError::into_inner) = Some(world.clone());
        for (own, ops) in program.0.iter().enumerate() {
            let (its, ops) = (world.clone(), ops.clone());
            let handle = cx.spawn(async move |cx: &mut Cx| {
                for op in ops {
                    its.act(cx, own, op).await;
                }
            });
            *world.handles[own].lock().unwrap_or_else(PoisonError::into_inner) = Some(handle);
        }
    });
    let end = match ended {
        Ok(()) => "",
        Err(LabFailure::Deadlock { .. }) => "stuck",
        Err(LabFailure::Redundant) => return None,
        Err(other) => panic!("{program:?}: {other}"),
    };
    let world = notes.into_inner().unwrap_or_else(PoisonError::into_inner).expect("the root began");
    let all: Vec<String> =
        world.notes.iter().map(|note| note.lock().unwrap_or_else(PoisonError::into_inner).clone()).collect();
    Some(format!("{}{end}", all.join("| ")))
}
