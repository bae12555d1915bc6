//! [`Premises`]: what a lab is built of, apart from its run. An executor's next lab takes over what the one before has
//! left as it was, which saves building it anew thousands of times a second.
//!
//! Invariant `premises.as-new`: nothing of a run can be seen in the next one. Premises that somebody still holds a part
//! of, or in which a run did more than run tasks and set timers (the network, signals, reports, a trace, wakes from
//! other threads), are not used again.
//!
//! Not here: the run (`runtime`), what is picked (`decisions`).
use crate::config::LabConfig;
use crate::deadlock::WaitGraph;
use crate::decisions::{Asked, Decisions};
use crate::engine::Engine;
use crate::net::SimNet;
use crate::numbers::SplitStreams;
use crate::overtaking::Overtaking;
use crate::raw;
use crate::signals::LabSignals;
use crate::world::{Kept, Recorder, VirtualClock, VirtualTimers};
use cx::port::{Waits, World};
use region::Sink;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, TryLockError};
use task::engine::EngineSlot;

/// See the module.
pub(crate) struct Premises {
    // Dropped in this order: the slot, the engine.
    pub(crate) slot: EngineSlot,
    pub(crate) engine: Arc<Engine>,
    pub(crate) kept: Arc<Kept>,
    pub(crate) net: Arc<SimNet>,
    pub(crate) signals: LabSignals,
    pub(crate) numbers: Arc<SplitStreams>,
}

impl Premises {
    /// `watched`: labels are told to whoever explores on this thread.
    ///
    /// # Panics
    /// If there are more engines in this process than its table has places.
    pub(crate) fn new(config: &LabConfig, asked: Asked, watched: bool) -> Premises {
        let clock = Arc::new(VirtualClock::default());
        let listens = config.traced || watched;
        let recorder = listens.then(|| Arc::new(Recorder::new(clock.clone(), config.traced)));
        let waiting = config.traced.then(|| Arc::new(WaitGraph::default()));
        let decisions = Arc::new(Decisions::new(asked, config.traced.then(|| recorder.clone()).flatten()));
        let timers = Arc::new(VirtualTimers::new(Overtaking::new(config, decisions.clone())));
        let kept = Arc::new(Kept::default());
        let net = Arc::new(SimNet::new(config.net.clone(), clock.clone(), timers.clone(), decisions.clone()));
        let signals = LabSignals::default();
        let numbers = Arc::new(SplitStreams::new(config.seed, decisions.clone(), config.decided_numbers));
        let world = World::new(raw::HEAD, clock.clone(), timers.clone(), numbers.clone(), kept.clone())
            .with_grace(config.grace)
            .with_slow_drains_reported(config.report_slow_drains)
            .with_single_file(true)
            .with_pauses(!types::seeded!("lab.closes-part-no-step"))
            .with_unwinding(sched::engine::unwinding())
            .with_net(net.clone())
            .with_signals(Arc::new(signals.clone()))
            .with_sink(recorder.clone().map(|r| r as Arc<dyn Sink>))
            .with_waits(waiting.clone().map(|w| w as Arc<dyn Waits>));
        let engine = Arc::new(Engine::new(world, clock, timers, recorder, waiting, decisions));
        let Some(slot) = raw::register(&engine) else {
            panic!("lab: this process has {} runtimes already", task::engine::MAX_ENGINES)
        };
        Premises { slot, engine, kept, net, signals, numbers }
    }

    /// The run in it is over, with everything that belonged to it. Makes it as new, if it can.
    fn renew(&self) -> bool {
        let alone = Arc::strong_count(&self.engine) == 1
            // The lab's and the world's; the network has the clock and the timers as well.
            && Arc::strong_count(&self.kept) == 2
            && self.net.is_unused()
            && self.signals.are_unused(2);
        alone
            && self.engine.world.written_off.lock().is_empty()
            && self.kept.is_empty()
            && self.engine.renew()
    }
}

/// What an executor keeps for its next execution: on the thread of the one before.
#[derive(Default)]
pub(crate) struct Spare(Mutex<Option<Premises>>);

/// It, for an execution.
pub(crate) struct Spared<'s>(Option<MutexGuard<'s, Option<Premises>>>);

impl Spare {
    /// Nothing is there, and nothing is kept, for an execution inside of another one.
    pub(crate) fn open(&self) -> Spared<'_> {
        Spared(match self.0.try_lock() {
            Ok(kept) => Some(kept),
            Err(TryLockError::Poisoned(kept)) => Some(kept.into_inner()),
            Err(TryLockError::WouldBlock) => None,
        })
    }
}

impl Spared<'_> {
    pub(crate) fn take(&mut self) -> Option<Premises> {
        self.0.as_mut()?.take().filter(|premises| premises.engine.is_home())
    }

    /// Keeps them, if they can be used again.
    pub(crate) fn put(&mut self, premises: Premises) {
        if let Some(kept) = &mut self.0
            && premises.renew()
        {
            **kept = Some(premises)
        }
    }
}

/// Nobody shares premises.
impl Clone for Spare {
    fn clone(&self) -> Spare {
        Spare::default()
    }
}

impl fmt::Debug for Spare {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Spare")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::raw::home::Lent;
    use crate::runtime::LabRuntime;
    use crate::watch::{self, Grain};
    use cx::port::{Net, Signal};
    use std::panic::Location;

    /// Whether anything is left for the next run after one in which this was done.
    fn leaves(act: impl FnOnce(&LabRuntime)) -> bool {
        let spare = Spare::default();
        let mut spared = spare.open();
        watch::begin(Grain::Operation, &watch::Looks::default(), false);
        let config = Arc::new(LabConfig::default().traced(false));
        let lab = LabRuntime::explored(config, &mut spared, Location::caller());
        lab.lend(&mut explore::Fifo, || act(&lab));
        watch::end(false);
        lab.close(&mut spared);
        spared.take().is_some()
    }

    #[test]
    fn premises_in_which_tasks_ran_and_slept_are_used_again() {
        assert!(leaves(|lab| {
            lab.run(|cx| async {
                cx.spawn(async |cx| cx.yield_now().await);
                let hour = std::time::Duration::from_secs(3600);
                assert!(time::TimeExt::sleep(cx, hour).await.is_ok())
            });
            assert!(lab.now() > types::Time::ZERO);
        }));
    }

    #[test]
    fn premises_that_something_is_left_of_are_not() {
        assert!(!leaves(|_| {}), "its root region is open");
        let mut switch = None;
        assert!(!leaves(|lab| {
            lab.run(|_| async {});
            switch = Some(lab.signals());
        }));
        assert!(!leaves(|lab| {
            lab.raise(Signal::Interrupt);
            lab.run(|_| async {});
        }));
        assert!(!leaves(|lab| assert!(lab.try_run(|_| std::future::pending::<()>()).is_err())));
        drop(switch);
        let connected = premises();
        let _ = connected.net.connect(std::net::SocketAddr::from(([127, 0, 0, 1], 80)));
        assert!(!connected.renew());
    }

    /// Premises as a run leaves them in which nothing happened.
    fn premises() -> Premises {
        let premises = Premises::new(&LabConfig::default().traced(false), Asked::Lent(Lent::new()), true);
        premises.engine.begin(true);
        premises
    }

    #[allow(clippy::disallowed_methods, reason = "a thread stands for what is outside the lab")]
    #[test]
    fn another_thread_builds_its_own() {
        let spare = Spare::default();
        spare.open().put(premises());
        assert!(spare.open().take().is_some());
        spare.open().put(premises());
        std::thread::scope(|s| assert!(s.spawn(|| spare.open().take().is_none()).join().unwrap()));
    }
}
