//! Small scripts of labels, one per rule: what is legal up to the last line, and who refuses it.
//!
//! A script has one label per line, in the line form of a trace or in the shorthand of [`expand`].
//! Root region 1 is opened by every script; its body scope is 1.

use asupersync_model::{State, apply, check, check_step};
use trace::Label;

/// Turns one line of shorthand into labels.
///
/// `frame R P W` opens region R below P in scope W (`frame/isolate`, `frame/collect`,
/// `frame/abandon`, `frame/shielded` likewise); `implicit`, `branch`; `spawn T R`; `daemon T R`;
/// `end T how` for an end that is a failure unless `ok`; `reserve O R`; `drain`, `finalize`,
/// `settle R`; `finish R how` for all phases and the close; `at NANOS`.
fn expand(line: &str) -> Vec<Label> {
    let words: Vec<&str> = line.split_whitespace().collect();
    let open = |kind: &str, option: &str, r: &str, p: &str, w: &str| {
        let policy = if matches!(option, "isolate" | "collect") { option } else { "fail-fast" };
        let after = if option == "abandon" { "abandon" } else { "wait" };
        let shielded = if option == "shielded" { "yes" } else { "no" };
        format!(
            "region-open region={r} parent={p} within={w} kind={kind} policy={policy} after_grace={after} \
             shielded={shielded} site=t.rs:1"
        )
    };
    let lines = match words.as_slice() {
        ["root"] => vec![open("root", "", "1", "-", "-")],
        [kind @ ("frame" | "implicit" | "branch"), r, p, w] => vec![open(kind, "", r, p, w)],
        [kind, r, p, w] if kind.starts_with("frame/") => vec![open("frame", &kind[6..], r, p, w)],
        ["spawn", t, r] => vec![format!("task-spawn task={t} region={r} daemon=no site=t.rs:1")],
        ["daemon", t, r] => vec![format!("task-spawn task={t} region={r} daemon=yes site=t.rs:1")],
        ["end", t, "ok"] => vec![format!("task-end task={t} end=ok failure=no consequential=no")],
        ["end", t, how] => vec![format!("task-end task={t} end={how} failure=yes consequential=no")],
        ["reserve", o, r] => {
            vec![format!("obligation-reserve obligation={o} region={r} kind=lease by=- site=t.rs:1")]
        }
        ["body", r, how] => vec![format!("body-end region={r} end={how}")],
        ["drain", r] => vec![format!("region-state region={r} to=draining")],
        ["finalize", r] => vec![format!("region-state region={r} to=finalizing")],
        ["settle", r] => vec![format!("region-state region={r} to=settling")],
        ["finish", r, how] => ["draining", "finalizing", "settling"]
            .map(|to| format!("region-state region={r} to={to}"))
            .into_iter()
            .chain([format!("region-close region={r} outcome={how}")])
            .collect(),
        ["at", nanos] => vec![format!("time-advance to={nanos}")],
        _ => vec![line.to_string()],
    };
    lines.iter().map(|line| line.parse().unwrap_or_else(|why| panic!("{line}: {why}"))).collect()
}

/// Runs a script and gives the rule that refused its last label, if one did. Any earlier refusal is
/// a mistake in the script.
fn run(script: &str) -> (State, Option<&'static str>) {
    let labels: Vec<Label> = std::iter::once("root")
        .chain(script.split(';').map(str::trim).filter(|line| !line.is_empty()))
        .flat_map(expand)
        .collect();
    let mut state = State::EMPTY;
    for (at, label) in labels.iter().enumerate() {
        match apply(&state, label) {
            Ok(next) => {
                check(&next).unwrap_or_else(|why| panic!("after {label}: {why}"));
                check_step(&state, &next).unwrap_or_else(|why| panic!("over {label}: {why}"));
                state = next;
            }
            Err(refusal) => {
                assert!(asupersync_model::RULES.contains(&refusal.rule), "{refusal}");
                assert_eq!(at + 1, labels.len(), "{label}: {refusal}");
                return (state, Some(refusal.rule));
            }
        }
    }
    (state, None)
}

#[track_caller]
fn legal(script: &str) -> State {
    let (state, refused) = run(script);
    assert_eq!(refused, None, "{script}");
    state
}

#[track_caller]
fn refused(rule: &str, script: &str) {
    assert_eq!(run(script).1, Some(rule), "{script}");
}

#[path = "script/cancel.rs"]
mod cancel;
#[path = "script/obligation.rs"]
mod obligation;
#[path = "script/region.rs"]
mod region;
#[path = "script/task.rs"]
mod task;
