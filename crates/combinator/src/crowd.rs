//! [`crowd`]: polls a changing number of legs, which begin one after another and are few at a time.
//!
//! ```text
//! next ──Begin──▶ seated: Running ─▶ Draining ─▶ Drained ──▶ finished(place, value), and the seat is free
//!      ──Later──▶ something else that wakes the task comes first
//!      ──Done───▶ nobody begins any more
//! ```
//! The first panic, or what `returned` takes for a decision, ends the intake and asks those who are seated to stop. It is
//! over when nobody is left: no body that began is dropped half way.
//!
//! Cost: two allocations for each body that begins; O(seated) for each wake of the task.
//!
//! Not here: a fixed set of legs (`drive`), what begins when (`each`, `hedge`).
use crate::leg::{Judge, Leg, Member, Step};
use alloc::boxed::Box;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::future::{Future, poll_fn};
use core::panic::Location;
use core::pin::Pin;
use core::task::{Context, Poll};
use cx::{Branch, Combinator, Cx, Row};
use types::{CancelKind, Panic, Time};

/// A body that is about to begin, in a branch of its own.
pub(crate) struct Start<'p, C, F> {
    pub(crate) branch: Arc<Branch<'p, C>>,
    body: Pin<Box<Option<F>>>,
}

/// A body for a seat. `deadline` is what [`Branch::poll_deadline`] looks at; nobody is asked to stop then.
pub(crate) fn start<'p, C: Row, T>(
    frame: &Combinator<'p, C>,
    deadline: Time,
    body: impl AsyncFnOnce(&mut Cx<C>) -> T,
) -> Start<'p, C, impl Future<Output = Result<T, Panic>>> {
    let branch = Arc::new(frame.branch().with_deadline(deadline));
    // The future holds its branch, so that both may move and neither ends before the other.
    let own = branch.clone();
    Start { branch, body: Box::pin(Some(async move { own.body(body).await })) }
}

/// Who begins next.
pub(crate) enum Next<'p, C, F> {
    /// This one, now.
    Begin(Start<'p, C, F>),
    /// Somebody, but not now.
    Later,
    /// Nobody any more.
    Done,
}

/// What a return means for the others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum After {
    /// Nothing.
    GoOn,
    /// They have lost.
    Won,
    /// There is no point in them.
    Failed,
}

/// See the module. Ends with the place of the body whose return decided, if one did; places count from 0 in the order of
/// beginning.
///
/// `next` is asked when fewer than `limit` are seated, with how many have failed so far. `returned` is told of each return
/// before the decision, and whether it is a success; `finished` of each value, once what its body spawned has ended.
///
/// # Panics
/// With the panic of a body, if it came before a decision.
pub(crate) async fn crowd<'p, C: Row, F, T>(
    frame: &Combinator<'p, C>,
    at: &'static Location<'static>,
    limit: usize,
    judge: Judge<T>,
    mut next: impl FnMut(&Context<'_>, u64) -> Next<'p, C, F>,
    mut returned: impl FnMut(usize, bool) -> After,
    mut finished: impl FnMut(usize, T),
) -> Option<usize>
where
    F: Future<Output = Result<T, Panic>>,
{
    let mut run = Run {
        frame,
        at,
        seats: Vec::new(),
        begun: 0,
        failed: 0,
        turn: 0,
        closed: false,
        decided: None,
        panic: None,
    };
    poll_fn(|context| {
        loop {
            run.admit(limit, judge, &mut |failed| next(context, failed));
            let again = run.poll(context, &mut returned) | run.leave(&mut finished);
            if run.seats.is_empty() && run.is_closed() {
                return Poll::Ready(());
            }
            if !again && !run.enforce(context) {
                return Poll::Pending;
            }
        }
    })
    .await;
    match run.panic {
        Some(panic) => frame.resume(panic),
        None => run.decided,
    }
}

type Seat<'p, C, F, T> = Leg<Arc<Branch<'p, C>>, Box<Option<F>>, T>;

struct Run<'a, 'p, C, F, T> {
    frame: &'a Combinator<'p, C>,
    at: &'static Location<'static>,
    /// Who is seated, by place.
    seats: Vec<(usize, Seat<'p, C, F, T>)>,
    begun: usize,
    failed: u64,
    turn: usize,
    /// Nobody begins any more.
    closed: bool,
    /// Who has decided.
    decided: Option<usize>,
    /// The panic that goes on.
    panic: Option<Panic>,
}

impl<'p, C: Row, F, T> Run<'_, 'p, C, F, T>
where
    F: Future<Output = Result<T, Panic>>,
{
    fn is_decided(&self) -> bool {
        self.decided.is_some() || self.panic.is_some()
    }

    fn is_closed(&self) -> bool {
        self.closed || self.is_decided()
    }

    fn admit(&mut self, limit: usize, judge: Judge<T>, next: &mut impl FnMut(u64) -> Next<'p, C, F>) {
        while !self.is_closed() && (self.seats.len() < limit || types::seeded!("crowd.limit-ignored")) {
            match next(self.failed) {
                Next::Begin(Start { branch, body }) => {
                    self.seats.push((self.begun, Leg::new(branch, body, judge)));
                    self.begun += 1;
                }
                Next::Later => return,
                Next::Done => self.closed = true,
            }
        }
    }

    /// True if somebody has to be polled again.
    fn poll(&mut self, context: &mut Context<'_>, returned: &mut impl FnMut(usize, bool) -> After) -> bool {
        let n = self.seats.len();
        let first = self.turn % n.max(1);
        self.turn = first + 1;
        let mut again = false;
        for index in (first..n).chain(0..first) {
            if let Step::Now(success) = self.seats[index].1.poll_body(context) {
                again |= self.body_over(index, success, returned);
            }
        }
        for (_, leg) in &mut self.seats {
            // An escalation from children changes what the others' checkpoints say.
            again |= leg.poll_drain(self.frame, context) == Step::Now(true);
        }
        again
    }

    fn body_over(
        &mut self,
        index: usize,
        success: bool,
        returned: &mut impl FnMut(usize, bool) -> After,
    ) -> bool {
        let (place, leg) = &mut self.seats[index];
        let place = *place;
        if let Some(panic) = leg.take_panic() {
            if self.is_decided() {
                // The value or the first panic is what the caller gets.
                self.frame.escalate(panic);
                return true;
            }
            self.panic = Some(panic);
            return self.stop(place, CancelKind::SiblingFailed, "another branch panicked");
        }
        self.failed += u64::from(!success);
        if self.is_decided() {
            return false;
        }
        match returned(place, success) {
            // The next one may begin at once.
            After::GoOn => !success,
            After::Won => {
                self.decided = Some(place);
                self.seats[index].1.won(self.frame);
                self.stop(place, CancelKind::LostRace, "another branch was first")
            }
            After::Failed => {
                self.decided = Some(place);
                self.stop(place, CancelKind::SiblingFailed, "another branch failed")
            }
        }
    }

    /// Asks everybody but the one at `by` to stop. True: they have to be polled again.
    fn stop(&self, by: usize, kind: CancelKind, why: &'static str) -> bool {
        for (_, leg) in self.seats.iter().filter(|(place, _)| *place != by) {
            if !types::seeded!("crowd.others-not-asked") {
                leg.ask(kind, why, self.at)
            }
        }
        true
    }

    /// Lets go of whoever has ended. True if that made room.
    fn leave(&mut self, finished: &mut impl FnMut(usize, T)) -> bool {
        let before = self.seats.len();
        self.seats.retain_mut(|(place, leg)| {
            if !leg.is_drained() {
                return true;
            }
            leg.close();
            if let Some(value) = leg.value() {
                finished(*place, value)
            }
            false
        });
        self.seats.len() < before
    }

    /// True if a branch that does not end in time has been dealt with.
    fn enforce(&mut self, context: &mut Context<'_>) -> bool {
        let frame = self.frame;
        self.seats.iter_mut().fold(false, |again, (_, leg)| leg.poll_overdue(frame, context) | again)
    }
}
