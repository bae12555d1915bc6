//! [`DelayBound`]: all schedules that differ from production's by at most so many delays.
//!
//! To delay is to pass over the candidate whose turn it is; the next one's turn comes, from the last to the first.
//! Picking a candidate costs as many delays as there are candidates from production's choice up to it (Emmi, Qadeer,
//! Rakamarić, "Delay-bounded scheduling", POPL 2011). Most mistakes need one to three (Thomson, Donaldson, Betts, PPoPP
//! 2014), and what is found needs no shrinking: schedules of fewer delays are a smaller bound's.
//!
//! Invariants:
//! - `delay.complete`: every schedule within the bound is run.
//! - `delay.once`: none is run twice. Two of one class may be: there is no reduction here.
//!
//! With `n` steps and at most `c` candidates at each, a bound of `d` has at most `(n (c - 1))^d` schedules.
//!
//! Not here: classes (`dpor`), one schedule of chosen delays ([`crate::Delay`]).

use crate::scheduler::{Ended, Point, Scheduler, Step};
use crate::script::{Chosen, Script, Unrepeatable};
use trace::Choice;

/// Explores all schedules within a number of delays. Use it as a [`Scheduler`] of one execution after the other, as
/// long as [`DelayBound::next_execution`] says so. Choices inside steps are answered as usual.
///
/// Memory: the steps of one execution. Cost: a comparison for each candidate of the part that is repeated.
///
/// ```
/// use asupersync_explore::{DelayBound, mini};
///
/// let program = mini::Program::parse("La;Lb;Ub;Ua || Lb;La;Ua;Ub").unwrap();
/// let mut machine = mini::Machine::new(&program);
/// let mut deadlocks = 0;
/// let mut bound = DelayBound::new(1);
/// while bound.next_execution() {
///     deadlocks += u32::from(machine.run(&mut bound) == mini::End::Stuck);
/// }
/// assert_eq!(deadlocks, 1);
/// ```
#[derive(Clone, Debug)]
pub struct DelayBound {
    bound: usize,
    script: Script,
    /// Delays taken at each step, and what production would have picked.
    delays: Vec<usize>,
    usual: Vec<usize>,
    depth: usize,
    /// Steps before this one are repeated.
    known: usize,
    chosen: usize,
    state: State,
    explored: u64,
    divergence: Option<Box<Unrepeatable>>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum State {
    Fresh,
    Ready,
    Running,
    Ended,
    Over,
}

impl DelayBound {
    /// All schedules with at most `delays` delays.
    #[must_use]
    pub fn new(delays: usize) -> DelayBound {
        DelayBound {
            bound: delays,
            script: Script::default(),
            delays: Vec::new(),
            usual: Vec::new(),
            depth: 0,
            known: 0,
            chosen: 0,
            state: State::Fresh,
            explored: 0,
            divergence: None,
        }
    }

    /// Whether there is another execution to run; the scheduler is ready for it then.
    pub fn next_execution(&mut self) -> bool {
        let more = match self.state {
            State::Ready | State::Fresh => true,
            State::Running | State::Ended => self.divergence.is_none() && self.backtrack(),
            State::Over => false,
        };
        self.state = if more { State::Ready } else { State::Over };
        more
    }

    /// How many executions ran to their end.
    #[must_use]
    pub fn explored(&self) -> u64 {
        self.explored
    }

    /// How many delays the execution that ended had.
    #[must_use]
    pub fn delays(&self) -> usize {
        self.delays.iter().sum()
    }

    /// The first thing in which a repeated decision led to something else, after which there is no next execution.
    #[must_use]
    pub fn divergence(&self) -> Option<&Unrepeatable> {
        self.divergence.as_deref()
    }

    /// One more delay at the deepest step that allows it.
    fn backtrack(&mut self) -> bool {
        let mut spent = self.delays();
        for depth in (0..self.delays.len()).rev() {
            spent -= self.delays[depth];
            let next = self.delays[depth] + 1;
            if next < self.script.width(depth) && spent + next <= self.bound {
                let usual = self.usual[depth];
                self.script.truncate(depth, true);
                self.script.pick(((usual + next) % self.script.width(depth)) as u32);
                self.delays.truncate(depth);
                self.delays.push(next);
                self.usual.truncate(depth + 1);
                self.known = depth;
                return true;
            }
        }
        false
    }

    fn diverge(&mut self, divergence: Box<Unrepeatable>) {
        self.divergence.get_or_insert(divergence);
    }

    fn is_lost(&self) -> bool {
        self.state != State::Running || self.divergence.is_some()
    }
}

impl Scheduler for DelayBound {
    /// # Panics
    /// Unless [`DelayBound::next_execution`] has just returned `true`.
    fn begin(&mut self) {
        assert_eq!(
            self.state,
            State::Ready,
            "an execution begins after next_execution() said that there is one"
        );
        self.state = State::Running;
        self.depth = 0;
    }

    fn pick(&mut self, point: &Point<'_>) -> Option<usize> {
        if self.is_lost() {
            return None;
        }
        self.chosen = 0;
        if self.depth < self.script.len() {
            match self.script.check_point(self.depth, point.candidates) {
                Ok(()) => return self.script.picked(self.depth).map(|picked| picked as usize),
                Err(divergence) => self.diverge(divergence),
            }
            return None;
        }
        self.script.point(point.candidates);
        self.script.pick(point.usual as u32);
        self.usual.push(point.usual);
        self.delays.push(0);
        Some(point.usual)
    }

    fn choose(&mut self, what: Choice, options: u32, usual: u32) -> u32 {
        if self.is_lost() || self.depth >= self.script.len() {
            return usual;
        }
        let chosen = Chosen { what, options, taken: usual };
        if self.depth >= self.known {
            self.script.choose(chosen);
        } else if let Err(divergence) = self.script.check_choice(self.depth, self.chosen, chosen) {
            self.diverge(divergence);
        }
        self.chosen += 1;
        usual
    }

    fn ran(&mut self, step: &Step<'_>) {
        if self.is_lost() {
            return;
        }
        if self.depth == self.script.len() {
            // The world's own step: nobody was asked.
            self.script.point(&[]);
            self.usual.push(0);
            self.delays.push(0);
        }
        if self.depth >= self.known {
            self.script.ran(step);
        } else if let Err(divergence) = self.script.check_step(self.depth, step) {
            self.diverge(divergence);
        }
        self.depth += 1;
    }

    fn ended(&mut self, _: &Ended<'_>) {
        if !self.is_lost() {
            self.explored += 1;
            self.state = State::Ended;
        }
    }
}
