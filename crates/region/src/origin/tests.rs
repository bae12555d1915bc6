//! How many regions are looked at when a deep tree ends (`origin.steps`): counted, not timed.
use crate::{Above, Body, Open, Region};
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::panic::Location;
use core::time::Duration;
use trace::RegionKind;
use types::{AfterGrace, CancelKind, Cancelled, Origin, Policy, Severity, Time};

pub(crate) fn root() -> Arc<Region> {
    Region::root(0, AfterGrace::Wait, Duration::ZERO, None, Location::caller(), Time::ZERO)
}

/// A region below this one.
pub(crate) fn opened(parent: &Arc<Region>, scopes_above: Above) -> Arc<Region> {
    let open = Open {
        policy: Policy::FailFast,
        after_grace: AfterGrace::Wait,
        grace: None,
        kind: RegionKind::Frame,
        body: Body::Outside,
        within: None,
        scopes_above,
        masks: Vec::new(),
        at: Location::caller(),
        on_failure: None,
    };
    parent.open_child(open, Time::ZERO).expect("it is open")
}

/// Regions one inside the other, the root first.
struct Deep(Vec<Arc<Region>>);

impl Deep {
    /// `scopes_above` is that of the regions below the root, by their depth.
    fn new(n: usize, mut scopes_above: impl FnMut(usize) -> Above) -> Deep {
        let mut all = Vec::from([root()]);
        for depth in 1..n {
            let child = opened(&all[depth - 1], scopes_above(depth));
            all.push(child)
        }
        Deep(all)
    }

    fn without_scopes(n: usize) -> Deep {
        Deep::new(n, |_| Above::default())
    }

    /// Looks at every region once for the request that `asked` makes for it; returns how much was looked at, and checks that
    /// the answer is always `expected`.
    fn look(&self, order: Order, expected: bool, asked: impl Fn(usize) -> Cancelled) -> usize {
        let look = |depth: usize| {
            let (above, steps) = self.0[depth].look_above(&asked(depth));
            assert_eq!(above, expected, "at {depth}");
            steps
        };
        match order {
            Order::InsideOut => (1..self.0.len()).rev().map(look).sum(),
            Order::OutsideIn => (1..self.0.len()).map(look).sum(),
        }
    }
}

impl Drop for Deep {
    /// A region and its parent hold each other while it is open.
    fn drop(&mut self) {
        self.0.iter().rev().for_each(|region| region.close(Severity::Ok))
    }
}

#[derive(Clone, Copy, Debug)]
enum Order {
    InsideOut,
    OutsideIn,
}

const ORDERS: [Order; 2] = [Order::InsideOut, Order::OutsideIn];
const N: usize = if cfg!(miri) { 200 } else { 5_000 };

#[test]
fn what_was_asked_of_the_root_is_found_once_on_the_way_up() {
    for order in ORDERS {
        let deep = Deep::without_scopes(N);
        let c = deep.0[0].next_request(CancelKind::Explicit).build();
        let steps = deep.look(order, true, |_| c.clone());
        assert!(steps < 2 * N, "{order:?}: {steps}");
    }
}

#[test]
fn a_failure_that_comes_anew_from_each_level_is_not_looked_for_further_up() {
    for order in ORDERS {
        let deep = Deep::without_scopes(N);
        let steps = deep.look(order, false, |depth| {
            let inside = depth + 1;
            match deep.0.get(inside) {
                Some(region) => region.next_request(CancelKind::ChildFailed).build(),
                None => Cancelled::new(CancelKind::Deadline, Origin { scope: 77, request: 1 })
                    .depth(deep.0[depth].depth_inside())
                    .build(),
            }
        });
        assert_eq!(steps, 0, "{order:?}");
    }
}

#[test]
fn one_whose_depth_is_unknown_is_looked_for_once() {
    for order in ORDERS {
        let deep = Deep::without_scopes(N);
        let c = Cancelled::new(CancelKind::Explicit, Origin { scope: 77, request: 1 }).build();
        let steps = deep.look(order, false, |_| c.clone());
        assert!(steps < 2 * N, "{order:?}: {steps}");
    }
}

#[test]
fn the_scopes_of_a_task_that_nests_regions_are_looked_at_once() {
    for order in ORDERS {
        let mut list = Above::default();
        let deep = Deep::new(N, |depth| {
            list = list.inside(1_000_000 + depth as u64);
            list.clone()
        });
        let c = deep.0[0].next_request(CancelKind::Explicit).build();
        let steps = deep.look(order, true, |_| c.clone());
        assert!(steps < 3 * N, "{order:?}: {steps}");
    }
}

#[test]
fn a_scope_of_a_task_is_above_what_was_opened_in_it_and_no_further_out() {
    const WITHIN: usize = 10;
    const SCOPE: u64 = 77;
    let above = |depth| if depth > WITHIN { Above::default().inside(SCOPE) } else { Above::default() };
    for order in ORDERS {
        let deep = Deep::new(2 * WITHIN, above);
        let depth = deep.0[WITHIN].depth_inside();
        let known = Cancelled::new(CancelKind::Deadline, Origin { scope: SCOPE, request: 1 });
        let request = known.depth(depth).build();
        let other = deep.0[0].next_request(CancelKind::Explicit).build();
        let mut check = |depth: usize| {
            assert_eq!(deep.0[depth].is_above(&request), depth > WITHIN, "{depth}");
            assert!(deep.0[depth].is_above(&other), "{depth}");
            // Remembering the one answer has not spoiled the other.
            assert_eq!(deep.0[depth].is_above(&request), depth > WITHIN, "{depth}");
        };
        match order {
            Order::InsideOut => (1..2 * WITHIN).rev().for_each(&mut check),
            Order::OutsideIn => (1..2 * WITHIN).for_each(&mut check),
        }
    }
}

#[test]
fn a_request_of_a_region_is_own_there_above_inside_and_neither_outside() {
    let deep = Deep::without_scopes(9);
    let c = deep.0[4].next_request(CancelKind::Explicit).build();
    for (depth, region) in deep.0.iter().enumerate() {
        let own = region.is_own(c.origin().scope);
        assert_eq!((own, region.is_above(&c)), (depth == 4, depth > 4), "{depth}");
        assert!(region.is_above(&Cancelled::new(CancelKind::Shutdown, Origin::OUTSIDE).build()));
    }
}

/// What is remembered of a region is no answer for its members, whose identities are made of its own.
#[test]
fn that_a_region_is_not_above_says_nothing_of_its_members() {
    let root = root();
    let (one, other) = (opened(&root, Above::default()), opened(&root, Above::default()));
    let asked = |scope| Cancelled::new(CancelKind::Explicit, Origin { scope, request: 1 }).build();
    assert!(!one.is_above(&asked(other.id().as_u64())));
    for index in 0..3 {
        assert!(!one.is_above(&asked(crate::task_id(other.id(), index).as_u64())), "member {index}");
    }
    [one, other, root].iter().for_each(|region| region.close(Severity::Ok))
}
