//! A program as flat code: what [`super::Machine`] executes. Blocks become jumps, so a task's place is one number, and
//! copying or resetting a machine is copying a few numbers.

use super::program::{Cell, Op, Operand, Program};

/// One instruction. Only `Do` is a step; the others are decided with the step before.
#[derive(Clone, Copy, Debug)]
pub(super) enum Instruction {
    Do(Action),
    /// Go on at the next one if the last value compares so, else at `otherwise`.
    Branch {
        equal: bool,
        value: i64,
        otherwise: usize,
    },
    Jump(usize),
    Stop,
    End,
}

/// What a step does; the number is an index among the objects of its kind.
#[derive(Clone, Copy, Debug)]
pub(super) enum Action {
    Store(usize, Operand),
    Load(usize),
    FetchAdd(usize, i64),
    CompareExchange(usize, i64, i64),
    Lock(usize),
    Unlock(usize),
    TryLock(usize),
    Send(usize),
    Receive(usize),
    TryReceive(usize),
}

/// The instructions of all tasks, one after the other, and where each task begins.
#[derive(Clone, Debug)]
pub(super) struct Code {
    pub(super) instructions: Vec<Instruction>,
    pub(super) starts: Vec<usize>,
}

impl Code {
    pub(super) fn new(program: &Program) -> Code {
        let mut code = Code { instructions: Vec::new(), starts: Vec::new() };
        for task in program.tasks() {
            code.starts.push(code.instructions.len());
            code.block(task);
            code.instructions.push(Instruction::End);
        }
        code
    }

    fn block(&mut self, ops: &[Op]) {
        for op in ops {
            self.op(op);
        }
    }

    fn op(&mut self, op: &Op) {
        let action = match *op {
            Op::Store { cell: Cell(cell), value } => Action::Store(cell, value),
            Op::Load { cell } => Action::Load(cell.0),
            Op::FetchAdd { cell, add } => Action::FetchAdd(cell.0, add),
            Op::CompareExchange { cell, expected, new } => Action::CompareExchange(cell.0, expected, new),
            Op::Lock { lock } => Action::Lock(lock.0),
            Op::Unlock { lock } => Action::Unlock(lock.0),
            Op::TryLock { lock } => Action::TryLock(lock.0),
            Op::Send { channel } => Action::Send(channel.0),
            Op::Receive { channel } => Action::Receive(channel.0),
            Op::TryReceive { channel } => Action::TryReceive(channel.0),
            Op::If { equal, value, ref then, ref otherwise } => {
                return self.condition(equal, value, then, otherwise);
            }
            Op::Stop => return self.instructions.push(Instruction::Stop),
        };
        self.instructions.push(Instruction::Do(action));
    }

    fn condition(&mut self, equal: bool, value: i64, then: &[Op], otherwise: &[Op]) {
        let branch = self.instructions.len();
        self.instructions.push(Instruction::Jump(0));
        self.block(then);
        let jump = self.instructions.len();
        self.instructions.push(Instruction::Jump(0));
        self.instructions[branch] = Instruction::Branch { equal, value, otherwise: jump + 1 };
        self.block(otherwise);
        self.instructions[jump] = Instruction::Jump(self.instructions.len());
    }
}
