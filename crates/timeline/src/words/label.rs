//! What each label says.
//!
//! Not here: rows that aren't events (`words`).
use super::*;

/// What a row of several events says: the first one's sentence, with the others in it.
pub(super) fn events(line: &Timeline<'_>, first: usize, count: usize) -> Phrase {
    let events = &line.run.events[first..first + count];
    let head = &events[0].label;
    let rest = events[1..].iter().map(|event| &event.label);
    let did = match head {
        Label::BodyEnd { .. } | Label::RegionState { .. } => {
            ends(line, events.iter().map(|event| &event.label))
        }
        Label::ScopeOpen { kind: ScopeKind::Combinator, .. } if count > 1 => {
            format!("opens a combinator of {}", branches(count - 1))
        }
        Label::RegionRequest { .. } | Label::TaskRequest { .. } | Label::ScopeRequest { .. } if count > 1 => {
            format!("{}{}", one(line, head), reach(rest))
        }
        _ => one(line, head),
    };
    Phrase { did, site: site(head).map(place) }
}

fn branches(n: usize) -> String {
    format!("{n} branch{}", if n == 1 { "" } else { "es" })
}

/// Everybody a request reached beyond its first target.
fn reach<'l>(rest: impl Iterator<Item = &'l Label>) -> String {
    let (mut tasks, mut regions) = (0, 0);
    for label in rest {
        match label {
            Label::TaskRequest { .. } => tasks += 1,
            Label::RegionRequest { .. } => regions += 1,
            _ => {}
        }
    }
    match (tasks, regions) {
        (0, 0) => String::new(),
        (tasks, 0) => format!(", with {}", count(tasks, "task")),
        (0, regions) => format!(", with {}", count(regions, "region")),
        (tasks, regions) => format!(", with {} and {}", count(tasks, "task"), count(regions, "region")),
    }
}

/// A body's end and the phases after it, as far as they came at once.
fn ends<'l>(line: &Timeline<'_>, labels: impl Iterator<Item = &'l Label>) -> String {
    let mut text = String::new();
    for label in labels {
        match label {
            Label::BodyEnd { region, end } => {
                text = format!("body of {} ends: {}", region_by_id(line, *region), super::end(*end));
            }
            Label::RegionState { region, to } => {
                let word = match to {
                    RegionPhase::Open => "is open",
                    RegionPhase::Draining => "drains",
                    RegionPhase::Finalizing => "finalizes",
                    RegionPhase::Settling => "settles",
                    RegionPhase::Closed => "closes",
                };
                text = match text.as_str() {
                    "" => format!("{} {word}", region_by_id(line, *region)),
                    // Phases that were over at once say nothing.
                    _ if *to == RegionPhase::Finalizing => text,
                    _ => format!("{text}; {word}"),
                };
            }
            Label::RegionClose { region, outcome } => {
                text = match text.split_once(':') {
                    Some((body, end)) => {
                        let end = end.split(';').next().unwrap_or_default();
                        format!("{body}:{end}; closes: {outcome}")
                    }
                    None => format!("{} closes: {outcome}", region_by_id(line, *region)),
                };
            }
            _ => {}
        }
    }
    text
}

fn one(line: &Timeline<'_>, label: &Label) -> String {
    let region = |id: &RegionId| region_by_id(line, *id);
    let task = |id: &TaskId| by_id(line, *id);
    match label {
        Label::RegionOpen { region: id, kind, .. } => match kind {
            RegionKind::Root => "the run begins".into(),
            RegionKind::Implicit => "gets a region for its children".into(),
            RegionKind::Branch => format!("opens {} for a branch", region(id)),
            RegionKind::Frame => format!("opens {}", region(id)),
        },
        Label::BodyDropped { region: id, to, .. } => {
            format!("frame of {} is dropped; {} waits for it now", region(id), region(to))
        }
        Label::RegionClose { region: id, outcome } => format!("{} closes: {outcome}", region(id)),
        Label::RegionWriteOff { region: id } => format!("{} is written off by shutdown", region(id)),
        Label::Escalate { region: id, what, .. } => {
            let what = match what {
                Escalation::Panic => "a member's panic",
                Escalation::ChildFailed | Escalation::Returned => "a member's error",
                Escalation::Visible => "a member's cancellation",
            };
            format!("is handed {what} by {}", region(id))
        }
        Label::SpawnRefused { region: id, why, .. } => {
            let why = match why {
                Refused::NotOpen => "it is not open",
                Refused::Shutdown => "shutdown has begun",
                Refused::Limit => "too many tasks are there",
            };
            format!("is refused a spawn into {}: {why}", region(id))
        }
        Label::TaskSpawn { task: id, daemon, .. } => {
            format!("spawns {}{}", task(id), if *daemon { " as a daemon" } else { "" })
        }
        Label::TaskEnd { end, failure, .. } => {
            format!("ends: {}{}", super::end(*end), if *failure { ", a failure" } else { "" })
        }
        Label::TaskJoined { task: id, .. } => format!("takes the outcome of {}", task(id)),
        Label::TaskAbandon { .. } => "is dropped before its body has ended".into(),
        Label::TaskWriteOff { .. } => "is written off by shutdown".into(),
        _ => rare(line, label),
    }
}

fn rare(line: &Timeline<'_>, label: &Label) -> String {
    let region = |id: &RegionId| region_by_id(line, *id);
    let task = |id: &TaskId| by_id(line, *id);
    let scope = |scope: trace::ScopeId| match line.scopes.iter().find(|seen| seen.id == scope) {
        Some(seen) => self::scope(seen.kind).to_string(),
        None if line.regions.iter().any(|seen| seen.id.as_u64() == scope.0) => {
            region(&RegionId::from_u64(scope.0))
        }
        None => "its body".into(),
    };
    match label {
        Label::ScopeOpen { kind, .. } => format!("opens {}", self::scope(*kind)),
        Label::RaceWon { .. } => "has a winner".into(),
        Label::ScopeClose { scope: id, end } => {
            let end = match end {
                ScopeEnd::Returned => "returns",
                ScopeEnd::Dropped => "is dropped",
                ScopeEnd::Forced => "is dropped at its deadline",
            };
            format!("{} {end}", scope(*id).replacen("a ", "the ", 1))
        }
        Label::RegionRequest { region: id, kind, .. } => {
            format!("{} is asked to stop ({})", region(id), cancel(*kind))
        }
        Label::TaskRequest { task: id, kind, .. } => {
            format!("{} is asked to stop ({})", task(id), cancel(*kind))
        }
        Label::ScopeRequest { scope: id, kind, .. } => {
            format!("{} is asked to stop ({})", scope(*id), cancel(*kind))
        }
        Label::TaskAck { kind, .. } => format!("sees the request ({})", cancel(*kind)),
        Label::MaskPierced { .. } => "has its mask pierced".into(),
        Label::FinalizerRegister { region: id, .. } => format!("registers a finalizer on {}", region(id)),
        Label::FinalizerRun { region: id, .. } => format!("a finalizer of {} runs", region(id)),
        Label::FinalizerEnd { region: id, end, .. } => {
            let end = match end {
                FinalizerEnd::Ok => "ends",
                FinalizerEnd::Failed => "fails",
                FinalizerEnd::Panicked => "panics",
                FinalizerEnd::TimedOut => "is ended at its bound",
                FinalizerEnd::Dropped => "is dropped",
            };
            format!("a finalizer of {} {end}", region(id))
        }
        Label::ReleaseSkipped { .. } => "a bracket's release will not run".into(),
        Label::ObligationReserve { obligation, kind, .. } => {
            format!("reserves a {kind} (#{})", obligation.as_u64())
        }
        Label::ObligationCommit { obligation } => format!("uses {}", permit(line, *obligation)),
        Label::ObligationAbort { obligation } => format!("gives back {}", permit(line, *obligation)),
        Label::ObligationLeak { obligation } => format!("{} is leaked", permit(line, *obligation)),
        Label::ObligationRehome { obligation, to } => {
            format!("{} moves to {}", permit(line, *obligation), region(to))
        }
        Label::ObligationLate { obligation } => format!("is too late with {}", permit(line, *obligation)),
        _ => engine(line, label),
    }
}

fn permit(line: &Timeline<'_>, id: types::ObligationId) -> String {
    let kind =
        line.obligations.iter().find(|seen| seen.id == id).map_or("permit".into(), |o| o.kind.to_string());
    format!("its {kind} (#{})", id.as_u64())
}

fn engine(line: &Timeline<'_>, label: &Label) -> String {
    let task = |id: &TaskId| by_id(line, *id);
    match label {
        Label::TimerFire { .. } => "its timer fires".into(),
        Label::TimerArm { at, .. } => format!("sets a timer for {}", time(*at)),
        Label::TimerDisarm { .. } => "takes its timer back".into(),
        Label::TimeAdvance { to } => format!("the clock moves to {}", time(*to)),
        Label::TaskPoll { .. } => "runs".into(),
        Label::TaskPark { what, .. } => format!("waits for {}", clean(what, LONGEST)),
        Label::TaskWake { task: id, by } => match by {
            Some(_) => format!("wakes {}", task(id)),
            None => "is woken".into(),
        },
        Label::Decision { choice, options, chosen } => {
            let what = match choice {
                Choice::Task => "who is next",
                Choice::Time => "what is due",
                Choice::Random => "a random number",
                Choice::Io => "what completes",
                Choice::Fault => "a fault",
            };
            format!("choice {} of {options}: {what}", chosen + 1)
        }
        Label::WaitFor { holder, what, .. } => match (holder, what.as_ref()) {
            (Some(holder), "the outcome") => format!("waits for the end of {}", task(holder)),
            (Some(holder), "the end of a region") => {
                format!("waits for a region to end, which {} keeps open", task(holder))
            }
            (Some(holder), what) => format!("waits for {}, held by {}", clean(what, LONGEST), task(holder)),
            (None, what) => format!("waits for {}", clean(what, LONGEST)),
        },
        Label::Deadlock { .. } => "is in a circle of tasks that wait for each other".into(),
        Label::LostWakeup { what, .. } => {
            format!("could go on, and nobody woke it: waited for {}", clean(what, LONGEST))
        }
        Label::Livelock { period, what, .. } => {
            format!("a loop of {period} steps repeats: {}", clean(what, LONGEST))
        }
        Label::Futurelock { holder, what, .. } => {
            format!("waits for what {} keeps: {}", task(holder), clean(what, LONGEST))
        }
        Label::Stuck { steps } => format!("the run got nowhere for {steps} steps"),
        Label::ForeignCall { what } => format!("called from outside the lab: {}", clean(what, LONGEST)),
        Label::User { text } => format!("“{}”", clean(text, LONGEST)),
        other => clean(&other.to_string(), LONGEST),
    }
}

/// A scope inside a task.
pub(crate) fn scope(kind: ScopeKind) -> &'static str {
    match kind {
        ScopeKind::Combinator => "a combinator",
        ScopeKind::Branch => "a branch",
        ScopeKind::Masked | ScopeKind::Phase { masked: true } => "a masked part",
        ScopeKind::Phase { masked: false } => "a phase of a bracket",
    }
}

/// Where a label's step stands in the source.
fn site(label: &Label) -> Option<&Site> {
    match label {
        Label::RegionOpen { site, .. }
        | Label::BodyDropped { site, .. }
        | Label::TaskSpawn { site, .. }
        | Label::FinalizerRegister { site, .. }
        | Label::ReleaseSkipped { site, .. }
        | Label::ObligationReserve { site, .. } => Some(site),
        _ => None,
    }
}

/// Whether a row tells of a failure by itself.
pub(crate) fn is_bad(label: &Label) -> bool {
    matches!(
        label,
        Label::TaskEnd { failure: true, .. }
            | Label::ObligationLeak { .. }
            | Label::RegionWriteOff { .. }
            | Label::TaskWriteOff { .. }
            | Label::Deadlock { .. }
            | Label::Stuck { .. }
            | Label::LostWakeup { .. }
            | Label::Livelock { .. }
            | Label::Futurelock { .. }
            | Label::ForeignCall { .. }
            | Label::ReleaseSkipped { .. }
            | Label::FinalizerEnd { end: FinalizerEnd::Panicked | FinalizerEnd::Failed, .. }
            | Label::RegionClose { outcome: Severity::Panicked, .. }
    )
}
