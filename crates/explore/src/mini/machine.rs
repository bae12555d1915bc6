//! [`Machine`]: runs a program of the mini-language, one operation a step, in the order a [`Scheduler`] says; fast,
//! because an exploration runs it a hundred thousand times.
//!
//! Production's order is a single thread's: a task goes on until it has to wait; whoever may go on again queues at the
//! back. Picking a later candidate is to delay those before it: they go to the back of the queue.
//!
//! Invariants: `machine.repeatable` (the state is a function of the picks), `machine.waits` (a task whose operation
//! would wait is no candidate, and is one as soon as it would not).
//!
//! Not here: faults, time, choices inside a step. The language has none.

use super::code::{Action, Code, Instruction};
use super::program::{Operand, Program};
use crate::scheduler::{Announced, Candidate, Ended, Point, Scheduler, Step, Stuck, Touch};
use trace::{Access, ObjectId, ObjectKind};
use types::TaskId;

/// How an execution ended.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum End {
    /// Every task did.
    Finished,
    /// Some task can't go on, and never will.
    Stuck,
    /// The scheduler lost interest.
    GivenUp,
}

/// A program and the state it is in.
#[derive(Clone, Debug)]
pub struct Machine {
    code: Code,
    state: State,
    /// The live tasks in production's order: first those that may be picked, then, from `ready` on, those that wait.
    queue: Vec<usize>,
    ready: usize,
    candidates: Vec<Candidate>,
    stuck: Vec<Stuck>,
}

/// What an execution changes.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
struct State {
    places: Vec<usize>,
    lasts: Vec<i64>,
    cells: Vec<i64>,
    /// Who holds it.
    locks: Vec<Option<usize>>,
    /// How many messages are in it.
    channels: Vec<u64>,
}

impl Machine {
    /// The program's machine, at its beginning.
    #[must_use]
    pub fn new(program: &Program) -> Machine {
        let code = Code::new(program);
        let state = State {
            places: code.starts.clone(),
            lasts: vec![0; code.starts.len()],
            cells: vec![0; program.cells().len()],
            locks: vec![None; program.locks().len()],
            channels: vec![0; program.channels().len()],
        };
        let mut machine =
            Machine { code, state, queue: Vec::new(), ready: 0, candidates: Vec::new(), stuck: Vec::new() };
        machine.reset();
        machine
    }

    /// Back to the program's beginning. Allocates nothing.
    pub fn reset(&mut self) {
        let State { places, lasts, cells, locks, channels } = &mut self.state;
        places.copy_from_slice(&self.code.starts);
        lasts.fill(0);
        cells.fill(0);
        locks.fill(None);
        channels.fill(0);
        self.stuck.clear();
        self.queue.clear();
        self.queue.extend(0..self.code.starts.len());
        for task in 0..self.code.starts.len() {
            self.decide(task);
        }
        self.ready = self.queue.len();
        self.refresh();
    }

    /// Runs the program from its beginning, once.
    ///
    /// # Panics
    /// When a task unlocks a lock that it does not hold, or the scheduler picks a candidate that isn't there.
    pub fn run(&mut self, scheduler: &mut (impl Scheduler + ?Sized)) -> End {
        self.reset();
        scheduler.begin();
        while !self.candidates.is_empty() {
            let Some(picked) = scheduler.pick(&Point { candidates: &self.candidates, usual: 0 }) else {
                return End::GivenUp;
            };
            let (task, touch) = self.step(picked);
            scheduler.ran(&Step { task: Some(task), touches: &[touch], enabled: &[] });
        }
        self.find_stuck();
        scheduler.ended(&Ended { stuck: &self.stuck });
        if self.stuck.is_empty() { End::Finished } else { End::Stuck }
    }

    /// Who could take the next step, in production's order; none when the execution is over.
    #[must_use]
    pub fn candidates(&self) -> &[Candidate] {
        &self.candidates
    }

    /// Lets the candidate of this index take its step; says whose it was and what it did.
    ///
    /// # Panics
    /// When there is no such candidate, or its step unlocks a lock that it does not hold.
    pub fn step(&mut self, picked: usize) -> (TaskId, Touch) {
        let task = self.queue[..self.ready][picked];
        let Instruction::Do(action) = self.code.instructions[self.state.places[task]] else {
            unreachable!("`machine.waits`: only who has an operation is a candidate")
        };
        let access = self.state.act(task, action);
        self.state.places[task] += 1;
        self.decide(task);
        // Who was passed over goes behind the other candidates, before those that wait.
        self.queue[..self.ready].rotate_left(picked);
        match action {
            Action::Load(_) | Action::Store(..) | Action::FetchAdd(..) | Action::CompareExchange(..) => {
                self.candidates.rotate_left(picked);
                self.refresh_first();
            }
            _ => self.refresh(),
        }
        (name(task), self.touch(action, access))
    }

    /// Who is not at its end: when there are no candidates, who never will be.
    #[must_use]
    pub fn stuck(&mut self) -> &[Stuck] {
        self.find_stuck();
        &self.stuck
    }

    /// The values of the cells, in the order of [`Program::cells`].
    #[must_use]
    pub fn cells(&self) -> &[i64] {
        &self.state.cells
    }

    /// The value each task read last.
    #[must_use]
    pub fn lasts(&self) -> &[i64] {
        &self.state.lasts
    }

    /// Whether another machine of the same program is in the same state: tasks, cells, locks, channels.
    #[must_use]
    pub fn same_state(&self, other: &Machine) -> bool {
        self.state == other.state
    }

    /// What [`Machine::same_state`] compares, as one number for tables of states seen.
    pub fn hash_state(&self, hasher: &mut impl std::hash::Hasher) {
        std::hash::Hash::hash(&self.state, hasher);
    }

    /// Takes the branches that stand before a task's next operation.
    fn decide(&mut self, task: usize) {
        let place = &mut self.state.places[task];
        loop {
            match self.code.instructions[*place] {
                Instruction::Branch { equal, value, otherwise } => {
                    let holds = (self.state.lasts[task] == value) == equal;
                    *place = if holds { *place + 1 } else { otherwise };
                }
                Instruction::Jump(to) => *place = to,
                Instruction::Do(_) | Instruction::Stop | Instruction::End => return,
            }
        }
    }

    /// Sorts the queue into who may go on and who waits, both in the order in which they came; forgets who ended.
    fn refresh(&mut self) {
        self.candidates.clear();
        let instructions = &self.code.instructions;
        let next = |state: &State, task: usize| match instructions[state.places[task]] {
            Instruction::Do(action) => Some(action),
            _ => None,
        };
        let mut waiting = 0;
        // A stable partition in place: each task is looked at once, in the order of the queue.
        for _ in 0..self.queue.len() {
            let at = self.candidates.len();
            let task = self.queue[at];
            match next(&self.state, task) {
                Some(action) if self.state.possible(action) => {
                    self.candidates.push(Candidate::announcing(name(task), self.intent(action)));
                }
                Some(_) => {
                    self.queue[at..].rotate_left(1);
                    waiting += 1;
                }
                None => {
                    self.queue.remove(at);
                }
            }
        }
        self.ready = self.candidates.len();
        debug_assert_eq!(self.ready + waiting, self.queue.len(), "the queue is who may go on and who waits");
    }

    /// As [`Machine::refresh`] after a step on a cell: that concerns nobody but the task itself, which is first.
    fn refresh_first(&mut self) {
        let task = self.queue[0];
        match self.code.instructions[self.state.places[task]] {
            Instruction::Do(action) if self.state.possible(action) => {
                self.candidates[0].announced = Some(self.intent(action));
                return;
            }
            Instruction::Do(_) => self.queue.rotate_left(1),
            _ => {
                self.queue.remove(0);
            }
        }
        self.candidates.remove(0);
        self.ready -= 1;
    }

    fn find_stuck(&mut self) {
        self.stuck.clear();
        for task in 0..self.state.places.len() {
            let announced = match self.code.instructions[self.state.places[task]] {
                Instruction::Do(action) => Some(self.intent(action)),
                Instruction::End => continue,
                _ => None,
            };
            self.stuck.push(Stuck { task: name(task), announced, request: None });
        }
    }

    /// What a task announces: what its operation does if nothing refuses it.
    fn intent(&self, action: Action) -> Announced {
        let access = match action {
            Action::Load(_) => Access::Read,
            Action::Store(..) | Action::FetchAdd(..) => Access::Write,
            Action::CompareExchange(_, expected, _) => Access::Exchange(number(expected)),
            Action::Lock(_) => Access::Acquire(1),
            Action::Unlock(_) => Access::Release(1),
            Action::TryLock(_) => Access::TryAcquire(1),
            Action::Send(_) => Access::Send,
            Action::Receive(_) => Access::Receive,
            Action::TryReceive(_) => Access::TryReceive,
        };
        self.touch(action, access)
    }

    /// Objects are numbered cells first, then locks, then channels.
    fn touch(&self, action: Action, access: Access) -> Touch {
        let (cells, locks) = (self.state.cells.len(), self.state.locks.len());
        let (kind, number) = match action {
            Action::Store(cell, _)
            | Action::Load(cell)
            | Action::FetchAdd(cell, _)
            | Action::CompareExchange(cell, ..) => (ObjectKind::Value, cell),
            Action::Lock(lock) | Action::Unlock(lock) | Action::TryLock(lock) => {
                (ObjectKind::Lock, cells + lock)
            }
            Action::Send(channel) | Action::Receive(channel) | Action::TryReceive(channel) => {
                (ObjectKind::Queue, cells + locks + channel)
            }
        };
        Touch { object: ObjectId(number as u64), kind, access, at: None }
    }
}

impl State {
    fn possible(&self, action: Action) -> bool {
        match action {
            Action::Lock(lock) => self.locks[lock].is_none(),
            Action::Receive(channel) => self.channels[channel] > 0,
            _ => true,
        }
    }

    /// Carries an operation out; says what it turned out to be.
    fn act(&mut self, task: usize, action: Action) -> Access {
        match action {
            Action::Store(cell, value) => {
                self.cells[cell] = match value {
                    Operand::Value(value) => value,
                    Operand::Last { plus } => self.lasts[task].wrapping_add(plus),
                };
                Access::Set(number(self.cells[cell]))
            }
            Action::Load(cell) => {
                self.lasts[task] = self.cells[cell];
                Access::Read
            }
            Action::FetchAdd(cell, add) => {
                self.lasts[task] = self.cells[cell];
                self.cells[cell] = self.cells[cell].wrapping_add(add);
                Access::Set(number(self.cells[cell]))
            }
            Action::CompareExchange(cell, expected, new) => {
                self.lasts[task] = self.cells[cell];
                if self.cells[cell] == expected {
                    self.cells[cell] = new;
                    Access::Set(number(new))
                } else {
                    Access::Read
                }
            }
            Action::Lock(lock) => {
                self.locks[lock] = Some(task);
                Access::Acquire(1)
            }
            Action::Unlock(lock) => {
                assert_eq!(self.locks[lock], Some(task), "a task unlocks a lock that it does not hold");
                self.locks[lock] = None;
                Access::Release(1)
            }
            Action::TryLock(lock) => {
                let free = self.locks[lock].is_none();
                self.lasts[task] = i64::from(free);
                if free {
                    self.locks[lock] = Some(task);
                    Access::TryAcquire(1)
                } else {
                    Access::Refused(1)
                }
            }
            Action::Send(channel) => {
                self.channels[channel] += 1;
                Access::Send
            }
            Action::Receive(channel) => {
                self.channels[channel] -= 1;
                Access::Receive
            }
            Action::TryReceive(channel) => {
                let there = self.channels[channel] > 0;
                self.lasts[task] = i64::from(there);
                self.channels[channel] -= u64::from(there);
                if there { Access::TryReceive } else { Access::Empty }
            }
        }
    }
}

/// A value's number: itself if it is small, else a mixture of its two halves.
fn number(value: i64) -> u32 {
    i32::try_from(value).unwrap_or((value ^ value >> 32) as i32) as u32
}

fn name(task: usize) -> TaskId {
    TaskId::from_u64(task as u64)
}

#[cfg(test)]
mod tests;
