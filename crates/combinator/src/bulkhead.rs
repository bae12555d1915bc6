//! [`Bulkhead`]: so many at a time, so many waiting, and the rest is told at once.
//!
//! A semaphore alone moves an overload into its queue, where callers wait for longer than anybody waits for them.
//! A bulkhead bounds the queue too, so that one slow dependency takes a known share of a service (the name and the
//! picture are from M. Nygard, "Release It!", 2007).
//!
//! Invariants:
//! - `bulkhead.places`: never more than `places` are inside; never more than `waiting` in line.
//! - `bulkhead.conserved`: a place goes back when it is dropped, a place in line when its wait ends, in whatever.
//! - `bulkhead.fifo`: who stands in line is not overtaken.
//!
//! Not here: the line itself (`sync::semaphore`), rates (`rate`).
use alloc::sync::Arc;
use core::fmt;
use core::future::Future;
use core::panic::Location;
use cx::{Cx, Row};
use sync::semaphore::{Permit, Semaphore, TryAcquireError};
use sync::shared::Shared;
use sync::{AlreadyLeaked, WaitError};
use types::{Cancelled, IntoStop, ObligationKind, Res, Stop};

/// A limit on how many are inside, and on how many wait to get in.
///
/// ```
/// use asupersync_combinator::bulkhead::Bulkhead;
/// use types::Res;
///
/// async fn query(cx: &mut cx::Cx, database: &Bulkhead) -> Res<u32> {
///     database.run(cx, async |cx| {
///         cx.checkpoint()?;
///         Ok(7)
///     })
///     .await
/// }
/// ```
#[derive(Debug)]
pub struct Bulkhead {
    inside: Arc<Semaphore>,
    places: usize,
    line: Shared<Line>,
    waiting: usize,
}

/// Those who did not get in at once.
#[derive(Clone, Copy, Debug, Default)]
struct Line {
    waiting: usize,
    turned: u64,
}

/// How full a bulkhead is, for dashboards and logs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Report {
    /// How many are inside.
    pub inside: usize,
    /// How many may be.
    pub places: usize,
    /// How many wait.
    pub waiting: usize,
    /// How many may wait.
    pub line: usize,
    /// How many were turned away since it was made, because it was full.
    pub turned: u64,
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Report { inside, places, waiting, line, turned } = self;
        write!(f, "{inside} of {places} places taken, {waiting} of {line} waiting, {turned} turned away")
    }
}

/// Why somebody was turned away at once, with nothing done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Turned {
    /// All places are taken, and the line is full.
    Full {
        /// How many may be inside.
        places: usize,
        /// How many may wait.
        waiting: usize,
    },
    /// [`Bulkhead::close`] was called.
    Closed,
}

impl fmt::Display for Turned {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Turned::Full { places, waiting } => {
                write!(f, "bulkhead full: {places} inside and {waiting} waiting")
            }
            Turned::Closed => f.write_str("bulkhead closed"),
        }
    }
}

impl core::error::Error for Turned {}

/// Why somebody did not get in.
#[derive(Debug)]
pub enum EnterError {
    /// Turned away.
    Turned(Turned),
    /// A cancellation was effective; a place that had been assigned went to the next in line.
    Cancelled(Cancelled),
}

impl fmt::Display for EnterError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            EnterError::Turned(turned) => turned.fmt(f),
            EnterError::Cancelled(cancelled) => cancelled.fmt(f),
        }
    }
}

impl From<Turned> for EnterError {
    fn from(turned: Turned) -> EnterError {
        EnterError::Turned(turned)
    }
}

impl From<Cancelled> for EnterError {
    fn from(cancelled: Cancelled) -> EnterError {
        EnterError::Cancelled(cancelled)
    }
}

impl<E: From<Turned>> From<EnterError> for Stop<E> {
    fn from(error: EnterError) -> Stop<E> {
        match error {
            EnterError::Turned(turned) => Stop::Err(turned.into()),
            EnterError::Cancelled(cancelled) => Stop::Cancelled(cancelled),
        }
    }
}

/// So that a task may return `Result<_, EnterError>`.
impl IntoStop for EnterError {
    type App = Turned;
    fn into_stop(self) -> Stop<Turned> {
        self.into()
    }
}

impl Bulkhead {
    /// A bulkhead for `places` at a time, with `waiting` more in line. With 0 waiting it never makes anybody wait.
    ///
    /// # Panics
    /// If `places` is 0, since nobody would ever get in, or more than [`Semaphore::MAX`].
    #[must_use]
    #[track_caller]
    pub fn new(places: usize, waiting: usize) -> Bulkhead {
        assert!(places > 0, "a bulkhead of no places lets nobody in");
        let (inside, line) = (Arc::new(Semaphore::new(places)), Shared::new(Line::default()));
        Bulkhead { inside, places, line, waiting }
    }

    /// Waits for a place, behind those who came before. Who waits for so long at most puts a `timeout` around it: its place in
    /// line is free then.
    ///
    /// The place is an obligation of the region that `cx` stands in, reported by the line of this call. It doesn't borrow
    /// `cx`.
    ///
    /// # Errors
    /// Turned away at once, if the line is full; closed while waiting or before; or cancelled.
    ///
    /// # Cancel behaviour
    /// `cancel.first`: a request is answered before anything happens. The place in line is given up.
    ///
    /// # Cost
    /// Where there is a place: one compare-exchange and one obligation. Otherwise a short lock and a wait.
    #[track_caller]
    pub fn enter<'b, 'c, C: Row>(
        &'b self,
        cx: &'c Cx<C>,
    ) -> impl Future<Output = Result<Place<'b>, EnterError>> + use<'b, 'c, C> {
        self.enter_at(cx, Location::caller())
    }

    async fn enter_at<'b, C: Row>(
        &'b self,
        cx: &Cx<C>,
        at: &'static Location<'static>,
    ) -> Result<Place<'b>, EnterError> {
        cx.step().await;
        cx.checkpoint()?;
        match self.try_enter_at(cx, at) {
            Err(Turned::Full { .. }) => {}
            entered => return Ok(entered?),
        }
        let in_line = self.queue()?;
        let acquired = self.inside.acquire_at(cx, 1, ObligationKind::Semaphore, at).await;
        drop(in_line);
        Ok(Place { permit: acquired.map_err(not_let_in)? })
    }

    /// As [`Bulkhead::enter`], with a place that owns its share of the bulkhead and may go to another task: for a loop that
    /// accepts work only where there is room for it, and then spawns it. [`rehome`](OwnedPlace::rehome) the place if that task
    /// is of another region.
    ///
    /// # Errors
    /// As there.
    #[track_caller]
    pub fn enter_owned<'c, C: Row>(
        &'c self,
        cx: &'c Cx<C>,
    ) -> impl Future<Output = Result<OwnedPlace, EnterError>> + use<'c, C> {
        let at = Location::caller();
        async move {
            cx.step().await;
            cx.checkpoint()?;
            match self.inside.try_acquire_owned_at(cx, 1, ObligationKind::Semaphore, at) {
                Err(TryAcquireError::NoPermits) => {}
                entered => return Ok(OwnedPlace { permit: entered.map_err(|error| self.turned(error))? }),
            }
            let in_line = self.queue()?;
            let acquired = self.inside.acquire_owned_at(cx, 1, ObligationKind::Semaphore, at).await;
            drop(in_line);
            Ok(OwnedPlace { permit: acquired.map_err(not_let_in)? })
        }
    }

    /// Takes a place if there is one and nobody waits. Not refused under cancellation.
    ///
    /// # Errors
    /// No place, or closed.
    #[track_caller]
    pub fn try_enter<C: Row>(&self, cx: &Cx<C>) -> Result<Place<'_>, Turned> {
        self.try_enter_at(cx, Location::caller()).inspect_err(|turned| self.note(*turned))
    }

    /// As [`Bulkhead::try_enter`], with a place that owns its share of the bulkhead.
    ///
    /// # Errors
    /// As there.
    #[track_caller]
    pub fn try_enter_owned<C: Row>(&self, cx: &Cx<C>) -> Result<OwnedPlace, Turned> {
        match self.inside.try_acquire_owned_at(cx, 1, ObligationKind::Semaphore, Location::caller()) {
            Ok(permit) => Ok(OwnedPlace { permit }),
            Err(error) => Err(self.turned(error)).inspect_err(|turned| self.note(*turned)),
        }
    }

    fn try_enter_at<C: Row>(&self, cx: &Cx<C>, at: &'static Location<'static>) -> Result<Place<'_>, Turned> {
        match self.inside.try_acquire_at(cx, 1, ObligationKind::Semaphore, at) {
            Ok(permit) => Ok(Place { permit }),
            Err(error) => Err(self.turned(error)),
        }
    }

    fn turned(&self, error: TryAcquireError) -> Turned {
        match error {
            TryAcquireError::NoPermits => Turned::Full { places: self.places, waiting: self.waiting },
            TryAcquireError::Closed => Turned::Closed,
        }
    }

    /// Somebody is turned away.
    fn note(&self, turned: Turned) {
        if turned != Turned::Closed {
            self.line.write(|line| line.turned += 1)
        }
    }

    /// Runs `body` in a place of its own, as [`Bulkhead::enter`] gives it.
    ///
    /// # Errors
    /// As there, with the body not begun; or the body's own.
    ///
    /// # Panics
    /// With the body's panic; the place goes back.
    #[track_caller]
    pub fn run<C: Row, T, E: From<Turned>>(
        &self,
        cx: &mut Cx<C>,
        body: impl AsyncFnOnce(&mut Cx<C>) -> Res<T, E>,
    ) -> impl Future<Output = Res<T, E>> {
        let at = Location::caller();
        async move {
            let _place = self.enter_at(cx, at).await?;
            body(cx).await
        }
    }

    /// A place in line, if there is one.
    fn queue(&self) -> Result<InLine<'_>, Turned> {
        let queued = self.line.write(|line| {
            let room = line.waiting < self.waiting;
            if room {
                line.waiting += 1
            } else {
                line.turned += 1
            }
            room
        });
        if queued { Ok(InLine(self)) } else { Err(self.turned(TryAcquireError::NoPermits)) }
    }

    /// Lets nobody in any more; who waits is turned away, also who was assigned a place and has not gone in. Who is inside stays, and leaves as before.
    pub fn close(&self) {
        self.inside.close()
    }

    /// How many are inside.
    pub fn inside(&self) -> usize {
        self.places - self.inside.available()
    }

    /// How many wait, those to whom a place was assigned just now included.
    pub fn waiting(&self) -> usize {
        self.line.get().waiting
    }

    /// How full it is.
    ///
    /// ```
    /// # use asupersync_combinator::bulkhead::Bulkhead;
    /// # lab::LabRuntime::new(lab::LabConfig::default()).run(async |cx| {
    /// let bulkhead = Bulkhead::new(2, 8);
    /// let place = bulkhead.enter(cx).await.unwrap();
    /// assert_eq!(bulkhead.report().to_string(), "1 of 2 places taken, 0 of 8 waiting, 0 turned away");
    /// # drop(place);
    /// # });
    /// ```
    pub fn report(&self) -> Report {
        let Line { waiting, turned } = self.line.get();
        Report { inside: self.inside(), places: self.places, waiting, line: self.waiting, turned }
    }
}

fn not_let_in(error: WaitError) -> EnterError {
    match error {
        WaitError::Closed => Turned::Closed.into(),
        WaitError::Cancelled(cancelled) => cancelled.into(),
    }
}

/// A place inside. Dropping it, or [`Place::leave`], gives it back.
#[must_use = "dropping it gives the place back"]
#[derive(Debug)]
pub struct Place<'b> {
    permit: Permit<&'b Semaphore>,
}

impl Place<'_> {
    /// Gives the place back; the same as dropping it, but recorded as done and not as given up.
    pub fn leave(self) {
        self.permit.release()
    }
}

/// A place inside that may go to another task. Dropping it, or [`OwnedPlace::leave`], gives it back.
#[must_use = "dropping it gives the place back"]
#[derive(Debug)]
pub struct OwnedPlace {
    permit: Permit<Arc<Semaphore>>,
}

impl OwnedPlace {
    /// See [`Place::leave`].
    pub fn leave(self) {
        self.permit.release()
    }

    /// Makes it an obligation of the region that `cx` stands in, before it is handed there.
    ///
    /// # Errors
    /// The region it belonged to has reported it as leaked already.
    pub fn rehome<C: Row>(&mut self, cx: &Cx<C>) -> Result<(), AlreadyLeaked> {
        self.permit.rehome(cx)
    }
}

/// A place in line.
struct InLine<'b>(&'b Bulkhead);

impl Drop for InLine<'_> {
    fn drop(&mut self) {
        if !types::seeded!("bulkhead.line-kept") {
            self.0.line.write(|line| line.waiting -= 1)
        }
    }
}
