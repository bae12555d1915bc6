//! `race`, `race_all`, and what `select` in its forms is made of: the first body to return wins, the others are drained.
//!
//! Not here: races in which a failure does not count (`quorum`).
use crate::drive::{Driven, Plan, Turns, drive};
use crate::leg::{Leg, any};
use alloc::boxed::Box;
use alloc::vec::Vec;
use core::mem::needs_drop;
use core::panic::Location;
use core::pin::pin;
use cx::{Combinator, Cx, Row};

/// The value of whichever of two bodies won.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Either<A, B> {
    /// The first body's value.
    First(A),
    /// The second body's value.
    Second(B),
}

impl<T> Either<T, T> {
    /// The value, wherever it came from.
    pub fn into_inner(self) -> T {
        match self {
            Either::First(value) | Either::Second(value) => value,
        }
    }
}

/// Two bodies of any types, with what the loser returned, unless it panicked or was dropped by force; and the frame, which
/// is to be closed.
async fn both<'p, C: Row, A, B>(
    cx: &'p Cx<C>,
    at: &'static Location<'static>,
    turns: Turns,
    a: impl AsyncFnOnce(&mut Cx<C>) -> A,
    b: impl AsyncFnOnce(&mut Cx<C>) -> B,
) -> (Combinator<'p, C>, Either<A, B>, Option<Either<A, B>>) {
    let frame = Combinator::open(cx);
    let (first, second) = (frame.branch(), frame.branch());
    let (a, b) = (pin!(Some(first.body(a))), pin!(Some(second.body(b))));
    let mut legs = (Leg::new(&first, a, any), Leg::new(&second, b, any));
    let Driven { by, .. } =
        drive(&frame, &mut legs, Plan { needed: 1, race: true, turns, at }, |_, _| ()).await;
    let (first, second) = (legs.0.value().map(Either::First), legs.1.value().map(Either::Second));
    let (won, lost) = if by == 0 { (first, second) } else { (second, first) };
    (frame, won.unwrap_or_else(|| unreachable!("the winner's body has returned")), lost)
}

/// Two bodies of any types.
pub(crate) async fn two<C: Row, A, B>(
    cx: &Cx<C>,
    at: &'static Location<'static>,
    turns: Turns,
    a: impl AsyncFnOnce(&mut Cx<C>) -> A,
    b: impl AsyncFnOnce(&mut Cx<C>) -> B,
) -> Either<A, B> {
    let (frame, won, mut lost) = both(cx, at, turns, a, b).await;
    // Its drop's panic is a loser's panic, and takes nothing from the winner.
    if needs_drop::<Either<A, B>>() {
        frame.drop_caught(|| drop(lost.take()))
    }
    frame.close();
    won
}

/// As [`fair`], with the loser's value for the caller.
pub(crate) async fn with<C: Row, T>(
    cx: &Cx<C>,
    at: &'static Location<'static>,
    a: impl AsyncFnOnce(&mut Cx<C>) -> T,
    b: impl AsyncFnOnce(&mut Cx<C>) -> T,
    lost: impl FnOnce(T),
) -> T {
    let (frame, won, loser) = both(cx, at, Turns::ROUND, a, b).await;
    frame.close();
    if let Some(value) = loser {
        lost(value.into_inner())
    }
    won.into_inner()
}

/// Two bodies of one type that take turns in being first.
pub(crate) async fn fair<C: Row, T>(
    cx: &Cx<C>,
    at: &'static Location<'static>,
    a: impl AsyncFnOnce(&mut Cx<C>) -> T,
    b: impl AsyncFnOnce(&mut Cx<C>) -> T,
) -> T {
    two(cx, at, Turns::ROUND, a, b).await.into_inner()
}

/// Any number of bodies of one type; also says which one won.
pub(crate) async fn all<C: Row, T, F>(
    cx: &Cx<C>,
    at: &'static Location<'static>,
    turns: Turns,
    bodies: impl IntoIterator<Item = F>,
) -> (usize, T)
where
    F: AsyncFnOnce(&mut Cx<C>) -> T,
{
    let frame = Combinator::open(cx);
    let bodies: Vec<F> = bodies.into_iter().collect();
    assert!(!bodies.is_empty(), "the race at {at} has no branches, so nobody can win it");
    let branches: Vec<_> = bodies.iter().map(|_| frame.branch()).collect();
    let legs = branches
        .iter()
        .zip(bodies)
        .map(|(branch, body)| Leg::new(branch, Box::pin(Some(branch.body(body))), any));
    let mut legs: Vec<_> = legs.collect();
    let plan = Plan { needed: 1, race: true, turns, at };
    let Driven { by, .. } = drive(&frame, legs.as_mut_slice(), plan, |_, _| ()).await;
    let won = legs[by].value().unwrap_or_else(|| unreachable!("the winner's body has returned"));
    if needs_drop::<T>() {
        for leg in &mut legs {
            frame.drop_caught(|| drop(leg.value()))
        }
    }
    frame.close();
    (by, won)
}
