//! What a random program is made of.
#[path = "dice.rs"]
mod dice;

use dice::Dice;

/// A program, made from a seed.
#[derive(Clone, Debug)]
pub(crate) struct Program {
    pub(crate) ops: Vec<Op>,
}

/// One step, or a body of steps in a scope of its own.
#[derive(Clone, Debug)]
pub(crate) enum Op {
    Yield,
    /// For so many milliseconds.
    Sleep(u8),
    /// The same, where no request reaches it.
    Deaf(u8),
    Checkpoint,
    Fail,
    Panic,
    Spawn(Vec<Op>),
    Daemon(Vec<Op>),
    /// Joins the latest task, or cancels it, if there is one.
    Join,
    Cancel,
    /// Cancels the region of this context.
    CancelHere,
    Region(Vec<Op>),
    TryRegion(Vec<Op>),
    Collect(Vec<Op>),
    Isolate(Vec<Op>),
    /// A region whose future is dropped after so many polls.
    Dropped(u8, Vec<Op>),
    Masked(Vec<Op>),
    Race(Vec<Op>, Vec<Op>),
    Both(Vec<Op>, Vec<Op>),
    Timeout(u8, Vec<Op>),
    Bracket(Vec<Op>, Vec<Op>),
    Finally(Vec<Op>),
    /// Holds a permit over a body, and uses it or gives it up.
    Permit(bool, Vec<Op>),
}

impl Dice {
    fn ops(&mut self, depth: u32) -> Vec<Op> {
        let n = 1 + self.below(if depth == 0 { 6 } else { 4 });
        (0..n).map(|_| self.op(depth)).collect()
    }

    fn op(&mut self, depth: u32) -> Op {
        let below = depth + 1;
        let leaf = depth >= 4 || self.below(10) < 4;
        if leaf {
            return match self.below(24) {
                0..6 => Op::Yield,
                6..13 => Op::Sleep(self.below(20) as u8),
                13 => Op::Deaf(self.below(250) as u8),
                14..17 => Op::Checkpoint,
                17 => Op::Fail,
                18 if self.below(3) == 0 => Op::Panic,
                19..21 => Op::Join,
                21 => Op::Cancel,
                22 if self.below(2) == 0 => Op::CancelHere,
                _ => Op::Sleep(self.below(5) as u8),
            };
        }
        match self.below(24) {
            0..6 => Op::Spawn(self.ops(below)),
            6 => Op::Daemon(self.ops(below)),
            7..9 => Op::Region(self.ops(below)),
            9..11 => Op::TryRegion(self.ops(below)),
            11 => Op::Collect(self.ops(below)),
            12 => Op::Isolate(self.ops(below)),
            13 => Op::Dropped(1 + self.below(4) as u8, self.ops(below)),
            14..16 => Op::Masked(self.ops(below)),
            16..18 => Op::Race(self.ops(below), self.ops(below)),
            18 => Op::Both(self.ops(below), self.ops(below)),
            19..21 => Op::Timeout(self.below(20) as u8, self.ops(below)),
            21 => Op::Bracket(self.ops(below), self.ops(below)),
            22 => Op::Finally(self.ops(3)),
            _ => Op::Permit(self.below(2) == 0, self.ops(below)),
        }
    }
}

impl Program {
    /// The program of this seed.
    pub(crate) fn random(seed: u64) -> Program {
        Program { ops: Dice(seed.wrapping_mul(0xD134_2543_DE82_EF95)).ops(0) }
    }
}
