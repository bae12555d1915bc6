//! Where the compiler's inference of `Send` bites: combinators inside spawned tasks, whose bodies capture locals by
//! reference.
//!
//! Not here: that values that are not `Send` are refused (`ui/not_send.rs`).
use super::*;

fn is_send<T: Send>(_: &T) {}

struct Pool(Arc<Mutex<Vec<String>>>);

impl Pool {
    async fn get(&self, cx: &Cx, key: &str) -> Res<String> {
        cx.sleep(ms(1)).await?;
        self.0.lock().unwrap().push(key.to_string());
        Ok(key.to_string())
    }
}

/// Runs a task that was spawned into a region, in the lab, and returns its value.
fn spawned<T: Send + 'static, F: asupersync::Task<Res<T>>>(body: F) -> T {
    let lab = lab(1);
    let value: Res<T> = lab.run(|cx| async {
        cx.region(|scope| async {
            let mut task = scope.spawn(body);
            task.join(scope).await.ok()
        })
        .await
    });
    assert!(lab.oracles().is_ok());
    value.unwrap()
}

#[test]
fn races_joins_and_quorums_in_spawned_tasks_capture_locals() {
    let pool = Pool(Arc::default());
    let got = spawned(async move |cx: &mut Cx| -> Res<(String, String, String, Vec<String>)> {
        let local = String::from("x");
        let keys = ["a".to_string(), "b".into(), "c".into()];
        let late = async |cx: &mut Cx| {
            cx.sleep(ms(9)).await?;
            Ok(local.clone())
        };
        let raced = cx.race(async |cx| pool.get(cx, &local).await, late).await?;
        let (a, b) =
            cx.join(async |cx| pool.get(cx, &keys[0]).await, async |cx| pool.get(cx, &keys[1]).await).await;
        let reads = keys.iter().map(|key| async |cx: &mut Cx| pool.get(cx, key).await);
        let mut two = cx.quorum(2, reads).await.ok()?;
        two.truncate(2);
        Ok((raced, a?, b?, two))
    });
    assert_eq!((got.0.as_str(), got.1.as_str(), got.2.as_str(), got.3.len()), ("x", "a", "b", 2));
}

#[test]
fn timeouts_masks_and_brackets_in_spawned_tasks_capture_locals() {
    let pool = Pool(Arc::default());
    let got = spawned(async move |cx: &mut Cx| -> Res<(String, usize, usize)> {
        let local = String::from("x");
        let timed = cx
            .timeout(ms(50), async |cx| {
                cx.region(|s| async {
                    let mut task = s.spawn(async |_| -> Res<u8> { Ok(1) });
                    task.join(s).await.ok()
                })
                .await?;
                pool.get(cx, &local).await
            })
            .await?;
        let slow = async |cx: &mut Cx| pool.get(cx, &local).await.map(|s| s.len());
        let masked = cx.masked(async |cx| cx.race(slow, async |_| Ok(0)).await).await?;
        let bracketed: Res<usize> = cx
            .bracket(
                async |cx| pool.get(cx, &local).await,
                async |cx, got| {
                    cx.sleep(ms(1)).await?;
                    Ok(got.len())
                },
                async |_, _| {},
            )
            .await;
        Ok((timed, masked, bracketed?))
    });
    // The second runner of the masked race never waits.
    assert_eq!(got, ("x".to_string(), 0, 1));
}

#[test]
fn channels_in_spawned_tasks_work_with_helpers_that_are_generic() {
    async fn helper<T: Send + Sync>(
        cx: &mut Cx<impl MayTime>,
        t: &T,
        f: impl AsyncFnOnce(&T) -> u8,
    ) -> Res<u8> {
        cx.sleep(ms(1)).await?;
        Ok(f(t).await)
    }
    let got = spawned(async |cx: &mut Cx| -> Res<Vec<u8>> {
        let (tx, mut rx) = mpsc::channel::<u8>(2);
        cx.spawn(async move |cx| -> Res {
            for i in 0..3u8 {
                let next = helper(cx, &i, async |i| *i + 1).await?;
                let permit = tx.reserve(cx).await?;
                permit.send(next);
            }
            Ok(())
        });
        let mut got = vec![];
        while let Ok(n) = rx.recv(cx).await {
            cx.timeout(ms(5), async |cx| {
                cx.checkpoint()?;
                got.push(n);
                Ok::<(), Stop>(())
            })
            .await?;
        }
        Ok(got)
    });
    assert_eq!(got, [1, 2, 3]);
}

#[test]
fn futures_of_regions_and_combinators_are_send() {
    fn regions(cx: &mut Cx) {
        let f = async {
            cx.region(|s| async {
                s.spawn(task_a);
                s.region(|t| async {
                    t.spawn(task_b);
                })
                .await
            })
            .await
        };
        is_send(&f);
    }
    fn races(cx: &mut Cx) {
        let local = String::new();
        let f = async {
            let raced = async |cx: &mut Cx| {
                cx.sleep(ms(1)).await.ok();
                local.len()
            };
            cx.race(raced, async |_| 0).await
        };
        is_send(&f);
    }
    fn leaves(cx: &mut Cx, tx: &Sender<u8>, rx: &mut Receiver<u8>) {
        let f = async {
            tx.reserve(cx).await.map(|permit| permit.send(1)).ok();
            rx.recv(cx).await.ok();
            cx.sleep(ms(1)).await.ok();
        };
        is_send(&f);
    }
    let _ = (regions, races, leaves);
}
