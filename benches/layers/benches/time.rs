//! Timers: set and taken back, which is what most of them come to; and the wheel by itself.

use std::{hint::black_box, time::Duration};

use asupersync::{Time, prelude::*, time::Wheel};
use criterion::{Criterion, criterion_group, criterion_main};
use layers::repeated;

const HOUR: Duration = Duration::from_secs(3600);

fn timers(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("timers");
    repeated(&mut group, "timeout that is not needed", async |cx, times| {
        for _ in 0..times {
            let done: Res = cx.timeout(HOUR, async |_| Ok(())).await;
            done.unwrap();
        }
    });
    repeated(&mut group, "sleep polled once and dropped", async |cx, times| {
        for _ in 0..times {
            let mut sleep = std::pin::pin!(cx.sleep(HOUR));
            std::future::poll_fn(|context| {
                assert!(sleep.as_mut().poll(context).is_pending());
                std::task::Poll::Ready(())
            })
            .await;
        }
    });
    repeated(&mut group, "sleep that is over", async |cx, times| {
        for _ in 0..times {
            cx.sleep(Duration::ZERO).await.unwrap();
        }
    });
    group.finish();
}

fn wheel(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("wheel");
    for held in [1_u64, 100_000] {
        group.bench_function(format!("insert and remove beside {held}"), |bencher| {
            let mut wheel = Wheel::new(Time::ZERO);
            for n in 0..held {
                wheel.insert(Time::ZERO + HOUR + Duration::from_millis(n), n);
            }
            bencher.iter(|| {
                let key = wheel.insert(Time::ZERO + black_box(HOUR), 0);
                wheel.remove(key)
            });
        });
    }
    group.finish();
}

criterion_group!(benches, timers, wheel);
criterion_main!(benches);
