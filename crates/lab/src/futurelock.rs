//! Futures that keep others waiting because nobody polls them (Oxide's RFD 609, "futurelock"): who waits, who holds what
//! he waits for, where it was taken, and what the holder awaits instead.
//!
//! Two shapes are told, once nothing can run any more:
//! - a task waits for what a task holds that awaits something else, itself included: its own lock, taken by a future that
//!   it left aside;
//! - a task waits for what was handed over to a future that stands in the queue, was not polled in its task's last poll,
//!   and was not dropped either. Where it isn't known what became of it (a receive makes room in a channel, and says so to nobody)
//!   it may have been handed over.
//!
//! Not here: circles of tasks (`deadlock`), when this is looked for (`runtime`).
use crate::deadlock::address;
use std::collections::BTreeMap;
use std::panic::Location;
use task::{Header, TaskRef};
use types::TaskId;

/// Which futures stand in queues for what is held, and when they were last polled.
#[derive(Debug, Default)]
pub(crate) struct Queues {
    /// Polls so far.
    now: u64,
    /// The task of the last one.
    polling: usize,
    /// By the address of the task's header.
    tasks: BTreeMap<usize, Standing>,
    /// When each resource was last given back, and what it is called.
    released: BTreeMap<usize, (u64, &'static str)>,
}

/// A task of which futures stand in queues.
#[derive(Debug)]
pub(crate) struct Standing {
    /// Counted, so that no other task comes to the same address.
    task: TaskRef,
    id: TaskId,
    /// Its last poll.
    polled: u64,
    places: Vec<Place>,
}

#[derive(Debug)]
struct Place {
    resource: usize,
    at: &'static Location<'static>,
    /// The poll in which the future last said that it waits.
    seen: u64,
}

/// Somebody who is kept waiting by a future that isn't polled, in words.
#[derive(Debug)]
pub(crate) struct Futurelock {
    pub(crate) waiter: TaskId,
    pub(crate) holder: TaskId,
    /// What is held, where it was taken, what the holder awaits.
    pub(crate) what: String,
    /// The whole sentence.
    pub(crate) text: String,
}

/// A future that was handed what it waits for, or may have been, and that nobody polls.
pub(crate) struct Aside<'a> {
    pub(crate) task: &'a TaskRef,
    pub(crate) id: TaskId,
    pub(crate) at: &'static Location<'static>,
    /// If it is known to have been given back.
    pub(crate) what: Option<&'static str>,
}

impl Queues {
    /// The task is about to be polled.
    pub(crate) fn polls(&mut self, task: usize) {
        self.now += 1;
        self.polling = task;
        if let Some(standing) = self.tasks.get_mut(&task) {
            standing.polled = self.now
        }
    }

    /// A future of the running task waits in the resource's queue.
    pub(crate) fn stands(
        &mut self,
        task: &Header,
        id: TaskId,
        resource: usize,
        at: &'static Location<'static>,
    ) {
        let now = self.now;
        let standing = self.tasks.entry(address(task)).or_insert_with(|| Standing {
            task: task.counted(),
            id,
            polled: now,
            places: Vec::new(),
        });
        match standing.places.iter_mut().find(|place| place.resource == resource && place.at == at) {
            Some(place) => place.seen = now,
            None => standing.places.push(Place { resource, at, seen: now }),
        }
    }

    /// The running task got it. Returns what the caller drops once nothing is locked.
    pub(crate) fn got(&mut self, resource: usize, at: &'static Location<'static>) -> Option<Standing> {
        self.left(self.polling, resource, at)
    }

    /// The future waits no more. Returns what the caller drops once nothing is locked.
    pub(crate) fn left(
        &mut self,
        task: usize,
        resource: usize,
        at: &'static Location<'static>,
    ) -> Option<Standing> {
        let standing = self.tasks.get_mut(&task)?;
        standing.places.retain(|place| place.resource != resource || place.at != at);
        if standing.places.is_empty() { self.tasks.remove(&task) } else { None }
    }

    /// It was given back: to whoever stands first.
    pub(crate) fn released(&mut self, resource: usize, what: &'static str) {
        self.released.insert(resource, (self.now, what));
    }

    /// Futures that stand in the resource's queue, were not polled in their task's last poll, and have had it given back
    /// since they were, unless nobody ever said so.
    pub(crate) fn aside(&self, resource: usize) -> impl Iterator<Item = Aside<'_>> {
        let released = self.released.get(&resource).copied();
        self.tasks.values().flat_map(move |standing| {
            standing.places.iter().filter_map(move |place| {
                let aside = place.resource == resource
                    && place.seen < standing.polled
                    && released.is_none_or(|(when, _)| when >= place.seen);
                let what = released.map(|(_, what)| what);
                aside.then_some(Aside { task: &standing.task, id: standing.id, at: place.at, what })
            })
        })
    }
}
