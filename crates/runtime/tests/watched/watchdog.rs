//! A watchdog for the run of a runtime.
#[path = "guard.rs"]
pub(crate) mod guard;

use asupersync_runtime::Runtime;
use cx::Cx;

/// Runs `body` on `runtime`.
pub(crate) fn watched<T>(what: &'static str, runtime: Runtime, body: impl AsyncFnOnce(&mut Cx) -> T) -> T {
    let handle = runtime.handle();
    guard::guarded(what, Some(handle), || runtime.run(body))
}
