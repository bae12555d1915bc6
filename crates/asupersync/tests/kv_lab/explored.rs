//! Two clients and a few commands, on all schedules within a bound of production's order, and on drawn ones. What the clients
//! were answered has to be what one server would have answered that takes one request after the other.
//!
//! The network does not say what is done to it, and the store has a plain lock: so schedules are not taken together by
//! class here, and what is complete is the bound.
//!
//! The figures stand in `docs/lab.md`, and are compared with it.

use crate::client::Client;
use crate::harness::{Lines, Setup, World, address, clean, inside};
use asupersync::lab::{Calls, Grain, LabConfig, Schedule, Search};
use asupersync::oracle::Sequential;
use asupersync::prelude::*;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};

/// What the commands mean, one after the other.
#[derive(Clone, Default, PartialEq, Eq, PartialOrd, Ord)]
struct Model(BTreeMap<String, String>);

impl Sequential for Model {
    type Op = String;
    type Ret = String;

    fn apply(&mut self, request: &String) -> String {
        let words: Vec<&str> = request.split(' ').collect();
        let value = |value: Option<&String>| {
            value.map_or("$-1\r\n".into(), |value| format!("${}\r\n{value}\r\n", value.len()))
        };
        match words[..] {
            ["SET", key, new] => {
                self.0.insert(key.into(), new.into());
                "+OK\r\n".into()
            }
            ["GET", key] => value(self.0.get(key)),
            ["GETDEL", key] => value(self.0.remove(key).as_ref()),
            ["INCR", key] => {
                let number = 1 + self.0.get(key).map_or(0, |n| n.parse::<i64>().expect("a number"));
                self.0.insert(key.into(), number.to_string());
                format!(":{number}\r\n")
            }
            _ => unreachable!("the clients here say nothing else"),
        }
    }
}

/// What each client asks, in its order.
const ASKED: [&[&str]; 2] = [&["SET n 5", "INCR n", "GET n"], &["INCR n", "GETDEL n"]];

/// Whatever the clients were answered, over all schedules of a search.
type Answers = Arc<Mutex<BTreeSet<Vec<(usize, String)>>>>;

/// Runs the server and both clients once in each lab of a search.
fn searched(search: &Search) -> (asupersync::lab::Found, usize) {
    let answers = Answers::default();
    let setup = Setup::default();
    let search = search.clone().config(LabConfig::default().net(setup.net.clone())).grain(Grain::Poll);
    let found = search.run_labs("kv", None, |lab| {
        let world = World { lines: Arc::<Lines>::default(), signals: lab.signals(), seed: 0 };
        let (calls, answered) = (Calls::new(), Arc::new(Mutex::new(Vec::new())));
        let (judged, said) = (calls.clone(), answered.clone());
        let clients = async move |cx: &mut Cx, _| {
            cx.region(|scope| async {
                for (who, requests) in ASKED.into_iter().enumerate() {
                    let (calls, said) = (calls.clone(), said.clone());
                    scope.spawn(async move |cx: &mut Cx| {
                        let mut client = Client::connect(cx, address()).await;
                        for request in requests {
                            let op = (*request).to_string();
                            let reply = calls.record(cx, op, async |cx| client.call(cx, request).await).await;
                            said.lock().expect("no panic under it").push((who, reply));
                        }
                    });
                }
            })
            .await;
        };
        inside(lab, &setup, &world, clients, &|report, world| clean(report, world));
        if let Err(report) = judged.linearizable(Model::default()) {
            panic!("{report}")
        }
        let mut answered = std::mem::take(&mut *answered.lock().expect("no panic under it"));
        answered.sort_by_key(|(who, _)| *who);
        answers.lock().expect("no panic under it").insert(answered);
    });
    let different = answers.lock().expect("no panic under it").len();
    (found, different)
}

/// The chapter has this row.
#[track_caller]
fn is_shown(row: &str) {
    let chapter = include_str!("../../../../docs/lab.md");
    assert!(chapter.contains(row), "docs/lab.md has no row\n{row}");
}

fn within(delays: usize) {
    let (found, different) = searched(&Search::within_delays(delays));
    assert!(found.complete);
    is_shown(&format!("| all within {delays} of production's order | {} | {different} |", found.runs));
}

#[test]
fn two_clients_are_answered_as_by_one_server_on_every_schedule_within_two_delays() {
    (0..=2).for_each(within)
}

#[test]
#[ignore = "takes a minute: the nightly length"]
fn two_clients_are_answered_as_by_one_server_on_every_schedule_within_three_delays() {
    within(3)
}

#[test]
fn two_clients_are_answered_as_by_one_server_on_drawn_schedules() {
    for (schedule, name) in
        [(Schedule::Random, "random"), (Schedule::pct(3), "pct:3"), (Schedule::Pos, "pos")]
    {
        let (found, different) = searched(&Search::sample(schedule, 500));
        let clean = found.clean.expect("drawn").to_string();
        let (_, rate) = clean.split_once("below ").expect("a rate");
        is_shown(&format!("| drawn, {name} | {} | {different} | {rate} |", found.runs));
    }
}
