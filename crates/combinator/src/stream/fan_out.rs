//! One stream into channels: [`forward`] to one, [`round_robin`], [`by_key`], [`broadcast`].
//!
//! Each is a pump: an async function that runs until its source ends, wherever it is awaited: in a task of its own, or in a
//! branch of a `join` whose others receive. What it waits for is room in the bounded channels, so a receiver that is slow
//! slows the source down, and nothing piles up.
//!
//! An item is taken first, and then its room is waited for: a pump whose source is idle holds no room that others could use,
//! and none waits for one output while it holds room in another (`pump.no-hold-and-wait`). A pump that is cancelled meanwhile
//! gives the item back in [`Undelivered`] (`obligation.no-loss`). The source is borrowed: what was not taken stays in it.
//!
//! An output whose receiver is gone is left out from then on; a pump notices when it next has something for it. One that only
//! closed its channel refuses as well. Nothing is taken from the source for outputs that have all gone.
//!
//! The other way round, from many streams into one, is [`merge_all`](super::merge_all), or a channel whose sender is cloned.
use super::next::Next;
use alloc::vec::Vec;
use cx::{Cx, Row};
use sync::mpsc::{Permit, SendError, Sender, TryReserveError};
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
/// That of the channel's `send`.
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
        if open[turn].is_closed() {
            open.remove(turn);
            continue;
        }
        let item = match held.take() {
            Some(item) => item,
            None => match Next::new(source, cx).await {
                Ok(Some(item)) => item,
                Ok(None) => return Ok(()),
                Err(why) => return Err(Undelivered::Cancelled(None, why)),
            },
        };
        match open[turn].send(cx, item).await {
            Ok(()) => turn += 1,
            // What a receiver that has left does not take is for the next one.
            Err(SendError::Closed(item)) => {
                held = Some(item);
                open.remove(turn);
            }
            Err(SendError::Cancelled(item, why)) => return Err(cancelled(item, why)),
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
            Err(SendError::Cancelled(item, why)) => return Err(cancelled(item, why)),
        }
    }
}

/// A pump was asked to stop with an item in its hands.
fn cancelled<T>(item: T, why: Cancelled) -> Undelivered<T> {
    Undelivered::Cancelled(Some(item).filter(|_| !types::seeded!("fan-out.item-dropped")), why)
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
/// See [`Undelivered`]. Every output that is open has an item, or none has: there is room for it in all before it is sent to any.
///
/// # Cost
/// An obligation for each output and item (some 10 ns), besides the channel's.
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
    let mut permits = Vec::with_capacity(open.len());
    loop {
        open.retain(|output| !output.is_closed());
        if open.is_empty() {
            return Err(Undelivered::Closed(None));
        }
        let item = match Next::new(source, cx).await {
            Ok(Some(item)) => item,
            Ok(None) => return Ok(()),
            Err(why) => return Err(Undelivered::Cancelled(None, why)),
        };
        if let Err(why) = room_in_all(cx, &mut open, &mut permits).await {
            return Err(cancelled(item, why));
        }
        // The last one needs no clone.
        let last = permits.pop();
        let mut delivered = false;
        for permit in permits.drain(..) {
            delivered |= permit.send(item.clone()).is_delivered();
        }
        // An output that did not take it is found when room is asked for next; an item that none took comes back.
        let left = match last {
            Some(last) => last.send(item).into_undelivered(),
            None => Some(item),
        };
        if left.is_some() && !delivered {
            return Err(Undelivered::Closed(left));
        }
    }
}

/// Room in each of `outputs` at the same time; those that are closed are left out from now on. While one is waited for none
/// is held in another: two pumps that share outputs would wait for each other.
async fn room_in_all<'o, T, C: Row>(
    cx: &Cx<C>,
    outputs: &mut Vec<&'o Sender<T>>,
    permits: &mut Vec<Permit<'o, T>>,
) -> Result<(), Cancelled> {
    let mut full = 0;
    'all: while let Some(output) = outputs.get(full) {
        permits.clear();
        match output.reserve(cx).await {
            Ok(permit) => permits.push(permit),
            Err(WaitError::Closed) => {
                outputs.remove(full);
                full = 0;
                continue;
            }
            Err(WaitError::Cancelled(why)) => return Err(why),
        }
        for at in (0..outputs.len()).filter(|at| *at != full) {
            match outputs[at].try_reserve(cx) {
                Ok(permit) => permits.push(permit),
                // It is left out when it is waited for.
                Err(TryReserveError::Full | TryReserveError::Closed) => {
                    full = at;
                    continue 'all;
                }
            }
        }
        return Ok(());
    }
    Ok(())
}
