//! One stream into channels: [`forward`] to one, [`round_robin`], [`by_key`], [`broadcast`].
//!
//! Each is a pump: an async function that runs until its source ends, wherever it is awaited: in a task of its own, or in a
//! branch of a `join` whose others receive. What it waits for is room in the bounded channels, so a receiver that is slow
//! slows the source down, and nothing piles up.
//!
//! Room is reserved before an item is taken, where the item does not decide whose room (all but [`by_key`]): a pump that is
//! cancelled has then nothing in its hands. Otherwise the item comes back in [`Undelivered`] (`obligation.no-loss`). The
//! source is borrowed: what was not taken stays in it. In return a pump learns only where there is room that its source has
//! ended.
//!
//! An output whose receiver is gone is left out from then on; a pump notices when it next has something for it. One that only
//! closed its channel refuses as well.
//!
//! The other way round, from many streams into one, is [`merge_all`](super::merge_all), or a channel whose sender is cloned.
use super::next::Next;
use alloc::vec::Vec;
use cx::{Cx, Row};
use sync::mpsc::{Permit, SendError, Sender};
use sync::{Closed, WaitError};
use types::{Cancelled, Stop, Stream};

/// Why a pump stopped before the end of its source, with the item it had taken, if it had.
#[derive(Debug)]
pub enum Undelivered<T> {
    /// Nobody receives any more (for [`by_key`]: what has this key).
    Closed(Option<T>),
    /// A cancellation was effective.
    Cancelled(Option<T>, Cancelled),
}

impl<T> Undelivered<T> {
    /// The item that was taken and not delivered.
    pub fn into_inner(self) -> Option<T> {
        match self {
            Undelivered::Closed(item) | Undelivered::Cancelled(item, _) => item,
        }
    }
}

impl<T> core::fmt::Display for Undelivered<T> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            Undelivered::Closed(_) => f.write_str("nobody receives any more"),
            Undelivered::Cancelled(_, cancelled) => cancelled.fmt(f),
        }
    }
}

impl<T, E: From<Closed>> From<Undelivered<T>> for Stop<E> {
    fn from(undelivered: Undelivered<T>) -> Stop<E> {
        match undelivered {
            Undelivered::Closed(_) => Stop::Err(Closed.into()),
            Undelivered::Cancelled(_, cancelled) => Stop::Cancelled(cancelled),
        }
    }
}

/// Sends the items of `source` to `output`, in order.
///
/// ```
/// use asupersync_combinator::stream;
/// use sync::mpsc;
///
/// # lab::LabRuntime::new(lab::LabConfig::default()).run(async |cx| {
/// let (tx, mut rx) = mpsc::channel(4);
/// stream::forward(cx, &mut stream::iter(1..=3), &tx).await.unwrap();
/// assert_eq!((rx.try_recv(), rx.len()), (Ok(1), 2));
/// # });
/// ```
///
/// # Errors
/// See [`Undelivered`].
///
/// # Cost
/// An obligation for each item, since room is held while the source is awaited (some 10 ns), besides the channel's.
pub async fn forward<S, C>(
    cx: &Cx<C>,
    source: &mut S,
    output: &Sender<S::Item>,
) -> Result<(), Undelivered<S::Item>>
where
    S: Stream + Unpin,
    C: Row,
{
    round_robin(cx, source, core::slice::from_ref(output)).await
}

/// Sends the first item to the first output, the second to the second, and so on, and then begins anew. Each output gets its
/// items in order; one that is full makes all wait, so that whose turn it is does not depend on the schedule.
///
/// ```
/// use asupersync_combinator::stream;
/// use sync::mpsc;
///
/// # lab::LabRuntime::new(lab::LabConfig::default()).run(async |cx| {
/// let (even, mut evens) = mpsc::channel(4);
/// let (odd, mut odds) = mpsc::channel(4);
/// stream::round_robin(cx, &mut stream::iter(0..4), &[even, odd]).await.unwrap();
/// assert_eq!((evens.try_recv(), evens.try_recv()), (Ok(0), Ok(2)));
/// assert_eq!((odds.try_recv(), odds.try_recv()), (Ok(1), Ok(3)));
/// # });
/// ```
///
/// # Errors
/// See [`Undelivered`].
///
/// # Cost
/// As [`forward`].
pub async fn round_robin<S, C>(
    cx: &Cx<C>,
    source: &mut S,
    outputs: &[Sender<S::Item>],
) -> Result<(), Undelivered<S::Item>>
where
    S: Stream + Unpin,
    C: Row,
{
    let mut open: Vec<_> = outputs.iter().collect();
    let mut held = None;
    let mut turn = 0;
    while !open.is_empty() {
        turn = if turn < open.len() { turn } else { 0 };
        let permit = match open[turn].reserve(cx).await {
            Ok(permit) => permit,
            Err(WaitError::Closed) => {
                open.remove(turn);
                continue;
            }
            Err(WaitError::Cancelled(why)) => return Err(Undelivered::Cancelled(held, why)),
        };
        let item = match held.take() {
            Some(item) => item,
            None => match Next::new(source, cx).await {
                Ok(Some(item)) => item,
                Ok(None) => return Ok(()),
                Err(why) => return Err(Undelivered::Cancelled(None, why)),
            },
        };
        // What a receiver that has left meanwhile does not take is for the next one.
        held = permit.send(item).into_undelivered();
        if held.is_some() {
            open.remove(turn);
        } else {
            turn += 1
        }
    }
    Err(Undelivered::Closed(held))
}

/// Sends each item to the output that `key` says, modulo how many there are. The items of one key keep their order; an output
/// that is full makes all wait.
///
/// ```
/// use asupersync_combinator::stream;
/// use sync::mpsc;
///
/// # lab::LabRuntime::new(lab::LabConfig::default()).run(async |cx| {
/// let (short, mut shorts) = mpsc::channel(4);
/// let (long, mut longs) = mpsc::channel(4);
/// let mut words = stream::iter(["a", "bcd", "e"]);
/// stream::by_key(cx, &mut words, &[short, long], |word| usize::from(word.len() > 2)).await.unwrap();
/// assert_eq!((shorts.try_recv(), shorts.try_recv()), (Ok("a"), Ok("e")));
/// assert_eq!(longs.try_recv(), Ok("bcd"));
/// # });
/// ```
///
/// # Errors
/// See [`Undelivered`]: closed as soon as there is an item for an output that is closed, and cancelled with the item while
/// its output is full.
///
/// # Panics
/// If there are no outputs.
pub async fn by_key<S, C>(
    cx: &Cx<C>,
    source: &mut S,
    outputs: &[Sender<S::Item>],
    mut key: impl FnMut(&S::Item) -> usize,
) -> Result<(), Undelivered<S::Item>>
where
    S: Stream + Unpin,
    C: Row,
{
    assert!(!outputs.is_empty(), "items cannot be sent by key to no outputs");
    loop {
        let item = match Next::new(source, cx).await {
            Ok(Some(item)) => item,
            Ok(None) => return Ok(()),
            Err(why) => return Err(Undelivered::Cancelled(None, why)),
        };
        let output = &outputs[key(&item) % outputs.len()];
        match output.send(cx, item).await {
            Ok(()) => {}
            Err(SendError::Closed(item)) => return Err(Undelivered::Closed(Some(item))),
            Err(SendError::Cancelled(item, why)) => {
                let held = Some(item).filter(|_| !types::seeded!("fan-out.item-dropped"));
                return Err(Undelivered::Cancelled(held, why));
            }
        }
    }
}

/// Sends a clone of each item to every output. An output that is full makes all wait: no receiver misses anything. For
/// receivers that may lag see `sync::broadcast`.
///
/// ```
/// use asupersync_combinator::stream;
/// use sync::mpsc;
///
/// # lab::LabRuntime::new(lab::LabConfig::default()).run(async |cx| {
/// let (left, mut lefts) = mpsc::channel(4);
/// let (right, mut rights) = mpsc::channel(4);
/// stream::broadcast(cx, &mut stream::iter([7]), &[left, right]).await.unwrap();
/// assert_eq!((lefts.try_recv(), rights.try_recv()), (Ok(7), Ok(7)));
/// # });
/// ```
///
/// # Errors
/// See [`Undelivered`]. Every output that is open has an item, or none has: room for it is reserved in all before it is taken.
///
/// # Cost
/// As [`forward`], for each output.
pub async fn broadcast<S, C>(
    cx: &Cx<C>,
    source: &mut S,
    outputs: &[Sender<S::Item>],
) -> Result<(), Undelivered<S::Item>>
where
    S: Stream + Unpin,
    S::Item: Clone,
    C: Row,
{
    let mut open: Vec<_> = outputs.iter().collect();
    let mut permits: Vec<Permit<'_, S::Item>> = Vec::with_capacity(open.len());
    loop {
        let mut at = 0;
        while let Some(output) = open.get(at) {
            match output.reserve(cx).await {
                Ok(permit) => {
                    permits.push(permit);
                    at += 1
                }
                Err(WaitError::Closed) => drop(open.remove(at)),
                Err(WaitError::Cancelled(why)) => return Err(Undelivered::Cancelled(None, why)),
            }
        }
        if permits.is_empty() {
            return Err(Undelivered::Closed(None));
        }
        let item = match Next::new(source, cx).await {
            Ok(Some(item)) => item,
            Ok(None) => return Ok(()),
            Err(why) => return Err(Undelivered::Cancelled(None, why)),
        };
        // The last one needs no clone.
        let last = permits.pop();
        let mut delivered = false;
        for permit in permits.drain(..) {
            delivered |= permit.send(item.clone()).is_delivered();
        }
        // An output that did not take it is found when room is asked for next; an item that none took comes back.
        let left = last.and_then(|last| last.send(item).into_undelivered());
        if left.is_some() && !delivered {
            return Err(Undelivered::Closed(left));
        }
    }
}
