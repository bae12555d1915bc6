//! Large runs: many tasks, much virtual time. That they end is what is tested here; how long they take is measured
//! elsewhere (docs/benchmarks.md).
use asupersync_lab::{LabConfig, LabRuntime};
use combinator::CombineExt;
use cx::Cx;
use std::sync::Arc;
use std::time::Duration;
use sync::shared::Shared;
use time::TimeExt;
use types::{Res, Time};

const YEAR: Duration = Duration::from_secs(365 * 24 * 60 * 60);

#[test]
fn ten_thousand_tasks_share_one_run() {
    let lab = LabRuntime::new(LabConfig::default().seed(1));
    lab.run(|cx| async {
        let ended = Arc::new(Shared::new(0));
        cx.region(|scope| async {
            for _ in 0..10_000 {
                let ended = ended.clone();
                scope.spawn(async move |cx: &mut Cx| {
                    cx.yield_now().await;
                    ended.write(|n| *n += 1)
                });
            }
        })
        .await;
        assert_eq!(ended.get(), 10_000);
    });
    assert!(lab.quiescence_oracle().is_ok());
}

#[test]
fn a_virtual_year_of_idle_timers_passes() {
    let lab = LabRuntime::new(LabConfig::default().max_idle(2 * YEAR));
    lab.run(|cx| async {
        for _ in 0..10 {
            cx.spawn(async |cx: &mut Cx| -> Res {
                for _ in 0..365 {
                    cx.sleep(YEAR / 365).await?;
                }
                Ok(())
            });
        }
    });
    assert!(lab.now() >= Time::ZERO.saturating_add(YEAR));
}

/// What has ended costs nothing any more, in the run as in the model that follows it: a scan of all scopes or regions there
/// have been, for each that ends, takes minutes here.
#[test]
fn a_long_loop_of_scopes_and_regions_ends() {
    let lab = LabRuntime::new(LabConfig::default());
    lab.run(async |cx: &mut Cx| {
        for _ in 0..2_000 {
            cx.region(async |scope| {
                scope
                    .race(
                        async |cx: &mut Cx| {
                            cx.spawn(async |cx: &mut Cx| cx.yield_now().await);
                        },
                        async |cx: &mut Cx| cx.yield_now().await,
                    )
                    .await;
            })
            .await;
        }
    });
    assert!(lab.quiescence_oracle().is_ok());
}
