//! A process that makes runtimes until no more can be had. Alone in its process: others could have none either.
use asupersync_runtime::{BuildError, Builder};

#[test]
fn too_many_runtimes_at_a_time_are_refused_with_a_reason_and_harm_nothing() {
    let mut runtimes = Vec::new();
    let refused = loop {
        match Builder::new().workers(1).build() {
            Ok(runtime) => runtimes.push(runtime),
            Err(refused) => break refused,
        }
    };
    // Descriptors may run out before the places do.
    assert!(matches!(refused, BuildError::TooMany | BuildError::System { .. }), "{refused}");
    assert!(!refused.to_string().is_empty());
    let last = runtimes.pop().expect("some were made");
    assert_eq!(last.run(async |_| 1), 1);
    drop(runtimes);
    assert_eq!(Builder::new().workers(1).build().expect("there is room again").run(async |_| 2), 2);
}
