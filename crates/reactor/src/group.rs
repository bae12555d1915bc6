//! [`Reactor`]: the drivers of one runtime, and which of them belongs to the current thread.
//!
//! A source registers on the driver of the worker that first has to wait for it, so that its events come to where its
//! task ran last. The engine says which driver is a thread's ([`Reactor::enter`]); a thread that never entered uses
//! driver 0. That is a hint and no authority: every driver serves every source of its reactor.
//!
//! Not here: moving a source whose task moved for good; when to turn.

#[cfg(target_os = "linux")]
mod raw;

use crate::Driver;
use std::cell::Cell;
use std::io;
use std::marker::PhantomData;
use std::time::Duration;

thread_local! {
    /// The driver of this thread, by index. `const` and without a destructor: readable at any time of a thread's life.
    static HOME: Cell<usize> = const { Cell::new(0) };
}

/// One driver for each worker. Sockets hold on to it, so it lives as long as the last of them.
///
/// # Panics
/// Every method that takes a worker's index panics when there is no such worker.
#[derive(Debug)]
pub struct Reactor {
    drivers: Box<[Driver]>,
}

impl Reactor {
    /// As many drivers as there are workers; at least one.
    ///
    /// # Errors
    /// As [`Driver::new`].
    pub fn new(workers: usize) -> io::Result<Reactor> {
        let drivers = (0..workers.max(1)).map(|_| Driver::new()).collect::<io::Result<_>>()?;
        Ok(Reactor { drivers })
    }

    /// The driver of a worker.
    pub fn driver(&self, worker: usize) -> &Driver {
        &self.drivers[worker]
    }

    /// How many drivers there are.
    pub fn workers(&self) -> usize {
        self.drivers.len()
    }

    /// As [`Driver::turn`], for workers, who could do nothing about an error.
    ///
    /// # Panics
    /// When the system's wait fails, which says that something in this process closed a descriptor that isn't its own.
    pub fn turn(&self, worker: usize, timeout: Option<Duration>, max_events: usize) {
        if let Err(error) = self.driver(worker).turn(timeout, max_events) {
            broken(error)
        }
    }

    /// As [`Driver::try_turn`]: nothing happens while another thread is turning that driver.
    ///
    /// # Panics
    /// As [`turn`](Self::turn).
    pub fn try_turn(&self, worker: usize, max_events: usize) {
        if let Some(Err(error)) = self.driver(worker).try_turn(max_events) {
            broken(error)
        }
    }

    /// As [`Driver::unpark`].
    pub fn unpark(&self, worker: usize) {
        self.driver(worker).unpark()
    }

    /// As [`Driver::sources`].
    pub fn sources(&self, worker: usize) -> usize {
        self.driver(worker).sources()
    }

    /// Says that the driver of this worker is the current thread's, until the guard is dropped.
    pub fn enter(&self, worker: usize) -> Entered {
        assert!(
            worker < self.drivers.len(),
            "there are {} workers, none has index {worker}",
            self.drivers.len()
        );
        Entered { before: HOME.replace(worker), here: PhantomData }
    }

    /// The worker whose driver a source gets that registers on this thread. A thread of another runtime may have a
    /// number that this one lacks.
    pub(crate) fn home(&self) -> usize {
        let home = HOME.get();
        if home < self.drivers.len() { home } else { 0 }
    }
}

#[cold]
fn broken(error: io::Error) -> ! {
    panic!("the queue of readiness events is broken: {error}")
}

/// While this lives, its thread has a driver. Bound to the thread.
#[derive(Debug)]
#[must_use = "the thread leaves the driver when this is dropped"]
pub struct Entered {
    before: usize,
    here: PhantomData<*const ()>,
}

impl Drop for Entered {
    fn drop(&mut self) {
        HOME.set(self.before);
    }
}

/// Has the kernel end this thread's timed waits as soon as it can (1 ns of slack), where it would otherwise gather them
/// over 50 us. Does nothing where there is no such setting.
pub fn precise_timers() {
    #[cfg(target_os = "linux")]
    raw::least_timer_slack();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_thread_is_at_home_where_it_entered_last_and_has_not_left() {
        let reactor = Reactor::new(3).expect("drivers");
        assert_eq!(reactor.home(), 0);
        let outer = reactor.enter(2);
        assert_eq!(reactor.home(), 2);
        {
            let _inner = reactor.enter(1);
            assert_eq!(reactor.home(), 1);
        }
        assert_eq!(reactor.home(), 2);
        drop(outer);
        assert_eq!(reactor.home(), 0);
    }

    #[test]
    fn a_thread_of_a_larger_runtime_uses_driver_zero() {
        let (large, small) = (Reactor::new(2).expect("drivers"), Reactor::new(0).expect("a driver"));
        let _entered = large.enter(1);
        assert_eq!((small.home(), small.workers()), (0, 1));
    }
}
