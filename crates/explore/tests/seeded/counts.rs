//! Programs whose counts known mistakes get wrong.

use crate::brute::machine;
use explore::Explorer;

/// In production's order and in some random ones.
fn check(text: &str, classes: u64, explorer: &Explorer) {
    for order in 0..=20 {
        let mut explorer = match order {
            0 => explorer.clone(),
            seed => explorer.clone().in_random_order(seed),
        };
        let mut machine = machine(text);
        while explorer.next_execution() {
            machine.run(&mut explorer);
        }
        let explored = explorer.counts().explored + explorer.counts().blocked;
        assert!(explored == classes, "{text}: {explored} executions of {classes} classes, order {order}");
    }
}

#[test]
pub(crate) fn lastzero_3() {
    check("Rc;?!0{Rb;?!0{Ra;?!0{Rz}}} || Rz;Wa=$+1 || Ra;Wb=$+1 || Rb;Wc=$+1", 12, &Explorer::new());
}

#[test]
pub(crate) fn lockinc_4() {
    check("*4 Lm;Rx;Wx=$+1;Um", 24, &Explorer::new());
}

#[test]
pub(crate) fn ab_ba() {
    check("La;Lb;Ub;Ua || Lb;La;Ua;Ub", 3, &Explorer::new());
}

#[test]
pub(crate) fn mutex_deadlock_3() {
    check("*3 Lm;Wx=1", 3, &Explorer::new());
}

#[test]
pub(crate) fn two_attempts() {
    check("Qc;Sc || Qc;?=1{Wx=1}", 2, &Explorer::new());
}

#[test]
pub(crate) fn wcas_5() {
    check("Wx=2 || *5 Cx:2>3", 81, &Explorer::new());
}

#[test]
pub(crate) fn mpsc_3x2() {
    check("*3 Sc;Sc || Xc;Xc;Xc;Xc;Xc;Xc", 90, &Explorer::new());
}

#[test]
pub(crate) fn trylock_unlock() {
    check("*3 Tm;?=1{Fx+1;Um}", 21, &Explorer::new());
}

#[test]
pub(crate) fn depend_4() {
    check("Wz=1 || Wx=1 || Wy=1 || Rx;?=1{Ry;?=1{Rz}} || Ry;?=1{Rz} || Wx=2", 30, &Explorer::new());
}

#[test]
pub(crate) fn inc_3_without_room_for_plans() {
    check("*3 Rx;Wx=$+1", 36, &Explorer::new().with_planned_steps(0));
}

#[test]
pub(crate) fn an_attempt_against_two_sends() {
    check("Qc || Sc;Sc;Qc", 3, &Explorer::new());
}
