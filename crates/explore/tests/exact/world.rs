//! Every kind of object, steps of one operation and of several, tasks that announce what they wait for and tasks that
//! are parked and woken, spawning, time, choices: a small executor of its own, so that the relation and the
//! exploration are held against something that shares no code with them.

use crate::brute::Executor;
use explore::{Candidate, Ended, Fingerprinter, Point, Request, Scheduler, Step, Stuck, Touch};
use std::collections::VecDeque;
use std::fmt::Write as _;
use trace::{Access, Choice, ObjectId, ObjectKind};
use types::TaskId;

/// Part of a step.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Op {
    /// On the object of this number. `Write` stores the task's number; `Set` stores; a release gives back what the task
    /// took, if it took it.
    Do(usize, Access),
    /// Makes the task of this number able to run.
    Spawn(usize),
    /// Waits for the clock.
    Sleep,
    /// One of so many.
    Choose(u32),
    /// Skips the next step if the last attempt failed.
    SkipIfFailed,
    /// Asks the task of this number to end.
    Ask(usize),
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Plan {
    pub(crate) kinds: Vec<ObjectKind>,
    /// Per task, its steps.
    pub(crate) tasks: Vec<Vec<Vec<Op>>>,
    /// Whether a task says what it is going to do; if not, it tries, and is parked if it has to wait.
    pub(crate) announces: bool,
    /// Tasks to which requests are hidden.
    pub(crate) masked: Vec<usize>,
}

#[derive(Clone, PartialEq, Eq, Debug, Default)]
struct Object {
    value: u32,
    taken: u32,
    messages: VecDeque<u32>,
    closed: bool,
    /// Tasks parked on it.
    parked: Vec<usize>,
}

#[derive(Clone, PartialEq, Eq, Debug)]
struct Task {
    at: usize,
    /// Whether it was spawned.
    started: bool,
    asleep: bool,
    /// Who asked it to end first.
    asked: Option<usize>,
    parked: bool,
    /// At which operation of the step it was parked.
    resume: usize,
    failed: bool,
    holds: Vec<u32>,
    /// What it saw: two executions in which somebody saw something else end in different states.
    log: Vec<u32>,
}

#[derive(Clone, Debug)]
pub(crate) struct World {
    plan: Plan,
    objects: Vec<Object>,
    tasks: Vec<Task>,
    clock: u32,
}

fn id(task: usize) -> TaskId {
    TaskId::from_u64(100 + task as u64)
}

impl World {
    pub(crate) fn new(plan: &Plan) -> World {
        let spawned: Vec<usize> =
            plan.tasks.iter().flatten().flatten().filter_map(|op| spawns(*op)).collect();
        let task = |task| Task {
            at: 0,
            started: !spawned.contains(&task),
            asleep: false,
            asked: None,
            parked: false,
            resume: 0,
            failed: false,
            holds: vec![0; plan.kinds.len()],
            log: Vec::new(),
        };
        World {
            objects: vec![Object::default(); plan.kinds.len()],
            tasks: (0..plan.tasks.len()).map(task).collect(),
            plan: plan.clone(),
            clock: 0,
        }
    }

    fn touch(&self, object: usize, access: Access) -> Touch {
        Touch { object: ObjectId(1000 * object as u64 + 7), kind: self.plan.kinds[object], access, at: None }
    }

    fn next(&self, task: usize) -> Option<&[Op]> {
        self.plan.tasks[task].get(self.tasks[task].at).map(Vec::as_slice)
    }

    /// Whether the operation would not have to wait.
    fn possible(&self, op: Op) -> bool {
        match op {
            Op::Do(object, access) => {
                let state = &self.objects[object];
                match access {
                    Access::Acquire(count) => {
                        state.closed || state.taken + count <= total(self.plan.kinds[object])
                    }
                    Access::Receive => state.closed || !state.messages.is_empty(),
                    Access::Observe => state.closed,
                    _ => true,
                }
            }
            _ => true,
        }
    }

    /// Whether a task that was asked to end does not do this.
    fn heeds(&self, task: usize, op: Op) -> bool {
        let waits = matches!(
            op,
            Op::Do(_, Access::Acquire(_) | Access::Receive | Access::Observe | Access::TryAcquire(_))
        );
        waits && !self.plan.masked.contains(&task)
    }

    fn is_refused(&self, task: usize, op: Op) -> bool {
        self.tasks[task].asked.is_some() && self.heeds(task, op)
    }

    /// What a task's step looks at besides, if anybody asks that task to end.
    fn request(&self, task: usize) -> Option<Request> {
        let asked = self.plan.tasks.iter().flatten().flatten().any(|op| *op == Op::Ask(task));
        let first = self.next(task).and_then(|step| step.get(self.tasks[task].resume).copied());
        let heeded = first.is_some_and(|op| self.heeds(task, op));
        asked.then(|| Request { object: self.asks(task).object, heeded })
    }

    fn asks(&self, task: usize) -> Touch {
        let (kind, access) = (ObjectKind::Value, Access::Write);
        Touch { object: ObjectId(500_000 + task as u64), kind, access, at: None }
    }

    /// What the first operation of a task's next step is, as the task would announce it.
    fn announced(&self, task: usize) -> Option<Touch> {
        match *self.next(task)?.first()? {
            _ if self.tasks[task].resume > 0 => None,
            Op::Do(object, Access::Release(count)) if self.tasks[task].holds[object] < count => None,
            Op::Do(object, access) => Some(self.touch(object, access)),
            Op::Ask(other) => Some(self.asks(other)),
            _ => None,
        }
    }

    fn is_candidate(&self, task: usize) -> bool {
        let state = &self.tasks[task];
        let Some(step) = self.next(task) else { return false };
        let waits = self.plan.announces
            && state.resume == 0
            && !self.possible(step[0])
            && !self.is_refused(task, step[0]);
        state.started && !state.asleep && !state.parked && !waits
    }

    fn all_candidates(&self) -> Vec<Candidate> {
        let candidates = (0..self.tasks.len()).filter(|&task| self.is_candidate(task));
        let announced = |task| self.announced(task).filter(|_| self.plan.announces);
        let candidate =
            |task| Candidate { task: id(task), announced: announced(task), request: self.request(task) };
        candidates.map(candidate).collect()
    }

    /// Takes a task's next step; `choose` answers its choices. The look at what it was asked comes last.
    fn act(&mut self, task: usize, choose: &mut dyn FnMut(u32) -> u32) -> (Vec<Touch>, Vec<TaskId>) {
        let look = Touch { access: Access::Read, ..self.asks(task) };
        let look = self.request(task).map(|_| look);
        let (mut touches, enabled) = self.act_unasked(task, choose);
        touches.extend(look);
        (touches, enabled)
    }

    fn act_unasked(&mut self, task: usize, choose: &mut dyn FnMut(u32) -> u32) -> (Vec<Touch>, Vec<TaskId>) {
        let (mut touches, mut enabled) = (Vec::new(), Vec::new());
        let step = self.next(task).expect("a candidate has a step").to_vec();
        for (at, &op) in step.iter().enumerate().skip(self.tasks[task].resume) {
            match op {
                Op::Do(..) if self.is_refused(task, op) => {
                    let by = self.tasks[task].asked.map_or(0, |by| by as u32);
                    self.tasks[task].log.push(1000 + by);
                    self.tasks[task].failed = true;
                }
                Op::Ask(other) => {
                    touches.push(self.asks(other));
                    self.tasks[other].asked.get_or_insert(task);
                    // Who wakes a task is told apart from who could have done so first, by what that one touches.
                    if let Some(waited_for) = self.wake_refused(other) {
                        touches.push(waited_for);
                        enabled.push(id(other));
                    }
                }
                Op::Do(object, _) if !self.possible(op) => {
                    // Joins the queue of those who wait, which everybody else there notices. Nobody notices who waits for
                    // something to happen; but if the step of one who may be asked to end did something before, it ends
                    // here, and would have gone on had it happened by then.
                    if self.plan.kinds[object] != ObjectKind::Moment {
                        touches.push(self.touch(object, Access::Write));
                    } else if !touches.is_empty() && self.request(task).is_some() {
                        touches.push(self.touch(object, Access::Read));
                    }
                    self.objects[object].parked.push(task);
                    self.tasks[task].parked = true;
                    self.tasks[task].resume = at;
                    return (touches, enabled);
                }
                Op::Do(object, access) => {
                    if let Some(did) = self.operate(task, object, access) {
                        touches.push(self.touch(object, did));
                        let wakes =
                            matches!(did, Access::Release(_) | Access::Send | Access::Close | Access::Happen);
                        if wakes {
                            let woken = std::mem::take(&mut self.objects[object].parked);
                            for &task in &woken {
                                self.tasks[task].parked = false;
                                let asks = Touch { access: Access::Read, ..self.asks(task) };
                                touches.extend(self.request(task).map(|_| asks));
                            }
                            enabled.extend(woken.into_iter().map(id));
                        }
                    }
                }
                Op::Spawn(other) => {
                    self.tasks[other].started = true;
                    enabled.push(id(other));
                }
                Op::Sleep => self.tasks[task].asleep = true,
                Op::Choose(options) => {
                    let chosen = choose(options);
                    self.tasks[task].log.push(chosen);
                    self.tasks[task].failed = chosen == 0;
                }
                Op::SkipIfFailed => {
                    let failed = self.tasks[task].failed;
                    self.tasks[task].at += usize::from(failed);
                }
            }
        }
        self.tasks[task].at += 1;
        self.tasks[task].resume = 0;
        (touches, enabled)
    }

    /// A task that is parked on what it is refused now goes on without it. What it no longer waits for.
    fn wake_refused(&mut self, task: usize) -> Option<Touch> {
        let op = *self.next(task)?.get(self.tasks[task].resume)?;
        let Op::Do(object, _) = op else { return None };
        let wakes = self.tasks[task].parked && self.is_refused(task, op);
        wakes.then(|| {
            self.tasks[task].parked = false;
            self.objects[object].parked.retain(|parked| *parked != task);
            let moment = self.plan.kinds[object] == ObjectKind::Moment;
            self.touch(object, if moment { Access::Read } else { Access::Write })
        })
    }

    /// What the operation came to; nothing if there was nothing to give back.
    fn operate(&mut self, task: usize, object: usize, access: Access) -> Option<Access> {
        let state = &mut self.objects[object];
        match access {
            Access::Read | Access::Write | Access::Set(_) | Access::Exchange(_) => {
                Some(self.operate_on_value(task, object, access))
            }
            Access::Acquire(_) | Access::TryAcquire(_) | Access::Release(_) => {
                self.operate_on_permits(task, object, access)
            }
            Access::Receive | Access::TryReceive => Some(self.receive(task, object, access)),
            Access::Send => {
                state.messages.push_back(task as u32);
                Some(access)
            }
            Access::Close | Access::Happen => {
                state.closed = true;
                Some(access)
            }
            Access::Observe => Some(access),
            other => unreachable!("no program does {other:?}"),
        }
    }

    fn operate_on_value(&mut self, task: usize, object: usize, access: Access) -> Access {
        let (state, own) = (&mut self.objects[object], &mut self.tasks[task]);
        match access {
            Access::Write => state.value = 10 + task as u32,
            Access::Set(value) => state.value = value,
            Access::Exchange(expected) => {
                own.log.push(state.value);
                own.failed = state.value != expected;
                if own.failed {
                    return Access::Read;
                }
                state.value += 1;
                return Access::Set(state.value);
            }
            _ => own.log.push(state.value),
        }
        access
    }

    fn operate_on_permits(&mut self, task: usize, object: usize, access: Access) -> Option<Access> {
        let kind = self.plan.kinds[object];
        let (state, own) = (&mut self.objects[object], &mut self.tasks[task]);
        match access {
            Access::Release(count) => {
                // Slots are given back by who receives.
                let slots = matches!(kind, ObjectKind::Slots { .. });
                if own.holds[object] < count && !(slots && state.taken >= count) {
                    return None;
                }
                own.holds[object] = own.holds[object].saturating_sub(count);
                state.taken -= count;
            }
            Access::TryAcquire(count) if state.taken + count > total(kind) => {
                own.failed = true;
                own.log.push(1);
                return Some(Access::Refused(count));
            }
            Access::Acquire(count) | Access::TryAcquire(count) => {
                own.failed = false;
                own.log.push(0);
                state.taken += count;
                own.holds[object] += count;
            }
            other => unreachable!("{other:?} is not an operation on permits"),
        }
        Some(access)
    }

    fn receive(&mut self, task: usize, object: usize, access: Access) -> Access {
        let (state, own) = (&mut self.objects[object], &mut self.tasks[task]);
        let message = state.messages.pop_front();
        own.failed = message.is_none();
        own.log.push(message.unwrap_or(99));
        match (message, state.closed, access) {
            (Some(_), ..) => access,
            (None, true, Access::Receive) => Access::Ended,
            (None, true, _) => Access::Read,
            (None, false, _) => Access::Empty,
        }
    }

    /// Nothing else can happen: the clock moves, and who slept goes on.
    fn move_clock(&mut self) -> Option<Vec<TaskId>> {
        let asleep: Vec<usize> = (0..self.tasks.len()).filter(|&task| self.tasks[task].asleep).collect();
        for &task in &asleep {
            self.tasks[task].asleep = false;
        }
        self.clock += 1;
        (!asleep.is_empty()).then(|| asleep.into_iter().map(id).collect())
    }

    pub(crate) fn settle(&mut self, mut ran: impl FnMut(&Step<'_>)) {
        if self.all_candidates().is_empty()
            && let Some(enabled) = self.move_clock()
        {
            ran(&Step { task: None, touches: &[], enabled: &enabled });
        }
    }
}

impl Executor for World {
    fn candidates(&self) -> usize {
        self.all_candidates().len()
    }

    fn choices(&self, picked: usize) -> u32 {
        let task = self.all_candidates()[picked].task.as_u64() as usize - 100;
        let step = self.next(task).expect("a candidate has a step");
        let choices =
            step.iter().filter_map(|op| if let Op::Choose(options) = op { Some(*options) } else { None });
        choices.product()
    }

    fn step(&mut self, picked: usize, choice: u32, fingerprinter: &mut Fingerprinter) -> usize {
        let task = self.all_candidates()[picked].task;
        let mut rest = choice;
        let (touches, enabled) = self.act(task.as_u64() as usize - 100, &mut |options| {
            let chosen = rest % options;
            rest /= options;
            fingerprinter.chose(chosen);
            chosen
        });
        fingerprinter.ran(&Step { task: Some(task), touches: &touches, enabled: &enabled });
        let mut steps = 1;
        self.settle(|step| {
            fingerprinter.ran(step);
            steps += 1;
        });
        steps
    }

    fn state(&self) -> String {
        let mut state = String::new();
        for task in &self.tasks {
            let _ = write!(state, "{} {:?} {:?};", task.at, task.log, task.holds);
        }
        for object in &self.objects {
            let _ =
                write!(state, "{} {} {:?} {};", object.value, object.taken, object.messages, object.closed);
        }
        state
    }

    fn run(&mut self, scheduler: &mut dyn Scheduler) {
        *self = World::new(&self.plan);
        scheduler.begin();
        self.settle(|step| scheduler.ran(step));
        loop {
            let candidates = self.all_candidates();
            if candidates.is_empty() {
                break;
            }
            let Some(picked) = scheduler.pick(&Point { candidates: &candidates, usual: 0 }) else { return };
            let task = candidates[picked].task;
            let (touches, enabled) = self.act(task.as_u64() as usize - 100, &mut |options| {
                scheduler.choose(Choice::Random, options, 0)
            });
            scheduler.ran(&Step { task: Some(task), touches: &touches, enabled: &enabled });
            self.settle(|step| scheduler.ran(step));
        }
        let stuck =
            (0..self.tasks.len()).filter(|&task| self.tasks[task].started && self.next(task).is_some());
        let announced = |task| self.announced(task).filter(|_| self.plan.announces);
        let stuck: Vec<_> = stuck
            .map(|task| Stuck { task: id(task), announced: announced(task), request: self.request(task) })
            .collect();
        scheduler.ended(&Ended { stuck: &stuck });
    }
}

fn spawns(op: Op) -> Option<usize> {
    if let Op::Spawn(task) = op { Some(task) } else { None }
}

pub(crate) fn total(kind: ObjectKind) -> u32 {
    match kind {
        ObjectKind::Lock => 1,
        ObjectKind::SharedLock { total } | ObjectKind::Permits { total } | ObjectKind::Slots { total } => {
            total
        }
        _ => 0,
    }
}
