//! What runs on it: sensors that sample at their own pace until the region they live in is cancelled, and a
//! cleanup that sees all of them gone.
use crate::executor::Executor;
use alloc::format;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;
use asupersync_cx::{Alarm, Cx};
use core::future::poll_fn;
use core::task::ready;
use core::time::Duration;
use region::Lock;
use types::{CancelKind, Cancelled, Res};

/// Waits until a number of ticks has passed. `time` has the real one; this is what it is made of.
async fn sleep(cx: &Cx, ticks: u64) -> Result<(), Cancelled> {
    let mut alarm = Alarm::new(cx.now().saturating_add(Duration::from_nanos(ticks)));
    let result = poll_fn(|context| {
        ready!(cx.poll_proceed(context))?;
        alarm.poll(cx, context).map(Ok)
    })
    .await;
    alarm.disarm(cx);
    result
}

/// Samples every `period` ticks, for ever.
async fn sensor(cx: &Cx, name: &'static str, period: u64, log: &Lock<Vec<String>>) -> Res {
    loop {
        sleep(cx, period).await?;
        log.lock().push(format!("{:>3} {name}", cx.now().as_nanos()));
    }
}

/// Runs three sensors for a hundred ticks and returns what was logged.
pub(crate) fn run(executor: &Executor) -> Vec<String> {
    let log = Arc::new(Lock::new(Vec::new()));
    let shared = log.clone();
    executor.run(async move |cx: &mut Cx| {
        cx.region(|sensors| async {
            let last = shared.clone();
            let registered = sensors.finally(async move |_: &mut Cx<_>| {
                last.lock().push(String::from("all sensors are off"));
                Ok(())
            });
            assert!(registered.is_ok(), "an open region registers finalizers");
            for (name, period) in [("light", 20), ("sound", 30), ("warmth", 70)] {
                let log = shared.clone();
                sensors.spawn(async move |cx: &mut Cx| sensor(cx, name, period, &log).await);
            }
            let slept = sleep(sensors, 100).await;
            shared.lock().push(format!("{:>3} off ({slept:?})", sensors.now().as_nanos()));
            sensors.handle().cancel(CancelKind::Explicit, "the day is over", None);
        })
        .await;
        shared.lock().push(String::from("good night"));
    });
    core::mem::take(&mut *log.lock())
}
