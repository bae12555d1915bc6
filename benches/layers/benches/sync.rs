//! Locks and channels that nobody contends for, and a value that goes from one task to another.

use std::{hint::black_box, sync::Arc};

use asupersync::{
    prelude::*,
    sync::{
        broadcast, mpsc, mutex::Mutex, notify::Notify, oneshot, rwlock::RwLock, semaphore::Semaphore, watch,
    },
};
use criterion::{Criterion, criterion_group, criterion_main};
use layers::repeated;

fn alone(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("alone");
    repeated(&mut group, "mutex lock", async |cx, times| {
        let lock = Mutex::new(0_u64);
        for _ in 0..times {
            *lock.lock(cx).await.unwrap() += 1;
        }
    });
    repeated(&mut group, "rwlock read", async |cx, times| {
        let lock = RwLock::new(1_u64);
        for _ in 0..times {
            black_box(*lock.read(cx).await.unwrap());
        }
    });
    repeated(&mut group, "rwlock write", async |cx, times| {
        let lock = RwLock::new(0_u64);
        for _ in 0..times {
            *lock.write(cx).await.unwrap() += 1;
        }
    });
    repeated(&mut group, "semaphore acquire", async |cx, times| {
        let slots = Semaphore::new(1);
        for _ in 0..times {
            drop(slots.acquire(cx, 1).await.unwrap());
        }
    });
    repeated(&mut group, "notify one and wait", async |cx, times| {
        let something = Notify::new();
        for _ in 0..times {
            something.notify_one();
            something.notified(cx).await.unwrap();
        }
    });
    repeated(&mut group, "mpsc send and recv", async |cx, times| {
        let (tx, mut rx) = mpsc::channel(16);
        for value in 0..times {
            tx.send(cx, value).await.unwrap();
            black_box(rx.recv(cx).await.unwrap());
        }
    });
    repeated(&mut group, "mpsc reserve, send, recv_ack, ack", async |cx, times| {
        let (tx, mut rx) = mpsc::channel(16);
        for value in 0..times {
            tx.reserve(cx).await.unwrap().send(value);
            black_box(rx.recv_ack(cx).await.unwrap().ack());
        }
    });
    repeated(&mut group, "unbounded send and recv", async |cx, times| {
        let (tx, mut rx) = mpsc::unbounded();
        for value in 0..times {
            tx.send(value).unwrap();
            black_box(rx.recv(cx).await.unwrap());
        }
    });
    repeated(&mut group, "oneshot", async |cx, times| {
        for value in 0..times {
            let (tx, mut rx) = oneshot::channel();
            tx.send(value).unwrap();
            black_box(rx.recv(cx).await.unwrap());
        }
    });
    repeated(&mut group, "broadcast to one", async |cx, times| {
        let (tx, mut rx) = broadcast::channel(16);
        for value in 0..times {
            tx.send(value).unwrap();
            black_box(rx.recv(cx).await.unwrap());
        }
    });
    repeated(&mut group, "watch", async |cx, times| {
        let (tx, mut rx) = watch::channel(0);
        for value in 0..times {
            tx.send(value);
            rx.changed(cx).await.unwrap();
            black_box(*rx.borrow());
        }
    });
    group.finish();
}

fn between_two(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("between two tasks");
    repeated(&mut group, "mpsc of 1, there and back", async |cx, times| {
        let ((there, mut arrived), (back, mut returned)) = (mpsc::channel(1), mpsc::channel(1));
        cx.region(async |cx| {
            cx.spawn(async move |cx: &mut Cx| {
                while let Ok(value) = arrived.recv(cx).await {
                    back.send(cx, value).await.unwrap();
                }
            });
            for value in 0..times {
                there.send(cx, value).await.unwrap();
                black_box(returned.recv(cx).await.unwrap());
            }
            drop(there);
        })
        .await;
    });
    repeated(&mut group, "a mutex that is always held", async |cx, times| {
        let lock = Arc::new(Mutex::new(0_u64));
        cx.region(async |cx| {
            for _ in 0..2 {
                let lock = lock.clone();
                cx.spawn(async move |cx: &mut Cx| {
                    for _ in 0..times.div_ceil(2) {
                        let mut held = lock.lock(cx).await.unwrap();
                        cx.yield_now().await;
                        *held += 1;
                    }
                });
            }
        })
        .await;
    });
    group.finish();
}

criterion_group!(benches, alone, between_two);
criterion_main!(benches);
