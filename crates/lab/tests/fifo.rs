//! `Schedule::Fifo` does what one worker in production does: who is spawned waits in the queue, who is woken goes next,
//! and whoever the LIFO slot served last waits in the queue as well.
use asupersync_lab::{LabConfig, LabRuntime, Schedule};
use cx::Cx;

fn lab() -> LabRuntime {
    LabRuntime::new(LabConfig::default().schedule(Schedule::Fifo))
}

#[test]
fn spawned_tasks_begin_in_the_order_in_which_they_were_spawned() {
    let lab = lab();
    lab.run(async |cx| {
        for n in 0..4 {
            cx.spawn(async move |cx: &mut Cx| cx.trace(format!("task {n}")));
        }
    });
    assert_eq!(lab.notes(), ["task 0", "task 1", "task 2", "task 3"]);
}

#[test]
fn a_receiver_that_was_just_served_out_of_turn_waits_for_its_turn_the_next_time() {
    let lab = lab();
    lab.run(async |cx| {
        let (tx, mut rx) = sync::mpsc::unbounded();
        cx.spawn(async move |cx: &mut Cx| {
            while let Ok(n) = rx.recv(cx).await {
                cx.trace(format!("got {n}"))
            }
        });
        for n in 0..3 {
            let tx = tx.clone();
            cx.spawn(async move |cx: &mut Cx| {
                cx.trace(format!("sends {n}"));
                _ = tx.send(n)
            });
        }
    });
    assert_eq!(lab.notes(), ["sends 0", "got 0", "sends 1", "sends 2", "got 1", "got 2"]);
}
