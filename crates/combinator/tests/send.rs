//! Tasks that use combinators stay `Send` while the bodies borrow the task's locals. It is the compiler that
//! tests here; nothing runs.
#![allow(dead_code)]
use asupersync_combinator::{CombineExt, SelectExt};
use core::time::Duration;
use cx::{All, Cx, MaySpawn, MayTime, TimeOnly};
use std::sync::{Arc, Mutex};
use time::TimeExt;
use types::{Cancelled, Res};

const fn ms(n: u64) -> Duration {
    Duration::from_millis(n)
}

fn is_send<T: Send>(value: T) -> T {
    value
}

struct Pool(Arc<Mutex<Vec<String>>>);
impl Pool {
    async fn get<C: MayTime>(&self, cx: &Cx<C>, key: &str) -> Res<String> {
        cx.sleep(ms(1)).await?;
        Ok(key.to_string())
    }
}

fn every_combinator_in_a_spawned_task(scope: &Cx) {
    let pool = Pool(Arc::default());
    scope.spawn(async move |cx| -> Res<usize> {
        let local = String::from("x");
        let keys = ["a".to_string(), "b".into(), "c".into()];
        let n = cx
            .race(
                async |cx| pool.get(cx, &local).await,
                async |cx| {
                    cx.sleep(ms(9)).await?;
                    Ok(local.clone())
                },
            )
            .await?
            .len();
        let (a, b) =
            cx.join(async |cx| pool.get(cx, &keys[0]).await, async |cx| pool.get(cx, &keys[1]).await).await;
        let q = cx.quorum(2, keys.iter().map(|k| async |cx: &mut Cx| pool.get(cx, k).await)).await;
        let t = cx
            .timeout(ms(50), async |cx| {
                cx.region(|s| async {
                    let mut h = s.spawn(async |_| -> Res<u8> { Ok(1) });
                    h.join(s).await.ok()
                })
                .await?;
                pool.get(cx, &local).await
            })
            .await?;
        let m = cx
            .masked(async |cx| {
                cx.race(async |cx| pool.get(cx, &local).await.map(|s| s.len()), async |_| Ok(0)).await
            })
            .await?;
        let br: Res<usize> = cx
            .bracket(
                async |cx| pool.get(cx, &local).await,
                async |cx, r| {
                    cx.sleep(ms(1)).await?;
                    Ok(r.len())
                },
                async |_, _| {},
            )
            .await;
        let all = cx.join_all(keys.iter().map(|k| async |cx: &mut Cx| pool.get(cx, k).await)).await;
        let first = cx.first_ok(keys.iter().map(|k| async |cx: &mut Cx| pool.get(cx, k).await)).await?;
        let raced = cx.race_all(keys.iter().map(|k| async |cx: &mut Cx| pool.get(cx, k).await)).await?;
        let tried = cx.try_join_all(keys.iter().map(|k| async |cx: &mut Cx| pool.get(cx, k).await)).await?;
        let both =
            cx.try_join(async |cx| pool.get(cx, &local).await, async |cx| pool.get(cx, &local).await).await?;
        let either = cx.select(async |cx| pool.get(cx, &local).await, async |_| local.len()).await;
        let fair = cx.select_fair(async |cx| pool.get(cx, &local).await, async |_| local.len()).await;
        let three = cx
            .select3_fair(
                async |cx| pool.get(cx, &local).await,
                async |_| local.len(),
                async |cx| cx.sleep(ms(1)).await,
            )
            .await;
        let (place, _) = cx.select_all(keys.iter().map(|k| async |cx: &mut Cx| pool.get(cx, k).await)).await;
        let _ = (all, first, raced, tried, both, either, fair, three, place);
        let mut interval = cx.interval(ms(5));
        interval.tick(cx).await?;
        Ok(n + a?.len() + b?.len() + q.len() + t.len() + m + br?)
    });
}

async fn generic_helper<T: Send + Sync>(
    cx: &mut Cx<impl MayTime>,
    t: &T,
    f: impl AsyncFnOnce(&T) -> u8,
) -> Res<u8> {
    cx.sleep(ms(1)).await?;
    Ok(f(t).await)
}

fn generic_functions_in_a_spawned_task(scope: &Cx) {
    scope.spawn(async |cx| -> Res<u8> {
        let v = 5u8;
        generic_helper(cx, &v, async |x| *x + 1).await
    });
    scope.spawn(generic_race);
}

async fn generic_race<C: MayTime + MaySpawn>(cx: &mut Cx<C>) -> Res<u8> {
    let local = [1, 2, 3];
    cx.timeout(ms(5), async |cx| {
        cx.race(
            async |cx| {
                cx.sleep(ms(1)).await?;
                Ok(local[0])
            },
            async |cx| generic_timeout(cx, &local).await,
        )
        .await
    })
    .await
}

async fn generic_timeout(cx: &mut Cx<impl MayTime>, of: &[u8]) -> Res<u8> {
    cx.deadline(cx.now() + ms(3), async |cx| {
        cx.sleep(ms(4)).await?;
        Ok(of[1])
    })
    .await
}

fn futures_that_borrow_locals_are_send(cx: &mut Cx<All>) {
    let local = String::new();
    drop(is_send(async {
        cx.race(
            async |cx| {
                cx.sleep(ms(1)).await.ok();
                local.len()
            },
            async |_| 0,
        )
        .await
    }));
}

fn sleeps_are_send_and_unpin(cx: &Cx<TimeOnly>) {
    fn is_unpin<T: Unpin>(value: T) -> T {
        value
    }
    drop(is_unpin(is_send(cx.sleep(ms(1)))));
    is_send(cx.interval(ms(1)));
}

// Bodies that are not `Send` are fine where the task is not.
fn bodies_may_share_a_cell(cx: &mut Cx<TimeOnly>) {
    let log = std::cell::RefCell::new(Vec::new());
    drop(async {
        cx.join(
            async |cx| {
                let slept: Result<(), Cancelled> = cx.sleep(ms(1)).await;
                log.borrow_mut().push(slept.is_ok())
            },
            async |_| log.borrow_mut().push(true),
        )
        .await
    });
}

#[test]
fn it_compiles() {
    let _ = (every_combinator_in_a_spawned_task, generic_functions_in_a_spawned_task);
    let _ = (futures_that_borrow_locals_are_send, sleeps_are_send_and_unpin, bodies_may_share_a_cell);
}
