//! [`Classified`]: any scheduler, and the class of each execution it led to.
use crate::fingerprint::{Fingerprint, Fingerprinter};
use crate::sample::Decisions;
use crate::scheduler::{Crowd, Ended, Point, Scheduler, Step};
use trace::Choice;

/// Passes every question on to the scheduler inside, and takes the execution's fingerprint. Cost: the vector clock of
/// each step.
#[derive(Debug, Default)]
pub struct Classified<S> {
    inner: S,
    class: Fingerprinter,
}

impl<S> Classified<S> {
    /// Takes the fingerprints of what `inner` decides.
    pub fn new(inner: S) -> Classified<S> {
        Classified { inner, class: Fingerprinter::new() }
    }

    /// The class of the execution that ran last.
    pub fn class(&self) -> Fingerprint {
        self.class.fingerprint()
    }

    /// The scheduler inside.
    pub fn inner(&self) -> &S {
        &self.inner
    }

    /// The scheduler inside.
    pub fn inner_mut(&mut self) -> &mut S {
        &mut self.inner
    }
}

impl<S: Scheduler> Scheduler for Classified<S> {
    fn begin(&mut self) {
        self.class.begin();
        self.inner.begin()
    }

    fn pick(&mut self, point: &Point<'_>) -> Option<usize> {
        self.inner.pick(point)
    }

    fn pick_unlisted(&mut self, crowd: &dyn Crowd) -> Option<usize> {
        self.inner.pick_unlisted(crowd)
    }

    fn choose(&mut self, what: Choice, options: u32, usual: u32) -> u32 {
        let taken = self.inner.choose(what, options, usual);
        self.class.chose(taken);
        taken
    }

    fn ran(&mut self, step: &Step<'_>) {
        self.class.ran(step);
        self.inner.ran(step)
    }

    fn ended(&mut self, how: &Ended<'_>) {
        self.inner.ended(how)
    }

    fn decided(&self) -> Option<Decisions> {
        self.inner.decided()
    }
}
