//! [`Barrier`] as tasks see it.
//!
//! Not here: who belongs to which round (`round`).

use core::{future::Future, panic::Location, task::Poll};

use cx::{Access, Cx, Object, ObjectKind, Row, Waiter};
use types::{Cancelled, WaitKind};

use super::round::{Arrival, Round};
use crate::{
    WaitNode,
    wait::{Fused, Pends, Wait},
};

static OTHERS: WaitKind = WaitKind::new("wait (barrier)");

/// Where so many tasks wait for each other.
pub struct Barrier {
    round: Round<Waiter>,
    object: Object,
}

/// That the barrier was passed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Passed {
    last: bool,
}

impl Passed {
    /// Whether this was the one that came last: one in each round.
    pub const fn is_last(self) -> bool {
        self.last
    }
}

/// That the others come.
struct Others<'b> {
    barrier: &'b Barrier,
    arrival: Arrival,
}

impl Pends for Others<'_> {
    type Ready = Passed;
    type Refused = Cancelled;

    fn kind(&self) -> &'static WaitKind {
        &OTHERS
    }

    fn announces(&self) -> (&Object, Access) {
        (&self.barrier.object, Access::Write)
    }

    /// The node is the arrival's own.
    fn poll(&mut self, _: &mut WaitNode, make: impl FnOnce() -> Waiter) -> Poll<Result<Passed, Cancelled>> {
        let polled = self.barrier.round.poll_pass(&mut self.arrival, make);
        self.barrier.object.touch(Access::Write);
        polled.map(|last| Ok(Passed { last }))
    }

    fn leave(&mut self, _: &mut WaitNode) {}
}

impl Drop for Others<'_> {
    fn drop(&mut self) {
        self.barrier.round.leave(&mut self.arrival);
        self.barrier.object.touch(Access::Write);
    }
}

impl Barrier {
    /// One for `parties` tasks.
    ///
    /// # Panics
    /// If `parties` is 0.
    #[track_caller]
    pub fn new(parties: usize) -> Self {
        Self { round: Round::new(parties), object: Object::new(ObjectKind::Value) }
    }

    /// Arrives, and waits until as many have as belong to a round.
    ///
    /// # Errors
    /// Cancelled: it has not arrived, unless the others have come already and go on.
    #[track_caller]
    pub fn wait<'b, 'c, C: Row>(
        &'b self,
        cx: &'c Cx<C>,
    ) -> impl Future<Output = Result<Passed, Cancelled>> + Unpin + Fused + use<'b, 'c, C> {
        Wait::new(Others { barrier: self, arrival: Arrival::default() }, cx, Location::caller())
    }

    /// How many belong to a round.
    pub fn parties(&self) -> usize {
        self.round.parties()
    }
}

impl core::fmt::Debug for Barrier {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Barrier").field("parties", &self.round.parties()).finish()
    }
}
