//! The machine against a model that keeps the whole history, and its rules one by one.
use super::*;
use alloc::vec::Vec;
use proptest::prelude::*;

fn at(nanos: u64) -> Time {
    Time::from_nanos(nanos)
}

fn trip() -> Trip {
    Trip::after_failures(2).pause(Duration::from_nanos(10)).probes(2)
}

#[test]
fn it_opens_after_failures_tries_and_closes() {
    let mut circuit = Circuit::new(trip());
    for now in 0..2 {
        let call = circuit.admit(at(now)).unwrap();
        assert!(!call.probe);
        circuit.settle(call, Ended::Badly, at(now));
    }
    assert_eq!(circuit.state(at(1)), State::Open { until: at(11) });
    assert_eq!(circuit.admit(at(10)), Err(Refused { until: Some(at(11)) }));
    let (a, b) = (circuit.admit(at(11)).unwrap(), circuit.admit(at(11)).unwrap());
    assert!(a.probe && b.probe);
    assert_eq!(circuit.admit(at(11)), Err(Refused { until: None }));
    circuit.settle(a, Ended::Well, at(12));
    assert_eq!(circuit.state(at(12)), State::HalfOpen { out: 1, succeeded: 1 });
    circuit.settle(b, Ended::Well, at(12));
    assert_eq!(circuit.state(at(12)), State::Closed);
}

#[test]
fn one_failed_probe_opens_it_again_and_the_other_does_not_count_any_more() {
    let mut circuit = Circuit::new(trip());
    circuit.force(State::Open { until: at(5) });
    let (a, b) = (circuit.admit(at(5)).unwrap(), circuit.admit(at(5)).unwrap());
    circuit.settle(a, Ended::Badly, at(6));
    assert_eq!(circuit.state(at(6)), State::Open { until: at(16) });
    let again = circuit.admit(at(16)).unwrap();
    circuit.settle(b, Ended::Well, at(16));
    circuit.settle(b, Ended::Badly, at(16));
    assert_eq!(circuit.state(at(16)), State::HalfOpen { out: 1, succeeded: 0 });
    circuit.settle(again, Ended::Well, at(16));
    assert_eq!(circuit.state(at(16)), State::HalfOpen { out: 0, succeeded: 1 });
}

#[test]
fn a_probe_that_is_given_up_may_be_made_anew() {
    let mut circuit = Circuit::new(trip());
    circuit.force(State::Open { until: at(0) });
    for _ in 0..9 {
        let (a, b) = (circuit.admit(at(0)).unwrap(), circuit.admit(at(0)).unwrap());
        circuit.settle(a, Ended::GivenUp, at(0));
        circuit.settle(b, Ended::GivenUp, at(0));
    }
    assert_eq!(circuit.state(at(0)), State::HalfOpen { out: 0, succeeded: 0 });
}

#[test]
fn a_pause_that_never_ends_never_ends() {
    let mut circuit = Circuit::new(trip().pause(Duration::MAX));
    for _ in 0..2 {
        let call = circuit.admit(at(1)).unwrap();
        circuit.settle(call, Ended::Badly, at(1));
    }
    assert_eq!(circuit.admit(at(u64::MAX - 1)), Err(Refused { until: Some(Time::MAX) }));
}

/// A model that forgets nothing: the history of settled calls since it last closed, and the tickets out there.
struct Model {
    state: State,
    since: u64,
    history: Vec<bool>,
}

impl Model {
    fn admit(&mut self, now: Time) -> Option<(u64, bool)> {
        if let State::Open { until } = self.state
            && until <= now
        {
            self.state = State::HalfOpen { out: 0, succeeded: 0 };
            self.since += 1;
        }
        match self.state {
            State::Closed => Some((self.since, false)),
            State::HalfOpen { out, succeeded } if out + succeeded < 2 => {
                self.state = State::HalfOpen { out: out + 1, succeeded };
                Some((self.since, true))
            }
            _ => None,
        }
    }

    fn settle(&mut self, (since, _): (u64, bool), ended: Ended, now: Time) {
        if since != self.since {
            return;
        }
        let next = match (self.state, ended) {
            (State::Closed, Ended::GivenUp) => return,
            (State::Closed, ended) => {
                self.history.push(ended == Ended::Badly);
                if !self.history.ends_with(&[true, true]) {
                    return;
                }
                State::Open { until: now + Duration::from_nanos(10) }
            }
            (State::HalfOpen { .. }, Ended::Badly) => State::Open { until: now + Duration::from_nanos(10) },
            (State::HalfOpen { out, succeeded }, Ended::GivenUp) => {
                self.state = State::HalfOpen { out: out - 1, succeeded };
                return;
            }
            (State::HalfOpen { out, succeeded: 0 }, Ended::Well) => {
                self.state = State::HalfOpen { out: out - 1, succeeded: 1 };
                return;
            }
            (State::HalfOpen { .. }, Ended::Well) => State::Closed,
            (State::Open { .. }, _) => unreachable!("an open circuit lets nobody in, so nobody ends"),
        };
        self.state = next;
        self.since += 1;
        self.history.clear();
    }
}

#[derive(Clone, Copy, Debug)]
enum Do {
    Admit,
    Settle(usize, Ended),
    Pass(u64),
}

fn step() -> impl Strategy<Value = Do> {
    let ended = prop_oneof![3 => Just(Ended::Badly), 3 => Just(Ended::Well), 1 => Just(Ended::GivenUp)];
    prop_oneof![
        4 => Just(Do::Admit),
        4 => (any::<usize>(), ended).prop_map(|(which, ended)| Do::Settle(which, ended)),
        2 => (0..12_u64).prop_map(Do::Pass),
    ]
}

proptest! {
    #[test]
    fn it_does_what_the_model_does(steps in proptest::collection::vec(step(), 0..120)) {
        let mut circuit = Circuit::new(trip());
        let mut model = Model { state: State::Closed, since: 0, history: Vec::new() };
        let mut out = Vec::new();
        let mut now = 0;
        for step in steps {
            match step {
                Do::Pass(span) => now += span,
                Do::Admit => {
                    let (real, expected) = (circuit.admit(at(now)), model.admit(at(now)));
                    prop_assert_eq!(real.ok().map(|t| t.probe), expected.map(|(_, probe)| probe));
                    out.extend(real.ok().zip(expected));
                }
                Do::Settle(which, ended) if !out.is_empty() => {
                    let (ticket, expected) = out.swap_remove(which % out.len());
                    circuit.settle(ticket, ended, at(now));
                    model.settle(expected, ended, at(now));
                }
                Do::Settle(..) => {}
            }
            prop_assert_eq!(circuit.state, model.state);
            if let State::HalfOpen { out, succeeded } = circuit.state {
                prop_assert!(out + succeeded <= 2);
            }
        }
    }
}
