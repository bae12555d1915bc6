//! `for_each_concurrent`, `try_for_each_concurrent`, `map_reduce`: what they end in over every schedule, who is stopped
//! when one fails, and that nothing is lost wherever they are cancelled.
#[path = "worlds.rs"]
mod worlds;

use asupersync_combinator::ManyExt;
use cx::Cx;
use lab::{LabConfig, LabRuntime, Schedule, explore};
use std::cell::{Cell, RefCell};
use std::collections::{BTreeSet, VecDeque};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU32, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use time::TimeExt;
use types::{CancelKind, Outcome, Res, Stop, Time};
use worlds::{Census, End, Failed, arrival, arrivals, end, outcomes, swept};

const fn ms(n: u64) -> Duration {
    Duration::from_millis(n)
}

#[test]
pub(crate) fn no_more_than_the_limit_run_at_a_time_and_as_many_do() {
    for limit in [1, 2, 3, 100] {
        explore(0..20, |lab| {
            let (running, most) = (Cell::new(0_usize), Cell::new(0));
            lab.run(|cx| {
                let (running, most) = (&running, &most);
                async move {
                    cx.for_each_concurrent(limit, 0..7_u64, async |cx: &mut Cx, n| {
                        running.set(running.get() + 1);
                        most.set(most.get().max(running.get()));
                        cx.sleep(ms(1 + n % 3)).await.unwrap();
                        running.set(running.get() - 1);
                    })
                    .await
                    .unwrap()
                }
            });
            assert_eq!((running.get(), most.get()), (0, limit.min(7)), "the limit is {limit}");
            lab.oracles().unwrap();
        });
    }
}

#[test]
fn one_at_a_time_is_a_loop() {
    let lab = LabRuntime::new(LabConfig::default());
    let log = RefCell::new(Vec::new());
    lab.run(|cx| {
        let log = &log;
        async move {
            cx.for_each_concurrent(1, (0..4_u64).rev(), async |cx: &mut Cx, n| {
                log.borrow_mut().push((n, "began"));
                cx.sleep(ms(n)).await.unwrap();
                log.borrow_mut().push((n, "ended"));
            })
            .await
            .unwrap()
        }
    });
    let one = |n| [(n, "began"), (n, "ended")];
    assert_eq!(log.take(), [one(3), one(2), one(1), one(0)].concat());
    assert_eq!(lab.now(), Time::ZERO + ms(6));
}

#[test]
pub(crate) fn what_is_reduced_is_in_the_order_of_the_items_whatever_the_order_of_arrival() {
    for limit in 1..=3 {
        let found = outcomes(async move |cx: &mut Cx| {
            let from = arrivals(cx, [Ok("a"), Ok("b"), Ok("c")]);
            let mut came = Vec::new();
            let came = RefCell::new(&mut came);
            let whole = cx
                .map_reduce(
                    limit,
                    from,
                    async |cx: &mut Cx, rx| {
                        let text = arrival(cx, rx).await?;
                        came.borrow_mut().push(text);
                        Ok(text.to_string())
                    },
                    |left, right| format!("{left}{right}"),
                )
                .await;
            (end(whole.map(Option::unwrap)), came.borrow().concat())
        });
        assert!(found.iter().all(|(whole, _)| *whole == End::Ok("abc".into())), "{found:?}");
        let came: BTreeSet<_> = found.into_iter().map(|(_, came)| came).collect();
        assert_eq!(came.len() > 2, limit > 1, "they came in these orders: {came:?}");
    }
}

#[test]
fn of_no_items_there_is_no_value_and_no_failure() {
    let lab = LabRuntime::new(LabConfig::default());
    let nothing: [u8; 0] = [];
    lab.run(|cx| async {
        let reduced: Res<Option<u8>> =
            cx.map_reduce(3, nothing, async |_: &mut Cx, n| Ok(n), |a, b| a + b).await;
        assert_eq!(reduced.unwrap(), None);
        cx.for_each_concurrent(1, nothing, async |_: &mut Cx, _| ()).await.unwrap();
        let tried: Res = cx.try_for_each_concurrent(1, nothing, async |_: &mut Cx, _| Ok(())).await;
        tried.unwrap();
    });
}

#[test]
pub(crate) fn a_failure_ends_the_intake_and_stops_and_awaits_the_others() {
    explore(0..30, |lab| {
        let (began, stopped) = (Cell::new(0), Cell::new(0));
        let result: Res<(), Failed> = lab.run(|cx| {
            let (began, stopped) = (&began, &stopped);
            async move {
                cx.try_for_each_concurrent(3, 0..10, async |cx: &mut Cx, n| {
                    began.set(began.get() + 1);
                    if n == 1 {
                        cx.sleep(ms(5)).await?;
                        return Err(Stop::Err(Failed('b')));
                    }
                    let c = cx.cancelled().await;
                    assert_eq!(c.kind(), CancelKind::SiblingFailed);
                    cx.masked(async |cx| cx.sleep(ms(4)).await).await?;
                    stopped.set(stopped.get() + 1);
                    Err(Stop::Cancelled(c))
                })
                .await
            }
        });
        assert_eq!((end(result), began.get(), stopped.get()), (End::Failed('b'), 3, 2));
        assert_eq!(lab.now(), Time::ZERO + ms(9));
        lab.oracles().unwrap();
    });
}

#[test]
fn a_panic_stops_and_awaits_the_others_and_goes_on() {
    explore(0..30, |lab| {
        let stopped = Cell::new(0);
        let run = catch_unwind(AssertUnwindSafe(|| {
            lab.run(|cx| {
                let stopped = &stopped;
                async move {
                    cx.for_each_concurrent(2, 0..5, async |cx: &mut Cx, n| {
                        if n == 0 {
                            cx.sleep(ms(1)).await.unwrap();
                            panic!("the first")
                        }
                        assert_eq!(cx.cancelled().await.kind(), CancelKind::SiblingFailed);
                        stopped.set(stopped.get() + 1);
                    })
                    .await
                }
            })
        }));
        assert_eq!(run.unwrap_err().downcast_ref::<&str>(), Some(&"the first"));
        assert_eq!(stopped.get(), 1);
        lab.oracles().unwrap();
    });
}

#[test]
fn what_a_body_spawned_keeps_its_seat_until_it_has_ended() {
    explore(0..30, |lab| {
        let children = Arc::new(AtomicU32::new(0));
        lab.run(|cx| {
            let children = children.clone();
            async move {
                cx.for_each_concurrent(1, 0..3, async |cx: &mut Cx, n| {
                    assert_eq!(children.load(SeqCst), n);
                    let children = children.clone();
                    cx.spawn(async move |cx: &mut Cx| -> Res {
                        cx.sleep(ms(2)).await?;
                        children.fetch_add(1, SeqCst);
                        Ok(())
                    });
                })
                .await
                .unwrap();
                assert_eq!(cx.now(), Time::ZERO + ms(6));
            }
        });
        lab.oracles().unwrap();
    });
}

#[test]
fn a_limit_of_nobody_panics_and_names_the_place() {
    let lab = LabRuntime::new(LabConfig::default());
    let run = catch_unwind(AssertUnwindSafe(|| {
        lab.run(|cx| async { cx.for_each_concurrent(0, [1], async |_: &mut Cx, _| ()).await })
    }));
    let message = run.unwrap_err().downcast_ref::<String>().cloned().unwrap();
    assert!(message.contains("a limit of 0 at") && message.contains("tests/many.rs"), "{message}");
}

#[test]
fn nobody_is_abandoned_and_a_failure_is_one_that_came_on_whatever_schedule() {
    let found = outcomes(async |cx: &mut Cx| {
        let from = arrivals(cx, [Ok('a'), Err(Failed('b')), Err(Failed('c'))]);
        let census = Census::default();
        let result = cx
            .try_for_each_concurrent(3, from, async |cx: &mut Cx, rx| {
                census.counted(arrival(cx, rx)).await.map(drop)
            })
            .await;
        census.all_returned();
        end(result)
    });
    assert_eq!(found, BTreeSet::from([End::Failed('b'), End::Failed('c')]));
}

#[test]
fn every_item_is_done_or_left_wherever_it_is_cancelled() {
    swept(async |cx: &mut Cx| {
        let seen = Arc::new(Mutex::new((0, 0, 0, None)));
        let log = seen.clone();
        let mut task = cx.spawn(async move |cx: &mut Cx| {
            let (taken, done, cut) = (AtomicU32::new(0), AtomicU32::new(0), AtomicU32::new(0));
            let mut items = 0..5_u32;
            let result = cx
                .for_each_concurrent(2, &mut items, async |cx: &mut Cx, _| {
                    taken.fetch_add(1, SeqCst);
                    cx.yield_now().await;
                    let end = if cx.sleep(ms(1)).await.is_ok() { &done } else { &cut };
                    end.fetch_add(1, SeqCst);
                })
                .await;
            let [taken, done, cut] = [taken, done, cut].map(AtomicU32::into_inner);
            assert_eq!(taken, done + cut, "somebody who began has not ended");
            *log.lock().unwrap() = (taken, cut, items.count() as u32, Some(result.is_ok()));
        });
        if let Outcome::Ok(()) = task.join(cx).await {
            let (taken, cut, left, whole) = *seen.lock().unwrap();
            match whole.unwrap() {
                true => assert_eq!((taken, left), (5, 0)),
                false => assert_eq!(taken + left, 5, "{cut} were cut short"),
            }
        }
    });
}

/// The body of the item `ends` asks the region to end: how many have begun then, how many of them were refused, how many are
/// left, and whether it says that it was whole.
fn asked_by(ends: u32, of: u32, limit: usize, exact: bool) -> (u32, u32, usize, bool) {
    let lab = LabRuntime::new(LabConfig::default());
    lab.run(|cx| async {
        let mut items: VecDeque<u32> = (0..of).collect();
        let (begun, refused) = (Cell::new(0), Cell::new(0));
        let result = cx
            .region(|cx| async {
                let region = cx.handle();
                let body = async |cx: &mut Cx, n| {
                    begun.set(begun.get() + 1);
                    if n == ends {
                        region.cancel(CancelKind::Explicit, "by one of the bodies", None)
                    } else if cx.sleep(ms(1)).await.is_err() {
                        refused.set(refused.get() + 1)
                    }
                };
                if exact {
                    let known = items.len();
                    let items = std::iter::from_fn(|| items.pop_front());
                    cx.for_each_concurrent(limit, Known(items, known), body).await
                } else {
                    cx.for_each_concurrent(limit, std::iter::from_fn(|| items.pop_front()), body).await
                }
            })
            .await;
        (begun.get(), refused.get(), items.len(), result.is_ok())
    })
}

/// An iterator that says how many it has.
struct Known<I>(I, usize);

impl<I: Iterator> Iterator for Known<I> {
    type Item = I::Item;
    fn next(&mut self) -> Option<I::Item> {
        self.1 = self.1.saturating_sub(1);
        self.0.next()
    }
    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.1, Some(self.1))
    }
}

#[test]
fn a_request_that_comes_when_every_item_was_begun_has_cut_nothing_short() {
    for limit in 1..5 {
        for exact in [false, true] {
            let (begun, _, left, whole) = asked_by(3, 4, limit, exact);
            assert_eq!((begun, left, whole), (4, 0, true), "at most {limit} at a time, exact: {exact}");
        }
    }
}

#[test]
fn an_iterator_that_cannot_say_that_it_is_empty_is_asked_once_and_what_it_had_is_begun() {
    assert_eq!(asked_by(1, 5, 1, true), (2, 0, 3, false), "it knows that there is more");
    assert_eq!(
        asked_by(1, 5, 1, false),
        (3, 1, 2, false),
        "the third has begun, and is refused what it does"
    );
}

/// Also of an iterator that cannot say how many it has: it is not asked before anything has begun.
#[test]
pub(crate) fn an_item_that_was_not_begun_was_not_taken() {
    let lab = LabRuntime::new(LabConfig::default());
    lab.run(|cx| async {
        let mut items: VecDeque<u32> = (0..10).collect();
        let begun = Cell::new(0);
        let cut = cx
            .region(|cx| async {
                cx.handle().cancel(CancelKind::Explicit, "before it began", None);
                let items = std::iter::from_fn(|| items.pop_front());
                cx.for_each_concurrent(2, items, async |_: &mut Cx, _| begun.set(begun.get() + 1)).await
            })
            .await;
        assert_eq!((cut.is_err(), begun.get(), items.len()), (true, 0, 10));
    });
}

#[test]
fn bodies_that_never_wait_give_way() {
    let lab = LabRuntime::new(LabConfig::default().schedule(Schedule::Fifo));
    lab.run(|cx| async {
        let others = Arc::new(AtomicU32::new(0));
        let count = others.clone();
        cx.spawn(async move |cx: &mut Cx| {
            for _ in 0..50 {
                count.fetch_add(1, SeqCst);
                cx.yield_now().await;
            }
        });
        let seen = Cell::new(0);
        cx.for_each_concurrent(1, 0..400, async |_: &mut Cx, _| seen.set(seen.get() + others.load(SeqCst)))
            .await
            .unwrap();
        assert!(seen.get() > 0, "nobody else had a turn before the last item");
    });
}

#[test]
fn a_task_that_uses_them_is_send_and_its_bodies_borrow() {
    let lab = LabRuntime::new(LabConfig::default());
    let total = lab.run(|cx| async {
        let mut task = cx.spawn(async move |cx| -> Res<usize> {
            let words = ["to".to_string(), "be".into(), "or".into()];
            let seen = Mutex::new(Vec::new());
            cx.for_each_concurrent(2, 0..words.len(), async |cx: &mut Cx, index| {
                cx.yield_now().await;
                seen.lock().unwrap().push(words[index].len());
            })
            .await?;
            cx.try_for_each_concurrent(2, 0..words.len(), async |cx: &mut Cx, index| -> Res {
                cx.sleep(ms(1)).await?;
                seen.lock().unwrap().push(words[index].len());
                Ok(())
            })
            .await?;
            let count = async |cx: &mut Cx, word: String| -> Res<usize> {
                cx.sleep(ms(1)).await?;
                Ok(word.len() + words.len())
            };
            let letters = cx.map_reduce(2, words.clone(), count, |a, b| a + b).await?;
            Ok(letters.unwrap() + seen.into_inner().unwrap().len())
        });
        task.join(cx).await.ok()
    });
    assert_eq!(total.unwrap(), 6 + 9 + 6);
}
