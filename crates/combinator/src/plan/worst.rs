//! [`WorstCase`]: how long a plan may take, by what its leaves promise, and what that is made of. Pure.
//!
//! `W` is the longest time until a node returns if nobody asks it to stop, `K` the longest from a request to its return;
//! both include what is drained. `W` may be unknown.
//!
//! | node | `W` | `K` |
//! |---|---|---|
//! | done, never | 0, unknown | 0 |
//! | leaf | as promised | as promised |
//! | sequence | sum | sum: each part may finish all the same |
//! | join, first ok | the largest `W + K` of a part | the largest |
//! | race | the smallest `W`, and the largest `K` | the largest |
//! | timeout of `d` | `W` where that is at most `d`, else `d + K` | `K` |
//! | retry | `W` of each attempt, and the pauses | `K` |
//! | hedge | the largest `start + W + K`, if each begins as late as it may | the largest |
//!
//! A part that is alone has no loser beside it: its `W` stands without a `K`. A part of a join that is asked to stop by a
//! sibling's failure is asked before its own `W` is over, so `W + K` bounds it.
//!
//! Not here: how long anything did take.
use super::{Node, Plan};
use alloc::borrow::Cow;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;
use core::time::Duration;

/// What a plan may take at worst, if nobody outside asks it to stop and its leaves keep their promises.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct WorstCase {
    /// Until it returns, everything that lost drained. `None`: nothing that is promised bounds it.
    pub time: Option<Duration>,
    /// From a request from outside until it has returned.
    pub cleanup: Duration,
    /// How many bodies are run, all attempts together; saturating.
    pub runs: u64,
    /// How many bodies run at a time; saturating.
    pub at_once: u64,
}

/// A part of the longest way through a plan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// A leaf's name, or what else takes time.
    pub what: Cow<'static, str>,
    /// How long, where that is known.
    pub takes: Option<Duration>,
}

/// What the worst case is made of: shorten one of these steps, or the plan's worst case stays what it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CriticalPath {
    /// In order. Their times add up to the worst case; where that is unknown, the first step of unknown length is the last.
    pub steps: Vec<Step>,
    /// The worst case.
    pub total: Option<Duration>,
}

impl fmt::Display for CriticalPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, step) in self.steps.iter().enumerate() {
            write!(f, "{}{}", if index > 0 { ", then " } else { "" }, step.what)?;
        }
        match self.total {
            Some(total) if self.steps.is_empty() => write!(f, "nothing: {total:?}"),
            Some(total) => write!(f, ": {total:?}"),
            None => f.write_str(": for ever, as far as anybody promises"),
        }
    }
}

/// A bound and what it is made of.
struct Bound {
    time: Option<Duration>,
    cleanup: Duration,
    runs: u64,
    at_once: u64,
    path: Vec<Step>,
}

impl<T, E, C> Plan<T, E, C> {
    /// See [`WorstCase`]. O(nodes), but O(n log n) for each of a hedge's.
    pub fn worst_case(&self) -> WorstCase {
        let Bound { time, cleanup, runs, at_once, .. } = bound(&self.node);
        WorstCase { time, cleanup, runs, at_once }
    }

    /// See [`CriticalPath`].
    pub fn critical_path(&self) -> CriticalPath {
        let Bound { time, path, .. } = bound(&self.node);
        CriticalPath { steps: path, total: time }
    }
}

/// A sum in which the unknown stays unknown.
fn plus(a: Option<Duration>, b: Option<Duration>) -> Option<Duration> {
    Some(a?.saturating_add(b?))
}

/// The later of two, where unknown is later than everything.
fn is_later(a: Option<Duration>, b: Option<Duration>) -> bool {
    match (a, b) {
        (None, b) => b.is_some(),
        (Some(_), None) => false,
        (Some(a), Some(b)) => a > b,
    }
}

fn step(what: impl Into<Cow<'static, str>>, takes: Option<Duration>) -> Step {
    Step { what: what.into(), takes }
}

/// The path of a part, and the clean-up beside or behind it.
fn and_cleanup(mut path: Vec<Step>, time: Option<Duration>, cleanup: Duration) -> Vec<Step> {
    if time.is_some() && !cleanup.is_zero() {
        path.push(step("clean-up", Some(cleanup)))
    }
    path
}

fn bound<T, E, C>(node: &Node<T, E, C>) -> Bound {
    let leaf = |time, cleanup, runs, path| Bound { time, cleanup, runs, at_once: runs, path };
    match node {
        Node::Done => leaf(Some(Duration::ZERO), Duration::ZERO, 0, Vec::new()),
        Node::Never => leaf(None, Duration::ZERO, 0, alloc::vec![step("never", None)]),
        Node::Leaf(super::Leaf { name, estimate, .. }) => {
            leaf(estimate.takes, estimate.cleanup, 1, alloc::vec![step(name.clone(), estimate.takes)])
        }
        Node::Sequence(of) => in_sequence(of.iter().map(bound)),
        Node::Join(of) => longest(of.iter().map(bound).collect(), &[]),
        Node::FirstOk(of) => longest(of.iter().map(bound).collect(), &[]),
        Node::Race(of) => shortest(of.iter().map(bound).collect()),
        Node::Timeout(span, of) => {
            let of = bound(of);
            if of.time.is_some_and(|time| time <= *span) {
                return of;
            }
            let deadline = alloc::vec![step(format!("deadline of {span:?}"), Some(*span))];
            let time = Some(span.saturating_add(of.cleanup));
            Bound { time, path: and_cleanup(deadline, time, of.cleanup), ..of }
        }
        Node::Retry { attempts: 1, of, .. } => bound(of),
        Node::Retry { attempts, pause, of } => {
            let of = bound(of);
            let pauses = pause.saturating_mul(attempts - 1);
            let time = of.time.map(|time| time.saturating_mul(*attempts).saturating_add(pauses));
            let inside: Vec<String> = of.path.iter().map(|step| step.what.clone().into_owned()).collect();
            let what = format!("{attempts} attempts of [{}], {pause:?} apart", inside.join(", then "));
            Bound {
                time,
                runs: of.runs.saturating_mul((*attempts).into()),
                path: alloc::vec![step(what, time)],
                ..of
            }
        }
        Node::Hedge(how, of) => {
            let of: Vec<Bound> = of.iter().map(bound).collect();
            let starts = starts(*how, &of);
            let mut at_once: Vec<u64> = of.iter().map(|bound| bound.at_once).collect();
            at_once.sort_unstable_by(|a, b| b.cmp(a));
            let at_once = at_once.into_iter().take(how.most()).fold(0, u64::saturating_add);
            Bound { at_once, ..longest(of, &starts) }
        }
    }
}

/// `K`.
pub(super) fn cleanup<T, E, C>(node: &Node<T, E, C>) -> Duration {
    bound(node).cleanup
}

fn in_sequence(parts: impl Iterator<Item = Bound>) -> Bound {
    let none =
        Bound { time: Some(Duration::ZERO), cleanup: Duration::ZERO, runs: 0, at_once: 0, path: Vec::new() };
    parts.fold(none, |mut whole, part| {
        if whole.time.is_some() {
            whole.path.extend(part.path)
        }
        Bound {
            time: plus(whole.time, part.time),
            cleanup: whole.cleanup.saturating_add(part.cleanup),
            runs: whole.runs.saturating_add(part.runs),
            at_once: whole.at_once.max(part.at_once),
            path: whole.path,
        }
    })
}

/// Parts side by side, without their times.
fn together(parts: &[Bound]) -> Bound {
    Bound {
        time: Some(Duration::ZERO),
        cleanup: parts.iter().map(|part| part.cleanup).max().unwrap_or_default(),
        runs: parts.iter().fold(0, |sum, part| sum.saturating_add(part.runs)),
        at_once: parts.iter().fold(0, |sum, part| sum.saturating_add(part.at_once)),
        path: Vec::new(),
    }
}

/// Until the last part is drained. `starts`: when each begins; none said is at once.
fn longest(parts: Vec<Bound>, starts: &[Option<Duration>]) -> Bound {
    let mut whole = together(&parts);
    let alone = parts.len() == 1;
    for (index, part) in parts.into_iter().enumerate() {
        let start = starts.get(index).copied().unwrap_or(Some(Duration::ZERO));
        let cleanup = if alone { Duration::ZERO } else { part.cleanup };
        let time = plus(plus(start, part.time), Some(cleanup));
        if is_later(time, whole.time) {
            let mut path = Vec::new();
            if start != Some(Duration::ZERO) {
                path.push(step(format!("{index} earlier attempts"), start))
            }
            if start.is_some() {
                path.extend(part.path)
            }
            whole.path = and_cleanup(path, time, cleanup);
            whole.time = time;
        }
    }
    whole
}

/// Until the first part has returned, and the others are drained.
fn shortest(parts: Vec<Bound>) -> Bound {
    let whole = together(&parts);
    let losers = if parts.len() > 1 { whole.cleanup } else { Duration::ZERO };
    let first = parts.into_iter().reduce(|a, b| if is_later(a.time, b.time) { b } else { a });
    let Some(first) = first else {
        return Bound { time: None, path: alloc::vec![step("never", None)], ..whole };
    };
    let time = plus(first.time, Some(losers));
    Bound { time, path: and_cleanup(first.path, time, losers), ..whole }
}

/// When each attempt of a hedge begins at the latest: `delay` after the last one, and when there is a seat. A failure only
/// makes it earlier, and no attempt that ends earlier makes another one later.
fn starts(how: crate::Hedge, of: &[Bound]) -> Vec<Option<Duration>> {
    let mut starts: Vec<Option<Duration>> = Vec::with_capacity(of.len());
    let mut ends: Vec<Option<Duration>> = Vec::with_capacity(of.len());
    for part in of {
        let mut start = match starts.last() {
            None => Some(Duration::ZERO),
            Some(last) => plus(*last, Some(how.delay())),
        };
        if ends.len() >= how.most() {
            // Unknown ends stand last.
            ends.sort_unstable_by_key(|end| (end.is_none(), *end));
            let seat = ends[ends.len() - how.most()];
            if is_later(seat, start) {
                start = seat
            }
        }
        starts.push(start);
        ends.push(plus(start, part.time));
    }
    starts
}
