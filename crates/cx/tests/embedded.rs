//! The embedded example does what it says, on the kernel without `std`.
extern crate alloc;

#[path = "../examples/embedded/executor.rs"]
mod executor;
#[path = "../examples/embedded/program.rs"]
mod program;
#[path = "../examples/embedded/raw.rs"]
mod raw;

#[test]
fn sensors_sample_until_their_region_is_cancelled() {
    let log = program::run(&executor::Executor::new());
    let samples = |name: &str| log.iter().filter(|line| line.ends_with(name)).count();
    assert_eq!((samples("light"), samples("sound"), samples("warmth")), (4, 3, 1), "{log:#?}");
    // The light's next alarm is due at 100, too: cancelled first, it has no effect any more (`cancel.first`).
    let (before, after) = log.split_at(8);
    assert!(before.iter().all(|line| !line.contains("off")), "{log:#?}");
    assert_eq!(after, ["100 off (Ok(()))", "all sensors are off", "good night"], "{log:#?}");
}
