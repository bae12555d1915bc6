//! A runtime that runs when a thread's locals are already being destroyed. Each case is a process of its own: what panics
//! in such a destructor ends the process, and that is what must not happen.
// Threads and the environment are what these tests are about.
#![allow(clippy::disallowed_methods)]
use asupersync_runtime::{Builder, LocalRuntime};
use cx::Cx;
use std::cell::RefCell;
use std::process::Command;
use std::time::Duration;
use time::TimeExt;
use types::Res;

/// Set in a child, to the case that it is.
const CASE: &str = "ASUPERSYNC_DESTRUCTOR_CASE";

/// What a destructor does.
struct AtEnd(fn());

impl Drop for AtEnd {
    fn drop(&mut self) {
        (self.0)();
        println!("the destructor has ended");
    }
}

thread_local! {
    static AT_END: RefCell<Option<AtEnd>> = const { RefCell::new(None) };
}

/// What any program does: tasks, joins, timers, closures, a panic that is caught.
fn work(workers: usize) {
    let runtime = Builder::new().workers(workers).build().expect("a runtime");
    let sum = runtime.run(async |cx| {
        let mut sum = 0;
        for i in 0..100 {
            let mut task = cx.spawn(async move |cx: &mut Cx| -> Res<i32> {
                cx.sleep(Duration::from_micros(10)).await?;
                Ok(i)
            });
            sum += task.join(cx).await.ok().expect("a number");
        }
        let closure: types::Outcome<i32, types::Never> = cx.spawn_blocking(|_| 7).join(cx).await;
        sum + closure.ok().expect("a number")
    });
    assert_eq!(sum, 4957);
}

fn with_one_worker() {
    work(1)
}

fn with_two_workers() {
    work(2)
}

fn local() {
    let n = LocalRuntime::run(async |local, cx| {
        let mut task = local.spawn(cx, async |_cx| Ok::<_, std::fmt::Error>(std::rc::Rc::new(1)));
        *task.join(cx).await.ok().expect("a value")
    });
    assert_eq!(n.expect("a runtime"), 1)
}

const CASES: &[(&str, fn())] =
    &[("one worker", with_one_worker), ("two workers", with_two_workers), ("local", local)];

/// Runs a case in this process, if it is a child: first in a thread that has run a runtime before, then in one that has not.
fn child() -> bool {
    let Ok(case) = std::env::var(CASE) else { return false };
    let (_, run) = CASES.iter().find(|(name, _)| *name == case).expect("a case");
    for before in [true, false] {
        let run = *run;
        let thread = std::thread::spawn(move || {
            AT_END.with(|at_end| *at_end.borrow_mut() = Some(AtEnd(run)));
            if before {
                run()
            }
        });
        thread.join().expect("no panic")
    }
    true
}

#[test]
fn a_runtime_runs_in_the_destructor_of_a_threads_local() {
    if child() {
        return;
    }
    for (case, _) in CASES {
        let mut command = Command::new(std::env::current_exe().expect("this test"));
        command.args(["--exact", "a_runtime_runs_in_the_destructor_of_a_threads_local", "--nocapture"]);
        let output = command.env(CASE, case).output().expect("a child");
        let (said, told) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        assert!(output.status.success(), "{case}: {}: {told}", output.status);
        assert_eq!(said.matches("the destructor has ended").count(), 2, "{case}: {said}");
    }
}
