//! Oracles of the test's own, asked after the built-in ones; and asking an oracle so that its panic is its own failure.
//!
//! Not here: the built-in ones (`oracle`).
use crate::failure::message;
use crate::quiet::quietly;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use trace::Event;

type Judge = dyn Fn(&[Event]) -> Result<(), String> + Send + Sync;

/// A named judge of traces.
#[derive(Clone)]
pub(crate) struct OwnOracle {
    name: Arc<str>,
    judge: Arc<Judge>,
}

impl fmt::Debug for OwnOracle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("OwnOracle").field(&self.name).finish()
    }
}

impl OwnOracle {
    pub(crate) fn new<E: fmt::Display>(
        name: &str,
        judge: impl Fn(&[Event]) -> Result<(), E> + Send + Sync + 'static,
    ) -> OwnOracle {
        let judge = move |events: &[Event]| judge(events).map_err(|why| why.to_string());
        OwnOracle { name: name.into(), judge: Arc::new(judge) }
    }

    pub(crate) fn name(&self) -> String {
        self.name.to_string()
    }

    /// What it has against the run, if anything. `traced`: whether there is anything to judge.
    pub(crate) fn asked(&self, events: &[Event], traced: bool) -> Option<String> {
        let name = &self.name;
        if !traced {
            return Some(format!("{name}: cannot judge, as the run was not traced"));
        }
        asked(name, || (self.judge)(events)).map(|why| format!("{name}: {why}"))
    }
}

/// What the oracle finds, or that it panicked.
pub(crate) fn asked<E: fmt::Display>(name: &str, judge: impl FnOnce() -> Result<(), E>) -> Option<String> {
    let (verdict, at) = quietly(|| catch_unwind(AssertUnwindSafe(judge)));
    match verdict {
        Ok(verdict) => verdict.err().map(|why| why.to_string()),
        Err(payload) => {
            let at = at.map(|at| format!(" at {at}")).unwrap_or_default();
            Some(format!("the oracle `{name}` itself panicked{at}: {}", message(&*payload)))
        }
    }
}
