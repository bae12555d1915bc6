//! Signals of the machine. Alone in its process, which is sent some.

use asupersync_reactor::{Reactor, SystemSignals};
use cx::port::{Signal, Signals};
use rustix::process::{self, getpid, kill_process};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::task::{Wake, Waker};

#[derive(Default)]
struct Flag(AtomicBool);

impl Wake for Flag {
    fn wake(self: Arc<Self>) {
        self.0.store(true, SeqCst);
    }
}

#[test]
fn a_signal_wakes_who_waits_for_it_and_is_counted_each_time() {
    let reactor = Arc::new(Reactor::new(1).expect("a driver"));
    let signals = SystemSignals::new(reactor.clone());
    let numbers = [
        (Signal::Interrupt, process::Signal::INT),
        (Signal::Terminate, process::Signal::TERM),
        (Signal::User1, process::Signal::USR1),
    ];
    for (signal, number) in numbers {
        for already in 0..3 {
            let flag = Arc::new(Flag::default());
            let waker = Waker::from(flag.clone());
            assert_eq!(signals.poll_count(signal, &waker), Ok(already), "{signal:?}");
            kill_process(getpid(), number).expect("sent");
            while !flag.0.load(SeqCst) {
                reactor.driver(0).turn(None, 8).expect("a turn");
            }
            assert_eq!(signals.poll_count(signal, Waker::noop()), Ok(already + 1), "{signal:?}");
        }
    }
    assert_eq!(reactor.sources(0), 1, "one pipe serves them all");
}
