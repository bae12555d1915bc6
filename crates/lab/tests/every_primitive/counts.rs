//! What counts who comes or who waits: permits, a barrier, a latch, calls, a flag; and what tasks do with them.
//!
//! Not here: giving permits back (`Op::Drop`).
use crate::hand::{Hand, Held};
use cx::Cx;
use sync::barrier::Barrier;
use sync::event::Event;
use sync::latch::Latch;
use sync::notify::Notify;
use sync::semaphore::Semaphore;

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Act {
    Acquire(usize),
    TryAcquire(usize),
    AddPermit,
    RetirePermit,
    ClosePermits,
    LookAtPermits,
    Meet,
    CountDown,
    AwaitLatch,
    Notified,
    NotifyOne,
    NotifyAll,
    Raise,
    Lower,
    IsRaised,
    AwaitRaised,
}
use Act::*;

impl Act {
    /// Whether it may have to wait. What doesn't comes after a step of its own.
    pub(crate) fn waits(self) -> bool {
        matches!(self, Acquire(_) | Meet | AwaitLatch | Notified | AwaitRaised)
    }
}

pub(crate) const PERMITS: &[Act] = &[
    Acquire(1),
    Acquire(2),
    TryAcquire(1),
    TryAcquire(2),
    AddPermit,
    RetirePermit,
    ClosePermits,
    LookAtPermits,
];
pub(crate) const MEETINGS: &[Act] = &[Meet, Meet, CountDown, AwaitLatch];
pub(crate) const CALLS: &[Act] = &[Notified, Notified, NotifyOne, NotifyAll];
pub(crate) const EVENT: &[Act] = &[Raise, Lower, IsRaised, AwaitRaised, AwaitRaised];

pub(crate) struct Counts {
    permits: Semaphore,
    barrier: Barrier,
    latch: Latch,
    notify: Notify,
    event: Event,
}

impl Counts {
    pub(crate) fn new() -> Self {
        Counts {
            permits: Semaphore::new(2),
            barrier: Barrier::new(2),
            latch: Latch::new(2),
            notify: Notify::new(),
            event: Event::new(false),
        }
    }

    /// Whether it was not refused because the task was asked to end.
    pub(crate) async fn act<'w>(&'w self, cx: &Cx, act: Act, hand: &mut Hand<'w>) -> bool {
        match act {
            Acquire(count) => match self.permits.acquire(cx, count).await {
                Ok(permit) => {
                    hand.note("ok");
                    hand.keep(Held::Permit(permit))
                }
                Err(refused) => {
                    hand.note(refused);
                    return false;
                }
            },
            TryAcquire(count) => match self.permits.try_acquire(cx, count) {
                Ok(permit) => {
                    hand.note("ok");
                    hand.keep(Held::Permit(permit))
                }
                Err(refused) => hand.note(refused),
            },
            AddPermit => self.permits.add(1),
            RetirePermit => {
                if let Some(Held::Permit(permit)) = hand.first(|held| matches!(held, Held::Permit(_))) {
                    permit.retire()
                }
            }
            ClosePermits => self.permits.close(),
            LookAtPermits => hand.note(self.permits.available()),
            Meet => {
                let met = self.barrier.wait(cx).await;
                hand.note(&met);
                return met.is_ok();
            }
            CountDown => hand.note(self.latch.count_down()),
            AwaitLatch => {
                let opened = self.latch.wait(cx).await;
                hand.note(&opened);
                return opened.is_ok();
            }
            Notified => return self.notify.notified(cx).await.is_ok(),
            NotifyOne => self.notify.notify_one(),
            NotifyAll => self.notify.notify_waiters(),
            Raise => self.event.set(),
            Lower => self.event.reset(),
            IsRaised => hand.note(self.event.is_set()),
            AwaitRaised => {
                let raised = self.event.wait(cx).await;
                hand.note(&raised);
                return raised.is_ok();
            }
        }
        true
    }
}
