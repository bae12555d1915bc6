//! [`Event`] as tasks see it.
//!
//! Not here: the flag (`flag`).

use core::{future::Future, panic::Location, task::Poll};

use cx::{Access, Cx, Object, ObjectKind, Row, Waiter};
use types::{Cancelled, WaitKind};

use super::flag::{Flag, Since};
use crate::{
    WaitNode,
    wait::{Fused, Pends, Wait},
};

static UNSET: WaitKind = WaitKind::new("wait (event)");

/// A flag that is set and reset by hand.
pub struct Event {
    flag: Flag<Waiter>,
    object: Object,
}

/// That it's set.
struct Set<'e>(&'e Event, Since);

impl Pends for Set<'_> {
    type Ready = ();
    type Refused = Cancelled;

    fn kind(&self) -> &'static WaitKind {
        &UNSET
    }

    fn announces(&self) -> (&Object, Access) {
        (&self.0.object, Access::Read)
    }

    fn poll(&mut self, node: &mut WaitNode, make: impl FnOnce() -> Waiter) -> Poll<Result<(), Cancelled>> {
        let polled = self.0.flag.poll_set(node, &mut self.1, make);
        self.0.object.touch(Access::Read);
        polled.map(Ok)
    }

    fn leave(&mut self, node: &mut WaitNode) {
        self.0.flag.cancel(node);
    }
}

impl Event {
    /// A flag that is set or not.
    #[track_caller]
    pub fn new(set: bool) -> Self {
        Self { flag: Flag::new(set), object: Object::new(ObjectKind::Value) }
    }

    /// Sets it and lets everybody go who waits. Never waits.
    pub fn set(&self) {
        self.flag.set();
        self.object.touch(Access::Write);
    }

    /// Resets it: who comes now waits. Never waits.
    pub fn reset(&self) {
        self.flag.reset();
        self.object.touch(Access::Write);
    }

    /// Whether it's set.
    pub fn is_set(&self) -> bool {
        self.object.touch(Access::Read);
        self.flag.is_set()
    }

    /// Waits until it's set. From the first poll on no setting is missed, also if a reset follows at once.
    ///
    /// # Errors
    /// Cancelled.
    #[track_caller]
    pub fn wait<'e, 'c, C: Row>(
        &'e self,
        cx: &'c Cx<C>,
    ) -> impl Future<Output = Result<(), Cancelled>> + Unpin + Fused + use<'e, 'c, C> {
        Wait::new(Set(self, Since::default()), cx, Location::caller())
    }
}

impl core::fmt::Debug for Event {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Event").field("set", &self.flag.is_set()).finish()
    }
}
