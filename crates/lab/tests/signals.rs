//! Simulated signals, raised by the program, by the test around it, or at any step of a run.
//!
//! Not here: real signals (`reactor`, `net`).

use asupersync_lab as lab;
use cx::Cx;
use cx::port::Signal;
use lab::{LabConfig, LabRuntime, explore};
use net::signal;
use std::time::Duration;
use time::TimeExt;
use types::{Res, Time};

/// Ticks until Ctrl-C, then says goodbye.
async fn until_interrupted(cx: &mut Cx) {
    let mut ticking = cx.spawn(async |cx: &mut Cx| -> Res {
        loop {
            cx.sleep(Duration::from_millis(10)).await?;
        }
    });
    cx.trace("waiting");
    signal::ctrl_c(cx).await.unwrap();
    ticking.cancel("interrupted");
    let _ = ticking.join(cx).await;
    cx.trace("goodbye");
}

#[test]
fn a_signal_raised_by_the_program_reaches_who_waits_for_it() {
    explore(0..20, |lab| {
        let signals = lab.signals();
        lab.run(|cx| async {
            cx.spawn(async move |cx: &mut Cx| -> Res {
                cx.sleep(Duration::from_secs(1)).await?;
                // Another signal wakes nobody up.
                signals.raise(Signal::Terminate);
                cx.sleep(Duration::from_secs(1)).await?;
                signals.raise(Signal::Interrupt);
                Ok(())
            });
            until_interrupted(cx).await;
            assert_eq!(cx.now(), Time::ZERO + Duration::from_secs(2));
        });
        assert_eq!(lab.signals().count(Signal::Interrupt), 1);
        assert_eq!(lab.signals().count(Signal::User1), 0);
    });
}

#[test]
fn a_signal_that_comes_while_nobody_waits_is_kept() {
    let lab = LabRuntime::new(LabConfig::default());
    lab.raise(Signal::User1);
    lab.run(|cx| async {
        let mut watch = signal::Watch::new(cx, Signal::User1).unwrap();
        lab.raise(Signal::User1);
        lab.raise(Signal::User1);
        assert_eq!(watch.recv(cx).await.unwrap(), 2, "not the one from before");
    });
}

#[test]
fn a_signal_can_be_raised_at_every_step_of_a_run() {
    for step in 0..60 {
        let lab = LabRuntime::new(LabConfig::default().seed(step));
        let signals = lab.signals();
        lab.at_step(step, move || signals.raise(Signal::Interrupt));
        // Raised before anybody watches, it is not waited for: a second one follows.
        let again = lab.signals();
        lab.at_step(step + 20, move || again.raise(Signal::Interrupt));
        lab.run(until_interrupted);
        lab.oracles().unwrap();
        assert_eq!(lab.notes(), ["waiting", "goodbye"], "step {step}");
    }
}

#[test]
fn what_was_planned_for_a_step_that_never_comes_is_done_before_the_run_is_given_up() {
    let lab = LabRuntime::new(LabConfig::default());
    let signals = lab.signals();
    lab.at_step(1_000_000, move || signals.raise(Signal::Interrupt));
    lab.run(|cx| async { signal::ctrl_c(cx).await.unwrap() });
    assert!(lab.steps() < 10);
    assert_eq!(lab.now(), Time::ZERO);
}
