//! Every class of executions of each program, once, on the real kernel.
use crate::tasks;
use asupersync_lab::{Executor, Grain, LabConfig, LabFailure};
use explore::mini::table::Row;
use explore::{Counts, Explorer, Reduction};
use std::sync::{Arc, Mutex, PoisonError};

/// Explores every row, and again in so many random orders; prints what was found. The number of rows that differ from
/// what is known.
pub(crate) fn all<'a>(
    rows: impl Iterator<Item = &'a Row<'a>>,
    orders: u64,
    grain: Grain,
    reduction: Reduction,
) -> u64 {
    println!("name\texplored\tblocked\texpected");
    let mut differing = 0;
    for row in rows {
        let counts = explore(row, None, grain, reduction);
        crate::line(row, counts.explored, counts.stuck);
        let mut wrong = wrong(row, &counts, grain);
        for order in 0..orders {
            wrong = wrong.or_else(|| {
                let why = self::wrong(row, &explore(row, Some(order), grain, reduction), grain)?;
                Some(format!("{why}, in random order {order}"))
            })
        }
        if let Some(why) = wrong {
            println!("# {} differs: {why}", row.name);
            differing += 1;
        }
    }
    differing
}

/// In what the exploration differs from what is known. With queues in the picture there are more classes, and only the
/// bound from below holds.
fn wrong(row: &Row<'_>, counts: &Counts, grain: Grain) -> Option<String> {
    let Counts { explored, stuck, blocked, pruned, .. } = *counts;
    match grain {
        Grain::Poll if explored < row.traces => Some(format!("{explored} of {} classes", row.traces)),
        Grain::Poll => None,
        Grain::Operation if explored != row.traces => Some(format!("{explored} of {} classes", row.traces)),
        Grain::Operation if stuck != row.blocked => Some(format!("{stuck} of {} are stuck", row.blocked)),
        Grain::Operation if blocked + pruned > 0 => Some(format!("{} runs for nothing", blocked + pruned)),
        Grain::Operation => None,
    }
}

fn explore(row: &Row<'_>, order: Option<u64>, grain: Grain, reduction: Reduction) -> Counts {
    let program = Arc::new(row.program.clone());
    let executor = Executor::new(LabConfig::default().traced(false), grain);
    let explorer = Explorer::new().reduction(reduction);
    let explorer = match order {
        Some(seed) => explorer.in_random_order(seed),
        None => explorer,
    };
    let explorer = Arc::new(Mutex::new(explorer));
    let another = || explorer.lock().unwrap_or_else(PoisonError::into_inner).next_execution();
    while another() {
        let run = executor.execute(&explorer, |lab| match lab.try_run(|cx| tasks::run(cx, &program)) {
            Ok(()) | Err(LabFailure::Deadlock { .. } | LabFailure::Redundant) => {}
            Err(other) => panic!("{}: {other}", row.name),
        });
        if let Some(panic) = run.failure {
            std::panic::resume_unwind(panic)
        }
    }
    let explorer = explorer.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(why) = explorer.divergence() {
        panic!("{}: {why}", row.name)
    }
    explorer.counts()
}
