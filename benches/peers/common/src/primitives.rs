// Included (`include!`) by the peers that have these primitives, after `bodies.rs`. The including crate defines
// `mod prim` (see README.md for what it must hold).

/// Every value to every receiver: batches of 512 into a ring of 1024; the sender goes on when all have the batch.
async fn broadcast(n: u64, receivers: u64) -> Out {
    let (tx, first) = prim::broadcast(1024);
    let (ack, mut acked) = rt::mpsc::<u64>(64);
    let behind = Arc::new(AtomicU64::new(receivers));
    let mut all: Vec<_> = (1..receivers).map(|_| prim::subscribe(&first)).collect();
    all.push(first);
    let tasks: Vec<_> = all
        .into_iter()
        .map(|mut rx| {
            let (ack, behind) = (ack.clone(), behind.clone());
            rt::spawn(async move {
                let (mut k, mut sum) = (0u64, 0u64);
                while k < n {
                    sum += prim::hear(&mut rx).await;
                    k += 1;
                    if k % 512 == 0 && behind.fetch_sub(1, SeqCst) == 1 {
                        behind.store(receivers, SeqCst);
                        rt::send(&ack, k).await;
                    }
                }
                sum
            })
        })
        .collect();
    let c = Clock::start();
    for i in 0..n {
        prim::tell(&tx, i).await;
        if (i + 1) % 512 == 0 {
            check(rt::recv(&mut acked).await == Some(i + 1), "broadcast batch");
        }
    }
    let mut sum = 0;
    for task in tasks {
        sum += rt::join(task).await;
    }
    let o = c.stop(n * receivers);
    check(sum == receivers * (n * (n - 1) / 2), "broadcast sum");
    o
}

/// The latest value: the next one is sent when all receivers have seen this one.
async fn watch(n: u64, receivers: u64) -> Out {
    let (tx, first) = prim::watch();
    let (ack, mut acked) = rt::mpsc::<u64>(1);
    let behind = Arc::new(AtomicU64::new(receivers));
    let mut all: Vec<_> = (1..receivers).map(|_| first.clone()).collect();
    all.push(first);
    let tasks: Vec<_> = all
        .into_iter()
        .map(|mut rx| {
            let (ack, behind) = (ack.clone(), behind.clone());
            rt::spawn(async move {
                let mut seen = 0u64;
                while seen < n {
                    let now = prim::changed(&mut rx).await;
                    check(now == seen + 1, "watch value");
                    seen = now;
                    if behind.fetch_sub(1, SeqCst) == 1 {
                        behind.store(receivers, SeqCst);
                        rt::send(&ack, now).await;
                    }
                }
            })
        })
        .collect();
    let c = Clock::start();
    for i in 1..=n {
        prim::set(&tx, i);
        check(rt::recv(&mut acked).await == Some(i), "watch round");
    }
    for task in tasks {
        rt::join(task).await;
    }
    c.stop(n * receivers)
}

/// 64 tasks at one lock: nine reads, one write, nothing awaited inside.
async fn rwlock(n: u64) -> Out {
    let lock = Arc::new(prim::RwLock::new(0u64));
    let per = n / 64;
    let c = Clock::start();
    let tasks: Vec<_> = (0..64)
        .map(|_| {
            let lock = lock.clone();
            rt::spawn(async move {
                let mut last = 0;
                for i in 0..per {
                    if i % 10 == 9 {
                        *lock.write().await += 1;
                    } else {
                        let now = *lock.read().await;
                        check(now >= last, "rwlock goes back");
                        last = now;
                    }
                }
            })
        })
        .collect();
    for task in tasks {
        rt::join(task).await;
    }
    let o = c.stop(per * 64);
    check(*lock.read().await == 64 * (per / 10), "rwlock total");
    o
}

/// 64 tasks at 8 permits; with `hold` they yield while they have one.
async fn semaphore(n: u64, hold: bool) -> Out {
    let sem = Arc::new(prim::Semaphore::new(8));
    let inside = Arc::new(AtomicU64::new(0));
    let per = n / 64;
    let c = Clock::start();
    let tasks: Vec<_> = (0..64)
        .map(|_| {
            let (sem, inside) = (sem.clone(), inside.clone());
            rt::spawn(async move {
                for _ in 0..per {
                    let _permit = prim::acquire(&sem).await;
                    if hold {
                        check(inside.fetch_add(1, SeqCst) < 8, "too many permits");
                        rt::yield_now().await;
                        inside.fetch_sub(1, SeqCst);
                    }
                }
            })
        })
        .collect();
    for task in tasks {
        rt::join(task).await;
    }
    c.stop(per * 64)
}

/// Two tasks, two notifies, n round trips.
async fn notify(n: u64) -> Out {
    let (a, b) = (Arc::new(prim::Notify::new()), Arc::new(prim::Notify::new()));
    let (a2, b2) = (a.clone(), b.clone());
    let c = Clock::start();
    let pong = rt::spawn(async move {
        for _ in 0..n {
            prim::notified(&a2).await;
            prim::notify_one(&b2);
        }
    });
    let ping = rt::spawn(async move {
        for _ in 0..n {
            prim::notify_one(&a);
            prim::notified(&b).await;
        }
    });
    rt::join(ping).await;
    rt::join(pong).await;
    c.stop(n)
}

/// 64 tasks meet again and again; an operation is one task's passing.
async fn barrier(n: u64) -> Out {
    let barrier = Arc::new(prim::barrier(64));
    let rounds = n / 64;
    let c = Clock::start();
    let tasks: Vec<_> = (0..64)
        .map(|_| {
            let barrier = barrier.clone();
            rt::spawn(async move {
                let mut led = 0u64;
                for _ in 0..rounds {
                    led += prim::meet(&barrier).await as u64;
                }
                led
            })
        })
        .collect();
    let mut led = 0;
    for task in tasks {
        led += rt::join(task).await;
    }
    let o = c.stop(rounds * 64);
    check(led == rounds, "barrier leaders");
    o
}

/// Made, sent and received in one task: what the channel itself costs.
async fn oneshot_alone(n: u64) -> Out {
    let c = Clock::start();
    for i in 0..n {
        let (tx, rx) = rt::oneshot::<u64>();
        rt::send1(tx, i);
        check(rt::recv1(rx).await == i, "oneshot value");
    }
    c.stop(n)
}

/// One task selects over eight channels of eight producers until n messages have come.
async fn select8(n: u64) -> Out {
    let per = n / 8;
    let mut receivers = Vec::new();
    for p in 0..8 {
        let (tx, rx) = rt::mpsc::<u64>(64);
        receivers.push(rx);
        rt::spawn_detached(async move {
            for i in 0..per {
                rt::send(&tx, p * per + i).await;
            }
            // The channel stays open: a closed one would be ready for ever.
            std::future::pending::<()>().await;
            drop(tx);
        });
    }
    let n = per * 8;
    let c = Clock::start();
    let sum = rt::join(rt::spawn(prim::select8(receivers, n))).await;
    let o = c.stop(n);
    check(sum == n * (n - 1) / 2, "select sum");
    o
}

/// A stream of n futures, each of which yields once, 64 at a time.
async fn buffer_unordered(n: u64) -> Out {
    let c = Clock::start();
    let sum = rt::join(rt::spawn(prim::buffer_unordered(n))).await;
    let o = c.stop(n);
    check(sum == n * (n - 1) / 2, "buffer_unordered sum");
    o
}

fn primitive(a: &Args) -> Out {
    let b = a.bench.as_str();
    if prim::UNSUPPORTED.contains(&b) {
        common::unsupported(b)
    }
    match b {
        "broadcast_1" => rt::run(a, broadcast(a.n(1 << 20), 1)),
        "broadcast_8" => rt::run(a, broadcast(a.n(1 << 18), 8)),
        "broadcast_64" => rt::run(a, broadcast(a.n(1 << 15), 64)),
        "watch_1" => rt::run(a, watch(a.n(500_000), 1)),
        "watch_8" => rt::run(a, watch(a.n(100_000), 8)),
        "watch_64" => rt::run(a, watch(a.n(20_000), 64)),
        "rwlock_90_10" => rt::run(a, rwlock(a.n(640_000))),
        "semaphore" => rt::run(a, semaphore(a.n(640_000), false)),
        "semaphore_held" => rt::run(a, semaphore(a.n(256_000), true)),
        "notify" => rt::run(a, notify(a.n(500_000))),
        "barrier" => rt::run(a, barrier(a.n(640_000))),
        "oneshot" => rt::run(a, oneshot_alone(a.n(5_000_000))),
        "unbounded_1p1c" => rt::run(a, unbounded(a.n(5_000_000), 1)),
        "unbounded_8p1c" => rt::run(a, unbounded(a.n(5_000_000), 8)),
        "select_8" => rt::run(a, select8(a.n(1_000_000))),
        "buffer_unordered" => rt::run(a, buffer_unordered(a.n(100_000))),
        _ => common::unsupported(b),
    }
}
