//! Schedules on a wall clock that the test moves: never early, never twice, not much later than the clock allows.
use asupersync_time::{MissedOccurrences, Occurrences, Schedule, TimeExt};
use cx::Cx;
use lab::{CancelSweep, LabConfig, LabRuntime, LabWall, explore};
use std::cell::RefCell;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use types::{Civil, Res, Time, WallTime};

const fn minutes(n: u64) -> Duration {
    Duration::from_secs(n * 60)
}

fn hour(hour: u8) -> WallTime {
    Civil { year: 2000, month: 1, day: 1, hour, minute: 0, second: 0 }.wall_time()
}

fn hourly() -> Schedule {
    "@hourly".parse().unwrap()
}

/// Waits for an occurrence; the clock shows it, or later.
async fn next(cx: &Cx, due: &mut Occurrences, wall: &LabWall) -> WallTime {
    let due = due.next(cx).await.unwrap().unwrap();
    assert!(wall.now() >= due, "early: {due} at {}", wall.now());
    due
}

#[test]
fn on_a_clock_that_goes_on_occurrences_come_to_the_nanosecond() {
    explore(0..5, |lab| {
        let wall = lab.wall();
        lab.run(|cx| async {
            let mut due = cx.schedule(hourly()).unwrap();
            for n in 1..=3 {
                assert_eq!(due.upcoming(), Some(hour(n)));
                assert_eq!(next(cx, &mut due, &wall).await, hour(n));
                assert_eq!((wall.now(), cx.now()), (hour(n), Time::ZERO + minutes(60 * u64::from(n))));
            }
        });
        lab.oracles().unwrap();
    });
}

#[test]
pub(crate) fn a_clock_that_goes_back_makes_it_wait_longer_and_nothing_comes_early() {
    let lab = LabRuntime::new(LabConfig::default());
    let wall = lab.wall();
    lab.run(|cx| async {
        let mover = wall.clone();
        cx.spawn(async move |cx| -> Res {
            // Ten seconds before it is due, when the last wait has begun.
            cx.sleep(minutes(60) - Duration::from_secs(10)).await?;
            mover.jump_back(minutes(25));
            Ok(())
        });
        let mut due = cx.schedule(hourly()).unwrap();
        assert_eq!(next(cx, &mut due, &wall).await, hour(1));
        assert_eq!((wall.now(), cx.now()), (hour(1), Time::ZERO + minutes(85)));
    });
    lab.oracles().unwrap();
}

#[test]
fn what_has_been_is_not_repeated_when_the_clock_goes_back_over_it() {
    let lab = LabRuntime::new(LabConfig::default());
    let wall = lab.wall();
    lab.run(|cx| async {
        let mut due = cx.schedule(hourly()).unwrap();
        assert_eq!(next(cx, &mut due, &wall).await, hour(1));
        wall.jump_back(minutes(30));
        assert_eq!(next(cx, &mut due, &wall).await, hour(2));
        assert_eq!(cx.now(), Time::ZERO + minutes(60 + 90));
        wall.jump_back(minutes(100));
        due.restart(cx);
        assert_eq!(next(cx, &mut due, &wall).await, hour(1), "unless it is told to begin anew");
    });
}

#[test]
fn a_jump_over_occurrences_is_noticed_within_half_a_minute() {
    for (missed, expected) in [
        (MissedOccurrences::Skip, [hour(1), hour(5), hour(6)]),
        (MissedOccurrences::CatchUp, [hour(1), hour(2), hour(3)]),
    ] {
        let lab = LabRuntime::new(LabConfig::default());
        let wall = lab.wall();
        lab.run(|cx| async {
            let mover = wall.clone();
            cx.spawn(async move |cx| -> Res {
                cx.sleep(minutes(1) + Duration::from_secs(1)).await?;
                mover.set(hour(4).saturating_add(minutes(10)));
                Ok(())
            });
            let mut due = cx.schedule(hourly()).unwrap().missed(missed);
            assert_eq!(next(cx, &mut due, &wall).await, expected[0]);
            assert!(cx.now() <= Time::ZERO + minutes(1) + Duration::from_secs(31), "{}", cx.now());
            assert_eq!(next(cx, &mut due, &wall).await, expected[1]);
            assert_eq!(next(cx, &mut due, &wall).await, expected[2]);
        });
        lab.oracles().unwrap();
    }
}

/// Whatever the clock does: no occurrence early, none twice, none but those of the schedule.
#[test]
fn no_jump_makes_an_occurrence_early_or_come_twice() {
    let quarters: Schedule = "*/15 * * * *".parse().unwrap();
    for seed in 0..40 {
        let lab = LabRuntime::new(LabConfig::default().seed(seed));
        let wall = lab.wall();
        let seen = RefCell::new(Vec::new());
        lab.run(|cx| async {
            let mover = wall.clone();
            cx.spawn(async move |cx| -> Res {
                for _ in 0..30 {
                    cx.sleep(Duration::from_millis(cx.random() % 1_200_000)).await?;
                    let by = Duration::from_millis(cx.random() % 3_600_000);
                    if cx.random().is_multiple_of(2) { mover.jump_ahead(by) } else { mover.jump_back(by) }
                }
                Ok(())
            });
            let mut due = cx.schedule(quarters).unwrap();
            while cx.now() < Time::ZERO + minutes(12 * 60) {
                let due = next(cx, &mut due, &wall).await;
                seen.borrow_mut().push(due);
            }
        });
        let seen = seen.into_inner();
        assert!(seen.is_sorted_by(|a, b| a < b) && seen.len() > 5, "{seen:?}");
        assert!(seen.iter().all(|at| at.civil().minute % 15 == 0 && at.unix_secs() % 60 == 0));
        lab.oracles().unwrap();
    }
}

/// Wherever the waiter is cancelled, what he was not given is still to come.
#[test]
fn a_refused_occurrence_is_returned_by_the_next_call() {
    let swept = CancelSweep::new(LabConfig::default()).run("schedule", None, async |cx: &mut Cx| {
        let taken = Arc::new(Mutex::new(Vec::new()));
        let seen = taken.clone();
        let mut task = cx.spawn(async move |cx| -> Res {
            let mut due = cx.schedule("* * * * *".parse()?)?;
            let mut refused = None;
            for _ in 0..2 {
                let upcoming = due.upcoming();
                match due.next(cx).await {
                    Ok(at) => seen.lock().unwrap().extend(at),
                    Err(c) => {
                        assert_eq!(due.upcoming(), upcoming, "an occurrence was lost");
                        refused = Some(c);
                        break;
                    }
                }
            }
            refused.map_or(Ok(()), |c| Err(c.into()))
        });
        let _ = task.join(cx).await;
        assert!(taken.lock().unwrap().is_sorted_by(|a, b| a < b));
    });
    assert!(swept.complete && swept.acknowledged > 5, "{swept}");
}

#[test]
fn after_the_end_of_wall_time_there_is_nothing_to_wait_for() {
    let lab = LabRuntime::new(LabConfig::default());
    lab.wall().set(WallTime::MAX);
    lab.run(|cx| async {
        let mut due = cx.schedule(hourly()).unwrap();
        assert_eq!(due.next(cx).await.unwrap(), None);
        assert_eq!(cx.wall_now(), Some(WallTime::MAX));
    });
}
