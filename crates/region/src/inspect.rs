//! What a dump needs to know: one consistent look at a region, member by member. Cold.
use crate::origin::task_id;
use crate::region::Region;
use alloc::borrow::Cow;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::panic::Location;
use core::sync::atomic::Ordering::*;
use task::{Header, control};
use trace::{Label, RegionKind, RegionPhase};
use types::{AfterGrace, Cancelled, RegionId, TaskId, Time, WaitKind};

/// One live member.
#[derive(Clone, Debug)]
pub struct MemberView {
    /// Its identity.
    pub task: TaskId,
    /// The name it has given itself.
    pub name: Option<Cow<'static, str>>,
    /// Where it was spawned.
    pub spawned_at: &'static Location<'static>,
    /// The type of its body.
    pub type_name: &'static str,
    /// Whether it is queued or being polled.
    pub runnable: bool,
    /// What its last pending operation waits for.
    pub waits_for: Option<&'static WaitKind>,
    /// Low bits of the engine's tick when it began to wait.
    pub wait_since: u32,
    /// Whether it is a daemon.
    pub daemon: bool,
    /// Kind of request it was told, 0 for none.
    pub told: u8,
    /// Whether it has seen it at a checkpoint.
    pub acknowledged: bool,
}

/// What tasks are called, as the layer above knows it.
pub type Names<'a> = &'a dyn Fn(&Header) -> Option<Cow<'static, str>>;

/// How many levels of regions a view shows: enough for a person, and for any thread's stack.
pub const DEEPEST: usize = 128;

/// One region, and below it the others.
#[derive(Clone, Debug)]
pub struct RegionView {
    /// Its identity.
    pub region: RegionId,
    /// The name it was opened with.
    pub name: Option<Cow<'static, str>>,
    /// How it came to be.
    pub kind: RegionKind,
    /// Its phase.
    pub phase: RegionPhase,
    /// Where it was opened.
    pub opened_at: &'static Location<'static>,
    /// When.
    pub opened: Time,
    /// The task whose body or frame it has.
    pub body: Option<TaskId>,
    /// What that task waits for.
    pub body_waits_for: Option<&'static WaitKind>,
    /// What happens to tasks that are still there at the cleanup deadline.
    pub after_grace: AfterGrace,
    /// The strongest request on it.
    pub request: Option<Cancelled>,
    /// When its cleanup has to be over.
    pub cleanup_deadline: Option<Time>,
    /// How many members have ended so far.
    pub ended: u64,
    /// Live members, newest first.
    pub members: Vec<MemberView>,
    /// Outstanding obligations.
    pub obligations: Vec<obligation::Note>,
    /// Finalizers not yet run.
    pub finalizers: usize,
    /// Open child regions, oldest first.
    pub children: Vec<RegionView>,
}

impl Region {
    /// Looks at the region and everything below it. Takes each region's lock in turn, so the whole is not
    /// one instant, but each region is.
    pub fn view(self: &Arc<Region>) -> RegionView {
        self.view_named(&|_| None)
    }

    /// As [`Region::view`], with the names that tasks have, as the layer above knows them. `name` is called
    /// under the region's lock.
    ///
    /// Regions nested deeper than [`DEEPEST`] below this one are left out.
    pub fn view_named(self: &Arc<Region>, name: Names<'_>) -> RegionView {
        self.view_to(DEEPEST, name)
    }

    fn view_to(self: &Arc<Region>, levels: usize, name: Names<'_>) -> RegionView {
        let inner = self.inner.lock();
        let mut members = Vec::new();
        let mut look = |h: &Header| members.push(self.view_member(h, name));
        self.told.each(&mut look);
        self.untold.each(&mut look);
        let children: Vec<_> = inner.children.values().cloned().collect();
        let (request, cleanup_deadline) = (inner.slot.request().cloned(), inner.slot.deadline());
        let (ended, finalizers) = (inner.ended, inner.finalizers.len());
        let body_waits_for =
            inner.body.as_ref().filter(|b| !b.word.is_scheduled()).and_then(|b| b.waits_for());
        let own_name = inner.name.clone();
        drop(inner);
        RegionView {
            region: self.id,
            name: own_name,
            kind: self.kind,
            phase: self.phase(),
            opened_at: self.at,
            opened: Time::from_nanos(self.opened.load(Relaxed)),
            body: self.body_task,
            body_waits_for,
            after_grace: self.after_grace,
            request,
            cleanup_deadline,
            ended,
            members,
            obligations: self.account.list(),
            finalizers,
            children: match levels.checked_sub(1) {
                Some(left) => children.iter().map(|child| child.view_to(left, name)).collect(),
                None => Vec::new(),
            },
        }
    }

    /// One member, under the region's lock.
    pub(crate) fn view_member(&self, h: &Header, name: Names<'_>) -> MemberView {
        MemberView {
            task: task_id(self.id, h.index.load(Relaxed)),
            name: name(h),
            spawned_at: h.spawned_at,
            type_name: h.type_name(),
            runnable: h.word.is_scheduled(),
            waits_for: h.waits_for(),
            wait_since: h.wait_since.load(Relaxed),
            daemon: h.control() & control::DAEMON != 0,
            told: (h.control() & control::TOLD) as u8,
            acknowledged: h.control() & control::ACKNOWLEDGED != 0,
        }
    }

    /// Names the region in dumps.
    pub fn set_name(&self, name: Cow<'static, str>) {
        self.inner.lock().name = Some(name);
    }

    /// How many members have ended so far.
    pub fn ended(&self) -> u64 {
        self.inner.lock().ended
    }

    /// Live tasks in this region itself.
    pub fn live(&self) -> u32 {
        self.inner.lock().gate.members()
    }

    /// Moves what the body reserved and still holds to the region that waits for this one: it returned
    /// normally, and a permit may leave in its value (`obligation.owner`).
    pub fn pass_obligations_up(&self) {
        if self.account.outstanding() > 0
            && let Some(parent) = &self.parent
        {
            self.move_up(parent, |step| {
                self.step(self.body_task, || {
                    step().map(|obligation| Label::ObligationRehome { obligation, to: parent.id })
                });
            });
        }
    }
}
