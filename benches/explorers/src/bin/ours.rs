//! The programs as tasks on this project's kernel, explored exhaustively, and sampled by a random walk.
use cx::{Access, Cx};
use explore::{Explorer, Random, Scheduler};
use explorers::{timed, wanted};
use lab::{Executor, Grain, LabConfig, LabFailure, Search, crew};
use std::sync::{Arc, Mutex};
use sync::mutex::Mutex as Lock;
use sync::shared::Shared;

fn executor() -> Executor {
    Executor::new(LabConfig::default().traced(false), Grain::Operation)
}

fn run(
    executor: &Executor,
    scheduler: &Arc<Mutex<impl Scheduler + Send + 'static>>,
    body: impl AsyncFnOnce(&mut Cx),
) {
    let execution = executor.execute(scheduler, |lab| match lab.try_run(|cx| async move { body(cx).await }) {
        // An exploration that is not optimal gives up runs that repeat others.
        Ok(()) | Err(LabFailure::Redundant) => {}
        Err(failure) => panic!("{failure}"),
    });
    assert!(execution.failure.is_none(), "the programs hold");
}

fn every(body: impl AsyncFnOnce(&mut Cx) + Clone) -> u64 {
    let (executor, explorer) = (executor(), Arc::new(Mutex::new(Explorer::new())));
    while explorer.lock().unwrap().next_execution() {
        run(&executor, &explorer, body.clone());
    }
    let counts = explorer.lock().unwrap().counts();
    counts.explored + counts.blocked + counts.pruned
}

/// The same by a search, which also tells the classes apart, on this many threads.
fn searched(threads: usize, body: impl AsyncFnOnce(&mut Cx) + Clone + Sync) -> u64 {
    let search = Search::every().config(LabConfig::default().traced(false));
    let found = search.run_abreast(crew!(threads), "program", None, body);
    assert!(found.complete && found.runs == found.classes);
    found.runs + found.repeated
}

async fn readers(cx: &mut Cx, n: usize) {
    let x = Arc::new(Shared::new(0));
    cx.region(|scope| async {
        for task in 0..=n {
            let x = x.clone();
            scope.spawn(async move |cx| {
                cx.step_to(x.object(), if task == 0 { Access::Write } else { Access::Read }).await;
                if task == 0 { x.set(1) } else { _ = x.get() }
            });
        }
    })
    .await
}

async fn adds(cx: &mut Cx, n: usize) {
    let x = Arc::new(Shared::new(0));
    cx.region(|scope| async {
        for _ in 0..n {
            let x = x.clone();
            scope.spawn(async move |cx| {
                cx.step_to(x.object(), Access::Write).await;
                x.write(|x| *x += 1)
            });
        }
    })
    .await
}

async fn sections(cx: &mut Cx, tasks: usize, each: usize) {
    let lock = Arc::new(Lock::new(0));
    cx.region(|scope| async {
        for _ in 0..tasks {
            let lock = lock.clone();
            scope.spawn(async move |cx| {
                for _ in 0..each {
                    let Ok(mut guard) = lock.lock(cx).await else { return };
                    *guard += 1;
                    cx.step_to(lock.object(), Access::Release(1)).await;
                }
            });
        }
    })
    .await
}

async fn lastzero(cx: &mut Cx, n: usize) {
    let cells: Arc<Vec<Shared<u32>>> = Arc::new((0..=n).map(|_| Shared::new(0)).collect());
    cx.region(|scope| async {
        let a = cells.clone();
        scope.spawn(async move |cx| {
            for i in (0..=n).rev() {
                cx.step_to(a[i].object(), Access::Read).await;
                if a[i].get() == 0 {
                    return;
                }
            }
        });
        for j in 1..=n {
            let a = cells.clone();
            scope.spawn(async move |cx| {
                cx.step_to(a[j - 1].object(), Access::Read).await;
                let before = a[j - 1].get();
                cx.step_to(a[j].object(), Access::Write).await;
                a[j].set(before + 1)
            });
        }
    })
    .await
}

fn main() {
    let exhaust = |name: &str, run: &dyn Fn() -> u64| {
        if wanted(name) {
            timed("ours", name, run)
        }
    };
    exhaust("readers(3)", &|| every(async |cx| readers(cx, 3).await));
    exhaust("fetch_add(3)", &|| every(async |cx| adds(cx, 3).await));
    exhaust("mutex(3,2)", &|| every(async |cx| sections(cx, 3, 2).await));
    exhaust("lastzero(10)", &|| every(async |cx| lastzero(cx, 10).await));
    exhaust("lastzero(15)", &|| every(async |cx| lastzero(cx, 15).await));
    for threads in [1, 2] {
        let beside = |program: &str| format!("{program} searched by {threads}");
        exhaust(&beside("lastzero(13)"), &|| searched(threads, async |cx| lastzero(cx, 13).await));
        exhaust(&beside("readers(14)"), &|| searched(threads, async |cx| readers(cx, 14).await));
        exhaust(&beside("mutex(3,3)"), &|| searched(threads, async |cx| sections(cx, 3, 3).await));
    }
    exhaust("random mutex(3,2)", &|| {
        let (executor, random) = (executor(), Arc::new(Mutex::new(Random::new(1))));
        const RUNS: u64 = 300_000;
        for _ in 0..RUNS {
            run(&executor, &random, async |cx| sections(cx, 3, 2).await);
        }
        RUNS
    });
}
