//! [`LabWall`]: the clock on the lab's wall, which a test may set at any time.
//!
//! It begins at 2000-01-01T00:00:00Z and goes on as virtual time does.
//!
//! Not here: the virtual clock itself (`world`).
use crate::world::VirtualClock;
use std::sync::Arc;
use std::time::Duration;
use types::WallTime;

/// What the wall clock of a lab shows first: 2000-01-01T00:00:00Z, a Saturday.
pub(crate) const FIRST: WallTime = WallTime::from_unix_secs(946_684_800);

/// The hand on a lab's wall clock. Its clones move the same one.
///
/// Setting it is no scheduling point, and exploration does not know of it: set it where nobody else runs, or between two
/// steps ([`LabRuntime::at_step`](crate::LabRuntime::at_step)).
///
/// ```
/// use asupersync_lab::{LabConfig, LabRuntime};
/// use types::Civil;
/// let lab = LabRuntime::new(LabConfig::default());
/// let wall = lab.wall();
/// lab.run(async |cx| {
///     assert_eq!(cx.wall_now().unwrap().to_string(), "2000-01-01T00:00:00Z");
///     wall.set(Civil { year: 2028, month: 2, day: 29, hour: 23, minute: 59, second: 58 }.wall_time());
///     assert_eq!(cx.wall_now().unwrap().to_string(), "2028-02-29T23:59:58Z");
/// });
/// ```
#[derive(Clone, Debug)]
pub struct LabWall(pub(crate) Arc<VirtualClock>);

impl LabWall {
    /// What it shows.
    pub fn now(&self) -> WallTime {
        self.0.wall_now()
    }

    /// It shows `now` from now on, and goes on from there.
    pub fn set(&self, now: WallTime) {
        self.0.set_wall(now)
    }

    /// It jumps ahead.
    pub fn jump_ahead(&self, span: Duration) {
        self.set(self.now().saturating_add(span))
    }

    /// It jumps back.
    pub fn jump_back(&self, span: Duration) {
        self.set(self.now().saturating_sub(span))
    }
}
