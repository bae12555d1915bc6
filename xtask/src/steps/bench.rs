//! `cargo xtask bench`: builds the peers and this project's own, and hands over to the driver that interleaves them.
//!
//! The peers live in a workspace of their own, `benches/peers`, because they need other runtimes. The contract of a peer
//! and the meaning of each bench are in its README.

use crate::shell::{cargo, program, run};
use std::fs;
use std::path::Path;

const PEERS: &str = "benches/peers";
const OWN_PEER: &str = "peer-asupersync";
/// The columns of our peer, by mode, when the driver doesn't list them itself.
const MODES: &[&str] = &["mt", "ct"];

/// Builds everything in release mode and runs `compare` with the arguments given.
///
/// # Errors
/// When the peers are missing, don't build, or the comparison fails.
pub fn bench(root: &Path, arguments: &[String]) -> Result<(), String> {
    let peers = root.join(PEERS);
    let driver = fs::read_to_string(peers.join("compare"))
        .map_err(|e| format!("bench: failed to read {PEERS}/compare, the driver of the comparison: {e}"))?;
    if !peers.join(OWN_PEER).join("Cargo.toml").is_file() {
        return Err(format!("bench: {PEERS}/{OWN_PEER} is missing: there is nothing of ours to compare"));
    }
    // The driver looks for the binaries beside itself, so the target folder of the peers' workspace must be the default.
    let mut build = cargo(&peers);
    run("bench build", build.args(["build", "--release"]).env_remove("CARGO_TARGET_DIR"))?;
    let mut compare = program("python3", &peers);
    compare.arg("compare");
    if !driver.contains(OWN_PEER) {
        for mode in MODES {
            compare.args(["--add", &format!("asupersync-{mode}=target/release/{OWN_PEER}:{mode}")]);
        }
    }
    run("bench compare", compare.args(arguments))
}
