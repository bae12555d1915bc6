//! [`Timer`]: the clock of an adapter.
//!
//! Not a cancellation point, as no adapter is: whoever consumes the stream looks for a request.
use core::task::{Context, Poll};
use core::time::Duration;
use cx::{Alarm, Cx, MayTime};
use types::Time;

/// A timer that is started, and taken back when it is stopped or dropped.
#[derive(Debug)]
pub(super) struct Timer<'c, C> {
    cx: &'c Cx<C>,
    alarm: Option<Alarm>,
}

impl<'c, C> Timer<'c, C> {
    /// One that does not run.
    pub(super) fn new(cx: &'c Cx<C>) -> Timer<'c, C> {
        Timer { cx, alarm: None }
    }

    pub(super) fn runs(&self) -> bool {
        self.alarm.is_some()
    }

    pub(super) fn stop(&mut self) {
        if let Some(mut alarm) = self.alarm.take() {
            alarm.disarm(self.cx)
        }
    }
}

impl<C: MayTime> Timer<'_, C> {
    pub(super) fn now(&self) -> Time {
        self.cx.now()
    }

    /// Starts it anew, to be over `span` from now; one beyond the end of time is never over.
    pub(super) fn start(&mut self, span: Duration) {
        self.start_until(self.cx.now().saturating_add(span))
    }

    pub(super) fn start_until(&mut self, at: Time) {
        self.stop();
        self.alarm = Some(Alarm::new(at));
    }

    /// Whether it runs and its time has come. Sets nothing.
    pub(super) fn is_over(&self) -> bool {
        self.alarm.as_ref().is_some_and(|alarm| self.cx.now() >= alarm.at())
    }

    /// Ready if it runs and its time has come; it has stopped then.
    pub(super) fn poll(&mut self, context: &Context<'_>) -> Poll<()> {
        let Some(alarm) = &mut self.alarm else { return Poll::Pending };
        let over = alarm.poll(self.cx, context);
        if over.is_ready() {
            self.alarm = None
        }
        over
    }

    /// One operation of the task's budget, for adapters that may take any number of items in one poll.
    pub(super) fn poll_budget(&self, context: &mut Context<'_>) -> Poll<()> {
        self.cx.poll_budget(context)
    }
}

impl<C> Drop for Timer<'_, C> {
    fn drop(&mut self) {
        self.stop()
    }
}
