//! Members come and go: the links to headers that do not count a reference are made and unmade here.
//!
//! A region is alive while it has a member (`region.quiescent`), and not a moment longer: whoever closes it
//! may free it as soon as the last member has let go of the lock. Hence `member_ended` takes a pointer, and
//! touches nothing of the region after that.
use super::members::Members;
use crate::origin::task_id;
use crate::phase::Via;
use crate::region::Region;
use alloc::vec::Vec;
use core::ptr::NonNull;
use core::sync::atomic::Ordering::*;
use task::{Header, Verdict, Waiter, control};
use trace::{End, Label, Refused, Site};
use types::{Policy, TaskId};

impl Region {
    /// Admits a task as a member (`region.no-admit`): links it and counts it, or leaves it alone. A task that
    /// enters a cancelled region has the request pending from the start.
    ///
    /// # Safety
    /// `task` is a cell that was never started and names this region; if this returns `Ok` it must be
    /// started.
    pub unsafe fn admit(&self, task: NonNull<Header>, via: Via, daemon: bool) -> Result<TaskId, Refused> {
        // SAFETY: an allocated cell, says the caller.
        let header = unsafe { task.as_ref() };
        let mut inner = self.inner.lock();
        if !inner.gate.enter(via, daemon) {
            return Err(Refused::NotOpen);
        }
        let index = inner.spawned as u32;
        inner.spawned += 1;
        header.index.store(index, Relaxed);
        if daemon {
            header.control.fetch_or(control::DAEMON, Relaxed);
        }
        let id = task_id(self.id, index);
        self.emit(None, || Label::TaskSpawn {
            task: id,
            region: self.id,
            daemon,
            site: Site::from(header.spawned_at),
        });
        if !types::seeded!("cancel.not-inherited") {
            self.bring_up_to_date(&inner, header);
        }
        let list = if inner.slot.kind().is_some() { &self.told } else { &self.untold };
        // SAFETY: the cell is alive and in no list, says the caller.
        unsafe { list.push(task) };
        Ok(id)
    }

    /// A member has ended: unlinks it and keeps what the close must look at. Returns whoever waits for
    /// quiescence, if this brought it: wake it once the task is complete.
    ///
    /// # Safety
    /// `task` was admitted to the region that its header names, and this is called once.
    #[must_use]
    pub unsafe fn member_ended(task: &Header, verdict: Verdict<'_>) -> Option<Waiter> {
        let region = task.region.cast::<Region>();
        // SAFETY: a region with a member is not closed, so it is alive.
        let (keep, label) = unsafe { &*region }.judge_end(task, verdict);
        // SAFETY: as above, and says the caller.
        unsafe { leave(region, task, keep, label) }
    }

    /// What the close has to know of a member's end, and what a trace says of it.
    #[inline]
    fn judge_end(&self, task: &Header, verdict: Verdict<'_>) -> (Keep, Option<Label>) {
        if matches!(verdict, Verdict::Ok) && !self.is_traced() {
            (Keep::Nothing, None)
        } else {
            self.judge(task, verdict)
        }
    }

    fn judge(&self, task: &Header, verdict: Verdict<'_>) -> (Keep, Option<Label>) {
        let id = task_id(self.id, task.index.load(Relaxed));
        let failure = self.is_failure(id, verdict);
        let label = self.is_traced().then(|| {
            let end = match verdict {
                Verdict::Ok => End::Ok,
                Verdict::Err => End::Err,
                Verdict::Cancelled(c) => End::from(c),
                Verdict::Panicked => End::Panicked,
            };
            let consequential = end.origin().is_some_and(|o| self.is_own(o.scope));
            Label::TaskEnd { task: id, end, failure, consequential }
        });
        let keep = match verdict {
            Verdict::Ok => Keep::Nothing,
            // What isolates has been told of the failure already (`Region::isolate`).
            _ if failure && self.policy == Policy::Isolate => Keep::Nothing,
            _ if failure => Keep::Outcome,
            // Visible later. What was asked of one isolated task alone concerns nobody else, and is not kept.
            Verdict::Cancelled(c) if self.policy == Policy::Isolate => {
                let scope = c.origin().scope;
                if self.is_above(c) || self.is_own(scope) { Keep::Outcome } else { Keep::Nothing }
            }
            // What was asked of it alone counts, and nobody can ask any more what it was.
            Verdict::Cancelled(c)
                if self.policy == Policy::FailFast
                    && c.origin().scope == id.as_u64()
                    && task.control() & control::UNCLAIMED != 0 =>
            {
                Keep::Severity
            }
            _ => Keep::Outcome,
        };
        (keep, label)
    }
}

/// Whether a task that was a member of a region has left it: with its end, or because it was given up.
pub fn has_left(task: &Header) -> bool {
    task.prev_link.load(Acquire).is_null()
}

/// What a region keeps of a member that has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Keep {
    Nothing,
    /// Only how severe its end was.
    Severity,
    /// The outcome, in its cell, unless somebody joins it.
    Outcome,
}

/// Unlinks and uncounts a member; returns whoever waits for the last one.
///
/// # Safety
/// `task` is a member of `region` and leaves it once.
unsafe fn leave(region: *const Region, task: &Header, keep: Keep, label: Option<Label>) -> Option<Waiter> {
    // SAFETY: the region is alive while it has a member. The reference is a local, not an argument: after the
    // guard is dropped the region may be freed before this function returns.
    let region = unsafe { &*region };
    // Dropped after the guard.
    let mut _joined = Vec::new();
    let mut inner = region.inner.lock();
    if task.control() & control::WRITTEN_OFF != 0 {
        // It left when it was given up (`members.written-off`).
        return None;
    }
    if let Some(label) = label {
        region.emit(Some(task_id(region.id, task.index.load(Relaxed))), || label);
    }
    // SAFETY: it is linked in one of this region's lists, and the lock is held.
    unsafe { Members::unlink(NonNull::from(task)) };
    inner.ended += 1;
    match keep {
        _ if types::seeded!("region.failure-forgotten") => {}
        Keep::Nothing => {}
        Keep::Severity => inner.cut_short = inner.cut_short.max(task.severity()),
        Keep::Outcome => _joined = inner.unjoined.keep(task.counted()),
    }
    inner.gate.leave(task.control() & control::DAEMON != 0)
}
