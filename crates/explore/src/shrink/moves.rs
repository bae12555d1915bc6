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
    /// One deviation at another place: as many deviations, maybe fewer steps.
    Shift { at: usize, place: u64 },
    /// Nothing is left to try.
    Through,
}

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
        match self {
            Moves::LeaveOut { .. } if deviations.is_empty() => (None, Moves::Through),
            Moves::LeaveOut { size, at, found } if at >= deviations.len() => {
                let next = match size {
                    0 | 1 if found => Moves::LeaveOut { size: 1, at: 0, found: false },
                    0 | 1 => Moves::PassOverFewer { at: 0 },
                    _ => {
                        Moves::LeaveOut { size: size.min(deviations.len()).div_ceil(2), at: 0, found: false }
                    }
                };
                (None, next)
            }
            Moves::LeaveOut { size, at, found } => {
                let proposal = best.decisions.keeping(|index| !(at..at + size).contains(&index));
                (Some(proposal), Moves::LeaveOut { size, at: at + size, found })
            }

            Moves::PassOverFewer { at } => match best.nearer.get(at) {
                Some(&(index, what)) => {
                    let mut changed = deviations.to_vec();
                    changed[index].what = what;
                    (Some(Decisions::ending_with_the_last(changed)), Moves::PassOverFewer { at: at + 1 })
                }
                None => (None, Moves::OneForTwo { first: 0, place: 0, name: 0 }),
            },

            Moves::OneForTwo { first, .. } if first + 1 >= deviations.len() => {
                (None, Moves::Shift { at: 0, place: 0 })
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
                (
                    Some(Decisions::ending_with_the_last(changed)),
                    Moves::OneForTwo { first, place, name: name + 1 },
                )
            }

            Moves::Shift { at, .. } if at >= deviations.len() => (None, Moves::Through),
            Moves::Shift { at, place } => {
                let places = room(best, at, at);
                let place = place.max(places.start);
                let next = Moves::Shift { at, place: place + 1 };
                if place >= places.end {
                    (None, Moves::Shift { at: at + 1, place: 0 })
                } else if place == deviations[at].at {
                    (None, next)
                } else {
                    let mut changed = deviations.to_vec();
                    changed[at].at = place;
                    (Some(Decisions::ending_with_the_last(changed)), next)
                }
            }

            Moves::Through => (None, Moves::Through),
        }
    }
}

/// The places between the deviation before `first` and the one behind `last`.
fn room(best: &Taken, first: usize, last: usize) -> std::ops::Range<u64> {
    let deviations = best.decisions.deviations();
    let start = if first == 0 { 0 } else { deviations[first - 1].at + 1 };
    start..deviations.get(last + 1).map_or(best.decisions.len(), |next| next.at)
}
