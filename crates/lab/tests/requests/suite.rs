//! Every combination of what a task does that is asked to end, of who lets it go on, and of who asks.
//!
//! Task 0 is asked; 1 is the one that lets it go on; 2 and 3 ask.
//!
//! Not here: what the operations are (`program`).
use super::program::{Op, Program};

/// What a task does that is asked to end.
fn victims() -> Vec<Vec<Op>> {
    use Op::*;
    vec![
        vec![Check],
        vec![Check, Check, Check],
        // Not begun yet, for some.
        vec![Look],
        vec![Set(1), Check, Look],
        // Waits for what another holds, or holds it.
        vec![Lock, Unlock],
        vec![Lock, Check, Unlock],
        vec![Lock, Look, Unlock, Look],
        vec![Receive],
        vec![Receive, Receive],
        vec![Lock, Receive, Unlock],
        vec![Masked(vec![Check, Look])],
        vec![Masked(vec![Lock]), Check, Unlock],
        vec![Masked(vec![Receive])],
        vec![Masked(vec![Receive]), Receive],
        vec![Step, Masked(vec![Look]), Lock, Unlock],
    ]
}

/// Who lets it go on, or keeps it waiting.
fn partners() -> Vec<Vec<Op>> {
    use Op::*;
    vec![
        vec![],
        vec![Lock, Set(3), Unlock],
        vec![Send(7)],
        vec![Lock, Send(7), Unlock, Send(8)],
        // Keeps the lock.
        vec![Set(3), Lock],
    ]
}

/// Programs all of whose operations are announced.
pub(crate) fn announced() -> Vec<Program> {
    use Op::*;
    let askers: Vec<Vec<Vec<Op>>> = vec![
        vec![vec![Ask(0)]],
        vec![vec![Set(5), Ask(0)]],
        vec![vec![Lock, Ask(0), Unlock]],
        // Two who ask, the second one also before the first.
        vec![vec![Ask(0)], vec![Ask(0)]],
        // Who asks is asked.
        vec![vec![Ask(0)], vec![Ask(2)]],
        // And asks again.
        vec![vec![Ask(0), Ask(0)]],
        // The one that lets the task go on is asked, too.
        vec![vec![Ask(0)], vec![Ask(1)]],
    ];
    let mut programs = combined(&victims(), &partners(), &askers);
    programs.retain(|program| !waits_for_ever_masked(program));
    programs
}

/// Whether the first task may wait for something that never comes, with the request hidden, so that the cleanup deadline has
/// to end that: the clock moves.
fn waits_for_ever_masked(Program(tasks): &Program) -> bool {
    use Op::*;
    let masked = |op: &Op| tasks[0].iter().any(|own| matches!(own, Masked(ops) if ops.contains(op)));
    let keeps_lock = tasks[1].contains(&Lock) && !tasks[1].contains(&Unlock);
    masked(&Receive) && !tasks[1].contains(&Send(7)) || masked(&Lock) && keeps_lock
}

fn combined(victims: &[Vec<Op>], partners: &[Vec<Op>], askers: &[Vec<Vec<Op>>]) -> Vec<Program> {
    let mut programs = Vec::new();
    for victim in victims {
        for partner in partners {
            for asker in askers {
                let tasks = [victim.clone(), partner.clone()].into_iter().chain(asker.iter().cloned());
                programs.push(Program(tasks.collect()));
            }
        }
    }
    programs
}

/// Programs with operations that say nothing beforehand, or several things at once.
pub(crate) fn unannounced() -> Vec<Program> {
    use Op::*;
    let either = |a: Op, b: Op| Either(Box::new(a), Box::new(b));
    let victims = vec![
        vec![Check, Look],
        vec![Lock, Unlock],
        vec![Receive],
        vec![Acquire, Release],
        vec![Acquire, Check],
        vec![Reserve],
        vec![Reserve, Reserve],
        vec![Sleep],
        vec![Notified],
        vec![either(Lock, Receive)],
        vec![either(Wait, Sleep)],
        vec![either(Notified, Receive)],
        vec![Masked(vec![Notified]), Check],
        // Until the cleanup deadline, if nobody sends.
        vec![Masked(vec![Receive]), Look],
        vec![Region(vec![], vec![Check, Lock])],
        vec![Region(vec![Wait], vec![Check])],
        vec![Region(vec![Check, Look], vec![Receive])],
    ];
    let partners = vec![
        vec![],
        vec![Lock, Set(3), Unlock],
        vec![Send(7), Notify],
        vec![Acquire, Release],
        vec![Drain],
        vec![Raise],
        vec![Join(0)],
    ];
    let askers: Vec<Vec<Vec<Op>>> = vec![
        vec![vec![Cancel(0)]],
        vec![vec![Ask(0)]],
        vec![vec![CancelAll]],
        vec![vec![Cancel(0)], vec![Cancel(0)]],
        vec![vec![Cancel(1), Cancel(0)]],
        vec![vec![CancelAll], vec![Cancel(0)]],
    ];
    let mut programs = combined(&victims, &partners, &askers);
    // Who joins has the handle for itself meanwhile, and nobody asks by that.
    programs.retain(|Program(tasks)| {
        !tasks[1].contains(&Join(0)) || tasks[2..].iter().flatten().all(|op| *op == CancelAll)
    });
    programs
}
