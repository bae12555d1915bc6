//! [`Plan::simplified`]: the same plan with less in it. Pure.
//!
//! Invariant `plan.same-outcomes`: whatever the schedule, a rewritten plan ends in what the original may end in, and in
//! nothing else: the values, the failure, or the kind of the cancellation. A test runs random plans and their rewritten
//! forms over all schedules and compares (`tests/plans.rs`).
//!
//! What looks like a law and is none:
//! - a race in a race is not always one race: the inner one returns when its losers have cleaned up, and meanwhile another
//!   may win the outer one; and in a join in a join the inner failure may come second. So they are made one only where
//!   everybody inside ends at once when asked, by what is promised ([`Estimate`](super::Estimate));
//! - a `first_ok` in a `first_ok` tells another failure, if all fail (that of the inner one comes late);
//! - a timeout that is longer than its leaf's estimate: that is a promise, and timeouts are there for broken ones;
//! - attempts of a retry that a deadline above leaves no time for: without them it fails at once, and not at the deadline;
//! - a race with `done` is not `done`: another part may be first in the same poll.
use super::{Node, Plan, worst};
use alloc::boxed::Box;
use alloc::vec;
use alloc::vec::Vec;
use core::fmt;
use core::time::Duration;

/// A law by which a plan was rewritten.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Law {
    /// A sequence in a sequence, a join in a join, a race in a race: one. The latter two if their parts end at once when asked.
    Flatten,
    /// A sequence, join, race, first success or hedge of one part, or one attempt: that part.
    Alone,
    /// `done` in a join or sequence adds nothing; a join or sequence of none is `done`.
    DoneAddsNothing,
    /// `never` in a race wins nothing; a race of none is `never`.
    NeverWinsNothing,
    /// A timeout of a timeout: the shorter one.
    ShorterTimeout,
    /// A timeout that is longer than one around it never passes.
    OuterTimeoutFirst,
    /// What does not wait, or never ends by itself, needs no timeout, or no further attempt: `done` under a timeout, `done`
    /// or `never` under a retry.
    NothingToLimit,
    /// A retry of a retry with the same pause: one, with all their attempts.
    RetryOfRetry,
    /// What comes in a sequence after a part that cannot succeed never begins.
    AfterTheEnd,
}

impl fmt::Display for Law {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Law::Flatten => "one in another of its kind is one",
            Law::Alone => "of one part it is that part",
            Law::DoneAddsNothing => "done adds nothing",
            Law::NeverWinsNothing => "never wins nothing",
            Law::ShorterTimeout => "of two timeouts the shorter one",
            Law::OuterTimeoutFirst => "a longer timeout inside a shorter one never passes",
            Law::NothingToLimit => "there is nothing to limit or to repeat",
            Law::RetryOfRetry => "attempts of attempts are attempts",
            Law::AfterTheEnd => "what cannot begin is left out",
        })
    }
}

/// A rewritten plan, and by which laws.
#[derive(Clone)]
pub struct Simplified<T, E, C> {
    /// The plan.
    pub plan: Plan<T, E, C>,
    /// Each time that a law was applied, from the leaves up.
    pub laws: Vec<Law>,
}

impl<T, E, C> fmt::Debug for Simplified<T, E, C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Simplified").field("plan", &self.plan).field("laws", &self.laws).finish()
    }
}

impl<T, E, C> Plan<T, E, C> {
    /// The plan with less in it, by laws that keep its outcomes ([`Law`]). Rewriting it once more changes nothing.
    #[must_use]
    pub fn simplified(&self) -> Simplified<T, E, C> {
        let mut laws = Vec::new();
        let mut node = self.node.clone();
        loop {
            let before = laws.len();
            node = rewritten(node, None, &mut laws);
            if laws.len() == before {
                return Simplified { plan: Plan { node }, laws };
            }
        }
    }
}

/// `within`: the shortest timeout around.
fn rewritten<T, E, C>(node: Node<T, E, C>, within: Option<Duration>, laws: &mut Vec<Law>) -> Node<T, E, C> {
    let each = |of: Vec<Node<T, E, C>>, laws: &mut Vec<Law>| -> Vec<Node<T, E, C>> {
        of.into_iter().map(|node| rewritten(node, within, laws)).collect()
    };
    match node {
        Node::Done | Node::Never | Node::Leaf(_) => node,
        Node::Sequence(of) => {
            let flat = flat(each(of, laws), laws, |node| match node {
                Node::Sequence(of) => Ok(of),
                node => Err(node),
            });
            let mut parts = without(flat, laws, Law::DoneAddsNothing, |node| matches!(node, Node::Done));
            if let Some(last) = parts.iter().position(is_barren)
                && last + 1 < parts.len()
            {
                parts.truncate(last + 1);
                laws.push(Law::AfterTheEnd);
            }
            alone(parts, Node::Done, Law::DoneAddsNothing, laws, Node::Sequence)
        }
        Node::Join(of) => {
            let flat = flat(each(of, laws), laws, |node| match node {
                Node::Join(of) if ends_at_once(&of) => Ok(of),
                node => Err(node),
            });
            let parts = without(flat, laws, Law::DoneAddsNothing, |node| matches!(node, Node::Done));
            alone(parts, Node::Done, Law::DoneAddsNothing, laws, Node::Join)
        }
        Node::Race(of) => {
            let flat = flat(each(of, laws), laws, |node| match node {
                Node::Race(of) if ends_at_once(&of) => Ok(of),
                node => Err(node),
            });
            let parts = without(flat, laws, Law::NeverWinsNothing, |node| matches!(node, Node::Never));
            alone(parts, Node::Never, Law::NeverWinsNothing, laws, Node::Race)
        }
        Node::FirstOk(of) => one(each(of, laws), laws, Node::FirstOk),
        Node::Hedge(how, of) => one(each(of, laws), laws, |of| Node::Hedge(how, of)),
        Node::Timeout(span, of) => timeout(span, *of, within, laws),
        Node::Retry { attempts, pause, of } => match rewritten(*of, within, laws) {
            of if attempts == 1 => {
                laws.push(Law::Alone);
                of
            }
            of @ (Node::Done | Node::Never) => {
                laws.push(Law::NothingToLimit);
                of
            }
            Node::Retry { attempts: inner, pause: same, of }
                if same == pause && inner.checked_mul(attempts).is_some() =>
            {
                laws.push(Law::RetryOfRetry);
                Node::Retry { attempts: inner * attempts, pause, of }
            }
            of => Node::Retry { attempts, pause, of: Box::new(of) },
        },
    }
}

fn timeout<T, E, C>(
    span: Duration,
    of: Node<T, E, C>,
    within: Option<Duration>,
    laws: &mut Vec<Law>,
) -> Node<T, E, C> {
    // At the same instant the inner one would be first, and a retry between them would see it.
    if within.is_some_and(|around| around < span) {
        laws.push(Law::OuterTimeoutFirst);
        return rewritten(of, within, laws);
    }
    match of {
        Node::Timeout(inner, of) => {
            laws.push(Law::ShorterTimeout);
            let span = if types::seeded!("plan.longer-timeout") { span.max(inner) } else { span.min(inner) };
            Node::Timeout(span, of)
        }
        of => match rewritten(of, Some(span), laws) {
            Node::Done => {
                laws.push(Law::NothingToLimit);
                Node::Done
            }
            of => Node::Timeout(span, Box::new(of)),
        },
    }
}

/// Whether it cannot succeed.
fn is_barren<T, E, C>(node: &Node<T, E, C>) -> bool {
    match node {
        Node::Done | Node::Leaf(_) => false,
        Node::Never => true,
        Node::Sequence(of) | Node::Join(of) => of.iter().any(is_barren),
        Node::Race(of) | Node::FirstOk(of) | Node::Hedge(_, of) => of.iter().all(is_barren),
        Node::Timeout(_, of) | Node::Retry { of, .. } => is_barren(of),
    }
}

/// Whether those who are asked to stop keep nobody waiting, by what is promised.
fn ends_at_once<T, E, C>(parts: &[Node<T, E, C>]) -> bool {
    types::seeded!("plan.flattens-whoever-cleans-up")
        || parts.iter().all(|part| worst::cleanup(part).is_zero())
}

/// Parts of the same kind are taken apart.
fn flat<T, E, C>(
    parts: Vec<Node<T, E, C>>,
    laws: &mut Vec<Law>,
    apart: impl Fn(Node<T, E, C>) -> Result<Vec<Node<T, E, C>>, Node<T, E, C>>,
) -> Vec<Node<T, E, C>> {
    let each = parts.into_iter().flat_map(|node| match apart(node) {
        Ok(inner) => {
            laws.push(Law::Flatten);
            inner
        }
        Err(node) => vec![node],
    });
    each.collect()
}

fn without<T, E, C>(
    mut parts: Vec<Node<T, E, C>>,
    laws: &mut Vec<Law>,
    law: Law,
    unit: impl Fn(&Node<T, E, C>) -> bool,
) -> Vec<Node<T, E, C>> {
    parts.retain(|node| {
        let goes = unit(node);
        if goes {
            laws.push(law)
        }
        !goes
    });
    parts
}

/// Of no part it is the unit, of one that part.
fn alone<T, E, C>(
    parts: Vec<Node<T, E, C>>,
    unit: Node<T, E, C>,
    law: Law,
    laws: &mut Vec<Law>,
    many: impl FnOnce(Vec<Node<T, E, C>>) -> Node<T, E, C>,
) -> Node<T, E, C> {
    if parts.is_empty() {
        laws.push(law);
        return unit;
    }
    one(parts, laws, many)
}

fn one<T, E, C>(
    mut parts: Vec<Node<T, E, C>>,
    laws: &mut Vec<Law>,
    many: impl FnOnce(Vec<Node<T, E, C>>) -> Node<T, E, C>,
) -> Node<T, E, C> {
    match parts.pop() {
        Some(part) if parts.is_empty() => {
            laws.push(Law::Alone);
            part
        }
        last => {
            parts.extend(last);
            many(parts)
        }
    }
}
