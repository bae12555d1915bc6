//! The lane pick: its shape in examples, and the theorem by enumeration of all credit states.

use std::collections::VecDeque;
use std::vec;
use std::vec::Vec;

use proptest::prelude::*;

use super::*;

const ALL: [Lane; 5] = [Lane::Cancel, Lane::Timed, Lane::Lifo, Lane::Ready, Lane::Inject];

/// With seeded bugs in the build, a test that expects none waits for those that select one.
fn clean<R>(test: impl FnOnce() -> R) -> R {
    #[cfg(any(asupersync_seeded, loom))]
    return types::seeded::clean(test);
    #[cfg(not(any(asupersync_seeded, loom)))]
    return test();
}

fn view_of(lanes: &[Lane]) -> LaneView {
    LaneView {
        cancel: lanes.contains(&Lane::Cancel),
        timed: lanes.contains(&Lane::Timed),
        lifo: lanes.contains(&Lane::Lifo),
        ready: lanes.contains(&Lane::Ready),
        inject: lanes.contains(&Lane::Inject),
    }
}

/// The picks of a worker whose lanes never change, as one letter each.
fn picks(lanes: &[Lane], count: usize) -> std::string::String {
    let mut credits = Credits::default();
    let letter = |lane| match lane {
        Lane::Cancel => 'C',
        Lane::Timed => 'T',
        Lane::Lifo => 'L',
        Lane::Ready => 'R',
        Lane::Inject => 'I',
    };
    (0..count).map_while(|_| pick(&mut credits, view_of(lanes))).map(letter).collect()
}

#[test]
fn a_round_is_twelve_cancel_four_timed_one_ready() {
    clean(|| {
        let lanes = [Lane::Cancel, Lane::Timed, Lane::Ready];
        assert_eq!(picks(&lanes, 34), "CCCCCCCCCCCCTTTTRCCCCCCCCCCCCTTTTR");
    });
}

#[test]
fn without_ready_tasks_the_urgent_lanes_alternate_by_their_credits() {
    clean(|| assert_eq!(picks(&[Lane::Cancel, Lane::Timed], 20), "CCCCCCCCCCCCTTTTCCCC"));
}

#[test]
fn a_lone_lane_is_served_without_a_pause() {
    clean(|| {
        for (lane, letter) in ALL.into_iter().zip(["C", "T", "L", "R", "I"]) {
            assert_eq!(picks(&[lane], 200), letter.repeat(200));
        }
    });
}

#[test]
fn the_lifo_slot_yields_to_the_queue_after_sixteen_in_a_row() {
    clean(|| {
        let expected = std::format!("{0}R{0}R", "L".repeat(16));
        assert_eq!(picks(&[Lane::Lifo, Lane::Ready], 34), expected);
    });
}

#[test]
fn a_task_that_arrives_after_a_long_lifo_run_is_next() {
    clean(|| {
        let mut credits = Credits::default();
        for _ in 0..40 {
            assert_eq!(pick(&mut credits, view_of(&[Lane::Lifo])), Some(Lane::Lifo));
        }
        assert_eq!(pick(&mut credits, view_of(&[Lane::Lifo, Lane::Ready])), Some(Lane::Ready));
    });
}

#[test]
fn the_injector_is_every_sixty_first_dispatch_of_a_busy_worker() {
    clean(|| {
        let expected = std::format!("{0}I{0}I", "R".repeat(60));
        assert_eq!(picks(&[Lane::Ready, Lane::Inject], 122), expected);
    });
}

#[test]
fn the_turn_of_the_injector_does_not_lengthen_the_round() {
    clean(|| {
        let all = picks(&ALL, 610);
        let rounds = all.replace('I', "");
        assert_eq!(all.len() - rounds.len(), 10);
        assert!(
            rounds
                .as_bytes()
                .chunks_exact(17)
                .all(|round| { &round[..16] == b"CCCCCCCCCCCCTTTT" && matches!(round[16], b'L' | b'R') })
        );
    });
}

/// Two schedulers that were written twice would drift apart unseen: there is one pick, and both engines call it.
#[test]
fn sched_one_pick_the_workers_and_the_lab_call_the_same_function() {
    let worker = include_str!("../worker.rs");
    let lab = include_str!("../../../lab/src/engine/lanes.rs");
    for (engine, import, text) in
        [("the worker", "use crate::lanes::{", worker), ("the lab", "use sched::lanes::{", lab)]
    {
        let imported = text.lines().any(|line| line.starts_with(import) && line.contains("pick}"));
        assert!(imported, "{engine} doesn't import the pick");
        assert_eq!(text.matches(" pick(&mut ").count(), 1, "{engine} picks in one place");
        assert!(!text.contains("fn pick"), "{engine} has a pick of its own");
    }
}

#[test]
fn nothing_is_picked_when_nothing_waits() {
    clean(|| {
        for credits in all_credits() {
            let mut after = credits;
            assert_eq!(pick(&mut after, LaneView::default()), None);
            assert_eq!(after, credits);
        }
    });
}

#[test]
fn something_that_waits_is_picked_whenever_anything_waits() {
    clean(|| {
        for credits in all_credits() {
            for view in all_views() {
                let lane = pick(&mut credits.clone(), view);
                let waiting = ALL.into_iter().filter(|&lane| has(view, lane)).count();
                assert_eq!(lane.is_some(), waiting > 0);
                assert!(lane.is_none_or(|lane| has(view, lane)), "picked an empty lane");
            }
        }
    });
}

#[test]
fn the_longest_wait_over_all_states_and_arrivals_is_exactly_the_bound() {
    clean(|| {
        for lane in ALL {
            for (position, longest) in longest_waits(lane, levels(lane)).into_iter().enumerate() {
                let bound = lane.wait_bound(position as u64);
                assert_eq!(longest, Some(bound), "{lane:?} at position {position}");
            }
        }
    });
}

#[cfg(any(asupersync_seeded, loom))]
#[test]
fn mutant_lifo_uncapped_is_killed() {
    let longest = types::seeded::with("lanes.lifo-uncapped", || longest_waits(Lane::Ready, 1));
    assert_eq!(longest, [None], "an uncapped LIFO slot starves the queue");
}

#[cfg(any(asupersync_seeded, loom))]
#[test]
fn mutant_cancel_on_the_house_is_killed() {
    let longest = types::seeded::with("lanes.cancel-on-the-house", || longest_waits(Lane::Timed, 1));
    assert_eq!(longest, [None], "a cancel lane without credits starves the others");
}

/// One position more than a round serves of the lane, so that each period is entered once.
fn levels(lane: Lane) -> usize {
    match lane {
        Lane::Cancel => 13,
        Lane::Timed => 5,
        Lane::Lifo => 1,
        Lane::Ready | Lane::Inject => 2,
    }
}

/// For each position the longest wait in `lane`, over all credit states to start from and all
/// ways in which the other lanes fill and empty; `None` when some pattern starves the task.
fn longest_waits(lane: Lane, positions: usize) -> Vec<Option<u64>> {
    // Bit 31 marks a state on the path under exploration: meeting it again is a cycle, that is, an
    // arrival pattern that goes on for ever.
    const UNKNOWN: u32 = u32::MAX;
    const OPEN: u32 = u32::MAX - 1;

    fn longest(lane: Lane, credits: Credits, below: Option<&[u32]>, known: &mut [u32]) -> Option<u32> {
        match known[index(credits)] {
            OPEN => return None,
            UNKNOWN => {}
            wait => return Some(wait),
        }
        known[index(credits)] = OPEN;
        let mut worst = 0;
        for view in all_views().filter(|&view| has(view, lane)) {
            let mut after = credits;
            let picked = pick(&mut after, view)?;
            let wait = match below {
                _ if picked != lane => 1 + longest(lane, after, below, known)?,
                // Ours is the next of its lane: this is its dispatch.
                None => 0,
                Some(below) => 1 + below[index(after)],
            };
            worst = worst.max(wait);
        }
        known[index(credits)] = worst;
        Some(worst)
    }

    let mut below: Option<Vec<u32>> = None;
    let mut longest_by_position = vec![];
    for _ in 0..positions {
        let mut known = vec![UNKNOWN; STATES];
        let mut worst = Some(0);
        for credits in all_credits() {
            let wait = longest(lane, credits, below.as_deref(), &mut known);
            worst = worst.zip(wait).map(|(a, b)| a.max(b));
            if worst.is_none() {
                longest_by_position.push(None);
                return longest_by_position;
            }
        }
        longest_by_position.push(worst.map(u64::from));
        below = Some(known);
    }
    longest_by_position
}

const STATES: usize = 13 * 5 * 17 * 61;

fn index(credits: Credits) -> usize {
    let Credits { cancel, timed, lifo_run, since_inject } = credits;
    ((usize::from(cancel) * 5 + usize::from(timed)) * 17 + usize::from(lifo_run)) * 61
        + usize::from(since_inject)
}

fn all_credits() -> impl Iterator<Item = Credits> {
    (0..STATES).map(|i| Credits {
        since_inject: (i % 61) as u8,
        lifo_run: (i / 61 % 17) as u8,
        timed: (i / (61 * 17) % 5) as u8,
        cancel: (i / (61 * 17 * 5)) as u8,
    })
}

fn all_views() -> impl Iterator<Item = LaneView> {
    (0..32_u8).map(|bits| LaneView {
        cancel: bits & 1 != 0,
        timed: bits & 2 != 0,
        lifo: bits & 4 != 0,
        ready: bits & 8 != 0,
        inject: bits & 16 != 0,
    })
}

fn has(view: LaneView, lane: Lane) -> bool {
    match lane {
        Lane::Cancel => view.cancel,
        Lane::Timed => view.timed,
        Lane::Lifo => view.lifo,
        Lane::Ready => view.ready,
        Lane::Inject => view.inject,
    }
}

/// A worker's lanes with real queues: each task knows by which dispatch it must have run.
#[derive(Default)]
struct Bench {
    credits: Credits,
    dispatches: u64,
    lanes: [VecDeque<u64>; 5],
}

impl Bench {
    fn arrive(&mut self, lane: Lane) {
        if lane == Lane::Lifo && !self.lanes[lane as usize].is_empty() {
            // The task in the slot is replaced and starts a new wait in the queue.
            self.lanes[lane as usize].clear();
            self.arrive(Lane::Ready);
        }
        let position = self.lanes[lane as usize].len() as u64;
        self.lanes[lane as usize].push_back(self.dispatches + lane.wait_bound(position));
    }

    fn dispatch(&mut self) -> Result<(), TestCaseError> {
        let waiting: Vec<Lane> =
            ALL.into_iter().filter(|&lane| !self.lanes[lane as usize].is_empty()).collect();
        let Some(lane) = pick(&mut self.credits, view_of(&waiting)) else { return Ok(()) };
        let latest = self.lanes[lane as usize].pop_front().expect("only a lane with a task is picked");
        prop_assert!(self.dispatches <= latest, "{lane:?} at dispatch {} of {latest}", self.dispatches);
        self.dispatches += 1;
        Ok(())
    }
}

proptest! {
    #[test]
    fn every_task_runs_within_its_bound_whatever_arrives(
        steps in prop::collection::vec(prop::collection::vec(0_usize..5, 0..4), 0..1500)
    ) {
        clean(|| {
            let mut bench = Bench::default();
            for arrivals in steps {
                arrivals.into_iter().for_each(|lane| bench.arrive(ALL[lane]));
                bench.dispatch()?;
            }
            while bench.lanes.iter().any(|lane| !lane.is_empty()) {
                bench.dispatch()?;
            }
            Ok::<(), TestCaseError>(())
        })?;
    }
}
