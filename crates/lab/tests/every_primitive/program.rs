//! Small programs over all primitives: how one is drawn, and which ones are a little smaller.
//!
//! Not here: what tasks do (`op`).
use crate::dice::Dice;
use crate::ends::Ends;
use crate::op::Op;
use crate::{channels, counts, exchanges, locks, spawned, unbounded, values};

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
    Event,
    Unbounded,
    Regions,
    TaskSet,
}

/// One of these, or a guard is given back, which is as likely as two of them.
fn or_drop<A: Copy>(acts: &[A], dice: &mut Dice, op: fn(A) -> Op) -> Op {
    acts.get(dice.below(acts.len() + 2)).map_or(Op::Drop, |act| op(*act))
}

fn one_of<A: Copy>(acts: &[A], dice: &mut Dice, op: fn(A) -> Op) -> Op {
    op(acts[dice.below(acts.len())])
}

fn of_the_cell(dice: &mut Dice) -> Op {
    [Op::Get, Op::Set][dice.below(2)].clone()
}

impl Theme {
    fn act(self, dice: &mut Dice) -> Op {
        match self {
            Theme::RwLock => or_drop(locks::RWLOCK, dice, Op::Locks),
            Theme::Mutex => or_drop(locks::MUTEX, dice, Op::Locks),
            Theme::Permits => or_drop(counts::PERMITS, dice, Op::Counts),
            Theme::Meetings => one_of(counts::MEETINGS, dice, Op::Counts),
            Theme::Calls => one_of(counts::CALLS, dice, Op::Counts),
            Theme::Event => one_of(counts::EVENT, dice, Op::Counts),
            Theme::Once => one_of(values::ONCE, dice, Op::Values),
            Theme::Oneshot => one_of(values::ONESHOT, dice, Op::Values),
            Theme::Watch => one_of(values::WATCH, dice, Op::Values),
            Theme::Broadcast => one_of(values::CAST, dice, Op::Values),
            Theme::Channel => one_of(channels::CHANNEL, dice, Op::Channels),
            Theme::Rendezvous => one_of(exchanges::RENDEZVOUS, dice, Op::Exchanges),
            Theme::Session => one_of(exchanges::SESSION, dice, Op::Exchanges),
            Theme::Unbounded => one_of(unbounded::UNBOUNDED, dice, Op::Unbounded),
            Theme::Time => match dice.below(6) {
                0 => Op::Sleep(1),
                1 => Op::Sleep(2),
                2 => Op::Now,
                3 => of_the_cell(dice),
                _ => one_of(counts::CALLS, dice, Op::Counts),
            },
            Theme::Numbers => match dice.below(3) {
                0 => Op::Draw,
                1 => of_the_cell(dice),
                _ => or_drop(locks::MUTEX, dice, Op::Locks),
            },
            Theme::Regions | Theme::TaskSet if dice.below(3) == 0 => of_the_cell(dice),
            Theme::Regions => one_of(spawned::REGIONS, dice, Op::Spawned),
            Theme::TaskSet => one_of(spawned::SET, dice, Op::Spawned),
        }
    }
}

/// Draws what one task does.
struct Draws<'d> {
    theme: Theme,
    ends: Ends,
    own: usize,
    dice: &'d mut Dice,
}

impl Draws<'_> {
    /// What doesn't wait is done without a step before it, now and then.
    fn act(&mut self) -> Op {
        let Draws { theme, ends, own, ref mut dice } = *self;
        let mut acts = std::iter::repeat_with(|| theme.act(dice)).take(8);
        let act = acts.find(|act| ends.allow(own, act.needs())).unwrap_or(Op::Step);
        if !act.waits() && self.dice.below(2) == 0 { Op::AtOnce(Box::new(act)) } else { act }
    }

    fn op(&mut self, inside: bool) -> Op {
        let own = self.own;
        match self.dice.below(if inside { 30 } else { 42 }) {
            0 => Op::Step,
            1 => Op::Check,
            2 if own > 0 => Op::Cancel(self.dice.below(own)),
            3 if own > 0 => Op::CancelStep(self.dice.below(own)),
            4 if own > 0 => Op::Joined(self.dice.below(own)),
            5 if own > 0 => Op::Finished(self.dice.below(own)),
            6 => Op::Masked(Box::new(self.act())),
            7 => of_the_cell(self.dice),
            8 if self.dice.below(2) == 0 => Op::Sleep(1),
            9 => Op::Spawn(Box::new(self.act())),
            10 => Op::Keep,
            11 if self.dice.below(2) == 0 => Op::Fail,
            12 => one_of(spawned::REQUESTS, self.dice, Op::Spawned),
            30.. => self.combined(),
            _ => self.act(),
        }
    }

    fn combined(&mut self) -> Op {
        let kind = self.dice.below(16);
        let mut inner = || Box::new(self.op(true));
        match kind {
            0 | 1 => Op::Race(inner(), inner()),
            2 => Op::Both(inner(), inner()),
            3 => Op::TryBoth(inner(), inner()),
            4 => Op::AnyOf(Box::new([*inner(), *inner(), *inner()])),
            5 => Op::AllOf(Box::new([*inner(), *inner(), *inner()])),
            6 | 7 => Op::ForeignRace(inner(), inner()),
            8 => Op::ForeignBoth(inner(), inner()),
            9 => Op::Until(inner()),
            10 => Op::PolledOnce(inner()),
            11 => Op::Timeout(inner()),
            12 => Op::Child(inner()),
            13 | 14 => Op::Family(inner(), inner()),
            _ => Op::Bracket(inner(), inner()),
        }
    }
}

/// The tasks that a region spawns, one after the other, and what each does.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Program {
    pub(crate) tasks: Vec<Vec<Op>>,
    pub(crate) ends: Ends,
}

impl Program {
    pub(crate) fn random(theme: Theme, seed: u64) -> Program {
        let mut dice = Dice(seed ^ (theme as u64) << 32);
        let count = [2, 2, 3][dice.below(3)];
        let ends = if dice.below(2) == 0 { Ends::Shared } else { Ends::of_one(dice.below(2), count) };
        let task = |own| {
            let mut draws = Draws { theme, ends, own, dice: &mut dice };
            (0..1 + draws.dice.below(3)).map(|_| draws.op(false)).collect()
        };
        Program { tasks: (0..count).map(task).collect(), ends }
    }

    /// Whether the clock has to do with it.
    pub(crate) fn is_timed(&self) -> bool {
        self.tasks.iter().flatten().any(Op::is_timed)
    }

    /// Those that do a little less.
    pub(crate) fn smaller(&self) -> Vec<Program> {
        let mut all = Vec::new();
        for (task, ops) in self.tasks.iter().enumerate() {
            for (at, op) in ops.iter().enumerate() {
                let mut without = self.clone();
                without.tasks[task].remove(at);
                all.push(without);
                for instead in op.smaller() {
                    let mut simpler = self.clone();
                    simpler.tasks[task][at] = instead;
                    all.push(simpler)
                }
            }
        }
        all
    }
}
