//! [`prove`]: a small program on every schedule there is, and cancelled wherever it can find out: what is asked of every
//! primitive, and of whatever is built of them.
//!
//! Each proof says on standard error, in a line that other programs may read, what it went through:
//!
//! ```text
//! row: sync::mutex: explored 24, swept 61
//! ```
//!
//! Not here: searching (`search`), sweeping (`cancel_sweep`), the table that such lines make (`cargo xtask test --primitives`).
use crate::cancel_sweep::CancelSweep;
use crate::config::LabConfig;
use crate::search::Search;
use crate::watch::Grain;
use cx::{All, Cx};
use std::fmt;
use types::TaskOutput;

/// What a program was put through.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Proof {
    /// Classes of schedules, at both grains together: all that there are.
    pub explored: u64,
    /// Runs with a cancellation at one checkpoint, or at two.
    pub swept: u64,
}

impl fmt::Display for Proof {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "explored {}, swept {}", self.explored, self.swept)
    }
}

/// Runs `program` on every class of schedules, as it's written and with the queues and wakes of the primitives in the
/// picture ([`Grain`]); then once with a cancellation at each checkpoint of each task, and at each pair of them. `subject` is
/// what is proven: `crate::module`, for the line on standard error.
///
/// The program has to bear that its tasks are cancelled, and says itself what must hold then: whatever it returns, it must
/// not panic.
///
/// ```
/// use asupersync_lab::prove;
/// use std::sync::Arc;
/// use sync::mutex::Mutex;
///
/// let proof = prove("sync::mutex", async |cx| {
///     let total = Arc::new(Mutex::new(0));
///     cx.region(|cx| async {
///         for _ in 0..2 {
///             let total = total.clone();
///             cx.spawn(async move |cx| {
///                 if let Ok(mut total) = total.lock(cx).await {
///                     *total += 1
///                 }
///             });
///         }
///     })
///     .await;
///     assert!(!total.is_locked());
/// });
/// assert!(proof.explored > 1 && proof.swept > 1);
/// ```
///
/// # Panics
/// With the first failure, as [`Search::run`] and [`CancelSweep::run`]; if there are more than 100,000 classes, or pairs of
/// checkpoints: then the program is not small enough to be proven.
#[track_caller]
pub fn prove<T: TaskOutput>(subject: &str, program: impl AsyncFnOnce(&mut Cx<All>) -> T + Clone) -> Proof {
    const ENOUGH: u64 = 100_000;
    let mut proof = Proof { explored: 0, swept: 0 };
    for grain in [Grain::Operation, Grain::Poll] {
        let found = Search::every().grain(grain).budget(ENOUGH).run(subject, None, program.clone());
        assert!(found.complete, "`{subject}`, {grain:?}: too many schedules to try: {found}");
        proof.explored += found.classes;
    }
    let sweep = CancelSweep::new(LabConfig::default()).pairs(true).budget(ENOUGH);
    let swept = sweep.run(subject, None, program);
    assert!(swept.complete, "`{subject}`: too many checkpoints to cancel at: {swept}");
    proof.swept += swept.checkpoints + swept.pairs;
    eprintln!("row: {subject}: {proof}");
    proof
}
