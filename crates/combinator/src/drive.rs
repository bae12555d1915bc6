//! [`drive`]: polls the legs of one combinator until the last one is drained, and carries out what the
//! [`Tally`] decides: who is asked to stop, what is escalated, which panic goes on.
//!
//! Each poll gives every unfinished leg a turn; who is first moves on by one from poll to poll, so that a
//! body which uses up the task's budget each time does not starve the others. A biased combinator always
//! begins with its first; a fair one has drawn who begins in its first poll.
//!
//! Cost: O(branches) for each wake of the task. For hundreds of bodies spawn tasks.
use crate::leg::{Member, Step};
use crate::tally::{Decision, Tally};
use core::future::poll_fn;
use core::panic::Location;
use core::task::{Context, Poll};
use cx::{Combinator, Row};
use types::{CancelKind, Panic};

/// The legs of one combinator.
pub(crate) trait Legs<C> {
    fn len(&self) -> usize;
    fn leg(&mut self, index: usize) -> &mut dyn Member<C>;
}

/// Legs of different types. A tuple and not an array of trait objects: what is held across an await has to be `Send`.
macro_rules! tuples {
    ($($n:literal: $($Leg:ident $index:tt)+;)+) => {$(
        impl<C, $($Leg: Member<C>),+> Legs<C> for ($($Leg,)+) {
            fn len(&self) -> usize {
                $n
            }
            fn leg(&mut self, index: usize) -> &mut dyn Member<C> {
                match index {
                    $($index => &mut self.$index,)+
                    _ => unreachable!("there are {} legs, and none with the number {index}", $n),
                }
            }
        }
    )+};
}

tuples! {
    2: A 0 B 1;
    3: A 0 B 1 D 2;
    4: A 0 B 1 D 2 E 3;
    5: A 0 B 1 D 2 E 3 F 4;
    6: A 0 B 1 D 2 E 3 F 4 G 5;
    7: A 0 B 1 D 2 E 3 F 4 G 5 H 6;
    8: A 0 B 1 D 2 E 3 F 4 G 5 H 6 I 7;
}

impl<C, L: Member<C>> Legs<C> for [L] {
    fn len(&self) -> usize {
        self.len()
    }
    fn leg(&mut self, index: usize) -> &mut dyn Member<C> {
        &mut self[index]
    }
}

/// What a combinator is about.
pub(crate) struct Plan {
    /// How many successes it takes.
    pub(crate) needed: usize,
    /// Whether a decision makes losers; otherwise it needs everybody, and only a failure stops the others.
    pub(crate) race: bool,
    /// Who is polled first.
    pub(crate) turns: Turns,
    /// Where the combinator was called.
    pub(crate) at: &'static Location<'static>,
}

/// Which leg is polled first, in each poll.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Turns {
    /// Always the first one.
    Biased,
    /// This one, then the one after it, and so on round.
    From(u64),
}

impl Turns {
    /// In turns, beginning with the first.
    pub(crate) const ROUND: Turns = Turns::From(0);
}

/// How it ended.
#[derive(Debug)]
pub(crate) struct Driven {
    pub(crate) decision: Decision,
    /// The leg whose return decided.
    pub(crate) by: usize,
}

/// See the module. When this returns every leg is drained and closed.
///
/// `returned` is told of every body that returns before or by the decision, in that order: which one, and
/// whether it succeeded.
///
/// # Panics
/// With the panic of a body, if it came before a decision.
pub(crate) async fn drive<C: Row, L: Legs<C> + ?Sized>(
    frame: &Combinator<'_, C>,
    legs: &mut L,
    plan: Plan,
    mut returned: impl FnMut(usize, bool),
) -> Driven {
    let turn = match plan.turns {
        Turns::Biased => 0,
        Turns::From(start) => (start % legs.len() as u64) as usize,
    };
    let mut run =
        Run { frame, tally: Tally::new(legs.len(), plan.needed), plan, panic: None, ended: None, turn };
    poll_fn(|context| run.poll(legs, context, &mut returned)).await;
    for index in 0..legs.len() {
        legs.leg(index).close();
    }
    match (run.panic, run.ended) {
        (Some(panic), _) => frame.resume(panic),
        (None, Some(driven)) => driven,
        (None, None) => unreachable!("every body has returned, so the tally has decided"),
    }
}

struct Run<'a, 'p, C> {
    frame: &'a Combinator<'p, C>,
    plan: Plan,
    tally: Tally,
    /// The panic that goes on.
    panic: Option<Panic>,
    ended: Option<Driven>,
    turn: usize,
}

impl<C: Row> Run<'_, '_, C> {
    fn poll<L: Legs<C> + ?Sized>(
        &mut self,
        legs: &mut L,
        context: &mut Context<'_>,
        returned: &mut impl FnMut(usize, bool),
    ) -> Poll<()> {
        let n = legs.len();
        let first = self.turn % n;
        if self.plan.turns != Turns::Biased {
            self.turn = first + 1;
        }
        // A request, or an escalation from a branch that has closed, changes what the others' checkpoints
        // say, and nothing else wakes them: they are polled again in this very poll.
        loop {
            let mut again = false;
            for index in (first..n).chain(0..first) {
                if let Step::Now(success) = legs.leg(index).poll_body(context) {
                    again |= self.body_over(legs, index, success, returned);
                }
            }
            for index in 0..n {
                if let Step::Now(children) = legs.leg(index).poll_drain(self.frame, context) {
                    again |= children;
                    self.drained(legs, index);
                }
            }
            if (0..n).all(|index| legs.leg(index).is_drained()) {
                return Poll::Ready(());
            }
            if !again && !self.enforce(legs, context) {
                return Poll::Pending;
            }
        }
    }

    /// True if a branch that does not end in time has been dealt with.
    fn enforce<L: Legs<C> + ?Sized>(&self, legs: &mut L, context: &mut Context<'_>) -> bool {
        let mut again = false;
        if self.tally.is_decided() {
            for index in 0..legs.len() {
                again |= legs.leg(index).poll_overdue(self.frame, context);
            }
        }
        again
    }

    /// True if others have been asked to stop.
    fn body_over<L: Legs<C> + ?Sized>(
        &mut self,
        legs: &mut L,
        index: usize,
        success: bool,
        returned: &mut impl FnMut(usize, bool),
    ) -> bool {
        if let Some(panic) = legs.leg(index).take_panic() {
            return self.panicked(legs, index, panic);
        }
        if self.tally.is_decided() {
            self.tally.returned(success);
            return false;
        }
        returned(index, success);
        let Some(decision) = self.tally.returned(success) else { return false };
        self.ended = Some(Driven { decision, by: index });
        match decision {
            Decision::Won if !self.plan.race => false,
            Decision::Won => {
                let frame = self.frame;
                each(legs, |_, leg| {
                    if leg.has_succeeded() {
                        leg.won(frame)
                    }
                });
                let at = self.plan.at;
                self.stop(legs, |_, leg| {
                    if !leg.has_succeeded() {
                        leg.ask(CancelKind::LostRace, "another branch was first", at)
                    }
                })
            }
            Decision::Failed => {
                let at = self.plan.at;
                self.stop(legs, |other, leg| {
                    if other != index {
                        leg.ask(CancelKind::SiblingFailed, "another branch failed", at)
                    }
                })
            }
        }
    }

    fn panicked<L: Legs<C> + ?Sized>(&mut self, legs: &mut L, index: usize, panic: Panic) -> bool {
        if !self.tally.panicked() {
            // Decided before: the value or the first panic is what the caller gets.
            if !types::seeded!("race.panic-swallowed") {
                self.frame.escalate(panic);
            }
            return true;
        }
        self.panic = Some(panic);
        let at = self.plan.at;
        self.stop(legs, |other, leg| {
            if other != index {
                leg.ask(CancelKind::SiblingFailed, "another branch panicked", at)
            }
        })
    }

    /// Asks whom `ask` chooses to stop. True: they have to be polled again.
    fn stop<L: Legs<C> + ?Sized>(&self, legs: &mut L, ask: impl FnMut(usize, &dyn Member<C>)) -> bool {
        if types::seeded!("race.loser-not-asked") {
            return false;
        }
        each(legs, ask);
        !types::seeded!("race.loser-not-polled")
    }

    /// A success stays open until the race is decided, since only an open branch can win it.
    fn drained<L: Legs<C> + ?Sized>(&mut self, legs: &mut L, index: usize) {
        let leg = legs.leg(index);
        if self.tally.is_decided() || !self.plan.race || !leg.has_succeeded() {
            leg.close()
        }
    }
}

fn each<C, L: Legs<C> + ?Sized>(legs: &mut L, mut f: impl FnMut(usize, &dyn Member<C>)) {
    for index in 0..legs.len() {
        f(index, legs.leg(index))
    }
}
