//! `for_each_concurrent`, `try_for_each_concurrent`, `map_reduce`: one body for many items, a few at a time.
//!
//! Items are taken in order, each when there is room for it; their bodies take turns inside the task of the caller. A
//! request ends the intake: bodies that began see it at their own checkpoints and are awaited, items that were not taken
//! are left in the iterator, and the result says that it was cut short. An iterator that cannot say whether it is empty is
//! asked once more then, as what has done all its work was not cut short; an item that it still had is not lost but begun.
//!
//! Laws, tested over all schedules (`tests/many.rs`): with a limit of 1 each is a loop; whatever the limit, a value that is
//! reduced is the value of the loop, since neighbours alone are combined (`reduce` has to be associative, it need not be
//! commutative); and nobody is abandoned.
//!
//! Not here: how they are polled (`crowd`), bodies that run in parallel (`task_set`).
use crate::crowd::{After, Next, crowd, start};
use crate::join::report;
use crate::leg::{any, res};
use crate::runs::Runs;
use core::fmt::Debug;
use core::future::Future;
use core::panic::Location;
use core::task::{Context, Poll, ready};
use cx::{Combinator, Cx, Row};
use types::{Cancelled, Panic, Res, Stop, Time};

#[track_caller]
fn checked(limit: usize, at: &Location<'_>) {
    assert!(limit > 0, "a limit of 0 at {at} lets nobody begin")
}

/// Every item, or the request that ended the intake.
pub(crate) async fn for_each<C: Row, I: IntoIterator, F>(
    cx: &Cx<C>,
    at: &'static Location<'static>,
    limit: usize,
    items: I,
    body: F,
) -> Result<(), Cancelled>
where
    F: AsyncFnOnce(&mut Cx<C>, I::Item) + Clone,
{
    checked(limit, at);
    let frame = Combinator::open(cx);
    let mut intake = Intake::new(items);
    let next = |context: &Context<'_>, _: u64| intake.begin(cx, context, &frame, &body);
    crowd(&frame, at, limit, any, next, |_, _| After::GoOn, |_, ()| ()).await;
    frame.close();
    intake.cut.map_or(Ok(()), Err)
}

/// Where the items come from, until a request ends that.
struct Intake<I> {
    items: I,
    /// Whether any was taken.
    begun: bool,
    /// The request that has ended the intake.
    cut: Option<Cancelled>,
}

impl<I: Iterator> Intake<I> {
    fn new(items: impl IntoIterator<IntoIter = I>) -> Intake<I> {
        Intake { items: items.into_iter(), begun: false, cut: None }
    }

    /// The next item, if there is one and no request keeps it from being begun. Nothing is taken that is not begun. Each is
    /// an operation of the task's budget: bodies that never wait do not keep others from their turn.
    fn next<C: Row>(&mut self, cx: &Cx<C>, context: &Context<'_>) -> Poll<Option<I::Item>> {
        let (least, most) = self.items.size_hint();
        if self.cut.is_some() || most == Some(0) {
            return Poll::Ready(None);
        }
        ready!(cx.poll_budget(&mut Context::from_waker(context.waker())));
        self.cut = cx.checkpoint().err();
        // Before the first one a request is a refusal. Later it must not be said that something was left out where
        // nothing was, and only by being asked can this iterator tell.
        let asked = self.begun && least == 0;
        if self.cut.is_some() && !asked && !types::seeded!("each.begun-after-a-request") {
            return Poll::Ready(None);
        }
        let item = self.items.next();
        match &item {
            Some(_) => self.begun = true,
            None => self.cut = None,
        }
        Poll::Ready(item)
    }

    /// Who begins next: a body for the next item.
    fn begin<'f, 'p, C: Row, T, F>(
        &mut self,
        cx: &Cx<C>,
        context: &Context<'_>,
        frame: &'f Combinator<'p, C>,
        body: &F,
    ) -> Next<'p, C, impl Future<Output = Result<T, Panic>> + use<'f, 'p, C, T, I, F>>
    where
        F: AsyncFnOnce(&mut Cx<C>, I::Item) -> T + Clone,
    {
        match self.next(cx, context) {
            Poll::Ready(Some(item)) => {
                let body = body.clone();
                Next::Begin(start(frame, Time::MAX, async move |cx: &mut Cx<C>| body(cx, item).await))
            }
            Poll::Ready(None) => Next::Done,
            Poll::Pending => Next::Later,
        }
    }
}

/// Every item's value for `take`, with its place; or the first failure.
async fn try_each<C: Row, I: IntoIterator, T, E: Debug, F>(
    cx: &Cx<C>,
    (name, at): (&'static str, &'static Location<'static>),
    limit: usize,
    items: I,
    body: F,
    mut take: impl FnMut(usize, T),
) -> Res<(), E>
where
    F: AsyncFnOnce(&mut Cx<C>, I::Item) -> Res<T, E> + Clone,
{
    checked(limit, at);
    let frame = Combinator::open(cx);
    let mut intake = Intake::new(items);
    let next = |context: &Context<'_>, _: u64| intake.begin(cx, context, &frame, &body);
    let returned = |_, success| if success { After::GoOn } else { After::Failed };
    let mut failures = alloc::vec::Vec::new();
    let finished = |place, value: Res<T, E>| match value {
        Ok(value) => take(place, value),
        Err(stop) => failures.push((place, stop)),
    };
    let by = crowd(&frame, at, limit, res, next, returned, finished).await;
    let mut decisive = None;
    for (place, stop) in failures {
        if Some(place) == by { decisive = Some(stop) } else { report(&frame, name, at, Some(stop)) }
    }
    frame.close();
    match (decisive, intake.cut) {
        (Some(stop), _) => Err(stop),
        (None, Some(c)) => Err(Stop::Cancelled(c)),
        (None, None) => Ok(()),
    }
}

/// As [`for_each`] with bodies that may fail.
pub(crate) async fn try_for_each<C: Row, I: IntoIterator, E: Debug, F>(
    cx: &Cx<C>,
    at: &'static Location<'static>,
    limit: usize,
    items: I,
    body: F,
) -> Res<(), E>
where
    F: AsyncFnOnce(&mut Cx<C>, I::Item) -> Res<(), E> + Clone,
{
    try_each(cx, ("try_for_each_concurrent", at), limit, items, body, |_, ()| ()).await
}

/// Every item's value, combined in the order of the items.
pub(crate) async fn map_reduce<C: Row, I: IntoIterator, T, E: Debug, F>(
    cx: &Cx<C>,
    at: &'static Location<'static>,
    limit: usize,
    items: I,
    map: F,
    mut reduce: impl FnMut(T, T) -> T,
) -> Res<Option<T>, E>
where
    F: AsyncFnOnce(&mut Cx<C>, I::Item) -> Res<T, E> + Clone,
{
    let mut runs = Runs::new();
    let take = |place, value| runs.add(place, value, &mut reduce);
    try_each(cx, ("map_reduce", at), limit, items, map, take).await?;
    Ok(runs.into_whole())
}
