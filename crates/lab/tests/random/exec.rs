//! Runs a random program.

use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::task::Poll;
use std::time::Duration;

use combinator::CombineExt;
use cx::{Alarm, Cx, NoSpawn, RegionOptions, TaskHandle};
use sync::mpsc;
use time::TimeExt;
use types::{CancelKind, Outcome, Res, Stop};

use crate::program::Op;

/// What a planned panic says.
pub(crate) const PLANNED: &str = "planned";

/// A planned failure.
#[derive(Debug)]
pub(crate) struct Planned;

impl std::fmt::Display for Planned {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(PLANNED)
    }
}

impl std::error::Error for Planned {}

/// What all tasks of a program share.
#[derive(Clone)]
pub(crate) struct World {
    room: mpsc::Sender<u8>,
    _values: std::sync::Arc<std::sync::Mutex<mpsc::Receiver<u8>>>,
}

impl Default for World {
    fn default() -> World {
        // Room for every permit of a program, so that nobody waits for ever.
        let (room, values) = mpsc::channel(4096);
        World { room, _values: std::sync::Arc::new(std::sync::Mutex::new(values)) }
    }
}

fn ms(n: u8) -> Duration {
    Duration::from_millis(u64::from(n))
}

type Running<'a> = Pin<Box<dyn Future<Output = Res<(), Planned>> + Send + 'a>>;

fn body(world: &World, ops: &[Op]) -> impl for<'a> FnOnce(&'a mut Cx) -> Running<'a> + Send + 'static {
    let (world, ops) = (world.clone(), ops.to_vec());
    move |cx| Box::pin(async move { exec(cx, &world, &ops).await })
}

/// Runs the steps one after the other; the first that stops stops them all.
pub(crate) fn exec<'a>(cx: &'a mut Cx, world: &'a World, ops: &'a [Op]) -> Running<'a> {
    Box::pin(async move {
        let mut latest: Option<TaskHandle<(), Planned>> = None;
        for op in ops {
            step(cx, world, op, &mut latest).await?;
        }
        Ok(())
    })
}

async fn deaf(cx: &Cx, span: Duration) {
    let mut alarm = Alarm::new(cx.now() + span);
    poll_fn(|context| alarm.poll(cx, context)).await;
    alarm.disarm(cx);
}

async fn step(
    cx: &mut Cx,
    world: &World,
    op: &Op,
    latest: &mut Option<TaskHandle<(), Planned>>,
) -> Res<(), Planned> {
    match op {
        Op::Yield => cx.yield_now().await,
        Op::Sleep(n) => cx.sleep(ms(*n)).await?,
        Op::Deaf(n) => deaf(cx, ms(*n)).await,
        Op::Checkpoint => cx.checkpoint()?,
        Op::Fail => Err(Planned)?,
        Op::Panic => std::panic::panic_any(PLANNED),
        Op::Spawn(ops) => {
            let body = body(world, ops);
            *latest = Some(cx.spawn(async move |cx: &mut Cx| body(cx).await));
        }
        Op::Daemon(ops) => {
            let body = body(world, ops);
            cx.spawn_daemon(async move |cx: &mut Cx| -> Res<(), Planned> {
                body(cx).await?;
                loop {
                    cx.sleep(ms(100)).await?;
                }
            });
        }
        Op::Join => {
            if let Some(task) = latest {
                match task.join(cx).await {
                    Outcome::Err(planned) => Err(planned)?,
                    Outcome::Cancelled(c) => Err(c)?,
                    Outcome::Ok(()) | Outcome::Panicked(_) => {}
                }
            }
        }
        Op::Cancel => {
            if let Some(task) = latest {
                task.cancel("planned")
            }
        }
        Op::CancelHere => cx.handle().cancel(CancelKind::Explicit, "planned", Some(ms(50))),
        Op::Region(ops) => cx.region(|r| exec(r, world, ops)).await?,
        Op::TryRegion(ops) => cx.try_region(|r| exec(r, world, ops)).await?,
        Op::Collect(ops) => cx.collect(|r| exec(r, world, ops)).await.value?,
        Op::Isolate(ops) => cx.region_with(RegionOptions::isolate(), |r| exec(r, world, ops)).await?,
        Op::Dropped(polls, ops) => {
            let mut region = pin!(cx.try_region(|r| exec(r, world, ops)));
            for _ in 0..*polls {
                let ready = poll_fn(|context| {
                    let ready = region.as_mut().poll(context).is_ready();
                    context.waker().wake_by_ref();
                    Poll::Ready(ready)
                })
                .await;
                if ready {
                    break;
                }
            }
        }
        Op::Masked(ops) => cx.masked(async |cx: &mut Cx| exec(cx, world, ops).await).await?,
        Op::Race(a, b) => {
            cx.race(
                async |cx: &mut Cx| exec(cx, world, a).await,
                async |cx: &mut Cx| exec(cx, world, b).await,
            )
            .await?
        }
        Op::Both(a, b) => {
            cx.try_join(
                async |cx: &mut Cx| exec(cx, world, a).await,
                async |cx: &mut Cx| exec(cx, world, b).await,
            )
            .await?;
        }
        Op::Timeout(n, ops) => {
            let cut = cx.timeout(ms(*n), async |cx: &mut Cx| exec(cx, world, ops).await).await;
            match cut {
                Err(Stop::Cancelled(c)) if c.kind() == CancelKind::Deadline => {}
                other => other?,
            }
        }
        Op::Bracket(used, released) => {
            cx.bracket(
                async |_: &mut Cx| Ok(()),
                async |cx: &mut Cx, (): &mut ()| exec(cx, world, used).await,
                async |cx: &mut Cx, ()| exec(cx, world, released).await,
            )
            .await?
        }
        Op::Finally(ops) => {
            let ops = ops.clone();
            let _ = cx.finally(async move |cx: &mut Cx<NoSpawn>| -> Res {
                for op in &ops {
                    match op {
                        Op::Sleep(n) => cx.sleep(ms(*n)).await?,
                        Op::Yield => cx.yield_now().await,
                        Op::Fail => Err(Planned)?,
                        Op::Panic => std::panic::panic_any(PLANNED),
                        Op::Timeout(n, _) => {
                            let _: Res = cx
                                .timeout(ms(*n), async |cx: &mut Cx<NoSpawn>| Ok(cx.sleep(ms(30)).await?))
                                .await;
                        }
                        _ => cx.checkpoint()?,
                    }
                }
                Ok(())
            });
        }
        Op::Permit(used, ops) => {
            let permit = match world.room.reserve(cx).await {
                Ok(permit) => permit,
                Err(sync::WaitError::Cancelled(c)) => Err(c)?,
                Err(sync::WaitError::Closed) => Err(Planned)?,
            };
            exec(cx, world, ops).await?;
            if *used {
                let _ = permit.send(1);
            }
        }
    }
    Ok(())
}
