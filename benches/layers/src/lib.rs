//! What the benchmarks share: a loop of one operation inside a task, timed without the start of the runtime.
//!
//! `cargo bench` in this folder runs all; `cargo bench --bench sync -- mutex` a part. Each measurement is one task on a
//! runtime of one thread, so that what is measured is the operation and not the machine's scheduler.
//!
//! Not here: comparisons with other runtimes (`benches/peers`), what two threads do to each other.

use std::time::Instant;

use asupersync::{LocalRuntime, prelude::*};
use criterion::{BenchmarkGroup, measurement::WallTime};

/// Measures `body`, which does its operation so many times.
pub fn repeated<B>(group: &mut BenchmarkGroup<'_, WallTime>, name: &str, body: B)
where
    B: AsyncFn(&mut Cx, u64),
{
    group.bench_function(name, |bencher| {
        bencher.iter_custom(|times| {
            let measured = LocalRuntime::run(async |_, cx: &mut Cx| {
                let began = Instant::now();
                body(cx, times).await;
                began.elapsed()
            });
            measured.expect("a runtime of one thread")
        });
    });
}
