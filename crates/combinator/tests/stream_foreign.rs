//! Streams and the `futures` crates: theirs as ours, ours as theirs, and our primitives under their executors, combinators and
//! wakers.
#![cfg(feature = "futures")]
use asupersync_combinator::stream::{self, StreamCxExt, StreamExt, from_futures, into_futures};
use cx::Cx;
use futures_util::stream::{FuturesUnordered, StreamExt as TheirStreamExt};
use futures_util::{FutureExt, pin_mut, select};
use lab::{LabConfig, LabRuntime, Search, explore};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::task::{Context, Poll, Wake};
use std::time::Duration;
use sync::mpsc;
use time::TimeExt;
use types::{CancelKind, Outcome, Res};

const fn ms(n: u64) -> Duration {
    Duration::from_millis(n)
}

#[test]
fn a_stream_goes_there_and_back() {
    let theirs = into_futures(stream::iter(0..5));
    assert_eq!(futures_util::Stream::size_hint(&theirs), (5, Some(5)));
    let back = from_futures(TheirStreamExt::map(theirs, |n| n + 1));
    assert_eq!(stream::Stream::size_hint(&back), (5, Some(5)));
    let again = into_futures(back);
    assert_eq!(TheirStreamExt::collect::<Vec<_>>(again).now_or_never(), Some(vec![1, 2, 3, 4, 5]));
}

#[test]
fn their_select_takes_from_our_streams() {
    explore(0..30, |lab| {
        lab.run(|cx| async {
            let (tx, rx) = mpsc::channel(1);
            cx.spawn(async move |cx: &mut Cx| -> Res {
                for n in 0..4 {
                    tx.send(cx, n).await?;
                    cx.sleep(ms(2)).await?;
                }
                Ok(())
            });
            let mut items = into_futures(StreamExt::fuse(rx));
            let mut ticks = into_futures(StreamExt::fuse(StreamExt::take(
                StreamCxExt::throttle(stream::repeat(100), cx, ms(3)),
                3,
            )));
            let mut seen = Vec::new();
            loop {
                select! {
                    n = TheirStreamExt::select_next_some(&mut items) => seen.push(n),
                    n = TheirStreamExt::select_next_some(&mut ticks) => seen.push(n),
                    complete => break,
                }
            }
            seen.sort_unstable();
            assert_eq!(seen, [0, 1, 2, 3, 100, 100, 100]);
        });
        lab.oracles().unwrap();
    });
}

#[test]
fn their_select_goes_on_without_a_stream_that_has_ended() {
    let lab = LabRuntime::new(LabConfig::default());
    lab.run(|cx| async {
        let mut short = StreamExt::fuse(stream::iter(0..2));
        let mut long = StreamExt::fuse(stream::iter(10..14));
        let mut seen = Vec::new();
        loop {
            select! {
                n = StreamExt::next(&mut short, cx) => seen.extend(n.unwrap()),
                n = StreamExt::next(&mut long, cx) => seen.extend(n.unwrap()),
                complete => break,
            }
        }
        seen.sort_unstable();
        assert_eq!(seen, [0, 1, 10, 11, 12, 13]);
    });
}

#[test]
fn a_wait_that_their_select_drops_has_taken_nothing() {
    explore(0..30, |lab| {
        lab.run(|cx| async {
            let (tx, rx) = mpsc::channel(1);
            cx.spawn(async move |cx: &mut Cx| -> Res {
                for n in 0..5 {
                    tx.send(cx, n).await?;
                    cx.sleep(ms(n % 3)).await?;
                }
                Ok(())
            });
            let mut pairs = StreamExt::chunks(rx, 2);
            let mut seen = Vec::new();
            loop {
                let taken = select! {
                    pair = StreamExt::next(&mut pairs, cx).fuse() => Some(pair.unwrap()),
                    nap = cx.sleep(ms(1)).fuse() => {
                        nap.unwrap();
                        None
                    }
                };
                match taken {
                    Some(Some(pair)) => seen.extend(pair),
                    Some(None) => break,
                    None => {}
                }
            }
            assert_eq!(seen, [0, 1, 2, 3, 4]);
        });
        lab.oracles().unwrap();
    });
}

#[test]
fn consumers_wait_side_by_side_in_their_set_and_a_request_reaches_each() {
    explore(0..30, |lab| {
        lab.run(|cx| async {
            let mut task = cx.spawn(async |cx: &mut Cx| -> Res {
                let mut waits = FuturesUnordered::new();
                for _ in 0..5 {
                    let cx = &*cx;
                    waits.push(async move { stream::pending::<u8>().next(cx).await });
                }
                for _ in 0..5 {
                    let end = TheirStreamExt::next(&mut waits).await.expect("there are five");
                    assert_eq!(end.unwrap_err().kind(), CancelKind::Explicit);
                }
                assert!(TheirStreamExt::next(&mut waits).await.is_none());
                Ok(cx.checkpoint()?)
            });
            cx.sleep(ms(1)).await.unwrap();
            task.cancel("enough");
            assert!(matches!(task.join(cx).await, Outcome::Cancelled(_)));
        });
        lab.oracles().unwrap();
    });
}

#[test]
fn their_loops_over_a_receivers_stream_end_under_a_request() {
    explore(0..30, |lab| {
        lab.run(|cx| async {
            let (tx, mut rx) = mpsc::channel(4);
            let (quiet, mut silent) = mpsc::unbounded::<u8>();
            let mut task = cx.spawn(async move |cx: &mut Cx| {
                let (mut values, mut others) = (into_futures(rx.stream(cx)), into_futures(silent.stream(cx)));
                let (mut seen, mut refused) = (Vec::new(), 0);
                // Both are fused as they are: `select!` leaves out who is over, and ends when both are.
                loop {
                    let item = select! {
                        n = TheirStreamExt::select_next_some(&mut values) => n,
                        n = TheirStreamExt::select_next_some(&mut others) => n,
                        complete => break,
                    };
                    match item {
                        Ok(n) => seen.push(n),
                        Err(_) => refused += 1,
                    }
                }
                assert_eq!(refused, 2);
                drop(values);
                seen.extend(core::iter::from_fn(|| rx.try_recv().ok()));
                assert_eq!(seen, [0, 1, 2]);
            });
            for n in 0..3 {
                tx.send(cx, n).await.unwrap();
            }
            cx.sleep(ms(1)).await.unwrap();
            task.cancel("enough");
            task.join(cx).await.unwrap();
            drop(quiet);
        });
        lab.oracles().unwrap();
    });
}

#[test]
fn operations_under_our_buffer_are_woken_one_by_one_and_by_a_request() {
    let found = Search::every().run("recv in a buffer", None, async |cx: &mut Cx| {
        let (mut senders, mut receivers) = (Vec::new(), Vec::new());
        for _ in 0..3 {
            let (tx, rx) = mpsc::channel(1);
            senders.push(tx);
            receivers.push(rx);
        }
        for (n, tx) in senders.into_iter().enumerate() {
            cx.spawn(async move |cx: &mut Cx| tx.send(cx, n).await.unwrap());
        }
        let work = stream::iter(receivers.iter_mut()).map(|rx| rx.recv(cx));
        let mut seen: Vec<_> = Vec::new();
        let mut work = pin!(StreamExt::buffer_unordered_in_task(work, 3));
        while let Some(n) = StreamExt::next(&mut work, cx).await.unwrap() {
            seen.push(n.unwrap());
        }
        seen.sort_unstable();
        assert_eq!(seen, [0, 1, 2]);
    });
    assert!(found.complete, "{found}");
    let lab = LabRuntime::new(LabConfig::default());
    lab.run(|cx| async {
        let mut task = cx.spawn(async |cx: &mut Cx| {
            let naps = stream::iter(1..4).map(|n| cx.sleep(ms(n * 1000))).buffered_in_task(3);
            // Taken without a look at the request, they are cancelled one by one.
            let mut naps = into_futures(naps);
            for _ in 0..3 {
                let nap = TheirStreamExt::next(&mut naps).await.expect("there are three");
                assert_eq!(nap.unwrap_err().kind(), CancelKind::Explicit);
            }
        });
        cx.sleep(ms(1)).await.unwrap();
        task.cancel("enough");
        task.join(cx).await.ok().unwrap();
        assert_eq!(cx.now().as_nanos(), 1_000_000);
    });
}

#[test]
fn a_receiver_is_polled_by_any_executor_through_any_waker() {
    #[derive(Default)]
    struct Count(AtomicUsize);
    impl Wake for Count {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, SeqCst);
        }
    }
    let (tx, rx) = mpsc::channel(2);
    let stream = into_futures(StreamExt::chunks(rx, 2));
    pin_mut!(stream);
    let (first, second) = (Arc::<Count>::default(), Arc::<Count>::default());
    let mut poll = |by: &Arc<Count>| {
        let waker = by.clone().into();
        futures_util::Stream::poll_next(Pin::as_mut(&mut stream), &mut Context::from_waker(&waker))
    };
    assert!(poll(&first).is_pending());
    assert!(poll(&second).is_pending());
    tx.try_send(1).unwrap();
    assert_eq!((first.0.load(SeqCst), second.0.load(SeqCst)), (0, 1), "the last waker counts");
    assert!(poll(&first).is_pending());
    tx.try_send(2).unwrap();
    assert_eq!(first.0.load(SeqCst), 1);
    assert_eq!(poll(&second), Poll::Ready(Some(vec![1, 2])));
    drop(tx);
    assert_eq!(poll(&second), Poll::Ready(None));
}
