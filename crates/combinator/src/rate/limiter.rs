//! [`RateLimit`]: the line in front of a rate, and permits.
//!
//! Only the first in line waits for tokens; the others wait for him. So tokens are taken at the instant at which they are
//! there, by who waited longest, and who gives up while waiting has taken nothing. Tokens that go back wake him: the instant
//! is computed anew.
//!
//! Invariants:
//! - `rate.fifo`: who waits is not overtaken, also not by who wants less.
//! - `rate.conserved`: tokens are gone exactly for permits that were taken, less those that went back
//!   ([`Limit::give_back`]).
//!
//! Not here: who is within a rate (`bucket`, `gcra`).
use super::{Limit, Limited, Taken};
use core::fmt;
use core::future::{Future, poll_fn};
use core::panic::Location;
use core::pin::Pin;
use core::task::{Poll, Waker};
use cx::{Access, Cx, MayTime, Reserved};
use sync::WaitError;
use sync::semaphore::Semaphore;
use sync::shared::Shared;
use time::Sleep;
use types::{Cancelled, IntoStop, ObligationKind, Stop, Time};

/// A rate that tasks share.
///
/// ```
/// use asupersync_combinator::rate::{Gcra, Rate, RateLimit};
/// use types::Res;
///
/// async fn call(cx: &mut cx::Cx, limit: &RateLimit<Gcra>) -> Res {
///     let permit = limit.acquire(cx, 1).await?; // waits for its turn
///     cx.checkpoint()?;                         // given back on the way out
///     permit.spend();
///     Ok(())
/// }
/// let limit = RateLimit::new(Gcra::new(Rate::per_second(100), 10));
/// # let lab = lab::LabRuntime::new(lab::LabConfig::default());
/// # lab.run(async |cx| call(cx, &limit).await.unwrap());
/// ```
///
/// # Cost
/// Two short locks and an obligation for each permit; one timer at a time, however many wait.
#[derive(Debug)]
pub struct RateLimit<L> {
    tokens: Shared<Tokens<L>>,
    /// One permit: who has it is the first in line.
    first: Semaphore,
    burst: u32,
}

/// What the line stands in front of.
#[derive(Debug)]
struct Tokens<L> {
    limit: L,
    /// How often tokens went back.
    returns: u64,
    /// The first in line, while it waits for an instant.
    first: Option<Waker>,
}

/// Why tokens were not taken.
struct Refused {
    why: Limited,
    /// [`Tokens::returns`] then.
    returns: u64,
}

/// Who waits for an instant. Gone, nobody wakes it any more.
struct Stands<'l, L>(&'l Shared<Tokens<L>>);

impl<L> Stands<'_, L> {
    /// Whether tokens went back since `returns` was read; if not, `waker` is woken when some do.
    fn hears(&self, returns: u64, waker: &Waker) -> bool {
        let mut heard = false;
        let replaced = self.0.update(|tokens| {
            heard = tokens.returns != returns;
            let known = tokens.first.as_ref().is_some_and(|first| first.will_wake(waker));
            (!heard && !known).then(|| tokens.first.replace(waker.clone()))
        });
        // What its drop runs is not run under the lock.
        drop(replaced);
        heard
    }
}

impl<L> Drop for Stands<'_, L> {
    fn drop(&mut self) {
        drop(self.0.update(|tokens| tokens.first.take()));
    }
}

/// Why tokens were not granted at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum TryRateError {
    /// Beyond the rate.
    Limited(Limited),
    /// Others wait already.
    InLine,
}

impl fmt::Display for TryRateError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            TryRateError::Limited(limited) => limited.fmt(f),
            TryRateError::InLine => f.write_str("others wait for the rate already"),
        }
    }
}

impl core::error::Error for TryRateError {}

/// Why a wait for tokens ended without any.
#[derive(Debug)]
pub enum RateError {
    /// It would never have ended: more than a burst, or beyond the end of time.
    Limited(Limited),
    /// A cancellation was effective. Nothing was taken.
    Cancelled(Cancelled),
}

impl fmt::Display for RateError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            RateError::Limited(limited) => limited.fmt(f),
            RateError::Cancelled(cancelled) => cancelled.fmt(f),
        }
    }
}

impl From<Cancelled> for RateError {
    fn from(cancelled: Cancelled) -> RateError {
        RateError::Cancelled(cancelled)
    }
}

impl<E: From<Limited>> From<RateError> for Stop<E> {
    fn from(error: RateError) -> Stop<E> {
        match error {
            RateError::Limited(limited) => Stop::Err(limited.into()),
            RateError::Cancelled(cancelled) => Stop::Cancelled(cancelled),
        }
    }
}

/// So that a task may return `Result<_, RateError>`.
impl IntoStop for RateError {
    type App = Limited;
    fn into_stop(self) -> Stop<Limited> {
        self.into()
    }
}

impl<L: Limit> RateLimit<L> {
    /// A line in front of `limit`.
    #[must_use]
    #[track_caller]
    pub fn new(limit: L) -> RateLimit<L> {
        let burst = limit.burst();
        let tokens = Shared::new(Tokens { limit, returns: 0, first: None });
        RateLimit { tokens, first: Semaphore::new(1), burst }
    }

    /// Waits for `tokens`, behind those who came before: for as long as the rate says, never less; and no
    /// longer than until enough are given back ([`RatePermit::give_back`]).
    ///
    /// The permit is an obligation of the region that `cx` stands in, reported by the line of this call. It doesn't borrow
    /// `cx`.
    ///
    /// # Errors
    /// At once, if `tokens` is more than a burst; or cancelled.
    ///
    /// # Cancel behaviour
    /// `cancel.first`; the place in line is given up, and nothing was taken.
    #[track_caller]
    pub fn acquire<'l, 'c, C: MayTime>(
        &'l self,
        cx: &'c Cx<C>,
        tokens: u32,
    ) -> impl Future<Output = Result<RatePermit<'l, L>, RateError>> + use<'l, 'c, L, C> {
        let at = Location::caller();
        async move {
            if tokens > self.burst {
                return Err(RateError::Limited(Limited::TooMany { burst: self.burst }));
            }
            let first = match self.first.acquire_at(cx, 1, ObligationKind::Semaphore, at).await {
                Ok(first) => first,
                Err(WaitError::Cancelled(cancelled)) => return Err(cancelled.into()),
                Err(WaitError::Closed) => unreachable!("nobody closes the line"),
            };
            let taken = loop {
                cx.step_to(self.tokens.object(), Access::Write).await;
                cx.checkpoint()?;
                match self.take(cx, tokens) {
                    Ok(taken) => break taken,
                    Err(Refused { why: Limited::Until(at), returns }) if at < Time::MAX => {
                        self.until(cx, at, returns).await?
                    }
                    Err(never) => return Err(RateError::Limited(never.why)),
                }
            };
            first.release();
            let record = Some(cx.reserve(ObligationKind::Semaphore, at));
            Ok(RatePermit { limit: self, tokens, taken, record })
        }
    }

    /// Takes `tokens` if they are there and nobody waits. Never waits, and is not refused under cancellation.
    ///
    /// # Errors
    /// Nothing was taken.
    #[track_caller]
    pub fn try_acquire<C: MayTime>(
        &self,
        cx: &Cx<C>,
        tokens: u32,
    ) -> Result<RatePermit<'_, L>, TryRateError> {
        let at = Location::caller();
        let first = self.first.try_acquire_at(cx, 1, ObligationKind::Semaphore, at);
        let first = first.map_err(|_| TryRateError::InLine)?;
        let taken = self.take(cx, tokens).map_err(|refused| TryRateError::Limited(refused.why))?;
        first.release();
        let record = Some(cx.reserve(ObligationKind::Semaphore, at));
        Ok(RatePermit { limit: self, tokens, taken, record })
    }

    fn take<C: MayTime>(&self, cx: &Cx<C>, wanted: u32) -> Result<Taken, Refused> {
        let now = cx.now();
        self.tokens.write(|tokens| {
            let returns = tokens.returns;
            tokens.limit.take(wanted, now).map_err(|why| Refused { why, returns })
        })
    }

    /// Says whether they went back.
    fn put_back(&self, taken: Taken) -> bool {
        let (back, first) = self.tokens.write(|tokens| {
            let back = tokens.limit.give_back(taken);
            tokens.returns += u64::from(back);
            (back, if back { tokens.first.take() } else { None })
        });
        if let Some(first) = first
            && !types::seeded!("rate.return-unheard")
        {
            first.wake()
        }
        back
    }

    /// Waits until `at`, or until tokens go back if none have since `returns` was read.
    async fn until<C: MayTime>(&self, cx: &Cx<C>, at: Time, returns: u64) -> Result<(), Cancelled> {
        let (mut sleep, stands) = (Sleep::new(cx, at), Stands(&self.tokens));
        poll_fn(|context| match Pin::new(&mut sleep).poll(context) {
            Poll::Pending if stands.hears(returns, context.waker()) => Poll::Ready(Ok(())),
            polled => polled,
        })
        .await
    }
}

/// Tokens that were granted. Dropped unspent, they go back where that is honest ([`Limit::give_back`]).
#[must_use = "dropping it gives the tokens back"]
#[derive(Debug)]
pub struct RatePermit<'l, L: Limit> {
    limit: &'l RateLimit<L>,
    tokens: u32,
    taken: Taken,
    /// Until it is spent or given back.
    record: Option<Reserved>,
}

impl<L: Limit> RatePermit<'_, L> {
    /// How many tokens.
    pub fn tokens(&self) -> u32 {
        self.tokens
    }

    /// They are used.
    pub fn spend(mut self) {
        if let Some(record) = self.record.take() {
            // Late or not, what was granted is used.
            let _ = record.commit();
        }
    }

    /// They are not used. Says whether they went back, and then who is first in line may have them at once; otherwise others
    /// were granted tokens since, and these are gone.
    pub fn give_back(mut self) -> bool {
        self.put_back()
    }

    fn put_back(&mut self) -> bool {
        self.record.take().is_some_and(|record| {
            let _ = record.abort();
            !types::seeded!("rate.token-kept") && self.limit.put_back(self.taken)
        })
    }
}

impl<L: Limit> Drop for RatePermit<'_, L> {
    fn drop(&mut self) {
        self.put_back();
    }
}
