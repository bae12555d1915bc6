//! The system's clock on the wall, through a `Cx`.
#![allow(clippy::disallowed_methods)]

use std::time::SystemTime;
use types::WallTime;

#[test]
fn the_wall_clock_is_the_systems() {
    let system = || WallTime::UNIX_EPOCH.saturating_add(SystemTime::UNIX_EPOCH.elapsed().unwrap());
    let before = system();
    let seen = asupersync_runtime::run(async |cx| cx.wall_now()).expect("the system has one");
    // Somebody may set it meanwhile; not by a day, while a test runs.
    let day = std::time::Duration::from_secs(86_400);
    assert!(before.saturating_sub(day) <= seen && seen <= system().saturating_add(day), "{seen}");
}
