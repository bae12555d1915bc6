//! Runs of the lab as pictures: what the lab records is enough for them.
//!
//! The goldens of `golden.rs` are made from stored traces, so that they only change when a picture does; `record` writes
//! those anew from the programs here.

use asupersync_timeline::{Run, TextLimits, Timeline, text};
use combinator::CombineExt;
use cx::{Cx, RegionOptions};
use lab::{LabConfig, LabRuntime};
use std::sync::Arc;
use std::time::Duration;
use sync::{mpsc, mutex::Mutex};
use time::TimeExt;
use trace::{Event, Label};
use types::{CancelKind, ObligationKind, Res};

const MS: Duration = Duration::from_millis(1);

/// The trace of the first seed for which it `shows` what it is to show.
fn first(program: impl Fn(&LabRuntime), shows: impl Fn(&[Event]) -> bool) -> Vec<Event> {
    let runs = (0..200).map(|seed| {
        let lab = LabRuntime::new(LabConfig::default().seed(seed));
        program(&lab);
        lab.events()
    });
    runs.into_iter().find(|events| shows(events)).expect("one of 200 seeds shows it")
}

/// Two transfers lock two accounts in opposite order.
fn deadlock() -> Vec<Event> {
    let program = |lab: &LabRuntime| {
        let _ = lab.try_run(|cx| async {
            let accounts = Arc::new([Mutex::new(100), Mutex::new(100)]);
            cx.region(|r| async move {
                for i in 0..2 {
                    let accounts = accounts.clone();
                    r.spawn(async move |cx: &mut Cx| -> Res {
                        let mut from = accounts[i].lock(cx).await?;
                        let mut to = accounts[1 - i].lock(cx).await?;
                        *from -= 10;
                        *to += 10;
                        Ok(())
                    });
                }
            })
            .await;
        });
    };
    first(program, |events| events.iter().any(|event| matches!(event.label, Label::Deadlock { .. })))
}

/// A worker forgets a lease, and its region waits for it until the cleanup deadline.
fn leak() -> Vec<Event> {
    let program = |lab: &LabRuntime| {
        lab.run(|cx| async {
            cx.region_with(RegionOptions::keep_going().grace(2000 * MS), |r| async {
                let (tx, mut rx) = mpsc::channel::<u8>(2);
                r.spawn(async move |cx: &mut Cx| -> Res {
                    let permit = tx.reserve(cx).await?;
                    cx.sleep(3 * MS).await?;
                    let _ = permit.send(1);
                    Ok(())
                });
                r.spawn(async |cx: &mut Cx| -> Res {
                    std::mem::forget(cx.reserve(ObligationKind::Lease, std::panic::Location::caller()));
                    cx.sleep(5 * MS).await?;
                    Ok(())
                });
                let _ = rx.recv(r).await;
                r.trace("got one");
            })
            .await;
        });
    };
    first(program, |_| true)
}

/// A server with two connections, each with a child that races its work against a timeout, is asked to stop.
fn sweep() -> Vec<Event> {
    let program = |lab: &LabRuntime| {
        lab.run(|cx| async {
            let (tx, mut rx) = mpsc::channel::<u8>(4);
            cx.region(|r| async move {
                for n in 0..2 {
                    let tx = tx.clone();
                    r.spawn(async move |cx: &mut Cx| -> Res {
                        cx.finally(async |_: &mut Cx<_>| Ok(())).unwrap();
                        let mut work = cx.spawn(async move |cx: &mut Cx| -> Res {
                            let permit = tx.reserve(cx).await?;
                            cx.sleep(4 * MS).await?;
                            let _ = permit.send(n);
                            Ok(())
                        });
                        let waited = async |cx: &mut Cx<_>| Ok::<_, types::Stop>(work.join(cx).await);
                        let _ = cx.timeout(2 * MS * (u32::from(n) + 1), waited).await;
                        cx.trace("the work is late");
                        cx.sleep(10 * MS).await?;
                        Ok(())
                    });
                }
                let _ = r.sleep(3 * MS).await;
                r.handle().cancel(CancelKind::Shutdown, "enough", None);
            })
            .await;
            let _ = rx.recv(cx).await;
        });
    };
    first(program, |_| true)
}

/// A pool of workers with jobs of their own, of which one fails.
fn crowd(workers: u32, jobs: u32) -> Vec<Event> {
    let program = |lab: &LabRuntime| {
        let _ = lab.try_run(|cx| async {
            let _ = cx
                .try_region(|r| async move {
                    for n in 0..workers {
                        r.spawn(async move |cx: &mut Cx| -> Res {
                            for job in 0..jobs {
                                cx.spawn(async move |cx: &mut Cx| -> Res {
                                    cx.sleep(MS * (1 + (n + job) % 5)).await?;
                                    if n == workers / 2 && job + 1 == jobs {
                                        return Err(types::Stop::Err(types::Error::msg("job failed")));
                                    }
                                    Ok(())
                                });
                            }
                            cx.sleep(4 * MS).await?;
                            Ok(())
                        });
                    }
                    Ok::<_, types::Stop>(())
                })
                .await;
        });
    };
    first(program, |_| true)
}

#[test]
fn a_deadlock_is_explained_by_who_waits_for_whom() {
    let events = deadlock();
    let run = Run::new(&events).title("transfer");
    let report = text(&Timeline::of(&run), &TextLimits::default());
    assert!(report.starts_with("FAILED  transfer  (deadlock)\n"), "{report}");
    assert!(report.contains("waits for the mutex, held by 2"), "{report}");
    assert!(report.contains("waits for the mutex, held by 1"), "{report}");
    assert!(!report.contains("task#"), "ids are no names: {report}");
}

#[test]
fn a_leak_is_found_by_the_oracles_when_nobody_says_what_failed() {
    let events = leak();
    let run = Run::new(&events);
    let line = Timeline::of(&run);
    assert_eq!(line.troubles[0].by, "obligation_leaks");
    assert_eq!(line.obligations.len(), 2);
    let settled: Vec<_> = line.obligations.iter().filter_map(|o| o.settled.map(|(how, _)| how)).collect();
    assert!(settled.contains(&asupersync_timeline::Settled::Leaked), "{settled:?}");
    assert!(settled.contains(&asupersync_timeline::Settled::Committed), "{settled:?}");
}

#[test]
fn every_task_that_a_request_reached_has_it_in_the_model() {
    let events = sweep();
    let run = Run::new(&events);
    let line = Timeline::of(&run);
    let shutdown =
        line.requests.iter().find(|r| r.kind == CancelKind::Shutdown).expect("the region was cancelled");
    assert!(shutdown.tasks.len() >= 2, "{shutdown:?}");
    assert!(!shutdown.seen.is_empty(), "somebody saw it: {shutdown:?}");
    assert!(line.troubles.is_empty(), "{:?}", line.troubles);
}

#[test]
fn the_tasks_of_a_region_stand_side_by_side() {
    let events = crowd(5, 3);
    let run = Run::new(&events);
    let line = Timeline::of(&run);
    assert_eq!(line.order.len(), line.tasks.len());
    let place = |task: usize| line.order.iter().position(|&t| t == task).expect("every task has a lane");
    for (index, region) in line.regions.iter().enumerate() {
        let members: Vec<usize> =
            (0..line.tasks.len()).filter(|&task| within(&line, task, index)).map(place).collect();
        if let (Some(first), Some(last)) = (members.iter().min(), members.iter().max()) {
            assert_eq!(last - first + 1, members.len(), "{} is torn apart", region.name);
        }
    }
}

fn within(line: &Timeline<'_>, task: usize, region: usize) -> bool {
    let mut at = line.tasks[task].region;
    while let Some(here) = at {
        if here == region {
            return true;
        }
        at = line.regions[here].parent;
    }
    false
}

#[test]
fn the_names_of_tasks_do_not_depend_on_the_schedule() {
    let names = |seed| {
        let lab = LabRuntime::new(LabConfig::default().seed(seed));
        lab.run(|cx| async {
            for _ in 0..3 {
                cx.spawn(async |cx: &mut Cx| -> Res {
                    cx.yield_now().await;
                    cx.spawn(async |_| {});
                    cx.spawn(async |_| {});
                    Ok(())
                });
            }
        });
        let events = lab.events();
        let run = Run::new(&events);
        let line = Timeline::of(&run);
        let spawned_at = |task: &asupersync_timeline::Task| task.site.as_ref().map(|site| site.line());
        let mut names: Vec<_> = line.tasks.iter().map(|task| (task.path.clone(), spawned_at(task))).collect();
        names.sort();
        names
    };
    let first = names(0);
    assert!(first.iter().any(|(path, _)| path == "3.2"), "{first:?}");
    for seed in 1..20 {
        assert_eq!(names(seed), first, "seed {seed}");
    }
}

/// Writes the stored traces: `cargo test -p asupersync-timeline --test lab record -- --ignored`.
#[test]
#[ignore = "writes the files that the goldens are made from"]
fn record() {
    let dir = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/traces");
    let traces = [
        ("deadlock", deadlock()),
        ("leak", leak()),
        ("sweep", sweep()),
        ("crowd", crowd(4, 2)),
        ("many", crowd(40, 4)),
    ];
    for (name, events) in traces {
        let mut lines = String::new();
        trace::write_lines(&mut lines, &events).expect("a string takes every line");
        std::fs::write(format!("{dir}/{name}.trace"), lines).expect("the folder is there");
    }
}
