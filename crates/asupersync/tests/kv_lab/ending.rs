//! The drain: whatever a client is doing when the server is asked to end, at whatever step.

use crate::client::{Client, encode};
use crate::harness::{Setup, World, address, check, clean, run};
use crate::server::Report;
use asupersync::net::signal::Signal;
use asupersync::prelude::*;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

/// Connects, unless the server is quicker to go than to come.
async fn connect(cx: &mut Cx) -> Option<Client> {
    for _ in 0..3 {
        if let Some(client) = Client::try_connect(cx, address()).await {
            return Some(client);
        }
        cx.sleep(Duration::from_millis(1)).await.expect("nobody cancels");
    }
    None
}

/// What whoever comes during the drain is told.
const REFUSAL: &[u8] = b"-ERR server is shutting down\r\n";

/// Counts its increments until the server goes, and checks that no answer is missing or out of order.
async fn count(cx: &mut Cx) {
    let Some(mut client) = connect(cx).await else { return };
    for expected in 1..50 {
        if client.send(cx, &encode("INCR counter")).await.is_err() {
            return;
        }
        match client.try_reply(cx).await {
            Ok(Some(reply)) if expected == 1 && reply == REFUSAL => return,
            Ok(Some(reply)) => assert_eq!(reply, format!(":{expected}\r\n").into_bytes()),
            // The end comes between two answers, never within one (`try_reply` would panic).
            Ok(None) | Err(_) => return,
        }
    }
}

/// Sends a batch in one go: once any of it is answered, what the server has read of it is.
async fn pipeline(cx: &mut Cx) {
    let Some(mut client) = connect(cx).await else { return };
    let batch: Vec<u8> = (0..10).flat_map(|i| encode(&format!("ECHO {i}"))).collect();
    if client.send(cx, &batch).await.is_err() {
        return;
    }
    for i in 0..10 {
        match client.try_reply(cx).await {
            Ok(Some(reply)) if i == 0 && reply == REFUSAL => return,
            Ok(Some(reply)) => assert_eq!(reply, format!("$1\r\n{i}\r\n").into_bytes()),
            Ok(None) | Err(_) => return,
        }
    }
}

async fn subscribe(cx: &mut Cx) {
    let Some(mut client) = connect(cx).await else { return };
    if client.send(cx, &encode("SUBSCRIBE news")).await.is_err() {
        return;
    }
    while let Ok(Some(_)) = client.try_reply(cx).await {}
}

async fn publish(cx: &mut Cx) {
    let Some(mut client) = connect(cx).await else { return };
    for _ in 0..10 {
        if client.send(cx, &encode("PUBLISH news message")).await.is_err()
            || !matches!(client.try_reply(cx).await, Ok(Some(_)))
        {
            return;
        }
    }
}

#[test]
fn a_shutdown_at_any_step_ends_everything_and_cuts_no_answer() {
    let longest = AtomicUsize::new(0);
    let ends = |seed, step: u64| {
        let setup = Setup::default().config(|config| config.grace = Duration::from_secs(3));
        let clients = async move |cx: &mut Cx, world: World| {
            cx.region(|scope| async {
                scope.spawn(count);
                scope.spawn(pipeline);
                scope.spawn(subscribe);
                scope.spawn(publish);
                scope.spawn(async move |cx: &mut Cx| {
                    // A signal before the server watches for it would end a process, not drain it.
                    while world.lines.count("listening") == 0 {
                        cx.yield_now().await;
                    }
                    for _ in 0..step {
                        cx.yield_now().await;
                    }
                    world.signals.raise(Signal::Terminate);
                });
            })
            .await;
        };
        run(&setup, seed, clients, &|report: &Report, _: &World| {
            assert!(report.is_clean(), "{report}");
            let Report { idle, answered, unfinished, left, .. } = report;
            longest.fetch_max(idle + answered + unfinished + left, Relaxed);
        });
    };
    for step in 0..300 {
        ends(step, step);
        ends(1000 + step, step / 4);
    }
    assert!(longest.into_inner() >= 3, "some of these found clients to drain");
}

#[test]
fn an_idle_connection_is_closed_at_once_and_a_request_in_progress_is_answered() {
    check(
        Setup::default(),
        async |cx, world: World| {
            let mut idle = Client::connect(cx, address()).await;
            idle.call(cx, "PING").await;
            let mut busy = Client::connect(cx, address()).await;
            busy.send(cx, b"KV.SLEEP 3000\r\n").await.expect("sent");
            // The request has arrived when the handler sleeps: nothing else can run.
            cx.sleep(Duration::from_millis(10)).await.expect("nobody cancels");
            let asked = cx.now();
            world.signals.raise(Signal::Interrupt);
            idle.expect_end(cx).await;
            assert!(cx.now().saturating_since(asked) < Duration::from_millis(10), "at once");
            // The accept loop may not have had its turn yet.
            cx.sleep(Duration::from_millis(1)).await.expect("nobody cancels");
            let mut late = Client::connect(cx, address()).await;
            assert_eq!(late.call(cx, "PING").await.as_bytes(), REFUSAL, "nobody is let in any more");
            late.expect_end(cx).await;
            world.signals.raise(Signal::User1);
            assert_eq!(busy.reply(cx).await, "+OK\r\n");
            busy.expect_end(cx).await;
        },
        |report, world| {
            assert!(report.is_clean(), "{report}");
            assert_eq!((report.idle, report.answered, report.left), (1, 1, 0), "{report}");
            assert_eq!(
                world.lines.count("shutdown asked by signal SIGINT: draining 2 connections, within 10s"),
                1
            );
            let lines = world.lines.all();
            let tree =
                lines.iter().find(|line| line.contains("cannot close")).expect("SIGUSR1 prints the tree");
            assert!(tree.contains("reason: shutdown asked by signal SIGINT"), "{tree}");
            assert!(tree.contains("connection #2 127.0.0.1"), "{tree}");
            assert!(tree.contains("1 task still draining"), "{tree}");
            assert!(tree.contains("cleanup deadline in"), "{tree}");
        },
    );
}

/// A client that has sent half of a request when the server is asked to end.
async fn half_a_request(cx: &mut Cx, world: &World) -> Client {
    let mut client = Client::connect(cx, address()).await;
    client.call(cx, "PING").await;
    client.send(cx, b"*2\r\n$4\r\nECHO\r\n$5\r\n").await.expect("sent");
    cx.sleep(Duration::from_millis(10)).await.expect("nobody cancels");
    world.signals.raise(Signal::Terminate);
    client
}

#[test]
fn half_a_request_whose_rest_comes_within_a_second_is_answered() {
    check(
        Setup::default(),
        async |cx, world: World| {
            let mut client = half_a_request(cx, &world).await;
            cx.sleep(Duration::from_millis(900)).await.expect("nobody cancels");
            client.send(cx, b"hello\r\n").await.expect("sent");
            assert_eq!(client.reply(cx).await, "$5\r\nhello\r\n");
            client.expect_end(cx).await;
        },
        |report, _| {
            assert!(report.is_clean(), "{report}");
            assert_eq!(report.answered, 1, "{report}");
        },
    );
}

#[test]
fn half_a_request_whose_rest_does_not_come_holds_the_drain_up_for_a_second_and_spoils_nothing() {
    for (grace, held) in [(10, 1000), (1, 500)] {
        check(
            Setup::default().config(|config| config.grace = Duration::from_secs(grace)),
            async |cx, world: World| {
                let mut client = half_a_request(cx, &world).await;
                client.expect_end(cx).await;
            },
            move |report, _| {
                assert!(report.is_clean(), "{report}");
                assert_eq!(report.unfinished, 1, "{report}");
                assert_eq!(report.took, Duration::from_millis(held), "{report}");
            },
        );
    }
}

#[test]
fn whoever_sends_a_byte_now_and_then_does_not_hold_the_drain_up() {
    check(
        Setup::default(),
        async |cx, world: World| {
            let client = Client::connect(cx, address()).await;
            client.send(cx, b"*2\r\n$4\r\nECHO\r\n$1000\r\n").await.expect("sent");
            cx.sleep(Duration::from_millis(10)).await.expect("nobody cancels");
            world.signals.raise(Signal::Terminate);
            while client.send(cx, b"x").await.is_ok() {
                cx.sleep(Duration::from_millis(300)).await.expect("nobody cancels");
            }
        },
        |report, _| {
            assert!(report.is_clean(), "{report}");
            assert!(report.took < Duration::from_millis(1100), "{report}");
        },
    );
}

#[test]
fn a_request_that_was_sent_before_the_end_is_answered() {
    check(
        Setup::default(),
        async |cx, world: World| {
            let mut client = Client::connect(cx, address()).await;
            client.call(cx, "PING").await;
            client.send(cx, &encode("SET k v")).await.expect("sent");
            // Nobody has had the time to read it.
            world.signals.raise(Signal::Terminate);
            assert_eq!(client.reply(cx).await, "+OK\r\n");
            client.expect_end(cx).await;
        },
        |report, _| {
            assert!(report.is_clean(), "{report}");
            assert_eq!(report.idle + report.answered, 1, "{report}");
        },
    );
}

/// A client that keeps the drain going for ten seconds.
async fn drain_with_a_sleeper(cx: &mut Cx, world: &World) -> Client {
    let busy = Client::connect(cx, address()).await;
    busy.send(cx, b"KV.SLEEP 10000\r\n").await.expect("sent");
    cx.sleep(Duration::from_millis(10)).await.expect("nobody cancels");
    world.signals.raise(Signal::Terminate);
    cx.sleep(Duration::from_secs(1)).await.expect("nobody cancels");
    busy
}

#[test]
fn the_tree_can_be_asked_for_during_the_drain_and_says_who_holds_it_up() {
    let setup = Setup::default().config(|config| config.grace = Duration::from_secs(20));
    check(
        setup,
        async |cx, world: World| {
            let mut busy = drain_with_a_sleeper(cx, &world).await;
            for request in [&b"KV.TREE\r\n"[..], b"\r\n*1\r\n$7\r\nkv.tree\r\n"] {
                let mut operator = Client::connect(cx, address()).await;
                operator.send(cx, request).await.expect("sent");
                let tree = operator.reply(cx).await;
                for part in
                    ["cannot close: 1 task still draining", "connection #1 127.0.0.1", "cleanup deadline in"]
                {
                    assert!(tree.contains(part), "{part} in {tree}");
                }
                operator.expect_end(cx).await;
            }
            assert_eq!(busy.reply(cx).await, "+OK\r\n");
        },
        |report, _| {
            assert!(report.is_clean(), "{report}");
            assert_eq!((report.answered, report.left), (1, 0), "visitors are no clients: {report}");
        },
    );
}

#[test]
fn visitors_of_a_draining_server_are_refused_and_hold_nothing_up() {
    let setup = Setup::default().seeds(0..20).config(|config| config.grace = Duration::from_secs(20));
    check(
        setup,
        async |cx, world: World| {
            let mut busy = drain_with_a_sleeper(cx, &world).await;
            let asked = cx.now();
            // More than are heard at once: some say nothing, some never end.
            let mut visitors = Vec::new();
            for _ in 0..100 {
                visitors.push(Client::connect(cx, address()).await);
            }
            for (i, visitor) in visitors.iter_mut().enumerate() {
                let words: &[u8] = [&b""[..], b"SET a 1\r\n", b"*1\r\n$-1\r\n", b"GE"][i % 4];
                let _ = visitor.send(cx, words).await;
                while let Ok(Some(reply)) = visitor.try_reply(cx).await {
                    assert_eq!(reply, REFUSAL);
                }
            }
            assert!(cx.now().saturating_since(asked) < Duration::from_millis(2100));
            // These are still there when the last client goes.
            cx.sleep_until(asked + Duration::from_millis(8900)).await.expect("nobody cancels");
            for _ in 0..3 {
                visitors.push(Client::connect(cx, address()).await);
            }
            assert_eq!(busy.reply(cx).await, "+OK\r\n");
            std::mem::forget(visitors);
        },
        |report, _| {
            assert!(report.is_clean(), "{report}");
            assert!(report.took < Duration::from_millis(10_100), "{report}");
        },
    );
}

#[test]
fn messages_that_were_published_before_the_end_are_delivered() {
    check(
        Setup::default().net(|net| net.capacity(64)),
        async |cx, world: World| {
            let mut subscriber = Client::connect(cx, address()).await;
            subscriber.call(cx, "SUBSCRIBE c").await;
            let mut publisher = Client::connect(cx, address()).await;
            for _ in 0..20 {
                assert_eq!(publisher.call(cx, "PUBLISH c message").await, ":1\r\n");
            }
            world.signals.raise(Signal::Terminate);
            for _ in 0..20 {
                assert_eq!(subscriber.reply(cx).await, "*3\r\n$7\r\nmessage\r\n$1\r\nc\r\n$7\r\nmessage\r\n");
            }
            subscriber.expect_end(cx).await;
        },
        |report, _| assert!(report.is_clean(), "{report}"),
    );
}

#[test]
fn the_command_shutdown_does_the_same() {
    check(
        Setup::default(),
        async |cx, _| {
            let mut idle = Client::connect(cx, address()).await;
            idle.call(cx, "PING").await;
            let mut client = Client::connect(cx, address()).await;
            client.send(cx, b"SHUTDOWN NOSAVE\r\n").await.expect("sent");
            client.expect_end(cx).await;
            idle.expect_end(cx).await;
        },
        |report, world| {
            clean(report, world);
            assert_eq!((report.idle, report.left), (1, 1), "{report}");
            assert_eq!(world.lines.count("shutdown asked by a client's SHUTDOWN"), 1);
        },
    );
}

#[test]
fn a_handler_that_works_past_the_deadline_is_abandoned_and_named_as_such_also_when_its_client_reads() {
    for subscribed_before in [false, true] {
        check(
            Setup::default().config(|config| config.grace = Duration::from_secs(1)),
            async move |cx, world: World| {
                let mut busy = Client::connect(cx, address()).await;
                if subscribed_before {
                    busy.call(cx, "SUBSCRIBE news").await;
                    busy.call(cx, "UNSUBSCRIBE news").await;
                }
                busy.send(cx, b"KV.SLEEP 60000\r\n").await.expect("sent");
                cx.sleep(Duration::from_millis(10)).await.expect("nobody cancels");
                world.signals.raise(Signal::Terminate);
                busy.expect_end(cx).await;
            },
            |report, _| {
                assert_eq!(report.abandoned, 1, "{report}");
                assert!(report.to_string().contains("(a handler that was still at work)"), "{report}");
                assert_eq!(report.leaked, 0, "{report}");
            },
        );
    }
}

#[test]
fn shutdown_now_waits_for_nobody() {
    check(
        Setup::default(),
        async |cx, _| {
            let mut busy = Client::connect(cx, address()).await;
            busy.send(cx, b"KV.SLEEP 60000\r\n").await.expect("sent");
            cx.sleep(Duration::from_millis(10)).await.expect("nobody cancels");
            let mut client = Client::connect(cx, address()).await;
            client.send(cx, b"SHUTDOWN NOW\r\n").await.expect("sent");
            client.expect_end(cx).await;
            let _ = busy.try_reply(cx).await;
            assert!(cx.now().as_nanos() < 30_000_000_000, "long before the sleep is over");
        },
        |report, _| assert_eq!(report.leaked, 0, "{report}"),
    );
}

static EXITS: AtomicUsize = AtomicUsize::new(0);

#[test]
fn asked_twice_it_ends_at_once() {
    let setup = Setup::default().seeds(0..8).config(|config| {
        config.exit_now = || {
            EXITS.fetch_add(1, Relaxed);
        };
    });
    let seeds = setup.seeds.clone().count();
    check(
        setup,
        async |cx, world: World| {
            let busy = Client::connect(cx, address()).await;
            busy.send(cx, b"KV.SLEEP 5000\r\n").await.expect("sent");
            cx.sleep(Duration::from_millis(10)).await.expect("nobody cancels");
            world.signals.raise(Signal::Interrupt);
            cx.sleep(Duration::from_secs(1)).await.expect("nobody cancels");
            assert_eq!(world.lines.count("ending at once"), 0);
            world.signals.raise(Signal::Interrupt);
            cx.sleep(Duration::from_millis(10)).await.expect("nobody cancels");
            assert_eq!(world.lines.count("ending at once"), 1);
        },
        |_, _| {},
    );
    assert!(EXITS.load(Relaxed) >= seeds);
}

#[test]
fn a_port_in_use_is_an_error_in_one_line() {
    use crate::harness::Lines;
    use crate::server::{Serving, serve};
    let lab = LabRuntime::new(LabConfig::default());
    let config = Setup::default().config;
    let error = lab.run(|cx| async move {
        let listener = asupersync::net::TcpListener::bind(cx, address()).expect("free so far");
        let cx: &mut Cx<Serving> = cx.narrow();
        let error = serve(cx, config, std::sync::Arc::new(Lines::default())).await.expect_err("in use");
        drop(listener);
        error.to_string()
    });
    assert_eq!(error, "failed to listen at 127.0.0.1:6379: Address already in use (os error 98)");
}
