//! Plans: what they end in, how long they take beside what was foretold, and that rewriting them changes neither what they
//! may end in nor makes them slower.
#[path = "worlds.rs"]
mod worlds;

use asupersync_combinator::plan::{Estimate, Law, Plan, Simplified};
use asupersync_combinator::{CombineExt, Hedge};
use cx::Cx;
use lab::{LabConfig, LabRuntime};
use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::SeqCst};
use std::time::Duration;
use sync::event::Event;
use sync::shared::Shared;
use time::TimeExt;
use types::{CancelKind, Never, Res, Stop, Time};
use worlds::{End, Failed, end, outcomes, swept};

const fn ms(n: u64) -> Duration {
    Duration::from_millis(n)
}

/// SplitMix64.
#[derive(Clone)]
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (z ^ (z >> 31)) % sides
    }

    /// Some milliseconds and a fraction, so that no two things happen at the same instant by accident.
    fn span(&mut self) -> Duration {
        Duration::from_nanos(1_000_000 * self.roll(12) + 1 + self.roll(999_983))
    }
}

/// A random plan, before it has bodies.
#[derive(Clone, Debug)]
enum Shape {
    Done,
    Never,
    /// Waits for its arrival; the order of arrivals is the schedule's.
    Arrival {
        which: usize,
        name: u8,
        fails: bool,
    },
    Sleep {
        takes: Duration,
        cleanup: Duration,
        name: u8,
        fails: bool,
    },
    Sequence(Vec<Shape>),
    Join(Vec<Shape>),
    Race(Vec<Shape>),
    FirstOk(Vec<Shape>),
    Timeout(Duration, Box<Shape>),
    Retry(u32, Duration, Box<Shape>),
    Hedge(Hedge, Vec<Shape>),
}

/// How many leaves there are, and which of them wait for an arrival.
#[derive(Default)]
struct Names {
    leaves: u8,
    arrivals: usize,
}

/// `fresh`: it begins with the plan. Only then may a leaf wait for an arrival: of two that had come before they began, or of
/// two leaves that wait for the same one, either may be first, and which one it is says nothing.
fn shape(dice: &mut Dice, depth: u32, fresh: bool, names: &mut Names) -> Shape {
    if depth == 0 || dice.roll(5) == 0 {
        names.leaves += 1;
        let (name, fails) = (b'a' + names.leaves - 1, dice.roll(4) == 0);
        return match dice.roll(12) {
            0 => Shape::Done,
            1 => Shape::Never,
            2..=9 if fresh && names.arrivals < ARRIVALS => {
                names.arrivals += 1;
                Shape::Arrival { which: names.arrivals - 1, name, fails }
            }
            _ => {
                let cleanup = if dice.roll(2) == 0 { Duration::ZERO } else { dice.span() };
                Shape::Sleep { takes: dice.span(), cleanup, name, fails }
            }
        };
    }
    // How many there are at least, and whether those after the first begin with it.
    let mut some = |dice: &mut Dice, least: u64, at_once: bool| -> Vec<Shape> {
        let many = least + dice.roll(3);
        (0..many).map(|n| shape(dice, depth - 1, fresh && (n == 0 || at_once), names)).collect()
    };
    match dice.roll(8) {
        0 => Shape::Sequence(some(dice, 0, false)),
        1 => Shape::Join(some(dice, 0, true)),
        2 => Shape::Race(some(dice, 0, true)),
        3 => Shape::FirstOk(some(dice, 1, true)),
        4 => {
            let how = Hedge::after(dice.span());
            let how = if dice.roll(2) == 0 { how } else { how.at_most(1 + dice.roll(2) as usize) };
            Shape::Hedge(how, some(dice, 1, false))
        }
        5 => {
            let (attempts, pause) = (1 + dice.roll(2) as u32, dice.span());
            let of = shape(dice, depth - 1, false, names);
            // Now and then a retry of a retry with the same pause, about which there is a law.
            let of = if dice.roll(3) == 0 { Shape::Retry(2, pause, Box::new(of)) } else { of };
            Shape::Retry(attempts, pause, Box::new(of))
        }
        _ => Shape::Timeout(dice.span(), Box::new(shape(dice, depth - 1, fresh, names))),
    }
}

const ARRIVALS: usize = 3;
type Arrivals = [Arc<Event>; ARRIVALS];

fn arrivals() -> Arrivals {
    std::array::from_fn(|_| Arc::new(Event::new(false)))
}

impl Shape {
    fn plan(&self, arrivals: &Arrivals, runs: &Arc<AtomicU64>) -> Plan<u8, Failed> {
        let each = |of: &[Shape]| of.iter().map(|of| of.plan(arrivals, runs)).collect::<Vec<_>>();
        let runs_of = runs.clone();
        match self {
            Shape::Done => Plan::done(),
            Shape::Never => Plan::never(),
            &Shape::Arrival { which, name, fails } => {
                let event = arrivals[which].clone();
                let body = async move |cx: &mut Cx| -> Res<u8, Failed> {
                    runs_of.fetch_add(1, SeqCst);
                    event.wait(cx).await.map_err(Stop::Cancelled)?;
                    if fails { Err(Stop::Err(Failed(name.into()))) } else { Ok(name) }
                };
                // In the time of a lab, whatever waits for tasks alone takes none.
                Plan::leaf(char::from(name).to_string(), Estimate::at_most(Duration::ZERO), body)
            }
            &Shape::Sleep { takes, cleanup, name, fails } => {
                let body = async move |cx: &mut Cx| -> Res<u8, Failed> {
                    runs_of.fetch_add(1, SeqCst);
                    if let Err(c) = cx.sleep(takes).await {
                        cx.masked(async |cx| cx.sleep(cleanup).await).await?;
                        return Err(Stop::Cancelled(c));
                    }
                    if fails { Err(Stop::Err(Failed(name.into()))) } else { Ok(name) }
                };
                Plan::leaf(char::from(name).to_string(), Estimate::at_most(takes).cleanup(cleanup), body)
            }
            Shape::Sequence(of) => Plan::sequence(each(of)),
            Shape::Join(of) => Plan::join(each(of)),
            Shape::Race(of) => Plan::race(each(of)),
            Shape::FirstOk(of) => Plan::first_ok(each(of)),
            Shape::Timeout(span, of) => of.plan(arrivals, runs).timeout(*span),
            Shape::Retry(attempts, pause, of) => of.plan(arrivals, runs).retry(*attempts, *pause),
            Shape::Hedge(how, of) => Plan::hedge(*how, each(of)),
        }
    }
}

/// Whether somebody asks the plan to stop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Request {
    Never,
    /// At the instant of the arrivals.
    AtOnce,
    After(Duration),
}

type Rewriting = fn(Plan<u8, Failed>) -> Plan<u8, Failed>;

/// What a plan of this shape may end in. It takes no longer, and runs no more bodies, than was foretold.
#[track_caller]
fn ends(shape: &Shape, request: Request, rewriting: Rewriting) -> BTreeSet<End<Vec<u8>>> {
    outcomes(async move |cx: &mut Cx| {
        let arrivals = arrivals();
        let arrived = Arc::new(Shared::new(0));
        for event in arrivals.clone() {
            let arrived = arrived.clone();
            cx.spawn(async move |cx: &mut Cx| {
                cx.step().await;
                arrived.write(|n| *n += 1);
                event.set();
            });
        }
        let runs = Arc::new(AtomicU64::new(0));
        let plan = rewriting(shape.plan(&arrivals, &runs));
        let began = cx.now();
        let its = plan.clone();
        // However it ends, its siblings are not stopped for it.
        let mut task = cx.spawn(async move |cx: &mut Cx| -> Result<_, Never> {
            // What never ends by itself is asked to after a while, which no plan is worse off for.
            Ok(end(cx.timeout(ms(10_000), async |cx| its.run(cx).await).await))
        });
        match request {
            Request::Never => {}
            Request::AtOnce => {
                cx.step().await;
                arrived.write(|n| *n += 1);
                task.cancel("enough");
            }
            Request::After(span) => {
                cx.sleep(span).await.unwrap();
                task.cancel("enough");
            }
        }
        let asked = cx.now();
        let end = task.join(cx).await.unwrap();
        let (now, worst) = (cx.now(), plan.worst_case());
        let bound = match request {
            Request::Never => worst.time.map(|time| began + time),
            Request::AtOnce | Request::After(_) => Some(asked + worst.cleanup),
        };
        if let Some(bound) = bound {
            assert!(now <= bound, "it ended at {now}, and at {bound} in the worst case of\n{plan}");
        }
        assert!(runs.load(SeqCst) <= worst.runs, "more runs than {} of\n{plan}", worst.runs);
        end
    })
}

#[test]
pub(crate) fn random_plans_end_as_their_simplified_forms_do_on_every_schedule() {
    let mut laws = BTreeSet::new();
    let (mut rewritten, mut several) = (0, 0);
    for seed in 0..250 {
        let shape = shape(&mut Dice(seed), 3, true, &mut Names::default());
        let nothing = arrivals();
        let Simplified { plan, laws: these } = shape.plan(&nothing, &Arc::default()).simplified();
        assert!(plan.simplified().laws.is_empty(), "seed {seed}: not as simple as it can be\n{plan}");
        if these.is_empty() {
            continue;
        }
        let late = Request::After(Dice(!seed).span());
        for request in [Request::Never, Request::AtOnce, late] {
            let before = ends(&shape, request, |plan| plan);
            let after = ends(&shape, request, |plan| plan.simplified().plan);
            let named: BTreeSet<String> = these.iter().map(Law::to_string).collect();
            // What takes no step at all ends before anybody else could; in a plan around it, once that has closed.
            let instant = format!("{shape:?}").contains("Done");
            assert!(
                if instant { after.is_subset(&before) } else { after == before },
                "seed {seed}, request {request:?}: {named:?} change\n{shape:#?}\ninto\n{plan}\n\
                 {before:?} became {after:?}"
            );
            several += u32::from(before.len() > 1);
        }
        rewritten += 1;
        laws.extend(these);
    }
    assert!(rewritten > 150 && several >= 8, "{rewritten} rewritten, {several} with several outcomes");
    assert_eq!(laws.len(), 9, "each law was put to the test: {laws:?}");
}

#[test]
fn no_plan_takes_longer_or_runs_more_bodies_than_was_foretold() {
    for seed in 1000..1060 {
        let shape = shape(&mut Dice(seed), 3, true, &mut Names::default());
        ends(&shape, Request::Never, |plan| plan);
        ends(&shape, Request::AtOnce, |plan| plan);
        ends(&shape, Request::After(Dice(!seed).span()), |plan| plan);
    }
}

/// A leaf that takes so long.
fn leaf(name: &'static str, takes: u64) -> Plan<&'static str> {
    Plan::leaf(name, Estimate::at_most(ms(takes)), async move |cx: &mut Cx| -> Res<&'static str> {
        cx.sleep(ms(takes)).await?;
        Ok(name)
    })
}

#[test]
fn a_worst_case_is_what_its_table_says() {
    let time = |plan: Plan<&'static str>| plan.worst_case().time;
    let cleans = || {
        let estimate = Estimate::at_most(ms(10)).cleanup(ms(3));
        Plan::leaf("c", estimate, async |_: &mut Cx| -> Res<&'static str> { Ok("c") })
    };
    assert_eq!(time(Plan::done()), Some(ms(0)));
    assert_eq!(time(Plan::never()), None);
    assert_eq!(time(leaf("a", 5)), Some(ms(5)));
    assert_eq!(time(Plan::sequence([leaf("a", 5), leaf("b", 6)])), Some(ms(11)));
    assert_eq!(time(Plan::join([leaf("a", 5), cleans()])), Some(ms(13)));
    assert_eq!(time(Plan::join([cleans()])), Some(ms(10)));
    assert_eq!(time(Plan::race([leaf("a", 5), cleans(), Plan::never()])), Some(ms(8)));
    assert_eq!(time(Plan::first_ok([leaf("a", 5), Plan::never()])), None);
    assert_eq!(time(cleans().timeout(ms(10))), Some(ms(10)));
    assert_eq!(time(cleans().timeout(ms(9))), Some(ms(12)));
    assert_eq!(time(leaf("a", 5).retry(3, ms(2))), Some(ms(19)));
    let three = || [leaf("a", 10), leaf("b", 10), leaf("c", 10)];
    assert_eq!(time(Plan::hedge(Hedge::after(ms(4)), three())), Some(ms(18)));
    assert_eq!(time(Plan::hedge(Hedge::after(ms(4)).at_most(2), three())), Some(ms(20)));
    assert_eq!(time(Plan::hedge(Hedge::after(ms(4)).at_most(1), three())), Some(ms(30)));

    let worst = Plan::hedge(Hedge::after(ms(4)).at_most(2), three()).retry(5, ms(1)).worst_case();
    assert_eq!((worst.runs, worst.at_once), (15, 2));
}

#[test]
fn the_critical_path_adds_up_to_the_worst_case_and_names_its_leaves() {
    let path = |plan: Plan<&'static str>| {
        let path = plan.critical_path();
        if let Some(total) = path.total {
            assert_eq!(path.steps.iter().filter_map(|step| step.takes).sum::<Duration>(), total, "{plan}");
        }
        path.to_string()
    };
    let both = Plan::join([leaf("quick", 2), Plan::sequence([leaf("slow", 5), leaf("slower", 9)])]);
    assert_eq!(path(both), "slow, then slower: 14ms");
    assert_eq!(path(Plan::race([leaf("quick", 2), leaf("slow", 5)])), "quick: 2ms");
    assert_eq!(path(leaf("slow", 5).timeout(ms(3))), "deadline of 3ms: 3ms");
    assert_eq!(path(leaf("slow", 5).timeout(ms(9))), "slow: 5ms");
    assert_eq!(path(Plan::done()), "nothing: 0ns");
    let endless = Plan::sequence([leaf("first", 1), Plan::never(), leaf("last", 1)]);
    assert_eq!(path(endless), "first, then never: for ever, as far as anybody promises");
    let hedge = Plan::hedge(Hedge::after(ms(4)), [leaf("near", 5), leaf("far", 5)]);
    assert_eq!(path(hedge), "1 earlier attempts, then far: 9ms");
}

#[test]
fn a_simplified_plan_is_what_the_laws_make_of_it() {
    let plan = Plan::race([
        Plan::never(),
        Plan::join([
            Plan::join([leaf("a", 1), Plan::done()]),
            Plan::sequence([leaf("b", 2)]).retry(1, ms(5)).retry(2, ms(5)).retry(3, ms(5)),
            Plan::sequence([leaf("c", 3), Plan::never(), leaf("d", 4)]),
        ])
        .timeout(ms(50))
        .timeout(ms(40)),
    ]);
    let Simplified { plan, laws } = plan.simplified();
    assert_eq!(
        plan.to_string(),
        "\
timeout of 40ms
└─ join
   ├─ a (at most 1ms)
   ├─ retry, 6 attempts, 5ms apart
   │  └─ b (at most 2ms)
   └─ sequence
      ├─ c (at most 3ms)
      └─ never
"
    );
    assert!(laws.contains(&Law::ShorterTimeout) && laws.contains(&Law::RetryOfRetry), "{laws:?}");
}

#[test]
fn what_looks_like_a_law_of_first_successes_is_none() {
    // The inner one fails when its last part has, with what its first told: too late to be first outside.
    let fails = |name: u8, takes| Shape::Sleep { takes: ms(takes), cleanup: ms(0), name, fails: true };
    let nested = Shape::FirstOk(vec![Shape::FirstOk(vec![fails(b'a', 1), fails(b'b', 3)]), fails(b'c', 2)]);
    let flat = Shape::FirstOk(vec![fails(b'a', 1), fails(b'b', 3), fails(b'c', 2)]);
    assert_eq!(
        ends(&nested, Request::Never, |plan| plan.simplified().plan),
        BTreeSet::from([End::Failed('c')])
    );
    assert_eq!(
        ends(&flat, Request::Never, |plan| plan.simplified().plan),
        BTreeSet::from([End::Failed('a')])
    );
}

#[test]
pub(crate) fn a_race_whose_loser_cleans_up_for_long_may_lose_the_race_around_it() {
    let sleep =
        |name, takes, cleanup| Shape::Sleep { takes: ms(takes), cleanup: ms(cleanup), name, fails: false };
    let slow = |cleanup| {
        let inner = Shape::Race(vec![sleep(b'a', 1, 0), sleep(b'b', 9, cleanup)]);
        Shape::Race(vec![inner, sleep(b'c', 3, 0)])
    };
    let simplified = |shape: &Shape| ends(shape, Request::Never, |plan| plan.simplified().plan);
    assert_eq!(simplified(&slow(5)), BTreeSet::from([End::Ok(vec![b'c'])]));
    assert_eq!(simplified(&slow(0)), BTreeSet::from([End::Ok(vec![b'a'])]));
}

#[test]
fn a_deadline_inside_of_an_attempt_is_worth_another_and_a_request_from_outside_is_not() {
    let lab = LabRuntime::new(LabConfig::default());
    let inside = leaf("late", 5).timeout(ms(2)).retry(3, ms(1));
    let ended = lab.run(|cx| async { inside.run(cx).await });
    assert!(matches!(ended, Err(Stop::Cancelled(c)) if c.kind() == CancelKind::Deadline));
    assert_eq!(lab.now(), Time::ZERO + ms(8));

    let lab = LabRuntime::new(LabConfig::default());
    let outside = leaf("late", 5).retry(3, ms(1)).timeout(ms(2));
    assert!(lab.run(|cx| async { outside.run(cx).await }).is_err());
    assert_eq!(lab.now(), Time::ZERO + ms(2));
}

#[test]
fn a_plan_is_run_in_a_task_of_its_own_twice_and_wherever_it_is_cancelled() {
    let plan = Plan::join([
        leaf("a", 2),
        Plan::race([leaf("b", 3), leaf("c", 4)]).timeout(ms(9)),
        Plan::hedge(Hedge::after(ms(1)), [leaf("d", 5), leaf("e", 2)]).retry(2, ms(1)),
    ]);
    swept(async move |cx: &mut Cx| {
        let mut task = cx.spawn(async move |cx: &mut Cx| -> Res {
            for _ in 0..2 {
                let began = cx.now();
                let ended = plan.run(cx).await;
                assert!(cx.now().saturating_since(began) <= plan.worst_case().time.unwrap());
                assert_eq!(ended?, ["a", "b", "e"]);
            }
            Ok(())
        });
        let _ = task.join(cx).await;
    });
}
