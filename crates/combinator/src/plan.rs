//! [`Plan`]: a tree of joins, races, timeouts, retries and hedges as a value, which can be looked at before it is run.
//!
//! | file | what lives there |
//! |---|---|
//! | `worst` | how long it may take, what that is made of, how much runs at a time: [`WorstCase`] |
//! | `rewrite` | the same plan with less in it, by laws that keep its outcomes: [`Law`] |
//! | `run` | running it, with the combinators of this crate |
//! | `show` | as a tree of text |
//!
//! A plan yields a list: a leaf one value, a join or a sequence those of its parts in their order, everything else those of
//! the part that succeeded. That is what makes the laws hold: lists can be flattened, and `done`, which yields none, is
//! nobody's burden.
//!
//! Its bodies are kept and may be run again, so they own what they use; a combinator that is called directly may borrow.
//!
//! Not here: what the combinators do (`join`, `race`, `quorum`, `limit`, `hedge`).
mod rewrite;
mod run;
mod show;
mod worst;

pub use rewrite::{Law, Simplified};
pub use worst::{CriticalPath, Step, WorstCase};

use crate::Hedge;
use alloc::borrow::Cow;
use alloc::boxed::Box;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt::Debug;
use core::time::Duration;
use cx::{All, Row, Task};
use run::Body;
use types::{Error, Res};

/// What its author promises of a leaf. Nobody holds it to that but a timeout.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Estimate {
    takes: Option<Duration>,
    cleanup: Duration,
}

impl Estimate {
    /// It may take for ever; asked to stop it ends at once.
    pub const UNKNOWN: Estimate = Estimate { takes: None, cleanup: Duration::ZERO };

    /// It returns within this time, and what it spawned has ended by then; asked to stop it ends at once.
    pub const fn at_most(takes: Duration) -> Estimate {
        Estimate { takes: Some(takes), ..Estimate::UNKNOWN }
    }

    /// Asked to stop, it has ended within this time.
    #[must_use]
    pub const fn cleanup(self, cleanup: Duration) -> Estimate {
        Estimate { cleanup, ..self }
    }
}

/// A body with a name.
struct Leaf<T, E, C> {
    name: Cow<'static, str>,
    estimate: Estimate,
    body: Arc<dyn Body<T, E, C>>,
}

impl<T, E, C> Clone for Leaf<T, E, C> {
    fn clone(&self) -> Self {
        Leaf { name: self.name.clone(), estimate: self.estimate, body: self.body.clone() }
    }
}

enum Node<T, E, C> {
    /// Yields nothing, at once.
    Done,
    /// Waits for a request.
    Never,
    Leaf(Leaf<T, E, C>),
    /// One after another.
    Sequence(Vec<Node<T, E, C>>),
    Join(Vec<Node<T, E, C>>),
    Race(Vec<Node<T, E, C>>),
    FirstOk(Vec<Node<T, E, C>>),
    Timeout(Duration, Box<Node<T, E, C>>),
    Retry {
        attempts: u32,
        pause: Duration,
        of: Box<Node<T, E, C>>,
    },
    Hedge(Hedge, Vec<Node<T, E, C>>),
}

impl<T, E, C> Clone for Node<T, E, C> {
    fn clone(&self) -> Self {
        match self {
            Node::Done => Node::Done,
            Node::Never => Node::Never,
            Node::Leaf(leaf) => Node::Leaf(leaf.clone()),
            Node::Sequence(of) => Node::Sequence(of.clone()),
            Node::Join(of) => Node::Join(of.clone()),
            Node::Race(of) => Node::Race(of.clone()),
            Node::FirstOk(of) => Node::FirstOk(of.clone()),
            Node::Timeout(span, of) => Node::Timeout(*span, of.clone()),
            Node::Retry { attempts, pause, of } => {
                Node::Retry { attempts: *attempts, pause: *pause, of: of.clone() }
            }
            Node::Hedge(how, of) => Node::Hedge(*how, of.clone()),
        }
    }
}

/// See the module. Cheap to clone: bodies are shared.
///
/// ```
/// use asupersync_combinator::Hedge;
/// use asupersync_combinator::plan::{Estimate, Plan};
/// use core::time::Duration;
/// use time::TimeExt;
/// use types::Res;
///
/// const fn ms(n: u64) -> Duration {
///     Duration::from_millis(n)
/// }
///
/// fn ask(name: &'static str, takes: u64) -> Plan<usize> {
///     Plan::leaf(name, Estimate::at_most(ms(takes)), async move |cx: &mut cx::Cx| -> Res<usize> {
///         cx.sleep(ms(takes)).await?;
///         Ok(name.len())
///     })
/// }
///
/// let plan = Plan::join([
///     ask("account", 20),
///     Plan::hedge(Hedge::after(ms(10)), [ask("near", 40), ask("far", 60)]).timeout(ms(50)).retry(2, ms(5)),
/// ]);
/// assert_eq!(plan.worst_case().time, Some(ms(105)));
/// assert_eq!(plan.worst_case().runs, 5);
/// assert_eq!(plan.critical_path().to_string(), "2 attempts of [deadline of 50ms], 5ms apart: 105ms");
/// assert_eq!(
///     plan.to_string(),
///     "\
/// join
/// ├─ account (at most 20ms)
/// └─ retry, 2 attempts, 5ms apart
///    └─ timeout of 50ms
///       └─ hedge, another after 10ms
///          ├─ near (at most 40ms)
///          └─ far (at most 60ms)
/// "
/// );
///
/// let lab = lab::LabRuntime::new(lab::LabConfig::default());
/// let values = lab.run(|cx| async { plan.run(cx).await });
/// assert_eq!(values.unwrap(), [7, 4]);
/// assert!(lab.now() <= types::Time::ZERO + ms(105));
/// ```
pub struct Plan<T, E = Error, C = All> {
    node: Node<T, E, C>,
}

impl<T, E, C> Clone for Plan<T, E, C> {
    fn clone(&self) -> Self {
        Plan { node: self.node.clone() }
    }
}

impl<T, E, C: Row> Plan<T, E, C> {
    /// A body, which may be run any number of times: each run is one of a clone.
    pub fn leaf<F>(name: impl Into<Cow<'static, str>>, estimate: Estimate, body: F) -> Plan<T, E, C>
    where
        T: Send + 'static,
        E: Debug + Send + 'static,
        F: Task<Res<T, E>, C> + Clone + Sync,
    {
        Plan { node: Node::Leaf(Leaf { name: name.into(), estimate, body: Arc::new(body) }) }
    }

    /// Succeeds at once, with no value.
    pub fn done() -> Plan<T, E, C> {
        Plan { node: Node::Done }
    }

    /// Waits until it is asked to stop.
    pub fn never() -> Plan<T, E, C> {
        Plan { node: Node::Never }
    }

    /// One after another, until one fails. Of none it is [`Plan::done`].
    pub fn sequence(plans: impl IntoIterator<Item = Plan<T, E, C>>) -> Plan<T, E, C> {
        Plan { node: Node::Sequence(nodes(plans)) }
    }

    /// All at once, until one fails ([`try_join_all`](crate::CombineExt::try_join_all)). Of none it is [`Plan::done`].
    pub fn join(plans: impl IntoIterator<Item = Plan<T, E, C>>) -> Plan<T, E, C> {
        Plan { node: Node::Join(nodes(plans)) }
    }

    /// All at once, until one returns ([`race_all`](crate::CombineExt::race_all)). Of none it is [`Plan::never`].
    ///
    /// When the race itself is asked to stop, a part that ends for that has won nothing: another one's own value or failure is
    /// told, if there is any. So [`Plan::never`] changes no race, also then.
    pub fn race(plans: impl IntoIterator<Item = Plan<T, E, C>>) -> Plan<T, E, C> {
        Plan { node: Node::Race(nodes(plans)) }
    }

    /// All at once, until one succeeds ([`first_ok`](crate::CombineExt::first_ok)).
    ///
    /// # Panics
    /// If there are none: somebody has to say how it failed.
    #[track_caller]
    pub fn first_ok(plans: impl IntoIterator<Item = Plan<T, E, C>>) -> Plan<T, E, C> {
        let plans = nodes(plans);
        assert!(!plans.is_empty(), "a first success among no plans");
        Plan { node: Node::FirstOk(plans) }
    }

    /// The first; the next when it is late or has failed, and so on ([`hedge`](crate::ManyExt::hedge)).
    ///
    /// # Panics
    /// If there are none.
    #[track_caller]
    pub fn hedge(how: Hedge, plans: impl IntoIterator<Item = Plan<T, E, C>>) -> Plan<T, E, C> {
        let plans = nodes(plans);
        assert!(!plans.is_empty(), "a hedge among no plans");
        Plan { node: Node::Hedge(how, plans) }
    }

    /// Asked to stop when `span` has passed ([`timeout`](crate::CombineExt::timeout)).
    #[must_use]
    pub fn timeout(self, span: Duration) -> Plan<T, E, C> {
        Plan { node: Node::Timeout(span, Box::new(self.node)) }
    }

    /// Again when it has failed, or met a deadline of its own: so many attempts at most, so far apart.
    ///
    /// # Panics
    /// If `attempts` is 0.
    #[must_use]
    #[track_caller]
    pub fn retry(self, attempts: u32, pause: Duration) -> Plan<T, E, C> {
        assert!(attempts > 0, "no attempt at all");
        Plan { node: Node::Retry { attempts, pause, of: Box::new(self.node) } }
    }
}

fn nodes<T, E, C>(plans: impl IntoIterator<Item = Plan<T, E, C>>) -> Vec<Node<T, E, C>> {
    plans.into_iter().map(|plan| plan.node).collect()
}
