//! What the steps of an explored run do: the one watcher of this process's shared objects, and the run that explores
//! on this thread.
//!
//! Objects report what is done to them ([`cx::Object`]); what the kernel does is read off the labels it emits:
//!
//! | label | what it is to exploration |
//! |---|---|
//! | a task ends, its join returns | the moment of its end: happens, is observed; is looked at before, if the task waits for other things too |
//! | a member ends or a child region closes, the region closes | the moment of the region's close; is looked at before, where combinators do other things beside it |
//! | a request is made, whether or not it comes in time; every step of a task that is ever asked | a write to, and a look at, what the task was asked |
//! | somebody looks whether the task has ended, or asks one that owns regions | a look at that moment |
//! | an obligation is settled; its region settles | a look at, and a write to, the region's books |
//! | a region's phase changes; a member fails; something is reserved, settled or moved; a task or a region comes | the region's moments of these: happen, and are looked at through a handle |
//!
//! Invariants: `explore.names` (an object's number is made of its creator and of how many that one created before),
//! `explore.whole-step`.
//!
//! | file | what lives there |
//! |---|---|
//! | `asked` | requests to end: who is asked, who looks |
//! | `ends` | ends of tasks and regions: who waits for them, who joins |
//! | `regions` | regions: what happens to them, what can be seen of one from outside |
//!
//! Not here: which steps are explored (`explore`), who runs them (`engine`).
mod asked;
mod ends;
mod regions;

pub(crate) use asked::{Looks, Unlooked, has_told, request};

use crate::asleep::Asleep;
use crate::names::{ById, Names};
use crate::outside::{self, Looked};
use crate::raw::desk::Desk;
use crate::spins;
use cx::port::WaitOn;
use cx::{Heed, RegionLook, Waiter, Watcher};
use explore::Objects as States;
use explore::Touch;
use std::cell::Cell;
use std::panic::Location;
use trace::{Access, Label, ObjectId, ObjectKind, ScopeKind, Site};
use types::{ObligationId, RegionId, TaskId};

/// How fine the steps of an explored run are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Grain {
    /// A task that is about to do something that it would have to wait for is not run before that is possible.
    /// Exact and fast, and takes for granted that the primitives' queues and wakes are right.
    #[default]
    Operation,
    /// Every task runs as it would in production: it tries, queues up, is woken. More schedules; finds mistakes in
    /// the primitives themselves.
    Poll,
}

/// A task that will go on with an announced operation.
pub(crate) struct Announcement {
    pub(crate) task: TaskId,
    pub(crate) waiter: Waiter,
    pub(crate) touch: Touch,
    /// The object's number in this run.
    number: u32,
    pub(crate) heed: Heed,
}

/// What one step did.
#[derive(Default)]
pub(crate) struct StepLog {
    pub(crate) touches: Vec<Touch>,
    pub(crate) enabled: Vec<TaskId>,
    pub(crate) announced: Vec<Announcement>,
}

#[derive(Default)]
struct Run {
    /// How many runs have used this memory.
    runs: u32,
    grain: Grain,
    /// Whose step it is; 0 before the first one, and for the world's own.
    actor: u64,
    created: ById<u64, u32>,
    /// The objects in the order of their creation, and the tasks: what their names are made of if somebody asks.
    objects: Vec<(ObjectId, ObjectKind, &'static Location<'static>)>,
    spawned: Vec<(TaskId, Site)>,
    /// What was done to them, and so which operations are possible.
    states: States,
    /// What each is, by its number there; the kernel's own and those of other runs pass for values.
    kinds: Vec<ObjectKind>,
    /// The one that was asked for last. Several operations on one in a row are the rule. (No object has the name 0.)
    recent: (u64, u32),
    log: Box<StepLog>,
    /// Who is, or was, a member of what.
    tasks: ById<TaskId, RegionId>,
    parents: ById<RegionId, Option<RegionId>>,
    /// The tasks whose frames opened a region.
    bodies: ById<RegionId, TaskId>,
    books: ById<ObligationId, RegionId>,
    /// The regions in which something was reserved.
    keeps: ById<RegionId, ()>,
    /// What the task whose step it is had announced and may do now.
    resumed: Option<(ObjectId, Access)>,
    /// Whether that task tries everything it waits for, having announced several things at once.
    tries: bool,
    /// Which steps look at what their task was asked.
    looks: Looks,
    /// Who was asked whose steps don't look, and whether a region was looked at of which nothing is recorded.
    unlooked: Unlooked,
    /// Whose request to end the step looks at.
    own: Option<ObjectId>,
    /// What its task had announced.
    announced: Option<ObjectId>,
    /// What has happened to regions in the step, for those who look at them.
    moments: Vec<ObjectId>,
    /// Which tasks the step asked as a whole, and not only a frame in them.
    told: Vec<TaskId>,
    /// Whether the run is being taken down: nobody waits for anything any more.
    over: bool,
    /// Whether steps look at the clock: it may move although tasks can run.
    eager: bool,
    /// Who sleeps, and for what.
    asleep: Asleep,
    /// The open frames of combinators, and whose they are: who joins in one would have gone on without the end, too.
    combinators: ById<u64, TaskId>,
    /// How many labels there were.
    emitted: u64,
    /// What objects are told to be called is mixed with it.
    salt: u64,
    /// How many touches from outside there were in this process before the run.
    outside: u64,
}

thread_local! {
    static RUN: Desk<Run> = const { Desk::new() };
    /// The run before, empty, for its memory.
    static BEFORE: Cell<Option<Box<Run>>> = const { Cell::new(None) };
}

/// After so many runs their memory is given back: what other programs called their objects does not pile up.
const RUNS: u32 = 4096;

/// What objects of the kernel are about, so that their numbers differ from each other.
const END: u64 = 0x0065_6E64;
const CLOSE: u64 = 0x636C_6F73;
const ASKED: u64 = 0x6173_6B65;
const BOOKS: u64 = 0x626F_6F6B;

/// What time it is, and which timers are set: tasks look at it, and the clock changes it when it moves.
pub(crate) const TIME: ObjectId = ObjectId(0x7469_6D65_7469_6D65);
/// How often the clock may still overtake tasks.
pub(crate) const OVERTAKINGS: ObjectId = ObjectId(0x6F76_6572_6F76_6572);

fn object(of: u64, about: u64) -> ObjectId {
    ObjectId(region::mix(of, about))
}

/// What the kernel has one object of for each task: what it was asked, and its end.
pub(crate) fn objects_of(task: TaskId) -> [(ObjectId, &'static str); 2] {
    let task = task.as_u64();
    [(object(task, ASKED), "request to end"), (object(task, END), "end")]
}

impl StepLog {
    /// May drop tasks.
    pub(crate) fn clear(&mut self) {
        self.touches.clear();
        self.enabled.clear();
        self.announced.clear();
    }
}

struct Objects;

/// The process's watcher.
static WATCHER: &dyn Watcher = &Objects;

impl Watcher for Objects {
    fn created(&self, kind: ObjectKind, at: &'static Location<'static>) -> Option<ObjectId> {
        with(|run| {
            let before = run.created.entry(run.actor).or_insert(0);
            let id = ObjectId(region::mix(run.actor ^ 0x6F62_6A65, u64::from(*before)));
            *before += 1;
            run.objects.push((id, kind, at));
            let number = run.number(id);
            run.kinds[number as usize] = kind;
            ObjectId(id.0 ^ run.salt)
        })
        .or_else(|| outside::created(kind, at))
    }

    fn touched(&self, object: ObjectId, access: Access, at: Option<&'static Location<'static>>) {
        let told = object;
        let noticed = with(|run| {
            let object = ObjectId(object.0 ^ run.salt);
            let number = run.number(object);
            run.states.count(number, access);
            run.log.touches.push(Touch { object, kind: run.kinds[number as usize], access, at })
        });
        if noticed.is_none() {
            outside::note(told, access, at)
        }
        spins::touched(access, at)
    }

    fn looked_at_time(&self) {
        looks_at_clock()
    }

    fn looked(&self, task: TaskId) {
        with(|run| run.touch(object(task.as_u64(), END), ObjectKind::Moment, Access::Read));
    }

    fn looked_at_region(&self, region: RegionId, at: RegionLook) {
        with(|run| run.looked_at_region(region, at));
    }

    fn waits(&self, on: WaitOn) {
        with(|run| run.waits(on));
    }

    fn goes_on(&self, object: ObjectId, access: Access) -> bool {
        // Where nobody explores nothing is announced.
        with(|run| run.goes_on(ObjectId(object.0 ^ run.salt), access)).unwrap_or(true)
    }

    fn announced(
        &self,
        task: Waiter,
        object: ObjectId,
        access: Access,
        at: Option<&'static Location<'static>>,
        heed: Heed,
    ) -> bool {
        with(move |run| {
            let object = ObjectId(object.0 ^ run.salt);
            let number = run.number(object);
            let touch = Touch { object, kind: run.kinds[number as usize], access, at };
            let announcement =
                Announcement { task: TaskId::from_u64(run.actor), waiter: task, touch, number, heed };
            run.log.announced.push(announcement)
        })
        .is_some()
    }

    fn asks(&self, task: TaskId) {
        if !types::seeded!("lab.only-effective-requests") {
            with(|run| run.asked(task));
        }
    }

    fn asks_region(&self, region: RegionId) {
        with(|run| run.asked_below(region));
    }

    fn request_of(&self, task: TaskId) -> Option<ObjectId> {
        with(|run| ObjectId(object(task.as_u64(), ASKED).0 ^ run.salt))
    }

    fn end_of(&self, task: TaskId) -> Option<ObjectId> {
        with(|run| run.end_of(task))
    }
}

/// The run of this thread, if it explores.
#[inline]
fn with<T>(f: impl FnOnce(&mut Run) -> T) -> Option<T> {
    RUN.with(|run| run.with(f))
}

impl Run {
    /// As if it were new, but for its memory.
    fn clear(&mut self) {
        let Run { runs, created, objects, spawned, states, kinds, log, .. } = self;
        *runs += 1;
        created.clear();
        objects.clear();
        spawned.clear();
        states.clear();
        kinds.fill(ObjectKind::Value);
        log.clear();
        let Run { tasks, parents, bodies, books, keeps, .. } = self;
        tasks.clear();
        parents.clear();
        bodies.clear();
        books.clear();
        keeps.clear();
        self.asleep.clear();
        self.combinators.clear();
        self.actor = 0;
        self.resumed = None;
        self.tries = false;
        self.unlooked = Unlooked::default();
        self.own = None;
        self.moments.clear();
        self.told.clear();
        self.over = false;
        self.emitted = 0;
    }

    /// Every operation is announced once before it happens, whatever the state of its object: so a task's steps are
    /// the same whoever came before.
    fn goes_on(&mut self, object: ObjectId, access: Access) -> bool {
        let resumed = self.resumed.take_if(|r| *r == (object, access)).is_some();
        resumed || self.tries || self.over || self.grain == Grain::Poll
    }

    /// The object's number among those that this memory has seen.
    #[inline]
    fn number(&mut self, object: ObjectId) -> u32 {
        if self.recent.0 == object.0 {
            return self.recent.1;
        }
        let number = self.states.number(object);
        self.recent = (object.0, number);
        if number as usize >= self.kinds.len() {
            self.kinds.resize(number as usize + 1, ObjectKind::Value)
        }
        number
    }

    /// Something was done to an object of the kernel's.
    fn touch(&mut self, object: ObjectId, kind: ObjectKind, access: Access) {
        let number = self.states.number(object);
        self.states.count(number, access);
        self.log.touches.push(Touch { object, kind, access, at: None })
    }

    fn looks_at_clock(&mut self) {
        if !self.eager || self.actor == 0 || types::seeded!("lab.clock-unseen") {
            return;
        }
        let seen = |touch: &Touch| touch.object == TIME;
        if !self.log.touches.last().is_some_and(seen) {
            self.touch(TIME, ObjectKind::Value, Access::Read)
        }
        self.asleep.waits(TaskId::from_u64(self.actor), (TIME, ObjectKind::Value))
    }

    fn names(&self) -> Names {
        let mut names = Names::default();
        self.objects.iter().for_each(|(id, kind, at)| names.object(*id, *kind, at));
        self.spawned.iter().for_each(|(id, site)| names.task(*id, site));
        names
    }

    fn label(&mut self, label: &Label) {
        let moment = ObjectKind::Moment;
        match *label {
            Label::TaskSpawn { task, region, ref site, .. } => {
                self.tasks.insert(task, region);
                self.spawned.push((task, site.clone()));
                self.comes(region)
            }
            Label::TaskEnd { task, failure, .. } => {
                self.touch(object(task.as_u64(), END), moment, Access::Happen);
                if let Some(region) = self.tasks.get(&task).copied() {
                    self.touch(object(region.as_u64(), CLOSE), moment, Access::Happen);
                    if failure {
                        self.fails(region)
                    }
                }
            }
            Label::TaskJoined { task, .. } => self.joined(task),
            Label::ScopeOpen { scope, task, kind: ScopeKind::Combinator, .. } => {
                self.combinators.insert(scope.0, task);
            }
            Label::ScopeClose { scope, .. } if !self.combinators.is_empty() => {
                self.combinators.remove(&scope.0);
            }
            Label::RegionRequest { region, .. } => self.asked_below(region),
            Label::TaskRequest { task, .. } => {
                self.told.push(task);
                self.asked(task)
            }
            Label::ScopeRequest { .. } => self.asked_of_a_scope(),
            _ => self.label_of_region(label),
        }
    }
}

/// This thread explores from here on. `looks`: whose steps are recorded as looking at requests. A run in which others are
/// asked ends with [`end`] saying so, and the exploration has to begin again.
/// `eager`: the clock may move although tasks can run, and steps are recorded as looking at it.
pub(crate) fn begin(grain: Grain, looks: &Looks, eager: bool) {
    cx::watch_objects(&WATCHER);
    let mut run = BEFORE.take().unwrap_or_default();
    run.grain = grain;
    if !run.looks.is(looks) {
        run.looks = looks.clone()
    }
    run.salt = outside::salt();
    run.outside = outside::noted();
    run.eager = eager;
    let before = RUN.with(|desk| desk.put(run));
    // May drop tasks, and those touch objects.
    drop(before)
}

/// The run is being taken down: whoever announces something goes on at once.
pub(crate) fn over() {
    with(|run| run.over = true);
}

/// This thread no longer explores. Returns what was not recorded and would have had to be; and, if they are asked for, what
/// everything was called.
pub(crate) fn end(names: bool) -> (Unlooked, Names) {
    let Some(mut run) = RUN.with(Desk::take) else {
        return (Unlooked::default(), Names::default());
    };
    let names = if names { run.names() } else { Names::default() };
    let unlooked = std::mem::take(&mut run.unlooked);
    // Outside of the borrow: waiters may drop tasks, and those touch objects.
    run.clear();
    if run.runs < RUNS {
        BEFORE.set(Some(run));
    }
    (unlooked, names)
}

/// What other threads have done to the run's objects so far, in words.
pub(crate) fn touched_from_outside() -> Option<String> {
    with(|run| outside::told(run.outside, &run.objects)).flatten()
}

/// Has what this thread's labs share looked after where steps are not looked at, for as long as that is kept.
pub(crate) fn look_after() -> Option<Looked> {
    cx::watch_objects(&WATCHER);
    Looked::begin()
}

/// A step of this task begins. `tries`: it does whatever it comes to, announced
/// or not.
#[inline]
pub(crate) fn step(task: TaskId, resumed: Option<&Touch>, tries: bool) {
    spins::step_begins();
    with(|run| {
        run.asleep.begins(task);
        run.actor = task.as_u64();
        run.resumed = resumed.map(|touch| (touch.object, touch.access));
        run.tries = tries;
        run.announced = resumed.map(|touch| touch.object);
        run.own = run.looks.at(task).then(|| object(task.as_u64(), ASKED));
        run.told.clear()
    });
}

/// The task whose step it is looks at the clock, or at its timers. If it waits in the end, then for the clock too.
#[inline]
pub(crate) fn looks_at_clock() {
    with(Run::looks_at_clock);
}

/// Whether a task's step runs, or one of the clock's.
pub(crate) fn in_a_step() -> bool {
    with(|run| run.actor != 0).unwrap_or(false)
}

/// The task whose step it is has set a timer that may overtake others, or might have done so.
pub(crate) fn spends_overtaking(spends: bool) {
    let access = if spends { Access::Write } else { Access::Read };
    with(|run| run.touch(OVERTAKINGS, ObjectKind::Value, access));
}

/// The clock moves before tasks that can run: a step of its own.
pub(crate) fn clock_steps(clock: TaskId) {
    with(|run| {
        run.asleep.begins(clock);
        run.actor = clock.as_u64();
        run.touch(TIME, ObjectKind::Value, Access::Write)
    });
}

/// A task was spawned.
pub(crate) fn spawned(task: TaskId) {
    with(|run| run.log.enabled.push(task));
}

/// A task was woken; if it had announced something, that is void. It might have gone on with that before, so that this is
/// not why it goes on.
pub(crate) fn woken(task: TaskId, announced: Option<&Touch>) {
    with(|run| {
        if let Some(announced) = announced {
            run.asleep.voided(task, announced)
        }
        let asked = (object(task.as_u64(), ASKED), ObjectKind::Value);
        run.asleep.woken(task, run.looks.at(task).then_some(asked));
        if announced.is_none() || types::seeded!("explore.woken-by-all") {
            run.log.enabled.push(task)
        }
    });
}

/// What the task had announced is void: it goes on without it.
pub(crate) fn voided(task: TaskId, announced: &Touch) {
    with(|run| run.asleep.voided(task, announced));
}

/// The kernel said this.
pub(crate) fn label(label: &Label) {
    with(|run| {
        run.emitted += 1;
        run.label(label)
    });
}

/// How many labels the run has had: the position of the next event in its trace.
pub(crate) fn emitted() -> u64 {
    with(|run| run.emitted).unwrap_or(0)
}

/// Adds the places of those who would not have to wait now.
#[inline]
pub(crate) fn possible(announced: &[Announcement], able: &mut Vec<usize>) {
    with(|run| {
        for (at, a) in announced.iter().enumerate() {
            if a.heed == Heed::Now || run.states.possible_at(a.number, a.touch.kind, a.touch.access) {
                able.push(at)
            }
        }
    });
}

/// What was done: "writes the value created at src/a.rs:3, at src/a.rs:9".
pub(crate) fn told(touch: &Touch) -> String {
    let object = with(|run| run.names().of_object(touch.object)).unwrap_or_default();
    let at = touch.at.map(|at| format!(", at {}:{}", at.file(), at.line())).unwrap_or_default();
    format!("{} {object}{at}", touch.access)
}

/// What a task is waiting to do: "waits, and then takes the lock created at src/a.rs:3".
pub(crate) fn announced(touch: &Touch) -> String {
    let object = with(|run| run.names().of_object(touch.object)).unwrap_or_default();
    let at = touch.at.map(|at| format!(", at {}:{}", at.file(), at.line())).unwrap_or_default();
    format!("waits until it {} {object}{at}", touch.access)
}

/// The step is over, and what follows is the world's own. What happened since the last one ended; `log` is emptied and
/// kept for its memory.
#[inline]
pub(crate) fn ended(log: &mut Box<StepLog>) {
    log.clear();
    with(|run| {
        let Run { asleep, log: own, .. } = run;
        asleep.ended(&mut own.touches);
        if let Some(own) = run.own.take() {
            run.look(own)
        }
        if !run.moments.is_empty() {
            run.say_moments()
        }
        run.actor = 0;
        run.resumed = None;
        run.tries = false;
        std::mem::swap(&mut run.log, log)
    });
}
