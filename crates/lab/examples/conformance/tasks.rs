//! A program of the mini-language as tasks on the real kernel, with the real locks and channels.
//!
//! One operation is one step: what doesn't wait is preceded by `cx.step_to(..)`, what waits is a scheduling point itself.
//! The root body opens the objects, spawns the tasks into its region, and waits for them.
use cx::{Access, Cx, Object};
use explore::mini::{Op, Operand, Program};
use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::{Arc, Mutex as StdMutex, MutexGuard, PoisonError};
use sync::mpsc::unbounded::{Receiver, Sender, unbounded};
use sync::mutex::{Guard, Mutex};
use sync::shared::Shared;

/// A channel's receiving end, until its only receiver takes it for itself.
type Kept = StdMutex<Option<Receiver<()>>>;

/// What the tasks share.
struct Objects {
    cells: Vec<Shared<i64>>,
    locks: Vec<Mutex<()>>,
    channels: Vec<(Sender<()>, Kept, Object)>,
    /// What each task has read last, once it has ended, if it has read anything.
    read: Vec<StdMutex<Option<i64>>>,
}

impl Objects {
    fn new(program: &Program) -> Objects {
        let channel = |_: &String| {
            let (tx, rx) = unbounded();
            let values = rx.object().clone();
            (tx, StdMutex::new(Some(rx)), values)
        };
        Objects {
            cells: (0..program.cells().len()).map(|cell| self::cell(program, cell)).collect(),
            locks: program.locks().iter().map(|_| Mutex::new(())).collect(),
            channels: program.channels().iter().map(channel).collect(),
            read: program.tasks().iter().map(|_| StdMutex::new(None)).collect(),
        }
    }

    /// A channel's only receiver has it for itself; others meet at it.
    fn receivers(&self, only: impl Fn(usize) -> bool) -> Vec<Option<Receiver<()>>> {
        let channels = self.channels.iter().enumerate();
        channels.map(|(c, (_, rx, _))| only(c).then(|| locked(rx).take())?).collect()
    }

    /// Channels stay open to the end.
    fn give_back(&self, own: Vec<Option<Receiver<()>>>) {
        for (own, (_, shared, _)) in own.into_iter().zip(&self.channels).filter(|(own, _)| own.is_some()) {
            *locked(shared) = own
        }
    }

    /// What the operation does, if it is no scheduling point itself.
    fn announced(&self, op: &Op) -> Option<(&Object, Access)> {
        Some(match *op {
            Op::Load { cell } => (self.cells[cell.0].object(), Access::Read),
            Op::CompareExchange { cell, expected, .. } => {
                (self.cells[cell.0].object(), Access::Exchange(number(expected)))
            }
            Op::Store { cell, .. } | Op::FetchAdd { cell, .. } => {
                (self.cells[cell.0].object(), Access::Write)
            }
            Op::Unlock { lock } => (self.locks[lock.0].object(), Access::Release(1)),
            Op::TryLock { lock } => (self.locks[lock.0].object(), Access::TryAcquire(1)),
            Op::TryReceive { channel } => (&self.channels[channel.0].2, Access::TryReceive),
            Op::Send { channel } => (&self.channels[channel.0].2, Access::Send),
            Op::Lock { .. } | Op::Receive { .. } | Op::If { .. } | Op::Stop => return None,
        })
    }
}

/// A cell that somebody compares and exchanges tells its values.
fn cell(program: &Program, cell: usize) -> Shared<i64> {
    if program.tasks().iter().any(|ops| exchanges(ops, cell)) {
        Shared::numbered(0, |n| number(*n))
    } else {
        Shared::new(0)
    }
}

fn exchanges(ops: &[Op], of: usize) -> bool {
    ops.iter().any(|op| match op {
        Op::CompareExchange { cell, .. } => cell.0 == of,
        Op::If { then, otherwise, .. } => exchanges(then, of) || exchanges(otherwise, of),
        _ => false,
    })
}

/// Whether these operations may receive from the channel of this number.
pub(crate) fn receives(ops: &[Op], from: usize) -> bool {
    ops.iter().any(|op| match op {
        Op::Receive { channel } | Op::TryReceive { channel } => channel.0 == from,
        Op::If { then, otherwise, .. } => receives(then, from) || receives(otherwise, from),
        _ => false,
    })
}

/// Runs the program as the root body of a lab.
pub(crate) async fn run(cx: &mut Cx, program: &Arc<Program>) {
    run_to(cx, program, |_, _| ()).await
}

/// The same, and when every task has ended looks at the cells, and at what each task has read last.
pub(crate) async fn run_to<T>(
    cx: &mut Cx,
    program: &Arc<Program>,
    look: impl FnOnce(&[Shared<i64>], &[Option<i64>]) -> T,
) -> T {
    let objects = Arc::new(Objects::new(program));
    cx.region(|scope| async {
        for index in 0..program.tasks().len() {
            let (program, objects) = (program.clone(), objects.clone());
            scope.spawn(async move |cx| {
                let only = |channel| {
                    (0..program.tasks().len()).all(|t| (t == index) == receives(&program.tasks()[t], channel))
                };
                let read = task(cx, &program.tasks()[index], &objects, only).await;
                *locked(&objects.read[index]) = read
            });
        }
    })
    .await;
    // Kept until here: otherwise whichever task ends last would close the channels.
    let read: Vec<Option<i64>> = objects.read.iter().map(|read| *locked(read)).collect();
    look(&objects.cells, &read)
}

/// Returns what was read last, if anything was.
async fn task(cx: &mut Cx, ops: &[Op], objects: &Objects, only: impl Fn(usize) -> bool) -> Option<i64> {
    let mut held: Vec<Option<Guard<'_, ()>>> = objects.locks.iter().map(|_| None).collect();
    let mut own = objects.receivers(only);
    let (mut last, mut read) = (0, false);
    // The blocks we are in: what is left of each.
    let mut blocks = vec![ops.iter()];
    while let Some(block) = blocks.last_mut() {
        let Some(op) = block.next() else {
            blocks.pop();
            continue;
        };
        if let Some((object, access)) = objects.announced(op) {
            cx.step_to(object, access).await
        }
        read |= reads(op);
        match *op {
            Op::Store { cell, value } => objects.cells[cell.0].set(operand(value, last)),
            Op::Load { cell } => last = objects.cells[cell.0].get(),
            Op::FetchAdd { cell, add } => last = objects.cells[cell.0].write(|n| added(n, add)),
            Op::CompareExchange { cell, expected, new } => {
                let mut found = 0;
                objects.cells[cell.0].update(|n| {
                    found = *n;
                    (*n == expected).then(|| *n = new)
                });
                last = found
            }
            Op::Lock { lock } => match objects.locks[lock.0].lock(cx).await {
                Ok(guard) => held[lock.0] = Some(guard),
                Err(_) => return None,
            },
            Op::Unlock { lock } => held[lock.0] = None,
            Op::TryLock { lock } => match objects.locks[lock.0].try_lock() {
                Some(guard) => {
                    held[lock.0] = Some(guard);
                    last = 1
                }
                None => last = 0,
            },
            Op::Send { channel } => {
                if objects.channels[channel.0].0.send(()).is_err() {
                    return None;
                }
            }
            Op::Receive { channel } => {
                let received = match &mut own[channel.0] {
                    Some(receiver) => receiver.recv(cx).await,
                    None => receive(cx, &objects.channels[channel.0].1).await,
                };
                if received.is_err() {
                    return None;
                }
            }
            Op::TryReceive { channel } => {
                let mut shared = locked(&objects.channels[channel.0].1);
                let receiver = own[channel.0].as_mut().or(shared.as_mut());
                last = i64::from(receiver.is_some_and(|receiver| receiver.try_recv().is_ok()))
            }
            Op::If { equal, value, ref then, ref otherwise } => {
                blocks.push(if (last == value) == equal { then.iter() } else { otherwise.iter() })
            }
            Op::Stop => std::future::pending().await,
        }
    }
    objects.give_back(own);
    // A task that ends with a lock keeps it.
    held.into_iter().flatten().for_each(std::mem::forget);
    read.then_some(last)
}

/// What it was before.
fn added(n: &mut i64, add: i64) -> i64 {
    std::mem::replace(n, n.wrapping_add(add))
}

/// Whether the operation tells its task something.
fn reads(op: &Op) -> bool {
    use Op::{CompareExchange, FetchAdd, Load, TryLock, TryReceive};
    matches!(op, Load { .. } | FetchAdd { .. } | CompareExchange { .. } | TryLock { .. } | TryReceive { .. })
}

/// What a value is to exploration: different for different ones, as far as programs of a line go.
fn number(value: i64) -> u32 {
    value as u32
}

fn operand(value: Operand, last: i64) -> i64 {
    match value {
        Operand::Value(value) => value,
        Operand::Last { plus } => last.wrapping_add(plus),
    }
}

/// Receives from a channel that several tasks receive from. A wait that is not over is forgotten by the channel, so this
/// is for [`Grain::Operation`](asupersync_lab::Grain::Operation), where nothing is polled before it is possible.
async fn receive(cx: &Cx, receiver: &StdMutex<Option<Receiver<()>>>) -> Result<(), sync::WaitError> {
    poll_fn(|context| match &mut *locked(receiver) {
        Some(receiver) => pin!(receiver.recv(cx)).poll(context),
        None => unreachable!("a receiver that is somebody's own is nobody else's"),
    })
    .await
}

fn locked<T>(mutex: &StdMutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
