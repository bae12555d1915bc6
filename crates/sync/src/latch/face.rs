//! [`Latch`] as tasks see it.
//!
//! Not here: the count (`count`).

use core::{future::Future, panic::Location, task::Poll};

use cx::{Access, Cx, Object, ObjectKind, Row, Waiter};
use types::{Cancelled, WaitKind};

use super::count::Count;
use crate::{
    WaitNode,
    wait::{Fused, Pends, Wait},
};

static SHUT: WaitKind = WaitKind::new("wait (latch)");

/// Opens, for good, when it was counted down often enough.
pub struct Latch {
    count: Count<Waiter>,
    object: Object,
}

/// That it opens.
struct Open<'l>(&'l Latch);

impl Pends for Open<'_> {
    type Ready = ();
    type Refused = Cancelled;

    fn kind(&self) -> &'static WaitKind {
        &SHUT
    }

    fn announces(&self) -> (&Object, Access) {
        (&self.0.object, Access::Read)
    }

    fn poll(&mut self, node: &mut WaitNode, make: impl FnOnce() -> Waiter) -> Poll<Result<(), Cancelled>> {
        let polled = self.0.count.poll_open(node, make);
        self.0.object.touch(Access::Read);
        polled.map(Ok)
    }

    fn leave(&mut self, node: &mut WaitNode) {
        self.0.count.cancel(node);
    }
}

impl Latch {
    /// One that opens when it was [counted down](Self::count_down) `count` times; with 0 it's open.
    #[track_caller]
    pub fn new(count: usize) -> Self {
        Self { count: Count::new(count), object: Object::new(ObjectKind::Value) }
    }

    /// Counts down by one; whether the latch is open now. Further calls do nothing. Never waits.
    pub fn count_down(&self) -> bool {
        self.count_down_by(1)
    }

    /// Counts down by `count`, or to 0 where less is left; whether the latch is open now. By 0 it only looks. Never waits.
    pub fn count_down_by(&self, count: usize) -> bool {
        let open = self.count.down(count);
        self.object.touch(Access::Write);
        open
    }

    /// Waits until the latch is open.
    ///
    /// # Errors
    /// Cancelled.
    #[track_caller]
    pub fn wait<'l, 'c, C: Row>(
        &'l self,
        cx: &'c Cx<C>,
    ) -> impl Future<Output = Result<(), Cancelled>> + Unpin + Fused + use<'l, 'c, C> {
        Wait::new(Open(self), cx, Location::caller())
    }

    /// Whether it's open.
    pub fn is_open(&self) -> bool {
        self.left() == 0
    }

    /// How often it has still to be counted down.
    pub fn left(&self) -> usize {
        self.object.touch(Access::Read);
        self.count.left()
    }
}

impl core::fmt::Debug for Latch {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Latch").field("left", &self.count.left()).finish()
    }
}
