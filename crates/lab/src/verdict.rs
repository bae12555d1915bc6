//! What went wrong in a lab run, in words.
use region::RegionView;
use std::any::Any;
use std::fmt;
use trace::RegionPhase;
use types::TaskId;

/// What an oracle found.
#[derive(Clone, Debug)]
pub struct OracleReport(pub(crate) Vec<String>);

impl fmt::Display for OracleReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.join("\n"))
    }
}

impl std::error::Error for OracleReport {}

/// Why a run could not end.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum LabFailure {
    /// Tasks wait for each other in a circle; or nothing can run and no timer is set.
    Deadlock {
        /// The circle, one line for each task in it, if it is known who holds what.
        circle: Option<String>,
        /// Who waits for what.
        waits: String,
    },
    /// A task could go on, and nobody woke it.
    LostWakeup {
        /// Which, what it waited for, who ran last.
        lost: String,
        /// Who waits for what.
        waits: String,
    },
    /// The run took too many steps, or too long with nothing but timers.
    Stuck {
        /// Polls so far.
        steps: u64,
        /// Which limit, and who was still there.
        why: String,
    },
    /// Whoever picks the steps gave the run up: it would repeat another one.
    Redundant,
    /// A thread that is not the lab's did something to what the run's tasks share.
    Outside {
        /// Which thread, what it did, to what, where.
        what: String,
    },
    /// The trace breaks a rule of the model.
    Model {
        /// The event and the rule.
        divergence: String,
    },
}

impl LabFailure {
    /// Whether what ended a run only says that the run was given up.
    pub(crate) fn is_redundant(payload: &(dyn Any + Send)) -> bool {
        matches!(payload.downcast_ref(), Some(LabFailure::Redundant))
    }
}

impl fmt::Display for LabFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            LabFailure::Deadlock { circle: Some(circle), waits } => {
                write!(f, "deadlock: tasks wait for each other\n{circle}\neverybody:\n{waits}")
            }
            LabFailure::Deadlock { circle: None, waits } => {
                write!(f, "deadlock: nothing can run and no timer is set\n{waits}")
            }
            LabFailure::LostWakeup { lost, waits } => write!(f, "lost wake-up: {lost}\neverybody:\n{waits}"),
            LabFailure::Stuck { steps, why } => write!(f, "stuck after {steps} steps: {why}"),
            LabFailure::Outside { what } => write!(
                f,
                "touched from outside the lab: {what}\nwhen it does so is nobody's decision, so that no schedule repeats it: \
                 have a task do it"
            ),
            LabFailure::Redundant => f.write_str("given up: this run repeats another one"),
            LabFailure::Model { divergence } => {
                write!(f, "the trace breaks a rule of the model: {divergence}")
            }
        }
    }
}

impl std::error::Error for LabFailure {}

/// Who is there and what they wait for. `announced`: what a task said that it would do next.
pub(crate) fn waits(
    view: &RegionView,
    announced: &dyn Fn(TaskId) -> Option<String>,
    depth: usize,
    text: &mut String,
) {
    use fmt::Write;
    let pad = "  ".repeat(depth);
    let _ = writeln!(
        text,
        "{pad}{} opened at {}:{} {}",
        view.region,
        view.opened_at.file(),
        view.opened_at.line(),
        match view.phase {
            RegionPhase::Open => "is open",
            RegionPhase::Draining => "is draining",
            RegionPhase::Finalizing => "runs its finalizers",
            RegionPhase::Settling => "waits for its obligations",
            RegionPhase::Closed => "is closed",
        }
    );
    for m in &view.members {
        let next = announced(m.task).filter(|_| !m.runnable);
        let what = match (m.runnable, m.waits_for) {
            _ if next.is_some() => next.unwrap_or_default(),
            (true, _) => "is runnable".to_string(),
            (_, Some(kind)) => format!("waits for {}", kind.what),
            (_, None) => "waits for something that is no operation of this runtime".to_string(),
        };
        let _ = writeln!(
            text,
            "{pad}  {} spawned at {}:{} {what}",
            m.task,
            m.spawned_at.file(),
            m.spawned_at.line()
        );
    }
    for o in &view.obligations {
        let _ = writeln!(
            text,
            "{pad}  {} reserved at {}:{} is held by {}",
            o.kind,
            o.site.file(),
            o.site.line(),
            o.by
        );
    }
    for child in &view.children {
        waits(child, announced, depth + 1, text)
    }
}
