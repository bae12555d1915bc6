//! Small programs over all primitives: what tasks do, how a program is drawn, and which ones are a little smaller.
//!
//! Not here: what the operations do (`world`, and the file of each primitive).
use crate::dice::Dice;
use crate::{channels, counts, locks, values};

/// What a task does. A task asks and joins those that were spawned before it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Op {
    Step,
    Check,
    /// Reads and writes a cell that all share.
    Get,
    Set,
    /// So many milliseconds.
    Sleep(u64),
    Now,
    Draw,
    /// Asks a task to end, and says nothing beforehand.
    Cancel(usize),
    /// Says so.
    CancelStep(usize),
    Joined(usize),
    /// Gives back what was taken last.
    Drop,
    Locks(locks::Act),
    Counts(counts::Act),
    Values(values::Act),
    Channels(channels::Act),
    Race(Box<Op>, Box<Op>),
    Both(Box<Op>, Box<Op>),
    /// Within a millisecond.
    Timeout(Box<Op>),
    Masked(Box<Op>),
    /// In a region of its own.
    Child(Box<Op>),
}

impl Op {
    /// Whether it may have to wait, or is made of what may. What doesn't comes after a step of its own.
    pub(crate) fn waits(&self) -> bool {
        match self {
            Op::Locks(act) => act.waits(),
            Op::Counts(act) => act.waits(),
            Op::Values(act) => act.waits(),
            Op::Channels(act) => act.waits(),
            Op::Sleep(_) | Op::CancelStep(_) | Op::Joined(_) => true,
            Op::Race(..) | Op::Both(..) | Op::Timeout(_) | Op::Masked(_) | Op::Child(_) => true,
            _ => false,
        }
    }

    /// Whether the clock has to do with it.
    fn is_timed(&self) -> bool {
        match self {
            Op::Sleep(_) | Op::Timeout(_) => true,
            Op::Race(a, b) | Op::Both(a, b) => a.is_timed() || b.is_timed(),
            Op::Masked(op) | Op::Child(op) => op.is_timed(),
            _ => false,
        }
    }

    /// What could stand in its place in a smaller program.
    fn smaller(&self) -> Vec<Op> {
        match self {
            Op::Masked(op) | Op::Child(op) | Op::Timeout(op) => vec![(**op).clone()],
            Op::Race(a, b) | Op::Both(a, b) => vec![(**a).clone(), (**b).clone()],
            Op::Step => vec![],
            _ => vec![Op::Step],
        }
    }
}

/// What the tasks of a program have to do with one another.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Theme {
    RwLock,
    Mutex,
    Permits,
    Oneshot,
    Watch,
    Broadcast,
    Meetings,
    Rendezvous,
    Channel,
    Calls,
    Once,
    Session,
    Time,
    Numbers,
}

/// One of these, or a guard is given back, which is as likely as two of them.
fn or_drop<A: Copy>(acts: &[A], dice: &mut Dice, op: fn(A) -> Op) -> Op {
    acts.get(dice.below(acts.len() + 2)).map_or(Op::Drop, |act| op(*act))
}

fn one_of<A: Copy>(acts: &[A], dice: &mut Dice, op: fn(A) -> Op) -> Op {
    op(acts[dice.below(acts.len())])
}

impl Theme {
    fn draw(self, dice: &mut Dice) -> Op {
        match self {
            Theme::RwLock => or_drop(locks::RWLOCK, dice, Op::Locks),
            Theme::Mutex => or_drop(locks::MUTEX, dice, Op::Locks),
            Theme::Permits => or_drop(counts::PERMITS, dice, Op::Counts),
            Theme::Meetings => one_of(counts::MEETINGS, dice, Op::Counts),
            Theme::Calls => one_of(counts::CALLS, dice, Op::Counts),
            Theme::Once => one_of(values::ONCE, dice, Op::Values),
            Theme::Oneshot => one_of(values::ONESHOT, dice, Op::Values),
            Theme::Watch => one_of(values::WATCH, dice, Op::Values),
            Theme::Broadcast => one_of(values::CAST, dice, Op::Values),
            Theme::Channel => one_of(channels::CHANNEL, dice, Op::Channels),
            Theme::Rendezvous => one_of(channels::RENDEZVOUS, dice, Op::Channels),
            Theme::Session => one_of(channels::SESSION, dice, Op::Channels),
            Theme::Time => match dice.below(6) {
                0 => Op::Sleep(1),
                1 => Op::Sleep(2),
                2 => Op::Now,
                3 => [Op::Get, Op::Set][dice.below(2)].clone(),
                _ => one_of(counts::CALLS, dice, Op::Counts),
            },
            Theme::Numbers => match dice.below(3) {
                0 => Op::Draw,
                1 => [Op::Get, Op::Set][dice.below(2)].clone(),
                _ => or_drop(locks::MUTEX, dice, Op::Locks),
            },
        }
    }

    fn op(self, dice: &mut Dice, own: usize, inside: bool) -> Op {
        let inner = |dice: &mut Dice| Box::new(self.op(dice, own, true));
        match dice.below(26) {
            0 => Op::Step,
            1 => Op::Check,
            2 if own > 0 => Op::Cancel(dice.below(own)),
            3 if own > 0 => Op::CancelStep(dice.below(own)),
            4 if own > 0 => Op::Joined(dice.below(own)),
            5 if !inside => Op::Race(inner(dice), inner(dice)),
            6 if !inside => Op::Timeout(inner(dice)),
            7 if !inside => Op::Both(inner(dice), inner(dice)),
            8 => Op::Masked(Box::new(self.draw(dice))),
            9 => [Op::Get, Op::Set][dice.below(2)].clone(),
            10 if dice.below(2) == 0 => Op::Sleep(1),
            11 if !inside => Op::Child(Box::new(self.draw(dice))),
            _ => self.draw(dice),
        }
    }
}

/// The tasks that a region spawns, one after the other, and what each does.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Program(pub(crate) Vec<Vec<Op>>);

impl Program {
    pub(crate) fn random(theme: Theme, seed: u64) -> Program {
        let mut dice = Dice(seed ^ (theme as u64) << 32);
        let tasks = 2 + dice.below(2);
        let task = |own| (0..1 + dice.below(3)).map(|_| theme.op(&mut dice, own, false)).collect();
        Program((0..tasks).map(task).collect())
    }

    /// Whether the clock has to do with it.
    pub(crate) fn is_timed(&self) -> bool {
        self.0.iter().flatten().any(Op::is_timed)
    }

    /// Those that do a little less.
    pub(crate) fn smaller(&self) -> Vec<Program> {
        let mut all = Vec::new();
        for (task, ops) in self.0.iter().enumerate() {
            for (at, op) in ops.iter().enumerate() {
                let mut without = self.clone();
                without.0[task].remove(at);
                all.push(without);
                for instead in op.smaller() {
                    let mut simpler = self.clone();
                    simpler.0[task][at] = instead;
                    all.push(simpler)
                }
            }
        }
        all
    }
}
