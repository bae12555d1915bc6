//! The random walk of shuttle over the same critical sections.
use explorers::{timed, wanted};
use shuttle::sync::Mutex;
use shuttle::{check_random, thread};
use std::sync::Arc;

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
    if wanted("random mutex(3,2)") {
        const RUNS: usize = 300_000;
        timed("shuttle", "random mutex(3,2)", || {
            check_random(|| sections(3, 2), RUNS);
            RUNS as u64
        })
    }
}
