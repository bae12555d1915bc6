//! The phases after the body: draining, finalizing, settling, closed; and what was lost on the way.
//!
//! The close is polled by whoever awaits the region (its opener, its task's epilogue, or a janitor). It is
//! told through `closer` when nobody is left. Nothing here waits or reads a clock.
use crate::gate::Left;
use crate::open::Finalizer;
use crate::origin::{mix, task_id};
use crate::raw::Locked;
use crate::region::{Inner, Region};
use alloc::boxed::Box;
use alloc::vec::Vec;
use core::any::Any;
use core::panic::Location;
use core::sync::atomic::Ordering::*;
use core::task::{Poll, Waker};
use obligation::Note;
use task::{Loss, Verdict, Waiter};
use trace::{FinalizerId, Label, Refused, RegionPhase, Site};
use types::{CancelKind, Cancelled, FailureNote, Panic, Severity, TaskId};

/// An outcome of a member that nobody joined, or a finalizer's panic.
#[derive(Debug)]
pub struct Lost {
    /// The member; of a finalizer, the task whose body its region has.
    pub task: TaskId,
    /// Where it was spawned, or registered.
    pub spawned_at: &'static Location<'static>,
    /// What it ended with.
    pub loss: Loss,
    /// Whose it is.
    pub of: Leaver,
}

/// Who leaves something behind in a region.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Leaver {
    /// A task. Its place is where it was spawned.
    Task,
    /// A finalizer. Its place is where it was registered.
    Finalizer,
}

/// What a closed region hands to whoever awaits it.
#[derive(Debug, Default)]
pub struct Settlement {
    /// The first panic that nobody joined.
    pub panic: Option<Lost>,
    /// The first failure (error, or cancellation by a scope of its own) that nobody joined.
    pub failure: Option<Lost>,
    /// A cancellation by a request from above that a member acknowledged and nobody joined.
    pub visible: Option<Cancelled>,
    /// The same by a request that was made on this very region, from outside.
    pub own: Option<Cancelled>,
    /// Later failures and panics, and cancellations that were asked for; under `FailFast` without consequences of the
    /// region's own requests.
    pub others: Vec<Lost>,
    /// Obligations that were outstanding at the end and were declared leaked.
    pub leaked: Vec<Note>,
    /// `worst` over the members that count.
    pub severity: Severity,
    /// The first failure or panic in words, made by whoever closes: rendering calls user code, which may panic.
    pub note: Option<FailureNote>,
}

impl Settlement {
    /// The first failure or panic as a note, for causes and reports.
    pub fn note(&self) -> Option<FailureNote> {
        self.note.clone()
    }

    /// The first panic, for whoever goes on with it. One who does not leaves it where it is, to be reported.
    pub fn take_panic(&mut self) -> Option<Panic> {
        match self.panic.take_if(|lost| matches!(lost.loss, Loss::Panicked(_)))?.loss {
            Loss::Panicked(panic) => Some(panic),
            Loss::Failed(_) | Loss::Cancelled(_) => None,
        }
    }

    /// What [`Settlement::note`] is about.
    pub fn worst(&self) -> Option<&Lost> {
        self.panic.as_ref().or(self.failure.as_ref())
    }
}

impl Settlement {
    /// A cancellation that a member of a region below this one acknowledged, left at the end of this one's body.
    pub fn see_in(&mut self, region: &Region, c: &Cancelled) {
        if region.is_own(c.origin().scope) { self.see_own(c) } else { self.see(c) }
    }

    /// What was asked of this very region from outside shows in a result that its caller takes, and in nothing
    /// else: a region that cancels itself, or is cancelled by its owner, does not fail its task by it. What it
    /// asks because of a failure has that failure to show.
    fn see_own(&mut self, c: &Cancelled) {
        let outside = matches!(
            c.kind(),
            CancelKind::Explicit | CancelKind::Deadline | CancelKind::BudgetExhausted | CancelKind::Shutdown
        );
        if outside && self.own.as_ref().is_none_or(|v| v.kind() < c.kind()) {
            self.own = Some(c.clone());
        }
    }

    /// `cancel.visible`, which a lost race is excepted from.
    fn see(&mut self, c: &Cancelled) {
        if types::seeded!("cancel.visible-lost") {
            return;
        }
        if c.kind() != CancelKind::LostRace && self.visible.as_ref().is_none_or(|v| v.kind() < c.kind()) {
            self.visible = Some(c.clone());
        }
    }

    /// Everything that was lost and kept, the worst first.
    pub fn into_lost(self) -> Vec<Lost> {
        self.panic.into_iter().chain(self.failure).chain(self.others).collect()
    }
}

impl Lost {
    /// Whether somebody asked for it: then it is no failure, and no news.
    pub fn was_asked_for(&self, region: &Region) -> bool {
        match &self.loss {
            Loss::Failed(_) | Loss::Panicked(_) => false,
            Loss::Cancelled(c) => !region.is_failure(self.task, Verdict::Cancelled(c)),
        }
    }

    /// The loss in words. Calls the error's `Debug`.
    pub fn note(&self) -> FailureNote {
        match &self.loss {
            Loss::Failed(f) => f.note(),
            Loss::Cancelled(c) => FailureNote::of(&format_args!("{c}")),
            Loss::Panicked(p) => FailureNote::of(&format_args!("{p}")),
        }
    }
}

impl Region {
    /// The body is over: nothing more is admitted from outside. Idempotent.
    pub fn end_body(&self, end: trace::End) {
        let mut inner = self.inner.lock();
        if inner.gate.end_body() {
            self.emit(self.body_task, || Label::BodyEnd { region: self.id, end });
            if !end.origin().is_some_and(|origin| self.is_own(origin.scope)) {
                inner.ended_in = end.severity() as u8;
            }
            self.mirror(&inner);
        }
    }

    /// The frame is gone: from here on the region belongs to the enclosing one.
    pub fn drop_body(&self) {
        let mut inner = self.inner.lock();
        let body = inner.body.take();
        if body.is_some() && inner.gate.phase() != RegionPhase::Closed {
            self.emit(self.body_task, || Label::BodyDropped {
                region: self.id,
                to: self.parent.as_ref().map_or(self.id, |p| p.id),
                site: Site::from(self.at),
            });
        }
        if inner.gate.end_body() {
            self.mirror(&inner);
        }
        drop(inner);
        drop(body);
    }

    /// Publishes a new phase for those who only look.
    pub(crate) fn mirror(&self, inner: &Inner) {
        let phase = inner.gate.phase();
        self.phase.store(phase as u8, Release);
        if phase != RegionPhase::Closed {
            self.emit(self.body_task, || Label::RegionState { region: self.id, to: phase });
        }
    }

    /// Whether there were tasks and nobody is left, for those who only look.
    pub fn was_left(&self) -> bool {
        let inner = self.inner.lock();
        inner.ended > 0 && inner.gate.is_empty()
    }

    /// Whether no live task and no open child is left; registers `waker` otherwise. `OnlyDaemons` says that
    /// daemons are all that is left: the caller requests their end. With nothing else to do the region is closed by then.
    pub fn poll_drained(&self, waker: &Waker) -> Poll<Drained> {
        let mut fresh = None;
        loop {
            let mut inner = self.inner.lock();
            let before = inner.gate.phase();
            match inner.gate.look() {
                Left::Nothing => {
                    if inner.gate.phase() != before {
                        self.mirror(&inner);
                    }
                    return Poll::Ready(self.close_at_once(inner).map_or(Drained::Empty, Drained::Closed));
                }
                Left::OnlyDaemons if inner.slot.request().is_none() => {
                    return Poll::Ready(Drained::OnlyDaemons);
                }
                Left::OnlyDaemons | Left::Somebody => {}
            }
            if inner.gate.closer().is_some_and(|closer| closer.will_wake(waker)) {
                return Poll::Pending;
            }
            if let Some(closer) = fresh.take().or_else(|| Waiter::of_task(waker)) {
                let old = inner.gate.wait(closer);
                drop(inner);
                drop(old);
                return Poll::Pending;
            }
            // Somebody else's waker is cloned without the lock, since that is code of others; then everything is
            // looked at again.
            drop(inner);
            fresh = Some(Waiter::from_waker(waker));
        }
    }

    /// Closes a region whose body is over, if nobody is left in it and there is nothing else to do. Returns how severe
    /// its end was.
    pub fn close_if_done(&self) -> Option<Severity> {
        let mut inner = self.inner.lock();
        let before = inner.gate.phase();
        if inner.gate.look() != Left::Nothing {
            return None;
        }
        if inner.gate.phase() != before {
            self.mirror(&inner);
        }
        self.close_at_once(inner)
    }

    /// Closes a drained region that has no finalizer, no outcome to look at and no obligation, in the critical section
    /// that found it drained: most regions, which would otherwise be locked for each of their phases.
    fn close_at_once(&self, mut inner: Locked<'_, Inner>) -> Option<Severity> {
        if inner.gate.phase() == RegionPhase::Closed {
            return Some(inner.severity());
        }
        let lost = !inner.unjoined.is_empty() || !inner.finalizer_panics.is_empty();
        if lost
            || types::seeded!("region.close-early")
            || !inner.finalizers.is_empty()
            || !self.finalized(&mut inner)
            || !self.account.settle_if_none()
        {
            return None;
        }
        let severity = inner.severity();
        self.close_locked(inner, severity);
        Some(severity)
    }

    /// Registers a finalizer, unless the region no longer admits: then it is dropped.
    pub fn register(&self, run: Box<dyn Any + Send>, at: &'static Location<'static>) -> Result<(), Refused> {
        let mut inner = self.inner.lock();
        if !crate::admits(self.phase(), crate::Via::Body) {
            return Err(Refused::NotOpen);
        }
        let number = inner.registered;
        inner.registered += 1;
        inner.finalizers.push(Finalizer { run, at, number });
        self.emit(None, || Label::FinalizerRegister {
            region: self.id,
            finalizer: self.finalizer_id(number),
            site: Site::from(at),
        });
        Ok(())
    }

    /// Identity of a finalizer in a trace.
    pub fn finalizer_id(&self, number: u64) -> FinalizerId {
        FinalizerId(mix(self.id.as_u64() ^ 0xF1, number))
    }

    /// Takes the next finalizer: last registered first. After the last one the region goes on to `Settling`, unless
    /// something that its finalizers began still runs; then [`Region::poll_finalized`] is due.
    pub fn next_finalizer(&self) -> Option<Finalizer> {
        let mut inner = self.inner.lock();
        let next = if types::seeded!("finalizer.fifo") && !inner.finalizers.is_empty() {
            Some(inner.finalizers.remove(0))
        } else if types::seeded!("finalizer.skipped") {
            inner.finalizers.clear();
            None
        } else {
            inner.finalizers.pop()
        };
        if next.is_none() {
            self.finalized(&mut inner);
        }
        next
    }

    /// Whether nothing that its finalizers began still runs (a closure that blocks): then the region goes on to
    /// `Settling`. Registers `waker` otherwise.
    pub fn poll_finalized(&self, waker: &Waker) -> Poll<()> {
        // Somebody else's waker is cloned, and dropped, without the lock, since that is code of others.
        let closer = Waiter::from_waker(waker);
        let mut inner = self.inner.lock();
        if self.finalized(&mut inner) {
            drop(inner);
            return Poll::Ready(());
        }
        let old = inner.gate.wait(closer);
        drop(inner);
        drop(old);
        Poll::Pending
    }

    /// Moves on to `Settling`, if no member is left.
    fn finalized(&self, inner: &mut Inner) -> bool {
        let over = inner.gate.members() == 0 || types::seeded!("region.close-early");
        if over && inner.gate.finalized() {
            self.mirror(inner);
        }
        over
    }

    /// How many finalizers are registered.
    pub fn finalizers(&self) -> usize {
        self.inner.lock().finalizers.len()
    }

    /// Asks to be woken when no obligation is outstanding. Ready if that is so now. Call
    /// [`Region::begin_settling`] first, once.
    pub fn poll_settled(&self, waker: &Waker) -> Poll<()> {
        if self.account.outstanding() == 0 || types::seeded!("obligation.close-unbalanced") {
            return Poll::Ready(());
        }
        // Made before the lock and dropped after it: both may be code of others.
        let closer = Waiter::from_waker(waker);
        let old = self.inner.lock().gate.wait(closer);
        drop(old);
        // Registered before the second look: the last commit may have come between.
        if self.account.outstanding() == 0 { Poll::Ready(()) } else { Poll::Pending }
    }

    /// Declares what is outstanding leaked.
    pub fn leak(&self) -> Vec<Note> {
        self.leak_all(|step| {
            self.step(None, || step().map(|obligation| Label::ObligationLeak { obligation }));
        })
    }

    /// Keeps the panic of a finalizer for the settlement, whoever makes that: the frame that ran the finalizer may
    /// be dropped before. Nothing is dropped here: the drop of what somebody panicked with may panic itself.
    pub fn finalizer_panicked(&self, lost: Lost) {
        self.inner.lock().finalizer_panics.push(lost)
    }

    /// Looks at every member's outcome that nobody joined.
    pub fn settle_members(&self) -> Settlement {
        let mut inner = self.inner.lock();
        let unjoined = inner.unjoined.take();
        let mut s = Settlement { severity: inner.severity(), ..Settlement::default() };
        let finalizer_panics = core::mem::take(&mut inner.finalizer_panics);
        drop(inner);
        for task in unjoined {
            let Some(loss) = task.take_loss() else { continue };
            let id = task_id(self.id, task.index.load(Relaxed));
            let severity = task.severity();
            let lost = Lost { task: id, spawned_at: task.spawned_at, loss, of: Leaver::Task };
            match &lost.loss {
                Loss::Cancelled(c)
                    if self.is_own(c.origin().scope) && self.policy != types::Policy::Collect =>
                {
                    // A deadline on a branch is its consequence, and yet the branch's result must not look
                    // complete.
                    if self.own_scope == Some(c.origin().scope) {
                        s.see(c)
                    } else {
                        s.see_own(c)
                    }
                    continue;
                }
                Loss::Cancelled(c) if self.is_above(c) => {
                    s.see(c);
                    s.others.push(lost)
                }
                // Asked of this region, and collected.
                Loss::Cancelled(c) if self.is_own(c.origin().scope) => {
                    s.see_own(c);
                    s.others.push(lost)
                }
                // Asked of it alone.
                Loss::Cancelled(c) if c.origin().scope == id.as_u64() => s.others.push(lost),
                Loss::Panicked(_) if s.panic.is_none() => s.panic = Some(lost),
                Loss::Failed(_) | Loss::Cancelled(_) if s.failure.is_none() => s.failure = Some(lost),
                _ => s.others.push(lost),
            }
            // Under the other policies every outcome is handed over, and none counts.
            if self.policy == types::Policy::FailFast {
                s.severity = s.severity.max(severity_of(severity));
            }
        }
        for lost in finalizer_panics {
            s.severity = Severity::Panicked;
            // What a member panicked with came first.
            match s.panic {
                None => s.panic = Some(lost),
                Some(_) => s.others.push(lost),
            }
        }
        s
    }

    /// Closes for ever and tells the region above.
    pub fn close(&self, severity: Severity) {
        self.close_locked(self.inner.lock(), severity)
    }

    /// Once: a task that was given up may end all the same, beside whoever closes its regions in its stead.
    fn close_locked(&self, mut inner: Locked<'_, Inner>, severity: Severity) {
        if inner.gate.phase() == RegionPhase::Closed {
            return;
        }
        let closer = inner.gate.close();
        self.mirror(&inner);
        let body = inner.body.take();
        self.emit(self.body_task, || Label::RegionClose { region: self.id, outcome: severity });
        drop(inner);
        drop((body, closer));
        if let Some(parent) = &self.parent {
            let mut above = parent.inner.lock();
            let me = above.children.remove(&self.key);
            let closer = above.gate.close_child(self.of_daemon);
            drop(above);
            drop(me);
            if let Some(closer) = closer {
                closer.wake()
            }
        }
    }
}

/// What is left in a draining region.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Drained {
    /// Nothing.
    Empty,
    /// Daemons, not yet cancelled.
    OnlyDaemons,
    /// Nothing, and nothing was left to do: the region is closed. How severe its end was.
    Closed(Severity),
}

impl Inner {
    /// `worst` over what is known without a look at any outcome: the body's end, and those of members that were cut short.
    fn severity(&self) -> Severity {
        severity_of(self.ended_in.max(self.cut_short))
    }
}

/// A severity that was kept as a number.
fn severity_of(n: u8) -> Severity {
    match n {
        0 => Severity::Ok,
        1 => Severity::Err,
        2 => Severity::Cancelled,
        _ => Severity::Panicked,
    }
}

#[cfg(all(test, not(loom)))]
mod tests;
