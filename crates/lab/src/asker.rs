//! [`Asker`]: asking a task of a lab to end, from inside its engine, with a note in the ledger of faults.
//!
//! Not here: when (`cancel_sweep`), the ledger as tests see it (`faults`).
use crate::engine::Engine;
use crate::world::locked;
use cx::Root;
use std::panic::Location;
use std::sync::{Arc, Mutex, Weak};
use task::Header;
use types::CancelKind;

/// See the module.
pub(crate) struct Asker {
    root: Root,
    /// What asks is kept by the engine.
    engine: Weak<Engine>,
    ledger: Arc<Mutex<Vec<String>>>,
}

impl Asker {
    pub(crate) fn new(root: &Root, engine: &Arc<Engine>, ledger: &Arc<Mutex<Vec<String>>>) -> Asker {
        Asker { root: root.clone(), engine: Arc::downgrade(engine), ledger: ledger.clone() }
    }

    /// Asks the task, and everything if it is the root body; `point` says where, in words.
    pub(crate) fn ask(&self, task: &Header, kind: CancelKind, at: &'static Location<'static>, point: String) {
        if let Some(engine) = self.engine.upgrade() {
            self.root.cancel_task(
                &engine.world,
                &task.counted(),
                kind,
                "the lab asks at every checkpoint",
                at,
            );
            locked(&self.ledger).push(point)
        }
    }
}
