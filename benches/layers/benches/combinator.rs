//! Combinators around bodies that are ready, and around bodies that have to be woken.

use std::hint::black_box;

use asupersync::{prelude::*, sync::notify::Notify};
use criterion::{Criterion, criterion_group, criterion_main};
use layers::repeated;

fn ready(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("ready");
    repeated(&mut group, "join of two", async |cx, times| {
        for n in 0..times {
            black_box(cx.join(async |_: &mut Cx| n, async |_: &mut Cx| n).await);
        }
    });
    repeated(&mut group, "join_all of eight", async |cx, times| {
        for n in 0..times {
            black_box(cx.join_all((0..8).map(|k| async move |_: &mut Cx| n + k)).await);
        }
    });
    repeated(&mut group, "race of two", async |cx, times| {
        for n in 0..times {
            black_box(cx.race(async |_: &mut Cx| n, async |_: &mut Cx| n).await);
        }
    });
    repeated(&mut group, "region without tasks", async |cx, times| {
        for n in 0..times {
            black_box(cx.region(async |_: &mut Cx| n).await);
        }
    });
    group.finish();
}

fn waiting(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("waiting");
    repeated(&mut group, "race whose loser waits", async |cx, times| {
        let never = Notify::new();
        for n in 0..times {
            let won = cx
                .race(
                    async |_: &mut Cx| Some(n),
                    async |cx: &mut Cx| never.notified(cx).await.map(|()| 0).ok(),
                )
                .await;
            black_box(won);
        }
    });
    repeated(&mut group, "join of one that lets the other go", async |cx, times| {
        let something = Notify::new();
        for _ in 0..times {
            cx.join(
                async |cx: &mut Cx| something.notified(cx).await.is_ok(),
                async |_: &mut Cx| something.notify_one(),
            )
            .await;
        }
    });
    group.finish();
}

criterion_group!(benches, ready, waiting);
criterion_main!(benches);
