//! `join`, `join_all`, `try_join`, `try_join_all`: every body is awaited.
//!
//! Not here: tasks that run in parallel (`cx.spawn`).
use crate::drive::{Driven, Legs, Plan, Turns, drive};
use crate::leg::{Leg, any, res};
use alloc::boxed::Box;
use alloc::vec::Vec;
use core::fmt::Debug;
use core::panic::Location;
use core::pin::pin;
use cx::port::Report;
use cx::{Combinator, Cx, Row};
use types::{Res, Stop};

fn everybody<C, L: Legs<C> + ?Sized>(legs: &L, at: &'static Location<'static>) -> Plan {
    Plan { needed: legs.len(), race: false, turns: Turns::ROUND, at }
}

fn returned<T>(value: Option<T>) -> T {
    value.unwrap_or_else(|| unreachable!("every body has returned"))
}

pub(crate) async fn two<C: Row, A, B>(
    cx: &Cx<C>,
    at: &'static Location<'static>,
    a: impl AsyncFnOnce(&mut Cx<C>) -> A,
    b: impl AsyncFnOnce(&mut Cx<C>) -> B,
) -> (A, B) {
    let frame = Combinator::open(cx);
    let (first, second) = (frame.branch(), frame.branch());
    let (a, b) = (pin!(Some(first.body(a))), pin!(Some(second.body(b))));
    let mut legs = (Leg::new(&first, a, any), Leg::new(&second, b, any));
    let plan = everybody(&legs, at);
    drive(&frame, &mut legs, plan, |_, _| ()).await;
    frame.close();
    (returned(legs.0.value()), returned(legs.1.value()))
}

pub(crate) async fn all<C: Row, T, F>(
    cx: &Cx<C>,
    at: &'static Location<'static>,
    bodies: impl IntoIterator<Item = F>,
) -> Vec<T>
where
    F: AsyncFnOnce(&mut Cx<C>) -> T,
{
    let frame = Combinator::open(cx);
    let bodies: Vec<F> = bodies.into_iter().collect();
    if bodies.is_empty() {
        return Vec::new();
    }
    let branches: Vec<_> = bodies.iter().map(|_| frame.branch()).collect();
    let legs = branches
        .iter()
        .zip(bodies)
        .map(|(branch, body)| Leg::new(branch, Box::pin(Some(branch.body(body))), any));
    let mut legs: Vec<_> = legs.collect();
    let plan = everybody(legs.as_slice(), at);
    drive(&frame, legs.as_mut_slice(), plan, |_, _| ()).await;
    frame.close();
    legs.iter_mut().map(|leg| returned(leg.value())).collect()
}

pub(crate) async fn try_two<C: Row, A, B, E: Debug>(
    cx: &Cx<C>,
    at: &'static Location<'static>,
    a: impl AsyncFnOnce(&mut Cx<C>) -> Res<A, E>,
    b: impl AsyncFnOnce(&mut Cx<C>) -> Res<B, E>,
) -> Res<(A, B), E> {
    let frame = Combinator::open(cx);
    let (first, second) = (frame.branch(), frame.branch());
    let (a, b) = (pin!(Some(first.body(a))), pin!(Some(second.body(b))));
    let mut legs = (Leg::new(&first, a, res), Leg::new(&second, b, res));
    let plan = everybody(&legs, at);
    let Driven { by, .. } = drive(&frame, &mut legs, plan, |_, _| ()).await;
    let result = match (legs.0.value(), legs.1.value()) {
        (Some(Ok(a)), Some(Ok(b))) => Ok((a, b)),
        (first, second) => {
            let (first, second) = (first.and_then(Result::err), second.and_then(Result::err));
            let (decisive, other) = if by == 0 { (first, second) } else { (second, first) };
            report(&frame, "try_join", at, other);
            Err(returned(decisive))
        }
    };
    frame.close();
    result
}

pub(crate) async fn try_all<C: Row, T, E: Debug, F>(
    cx: &Cx<C>,
    at: &'static Location<'static>,
    bodies: impl IntoIterator<Item = F>,
) -> Res<Vec<T>, E>
where
    F: AsyncFnOnce(&mut Cx<C>) -> Res<T, E>,
{
    let frame = Combinator::open(cx);
    let bodies: Vec<F> = bodies.into_iter().collect();
    if bodies.is_empty() {
        return Ok(Vec::new());
    }
    let branches: Vec<_> = bodies.iter().map(|_| frame.branch()).collect();
    let legs = branches
        .iter()
        .zip(bodies)
        .map(|(branch, body)| Leg::new(branch, Box::pin(Some(branch.body(body))), res));
    let mut legs: Vec<_> = legs.collect();
    let plan = everybody(legs.as_slice(), at);
    let Driven { by, .. } = drive(&frame, legs.as_mut_slice(), plan, |_, _| ()).await;
    let mut values = Vec::with_capacity(legs.len());
    let mut decisive = None;
    for (index, leg) in legs.iter_mut().enumerate() {
        match leg.value() {
            Some(Ok(value)) => values.push(value),
            Some(Err(stop)) if index == by => decisive = Some(stop),
            other => report(&frame, "try_join", at, other.and_then(Result::err)),
        }
    }
    frame.close();
    decisive.map_or(Ok(values), Err)
}

/// An error that came after the one that is returned. Cancellations are consequences of that.
pub(crate) fn report<C: Row, E: Debug>(
    frame: &Combinator<'_, C>,
    combinator: &'static str,
    at: &'static Location<'static>,
    stop: Option<Stop<E>>,
) {
    if let Some(Stop::Err(error)) = stop {
        let error = alloc::format!("{error:?}");
        frame.report(Report::BranchFailed { combinator, at, error })
    }
}
