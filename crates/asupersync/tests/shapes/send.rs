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

#[test]
fn combinators_in_spawned_tasks_capture_locals() {
    let lab = lab(1);
    let total: Res<usize> = lab.run(|cx| async {
        cx.region(|scope| async {
            let pool = Pool(Arc::default());
            let mut task = scope.spawn(async move |cx| -> Res<usize> {
                let local = String::from("x");
                let keys = ["a".to_string(), "b".into(), "c".into()];
                let raced = cx
                    .race(
                        async |cx| pool.get(cx, &local).await,
                        async |cx| {
                            cx.sleep(ms(9)).await?;
                            Ok(local.clone())
                        },
                    )
                    .await?;
                let (a, b) = cx
                    .join(async |cx| pool.get(cx, &keys[0]).await, async |cx| pool.get(cx, &keys[1]).await)
                    .await;
                let reads = keys.iter().map(|key| async |cx: &mut Cx| pool.get(cx, key).await);
                let quorum = cx.quorum(2, reads).await.ok()?;
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
                let masked = cx
                    .masked(async |cx| {
                        cx.race(async |cx| pool.get(cx, &local).await.map(|s| s.len()), async |_| Ok(0)).await
                    })
                    .await?;
                let bracketed: Res<usize> = cx
                    .bracket(
                        async |cx| pool.get(cx, &local).await,
                        async |cx, r| {
                            cx.sleep(ms(1)).await?;
                            Ok(r.len())
                        },
                        async |_, _| {},
                    )
                    .await;
                Ok(raced.len() + a?.len() + b?.len() + quorum.len() + timed.len() + masked + bracketed?)
            });
            let total = task.join(scope).await.ok()?;

            let (tx, mut rx) = mpsc::channel::<String>(2);
            scope.spawn(async move |cx| -> Res {
                for i in 0..3 {
                    let permit = tx.reserve(cx).await?;
                    permit.send(format!("{i}"));
                }
                Ok(())
            });
            scope.spawn(async move |cx| -> Res {
                while let Ok(text) = rx.recv(cx).await {
                    cx.timeout(ms(5), async |cx| {
                        cx.trace(text.clone());
                        Ok::<(), Stop>(())
                    })
                    .await?;
                }
                Ok(())
            });
            async fn helper<T: Send + Sync>(
                cx: &mut Cx<impl MayTime>,
                t: &T,
                f: impl AsyncFnOnce(&T) -> u8,
            ) -> Res<u8> {
                cx.sleep(ms(1)).await?;
                Ok(f(t).await)
            }
            scope.spawn(async |cx| -> Res<u8> {
                let v = 5u8;
                helper(cx, &v, async |x| *x + 1).await
            });
            Ok(total)
        })
        .await
    });
    // Race 1, join 1 + 1, quorum 2, timeout 1, the masked race 0 (the second never waits), bracket 1.
    assert_eq!(total.unwrap(), 7);
    assert_eq!(lab.notes(), ["0", "1", "2"]);
    assert!(lab.oracles().is_ok());
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
