//! What holds in every reachable state, and between a state and the next.
//!
//! Written against the maps alone: every counter is counted again and every sum added up again, so
//! that a rule which keeps a wrong count is found by the walks of `tests/walks.rs`.
//!
//! Not here: the rules that keep them.

use alloc::{collections::BTreeMap, format, string::String, vec::Vec};
use core::fmt;

use trace::RegionPhase;
use types::{RegionId, TaskId};

use crate::{Region, Requests, Standing, State, outcome, unfinished::Unfinished};

/// An invariant that doesn't hold.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Violation {
    /// The invariant, by its id in `docs/spec/`.
    pub rule: &'static str,
    /// Where and how.
    pub why: String,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.rule, self.why)
    }
}

impl core::error::Error for Violation {}

macro_rules! hold {
    ($condition:expr, $rule:literal, $($why:tt)+) => {
        if !$condition {
            return Err(Violation { rule: $rule, why: format!($($why)+) });
        }
    };
}

/// Checks every invariant of one state. Costs a scan of all of it, and a walk up from everything that is not over.
///
/// # Errors
/// The first invariant that doesn't hold.
pub fn check(state: &State) -> Result<(), Violation> {
    tree(state)?;
    let counted = Counted::of(state);
    for (id, region) in &state.regions {
        counts(state, &counted, *id, region)?;
        phases(&counted, *id, region)?;
        waits(state, *id, region)?;
        result(state, *id, region)?;
    }
    for (task, found) in &state.tasks {
        let implicit = found.implicit.filter(|_| found.end.is_some());
        let open = implicit.filter(|id| state.regions[id].phase != RegionPhase::Closed);
        hold!(open.is_none(), "region.waits", "{task} ended before its implicit region closed");
    }
    quiescent(state)?;
    unfinished(state)?;
    balanced(state)
}

/// What belongs to each region, counted once for all of them.
#[derive(Default)]
struct Counted {
    open_children: BTreeMap<RegionId, usize>,
    reserved: BTreeMap<RegionId, usize>,
    finalizers: BTreeMap<RegionId, usize>,
}

impl Counted {
    fn of(state: &State) -> Counted {
        let open = state.regions.values().filter(|region| region.phase != RegionPhase::Closed);
        let reserved = state.obligations.values().filter(|record| record.standing == Standing::Reserved);
        let pending = state.finalizers.values().filter(|finalizer| finalizer.end.is_none());
        Counted {
            open_children: per_region(open.filter_map(|region| region.parent)),
            reserved: per_region(reserved.map(|record| record.region)),
            finalizers: per_region(pending.map(|finalizer| finalizer.region)),
        }
    }
}

fn per_region(owners: impl Iterator<Item = RegionId>) -> BTreeMap<RegionId, usize> {
    let mut counted = BTreeMap::new();
    for owner in owners {
        *counted.entry(owner).or_default() += 1;
    }
    counted
}

fn count(counted: &BTreeMap<RegionId, usize>, id: RegionId) -> usize {
    counted.get(&id).copied().unwrap_or(0)
}

/// `region.tree`: one root, and from every region and every live task a way up to it.
fn tree(state: &State) -> Result<(), Violation> {
    let roots = state.regions.values().filter(|region| region.parent.is_none()).count();
    hold!(roots <= 1, "region.tree", "{roots} roots");
    for id in state.regions.keys() {
        let mut at = *id;
        let mut steps = 0;
        while let Some(parent) = state.regions.get(&at).and_then(|region| region.parent) {
            hold!(state.regions.contains_key(&parent), "region.tree", "{parent} above {at} doesn't exist");
            steps += 1;
            hold!(steps <= state.regions.len(), "region.tree", "the way up from {id} is a circle");
            at = parent;
        }
    }
    // Sorted, so that a region of ten thousand is not searched ten thousand times.
    let members = |(id, region): (&RegionId, &Region)| {
        let id = *id;
        region.members.iter().map(|member| (*member, id)).collect::<Vec<_>>()
    };
    let mut owned: Vec<(TaskId, RegionId)> = state.regions.iter().flat_map(members).collect();
    owned.sort_unstable();
    for (id, task) in &state.tasks {
        let from = owned.partition_point(|(member, _)| member < id);
        let owners = || owned[from..].iter().take_while(|(member, _)| member == id);
        let own = owners().filter(|(_, owner)| *owner == task.region).count();
        hold!(own == 1, "region.tree", "{id} isn't a member of {}, exactly once", task.region);
        let all = owners().count();
        hold!(all == 1, "region.tree", "{id} has {all} owners");
    }
    Ok(())
}

/// The counters of a region are what counting gives.
fn counts(state: &State, counted: &Counted, id: RegionId, region: &Region) -> Result<(), Violation> {
    let live = region.members.iter().filter(|task| state.tasks[task].live()).count();
    hold!(live == region.live as usize, "region.tree", "{id} counts {} live tasks of {live}", region.live);
    let open = count(&counted.open_children, id);
    hold!(
        open == region.open_children as usize,
        "region.tree",
        "{id} counts {} of {open}",
        region.open_children
    );
    let reserved = count(&counted.reserved, id);
    hold!(
        reserved == region.outstanding as usize,
        "obligation.balanced",
        "{id} counts {} obligations of {reserved}",
        region.outstanding
    );
    Ok(())
}

/// `region.phases` and `region.no-admit`, as what a phase excludes.
fn phases(counted: &Counted, id: RegionId, region: &Region) -> Result<(), Violation> {
    let written_off = region.written_off;
    if region.phase > RegionPhase::Open && !written_off {
        hold!(region.body.is_some() || region.dropped, "region.phases", "the body of {id} still runs");
    }
    if region.phase > RegionPhase::Draining {
        hold!(region.open_children == 0, "region.waits", "{id} is {:?} with open regions", region.phase);
    }
    if region.phase > RegionPhase::Finalizing {
        hold!(region.live == 0, "region.waits", "{id} is {:?} with live tasks", region.phase);
    }
    if region.phase > RegionPhase::Finalizing && !written_off {
        hold!(region.finalizers.is_empty(), "finalizer.order", "{id} is {:?} with finalizers", region.phase);
    }
    let closed = region.phase == RegionPhase::Closed;
    let over = region.outcome.is_some() || written_off;
    hold!(closed == over, "region.phases", "{id} has an outcome iff it's closed and not written off");
    let pending = count(&counted.finalizers, id);
    hold!(pending == region.finalizers.len(), "finalizer.order", "{id} lost or doubled a finalizer");
    Ok(())
}

/// `region.quiescent`: below a closed region nothing is left, except what is listed as leaked.
fn quiescent(state: &State) -> Result<(), Violation> {
    let closed_above = |at: RegionId| {
        let way_up = core::iter::successors(Some(at), |at| state.regions.get(at)?.parent);
        way_up.into_iter().find(|at| state.regions[at].phase == RegionPhase::Closed)
    };
    for (other, _) in state.regions.iter().filter(|(_, found)| found.phase != RegionPhase::Closed) {
        let closed = closed_above(*other);
        hold!(
            closed.is_none(),
            "region.quiescent",
            "{other} is open below closed {}",
            closed.unwrap_or(*other)
        );
    }
    for (task, found) in state.tasks.iter().filter(|(_, found)| found.live()) {
        let closed = closed_above(found.region);
        hold!(closed.is_none(), "region.quiescent", "{task} lives below closed {}", found.region);
    }
    let reserved = state.obligations.iter().filter(|(_, found)| found.standing == Standing::Reserved);
    for (record, found) in reserved {
        let closed = closed_above(found.region);
        hold!(closed.is_none(), "region.quiescent", "{record} is reserved below closed {}", found.region);
    }
    Ok(())
}

/// `model.unfinished`: what is kept of what is not over is what a scan gives.
fn unfinished(state: &State) -> Result<(), Violation> {
    let (kept, counted) = (&state.unfinished, Unfinished::counted(state));
    hold!(*kept == counted, "model.unfinished", "kept {kept:?}, and it is {counted:?}");
    Ok(())
}

/// `region.waits`: a parent closes after every child, and a task ends after its implicit region.
fn waits(state: &State, id: RegionId, region: &Region) -> Result<(), Violation> {
    let parent = region.parent.and_then(|parent| state.regions[&parent].closed_at);
    if let Some(parent) = parent {
        let before = region.closed_at.is_some_and(|at| at < parent);
        hold!(before, "region.waits", "{id} isn't closed before its parent");
    }
    Ok(())
}

/// `region.outcome`: no failure that nobody took is better hidden than the outcome says.
///
/// A `join` after the close takes an outcome that was counted, so the sum may only shrink.
fn result(state: &State, id: RegionId, region: &Region) -> Result<(), Violation> {
    let Some(stated) = region.outcome else { return Ok(()) };
    let sum = outcome::of_region(state, id);
    hold!(stated >= sum, "region.outcome", "{id} closed {stated:?} over {sum:?}");
    Ok(())
}

/// `obligation.linear` and `obligation.balanced`, over all records.
fn balanced(state: &State) -> Result<(), Violation> {
    for (id, record) in &state.obligations {
        let owner = state.regions.get(&record.region);
        hold!(owner.is_some(), "obligation.owner", "{id} belongs to nobody");
    }
    let outstanding: u64 = state.regions.values().map(|region| u64::from(region.outstanding)).sum();
    let reserved = state.obligations.values().filter(|record| record.standing == Standing::Reserved).count();
    hold!(
        outstanding == reserved as u64,
        "obligation.balanced",
        "{outstanding} counted, {reserved} reserved"
    );
    Ok(())
}

/// Checks what holds between a state and a later one: what is over stays over, and requests only
/// grow stronger.
///
/// # Errors
/// The first invariant that doesn't hold.
pub fn check_step(before: &State, after: &State) -> Result<(), Violation> {
    hold!(before.now <= after.now, "time.monotone", "the clock went back");
    for (id, old) in &before.regions {
        let Some(new) = after.regions.get(id) else { return gone("region.tree", id) };
        hold!(old.phase <= new.phase, "region.phases", "{id} went back to {:?}", new.phase);
        hold!(old.outcome.is_none() || old.outcome == new.outcome, "region.quiescent", "{id} closed twice");
        stronger(id, &old.requests, &new.requests)?;
    }
    for (id, old) in &before.tasks {
        let Some(new) = after.tasks.get(id) else { return gone("region.tree", id) };
        hold!(old.end.is_none() || old.end == new.end, "task.once", "{id} ended twice");
        hold!(old.region == new.region, "region.tree", "{id} changed its owner");
        hold!(old.told <= new.told, "cancel.strengthen", "{id} was told less than before");
        stronger(id, &old.requests, &new.requests)?;
    }
    for (id, old) in &before.scopes {
        let Some(new) = after.scopes.get(id) else { return gone("scope.tree", id) };
        hold!(old.end.is_none() || old.end == new.end, "scope.tree", "{id} ended twice");
        stronger(id, &old.requests, &new.requests)?;
    }
    for (id, old) in &before.obligations {
        let Some(new) = after.obligations.get(id) else { return gone("obligation.linear", id) };
        let kept = old.standing == new.standing
            || old.standing == Standing::Reserved
            || (old.standing, new.standing)
                == (Standing::Leaked { late: false }, Standing::Leaked { late: true });
        hold!(kept, "obligation.linear", "{id} went from {:?} to {:?}", old.standing, new.standing);
    }
    Ok(())
}

/// `cancel.strengthen`: nothing that was asked is taken back, and no deadline moves away.
fn stronger(id: &dyn fmt::Display, old: &Requests, new: &Requests) -> Result<(), Violation> {
    let grew = new.all.starts_with(&old.all) && new.deadline <= old.deadline;
    hold!(grew, "cancel.strengthen", "a request on {id} was weakened");
    Ok(())
}

fn gone(rule: &'static str, id: &dyn fmt::Display) -> Result<(), Violation> {
    Err(Violation { rule, why: format!("{id} was forgotten") })
}
