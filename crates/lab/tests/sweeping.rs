//! Sweeps of cancellations, programs that are run twice, oracles of one's own, the ledger of faults, histories: each finds
//! the mistake that is planted here, names it, and is silent without it.

use asupersync_lab::{
    Calls, CancelSweep, LabConfig, LabRuntime, NetProfile, Schedule, Search, cancel_sweep, run_twice, sweep,
};
use cx::Cx;
use cx::port::Signal;
use net::tcp::{TcpListener, TcpStream};
use oracle::Sequential;
use std::collections::{HashMap, VecDeque};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, OnceLock};
use std::time::{Duration, Instant};
use sync::mpsc;
use time::TimeExt;
use trace::{Event, Label};
use types::Res;

/// What the call panics with.
#[track_caller]
fn failure<T>(call: impl FnOnce() -> T) -> String {
    let payload = catch_unwind(AssertUnwindSafe(call)).err().expect("it ought to fail");
    match payload.downcast::<String>() {
        Ok(text) => *text,
        Err(payload) => (*payload.downcast::<&str>().expect("a message")).to_string(),
    }
}

/// Two accounts, and a transfer that waits between its halves. `atomic`: it cannot be cancelled there.
async fn transfer(cx: &mut Cx, atomic: bool) {
    let accounts = Arc::new(Mutex::new([10, 0]));
    let both = accounts.clone();
    let mut task = cx.spawn(async move |cx: &mut Cx| -> Res {
        cx.yield_now().await;
        cx.checkpoint()?;
        let moves = async |cx: &mut Cx| -> Res {
            both.lock().unwrap()[0] -= 3;
            cx.sleep(Duration::from_millis(1)).await?;
            both.lock().unwrap()[1] += 3;
            Ok(())
        };
        if atomic { cx.masked(moves).await } else { moves(cx).await }
    });
    let _ = task.join(cx).await;
    if task.is_finished() {
        assert_eq!(accounts.lock().unwrap().iter().sum::<i32>(), 10, "money is lost");
    }
}

#[test]
fn a_sweep_finds_the_one_checkpoint_at_which_a_cancellation_does_harm() {
    let config = LabConfig::default().schedule(Schedule::Fifo);
    let text =
        failure(|| cancel_sweep("transfers", config.clone(), async |cx: &mut Cx| transfer(cx, false).await));
    assert!(text.starts_with("`transfers` fails when this is cancelled: task#"), "{text}");
    assert!(text.contains("tests/sweeping.rs:") && text.contains("money is lost"), "{text}");
    assert!(text.contains("in `a timer`"), "what it waited for: {text}");
    let again = text.rsplit_once("exactly this again: ").expect("the steps").1.to_string();
    let repeated = failure(|| {
        CancelSweep::new(config.clone())
            .run("transfers", Some(&again), async |cx: &mut Cx| transfer(cx, false).await)
    });
    assert_eq!(repeated, text);
    let swept = cancel_sweep("transfers", config, async |cx: &mut Cx| transfer(cx, true).await);
    assert!(swept.complete && swept.checkpoints >= 5 && swept.acknowledged >= 2, "{swept}");
}

/// `tasks` tasks of `checkpoints` polls each.
async fn tasks(cx: &mut Cx, tasks: usize, checkpoints: usize) {
    for _ in 0..tasks {
        cx.spawn(async move |cx: &mut Cx| -> Res {
            for _ in 1..checkpoints {
                cx.yield_now().await;
                cx.checkpoint()?;
            }
            Ok(())
        });
    }
}

#[test]
fn a_sweep_runs_once_for_each_poll_of_each_task_and_for_each_pair_of_two_tasks() {
    let here = |checkpoints| {
        let config = LabConfig::default().schedule(Schedule::Fifo);
        let line = line!() + 4;
        let body = async move |cx: &mut Cx| {
            for _ in 0..2 {
                // The next line is the one that is swept.
                cx.spawn(async move |cx: &mut Cx| -> Res {
                    for _ in 1..checkpoints {
                        cx.yield_now().await;
                        cx.checkpoint()?;
                    }
                    Ok(())
                });
            }
        };
        let of_these = CancelSweep::new(config).only_spawned_at("sweeping.rs", line);
        let single = of_these.run("counts", None, body);
        (single, of_these.pairs(true).run("counts", None, body))
    };
    let (single, pairs) = here(3);
    assert_eq!((single.checkpoints, single.pairs), (6, 0));
    // Asked before its first two polls a task sees it at its first checkpoint, before the third at the second.
    assert_eq!(single.acknowledged, 6);
    assert_eq!(pairs.checkpoints, 6);
    assert!(pairs.pairs >= 6, "{pairs}");
    let (single, _) = here(1);
    assert_eq!((single.checkpoints, single.acknowledged), (2, 0), "there is no checkpoint to see it at");
}

#[test]
fn a_sweep_that_would_cancel_nobody_does_not_pass() {
    let line = line!() + 2;
    let body = async |cx: &mut Cx| {
        cx.spawn(async |_: &mut Cx| ());
    };
    let sweep = || CancelSweep::new(LabConfig::default());
    assert_eq!(sweep().only_spawned_at("sweeping.rs", line).run("one", None, body).checkpoints, 1);
    let text = failure(|| sweep().only_spawned_at("sweeping.rs", line + 1).run("one", None, body));
    let there = format!("lab/tests/sweeping.rs:{line}");
    assert!(
        text.starts_with(&format!("lab: `one`: no task is spawned at sweeping.rs:{}: ", line + 1)),
        "{text}"
    );
    assert!(
        text.contains("nobody would be cancelled, and that would pass") && text.ends_with(&there),
        "{text}"
    );
    for none in [sweep().budget(0), sweep().limit(0)] {
        let text = failure(|| none.run("none", None, body));
        assert_eq!(text, "lab: `none`: a sweep of 0 runs: nobody would be cancelled, and that would pass");
    }
}

#[test]
fn a_sweep_counts_what_it_leaves_out_for_its_limit() {
    let limited = CancelSweep::new(LabConfig::default());
    let body = async |cx: &mut Cx| tasks(cx, 3, 3).await;
    let swept = limited.clone().budget(3).run("limited", None, body);
    assert_eq!((swept.checkpoints, swept.complete), (3, false));
    // Who did not say that so many are enough has not passed.
    let cut = catch_unwind(AssertUnwindSafe(|| limited.limit(3).run("limited", None, body)));
    let text = *cut.expect_err("the limit was hit").downcast::<String>().expect("a message");
    assert!(
        text.contains("more moments to be cancelled in than its limit of 3 runs: 3 checkpoints"),
        "{text}"
    );
    assert!(text.contains("say `budget = 3`"), "{text}");
}

#[test]
fn a_pair_of_cancellations_finds_what_a_single_one_does_not() {
    let line = line!() + 6;
    // Harm only if both are cancelled before they begin.
    let body = async |cx: &mut Cx| {
        let began = Arc::new(AtomicU64::new(0));
        for _ in 0..2 {
            let began = began.clone();
            cx.spawn(async move |cx: &mut Cx| -> Res {
                cx.checkpoint()?;
                began.fetch_add(1, Relaxed);
                Ok(())
            });
        }
        let finally = async move |_: &mut Cx<cx::NoSpawn>| -> Res {
            assert!(began.load(Relaxed) > 0, "nobody began");
            Ok(())
        };
        cx.finally(finally).unwrap();
    };
    let config = LabConfig::default().schedule(Schedule::Fifo);
    let of_these = CancelSweep::new(config).only_spawned_at("sweeping.rs", line);
    let single = of_these.run("pairs", None, body);
    assert_eq!((single.checkpoints, single.acknowledged), (2, 2));
    let text = failure(|| of_these.pairs(true).run("pairs", None, body));
    assert!(text.contains("nobody began") && text.contains("; then task#"), "{text}");
}

#[test]
fn a_program_that_fails_by_itself_is_not_blamed_on_a_cancellation() {
    let text = failure(|| {
        cancel_sweep("fails", LabConfig::default(), async |_: &mut Cx| panic!("of its own accord"))
    });
    assert!(text.starts_with("`fails` fails without any cancellation: of its own accord"), "{text}");
}

#[test]
fn a_leak_under_cancellation_is_found_by_the_oracles() {
    let text = failure(|| {
        cancel_sweep("leaks", LabConfig::default().schedule(Schedule::Fifo), async |cx: &mut Cx| {
            cx.region(|scope| async {
                scope.spawn(async |cx: &mut Cx| -> Res {
                    let permit = cx.reserve(types::ObligationKind::Lease, std::panic::Location::caller());
                    let slept = cx.sleep(Duration::from_secs(1)).await;
                    if slept.is_err() {
                        std::mem::forget(permit);
                        return Ok(slept?);
                    }
                    let _ = permit.commit();
                    Ok(())
                });
            })
            .await;
        })
    });
    assert!(text.contains("obligation_leaks:") && text.contains("sweeping.rs"), "{text}");
}

fn noted(cx: &Cx, text: impl std::fmt::Display) {
    cx.trace(text.to_string())
}

#[test]
fn a_program_that_keeps_to_the_lab_does_the_same_twice() {
    for seed in 0..10 {
        let body = async |cx: &mut Cx| {
            let (sender, mut receiver) = mpsc::channel(1);
            for _ in 0..3 {
                let sender = sender.clone();
                cx.spawn(async move |cx: &mut Cx| -> Res {
                    cx.sleep(Duration::from_millis(cx.random() % 5)).await?;
                    let _ = sender.send(cx, cx.random()).await;
                    Ok(())
                });
            }
            drop(sender);
            while let Ok(n) = receiver.recv(cx).await {
                noted(cx, n)
            }
        };
        run_twice(LabConfig::default().seed(seed), body).unwrap();
    }
}

#[test]
fn the_order_of_a_hash_map_is_found() {
    let body = async |cx: &mut Cx| {
        let map: HashMap<u32, u32> = (0..64).map(|n| (n, n)).collect();
        for key in map.into_keys() {
            cx.spawn(async move |cx: &mut Cx| noted(cx, format!("{key}")));
        }
    };
    let found = run_twice(LabConfig::default(), body).unwrap_err();
    assert!(found.causes.iter().any(|cause| cause.contains("HashMap")), "{found}");
    assert!(found.task.contains("sweeping.rs:"), "{found}");
}

#[test]
fn an_order_of_locks_that_nobody_decides_is_found_at_the_line_that_takes_them() {
    let body = async |cx: &mut Cx| {
        let map: HashMap<usize, usize> = (0..64).map(|n| (n, n)).collect();
        let locks: Vec<_> = (0..64).map(|_| sync::mutex::Mutex::new(())).collect();
        for key in map.into_keys() {
            let _ = locks[key].lock(cx).await;
        }
    };
    let found = run_twice(LabConfig::default(), body).unwrap_err();
    assert!(
        found.first.contains("takes the lock created at") && found.first.contains("sweeping.rs:"),
        "{found}"
    );
}

#[test]
#[allow(clippy::disallowed_methods, reason = "the machine's clock is what is to be found")]
fn a_clock_of_the_machine_is_found() {
    static BEGAN: OnceLock<Instant> = OnceLock::new();
    BEGAN.get_or_init(Instant::now);
    let body = async |cx: &mut Cx| {
        let passed = BEGAN.get().expect("it was set").elapsed();
        noted(cx, passed.as_nanos());
    };
    let found = run_twice(LabConfig::default(), body).unwrap_err();
    assert_eq!(found.step, Some(0), "{found}");
    assert!(found.causes[0].contains("Instant::now"), "{found}");
}

#[test]
fn a_counter_in_a_static_is_found() {
    static COUNTER: AtomicU64 = AtomicU64::new(0);
    let body = async |cx: &mut Cx| noted(cx, COUNTER.fetch_add(1, Relaxed));
    let found = run_twice(LabConfig::default(), body).unwrap_err();
    assert!(found.causes[0].contains("a counter in a static"), "{found}");
}

#[test]
fn a_static_that_the_first_run_sets_is_found() {
    static WARM: AtomicBool = AtomicBool::new(false);
    let body = async |cx: &mut Cx| {
        if !WARM.swap(true, Relaxed) {
            cx.yield_now().await;
        }
        noted(cx, "done")
    };
    let found = run_twice(LabConfig::default(), body).unwrap_err();
    assert!(found.causes[0].contains("a static that the first run has changed"), "{found}");
}

#[test]
#[allow(clippy::disallowed_methods, reason = "a thread is what is to be found")]
fn a_thread_that_calls_in_is_found_even_if_nothing_differs() {
    let body = async |cx: &mut Cx| {
        let (sender, mut receiver) = mpsc::channel::<u8>(1);
        cx.spawn(async move |cx: &mut Cx| drop(receiver.recv(cx).await));
        cx.sleep(Duration::from_millis(1)).await.unwrap();
        std::thread::spawn(move || sender.try_send(1).unwrap_or(())).join().unwrap();
    };
    let found = run_twice(LabConfig::default(), body).unwrap_err();
    assert!(found.causes[0].contains("a thread that the program started"), "{found}");
}

#[test]
fn runs_that_end_differently_are_found() {
    static RUNS: AtomicU64 = AtomicU64::new(0);
    let body = async |_: &mut Cx| assert_eq!(RUNS.fetch_add(1, Relaxed), 0, "only once");
    let found = run_twice(LabConfig::default(), body).unwrap_err();
    assert!(format!("{found}").contains("only once"), "{found}");
}

#[test]
fn an_oracle_of_ones_own_is_asked_under_its_name_by_labs_and_searches() {
    let even = |events: &[Event]| {
        let notes = events.iter().filter(|event| matches!(event.label, Label::User { .. })).count();
        if notes % 2 == 0 { Ok(()) } else { Err(format!("{notes} notes")) }
    };
    let config = LabConfig::default().oracle("even", even);
    let judged = |notes: usize| {
        let lab = LabRuntime::new(config.clone());
        lab.run(async |cx: &mut Cx| (0..notes).for_each(|_| cx.trace("x")));
        lab.oracles()
    };
    judged(2).unwrap();
    assert_eq!(judged(3).unwrap_err().to_string(), "even: 3 notes");
    let search = Search::every().config(config.clone());
    let text = failure(|| search.run("odd", None, async |cx: &mut Cx| cx.trace("x")));
    assert!(text.contains("even: 1 notes"), "{text}");
    let untraced = LabRuntime::new(config.traced(false));
    untraced.run(async |_: &mut Cx| ());
    assert_eq!(untraced.oracles().unwrap_err().to_string(), "even: cannot judge, as the run was not traced");
}

#[test]
fn an_oracle_that_panics_has_failed_itself_and_the_others_are_asked_all_the_same() {
    let broken = |events: &[Event]| -> Result<(), String> { panic!("no event {}", events.len() + 1) };
    let config = LabConfig::default().oracle("broken", broken).oracle("strict", |_: &[Event]| Err("never"));
    let lab = LabRuntime::new(config);
    lab.run(async |_: &mut Cx| ());
    let found = lab.oracles().unwrap_err().to_string();
    assert!(found.contains("the oracle `broken` itself panicked") && found.contains("no event "), "{found}");
    assert!(found.ends_with("\nstrict: never"), "{found}");
}

#[test]
fn the_ledger_lists_the_faults_that_fired_and_no_others() {
    let quiet = LabRuntime::new(LabConfig::default().net(NetProfile::default().reset_one_in(2)));
    quiet.run(async |_: &mut Cx| ());
    assert_eq!((quiet.faults().fired(), quiet.faults().to_string()), (0, "no fault fired".into()));

    let resets = (0..20).map(|seed| {
        let profile = NetProfile::default().reset_one_in(2);
        let lab = LabRuntime::new(LabConfig::default().seed(seed).net(profile));
        lab.run(async |cx: &mut Cx| {
            let at: std::net::SocketAddr = "127.0.0.1:7000".parse().unwrap();
            let listener = TcpListener::bind(cx, at).unwrap();
            let stream = TcpStream::connect(cx, at).await.unwrap();
            let _accepted = listener.accept(cx).await;
            let _ = stream.write_all(cx, b"hello").await;
        });
        let faults = lab.faults();
        assert_eq!(faults.net, lab.net_stats());
        faults.net.resets_injected
    });
    assert!(resets.sum::<u64>() > 0);

    let lab = LabRuntime::new(LabConfig::default());
    let signals = lab.signals();
    lab.at_step(1, move || signals.raise(Signal::Interrupt));
    let run = catch_unwind(AssertUnwindSafe(|| {
        lab.run(async |cx: &mut Cx| {
            cx.yield_now().await;
            cx.yield_now().await;
            std::future::pending::<()>().await
        })
    }));
    let text = *run.unwrap_err().downcast::<String>().unwrap();
    assert!(text.contains("faults that fired: 1 signals, 1 planned acts"), "{text}");
}

/// First in, first out.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Default)]
struct Queue(VecDeque<u8>);

impl Sequential for Queue {
    /// A value to put in; `None` takes one out.
    type Op = Option<u8>;
    type Ret = Option<u8>;
    fn apply(&mut self, op: &Option<u8>) -> Option<u8> {
        match op {
            Some(n) => {
                self.0.push_back(*n);
                None
            }
            None => self.0.pop_front(),
        }
    }
}

/// Two tasks put and take. `careless`: a take looks, waits, and takes what is then last.
async fn shared_queue(cx: &mut Cx, careless: bool) {
    let queue = Arc::new(sync::shared::Shared::new(VecDeque::new()));
    let calls = Calls::new();
    let judge = calls.clone();
    cx.region(|scope| async {
        for n in 0..2 {
            let (queue, calls) = (queue.clone(), calls.clone());
            scope.spawn(async move |cx: &mut Cx| {
                for n in [n, n + 10] {
                    cx.step().await;
                    calls
                        .record(cx, Some(n), async |_| {
                            queue.write(|q| q.push_back(n));
                            None
                        })
                        .await;
                }
                cx.step().await;
                calls
                    .record(cx, None, async |cx| {
                        if careless && queue.read(VecDeque::len) > 2 {
                            cx.step().await;
                            return queue.write(VecDeque::pop_back);
                        }
                        queue.write(VecDeque::pop_front)
                    })
                    .await;
            });
        }
    })
    .await;
    if let Err(report) = judge.linearizable(Queue::default()) {
        panic!("{report}")
    }
}

#[test]
fn a_queue_that_gives_the_wrong_end_is_not_linearizable_under_some_seed() {
    sweep("queue", 0..30, async |cx: &mut Cx| shared_queue(cx, false).await);
    let text = failure(|| sweep("queue", 0..30, async |cx: &mut Cx| shared_queue(cx, true).await));
    assert!(text.contains("no order of the 6 operations explains what they returned"), "{text}");
}

#[test]
fn a_search_judges_histories_in_every_class() {
    let text =
        failure(|| Search::every().run("queue", None, async |cx: &mut Cx| shared_queue(cx, true).await));
    assert!(text.contains("linearizable:"), "{text}");
}
