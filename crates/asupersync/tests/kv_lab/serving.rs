//! What a well-behaved client sees.

use crate::client::{Client, encode};
use crate::harness::{Setup, address, check, clean, run};
use asupersync::prelude::*;

#[test]
fn a_pipeline_cut_into_any_pieces_is_answered_in_order() {
    check(
        Setup::default().net(|net| net.latency(Duration::from_millis(2)).jitter(Duration::from_millis(2))),
        async |cx, _| {
            let mut client = Client::connect(cx, address()).await;
            let mut bytes = Vec::new();
            for i in 0..20 {
                bytes.extend_from_slice(&encode(&format!("SET key:{i} value:{i}")));
                bytes.extend_from_slice(format!("get key:{i}\r\n").as_bytes());
                bytes.extend_from_slice(&encode("NOSUCH command"));
            }
            client.send(cx, &bytes).await.expect("sent");
            for i in 0..20 {
                assert_eq!(client.reply(cx).await, "+OK\r\n");
                let value = format!("value:{i}");
                assert_eq!(client.reply(cx).await, format!("${}\r\n{value}\r\n", value.len()));
                assert!(client.reply(cx).await.starts_with("-ERR unknown command 'NOSUCH'"));
            }
        },
        clean,
    );
}

#[test]
fn increments_of_many_clients_are_all_counted_once() {
    check(
        Setup::default(),
        async |cx, _| {
            cx.region(|scope| async {
                for _ in 0..5 {
                    scope.spawn(async |cx: &mut Cx| {
                        let mut client = Client::connect(cx, address()).await;
                        for _ in 0..10 {
                            client.call(cx, "INCR counter").await;
                        }
                    });
                }
            })
            .await;
            let mut client = Client::connect(cx, address()).await;
            assert_eq!(client.call(cx, "GET counter").await, "$2\r\n50\r\n");
        },
        clean,
    );
}

#[test]
fn a_client_that_sends_no_more_gets_every_answer_and_then_the_end() {
    check(
        Setup::default().net(|net| net.capacity(64)),
        async |cx, _| {
            let mut client = Client::connect(cx, address()).await;
            client.send(cx, &encode("PING").repeat(10)).await.expect("sent");
            client.half_close();
            for _ in 0..10 {
                assert_eq!(client.reply(cx).await, "+PONG\r\n");
            }
            client.expect_end(cx).await;
        },
        clean,
    );
}

#[test]
fn quit_is_answered_and_closes() {
    check(
        Setup::default(),
        async |cx, _| {
            let mut client = Client::connect(cx, address()).await;
            assert_eq!(client.call(cx, "QUIT").await, "+OK\r\n");
            client.expect_end(cx).await;
        },
        clean,
    );
}

#[test]
fn replies_that_a_client_does_not_want_are_not_sent() {
    check(
        Setup::default().seeds(0..12),
        async |cx, _| {
            let mut client = Client::connect(cx, address()).await;
            let off = b"CLIENT REPLY OFF\r\nSET a 1\r\nNOSUCH\r\nPUBLISH c m\r\nCLIENT REPLY SKIP\r\nCLIENT REPLY ON\r\n";
            client.send(cx, off).await.expect("sent");
            assert_eq!(client.reply(cx).await, "+OK\r\n", "to the last one");
            client.send(cx, b"CLIENT REPLY SKIP\r\nPUBLISH c m\r\nGET a\r\n").await.expect("sent");
            assert_eq!(client.reply(cx).await, "$1\r\n1\r\n", "only one was skipped");
            // Confirmations are no replies, as messages are none.
            client.send(cx, b"CLIENT REPLY OFF\r\nSUBSCRIBE c\r\nPING\r\n").await.expect("sent");
            assert_eq!(client.reply(cx).await, "*3\r\n$9\r\nsubscribe\r\n$1\r\nc\r\n:1\r\n");
            let mut other = Client::connect(cx, address()).await;
            assert_eq!(other.call(cx, "PUBLISH c m").await, ":1\r\n");
            assert_eq!(client.reply(cx).await, "*3\r\n$7\r\nmessage\r\n$1\r\nc\r\n$1\r\nm\r\n");
            // What closes the connection does so without a word.
            client.send(cx, b"*x\r\n").await.expect("sent");
            client.expect_end(cx).await;
        },
        clean,
    );
}

/// Subscribes, reads what comes up to `stop`, and returns the messages of the channel `news`.
async fn read_news(cx: &mut Cx) -> Res<Vec<String>> {
    let mut client = Client::connect(cx, address()).await;
    let confirmed = client.call(cx, "SUBSCRIBE other news").await;
    assert_eq!(confirmed, "*3\r\n$9\r\nsubscribe\r\n$5\r\nother\r\n:1\r\n");
    let mut seen = Vec::new();
    loop {
        let message = client.reply(cx).await;
        if message.contains("$4\r\nstop") {
            break;
        }
        if message.contains("$7\r\nmessage\r\n$4\r\nnews") {
            seen.push(message);
        }
    }
    assert_eq!(client.call(cx, "PING").await, "*2\r\n$4\r\npong\r\n$0\r\n\r\n");
    let left = client.call(cx, "UNSUBSCRIBE news").await;
    assert_eq!(left, "*3\r\n$11\r\nunsubscribe\r\n$4\r\nnews\r\n:1\r\n");
    Ok(seen)
}

async fn publish_twenty(cx: &mut Cx, publisher: usize) {
    let mut client = Client::connect(cx, address()).await;
    for i in 0..20 {
        assert_eq!(client.call(cx, &format!("PUBLISH news {publisher}:{i}")).await, ":3\r\n");
    }
}

#[test]
fn messages_reach_every_subscriber_in_one_order() {
    check(
        Setup::default().net(|net| net.capacity(256)),
        async |cx, _| {
            let mut subscribers: Vec<_> = (0..3).map(|_| cx.spawn(read_news)).collect();
            let mut watcher = Client::connect(cx, address()).await;
            while watcher.call(cx, "PUBLISH news early").await != ":3\r\n" {
                // Until all three have subscribed. The clock stands while anybody is busy.
                cx.sleep(Duration::from_millis(1)).await.expect("nobody cancels");
            }
            cx.region(|scope| async {
                for publisher in 0..2 {
                    scope.spawn(async move |cx: &mut Cx| publish_twenty(cx, publisher).await);
                }
            })
            .await;
            assert_eq!(watcher.call(cx, "PUBLISH other stop").await, ":3\r\n");
            let mut orders = Vec::new();
            for subscriber in &mut subscribers {
                let mut seen = subscriber.join(cx).await.ok().expect("a subscriber's messages");
                seen.retain(|message| !message.contains("early"));
                orders.push(seen);
            }
            assert_eq!(orders[0].len(), 40);
            assert!(orders.iter().all(|order| *order == orders[0]), "one order for all: {orders:?}");
        },
        clean,
    );
}

#[test]
fn nothing_published_after_the_confirmation_is_missed() {
    check(
        Setup::default().seeds(0..60),
        async |cx, _| {
            let mut subscriber = Client::connect(cx, address()).await;
            let mut publisher = Client::connect(cx, address()).await;
            subscriber.call(cx, "SUBSCRIBE c").await;
            assert_eq!(publisher.call(cx, "PUBLISH c m").await, ":1\r\n");
            assert_eq!(subscriber.reply(cx).await, "*3\r\n$7\r\nmessage\r\n$1\r\nc\r\n$1\r\nm\r\n");
            drop(subscriber);
            while publisher.call(cx, "PUBLISH c m").await != ":0\r\n" {
                cx.sleep(Duration::from_millis(1)).await.expect("nobody cancels");
            }
        },
        clean,
    );
}

#[test]
fn keys_expire_on_the_virtual_clock_with_nobody_asking_for_them() {
    check(
        Setup::default(),
        async |cx, _| {
            let mut client = Client::connect(cx, address()).await;
            let before = cx.now();
            client.call(cx, "SET late 1 PX 5000").await;
            client.call(cx, "SET soon 1 PX 100").await;
            client.call(cx, "SET never 1").await;
            cx.sleep_until(before + Duration::from_millis(99)).await.expect("nobody cancels");
            assert_eq!(client.call(cx, "DBSIZE").await, ":3\r\n");
            cx.sleep_until(before + Duration::from_millis(101)).await.expect("nobody cancels");
            assert_eq!(client.call(cx, "DBSIZE").await, ":2\r\n", "`soon` was removed by the timer");
            assert_eq!(client.call(cx, "PERSIST late").await, ":1\r\n");
            cx.sleep(Duration::from_secs(10)).await.expect("nobody cancels");
            assert_eq!(client.call(cx, "DBSIZE").await, ":2\r\n");
            assert!(client.call(cx, "INFO stats").await.contains("expired_keys:1\r\n"));
        },
        clean,
    );
}

#[test]
fn many_keys_that_expire_at_once_leave_room_for_others() {
    check(
        Setup::default().seeds(0..4),
        async |cx, _| {
            let mut client = Client::connect(cx, address()).await;
            let mut bytes = Vec::new();
            for i in 0..1000 {
                bytes.extend_from_slice(format!("SET k{i} v PX 50\r\n").as_bytes());
            }
            client.send(cx, &bytes).await.expect("sent");
            for _ in 0..1000 {
                assert_eq!(client.reply(cx).await, "+OK\r\n");
            }
            cx.sleep(Duration::from_millis(100)).await.expect("nobody cancels");
            assert_eq!(client.call(cx, "DBSIZE").await, ":0\r\n");
        },
        clean,
    );
}

#[test]
fn info_and_client_list_tell_of_this_server() {
    check(
        Setup::default(),
        async |cx, _| {
            let mut client = Client::connect(cx, address()).await;
            assert_eq!(client.call(cx, "CLIENT SETNAME me").await, "+OK\r\n");
            let list = client.call(cx, "CLIENT LIST").await;
            assert!(list.contains("id=1 ") && list.contains("name=me"), "{list}");
            let info = client.call(cx, "INFO").await;
            assert!(info.contains("connected_clients:1\r\n") && info.contains("tcp_port:6379\r\n"), "{info}");
        },
        clean,
    );
}

#[test]
fn the_same_seed_gives_the_same_trace() {
    let setup = Setup::default();
    let once = |seed| {
        let clients = async |cx: &mut Cx, _| {
            let mut client = Client::connect(cx, address()).await;
            client.call(cx, "SET a 1 PX 20").await;
            client.call(cx, "INCR a").await;
        };
        run(&setup, seed, clients, &clean).1
    };
    for seed in 0..4 {
        assert_eq!(once(seed), once(seed));
    }
}
