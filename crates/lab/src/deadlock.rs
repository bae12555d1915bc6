//! Deadlocks that timers of others hide: who waits for whom, and the circle in it.
//!
//! A task is *stuck* if all of this holds:
//! - in its last poll it waited for one thing only, and that is the end of a task, the end of a region, or something
//!   that is held; a task that waits for several things, or for a channel, may be served by anybody;
//! - it has no timer, no request is pending on it (that brings a cleanup deadline), and its waker was never cloned by
//!   foreign code;
//! - whoever it waits for is stuck as well: the task; one member of the region that is no daemon; every holder, all of
//!   them known, of a resource that has less left than is wanted.
//!
//! The stuck tasks are the greatest set for which this is true. None of them ever moves again by its own doing or that
//! of another one of them, so each waits for a circle. What somebody outside might still do (cancel one of them, close
//! or refill a semaphore) is no way out: a program that needs it has deadlocked.
//!
//! Not here: who notes what (`cx::port::Waits`), when it is looked for (`runtime`).
use crate::futurelock::{Futurelock, Queues};
use crate::world::locked;
use cx::port::{Holder, WaitOn, Waits};
use region::RegionView;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::{self, Write};
use std::panic::Location;
use std::sync::Mutex;
use task::{Header, TaskRef, control};
use trace::Label;
use types::{RegionId, TaskId};

/// Who waits for whom, kept while the program runs.
#[derive(Debug, Default)]
pub(crate) struct WaitGraph(Mutex<Table>);

#[derive(Debug, Default)]
struct Table {
    /// What each task has said in its last poll, by the address of its header.
    waiting: BTreeMap<usize, Waiting>,
    /// What is held, by number.
    holds: BTreeMap<u64, Held>,
    /// How much is left of a resource that is held.
    free: BTreeMap<usize, usize>,
    next: u64,
    /// Which futures stand in queues.
    queues: Queues,
}

#[derive(Debug)]
struct Waiting {
    /// Counted, so that no other task comes to the same address.
    task: TaskRef,
    id: TaskId,
    on: Vec<WaitOn>,
}

#[derive(Debug)]
struct Held {
    resource: usize,
    what: &'static str,
    at: &'static Location<'static>,
    by: Holder,
    /// The holder waits for the others that hold it.
    asks: bool,
}

impl Held {
    /// Whether `task` has this hold and waits for the others.
    fn asks_for(&self, task: TaskId) -> bool {
        let (Holder::Task(by) | Holder::Anybody(by)) = self.by;
        self.asks && by == task
    }
}

impl Waiting {
    fn name(&self) -> String {
        Waiting::spelt(&self.task, self.id)
    }

    fn spelt(task: &TaskRef, id: TaskId) -> String {
        let mut text = String::new();
        let name = Name { root: task.control() & control::ROOT != 0, spawned_at: task.spawned_at };
        // Writing to a string does not fail.
        let _ = spell(&mut text, id, name);
        text
    }

    /// What it said in its last poll that it waits for.
    fn awaits(&self) -> String {
        let what = self.task.waits_for().map_or("something", |kind| kind.what);
        match self.on[..] {
            [WaitOn::Held { at, .. }] => format!("`{what}` at {}", Place(at)),
            _ => format!("`{what}`"),
        }
    }
}

/// A line of the program.
struct Place(&'static Location<'static>);

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.0.file(), self.0.line())
    }
}

pub(crate) fn address(task: &Header) -> usize {
    std::ptr::from_ref(task).addr()
}

impl WaitGraph {
    /// The task is about to be polled: what it waited for is forgotten.
    pub(crate) fn polls(&self, task: &Header) {
        let mut table = locked(&self.0);
        let old = table.waiting.remove(&address(task));
        table.queues.polls(address(task));
        drop(table);
        drop(old);
    }

    /// The circle of stuck tasks, if there is one. `asleep` are the addresses of tasks that have timers; `view` is only
    /// taken if somebody waits for a region.
    pub(crate) fn circle(
        &self,
        asleep: &BTreeSet<usize>,
        view: impl FnOnce() -> RegionView,
    ) -> Option<Circle> {
        let table = locked(&self.0);
        let mut stuck = table.alone(asleep);
        if stuck.is_empty() {
            return None;
        }
        let mut regions = BTreeMap::new();
        if stuck.values().any(|s| matches!(s.on, WaitOn::Region(_))) {
            list(&view(), &mut regions);
        }
        let mut edges: BTreeMap<TaskId, Edge> =
            stuck.iter().filter_map(|(id, s)| Some((*id, table.edge(*id, s.on, &regions)?))).collect();
        loop {
            let before = edges.len();
            let names: BTreeSet<TaskId> = edges.keys().copied().collect();
            edges.retain(|_, edge| edge.leads_into(&names));
            if edges.len() == before {
                break;
            }
        }
        stuck.retain(|id, _| edges.contains_key(id));
        // Everybody left waits for somebody left: the walk must come round.
        let waits: Vec<oracle::Wait> = edges
            .iter()
            .filter_map(|(id, edge)| {
                let holder = *edge.to.iter().find(|to| edges.contains_key(to))?;
                Some(oracle::Wait { task: *id, holder, what: edge.what.into() })
            })
            .collect();
        let circle = oracle::cycle(&waits)?;
        let links = circle.iter().filter_map(|wait| {
            let spawned_at = stuck.get(&wait.task)?.task;
            let edge = edges.remove(&wait.task)?;
            Some(Link { task: wait.task, name: spawned_at, next: wait.holder, edge })
        });
        Some(Circle(links.collect()))
    }
}

impl WaitGraph {
    /// What the task said in its last poll that it waits for.
    pub(crate) fn noted(&self, task: &Header) -> Vec<WaitOn> {
        locked(&self.0).waiting.get(&address(task)).map(|waiting| waiting.on.clone()).unwrap_or_default()
    }

    /// Who is kept waiting by somebody who holds what he waits for and awaits something else. Told once nothing can run:
    /// until then the holder may go on.
    pub(crate) fn futurelocks(&self) -> Vec<Futurelock> {
        let table = locked(&self.0);
        let mut found = Vec::new();
        for waiting in table.waiting.values() {
            for on in &waiting.on {
                if let WaitOn::Held { resource, at, .. } = *on {
                    table.kept_waiting(waiting, resource, at, &mut found)
                }
            }
        }
        found
    }
}

impl Waits for WaitGraph {
    fn wait(&self, task: &Header, id: TaskId, on: WaitOn) {
        let mut table = locked(&self.0);
        if let WaitOn::Held { resource, at, .. } = on {
            table.queues.stands(task, id, resource, at)
        }
        let waiting = table.waiting.entry(address(task)).or_insert_with(|| Waiting {
            task: task.counted(),
            id,
            on: Vec::new(),
        });
        // A combinator may poll the same leg twice.
        if !waiting.on.contains(&on) {
            waiting.on.push(on)
        }
    }

    fn held(
        &self,
        resource: usize,
        what: &'static str,
        at: &'static Location<'static>,
        by: Holder,
        free: usize,
    ) -> u64 {
        let mut table = locked(&self.0);
        let gone = table.queues.got(resource, at);
        table.next += 1;
        let number = table.next;
        table.holds.insert(number, Held { resource, what, at, by, asks: false });
        table.free.insert(resource, free);
        drop(table);
        drop(gone);
        number
    }

    fn changed(&self, hold: u64, free: usize, asks: bool) {
        let mut table = locked(&self.0);
        let Some(held) = table.holds.get_mut(&hold) else { return };
        held.asks = asks;
        let resource = held.resource;
        table.free.insert(resource, free);
    }

    fn released(&self, hold: u64, free: usize) {
        let mut table = locked(&self.0);
        let Some(held) = table.holds.remove(&hold) else { return };
        table.queues.released(held.resource, held.what);
        if table.holds.values().any(|other| other.resource == held.resource) {
            table.free.insert(held.resource, free);
        } else {
            table.free.remove(&held.resource);
        }
    }

    fn spent(&self, hold: u64) {
        let mut table = locked(&self.0);
        let Some(held) = table.holds.remove(&hold) else { return };
        if !table.holds.values().any(|other| other.resource == held.resource) {
            table.free.remove(&held.resource);
        }
    }

    fn left(&self, task: &Header, resource: usize, at: &'static Location<'static>) {
        let gone = locked(&self.0).queues.left(address(task), resource, at);
        drop(gone)
    }
}

/// A task that waits for one thing, and that nothing else will wake.
#[derive(Clone, Copy)]
struct Alone {
    task: Name,
    on: WaitOn,
}

/// What a task is called in a report.
#[derive(Clone, Copy, Debug)]
struct Name {
    root: bool,
    spawned_at: &'static Location<'static>,
}

/// From a task to those it waits for.
#[derive(Debug)]
struct Edge {
    what: &'static str,
    /// Where the region was opened that is waited for.
    opened_at: Option<&'static Location<'static>>,
    to: Vec<TaskId>,
    /// Whether any one of them could end the wait; else all of them have to.
    any: bool,
}

impl Edge {
    fn leads_into(&self, stuck: &BTreeSet<TaskId>) -> bool {
        if self.any {
            !self.to.is_empty() && self.to.iter().all(|to| stuck.contains(to))
        } else {
            self.to.iter().any(|to| stuck.contains(to))
        }
    }
}

impl Table {
    fn alone(&self, asleep: &BTreeSet<usize>) -> BTreeMap<TaskId, Alone> {
        let alone = |(at, waiting): (&usize, &Waiting)| {
            let [on] = waiting.on[..] else { return None };
            let control = waiting.task.control();
            let quiet = control & (control::ATTENTION | control::SHARED | control::ABANDON) == 0;
            let waits = on != WaitOn::Anybody && quiet && !asleep.contains(at);
            let root = control & control::ROOT != 0;
            let task = Name { root, spawned_at: waiting.task.spawned_at };
            waits.then_some((waiting.id, Alone { task, on }))
        };
        self.waiting.iter().filter_map(alone).collect()
    }

    fn kept_waiting(
        &self,
        waiting: &Waiting,
        resource: usize,
        at: &'static Location<'static>,
        found: &mut Vec<Futurelock>,
    ) {
        let waiter = waiting.name();
        let mut holders = 0;
        for held in self.holds.values().filter(|held| held.resource == resource) {
            holders += 1;
            if held.asks_for(waiting.id) {
                continue;
            }
            let (Holder::Task(by) | Holder::Anybody(by)) = held.by;
            let (what, taken) = (held.what, Place(held.at));
            let holder = self.waiting.values().find(|w| w.id == by);
            let awaits = match (held.by, holder) {
                (Holder::Anybody(_), _) => "with a guard that may be somebody else's by now".into(),
                (_, None) => {
                    "and waits for nothing of this runtime or has ended: was its guard forgotten?".into()
                }
                (_, Some(_)) if by == waiting.id => {
                    "in a future that it does not poll now, or in this one".into()
                }
                (_, Some(holder)) => format!("and awaits {}", holder.awaits()),
            };
            let name = holder.map_or_else(|| by.to_string(), Waiting::name);
            found.push(Futurelock {
                waiter: waiting.id,
                holder: by,
                what: format!("{what} (taken at {taken} {awaits})"),
                text: format!(
                    "{waiter} waits for {what} at {}; {} took it at {taken}, {awaits}",
                    Place(at),
                    if by == waiting.id { "it".into() } else { name },
                ),
            });
        }
        if holders > 0 {
            return;
        }
        for aside in self.queues.aside(resource) {
            let holder = self.waiting.get(&address(aside.task));
            let awaits = match holder {
                Some(holder) => holder.awaits(),
                None => "something that is no operation of this runtime".into(),
            };
            let name = Waiting::spelt(aside.task, aside.id);
            let own = waiting.task.waits_for().map_or("something", |kind| kind.what);
            let what = aside.what.map_or_else(|| format!("`{own}`"), str::to_owned);
            let was = if aside.what.is_some() { "was" } else { "may have been" };
            found.push(Futurelock {
                waiter: waiting.id,
                holder: aside.id,
                what: format!("{what} (asked for at {}, not polled since)", Place(aside.at)),
                text: format!(
                    "{waiter} waits for {what} at {}; it {was} handed to a future of {name}, which asked for it at {} and \
                     is not polled any more: that task awaits {awaits}",
                    Place(at),
                    Place(aside.at),
                ),
            });
        }
    }

    fn edge(&self, task: TaskId, on: WaitOn, regions: &BTreeMap<RegionId, Members>) -> Option<Edge> {
        match on {
            WaitOn::Anybody => None,
            WaitOn::Task(task) => {
                Some(Edge { what: "the outcome", opened_at: None, to: vec![task], any: true })
            }
            WaitOn::Region(region) => {
                let members = regions.get(&region)?;
                let (to, at) = (members.tasks.clone(), members.opened_at);
                Some(Edge { what: "the end of a region", opened_at: Some(at), to, any: false })
            }
            WaitOn::Held { resource, wanted, .. } => {
                if *self.free.get(&resource)? >= wanted {
                    // Somebody who wants more is ahead of it, and may leave.
                    return None;
                }
                let mut edge = Edge { what: "", opened_at: None, to: Vec::new(), any: true };
                let others = |held: &&Held| held.resource == resource && !held.asks_for(task);
                for held in self.holds.values().filter(others) {
                    let Holder::Task(by) = held.by else { return None };
                    edge.what = held.what;
                    if !edge.to.contains(&by) {
                        edge.to.push(by)
                    }
                }
                Some(edge)
            }
        }
    }
}

/// Who has to end before a region does.
struct Members {
    opened_at: &'static Location<'static>,
    tasks: Vec<TaskId>,
}

fn list(view: &RegionView, regions: &mut BTreeMap<RegionId, Members>) {
    // Daemons are asked to end when only they are left.
    let tasks = view.members.iter().filter(|m| !m.daemon).map(|m| m.task).collect();
    regions.insert(view.region, Members { opened_at: view.opened_at, tasks });
    view.children.iter().for_each(|child| list(child, regions));
}

/// Tasks of which each waits for the next, and the last for the first.
#[derive(Debug)]
pub(crate) struct Circle(Vec<Link>);

#[derive(Debug)]
struct Link {
    task: TaskId,
    name: Name,
    next: TaskId,
    edge: Edge,
}

impl Circle {
    /// The same for the trace: each wait, then the verdict.
    pub(crate) fn labels(&self) -> Vec<Label> {
        let wait = |link: &Link| Label::WaitFor {
            task: link.task,
            holder: Some(link.next),
            what: link.edge.what.into(),
        };
        let mut labels: Vec<Label> = self.0.iter().map(wait).collect();
        labels.extend(self.0.first().map(|link| Label::Deadlock { task: link.task }));
        labels
    }
}

impl fmt::Display for Circle {
    /// One line for each task of the circle.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (n, link) in self.0.iter().enumerate() {
            let next = &self.0[(n + 1) % self.0.len()];
            let mut who = String::new();
            spell(&mut who, link.task, link.name)?;
            let mut whom = String::new();
            spell(&mut whom, next.task, next.name)?;
            write!(f, "{}{who}", if n == 0 { "" } else { "\n" })?;
            match link.edge.opened_at {
                Some(at) => {
                    let (file, line) = (at.file(), at.line());
                    write!(
                        f,
                        " waits for the end of the region opened at {file}:{line}, of which {whom} is a member"
                    )?
                }
                None if link.edge.what == "the outcome" => write!(f, " waits for the end of {whom}")?,
                None => {
                    write!(f, " waits for {} held by {whom}", link.edge.what)?;
                    if link.edge.to.len() > 1 {
                        write!(f, " and {} more, who are stuck as well", link.edge.to.len() - 1)?
                    }
                }
            }
        }
        Ok(())
    }
}

fn spell(text: &mut String, task: TaskId, name: Name) -> fmt::Result {
    if name.root {
        return text.write_str("the root body");
    }
    write!(text, "{task} (spawned at {}:{})", name.spawned_at.file(), name.spawned_at.line())
}
