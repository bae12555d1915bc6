//! Locks, channels, signals, cells and pools that nobody contends for, and values that go from one task to another.

use std::{hint::black_box, sync::Arc};

use asupersync::{
    Never,
    prelude::*,
    sync::{
        Barrier, Event, Latch, Lazy, Mutex, Notify, OnceCell, Pool, RwLock, Semaphore, broadcast, mpsc,
        oneshot, pool::Manage, rendezvous, session, watch,
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

struct Numbers;

impl Manage for Numbers {
    type Item = u64;
    type Error = Never;
    async fn create(&self, _: &mut Cx) -> Res<u64, Never> {
        Ok(0)
    }
}

fn signals_and_cells(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("signals, cells, pools");
    repeated(&mut group, "event set, wait, reset", async |cx, times| {
        let event = Event::new(false);
        for _ in 0..times {
            event.set();
            event.wait(cx).await.unwrap();
            event.reset();
        }
    });
    repeated(&mut group, "latch of one", async |cx, times| {
        for _ in 0..times {
            let latch = Latch::new(1);
            latch.count_down();
            latch.wait(cx).await.unwrap();
        }
    });
    repeated(&mut group, "barrier of one", async |cx, times| {
        let barrier = Barrier::new(1);
        for _ in 0..times {
            black_box(barrier.wait(cx).await.unwrap());
        }
    });
    repeated(&mut group, "once cell that is filled", async |cx, times| {
        let cell = OnceCell::new();
        for n in 0..times {
            black_box(cell.get_or_try_init(cx, async |_: &mut Cx| -> Res<u64> { Ok(n) }).await.unwrap());
        }
    });
    repeated(&mut group, "once cell that is made", async |cx, times| {
        for n in 0..times {
            let cell = OnceCell::new();
            black_box(cell.get_or_try_init(cx, async |_: &mut Cx| -> Res<u64> { Ok(n) }).await.unwrap());
        }
    });
    repeated(&mut group, "lazy that is made", async |cx, times| {
        let lazy = Lazy::new(async |_: &mut Cx| -> Res<u64> { Ok(1) });
        for _ in 0..times {
            black_box(lazy.force(cx).await.unwrap());
        }
    });
    repeated(&mut group, "pool lease of something idle", async |cx, times| {
        let pool = Pool::new(1, Numbers);
        for _ in 0..times {
            *pool.lease(cx).await.unwrap() += 1;
        }
    });
    repeated(&mut group, "pool lease of something idle, shared context", async |cx, times| {
        let pool = Pool::new(1, Numbers);
        for _ in 0..times {
            *pool.lease_shared(cx).await.unwrap() += 1;
        }
    });
    repeated(&mut group, "pool lease of something new", async |cx, times| {
        let pool = Pool::new(1, Numbers);
        for _ in 0..times {
            pool.lease(cx).await.unwrap().discard();
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
    repeated(&mut group, "rendezvous, there and back", async |cx, times| {
        let ((there, mut arrived), (back, mut returned)) = (rendezvous::channel(), rendezvous::channel());
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
    repeated(&mut group, "session, asked and replied", async |cx, times| {
        let (client, mut server) = session::pair::<u64, u64>();
        cx.region(async |cx| {
            cx.spawn(async move |cx: &mut Cx| {
                while let Ok((request, reply)) = server.next(cx).await {
                    reply.send(request + 1);
                }
            });
            for request in 0..times {
                black_box(client.ask(cx, request).await.unwrap());
            }
            drop(client);
        })
        .await;
    });
    repeated(&mut group, "barrier of two", async |cx, times| {
        let barrier = Arc::new(Barrier::new(2));
        cx.region(async |cx| {
            for _ in 0..2 {
                let barrier = barrier.clone();
                cx.spawn(async move |cx: &mut Cx| {
                    for _ in 0..times {
                        barrier.wait(cx).await.unwrap();
                    }
                });
            }
        })
        .await;
    });
    repeated(&mut group, "a pool of one", async |cx, times| {
        let pool = Pool::new(1, Numbers);
        cx.region(async |cx| {
            for _ in 0..2 {
                let pool = pool.clone();
                cx.spawn(async move |cx: &mut Cx| {
                    for _ in 0..times.div_ceil(2) {
                        let mut leased = pool.lease(cx).await.unwrap();
                        cx.yield_now().await;
                        *leased += 1;
                    }
                });
            }
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

criterion_group!(benches, alone, signals_and_cells, between_two);
criterion_main!(benches);
