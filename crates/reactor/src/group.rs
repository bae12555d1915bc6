//! [`Reactor`]: the drivers of one runtime, and which of them belongs to the current thread.
//!
//! A source registers on the driver of the worker that first has to wait for it, so that its events come to where its
//! task ran last. The engine says which driver is a thread's ([`enter`]); a thread that never entered uses driver 0.
//! That is a hint and no authority: every driver serves every source of its reactor.
//!
//! Not here: moving a source whose task moved for good; turning.

use crate::Driver;
use cx::port::IoFailure;
use std::cell::Cell;
use std::marker::PhantomData;
use std::sync::Arc;

thread_local! {
    /// The driver of this thread, by index. `const` and without a destructor: readable at any time of a thread's life.
    static HOME: Cell<usize> = const { Cell::new(0) };
}

/// One driver for each worker. Sockets and signals hold on to it, so it lives as long as the last of them.
#[derive(Debug)]
pub struct Reactor {
    drivers: Box<[Driver]>,
}

impl Reactor {
    /// As many drivers as there are workers; at least one.
    ///
    /// # Errors
    /// As [`Driver::new`].
    pub fn new(workers: usize) -> Result<Arc<Reactor>, IoFailure> {
        let drivers = (0..workers.max(1)).map(|_| Driver::new()).collect::<Result<_, _>>()?;
        Ok(Arc::new(Reactor { drivers }))
    }

    /// The driver of a worker.
    ///
    /// # Panics
    /// When there is no worker of this index.
    pub fn driver(&self, index: usize) -> &Driver {
        &self.drivers[index]
    }

    /// All of them, in the order of the workers.
    pub fn drivers(&self) -> &[Driver] {
        &self.drivers
    }

    /// The index of the driver that a source gets which registers on this thread.
    pub(crate) fn home(&self) -> usize {
        let home = HOME.get();
        if home < self.drivers.len() { home } else { 0 }
    }
}

/// Says that the driver of this index is the current thread's, until the guard is dropped.
#[must_use = "the thread leaves the driver when this is dropped"]
pub fn enter(index: usize) -> Entered {
    Entered { before: HOME.replace(index), here: PhantomData }
}

/// While this lives, its thread has a driver. Bound to the thread.
#[derive(Debug)]
pub struct Entered {
    before: usize,
    here: PhantomData<*const ()>,
}

impl Drop for Entered {
    fn drop(&mut self) {
        HOME.set(self.before);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_thread_is_at_home_where_it_entered_last_and_has_not_left() {
        let reactor = Reactor::new(3).expect("drivers");
        assert_eq!(reactor.home(), 0);
        let outer = enter(2);
        assert_eq!(reactor.home(), 2);
        {
            let _inner = enter(1);
            assert_eq!(reactor.home(), 1);
        }
        assert_eq!(reactor.home(), 2);
        drop(outer);
        assert_eq!(reactor.home(), 0);
    }

    #[test]
    fn a_home_that_the_reactor_lacks_is_driver_zero() {
        let reactor = Reactor::new(0).expect("drivers");
        let _entered = enter(7);
        assert_eq!((reactor.home(), reactor.drivers().len()), (0, 1));
    }
}
