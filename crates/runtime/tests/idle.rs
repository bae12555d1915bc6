//! A runtime whose tasks all wait costs nothing: no worker wakes up. Alone in its process, because it counts
//! what the kernel says about every thread.
#![cfg(target_os = "linux")]
// Threads outside, and workers that are stuck, are what these tests are about.
#![allow(clippy::disallowed_methods)]
use asupersync_runtime::Builder;
use cx::Cx;
use std::collections::BTreeMap;
use std::fs;
use std::sync::mpsc::channel;
use std::thread;
use std::time::Duration;
use sync::mpsc;
use types::CancelKind;

/// How often each worker has gone to sleep, by thread.
fn sleeps() -> BTreeMap<String, u64> {
    let tasks = fs::read_dir("/proc/self/task").expect("proc is mounted");
    tasks
        .filter_map(|entry| {
            let path = entry.ok()?.path();
            let name = fs::read_to_string(path.join("comm")).ok()?;
            let status = fs::read_to_string(path.join("status")).ok()?;
            let line = status.lines().find_map(|line| line.strip_prefix("voluntary_ctxt_switches:"))?;
            let thread = format!("{} {}", path.file_name()?.to_str()?, name.trim());
            (name.starts_with("parked")).then(|| line.trim().parse().ok().map(|n| (thread, n)))?
        })
        .collect()
}

#[test]
fn no_worker_wakes_while_every_task_is_parked() {
    for (workers, dedicated) in [(1, false), (2, false), (4, false), (2, true)] {
        let (tells, handle) = channel();
        let builder = Builder::new().workers(workers).dedicated_caller(dedicated);
        let runtime = builder.name("parked").build().expect("a runtime");
        let ran = thread::Builder::new().name("parked-0".into()).spawn(move || {
            runtime.run(async |cx| {
                cx.region(|cx| async {
                    let mut senders = Vec::new();
                    for i in 0..100 {
                        let (sender, mut receiver) = mpsc::channel::<()>(1);
                        senders.push(sender);
                        cx.spawn(async move |cx: &mut Cx| match i % 2 {
                            0 => drop(receiver.recv(cx).await),
                            _ => drop(cx.cancelled().await),
                        });
                    }
                    tells.send(cx.handle()).expect("the test waits");
                    cx.cancelled().await;
                    drop(senders);
                })
                .await
            })
        });
        let ran = ran.expect("a thread");
        let handle = handle.recv().expect("the runtime runs");
        // The watch over workers that have just run ends after some 50 ms.
        let mut quiet = None;
        for _ in 0..20 {
            thread::sleep(Duration::from_millis(500));
            let before = sleeps();
            thread::sleep(Duration::from_secs(1));
            let after = sleeps();
            assert_eq!(before.len(), workers + usize::from(dedicated), "{before:?}");
            if before == after {
                quiet = Some(after);
                break;
            }
        }
        assert!(quiet.is_some(), "{workers} workers: they never slept for a second: {:?}", sleeps());
        handle.cancel(CancelKind::Explicit, "the test is over", None);
        ran.join().expect("it ends");
    }
}
