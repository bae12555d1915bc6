//! Streams side by side: [`Merge`] of two, [`MergeAll`] of many of one type, [`StreamMap`] of many by key.
//!
//! Fairness (`merge.fair`): whoever was just taken from is asked last next time. So of `n` sources that always have an item each
//! gives every `n`-th one, and a source that has an item waits for at most `n - 1` items of others.
//!
//! They hold no items. Each is at its end when all of its sources are; a source that has ended is dropped at once.
//!
//! Cost: a poll asks the sources one after the other until one has an item: one if all are busy, all `n` of them if only one
//! is. For hundreds of sources of which few are busy let a task for each send into one channel.
use super::chain::sum;
use super::part::Fuse;
use alloc::boxed::Box;
use alloc::vec::Vec;
use core::pin::Pin;
use core::task::{Context, Poll};
use pin_project_lite::pin_project;
use types::Stream;

pin_project! {
    /// Stream of [`StreamExt::merge`](super::StreamExt::merge).
    #[derive(Clone, Debug)]
    #[must_use = "streams do nothing unless polled"]
    pub struct Merge<A, B> {
        #[pin]
        first: Fuse<A>,
        #[pin]
        second: Fuse<B>,
        second_first: bool,
    }
}

impl<A, B> Merge<A, B> {
    pub(super) fn new(first: A, second: B) -> Self {
        Merge { first: Fuse::new(first), second: Fuse::new(second), second_first: false }
    }

    /// Those of the two that have not ended.
    pub fn into_inner(self) -> (Option<A>, Option<B>) {
        (self.first.into_inner(), self.second.into_inner())
    }
}

impl<A: Stream, B: Stream<Item = A::Item>> Stream for Merge<A, B> {
    type Item = A::Item;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<A::Item>> {
        let mut this = self.project();
        if *this.second_first
            && let item @ Poll::Ready(Some(_)) = this.second.as_mut().poll_next(context)
        {
            *this.second_first = false;
            return item;
        }
        if let item @ Poll::Ready(Some(_)) = this.first.as_mut().poll_next(context) {
            *this.second_first = !types::seeded!("merge.unfair");
            return item;
        }
        if !*this.second_first
            && let item @ Poll::Ready(Some(_)) = this.second.as_mut().poll_next(context)
        {
            return item;
        }
        if this.first.is_done() && this.second.is_done() { Poll::Ready(None) } else { Poll::Pending }
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        sum(self.first.size_hint(), self.second.size_hint())
    }
}

/// Merges any number of streams of one type, fairly.
///
/// A stream of another type each is boxed first: `Box::pin(stream) as Pin<Box<dyn Stream<Item = _> + Send>>`.
///
/// ```
/// use asupersync_combinator::stream::{self, StreamExt};
///
/// # async fn example(cx: &mut cx::Cx) -> Result<(), types::Cancelled> {
/// let all = stream::merge_all([10, 20, 30].map(|from| stream::iter(from..from + 2)));
/// assert_eq!(all.collect::<Vec<_>, _>(cx).await.map_err(|cut| cut.why)?, [10, 20, 30, 11, 21, 31]);
/// # Ok(())
/// # }
/// # lab::LabRuntime::new(lab::LabConfig::default()).run(async |cx| example(cx).await).unwrap();
/// ```
///
/// # Cost
/// One allocation for each source here, none later.
pub fn merge_all<S: Stream>(sources: impl IntoIterator<Item = S>) -> MergeAll<S> {
    MergeAll { sources: sources.into_iter().map(Box::pin).collect(), turn: 0 }
}

/// Stream of [`merge_all`].
#[derive(Debug)]
#[must_use = "streams do nothing unless polled"]
pub struct MergeAll<S> {
    sources: Vec<Pin<Box<S>>>,
    /// Who is asked first.
    turn: usize,
}

impl<S> MergeAll<S> {
    /// One more source. It is asked last.
    pub fn push(&mut self, source: S) {
        self.sources.insert(self.turn, Box::pin(source));
        self.turn += 1;
        if self.turn == self.sources.len() {
            self.turn = 0
        }
    }

    /// How many sources have not ended.
    pub fn len(&self) -> usize {
        self.sources.len()
    }

    /// Whether all sources have ended.
    pub fn is_empty(&self) -> bool {
        self.sources.is_empty()
    }

    /// The sources that have not ended.
    pub fn into_inner(self) -> Vec<Pin<Box<S>>> {
        self.sources
    }
}

impl<S: Stream> Stream for MergeAll<S> {
    type Item = S::Item;

    #[inline]
    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<S::Item>> {
        let Self { sources, turn } = &mut *self;
        poll_in_turn(sources, turn, |source| source.as_mut().poll_next(context))
            .map(|found| found.map(|(_, item)| item))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.sources.iter().fold((0, Some(0)), |all, source| sum(all, source.size_hint()))
    }
}

/// Asks each of `sources` once, from `turn` on, until one has an item: its place then, and the item. Those that have ended
/// are taken out, and the others keep their order.
fn poll_in_turn<P, T>(
    sources: &mut Vec<P>,
    turn: &mut usize,
    mut poll: impl FnMut(&mut P) -> Poll<Option<T>>,
) -> Poll<Option<(usize, T)>> {
    let mut at = *turn;
    for _ in 0..sources.len() {
        if at >= sources.len() {
            at = 0
        }
        match poll(&mut sources[at]) {
            Poll::Ready(Some(item)) => {
                *turn = if at + 1 == sources.len() { 0 } else { at + 1 };
                return Poll::Ready(Some((at, item)));
            }
            Poll::Ready(None) => {
                drop(sources.remove(at));
                if at < *turn {
                    *turn -= 1
                }
            }
            Poll::Pending => at += 1,
        }
    }
    if *turn >= sources.len() {
        *turn = 0
    }
    if sources.is_empty() { Poll::Ready(None) } else { Poll::Pending }
}

/// Streams by key, merged fairly: its items come with the key of their stream.
///
/// ```
/// use asupersync_combinator::stream::{self, StreamExt, StreamMap};
///
/// # async fn example(cx: &mut cx::Cx) -> Result<(), types::Cancelled> {
/// let mut quotes = StreamMap::new();
/// quotes.insert("gold", stream::iter([1900, 1910]));
/// quotes.insert("iron", stream::iter([110, 120]));
/// assert_eq!(quotes.next(cx).await?, Some(("gold", 1900)));
/// assert_eq!(quotes.next(cx).await?, Some(("iron", 110)));
/// assert!(quotes.remove(&"gold").is_some());
/// assert_eq!(quotes.next(cx).await?, Some(("iron", 120)));
/// assert_eq!(quotes.next(cx).await?, None);
/// # Ok(())
/// # }
/// # lab::LabRuntime::new(lab::LabConfig::default()).run(async |cx| example(cx).await).unwrap();
/// ```
///
/// Streams may be inserted at any time, also after the end: then it goes on. A key is found by comparing with each in turn.
#[derive(Debug)]
#[must_use = "streams do nothing unless polled"]
pub struct StreamMap<K, S> {
    sources: Vec<(K, Pin<Box<S>>)>,
    turn: usize,
}

/// The keys are moved, the streams boxed.
impl<K, S> Unpin for StreamMap<K, S> {}

impl<K, S> Default for StreamMap<K, S> {
    fn default() -> Self {
        StreamMap { sources: Vec::new(), turn: 0 }
    }
}

impl<K: PartialEq, S> StreamMap<K, S> {
    /// No streams yet.
    pub fn new() -> StreamMap<K, S> {
        StreamMap::default()
    }

    /// Adds a stream, and returns the one that had its key, with all that was not taken from it. A consumer that waits is not
    /// woken: insert between two calls of `next`.
    ///
    /// # Cost
    /// One allocation, and a comparison with each key.
    pub fn insert(&mut self, key: K, source: S) -> Option<Pin<Box<S>>> {
        let before = self.remove(&key);
        self.sources.push((key, Box::pin(source)));
        before
    }

    /// Takes a stream out, with all that was not taken from it.
    pub fn remove(&mut self, key: &K) -> Option<Pin<Box<S>>> {
        let at = self.sources.iter().position(|(known, _)| known == key)?;
        if at < self.turn {
            self.turn -= 1
        }
        Some(self.sources.remove(at).1)
    }

    /// Whether a stream has this key and has not ended.
    pub fn contains(&self, key: &K) -> bool {
        self.sources.iter().any(|(known, _)| known == key)
    }
}

impl<K, S> StreamMap<K, S> {
    /// The keys of the streams that have not ended.
    pub fn keys(&self) -> impl Iterator<Item = &K> {
        self.sources.iter().map(|(key, _)| key)
    }

    /// How many streams have not ended.
    pub fn len(&self) -> usize {
        self.sources.len()
    }

    /// Whether all streams have ended.
    pub fn is_empty(&self) -> bool {
        self.sources.is_empty()
    }
}

impl<K: Clone, S: Stream> Stream for StreamMap<K, S> {
    type Item = (K, S::Item);

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let Self { sources, turn } = &mut *self;
        let found = poll_in_turn(sources, turn, |(_, source)| source.as_mut().poll_next(context));
        found.map(|found| found.map(|(at, item)| (sources[at].0.clone(), item)))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.sources.iter().fold((0, Some(0)), |all, (_, source)| sum(all, source.size_hint()))
    }
}
