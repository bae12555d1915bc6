//! A watchdog for code that would otherwise hang: it says what was still there, and ends the process.
use cx::RegionHandle;
use std::io::Write;
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::Duration;

const LIMIT: Duration = Duration::from_secs(60);

/// Runs `f`.
pub(crate) fn guarded<T>(what: &'static str, handle: Option<RegionHandle>, f: impl FnOnce() -> T) -> T {
    let (ends, ended) = channel::<()>();
    let dog = std::thread::spawn(move || {
        if ended.recv_timeout(LIMIT) == Err(RecvTimeoutError::Timeout) {
            let view = handle.and_then(|handle| handle.view());
            // Not `eprintln!`, which a test keeps to itself.
            let _ = writeln!(std::io::stderr(), "`{what}` hangs: {view:#?}");
            std::process::abort()
        }
    });
    let result = f();
    drop(ends);
    dog.join().expect("the watchdog only waits");
    result
}
