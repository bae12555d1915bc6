//! `pipeline`: stages that work at the same time, each on one item, with bounded channels between them.
//!
//! ```text
//! source ──capacity──▶ stage ──capacity──▶ stage ──capacity──▶ last
//! ```
//! A full channel stops whoever is before it (back-pressure), and items keep their order. A stage ends when the one before it
//! has, and its channel is empty. Under a request, and when a stage fails:
//!
//! | | [`OnRequest::Drain`] | [`OnRequest::Abandon`] |
//! |---|---|---|
//! | a request from outside | the source sees it; what it has sent goes through all stages, which are masked | everybody sees it; what is between stages is dropped |
//! | a stage fails | those before it find its channel closed; what has passed it goes on | everybody else is asked to stop |
//!
//! Either way the result says that it was cut short. Masks are pierced at the cleanup deadline, so draining ends.
//!
//! In a task that is spawned, with more than three stages between source and last, the compiler gives up on proving that it is
//! `Send`, and asks for `#![recursion_limit = "256"]` in the user's crate.
//!
//! Laws (`tests/pipelines.rs`): with stages that keep items it is the loop over the source, item by item; drained, what went in
//! has come out, wherever it is cancelled; nobody is abandoned.
//!
//! Not here: stages in parallel (spawn tasks, with a channel between them), adapters of streams (`stream`).
use crate::CombineExt;
use alloc::boxed::Box;
use core::fmt::Debug;
use core::future::Future;
use core::marker::PhantomData;
use cx::{Cx, Row};
use sync::WaitError;
use sync::mpsc::{self, Receiver, SendError, Sender};
use types::{Res, Stop};

/// What becomes of items that have left the source, when a pipeline is asked to stop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnRequest {
    /// They go through all stages.
    Drain,
    /// They are dropped where they are.
    Abandon,
}

/// A pipeline that is being put together; [`Pipeline::each`] runs it. Made by [`ManyExt::pipeline`](crate::ManyExt::pipeline).
#[must_use = "a pipeline does nothing before its last stage"]
pub struct Pipeline<'a, C, S, A, E> {
    cx: &'a mut Cx<C>,
    how: OnRequest,
    stages: S,
    items: PhantomData<fn() -> (A, E)>,
}

impl<C, S, A, E> core::fmt::Debug for Pipeline<'_, C, S, A, E> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Pipeline").field("how", &self.how).finish_non_exhaustive()
    }
}

/// What sends items, and ends.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not the beginning of a pipeline of `{A}`",
    note = "begin with `cx.pipeline(..)`; each stage takes what the one before it makes"
)]
pub trait Flow<C, A, E> {
    #[doc(hidden)]
    fn run(self, cx: &mut Cx<C>, out: Sender<A>, how: OnRequest) -> impl Future<Output = Res<(), E>>;
}

/// The first stage of a pipeline.
#[derive(Debug)]
pub struct Source<F>(F);

/// A stage behind others.
#[derive(Debug)]
pub struct Stage<P, X, F> {
    before: P,
    capacity: usize,
    body: F,
    takes: PhantomData<fn(X)>,
}

impl<C: Row, A, E, F> Flow<C, A, E> for Source<F>
where
    F: AsyncFnOnce(&mut Cx<C>, Sender<A>) -> Res<(), E>,
{
    async fn run(self, cx: &mut Cx<C>, out: Sender<A>, _: OnRequest) -> Res<(), E> {
        (self.0)(cx, out).await
    }
}

impl<C: Row, X, A, E: Debug, P, F> Flow<C, A, E> for Stage<P, X, F>
where
    P: Flow<C, X, E>,
    F: AsyncFnOnce(&mut Cx<C>, X) -> Res<A, E> + Clone,
{
    async fn run(self, cx: &mut Cx<C>, out: Sender<A>, how: OnRequest) -> Res<(), E> {
        let Stage { before, capacity, body, .. } = self;
        both(cx, how, before, capacity, async |cx: &mut Cx<C>, mut from: Receiver<X>| {
            while let Some(item) = next(cx, &mut from).await? {
                let made = body.clone()(cx, item).await?;
                match out.send(cx, made).await {
                    Ok(()) => {}
                    // Who is behind has failed, and says so.
                    Err(SendError::Closed(_)) => break,
                    Err(SendError::Cancelled(_, c)) => return Err(Stop::Cancelled(c)),
                }
            }
            drop(out);
            Ok(())
        })
        .await
    }
}

/// The next item; `None` when whoever is before has ended.
async fn next<C: Row, X, E>(cx: &Cx<C>, from: &mut Receiver<X>) -> Res<Option<X>, E> {
    match from.recv(cx).await {
        Ok(item) => Ok(Some(item)),
        Err(WaitError::Closed) => Ok(None),
        Err(WaitError::Cancelled(c)) => Err(Stop::Cancelled(c)),
    }
}

/// Everything before a channel, and what takes from it.
async fn both<C: Row, X, E: Debug, P: Flow<C, X, E>>(
    cx: &mut Cx<C>,
    how: OnRequest,
    before: P,
    capacity: usize,
    stage: impl AsyncFnOnce(&mut Cx<C>, Receiver<X>) -> Res<(), E>,
) -> Res<(), E> {
    let (tx, rx) = mpsc::channel(capacity);
    let mut cut = None;
    let drains = how == OnRequest::Drain;
    cx.try_join(
        // In a box: a future in a future for each stage is more than the compiler lays out for longer pipelines.
        async |cx| match Box::pin(before.run(cx, tx, how)).await {
            // The intake has ended; what has been taken in goes on.
            Err(Stop::Cancelled(c)) if drains => {
                cut = Some(c);
                Ok(())
            }
            ended => ended,
        },
        async |cx| {
            if drains && !types::seeded!("pipeline.unmasked") {
                cx.masked(async |cx| stage(cx, rx).await).await
            } else {
                stage(cx, rx).await
            }
        },
    )
    .await?;
    cut.map_or(Ok(()), |c| Err(Stop::Cancelled(c)))
}

/// The first stage.
pub(crate) fn pipeline<'a, C: Row, A, E, F>(
    cx: &'a mut Cx<C>,
    how: OnRequest,
    source: F,
) -> Pipeline<'a, C, Source<F>, A, E>
where
    F: AsyncFnOnce(&mut Cx<C>, Sender<A>) -> Res<(), E>,
{
    Pipeline { cx, how, stages: Source(source), items: PhantomData }
}

impl<'a, C: Row, S, A, E: Debug> Pipeline<'a, C, S, A, E>
where
    S: Flow<C, A, E>,
{
    /// One more stage: `body` is called with each item, one after another; up to `capacity` items wait for it.
    ///
    /// # Panics
    /// When it runs, if `capacity` is 0 or more than [`mpsc::MAX_CAPACITY`].
    pub fn stage<B, F>(self, capacity: usize, body: F) -> Pipeline<'a, C, Stage<S, A, F>, B, E>
    where
        F: AsyncFnOnce(&mut Cx<C>, A) -> Res<B, E> + Clone,
    {
        let Pipeline { cx, how, stages, .. } = self;
        let stages = Stage { before: stages, capacity, body, takes: PhantomData };
        Pipeline { cx, how, stages, items: PhantomData }
    }

    /// The last stage, and runs the pipeline: until the source has ended and everything has gone through.
    ///
    /// # Errors
    /// With the first failure of a stage, once all have ended; errors that came after it are reported. With the source's
    /// cancellation, once what it had sent is through or dropped.
    ///
    /// # Panics
    /// With the first panic of a stage, when the others have ended. As [`Pipeline::stage`].
    ///
    /// # Cancel behaviour
    /// As [`OnRequest`] says.
    ///
    /// # Cost
    /// A channel and an allocation for each stage; all stages are polled at each wake.
    pub async fn each<F>(self, capacity: usize, body: F) -> Res<(), E>
    where
        F: AsyncFnOnce(&mut Cx<C>, A) -> Res<(), E> + Clone,
    {
        let Pipeline { cx, how, stages, .. } = self;
        both(cx, how, stages, capacity, async |cx: &mut Cx<C>, mut from: Receiver<A>| {
            while let Some(item) = next(cx, &mut from).await? {
                body.clone()(cx, item).await?
            }
            Ok(())
        })
        .await
    }
}
