//! `retry`: one body again and again until it succeeds, is not worth repeating, or has had its share.
//!
//! ```text
//!         ┌─────────────────── after the wait ────────────────────┐
//!         ▼                                                       │
//! attempt (a branch of its own) ──Ok──▶ the value                 │
//!         ├──Err, repeatable, attempts, time and tokens left──▶ wait
//!         ├──Err otherwise──▶ RetryError { last, attempts, why }
//!         └──Cancelled────▶ Cancelled: never repeated
//! ```
//! Invariants:
//! - `retry.one-at-a-time`: an attempt, with everything it spawned, has ended before the next one begins.
//! - `retry.not-cancelled`: after a request that is effective for the caller no attempt begins. What is repeated
//!   is an error, or a deadline that the attempt had set itself.
//! - `retry.bounded`: no more attempts than the policy says; none begins later than [`Retry::within`].
//! - `retry.tokens`: a token of a [`RetryBudget`] that was taken for an attempt that never began goes back.
//!
//! Laws (each has a test): one attempt is the body itself, but for how its error is wrapped; `retry` of a body
//! that succeeds is that body; retries of retries make at most the product of their attempts.
//!
//! | file | what |
//! |---|---|
//! | `budget` | [`RetryBudget`]: retries of many callers as a share of their calls |
//!
//! Not here: how long to wait ([`Backoff`]), starting the next attempt before the last one has ended (hedging).

mod budget;

pub use budget::RetryBudget;

use crate::backoff::Backoff;
use crate::limit;
use core::fmt;
use core::panic::Location;
use core::time::Duration;
use cx::{Cx, MayRandom, MayTime};
use time::Sleep;
use types::{Budget, CancelKind, Res, Stop, Time};

/// How often, how fast and for how long a body is repeated.
///
/// ```
/// use asupersync_combinator::{CombineExt, backoff::Backoff, retry::{Again, Retry, RetryBudget}};
/// use core::time::Duration;
/// use cx::Cx;
/// use types::Res;
///
/// async fn fetch(cx: &mut Cx, from: &str) -> Res<String, std::io::Error> {
///     cx.checkpoint()?;
///     Ok(from.to_uppercase())
/// }
///
/// /// Shared by all callers of one server.
/// static TOKENS: std::sync::LazyLock<RetryBudget> = std::sync::LazyLock::new(|| RetryBudget::new(20, 10));
///
/// async fn steady(cx: &mut Cx, from: &str) -> Res<String> {
///     let policy = Retry::new(4, Backoff::exponential(Duration::from_millis(50), 2))
///         .each(Duration::from_secs(1))
///         .within(Duration::from_secs(5))
///         .budget(&TOKENS);
///     let again = |e: &std::io::Error| match e.kind() {
///         std::io::ErrorKind::InvalidInput => Again::No,
///         _ => Again::Yes,
///     };
///     Ok(cx.retry_if(&policy, again, async |cx| fetch(cx, from).await).await?)
/// }
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Retry<'b> {
    attempts: u32,
    backoff: Backoff,
    each: Option<Duration>,
    within: Option<Duration>,
    budget: Option<&'b RetryBudget>,
}

impl<'b> Retry<'b> {
    /// At most `attempts` in all, the first one included, with waits in between.
    ///
    /// # Panics
    /// If `attempts` is 0: there would be nothing to return.
    #[must_use]
    #[track_caller]
    pub const fn new(attempts: u32, backoff: Backoff) -> Retry<'b> {
        assert!(attempts > 0, "a retry of no attempts has nothing to return");
        Retry { attempts, backoff, each: None, within: None, budget: None }
    }

    /// Each attempt is asked to stop (`Deadline`) after `span`, as by
    /// [`timeout`](crate::CombineExt::timeout). One that does has failed, and counts as an error that is
    /// repeatable.
    #[must_use]
    pub const fn each(mut self, span: Duration) -> Retry<'b> {
        self.each = Some(span);
        self
    }

    /// No further attempt begins later than `span` after the call; a wait that would end later is not begun.
    /// An attempt that runs is not cut short: that is what [`Retry::each`], or a
    /// [`timeout`](crate::CombineExt::timeout) around it all, is for.
    #[must_use]
    pub const fn within(mut self, span: Duration) -> Retry<'b> {
        self.within = Some(span);
        self
    }

    /// Every further attempt costs a token of `budget`.
    #[must_use]
    pub const fn budget(mut self, budget: &'b RetryBudget) -> Retry<'b> {
        self.budget = Some(budget);
        self
    }
}

/// Whether an error is worth another attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Again {
    /// No: the next attempt would fail alike.
    No,
    /// Yes, after the wait of the policy.
    Yes,
    /// Yes, after the wait of the policy and at least this: what a server asked for ("Retry-After").
    After(Duration),
}

/// Why there was no further attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum GaveUp {
    /// The error is not one to repeat.
    NotRepeatable,
    /// The policy's attempts were made.
    Attempts,
    /// The next one would have begun after [`Retry::within`].
    OutOfTime,
    /// The [`RetryBudget`] had no token left: too much is being repeated already.
    Throttled,
    /// The attempt failed, and the caller had been asked to stop meanwhile. The next checkpoint says by whom.
    Cancelled,
}

impl fmt::Display for GaveUp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            GaveUp::NotRepeatable => "not one to repeat",
            GaveUp::Attempts => "no attempts left",
            GaveUp::OutOfTime => "no time left",
            GaveUp::Throttled => "the retry budget is spent",
            GaveUp::Cancelled => "asked to stop",
        })
    }
}

/// How a retry failed: with the last attempt's failure, after so many attempts.
///
/// An error (so that `?` takes it into any application error made from errors) wherever `E` can be shown.
#[derive(Debug)]
pub struct RetryError<E> {
    /// What the last attempt ended in: an error, or the deadline that the attempt had set itself.
    pub last: Stop<E>,
    /// How many attempts were made, from 1.
    pub attempts: u32,
    /// Why there was no further one.
    pub why: GaveUp,
}

impl<E: fmt::Display> fmt::Display for RetryError<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let plural = if self.attempts == 1 { "" } else { "s" };
        write!(f, "gave up after {} attempt{plural} ({}): {}", self.attempts, self.why, self.last)
    }
}

impl<E: fmt::Debug + fmt::Display> core::error::Error for RetryError<E> {}

/// What is worth repeating if nobody says: every error.
pub(crate) fn any_error<E>(_: &E) -> Again {
    Again::Yes
}

pub(crate) async fn retry<C, T, E, F>(
    cx: &mut Cx<C>,
    at: &'static Location<'static>,
    policy: &Retry<'_>,
    mut judge: impl FnMut(&E) -> Again,
    body: F,
) -> Res<T, RetryError<E>>
where
    C: MayTime + MayRandom,
    F: AsyncFnOnce(&mut Cx<C>) -> Res<T, E> + Clone,
{
    let last_start = policy.within.map(|span| cx.now().saturating_add(span));
    match policy.budget {
        Some(budget) => budget.begin(cx).await?,
        None => cx.checkpoint()?,
    }
    let mut waits = policy.backoff.waits();
    let mut attempts = 0;
    loop {
        attempts += 1;
        let result = match policy.each {
            Some(span) => limit::timeout(cx, at, span, body.clone()).await,
            None => limit::budgeted(cx, at, Budget::UNLIMITED, body.clone()).await,
        };
        let last = match result {
            Ok(value) => return Ok(value),
            Err(last) => last,
        };
        let asked = cx.checkpoint();
        let give_up = |last, why| Err(Stop::Err(RetryError { last, attempts, why }));
        let again = match (&last, &asked) {
            (Stop::Cancelled(_), Err(cancelled)) => {
                return Err(Stop::Cancelled(cancelled.clone()));
            }
            (Stop::Err(_), Err(_)) => return give_up(last, GaveUp::Cancelled),
            (Stop::Err(error), Ok(())) => judge(error),
            // No request is effective here, so the deadline was one inside of the attempt.
            (Stop::Cancelled(c), _) if c.kind() == CancelKind::Deadline => Again::Yes,
            (Stop::Cancelled(c), _) => return Err(Stop::Cancelled(c.clone())),
        };
        let at_least = match again {
            Again::No => return give_up(last, GaveUp::NotRepeatable),
            Again::Yes => Duration::ZERO,
            Again::After(span) => span,
        };
        if attempts == policy.attempts {
            return give_up(last, GaveUp::Attempts);
        }
        let wait = waits.next_wait(|bound| cx.random_below(bound)).max(at_least);
        let next = cx.now().saturating_add(wait);
        if last_start.is_some_and(|last_start| next > last_start) || next == Time::MAX {
            return give_up(last, GaveUp::OutOfTime);
        }
        let token = match policy.budget {
            None => None,
            Some(budget) => match budget.take(cx).await {
                Some(token) => Some(token),
                None => return give_up(last, GaveUp::Throttled),
            },
        };
        if let Err(cancelled) = Sleep::new(cx, next).await
            && !types::seeded!("retry.begins-after-a-request")
        {
            return Err(Stop::Cancelled(cancelled));
        }
        if let Some(token) = token {
            token.spend()
        }
    }
}
