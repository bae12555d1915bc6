//! What a running process tells its operator: one value for each kind of news, with the places and identities
//! that a program may want to count or filter by. `Display` says it in plain words, possibly on several lines.
//!
//! A report is about what no result shows: who is late, what leaked, which failure was outdone by a worse one.
//! What a caller gets as a value is not repeated here. One cause is told once, with the place, and again every 30 s while
//! it lasts: late and slow regions by one of them (`region.slow-drain`, `cancel.bounded`).
//!
//! Not here: where reports go ([`port::Reports`](crate::port::Reports)), the tree as text
//! ([`region::render`]).
use crate::{Cx, Row};
use alloc::boxed::Box;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;
use core::panic::Location;
use core::time::Duration;
use obligation::Note;
use region::{Leaver, MemberView, RegionView};
use trace::FinalizerEnd;
use types::{AfterGrace, Cancelled, FailureNote, RegionId, TaskId, Time};

/// A place in the source.
type At = &'static Location<'static>;

/// One report. New kinds may come.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Report {
    /// A region closed over obligations that nobody settled (`obligation.balanced`): at least one.
    Leak {
        /// The region.
        region: RegionId,
        /// Where it was opened.
        opened_at: At,
        /// What was reserved, of which kind, where and by which task.
        leaked: Vec<Note>,
    },
    /// A region that was asked to end has not, by its cleanup deadline (`cancel.bounded`).
    CleanupOverdue {
        /// The request.
        request: Cancelled,
        /// Who was left, before masks were pierced or anything was dropped: in the region that was asked, or further in if it
        /// waited for that alone.
        left: Box<RegionView>,
        /// How many regions around wait for that one alone.
        around: usize,
        /// When that was.
        at: Time,
    },
    /// A task that was asked to end by itself has not, by its cleanup deadline.
    TaskOverdue {
        /// The task.
        task: TaskId,
        /// Where it was spawned.
        spawned_at: At,
    },
    /// A branch that was asked to end has not, by its cleanup deadline.
    BranchOverdue {
        /// The request.
        request: Cancelled,
        /// What becomes of it: waited for, or dropped.
        after: AfterGrace,
    },
    /// A region that nobody asked to end has waited for its members for long after its body was over.
    SlowDrain {
        /// Who is left: in that region, or further in if it waits for that alone.
        left: Box<RegionView>,
        /// How many regions around wait for that one alone.
        around: usize,
        /// When that was.
        at: Time,
    },
    /// A shutdown gave up tasks that did not stop by its deadline. At least one.
    WrittenOff {
        /// The tasks, as they were found.
        tasks: Vec<MemberView>,
    },
    /// A member failed and nobody joined it, or a finalizer panicked, and the region's outcome shows another failure. Also of
    /// a task's own error, or that of a region's body, if what is seen of it is what a member of it lost instead.
    Lost {
        /// The member, or the task whose body it is.
        task: TaskId,
        /// Where it was spawned, or registered.
        spawned_at: At,
        /// Whose failure it is.
        of: Leaver,
        /// What it ended in.
        failure: FailureNote,
        /// Its region.
        region: RegionId,
        /// Where that was opened.
        opened_at: At,
    },
    /// What a task or a finalizer left and nobody took (a value, an error, a body that had panicked) panicked when it was
    /// dropped. No outcome shows it.
    DropPanicked {
        /// The task; `None` of a finalizer, or if its outcome was freed when nothing else was left of it.
        task: Option<TaskId>,
        /// Where it was spawned, or registered.
        spawned_at: At,
        /// Who left it.
        of: Leaver,
        /// What the drop panicked with.
        message: String,
    },
    /// A finalizer ended in another way than it should.
    FinalizerFailed {
        /// The region it was registered in.
        region: RegionId,
        /// Where it was registered.
        registered_at: At,
        /// How it ended. Never `Ok`.
        end: FinalizerEnd,
    },
    /// The release of a bracket never ran, since the bracket's frame was dropped.
    ReleaseSkipped {
        /// Where the bracket stands.
        bracket: At,
    },
    /// The release of a bracket failed, and its use had failed before.
    ReleaseFailed {
        /// Where the bracket stands.
        bracket: At,
        /// How it ended, in words.
        how: String,
    },
    /// A branch failed after the failure that its combinator returned.
    BranchFailed {
        /// Which combinator: "try_join".
        combinator: &'static str,
        /// Where it stands.
        at: At,
        /// The error, as its `Debug` says it.
        error: String,
    },
    /// The `on_failure` of an isolating region panicked.
    OnFailurePanicked {
        /// The region.
        region: RegionId,
        /// Where it was opened.
        opened_at: At,
    },
    /// Something that was leased from a pool has not been given back in time.
    LeaseOverdue {
        /// Where it was leased.
        leased_at: At,
        /// By whom.
        by: TaskId,
        /// For how long it has been out.
        out_for: Duration,
    },
    /// A waker that belongs to somebody else's executor panicked when a timer or a request called it, or when the task that it
    /// waited in forgot it. That is contained, and concerns nobody here. Panics of such wakers elsewhere (whoever joins a
    /// task, awaits a region or waits in a channel through one) are contained as well, and only the panic hook tells of them.
    WakerPanicked,
    /// A thread could not be started: the runtime goes on with fewer.
    NoThread {
        /// What it would have been called.
        name: String,
        /// What the system said.
        why: String,
    },
    /// The root did not end cleanly: a child of it failed and nobody joined it, or was cut short.
    Unclean {
        /// Why.
        cause: Cancelled,
    },
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Report::Leak { region, opened_at, leaked } => {
                let n = leaked.len();
                write!(f, "{region} opened at {} closed with {n} obligation(s) leaked", Line(opened_at))?;
                leaked.iter().try_for_each(|note| reserved(f, note))
            }
            Report::CleanupOverdue { request, left, around, at } => {
                writeln!(f, "cleanup deadline passed: {request}")?;
                late(f, left, *around, *at)
            }
            Report::TaskOverdue { spawned_at, .. } => write!(
                f,
                "cleanup deadline passed: the task spawned at {} was asked to end and has not",
                Line(spawned_at)
            ),
            Report::BranchOverdue { request, after } => {
                let next = match after {
                    AfterGrace::Wait => "its masks are pierced, and it is still waited for",
                    AfterGrace::Abandon => "it is dropped",
                };
                write!(f, "a branch has not ended by its cleanup deadline; {next}: {request}")
            }
            Report::SlowDrain { left, around, at } => late(f, left, *around, *at),
            Report::WrittenOff { tasks } => {
                write!(f, "shutdown wrote off {} task(s) that did not stop in time", tasks.len())?;
                members(f, tasks)?;
                if tasks.iter().any(|task| task.runnable) { f.write_str(KEPT_THREAD) } else { Ok(()) }
            }
            Report::Lost { task, spawned_at, of, failure, opened_at, .. } => {
                lost(f, *task, spawned_at, *of)?;
                let (failure, opened) = (failure.text(), Line(opened_at));
                write!(
                    f,
                    " ended in `{failure}`, which no outcome shows; the region opened at {opened} had another failure \
                     to tell"
                )
            }
            Report::DropPanicked { task, spawned_at, of, message } => {
                drop_panicked(f, *task, spawned_at, *of, message)
            }
            Report::FinalizerFailed { registered_at, end, .. } => {
                write!(f, "a finalizer registered at {} {}", Line(registered_at), end_of(*end))
            }
            Report::ReleaseSkipped { bracket } => write!(
                f,
                "the release of the bracket at {} did not run: its frame was dropped (use `finally` for what must \
                 run)",
                Line(bracket)
            ),
            Report::ReleaseFailed { bracket, how } => {
                write!(f, "the release of the bracket at {bracket} {how}")
            }
            Report::BranchFailed { combinator, at, error } => {
                write!(f, "a further branch of the `{combinator}` at {at} failed: {error}")
            }
            Report::NoThread { name, why } => no_thread(f, name, why),
            Report::OnFailurePanicked { opened_at, .. } => {
                write!(f, "`on_failure` of the region opened at {} panicked", Line(opened_at))
            }
            Report::LeaseOverdue { leased_at, by, out_for } => write!(
                f,
                "what {by} leased at {} has been out for {out_for:.1?} and was to be given back by now",
                Line(leased_at)
            ),
            Report::WakerPanicked => f.write_str("a waker that is not this runtime's panicked"),
            Report::Unclean { cause } => write!(f, "the program's root did not end cleanly: {cause}"),
        }
    }
}

/// What a task may do that was written off while it ran (`shutdown.home`).
const KEPT_THREAD: &str = "\n  one that never gives way keeps its thread: if that is the one that called `run`, `run` \
                           returns after it";

/// What a finalizer did, after its name.
fn end_of(end: FinalizerEnd) -> &'static str {
    match end {
        FinalizerEnd::Ok => "ended",
        FinalizerEnd::Failed => "failed",
        FinalizerEnd::Panicked => "panicked",
        FinalizerEnd::TimedOut => "was ended at its bound of time",
        FinalizerEnd::Dropped => "was dropped while it ran, with the frame that awaited it",
    }
}

fn lost(f: &mut fmt::Formatter<'_>, task: TaskId, at: At, of: Leaver) -> fmt::Result {
    match of {
        Leaver::Task => write!(f, "{task} spawned at {}", Line(at)),
        Leaver::Finalizer => write!(f, "a finalizer registered at {}", Line(at)),
    }
}

fn drop_panicked(
    f: &mut fmt::Formatter<'_>,
    task: Option<TaskId>,
    at: At,
    of: Leaver,
    message: &str,
) -> fmt::Result {
    f.write_str("what ")?;
    if let Some(task) = task {
        write!(f, "{task}, ")?;
    }
    let (at, who) = match of {
        Leaver::Task => (Line(at), "the task spawned"),
        Leaver::Finalizer => (Line(at), "the finalizer registered"),
    };
    write!(f, "{who} at {at} left and nobody took panicked when it was dropped: {message}")
}

fn no_thread(f: &mut fmt::Formatter<'_>, name: &str, why: &str) -> fmt::Result {
    write!(
        f,
        "the thread `{name}` could not be started, so there is one fewer: {why} (see the builder's `workers`, \
         `blocking_threads` and `stack_size`)"
    )
}

impl<C: Row> Cx<C> {
    /// Tells the operator what no result shows: for authors of primitives.
    pub fn report(&self, report: Report) {
        self.world().report(report)
    }
}

/// `file:line`, without the column.
struct Line<'a>(&'a Location<'a>);

impl fmt::Display for Line<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.0.file(), self.0.line())
    }
}

fn reserved(f: &mut fmt::Formatter<'_>, note: &Note) -> fmt::Result {
    write!(f, "\n  {} reserved at {} by {}", note.kind, Line(note.site), note.by)
}

/// A name, if it has one, before the number.
fn title(id: impl fmt::Display, name: Option<&str>) -> String {
    name.map_or_else(|| format!("{id}"), |name| format!("`{name}` ({id})"))
}

/// A region that should close, and how many around wait for that.
fn late(f: &mut fmt::Formatter<'_>, left: &RegionView, around: usize, now: Time) -> fmt::Result {
    remaining(f, left, now, &mut { REGIONS })?;
    if around == 0 {
        return Ok(());
    }
    write!(f, "\n{around} region(s) around wait for that")
}

/// Of how many regions a report says what they wait for.
const REGIONS: usize = 32;

/// Who is still in a region that should close, and what they wait for.
fn remaining(f: &mut fmt::Formatter<'_>, view: &RegionView, now: Time, room: &mut usize) -> fmt::Result {
    let age = now.saturating_since(view.opened);
    write!(
        f,
        "{} opened at {} {age:.1?} ago is {:?} and waits for {} task(s), {} region(s), {} obligation(s)",
        title(view.region, view.name.as_deref()),
        Line(view.opened_at),
        view.phase,
        view.members.len(),
        view.children.len(),
        view.obligations.len()
    )?;
    members(f, &view.members)?;
    view.obligations.iter().take(LISTED).try_for_each(|note| reserved(f, note))?;
    for (n, child) in view.children.iter().enumerate() {
        if *room == 0 {
            return write!(f, "\n  and {} more region(s)", view.children.len() - n);
        }
        *room -= 1;
        f.write_str("\n")?;
        remaining(f, child, now, room)?;
    }
    Ok(())
}

/// How many of a kind a report lists.
const LISTED: usize = 16;

/// Tasks, a line for each.
fn members(f: &mut fmt::Formatter<'_>, members: &[MemberView]) -> fmt::Result {
    for m in members.iter().take(LISTED) {
        let waits = match (m.runnable, m.waits_for) {
            (true, _) => "runs or is about to",
            (false, Some(kind)) => kind.what,
            (false, None) => "something of its own",
        };
        let who = title(m.task, m.name.as_deref());
        write!(f, "\n  {who} spawned at {}, waits for: {waits}", Line(m.spawned_at))?;
        if m.told != 0 && !m.acknowledged {
            f.write_str(", has not reached a checkpoint since it was asked to end")?;
        }
    }
    match members.len().checked_sub(LISTED) {
        None | Some(0) => Ok(()),
        Some(more) => write!(f, "\n  and {more} more task(s)"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString;
    use alloc::vec;
    use types::{ObligationId, ObligationKind};

    #[test]
    fn a_leak_names_each_obligation_with_its_line() {
        let at = Location::caller();
        let note = Note {
            id: ObligationId::from_u64(1),
            kind: ObligationKind::SendPermit,
            site: at,
            by: TaskId::from_u64(7),
        };
        let region = RegionId::from_u64(1);
        let text = Report::Leak { region, opened_at: at, leaked: vec![note, note] }.to_string();
        let line = format!("{}:{}", at.file(), at.line());
        assert!(text.starts_with(&format!("{region} opened at {line} closed with 2 obligation(s) leaked\n")));
        assert_eq!(
            text.matches(&format!("send permit reserved at {line} by {}", note.by)).count(),
            2,
            "{text}"
        );
    }

    #[test]
    fn an_overdue_branch_says_what_becomes_of_it() {
        use types::{CancelKind, Origin};
        let request = Cancelled::new(CancelKind::Deadline, Origin { scope: 1, request: 1 }).build();
        let say = |after| Report::BranchOverdue { request: request.clone(), after }.to_string();
        assert!(say(AfterGrace::Wait).contains("still waited for"));
        assert!(say(AfterGrace::Abandon).contains("dropped"));
    }
}
