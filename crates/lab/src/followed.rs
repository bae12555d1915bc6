//! What came of a replay that was to fail: nothing else may look like it.
//!
//! Not here: running it (`search`, `sweep`).
use explore::{Decisions, Divergence, Found};

/// Why the replay of `test` is not the failure that was recorded, if it is not: `divergence` and `failure` are what
/// came of it.
pub(crate) fn complaint(
    test: &str,
    decisions: &Decisions,
    divergence: Option<&Divergence>,
    failure: Option<&str>,
) -> Option<String> {
    let passes =
        "the bug is gone, or it needs something that is not decided here (a static, a clock, a thread)";
    match (failure, divergence) {
        (Some(_), None) => None,
        (None, None) => {
            Some(format!("lab: `{test}` follows the replay to its end and does not fail: {passes}"))
        }
        // What follows a failure is gone with it.
        (None, Some(divergence)) if ends_early(decisions, divergence) => Some(format!(
            "lab: `{test}` follows the replay, ends at decision {} of {} and does not fail: {passes}",
            divergence.decision,
            decisions.len()
        )),
        (failure, Some(divergence)) => Some(format!(
            "lab: `{test}` no longer follows the replay: {divergence}\n{}",
            failure.map_or("it did not fail".into(), |f| format!("it failed: {f}")),
        )),
    }
}

/// Whether every departure from production was followed, and only the end came sooner.
fn ends_early(decisions: &Decisions, divergence: &Divergence) -> bool {
    divergence.found == Found::End
        && decisions.deviations().last().is_none_or(|last| last.at < divergence.decision)
}
