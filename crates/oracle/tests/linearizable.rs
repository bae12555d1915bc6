//! Histories of a queue, a register and a counter: those that an object used in turn could have are accepted, and each
//! planted violation is told with the operation that gives it away.

use asupersync_oracle::{Call, History, Sequential, linearizable, linearizable_within};
use std::collections::{BTreeMap, VecDeque};
use types::TaskId;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Op {
    Put(u8),
    Take,
}

/// First in, first out.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Default)]
struct Queue(VecDeque<u8>);

impl Sequential for Queue {
    type Op = Op;
    type Ret = Option<u8>;
    fn apply(&mut self, op: &Op) -> Option<u8> {
        match op {
            Op::Put(n) => {
                self.0.push_back(*n);
                None
            }
            Op::Take => self.0.pop_front(),
        }
    }
}

fn task(n: u64) -> TaskId {
    TaskId::from_u64(n)
}

/// One line for each moment: `1 put 7`, `2 take`, and `1 ok` or `2 got 7` for the returns.
fn history(lines: &[&str]) -> History<Op, Option<u8>> {
    let (mut history, mut open) = (History::new(), BTreeMap::<u64, Call>::new());
    for line in lines {
        let words: Vec<&str> = line.split(' ').collect();
        let by: u64 = words[0].parse().expect("a task");
        let number = || words[2].parse().expect("a number");
        match words[1] {
            "put" => drop(open.insert(by, history.call(task(by), Op::Put(number())))),
            "take" => drop(open.insert(by, history.call(task(by), Op::Take))),
            "got" => history.ret(open.remove(&by).expect("it was called"), Some(number())),
            _ => history.ret(open.remove(&by).expect("it was called"), None),
        }
    }
    history
}

#[track_caller]
fn accepted(lines: &[&str]) {
    linearizable(Queue::default(), &history(lines)).unwrap_or_else(|why| panic!("{why}"))
}

#[track_caller]
fn refused(lines: &[&str], why: &str) {
    let report = linearizable(Queue::default(), &history(lines)).expect_err("it ought to be found");
    assert_eq!(report.oracle, "linearizable");
    assert_eq!(report.findings[0].what, why);
}

#[test]
fn one_after_the_other_is_the_model_itself() {
    accepted(&[]);
    accepted(&[
        "1 put 1", "1 ok", "1 put 2", "1 ok", "2 take", "2 got 1", "2 take", "2 got 2", "2 take", "2 none",
    ]);
}

#[test]
fn operations_that_overlap_may_take_effect_in_either_order() {
    accepted(&["1 put 1", "2 put 2", "1 ok", "2 ok", "1 take", "1 got 2", "1 take", "1 got 1"]);
    accepted(&["1 take", "2 put 2", "2 ok", "1 none"]);
    accepted(&["1 take", "2 put 2", "2 ok", "1 got 2"]);
}

#[test]
fn a_value_that_is_taken_before_its_put_returned_came_from_it() {
    accepted(&["1 put 1", "2 take", "2 got 1", "1 ok"]);
    // The put never returned, and took effect all the same.
    accepted(&["1 put 1", "2 take", "2 got 1"]);
    accepted(&["1 put 1", "2 take", "2 none"]);
}

#[test]
fn what_was_put_first_cannot_come_out_second() {
    refused(
        &["1 put 1", "1 ok", "1 put 2", "1 ok", "2 take", "2 got 2"],
        "no order of the 3 operations explains what they returned; the longest that does: Put(1) of task#1 returned \
         None, Put(2) of task#1 returned None; then Take of task#2 returned Some(2), where the model would return Some(1)",
    );
}

#[test]
fn a_value_that_comes_out_twice_is_found() {
    refused(
        &["1 put 1", "1 ok", "2 take", "3 take", "2 got 1", "3 got 1"],
        "no order of the 3 operations explains what they returned; the longest that does: Put(1) of task#1 returned \
         None, Take of task#2 returned Some(1); then Take of task#3 returned Some(1), where the model would return None",
    );
}

#[test]
fn a_value_that_was_lost_is_found() {
    refused(
        &["1 put 1", "1 ok", "2 take", "2 none"],
        "no order of the 2 operations explains what they returned; the longest that does: Put(1) of task#1 returned \
         None; then Take of task#2 returned None, where the model would return Some(1)",
    );
}

#[test]
fn a_value_that_nobody_put_is_found() {
    refused(
        &["2 take", "2 got 7", "1 put 7", "1 ok"],
        "no order of the 2 operations explains what they returned; the longest that does: none; then Take of task#2 \
         returned Some(7), where the model would return None",
    );
}

/// A small generator of its own: tests of a crate without `std` need no other.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % sides as u64) as usize
    }
}

/// A call that has not returned, and what it will return once it has taken effect.
type UnderWay = (Call, Op, Option<Option<u8>>);

/// A history of `tasks` that use a correct queue at once: each operation takes effect at some moment between its call
/// and its return. `lie` changes what the n-th take gives.
fn concurrent(
    dice: &mut Dice,
    tasks: usize,
    operations: usize,
    lie: Option<usize>,
) -> History<Op, Option<u8>> {
    let (mut history, mut queue) = (History::new(), Queue::default());
    let mut open: Vec<Option<UnderWay>> = (0..tasks).map(|_| None).collect();
    let (mut called, mut takes) = (0, 0);
    while called < operations || open.iter().any(Option::is_some) {
        let by = dice.roll(tasks);
        match open[by].take() {
            None if called < operations => {
                let op = if dice.roll(2) == 0 { Op::Put(called as u8) } else { Op::Take };
                called += 1;
                open[by] = Some((history.call(task(by as u64 + 1), op), op, None));
            }
            None => {}
            Some((call, op, None)) => {
                let mut ret = queue.apply(&op);
                if op == Op::Take {
                    if Some(takes) == lie {
                        ret = Some(200)
                    }
                    takes += 1;
                }
                open[by] = Some((call, op, Some(ret)));
            }
            Some((call, _, Some(ret))) => history.ret(call, ret),
        }
    }
    history
}

#[test]
fn whatever_a_correct_queue_does_under_four_tasks_is_accepted() {
    let mut dice = Dice(0x9E37_79B9_7F4A_7C15);
    for _ in 0..50 {
        let history = concurrent(&mut dice, 4, 50, None);
        linearizable(Queue::default(), &history).unwrap_or_else(|why| panic!("{why}"));
    }
}

#[test]
fn one_lie_among_fifty_operations_is_found() {
    let mut dice = Dice(0xD1B5_4A32_D192_ED03);
    for n in 0..10 {
        let history = concurrent(&mut dice, 4, 50, Some(n));
        assert!(linearizable(Queue::default(), &history).is_err(), "round {n}");
    }
}

/// Whether some order of all operations explains the history, tried one by one.
fn brute(history: &[(usize, usize, Op, Option<u8>)], state: &Queue, done: &mut Vec<bool>) -> bool {
    if done.iter().all(|done| *done) {
        return true;
    }
    for (n, (called, _, op, ret)) in history.iter().enumerate() {
        let first = !done[n]
            && history.iter().zip(done.iter()).all(|((_, returned, ..), d)| *d || returned >= called);
        let mut next = state.clone();
        if first && next.apply(op) == *ret {
            done[n] = true;
            let found = brute(history, &next, done);
            done[n] = false;
            if found {
                return true;
            }
        }
    }
    false
}

#[test]
fn the_verdict_is_that_of_trying_every_order() {
    let mut dice = Dice(0xA076_1D64_78BD_642F);
    let (mut fine, mut wrong) = (0, 0);
    for _ in 0..2000 {
        // Any returns at all, of few values: about half of the histories have an order.
        let (mut history, mut rows) = (History::new(), Vec::new());
        let mut open: Vec<Option<(Call, usize, Op)>> = (0..3).map(|_| None).collect();
        let (mut called, mut moment) = (0, 0);
        while called < 6 || open.iter().any(Option::is_some) {
            let by = dice.roll(3);
            moment += 1;
            match open[by].take() {
                None if called < 6 => {
                    let op = if dice.roll(2) == 0 { Op::Put(dice.roll(2) as u8) } else { Op::Take };
                    called += 1;
                    open[by] = Some((history.call(task(by as u64 + 1), op), moment, op));
                }
                None => {}
                Some((call, at, op)) => {
                    let ret = (op == Op::Take && dice.roll(3) > 0).then(|| dice.roll(2) as u8);
                    rows.push((at, moment, op, ret));
                    history.ret(call, ret);
                }
            }
        }
        let expected = brute(&rows, &Queue::default(), &mut vec![false; rows.len()]);
        assert_eq!(linearizable(Queue::default(), &history).is_ok(), expected, "{rows:?}");
        if expected { fine += 1 } else { wrong += 1 }
    }
    assert!(fine > 200 && wrong > 200, "{fine} that have an order, {wrong} that have none");
}

#[test]
fn a_search_without_end_is_given_up_and_does_not_pass() {
    // Every put is under way at once, and the last take asks for what nobody put.
    let mut history = History::new();
    let puts: Vec<Call> = (0..24).map(|n| history.call(task(n), Op::Put(n as u8))).collect();
    puts.into_iter().for_each(|put| history.ret(put, None));
    let take = history.call(task(99), Op::Take);
    history.ret(take, Some(99));
    let report = linearizable_within(Queue::default(), &history, 5000).expect_err("it never passes");
    let why = "undecided: 5000 configurations of 25 operations did not suffice; judge shorter histories";
    assert_eq!(report.findings[0].what, why);
}

#[test]
#[should_panic(expected = "a call returned in a history in which it was not made")]
fn a_call_of_another_history_is_refused() {
    let (mut one, mut other) = (History::<Op, ()>::new(), History::<Op, ()>::new());
    let call = one.call(task(1), Op::Take);
    other.ret(call, ());
}
