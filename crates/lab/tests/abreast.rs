//! Searches of every class on several threads: the same classes, each run once, and the same words when something fails.
use asupersync_lab::{Crew, Found, Search, crew};
use cx::{Access, Cx};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use sync::mutex::Mutex as Lock;
use sync::shared::Shared;

/// A scan for the last zero, and writers before and behind it: (n + 3) 2^(n - 2) classes.
async fn lastzero(cx: &mut Cx, n: usize) {
    let cells: Arc<Vec<Shared<u32>>> = Arc::new((0..=n).map(|_| Shared::new(0)).collect());
    cx.region(|scope| async {
        let a = cells.clone();
        scope.spawn(async move |cx: &mut Cx| {
            for i in (0..=n).rev() {
                cx.step_to(a[i].object(), Access::Read).await;
                if a[i].get() == 0 {
                    return;
                }
            }
        });
        for j in 1..=n {
            let a = cells.clone();
            scope.spawn(async move |cx: &mut Cx| {
                cx.step_to(a[j - 1].object(), Access::Read).await;
                let before = a[j - 1].get();
                cx.step_to(a[j].object(), Access::Write).await;
                a[j].set(before + 1)
            });
        }
    })
    .await
}

async fn sections(cx: &mut Cx, tasks: usize, each: usize) {
    let lock = Arc::new(Lock::new(0));
    cx.region(|scope| async {
        for _ in 0..tasks {
            let lock = lock.clone();
            scope.spawn(async move |cx: &mut Cx| {
                for _ in 0..each {
                    let Ok(mut guard) = lock.lock(cx).await else { return };
                    *guard += 1;
                    cx.step_to(lock.object(), Access::Release(1)).await;
                }
            });
        }
    })
    .await
}

/// Three tasks add to a sum that is read in one step and written in another.
async fn lost_update(cx: &mut Cx) {
    let sum = Arc::new(Shared::new(0));
    cx.region(|scope| async {
        for n in 1..=3 {
            let sum = sum.clone();
            scope.spawn(async move |cx: &mut Cx| {
                cx.step_to(sum.object(), Access::Read).await;
                let before = sum.get();
                cx.step_to(sum.object(), Access::Write).await;
                sum.set(before + n)
            });
        }
    })
    .await;
    assert_eq!(sum.get(), 6, "an addition was lost");
}

fn all(crew: Crew, body: impl AsyncFnOnce(&mut Cx) + Clone + Sync) -> Found {
    let found = Search::every().run_abreast(crew, "program", None, body);
    assert!(found.complete && found.likely.is_none() && found.unseen.is_none());
    assert_eq!(found.runs, found.classes, "each class is run once");
    found
}

#[test]
fn several_threads_find_every_class_once() {
    for crew in [crew!(1), crew!(2), crew!(5)] {
        assert_eq!(all(crew, async |cx| lastzero(cx, 7).await).classes, 320, "{crew:?}");
        assert_eq!(all(crew, async |cx| sections(cx, 3, 2).await).classes, 90, "{crew:?}");
    }
}

#[test]
fn a_program_with_one_class_and_many_threads_is_run_once() {
    let found = all(crew!(8), async |cx| cx.yield_now().await);
    assert_eq!((found.runs, found.classes, found.repeated), (1, 1, 0));
}

#[test]
fn a_program_that_cancels_is_begun_again_with_steps_that_look() {
    let cancels = async |cx: &mut Cx| {
        let mut task = cx.spawn(async |cx: &mut Cx| {
            for _ in 0..3 {
                cx.yield_now().await;
                if cx.checkpoint().is_err() {
                    return;
                }
            }
        });
        task.cancel("it takes too long");
        _ = task.join(cx).await;
    };
    let one = Search::every().run("cancels", None, cancels);
    for crew in [crew!(2), crew!(3)] {
        assert_eq!(all(crew, cancels).classes, one.classes, "{crew:?}");
    }
}

#[test]
fn what_fails_is_reported_as_one_thread_reports_it() {
    let told = |search: &dyn Fn() -> Found| -> String {
        let failed = catch_unwind(AssertUnwindSafe(search)).expect_err("an addition is lost");
        *failed.downcast::<String>().expect("a report")
    };
    let at_one_place = |crew: Option<Crew>| match crew {
        Some(crew) => Search::every().run_abreast(crew, "adds", None, lost_update),
        None => Search::every().run_abreast(crew!(1), "adds", None, lost_update),
    };
    let one = told(&|| at_one_place(None));
    assert!(one.contains("an addition was lost") && one.contains("LAB_REPLAY"), "{one}");
    for crew in [crew!(2), crew!(4)] {
        assert_eq!(told(&|| at_one_place(Some(crew))), one, "{crew:?}");
    }
}

#[test]
fn a_search_with_a_budget_goes_on_one_thread_and_ends_at_it() {
    let found = Search::every()
        .budget(10)
        .run_abreast(crew!(2), "lastzero", None, async |cx: &mut Cx| lastzero(cx, 5).await);
    assert_eq!((found.runs, found.complete), (10, false));
}

#[test]
fn a_failure_that_one_thread_alone_does_not_see_is_called_what_it_is() {
    let here = std::thread::current().id();
    let elsewhere = async move |cx: &mut Cx| {
        sections(cx, 2, 2).await;
        assert!(std::thread::current().id() == here, "it is another thread");
    };
    let search = || Search::every().run_abreast(crew!(2), "elsewhere", None, elsewhere);
    let failed = catch_unwind(AssertUnwindSafe(search)).expect_err("it fails on the crew's threads");
    let told = failed.downcast::<String>().expect("a report");
    assert!(told.contains("does not repeat itself") && told.contains("it is another thread"), "{told}");
}
