//! Clients that misbehave, handlers that fail, a network and a machine with faults: nobody else is concerned.

use crate::client::{Client, encode};
use crate::harness::{Setup, World, address, check, clean};
use crate::server::Report;
use asupersync::prelude::*;

/// A client is served as if nobody else were there.
async fn expect_service(cx: &Cx, client: &mut Client) {
    assert_eq!(client.call(cx, "PING").await, "+PONG\r\n");
}

#[test]
fn a_client_that_leaves_in_the_middle_of_a_request_is_forgotten() {
    check(
        Setup::default().seeds(0..60),
        async |cx, _| {
            let leaving = Client::connect(cx, address()).await;
            leaving.send(cx, b"*3\r\n$3\r\nSET\r\n$1\r\na\r\n$100\r\nhal").await.expect("sent");
            let mut other = Client::connect(cx, address()).await;
            expect_service(cx, &mut other).await;
            drop(leaving);
            while !other.call(cx, "INFO clients").await.contains("connected_clients:1\r\n") {
                cx.sleep(Duration::from_millis(1)).await.expect("nobody cancels");
            }
            assert_eq!(other.call(cx, "EXISTS a").await, ":0\r\n");
        },
        clean,
    );
}

#[test]
fn a_client_that_never_reads_is_not_read_either() {
    let setup = Setup::default().seeds(0..12).net(|net| net.capacity(2048)).config(|config| {
        config.limits.max_output = 4096;
        config.grace = Duration::from_secs(5);
    });
    check(
        setup,
        async |cx, _| {
            let mut other = Client::connect(cx, address()).await;
            other.call(cx, &format!("SET big {}", "x".repeat(1000))).await;
            let greedy = Client::connect(cx, address()).await;
            let requests = encode("GET big").repeat(10_000);
            let sent = cx.timeout(Duration::from_secs(60), async |cx: &mut Cx| -> Res {
                greedy.send(cx, &requests).await?;
                Ok(())
            });
            assert!(sent.await.is_err(), "the server stops reading, so this cannot end");
            let list = other.call(cx, "CLIENT LIST ID 2").await;
            let field = |name: &str| -> usize {
                let value = list.split(' ').find_map(|field| field.strip_prefix(name)).expect(name);
                value.parse().expect("a number")
            };
            assert!(field("omem=") <= 4096 + 1100, "a turn's replies are bounded: {list}");
            assert!(field("qbuf=") <= 64 * 1024, "a buffer of requests is bounded: {list}");
            expect_service(cx, &mut other).await;
            // It begins to read, and is served on.
            let mut greedy = greedy;
            for _ in 0..20 {
                assert_eq!(greedy.reply(cx).await.len(), 1000 + 9);
            }
            // And does not read any more, until the end.
            std::mem::forget(greedy);
        },
        |report, _| {
            assert_eq!(report.abandoned, 1, "{report}");
            assert!(report.to_string().contains("a reply that was not read"), "{report}");
            assert!(report.took >= Duration::from_secs(5), "it had all of its grace");
        },
    );
}

/// All clients together may hold one mebibyte, and the network next to nothing.
fn scarce() -> Setup {
    Setup::default().seeds(0..6).net(|net| net.capacity(32 * 1024)).config(|config| {
        config.limits.max_held = 1 << 20;
        config.grace = Duration::from_secs(5);
    })
}

const TOO_MUCH: &str = "-OOM this server holds too much for its clients already\r\n";

#[test]
fn large_requests_of_all_clients_together_are_bounded() {
    check(
        scarce(),
        async |cx, _| {
            let mut other = Client::connect(cx, address()).await;
            let header = b"*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$700000\r\n";
            let mut patient = Client::connect(cx, address()).await;
            patient.send(cx, &[&header[..], &[b'x'; 400_000]].concat()).await.expect("it fits");
            let mut refused = Client::connect(cx, address()).await;
            // It is closed before it has sent everything; the reset may be quicker than what it was told.
            let sent = refused.send(cx, &[&header[..], &[b'x'; 650_000]].concat()).await;
            match refused.try_reply_or_cut(cx).await {
                Ok(Some(told)) => assert_eq!(String::from_utf8_lossy(&told), TOO_MUCH),
                Ok(None) | Err(_) => assert!(sent.is_err(), "it was closed"),
            }
            expect_service(cx, &mut other).await;
            patient.send(cx, &[&[b'x'; 300_000][..], b"\r\n"].concat()).await.expect("sent");
            assert_eq!(patient.reply(cx).await, "+OK\r\n");
            // What the first one held is there for the next.
            let mut next = Client::connect(cx, address()).await;
            assert_eq!(next.call(cx, &format!("SET k {}", "y".repeat(700_000))).await, "+OK\r\n");
        },
        clean,
    );
}

#[test]
fn many_small_arguments_count_with_their_places() {
    // 140,000 of them come in 820 KiB, a mebibyte of buffer; their places take two.
    for (most, fits) in [(3 << 20, true), (2 << 20, false)] {
        check(
            scarce().seeds(0..2).config(|config| config.limits.max_held = most),
            async move |cx, _| {
                let mut other = Client::connect(cx, address()).await;
                let mut client = Client::connect(cx, address()).await;
                let mut bytes = b"*140001\r\n$3\r\nDEL\r\n".to_vec();
                bytes.extend_from_slice(&b"$0\r\n\r\n".repeat(140_000));
                let sent = client.send(cx, &bytes).await;
                match client.try_reply_or_cut(cx).await {
                    Ok(Some(reply)) if fits => assert_eq!(reply, b":0\r\n"),
                    Ok(Some(told)) => assert_eq!(String::from_utf8_lossy(&told), TOO_MUCH),
                    Ok(None) | Err(_) => assert!(sent.is_err() && !fits, "it was closed"),
                }
                expect_service(cx, &mut other).await;
            },
            clean,
        );
    }
}

#[test]
fn channels_of_all_clients_together_are_bounded() {
    check(
        scarce(),
        async |cx, _| {
            let mut other = Client::connect(cx, address()).await;
            let name = |n: usize| format!("{n:08}{}", "x".repeat(40_000));
            // A mebibyte is there again for whoever comes when the last one was refused, and for whoever leaves its channels.
            for _ in 0..2 {
                let mut greedy = Client::connect(cx, address()).await;
                for _ in 0..3 {
                    for n in 0..10 {
                        greedy
                            .send(cx, &encode(&format!("SUBSCRIBE {}", name(n))))
                            .await
                            .expect("it is read");
                        assert!(greedy.reply(cx).await.starts_with("*3\r\n$9\r\nsubscribe\r\n"), "{n} fit");
                    }
                    greedy.send(cx, &encode("RESET")).await.expect("it is read");
                    assert_eq!(greedy.reply(cx).await, "+RESET\r\n");
                }
                let mut told = None;
                for n in 0..40 {
                    greedy.send(cx, &encode(&format!("SUBSCRIBE {}", name(n)))).await.expect("it is read");
                    let reply = greedy.reply(cx).await;
                    if reply.starts_with('-') {
                        told = Some((n, reply));
                        break;
                    }
                }
                let (fit, reply) = told.expect("40 do not fit");
                assert_eq!(reply, TOO_MUCH);
                assert!((10..14).contains(&fit), "each name is kept twice: {fit}");
                expect_service(cx, &mut other).await;
            }
        },
        clean,
    );
}

#[test]
fn replies_that_are_not_read_are_bounded_for_all_clients_together() {
    check(
        scarce(),
        async |cx, _| {
            let mut other = Client::connect(cx, address()).await;
            other.call(cx, &format!("SET big {}", "x".repeat(300_000))).await;
            let mut silent = Vec::new();
            for _ in 0..6 {
                let client = Client::connect(cx, address()).await;
                client.send(cx, &encode("GET big")).await.expect("sent");
                silent.push(client);
            }
            cx.sleep(Duration::from_secs(1)).await.expect("nobody cancels");
            let mut told = 0;
            for client in &mut silent {
                match client.reply(cx).await.as_str() {
                    TOO_MUCH => told += 1,
                    reply => assert_eq!(reply.len(), 300_011),
                }
            }
            assert!((1..6).contains(&told), "{told} of 6");
            assert_eq!(other.call(cx, "GET big").await.len(), 300_011, "what they held is there again");
        },
        clean,
    );
}

#[test]
fn messages_that_are_not_read_are_bounded_for_all_subscribers_together() {
    check(
        scarce(),
        async |cx, _| {
            let mut publisher = Client::connect(cx, address()).await;
            let mut silent = Vec::new();
            for _ in 0..5 {
                let mut client = Client::connect(cx, address()).await;
                client.call(cx, "SUBSCRIBE c").await;
                silent.push(client);
            }
            let message = format!("PUBLISH c {}", "m".repeat(300_000));
            assert_eq!(publisher.call(cx, &message).await, ":5\r\n");
            while publisher.call(cx, "INFO clients").await.contains("connected_clients:6") {
                cx.sleep(Duration::from_millis(1)).await.expect("nobody cancels");
            }
            expect_service(cx, &mut publisher).await;
        },
        |report, world| {
            clean(report, world);
            let gone = world.lines.count("reads too slowly");
            assert!((1..5).contains(&gone), "{gone} of 5");
        },
    );
}

#[test]
fn a_subscriber_that_reads_too_slowly_is_disconnected_alone() {
    let setup = Setup::default().seeds(0..12).net(|net| net.capacity(512)).config(|config| {
        config.subscriber_bytes = 4000;
    });
    check(
        setup,
        async |cx, _| {
            let mut slow = Client::connect(cx, address()).await;
            slow.call(cx, "SUBSCRIBE c").await;
            let mut publisher = Client::connect(cx, address()).await;
            let message = format!("PUBLISH c {}", "m".repeat(100));
            let mut delivered = 0;
            while publisher.call(cx, &message).await == ":1\r\n" {
                delivered += 1;
                assert!(delivered < 1000, "it is disconnected long before");
            }
            // What was on its way can be read, then the end.
            while let Ok(Some(_)) = slow.try_reply_or_cut(cx).await {}
            expect_service(cx, &mut publisher).await;
        },
        |report, world| {
            clean(report, world);
            assert_eq!(world.lines.count("reads too slowly"), 1);
        },
    );
}

#[test]
fn a_subscriber_that_closes_its_half_and_reads_nothing_is_gone() {
    check(
        Setup::default().net(|net| net.capacity(256)),
        async |cx, _| {
            let mut silent = Client::connect(cx, address()).await;
            silent.call(cx, "SUBSCRIBE c").await;
            let mut publisher = Client::connect(cx, address()).await;
            for _ in 0..20 {
                assert_eq!(publisher.call(cx, "PUBLISH c message").await, ":1\r\n");
            }
            silent.half_close();
            while publisher.call(cx, "PUBLISH c message").await != ":0\r\n" {
                cx.sleep(Duration::from_millis(1)).await.expect("nobody cancels");
            }
            assert!(publisher.call(cx, "INFO clients").await.contains("connected_clients:1\r\n"));
        },
        clean,
    );
}

#[test]
fn one_client_too_many_is_told_so() {
    check(
        Setup::default().config(|config| config.limits.max_clients = 2),
        async |cx, _| {
            let mut first = Client::connect(cx, address()).await;
            let mut second = Client::connect(cx, address()).await;
            expect_service(cx, &mut first).await;
            expect_service(cx, &mut second).await;
            for _ in 0..3 {
                let mut third = Client::connect(cx, address()).await;
                assert_eq!(third.reply(cx).await, "-ERR max number of clients reached\r\n");
                third.expect_end(cx).await;
            }
            assert!(first.call(cx, "INFO stats").await.contains("rejected_connections:3\r\n"));
            drop(second);
            loop {
                let mut again = Client::connect(cx, address()).await;
                again.send(cx, b"PING\r\n").await.ok();
                match again.try_reply(cx).await {
                    Ok(Some(reply)) if reply == b"+PONG\r\n" => break,
                    _ => cx.sleep(Duration::from_millis(1)).await.expect("nobody cancels"),
                }
            }
        },
        |report, world| {
            clean(report, world);
            assert_eq!(world.lines.count("places for clients are taken"), 1, "told once");
        },
    );
}

#[test]
fn malformed_and_oversized_requests_get_their_error_and_the_end() {
    check(
        Setup::default().config(|config| {
            config.limits.max_request = 2000;
            config.limits.max_inline = 100;
        }),
        async |cx, _| {
            let mut other = Client::connect(cx, address()).await;
            for (bytes, error) in [
                (b"*1\r\n$-5\r\n".to_vec(), "invalid bulk length"),
                (b"*a\r\n".to_vec(), "invalid multibulk length"),
                (b"*1\r\n:5\r\n".to_vec(), "expected '$', got ':'"),
                (b"GET \"a\r\n".to_vec(), "unbalanced quotes in request"),
                (vec![b'a'; 200], "too big inline request"),
                (b"*2\r\n$3\r\nGET\r\n$100000\r\n".to_vec(), "too big request"),
            ] {
                let mut client = Client::connect(cx, address()).await;
                // A request before it is answered; a reset may overtake the answers.
                let sent = [b"PING\r\n".to_vec(), bytes].concat();
                let _ = client.send(cx, &sent).await;
                if let Ok(Some(reply)) = client.try_reply(cx).await {
                    assert_eq!(reply, b"+PONG\r\n");
                }
                if let Ok(Some(reply)) = client.try_reply(cx).await {
                    let reply = String::from_utf8_lossy(&reply).into_owned();
                    assert_eq!(reply, format!("-ERR Protocol error: {error}\r\n"));
                }
                client.expect_end(cx).await;
                expect_service(cx, &mut other).await;
            }
        },
        clean,
    );
}

#[test]
fn garbage_ends_its_own_connection_at_worst() {
    check(
        Setup::default().seeds(0..100).net(|net| net.capacity(128)).config(|config| {
            config.limits.max_request = 4000;
            // KV.PANIC is not for garbage to find.
            config.debug_commands = false;
        }),
        async |cx, world: World| {
            let mut other = Client::connect(cx, address()).await;
            let mut state = world.seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
            let mut next = move || {
                state ^= state << 13;
                state ^= state >> 7;
                state ^= state << 17;
                state
            };
            let alphabet = b"*$:+-\r\n\r\n\"' 0123459setgetSUBSCRIBEpingmgetxyz\\\0\xff";
            let bytes: Vec<u8> = (0..600).map(|_| alphabet[next() as usize % alphabet.len()]).collect();
            let client = Client::connect(cx, address()).await;
            let _ = cx
                .timeout(Duration::from_secs(1), async |cx: &mut Cx| -> Res {
                    client.send(cx, &bytes).await?;
                    let mut room = [0; 256];
                    while client.stream.read(cx, &mut room).await? > 0 {}
                    Ok(())
                })
                .await;
            expect_service(cx, &mut other).await;
        },
        clean,
    );
}

#[test]
fn a_handler_that_panics_ends_its_own_connection_only() {
    check(
        Setup::default(),
        async |cx, _| {
            let mut other = Client::connect(cx, address()).await;
            expect_service(cx, &mut other).await;
            let mut failing = Client::connect(cx, address()).await;
            failing.send(cx, b"SUBSCRIBE c\r\nPING\r\nKV.PANIC\r\n").await.expect("sent");
            let mut replies = 0;
            while let Ok(Some(_)) = failing.try_reply(cx).await {
                replies += 1;
            }
            assert!(replies <= 2);
            assert_eq!(other.call(cx, "PUBLISH c m").await, ":0\r\n", "its subscription is gone");
            expect_service(cx, &mut other).await;
        },
        |report, world| {
            clean(report, world);
            assert_eq!(world.lines.count("connection #2 127.0.0.1"), 1, "{:?}", world.lines.all());
            assert_eq!(world.lines.count("its handler has a bug: panicked: a client sent KV.PANIC"), 1);
        },
    );
}

#[test]
fn accepting_goes_on_when_descriptors_run_out() {
    check(
        Setup::default().net(|net| net.accept_fails_one_in(2)),
        async |cx, _| {
            cx.region(|scope| async {
                for _ in 0..8 {
                    scope.spawn(async |cx: &mut Cx| {
                        let mut client = Client::connect(cx, address()).await;
                        expect_service(cx, &mut client).await;
                    });
                }
            })
            .await;
        },
        |report, world| {
            clean(report, world);
            assert!(world.lines.count("failed to accept a connection") <= 2, "told once, not once each");
        },
    );
}

#[test]
fn connections_that_break_at_any_write_do_not_disturb_the_server() {
    check(
        Setup::default().seeds(0..100).net(|net| net.reset_one_in(12)),
        async |cx, _| {
            cx.region(|scope| async {
                for i in 0..4 {
                    scope.spawn(async move |cx: &mut Cx| {
                        for _ in 0..3 {
                            let mut client = Client::connect(cx, address()).await;
                            let request = if i == 0 { "SUBSCRIBE c" } else { "PUBLISH c m" };
                            for _ in 0..5 {
                                if client.send(cx, &encode(request)).await.is_err()
                                    || !matches!(client.try_reply_or_cut(cx).await, Ok(Some(_)))
                                {
                                    break;
                                }
                            }
                        }
                    });
                }
            })
            .await;
        },
        |report: &Report, _| assert_eq!(report.abandoned, 0, "{report}"),
    );
}
