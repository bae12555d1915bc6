//! Threads that are no workers: they wake, spawn and cancel while the runtime does what it does.
use super::watchdog::watched;
use super::workers;
use cx::Cx;
use std::future::poll_fn;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering::SeqCst};
use std::sync::mpsc::channel;
use std::sync::{Arc, Barrier, Mutex};
use std::task::{Poll, Waker};
use std::thread;
use types::CancelKind;

/// A number that a thread raises, and whoever waits for that.
#[derive(Default)]
struct Bell {
    rings: AtomicU64,
    waiter: Mutex<Option<Waker>>,
}

impl Bell {
    fn ring(&self) {
        self.rings.fetch_add(1, SeqCst);
        let waiter = self.waiter.lock().expect("never poisoned").take();
        if let Some(waker) = waiter {
            waker.wake()
        }
    }

    async fn rung(&self, times: u64) {
        poll_fn(|context| {
            *self.waiter.lock().expect("never poisoned") = Some(context.waker().clone());
            if self.rings.load(SeqCst) >= times { Poll::Ready(()) } else { Poll::Pending }
        })
        .await
    }
}

#[test]
fn every_wake_from_a_thread_arrives() {
    for n in [1, 2, 4] {
        watched("wakes from threads", workers(n), async |cx| {
            for _ in 0..4 {
                let (there, back) = (Arc::new(Bell::default()), channel());
                let (answers, answered) = back;
                let bell = there.clone();
                // Each ring waits for the answer to the last one: a wake that is lost ends the game.
                let thread = thread::spawn(move || {
                    for _ in 0..2000 {
                        bell.ring();
                        if answered.recv().is_err() {
                            return;
                        }
                    }
                });
                cx.spawn(async move |_: &mut Cx| {
                    for round in 1..=2000 {
                        there.rung(round).await;
                        answers.send(()).expect("the thread waits");
                    }
                    thread.join().expect("it only rings");
                });
            }
        });
    }
}

#[test]
fn a_hundred_thousand_tasks_are_cancelled_by_a_thread() {
    watched("a cancelled crowd", workers(4), async |cx| {
        let seen = Arc::new(AtomicUsize::new(0));
        let count = seen.clone();
        cx.region(|cx| async move {
            for _ in 0..100_000 {
                let count = count.clone();
                cx.spawn(async move |cx: &mut Cx| {
                    cx.cancelled().await;
                    count.fetch_add(1, SeqCst);
                });
            }
            let handle = cx.handle();
            thread::spawn(move || handle.cancel(CancelKind::Explicit, "the thread says so", None));
        })
        .await;
        assert_eq!(seen.load(SeqCst), 100_000);
    });
}

#[test]
fn requests_from_a_thread_meet_tasks_that_begin_and_end() {
    for round in 0..20 {
        watched("a cancelled crowd that moves", workers(4), async |cx| {
            let begun = Arc::new(AtomicUsize::new(0));
            let ended = Arc::new(AtomicUsize::new(0));
            let (b, e) = (begun.clone(), ended.clone());
            cx.region(|cx| async move {
                let handle = cx.handle();
                thread::spawn(move || {
                    for _ in 0..round * 50 {
                        thread::yield_now()
                    }
                    handle.cancel(CancelKind::Explicit, "the thread says so", None)
                });
                while cx.checkpoint().is_ok() {
                    b.fetch_add(1, SeqCst);
                    let e = e.clone();
                    cx.spawn(async move |cx: &mut Cx| {
                        for _ in 0..3 {
                            cx.yield_now().await
                        }
                        cx.cancelled().await;
                        e.fetch_add(1, SeqCst);
                    });
                    cx.yield_now().await;
                }
            })
            .await;
            assert_eq!(begun.load(SeqCst), ended.load(SeqCst));
        });
    }
}

#[test]
fn a_runtime_may_end_while_the_thread_that_woke_its_last_task_is_still_at_it() {
    for _ in 0..300 {
        let bells: Vec<_> = (0..4).map(|_| Arc::new(Bell::default())).collect();
        let start = Arc::new(Barrier::new(bells.len() + 1));
        let threads: Vec<_> = bells
            .iter()
            .map(|bell| {
                let (bell, start) = (bell.clone(), start.clone());
                thread::spawn(move || {
                    start.wait();
                    bell.ring()
                })
            })
            .collect();
        watched("ended by a wake", workers(2), async |cx| {
            for bell in bells {
                cx.spawn(async move |_: &mut Cx| bell.rung(1).await);
            }
            start.wait();
        });
        threads.into_iter().for_each(|thread| thread.join().expect("it only rings"));
    }
}

#[test]
fn threads_spawn_until_the_region_closes_and_no_task_is_lost() {
    let runtime = workers(2);
    let handle = runtime.handle();
    let begun = Arc::new(AtomicUsize::new(0));
    let ended = Arc::new(AtomicUsize::new(0));
    let threads: Vec<_> = (0..4)
        .map(|_| {
            let (handle, begun, ended) = (handle.clone(), begun.clone(), ended.clone());
            thread::spawn(move || {
                loop {
                    let ended = ended.clone();
                    let body = async move |cx: &mut Cx| {
                        cx.yield_now().await;
                        ended.fetch_add(1, SeqCst);
                    };
                    match handle.try_spawn(body) {
                        Ok(_) => begun.fetch_add(1, SeqCst),
                        Err(_) => return,
                    };
                }
            })
        })
        .collect();
    let seen = begun.clone();
    watched("spawned by threads", runtime, async move |cx| {
        while seen.load(SeqCst) < 1000 {
            cx.yield_now().await
        }
    });
    threads.into_iter().for_each(|thread| thread.join().expect("refused in the end"));
    assert_eq!(begun.load(SeqCst), ended.load(SeqCst));
}
