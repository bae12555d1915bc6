//! [`CombineExt`]: the combinators as methods of a `Cx`.
//!
//! Every body is an `async |cx| ..` closure or an `async fn(&mut Cx<_>)`, called once. Taking `AsyncFnOnce`
//! and nothing weaker is what keeps a task that uses them `Send` while its bodies borrow its locals.
//!
//! Not here: what they do (the modules named after them).
use crate::drive::Turns;
use crate::retry::{Again, Retry, RetryError};
use crate::{Either, Quorum, Released, bracket, join, limit, quorum, race, retry};
use alloc::vec::Vec;
use core::fmt::Debug;
use core::future::Future;
use core::panic::Location;
use core::time::Duration;
use cx::{Cx, MayRandom, MayTime, Row};
use types::{Budget, Cancelled, Res, Time};

pub(crate) mod sealed {
    /// Names the row of a context, which only contexts have.
    pub trait OfRow {
        /// What the context may do.
        type Row: cx::Row;
    }
    impl<C: cx::Row> OfRow for cx::Cx<C> {
        type Row = C;
    }
}

/// Combinators. Implemented for every [`Cx`]; see the crate's documentation for what holds for all of them.
///
/// ```
/// use asupersync_combinator::CombineExt;
/// use core::time::Duration;
/// use cx::{Cx, MayTime};
/// use types::Res;
///
/// async fn fetch(cx: &mut Cx<impl MayTime>, from: &str) -> Res<String> {
///     cx.checkpoint()?;
///     Ok(from.to_uppercase())
/// }
///
/// async fn fastest(cx: &mut Cx<impl MayTime>, near: &str, far: &str) -> Res<String> {
///     cx.timeout(Duration::from_secs(2), async |cx| {
///         cx.race(async |cx| fetch(cx, near).await, async |cx| fetch(cx, far).await).await
///     })
///     .await
/// }
/// ```
pub trait CombineExt: sealed::OfRow {
    /// Runs both bodies and returns both values.
    ///
    /// # Panics
    /// With the first panic of a body, after the other was asked to stop (`SiblingFailed`) and has ended.
    ///
    /// # Cancel behaviour
    /// Not refused: the bodies see the request at their own checkpoints.
    ///
    /// # Cost
    /// No allocation beyond the task's first scope; both bodies are polled at each wake.
    #[track_caller]
    fn join<A, B>(
        &mut self,
        a: impl AsyncFnOnce(&mut Cx<Self::Row>) -> A,
        b: impl AsyncFnOnce(&mut Cx<Self::Row>) -> B,
    ) -> impl Future<Output = (A, B)>;

    /// As [`CombineExt::join`] for any number of bodies; the values are in the order of the bodies.
    ///
    /// # Cost
    /// One allocation for each body, and all of them are polled at each wake: for hundreds spawn tasks.
    #[track_caller]
    fn join_all<T, F>(&mut self, bodies: impl IntoIterator<Item = F>) -> impl Future<Output = Vec<T>>
    where
        F: AsyncFnOnce(&mut Cx<Self::Row>) -> T;

    /// As [`CombineExt::join`] for bodies that may fail: the first one that does stops the other
    /// (`SiblingFailed`).
    ///
    /// # Errors
    /// With the first failure, once both have ended. An error that the other returned after it is reported.
    #[track_caller]
    fn try_join<A, B, E: Debug>(
        &mut self,
        a: impl AsyncFnOnce(&mut Cx<Self::Row>) -> Res<A, E>,
        b: impl AsyncFnOnce(&mut Cx<Self::Row>) -> Res<B, E>,
    ) -> impl Future<Output = Res<(A, B), E>>;

    /// As [`CombineExt::try_join`] for any number of bodies.
    ///
    /// # Errors
    /// As there.
    #[track_caller]
    fn try_join_all<T, E: Debug, F>(
        &mut self,
        bodies: impl IntoIterator<Item = F>,
    ) -> impl Future<Output = Res<Vec<T>, E>>
    where
        F: AsyncFnOnce(&mut Cx<Self::Row>) -> Res<T, E>;

    /// Runs both bodies; the first one to return wins. The other is asked to stop (`LostRace`) and has ended,
    /// with everything it spawned, when this returns (`race.drained`). What it returns is dropped then; [`CombineExt::race_with`] hands it over.
    ///
    /// Any return wins, an error too: see [`CombineExt::first_ok`] for one where it does not. Who is polled
    /// first alternates; see [`CombineExt::select`] for a fixed order.
    ///
    /// # Panics
    /// With a body's panic that came before a body returned. A loser's panic is escalated instead.
    #[track_caller]
    fn race<T>(
        &mut self,
        a: impl AsyncFnOnce(&mut Cx<Self::Row>) -> T,
        b: impl AsyncFnOnce(&mut Cx<Self::Row>) -> T,
    ) -> impl Future<Output = T>;

    /// As [`CombineExt::race`], and hands what the loser returned to `lost`, once it is drained: for values that
    /// must not be dropped unseen, such as a connection that was made a moment too late. `lost` is not called
    /// for a loser that panicked, or that was dropped by force at its cleanup deadline.
    ///
    /// # Panics
    /// As [`CombineExt::race`], and with what `lost` panics with; the winner's value is dropped then.
    #[track_caller]
    fn race_with<T>(
        &mut self,
        a: impl AsyncFnOnce(&mut Cx<Self::Row>) -> T,
        b: impl AsyncFnOnce(&mut Cx<Self::Row>) -> T,
        lost: impl FnOnce(T),
    ) -> impl Future<Output = T>;

    /// As [`CombineExt::race`] for any number of bodies.
    ///
    /// # Panics
    /// As there, and if there are no bodies.
    #[track_caller]
    fn race_all<T, F>(&mut self, bodies: impl IntoIterator<Item = F>) -> impl Future<Output = T>
    where
        F: AsyncFnOnce(&mut Cx<Self::Row>) -> T;

    /// A biased race between bodies of different types: `a` is always polled first, so it wins when both are
    /// ready, and a body that never waits keeps `b` from running. More of them, and fair ones:
    /// [`SelectExt`](crate::SelectExt).
    #[track_caller]
    fn select<A, B>(
        &mut self,
        a: impl AsyncFnOnce(&mut Cx<Self::Row>) -> A,
        b: impl AsyncFnOnce(&mut Cx<Self::Row>) -> B,
    ) -> impl Future<Output = Either<A, B>>;

    /// A race for the first success: failures do not count as long as somebody else may succeed.
    ///
    /// # Errors
    /// If all fail, with the failure that came first.
    ///
    /// # Panics
    /// As [`CombineExt::race_all`].
    #[track_caller]
    fn first_ok<T, E, F>(&mut self, bodies: impl IntoIterator<Item = F>) -> impl Future<Output = Res<T, E>>
    where
        F: AsyncFnOnce(&mut Cx<Self::Row>) -> Res<T, E>;

    /// Waits for `needed` successes; the rest is asked to stop and drained. Once so many have failed that
    /// the quorum is out of reach, the others are asked to stop as well (`SiblingFailed`).
    ///
    /// # Panics
    /// As [`CombineExt::race_all`], and if `needed` is more than there are bodies. A quorum of none is
    /// reached at once, and no body runs.
    #[track_caller]
    fn quorum<T, E, F>(
        &mut self,
        needed: usize,
        bodies: impl IntoIterator<Item = F>,
    ) -> impl Future<Output = Quorum<T, E>>
    where
        F: AsyncFnOnce(&mut Cx<Self::Row>) -> Res<T, E>;

    /// Runs a body that is asked to stop (`Deadline`) when `span` has passed. It is not dropped: this returns
    /// when the body has returned and what it spawned has ended.
    ///
    /// The body's own result is what comes back: `Stop::Cancelled` with kind `Deadline` if it acknowledged,
    /// and `Ok` if it finished all the same, however late. Only if one of its children acknowledged and
    /// nobody joined it, `Ok` becomes that `Cancelled` (`cancel.visible`). With a span of zero the body runs
    /// to its first checkpoint.
    ///
    /// # Errors
    /// The body's own.
    ///
    /// # Panics
    /// With the body's panic, after its children have ended.
    ///
    /// # Cost
    /// A timer, set when the body first waits; each further poll that waits reads the clock.
    #[track_caller]
    fn timeout<T, E>(
        &mut self,
        span: Duration,
        body: impl AsyncFnOnce(&mut Cx<Self::Row>) -> Res<T, E>,
    ) -> impl Future<Output = Res<T, E>>
    where
        Self::Row: MayTime;

    /// Awaits a future that knows no `Cx` (of another crate, or another runtime) until a request is effective: then it is
    /// dropped. For those of this runtime, which see the request by themselves and end in order, it is not needed.
    ///
    /// ```
    /// use asupersync_combinator::CombineExt;
    /// use types::Res;
    ///
    /// async fn ask(cx: &mut cx::Cx, reply: impl Future<Output = u32>) -> Res<u32> {
    ///     Ok(cx.until_cancelled(reply).await?)
    /// }
    /// ```
    ///
    /// # Errors
    /// Cancelled: the future was dropped, wherever it was; before its first poll, if a request stands already.
    ///
    /// # Cancel behaviour
    /// `cancel.first`: where a request and the value come together, it is the request, and the value is dropped with the
    /// future. Masked, it waits on. A body that must not lose what the future may have done asks in its own way and awaits it.
    ///
    /// # Cost
    /// That of one of our own waits. Nothing is allocated.
    fn until_cancelled<F: Future>(&self, foreign: F) -> impl Future<Output = Result<F::Output, Cancelled>>;

    /// As [`CombineExt::timeout`], at an instant.
    ///
    /// # Errors
    /// The body's own.
    #[doc(alias = "timeout_at")]
    #[track_caller]
    fn deadline<T, E>(
        &mut self,
        at: Time,
        body: impl AsyncFnOnce(&mut Cx<Self::Row>) -> Res<T, E>,
    ) -> impl Future<Output = Res<T, E>>
    where
        Self::Row: MayTime;

    /// As [`CombineExt::timeout`], with all the ceilings of a budget: its deadline; how often the body is
    /// polled and what it charges (`BudgetExhausted`). Tasks that the body spawns are not polled by it and
    /// charge for themselves.
    ///
    /// # Errors
    /// The body's own.
    #[track_caller]
    fn budgeted<T, E>(
        &mut self,
        budget: Budget,
        body: impl AsyncFnOnce(&mut Cx<Self::Row>) -> Res<T, E>,
    ) -> impl Future<Output = Res<T, E>>
    where
        Self::Row: MayTime;

    /// Runs `body` until it succeeds: at most so often, with such waits, for so long as `policy` says. Each attempt
    /// is a clone of the body in a branch of its own, which has ended, with what it spawned, before the next
    /// one begins.
    ///
    /// Every error is worth another attempt; see [`CombineExt::retry_if`]. A deadline that the attempt set itself
    /// counts as one; any other cancellation is returned at once.
    ///
    /// # Errors
    /// The last attempt's failure, how many there were, and why there was no further one.
    ///
    /// # Panics
    /// With the panic of an attempt, which is not repeated.
    ///
    /// # Cancel behaviour
    /// Refused before the first attempt if a request stands. A request ends a wait at once (what failed before it
    /// is dropped then, as it was going to be repeated), and no attempt begins after it.
    #[track_caller]
    fn retry<T, E, F>(&mut self, policy: &Retry<'_>, body: F) -> impl Future<Output = Res<T, RetryError<E>>>
    where
        Self::Row: MayTime + MayRandom,
        F: AsyncFnOnce(&mut Cx<Self::Row>) -> Res<T, E> + Clone;

    /// As [`CombineExt::retry`], with `judge` to say which errors are worth another attempt.
    ///
    /// # Errors
    /// As there.
    #[track_caller]
    fn retry_if<T, E, F>(
        &mut self,
        policy: &Retry<'_>,
        judge: impl FnMut(&E) -> Again,
        body: F,
    ) -> impl Future<Output = Res<T, RetryError<E>>>
    where
        Self::Row: MayTime + MayRandom,
        F: AsyncFnOnce(&mut Cx<Self::Row>) -> Res<T, E> + Clone;

    /// Acquires something, uses it, and releases it whatever came of the use: success, failure, cancellation
    /// or a panic.
    ///
    /// Acquire and release are masked: they may wait although a request stands, which the use sees. Both have
    /// until the cleanup deadline of that request, and at least one second; then their masks are pierced.
    ///
    /// # Errors
    /// Acquire's, or use's, or, after a use that was `Ok`, release's. A release that fails after a use that
    /// failed is reported.
    ///
    /// # Panics
    /// With the use's panic, after the release; with the release's, after a use that was `Ok`.
    ///
    /// # Cancel behaviour
    /// Refused before acquire if a request stands. If the frame is dropped (a foreign `select!`) the resource
    /// is dropped, and the release does NOT run and is reported: what must run belongs into `cx.finally`.
    #[track_caller]
    fn bracket<R, T, E: Debug, O: Released<E>>(
        &mut self,
        acquire: impl AsyncFnOnce(&mut Cx<Self::Row>) -> Res<R, E>,
        use_it: impl AsyncFnOnce(&mut Cx<Self::Row>, &mut R) -> Res<T, E>,
        release: impl AsyncFnOnce(&mut Cx<Self::Row>, R) -> O,
    ) -> impl Future<Output = Res<T, E>>;
}

impl<C: Row> CombineExt for Cx<C> {
    #[track_caller]
    fn join<A, B>(
        &mut self,
        a: impl AsyncFnOnce(&mut Cx<C>) -> A,
        b: impl AsyncFnOnce(&mut Cx<C>) -> B,
    ) -> impl Future<Output = (A, B)> {
        join::two(self, Location::caller(), a, b)
    }

    #[track_caller]
    fn join_all<T, F>(&mut self, bodies: impl IntoIterator<Item = F>) -> impl Future<Output = Vec<T>>
    where
        F: AsyncFnOnce(&mut Cx<C>) -> T,
    {
        join::all(self, Location::caller(), bodies)
    }

    #[track_caller]
    fn try_join<A, B, E: Debug>(
        &mut self,
        a: impl AsyncFnOnce(&mut Cx<C>) -> Res<A, E>,
        b: impl AsyncFnOnce(&mut Cx<C>) -> Res<B, E>,
    ) -> impl Future<Output = Res<(A, B), E>> {
        join::try_two(self, Location::caller(), a, b)
    }

    #[track_caller]
    fn try_join_all<T, E: Debug, F>(
        &mut self,
        bodies: impl IntoIterator<Item = F>,
    ) -> impl Future<Output = Res<Vec<T>, E>>
    where
        F: AsyncFnOnce(&mut Cx<C>) -> Res<T, E>,
    {
        join::try_all(self, Location::caller(), bodies)
    }

    #[track_caller]
    fn race<T>(
        &mut self,
        a: impl AsyncFnOnce(&mut Cx<C>) -> T,
        b: impl AsyncFnOnce(&mut Cx<C>) -> T,
    ) -> impl Future<Output = T> {
        race::fair(self, Location::caller(), a, b)
    }

    #[track_caller]
    fn race_with<T>(
        &mut self,
        a: impl AsyncFnOnce(&mut Cx<C>) -> T,
        b: impl AsyncFnOnce(&mut Cx<C>) -> T,
        lost: impl FnOnce(T),
    ) -> impl Future<Output = T> {
        race::with(self, Location::caller(), a, b, lost)
    }

    #[track_caller]
    fn race_all<T, F>(&mut self, bodies: impl IntoIterator<Item = F>) -> impl Future<Output = T>
    where
        F: AsyncFnOnce(&mut Cx<C>) -> T,
    {
        let race = race::all(self, Location::caller(), Turns::ROUND, bodies);
        async { race.await.1 }
    }

    #[track_caller]
    fn select<A, B>(
        &mut self,
        a: impl AsyncFnOnce(&mut Cx<C>) -> A,
        b: impl AsyncFnOnce(&mut Cx<C>) -> B,
    ) -> impl Future<Output = Either<A, B>> {
        race::two(self, Location::caller(), Turns::Biased, a, b)
    }

    #[track_caller]
    fn first_ok<T, E, F>(&mut self, bodies: impl IntoIterator<Item = F>) -> impl Future<Output = Res<T, E>>
    where
        F: AsyncFnOnce(&mut Cx<C>) -> Res<T, E>,
    {
        quorum::first_ok(self, Location::caller(), bodies)
    }

    #[track_caller]
    fn quorum<T, E, F>(
        &mut self,
        needed: usize,
        bodies: impl IntoIterator<Item = F>,
    ) -> impl Future<Output = Quorum<T, E>>
    where
        F: AsyncFnOnce(&mut Cx<C>) -> Res<T, E>,
    {
        quorum::quorum(self, Location::caller(), needed, bodies)
    }

    #[track_caller]
    fn timeout<T, E>(
        &mut self,
        span: Duration,
        body: impl AsyncFnOnce(&mut Cx<C>) -> Res<T, E>,
    ) -> impl Future<Output = Res<T, E>>
    where
        C: MayTime,
    {
        limit::timeout(self, Location::caller(), span, body)
    }

    fn until_cancelled<F: Future>(&self, foreign: F) -> impl Future<Output = Result<F::Output, Cancelled>> {
        limit::until_cancelled(self, foreign)
    }

    #[track_caller]
    fn deadline<T, E>(
        &mut self,
        at: Time,
        body: impl AsyncFnOnce(&mut Cx<C>) -> Res<T, E>,
    ) -> impl Future<Output = Res<T, E>>
    where
        C: MayTime,
    {
        limit::budgeted(self, Location::caller(), Budget::UNLIMITED.deadline(at), body)
    }

    #[track_caller]
    fn budgeted<T, E>(
        &mut self,
        budget: Budget,
        body: impl AsyncFnOnce(&mut Cx<C>) -> Res<T, E>,
    ) -> impl Future<Output = Res<T, E>>
    where
        C: MayTime,
    {
        limit::budgeted(self, Location::caller(), budget, body)
    }

    #[track_caller]
    fn retry<T, E, F>(&mut self, policy: &Retry<'_>, body: F) -> impl Future<Output = Res<T, RetryError<E>>>
    where
        C: MayTime + MayRandom,
        F: AsyncFnOnce(&mut Cx<C>) -> Res<T, E> + Clone,
    {
        retry::retry(self, Location::caller(), policy, retry::any_error, body)
    }

    #[track_caller]
    fn retry_if<T, E, F>(
        &mut self,
        policy: &Retry<'_>,
        judge: impl FnMut(&E) -> Again,
        body: F,
    ) -> impl Future<Output = Res<T, RetryError<E>>>
    where
        C: MayTime + MayRandom,
        F: AsyncFnOnce(&mut Cx<C>) -> Res<T, E> + Clone,
    {
        retry::retry(self, Location::caller(), policy, judge, body)
    }

    #[track_caller]
    fn bracket<R, T, E: Debug, O: Released<E>>(
        &mut self,
        acquire: impl AsyncFnOnce(&mut Cx<C>) -> Res<R, E>,
        use_it: impl AsyncFnOnce(&mut Cx<C>, &mut R) -> Res<T, E>,
        release: impl AsyncFnOnce(&mut Cx<C>, R) -> O,
    ) -> impl Future<Output = Res<T, E>> {
        bracket::bracket(self, Location::caller(), acquire, use_it, release)
    }
}
