//! The example's binary, for tests that run it as a process.

use std::path::PathBuf;
use std::process::Command;
use std::sync::OnceLock;

/// The path of the example, built with the same profile into the same directory as this test. It is built here if need
/// be: nothing else builds an example for a test.
pub(crate) fn kv() -> &'static PathBuf {
    static PATH: OnceLock<PathBuf> = OnceLock::new();
    PATH.get_or_init(|| {
        let test = std::env::current_exe().expect("the path of this test");
        let profile = test.parent().and_then(|deps| deps.parent()).expect("target/PROFILE/deps/test");
        let target = profile.parent().expect("target/PROFILE");
        let mut cargo = Command::new(env!("CARGO"));
        cargo.args(["build", "--quiet", "-p", "asupersync", "--example", "kv", "--target-dir"]).arg(target);
        if profile.ends_with("release") {
            cargo.arg("--release");
        }
        let built = cargo.current_dir(env!("CARGO_MANIFEST_DIR")).status().expect("cargo runs");
        assert!(built.success(), "the example builds");
        profile.join("examples/kv")
    })
}
