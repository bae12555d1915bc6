//! The same programs under loom: threads and its atomics and mutexes, `std::sync::Arc` (its own multiplies the
//! executions by those of the counts).
use explorers::{timed, wanted};
use loom::sync::Mutex;
use loom::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use loom::thread;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

fn every(body: impl Fn() + Send + Sync + 'static) -> u64 {
    let runs = Arc::new(AtomicU64::new(0));
    let counted = runs.clone();
    let mut model = loom::model::Builder::new();
    model.preemption_bound = None;
    model.max_branches = 1_000_000;
    model.check(move || {
        counted.fetch_add(1, Relaxed);
        body()
    });
    runs.load(Relaxed)
}

fn readers(n: usize) {
    let x = Arc::new(AtomicUsize::new(0));
    let mut threads: Vec<_> = Vec::new();
    for task in 0..=n {
        let x = x.clone();
        threads.push(thread::spawn(move || if task == 0 { x.store(1, SeqCst) } else { _ = x.load(SeqCst) }));
    }
    threads.into_iter().for_each(|t| t.join().unwrap());
}

fn adds(n: usize) {
    let x = Arc::new(AtomicUsize::new(0));
    let spawn = |_| {
        let x = x.clone();
        thread::spawn(move || _ = x.fetch_add(1, SeqCst))
    };
    let threads: Vec<_> = (0..n).map(spawn).collect();
    threads.into_iter().for_each(|t| t.join().unwrap());
}

fn sections(tasks: usize, each: usize) {
    let lock = Arc::new(Mutex::new(0));
    let spawn = |_| {
        let lock = lock.clone();
        thread::spawn(move || (0..each).for_each(|_| *lock.lock().unwrap() += 1))
    };
    let threads: Vec<_> = (0..tasks).map(spawn).collect();
    threads.into_iter().for_each(|t| t.join().unwrap());
}

fn main() {
    let exhaust = |name: &str, run: &dyn Fn() -> u64| {
        if wanted(name) {
            timed("loom", name, run)
        }
    };
    exhaust("readers(3)", &|| every(|| readers(3)));
    exhaust("fetch_add(3)", &|| every(|| adds(3)));
    exhaust("mutex(3,2)", &|| every(|| sections(3, 2)));
}
