//! The request, drain, finalize machine: what a cancel request is, how a second one changes the first, what
//! of it a scope can see, and when cleanup has taken too long. Pure: no clock, no waker, no lock.
//!
//! ```text
//! Running ──request──▶ CancelRequested ──seen at a checkpoint, unmasked──▶ Cancelling
//!    └──────────────────────────┬─────────────────────────────────────────────┘
//!                          body returned ──▶ Finalizing ──finalizers done──▶ Completed
//! ```
//! Rules kept here: `cancel.strengthen` ([`Slot::strengthen`]), `cancel.effective` ([`effective`]),
//! the phases' order ([`Phase::step`]), the deadline of `cancel.bounded` ([`cleanup_deadline`]).
//! Not here: who is told and woken (`region`), where a request is stored (`cx`, `region`).
#![no_std]
#![forbid(unsafe_code)]

use core::time::Duration;
use types::{CancelKind, Cancelled, Time};

/// Default cleanup budget of a runtime, from the first request to the cleanup deadline.
pub const DEFAULT_GRACE: Duration = Duration::from_secs(10);
/// What a finalizer or a bracket's release has at least, even past the cleanup deadline.
pub const FINALIZER_GRACE: Duration = Duration::from_secs(1);
/// What a region that settles without any request gives its outstanding obligations.
pub const SETTLE_GRACE: Duration = Duration::from_secs(1);
/// After how long a region that drains without a request first reports who is still there.
pub const FIRST_REPORT: Duration = Duration::from_secs(5);
/// How often it repeats that.
pub const REPORT_EVERY: Duration = Duration::from_secs(30);

/// Where a body is on its way out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Phase {
    /// No request.
    Running,
    /// A request was made; the body has not seen it.
    CancelRequested,
    /// The body has seen it at an unmasked checkpoint.
    Cancelling,
    /// The body returned; its finalizers run.
    Finalizing,
    /// Over.
    Completed,
}

/// What moves a [`Phase`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// A request was made.
    Request,
    /// A checkpoint returned it.
    Acknowledge,
    /// The body returned, or was dropped.
    BodyEnd,
    /// The last finalizer is done.
    Finalized,
}

impl Phase {
    /// The phase after `step`, or `None` if the protocol forbids it. A request after the body has ended
    /// changes nothing; so does one that follows another.
    pub fn step(self, step: Step) -> Option<Phase> {
        use Phase::*;
        match (self, step) {
            (Running, Step::Request) => Some(CancelRequested),
            (_, Step::Request) => Some(self),
            (CancelRequested | Cancelling, Step::Acknowledge) => Some(Cancelling),
            (Running | CancelRequested | Cancelling, Step::BodyEnd) => Some(Finalizing),
            (Finalizing, Step::Finalized) => Some(Completed),
            _ => None,
        }
    }
}

/// The one request a region, a task or a scope remembers: the strongest so far.
#[derive(Clone, Debug, Default)]
pub struct Slot {
    request: Option<Cancelled>,
    deadline: Option<Time>,
}

/// What a further request changed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Strengthened {
    /// The kind is more severe than before (or is the first): everybody below has to be told.
    pub raised: bool,
    /// The cleanup deadline is earlier than before.
    pub tightened: bool,
}

impl Strengthened {
    /// Whether anything changed.
    pub fn any(self) -> bool {
        self.raised || self.tightened
    }
}

impl Slot {
    /// The strongest request so far.
    pub fn request(&self) -> Option<&Cancelled> {
        self.request.as_ref()
    }

    /// Its kind.
    pub fn kind(&self) -> Option<CancelKind> {
        self.request.as_ref().map(Cancelled::kind)
    }

    /// When cleanup has to be over.
    pub fn deadline(&self) -> Option<Time> {
        self.deadline
    }

    /// Takes a further request: the kind is only ever raised, the deadline only ever tightened, and the
    /// same request twice is as good as once (`cancel.strengthen`).
    pub fn strengthen(&mut self, request: &Cancelled, deadline: Option<Time>) -> Strengthened {
        let raised = self.kind().is_none_or(|k| k < request.kind())
            || (types::seeded!("cancel.weaken") && self.kind() != Some(request.kind()));
        if raised {
            self.request = Some(request.clone());
        }
        let tightened = match (self.deadline, deadline) {
            (Some(old), Some(new)) => new < old,
            (None, new) => new.is_some(),
            (_, None) => false,
        };
        if tightened {
            self.deadline = deadline;
        }
        Strengthened { raised, tightened }
    }
}

/// One scope on the way from where a checkpoint stands up to its task's root.
#[derive(Clone, Debug)]
pub struct ScopeView<R> {
    /// The request on this very scope.
    pub request: Option<R>,
    /// Whether the scope hides requests on itself and above.
    pub masked: bool,
}

/// The most severe request on the first scope or above it, strictly below the first masked one
/// (`cancel.effective`). `severity` orders requests; on a tie the innermost stays.
pub fn effective<R>(
    innermost_first: impl IntoIterator<Item = ScopeView<R>>,
    severity: impl Fn(&R) -> u8,
) -> Option<R> {
    let mut best: Option<R> = None;
    for scope in innermost_first {
        if scope.masked && !types::seeded!("cancel.mask-ignored") {
            break;
        }
        if let Some(r) = scope.request
            && best.as_ref().is_none_or(|b| severity(b) < severity(&r))
        {
            best = Some(r);
        }
    }
    best
}

/// When cleanup has to be over: the time of the request plus the nearest `grace` that somebody set (the
/// request's own, else the region's, else the runtime's). Absolute, so that a subtree shares it.
pub fn cleanup_deadline(now: Time, request: Option<Duration>, region: Option<Duration>, runtime: Duration) -> Time {
    now.saturating_add(request.or(region).unwrap_or(runtime))
}

#[cfg(test)]
mod tests {
    use super::*;
    use types::Origin;

    fn request(kind: CancelKind) -> Cancelled {
        Cancelled::new(kind, Origin { scope: 1, request: kind as u32 }).build()
    }

    #[test]
    fn a_weaker_request_changes_nothing_and_a_stronger_one_raises() {
        let mut slot = Slot::default();
        assert!(slot.strengthen(&request(CancelKind::Deadline), Some(Time::from_nanos(50))).raised);
        assert!(!slot.strengthen(&request(CancelKind::Explicit), Some(Time::from_nanos(60))).any());
        let change = slot.strengthen(&request(CancelKind::Shutdown), Some(Time::from_nanos(70)));
        assert_eq!(change, Strengthened { raised: true, tightened: false });
        assert_eq!(slot.kind(), Some(CancelKind::Shutdown));
        assert_eq!(slot.deadline(), Some(Time::from_nanos(50)));
    }

    #[test]
    fn the_same_request_twice_is_as_good_as_once() {
        let mut slot = Slot::default();
        let r = request(CancelKind::LostRace);
        slot.strengthen(&r, None);
        assert!(!slot.strengthen(&r, None).any());
    }

    #[test]
    fn a_mask_hides_itself_and_above_but_not_below() {
        let view = |request: Option<u8>, masked| ScopeView { request, masked };
        let seen = |v: Vec<ScopeView<u8>>| effective(v, |r| *r);
        assert_eq!(seen(vec![view(Some(1), false), view(Some(5), true), view(Some(9), false)]), Some(1));
        assert_eq!(seen(vec![view(None, true), view(Some(9), false)]), None);
        assert_eq!(seen(vec![view(Some(2), false), view(Some(9), false)]), Some(9));
        assert_eq!(seen(vec![]), None);
    }

    #[test]
    fn phases_only_go_forward() {
        for phase in [Phase::Running, Phase::CancelRequested, Phase::Cancelling, Phase::Finalizing, Phase::Completed]
        {
            for step in [Step::Request, Step::Acknowledge, Step::BodyEnd, Step::Finalized] {
                if let Some(next) = phase.step(step) {
                    assert!(next >= phase, "{phase:?} went back to {next:?} on {step:?}");
                }
            }
        }
    }

    extern crate std;
    use std::{vec, vec::Vec};
}
