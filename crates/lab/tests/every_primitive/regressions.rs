//! Small programs that explorations once missed something of, in every order that is tried.
//!
//! Not here: random programs (`compare`).
use crate::channels::Act::{Close, Send};
use crate::compare::Setting;
use crate::counts::Act::{Acquire, ClosePermits};
use crate::locks::Act::{Lock, Read, TryLock, TryUpgradable, TryWrite};
use crate::program::Op::{
    self, Cancel, CancelStep, Channels, Counts, Drop, Locks, Masked, Race, Step, Values,
};
use crate::program::Program;
use crate::values::Act::{OnceInit, OnceSet};

fn check(tasks: Vec<Vec<Op>>) {
    let program = Program(tasks);
    for setting in Setting::all(&program) {
        let orders = std::iter::once(None).chain((0..6).map(Some));
        let difference = setting.compared(&program, orders).expect("it has few schedules");
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
