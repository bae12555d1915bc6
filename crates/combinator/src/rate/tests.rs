//! Both cores against a model that remembers every grant, and against each other.
use super::*;
use alloc::vec::Vec;
use proptest::prelude::*;

fn at(nanos: u64) -> Time {
    Time::from_nanos(nanos)
}

/// Every grant that was not given back: when, and how many tokens.
#[derive(Default)]
struct Model(Vec<(u64, u32)>);

impl Model {
    /// Whether `rate.window` would hold with this grant: for every window that begins with a grant and ends now.
    fn allows(&self, tokens: u32, now: u64, rate: Rate, burst: u32) -> bool {
        let mut sum = u128::from(tokens);
        let fits = |sum: u128, span: u64| {
            sum * rate.weight() <= u128::from(burst) * rate.weight() + u128::from(span) * rate.per_nano()
        };
        fits(sum, 0)
            && self.0.iter().rev().all(|(then, n)| {
                sum += u128::from(*n);
                fits(sum, now - then)
            })
    }
}

#[derive(Clone, Copy, Debug)]
enum Do {
    Pass(u64),
    Take(u32),
    /// Gives back one of those that are held.
    Back(usize),
}

fn step() -> impl Strategy<Value = Do> {
    prop_oneof![
        3 => (0..30_u64).prop_map(Do::Pass),
        5 => (0..6_u32).prop_map(Do::Take),
        2 => any::<usize>().prop_map(Do::Back),
    ]
}

fn granted(limit: &mut impl Limit, tokens: u32, now: u64, allowed: bool, burst: u32) -> Option<Taken> {
    match limit.take(tokens, at(now)) {
        Ok(taken) => {
            assert!(allowed, "{tokens} at {now} are too many");
            Some(taken)
        }
        Err(Limited::TooMany { burst: most }) => {
            assert!(tokens > burst && most == burst);
            None
        }
        Err(Limited::Until(_)) => {
            assert!(!allowed, "{tokens} at {now} are within the rate");
            None
        }
    }
}

proptest! {
    #[test]
    fn both_cores_grant_what_the_law_allows_and_nothing_else(
        tokens in 1..5_u32, nanos in 1..40_u64, burst in 1..6_u32, steps in proptest::collection::vec(step(), 0..80),
    ) {
        let rate = Rate::new(tokens, Duration::from_nanos(nanos));
        let (mut bucket, mut gcra) = (TokenBucket::new(rate, burst), Gcra::new(rate, burst));
        let (mut model, mut held, mut now, mut grants) = (Model::default(), Vec::new(), 0, 0_u64);
        for step in steps {
            match step {
                Do::Pass(span) => now += span,
                Do::Take(n) => {
                    let allowed = n <= burst && model.allows(n, now, rate, burst);
                    let a = granted(&mut bucket, n, now, allowed, burst);
                    let b = granted(&mut gcra, n, now, allowed, burst);
                    prop_assert_eq!(a.is_some(), b.is_some());
                    if let Some(taken) = a.zip(b) {
                        grants += 1;
                        held.push((taken, grants));
                        model.0.push((now, n));
                    }
                }
                Do::Back(which) if !held.is_empty() => {
                    let ((a, b), grant) = held.swap_remove(which % held.len());
                    let last = grant == grants;
                    prop_assert_eq!(bucket.give_back(a), last);
                    prop_assert_eq!(gcra.give_back(b), last);
                    if last {
                        model.0.pop();
                    }
                }
                Do::Back(_) => {}
            }
        }
    }

    /// Of the instant that a refusal names, both halves are true: then it is granted, and a nanosecond before it is not.
    #[test]
    fn a_refusal_names_the_first_instant_at_which_it_is_granted(
        tokens in 1..9_u32, nanos in 1..1000_u64, burst in 1..9_u32, gaps in proptest::collection::vec((0..500_u64, 1..9_u32), 1..30),
    ) {
        let rate = Rate::new(tokens, Duration::from_nanos(nanos));
        let (mut bucket, mut gcra, mut now) = (TokenBucket::new(rate, burst), Gcra::new(rate, burst), 0);
        for (gap, n) in gaps {
            now += gap;
            let refused = (bucket.take(n, at(now)).err(), gcra.take(n, at(now)).err());
            prop_assert_eq!(refused.0, refused.1);
            if let (Some(Limited::Until(then)), _) = refused {
                prop_assert!(then.as_nanos() > now);
                let just_before = at(then.as_nanos() - 1);
                prop_assert!(bucket.clone().take(n, just_before).is_err() && gcra.clone().take(n, just_before).is_err());
                prop_assert!(bucket.clone().take(n, then).is_ok() && gcra.clone().take(n, then).is_ok());
            }
        }
    }
}

#[test]
fn the_largest_rates_bursts_and_instants_do_not_overflow() {
    for rate in
        [Rate::new(u32::MAX, Duration::from_nanos(u64::MAX)), Rate::new(1, Duration::from_nanos(u64::MAX))]
    {
        let (mut bucket, mut gcra) = (TokenBucket::new(rate, u32::MAX), Gcra::new(rate, u32::MAX));
        for now in [Time::ZERO, Time::MAX] {
            assert_eq!(bucket.take(u32::MAX, now).err(), gcra.take(u32::MAX, now).err());
            assert_eq!(bucket.take(u32::MAX, now).err(), Some(Limited::Until(Time::MAX)));
            assert_eq!(gcra.take(u32::MAX, now).err(), Some(Limited::Until(Time::MAX)));
        }
    }
}

#[test]
fn an_instant_before_an_earlier_one_brings_nothing() {
    let rate = Rate::every(Duration::from_nanos(10));
    let (mut bucket, mut gcra) = (TokenBucket::new(rate, 1), Gcra::new(rate, 1));
    assert!(bucket.take(1, at(100)).is_ok() && gcra.take(1, at(100)).is_ok());
    assert_eq!(bucket.take(1, at(0)), Err(Limited::Until(at(110))));
    assert_eq!(gcra.take(1, at(0)), Err(Limited::Until(at(110))));
    assert_eq!(bucket.available(at(0)), 0);
    assert_eq!(bucket.available(at(110)), 1);
}

/// Why tokens do not simply go back: while X was out, the bucket was full for a while, and Y got what it would not hold.
#[test]
fn what_was_out_while_the_bucket_ran_over_does_not_go_back() {
    let rate = Rate::every(Duration::from_nanos(10));
    let (mut bucket, mut gcra) = (TokenBucket::new(rate, 1), Gcra::new(rate, 1));
    let x = (bucket.take(1, at(0)).unwrap(), gcra.take(1, at(0)).unwrap());
    bucket.take(1, at(10)).unwrap();
    gcra.take(1, at(10)).unwrap();
    assert!(!bucket.give_back(x.0) && !gcra.give_back(x.1));
    assert!(
        bucket.take(1, at(10)).is_err() && gcra.take(1, at(10)).is_err(),
        "two at once at a burst of one"
    );
}

#[test]
fn senseless_rates_are_refused() {
    extern crate std;
    for make in [
        || TokenBucket::new(Rate::new(0, Duration::from_secs(1)), 1),
        || TokenBucket::new(Rate::every(Duration::ZERO), 1),
        || TokenBucket::new(Rate::every(Duration::MAX), 1),
        || TokenBucket::new(Rate::per_second(1), 0),
    ] {
        assert!(std::panic::catch_unwind(make).is_err());
    }
    for make in [|| Gcra::new(Rate::per_second(1), 0), || Gcra::new(Rate::per_second(0), 1)] {
        assert!(std::panic::catch_unwind(make).is_err());
    }
}
