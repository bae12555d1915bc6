//! A request on its way down the tree, and what happens to what is left when cleanup has taken too long.
//!
//! The walk strengthens each region's slot and goes on only where that changed something, so a second equal
//! request costs one comparison per region it meets. Members are told in batches of 64, the lock dropped
//! between them; those that were parked are chained through their headers and queued in the cancel lane
//! without an allocation. About 30 ns per task, two cache misses.
use crate::origin::task_id;
use crate::raw::Chain;
use crate::region::{Inner, Region};
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::sync::atomic::Ordering::*;
use task::{TaskRef, control};
use types::{AfterGrace, Cancelled, Time};

const BATCH: usize = 64;

/// What one walk does to the members it meets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Act {
    /// Tell them of the request.
    Tell(u8),
    /// Pierce their masks, and drop their futures where the region says `Abandon`.
    Escalate,
    /// Drop their futures.
    Abandon,
}

impl Region {
    /// Places a request on this region and everything below it that no shield protects (`cancel.down`). The
    /// kind travels unchanged; a weaker request than the present one changes nothing (`cancel.strengthen`).
    /// `deadline` is the cleanup deadline, absolute.
    pub fn request(self: &Arc<Region>, request: &Cancelled, deadline: Option<Time>) {
        let mut todo: Vec<(Arc<Region>, bool)> = Vec::from([(self.clone(), true)]);
        while let Some((region, first)) = todo.pop() {
            let mut inner = region.inner.lock();
            let shielded = !first && region.shielded.load(Relaxed);
            if region.phase() == trace::RegionPhase::Closed || shielded {
                continue;
            }
            let change = inner.slot.strengthen(request, deadline);
            if !change.any() {
                continue;
            }
            let kind = inner.slot.kind().map_or(0, |k| k as u8);
            region.requested.store(kind, Release);
            region.emit_request(&inner.slot);
            if change.raised {
                inner.untell();
            }
            if !types::seeded!("region.request-skips-children") {
                todo.extend(inner.children.values().rev().map(|c| (c.clone(), false)));
            }
            let body = inner.body.clone();
            drop(inner);
            if let Some(body) = body {
                rouse(&body, control::INNER);
            }
            if change.raised {
                region.visit_members(Act::Tell(kind));
            }
        }
    }

    /// The cleanup deadline has passed: masks below are pierced, and where a region says `Abandon`, what is
    /// left of its tasks is dropped between polls (`cancel.bounded`).
    pub fn escalate(self: &Arc<Region>) {
        let mut todo = Vec::from([self.clone()]);
        while let Some(region) = todo.pop() {
            let inner = region.inner.lock();
            todo.extend(inner.children.values().cloned());
            let body = inner.body.clone();
            drop(inner);
            region.inner.lock().untell();
            if let Some(body) = body {
                rouse(&body, control::PIERCED | control::INNER);
            }
            region.visit_members(Act::Escalate);
        }
    }

    /// Everything below is given up: each task's future is dropped at its next turn, whatever the region's
    /// policy, finalizers' tasks included. For an engine that cannot go on.
    pub fn abandon(self: &Arc<Region>) {
        let mut todo = Vec::from([self.clone()]);
        while let Some(region) = todo.pop() {
            let mut inner = region.inner.lock();
            todo.extend(inner.children.values().cloned());
            inner.untell();
            let body = inner.body.clone();
            drop(inner);
            if let Some(body) = body {
                rouse(&body, control::ABANDON);
            }
            region.visit_members(Act::Abandon);
        }
    }

    /// The shield is gone: the mask that it stood for has ended. The request that waited is delivered.
    pub fn unshield(self: &Arc<Region>) {
        self.shielded.store(false, Relaxed);
        let pending = self.parent.as_ref().and_then(|p| {
            let inner = p.inner.lock();
            inner.slot.request().cloned().map(|r| (r, inner.slot.deadline()))
        });
        if let Some((request, deadline)) = pending {
            self.request(&request, deadline)
        }
    }

    fn visit_members(&self, act: Act) {
        loop {
            let mut chain = Chain::default();
            let mut foreign: Vec<TaskRef> = Vec::new();
            let mut seen = 0;
            let inner = self.inner.lock();
            while seen < BATCH {
                let Some(header) = inner.untold.shift_to(&inner.told) else { break };
                seen += 1;
                match act {
                    Act::Tell(kind) => {
                        if !header.tell(kind) {
                            continue;
                        }
                        if self.is_traced() {
                            self.emit_task_request(task_id(self.id, header.index.load(Relaxed)), &inner.slot);
                        }
                    }
                    Act::Abandon => {
                        header.control.fetch_or(control::ABANDON, AcqRel);
                    }
                    Act::Escalate => {
                        // A daemon of cleanup itself has a bound of its own.
                        if header.control() & control::JANITOR != 0 {
                            continue;
                        }
                        let abandon = match self.after_grace {
                            AfterGrace::Abandon => control::ABANDON,
                            AfterGrace::Wait => 0,
                        };
                        header.control.fetch_or(control::PIERCED | control::INNER | abandon, AcqRel);
                        if abandon != 0 && self.is_traced() {
                            let task = task_id(self.id, header.index.load(Relaxed));
                            self.emit(None, || trace::Label::TaskAbandon { task });
                        }
                    }
                }
                if header.control() & control::FOREIGN != 0 {
                    foreign.push(header.counted());
                }
                if types::seeded!("cancel.no-wake") {
                    continue;
                }
                chain.wake(header);
            }
            drop(inner);
            chain.schedule();
            for task in foreign {
                wake_foreign(&task)
            }
            if seen < BATCH {
                return;
            }
        }
    }
}

/// Raises the attention of a task whose frame or body a region is, and wakes it.
fn rouse(task: &TaskRef, bits: u32) {
    task.control.fetch_or(bits, AcqRel);
    if task.word.is_complete() {
        return;
    }
    if task.control() & control::FOREIGN != 0 {
        wake_foreign(task)
    }
    task.wake_by_ref();
}

fn wake_foreign(task: &TaskRef) {
    if task.word.is_complete() {
        return;
    }
    // SAFETY: the task was not complete, and its engine outlives every task that is not; at worst it
    // completes meanwhile, on an engine that is still shutting down and holds this region.
    let engine = unsafe { task::engine::of(task.tag()) };
    // SAFETY: registered engines are valid.
    (unsafe { engine.as_ref() }.wake_foreign)(task)
}

impl Inner {
    /// Everybody has to be told again.
    fn untell(&mut self) {
        while self.told.shift_to(&self.untold).is_some() {}
    }
}
