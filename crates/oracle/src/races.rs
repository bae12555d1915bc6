//! [`losers_drained`]: a race is over when its losers are.

use alloc::collections::BTreeMap;

use trace::{Event, Label, ScopeEnd, ScopeId, ScopeKind};
use types::{CancelKind, TaskId};

use crate::{
    report::{Findings, Report},
    whereabouts::{RegionSeen, Whereabouts},
};

struct ScopeSeen {
    parent: ScopeId,
    task: TaskId,
    race: bool,
    won: bool,
    asked: bool,
    over: bool,
}

/// Judges `race.drained`: after a branch has won, each other open branch is asked to stop before it
/// returns, and the combinator returns after every branch, and after every region that a branch has
/// spawned into.
///
/// # Errors
/// A finding for each branch that outlived its race, and for each loser that nobody asked.
pub fn losers_drained(events: &[Event]) -> Result<(), Report> {
    let mut findings = Findings::of("losers_drained");
    let mut tree = Whereabouts::default();
    let mut scopes: BTreeMap<ScopeId, ScopeSeen> = BTreeMap::new();
    for event in events {
        tree.note(event);
        match &event.label {
            Label::ScopeOpen { scope, parent, task, kind } => {
                let race = *kind == ScopeKind::Combinator;
                let seen =
                    ScopeSeen { parent: *parent, task: *task, race, won: false, asked: false, over: false };
                scopes.insert(*scope, seen);
            }
            Label::ScopeRequest { scope, kind, .. } if *kind >= CancelKind::LostRace => {
                if let Some(seen) = scopes.get_mut(scope) {
                    seen.asked = true;
                }
            }
            Label::RaceWon { race, winner } => {
                for scope in [race, winner] {
                    if let Some(seen) = scopes.get_mut(scope) {
                        seen.won = true;
                    }
                }
            }
            Label::ScopeClose { scope, end } => {
                if *end == ScopeEnd::Returned {
                    returned(&mut findings, &tree, &scopes, event, *scope);
                }
                if let Some(seen) = scopes.get_mut(scope) {
                    seen.over = true;
                }
            }
            _ => {}
        }
    }
    findings.verdict()
}

fn returned(
    findings: &mut Findings,
    tree: &Whereabouts,
    scopes: &BTreeMap<ScopeId, ScopeSeen>,
    event: &Event,
    id: ScopeId,
) {
    let Some(seen) = scopes.get(&id) else { return };
    let task = tree.task(seen.task);
    if seen.race {
        for (branch, _) in scopes.iter().filter(|(_, branch)| branch.parent == id && !branch.over) {
            findings.at(event, format_args!("a race in {task} returned before its branch {branch} had"));
        }
    }
    let lost = scopes.get(&seen.parent).is_some_and(|race| race.race && race.won) && !seen.won;
    if lost && !seen.asked {
        findings.at(event, format_args!("the losing branch {id} in {task} was never asked to stop"));
    }
    // Regions opened in the frame, or made by a spawn from the branch.
    let inside = |region: &&RegionSeen| region.within == Some(id) && !region.closed && !region.dropped;
    for (region, _) in tree.regions.iter().filter(|(_, region)| inside(region)) {
        for child in tree.live_in(*region) {
            findings.at(event, format_args!("{id} in {task} returned before its child {}", tree.task(child)));
        }
    }
}
