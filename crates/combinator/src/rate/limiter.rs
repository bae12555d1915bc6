//! [`RateLimit`]: the line in front of a rate, and permits.
//!
//! Only the first in line waits for tokens; the others wait for him. So tokens are taken at the instant at which they are
//! there, by who waited longest, and who gives up while waiting has taken nothing.
//!
//! Invariants:
//! - `rate.fifo`: who waits is not overtaken, also not by who wants less.
//! - `rate.conserved`: tokens are gone exactly for permits that were taken, less those that went back
//!   ([`Limit::give_back`]).
//!
//! Not here: who is within a rate (`bucket`, `gcra`).
use super::{Limit, Limited, Taken};
use core::fmt;
use core::future::Future;
use core::panic::Location;
use cx::{Access, Cx, MayTime, Reserved};
use sync::WaitError;
use sync::semaphore::Semaphore;
use sync::shared::Shared;
use time::Sleep;
use types::{Cancelled, IntoStop, ObligationKind, Stop};

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
    limit: Shared<L>,
    /// One permit: who has it is the first in line.
    first: Semaphore,
    burst: u32,
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
        RateLimit { limit: Shared::new(limit), first: Semaphore::new(1), burst }
    }

    /// Waits for `tokens`, behind those who came before: for as long as the rate says, never less.
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
                cx.step_to(self.limit.object(), Access::Write).await;
                cx.checkpoint()?;
                match self.take(cx, tokens) {
                    Ok(taken) => break taken,
                    Err(Limited::Until(at)) if at < types::Time::MAX => Sleep::new(cx, at).await?,
                    Err(never) => return Err(RateError::Limited(never)),
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
        let taken = self.take(cx, tokens).map_err(TryRateError::Limited)?;
        first.release();
        let record = Some(cx.reserve(ObligationKind::Semaphore, at));
        Ok(RatePermit { limit: self, tokens, taken, record })
    }

    fn take<C: MayTime>(&self, cx: &Cx<C>, tokens: u32) -> Result<Taken, Limited> {
        let now = cx.now();
        self.limit.write(|limit| limit.take(tokens, now))
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

    /// They are not used. Says whether they went back; otherwise others were granted tokens since, and these are gone.
    pub fn give_back(mut self) -> bool {
        self.put_back()
    }

    fn put_back(&mut self) -> bool {
        self.record.take().is_some_and(|record| {
            let _ = record.abort();
            let taken = self.taken;
            !types::seeded!("rate.token-kept") && self.limit.limit.write(|limit| limit.give_back(taken))
        })
    }
}

impl<L: Limit> Drop for RatePermit<'_, L> {
    fn drop(&mut self) {
        self.put_back();
    }
}
