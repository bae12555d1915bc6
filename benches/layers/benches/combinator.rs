//! Combinators around bodies that are ready, and around bodies that have to be woken; streams, per item.

use std::{hint::black_box, time::Duration};

use asupersync::{
    combinator::{
        SelectExt,
        backoff::Backoff,
        retry::Retry,
        stream::{self, StreamCxExt, StreamExt},
    },
    prelude::*,
    sync::notify::Notify,
};
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
    repeated(&mut group, "select of eight", async |cx, times| {
        for n in 0..times {
            black_box(cx.select_all((0..8).map(|k| async move |_: &mut Cx| n + k)).await);
        }
    });
    repeated(&mut group, "quorum of two out of three", async |cx, times| {
        for n in 0..times {
            let bodies = (0..3).map(|k| async move |_: &mut Cx| -> Res<u64> { Ok(n + k) });
            black_box(cx.quorum(2, bodies).await.ok().unwrap());
        }
    });
    repeated(&mut group, "retry of what succeeds", async |cx, times| {
        let policy = Retry::new(3, Backoff::constant(Duration::ZERO));
        for n in 0..times {
            black_box(cx.retry(&policy, async |_: &mut Cx| -> Res<u64> { Ok(n) }).await.unwrap());
        }
    });
    repeated(&mut group, "retry of what fails once", async |cx, times| {
        let policy = Retry::new(3, Backoff::constant(Duration::ZERO));
        for _ in 0..times {
            let failed = std::cell::Cell::new(false);
            let body = async |_: &mut Cx| if failed.replace(true) { Ok(()) } else { Err(Stop::Err(())) };
            cx.retry(&policy, body).await.unwrap();
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

fn streams(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("streams");
    repeated(&mut group, "map and filter", async |cx, times| {
        let mut items = stream::iter(0..2 * times).map(|n| n + 1).filter(|n| n % 2 == 0);
        while let Some(item) = items.next(cx).await.unwrap() {
            black_box(item);
        }
    });
    repeated(&mut group, "then", async |cx, times| {
        let mut items = std::pin::pin!(stream::iter(0..times).then(async |n| n + 1));
        while let Some(item) = items.next(cx).await.unwrap() {
            black_box(item);
        }
    });
    repeated(&mut group, "merge of two", async |cx, times| {
        let mut items = stream::iter(0..times / 2).merge(stream::iter(0..times.div_ceil(2)));
        while let Some(item) = items.next(cx).await.unwrap() {
            black_box(item);
        }
    });
    repeated(&mut group, "chunks of sixteen", async |cx, times| {
        let mut chunks = stream::iter(0..times).chunks(16);
        while let Some(chunk) = chunks.next(cx).await.unwrap() {
            black_box(chunk);
        }
    });
    repeated(&mut group, "buffered, eight tasks at a time", async |cx, times| {
        cx.region(async |cx| {
            let bodies = stream::iter(0..times).map(|n| async move |_: &mut Cx| -> Res<u64> { Ok(n) });
            let mut items = std::pin::pin!(bodies.buffered(cx, 8));
            while let Some(item) = items.next(cx).await.unwrap() {
                black_box(item.unwrap());
            }
        })
        .await;
    });
    repeated(&mut group, "buffer_unordered, eight tasks at a time", async |cx, times| {
        cx.region(async |cx| {
            let bodies = stream::iter(0..times).map(|n| async move |_: &mut Cx| -> Res<u64> { Ok(n) });
            let mut items = std::pin::pin!(bodies.buffer_unordered(cx, 8));
            while let Some(item) = items.next(cx).await.unwrap() {
                black_box(item.unwrap());
            }
        })
        .await;
    });
    group.finish();
}

criterion_group!(benches, ready, waiting, streams);
criterion_main!(benches);
