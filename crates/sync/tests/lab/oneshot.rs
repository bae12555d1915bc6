//! Answers: given, owed, refused.

use std::sync::Arc;

use asupersync_sync::{TryRecvError, WaitError, oneshot::channel};
use cx::Cx;
use types::Res;

use crate::{on_all, pause};

#[test]
fn an_answer_arrives_before_or_after_it_is_waited_for() {
    on_all(|lab| {
        let sum = lab.run(|cx| async {
            let mut sum = 0;
            for round in 0..6 {
                let (answer, mut answered) = channel();
                cx.spawn(async move |cx: &mut Cx| -> Res {
                    pause(cx, round).await;
                    answer.send(round).map_err(|_| types::Error::msg("nobody waits"))?;
                    Ok(())
                });
                pause(cx, 3).await;
                sum += answered.recv(cx).await.unwrap();
                assert!(matches!(answered.recv(cx).await, Err(WaitError::Closed)));
            }
            sum
        });
        assert_eq!(sum, 15);
    });
}

#[test]
fn a_cancelled_wait_leaves_the_answer_where_it_is() {
    on_all(|lab| {
        lab.run(|cx| async {
            let (answer, mut answered) = channel();
            let mut waiting = cx.spawn(async move |cx: &mut Cx| -> Result<_, types::Never> {
                let cancelled = answered.recv(cx).await.is_err_and(|error| error.is_cancelled());
                Ok((answered, cancelled))
            });
            pause(cx, 20).await;
            answer.send(9).unwrap();
            waiting.cancel("at the same time");
            let (mut answered, cancelled) = waiting.join(cx).await.unwrap();
            assert!(cancelled);
            assert_eq!(answered.recv(cx).await.unwrap(), 9);
        });
    });
}

#[test]
fn an_answer_is_in_one_place_whoever_is_cancelled() {
    for patience in 0..6 {
        on_all(|lab| {
            let token = Arc::new(());
            let (kept, got) = lab.run(|cx| async {
                let (answer, mut answered) = channel();
                let value = token.clone();
                let mut asked = cx.spawn(async move |cx: &mut Cx| -> Result<bool, types::Never> {
                    pause(cx, 2).await;
                    Ok(answer.reserve(cx).send(value).into_undelivered().is_some())
                });
                let mut waiting = cx.spawn(async move |cx: &mut Cx| -> Result<bool, types::Never> {
                    Ok(answered.recv(cx).await.is_ok())
                });
                pause(cx, patience).await;
                waiting.cancel("no longer interested");
                (asked.join(cx).await.unwrap(), waiting.join(cx).await.unwrap())
            });
            // Neither: it was sent, and dropped with the receiver.
            assert!(!(kept && got));
            assert_eq!(Arc::strong_count(&token), 1);
        });
    }
}

#[test]
fn a_sender_that_goes_away_ends_the_wait() {
    on_all(|lab| {
        lab.run(|cx| async {
            let (answer, mut answered) = channel::<u8>();
            assert_eq!(answered.try_recv(), Err(TryRecvError::Empty));
            let permit = answer.reserve(cx);
            cx.spawn(async move |cx: &mut Cx| {
                pause(cx, 2).await;
                permit.abort();
            });
            assert!(matches!(answered.recv(cx).await, Err(WaitError::Closed)));
        });
    });
}

#[test]
fn a_refused_answer_comes_back() {
    on_all(|lab| {
        lab.run(|cx| async {
            let (answer, mut answered) = channel();
            answered.close();
            assert!(answer.is_closed());
            assert_eq!(answer.send(1), Err(1));
            let (answer, answered) = channel();
            drop(answered);
            assert_eq!(answer.reserve(cx).send(2).into_result(), Err(2));
        });
    });
}
