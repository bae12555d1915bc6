//! What a task is called in dumps of the region tree.
//!
//! Not here: the dump ([`region::render`]), a region's name ([`RegionOptions::name`](crate::RegionOptions)).
use crate::raw::ext;
use crate::{Cx, Row};
use alloc::borrow::Cow;
use alloc::boxed::Box;
use task::Header;

impl<C: Row> Cx<C> {
    /// Names this task in dumps; without it, a task is called as the function its body was written in. What
    /// follows ` #` tells alike tasks apart (`connection #12`): a dump shows `connection (x37 alike)`.
    ///
    /// Cost: one allocation, and another one if the task has nothing else of its own yet (a region, a finalizer, a name).
    pub fn name_task(&self, name: impl Into<Cow<'static, str>>) {
        let name = Box::new(name.into());
        let old = ext::make(self.header()).inner.lock().name.replace(name);
        drop(old);
    }
}

/// The name that a task has given itself.
pub(crate) fn of(header: &Header) -> Option<Cow<'static, str>> {
    ext::of(header)?.inner.lock().name.as_deref().cloned()
}
