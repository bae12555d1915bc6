//! [`Forest`]: wakeup trees, the sequences of steps that an exploration still has to run from each point.
//!
//! All trees live in one arena of nodes linked to their first child and next sibling; a node that was run goes back to
//! the free list, and its children become the tree of the next point.
//!
//! Invariant `wakeup.order`: siblings are run from left to right, and a sequence is added below the first sibling it
//! could as well begin with; so no two branches lead to the same execution (Abdulla, Aronis, Jonsson, Sagonas, "Source
//! sets: a foundation for optimal dynamic partial order reduction", JACM 64(4), 2017).
//!
//! Not here: which sequences are worth adding (`race`).

use crate::footprint::Footprint;

/// A step that an execution is to take.
#[derive(Clone, Debug)]
pub(super) struct Planned {
    pub(super) task: u32,
    /// What its choices are to be, as far as that is fixed.
    pub(super) choices: Vec<u32>,
    pub(super) footprint: Footprint,
    /// Whether that is what it does at the point where it is planned, and not only what it might.
    pub(super) sure: bool,
}

impl Planned {
    /// Whether its choices begin as the other's do, a step of the same task.
    pub(super) fn begins_as(&self, other: &Planned) -> bool {
        // Nearly always neither chose. Comparing two empty slices is a call, and on some machines a slow one: masked loads
        // from a dangling address.
        other.choices.is_empty() || self.choices.starts_with(&other.choices)
    }

    /// Whether the sequence has this step, and could as well begin with it.
    pub(super) fn is_among_first(&self, sequence: &[Planned]) -> bool {
        matches!(begins_with(self, sequence), Some(Some(_)))
    }
}

/// A list of siblings: the first, or nothing.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(super) struct Branches(u32);

const NONE: u32 = 0;

impl Branches {
    pub(super) fn is_empty(self) -> bool {
        self.0 == NONE
    }
}

#[derive(Clone, Debug)]
struct Node {
    step: Planned,
    children: u32,
    next: u32,
}

#[derive(Clone, Debug)]
pub(super) struct Forest {
    /// Node 0 is never used, so that 0 can say "none".
    nodes: Vec<Node>,
    free: u32,
    live: usize,
}

/// What became of a sequence.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Inserted {
    /// A branch that was there leads to the same executions.
    Covered,
    /// It is a branch of its own now.
    New,
}

impl Forest {
    pub(super) fn new() -> Forest {
        let nobody = Planned { task: 0, choices: Vec::new(), footprint: Footprint::default(), sure: false };
        Forest { nodes: vec![Node { step: nobody, children: NONE, next: NONE }], free: NONE, live: 0 }
    }

    /// How many steps are planned in all.
    pub(super) fn live(&self) -> usize {
        self.live
    }

    /// The leftmost of the branches, taken away, and the branches below it.
    pub(super) fn take_first(&mut self, branches: &mut Branches) -> Option<(Planned, Branches)> {
        if branches.is_empty() {
            return None;
        }
        let at = branches.0;
        let free = self.free;
        let node = &mut self.nodes[at as usize];
        branches.0 = node.next;
        let children = Branches(node.children);
        let nobody = Planned { task: 0, choices: Vec::new(), footprint: Footprint::default(), sure: false };
        let step = std::mem::replace(&mut node.step, nobody);
        node.next = free;
        node.children = NONE;
        self.free = at;
        self.live -= 1;
        Some((step, children))
    }

    /// Puts a single step before all branches.
    pub(super) fn push_first(&mut self, branches: &mut Branches, step: Planned) {
        branches.0 = self.node(step, branches.0);
    }

    /// Puts a sequence after all branches.
    pub(super) fn push_last(&mut self, branches: &mut Branches, sequence: &mut Vec<Planned>) {
        let new = self.chain(sequence);
        match branches.0 {
            NONE => branches.0 = new,
            mut at => {
                while self.nodes[at as usize].next != NONE {
                    at = self.nodes[at as usize].next;
                }
                self.nodes[at as usize].next = new;
            }
        }
    }

    /// Forgets branches and all below them.
    pub(super) fn discard(&mut self, branches: Branches) {
        if branches.is_empty() {
            return;
        }
        // A list of what is left to do instead of recursion: a branch may be as long as an execution.
        let mut left = vec![branches];
        while let Some(mut branches) = left.pop() {
            while let Some((_, below)) = self.take_first(&mut branches) {
                left.push(below);
            }
        }
    }

    /// The branches, from left to right, by number.
    pub(super) fn branches(&self, branches: Branches) -> impl Iterator<Item = (u32, &Planned)> {
        let mut next = branches.0;
        std::iter::from_fn(move || {
            let at = next;
            let node = (at != NONE).then(|| &self.nodes[at as usize])?;
            next = node.next;
            Some((at, &node.step))
        })
    }

    /// The leftmost of the branches.
    pub(super) fn first(&self, branches: Branches) -> Option<&Planned> {
        self.branches(branches).next().map(|(_, step)| step)
    }

    /// Copies branches and all below them into another forest.
    pub(super) fn copy(&self, branches: Branches, into: &mut Forest) -> Branches {
        let mut root = NONE;
        // Lists to copy, each with the copy of what it is below.
        let mut left = vec![(branches, NONE)];
        while let Some((list, above)) = left.pop() {
            let all: Vec<u32> = self.branches(list).map(|(at, _)| at).collect();
            // From the right to the left, so that each knows the one after it.
            let first = all.into_iter().rev().fold(NONE, |next, at| {
                let copy = into.node(self.nodes[at as usize].step.clone(), next);
                left.push((Branches(self.nodes[at as usize].children), copy));
                copy
            });
            match above {
                NONE => root = first,
                above => into.nodes[above as usize].children = first,
            }
        }
        Branches(root)
    }

    /// The first step of the branch of this number.
    pub(super) fn step(&self, branch: u32) -> &Planned {
        &self.nodes[branch as usize].step
    }

    /// Whether nothing is planned after the first step of the branch of this number: all that can follow will be run.
    pub(super) fn is_leaf(&self, branch: u32) -> bool {
        self.nodes[branch as usize].children == NONE
    }

    /// Adds a sequence, or finds that it is there: at each level it goes below the first step that it could as well
    /// begin with, without that step.
    pub(super) fn insert(&mut self, branches: &mut Branches, sequence: &mut Vec<Planned>) -> Inserted {
        let mut parent = NONE;
        let mut previous = NONE;
        let mut at = branches.0;
        // What is before `from` has been left out.
        let mut from = 0;
        while at != NONE {
            match begins_with(&self.nodes[at as usize].step, &sequence[from..]) {
                None => {
                    previous = at;
                    at = self.nodes[at as usize].next;
                }
                Some(own) => {
                    if let Some(own) = own {
                        sequence[from..=from + own].rotate_right(1);
                        from += 1;
                    }
                    if from == sequence.len() || self.nodes[at as usize].children == NONE {
                        return Inserted::Covered;
                    }
                    (parent, previous) = (at, NONE);
                    at = self.nodes[at as usize].children;
                }
            }
        }
        sequence.drain(..from);
        let chain = self.chain(sequence);
        match (previous, parent) {
            (NONE, NONE) => branches.0 = chain,
            (NONE, parent) => self.nodes[parent as usize].children = chain,
            (previous, _) => self.nodes[previous as usize].next = chain,
        }
        Inserted::New
    }

    /// One branch without branches.
    fn chain(&mut self, sequence: &mut Vec<Planned>) -> u32 {
        sequence.drain(..).rev().fold(NONE, |below, step| {
            let at = self.node(step, NONE);
            self.nodes[at as usize].children = below;
            at
        })
    }

    fn node(&mut self, step: Planned, next: u32) -> u32 {
        self.live += 1;
        let node = Node { step, children: NONE, next };
        match self.free {
            NONE => {
                self.nodes.push(node);
                u32::try_from(self.nodes.len() - 1).expect("fewer than 2^32 planned steps")
            }
            at => {
                self.free = self.nodes[at as usize].next;
                self.nodes[at as usize] = node;
                at
            }
        }
    }
}

/// Whether the sequence could as well begin with this step, a *weak initial* of it: `Some(Some(at))` if it has it, at
/// `at`, and all before it commutes with it; `Some(None)` if it does not have it and all of it commutes with it.
fn begins_with(step: &Planned, sequence: &[Planned]) -> Option<Option<usize>> {
    for (at, other) in sequence.iter().enumerate() {
        if other.task == step.task {
            // Another choice is another step, and no two steps of a task commute.
            return other.begins_as(step).then_some(Some(at));
        }
        if !step.footprint.commutes(&other.footprint) {
            return None;
        }
    }
    Some(None)
}
