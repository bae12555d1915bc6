//! All items: `collect`, `fold`, `for_each`, `count` and their `try_` forms; and [`Cut`], what there was when a consumer was
//! stopped.
//!
//! Each is a loop over `next`, so a cancellation is seen between two items and never costs one.
use super::next::Next;
use core::future::Future;
use core::pin::pin;
use cx::{Cx, Row};
use types::{Cancelled, Stop, Stream};

/// A consumer was stopped before the end of its stream: what it had by then, and why.
///
/// `?` in a function that returns a [`Res`](types::Res) keeps the reason and drops the rest.
#[derive(Clone, Debug)]
pub struct Cut<B, W = Cancelled> {
    /// What was made of the items that were taken.
    pub so_far: B,
    /// What stopped it: a cancellation, or the first error.
    pub why: W,
}

impl<B, W: core::fmt::Display> core::fmt::Display for Cut<B, W> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "stopped before the end of the stream: {}", self.why)
    }
}

impl<B, E> From<Cut<B>> for Stop<E> {
    fn from(cut: Cut<B>) -> Stop<E> {
        Stop::Cancelled(cut.why)
    }
}

impl<B, E> From<Cut<B, Stop<E>>> for Stop<E> {
    fn from(cut: Cut<B, Stop<E>>) -> Stop<E> {
        cut.why
    }
}

pub(super) async fn collect<S, B, C>(stream: S, cx: &Cx<C>) -> Result<B, Cut<B>>
where
    S: Stream,
    B: Default + Extend<S::Item>,
    C: Row,
{
    let mut stream = pin!(stream);
    let mut so_far = B::default();
    loop {
        match Next::new(&mut stream, cx).await {
            Ok(Some(item)) => so_far.extend(Some(item)),
            Ok(None) => return Ok(so_far),
            Err(why) => return Err(Cut { so_far, why }),
        }
    }
}

pub(super) async fn count<S: Stream, C: Row>(stream: S, cx: &Cx<C>) -> Result<u64, Cut<u64>> {
    let mut stream = pin!(stream);
    let mut so_far = 0;
    loop {
        match Next::new(&mut stream, cx).await {
            Ok(Some(_)) => so_far += 1,
            Ok(None) => return Ok(so_far),
            Err(why) => return Err(Cut { so_far, why }),
        }
    }
}

pub(super) async fn fold<S, B, F, Fut, C>(stream: S, cx: &Cx<C>, initial: B, mut f: F) -> Result<B, Cut<B>>
where
    S: Stream,
    F: FnMut(B, S::Item) -> Fut,
    Fut: Future<Output = B>,
    C: Row,
{
    let mut stream = pin!(stream);
    let mut so_far = initial;
    loop {
        match Next::new(&mut stream, cx).await {
            Ok(Some(item)) => so_far = f(so_far, item).await,
            Ok(None) => return Ok(so_far),
            Err(why) => return Err(Cut { so_far, why }),
        }
    }
}

pub(super) async fn for_each<S, F, Fut, C>(stream: S, cx: &Cx<C>, mut f: F) -> Result<(), Cancelled>
where
    S: Stream,
    F: FnMut(S::Item) -> Fut,
    Fut: Future<Output = ()>,
    C: Row,
{
    let mut stream = pin!(stream);
    while let Some(item) = Next::new(&mut stream, cx).await? {
        f(item).await
    }
    Ok(())
}

pub(super) async fn try_for_each<S, E, F, Fut, C>(stream: S, cx: &Cx<C>, mut f: F) -> Result<(), E>
where
    S: Stream,
    E: From<Cancelled>,
    F: FnMut(S::Item) -> Fut,
    Fut: Future<Output = Result<(), E>>,
    C: Row,
{
    let mut stream = pin!(stream);
    while let Some(item) = Next::new(&mut stream, cx).await? {
        f(item).await?
    }
    Ok(())
}

pub(super) async fn try_fold<S, B, E, F, Fut, C>(stream: S, cx: &Cx<C>, initial: B, mut f: F) -> Result<B, E>
where
    S: Stream,
    E: From<Cancelled>,
    F: FnMut(B, S::Item) -> Fut,
    Fut: Future<Output = Result<B, E>>,
    C: Row,
{
    let mut stream = pin!(stream);
    let mut so_far = initial;
    while let Some(item) = Next::new(&mut stream, cx).await? {
        so_far = f(so_far, item).await?
    }
    Ok(so_far)
}

pub(super) async fn try_collect<S, T, E, B, C>(stream: S, cx: &Cx<C>) -> Result<B, Cut<B, E>>
where
    S: Stream<Item = Result<T, E>>,
    E: From<Cancelled>,
    B: Default + Extend<T>,
    C: Row,
{
    let mut stream = pin!(stream);
    let mut so_far = B::default();
    loop {
        match Next::new(&mut stream, cx).await {
            Ok(Some(Ok(item))) => so_far.extend(Some(item)),
            Ok(Some(Err(why))) => return Err(Cut { so_far, why }),
            Ok(None) => return Ok(so_far),
            Err(why) => return Err(Cut { so_far, why: why.into() }),
        }
    }
}
