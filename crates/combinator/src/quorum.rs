//! `quorum` and `first_ok`: races in which a failure does not count.
//!
//! Not here: starting a second attempt only after a delay (hedging), or after a failure (retry).
use crate::drive::{Driven, Plan, Turns, drive};
use crate::leg::{Leg, res};
use crate::tally::Decision;
use alloc::boxed::Box;
use alloc::vec::Vec;
use core::ops::Deref;
use core::panic::Location;
use cx::{Combinator, Cx, Row};
use types::{Error, Res, Stop};

/// What a quorum came to: the values that were in time, in the order in which their bodies returned, and the
/// failures before it was decided.
///
/// It can be read as a slice of the values. Whether there are enough of them says [`Quorum::is_reached`];
/// [`Quorum::ok`] makes a result of it.
#[derive(Debug)]
#[must_use = "a quorum may not have been reached; `ok()?` says so"]
pub struct Quorum<T, E = Error> {
    values: Vec<T>,
    failures: Vec<Stop<E>>,
    needed: usize,
}

impl<T, E> Quorum<T, E> {
    /// Whether as many bodies succeeded as were needed.
    pub fn is_reached(&self) -> bool {
        self.values.len() == self.needed
    }

    /// The values, if there are enough of them.
    ///
    /// # Errors
    /// With the failure that put the quorum out of reach.
    pub fn ok(mut self) -> Res<Vec<T>, E> {
        match self.failures.pop() {
            Some(stop) if !self.is_reached() => Err(stop),
            _ => Ok(self.values),
        }
    }

    /// The values, enough or not.
    pub fn into_values(self) -> Vec<T> {
        self.values
    }

    /// The failures of bodies that returned before the quorum was decided, in order. What the others returned
    /// when they were asked to stop is not among them.
    pub fn failures(&self) -> &[Stop<E>] {
        &self.failures
    }
}

/// The values.
impl<T, E> Deref for Quorum<T, E> {
    type Target = [T];
    fn deref(&self) -> &[T] {
        &self.values
    }
}

impl<T, E> IntoIterator for Quorum<T, E> {
    type Item = T;
    type IntoIter = alloc::vec::IntoIter<T>;
    fn into_iter(self) -> Self::IntoIter {
        self.values.into_iter()
    }
}

impl<T: PartialEq<U>, U, E, const N: usize> PartialEq<[U; N]> for Quorum<T, E> {
    fn eq(&self, other: &[U; N]) -> bool {
        self.values == *other
    }
}

impl<T: PartialEq<U>, U, E> PartialEq<[U]> for Quorum<T, E> {
    fn eq(&self, other: &[U]) -> bool {
        self.values == *other
    }
}

pub(crate) async fn quorum<C: Row, T, E, F>(
    cx: &Cx<C>,
    at: &'static Location<'static>,
    needed: usize,
    bodies: impl IntoIterator<Item = F>,
) -> Quorum<T, E>
where
    F: AsyncFnOnce(&mut Cx<C>) -> Res<T, E>,
{
    let frame = Combinator::open(cx);
    let bodies: Vec<F> = bodies.into_iter().collect();
    assert!(
        needed <= bodies.len(),
        "a quorum of {needed} among {} branches at {at} is out of reach",
        bodies.len()
    );
    if needed == 0 {
        return Quorum { values: Vec::new(), failures: Vec::new(), needed };
    }
    let branches: Vec<_> = bodies.iter().map(|_| frame.branch()).collect();
    let legs = branches
        .iter()
        .zip(bodies)
        .map(|(branch, body)| Leg::new(branch, Box::pin(Some(branch.body(body))), res));
    let mut legs: Vec<_> = legs.collect();
    let mut order = Vec::with_capacity(legs.len());
    let plan = Plan { needed, race: true, turns: Turns::ROUND, at };
    drive(&frame, legs.as_mut_slice(), plan, |index, _| order.push(index)).await;
    frame.close();
    let (mut values, mut failures) = (Vec::with_capacity(needed), Vec::new());
    for result in order.into_iter().filter_map(|index| legs[index].value()) {
        match result {
            Ok(value) => values.push(value),
            Err(stop) => failures.push(stop),
        }
    }
    Quorum { values, failures, needed }
}

pub(crate) async fn first_ok<C: Row, T, E, F>(
    cx: &Cx<C>,
    at: &'static Location<'static>,
    bodies: impl IntoIterator<Item = F>,
) -> Res<T, E>
where
    F: AsyncFnOnce(&mut Cx<C>) -> Res<T, E>,
{
    let frame = Combinator::open(cx);
    let bodies: Vec<F> = bodies.into_iter().collect();
    assert!(!bodies.is_empty(), "`first_ok` at {at} has no branches, so none can succeed");
    let branches: Vec<_> = bodies.iter().map(|_| frame.branch()).collect();
    let legs = branches
        .iter()
        .zip(bodies)
        .map(|(branch, body)| Leg::new(branch, Box::pin(Some(branch.body(body))), res));
    let mut legs: Vec<_> = legs.collect();
    let mut first = None;
    let plan = Plan { needed: 1, race: true, turns: Turns::ROUND, at };
    let driven = drive(&frame, legs.as_mut_slice(), plan, |index, _| {
        first.get_or_insert(index);
    });
    let Driven { decision, by } = driven.await;
    frame.close();
    // If all have failed, the first failure is the one that tells most: the others had the same odds.
    let decisive = if decision == Decision::Won { by } else { first.unwrap_or(by) };
    legs[decisive].value().unwrap_or_else(|| unreachable!("every body has returned"))
}
