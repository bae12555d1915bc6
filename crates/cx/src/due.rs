//! What engines do when one of the kernel's own timers is due: enforce a cleanup deadline, report a slow
//! drain, write off what a shutdown could not stop.
use crate::close;
use crate::port::{Due, World};
use crate::raw::ext;
use alloc::string::String;
use alloc::sync::{Arc, Weak};
use core::fmt::Write;
use core::sync::atomic::Ordering::AcqRel;
use region::{Region, RegionView};
use task::{TaskRef, control};
use trace::{Label, RegionKind, RegionPhase};
use types::{AfterGrace, CancelKind, TaskId, Time};

impl World {
    /// Serves a timer that is due. Called by engines, on any of their threads, with no lock held.
    pub fn serve(&self, due: Due) {
        match due {
            Due::Wake(waiter) if waiter.is_task() => waiter.wake(),
            Due::Wake(waiter) => crate::raw::owner::waken(self, || waiter.wake()),
            Due::Cleanup(region) => {
                if let Some(region) = region.upgrade() {
                    self.cleanup(&region)
                }
            }
            Due::Stop(task, id) => self.stop(&task, id),
            Due::Report(region) => {
                if let Some(region) = region.upgrade() {
                    self.slow_drain(&region)
                }
            }
        }
    }

    fn cleanup(&self, region: &Arc<Region>) {
        let (Some(deadline), Some(request)) = (region.cleanup_deadline(), region.request_now()) else {
            return;
        };
        if region.phase() == RegionPhase::Closed {
            return;
        }
        let now = self.clock.now();
        if now < deadline {
            // Armed for an earlier request's deadline than the one that holds.
            self.timers.set(deadline, Due::Cleanup(Arc::downgrade(region)));
            return;
        }
        let last = deadline.saturating_add(cancel::FINALIZER_GRACE);
        let shutdown = region.kind() == RegionKind::Root && request.kind() == CancelKind::Shutdown;
        if shutdown && now >= last {
            // Whoever is still there a little later was held up by what is written off now, or is next.
            self.timers
                .set(now.saturating_add(cancel::FINALIZER_GRACE), Due::Cleanup(Arc::downgrade(region)));
            let gone = region.write_off();
            let left = gone.tasks.len();
            for orphan in &gone.orphans {
                close::adopt(orphan)
            }
            if left > 0 {
                self.written_off.fetch_add(left as u64, core::sync::atomic::Ordering::Relaxed);
                self.report(alloc::format!("shutdown wrote off {left} task(s) that did not stop in time"));
            }
            return;
        }
        // Before everybody is woken: afterwards nobody waits for anything.
        let mut text = alloc::format!("cleanup deadline passed: {request}\n");
        let view = region.view_named(&crate::name::of);
        let over = view.members.is_empty() && view.children.is_empty() && view.obligations.is_empty();
        remaining(&view, now, &mut text);
        region.escalate();
        if shutdown {
            self.timers.set(last, Due::Cleanup(Arc::downgrade(region)));
        } else if region.after_grace() == AfterGrace::Wait {
            self.timers.set(now.saturating_add(cancel::REPORT_EVERY), Due::Report(Arc::downgrade(region)));
        }
        // A region that is about to close by itself is no news.
        if !over {
            self.report(text);
        }
    }

    /// As `cleanup`, for a request that was made on one task alone (`cancel.bounded`).
    fn stop(&self, task: &TaskRef, id: TaskId) {
        if task.word.is_complete() {
            return;
        }
        let abandon = if task.control() & control::ABANDONABLE != 0 { control::ABANDON } else { 0 };
        let before = task.control.fetch_or(control::PIERCED | control::INNER | abandon, AcqRel);
        if abandon != 0
            && before & (control::ABANDON | control::BODY_GONE) == 0
            && let Some(sink) = &self.sink
        {
            sink.emit(None, Label::TaskAbandon { task: id })
        }
        for region in ext::regions(task) {
            region.escalate();
        }
        if before & control::FOREIGN != 0 {
            crate::wake_foreign(task)
        }
        task.wake_by_ref();
        self.report(alloc::format!(
            "cleanup deadline passed: the task spawned at {}:{} was asked to end and has not",
            task.spawned_at.file(),
            task.spawned_at.line()
        ));
    }

    fn slow_drain(&self, region: &Arc<Region>) {
        let phase = region.phase();
        if phase == RegionPhase::Closed {
            return;
        }
        if phase != RegionPhase::Open {
            let now = self.clock.now();
            let mut text = String::new();
            remaining(&region.view_named(&crate::name::of), now, &mut text);
            self.report(text);
        }
        let at = self.clock.now().saturating_add(cancel::REPORT_EVERY);
        self.timers.set(at, Due::Report(Weak::clone(&Arc::downgrade(region))));
    }
}

/// Who is still in a region that should close, and what they wait for.
fn remaining(view: &RegionView, now: Time, text: &mut String) {
    /// A name, if it has one, before the number.
    fn title(id: impl core::fmt::Display, name: Option<&str>) -> String {
        name.map_or_else(|| alloc::format!("{id}"), |name| alloc::format!("`{name}` ({id})"))
    }
    let age = now.saturating_since(view.opened);
    let _ = write!(
        text,
        "{} opened at {}:{} {age:.1?} ago is {:?} and waits for {} task(s), {} region(s), {} obligation(s)",
        title(view.region, view.name.as_deref()),
        view.opened_at.file(),
        view.opened_at.line(),
        view.phase,
        view.members.len(),
        view.children.len(),
        view.obligations.len()
    );
    for m in view.members.iter().take(16) {
        let waits = match (m.runnable, m.waits_for) {
            (true, _) => "runs or is about to",
            (false, Some(kind)) => kind.what,
            (false, None) => "something of its own",
        };
        let who = title(m.task, m.name.as_deref());
        let _ = write!(text, "\n  {who} spawned at {}:{}", m.spawned_at.file(), m.spawned_at.line());
        let _ = write!(text, ", waits for: {waits}");
        if m.told != 0 && !m.acknowledged {
            let _ = write!(text, ", has not reached a checkpoint since it was asked to end");
        }
    }
    for o in view.obligations.iter().take(16) {
        let _ = write!(text, "\n  {} reserved at {}:{} by {}", o.kind, o.site.file(), o.site.line(), o.by);
    }
    for child in &view.children {
        text.push('\n');
        remaining(child, now, text);
    }
}
