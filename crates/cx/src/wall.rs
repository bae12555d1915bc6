//! [`Cx::wall_now`]: what the world's clock on the wall shows.
//!
//! Not here: the clock that deadlines are measured by ([`Cx::now`]), schedules (`time`).
use crate::{Cx, MayTime};
use types::WallTime;

impl<C: MayTime> Cx<C> {
    /// Date and time of day, as far as this world knows them: the system's in production, the test's in the lab.
    /// `None` in a world without a wall clock.
    ///
    /// It may jump, forward and back, at any time. For spans and deadlines use [`Cx::now`]; for what is due at a time of
    /// day, `time::Schedule`, which is never early whatever the clock does.
    #[inline]
    pub fn wall_now(&self) -> Option<WallTime> {
        self.world().clock.wall()
    }
}
