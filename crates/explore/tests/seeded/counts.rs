//! Programs whose counts known mistakes get wrong.

use crate::brute::machine;
use explore::{Explorer, Reduction};

/// By wakeup trees, in production's order and in some random ones.
fn check(text: &str, classes: u64, explorer: &Explorer) {
    let explorer = explorer.clone().reduction(Reduction::WakeupTrees);
    check_as_it_is(text, classes, &explorer);
}

fn check_as_it_is(text: &str, classes: u64, explorer: &Explorer) {
    for order in 0..=20 {
        let mut explorer = match order {
            0 => explorer.clone(),
            seed => explorer.clone().in_random_order(seed),
        };
        let mut machine = machine(text);
        // A mistake may make it endless.
        while explorer.counts().explored < 10 * classes && explorer.next_execution() {
            machine.run(&mut explorer);
        }
        let explored = explorer.counts().explored + explorer.counts().blocked;
        assert!(explored == classes, "{text}: {explored} executions of {classes} classes, order {order}");
    }
}

/// Parsimoniously, in production's order and in some random ones.
fn check_parsimony(text: &str, classes: u64) {
    check_as_it_is(text, classes, &Explorer::new());
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

#[test]
pub(crate) fn equal_writes() {
    check("Wx=1;Wy=1;Wx=1 || Rx;Wx=1 || Ry;?=1{Rx}", EQUAL, &Explorer::new());
}

#[test]
pub(crate) fn equal_writes_parsimoniously() {
    check_parsimony("Wx=1;Wy=1;Wx=1 || Rx;Wx=1 || Ry;?=1{Rx}", EQUAL);
}

/// Each write counts as one: where equal ones commuted, there would be fewer.
const EQUAL: u64 = 23;

#[test]
pub(crate) fn lockinc_4_parsimoniously() {
    check_parsimony("*4 Lm;Rx;Wx=$+1;Um", 24);
}

#[test]
pub(crate) fn ab_ba_parsimoniously() {
    check_parsimony("La;Lb;Ub;Ua || Lb;La;Ua;Ub", 3);
}

#[test]
pub(crate) fn mutex_deadlock_3_parsimoniously() {
    check_parsimony("*3 Lm;Wx=1", 3);
}

#[test]
pub(crate) fn two_attempts_parsimoniously() {
    check_parsimony("Qc;Sc || Qc;?=1{Wx=1}", 2);
}

#[test]
pub(crate) fn wcas_5_parsimoniously() {
    check_parsimony("Wx=2 || *5 Cx:2>3", 81);
}

#[test]
pub(crate) fn mpsc_3x2_parsimoniously() {
    check_parsimony("*3 Sc;Sc || Xc;Xc;Xc;Xc;Xc;Xc", 90);
}

#[test]
pub(crate) fn trylock_unlock_parsimoniously() {
    check_parsimony("*3 Tm;?=1{Fx+1;Um}", 21);
}

#[test]
pub(crate) fn an_attempt_against_two_sends_parsimoniously() {
    check_parsimony("Qc || Sc;Sc;Qc", 3);
}

#[test]
pub(crate) fn readers_4_parsimoniously() {
    check_parsimony("Wx=1 || *4 Rx", 16);
}

#[test]
pub(crate) fn lastzero_4_parsimoniously() {
    let writers = "Rz;Wa=$+1 || Ra;Wb=$+1 || Rb;Wc=$+1 || Rc;Wd=$+1";
    check_parsimony(&format!("Rd;?!0{{Rc;?!0{{Rb;?!0{{Ra;?!0{{Rz}}}}}}}} || {writers}"), 28);
}

#[test]
pub(crate) fn moving_over_two_reads_and_a_write() {
    check_parsimony("Rx;Wx=0;Wx=1 || Rx || Cx:0>1", 15);
}
