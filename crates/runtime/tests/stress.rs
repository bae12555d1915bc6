//! Everything at once on four workers for some seconds: tasks that spawn, join, cancel, open regions, sleep,
//! block and talk, at random. What was counted in must be counted out, and nothing may hang.
// Threads outside, and workers that are stuck, are what these tests are about.
#![allow(clippy::disallowed_methods)]
#[path = "watched/watchdog.rs"]
mod watchdog;

use asupersync_runtime::Builder;
use cx::port::{Report, Reports};
use cx::{Cx, RegionOptions};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering::SeqCst};
use std::thread;
use std::time::{Duration, Instant};
use sync::mpsc;
use time::TimeExt;
use types::{CancelKind, Res};
use watchdog::watched;

struct Nobody;
impl Reports for Nobody {
    fn report(&self, _: Report) {}
}

/// What goes in and what comes out.
#[derive(Default)]
struct Books {
    begun: AtomicU64,
    ended: AtomicU64,
    sent: AtomicU64,
    received: AtomicU64,
    /// Values that exist.
    values: AtomicI64,
    finalizers: AtomicI64,
}

/// A value that is counted while it exists.
struct Value(Arc<Books>);
impl Value {
    fn new(books: &Arc<Books>) -> Value {
        books.values.fetch_add(1, SeqCst);
        Value(books.clone())
    }
}
impl Drop for Value {
    fn drop(&mut self) {
        self.0.values.fetch_sub(1, SeqCst);
    }
}

/// Counts a task's end, however it comes.
struct Entry(Arc<Books>);
impl Entry {
    fn new(books: &Arc<Books>) -> Entry {
        books.begun.fetch_add(1, SeqCst);
        Entry(books.clone())
    }
}
impl Drop for Entry {
    fn drop(&mut self) {
        self.0.ended.fetch_add(1, SeqCst);
    }
}

/// A number in `0..n`, from the task's own stream.
fn draw(cx: &Cx, n: u64) -> u64 {
    cx.random() % n
}

type Boxed<'a> = Pin<Box<dyn Future<Output = Res> + Send + 'a>>;

/// One random life. `depth` bounds how far its descendants go.
fn live<'a>(cx: &'a mut Cx, books: &'a Arc<Books>, depth: u32) -> Boxed<'a> {
    Box::pin(async move {
        for _ in 0..1 + draw(cx, 4) {
            match draw(cx, 10) {
                0 | 1 if depth > 0 => spawn_some(cx, books, depth).await?,
                2 if depth > 0 => in_a_region(cx, books, depth).await?,
                3 => cx.sleep(Duration::from_micros(draw(cx, 2000))).await?,
                4 | 5 => talk(cx, books).await?,
                6 => {
                    cx.run_blocking::<_, types::Error>(|_| thread::yield_now()).await?;
                }
                7 if depth > 0 => cancelled_by_a_thread(cx, books, depth).await,
                8 => cx.masked(async |cx| drop(cx.sleep(Duration::from_micros(100)).await)).await,
                _ => cx.yield_now().await,
            }
            cx.checkpoint()?;
        }
        Ok(())
    })
}

fn spawn(cx: &Cx, books: &Arc<Books>, depth: u32) -> cx::TaskHandle<(), types::Error> {
    let entry = Entry::new(books);
    cx.spawn(async move |cx: &mut Cx| -> Res {
        let books = entry.0.clone();
        live(cx, &books, depth).await
    })
}

/// Children of this task: some joined, some cancelled, some left to its end.
async fn spawn_some(cx: &mut Cx, books: &Arc<Books>, depth: u32) -> Res {
    let mut tasks: Vec<_> = (0..draw(cx, 6)).map(|_| spawn(cx, books, depth - 1)).collect();
    for task in &mut tasks {
        match draw(cx, 4) {
            0 => task.cancel("at random"),
            1 => drop(task.join(cx).await),
            2 => {
                task.cancel("at random, and joined");
                drop(task.join(cx).await)
            }
            _ => cx.yield_now().await,
        }
    }
    Ok(())
}

async fn in_a_region(cx: &mut Cx, books: &Arc<Books>, depth: u32) -> Res {
    let options = match draw(cx, 3) {
        0 => RegionOptions::isolate(),
        1 => RegionOptions::keep_going(),
        _ => RegionOptions::fail_fast(),
    };
    let fails = draw(cx, 5) == 0;
    let inside = async |cx: &mut Cx| -> Res {
        let its = books.clone();
        books.finalizers.fetch_add(1, SeqCst);
        let finalizer = async move |_: &mut Cx<cx::NoSpawn>| -> Res {
            its.finalizers.fetch_sub(1, SeqCst);
            Ok(())
        };
        if cx.finally(finalizer).is_err() {
            books.finalizers.fetch_sub(1, SeqCst);
        }
        for _ in 0..draw(cx, 5) {
            spawn(cx, books, depth - 1);
        }
        live(cx, books, depth - 1).await?;
        if fails { Err(types::Stop::Err(types::Error::msg("at random"))) } else { Ok(()) }
    };
    // What happened inside is not this task's failure.
    let _ = cx.try_region_with(options, inside).await;
    Ok(())
}

/// Senders and a receiver over a small channel; either side may be cancelled first.
async fn talk(cx: &mut Cx, books: &Arc<Books>) -> Res {
    let (sender, mut receiver) = mpsc::channel::<Value>(1 + draw(cx, 3) as usize);
    let mut tasks = Vec::new();
    for _ in 0..2 {
        let (sender, entry, n) = (sender.clone(), Entry::new(books), draw(cx, 20));
        tasks.push(cx.spawn(async move |cx: &mut Cx| -> Res {
            for _ in 0..n {
                if sender.send(cx, Value::new(&entry.0)).await.is_err() {
                    return Ok(());
                }
                entry.0.sent.fetch_add(1, SeqCst);
            }
            Ok(())
        }));
    }
    drop(sender);
    let stop_early = draw(cx, 4) == 0;
    while let Ok(value) = receiver.recv(cx).await {
        books.received.fetch_add(1, SeqCst);
        drop(value);
        if stop_early {
            break;
        }
    }
    // Senders that wait for room learn that there is none to come.
    drop(receiver);
    if draw(cx, 2) == 0 {
        for task in &mut tasks {
            let _ = task.join(cx).await;
        }
    }
    Ok(())
}

async fn cancelled_by_a_thread(cx: &mut Cx, books: &Arc<Books>, depth: u32) {
    cx.region_with(RegionOptions::isolate(), |cx| async move {
        for _ in 0..draw(cx, 8) {
            spawn(cx, books, depth - 1);
        }
        let handle = cx.handle();
        let entry = Entry::new(books);
        if draw(cx, 8) == 0 {
            thread::spawn(move || {
                let _entry = entry;
                handle.cancel(CancelKind::Explicit, "the thread says so", None)
            });
        } else {
            handle.cancel(CancelKind::Explicit, "at random", None);
        }
    })
    .await
}

fn stress(seed: u64, workers: usize, span: Duration) {
    let books = Arc::new(Books::default());
    let builder = Builder::new().workers(workers).seed(seed).blocking_threads(4).reports(Nobody);
    let its = books.clone();
    watched("everything at once", builder.build().expect("a runtime"), async move |cx| {
        let until = Instant::now() + span;
        cx.region_with(RegionOptions::isolate(), |cx| async move {
            while Instant::now() < until {
                let mut tasks: Vec<_> = (0..32).map(|_| spawn(cx, &its, 4)).collect();
                for task in &mut tasks {
                    let _ = task.join(cx).await;
                }
            }
        })
        .await
    });
    // Threads outside end on their own.
    while books.begun.load(SeqCst) != books.ended.load(SeqCst) {
        assert!(books.ended.load(SeqCst) < books.begun.load(SeqCst));
        thread::yield_now()
    }
    assert!(books.begun.load(SeqCst) > 1000, "{}", books.begun.load(SeqCst));
    assert_eq!(books.values.load(SeqCst), 0, "every value was received or dropped");
    assert!(books.received.load(SeqCst) <= books.sent.load(SeqCst));
    assert_eq!(books.finalizers.load(SeqCst), 0, "every finalizer that was accepted ran");
}

#[test]
fn what_goes_in_comes_out_on_four_workers() {
    stress(1, 4, Duration::from_secs(3));
}

#[test]
fn what_goes_in_comes_out_on_one_worker() {
    stress(2, 1, Duration::from_secs(1));
}

#[test]
fn what_goes_in_comes_out_of_many_short_runtimes() {
    for seed in 3..40 {
        stress_short(seed, 1 + seed as usize % 4)
    }
}

/// Too short to count much: what matters is how it begins and ends.
fn stress_short(seed: u64, workers: usize) {
    let books = Arc::new(Books::default());
    let its = books.clone();
    let builder = Builder::new().workers(workers).seed(seed).blocking_threads(2).reports(Nobody);
    watched("a short life", builder.build().expect("a runtime"), async move |cx| {
        cx.region_with(RegionOptions::isolate(), |cx| async move {
            for _ in 0..16 {
                spawn(cx, &its, 3);
            }
        })
        .await
    });
    while books.begun.load(SeqCst) != books.ended.load(SeqCst) {
        thread::yield_now()
    }
    assert_eq!((books.values.load(SeqCst), books.finalizers.load(SeqCst)), (0, 0));
}
