#[path = "programs/boom.rs"]
mod boom;
use asupersync_lab::{LabConfig, LabRuntime};
use cx::{Cx, RegionOptions};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use time::TimeExt;
use types::{AfterGrace, CancelKind, Res};
const MS: Duration = Duration::from_millis(1);
#[test]
fn scratch() {
    let lab = LabRuntime::new(LabConfig::default().max_steps(300));
    let l = Arc::new(Mutex::new(Vec::new()));
    let end = lab.try_run(|cx| async move {
        let options = RegionOptions::keep_going().after_grace(AfterGrace::Abandon).grace(2000 * MS);
        cx.region_with(options, |r| async {
            let handle = r.handle();
            let finalizer = l.clone();
            let mut task = r.spawn(async move |cx: &mut Cx| -> Res {
                cx.finally(async move |cx: &mut Cx<_>| {
                    cx.yield_now().await;
                    finalizer.lock().unwrap().push("finalizer");
                    Ok(())
                })
                .unwrap();
                std::future::pending().await
            });
            r.yield_now().await;
            handle.cancel(CancelKind::Explicit, "stop", None);
            while !task.is_finished() {
                let _ = r.masked(async |cx| cx.sleep(100 * MS).await).await;
                r.yield_now().await;
            }
            println!("{:?}", task.join(r).await);
        })
        .await;
    });
    println!("{end:?}");
    println!("{}", lab.trace());
    println!("{:?}", lab.reports());
}
