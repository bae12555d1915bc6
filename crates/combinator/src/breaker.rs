//! [`CircuitBreaker`]: calls that keep failing are refused for a while, so that callers fail fast and the other side can
//! recover.
//!
//! | what a call ends in | counts as |
//! |---|---|
//! | `Ok` | success |
//! | `Err` | failure, unless the caller's judge says otherwise |
//! | a panic | failure |
//! | a deadline that the call had set itself | failure |
//! | any other cancellation, a lost race, a dropped frame | nothing |
//! | in whatever, but late ([`Trip::slow`]) | slow, beside success or failure |
//!
//! So a timeout belongs INSIDE of the breaker: one around it is the caller's impatience, of which the breaker learns
//! nothing.
//!
//! [`CircuitBreaker::report`] is for dashboards, [`CircuitBreaker::changes`] for who must hear when it opens;
//! [`open_for`](CircuitBreaker::open_for) and [`close`](CircuitBreaker::close) are for operators.
//!
//! A call that tries the other side out (half open) is an obligation of the region it is made in: one that is forgotten
//! would keep the breaker half open for ever, and is reported with its line.
//!
//! | file | what |
//! |---|---|
//! | `circuit` | the machine: who may call, what ends count for; pure |
//! | `window` | the calls it judges by; pure |
//!
//! Not here: repeating (`retry`), limiting how many call at a time (`bulkhead`).

mod circuit;
mod window;

pub use circuit::{Circuit, Ended, Refused, Report, State, Ticket, Trip};
pub use window::Window;

use crate::leg::{Leg, Member, Step, res};
use core::fmt;
use core::future::{Future, poll_fn};
use core::panic::Location;
use core::pin::pin;
use core::task::Poll;
use core::time::Duration;
use cx::{Access, Combinator, Cx, MayTime, Reserved};
use sync::shared::Shared;
use sync::watch;
use types::{CancelKind, ObligationKind, Res, Stop};

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.until {
            Some(until) => write!(f, "circuit breaker open until {until}"),
            None => f.write_str("circuit breaker half open, and all its probes are under way"),
        }
    }
}

impl core::error::Error for Refused {}

/// A circuit breaker, shared by all who call the same other side.
///
/// ```
/// use asupersync_combinator::CombineExt;
/// use asupersync_combinator::breaker::{CircuitBreaker, Trip};
/// use core::time::Duration;
/// use types::Res;
///
/// async fn price(cx: &mut cx::Cx, breaker: &CircuitBreaker) -> Res<u32> {
///     // The deadline is inside: running into it counts as a failure.
///     breaker.run(cx, async |cx| cx.timeout(Duration::from_secs(1), async |_| Ok(7)).await).await
/// }
///
/// let breaker = CircuitBreaker::new(Trip::after_failures(5).pause(Duration::from_secs(10)));
/// # let lab = lab::LabRuntime::new(lab::LabConfig::default());
/// # lab.run(async |cx| assert_eq!(price(cx, &breaker).await.unwrap(), 7));
/// ```
///
/// # Cost
/// Two short locks for each call, and a branch; a third lock where its state changes.
#[derive(Debug)]
pub struct CircuitBreaker {
    circuit: Shared<Circuit>,
    changes: watch::Sender<Change>,
}

/// The last time that a breaker changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Change {
    /// How many changes there were, this one included: some may have been missed in between.
    pub number: u64,
    /// What it became. The probes of a half open one are counted by [`CircuitBreaker::state`].
    pub state: State,
}

impl CircuitBreaker {
    /// A closed one.
    #[must_use]
    #[track_caller]
    pub fn new(trip: Trip) -> CircuitBreaker {
        let (changes, _) = watch::channel(Change { number: 0, state: State::Closed });
        CircuitBreaker { circuit: Shared::new(Circuit::new(trip)), changes }
    }

    /// Whether it lets calls through now.
    pub fn state<C: MayTime>(&self, cx: &Cx<C>) -> State {
        self.circuit.read(|circuit| circuit.state(cx.now()))
    }

    /// What it has seen until now.
    ///
    /// ```
    /// # use asupersync_combinator::breaker::{CircuitBreaker, Ended, Trip};
    /// # lab::LabRuntime::new(lab::LabConfig::default()).run(async |cx| {
    /// let breaker = CircuitBreaker::new(Trip::after_failures(2));
    /// breaker.enter(cx).unwrap().settle(cx, Ended::Badly);
    /// let report = breaker.report(cx);
    /// assert_eq!((report.calls, report.failures), (1, 1));
    /// assert_eq!(report.to_string(), "closed; 1 of 1 calls failed, 0 slow; opened 0 times, 0 calls refused");
    /// # });
    /// ```
    pub fn report<C: MayTime>(&self, cx: &Cx<C>) -> Report {
        let now = cx.now();
        self.circuit.write(|circuit| circuit.report(now))
    }

    /// To be told when it opens, closes, or lets probes in; as with every watch, what is between two looks may be missed.
    /// The end of a pause is a change when the first call comes after it.
    ///
    /// ```
    /// # use asupersync_combinator::breaker::{CircuitBreaker, State, Trip};
    /// # use core::time::Duration;
    /// # lab::LabRuntime::new(lab::LabConfig::default()).run(async |cx| {
    /// let breaker = CircuitBreaker::new(Trip::after_failures(2));
    /// let mut changes = breaker.changes();
    /// cx.spawn(async move |cx: &mut cx::Cx| {
    ///     let opened = changes.wait_for(cx, |change| matches!(change.state, State::Open { .. })).await;
    ///     assert!(opened.is_ok()); // an alert stands here
    /// });
    /// breaker.open_for(cx, Duration::from_secs(1));
    /// # });
    /// ```
    pub fn changes(&self) -> watch::Receiver<Change> {
        self.changes.subscribe()
    }

    /// Lets nobody call for `span` from now: for operators, and for what a server says of itself ("Retry-After"). With
    /// [`Duration::MAX`] until it is [closed](CircuitBreaker::close) by hand, with [`Duration::ZERO`] only probes are let in.
    pub fn open_for<C: MayTime>(&self, cx: &Cx<C>, span: Duration) {
        let until = cx.now().saturating_add(span);
        self.step(|circuit| circuit.force(State::Open { until }))
    }

    /// Closes it, with nothing seen.
    pub fn close(&self) {
        self.step(|circuit| circuit.force(State::Closed))
    }

    /// One step of the machine, of which is told what it changed.
    fn step<R>(&self, step: impl FnOnce(&mut Circuit) -> R) -> R {
        let (made, changed) = self.circuit.write(|circuit| {
            let (before, _) = circuit.changes();
            let made = step(circuit);
            let (number, state) = circuit.changes();
            (made, (number != before).then_some(Change { number, state }))
        });
        if let Some(change) = changed {
            self.tell(change)
        }
        made
    }

    /// Two who change it one after the other may come here the other way round: the last change stays.
    fn tell(&self, change: Change) {
        self.changes.send_if_modified(|last| {
            let newer = change.number > last.number;
            if newer {
                *last = change
            }
            newer
        });
    }

    /// Lets one call in, whose end the caller reports by the pass. Never waits, and is not refused under cancellation.
    ///
    /// # Errors
    /// The breaker is open, or half open with all its probes under way.
    #[track_caller]
    pub fn enter<C: MayTime>(&self, cx: &Cx<C>) -> Result<Pass<'_>, Refused> {
        self.enter_at(cx, Location::caller())
    }

    fn enter_at<C: MayTime>(&self, cx: &Cx<C>, at: &'static Location<'static>) -> Result<Pass<'_>, Refused> {
        let now = cx.now();
        let ticket = self.step(|circuit| circuit.admit(now))?;
        let record = ticket.probe.then(|| cx.reserve(ObligationKind::Semaphore, at));
        Ok(Pass { breaker: self, ticket: Some(ticket), record })
    }

    /// Runs `body` if the breaker lets it, and notes how it ended. Every error is a failure; see
    /// [`CircuitBreaker::run_if`].
    ///
    /// # Errors
    /// Refused, with the body not begun; or the body's own.
    ///
    /// # Panics
    /// With the body's panic, which counts as a failure, after what it spawned has ended.
    ///
    /// # Cancel behaviour
    /// Refused before the body begins if a request stands. A body that acknowledges a request counts for nothing.
    #[track_caller]
    pub fn run<C: MayTime, T, E: From<Refused>>(
        &self,
        cx: &mut Cx<C>,
        body: impl AsyncFnOnce(&mut Cx<C>) -> Res<T, E>,
    ) -> impl Future<Output = Res<T, E>> {
        self.call(cx, Location::caller(), |_: &E| Ended::Badly, body)
    }

    /// As [`CircuitBreaker::run`], with `judge` to say what an error counts as: "not found" is an answer, and
    /// [`Ended::Well`].
    ///
    /// # Errors
    /// As there.
    #[track_caller]
    pub fn run_if<C: MayTime, T, E: From<Refused>>(
        &self,
        cx: &mut Cx<C>,
        judge: impl FnOnce(&E) -> Ended,
        body: impl AsyncFnOnce(&mut Cx<C>) -> Res<T, E>,
    ) -> impl Future<Output = Res<T, E>> {
        self.call(cx, Location::caller(), judge, body)
    }

    async fn call<C: MayTime, T, E: From<Refused>>(
        &self,
        cx: &Cx<C>,
        at: &'static Location<'static>,
        judge: impl FnOnce(&E) -> Ended,
        body: impl AsyncFnOnce(&mut Cx<C>) -> Res<T, E>,
    ) -> Res<T, E> {
        cx.step_to(self.circuit.object(), Access::Write).await;
        cx.checkpoint()?;
        let pass = self.enter_at(cx, at).map_err(|refused| Stop::Err(refused.into()))?;
        let frame = Combinator::open(cx);
        let branch = frame.branch();
        let body = pin!(Some(branch.body(body)));
        let mut leg = Leg::new(&branch, body, res);
        poll_fn(|context| {
            let waits =
                leg.poll_body(context) == Step::Waiting || leg.poll_drain(&frame, context) == Step::Waiting;
            if waits { Poll::Pending } else { Poll::Ready(()) }
        })
        .await;
        leg.close();
        let result = match leg.result() {
            Some(Ok(result)) => result,
            Some(Err(panic)) => {
                pass.settle(cx, Ended::Badly);
                frame.resume(panic)
            }
            None => unreachable!("nobody asked the branch to end, so it was not dropped"),
        };
        let ended = match &result {
            Ok(_) => Ended::Well,
            Err(Stop::Err(error)) => judge(error),
            // No request is effective for the caller, so the deadline was one inside of the call.
            Err(Stop::Cancelled(c)) if c.kind() == CancelKind::Deadline && cx.checkpoint().is_ok() => {
                Ended::Badly
            }
            Err(Stop::Cancelled(_)) if types::seeded!("breaker.cancelled-is-failed") => Ended::Badly,
            Err(Stop::Cancelled(_)) => Ended::GivenUp,
        };
        pass.settle(cx, ended);
        frame.close();
        result
    }
}

/// One call that was let in. Dropped, it counts for nothing.
#[must_use = "dropping it says that the call was given up"]
#[derive(Debug)]
pub struct Pass<'b> {
    breaker: &'b CircuitBreaker,
    /// Until it is settled.
    ticket: Option<Ticket>,
    /// Of a probe.
    record: Option<Reserved>,
}

impl Pass<'_> {
    /// Whether this call tries the other side out.
    pub fn is_probe(&self) -> bool {
        self.record.is_some()
    }

    /// The call has ended like this.
    pub fn settle<C: MayTime>(mut self, cx: &Cx<C>, ended: Ended) {
        if let Some(ticket) = self.ticket.take() {
            let now = cx.now();
            self.breaker.step(|circuit| circuit.settle(ticket, ended, now))
        }
        if let Some(record) = self.record.take() {
            // A late one settles the breaker all the same: it is the other side's answer.
            let _ = record.commit();
        }
    }
}

impl Drop for Pass<'_> {
    fn drop(&mut self) {
        if let Some(ticket) = self.ticket.take()
            && !types::seeded!("breaker.probe-kept")
        {
            // What is given up changes no deadline, so it needs no clock.
            self.breaker.step(|circuit| circuit.settle(ticket, Ended::GivenUp, types::Time::ZERO))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn old_news_are_not_told() {
        let breaker = CircuitBreaker::new(Trip::after_failures(1));
        let mut changes = breaker.changes();
        let last = Change { number: 2, state: State::Closed };
        breaker.tell(last);
        assert_eq!(*changes.borrow_and_update(), last);
        breaker.tell(Change { number: 1, state: State::Open { until: types::Time::MAX } });
        assert!(!changes.has_changed() && *changes.borrow() == last);
    }
}
