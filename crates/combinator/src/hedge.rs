//! `hedge`: the same question again, to somebody else, when the answer is late.
//!
//! ```text
//! first attempt ──▶ ......................... the first success wins, the others are drained
//!            delay └▶ second attempt ──▶ ....
//!                                delay └▶ third ..
//! ```
//! The next attempt begins when `delay` has passed since the last one began, or at once when one has failed; never more
//! than so many at a time. (Dean and Barroso, *The Tail at Scale*, 2013: a second request after the 95th percentile of
//! latency costs 5 % more requests and takes most of the tail away. The order of attempts, the delay and what a failure
//! does are those of RFC 8305, "happy eyeballs".)
//!
//! Laws, tested over all schedules (`tests/hedges.rs`): of one attempt it is that attempt; with a delay of zero and no limit
//! it is `first_ok`; with a delay without end it tries one after another; nobody is abandoned.
//!
//! Not here: another attempt after a failure and a pause (`retry`).
use crate::crowd::{After, Next, crowd, start};
use crate::leg::res;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::panic::Location;
use core::task::{Context, Poll};
use core::time::Duration;
use cx::{Branch, Combinator, Cx, MayTime};
use types::Res;

/// When the next attempt begins, and how many there may be at a time.
///
/// ```
/// use asupersync_combinator::Hedge;
/// use core::time::Duration;
///
/// let millis: Vec<Duration> = (1..=100).map(Duration::from_millis).collect();
/// let hedge = Hedge::at_percentile(&millis, 95).unwrap().at_most(2);
/// assert_eq!(hedge.delay(), Duration::from_millis(95));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Hedge {
    delay: Duration,
    at_most: usize,
}

impl Hedge {
    /// The next attempt begins when the last one has taken this long. Any number at a time.
    pub const fn after(delay: Duration) -> Hedge {
        Hedge { delay, at_most: usize::MAX }
    }

    /// As [`Hedge::after`], with the delay within which `percent` of these attempts were answered (nearest rank). `None`
    /// without samples.
    ///
    /// # Panics
    /// If `percent` is 0 or more than 100.
    ///
    /// # Cost
    /// One allocation, and sorting what it holds.
    #[track_caller]
    pub fn at_percentile(samples: &[Duration], percent: u8) -> Option<Hedge> {
        assert!((1..=100).contains(&percent), "a percentile is one of 1 to 100, not {percent}");
        let mut sorted: Vec<Duration> = samples.to_vec();
        sorted.sort_unstable();
        // In u128 it cannot overflow, and the rank is at most the number of samples.
        let rank = (sorted.len() as u128 * u128::from(percent)).div_ceil(100) as usize;
        sorted.get(rank.checked_sub(1)?).map(|delay| Hedge::after(*delay))
    }

    /// No more than `attempts` at a time: a further one begins when one has ended.
    ///
    /// # Panics
    /// If that is 0.
    #[must_use]
    #[track_caller]
    pub const fn at_most(self, attempts: usize) -> Hedge {
        assert!(attempts > 0, "a hedge without attempts has no answer");
        Hedge { at_most: attempts, ..self }
    }

    /// How long the next attempt waits for the last one.
    pub const fn delay(&self) -> Duration {
        self.delay
    }

    /// How many attempts there may be at a time.
    pub const fn most(&self) -> usize {
        self.at_most
    }
}

pub(crate) async fn hedge<C: MayTime, T, E, F>(
    cx: &Cx<C>,
    at: &'static Location<'static>,
    how: Hedge,
    attempts: impl IntoIterator<Item = F>,
) -> Res<T, E>
where
    F: AsyncFnOnce(&mut Cx<C>) -> Res<T, E>,
{
    let frame = Combinator::open(cx);
    // A list: an iterator that is kept across an await, and makes closures that borrow, costs a task its `Send`.
    let mut attempts = attempts.into_iter().collect::<Vec<F>>().into_iter();
    let mut last: Option<Arc<Branch<'_, C>>> = None;
    let mut failures_then = 0;
    let next = |context: &Context<'_>, failures| {
        if let Some(last) = &last {
            if failures == failures_then && last.poll_deadline(context) == Poll::Pending {
                return Next::Later;
            }
            // Whoever was asked to stop asks nobody else, also if it is late with that.
            if cx.checkpoint().is_err() {
                return Next::Done;
            }
        }
        let Some(attempt) = attempts.next() else { return Next::Done };
        failures_then = failures;
        let begins = start(&frame, cx.now().saturating_add(how.delay), attempt);
        last = Some(begins.branch.clone());
        Next::Begin(begins)
    };
    let mut first = None;
    let returned = |place, success| {
        if success {
            return After::Won;
        }
        first.get_or_insert(place);
        After::GoOn
    };
    let mut values = Vec::new();
    let finished = |place, value: Res<T, E>| values.push((place, value));
    let by = crowd(&frame, at, how.at_most, res, next, returned, finished).await;
    drop(last);
    frame.close();
    // If all have failed, the first failure is the one that tells most: the others had the same odds.
    let decisive =
        by.or(first).unwrap_or_else(|| panic!("the hedge at {at} has no attempts, so none can succeed"));
    let value = values.into_iter().find(|(place, _)| *place == decisive);
    value.map_or_else(|| unreachable!("the body that decided has returned"), |(_, value)| value)
}
