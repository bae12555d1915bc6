//! An exploration of every class, shared by several threads: each has labs of its own, and whoever has nothing to do is
//! given a branch of somebody who has.
//!
//! ```text
//!  whole ──┬── its own branches ──── waits ── part is joined ── goes on ── over
//!          └── part ──┬── ... ──┘
//!                     └── part of the part
//! ```
//! An exploration that waits for its parts is laid aside; whoever brings the last one back goes on with it.
//!
//! Invariants:
//! - `abreast.one-owner`: an exploration is run by one thread, or queued, or laid aside, or brought back to the one it
//!   came from.
//! - `abreast.same-verdict`: a failure, or a program that does not repeat itself, ends the search on all threads, and one
//!   thread searches again from the beginning: what it reports does not depend on who was faster.
//! - `abreast.no-waste`: where the parts of an exploration repeat each other (it may not stay optimal when it is split), the
//!   same: one thread alone is faster.
//!
//! Not here: threads (whoever calls has some: [`Crew`]), what makes parts exact (`explore`).
use super::hunt::{Hunt, OUTSIDE};
use super::{Found, How, Search};
use crate::executor::Execution;
use crate::failure::message;
use crate::left::Left;
use crate::runtime::LabRuntime;
use crate::verdict::LabFailure;
use crate::watch::{Looks, Unlooked};
use crate::world::locked;
use explore::{Classified, Coverage, Explorer};
use std::collections::VecDeque;
use std::fmt;
use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

/// Threads for [`Search::run_abreast`], which the lab, as all code below a program, does not start itself. The macro
/// [`crew!`](crate::crew) makes one of the standard library's.
#[derive(Clone, Copy)]
pub struct Crew {
    size: NonZeroUsize,
    start: Start,
}

/// Calls the function with each number below the first argument, all at the same time, and returns when all have returned.
type Start = fn(usize, &(dyn Fn(usize) + Sync));

impl Crew {
    /// `start(n, work)` MUST call `work` with each number below `n`, each on a thread of its own, and return when all calls
    /// have.
    #[must_use]
    pub const fn new(size: NonZeroUsize, start: Start) -> Crew {
        Crew { size, start }
    }
}

impl fmt::Debug for Crew {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Crew").field("size", &self.size).finish_non_exhaustive()
    }
}

/// A [`Crew`] of so many of the standard library's threads; 0 counts as 1. A macro, so that it is the test that starts them
/// and not the lab.
#[macro_export]
macro_rules! crew {
    ($size:expr) => {{
        #[allow(clippy::style)]
        fn start(threads: usize, work: &(dyn Fn(usize) + ::std::marker::Sync)) {
            ::std::thread::scope(|scope| {
                for number in 0..threads {
                    _ = scope.spawn(move || work(number));
                }
            })
        }
        let size = ::std::num::NonZeroUsize::new($size).unwrap_or(::std::num::NonZeroUsize::MIN);
        $crate::Crew::new(size, start)
    }};
}

/// One exploration, the whole or a part, as long as it is not over and joined.
struct Branch {
    /// Which one it is a part of.
    of: Option<usize>,
    /// Its parts that are over and not joined.
    over: Vec<Explorer>,
    /// The exploration itself, while it waits for others.
    aside: Option<Explorer>,
}

/// What threads hand each other.
struct Yard {
    branches: Vec<Branch>,
    /// Explorations for whoever has nothing to do.
    queue: VecDeque<(usize, Explorer)>,
    /// What the threads that are done have seen.
    seen: Seen,
}

#[derive(Default)]
struct Seen {
    executions: u64,
    /// Random numbers that were no decisions.
    undecided: u64,
    left: Left,
    coverage: Coverage,
    /// Parts have to repeat so much that one thread alone is faster.
    wasteful: bool,
    /// Who was asked to end, and no step looked.
    unlooked: Unlooked,
    /// What failed, in words.
    failure: Option<String>,
}

struct Shared {
    yard: Mutex<Yard>,
    changed: Condvar,
    /// How many threads wait for something to do, and how much is queued for them.
    idle: AtomicUsize,
    queued: AtomicUsize,
    /// How many parts lie in the yard to be joined.
    brought: AtomicUsize,
    /// Executions that were the first of their class, and those that were not.
    new: AtomicU64,
    repeated: AtomicU64,
    /// All is explored, or somebody found what ends the search.
    over: AtomicBool,
}

/// A thread that unwinds does not leave the others waiting for it.
struct EndsAll<'s>(&'s Shared);

impl Drop for EndsAll<'_> {
    fn drop(&mut self) {
        self.0.end()
    }
}

impl Shared {
    fn new(whole: Explorer) -> Shared {
        let branches = vec![Branch { of: None, over: Vec::new(), aside: None }];
        let yard = Yard { branches, queue: VecDeque::from([(0, whole)]), seen: Seen::default() };
        Shared {
            yard: Mutex::new(yard),
            changed: Condvar::new(),
            idle: AtomicUsize::new(0),
            queued: AtomicUsize::new(1),
            brought: AtomicUsize::new(0),
            new: AtomicU64::new(0),
            repeated: AtomicU64::new(0),
            over: AtomicBool::new(false),
        }
    }

    fn end(&self) {
        let yard = locked(&self.yard);
        self.over.store(true, Relaxed);
        drop(yard);
        self.changed.notify_all()
    }

    /// Something to do; waits until there is. `None` when the search is over.
    fn next(&self) -> Option<(usize, Explorer)> {
        let mut yard = locked(&self.yard);
        self.idle.fetch_add(1, Relaxed);
        let next = loop {
            if self.over.load(Relaxed) {
                break None;
            }
            if let Some(next) = yard.queue.pop_front() {
                self.queued.fetch_sub(1, Relaxed);
                break Some(next);
            }
            yard = self.changed.wait(yard).unwrap_or_else(PoisonError::into_inner);
        };
        self.idle.fetch_sub(1, Relaxed);
        next
    }

    fn queue(&self, mut yard: MutexGuard<'_, Yard>, branch: usize, explorer: Explorer) {
        yard.queue.push_back((branch, explorer));
        self.queued.fetch_add(1, Relaxed);
        drop(yard);
        self.changed.notify_one()
    }

    /// Gives a branch away, if somebody has nothing to do and nothing is queued.
    fn share(&self, branch: usize, explorer: &mut Explorer) {
        if self.idle.load(Relaxed) <= self.queued.load(Relaxed) {
            return;
        }
        if let Some(part) = explorer.split() {
            let mut yard = locked(&self.yard);
            let number = yard.branches.len();
            yard.branches.push(Branch { of: Some(branch), over: Vec::new(), aside: None });
            self.queue(yard, number, part)
        }
    }

    /// Joins the parts of this exploration that are over.
    fn join(&self, branch: usize, explorer: &mut Explorer) {
        if self.brought.load(Relaxed) == 0 {
            return;
        }
        let over = std::mem::take(&mut locked(&self.yard).branches[branch].over);
        self.brought.fetch_sub(over.len(), Relaxed);
        over.into_iter().for_each(|part| explorer.join(part))
    }

    /// Lays an exploration aside that waits for its parts. It comes back at once if one has been brought meanwhile.
    fn lay_aside(&self, branch: usize, explorer: Explorer) -> Option<Explorer> {
        let mut yard = locked(&self.yard);
        let Branch { over, aside, .. } = &mut yard.branches[branch];
        if !over.is_empty() {
            return Some(explorer);
        }
        *aside = Some(explorer);
        None
    }

    /// An exploration is over: it is brought to the one it is a part of, which goes on if it waited.
    fn bring(&self, branch: usize, explorer: Explorer) {
        let mut yard = locked(&self.yard);
        let Some(of) = yard.branches[branch].of else {
            drop(yard);
            return self.end();
        };
        yard.branches[of].over.push(explorer);
        self.brought.fetch_add(1, Relaxed);
        if let Some(waiting) = yard.branches[of].aside.take() {
            self.queue(yard, of, waiting)
        }
    }
}

impl Shared {
    /// One more execution. Whether too many repeat others by now: a quarter, beyond the first few hundred.
    fn counts_as_waste(&self, repeats: bool) -> bool {
        if !repeats {
            self.new.fetch_add(1, Relaxed);
            return false;
        }
        let repeated = self.repeated.fetch_add(1, Relaxed);
        repeated > 256 + self.new.load(Relaxed) / 4
    }
}

impl Search {
    /// Whether several threads may take part: in an exploration to its end, that nobody watches.
    fn can_be_shared(&self) -> bool {
        matches!(self.how, How::Every) && self.limit == u64::MAX && self.hook.is_none() && !self.twice
    }
}

impl<P: Fn(&LabRuntime) + Sync> Hunt<'_, P> {
    /// As [`Hunt::all`], on several threads.
    pub(super) fn all_abreast(&self, crew: Crew) -> Found {
        if !self.search.can_be_shared() || crew.size.get() == 1 {
            return self.all();
        }
        let (mut looks, mut before) = (Looks::default(), None);
        let mut seen = loop {
            let seen = self.attempt_abreast(crew, &looks);
            if seen.unlooked.is_empty() {
                break seen;
            }
            before = before.or(seen.failure);
            looks.add(seen.unlooked)
        };
        seen.failure = seen.failure.or(before);
        let Seen { executions, coverage, failure, wasteful, undecided, left, .. } = seen;
        if wasteful && failure.is_none() {
            return self.all();
        }
        if let Some(what) = failure {
            let found = self.all();
            panic!(
                "lab: `{}` does not repeat itself: a search on several threads failed with\n{what}\nand one on one thread found \
                 no failure in {} runs\n{OUTSIDE}",
                self.test, found.runs
            )
        }
        let classes = coverage.classes();
        let repeated = executions - classes;
        let (unseen, within, clean, likely) = (None, None, None, None);
        let (runs, complete) = (classes, true);
        Found { runs, classes, repeated, complete, unseen, within, likely, clean, undecided, left }
    }

    fn attempt_abreast(&self, crew: Crew, looks: &Looks) -> Seen {
        let shared = Shared::new(self.search.explorer());
        (crew.start)(crew.size.get(), &|_| {
            let ends = EndsAll(&shared);
            let seen = self.explore_shared(&shared, looks);
            // Whoever is done before the others only is because all are.
            drop(ends);
            locked(&shared.yard).seen.add(seen)
        });
        let Shared { yard, .. } = shared;
        yard.into_inner().unwrap_or_else(PoisonError::into_inner).seen
    }

    /// What one of the threads does.
    fn explore_shared(&self, shared: &Shared, looks: &Looks) -> Seen {
        let executor = self.executor(looks);
        let scheduler = Arc::new(Mutex::new(Classified::new(Explorer::new())));
        let mut seen = Seen::default();
        while let Some((branch, explorer)) = shared.next() {
            *locked(&scheduler).inner_mut() = explorer;
            while self.another(shared, branch, locked(&scheduler).inner_mut(), &mut seen) {
                let explored = locked(&scheduler).inner().counts().explored;
                let mut execution = executor.execute(&scheduler, |lab: &LabRuntime| {
                    (self.program)(lab);
                    seen.undecided += lab.take_undecided();
                    seen.left.add(lab.left())
                });
                let unlooked = execution.take_unlooked();
                let Execution { failure, .. } = execution;
                if !unlooked.is_empty() {
                    seen.unlooked = unlooked;
                    seen.failure = failure.filter(|f| !LabFailure::is_redundant(&**f)).map(|f| message(&*f));
                    return seen;
                }
                seen.executions += 1;
                // What only repeats another may come to its end all the same.
                let repeats = match failure {
                    Some(f) if LabFailure::is_redundant(&*f) => true,
                    Some(f) => {
                        seen.failure = Some(message(&*f));
                        return seen;
                    }
                    None => {
                        let watched = locked(&scheduler);
                        seen.coverage.saw(watched.class().0);
                        watched.inner().counts().explored == explored
                    }
                };
                if shared.counts_as_waste(repeats) {
                    seen.wasteful = true;
                    return seen;
                }
            }
        }
        seen
    }

    /// Whether this exploration has another execution for this thread. If not, it has been brought where it belongs.
    fn another(&self, shared: &Shared, branch: usize, explorer: &mut Explorer, seen: &mut Seen) -> bool {
        loop {
            if shared.over.load(Relaxed) {
                return false;
            }
            shared.join(branch, explorer);
            if explorer.next_execution() {
                shared.share(branch, explorer);
                return true;
            }
            if let Some(why) = explorer.divergence() {
                seen.failure = Some(why.to_string());
                shared.end();
                return false;
            }
            let done = std::mem::take(explorer);
            if !done.is_waiting() {
                shared.bring(branch, done);
                return false;
            }
            match shared.lay_aside(branch, done) {
                Some(again) => *explorer = again,
                None => return false,
            }
        }
    }
}

impl Seen {
    fn add(&mut self, other: Seen) {
        self.executions += other.executions;
        self.undecided += other.undecided;
        self.left.absorb(other.left);
        self.wasteful |= other.wasteful;
        self.coverage.absorb(&other.coverage);
        self.unlooked.tasks.extend(other.unlooked.tasks);
        self.unlooked.regions |= other.unlooked.regions;
        self.failure = self.failure.take().or(other.failure);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quarter_of_repeats_is_waste_beyond_the_first_few_hundred() {
        let shared = Shared::new(Explorer::new());
        assert!((0..=256).all(|_| !shared.counts_as_waste(true)));
        assert!(shared.counts_as_waste(true));
        assert!((0..40).all(|_| !shared.counts_as_waste(false)));
        assert_eq!((0..20).filter(|_| !shared.counts_as_waste(true)).count(), 9);
    }

    #[test]
    fn an_exploration_that_waits_goes_on_when_a_part_is_brought_back() {
        let shared = Shared::new(Explorer::new());
        let (whole, explorer) = shared.next().expect("the whole is queued");
        locked(&shared.yard).branches.push(Branch { of: Some(whole), over: Vec::new(), aside: None });
        assert!(shared.lay_aside(whole, explorer).is_none(), "nothing was brought yet");
        shared.bring(1, Explorer::new());
        let (again, explorer) = shared.next().expect("it goes on");
        assert_eq!(again, whole);
        assert!(shared.lay_aside(whole, explorer).is_some(), "a part is there to be joined");
        shared.bring(whole, Explorer::new());
        assert!(shared.next().is_none(), "the whole is over");
    }
}
