//! `region.slow-drain`: a region that nobody asked to end, and that waits for long all the same, says for whom.

use std::ops::Range;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use asupersync_lab::{LabConfig, LabRuntime, explore_with};
use combinator::CombineExt;
use cx::{All, Cx, NoSpawn, RegionHandle, RegionOptions};
use time::TimeExt;
use types::{CancelKind, Res};

use super::boom::assert_clean;

const S: Duration = Duration::from_secs(1);
const SEEDS: Range<u64> = 0..20;

fn reporting() -> LabConfig {
    LabConfig::default().report_slow_drains(true)
}

async fn sleeps(cx: &mut Cx, span: Duration) -> Res {
    Ok(cx.sleep(span).await?)
}

/// How old the region was in each report, and whether a cleanup deadline was its news.
fn ages(lab: &LabRuntime) -> Vec<(String, bool)> {
    let age = |report: String| {
        let (before, _) = report.split_once(" ago is ")?;
        Some((before.rsplit_once(' ')?.1.to_string(), report.starts_with("cleanup deadline passed")))
    };
    lab.reports().into_iter().filter_map(age).collect()
}

#[test]
pub(crate) fn region_slow_drain_is_reported_after_five_seconds_with_who_is_waited_for() {
    explore_with(&reporting(), SEEDS, |lab| {
        lab.run(|cx| async {
            cx.region_with(RegionOptions::fail_fast().name("the importers"), |r| async {
                r.sleep(60 * S).await.unwrap();
                r.spawn(async |cx: &mut Cx| {
                    cx.name_task("importer 1");
                    sleeps(cx, 20 * S).await
                });
                r.spawn(async |cx: &mut Cx| sleeps(cx, 4 * S).await);
            })
            .await;
        });
        let reports = lab.reports();
        let [report] = &reports[..] else {
            panic!("nobody was told of the slow drain, or too often: {reports:#?}")
        };
        let lines: Vec<_> = report.lines().collect();
        assert!(lines[0].starts_with("`the importers` (") && lines[0].contains(file!()), "{report}");
        assert!(
            lines[0].ends_with("65.0s ago is Draining and waits for 1 task(s), 0 region(s), 0 obligation(s)"),
            "{report}"
        );
        assert_eq!(lines.len(), 2, "{report}");
        assert!(lines[1].starts_with("  `importer 1` (") && lines[1].contains(file!()), "{report}");
        assert!(lines[1].ends_with("waits for: a timer"), "{report}");
        assert_clean(lab);
    });
}

#[test]
fn region_slow_drain_is_reported_again_every_thirty_seconds_until_it_is_over() {
    explore_with(&reporting(), SEEDS, |lab| {
        lab.run(|cx| async {
            cx.region(|r| async {
                r.finally(async |cx: &mut Cx<NoSpawn>| Ok(cx.sleep(30 * S).await?)).unwrap();
                r.spawn(async |cx: &mut Cx| sleeps(cx, 40 * S).await);
            })
            .await;
            cx.sleep(100 * S).await.unwrap();
        });
        let phases: Vec<_> =
            lab.reports().iter().map(|r| (r.contains("is Draining"), r.contains("is Finalizing"))).collect();
        assert_eq!(
            phases,
            [(true, false), (true, false), (false, true)],
            "at 5, 35 and 65 s: {:#?}",
            lab.reports()
        );
        assert_clean(lab);
    });
}

#[test]
fn region_slow_drain_says_nothing_of_one_that_ends_soon_or_was_asked_to() {
    explore_with(&reporting(), SEEDS, |lab| {
        lab.run(|cx| async {
            cx.region(|r| async {
                r.spawn(async |cx: &mut Cx| sleeps(cx, 5 * S - Duration::from_nanos(1)).await);
            })
            .await;
            cx.region(|r| async {
                r.spawn(async |cx: &mut Cx| cx.masked(async |cx| sleeps(cx, 9 * S).await).await);
                r.yield_now().await;
                r.handle().cancel(CancelKind::Explicit, "stop", None);
            })
            .await;
            // The body is not over: nothing drains.
            cx.masked(async |cx| cx.region(|r| async { sleeps(r, 40 * S).await.unwrap() }).await).await;
        });
        assert_eq!(lab.reports(), [""; 0]);
        assert_clean(lab);
    });
}

/// Is ready once it is told so, and hears of nothing else.
#[derive(Clone, Default)]
struct Deaf(Arc<Mutex<(bool, Option<Waker>)>>);

impl Deaf {
    fn tell(&self) {
        let (told, waker) = &mut *self.0.lock().unwrap();
        *told = true;
        waker.take().unwrap().wake()
    }
}

impl Future for Deaf {
    type Output = ();
    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let (told, waker) = &mut *self.0.lock().unwrap();
        *waker = Some(context.waker().clone());
        if *told { Poll::Ready(()) } else { Poll::Pending }
    }
}

#[test]
fn region_slow_drain_gives_way_to_what_is_reported_after_a_request() {
    explore_with(&reporting(), SEEDS, |lab| {
        let deaf = Deaf::default();
        lab.run(|cx| async move {
            cx.collect(|outer| async move {
                let (tell, slot) = (deaf.clone(), Arc::new(Mutex::new(None)));
                let region = slot.clone();
                outer.spawn(async move |cx: &mut Cx| -> Res {
                    cx.sleep(7 * S).await?;
                    let region: RegionHandle<All> = region.lock().unwrap().take().unwrap();
                    region.cancel(CancelKind::Explicit, "stop", None);
                    cx.sleep(53 * S).await?;
                    tell.tell();
                    Ok(())
                });
                outer
                    .region(|r| async {
                        *slot.lock().unwrap() = Some(r.handle());
                        r.spawn(async move |_: &mut Cx| deaf.await);
                    })
                    .await;
            })
            .await;
        });
        // Asked after 7 s, with 10 s of grace; from then on every 30 s.
        let ages = ages(lab);
        let ages: Vec<_> = ages.iter().map(|(age, overdue)| (age.as_str(), *overdue)).collect();
        assert_eq!(ages, [("5.0s", false), ("17.0s", true), ("47.0s", false)], "{:#?}", lab.reports());
        assert_clean(lab);
    });
}

/// Tasks within tasks, the last of which sleeps.
fn nest(cx: &mut Cx, depth: usize) -> Pin<Box<dyn Future<Output = Res> + Send + '_>> {
    Box::pin(async move {
        if depth == 0 {
            cx.name_task("the last one");
            return sleeps(cx, 20 * S).await;
        }
        cx.spawn(async move |cx: &mut Cx| nest(cx, depth - 1).await);
        Ok(())
    })
}

#[test]
fn region_slow_drain_of_regions_that_wait_for_one_task_is_told_once_and_names_it() {
    // More levels than a view shows.
    let levels = region::DEEPEST + 20;
    explore_with(&reporting(), 0..3, |lab| {
        lab.run(|cx| async {
            cx.region(|r| async {
                r.spawn(async move |cx: &mut Cx| nest(cx, levels).await);
            })
            .await;
        });
        let reports = lab.reports();
        let [report] = &reports[..] else {
            panic!("{} reports, the first {:?}", reports.len(), reports.first())
        };
        assert!(report.contains("`the last one`") && report.contains("waits for: a timer"), "{report}");
        assert!(report.ends_with(&format!("{levels} region(s) around wait for that")), "{report}");
        assert_clean(lab);
    });
}

#[test]
fn region_slow_drain_of_regions_side_by_side_is_told_once_by_the_one_around() {
    explore_with(&reporting(), 0..3, |lab| {
        lab.run(|cx| async {
            cx.region_with(RegionOptions::fail_fast().name("the crowd"), |r| async {
                for _ in 0..50 {
                    r.spawn(async |cx: &mut Cx| {
                        cx.spawn(async |cx: &mut Cx| sleeps(cx, 20 * S).await);
                    });
                }
            })
            .await;
        });
        let reports = lab.reports();
        let [report] = &reports[..] else {
            panic!("{} reports, the first {:?}", reports.len(), reports.first())
        };
        assert!(
            report.starts_with("`the crowd` (") && report.contains("waits for 50 task(s), 50 region(s)"),
            "{report}"
        );
        assert!(report.ends_with("and 18 more region(s)"), "{report}");
        assert_clean(lab);
    });
}

/// Whose deadline has passed when, and what was told of late regions later, each with the time.
fn told_of_late(body: impl AsyncFn(&mut Cx, Deaf) + Copy) -> Vec<(String, bool)> {
    let told = Mutex::new(None);
    explore_with(&reporting(), 0..5, |lab| {
        lab.run(|cx| async move {
            cx.collect(|outer| async move {
                let deaf = Deaf::default();
                let tell = deaf.clone();
                outer.spawn(async move |cx: &mut Cx| -> Res {
                    cx.sleep(60 * S).await?;
                    tell.tell();
                    Ok(())
                });
                body(outer, deaf).await
            })
            .await;
        });
        assert!(lab.reports().iter().all(|report| report.contains(file!())), "{:#?}", lab.reports());
        let ages = ages(lab);
        assert_eq!(ages.len(), lab.reports().len(), "{:#?}", lab.reports());
        assert_eq!(*told.lock().unwrap().get_or_insert_with(|| ages.clone()), ages, "whatever the schedule");
        assert_clean(lab);
    });
    told.into_inner().unwrap().unwrap()
}

fn at(told: &[(String, bool)]) -> Vec<(&str, bool)> {
    told.iter().map(|(age, overdue)| (age.as_str(), *overdue)).collect()
}

#[test]
fn cancel_bounded_regions_within_a_branch_that_is_late_make_one_series() {
    let told = told_of_late(async |cx, deaf| {
        let ended: Res = cx
            .timeout(S, async |cx: &mut Cx| {
                cx.region(|a| async move {
                    a.region(|b| async move {
                        b.region(|c| async move {
                            c.spawn(async move |_: &mut Cx| deaf.await);
                        })
                        .await
                    })
                    .await
                })
                .await;
                Ok(())
            })
            .await;
        assert!(ended.is_ok(), "nobody acknowledged");
    });
    // Slow at first; asked after 1 s, with 10 s of grace; from then on every 30 s.
    assert_eq!(at(&told), [("11.0s", true), ("41.0s", false)]);
}

#[test]
fn cancel_bounded_requests_that_come_nearer_and_nearer_make_one_series() {
    let told = told_of_late(async |cx, deaf| {
        cx.region(|r| async move {
            for grace in [40, 30, 20, 10] {
                r.handle().cancel(CancelKind::Explicit, "stop", Some(grace * S));
            }
            r.spawn(async move |_: &mut Cx| deaf.await);
        })
        .await
    });
    assert_eq!(at(&told), [("10.0s", true), ("40.0s", false)]);
}

#[test]
fn cancel_bounded_the_series_of_a_region_ends_when_that_of_one_around_begins() {
    let told = told_of_late(async |cx, deaf| {
        cx.region(|a| async move {
            a.handle().cancel(CancelKind::Explicit, "stop", Some(10 * S));
            a.region(|b| async move {
                b.handle().cancel(CancelKind::Explicit, "stop sooner", Some(5 * S));
                b.spawn(async move |_: &mut Cx| deaf.await);
            })
            .await
        })
        .await
    });
    assert_eq!(at(&told), [("5.0s", true), ("10.0s", true), ("40.0s", false)]);
}
