//! Streams between tasks: every schedule of small programs, a cancellation at every checkpoint, and virtual time.
#[path = "stream_schedules/endless.rs"]
mod endless;
#[path = "stream_schedules/pumps.rs"]
pub(crate) mod pumps;
#[path = "stream_programs.rs"]
mod stream_programs;

use asupersync_combinator::CombineExt;
use asupersync_combinator::stream::{self, Elapsed, Stream, StreamCxExt, StreamExt};
use cx::{Cx, RegionOptions};
use lab::{CancelSweep, LabConfig, LabRuntime, Search, explore};
use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use std::task::Poll;
use std::time::Duration;
use stream_programs::{KEEPING, Merging, conserves, merges};
use sync::mpsc::{self, Receiver};
use sync::oneshot;
use time::TimeExt;
use types::{CancelKind, Cancelled, Never, Outcome, Res, Time};

const fn ms(n: u64) -> Duration {
    Duration::from_millis(n)
}

fn at(n: u64) -> Time {
    Time::ZERO + ms(n)
}

async fn yields(cx: &Cx, times: u32) {
    for _ in 0..times {
        cx.yield_now().await
    }
}

#[test]
pub(crate) fn a_cancellation_at_any_checkpoint_loses_no_item() {
    for &(name, ordered, adapt) in KEEPING {
        let swept = CancelSweep::new(LabConfig::default())
            .run(name, None, async move |cx: &mut Cx| conserves(cx, 4, ordered, adapt).await);
        assert!(swept.complete && swept.checkpoints > 10 && swept.acknowledged > 0, "{name}: {swept}");
    }
}

#[test]
fn no_schedule_loses_an_item_or_its_order() {
    for &(name, ordered, adapt) in KEEPING {
        let found =
            Search::every().run(name, None, async move |cx: &mut Cx| conserves(cx, 2, ordered, adapt).await);
        assert!(found.complete, "{name}: {found}");
    }
}

#[test]
fn a_consumer_that_is_cancelled_gets_the_rest_when_it_goes_on() {
    let lab = LabRuntime::new(LabConfig::default());
    lab.run(|cx| async {
        let mut items = stream::iter(0..5).chunks(2);
        let mut task = cx.spawn(async move |cx: &mut Cx| -> Res<Vec<Vec<i32>>> {
            let first = items.next(cx).await?;
            let c = cx.cancelled().await;
            assert_eq!(items.next(cx).await.unwrap_err().kind(), c.kind());
            let rest = cx.masked(async |cx| items.collect::<Vec<_>, _>(cx).await).await?;
            Ok(first.into_iter().chain(rest).collect())
        });
        cx.sleep(ms(1)).await.unwrap();
        task.cancel("enough");
        assert_eq!(task.join(cx).await.ok().unwrap(), [vec![0, 1], vec![2, 3], vec![4]]);
    });
}

#[test]
fn a_consumer_that_is_cut_says_how_far_it_came() {
    let lab = LabRuntime::new(LabConfig::default());
    lab.run(|cx| async {
        let (tx, mut rx) = mpsc::channel(8);
        for n in 1..=3 {
            tx.try_send(n).unwrap();
        }
        let mut task = cx.spawn(async move |cx: &mut Cx| {
            let cut = (&mut rx).collect::<Vec<_>, _>(cx).await.unwrap_err();
            assert_eq!((cut.so_far, cut.why.kind()), (vec![1, 2, 3], CancelKind::Explicit));
            assert_eq!((&mut rx).count(cx).await.unwrap_err().so_far, 0);
            let cut = (&mut rx).fold(cx, 7, async |sum, n| sum + n).await.unwrap_err();
            assert_eq!(cut.so_far, 7);
            assert_eq!(rx.try_recv(), Ok(4), "what came later is still there");
        });
        cx.sleep(ms(1)).await.unwrap();
        task.cancel("enough");
        tx.try_send(4).unwrap();
        task.join(cx).await.ok().unwrap();
    });
}

#[test]
fn a_stream_that_is_always_ready_lets_others_run() {
    let lab = LabRuntime::new(LabConfig::default());
    lab.run(|cx| async {
        let mut task = cx.spawn(async |cx: &mut Cx| -> Res<u64> { Ok(stream::repeat(1).count(cx).await?) });
        yields(cx, 100).await;
        task.cancel("enough");
        assert!(matches!(task.join(cx).await, types::Outcome::Cancelled(_)));
    });
}

#[test]
fn tasks_work_while_the_consumer_is_busy_and_no_more_than_asked_for() {
    explore(0..30, |lab| {
        lab.run(|cx| async {
            let (running, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
            let (now, peak) = (running.clone(), most.clone());
            cx.region(|scope| async move {
                let work = stream::iter(0..6_u64).map(move |n| {
                    let (running, most) = (now.clone(), peak.clone());
                    async move |cx: &mut Cx| {
                        most.fetch_max(running.fetch_add(1, SeqCst) + 1, SeqCst);
                        cx.sleep(ms(10)).await.unwrap();
                        running.fetch_sub(1, SeqCst);
                        (n, cx.now())
                    }
                });
                let mut work = work.buffered(scope, 3);
                assert_eq!(work.next(scope).await.unwrap(), Some((0, at(10))));
                // Polled once more, it would have had the fourth started at 10; so it starts with the next poll.
                scope.sleep(ms(90)).await.unwrap();
                assert_eq!(work.in_flight(), 2);
                let rest = work.collect::<Vec<_>, _>(scope).await.unwrap();
                assert_eq!(rest[..2], [(1, at(10)), (2, at(10))], "they were over long ago");
                assert_eq!(rest[2..], [(3, at(110)), (4, at(110)), (5, at(110))]);
            })
            .await;
            assert_eq!((running.load(SeqCst), most.load(SeqCst)), (0, 3));
        });
        lab.oracles().unwrap();
    });
}

#[test]
pub(crate) fn a_stream_that_is_dropped_asks_its_tasks_to_stop_and_the_region_awaits_them() {
    explore(0..30, |lab| {
        let stopped = Arc::new(Mutex::new(Vec::new()));
        let log = stopped.clone();
        lab.run(|cx| async {
            cx.region(|scope| async move {
                let work = stream::iter(0..3).map(move |n| {
                    let log = log.clone();
                    async move |cx: &mut Cx| {
                        let c = cx.sleep(ms(n * 1000)).await;
                        log.lock().unwrap().push((n, c.map_err(|c| c.kind())));
                        cx.masked(async |cx| cx.sleep(ms(5)).await).await.unwrap();
                    }
                });
                let mut work = pin!(work.buffer_unordered(scope, 3).take(1));
                work.next(scope).await.unwrap();
            })
            .await;
            assert_eq!(cx.now(), at(10), "5 for the first, and 5 for the others to stop");
        });
        lab.oracles().unwrap();
        let mut stopped = stopped.lock().unwrap().clone();
        stopped.sort_by_key(|(n, _)| *n);
        assert_eq!(stopped, [(0, Ok(())), (1, Err(CancelKind::Explicit)), (2, Err(CancelKind::Explicit))]);
    });
}

#[test]
fn a_body_that_panics_gives_no_item_and_its_region_deals_with_it() {
    explore(0..30, |lab| {
        lab.run(|cx| async {
            let failures = Arc::new(AtomicUsize::new(0));
            let seen = failures.clone();
            let options = RegionOptions::isolate().on_failure(move |_| {
                seen.fetch_add(1, SeqCst);
            });
            cx.region_with(options, |scope| async move {
                let work = |n: u64| {
                    async move |cx: &mut Cx| {
                        cx.step().await;
                        assert!(n != 1, "an unlucky number");
                        n
                    }
                };
                let ordered = stream::iter(0..4).map(work).buffered(scope, 2);
                assert_eq!(ordered.collect::<Vec<_>, _>(scope).await.unwrap(), [0, 2, 3]);
                let unordered = stream::iter(0..4).map(work).buffer_unordered(scope, 2);
                assert_eq!(unordered.fold(scope, 0, async |sum, n| sum + n).await.unwrap(), 5);
            })
            .await;
            assert_eq!(failures.load(SeqCst), 2);
        });
    });
    // By default the region stops everybody, the consumer too.
    let lab = LabRuntime::new(LabConfig::default());
    let panicked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        lab.run(|cx| async {
            cx.region(|scope| async move {
                let work =
                    stream::iter(0..9).map(|n| async move |_: &mut Cx| assert!(n != 1, "an unlucky number"));
                let cut = work.buffered(scope, 1).count(scope).await.unwrap_err();
                assert_eq!(cut.why.kind(), CancelKind::SiblingFailed);
            })
            .await
        })
    }));
    assert!(panicked.is_err(), "the panic goes on where the region was opened");
}

#[test]
fn two_streams_are_merged_as_they_come() {
    let found = Search::every().run("merge", None, async |cx: &mut Cx| {
        let ((a, left), (b, right)) = (mpsc::channel(1), mpsc::channel(1));
        for (of, tx) in [(0, a), (10, b)] {
            cx.spawn(async move |cx: &mut Cx| {
                for n in of..of + 2 {
                    tx.send(cx, n).await.unwrap()
                }
            });
        }
        let found = left.merge(right).collect::<Vec<_>, _>(cx).await.unwrap();
        let of = |which: fn(&i32) -> bool| found.iter().copied().filter(which).collect::<Vec<_>>();
        assert_eq!((of(|n| *n < 10), of(|n| *n >= 10)), (vec![0, 1], vec![10, 11]));
    });
    assert!(found.complete, "{found}");
    let found = Search::every().run("merge_all", None, async |cx: &mut Cx| {
        let mut all = stream::merge_all([]);
        for n in 0..3 {
            let (tx, rx) = mpsc::channel(1);
            cx.spawn(async move |cx: &mut Cx| tx.send(cx, n).await.unwrap());
            all.push(rx);
        }
        let mut found = all.collect::<Vec<_>, _>(cx).await.unwrap();
        found.sort_unstable();
        assert_eq!(found, [0, 1, 2]);
    });
    assert!(found.complete, "{found}");
}

/// Sources that come, end, and are woken in any order, with a cancellation anywhere.
#[test]
fn merged_sources_lose_no_item_and_keep_each_its_order_wherever_somebody_is_cancelled() {
    for how in [Merging::All, Merging::ByKey] {
        let swept = CancelSweep::new(LabConfig::default()).pairs(true).run(
            "merges",
            None,
            async move |cx: &mut Cx| merges(cx, how, 3, 3).await,
        );
        assert!(swept.complete && swept.checkpoints > 12 && swept.acknowledged > 50, "{how:?}: {swept}");
        explore(0..100, |lab| {
            lab.run(|cx| async { merges(cx, how, 12, 5).await });
            lab.oracles().unwrap();
        });
        let found = Search::every().run("merges", None, async move |cx: &mut Cx| merges(cx, how, 2, 2).await);
        assert!(found.complete && found.classes > 10, "{how:?}: {found}");
    }
}

/// Ticks among other items; a consumer that was cancelled goes on with the next tick, and none comes twice.
#[test]
fn ticks_are_items_of_a_stream_and_a_cancelled_consumer_misses_none() {
    let lab = LabRuntime::new(LabConfig::default());
    lab.run(|cx| async {
        let first = cx.interval(ms(10)).stream(cx).take(3).collect::<Vec<_>, _>(cx).await.unwrap();
        assert_eq!((first, cx.now()), (vec![at(0), at(10), at(20)], at(20)));
        let (tx, rx) = mpsc::channel(1);
        cx.spawn(async move |cx: &mut Cx| {
            cx.sleep(ms(15)).await.unwrap();
            tx.send(cx, None).await.unwrap();
        });
        let mut later = cx.interval_at(at(30), ms(10));
        let merged = later.stream(cx).map(Some).merge(rx).take(3);
        let found = merged.collect::<Vec<_>, _>(cx).await.unwrap();
        assert_eq!(found, [Some(at(30)), None, Some(at(40))]);
    });
    lab.oracles().unwrap();
    let swept = CancelSweep::new(LabConfig::default()).pairs(true).run("ticks", None, async |cx: &mut Cx| {
        let mut ticking = cx.spawn(async |cx: &mut Cx| -> Result<Vec<Time>, Never> {
            let cx = &*cx;
            let (mut interval, mut seen) = (cx.interval(ms(10)), Vec::new());
            let mut ticks = interval.stream(cx);
            while seen.len() < 3 {
                match ticks.next(cx).await {
                    Ok(tick) => seen.extend(tick),
                    // Whoever was asked to stop takes the rest without looking for a request.
                    Err(_) => seen.extend(poll_fn(|context| Pin::new(&mut ticks).poll_next(context)).await),
                }
            }
            Ok(seen)
        });
        let outcome = cx.masked(async |cx| ticking.join(cx).await).await;
        if let Outcome::Ok(seen) = outcome {
            assert_eq!(seen, [at(0), at(10), at(20)]);
            assert!(cx.now() >= at(20), "a tick came early");
        }
    });
    assert!(swept.complete && swept.acknowledged > 0, "{swept}");
}

#[test]
fn what_was_looked_at_may_be_changed_before_it_is_taken() {
    let lab = LabRuntime::new(LabConfig::default());
    lab.run(|cx| async {
        let mut items = stream::iter([1, 2]).peekable();
        *items.peek_mut(cx).await.unwrap().unwrap() += 10;
        assert_eq!(items.peek(cx).await.unwrap(), Some(&11));
        assert_eq!((items.next(cx).await.unwrap(), items.next(cx).await.unwrap()), (Some(11), Some(2)));
        assert_eq!(items.peek_mut(cx).await.unwrap(), None);
        let mut never = stream::pending::<u32>().peekable();
        let late: Res = cx
            .timeout(ms(5), async |cx| {
                never.peek_mut(cx).await?;
                Ok(())
            })
            .await;
        assert!(late.unwrap_err().is_cancelled());
    });
    lab.oracles().unwrap();
}

#[test]
fn pairs_are_made_in_order_whoever_is_faster() {
    let found = Search::every().run("zip", None, async |cx: &mut Cx| {
        let ((a, left), (b, right)) = (mpsc::channel(1), mpsc::channel(1));
        for tx in [a, b] {
            cx.spawn(async move |cx: &mut Cx| {
                for n in 0..2 {
                    tx.send(cx, n).await.unwrap()
                }
            });
        }
        assert_eq!(left.zip(right).collect::<Vec<_>, _>(cx).await.unwrap(), [(0, 0), (1, 1)]);
    });
    assert!(found.complete, "{found}");
}

#[test]
fn a_chunk_of_items_that_come_without_a_wait_gives_way_to_others() {
    let lab = LabRuntime::new(LabConfig::default().schedule(lab::Schedule::Fifo));
    lab.run(|cx| async {
        let turns = Arc::new(AtomicUsize::new(0));
        let count = turns.clone();
        cx.spawn(async move |cx: &mut Cx| {
            for _ in 0..50 {
                count.fetch_add(1, SeqCst);
                cx.yield_now().await;
            }
        });
        let mut chunks = pin!(stream::iter(0..400).chunks_timeout(cx, 1000, ms(5)));
        assert_eq!(chunks.as_mut().next(cx).await.unwrap().unwrap().len(), 400);
        assert!(turns.load(SeqCst) > 0, "nobody else had a turn before the chunk was whole");
    });
}

/// Items at these instants, in milliseconds: each is its instant.
fn ticking<'c>(cx: &'c Cx, at: &'static [u64]) -> impl Stream<Item = u64> + 'c {
    stream::iter(at).then(move |n| async move {
        cx.sleep_until(Time::ZERO + ms(*n)).await.unwrap();
        *n
    })
}

/// What an adapter yields, and when.
async fn seen<T>(cx: &Cx, stream: impl Stream<Item = T>) -> Vec<(u64, T)> {
    let mut stream = pin!(stream);
    let mut seen = Vec::new();
    while let Some(item) = stream.next(cx).await.unwrap() {
        seen.push((cx.now().as_nanos() / 1_000_000, item));
    }
    seen
}

#[test]
pub(crate) fn adapters_with_a_clock_keep_their_times() {
    explore(0..10, |lab| {
        lab.run(|cx| async {
            let t = cx.now();
            let late = seen(cx, ticking(cx, &[5, 30, 40]).timeout(cx, ms(10))).await;
            assert_eq!(
                late,
                [(5, Ok(5)), (15, Err(Elapsed)), (25, Err(Elapsed)), (30, Ok(30)), (40, Ok(40))]
            );
            assert_eq!(t, Time::ZERO);
        });
        let lab = LabRuntime::new(LabConfig::default());
        lab.run(|cx| async {
            let paced = seen(cx, ticking(cx, &[0, 1, 2, 50]).throttle(cx, ms(10))).await;
            assert_eq!(paced, [(0, 0), (10, 1), (20, 2), (50, 50)]);
        });
        let lab = LabRuntime::new(LabConfig::default());
        lab.run(|cx| async {
            let settled = seen(cx, ticking(cx, &[0, 5, 9, 30, 50, 55]).debounce(cx, ms(10))).await;
            assert_eq!(settled, [(19, 9), (40, 30), (55, 55)]);
        });
        let lab = LabRuntime::new(LabConfig::default());
        lab.run(|cx| async {
            // The consumer comes when the span of the first item is over and the next item is there.
            let (tx, rx) = mpsc::channel(4);
            let mut settled = pin!(rx.debounce(cx, ms(10)));
            tx.try_send(1).unwrap();
            assert!(poll_fn(|context| Poll::Ready(settled.as_mut().poll_next(context).is_pending())).await);
            cx.sleep(ms(90)).await.unwrap();
            tx.try_send(2).unwrap();
            drop(tx);
            assert_eq!(seen(cx, settled).await, [(90, 1), (90, 2)], "an item that was due was dropped");
        });
        let lab = LabRuntime::new(LabConfig::default());
        lab.run(|cx| async {
            let chunks = seen(cx, ticking(cx, &[0, 5, 9, 30, 41, 42]).chunks_timeout(cx, 3, ms(10))).await;
            assert_eq!(chunks, [(9, vec![0, 5, 9]), (40, vec![30]), (42, vec![41, 42])]);
        });
        let lab = LabRuntime::new(LabConfig::default());
        lab.run(|cx| async {
            let windows = seen(cx, ticking(cx, &[0, 5, 9, 12, 45, 46]).tumbling(cx, ms(10), 9)).await;
            assert_eq!(windows, [(10, vec![0, 5, 9]), (20, vec![12]), (46, vec![45, 46])]);
        });
        let lab = LabRuntime::new(LabConfig::default());
        lab.run(|cx| async {
            let windows = seen(cx, ticking(cx, &[0, 5, 9, 15, 40]).sliding(cx, ms(10), 9)).await;
            assert_eq!(
                windows.into_iter().map(|(_, window)| window).collect::<Vec<_>>(),
                [vec![0], vec![0, 5], vec![0, 5, 9], vec![9, 15], vec![40]]
            );
        });
    });
}

#[test]
fn adapters_with_a_clock_bear_any_span_and_take_their_timers_back() {
    let lab = LabRuntime::new(LabConfig::default());
    lab.run(|cx| async {
        let ever = Duration::MAX;
        let source = || stream::iter(0..3);
        assert_eq!(source().timeout(cx, ever).count(cx).await.unwrap(), 3);
        assert_eq!(source().timeout(cx, Duration::ZERO).filter(Result::is_ok).count(cx).await.unwrap(), 3);
        assert_eq!(source().throttle(cx, Duration::ZERO).count(cx).await.unwrap(), 3);
        assert_eq!(source().throttle(cx, ever).take(1).count(cx).await.unwrap(), 1);
        assert_eq!(source().debounce(cx, ever).collect::<Vec<_>, _>(cx).await.unwrap(), [2]);
        assert_eq!(source().chunks_timeout(cx, 9, ever).collect::<Vec<_>, _>(cx).await.unwrap(), [[0, 1, 2]]);
        assert_eq!(source().tumbling(cx, ever, 2).count(cx).await.unwrap(), 2);
        assert_eq!(
            source().sliding(cx, Duration::ZERO, 9).collect::<Vec<_>, _>(cx).await.unwrap(),
            [[0], [1], [2]]
        );
        // Nobody waits for a pause in something that never pauses.
        let mut task = cx.spawn(async |cx: &mut Cx| -> Result<(), Cancelled> {
            let mut stream = stream::repeat(1).debounce(cx, ms(1));
            stream.next(cx).await.map(drop)
        });
        yields(cx, 100).await;
        task.cancel("enough");
        assert!(task.join(cx).await.ok().is_err());
        assert_eq!(cx.now(), Time::ZERO, "no timer of those that were dropped is waited for");
    });
    lab.oracles().unwrap();
}

#[test]
fn bad_limits_are_refused_where_they_are_given() {
    let lab = LabRuntime::new(LabConfig::default());
    lab.run(|cx| async {
        let refused = |f: &dyn Fn()| std::panic::catch_unwind(std::panic::AssertUnwindSafe(f)).is_err();
        let bodies = || stream::iter([0]).map(|n| async move |_: &mut Cx| n);
        assert!(refused(&|| drop(bodies().buffered(cx, 0))));
        assert!(refused(&|| drop(bodies().buffer_unordered(cx, 0))));
        assert!(refused(&|| drop(bodies().buffer_unordered(cx, usize::MAX))));
        assert!(refused(&|| drop(stream::iter([0]).chunks_timeout(cx, 0, ms(1)))));
        assert!(refused(&|| drop(stream::iter([0]).tumbling(cx, ms(0), 1))));
        assert!(refused(&|| drop(stream::iter([0]).tumbling(cx, ms(1), 0))));
        assert!(refused(&|| drop(stream::iter([0]).sliding(cx, ms(1), 0))));
    });
}

#[test]
fn a_buffer_of_tasks_takes_memory_for_those_there_are_and_not_for_those_there_may_be() {
    let lab = LabRuntime::new(LabConfig::default());
    lab.run(|cx| async {
        // So many places with room for a value each are more than there is memory.
        let most = mpsc::MAX_CAPACITY as usize;
        let body = |n: u64| async move |_: &mut Cx| (n, [n; 1 << 10]);
        let bodies = || stream::iter(0..3).map(body);
        let first: Vec<_> = bodies().buffered(cx, most).map(|(n, _)| n).collect(cx).await.unwrap();
        assert_eq!(first, [0, 1, 2]);
        assert_eq!(bodies().buffer_unordered(cx, most).count(cx).await.unwrap(), 3);
    });
}

#[test]
fn tasks_that_are_more_and_more_at_a_time_all_report_and_in_order_where_that_is_asked() {
    let lab = LabRuntime::new(LabConfig::default());
    lab.run(|cx| async {
        // The first waits for the last of them, so that so many are at work at a time; then again, with all places made.
        let (opened, gate) = oneshot::channel();
        let (mut opened, mut gate) = (Some(opened), Some(gate));
        let bodies = stream::iter(0..1000_u64).map(move |n| {
            let wait = if n == 0 { gate.take() } else { None };
            let open = if n == 499 { opened.take() } else { None };
            async move |cx: &mut Cx| {
                if let Some(mut wait) = wait {
                    wait.recv(cx).await.unwrap()
                }
                open.map(|open| open.send(()).is_ok());
                n
            }
        });
        let mut ordered = bodies.buffered(cx, 500);
        for n in 0..1000 {
            assert_eq!(ordered.next(cx).await.unwrap(), Some(n));
        }
        assert_eq!(ordered.next(cx).await.unwrap(), None);
        // Each waits so long that all are begun before the first is over.
        let bodies = stream::iter(0..1000_u64).map(|n| {
            async move |cx: &mut Cx| {
                cx.sleep(ms(1 + n % 7)).await.ok();
                n
            }
        });
        let mut all: Vec<_> = bodies.buffer_unordered(cx, 300).collect(cx).await.unwrap();
        all.sort_unstable();
        assert_eq!(all, (0..1000).collect::<Vec<_>>());
    });
}

#[test]
fn a_consumer_may_end_instead_of_being_cancelled() {
    let lab = LabRuntime::new(LabConfig::default());
    lab.run(|cx| async {
        let (tx, mut rx) = mpsc::channel(8);
        let mut task = cx.spawn(async move |cx: &mut Cx| -> Res<(Vec<u64>, Receiver<u64>)> {
            let seen = {
                let asked = pin!(cx.cancelled());
                let mut items = (&mut rx).take_until(asked);
                let mut seen = Vec::new();
                while let Some(n) = poll_fn(|context| Pin::new(&mut items).poll_next(context)).await {
                    seen.push(n);
                }
                seen
            };
            Ok((seen, rx))
        });
        tx.try_send(1).unwrap();
        yields(cx, 10).await;
        task.cancel("enough");
        tx.try_send(2).unwrap();
        let (seen, mut rx) = task.join(cx).await.ok().unwrap();
        assert_eq!((seen, rx.try_recv()), (vec![1], Ok(2)), "what came after the request is still there");
    });
}

#[test]
fn a_timeout_says_so_for_each_span_and_again_after_an_item() {
    let lab = LabRuntime::new(LabConfig::default());
    lab.run(|cx| async {
        let mut items = pin!(ticking(cx, &[5, 100]).timeout(cx, ms(10)));
        assert_eq!(items.next(cx).await.unwrap(), Some(Ok(5)));
        assert_eq!((items.next(cx).await.unwrap(), cx.now()), (Some(Err(Elapsed)), at(15)));
        // Nobody waits now, and so nobody is late.
        cx.sleep(ms(30)).await.unwrap();
        assert_eq!((items.next(cx).await.unwrap(), cx.now()), (Some(Err(Elapsed)), at(55)));
        // A wait that was given up had begun.
        let given_up = poll_fn(|context| std::task::Poll::Ready(items.as_mut().poll_next(context))).await;
        assert!(given_up.is_pending());
        cx.sleep(ms(20)).await.unwrap();
        assert_eq!((items.next(cx).await.unwrap(), cx.now()), (Some(Err(Elapsed)), at(75)));
    });
}

#[test]
fn buffers_of_tasks_are_at_their_end_for_good_and_say_what_is_in_flight() {
    explore(0..10, |lab| {
        lab.run(|cx| async {
            cx.region(|scope| async move {
                let body = |n: u64| {
                    async move |cx: &mut Cx| {
                        cx.step().await;
                        n
                    }
                };
                let mut ordered = stream::iter(0..3).map(body).buffered(scope, 2);
                let mut unordered = stream::iter(0..3).map(body).buffer_unordered(scope, 2);
                for n in 0..3 {
                    assert_eq!(ordered.next(scope).await.unwrap(), Some(n));
                    assert!(unordered.next(scope).await.unwrap().is_some());
                    assert!(ordered.in_flight() <= 1 && unordered.in_flight() <= 1, "two less the one taken");
                }
                for _ in 0..3 {
                    assert_eq!(ordered.next(scope).await.unwrap(), None);
                    assert_eq!(unordered.next(scope).await.unwrap(), None);
                }
            })
            .await;
        });
        lab.oracles().unwrap();
    });
}
