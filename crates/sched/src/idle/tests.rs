//! The idle protocol, one step at a time; its interleavings are in `tests/loom_idle.rs`.

#![expect(clippy::disallowed_methods, reason = "races between threads are what is tested")]

use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::vec::Vec;

use super::*;

fn put_to_sleep(idle: &Idle, workers: &[usize]) {
    for &worker in workers {
        assert_eq!(idle.park_unless(idle.worker(worker), Role::Working, |_| false), Park::Sleep);
    }
}

fn number(worker: Option<WorkerIndex>) -> Option<usize> {
    worker.map(WorkerIndex::get)
}

#[test]
fn nobody_is_woken_while_everybody_is_awake() {
    let idle = Idle::new(2);
    assert_eq!(idle.notify_published(), None);
    assert_eq!(idle.notify_one(), None);
    assert_eq!(idle.searching(), 0);
}

#[test]
fn a_burst_of_work_wakes_one_worker_until_that_one_has_found_something() {
    let idle = Idle::new(4);
    put_to_sleep(&idle, &[0, 1, 2]);
    assert_eq!(number(idle.notify_published()), Some(0));
    assert_eq!(idle.notify_published(), None);
    assert_eq!(idle.notify_local(), None);
    assert_eq!(idle.finish_park(idle.worker(0)), WokenBy::Notifier);
    assert_eq!(idle.end_search(), End::Last);
    assert_eq!(number(idle.notify_one()), Some(1));
}

#[test]
fn a_claimed_worker_is_not_claimed_again_and_counts_as_searching() {
    let idle = Idle::new(2);
    put_to_sleep(&idle, &[0, 1]);
    assert_eq!(number(idle.notify_one()), Some(0));
    assert_eq!(number(idle.notify_one()), Some(1));
    assert_eq!(number(idle.notify_one()), None);
    assert_eq!((idle.searching(), idle.sleeping()), (2, 0));
    assert_eq!(idle.end_search(), End::OthersSearch);
    assert_eq!(idle.end_search(), End::Last);
}

#[test]
fn a_worker_that_wakes_by_itself_is_working_and_not_counted() {
    let idle = Idle::new(1);
    put_to_sleep(&idle, &[0]);
    assert!(idle.all_asleep());
    assert_eq!(idle.finish_park(idle.worker(0)).role(), Role::Working);
    assert_eq!((idle.searching(), idle.sleeping()), (0, 0));
}

#[test]
fn at_most_half_the_workers_start_to_search_and_at_least_one() {
    for (workers, limit) in [(1, 1), (2, 1), (3, 1), (4, 2), (MAX_WORKERS, MAX_WORKERS / 2)] {
        let idle = Idle::new(workers);
        assert_eq!((0..workers).filter(|_| idle.start_search()).count(), limit);
        assert_eq!(idle.searching(), limit);
    }
}

#[test]
fn the_last_searcher_looks_everywhere_before_it_sleeps() {
    let idle = Idle::new(4);
    assert!(idle.start_search() && idle.start_search());
    let mut asked = Vec::new();
    for (worker, role) in [(0, Role::Searching), (1, Role::Searching), (2, Role::Working)] {
        let park = idle.park_unless(idle.worker(worker), role, |recheck| {
            asked.push(recheck);
            false
        });
        assert_eq!(park, Park::Sleep);
    }
    assert_eq!(asked, [Recheck::Own, Recheck::Everything, Recheck::Own]);
    assert_eq!((idle.searching(), idle.sleeping()), (0, 3));
}

#[test]
fn a_worker_that_finds_work_on_the_recheck_stays_awake_and_searches() {
    let idle = Idle::new(2);
    for role in [Role::Working, Role::Searching] {
        if role == Role::Searching {
            assert!(idle.start_search());
        }
        assert_eq!(idle.park_unless(idle.worker(1), role, |_| true), Park::Found);
        assert_eq!((idle.searching(), idle.sleeping()), (1, 0));
        assert_eq!(idle.end_search(), End::Last);
    }
}

#[test]
fn a_notifier_that_claims_during_the_recheck_leaves_one_searcher() {
    let idle = Idle::new(2);
    let park = idle.park_unless(idle.worker(0), Role::Working, |_| {
        assert_eq!(number(idle.notify_published()), Some(0));
        true
    });
    assert_eq!(park, Park::Found);
    assert_eq!((idle.searching(), idle.sleeping()), (1, 0));
}

#[test]
fn the_sentinel_is_one_sleeper_and_is_woken_last() {
    let idle = Idle::new(3);
    let watch = idle.claim_sentinel(idle.worker(0)).unwrap();
    assert!(idle.claim_sentinel(idle.worker(1)).is_none());
    put_to_sleep(&idle, &[0, 1]);
    assert_eq!(number(idle.notify_one()), Some(1));
    assert_eq!(number(idle.notify_one()), Some(0));
    drop(watch);
    assert!(idle.claim_sentinel(idle.worker(1)).is_some());
}

#[test]
fn the_most_workers_fit_into_the_word() {
    let idle = Idle::new(MAX_WORKERS);
    let all: Vec<usize> = (0..MAX_WORKERS).collect();
    put_to_sleep(&idle, &all);
    assert!(idle.all_asleep());
    assert_eq!(all.iter().filter(|_| idle.notify_one().is_some()).count(), MAX_WORKERS);
    assert_eq!((idle.searching(), idle.sleeping()), (MAX_WORKERS, 0));
}

#[test]
#[should_panic(expected = "1 to 56 workers")]
fn a_runtime_without_workers_is_refused() {
    let _ = Idle::new(0);
}

#[test]
#[should_panic(expected = "1 to 56 workers")]
fn a_runtime_with_too_many_workers_is_refused() {
    let _ = Idle::new(MAX_WORKERS + 1);
}

/// Threads that really park: a lost wake shows as a test that doesn't end.
#[test]
fn all_published_work_is_done_by_workers_that_park() {
    const WORK: usize = 20_000;
    let (idle, waiting, done) = (Idle::new(3), AtomicUsize::new(0), AtomicUsize::new(0));
    let take = || waiting.fetch_update(Ordering::AcqRel, Ordering::Acquire, |n| n.checked_sub(1)).is_ok();
    let finished = || done.load(Ordering::Acquire) == WORK;
    let threads = OnceLock::<Vec<thread::Thread>>::new();
    thread::scope(|scope| {
        let (idle, waiting, done, threads) = (&idle, &waiting, &done, &threads);
        let unpark = |worker: Option<WorkerIndex>| {
            if let Some(worker) = worker {
                threads.get().unwrap()[worker.get()].unpark();
            }
        };
        let work = move |me: WorkerIndex| {
            let mut role = Role::Working;
            while !finished() {
                if take() {
                    if role == Role::Searching && idle.end_search() == End::Last {
                        unpark(if waiting.load(Ordering::Acquire) > 0 { idle.notify_one() } else { None });
                    }
                    role = Role::Working;
                    if done.fetch_add(1, Ordering::AcqRel) + 1 == WORK {
                        threads.get().unwrap().iter().for_each(thread::Thread::unpark);
                    }
                } else if role == Role::Working && idle.start_search() {
                    role = Role::Searching;
                } else {
                    let park =
                        idle.park_unless(me, role, |_| waiting.load(Ordering::Acquire) > 0 || finished());
                    role = Role::Searching;
                    if park == Park::Sleep {
                        thread::park();
                        role = idle.finish_park(me).role();
                    }
                }
            }
        };
        let handles: Vec<_> = (0..3)
            .map(|i| {
                scope.spawn(move || {
                    while threads.get().is_none() {
                        thread::yield_now();
                    }
                    work(idle.worker(i));
                })
            })
            .collect();
        threads.set(handles.iter().map(|handle| handle.thread().clone()).collect()).unwrap();
        for _ in 0..WORK {
            waiting.fetch_add(1, Ordering::AcqRel);
            unpark(idle.notify_published());
        }
    });
    assert_eq!((waiting.into_inner(), done.into_inner()), (0, WORK));
}
