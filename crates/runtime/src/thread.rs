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

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::{Arc, Mutex};

    #[derive(Clone, Default)]
    struct Kept(Arc<Mutex<Vec<String>>>);

    impl Reports for Kept {
        fn report(&self, report: Report) {
            self.0.lock().expect("never poisoned").push(report.to_string())
        }
    }

    #[test]
    fn a_thread_that_cannot_be_started_is_reported_with_its_name_and_a_hint() {
        let kept = Kept::default();
        // No system has room for such a stack.
        let thread = start("worker-7".into(), Some(usize::MAX - 0xffff), &kept, || unreachable!());
        assert!(thread.is_none());
        let reports = kept.0.lock().expect("never poisoned");
        let [report] = &reports[..] else { panic!("{reports:?}") };
        assert!(
            report.contains("`worker-7` could not be started") && report.contains("`stack_size`"),
            "{report}"
        );
    }

    #[test]
    fn a_thread_that_can_be_started_runs_and_is_no_news() {
        let kept = Kept::default();
        let thread = start("worker-8".into(), None, &kept, || ()).expect("a thread");
        assert!(thread.join().is_ok() && kept.0.lock().expect("never poisoned").is_empty());
    }
}
