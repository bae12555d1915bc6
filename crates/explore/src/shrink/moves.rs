//! [`Moves`]: the ways to make a list of decisions smaller, one after the other.
//!
//! A plain state: what to try next is a function of it and of the best execution. A smaller execution sends it back to
//! leaving out single deviations, so the last thing that happens before it is through with them all is a whole pass in
//! which none could be left out.
use crate::sample::{Decisions, Departure, Deviation, Taken};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Moves {
    /// Delta debugging (Zeller, Hildebrandt, TSE 2002), the complements of it: leave out `size` deviations from
    /// `at` on. (A part that fails alone is found by leaving out the others.)
    LeaveOut { size: usize, at: usize, found: bool },
    /// A nearer candidate instead of one for which several were passed over.
    PassOverFewer { at: usize },
    /// One deviation instead of two neighbours: any task, at any place between the ones around them. Leaving out is
    /// stuck where the second only makes up for the first.
    OneForTwo { first: usize, place: u64, name: u16 },
    /// Every list of one deviation less, any tasks at any places, if there are at most `MOST_LISTS` of them: after
    /// that, no list of fewer deviations fails within the same number of decisions.
    OneLess { list: u64 },
    /// One deviation at another place: as many deviations, maybe fewer steps.
    Shift { at: usize, place: u64 },
    /// Nothing is left to try.
    Through,
}

/// How many lists `OneLess` may try: some seconds' worth of executions.
const MOST_LISTS: u64 = 10_000;

impl Moves {
    /// All deviations at once first: some failures need none.
    pub(super) fn new(best: &Taken) -> Moves {
        Moves::LeaveOut { size: best.decisions.deviations().len(), at: 0, found: false }
    }

    /// The last proposal led to a smaller execution.
    pub(super) fn found(&mut self) {
        *self = match *self {
            // Those behind the gap have moved up.
            Moves::LeaveOut { size, at, .. } => {
                Moves::LeaveOut { size, at: at.saturating_sub(size), found: true }
            }
            _ => Moves::LeaveOut { size: 1, at: 0, found: false },
        }
    }

    /// The next list to try with `best`.
    pub(super) fn next(&mut self, best: &Taken) -> Option<Decisions> {
        loop {
            let (proposal, next) = self.step(best);
            *self = next;
            if proposal.is_some() || next == Moves::Through {
                return proposal;
            }
        }
    }

    /// A list to try, if this move has one here, and the move behind it.
    fn step(self, best: &Taken) -> (Option<Decisions>, Moves) {
        let deviations = best.decisions.deviations();
        let list = |deviations| Some(Decisions::ending_with_the_last(deviations));
        match self {
            Moves::LeaveOut { .. } if deviations.is_empty() => (None, Moves::Through),
            Moves::LeaveOut { size, at, found } if at >= deviations.len() => {
                (None, Moves::after_a_pass(size.min(deviations.len()), found))
            }
            Moves::LeaveOut { size, at, found } => {
                let proposal = best.decisions.keeping(|index| !(at..at + size).contains(&index));
                (Some(proposal), Moves::LeaveOut { size, at: at + size, found })
            }

            Moves::PassOverFewer { at } => match best.nearer.get(at) {
                Some(&(index, what)) => {
                    let mut changed = deviations.to_vec();
                    changed[index].what = what;
                    (list(changed), Moves::PassOverFewer { at: at + 1 })
                }
                None => (None, Moves::OneForTwo { first: 0, place: 0, name: 0 }),
            },

            Moves::OneForTwo { .. } | Moves::OneLess { .. } if types::seeded!("shrink.leaves-out-only") => {
                (None, Moves::Shift { at: 0, place: 0 })
            }
            Moves::OneForTwo { first, .. } if first + 1 >= deviations.len() => {
                (None, Moves::OneLess { list: 0 })
            }
            Moves::OneForTwo { first, place, name } => {
                let places = room(best, first, first + 1);
                let place = place.max(places.start);
                if place >= places.end {
                    return (None, Moves::OneForTwo { first: first + 1, place: 0, name: 0 });
                }
                let Some(name) = (name..256).find(|name| best.ran(*name as u8)) else {
                    return (None, Moves::OneForTwo { first, place: place + 1, name: 0 });
                };
                let mut changed = deviations.to_vec();
                let what = Departure::Task { name: name as u8, nth: 0 };
                changed.splice(first..first + 2, [Deviation { at: place, what }]);
                (list(changed), Moves::OneForTwo { first, place, name: name + 1 })
            }

            Moves::OneLess { list: number } => match one_less(best, number) {
                Some(shorter) => (list(shorter), Moves::OneLess { list: number + 1 }),
                None => (None, Moves::Shift { at: 0, place: 0 }),
            },

            Moves::Shift { at, .. } if at >= deviations.len() => (None, Moves::Through),
            Moves::Shift { at, place } => {
                let places = room(best, at, at);
                let place = place.max(places.start);
                if place >= places.end {
                    return (None, Moves::Shift { at: at + 1, place: 0 });
                }
                let mut changed = deviations.to_vec();
                changed[at].at = place;
                let proposal = if place == deviations[at].at { None } else { list(changed) };
                (proposal, Moves::Shift { at, place: place + 1 })
            }

            Moves::Through => (None, Moves::Through),
        }
    }

    /// What comes when chunks of this size have all been tried.
    fn after_a_pass(size: usize, found: bool) -> Moves {
        match size {
            2.. => Moves::LeaveOut { size: size.div_ceil(2), at: 0, found: false },
            _ if found => Moves::LeaveOut { size: 1, at: 0, found: false },
            _ => Moves::PassOverFewer { at: 0 },
        }
    }
}

/// The places between the deviation before `first` and the one behind `last`.
fn room(best: &Taken, first: usize, last: usize) -> std::ops::Range<u64> {
    let deviations = best.decisions.deviations();
    let start = if first == 0 { 0 } else { deviations[first - 1].at + 1 };
    start..deviations.get(last + 1).map_or(best.decisions.len(), |next| next.at)
}

/// List number `list` of those with one deviation less; `None` behind the last, or if there are too many, or if
/// `OneForTwo` has tried them all.
fn one_less(best: &Taken, list: u64) -> Option<Vec<Deviation>> {
    let count = best.decisions.deviations().len() as u32 - 1;
    if count < 2 {
        return None;
    }
    let names: Vec<u8> = (0..=255).filter(|name| best.ran(*name)).collect();
    let namings = (names.len() as u64).checked_pow(count)?;
    let lists = choose(best.decisions.len(), count)?.checked_mul(namings)?;
    if lists > MOST_LISTS || list >= lists {
        return None;
    }
    // The places in the combinatorial number system: the highest place c with choose(c, count) <= rest, and so on.
    let (mut rest, mut naming) = (list / namings, list % namings);
    let mut below = best.decisions.len();
    let mut deviations = Vec::with_capacity(count as usize);
    for left in (1..=count).rev() {
        let place = (0..below).rev().find(|place| choose(*place, left).is_some_and(|lists| lists <= rest))?;
        rest -= choose(place, left)?;
        below = place;
        let name = names[(naming % names.len() as u64) as usize];
        naming /= names.len() as u64;
        deviations.push(Deviation { at: place, what: Departure::Task { name, nth: 0 } });
    }
    deviations.reverse();
    Some(deviations)
}

/// How many ways there are to choose `few` of `many`, unless they are too many to count.
fn choose(many: u64, few: u32) -> Option<u64> {
    let few = u64::from(few);
    if few > many {
        return Some(0);
    }
    (0..few).try_fold(1u64, |ways, nth| Some(ways.checked_mul(many - nth)? / (nth + 1)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample::{Random, Recording};
    use crate::{mini, name_of};
    use std::collections::BTreeSet;
    use types::TaskId;

    #[test]
    fn every_shorter_list_is_tried_once() {
        let program = mini::Program::parse("*3 Wx=1;Wx=2;Wx=3").expect("a program");
        let mut recording = Recording::new(Random::new(1));
        let best = loop {
            mini::Machine::new(&program).run(&mut recording);
            if recording.taken().decisions.deviations().len() == 3 {
                break recording.taken();
            }
        };
        let lists: Vec<_> = (0..).map_while(|list| one_less(&best, list)).collect();
        // Two of nine places, three tasks at each.
        assert_eq!(lists.len(), 36 * 9);
        let different: BTreeSet<String> = lists.iter().map(|list| format!("{list:?}")).collect();
        assert_eq!(different.len(), lists.len());
        let names: BTreeSet<u8> = (0..3).map(|task| name_of(TaskId::from_u64(task))).collect();
        for list in lists {
            assert!(list[0].at < list[1].at && list[1].at < 9);
            assert!(
                list.iter()
                    .all(|d| matches!(d.what, Departure::Task { name, nth: 0 } if names.contains(&name)))
            );
        }
    }
}
