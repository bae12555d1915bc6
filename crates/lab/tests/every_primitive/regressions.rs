//! Small programs that explorations once missed something of, in every order that is tried.
//!
//! Not here: random programs (`compare`).
use crate::channels::Act::{Close, DropSender, LookAtChannel, Reserve, Send, TryReceive};
use crate::compare::Setting;
use crate::counts::Act::{Acquire, AddPermit, ClosePermits, LookAtPermits, Notified, NotifyOne};
use crate::ends::Ends;
use crate::locks::Act::{Lock, Read, TryLock, TryRead, TryUpgradable, TryWrite, Write};
use crate::op::Op::{
    self, Both, Cancel, CancelStep, Channels, Child, Counts, Draw, Drop, Joined, Locks, Masked, Race, Spawn,
    Step, TryBoth, Values,
};
use crate::program::Program;
use crate::spawned::Act::CancelOwn;
use crate::values::Act::{OnceGet, OnceInit, OnceSet, OneClose, OneDropSender, OneReceive, OneSend};

fn check(tasks: Vec<Vec<Op>>) {
    check_with(tasks, Ends::Shared)
}

/// The receiver is the second task's.
fn check_moved(tasks: Vec<Vec<Op>>) {
    let ends = Ends::of_one(0, tasks.len());
    check_with(tasks, ends)
}

fn check_with(tasks: Vec<Vec<Op>>, ends: Ends) {
    let program = Program { tasks, ends };
    for setting in Setting::all(&program) {
        let orders = std::iter::once(None).chain((0..12).map(Some));
        let difference = setting.compared(&program, 10_000, orders).expect("it has few schedules");
        if let Some(difference) = difference {
            panic!("{difference}")
        }
    }
}

/// Who was refused a lock takes it before the request, after somebody who took it later.
pub(crate) fn refused_locks() {
    check(vec![vec![Locks(Lock)], vec![Step, Cancel(0)], vec![Locks(Lock)]]);
    check(vec![vec![Locks(Lock)], vec![CancelStep(0)], vec![Locks(Lock)]]);
    check(vec![vec![Locks(TryLock), Locks(Lock)], vec![Cancel(0)], vec![Locks(TryLock)]]);
    check(vec![vec![Locks(Read), Locks(TryUpgradable)], vec![Step, Cancel(0)], vec![Locks(TryWrite)]]);
}

/// Who loses a race with a step has asked nobody but itself: it takes the lock, as ever.
pub(crate) fn requests_of_own_scopes() {
    let race = Race(Box::new(Drop), Box::new(Step));
    check(vec![vec![], vec![Locks(Lock), Locks(Lock)], vec![race, Locks(Lock)]]);
}

/// Who waits masked has waited for the lock when a deadline comes that voids what it announced.
pub(crate) fn voided_waits() {
    let masked = Masked(Box::new(Locks(Lock)));
    check(vec![vec![], vec![masked], vec![Locks(TryLock), Cancel(1), Locks(Lock)]]);
}

/// What ends before the request comes to its task: a channel is closed, a cell filled, permits are no more.
pub(crate) fn refused_waits() {
    check(vec![vec![Channels(Send)], vec![CancelStep(0)], vec![Channels(Close)]]);
    check(vec![vec![Values(OnceInit)], vec![CancelStep(0)], vec![Values(OnceSet)]]);
    check(vec![vec![Counts(Acquire(1))], vec![CancelStep(0)], vec![Counts(ClosePermits)]]);
}

/// An end is found because of the first close, and could as well come before a second one.
pub(crate) fn second_closes() {
    check(vec![vec![Values(OneReceive), Values(OneSend)], vec![Values(OneClose), Values(OneDropSender)]]);
    check(vec![
        vec![Values(OneReceive), Values(OneSend)],
        vec![Values(OneDropSender)],
        vec![Values(OneClose)],
    ]);
}

/// Who finds a semaphore closed has taken nothing, and what is given to it later comes later or earlier.
pub(crate) fn closed_permits() {
    let child = Child(Box::new(Counts(Acquire(1))));
    check(vec![vec![Counts(ClosePermits), Counts(AddPermit)], vec![child, Counts(LookAtPermits)]]);
}

/// Whether more may come through a closed channel is up to who has reserved.
pub(crate) fn reserved_before_a_close() {
    let reserves = vec![Channels(Reserve), Channels(LookAtChannel)];
    check(vec![reserves, vec![Channels(TryReceive), Step], vec![Channels(Close)]]);
}

/// What a task did before it waits for an end in the same step may be seen before it goes on.
pub(crate) fn joins_that_part_a_step() {
    check(vec![vec![], vec![Joined(0), Locks(Lock)], vec![Joined(0), Locks(TryLock)]]);
    let both = Both(Box::new(Counts(Notified)), Box::new(Joined(0)));
    check(vec![vec![Counts(NotifyOne), Counts(Notified)], vec![both], vec![Joined(0)]]);
}

/// Who joins beside something else goes on with that meanwhile.
pub(crate) fn joins_beside_something() {
    check(vec![vec![], vec![], vec![Step, Both(Box::new(Draw), Box::new(Joined(1)))]]);
}

/// A plan that was made of a part of an execution is made again when there is more of it.
pub(crate) fn races_considered_again() {
    let race = Race(Box::new(Channels(Send)), Box::new(Masked(Box::new(Channels(Reserve)))));
    check(vec![vec![race], vec![CancelStep(0)], vec![Channels(Close)]]);
}

/// Who looks last lets a writer in that waits, and may do so before it is asked to end.
pub(crate) fn readers_that_are_waited_for() {
    check(vec![vec![Locks(Write)], vec![Cancel(0)], vec![Locks(TryRead), Locks(TryRead)]]);
}

/// Who waits for a region in one branch does something in another meanwhile, which it could have done before the region
/// was left.
pub(crate) fn closes_beside_something() {
    let branch = Spawn(Box::new(Values(OnceGet)));
    check(vec![vec![], vec![TryBoth(Box::new(branch), Box::new(Values(OnceInit)))]]);
}

/// Of two senders that go, the one that goes last closes the channel.
pub(crate) fn senders_that_go() {
    let tries = Op::AtOnce(Box::new(Channels(TryReceive)));
    let goes = vec![Channels(DropSender), Race(Box::new(Step), Box::new(tries))];
    check_moved(vec![vec![Channels(LookAtChannel)], goes]);
}

/// Who asks itself as a whole to end is refused what it waits for.
pub(crate) fn own_requests_as_a_whole() {
    check(vec![vec![], vec![Op::Spawned(CancelOwn), Step, Joined(0)]]);
}
