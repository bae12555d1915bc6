//! Small programs in which tasks ask others to end, and what running one comes to.
//!
//! Not here: which programs there are (`suite`).
use asupersync_lab::{LabFailure, LabRuntime};
use combinator::{CombineExt, Either};
use cx::{Access, Cx, Object, RegionHandle, TaskHandle};
use std::fmt::Write as _;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;
use sync::WaitError;
use sync::event::Event;
use sync::mpsc::unbounded::{Receiver, Sender, unbounded};
use sync::mpsc::{self, channel};
use sync::mutex::Mutex as Lock;
use sync::notify::Notify;
use sync::semaphore::Semaphore;
use sync::shared::Shared;
use time::TimeExt;
use types::{Cancelled, Never};

/// What tasks do, one after the other. An operation that is refused ends its task, which gives back what it holds.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Op {
    Step,
    Check,
    /// Reads the cell, and notes it.
    Look,
    Set(u32),
    Lock,
    Unlock,
    Acquire,
    Release,
    Receive,
    Send(u32),
    Wait,
    Raise,
    Masked(Vec<Op>),
    /// Asks a task to end, having said so.
    Ask(usize),
    // What follows says nothing beforehand, or several things at once.
    /// Asks a task to end without a word.
    Cancel(usize),
    /// Asks the region to end in which all these tasks are.
    CancelAll,
    /// Waits for room for a value, and sends it in a step of its own.
    Reserve,
    /// Takes a value out of the channel with little room.
    Drain,
    Sleep,
    Join(usize),
    Notified,
    Notify,
    Either(Box<Op>, Box<Op>),
    /// A region with a child that does this, while the body does that.
    Region(Vec<Op>, Vec<Op>),
}

#[derive(Clone, Debug)]
pub(crate) struct Program(pub(crate) Vec<Vec<Op>>);

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

type Handle = TaskHandle<(), Never>;

/// Why an operation did not happen.
struct Refused(String);

impl std::fmt::Display for Refused {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl From<Cancelled> for Refused {
    fn from(cancelled: Cancelled) -> Refused {
        Refused(cancelled.why().to_string())
    }
}

impl From<WaitError> for Refused {
    fn from(error: WaitError) -> Refused {
        match error {
            WaitError::Closed => Refused("closed".into()),
            WaitError::Cancelled(cancelled) => cancelled.into(),
        }
    }
}

/// What the tasks share.
struct World {
    own: Weak<World>,
    cell: Shared<u32>,
    lock: Lock<()>,
    permits: Semaphore,
    values: (Sender<u32>, Mutex<Option<Receiver<u32>>>, Object),
    room: (mpsc::Sender<u32>, Mutex<Option<mpsc::Receiver<u32>>>),
    event: Event,
    notify: Notify,
    handles: Vec<Mutex<Option<Handle>>>,
    region: Mutex<Option<RegionHandle>>,
    /// Each is written by one task only.
    notes: Vec<Mutex<String>>,
}

/// What a task holds.
#[derive(Default)]
struct Held<'w> {
    guard: Option<sync::mutex::Guard<'w, ()>>,
    permit: Option<sync::semaphore::Permit<&'w Semaphore>>,
}

impl World {
    fn new(tasks: usize) -> Arc<World> {
        Arc::new_cyclic(|own| World::with(tasks, own.clone()))
    }

    fn shared(&self) -> Arc<World> {
        self.own.upgrade().expect("the root has it until all tasks have ended")
    }

    fn with(tasks: usize, own: Weak<World>) -> World {
        let (tx, rx) = unbounded();
        let values = rx.object().clone();
        let (small, drain) = channel(1);
        World {
            own,
            cell: Shared::new(0),
            lock: Lock::new(()),
            permits: Semaphore::new(1),
            values: (tx, Mutex::new(Some(rx)), values),
            room: (small, Mutex::new(Some(drain))),
            event: Event::new(false),
            notify: Notify::new(),
            handles: (0..tasks).map(|_| Mutex::default()).collect(),
            region: Mutex::default(),
            notes: (0..=tasks).map(|_| Mutex::default()).collect(),
        }
    }

    fn note(&self, own: usize, what: impl std::fmt::Display) {
        let _ = write!(lock(&self.notes[own]), "{what} ");
    }

    async fn task(&self, cx: &mut Cx, own: usize, ops: &[Op]) {
        let mut held = Held::default();
        for op in ops {
            if let Err(refused) = self.boxed(cx, own, op, &mut held).await {
                self.note(own, format_args!("refused: {refused}"));
                break;
            }
        }
        if held.guard.is_some() {
            cx.step_to(self.lock.object(), Access::Release(1)).await;
            held.guard = None
        }
        if held.permit.is_some() {
            cx.step_to(self.permits.object(), Access::Release(1)).await;
        }
    }

    fn boxed<'a, 'w: 'a>(
        &'w self,
        cx: &'a mut Cx,
        own: usize,
        op: &'a Op,
        held: &'a mut Held<'w>,
    ) -> Pin<Box<dyn Future<Output = Result<(), Refused>> + Send + 'a>> {
        Box::pin(self.act(cx, own, op, held))
    }

    async fn act<'w>(&'w self, cx: &mut Cx, own: usize, op: &Op, held: &mut Held<'w>) -> Result<(), Refused> {
        match op {
            Op::Step => cx.step().await,
            Op::Check => {
                cx.step().await;
                cx.checkpoint()?
            }
            Op::Look => {
                cx.step_to(self.cell.object(), Access::Read).await;
                self.note(own, self.cell.get())
            }
            Op::Set(value) => {
                cx.step_to(self.cell.object(), Access::Write).await;
                self.cell.set(*value)
            }
            Op::Lock => held.guard = Some(self.lock.lock(cx).await?),
            Op::Unlock => {
                cx.step_to(self.lock.object(), Access::Release(1)).await;
                held.guard = None
            }
            Op::Acquire => held.permit = Some(self.permits.acquire(cx, 1).await?),
            Op::Release => {
                cx.step_to(self.permits.object(), Access::Release(1)).await;
                held.permit = None
            }
            Op::Receive => {
                let mut rx = lock(&self.values.1).take().expect("one task receives");
                let value = rx.recv(cx).await;
                *lock(&self.values.1) = Some(rx);
                self.note(own, value?)
            }
            Op::Send(value) => {
                cx.step_to(&self.values.2, Access::Send).await;
                let _ = self.values.0.send(*value);
            }
            Op::Wait => self.event.wait(cx).await?,
            Op::Raise => {
                cx.step().await;
                self.event.set()
            }
            Op::Masked(ops) => {
                let all = async |cx: &mut Cx| {
                    for op in ops {
                        self.boxed(cx, own, op, held).await?
                    }
                    Ok::<(), Refused>(())
                };
                cx.masked(all).await?
            }
            Op::Ask(task) => {
                let said = lock(&self.handles[*task]).as_ref().map(|handle| handle.step_to_cancel(cx));
                if let Some(said) = said {
                    said.await
                }
                self.cancel(own, *task)
            }
            other => self.act_without_a_word(cx, own, other).await?,
        }
        Ok(())
    }

    /// What says nothing beforehand, or several things at once.
    async fn act_without_a_word(&self, cx: &mut Cx, own: usize, op: &Op) -> Result<(), Refused> {
        match op {
            Op::Cancel(task) => {
                cx.step().await;
                self.cancel(own, *task)
            }
            Op::CancelAll => {
                cx.step().await;
                if let Some(region) = &*lock(&self.region) {
                    region.cancel(types::CancelKind::Explicit, "all", None)
                }
            }
            Op::Reserve => {
                let permit = self.room.0.reserve(cx).await?;
                cx.step().await;
                let _ = permit.send(1);
            }
            Op::Drain => {
                let mut rx = lock(&self.room.1).take().expect("one task receives");
                let value = rx.recv(cx).await;
                *lock(&self.room.1) = Some(rx);
                self.note(own, value?)
            }
            Op::Sleep => cx.sleep(Duration::from_millis(1)).await?,
            Op::Join(task) => {
                let handle = lock(&self.handles[*task]).take();
                if let Some(mut handle) = handle {
                    let end = handle.join(cx).await;
                    *lock(&self.handles[*task]) = Some(handle);
                    self.note(own, format_args!("joined:{}", end.is_ok()))
                }
            }
            Op::Notified => self.notify.notified(cx).await?,
            Op::Notify => {
                cx.step().await;
                self.notify.notify_one()
            }
            Op::Either(a, b) => {
                let leg = async |cx: &mut Cx, op: &Op| {
                    let mut held = Held::default();
                    self.boxed(cx, own, op, &mut held).await
                };
                let first = cx.select(async |cx| leg(cx, a).await, async |cx| leg(cx, b).await).await;
                match first {
                    Either::First(done) => done.map(|()| self.note(own, "a"))?,
                    Either::Second(done) => done.map(|()| self.note(own, "b"))?,
                }
            }
            Op::Region(child, body) => self.region(cx, own, child, body).await,
            other => unreachable!("{other:?} announces itself"),
        }
        Ok(())
    }

    async fn region(&self, cx: &mut Cx, own: usize, child: &[Op], body: &[Op]) {
        // The child has notes of its own.
        let (world, child, its) = (self.shared(), child.to_vec(), self.notes.len() - 1);
        cx.region(|scope| async {
            scope.spawn(async move |cx: &mut Cx| world.task(cx, its, &child).await);
            for op in body {
                let mut held = Held::default();
                if let Err(refused) = self.boxed(scope, own, op, &mut held).await {
                    self.note(own, format_args!("body {refused}"));
                    break;
                }
            }
        })
        .await
    }

    fn cancel(&self, own: usize, task: usize) {
        if let Some(handle) = &*lock(&self.handles[task]) {
            handle.cancel(["asked by 0", "asked by 1", "asked by 2", "asked by 3"][own])
        }
    }
}

/// Runs the program in this lab. What it came to; nothing if the run was given up as one that is like another.
pub(crate) fn run(lab: &LabRuntime, program: &Program) -> Option<String> {
    let notes = Mutex::new(None);
    let ended = lab.try_run(|cx| async {
        let world = World::new(program.0.len());
        *lock(&notes) = Some(world.clone());
        cx.region(|scope| async {
            *lock(&world.region) = Some(scope.handle());
            for (own, ops) in program.0.iter().enumerate() {
                let (its, ops) = (world.clone(), ops.clone());
                let handle = scope.spawn(async move |cx: &mut Cx| its.task(cx, own, &ops).await);
                *lock(&world.handles[own]) = Some(handle);
            }
        })
        .await
    });
    let end = match ended {
        Ok(()) => "",
        Err(LabFailure::Deadlock { .. }) => "stuck",
        Err(LabFailure::Redundant) => return None,
        Err(other) => panic!("{program:?}: {other}"),
    };
    let world = lock(&notes).take().expect("the root began");
    let all: Vec<String> = world.notes.iter().map(|note| lock(note).clone()).collect();
    Some(format!("{}{end}", all.join("| ")))
}
