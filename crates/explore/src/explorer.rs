//! [`Explorer`]: runs one execution of each class, exhaustively, whichever way that is done ([`Reduction`]).
//!
//! ```text
//!                 ┌── parsimonious ── a step that nobody foresaw ──▶ from the beginning
//! first execution ┤                                                          │
//!                 └── wakeup trees ◀────────────────────────────────────────┘
//! ```
//! Invariants:
//! - `explorer.one-first`: both see the first execution, so that a program which only wakeup trees can explore, as nearly
//!   all such programs show at once, costs no execution more.
//! - `explorer.counts`: an exploration that begins again has repeated what it had run, and says so.
//!
//! Not here: the algorithms (`dpor`, `dpor/parsimonious`).

use crate::dpor::parsimonious::Parsimonious;
use crate::dpor::{Counts, Trees};
use crate::fingerprint::Fingerprint;
use crate::scheduler::{Ended, Point, Scheduler, Step};
use crate::script::Unrepeatable;
use trace::Choice;

/// How the executions that would only repeat others are kept out. Both are complete and, for steps of one announced operation
/// each, optimal: as many executions as there are classes.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub enum Reduction {
    /// Each race is reversed once, and nothing is remembered about what was explored (Abdulla, Atig, Das, Jonsson, Sagonas,
    /// "Parsimonious optimal dynamic partial order reduction", CAV 2024). Memory is polynomial in the length of an execution,
    /// and parts that were split off stay optimal. Where a program has other steps than it can take, wakeup trees take
    /// over.
    #[default]
    Parsimonious,
    /// Wakeup trees and sleep sets (Abdulla, Aronis, Jonsson, Sagonas, JACM 64(4), 2017). Their memory may be exponential in
    /// the length of an execution. Takes steps of any kind; from the first that does several operations or was not
    /// announced on, some executions may only repeat others.
    WakeupTrees,
}

/// Explores all schedules of a program, one of each class. Use it as a [`crate::Scheduler`] of one execution after
/// the other, as long as [`Explorer::next_execution`] says so.
///
/// Costs: per execution, one comparison for each candidate of the part that repeats the one before; vector clocks and
/// races for the rest. Memory: see [`Reduction`], and [`Explorer::most_stored`].
///
/// ```
/// use asupersync_explore::{Explorer, mini};
///
/// let program = mini::Program::parse("Wx=1;Ry || Wy=1;Rx").unwrap();
/// let mut machine = mini::Machine::new(&program);
/// let mut explorer = Explorer::new();
/// while explorer.next_execution() {
///     machine.run(&mut explorer);
/// }
/// assert_eq!(explorer.counts().explored, 3);
/// ```
#[derive(Clone, Debug)]
pub struct Explorer {
    engine: Engine,
    order: Option<u64>,
    branching: Vec<Choice>,
    limit: Option<usize>,
    /// What was done before it began again.
    before: Counts,
    most_stored: usize,
    /// Parts that were given away and not joined, of a parsimonious exploration.
    outstanding: u32,
    is_part: bool,
}

#[derive(Clone, Debug)]
enum Engine {
    /// In the first execution: trees decide, and it is seen whether they are needed.
    Both(Box<Trees>, Box<Parsimonious>),
    Trees(Box<Trees>),
    Parsimonious(Box<Parsimonious>),
}

impl Default for Explorer {
    fn default() -> Explorer {
        Explorer::new()
    }
}

impl Explorer {
    /// An exploration that begins.
    #[must_use]
    pub fn new() -> Explorer {
        Explorer {
            engine: Engine::both(None, &[], None),
            order: None,
            branching: Vec::new(),
            limit: None,
            before: Counts::default(),
            most_stored: 0,
            outstanding: 0,
            is_part: false,
        }
    }

    /// How to keep out what would only repeat something. To be said before the first execution, as all that follows up to
    /// [`Explorer::with_planned_steps`].
    #[must_use]
    pub fn reduction(mut self, reduction: Reduction) -> Explorer {
        self.engine = match reduction {
            Reduction::Parsimonious => Engine::both(self.order, &self.branching, self.limit),
            Reduction::WakeupTrees => self.trees(),
        };
        self
    }

    /// Where the algorithm is free which candidate to try first, a random one instead of production's. The same classes
    /// are explored, in another order.
    #[must_use]
    pub fn in_random_order(mut self, seed: u64) -> Explorer {
        self.order = Some(seed);
        self.again()
    }

    /// Decisions of this kind inside steps branch: each answer is explored. Otherwise the usual one is given.
    #[must_use]
    pub fn branch_on(mut self, what: Choice) -> Explorer {
        self.branching.push(what);
        self.again()
    }

    /// Wakeup trees hold at most so many steps at one time, instead of 4 million; beyond it, plans are cut short: nothing is
    /// missed, but some executions may only repeat others.
    #[must_use]
    pub fn with_planned_steps(mut self, limit: usize) -> Explorer {
        self.limit = Some(limit);
        self.again()
    }

    fn again(self) -> Explorer {
        let reduction = match self.engine {
            Engine::Trees(_) => Reduction::WakeupTrees,
            _ => Reduction::Parsimonious,
        };
        self.reduction(reduction)
    }

    fn trees(&self) -> Engine {
        Engine::Trees(Box::new(Trees::new(self.order, &self.branching, self.limit)))
    }

    /// What was done so far.
    #[must_use]
    pub fn counts(&self) -> Counts {
        let mut counts = self.before;
        counts.add(match &self.engine {
            Engine::Both(trees, _) | Engine::Trees(trees) => trees.counts(),
            Engine::Parsimonious(parsimonious) => parsimonious.counts(),
        });
        counts
    }

    /// The first thing in which a repeated decision led to something else, after which there is no next execution.
    #[must_use]
    pub fn divergence(&self) -> Option<&Unrepeatable> {
        match &self.engine {
            Engine::Both(trees, _) | Engine::Trees(trees) => trees.divergence(),
            Engine::Parsimonious(parsimonious) => parsimonious.divergence(),
        }
    }

    /// The class of the execution that ended, until the next begins. Costs a pass over its steps.
    #[must_use]
    pub fn fingerprint(&self) -> Fingerprint {
        match &self.engine {
            Engine::Both(trees, _) | Engine::Trees(trees) => trees.fingerprint(),
            Engine::Parsimonious(parsimonious) => parsimonious.fingerprint(),
        }
    }

    /// The same by the Foata normal form: another number for the same class.
    #[must_use]
    pub fn foata(&self) -> Fingerprint {
        match &self.engine {
            Engine::Both(trees, _) | Engine::Trees(trees) => trees.foata(),
            Engine::Parsimonious(parsimonious) => parsimonious.foata(),
        }
    }

    /// Whether the exploration has been optimal so far: each step did one operation, and had announced it. If not, it is
    /// complete all the same, but some executions may only repeat others.
    #[must_use]
    pub fn is_optimal(&self) -> bool {
        match &self.engine {
            Engine::Both(trees, _) | Engine::Trees(trees) => {
                trees.is_exact() && self.before == Counts::default()
            }
            Engine::Parsimonious(parsimonious) => parsimonious.is_exact(),
        }
    }

    /// How much is stored at the moment besides the execution itself: planned steps and what has to be known about them,
    /// in numbers or steps of a few words each.
    #[must_use]
    pub fn stored(&self) -> usize {
        match &self.engine {
            Engine::Both(trees, _) | Engine::Trees(trees) => trees.stored(),
            Engine::Parsimonious(parsimonious) => parsimonious.stored(),
        }
    }

    /// The most that [`Explorer::stored`] has been.
    #[must_use]
    pub fn most_stored(&self) -> usize {
        let most = match &self.engine {
            Engine::Both(trees, _) | Engine::Trees(trees) => trees.most_stored(),
            Engine::Parsimonious(parsimonious) => parsimonious.most_stored(),
        };
        most.max(self.most_stored)
    }

    /// How many steps the execution that ended had, the world's own included.
    #[must_use]
    pub fn steps(&self) -> usize {
        match &self.engine {
            Engine::Both(trees, _) | Engine::Trees(trees) => trees.steps(),
            Engine::Parsimonious(parsimonious) => parsimonious.steps(),
        }
    }

    /// How many branches are planned at each level of the tree of executions, on the way to the one that is to run next,
    /// from the root, without the one it takes: what [`crate::Survey`] asks for.
    pub fn planned_branches(&self) -> impl Iterator<Item = u64> {
        let (trees, parsimonious) = match &self.engine {
            Engine::Both(trees, _) | Engine::Trees(trees) => (Some(trees.planned_branches()), None),
            Engine::Parsimonious(parsimonious) => (None, Some(parsimonious.planned_branches())),
        };
        trees.into_iter().flatten().chain(parsimonious.into_iter().flatten())
    }

    /// Which branch is taken at each of these levels by the execution that ended: the other thing it asks for.
    #[must_use]
    pub fn path(&self) -> Vec<u64> {
        match &self.engine {
            Engine::Both(trees, _) | Engine::Trees(trees) => trees.path().collect(),
            Engine::Parsimonious(parsimonious) => parsimonious.path().collect(),
        }
    }

    /// Whether there is another execution to run; the scheduler is ready for it then. The execution before must have
    /// ended or been given up; one that was broken off counts as given up. If there is none, there may be again after the
    /// next [`Explorer::join`], if [`Explorer::is_waiting`].
    pub fn next_execution(&mut self) -> bool {
        match &mut self.engine {
            Engine::Both(trees, parsimonious) => {
                let (another, other) = (trees.next_execution(), parsimonious.next_execution());
                if another && !other {
                    // The first execution was broken off, and has left something to do.
                    self.engine = Engine::Trees(trees.clone());
                }
                another
            }
            Engine::Trees(trees) => trees.next_execution(),
            Engine::Parsimonious(parsimonious) => {
                let another = parsimonious.next_execution();
                if another || parsimonious.is_exact() || parsimonious.divergence().is_some() || self.is_part {
                    return another;
                }
                self.begin_again();
                self.next_execution()
            }
        }
    }

    /// With wakeup trees, which take steps of any kind.
    fn begin_again(&mut self) {
        self.most_stored = self.most_stored();
        let mut before = self.counts();
        before.blocked += before.explored;
        (before.explored, before.stuck) = (0, 0);
        self.before = before;
        self.engine = self.trees();
    }

    /// After the first execution: what the others are explored with.
    fn decide(&mut self) {
        let Engine::Both(trees, parsimonious) = &mut self.engine else { return };
        let fits = trees.is_exact() && parsimonious.is_exact() && trees.divergence().is_none();
        let nobody = || Parsimonious::new(None, &[]);
        self.engine = if fits {
            Engine::Parsimonious(std::mem::replace(parsimonious, Box::new(nobody())))
        } else {
            Engine::Trees(std::mem::replace(trees, Box::new(Trees::new(None, &[], None))))
        };
    }

    /// Gives away a branch that has not begun, as near to the beginning as there is one, as an exploration of its own, which
    /// the caller runs wherever it likes, and then hands to [`Explorer::join`]. Nothing, if there is none to give. With
    /// wakeup trees, the exploration is not optimal from then on.
    ///
    /// Call both between executions. Costs a copy of what is known about the execution's beginning.
    ///
    /// ```
    /// use asupersync_explore::{Explorer, mini};
    ///
    /// let program = mini::Program::parse("*3 Rx;Wx=$+1").unwrap();
    /// let mut machine = mini::Machine::new(&program);
    /// let mut whole = Explorer::new();
    /// while whole.next_execution() {
    ///     machine.run(&mut whole);
    ///     // Elsewhere, on a machine of its own:
    ///     if let Some(mut part) = whole.split() {
    ///         while part.next_execution() {
    ///             machine.run(&mut part);
    ///         }
    ///         whole.join(part);
    ///     }
    /// }
    /// assert_eq!(whole.counts().explored, 36);
    /// ```
    pub fn split(&mut self) -> Option<Explorer> {
        let engine = match &mut self.engine {
            Engine::Both(..) => return None,
            Engine::Trees(trees) => Engine::Trees(Box::new(trees.split()?)),
            Engine::Parsimonious(parsimonious) => {
                let part = parsimonious.split()?;
                self.outstanding += 1;
                Engine::Parsimonious(Box::new(part))
            }
        };
        Some(Explorer {
            engine,
            order: self.order,
            branching: self.branching.clone(),
            limit: self.limit,
            before: Counts::default(),
            most_stored: 0,
            outstanding: 0,
            is_part: true,
        })
    }

    /// Takes a part back that was run to its end: its counts, and what it planned for the points above its branch.
    ///
    /// # Panics
    /// If the part is not over, or is none of this exploration.
    pub fn join(&mut self, part: Explorer) {
        match (&mut self.engine, &part.engine) {
            (Engine::Trees(trees), Engine::Trees(part)) => trees.join(part),
            (engine, Engine::Parsimonious(part)) => {
                assert!(part.is_over(), "a part is joined when there is no next execution");
                let known = self.outstanding.checked_sub(1);
                self.outstanding = known.expect("the exploration that gave the branch away takes it back");
                match engine {
                    Engine::Parsimonious(parsimonious) => parsimonious.join(part),
                    // It has begun again since.
                    _ => {
                        let counts = part.counts();
                        self.before.blocked += counts.explored + counts.blocked;
                    }
                }
            }
            _ => panic!("the exploration that gave the branch away takes it back"),
        }
    }

    /// Whether this exploration has nothing to do until a part of it is joined.
    #[must_use]
    pub fn is_waiting(&self) -> bool {
        match &self.engine {
            Engine::Both(..) => false,
            Engine::Trees(trees) => trees.is_waiting(),
            Engine::Parsimonious(parsimonious) => parsimonious.is_over() && self.outstanding > 0,
        }
    }
}

impl Engine {
    fn both(order: Option<u64>, branching: &[Choice], limit: Option<usize>) -> Engine {
        let trees = Trees::new(order, branching, limit);
        Engine::Both(Box::new(trees), Box::new(Parsimonious::new(order, branching)))
    }
}

impl Scheduler for Explorer {
    /// # Panics
    /// Unless [`Explorer::next_execution`] has just returned `true`.
    fn begin(&mut self) {
        if let Engine::Both(_, parsimonious) | Engine::Parsimonious(parsimonious) = &mut self.engine {
            parsimonious.begin();
        }
        if let Engine::Both(trees, _) | Engine::Trees(trees) = &mut self.engine {
            trees.begin();
        }
    }

    fn pick(&mut self, point: &Point<'_>) -> Option<usize> {
        match &mut self.engine {
            Engine::Both(trees, parsimonious) => {
                let picked = trees.pick(point)?;
                parsimonious.follow(point, picked);
                Some(picked)
            }
            Engine::Trees(trees) => trees.pick(point),
            Engine::Parsimonious(parsimonious) => parsimonious.pick(point),
        }
    }

    fn choose(&mut self, what: Choice, options: u32, usual: u32) -> u32 {
        match &mut self.engine {
            Engine::Both(trees, parsimonious) => {
                parsimonious.choose(what, options, usual);
                trees.choose(what, options, usual)
            }
            Engine::Trees(trees) => trees.choose(what, options, usual),
            Engine::Parsimonious(parsimonious) => parsimonious.choose(what, options, usual),
        }
    }

    fn ran(&mut self, step: &Step<'_>) {
        if let Engine::Both(_, parsimonious) | Engine::Parsimonious(parsimonious) = &mut self.engine {
            parsimonious.ran(step);
        }
        if let Engine::Both(trees, _) | Engine::Trees(trees) = &mut self.engine {
            trees.ran(step);
        }
    }

    fn ended(&mut self, how: &Ended<'_>) {
        if let Engine::Both(_, parsimonious) | Engine::Parsimonious(parsimonious) = &mut self.engine {
            parsimonious.ended(how);
        }
        if let Engine::Both(trees, _) | Engine::Trees(trees) = &mut self.engine {
            trees.ended(how);
        }
        self.decide();
    }
}

#[cfg(test)]
mod tests;
