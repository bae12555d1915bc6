//! `bracket`: acquire, use, release.
//!
//! ```text
//! acquire (masked) ──Ok──▶ use ──returned, failed, cancelled or panicked──▶ release (masked)
//!        └──Err──▶ that                    └──the frame is dropped──▶ no release; reported
//! ```
//! | use | release | the caller gets | the report gets |
//! |---|---|---|---|
//! | `Ok` | `Ok` | use's value | – |
//! | `Ok` | fails or panics | release's failure | – |
//! | fails or panics | `Ok` | use's failure | – |
//! | fails or panics | fails or panics | use's failure | release's |
//!
//! Not here: what must run even if the frame is dropped (`cx.finally`).
use core::fmt::Debug;
use core::future::poll_fn;
use core::panic::Location;
use core::pin::pin;
use core::task::Poll;
use cx::port::Report;
use cx::{Branch, Combinator, Cx, Row};
use types::{Cancelled, Panic, Res, Stop};

/// What the release of a bracket may return: nothing, or a result with the bracket's error.
#[diagnostic::on_unimplemented(
    message = "the release of a bracket cannot return `{Self}`",
    label = "expected `()` or `Res<(), E>` with the error type of acquire and use"
)]
pub trait Released<E> {
    /// As a result.
    fn into_res(self) -> Res<(), E>;
}

impl<E> Released<E> for () {
    fn into_res(self) -> Res<(), E> {
        Ok(())
    }
}

impl<E> Released<E> for Res<(), E> {
    fn into_res(self) -> Res<(), E> {
        self
    }
}

impl<E> Released<E> for Result<(), Cancelled> {
    fn into_res(self) -> Res<(), E> {
        self.map_err(Stop::Cancelled)
    }
}

pub(crate) async fn bracket<C: Row, R, T, E: Debug, O: Released<E>>(
    cx: &Cx<C>,
    at: &'static Location<'static>,
    acquire: impl AsyncFnOnce(&mut Cx<C>) -> Res<R, E>,
    use_it: impl AsyncFnOnce(&mut Cx<C>, &mut R) -> Res<T, E>,
    release: impl AsyncFnOnce(&mut Cx<C>, R) -> O,
) -> Res<T, E> {
    // A request that stands already is answered before there is anything to release.
    cx.checkpoint()?;
    let frame = Combinator::open(cx);
    let phase = frame.phase(true).starting_now();
    let acquired = masked(&phase, phase.body(acquire)).await;
    phase.close();
    let mut resource = match acquired {
        Ok(Ok(resource)) => resource,
        Ok(Err(stop)) => {
            frame.close();
            return Err(stop);
        }
        Err(panic) => frame.resume(panic),
    };

    let pending = Pending { frame: &frame, at, done: false };
    let phase = frame.phase(false);
    let used = phase.body(async |cx: &mut Cx<C>| use_it(cx, &mut resource).await).await;
    phase.close();

    let phase = frame.phase(!types::seeded!("bracket.release-unmasked")).starting_now();
    let releasing = phase.body(async |cx: &mut Cx<C>| release(cx, resource).await.into_res());
    let released = masked(&phase, releasing).await;
    phase.close();
    pending.done();

    let result = match (used, released) {
        (Ok(Ok(value)), Ok(Ok(()))) => Ok(value),
        (Ok(Ok(_)), Ok(Err(stop))) => Err(stop),
        (Ok(Ok(_)), Err(panic)) => frame.resume(panic),
        (Ok(stop), released) => {
            report(&frame, at, released);
            stop
        }
        (Err(panic), released) => {
            report(&frame, at, released);
            frame.resume(panic)
        }
    };
    frame.close();
    result
}

/// Drives a masked phase, whose mask is pierced at its bound.
async fn masked<C: Row, T>(phase: &Branch<'_, C>, body: impl Future<Output = T>) -> T {
    let mut body = pin!(body);
    poll_fn(|context| {
        loop {
            if let Poll::Ready(value) = body.as_mut().poll(context) {
                return Poll::Ready(value);
            }
            if phase.poll_bound(context).is_pending() {
                return Poll::Pending;
            }
        }
    })
    .await
}

/// The release failed after a use that had failed as well.
fn report<C: Row, E: Debug>(
    frame: &Combinator<'_, C>,
    at: &'static Location<'static>,
    released: Result<Res<(), E>, Panic>,
) {
    let how = match released {
        Ok(Ok(())) => return,
        Ok(Err(Stop::Err(error))) => alloc::format!("failed: {error:?}"),
        Ok(Err(Stop::Cancelled(c))) => alloc::format!("was {c}"),
        Err(panic) => alloc::format!("{panic}"),
    };
    frame.report(Report::ReleaseFailed { bracket: at, how })
}

/// A release that is owed. Dropped with its frame, it says that the release did not run.
struct Pending<'a, 'p, C: Row> {
    frame: &'a Combinator<'p, C>,
    at: &'static Location<'static>,
    done: bool,
}

impl<C: Row> Pending<'_, '_, C> {
    fn done(mut self) {
        self.done = true;
    }
}

impl<C: Row> Drop for Pending<'_, '_, C> {
    fn drop(&mut self) {
        if !self.done && !types::seeded!("bracket.skip-unreported") {
            self.frame.release_skipped(self.at)
        }
    }
}
