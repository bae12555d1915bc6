//! [`Occurrences`]: waiting for a schedule on a wall clock that may jump.
//!
//! Deadlines are measured by the monotonic clock, schedules by the clock on the wall, and the two drift apart, and apart at
//! a stroke when somebody sets the latter. So a wait is never longer than [`Occurrences::LOOK`] before the wall clock is
//! looked at again, and that look alone says whether it is time.
//!
//! Invariants:
//! - `schedule.not-early`: when an occurrence is returned, the wall clock shows it or a later instant.
//! - `schedule.once`: occurrences are returned in strictly rising order, each at most once, also if the clock goes back
//!   over one that has been.
//!
//! | the wall clock | what happens |
//! |---|---|
//! | goes back before an occurrence | the occurrence is waited for longer |
//! | goes back over an occurrence that has been | it is not repeated; the next one is waited for ([`Occurrences::restart`] begins anew) |
//! | jumps over one occurrence | it is returned within [`Occurrences::LOOK`] |
//! | jumps over several | see [`MissedOccurrences`] |
//!
//! Not here: which instants those are (`schedule`).
use crate::{Schedule, Sleep};
use core::fmt;
use core::time::Duration;
use cx::{Cx, MayTime};
use types::{Cancelled, WallTime};

/// What becomes of occurrences that were due before anybody took them: the clock jumped over them, or whoever takes them was
/// busy.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum MissedOccurrences {
    /// The first one is returned, late, and the others are left out.
    #[default]
    Skip,
    /// All are returned, one after the other.
    CatchUp,
}

/// This world has no clock on the wall.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct NoWallClock;

impl fmt::Display for NoWallClock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("this world has no wall clock")
    }
}

impl core::error::Error for NoWallClock {}

/// The occurrences of a schedule, from when it was made on. Made by [`TimeExt::schedule`](crate::TimeExt::schedule).
#[derive(Debug)]
pub struct Occurrences {
    schedule: Schedule,
    missed: MissedOccurrences,
    /// Up to here everything has been returned or left out.
    done: WallTime,
}

impl Occurrences {
    /// The longest wait without a look at the wall clock: half a minute. A jump forward is noticed no later than that.
    pub const LOOK: Duration = Duration::from_secs(30);

    /// The occurrences after now.
    ///
    /// # Errors
    /// The world has no wall clock.
    pub fn new<C: MayTime>(cx: &Cx<C>, schedule: Schedule) -> Result<Occurrences, NoWallClock> {
        let done = cx.wall_now().ok_or(NoWallClock)?;
        Ok(Occurrences { schedule, missed: MissedOccurrences::default(), done })
    }

    /// What becomes of missed ones. Default: they are left out.
    #[must_use]
    pub fn missed(mut self, missed: MissedOccurrences) -> Occurrences {
        self.missed = missed;
        self
    }

    /// The next occurrence that has not been returned; `None` if there is none before the end of wall time.
    pub fn upcoming(&self) -> Option<WallTime> {
        self.schedule.next_after(self.done)
    }

    /// Waits for the next occurrence and returns the instant it was due at. `None` if there will be none before the end of
    /// wall time.
    ///
    /// # Errors
    /// Cancelled.
    ///
    /// # Cancel behaviour
    /// An occurrence that is refused, or whose future is dropped, is not lost: the next call returns it.
    ///
    /// # Cost
    /// A timer, and one wake-up for each half minute of waiting.
    pub async fn next<C: MayTime>(&mut self, cx: &Cx<C>) -> Result<Option<WallTime>, Cancelled> {
        let Some(due) = self.upcoming() else { return Ok(None) };
        let mut trusted = false;
        loop {
            cx.step().await;
            cx.checkpoint()?;
            // Looked at before every wait and after it, and nothing else decides.
            let now = cx.wall_now().unwrap_or(due);
            if now >= due || trusted && types::seeded!("schedule.trusts-its-timer") {
                self.done = match self.missed {
                    MissedOccurrences::Skip => now.max(due),
                    MissedOccurrences::CatchUp => due,
                };
                return Ok(Some(due));
            }
            let wait = due.saturating_since(now);
            trusted = wait <= Self::LOOK;
            Sleep::new(cx, cx.now().saturating_add(wait.min(Self::LOOK))).await?;
        }
    }

    /// Begins anew from what the wall clock shows now: for a clock that was put back by so much that it was wrong before.
    pub fn restart<C: MayTime>(&mut self, cx: &Cx<C>) {
        self.done = cx.wall_now().unwrap_or(self.done)
    }
}
