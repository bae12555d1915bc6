//! Spin loops: a task that asks again and again whether something has changed, while nothing does.
//!
//! Under a fair schedule it ends; an exploration has one class for each number of times it may ask, which are infinitely
//! many, each a step longer than the one before. So what is counted is steps in a row in which nobody changed anything and
//! which repeat a look that their task took before, since the last change. A loop that is bounded and asks that often
//! looks the same: the limit can be moved ([`crate::LabConfig::max_spins`]).
//!
//! Where nobody else could have come first there is one class, however often the task asks: a bounded loop there is only long,
//! and an endless one has all the time to show that it is. Such a step counts a twentieth.
//!
//! Invariant `spins.repeats`: only a step that looks at something counts, and only if its task has taken the same looks
//! since anything changed. A step that only looks at what its task was asked, as every step does in a program that
//! cancels, counts where somebody else could have come first.
//!
//! A loop that awaits nothing is one step, which never ends: looks in a row inside of a step are counted too, twenty for each
//! step that would be told, and then the step panics.
//!
//! Not here: loops that change something, which the limit on steps ends (`lasso` tells them).
use crate::watch;
use explore::Touch;
use std::cell::Cell;
use std::collections::BTreeSet;
use std::panic::Location;
use trace::Access;
use types::TaskId;

/// How many steps without a change are nothing to look into.
const FEW: u64 = 64;

/// See the module.
#[derive(Debug, Default)]
pub(crate) struct Spins {
    limit: u64,
    /// Steps in a row that changed nothing.
    quiet: u64,
    /// Those of them that repeat one.
    repeated: u64,
    /// What they count together: [`ALONE`] each where others could have come, 1 where nobody could.
    count: u64,
    /// The looks that were taken since the last change, by task.
    looks: BTreeSet<(TaskId, u64)>,
}

/// How many steps that nobody else could have taken count as one of the others.
const ALONE: u64 = 20;

/// How many looks in a row one step may take for each step that may repeat one.
const IN_ONE_STEP: u64 = 20;

thread_local! {
    /// Looks in a row in the step that goes on here, and how many there may be.
    static LOOKS: Cell<u64> = const { Cell::new(0) };
    static MOST: Cell<u64> = const { Cell::new(u64::MAX) };
}

/// A run begins or is over on this thread: how many steps may repeat a look, if any limit holds.
pub(crate) fn limit_looks(spins: Option<u64>) {
    LOOKS.set(0);
    MOST.set(spins.map_or(u64::MAX, |spins| spins.saturating_mul(IN_ONE_STEP)))
}

/// A step begins.
#[inline]
pub(crate) fn step_begins() {
    LOOKS.set(0)
}

/// The step that goes on here, if one does, did this to an object.
///
/// # Panics
/// If it has only looked at things for too long.
#[inline]
pub(crate) fn touched(access: Access, at: Option<&'static Location<'static>>) {
    let looks = if is_look(access) { LOOKS.get() + 1 } else { 0 };
    LOOKS.set(looks);
    if looks > MOST.get() {
        endless(looks - 1, at)
    }
}

#[cold]
fn endless(looks: u64, at: Option<&'static Location<'static>>) {
    // What is dropped on the way out may look at things too.
    LOOKS.set(0);
    if std::thread::panicking() {
        return;
    }
    let at = at.map(|at| format!(" at {}:{}", at.file(), at.line())).unwrap_or_default();
    panic!(
        "lab: a step that does not end: it has looked at what tasks share {looks} times in a row{at} and awaited nothing. \
         Nobody else comes before it is over: have the loop await what it waits for (if it is only long, \
         `LabConfig::max_spins` allows it more)"
    )
}

/// Whether nobody can tell from the object that this was done to it.
fn is_look(access: Access) -> bool {
    use Access::{Empty, Ended, Observe, Read, Refused};
    matches!(access, Read | Refused(_) | Empty | Ended | Observe)
}

impl Spins {
    /// Nothing yet, and up to so many.
    pub(crate) fn begin(&mut self, limit: u64) {
        self.changed();
        self.limit = limit;
    }

    /// Something changed: the clock moved, or somebody did something to an object.
    #[inline]
    pub(crate) fn changed(&mut self) {
        self.quiet = 0;
        if self.repeated > 0 || !self.looks.is_empty() {
            (self.repeated, self.count) = (0, 0);
            self.looks.clear()
        }
    }

    /// The task has taken a step; `woke` somebody, or could have left it to `others`. The look that it repeats, if it has
    /// done so too often.
    #[inline]
    pub(crate) fn step<'t>(
        &mut self,
        task: TaskId,
        touches: &'t [Touch],
        woke: bool,
        others: bool,
    ) -> Option<&'t Touch> {
        if woke || !touches.iter().all(|touch| is_look(touch.access)) {
            self.changed();
            return None;
        }
        self.quiet += 1;
        if self.quiet < FEW.min(self.limit) { None } else { self.quiet_step(task, touches, others) }
    }

    #[cold]
    fn quiet_step<'t>(&mut self, task: TaskId, touches: &'t [Touch], others: bool) -> Option<&'t Touch> {
        let [(asked, _), _] = watch::objects_of(task);
        let look = touches.iter().find(|touch| touch.object != asked);
        let look = look.or(touches.first().filter(|_| others))?;
        let print = touches.iter().fold(0, |print, touch| {
            // A place in the source is one place in memory.
            let at = touch.at.map_or(0, |at| std::ptr::from_ref(at) as u64);
            region::mix(region::mix(print, touch.object.0), at)
        });
        if self.looks.insert((task, print)) {
            return None;
        }
        self.repeated += 1;
        self.count += if others { ALONE } else { 1 };
        (self.count >= self.limit.saturating_mul(ALONE)).then_some(look)
    }

    /// How many steps in a row repeated a look.
    pub(crate) fn repeated(&self) -> u64 {
        self.repeated
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use trace::{ObjectId, ObjectKind};

    fn touch(object: u64, access: Access) -> Touch {
        Touch { object: ObjectId(object), kind: ObjectKind::Value, access, at: None }
    }

    /// After how many of these steps it is told, if it is.
    fn told(steps: impl IntoIterator<Item = (u64, Vec<Touch>)>) -> Option<usize> {
        let mut spins = Spins::default();
        spins.begin(100);
        steps
            .into_iter()
            .position(|(task, touches)| spins.step(TaskId::from_u64(task), &touches, false, true).is_some())
    }

    #[test]
    fn looks_that_repeat_are_told_at_the_limit() {
        let reads = |object| vec![touch(object, Access::Read)];
        // The first of those that are looked into is new.
        assert_eq!(told((0..1000).map(|_| (1, reads(5)))), Some(63 + 100));
        let in_turn = (0..1000).map(|n| (1 + n % 2, reads(5 + n % 3)));
        assert_eq!(told(in_turn), Some(63 + 6 + 99));
        assert_eq!(
            told((0..1000).map(|_| (1, vec![touch(5, Access::Empty), touch(6, Access::Refused(1))]))),
            Some(163)
        );
    }

    #[test]
    fn whoever_asks_while_nobody_else_could_come_may_do_so_twenty_times_as_often() {
        let told = |others: fn(u64) -> bool| {
            let mut spins = Spins::default();
            spins.begin(100);
            let look = [touch(5, Access::Read)];
            let at =
                (0..5000).position(|n| spins.step(TaskId::from_u64(1), &look, false, others(n)).is_some());
            at.map(|at| (at, spins.repeated()))
        };
        assert_eq!(told(|_| true), Some((163, 100)));
        assert_eq!(told(|_| false), Some((2063, 2000)));
        // The last of 1020 quiet steps in which nobody else could come, and then 49 in which somebody could.
        assert_eq!(told(|n| n >= 1084), Some((1132, 1069)));
    }

    #[test]
    fn a_change_and_a_look_that_is_new_are_no_repetition() {
        assert_eq!(told((0..1000).map(|n| (1, vec![touch(n, Access::Read)]))), None);
        let changes = |n: u64| if n.is_multiple_of(150) { Access::Write } else { Access::Read };
        assert_eq!(told((0..1000).map(|n| (1, vec![touch(5, changes(n))]))), None);
        assert_eq!(told((0..1000).map(|_| (1, Vec::new()))), None);
    }

    #[test]
    fn what_every_step_looks_at_counts_only_where_somebody_else_could_have_come() {
        let task = TaskId::from_u64(9);
        let [(asked, _), _] = watch::objects_of(task);
        let look = [touch(asked.0, Access::Read)];
        for others in [false, true] {
            let mut spins = Spins::default();
            spins.begin(100);
            let told = (0..1000).any(|_| spins.step(task, &look, false, others).is_some());
            assert_eq!(told, others);
        }
    }
}
