//! Where a body is on its way out, and which step may follow which. Pure: one function.

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn phases_only_go_forward() {
        for phase in
            [Phase::Running, Phase::CancelRequested, Phase::Cancelling, Phase::Finalizing, Phase::Completed]
        {
            for step in [Step::Request, Step::Acknowledge, Step::BodyEnd, Step::Finalized] {
                if let Some(next) = phase.step(step) {
                    assert!(next >= phase, "{phase:?} went back to {next:?} on {step:?}");
                }
            }
        }
    }
}
