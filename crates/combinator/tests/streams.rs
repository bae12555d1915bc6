//! Stream adapters against iterators: the same items, whatever the source's pauses, through any wakers; what a source is
//! promised (never polled after its end, every wake heard); and what is held when an adapter is taken apart.
use asupersync_combinator::stream::{self, Stream, StreamExt, StreamMap};
use std::cell::Cell;
use std::collections::VecDeque;
use std::future::Future;
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::task::{Context, Poll, Wake, Waker};

const SEEDS: u64 = 300;

/// SplitMix64.
#[derive(Clone)]
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        (z ^ (z >> 27)) % sides
    }
}

/// Items with pauses in between; it must not be polled after its end.
struct Halting {
    items: VecDeque<u64>,
    dice: Dice,
    ended: bool,
}

impl Stream for Halting {
    type Item = u64;
    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<u64>> {
        assert!(!self.ended, "polled after its end");
        if self.dice.roll(3) == 0 {
            context.waker().wake_by_ref();
            return Poll::Pending;
        }
        let item = self.items.pop_front();
        self.ended = item.is_none();
        Poll::Ready(item)
    }
    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.items.len(), Some(self.items.len()))
    }
}

fn halting(items: impl IntoIterator<Item = u64>, seed: u64) -> Halting {
    Halting { items: items.into_iter().collect(), dice: Dice(seed), ended: false }
}

/// A future that waits a few times before it returns.
async fn slow(n: u64, waits: u64) -> u64 {
    for _ in 0..waits {
        let mut waited = false;
        std::future::poll_fn(|context| {
            if std::mem::replace(&mut waited, true) {
                return Poll::Ready(());
            }
            context.waker().wake_by_ref();
            Poll::Pending
        })
        .await
    }
    n
}

#[derive(Default)]
struct Count(AtomicUsize);
impl Wake for Count {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, SeqCst);
    }
}

/// All items of a stream, polled only when it was woken, and now and then through another waker. Its hints are checked.
fn all<S: Stream>(stream: S, seed: u64) -> Vec<S::Item> {
    let mut stream = pin!(stream);
    let mut dice = Dice(seed ^ 0xA11);
    let mut count = Arc::<Count>::default();
    let (mut items, mut hints) = (Vec::new(), Vec::new());
    loop {
        if dice.roll(5) == 0 {
            count = Arc::default();
        }
        let waker = Waker::from(count.clone());
        hints.push((items.len(), stream.size_hint()));
        let before = count.0.load(SeqCst);
        match stream.as_mut().poll_next(&mut Context::from_waker(&waker)) {
            Poll::Ready(Some(item)) => items.push(item),
            Poll::Ready(None) => break,
            Poll::Pending => assert!(count.0.load(SeqCst) > before, "nobody will wake this stream"),
        }
    }
    for (taken, (low, high)) in hints {
        let left = items.len() - taken;
        assert!(
            low <= left && high.is_none_or(|high| left <= high),
            "{left} were left, hint {low}..={high:?}"
        );
    }
    items
}

/// The adapter yields what the iterator does, for random lengths and pauses.
#[track_caller]
fn same<S: Stream<Item: PartialEq + std::fmt::Debug>>(
    adapted: impl Fn(Halting, u64) -> S,
    model: impl Fn(Vec<u64>, u64) -> Vec<S::Item>,
) {
    for seed in 0..SEEDS {
        let mut dice = Dice(seed);
        let length = dice.roll(12);
        let items: Vec<u64> = (0..length).map(|_| dice.roll(10)).collect();
        let by = dice.roll(6);
        let found = all(adapted(halting(items.clone(), seed), by), seed);
        assert_eq!(found, model(items, by), "seed {seed}");
    }
}

#[test]
fn what_changes_or_leaves_out_items_is_as_for_iterators() {
    same(|s, by| s.map(move |n| n + by), |v, by| v.into_iter().map(|n| n + by).collect());
    same(|s, by| s.filter(move |n| *n > by), |v, by| v.into_iter().filter(|n| *n > by).collect());
    same(
        |s, by| s.filter_map(move |n| n.checked_sub(by)),
        |v, by| v.into_iter().filter_map(|n| n.checked_sub(by)).collect(),
    );
    same(|s, _| s.enumerate(), |v, _| v.into_iter().enumerate().collect());
    same(|s, by| s.take(by as usize), |v, by| v.into_iter().take(by as usize).collect());
    same(|s, by| s.skip(by as usize), |v, by| v.into_iter().skip(by as usize).collect());
    same(|s, by| s.take_while(move |n| *n > by), |v, by| v.into_iter().take_while(|n| *n > by).collect());
    same(|s, by| s.skip_while(move |n| *n > by), |v, by| v.into_iter().skip_while(|n| *n > by).collect());
    same(
        |s, by| {
            s.scan(by, |sum, n| {
                *sum += n;
                (*sum < 25).then_some(*sum)
            })
        },
        |v, by| {
            let sum = |sum: &mut u64, n| {
                *sum += n;
                (*sum < 25).then_some(*sum)
            };
            v.into_iter().scan(by, sum).collect()
        },
    );
    same(|s, by| s.then(move |n| slow(n, by)), |v, _| v);
    same(|s, _| s.fuse(), |v, _| v);
    same(|s, _| s.peekable(), |v, _| v);
}

#[test]
fn what_puts_streams_together_is_as_for_iterators() {
    let other = |by: u64| halting(100..100 + by, by);
    same(|s, by| s.chain(other(by)), |v, by| v.into_iter().chain(100..100 + by).collect());
    same(|s, by| s.zip(other(by)), |v, by| v.into_iter().zip(100..100 + by).collect());
    same(|s, by| s.flat_map(move |n| halting(0..n, by)), |v, _| v.into_iter().flat_map(|n| 0..n).collect());
    same(
        |s, by| s.map(move |n| halting(0..n, by)).flatten(),
        |v, _| v.into_iter().flat_map(|n| 0..n).collect(),
    );
}

#[test]
fn groups_are_those_of_slices_and_the_last_may_be_shorter() {
    same(|s, by| s.chunks(by as usize + 1), |v, by| v.chunks(by as usize + 1).map(<[u64]>::to_vec).collect());
    for step in 1..5_usize {
        same(
            move |s, by| s.windows(by as usize + 1, step),
            move |v, by| {
                let size = by as usize + 1;
                let mut windows = Vec::new();
                let (mut from, mut seen) = (0, 0);
                while seen < v.len() && from < v.len() {
                    windows.push(v[from..v.len().min(from + size)].to_vec());
                    seen = from + size;
                    from += step;
                }
                windows
            },
        );
    }
}

#[test]
fn merged_streams_keep_their_orders_and_lose_nothing() {
    for seed in 0..SEEDS {
        let mut dice = Dice(seed);
        let sources: Vec<Vec<u64>> =
            (0..5).map(|of| (0..dice.roll(8)).map(|n| of * 100 + n).collect()).collect();
        let make = |of: usize| halting(sources[of].clone(), seed + of as u64);
        let check = |found: Vec<u64>, sources: &[Vec<u64>]| {
            for (of, source) in sources.iter().enumerate() {
                let own: Vec<u64> = found.iter().copied().filter(|n| n / 100 == of as u64).collect();
                assert_eq!(&own, source, "seed {seed}");
            }
            assert_eq!(found.len(), sources.iter().map(Vec::len).sum::<usize>());
        };
        check(all(make(0).merge(make(1)), seed), &sources[..2]);
        check(all(stream::merge_all((0..5).map(make)), seed), &sources);
        let mut map = StreamMap::new();
        for of in 0..5 {
            assert!(map.insert(of as u64, make(of)).is_none());
        }
        let found = all(map, seed);
        assert!(found.iter().all(|(key, n)| *key == n / 100));
        check(found.into_iter().map(|(_, n)| n).collect(), &sources);
    }
}

#[test]
pub(crate) fn sources_that_always_have_an_item_take_turns() {
    let two = stream::repeat(0).merge(stream::repeat(1)).take(20);
    assert_eq!(all(two, 0), [0, 1].repeat(10));
    let eight = stream::merge_all((0..8).map(stream::repeat)).take(80);
    assert_eq!(all(eight, 0), (0..8).collect::<Vec<_>>().repeat(10));
    // One that has nothing, or comes later, changes nothing for the others.
    let mut some = stream::merge_all((0..3).map(|n| stream::repeat(n).take(if n == 1 { 1 } else { 3 })));
    some.push(stream::repeat(9).take(2));
    assert_eq!(all(some, 0), [0, 1, 2, 9, 0, 2, 9, 0, 2]);
}

#[test]
fn a_keyed_stream_is_replaced_and_taken_out_with_what_is_left() {
    let mut map = StreamMap::new();
    assert!(all(&mut map, 0).is_empty(), "no streams, no items");
    map.insert('a', stream::iter(0..3));
    map.insert('b', stream::iter(10..13));
    let mut context = Context::from_waker(Waker::noop());
    let mut next = |map: &mut StreamMap<_, _>| Pin::new(map).poll_next(&mut context);
    assert_eq!(next(&mut map), Poll::Ready(Some(('a', 0))));
    let old = map.insert('a', stream::iter(7..8)).expect("there was one");
    assert_eq!(all(old, 0), [1, 2]);
    assert_eq!((map.len(), map.contains(&'b'), map.keys().count()), (2, true, 2));
    let rest = map.remove(&'b').expect("it has not ended");
    assert_eq!(all(rest, 0), [10, 11, 12]);
    assert_eq!(all(&mut map, 0), [('a', 7)]);
    assert!(map.is_empty());
}

#[test]
fn futures_in_flight_are_few_enough_and_lose_nothing() {
    for limit in 1..5 {
        for seed in 0..SEEDS {
            let now = Rc::new(Cell::new((0_usize, 0_usize)));
            let work = |n: u64| {
                let now = now.clone();
                let (running, most) = now.get();
                now.set((running + 1, most.max(running + 1)));
                async move {
                    let n = slow(n, n % 4).await;
                    now.set((now.get().0 - 1, now.get().1));
                    n
                }
            };
            let ordered = all(halting(0..20, seed).map(work).buffered_in_task(limit), seed);
            assert_eq!(ordered, (0..20).collect::<Vec<_>>());
            let mut unordered = all(halting(0..20, seed).map(work).buffer_unordered_in_task(limit), seed);
            unordered.sort_unstable();
            assert_eq!(unordered, (0..20).collect::<Vec<_>>());
            assert!(now.get() == (0, now.get().1) && now.get().1 <= limit, "{:?} of {limit}", now.get());
        }
    }
}

#[test]
fn futures_that_are_ready_sooner_come_sooner() {
    let work = stream::iter([3, 1, 2]).map(|n| slow(n, n)).buffer_unordered_in_task(3);
    assert_eq!(all(work, 0), [1, 2, 3]);
}

#[test]
pub(crate) fn a_future_that_nobody_woke_is_not_polled_and_one_that_was_is() {
    let polls = Cell::new(0);
    let woken: Cell<Option<Waker>> = Cell::new(None);
    let waiting = std::future::poll_fn(|context| {
        polls.set(polls.get() + 1);
        woken.set(Some(context.waker().clone()));
        if polls.get() < 3 { Poll::<u64>::Pending } else { Poll::Ready(9) }
    });
    type Either<'a> = Pin<Box<dyn Future<Output = u64> + 'a>>;
    let futures: [Either<'_>; 2] = [Box::pin(waiting), Box::pin(slow(1, 3))];
    let mut both = pin!(stream::iter(futures).buffer_unordered_in_task(8));
    let count = Arc::<Count>::default();
    let waker = Waker::from(count.clone());
    let mut context = Context::from_waker(&waker);
    let mut next = || both.as_mut().poll_next(&mut context);
    while count.0.swap(0, SeqCst) > 0 || polls.get() == 0 {
        if let Poll::Ready(Some(n)) = next() {
            assert_eq!(n, 1);
            break;
        }
        assert!(count.0.load(SeqCst) > 0, "nobody woke the task");
    }
    assert_eq!(polls.get(), 1, "the other one woke itself, not this one");
    let before = count.0.load(SeqCst);
    woken.take().expect("it waits").wake();
    assert_eq!(count.0.load(SeqCst), before + 1, "the wake reaches the task");
    assert_eq!((next(), polls.get()), (Poll::Pending, 2));
    woken.take().expect("it waits").wake();
    assert_eq!(next(), Poll::Ready(Some(9)));
    assert_eq!(next(), Poll::Ready(None));
    woken.take().expect("it waited").wake();
    assert_eq!(next(), Poll::Ready(None), "a wake that comes late does nothing");
}

#[test]
fn many_woken_at_once_are_all_polled() {
    let wakers: Rc<Cell<Vec<Waker>>> = Rc::default();
    let wait = |n: u64| {
        let (wakers, mut waited) = (wakers.clone(), false);
        std::future::poll_fn(move |context| {
            if std::mem::replace(&mut waited, true) {
                return Poll::Ready(n);
            }
            let mut all = wakers.take();
            all.push(context.waker().clone());
            wakers.set(all);
            Poll::Pending
        })
    };
    for ordered in [false, true] {
        let source = stream::iter(0..500).map(wait);
        let mut stream: Pin<Box<dyn Stream<Item = u64>>> = if ordered {
            Box::pin(source.buffered_in_task(500))
        } else {
            Box::pin(source.buffer_unordered_in_task(500))
        };
        let count = Arc::<Count>::default();
        let waker = Waker::from(count.clone());
        while {
            assert!(stream.as_mut().poll_next(&mut Context::from_waker(&waker)).is_pending());
            // It gives way before it has begun all.
            count.0.swap(0, SeqCst) > 0
        } {}
        // Only those behind the first hundred or so: more than one poll looks at.
        let woken = wakers.take();
        assert_eq!(woken.len(), 500);
        woken.iter().for_each(Waker::wake_by_ref);
        let mut found = Vec::new();
        loop {
            count.0.store(0, SeqCst);
            match stream.as_mut().poll_next(&mut Context::from_waker(&waker)) {
                Poll::Ready(Some(item)) => found.push(item),
                Poll::Ready(None) => break,
                Poll::Pending => assert!(count.0.load(SeqCst) > 0, "woken futures are left behind"),
            }
        }
        found.sort_unstable();
        assert_eq!(found, (0..500).collect::<Vec<_>>());
    }
}

#[test]
fn dropped_at_any_poll_nothing_is_lost_but_what_is_dropped() {
    struct Counted(Rc<Cell<i64>>);
    impl Drop for Counted {
        fn drop(&mut self) {
            self.0.set(self.0.get() - 1)
        }
    }
    let alive = Rc::new(Cell::new(0));
    for polls in 0..30 {
        for which in 0..6 {
            let (alive, dice) = (alive.clone(), Dice(polls));
            let source = halting(0..8, polls).map(move |_| {
                alive.set(alive.get() + 1);
                Counted(alive.clone())
            });
            let count = |items: Vec<Counted>| Counted(items[0].0.clone());
            let wait = |dice: Dice| {
                let mut dice = dice;
                move |item| {
                    let waits = dice.roll(3);
                    async move {
                        slow(0, waits).await;
                        item
                    }
                }
            };
            let mut stream: Pin<Box<dyn Stream<Item = Counted>>> = match which {
                0 => Box::pin(source.chunks(3).map(move |items| {
                    let one = count(items);
                    one.0.set(one.0.get() + 1);
                    one
                })),
                1 => Box::pin(source.then(wait(dice))),
                2 => Box::pin(source.map(wait(dice)).buffered_in_task(3)),
                3 => Box::pin(source.map(wait(dice)).buffer_unordered_in_task(3)),
                4 => Box::pin(source.zip(stream::iter(0..5)).map(|(item, _)| item)),
                _ => Box::pin(source.peekable()),
            };
            let mut context = Context::from_waker(Waker::noop());
            for _ in 0..polls {
                if let Poll::Ready(None) = stream.as_mut().poll_next(&mut context) {
                    break;
                }
            }
        }
        assert_eq!(alive.get(), 0, "after {polls} polls something is left, or was dropped twice");
    }
}

#[test]
fn taken_apart_an_adapter_gives_back_what_it_holds() {
    let mut context = Context::from_waker(Waker::noop());
    let rest = |source: Option<stream::Iter<_>>| source.map_or(vec![], |source| all(source, 0));
    let mut wait_behind = stream::iter(0..5).chain(stream::pending()).chunks(7);
    assert!(Pin::new(&mut wait_behind).poll_next(&mut context).is_pending());
    assert_eq!(wait_behind.into_parts().1, [0, 1, 2, 3, 4]);

    let mut zip = stream::iter(0..5).zip(stream::empty::<()>());
    assert!(Pin::new(&mut zip).poll_next(&mut context).is_ready());
    let ((source, held), _) = zip.into_parts();
    assert_eq!((held, rest(source)), (Some(0), vec![1, 2, 3, 4]));

    let mut peekable = stream::iter(0..3).peekable();
    assert_eq!(Pin::new(&mut peekable).poll_peek(&mut context), Poll::Ready(Some(&0)));
    let (source, held) = peekable.into_parts();
    assert_eq!((held, all(source, 0)), (Some(0), vec![1, 2]));

    let mut windows = stream::iter(0..4).chain(stream::pending()).windows(3, 2);
    assert_eq!(Pin::new(&mut windows).poll_next(&mut context), Poll::Ready(Some(vec![0, 1, 2])));
    assert!(Pin::new(&mut windows).poll_next(&mut context).is_pending());
    assert_eq!(windows.into_parts().1, [3], "2 was in a window");

    let mut chain = stream::iter(0..2).chain(stream::iter(5..7));
    assert!(Pin::new(&mut chain).poll_next(&mut context).is_ready());
    let (first, second) = chain.into_inner();
    assert_eq!((rest(first), rest(second)), (vec![1], vec![5, 6]));
}

#[test]
fn polled_after_their_end_fused_adapters_are_at_their_end() {
    let mut context = Context::from_waker(Waker::noop());
    let mut twice = |mut stream: Pin<Box<dyn Stream<Item = u64>>>| {
        let mut ends = 0;
        for _ in 0..200 {
            ends += u32::from(stream.as_mut().poll_next(&mut context) == Poll::Ready(None));
        }
        assert!(ends > 100);
    };
    for seed in 0..20 {
        let source = || halting(0..4, seed);
        twice(Box::pin(source().take(9).fuse()));
        twice(Box::pin(source().peekable()));
        twice(Box::pin(source().chain(source())));
        twice(Box::pin(source().merge(source())));
        twice(Box::pin(source().zip(source()).map(|(n, _)| n)));
        twice(Box::pin(source().flat_map(|n| stream::iter(0..n))));
        twice(Box::pin(source().chunks(3).map(|chunk| chunk[0])));
        twice(Box::pin(source().windows(3, 1).map(|window| window[0])));
        twice(Box::pin(source().take_while(|n| *n < 2)));
        twice(Box::pin(source().scan(0, |_, n| (n < 2).then_some(n))));
        twice(Box::pin(source().take_until(std::future::pending::<()>())));
        twice(Box::pin(source().map(|n| slow(n, 1)).buffered_in_task(2)));
        twice(Box::pin(source().map(|n| slow(n, 1)).buffer_unordered_in_task(2)));
        twice(Box::pin(stream::merge_all([source(), source()])));
        twice(Box::pin(stream::unfold(0, |n| async move { (n < 3).then_some((slow(n, 1).await, n + 1)) })));
    }
}

#[test]
fn sizes_that_cannot_be_are_refused() {
    let refused = |f: fn()| std::panic::catch_unwind(f).is_err();
    assert!(refused(|| drop(stream::iter(0..1).chunks(0))));
    assert!(refused(|| drop(stream::iter(0..1).windows(0, 1))));
    assert!(refused(|| drop(stream::iter(0..1).windows(1, 0))));
    assert!(refused(|| drop(stream::iter([async {}]).buffered_in_task(0))));
    assert!(refused(|| drop(stream::iter([async {}]).buffer_unordered_in_task(0))));
    // Nothing is allocated for a size that is never reached.
    assert_eq!(all(stream::iter(0..3).chunks(usize::MAX), 0), [[0, 1, 2]]);
    assert_eq!(all(stream::iter(0..3).skip(usize::MAX), 0), []);
    assert_eq!(all(stream::iter([slow(1, 1)]).buffer_unordered_in_task(usize::MAX), 0), [1]);
    assert_eq!(all(stream::iter([slow(1, 1)]).buffered_in_task(usize::MAX), 0), [1]);
}

/// A value that another thread gives, and the waker that waits for it.
type Given = Arc<std::sync::Mutex<(Option<u64>, Option<Waker>)>>;

#[test]
#[allow(clippy::disallowed_methods, reason = "the wakes come from other threads")]
fn wakes_from_other_threads_reach_the_task_and_the_right_futures() {
    struct Unpark(std::thread::Thread);
    impl Wake for Unpark {
        fn wake(self: Arc<Self>) {
            self.0.unpark()
        }
    }
    let count = if cfg!(miri) { 40 } else { 4000 };
    let given: Vec<Given> = (0..count).map(|_| Given::default()).collect();
    let source = stream::iter(given.clone()).map(|given| {
        std::future::poll_fn(move |context| {
            let (value, waker) = &mut *given.lock().unwrap();
            *waker = Some(context.waker().clone());
            value.take().map_or(Poll::Pending, Poll::Ready)
        })
    });
    let mut stream = source.buffer_unordered_in_task(100);
    let mut seen = std::thread::scope(|scope| {
        for of in 0..4 {
            let given = &given;
            scope.spawn(move || {
                for (n, given) in given.iter().enumerate().filter(|(n, _)| n % 4 == of) {
                    let waker = {
                        let (value, waker) = &mut *given.lock().unwrap();
                        *value = Some(n as u64);
                        waker.take()
                    };
                    if let Some(waker) = waker {
                        waker.wake()
                    }
                }
            });
        }
        let waker = Waker::from(Arc::new(Unpark(std::thread::current())));
        let mut seen = Vec::new();
        loop {
            match Pin::new(&mut stream).poll_next(&mut Context::from_waker(&waker)) {
                Poll::Ready(Some(n)) => seen.push(n),
                Poll::Ready(None) => return seen,
                // A wake that is lost leaves the test here for ever.
                Poll::Pending => std::thread::park(),
            }
        }
    });
    seen.sort_unstable();
    assert_eq!(seen, (0..count).collect::<Vec<_>>());
}
