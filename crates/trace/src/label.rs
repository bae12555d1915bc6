//! [`Label`]: one variant per step of the kernel, in the chapters of `docs/spec/`.
//!
//! A label is emitted at the step's linearisation point, after the state has changed and before
//! anybody else can see it. Where one step has several consequences the order is: cause first, then
//! consequences, each with its own label. The orders that replay relies on:
//!
//! - a request is `RegionRequest` / `TaskRequest` / `ScopeRequest` on the target it was made on
//!   (where `origin` names that target), then one more `RegionRequest` or `TaskRequest`, with the
//!   SAME kind and origin, for each descendant the down-walk reaches;
//! - a task spawned into a requested region gets its `TaskRequest` right after its `TaskSpawn`;
//! - a body's end is `BodyEnd` (in-frame and implicit regions), then `BodyFailed` requests if it
//!   failed, then `RegionState(draining)`;
//! - the phases of a region are all there, each once and in order, however short they were;
//! - `TaskEnd` is the task's `Completed`: it comes after its implicit region's `RegionClose`;
//! - an `Escalate` comes after the `RegionClose` it belongs to and before the request it places.
//!
//! Invariants: `trace.stable`. A label without its text and sites is at most 64 bytes.
//!
//! Not here: which label may follow which (the model), the position of an event (`event`).

use core::{fmt, str::FromStr};

use alloc::string::ToString;
use types::{
    AfterGrace, CancelKind, ObligationId, ObligationKind, Origin, Policy, RegionId, Severity, TaskId, Time,
};

use crate::{
    Choice, End, Escalation, FinalizerEnd, FinalizerId, Refused, RegionKind, RegionPhase, ScopeEnd, ScopeId,
    ScopeKind, Site, Text, TimerId,
    word::{ParseError, Word},
};

/// The part of the kernel a label belongs to.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Chapter {
    /// Regions: open, phases, close, bodies, escalation.
    Region,
    /// Tasks: spawn, end, join.
    Task,
    /// Scopes inside a task.
    Scope,
    /// Requests and how they are seen.
    Cancel,
    /// Finalizers of a region and releases of a bracket.
    Finalizer,
    /// Two-phase effects.
    Obligation,
    /// Timers and the clock.
    Time,
    /// Polls, wakes, decisions: how the engine ran, not what it meant. The model ignores them.
    Schedule,
    /// What is waited for, deadlocks, users' notes.
    Note,
}

macro_rules! labels {
    ($(
        $chapter:ident {
            $(
                $(#[$doc:meta])*
                $variant:ident $name:literal {
                    $( $(#[$field_doc:meta])* $field:ident: $type:ty, )*
                }
            )*
        }
    )*) => {
        /// One step of the kernel.
        ///
        /// Displays as one line of words, `name field=value ..`, and parses back from it. Names and
        /// fields are a promise to trace files: add, never rename.
        #[derive(Clone, PartialEq, Eq, Debug)]
        #[non_exhaustive]
        pub enum Label {
            $($(
                $(#[$doc])*
                $variant { $( $(#[$field_doc])* $field: $type, )* },
            )*)*
        }

        impl Label {
            /// The names of all labels, in the order of the chapters.
            pub const NAMES: &'static [&'static str] = &[$($($name,)*)*];

            /// The label's name in a trace file.
            #[must_use]
            pub fn name(&self) -> &'static str {
                match self { $($(Self::$variant { .. } => $name,)*)* }
            }

            /// The chapter the label belongs to.
            #[must_use]
            pub fn chapter(&self) -> Chapter {
                match self { $($(Self::$variant { .. } => Chapter::$chapter,)*)* }
            }
        }

        impl fmt::Display for Label {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                match self {
                    $($(Self::$variant { $($field,)* } => {
                        f.write_str($name)?;
                        $(
                            f.write_str(concat!(" ", stringify!($field), "="))?;
                            Word::write($field, f)?;
                        )*
                        Ok(())
                    })*)*
                }
            }
        }

        impl FromStr for Label {
            type Err = ParseError;

            fn from_str(line: &str) -> Result<Self, ParseError> {
                let mut words = line.split_ascii_whitespace();
                let label = match words.next().ok_or(ParseError::Short)? {
                    $($($name => Self::$variant {
                        $($field: field(stringify!($field), words.next())?,)*
                    },)*)*
                    unknown => return Err(ParseError::UnknownLabel(unknown.to_string())),
                };
                match words.next() {
                    Some(word) => Err(ParseError::Trailing(word.to_string())),
                    None => Ok(label),
                }
            }
        }
    };
}

labels! {
    Region {
        /// A region was opened.
        RegionOpen "region-open" {
            /// The new region.
            region: RegionId,
            /// The region that waits for this one; `None` for the root.
            parent: Option<RegionId>,
            /// The scope it was opened in: for `Frame` and `Branch` the scope of the `Cx` used (a
            /// task's root scope has the task's number), for `Implicit` the task's root scope;
            /// `None` for the root.
            within: Option<ScopeId>,
            /// How it came to be.
            kind: RegionKind,
            /// What a member's failure does.
            policy: Policy,
            /// What happens when the cleanup deadline is spent.
            after_grace: AfterGrace,
            /// Whether it was opened inside a masked scope, so that the down-walk stops at it.
            shielded: bool,
            /// Where it was opened.
            site: Site,
        }
        /// The body of a region returned, failed or panicked.
        BodyEnd "body-end" {
            /// The region.
            region: RegionId,
            /// How the body ended; for a plain `region` whose value is opaque, `Ok`.
            end: End,
        }
        /// The frame of an in-frame region was dropped or abandoned before its body ended; from
        /// here on the region belongs to the enclosing one.
        BodyDropped "body-dropped" {
            /// The region.
            region: RegionId,
            /// The enclosing region, which waits for it from here on: its parent from now.
            to: RegionId,
            /// Where the region was opened.
            site: Site,
        }
        /// A region entered its next phase.
        RegionState "region-state" {
            /// The region.
            region: RegionId,
            /// `Draining`, `Finalizing` or `Settling`.
            to: RegionPhase,
        }
        /// A region closed, for ever.
        RegionClose "region-close" {
            /// The region.
            region: RegionId,
            /// `worst` over its body, its members that count and its finalizers' panics.
            outcome: Severity,
        }
        /// Shutdown ran out of time and wrote the region off: its tasks were written off, its child
        /// regions closed or written off, and its obligations leaked before; finalizers that
        /// haven't run won't. Above, it counts as closed.
        RegionWriteOff "region-write-off" {
            /// The region.
            region: RegionId,
        }
        /// A closed region handed a member's failure to the scope that awaits it.
        Escalate "escalate" {
            /// The closed region.
            region: RegionId,
            /// The awaiting scope (the enclosing region's body scope if the frame was dropped).
            to: ScopeId,
            /// What was handed over.
            what: Escalation,
        }
        /// A spawn was refused: nothing was started.
        SpawnRefused "spawn-refused" {
            /// The region that was asked.
            region: RegionId,
            /// The origin that the handle's `Cancelled` names.
            origin: Origin,
            /// Why.
            why: Refused,
        }
    }
    Task {
        /// A task became a member of a region.
        TaskSpawn "task-spawn" {
            /// The new task.
            task: TaskId,
            /// The region that owns it.
            region: RegionId,
            /// Whether it's a daemon.
            daemon: bool,
            /// Where it was spawned.
            site: Site,
        }
        /// A task completed: its body has returned and its implicit region, if any, is closed.
        TaskEnd "task-end" {
            /// The task.
            task: TaskId,
            /// Its outcome.
            end: End,
            /// Whether the outcome is a failure (`outcome.failure`).
            failure: bool,
            /// Whether the outcome is a consequence of a request of its own region.
            consequential: bool,
        }
        /// Somebody took a finished task's outcome with `join`.
        TaskJoined "task-joined" {
            /// The finished task.
            task: TaskId,
            /// The joining task; `None` for a thread outside.
            by: Option<TaskId>,
        }
        /// A task's whole future was dropped between polls after its cleanup deadline; its
        /// `TaskEnd(panicked)` follows once its children are finished.
        TaskAbandon "task-abandon" {
            /// The task.
            task: TaskId,
        }
        /// Shutdown ran out of time and wrote the task off as leaked.
        TaskWriteOff "task-write-off" {
            /// The task.
            task: TaskId,
        }
    }
    Scope {
        /// A scope was opened inside a task.
        ScopeOpen "scope-open" {
            /// The new scope.
            scope: ScopeId,
            /// The scope directly around it, in the same task.
            parent: ScopeId,
            /// The task it's in.
            task: TaskId,
            /// What it's for.
            kind: ScopeKind,
        }
        /// A branch's body returned first and its combinator chose it.
        RaceWon "race-won" {
            /// The combinator's scope.
            race: ScopeId,
            /// The winning branch.
            winner: ScopeId,
        }
        /// A scope closed: its body returned or was dropped, and what it owned is finished. A
        /// masked scope that closes delivers what it hid.
        ScopeClose "scope-close" {
            /// The scope.
            scope: ScopeId,
            /// How it ended.
            end: ScopeEnd,
        }
    }
    Cancel {
        /// A request was placed on a region, or the down-walk of one reached it.
        RegionRequest "region-request" {
            /// The region.
            region: RegionId,
            /// The request's kind, unchanged all the way down.
            kind: CancelKind,
            /// Where the request was made.
            origin: Origin,
            /// The region's cleanup deadline with this request merged in.
            deadline: Time,
        }
        /// A request was placed on a task, or the down-walk of one reached it.
        TaskRequest "task-request" {
            /// The task.
            task: TaskId,
            /// The request's kind, unchanged all the way down.
            kind: CancelKind,
            /// Where the request was made.
            origin: Origin,
            /// The cleanup deadline that comes with it. The earliest one that ever came is the task's.
            deadline: Time,
        }
        /// A task placed a request on one of its own scopes: on an inner one, or, if a failure escalated
        /// (`ChildFailed`), on whichever awaited it, its root scope and the bodies of its regions included.
        ScopeRequest "scope-request" {
            /// The scope.
            scope: ScopeId,
            /// The request's kind.
            kind: CancelKind,
            /// Where the request was made: the scope itself, or what the failure comes from.
            origin: Origin,
            /// The scope's cleanup deadline with this request merged in.
            deadline: Time,
        }
        /// An unmasked checkpoint returned `Cancelled` for this request for the first time in this
        /// scope: the task has been told.
        TaskAck "task-ack" {
            /// The task.
            task: TaskId,
            /// The scope of the checkpoint.
            scope: ScopeId,
            /// The kind it returned.
            kind: CancelKind,
            /// The origin it returned.
            origin: Origin,
        }
        /// A checkpoint was passed. Many per task: emitted only when asked for.
        Checkpoint "checkpoint" {
            /// The scope of the checkpoint.
            scope: ScopeId,
            /// The kind of the request it found effective.
            effective: Option<CancelKind>,
        }
        /// A mask was pierced at the cleanup deadline.
        MaskPierced "mask-pierced" {
            /// The masked scope.
            scope: ScopeId,
        }
    }
    Finalizer {
        /// A finalizer was registered.
        FinalizerRegister "finalizer-register" {
            /// The region that will run it.
            region: RegionId,
            /// The finalizer.
            finalizer: FinalizerId,
            /// Where it was registered.
            site: Site,
        }
        /// A finalizer started.
        FinalizerRun "finalizer-run" {
            /// The region that runs it.
            region: RegionId,
            /// The finalizer.
            finalizer: FinalizerId,
        }
        /// A finalizer ended.
        FinalizerEnd "finalizer-end" {
            /// The region that ran it.
            region: RegionId,
            /// The finalizer.
            finalizer: FinalizerId,
            /// How it ended.
            end: FinalizerEnd,
        }
        /// A bracket's frame was dropped with its release pending: the release won't run.
        ReleaseSkipped "release-skipped" {
            /// The bracket's scope.
            scope: ScopeId,
            /// Where the bracket was opened.
            site: Site,
        }
    }
    Obligation {
        /// A permit was handed out.
        ObligationReserve "obligation-reserve" {
            /// The record.
            obligation: ObligationId,
            /// The region that owns it.
            region: RegionId,
            /// What was reserved.
            kind: ObligationKind,
            /// The reserving task.
            by: Option<TaskId>,
            /// Where it was reserved.
            site: Site,
        }
        /// The permit was used.
        ObligationCommit "obligation-commit" {
            /// The record.
            obligation: ObligationId,
        }
        /// The permit was dropped or aborted.
        ObligationAbort "obligation-abort" {
            /// The record.
            obligation: ObligationId,
        }
        /// The owner's cleanup deadline passed in Settling: the record was declared leaked and its
        /// capacity given back.
        ObligationLeak "obligation-leak" {
            /// The record.
            obligation: ObligationId,
        }
        /// The record moved to another region.
        ObligationRehome "obligation-rehome" {
            /// The record.
            obligation: ObligationId,
            /// Its new owner.
            to: RegionId,
        }
        /// A commit or abort came after the leak and lost: capacity is untouched.
        ObligationLate "obligation-late" {
            /// The record.
            obligation: ObligationId,
        }
    }
    Time {
        /// A timer was armed.
        TimerArm "timer-arm" {
            /// The timer.
            timer: TimerId,
            /// The task that waits for it, if one does.
            task: Option<TaskId>,
            /// When it's due.
            at: Time,
        }
        /// A due timer fired.
        TimerFire "timer-fire" {
            /// The timer.
            timer: TimerId,
        }
        /// A timer was taken back before it fired.
        TimerDisarm "timer-disarm" {
            /// The timer.
            timer: TimerId,
        }
        /// The virtual clock moved because nothing was runnable.
        TimeAdvance "time-advance" {
            /// The new time.
            to: Time,
        }
    }
    Schedule {
        /// A task is about to be polled.
        TaskPoll "task-poll" {
            /// The task.
            task: TaskId,
        }
        /// A poll returned `Pending`.
        TaskPark "task-park" {
            /// The task.
            task: TaskId,
            /// What it waits for, by its wait site.
            what: Text,
        }
        /// A task was made runnable.
        TaskWake "task-wake" {
            /// The task.
            task: TaskId,
            /// Who woke it.
            by: Option<TaskId>,
        }
        /// One choice of the decision stream.
        Decision "decision" {
            /// What was decided.
            choice: Choice,
            /// How many possibilities there were.
            options: u32,
            /// The one that was taken.
            chosen: u32,
        }
    }
    Note {
        /// At a quiescent point, one per waiting task: what it waits for and who could end it. Holds
        /// until the task is polled, woken or over.
        WaitFor "wait-for" {
            /// The waiting task.
            task: TaskId,
            /// The task that holds what is waited for, when it's known.
            holder: Option<TaskId>,
            /// What is waited for.
            what: Text,
        }
        /// The engine found this task on a wait cycle.
        Deadlock "deadlock" {
            /// A member of the cycle.
            task: TaskId,
        }
        /// The engine gave up: too many steps, or too long with nothing but timers.
        Stuck "stuck" {
            /// Steps taken.
            steps: u64,
        }
        /// At a quiescent point, the engine polled a task that nobody had woken, and it went on: the wake was lost.
        LostWakeup "lost-wakeup" {
            /// The task.
            task: TaskId,
            /// What it said it waits for.
            what: Text,
        }
        /// The engine gave up at its limit on steps, and the last of them repeat a loop.
        Livelock "livelock" {
            /// Steps taken.
            steps: u64,
            /// How many steps the loop has.
            period: u64,
            /// The loop, in words.
            what: Text,
        }
        /// At a quiescent point, a task waits for what is held by a future that its owner doesn't poll.
        Futurelock "futurelock" {
            /// The waiting task.
            task: TaskId,
            /// The task whose future holds it; it may be the same one.
            holder: TaskId,
            /// What is held, where it was taken, and what the holder awaits instead.
            what: Text,
        }
        /// In the lab, a thread that isn't the lab's called into it.
        ForeignCall "foreign-call" {
            /// What was called.
            what: Text,
        }
        /// A note of the program under test.
        User "user" {
            /// The note.
            text: Text,
        }
    }
}

impl Label {
    /// Whether the label says what happened rather than how the engine got there.
    ///
    /// The model, and any comparison of two runs by meaning, looks at these only.
    #[must_use]
    pub fn is_semantic(&self) -> bool {
        !matches!(self.chapter(), Chapter::Schedule | Chapter::Note | Chapter::Time)
    }
}

fn field<T: Word>(expected: &'static str, word: Option<&str>) -> Result<T, ParseError> {
    let named = word.and_then(|word| word.split_once('='));
    match named {
        Some((name, value)) if name == expected => {
            T::read(value).ok_or_else(|| ParseError::Value { field: expected, found: value.to_string() })
        }
        _ => Err(ParseError::Field { expected, found: word.map(ToString::to_string) }),
    }
}

#[cfg(test)]
mod tests;
