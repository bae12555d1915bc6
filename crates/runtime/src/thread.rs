//! Starting a thread of the runtime: named, with its stack, and told of when the system has none.
//!
//! Not here: what a thread does (`running`, `pool`).
use cx::port::{Report, Reports};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::thread::{Builder, JoinHandle};

/// Starts it, or reports why that cannot be.
pub(crate) fn start(
    name: String,
    stack_size: Option<usize>,
    reports: &dyn Reports,
    body: impl FnOnce() + Send + 'static,
) -> Option<JoinHandle<()>> {
    let mut builder = Builder::new().name(name.clone());
    if let Some(size) = stack_size {
        builder = builder.stack_size(size);
    }
    let report = |error: std::io::Error| {
        // The operator's code is foreign: whoever asked for a thread has accounts to keep.
        let _ = catch_unwind(AssertUnwindSafe(|| {
            reports.report(Report::NoThread { name, why: error.to_string() })
        }));
    };
    builder.spawn(body).map_err(report).ok()
}

/// Whether the system starts a thread with such a stack: one that does nothing is started and awaited.
pub(crate) fn try_stack(bytes: usize) -> std::io::Result<()> {
    let tried = Builder::new().stack_size(bytes).spawn(|| ())?;
    // It has nothing to panic with.
    let _ = tried.join();
    Ok(())
}
