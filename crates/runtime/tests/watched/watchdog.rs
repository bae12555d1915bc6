//! A watchdog for tests that would otherwise hang: it says what was still there, and ends the process.
use asupersync_runtime::Runtime;
use cx::{Cx, RegionHandle};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::Duration;

const LIMIT: Duration = Duration::from_secs(120);

/// Runs `body` on `runtime`.
pub fn watched<T>(what: &'static str, runtime: Runtime, body: impl AsyncFnOnce(&mut Cx) -> T) -> T {
    let handle = runtime.handle();
    guarded(what, Some(handle), || runtime.run(body))
}

/// Runs `f`.
pub fn guarded<T>(what: &'static str, handle: Option<RegionHandle>, f: impl FnOnce() -> T) -> T {
    let (ends, ended) = channel::<()>();
    let dog = std::thread::spawn(move || {
        if ended.recv_timeout(LIMIT) == Err(RecvTimeoutError::Timeout) {
            eprintln!("`{what}` hangs: {:#?}", handle.and_then(|h| h.view()));
            std::process::abort()
        }
    });
    let result = f();
    drop(ends);
    dog.join().expect("the watchdog only waits");
    result
}
