//! What the lock promises, against a naive model under random operations.

use std::task::Waker;

use super::*;
use crate::wakes::counter::{Counter, Random};

/// Who holds or waits, in the order of their coming.
struct Party {
    mode: Mode,
    node: WaitNode,
    holds: bool,
}

/// Whether `mode` may be beside those who hold.
fn compatible(parties: &[Party], mode: Mode) -> bool {
    parties.iter().filter(|one| one.holds).all(|one| match (one.mode, mode) {
        (Mode::Write, _) | (_, Mode::Write) => false,
        (Mode::Upgradable, Mode::Upgradable) => false,
        (Mode::Read | Mode::Upgradable, _) => true,
    })
}

/// Lets the line in as far as it goes.
fn admit(parties: &mut [Party]) {
    while let Some(first) = parties.iter().position(|one| !one.holds)
        && compatible(parties, parties[first].mode)
    {
        parties[first].holds = true;
    }
}

#[test]
fn who_holds_the_lock_is_as_in_a_naive_one() {
    for seed in 0..400_u64 {
        let (mut random, share) = (Random(seed), Share::<Waker>::default());
        let (counter, mut parties) = (Counter::new(), Vec::<Party>::new());
        for _ in 0..120 {
            if random.below(2) == 0 && parties.len() < 8 {
                let mode = MODES[[0, 0, 1, 2][random.below(4) as usize]];
                let mut party = Party { mode, node: WaitNode::new(), holds: false };
                let holds = share.poll_acquire(&mut party.node, mode, || counter.waker()).is_ready();
                parties.push(party);
                admit(&mut parties);
                assert_eq!(holds, parties.last().is_some_and(|one| one.holds));
            } else if !parties.is_empty() {
                let which = random.below(parties.len() as u64) as usize;
                let mut party = parties.remove(which);
                if party.node.is_queued() && random.below(2) == 0 {
                    // It gives up, also if it was let in meanwhile.
                    share.cancel(&mut party.node);
                } else if party.node.is_queued() {
                    let polled = share.poll_acquire(&mut party.node, party.mode, || counter.waker());
                    assert_eq!(polled.is_ready(), party.holds);
                    parties.insert(which, party);
                } else {
                    share.release(party.mode);
                }
                admit(&mut parties);
            }
            let held = |mode| parties.iter().filter(|one| one.holds && one.mode == mode).count();
            let special = [Mode::Write, Mode::Upgradable].into_iter().find(|mode| held(*mode) == 1);
            assert_eq!(share.holders(), (held(Mode::Read), special));
        }
        for party in &mut parties {
            share.cancel(&mut party.node);
        }
        assert_eq!(counter.stored(), 0);
    }
}

#[test]
fn an_upgrade_goes_before_the_line_and_may_be_given_up() {
    let (share, counter) = (Share::<Waker>::default(), Counter::new());
    assert!(share.try_acquire(Mode::Read) && share.try_acquire(Mode::Upgradable));
    let (mut writer, mut reader) = (WaitNode::new(), WaitNode::new());
    assert!(share.poll_upgrade(|| counter.waker()).is_pending());
    assert!(share.poll_acquire(&mut reader, Mode::Read, || counter.waker()).is_pending());
    share.cancel_upgrade();
    assert!(share.poll_acquire(&mut reader, Mode::Read, || counter.waker()).is_ready());
    assert!(share.poll_acquire(&mut writer, Mode::Write, || counter.waker()).is_pending());
    assert!(share.poll_upgrade(|| counter.waker()).is_pending());
    share.release(Mode::Read);
    share.release(Mode::Read);
    assert_eq!(share.holders(), (0, Some(Mode::Write)));
    // Given up at the last moment: it's the upgradable holder again.
    share.cancel_upgrade();
    assert_eq!(share.holders(), (0, Some(Mode::Upgradable)));
    assert!(share.poll_upgrade(|| counter.waker()).is_ready());
    share.downgrade();
    share.release(Mode::Read);
    assert!(share.poll_acquire(&mut writer, Mode::Write, || counter.waker()).is_ready());
}

#[test]
fn an_upgrade_that_is_tried_is_had_by_who_is_alone_whoever_waits() {
    let (share, counter) = (Share::<Waker>::default(), Counter::new());
    assert!(share.try_acquire(Mode::Read) && share.try_acquire(Mode::Upgradable));
    assert!(!share.try_upgrade() && share.holders() == (1, Some(Mode::Upgradable)));
    let (mut writer, mut reader) = (WaitNode::new(), WaitNode::new());
    assert!(share.poll_acquire(&mut writer, Mode::Write, || counter.waker()).is_pending());
    assert!(share.poll_acquire(&mut reader, Mode::Read, || counter.waker()).is_pending());
    assert!(!share.try_upgrade());
    share.release(Mode::Read);
    assert!(share.try_upgrade() && share.holders() == (0, Some(Mode::Write)));
    assert_eq!(counter.wakes(), 0);
    share.release(Mode::Write);
    assert!(share.poll_acquire(&mut writer, Mode::Write, || counter.waker()).is_ready());
    share.release(Mode::Write);
    assert!(share.poll_acquire(&mut reader, Mode::Read, || counter.waker()).is_ready());
    share.release(Mode::Read);
    assert_eq!((share.holders(), counter.stored()), ((0, None), 0));
}

#[test]
#[should_panic(expected = "a lock was given up that nobody held")]
fn what_nobody_holds_cannot_be_given_up() {
    Share::<Waker>::default().release(Mode::Read);
}
