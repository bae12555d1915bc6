//! What races lead to: for each, the steps that reverse it, planned at the point before its earlier step.
//!
//! The plan is everything that happened after the earlier step but not because of it, and then the later step. All of
//! it, not only what the later step needs: otherwise the plan's branch would be free to repeat what other plans do.
//!
//! Invariants:
//! - `race.deepest-first`: the race whose earlier step is deepest is considered first.
//! - `race.again`: a race is considered again whenever the plan that reverses it is another: when a new step does not
//!   happen after its earlier step. It is not enough to consider each race when its later step is new: depend_4 has
//!   30 classes and some orders would find 29.
//! - `race.outcome`: a plan holds what its last step will do *after the reversal*: an attempt may succeed then, or fail.
//!   Only so can be said whether another branch leads to the same.
//!
//! Not here: finding races (`causality`).

use super::wakeup::{Inserted, Planned, begins_with};
use super::{Explorer, State};
use crate::causality::Race;
use crate::footprint::Footprint;
use crate::objects::Account;
use crate::relation::Mark;
use crate::scheduler::{Announced, Stuck};
use trace::Access;

/// The later step of a race.
#[derive(Clone, Copy, Debug)]
pub(super) enum Later {
    Ran(u32),
    /// What a task announced that never could: its place in the list of those.
    Stuck(u32),
}

impl Explorer {
    /// Considers the races of the execution that ended.
    pub(super) fn reverse_races(&mut self) {
        let mut pairs = std::mem::take(&mut self.pairs);
        self.causality.before_all_from(self.replayed, &mut self.least);
        let races = self.causality.races.iter();
        pairs.extend(
            races.filter(|race| self.is_new(race)).map(|race| (race.earlier, Later::Ran(race.later))),
        );
        if self.state == State::Ended && !types::seeded!("explore.stuck-ignored") {
            for at in 0..self.stuck.len() {
                let Some(announced) = self.stuck[at].announced else { continue };
                let task = self.causality.task(self.stuck[at].task);
                self.causality.races_of_stuck(task, &announced, |_, earlier| {
                    pairs.push((earlier, Later::Stuck(at as u32)));
                });
            }
        }
        pairs.sort_by_key(|&(earlier, _)| std::cmp::Reverse(earlier));
        for &(earlier, later) in &pairs {
            self.counts.races += 1;
            self.reverse(earlier as usize, later);
        }
        pairs.clear();
        self.pairs = pairs;
    }

    /// Whether the plan that reverses the race is not the one of an execution before.
    fn is_new(&self, race: &Race) -> bool {
        let earlier = &self.causality.events[race.earlier as usize];
        race.later as usize >= self.replayed || self.least[earlier.task as usize] < earlier.index
    }

    fn reverse(&mut self, earlier: usize, later: Later) {
        let Some(last) = self.reversed(earlier, later) else { return };
        // What changed its outcome may commute with the earlier step now; then that one's branch leads there.
        let commutes = self.causality.events[earlier].footprint.commutes(&last.footprint);
        if commutes && !types::seeded!("explore.branch-in-progress-untested") {
            return;
        }
        let mut sequence = std::mem::take(&mut self.sequence);
        sequence.clear();
        for at in earlier + 1..self.causality.depth() {
            let needless = types::seeded!("explore.only-predecessors")
                && matches!(later, Later::Ran(later)
                    if !self.causality.before(at, self.causality.clock(later as usize)));
            if !self.happens_after(at, earlier) && !needless {
                sequence.push(self.planned(at));
            }
        }
        sequence.push(last);
        if !self.sleeps(earlier, &sequence) {
            self.plan(earlier, &mut sequence);
        }
        self.sequence = sequence;
    }

    /// Whether the sequence could as well begin with a step that was run.
    fn sleeps(&self, depth: usize, sequence: &[Planned]) -> bool {
        // What sleeps since a point above is no excuse in source sets: it relies on plans to have been made for it.
        let above = if self.exact { 0 } else { self.nodes[depth].inherited as usize };
        self.sleep_set(depth)[above..].iter().any(|sleeper| begins_with(sleeper, sequence).is_some())
    }

    /// The race's later step as it will be if it comes before the earlier one; nothing if it would have to wait.
    fn reversed(&mut self, earlier: usize, later: Later) -> Option<Planned> {
        match later {
            Later::Ran(later) => {
                let mut ran = self.planned(later as usize);
                let Some(announced) = self.announced(later as usize) else {
                    return Some(self.unforeseen(ran));
                };
                let mark = self.mark_without(earlier, &announced)?;
                match (ran.footprint.marks(), mark) {
                    (&[one], Some(mark)) if one.object == mark.object => {
                        ran.footprint = Footprint::new(&[mark])
                    }
                    _ => return Some(self.unforeseen(ran)),
                }
                Some(ran)
            }
            Later::Stuck(at) => {
                let Stuck { task, announced } = self.stuck[at as usize];
                let task = self.causality.task(task);
                let mark = self.mark_without(earlier, &announced?)?;
                let step = Planned { task, choices: Vec::new(), footprint: Footprint::default() };
                match mark {
                    // What follows its operation in the same step is unknown, but then no step is of one operation.
                    Some(mark) => Some(Planned { footprint: Footprint::new(&[mark]), ..step }),
                    None => Some(self.unforeseen(step)),
                }
            }
        }
    }

    /// What the step will do is unknown.
    fn unforeseen(&mut self, step: Planned) -> Planned {
        self.exact = false;
        Planned { footprint: Footprint::unknown(), ..step }
    }

    /// The announced operation as it would be before the step at `earlier`, after all that did not happen because of
    /// that. Nothing if it would have to wait; `Some(None)` if nobody knows.
    fn mark_without(&mut self, earlier: usize, announced: &Announced) -> Option<Option<Mark>> {
        let object = self.causality.objects.number(announced.object);
        let (mut account, mut value) = (Account::default(), Some(0));
        for &(at, ref mark) in self.causality.touched(object) {
            let at = at as usize;
            if at < earlier || (at > earlier && !self.happens_after(at, earlier)) {
                account.add(mark.access);
                value = match mark.access {
                    Access::Set(set) => Some(set),
                    Access::Write => None,
                    _ => value,
                };
            }
        }
        let kind = announced.kind;
        account.possible(kind, announced.access).then(|| {
            let access = match (account.outcome(kind, announced.access), value) {
                (Access::Exchange(expected), Some(value)) if expected == value => Access::Write,
                (Access::Exchange(_), Some(_)) => Access::Read,
                (Access::Exchange(_), None) => return None,
                (access, _) => access,
            };
            Some(Mark { object, ordinal: account.ordinal(access), kind, access })
        })
    }

    fn happens_after(&self, at: usize, earlier: usize) -> bool {
        self.causality.before(earlier, self.causality.clock(at))
    }

    /// The step at `depth`, to be taken again.
    fn planned(&self, depth: usize) -> Planned {
        let event = &self.causality.events[depth];
        let choices = self.script.choices(depth).iter().map(|chosen| chosen.taken).collect();
        Planned { task: event.task, choices, footprint: event.footprint.clone() }
    }

    /// Adds a sequence to the branches of a node.
    fn plan(&mut self, depth: usize, sequence: &mut Vec<Planned>) {
        // Plans that are cut short can't be relied on.
        self.exact &= self.forest.live() < self.limit;
        let pending = &mut self.nodes[depth].pending;
        if self.forest.live() < self.limit {
            let new = self.forest.insert(pending, sequence) == Inserted::New;
            self.counts.reversed += u64::from(new);
        } else if !self.forest.steps(*pending).any(|step| begins_with(step, sequence).is_some()) {
            // Its first step will lead to the rest, by races of its own.
            self.forest.push_last(pending, sequence.swap_remove(0));
            self.counts.reversed += 1;
        }
    }
}
