//! The branches that go off from a run: for each race that this run is the one to reverse, what reverses it.
//!
//! Rules, for a race of the default step p with a later step w, in a run that has steps of its own from its head on:
//!
//! | rule | because |
//! |---|---|
//! | what w becomes before p must race with p (`branches.still-races`) | else it commutes with p, and p's own branch leads there |
//! | each head after p must be something that w needs then (`branches.heads-stay`) | else the reversal leaves a branch that is not its own |
//! | a head is not moved before what it needed (`branches.needed`) | there is no node: the branch begins with all of it |
//! | ... nor before a p that it met at a later place of another run (`branches.met`) | that run plans it |
//! | if p came before heads that commute with w, w's task must be greater than theirs, unless w needs them, or would not have raced with p then (`branches.ascending`) | else the branch of w is where these are explored together |
//!
//! Not here: how an exploration goes through its branches (`parsimonious`).

use super::super::race::Later;
use super::{Branch, Frame, Head, Known, Over, Parsimonious};
use crate::causality::{WORLD, mix};
use crate::footprint::Footprint;
use crate::relation::{Mark, Relation, commute, relate};
use crate::scheduler::Announced;
use trace::{Access, ObjectKind};

/// The later step of some races.
struct Late {
    task: u32,
    /// Its depth, or the execution's if it never came.
    end: usize,
    announced: Announced,
    object: u32,
    /// What it happens after whatever it does.
    causes: Vec<u32>,
    /// If it is the head: where it branched off, and what it knows.
    from: Option<u32>,
    done: Vec<u32>,
    known: Vec<Known>,
}

/// What a later step would be elsewhere, and what it would happen after there.
#[derive(PartialEq, Eq)]
struct Target {
    mark: Mark,
    causes: Vec<u32>,
}

impl Target {
    fn digest(&self) -> u64 {
        let outcome = match self.mark.access {
            Access::Read => 1,
            Access::Refused(_) => 2,
            Access::Empty => 3,
            Access::Ended => 4,
            _ => 5,
        };
        let causes = self.causes.iter().enumerate().filter(|(_, count)| **count > 0);
        causes.fold(mix(outcome, u64::from(self.mark.ordinal)), |digest, (task, &count)| {
            mix(digest, (task as u64) << 32 | u64::from(count))
        })
    }
}

impl Parsimonious {
    /// Adds the branches that go off from the execution that ended.
    pub(super) fn add_frame(&mut self) {
        let first = self.plan.len().saturating_sub(1) as u32;
        let races = self.causality.races.iter().filter(|race| race.later >= first);
        // Races are in the order of their later steps.
        let mut pairs: Vec<(Later, u32)> = races.map(|race| (Later::Ran(race.later), race.earlier)).collect();
        if !types::seeded!("explore.stuck-ignored") {
            for at in 0..self.stuck.len() {
                let Some(announced) = self.stuck[at].announced else { continue };
                let task = self.causality.task(self.stuck[at].task);
                self.causality.races_of_stuck(task, &announced, |_, earlier| {
                    pairs.push((Later::Stuck(at as u32), earlier));
                });
            }
        }
        // A step of several operations may race twice with another.
        pairs.dedup();
        let mut branches = Vec::new();
        for races in pairs.chunk_by(|one, other| one.0 == other.0) {
            self.counts.races += races.len() as u64;
            let Some(mut late) = self.late(races[0].0) else { continue };
            let earlier: Vec<u32> = races.iter().map(|race| race.1).collect();
            if may_change(late.announced.access) {
                self.look_around(&mut late, &earlier);
            }
            for &at in &earlier {
                branches.extend(self.branch(at as usize, &late, &earlier));
            }
        }
        self.counts.reversed += branches.len() as u64;
        if branches.is_empty() || !self.exact {
            return;
        }
        branches.sort_by_key(|branch| branch.at);
        let sequence = self.causality.events.iter().map(|event| event.task).collect();
        let frame = Frame { sequence, heads: self.heads.as_slice().into(), branches, begun: 0, went_off: 0 };
        self.stored += frame.size();
        self.most_stored = self.most_stored.max(self.stored);
        self.frames.push(frame);
    }

    fn late(&mut self, later: Later) -> Option<Late> {
        let (task, end, announced) = match later {
            Later::Ran(at) => {
                (self.causality.events[at as usize].task, at as usize, self.announced(at as usize)?)
            }
            Later::Stuck(at) => {
                let stuck = self.stuck[at as usize];
                (self.causality.task(stuck.task), self.causality.depth(), stuck.announced?)
            }
        };
        let object = self.causality.objects.number(announced.object);
        let causes = self.causality.causes(task, end);
        let head = self.heads.last().filter(|head| later == Later::Ran(head.at));
        Some(Late {
            task,
            end,
            announced,
            object,
            causes,
            from: head.map(|head| head.from),
            done: head.map_or(Vec::new(), |head| head.done.to_vec()),
            known: head.map_or(Vec::new(), |head| head.known.to_vec()),
        })
    }

    /// What the later step would be before the step at `place` (at the end: where it is), and before that at `other`.
    /// Nothing if it would have to wait, `Some(None)` if nobody knows.
    fn target(&self, late: &Late, place: usize, other: Option<usize>) -> Option<Option<Target>> {
        let causality = &self.causality;
        let follows = |at: usize, first: usize| at >= first && causality.before(first, causality.clock(at));
        let stays = |at: usize| {
            at < late.end
                && (place == late.end || !follows(at, place))
                && !other.is_some_and(|other| follows(at, other))
        };
        let Some(mark) = causality.mark_among(late.object, &late.announced, stays)? else {
            return Some(None);
        };
        let mut causes = late.causes.clone();
        causality.add_causes_of(&mark, &mut causes, stays);
        Some(Some(Target { mark, causes }))
    }

    /// What a step would be whose outcome depends on where it comes: it may race with a step from one place, and not from
    /// the places after it.
    fn look_around(&self, late: &mut Late, earlier: &[u32]) {
        let mut found = Vec::new();
        let here = late.from.unwrap_or(u32::MAX);
        for &at in earlier {
            if let Some(Some(target)) = self.target(late, at as usize, None) {
                found.push(Known { at, place: here, target: target.digest() });
            }
        }
        let touched = self.causality.touched(late.object);
        let end = late.from.map_or(late.end, |from| from as usize);
        for &(place, _) in touched.iter().take_while(|(at, _)| (*at as usize) < end) {
            let Some(Some(there)) = self.target(late, place as usize, None) else { continue };
            let own = &self.causality.events[place as usize].footprint;
            if own.commutes(&Footprint::new(&[there.mark])) {
                continue;
            }
            for &(at, ref first) in touched.iter().take_while(|(at, _)| *at < place) {
                if relate(first, &there.mark) == Relation::Race
                    && let Some(Some(target)) = self.target(late, place as usize, Some(at as usize))
                {
                    found.push(Known { at, place, target: target.digest() });
                }
            }
        }
        for one in found {
            match late.known.iter_mut().find(|known| (known.at, known.target) == (one.at, one.target)) {
                Some(known) => known.place = known.place.max(one.place),
                None => late.known.push(one),
            }
        }
    }

    /// The branch that reverses the race of the step at `earlier` with the later one, if it is for this run to plan.
    fn branch(&mut self, earlier: usize, late: &Late, all_earlier: &[u32]) -> Option<Branch> {
        let over = self.over(earlier);
        if over.task == WORLD
            || late
                .from
                .is_some_and(|from| earlier >= from as usize && !types::seeded!("explore.schedules-reversed"))
        {
            return None;
        }
        if late.done.contains(&(earlier as u32)) && !types::seeded!("explore.heads-forget") {
            return None;
        }
        let Some(target) = self.target(late, earlier, None) else {
            // Who shares a lock may keep this one waiting, and may have come later too.
            self.exact &= !matches!(late.announced.kind, ObjectKind::SharedLock { .. });
            return None;
        };
        let Some(Target { mut mark, causes }) = target else {
            self.exact = false;
            return None;
        };
        let causality = &self.causality;
        if types::seeded!("explore.textbook-races") && self.something_between(earlier, late.end) {
            return None;
        }
        if types::seeded!("explore.outcome-as-recorded")
            && let Some(ran) = causality.events.get(late.end)
        {
            mark = ran.footprint.racing().next().copied().unwrap_or(mark);
        }
        // What changed its outcome may commute with the earlier step now; then that one's branch leads there.
        let commutes = causality.events[earlier].footprint.commutes(&Footprint::new(&[mark]));
        if commutes && !types::seeded!("explore.branch-in-progress-untested") {
            return None;
        }
        let is_cause = |at: usize| causality.before(at, &causes);
        let mut after = self.heads.iter().rev().take_while(|head| head.at as usize >= earlier);
        let stays = |head: &Head| head.at as usize == late.end || is_cause(head.at as usize);
        if !after.all(stays) && !types::seeded!("explore.heads-given-up") {
            return None;
        }
        if !self.is_ascending(earlier, late.task, &mark, &causes)
            && !types::seeded!("explore.heads-in-any-order")
        {
            return None;
        }
        let needed: Vec<usize> = (earlier + 1..late.end).filter(|&at| is_cause(at)).collect();
        let mut schedule: Vec<u32> = needed.iter().map(|&at| causality.events[at].task).collect();
        schedule.push(late.task);
        let place = |head: &Head| needed.iter().position(|&at| at == head.at as usize);
        Some(Branch {
            at: earlier as u32,
            schedule: schedule.into(),
            swallowed: self.heads.iter().filter_map(place).map(|at| (earlier + at) as u32).collect(),
            over,
            mark,
            done: self.done(earlier, late, all_earlier).into(),
            known: late.known.iter().filter(|known| (known.place as usize) < earlier).copied().collect(),
        })
    }

    /// `branches.ascending`: whether a head of this task may come before the step at `earlier`, as far as the heads are
    /// concerned that came before it.
    fn is_ascending(&self, earlier: usize, task: u32, mark: &Mark, causes: &[u32]) -> bool {
        let causality = &self.causality;
        let name = |task: u32| causality.task_id(task).as_u64();
        let own = self.over(earlier);
        let mut node = earlier as u32;
        for head in self.heads.iter().rev().skip_while(|head| head.at as usize >= earlier) {
            let same = |over: &Over| head.at + 1 == node && (over.task, over.index) == (own.task, own.index);
            let Some(over) = head.over.filter(same) else { break };
            if causality.before(head.at as usize, causes) {
                break;
            }
            let rivals = over.mark.is_some_and(|over| !commute(&over, mark));
            if rivals && name(causality.events[head.at as usize].task) > name(task) {
                return false;
            }
            node = head.from;
        }
        true
    }

    /// Whether a step happens after the earlier one and before the later one.
    fn something_between(&self, earlier: usize, later: usize) -> bool {
        let causality = &self.causality;
        later < causality.depth()
            && (earlier + 1..later).any(|at| {
                causality.before(earlier, causality.clock(at)) && causality.before(at, causality.clock(later))
            })
    }

    fn over(&self, depth: usize) -> Over {
        let event = &self.causality.events[depth];
        Over { task: event.task, index: event.index, mark: event.footprint.racing().next().copied() }
    }

    /// Before which steps the branch that goes off at `earlier` need not move its head.
    fn done(&self, earlier: usize, late: &Late, all_earlier: &[u32]) -> Vec<u32> {
        let mut done: Vec<u32> = late.done.iter().copied().filter(|&at| (at as usize) < earlier).collect();
        if !may_change(late.announced.access) {
            // It races here as it does there, with the step at `earlier` gone either way.
            let clock = self.causality.clock(earlier);
            let before = all_earlier.iter().filter(|&&at| (at as usize) < earlier);
            done.extend(before.filter(|&&at| self.causality.before(at as usize, clock)));
            return done;
        }
        let later = |known: &&Known| known.place as usize > earlier && (known.at as usize) < earlier;
        for known in late.known.iter().filter(later) {
            if !done.contains(&known.at)
                && let Some(Some(target)) = self.target(late, earlier, Some(known.at as usize))
                && target.digest() == known.target
            {
                done.push(known.at);
            }
        }
        done
    }
}

/// Whether what the operation comes to depends on what was done before.
fn may_change(access: Access) -> bool {
    matches!(
        access,
        Access::Exchange(_)
            | Access::TryAcquire(_)
            | Access::Refused(_)
            | Access::TryReceive
            | Access::Receive
            | Access::Empty
            | Access::Ended
    )
}
