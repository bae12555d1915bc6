//! `timeout`, `deadline`, `budgeted`: one body that is asked to stop when a ceiling is reached. `until_cancelled`: a future
//! that can't be asked, and is dropped.
//!
//! The body is polled before its deadline is looked at: one that can finish at the very instant does. And
//! `Ok` stands, however late, if the body returned it (`cancel.acknowledged`).
//!
//! Not here: what a body charges (`cx.charge`).
use crate::leg::{Leg, Member, res};
use alloc::borrow::Cow;
use core::future::{Future, poll_fn};
use core::panic::Location;
use core::pin::pin;
use core::task::{Context, Poll};
use core::time::Duration;
use cx::{Branch, Combinator, Cx, MayTime, Row};
use types::{Budget, CancelKind, Cancelled, Res, Stop, Time, WaitKind};

static FOREIGN: WaitKind = WaitKind::new("a foreign future");

/// Awaits `foreign`, unless a request is effective.
pub(crate) async fn until_cancelled<C: Row, F: Future>(
    cx: &Cx<C>,
    foreign: F,
) -> Result<F::Output, Cancelled> {
    let mut foreign = pin!(foreign);
    poll_fn(|context| {
        if types::seeded!("until-cancelled.unasked") {
            return foreign.as_mut().poll(context).map(Ok);
        }
        cx.poll_around(context, &FOREIGN, |context| foreign.as_mut().poll(context))
    })
    .await
}

/// Asks the body to stop within `span` from now.
pub(crate) async fn timeout<C: MayTime, T, E>(
    cx: &Cx<C>,
    at: &'static Location<'static>,
    span: Duration,
    body: impl AsyncFnOnce(&mut Cx<C>) -> Res<T, E>,
) -> Res<T, E> {
    let budget = Budget::UNLIMITED.deadline(cx.now().saturating_add(span));
    let limits = Limits { span: Some(span), over: span.is_zero(), ..Limits::new(budget, at) };
    limited(cx, limits, body).await
}

/// Asks the body to stop when one of the ceilings is reached.
pub(crate) async fn budgeted<C: MayTime, T, E>(
    cx: &Cx<C>,
    at: &'static Location<'static>,
    budget: Budget,
    body: impl AsyncFnOnce(&mut Cx<C>) -> Res<T, E>,
) -> Res<T, E> {
    let over = budget.deadline < Time::MAX && budget.deadline <= cx.now();
    limited(cx, Limits { over, ..Limits::new(budget, at) }, body).await
}

async fn limited<C: MayTime, T, E>(
    cx: &Cx<C>,
    mut limits: Limits,
    body: impl AsyncFnOnce(&mut Cx<C>) -> Res<T, E>,
) -> Res<T, E> {
    let frame = Combinator::open(cx);
    let branch = frame.branch().with_budget(limits.budget);
    if limits.over {
        limits.ask_for_deadline(&branch)
    }
    let body = pin!(Some(branch.body(body)));
    let mut leg = Leg::new(&branch, body, res);
    let visible = poll_fn(|context| {
        limits.count_poll(&branch);
        loop {
            if let Poll::Ready(visible) = leg.poll(context) {
                return Poll::Ready(visible);
            }
            if !limits.is_late(&branch, context) && !leg.poll_overdue(&frame, context) {
                return Poll::Pending;
            }
        }
    })
    .await;
    leg.close();
    match leg.result() {
        // What a child acknowledged shows in the result: nothing that was cut short looks complete.
        Some(Ok(Ok(value))) => {
            frame.close();
            match visible {
                Some(c) if !types::seeded!("timeout.cut-short-looks-complete") => Err(Stop::Cancelled(c)),
                _ => Ok(value),
            }
        }
        Some(Ok(stop)) => {
            frame.close();
            stop
        }
        Some(Err(panic)) => frame.resume(panic),
        // It was dropped because it did not stop in time: what it was asked is how it ended.
        None => match branch.requested() {
            Some(c) => Err(Stop::Cancelled(c)),
            None => unreachable!("only a branch that was asked to stop is dropped"),
        },
    }
}

/// The ceilings that are kept here; what is charged is kept by the branch.
struct Limits {
    budget: Budget,
    /// The span of a timeout, for the reason.
    span: Option<Duration>,
    /// Whether the deadline has passed already.
    over: bool,
    at: &'static Location<'static>,
    polls: u32,
    deadline_asked: bool,
    quota_asked: bool,
}

impl Limits {
    fn new(budget: Budget, at: &'static Location<'static>) -> Limits {
        Limits { budget, span: None, over: false, at, polls: 0, deadline_asked: false, quota_asked: false }
    }

    /// The body is about to be polled once more.
    fn count_poll<C: Row>(&mut self, branch: &Branch<'_, C>) {
        if self.budget.polls == u32::MAX || self.quota_asked || branch.is_nudged() {
            return;
        }
        if self.polls == self.budget.polls {
            self.quota_asked = true;
            let why = alloc::format!("a budget of {} polls was used up", self.polls);
            branch.request(CancelKind::BudgetExhausted, why, self.at, None);
            return;
        }
        self.polls += 1;
    }

    /// Whether the deadline has passed just now, so that the body has to be polled again.
    fn is_late<C: Row>(&mut self, branch: &Branch<'_, C>, context: &Context<'_>) -> bool {
        if self.deadline_asked || branch.poll_deadline(context).is_pending() {
            return false;
        }
        self.ask_for_deadline(branch);
        true
    }

    fn ask_for_deadline<C: Row>(&mut self, branch: &Branch<'_, C>) {
        self.deadline_asked = true;
        let why: Cow<'static, str> = match self.span {
            Some(span) => alloc::format!("deadline of {span:?} passed").into(),
            None => alloc::format!("deadline at {} passed", self.budget.deadline).into(),
        };
        branch.request(CancelKind::Deadline, why, self.at, None)
    }
}
