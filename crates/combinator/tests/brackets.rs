//! `bracket`: the release runs whatever comes of the use, has its own bound, and is missed when it does not.
use asupersync_combinator::CombineExt;
use cx::Cx;
use lab::{LabConfig, LabRuntime, explore};
use std::cell::RefCell;
use std::fmt;
use std::future::poll_fn;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex};
use std::task::Poll;
use std::time::Duration;
use time::TimeExt;
use types::{CancelKind, Res, Stop, Time};

const fn ms(n: u64) -> Duration {
    Duration::from_millis(n)
}

fn at(n: u64) -> Time {
    Time::ZERO + ms(n)
}

#[derive(Debug, PartialEq)]
struct Broken(&'static str);
impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}
impl std::error::Error for Broken {}

fn broken<T>(what: &'static str) -> Res<T, Broken> {
    Err(Stop::Err(Broken(what)))
}

/// Use and release that end in the given ways; what the caller got, and how many reports there were.
fn ends(used: fn() -> Res<u8, Broken>, released: fn() -> Res<(), Broken>) -> (Res<u8, Broken>, Vec<String>) {
    let lab = LabRuntime::new(LabConfig::default().seed(1));
    let result = lab.run(|cx| async {
        cx.bracket(async |_| Ok(()), async |_, _| used(), async |_, ()| released()).await
    });
    lab.oracles().unwrap();
    (result, lab.reports())
}

#[test]
fn the_result_is_the_uses_unless_only_the_release_failed() {
    let (r, reports) = ends(|| Ok(1), || Ok(()));
    assert!(matches!(r, Ok(1)) && reports.is_empty());
    let (r, reports) = ends(|| Ok(1), || broken("release"));
    assert!(matches!(r, Err(Stop::Err(Broken("release")))) && reports.is_empty());
    let (r, reports) = ends(|| broken("use"), || Ok(()));
    assert!(matches!(r, Err(Stop::Err(Broken("use")))) && reports.is_empty());
    let (r, reports) = ends(|| broken("use"), || broken("release"));
    assert!(matches!(r, Err(Stop::Err(Broken("use")))));
    assert!(reports.iter().any(|r| r.contains("release") && r.contains("tests/brackets.rs")), "{reports:?}");
}

fn panics(used: fn() -> Res<u8, Broken>, released: fn() -> Res<(), Broken>) -> String {
    let run = catch_unwind(AssertUnwindSafe(|| ends(used, released)));
    run.unwrap_err().downcast_ref::<&str>().unwrap().to_string()
}

#[test]
fn a_panic_of_the_use_goes_on_after_the_release() {
    let log = RefCell::new(Vec::new());
    let log = &log;
    let lab = LabRuntime::new(LabConfig::default());
    let run = catch_unwind(AssertUnwindSafe(|| {
        lab.run(|cx| async move {
            let _: Res = cx
                .bracket(
                    async |_| Ok(()),
                    async |_, _| panic!("use"),
                    async |cx, ()| {
                        cx.sleep(ms(3)).await.unwrap();
                        log.borrow_mut().push("released")
                    },
                )
                .await;
        })
    }));
    assert_eq!(run.unwrap_err().downcast_ref::<&str>(), Some(&"use"));
    assert_eq!((log.take(), lab.now()), (vec!["released"], at(3)));
    assert_eq!(panics(|| panic!("use"), || panic!("release")), "use");
    assert_eq!(panics(|| Ok(1), || panic!("release")), "release");
}

#[test]
fn a_panic_of_the_acquisition_goes_on_and_nothing_is_released() {
    let lab = LabRuntime::new(LabConfig::default());
    let run = catch_unwind(AssertUnwindSafe(|| {
        lab.run(|cx| async move {
            let _: Res = cx
                .bracket(
                    async |_| -> Res<()> { panic!("acquire") },
                    async |_, _| unreachable!("nothing was acquired"),
                    async |_, ()| -> Res { unreachable!("nothing was acquired") },
                )
                .await;
        })
    }));
    assert_eq!(run.unwrap_err().downcast_ref::<&str>(), Some(&"acquire"));
    assert!(lab.reports().is_empty(), "{:?}", lab.reports());
}

#[test]
fn a_panic_of_the_release_after_a_failed_use_is_reported() {
    let (r, reports) = ends(|| broken("use"), || panic!("release blew up"));
    assert!(matches!(r, Err(Stop::Err(Broken("use")))));
    assert!(reports.iter().any(|r| r.contains("release blew up")), "{reports:?}");
}

#[test]
fn nothing_is_released_that_was_not_acquired() {
    let lab = LabRuntime::new(LabConfig::default());
    let r: Res<u8, Broken> = lab.run(|cx| async {
        cx.bracket(
            async |_| broken::<()>("acquire"),
            async |_, _| unreachable!(),
            async |_, ()| -> Res<(), Broken> { unreachable!() },
        )
        .await
    });
    assert!(matches!(r, Err(Stop::Err(Broken("acquire")))));
    assert!(lab.reports().is_empty());
    lab.oracles().unwrap();
}

#[test]
pub(crate) fn acquire_and_release_are_masked_and_the_use_is_not() {
    explore(0..50, |lab| {
        lab.run(|cx| async {
            let log = Arc::new(Mutex::new(Vec::new()));
            let told = log.clone();
            let mut task = cx.spawn(async move |cx| -> Res<()> {
                let log = |what| told.lock().unwrap().push(what);
                cx.bracket(
                    async |cx| {
                        cx.sleep(ms(10)).await?;
                        log("acquired");
                        Ok(())
                    },
                    async |cx, _| {
                        let c = cx.checkpoint().unwrap_err();
                        log("use is refused");
                        Err(c.into())
                    },
                    async |cx, ()| {
                        cx.sleep(ms(10)).await.unwrap();
                        log("released")
                    },
                )
                .await
            });
            cx.sleep(ms(1)).await.unwrap();
            task.cancel("stop");
            assert!(task.join(cx).await.is_cancelled());
            assert_eq!(*log.lock().unwrap(), ["acquired", "use is refused", "released"]);
            assert_eq!(cx.now(), at(20));
        });
        lab.oracles().unwrap();
    });
}

#[test]
fn a_request_that_stands_is_answered_before_anything_is_acquired() {
    let lab = LabRuntime::new(LabConfig::default());
    let r: Res<()> = lab.run(|cx| async {
        cx.timeout(Duration::ZERO, async |cx| {
            cx.bracket(async |_| -> Res { unreachable!() }, async |_, _| Ok(()), async |_, ()| ()).await
        })
        .await
    });
    assert!(matches!(r, Err(Stop::Cancelled(_))));
}

#[test]
fn a_release_has_at_least_a_second_past_the_deadline_and_then_its_mask_is_pierced() {
    explore(0..20, |lab| {
        lab.run(|cx| async {
            let mut task = cx.spawn(async |cx| -> Res<()> {
                cx.bracket(
                    async |_| Ok(()),
                    async |cx, _| Ok(cx.sleep(ms(100_000)).await?),
                    async |cx, ()| {
                        // Far longer than anybody grants.
                        let c = cx.sleep(ms(1_000_000)).await.unwrap_err();
                        assert_eq!(c.kind(), CancelKind::Explicit);
                        Err(Stop::Cancelled(c))
                    },
                )
                .await
            });
            let handle = cx.handle();
            cx.sleep(ms(500)).await.unwrap();
            handle.cancel(CancelKind::Explicit, "stop", Some(ms(200)));
            let ended = task.join(cx).await;
            assert!(ended.is_cancelled());
        });
        assert_eq!(lab.now(), at(1_500));
    });
}

#[test]
fn a_release_has_until_the_cleanup_deadline_if_that_is_later() {
    explore(0..20, |lab| {
        lab.run(|cx| async {
            let mut task = cx.spawn(async |cx| -> Res<()> {
                cx.bracket(
                    async |_| Ok(()),
                    async |cx, _| Ok(cx.sleep(ms(100_000)).await?),
                    async |cx, ()| {
                        cx.sleep(ms(4_000)).await.unwrap();
                    },
                )
                .await
            });
            let handle = cx.handle();
            cx.sleep(ms(500)).await.unwrap();
            handle.cancel(CancelKind::Explicit, "stop", Some(ms(5_000)));
            assert!(task.join(cx).await.is_cancelled());
        });
        assert_eq!(lab.now(), at(4_500));
    });
}

#[test]
pub(crate) fn a_bracket_that_is_dropped_drops_the_resource_and_reports_its_release() {
    explore(0..10, |lab| {
        struct Resource(Arc<Mutex<bool>>);
        impl Drop for Resource {
            fn drop(&mut self) {
                *self.0.lock().unwrap() = true
            }
        }
        let dropped = Arc::new(Mutex::new(false));
        let resource = Resource(dropped.clone());
        lab.run(|cx| async move {
            let bracket = cx.bracket(
                async |_: &mut Cx| Ok(resource),
                async |cx: &mut Cx, _: &mut Resource| Ok(cx.sleep(ms(100)).await?),
                async |_: &mut Cx, _: Resource| -> Res { unreachable!("the frame is gone") },
            );
            let mut bracket: std::pin::Pin<Box<dyn Future<Output = Res>>> = Box::pin(bracket);
            poll_fn(|context| {
                assert!(bracket.as_mut().poll(context).is_pending());
                Poll::Ready(())
            })
            .await;
        });
        assert!(*dropped.lock().unwrap());
        let reports = lab.reports();
        assert!(
            reports.iter().any(|r| r.contains("tests/brackets.rs") && r.contains("did not run")),
            "nobody heard of the release: {reports:?}"
        );
    });
}
