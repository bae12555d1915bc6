//! Bulkheads: how many are inside and in line on every schedule, who is turned away, and that places come back.
use asupersync_combinator::bulkhead::{Bulkhead, EnterError, Report, Turned};
use cx::Cx;
use lab::{CancelSweep, LabConfig, LabRuntime, Search, explore};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use types::{CancelKind, Error, Res, Stop};

#[derive(Default)]
struct Seen {
    inside: AtomicUsize,
    most: AtomicUsize,
    turned: AtomicUsize,
    done: AtomicUsize,
}

async fn visit(cx: &mut Cx, bulkhead: &Bulkhead, seen: &Seen) -> Res {
    let ran = bulkhead
        .run(cx, async |cx| {
            seen.most.fetch_max(seen.inside.fetch_add(1, Relaxed) + 1, Relaxed);
            cx.step().await;
            seen.inside.fetch_sub(1, Relaxed);
            Ok::<_, Stop<Turned>>(())
        })
        .await;
    match ran {
        Ok(()) => seen.done.fetch_add(1, Relaxed),
        Err(Stop::Err(Turned::Full { places: 1, waiting: 1 })) => seen.turned.fetch_add(1, Relaxed),
        Err(Stop::Cancelled(c)) => return Err(c.into()),
        Err(other) => panic!("turned away for another reason: {other}"),
    };
    Ok(())
}

async fn three_visit(cx: &mut Cx) -> (Arc<Bulkhead>, Arc<Seen>) {
    let (bulkhead, seen) = (Arc::new(Bulkhead::new(1, 1)), Arc::new(Seen::default()));
    cx.region(|scope| async {
        for _ in 0..3 {
            let (bulkhead, seen) = (bulkhead.clone(), seen.clone());
            scope.spawn(async move |cx| visit(cx, &bulkhead, &seen).await);
        }
    })
    .await;
    (bulkhead, seen)
}

/// Until somebody stands in line, and has had time to take his place there.
async fn let_wait(cx: &Cx, bulkhead: &Bulkhead) {
    while bulkhead.waiting() == 0 {
        cx.yield_now().await;
    }
    for _ in 0..30 {
        cx.yield_now().await;
    }
}

#[test]
fn one_is_inside_one_waits_and_the_third_is_turned_away_at_most() {
    let found = Search::every().run("bulkhead", None, async |cx| {
        let (bulkhead, seen) = three_visit(cx).await;
        assert_eq!(seen.most.load(Relaxed), 1);
        let (done, turned) = (seen.done.load(Relaxed), seen.turned.load(Relaxed));
        assert!(done + turned == 3 && turned <= 1, "{done} done, {turned} turned away");
        assert_eq!((bulkhead.inside(), bulkhead.waiting()), (0, 0));
    });
    assert!(found.complete && found.classes > 6, "{found}");
}

#[test]
pub(crate) fn wherever_somebody_is_cancelled_all_places_come_back() {
    let swept = CancelSweep::new(LabConfig::default()).pairs(true).run("bulkhead", None, async |cx| {
        let (bulkhead, seen) = three_visit(cx).await;
        assert!(seen.most.load(Relaxed) <= 1);
        assert_eq!((bulkhead.inside(), bulkhead.waiting()), (0, 0), "a place was lost");
        bulkhead.try_enter(cx).expect("the place is free").leave();
    });
    assert!(swept.complete && swept.acknowledged > 10, "{swept}");
}

#[test]
fn who_waits_is_not_overtaken_and_a_full_line_turns_away_at_once() {
    let lab = LabRuntime::new(LabConfig::default());
    lab.run(|cx| async {
        let bulkhead = Arc::new(Bulkhead::new(1, 1));
        let first = bulkhead.enter(cx).await.unwrap();
        let second = bulkhead.clone();
        let mut second = cx.spawn(async move |cx| -> Result<(), EnterError> {
            second.enter(cx).await?.leave();
            Ok(())
        });
        let_wait(cx, &bulkhead).await;
        let full = Turned::Full { places: 1, waiting: 1 };
        assert!(matches!(bulkhead.enter(cx).await, Err(EnterError::Turned(turned)) if turned == full));
        drop(first);
        assert_eq!(bulkhead.try_enter(cx).unwrap_err(), full, "the place is the one's who waits");
        second.join(cx).await.unwrap();
        bulkhead.try_enter(cx).unwrap().leave();
        assert_eq!(full.to_string(), "bulkhead full: 1 inside and 1 waiting");
    });
    lab.oracles().unwrap();
}

#[test]
fn without_a_line_nobody_waits() {
    let lab = LabRuntime::new(LabConfig::default());
    lab.run(|cx| async {
        let bulkhead = Bulkhead::new(1, 0);
        let _place = bulkhead.enter(cx).await.unwrap();
        assert!(matches!(bulkhead.enter(cx).await, Err(EnterError::Turned(Turned::Full { .. }))));
        assert_eq!((bulkhead.inside(), bulkhead.waiting()), (1, 0));
    });
}

#[test]
fn a_closed_bulkhead_turns_away_who_waits_and_who_comes() {
    let lab = LabRuntime::new(LabConfig::default());
    lab.run(|cx| async {
        let bulkhead = Arc::new(Bulkhead::new(1, 4));
        let place = bulkhead.enter(cx).await.unwrap();
        let waiting = bulkhead.clone();
        let mut waiting =
            cx.spawn(async move |cx| -> Result<(), EnterError> { waiting.enter(cx).await.map(drop) });
        let_wait(cx, &bulkhead).await;
        bulkhead.close();
        assert!(waiting.join(cx).await.is_err());
        assert_eq!(bulkhead.try_enter(cx).unwrap_err(), Turned::Closed);
        place.leave();
        assert_eq!((bulkhead.inside(), bulkhead.waiting()), (0, 0));
    });
    lab.oracles().unwrap();
}

/// Also who was assigned a place and has not gone in yet.
#[test]
fn nobody_goes_into_a_closed_bulkhead() {
    explore(0..100, |lab| {
        lab.run(|cx| async {
            let bulkhead = Arc::new(Bulkhead::new(1, 4));
            let place = bulkhead.enter(cx).await.unwrap();
            let waiting = bulkhead.clone();
            let mut waiting =
                cx.spawn(async move |cx| -> Result<(), EnterError> { waiting.enter(cx).await.map(drop) });
            let_wait(cx, &bulkhead).await;
            place.leave();
            bulkhead.close();
            assert!(waiting.join(cx).await.is_err(), "let in after the close");
            assert_eq!((bulkhead.inside(), bulkhead.waiting()), (0, 0));
        });
        lab.oracles().unwrap();
    });
}

#[test]
fn a_panic_inside_gives_the_place_back() {
    let lab = LabRuntime::new(LabConfig::default());
    let bulkhead = Arc::new(Bulkhead::new(1, 0));
    let inside = bulkhead.clone();
    let run = catch_unwind(AssertUnwindSafe(|| {
        lab.run(|cx| async move {
            let _: Res =
                inside.run(cx, async |_| -> Res { panic!("inside") }).await.map_err(|e: Stop<Error>| e);
        })
    }));
    assert!(run.is_err());
    assert_eq!(bulkhead.inside(), 0);
}

/// What is held does not borrow the context: regions may be opened meanwhile.
#[test]
fn inside_a_place_regions_may_be_opened() {
    let lab = LabRuntime::new(LabConfig::default());
    lab.run(|cx| async {
        let bulkhead = Bulkhead::new(1, 0);
        let place = bulkhead.enter(cx).await.unwrap();
        cx.region(|scope| async {
            scope.spawn(async |cx| cx.yield_now().await);
        })
        .await;
        place.leave();
        assert_eq!(bulkhead.inside(), 0);
    });
    lab.oracles().unwrap();
}

/// A place that is kept past its region shows with the line that took it.
#[test]
fn a_place_that_is_forgotten_is_reported_with_its_line() {
    let lab = LabRuntime::new(LabConfig::default());
    let line = lab.run(|cx| async {
        let bulkhead = Arc::new(Bulkhead::new(1, 0));
        let line = line!() + 1;
        std::mem::forget(bulkhead.enter(cx).await.unwrap());
        line
    });
    let leak = lab.obligation_leak_oracle().unwrap_err().to_string();
    assert!(leak.contains(&format!("bulkheads.rs:{line}")), "{leak}");
}

#[test]
#[should_panic(expected = "no places")]
fn a_bulkhead_without_places_is_refused() {
    let _ = Bulkhead::new(0, 5);
}

/// A loop that takes on work only where there is room: the place goes to the task that does it, and to its region.
#[test]
fn a_place_may_go_to_another_task_and_region() {
    explore(0..50, |lab| {
        lab.run(|cx| async {
            let bulkhead = Arc::new(Bulkhead::new(2, 1));
            let most = Arc::new(AtomicUsize::new(0));
            cx.region(|outer| async {
                let region = outer.handle();
                for _ in 0..6 {
                    let mut place = bulkhead.enter_owned(outer).await.unwrap();
                    let (bulkhead, most) = (bulkhead.clone(), most.clone());
                    let spawned = region.try_spawn(async move |cx: &mut Cx| -> Res {
                        place.rehome(cx).unwrap();
                        most.fetch_max(bulkhead.inside(), Relaxed);
                        cx.yield_now().await;
                        place.leave();
                        Ok(())
                    });
                    assert!(spawned.is_ok());
                }
            })
            .await;
            assert!((1..=2).contains(&most.load(Relaxed)));
            assert_eq!((bulkhead.inside(), bulkhead.waiting()), (0, 0));
            let (one, other) = (bulkhead.try_enter_owned(cx).unwrap(), bulkhead.try_enter_owned(cx).unwrap());
            assert!(matches!(bulkhead.try_enter_owned(cx), Err(Turned::Full { places: 2, waiting: 1 })));
            drop((one, other));
        });
        lab.oracles().unwrap();
    });
}

#[test]
fn wherever_somebody_is_cancelled_owned_places_come_back_too() {
    let swept = CancelSweep::new(LabConfig::default()).pairs(true).run("owned", None, async |cx: &mut Cx| {
        let bulkhead = Arc::new(Bulkhead::new(1, 1));
        cx.region(|scope| async {
            for _ in 0..3 {
                let bulkhead = bulkhead.clone();
                scope.spawn(async move |cx: &mut Cx| match bulkhead.enter_owned(cx).await {
                    Ok(place) => {
                        cx.step().await;
                        place.leave();
                    }
                    Err(EnterError::Turned(turned)) => assert!(matches!(turned, Turned::Full { .. })),
                    Err(EnterError::Cancelled(_)) => {}
                });
            }
        })
        .await;
        assert_eq!((bulkhead.inside(), bulkhead.waiting()), (0, 0), "a place was lost");
    });
    assert!(swept.complete && swept.acknowledged > 10, "{swept}");
}

/// A request comes before everything: a free place is not taken, and who would be turned away is not counted as that.
#[test]
fn who_is_asked_to_end_is_told_so_before_a_place_is_taken_or_refused() {
    let lab = LabRuntime::new(LabConfig::default());
    lab.run(|cx| async {
        let bulkhead = Arc::new(Bulkhead::new(1, 0));
        cx.region(|cx| async {
            cx.handle().cancel(CancelKind::Explicit, "enough", None);
            for full in [false, true] {
                let _held = full.then(|| bulkhead.try_enter(cx).unwrap());
                let place = bulkhead.enter(cx).await;
                assert!(matches!(place, Err(EnterError::Cancelled(_))), "full: {full}, {place:?}");
                let place = bulkhead.enter_owned(cx).await;
                assert!(matches!(place, Err(EnterError::Cancelled(_))), "full: {full}, {place:?}");
                let ran: Res<(), Turned> =
                    bulkhead.run(cx, async |_| -> Res<(), Turned> { panic!("it was not let in") }).await;
                assert!(ran.is_err_and(|stop| stop.is_cancelled()), "full: {full}");
            }
        })
        .await;
        assert_eq!(bulkhead.report().to_string(), "0 of 1 places taken, 0 of 0 waiting, 0 turned away");
    });
    lab.oracles().unwrap();
}

#[test]
fn a_bulkhead_says_how_full_it_is_and_how_many_it_turned_away() {
    let lab = LabRuntime::new(LabConfig::default());
    lab.run(|cx| async {
        let bulkhead = Arc::new(Bulkhead::new(1, 1));
        let place = bulkhead.enter(cx).await.unwrap();
        let waits = bulkhead.clone();
        let mut waits =
            cx.spawn(async move |cx| -> Result<(), EnterError> { waits.enter(cx).await.map(drop) });
        let_wait(cx, &bulkhead).await;
        assert!(bulkhead.enter(cx).await.is_err() && bulkhead.try_enter(cx).is_err());
        assert!(bulkhead.enter_owned(cx).await.is_err() && bulkhead.try_enter_owned(cx).is_err());
        assert_eq!(bulkhead.report().to_string(), "1 of 1 places taken, 1 of 1 waiting, 4 turned away");
        drop(place);
        waits.join(cx).await.unwrap();
        bulkhead.close();
        assert!(bulkhead.try_enter(cx).is_err());
        assert_eq!(bulkhead.report(), Report { inside: 0, places: 1, waiting: 0, line: 1, turned: 4 });
    });
    lab.oracles().unwrap();
}
