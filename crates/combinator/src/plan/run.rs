//! Running a [`Plan`]: each node by the combinator of its name.
//!
//! Not here: what a plan is (`plan`).
use super::{Leaf, Node, Plan};
use crate::limit;
use crate::{CombineExt, ManyExt};
use alloc::boxed::Box;
use alloc::vec;
use alloc::vec::Vec;
use core::fmt::Debug;
use core::future::Future;
use core::panic::Location;
use core::pin::Pin;
use core::time::Duration;
use cx::{Cx, MayTime, Row, Task, TaskFn};
use time::TimeExt;
use types::{Budget, CancelKind, Never, Res, Stop};

type Running<'a, T, E> = Pin<Box<dyn Future<Output = Res<T, E>> + Send + 'a>>;

/// What a leaf runs, whatever its type.
pub(super) trait Body<T, E, C>: Send + Sync {
    fn begin<'a>(&self, cx: &'a mut Cx<C>) -> Running<'a, T, E>;
}

impl<T, E, C, F> Body<T, E, C> for F
where
    T: Send + 'static,
    E: Debug + Send + 'static,
    C: Row,
    F: Task<Res<T, E>, C> + Clone + Sync,
{
    fn begin<'a>(&self, cx: &'a mut Cx<C>) -> Running<'a, T, E> {
        fn called<'a, C: Row, F: TaskFn<'a, C>>(body: F, cx: &'a mut Cx<C>) -> F::Fut {
            body(cx)
        }
        Box::pin(called(self.clone(), cx))
    }
}

impl<T, E, C> Plan<T, E, C>
where
    T: Send + 'static,
    E: Debug + Send + 'static,
    C: MayTime,
{
    /// Runs the plan, in the task of the caller. It may be run again.
    ///
    /// # Errors
    /// As the combinators that it is made of.
    ///
    /// # Panics
    /// With a leaf's panic, as they do.
    ///
    /// # Cancel behaviour
    /// Not refused: leaves see the request at their own checkpoints. No further attempt or part of a sequence begins after a
    /// failure that a request is the reason of.
    ///
    /// # Cost
    /// One allocation for each node that is run, beside those of the combinators.
    #[track_caller]
    pub fn run<'a>(&'a self, cx: &'a mut Cx<C>) -> impl Future<Output = Res<Vec<T>, E>> + Send + 'a {
        go(&self.node, cx, Location::caller())
    }
}

fn go<'a, T, E, C>(
    node: &'a Node<T, E, C>,
    cx: &'a mut Cx<C>,
    at: &'static Location<'static>,
) -> Running<'a, Vec<T>, E>
where
    T: Send + 'static,
    E: Debug + Send + 'static,
    C: MayTime,
{
    Box::pin(async move {
        match node {
            Node::Done => Ok(Vec::new()),
            Node::Never => Err(Stop::Cancelled(cx.cancelled().await)),
            Node::Leaf(Leaf { body, .. }) => Ok(vec![body.begin(cx).await?]),
            Node::Sequence(of) => {
                let mut values = Vec::new();
                for node in of {
                    values.extend(go(node, cx, at).await?)
                }
                Ok(values)
            }
            Node::Join(of) => {
                let all =
                    cx.try_join_all(of.iter().map(|node| async move |cx: &mut Cx<C>| go(node, cx, at).await));
                Ok(all.await?.into_iter().flatten().collect())
            }
            Node::Race(of) if of.is_empty() => Err(Stop::Cancelled(cx.cancelled().await)),
            Node::Race(of) => {
                let raced = cx.first_ok(of.iter().map(|node| {
                    async move |cx: &mut Cx<C>| -> Res<Res<Vec<T>, E>, Never> {
                        match go(node, cx, at).await {
                            // It was asked from outside, as the others were, and has won nothing.
                            Err(Stop::Cancelled(c)) if cx.checkpoint().is_err() => Err(Stop::Cancelled(c)),
                            ended => Ok(ended),
                        }
                    }
                }));
                match raced.await {
                    Ok(ended) => ended,
                    Err(Stop::Cancelled(c)) => Err(Stop::Cancelled(c)),
                    Err(Stop::Err(never)) => match never {},
                }
            }
            Node::FirstOk(of) => {
                cx.first_ok(of.iter().map(|node| async move |cx: &mut Cx<C>| go(node, cx, at).await)).await
            }
            Node::Timeout(span, of) => {
                limit::timeout(cx, at, *span, async move |cx: &mut Cx<C>| go(of, cx, at).await).await
            }
            Node::Retry { attempts, pause, of } => retry(of, cx, at, *attempts, *pause).await,
            Node::Hedge(how, of) => {
                cx.hedge(*how, of.iter().map(|node| async move |cx: &mut Cx<C>| go(node, cx, at).await)).await
            }
        }
    })
}

/// Attempts with the same pause between them. Unlike `cx.retry` it does not look for a request before the first one, so
/// that one attempt is the plan itself.
async fn retry<T, E, C>(
    node: &Node<T, E, C>,
    cx: &mut Cx<C>,
    at: &'static Location<'static>,
    attempts: u32,
    pause: Duration,
) -> Res<Vec<T>, E>
where
    T: Send + 'static,
    E: Debug + Send + 'static,
    C: MayTime,
{
    let mut left = attempts;
    loop {
        // In a branch of its own: what it spawned has ended before the next one begins.
        let attempt = async move |cx: &mut Cx<C>| go(node, cx, at).await;
        let stop = match limit::budgeted(cx, at, Budget::UNLIMITED, attempt).await {
            Ok(values) => return Ok(values),
            Err(stop) => stop,
        };
        left -= 1;
        let own = match &stop {
            Stop::Err(_) => true,
            Stop::Cancelled(c) => c.kind() == CancelKind::Deadline,
        };
        if left == 0 || !own || cx.checkpoint().is_err() {
            return Err(stop);
        }
        cx.sleep(pause).await?;
    }
}
