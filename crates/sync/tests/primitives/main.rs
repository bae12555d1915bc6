//! A row for each primitive: small programs on every schedule there is, with the primitives' own queues and wakes in the
//! picture too, and cancelled at each checkpoint and at each pair of them. After each run values are conserved and in
//! order, waiters are gone, permits are back.
//!
//! `cargo xtask test --primitives` makes a table of these rows and of the known mistakes that the suites notice; a public
//! module of this crate without a row fails it.
//!
//! Programs bear that any of their tasks is cancelled: whoever is, says so in the books and goes on as little as it can.
#![cfg(not(loom))]

use std::sync::{Arc, Mutex};

macro_rules! proven {
    ($($test:ident: $subject:literal, $program:path;)+) => {$(
        #[test]
        fn $test() {
            let proof = lab::prove($subject, $program);
            // Two grains: more than one class for one of them at least.
            assert!(proof.explored > 2 && proof.swept > 3, "{proof}");
        }
    )+};
}

/// What became of every value.
#[derive(Clone, Default)]
struct Books(Arc<Mutex<Entries>>);

#[derive(Default)]
struct Entries {
    made: Vec<u32>,
    received: Vec<u32>,
    returned: Vec<u32>,
}

impl Books {
    /// A value that is about to be sent: `nth` of this sender.
    fn make(&self, sender: u32, nth: u32) -> u32 {
        let value = 10 * sender + nth;
        self.0.lock().unwrap().made.push(value);
        value
    }

    fn received(&self, value: u32) {
        self.0.lock().unwrap().received.push(value)
    }

    /// It was not sent, and whoever sent it knows.
    fn returned(&self, value: u32) {
        self.0.lock().unwrap().returned.push(value)
    }

    /// Every value was received or returned, once, and in the order of its sender.
    fn balance(&self) {
        let Entries { made, received, returned } = &mut *self.0.lock().unwrap();
        for sender in 0..3 {
            let of: Vec<_> = received.iter().filter(|value| **value / 10 == sender).collect();
            assert!(of.is_sorted(), "out of order: {of:?}");
        }
        let mut settled = [&received[..], &returned[..]].concat();
        settled.sort_unstable();
        made.sort_unstable();
        assert_eq!(*made, settled, "made, and received or returned");
    }
}

mod channels;
mod locks;
mod pool;
#[cfg(asupersync_seeded)]
mod seeded;
mod signals;
