//! A row for each combinator: small programs on every schedule there is, and cancelled at each checkpoint and at each pair of
//! them. After each run no body was dropped half way, what was taken is back, and every loser has ended.
//!
//! `cargo xtask test --primitives` makes a table of these rows; a module of this crate without a row fails it.
//!
//! Not here: laws, and what each combinator returns when (the files named after them).

use std::{
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering::Relaxed},
    },
    time::Duration,
};

use cx::Cx;
use lab::Proof;
use sync::notify::Notify;
use time::TimeExt;
use types::{Error, Res, Stop};

mod branches;
mod guards;
#[path = "../stream_programs.rs"]
mod stream_programs;
mod streams;

/// Long enough for whatever needs no time.
const SECOND: Duration = Duration::from_secs(1);

/// The combinator's test: proven by these programs.
#[track_caller]
fn holds(proof: Proof) {
    // Two grains: more than one class for one of them at least.
    assert!(proof.explored > 2 && proof.swept > 3, "{proof}");
}

/// Bodies that began, and how many of them returned: the others were dropped half way.
#[derive(Clone, Default)]
struct Bodies {
    began: Arc<AtomicU32>,
    returned: Arc<AtomicU32>,
}

impl Bodies {
    async fn run<T>(&self, body: impl Future<Output = T>) -> T {
        self.began.fetch_add(1, Relaxed);
        let ended = body.await;
        self.returned.fetch_add(1, Relaxed);
        ended
    }

    fn returned(&self) -> u32 {
        self.returned.load(Relaxed)
    }

    #[track_caller]
    fn all_returned(&self) {
        assert_eq!(self.began.load(Relaxed), self.returned(), "a body was dropped half way");
    }
}

/// Two gates that two tasks open, in any order; and the bodies that wait at them.
struct Gates {
    gates: [Arc<Notify>; 2],
    bodies: Bodies,
}

impl Gates {
    fn new() -> Gates {
        Gates { gates: [Arc::new(Notify::new()), Arc::new(Notify::new())], bodies: Bodies::default() }
    }

    /// Spawns the openers, whom nothing stops.
    fn open(&self, cx: &Cx) {
        for gate in &self.gates {
            let gate = gate.clone();
            cx.spawn(async move |cx: &mut Cx| {
                cx.step().await;
                gate.notify_one();
            });
        }
    }

    /// Spawns one who opens the first gate in a second: at the very instant at which others may be late.
    fn open_late(&self, cx: &Cx) {
        let gate = self.gates[0].clone();
        cx.spawn(async move |cx: &mut Cx| {
            let _ = cx.sleep(SECOND).await;
            gate.notify_one();
        });
    }

    /// A body that waits at a gate, or for a cancellation.
    async fn pass(&self, cx: &Cx, gate: usize) -> Res<usize> {
        let wait = async { self.gates[gate].notified(cx).await.map_err(Stop::<Error>::Cancelled) };
        self.bodies.run(wait).await.map(|()| gate)
    }
}
