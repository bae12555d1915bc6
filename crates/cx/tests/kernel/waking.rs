//! Operations polled through wakers that are not the task's own.
use crate::executor::Executor;
use crate::{Log, a_while, forever};
use asupersync_cx::{Branch, Cx, ScopeKind};
use std::future::poll_fn;
use std::panic::Location;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::task::{Context, Poll, Wake, Waker};
use types::CancelKind;

/// A combinator of somebody else: polls its future only when its own waker was woken.
struct Picky {
    woken: AtomicBool,
    task: std::sync::Mutex<Option<Waker>>,
}

impl Wake for Picky {
    fn wake(self: Arc<Self>) {
        self.woken.store(true, SeqCst);
        let task = self.task.lock().expect("nobody panics in here").take();
        if let Some(task) = task {
            task.wake()
        }
    }
}

pub(crate) async fn picky<F: Future>(future: F) -> F::Output {
    let state = Arc::new(Picky { woken: AtomicBool::new(true), task: Default::default() });
    let waker = Waker::from(state.clone());
    let mut future = Box::pin(future);
    poll_fn(move |context| {
        *state.task.lock().expect("nobody panics in here") = Some(context.waker().clone());
        if !state.woken.swap(false, SeqCst) {
            return Poll::Pending;
        }
        Pin::as_mut(&mut future).poll(&mut Context::from_waker(&waker))
    })
    .await
}

#[test]
fn a_request_reaches_an_operation_behind_a_combinator_of_somebody_else() {
    let log = Log::default();
    Executor::new().run(async |cx| {
        let mine = log.clone();
        let task = cx.spawn(async move |cx: &mut Cx| {
            mine.say(format!("{:?}", picky(forever(cx)).await.kind()));
        });
        a_while(cx).await;
        task.cancel("enough");
    });
    assert_eq!(log.all(), ["Explicit"]);
}

#[test]
fn a_request_on_a_branch_reaches_an_operation_behind_a_combinator_of_somebody_else() {
    let kind = Executor::new().run(async |cx| {
        let branch = Branch::new(cx, ScopeKind::Branch);
        let mut body = Box::pin(branch.run(async |cx: &mut Cx| picky(forever(cx)).await.kind()));
        assert!(crate::poll_once(&mut body).await.is_pending());
        branch.request(CancelKind::LostRace, "it lost", Location::caller(), None);
        body.await
    });
    assert_eq!(kind, CancelKind::LostRace);
}

#[test]
fn a_join_behind_a_combinator_of_somebody_else_is_woken_by_the_tasks_end() {
    let value = Executor::new().run(async |cx| {
        let mut task = cx.spawn::<Result<u32, types::Never>, _>(async |cx: &mut Cx| {
            a_while(cx).await;
            Ok(7)
        });
        picky(picky(task.join(cx))).await.unwrap()
    });
    assert_eq!(value, 7);
}
