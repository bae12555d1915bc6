//! Every class of executions of each program, once, on the real kernel.
use crate::{Asked, tasks};
use asupersync_lab::{Executor, Grain, LabConfig, LabFailure};
use explore::mini::table::Row;
use explore::{Counts, Explorer};
use std::iter::once;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, PoisonError};

/// Explores every row, and again in so many random orders; prints what was found. The number of rows that differ from
/// what is known.
pub(crate) fn all<'a>(rows: impl Iterator<Item = &'a Row<'a>>, asked: &Asked) -> u64 {
    println!("name\texplored\tblocked\texpected");
    let mut differing = 0;
    for row in rows {
        let orders = match asked.order {
            Some(order) => vec![Some(order)],
            None => once(None).chain((0..asked.orders).map(Some)).collect(),
        };
        let mut wrong = None;
        for (nth, order) in orders.into_iter().enumerate() {
            let explored = explore(row, order, asked);
            if let (Ok(counts), 0) = (&explored, nth) {
                crate::line(row, counts.explored, counts.stuck)
            }
            let why = match explored {
                Ok(counts) => self::wrong(row, &counts, asked.grain).map(|why| format!("differs: {why}")),
                Err(why) => Some(format!("fails: {why}")),
            };
            wrong = why.map(|why| (why, order));
            if wrong.is_some() {
                break;
            }
        }
        if let Some((why, order)) = wrong {
            let in_order = order.map_or(String::new(), |order| format!(", in random order {order}"));
            println!("# {} {why}{in_order}", row.name);
            println!("# to run this again: {}", asked.again(row.name, asked.mode(), order));
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

/// What came of exploring the row; or in words why it came to no end. An exploration that panics is one of these: which it
/// was would be lost otherwise.
fn explore(row: &Row<'_>, order: Option<u64>, asked: &Asked) -> Result<Counts, String> {
    let explored = catch_unwind(AssertUnwindSafe(|| explore_all(row, order, asked)));
    explored.unwrap_or_else(|panic| Err(format!("the exploration panics: {}", crate::words(&*panic))))
}

fn explore_all(row: &Row<'_>, order: Option<u64>, asked: &Asked) -> Result<Counts, String> {
    let program = Arc::new(row.program.clone());
    let executor = Executor::new(LabConfig::default().traced(false), asked.grain);
    let explorer = Explorer::new().reduction(asked.reduction);
    let explorer = match order {
        Some(seed) => explorer.in_random_order(seed),
        None => explorer,
    };
    let explorer = Arc::new(Mutex::new(explorer));
    let another = || explorer.lock().unwrap_or_else(PoisonError::into_inner).next_execution();
    let mut executions = 0;
    while another() {
        executions += 1;
        let mut other = None;
        let run = executor.execute(&explorer, |lab| match lab.try_run(|cx| tasks::run(cx, &program)) {
            Ok(()) | Err(LabFailure::Deadlock { .. } | LabFailure::Redundant) => {}
            Err(failure) => other = Some(failure.to_string()),
        });
        if let Some(why) = run.failure.map(|panic| crate::words(&*panic)).or(other) {
            return Err(format!("{why}, in execution {executions}"));
        }
    }
    let explorer = explorer.lock().unwrap_or_else(PoisonError::into_inner);
    match explorer.divergence() {
        Some(why) => Err(format!("it does not repeat itself: {why}, after {executions} executions")),
        None => Ok(explorer.counts()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use asupersync_lab::Grain;

    /// Where queues are in the picture, two who receive from one channel can't wait for it: a run fails that the table knows
    /// nothing of.
    #[test]
    fn a_run_that_fails_is_told_with_its_order_and_the_command_that_repeats_it() {
        let text = "columns\ntwo\tXc || Xc || Sc;Sc\t6\t0\t6\t6\there";
        let rows = explore::mini::table::read(text).expect("a table");
        let asked = Asked { file: "t.tsv".into(), grain: Grain::Poll, ..Asked::default() };
        for order in [None, Some(3)] {
            let why = explore(&rows[0], order, &asked).expect_err("it fails");
            assert!(why.contains("in execution ") && why.contains("lost wake-up"), "{why}");
        }
        assert_eq!(all(rows.iter(), &asked), 1);
        assert_eq!(
            asked.again("two", asked.mode(), Some(3)),
            "cargo xtask conformance lab --programs t.tsv --only two --mode parsimonious --grain poll --order 3"
        );
    }
}
