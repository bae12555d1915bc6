//! What the tests of streams share: programs with a producer, an adapter or a pump, and consumers, after which every item must
//! be where it belongs, whatever was cancelled.
//!
//! Holds no test itself: a file that needs it says `mod stream_programs;`.
#![allow(dead_code, reason = "each test binary uses a part of it")]
use asupersync_combinator::stream::{self, Stream, StreamCxExt, StreamExt, Undelivered};
use cx::Cx;
use std::future::poll_fn;
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use sync::mpsc::{self, Receiver};

const fn ms(n: u64) -> Duration {
    Duration::from_millis(n)
}

/// What an adapter yields, with what each item was made of.
pub(crate) type Groups<'c> = Pin<Box<dyn Stream<Item = Vec<u64>> + Send + 'c>>;
pub(crate) type Adapt = for<'c> fn(&'c Cx, Receiver<u64>) -> Groups<'c>;

/// Sends up to `count` numbers through a channel of two to a consumer behind the adapter. Whatever is cancelled when, each that
/// was sent is received once; in order, if the adapter says so.
pub(crate) async fn conserves(cx: &mut Cx, count: u64, ordered: bool, adapt: Adapt) {
    let (tx, rx) = mpsc::channel(2);
    let sent = Arc::new(AtomicU64::new(0));
    let received = Arc::new(Mutex::new(Vec::new()));
    let (counted, taken) = (sent.clone(), received.clone());
    cx.region(|scope| async move {
        scope.spawn(async move |cx: &mut Cx| {
            for n in 0..count {
                if tx.send(cx, n).await.is_err() {
                    return;
                }
                counted.fetch_add(1, SeqCst);
            }
        });
        scope.spawn(async move |cx: &mut Cx| {
            let mut stream = adapt(cx, rx);
            while let Ok(Some(group)) = stream.next(cx).await {
                taken.lock().unwrap().extend(group);
            }
            // Cancelled or at its end, it goes on without looking for a request: what was taken is still there.
            while let Some(group) = poll_fn(|context| stream.as_mut().poll_next(context)).await {
                taken.lock().unwrap().extend(group);
            }
        });
    })
    .await;
    let mut received = received.lock().unwrap().clone();
    if !ordered {
        received.sort_unstable();
    }
    assert_eq!(received, (0..sent.load(SeqCst)).collect::<Vec<_>>());
}

async fn working(n: u64) -> Vec<u64> {
    if n.is_multiple_of(2) {
        let mut waited = false;
        poll_fn(|context| {
            if std::mem::replace(&mut waited, true) {
                return std::task::Poll::Ready(());
            }
            context.waker().wake_by_ref();
            std::task::Poll::Pending
        })
        .await
    }
    vec![n]
}

/// The adapters that keep every item: name, whether they keep the order, and how they are made.
pub(crate) const KEEPING: &[(&str, bool, Adapt)] = &[
    ("then", true, |_, rx| Box::pin(rx.then(working))),
    ("peekable", true, |_, rx| Box::pin(rx.peekable().map(|n| vec![n]))),
    ("chunks", true, |_, rx| Box::pin(rx.chunks(2))),
    ("windows", true, |_, rx| Box::pin(rx.windows(2, 2))),
    ("chain", true, |_, rx| Box::pin(rx.chain(stream::empty()).map(|n| vec![n]))),
    ("flat_map", true, |_, rx| Box::pin(rx.flat_map(|n| stream::iter([vec![n]])))),
    ("zip", true, |_, rx| Box::pin(rx.zip(stream::repeat(0)).map(|(n, _)| vec![n]))),
    ("merge", true, |_, rx| Box::pin(rx.merge(stream::empty()).map(|n| vec![n]))),
    ("buffered_in_task", true, |_, rx| Box::pin(rx.map(working).buffered_in_task(2))),
    ("buffer_unordered_in_task", false, |_, rx| Box::pin(rx.map(working).buffer_unordered_in_task(2))),
    ("timeout", true, |cx, rx| Box::pin(rx.timeout(cx, ms(5)).filter_map(|item| item.ok().map(|n| vec![n])))),
    ("throttle", true, |cx, rx| Box::pin(rx.throttle(cx, ms(5)).map(|n| vec![n]))),
    ("debounce_with", true, |cx, rx| {
        Box::pin(rx.map(|n| vec![n]).debounce_with(cx, ms(5), |mut waited, came| {
            waited.extend(came);
            waited
        }))
    }),
    ("chunks_timeout", true, |cx, rx| Box::pin(rx.chunks_timeout(cx, 2, ms(5)))),
    ("tumbling", true, |cx, rx| Box::pin(rx.tumbling(cx, ms(5), 2))),
    ("buffered", true, |cx, rx| {
        Box::pin(
            rx.map(|n| {
                async move |cx: &mut Cx| {
                    cx.step().await;
                    vec![n]
                }
            })
            .buffered(cx, 2),
        )
    }),
    ("buffer_unordered", false, |cx, rx| {
        Box::pin(
            rx.map(|n| {
                async move |cx: &mut Cx| {
                    cx.step().await;
                    vec![n]
                }
            })
            .buffer_unordered(cx, 2),
        )
    }),
];

/// How a pump sends into two channels, and who gets what of the numbers from 0.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(crate) enum Pump {
    Forward,
    RoundRobin,
    ByKey,
    Broadcast,
}

/// A pump whose receivers look at each item, and everything that becomes of its items: each is received, or back in the error, or
/// still in the source; once, and in order.
pub(crate) async fn pumps(cx: &mut Cx, how: Pump, count: u64) {
    let outputs = if how == Pump::Forward { 1 } else { 2 };
    let received = Arc::new(Mutex::new(vec![Vec::new(); outputs]));
    let left = Arc::new(Mutex::new(None));
    let (log, rest) = (received.clone(), left.clone());
    cx.region(|scope| async move {
        let mut senders = Vec::new();
        for of in 0..outputs {
            let (tx, mut rx) = mpsc::channel(1);
            senders.push(tx);
            let log = log.clone();
            scope.spawn(async move |cx: &mut Cx| {
                while let Ok(Some(n)) = rx.next(cx).await {
                    log.lock().unwrap()[of].push(n);
                }
                rx.close();
                while let Some(n) = poll_fn(|context| Pin::new(&mut rx).poll_next(context)).await {
                    log.lock().unwrap()[of].push(n);
                }
            });
        }
        scope.spawn(async move |cx: &mut Cx| {
            let mut source = stream::iter(0..count);
            let end = match how {
                Pump::Forward => stream::forward(cx, &mut source, &senders[0]).await,
                Pump::RoundRobin => stream::round_robin(cx, &mut source, &senders).await,
                Pump::ByKey => stream::by_key(cx, &mut source, &senders, |n| *n as usize).await,
                Pump::Broadcast => stream::broadcast(cx, &mut source, &senders).await,
            };
            let held = end.err().and_then(Undelivered::into_inner);
            let next = poll_fn(|context| Pin::new(&mut source).poll_next(context)).await;
            *rest.lock().unwrap() = held.or(next);
        });
    })
    .await;
    let end = left.lock().unwrap().unwrap_or(count);
    let received = received.lock().unwrap();
    for (of, own) in received.iter().enumerate() {
        assert!(own.is_sorted(), "{how:?}: {own:?}");
        if how == Pump::ByKey {
            assert!(own.iter().all(|n| *n as usize % outputs == of));
        }
    }
    let expected: Vec<u64> = (0..end).collect();
    if how == Pump::Broadcast {
        // One who left has missed what came later; whoever stayed has all.
        assert!(received.contains(&expected), "{received:?}, and {end} is left");
        assert!(received.iter().all(|own| expected.starts_with(own)), "{received:?}");
    } else {
        let mut all = received.concat();
        all.sort_unstable();
        assert_eq!(all, expected, "{how:?}: and {end} is left");
    }
}

/// How sources are merged.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(crate) enum Merging {
    All,
    ByKey,
}

/// The sources of one merged stream.
enum Merged {
    All(stream::MergeAll<Receiver<u64>>),
    ByKey(stream::StreamMap<u64, Receiver<u64>>),
}

impl Merged {
    fn add(&mut self, key: u64, source: Receiver<u64>) {
        match self {
            Merged::All(all) => all.push(source),
            Merged::ByKey(map) => assert!(map.insert(key, source).is_none(), "a key is used once"),
        }
    }
}

impl Stream for Merged {
    type Item = u64;

    fn poll_next(self: Pin<&mut Self>, context: &mut std::task::Context<'_>) -> std::task::Poll<Option<u64>> {
        match self.get_mut() {
            Merged::All(all) => Pin::new(all).poll_next(context),
            Merged::ByKey(map) => Pin::new(map).poll_next(context).map(|next| {
                next.map(|(key, n)| {
                    assert_eq!(key, n / 100, "an item has its source's key");
                    n
                })
            }),
        }
    }
}

/// `sources` producers of up to `count` numbers each. One source comes after each of the first items, the others are there from
/// the beginning. Whatever is cancelled when, each number that was sent is received once, in the order of its source.
pub(crate) async fn merges(cx: &mut Cx, how: Merging, sources: u64, count: u64) {
    let sent = Arc::new(Mutex::new(vec![0; sources as usize]));
    let received = Arc::new(Mutex::new(Vec::new()));
    let (counted, taken) = (sent.clone(), received.clone());
    cx.region(|scope| async move {
        let mut later = Vec::new();
        for of in 0..sources {
            let (tx, rx) = mpsc::channel(1);
            later.push((of, rx));
            let counted = counted.clone();
            scope.spawn(async move |cx: &mut Cx| {
                for n in 0..count {
                    if tx.send(cx, 100 * of + n).await.is_err() {
                        return;
                    }
                    counted.lock().unwrap()[of as usize] += 1;
                }
            });
        }
        scope.spawn(async move |cx: &mut Cx| {
            let mut stream = match how {
                Merging::All => Merged::All(stream::merge_all([])),
                Merging::ByKey => Merged::ByKey(stream::StreamMap::new()),
            };
            for (of, rx) in later.drain(..sources.div_ceil(2) as usize) {
                stream.add(of, rx);
            }
            while let Ok(Some(n)) = stream.next(cx).await {
                taken.lock().unwrap().push(n);
                if let Some((of, rx)) = later.pop() {
                    stream.add(of, rx);
                }
            }
            // Cancelled, or those that were there have ended.
            for (of, rx) in later {
                stream.add(of, rx);
            }
            while let Some(n) = poll_fn(|context| Pin::new(&mut stream).poll_next(context)).await {
                taken.lock().unwrap().push(n);
            }
        });
    })
    .await;
    let received = received.lock().unwrap();
    for (of, sent) in sent.lock().unwrap().iter().enumerate() {
        let of = 100 * of as u64;
        let own: Vec<u64> = received.iter().copied().filter(|n| n / 100 * 100 == of).collect();
        assert_eq!(own, (of..of + sent).collect::<Vec<_>>(), "{how:?}: what was sent, in its order");
    }
}
