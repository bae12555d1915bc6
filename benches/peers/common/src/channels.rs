// Included (`include!`) by `bodies.rs`, and alone by the peers that are channels and no runtimes.

use common::{check, Args, Clock, Out};
use std::future::Future;

/// Two tasks, two bounded(1) channels, n round trips.
async fn ping_pong(n: u64) -> Out {
    let (atx, mut arx) = rt::mpsc::<u64>(1);
    let (btx, mut brx) = rt::mpsc::<u64>(1);
    let c = Clock::start();
    let pong = rt::spawn(async move {
        let mut k = 0u64;
        while let Some(v) = rt::recv(&mut arx).await {
            rt::send(&btx, v + 1).await;
            k += 1;
        }
        k
    });
    let ping = rt::spawn(async move {
        for i in 0..n {
            rt::send(&atx, i).await;
            check(rt::recv(&mut brx).await == Some(i + 1), "ping_pong value");
        }
        drop(atx);
    });
    rt::join(ping).await;
    let k = rt::join(pong).await;
    let o = c.stop(n);
    check(k == n, "ping_pong count");
    o
}

async fn mpsc(n: u64, producers: u64) -> Out {
    let (tx, mut rx) = rt::mpsc::<u64>(1024);
    let per = n / producers;
    let c = Clock::start();
    for p in 0..producers {
        let tx = tx.clone();
        rt::spawn_detached(async move {
            for i in 0..per {
                rt::send(&tx, p * per + i).await;
            }
        });
    }
    drop(tx);
    let (k, sum) = rt::join(rt::spawn(async move {
        let (mut k, mut s) = (0u64, 0u64);
        while let Some(v) = rt::recv(&mut rx).await {
            k += 1;
            s += v;
        }
        (k, s)
    }))
    .await;
    let n = per * producers;
    let o = c.stop(n);
    check(k == n && sum == n * (n - 1) / 2, "mpsc count");
    o
}

async fn unbounded(n: u64, producers: u64) -> Out {
    let (tx, mut rx) = prim::unbounded();
    let per = n / producers;
    let c = Clock::start();
    for p in 0..producers {
        let tx = tx.clone();
        rt::spawn_detached(async move {
            for i in 0..per {
                prim::push(&tx, p * per + i);
                // Nothing holds an unbounded sender back: this is what keeps the queue in the cache.
                if i % 256 == 255 {
                    rt::yield_now().await;
                }
            }
        });
    }
    drop(tx);
    let (k, sum) = rt::join(rt::spawn(async move {
        let (mut k, mut s) = (0u64, 0u64);
        while let Some(v) = prim::pop(&mut rx).await {
            k += 1;
            s += v;
        }
        (k, s)
    }))
    .await;
    let n = per * producers;
    let o = c.stop(n);
    check(k == n && sum == n * (n - 1) / 2, "unbounded sum");
    o
}
