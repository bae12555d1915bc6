//! The simulated network, through `net` as programs use it: what arrives, what waits, what fails and with which of the
//! system's numbers, and that nothing of it depends on anything but the decisions.
//!
//! Not here: the real sockets (`reactor`, `net`), which keep the same contract.

use asupersync_lab as lab;
use cx::Cx;
use lab::{LabConfig, LabFailure, LabRuntime, NetProfile, NetStats, Schedule, explore_with};
use net::{Half, ListenOptions, NetError, OrCancelled, TcpListener, TcpStream};
use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::time::Duration;
use time::TimeExt;
use types::{Res, Time};

const EMFILE: i32 = 24;
const EPIPE: i32 = 32;
const EADDRINUSE: i32 = 98;
const ECONNRESET: i32 = 104;
const ENOTCONN: i32 = 107;
const ECONNREFUSED: i32 = 111;

const MS: Duration = Duration::from_millis(1);

fn at(port: u16) -> SocketAddr {
    ([127, 0, 0, 1], port).into()
}

/// The network without surprises.
fn plain() -> NetProfile {
    NetProfile::default().chunking(false)
}

/// Runs `body` with each of the seeds; every oracle must agree. Gives back what the network did in all of them.
fn each(net: NetProfile, seeds: u64, body: impl AsyncFn(&mut Cx)) -> Vec<NetStats> {
    let all = std::cell::RefCell::new(Vec::new());
    explore_with(&LabConfig::default().net(net), 0..seeds, |lab| {
        lab.run(|cx| body(cx));
        lab.oracles().unwrap();
        all.borrow_mut().push(lab.net_stats());
    });
    all.into_inner()
}

/// A connection: the client's end and the server's.
async fn pair(cx: &Cx) -> (TcpStream, TcpStream) {
    let listener = TcpListener::bind(cx, at(0)).unwrap();
    let client = TcpStream::connect(cx, listener.local_addr()).await.unwrap();
    let (server, from) = listener.accept(cx).await.unwrap();
    assert_eq!(client.local_addr().unwrap(), from);
    (client, server)
}

/// Everything up to the end of the stream.
async fn read_all(cx: &Cx, stream: &TcpStream) -> Result<Vec<u8>, OrCancelled<NetError>> {
    let (mut all, mut bytes) = (Vec::new(), [0; 1000]);
    loop {
        match stream.read(cx, &mut bytes).await? {
            0 => return Ok(all),
            n => all.extend_from_slice(&bytes[..n]),
        }
    }
}

/// The number of what failed.
#[track_caller]
fn code<T: std::fmt::Debug>(result: Result<T, OrCancelled<NetError>>) -> i32 {
    result.expect_err("it ought to fail").failed().expect("not a cancellation").code().expect("the system's")
}

/// Bytes that are not all alike.
fn pattern(length: usize) -> Vec<u8> {
    (0..length).map(|i| (i * 31 + i / 251) as u8).collect()
}

/// Sends back what comes, to every client, until it is asked to end.
async fn echo(cx: &mut Cx, listener: TcpListener) -> Res {
    cx.try_region(|cx| async {
        loop {
            let (stream, _) = listener.accept(cx).await?;
            cx.spawn(async move |cx: &mut Cx| -> Res {
                let mut bytes = [0; 4096];
                loop {
                    match stream.read(cx, &mut bytes).await? {
                        0 => return Ok(()),
                        n => stream.write_all(cx, &bytes[..n]).await?,
                    }
                }
            });
        }
    })
    .await
}

#[test]
fn what_is_written_is_read_whatever_the_pieces_and_the_schedule() {
    let net = NetProfile::default().capacity(700).jitter(3 * MS);
    let stats = each(net, 40, async |cx| {
        let listener = TcpListener::bind(cx, at(7)).unwrap();
        let mut server = cx.spawn(async move |cx: &mut Cx| echo(cx, listener).await);
        let mut clients = Vec::new();
        for i in 0..3 {
            clients.push(cx.spawn(async move |cx: &mut Cx| -> Res {
                let stream = Arc::new(TcpStream::connect(cx, at(7)).await?);
                let sent = pattern(2000 + 500 * i);
                let (writer, bytes) = (stream.clone(), sent.clone());
                cx.spawn(async move |cx: &mut Cx| -> Res {
                    writer.write_all(cx, &bytes).await?;
                    Ok(writer.shutdown(Half::Write)?)
                });
                assert_eq!(read_all(cx, &stream).await?, sent);
                Ok(())
            }));
        }
        for client in &mut clients {
            assert!(client.join(cx).await.is_ok());
        }
        server.cancel("the clients are done");
        assert!(server.join(cx).await.is_cancelled());
    });
    for s in stats {
        assert_eq!((s.connections, s.accepted, s.resets), (3, 3, 0));
        assert_eq!((s.written, s.read), (2 * 7500, 2 * 7500));
        assert!(s.partial_reads > 0 && s.partial_writes > 0, "{s:?}");
    }
}

#[test]
fn without_chunking_a_read_takes_all_there_is() {
    each(plain(), 5, async |cx| {
        let (client, server) = pair(cx).await;
        client.write_all(cx, b"hello ").await.unwrap();
        client.write_all(cx, b"world").await.unwrap();
        let mut bytes = [0; 100];
        assert_eq!(server.read(cx, &mut bytes).await.unwrap(), 11);
        assert_eq!(&bytes[..11], b"hello world");
    });
}

#[test]
fn a_connect_where_nobody_listens_is_refused() {
    let stats = each(NetProfile::default(), 3, async |cx| {
        let error = TcpStream::connect(cx, at(9)).await.unwrap_err().failed().unwrap();
        assert_eq!(error.to_string(), "failed to connect to 127.0.0.1:9: Connection refused (os error 111)");
        assert_eq!(code(TcpStream::connect(cx, at(0)).await), ECONNREFUSED);
    });
    assert!(stats.iter().all(|s| s.refused == 2 && s.connections == 0));
}

#[test]
fn an_address_is_taken_until_its_listener_is_dropped() {
    each(NetProfile::default(), 1, async |cx| {
        let first = TcpListener::bind(cx, at(80)).unwrap();
        let error = TcpListener::bind(cx, at(80)).unwrap_err();
        assert_eq!(
            error.to_string(),
            "failed to listen at 127.0.0.1:80: Address already in use (os error 98)"
        );
        // "Any address" is among those of the port; another address is not.
        assert_eq!(TcpListener::bind(cx, ([0, 0, 0, 0], 80)).unwrap_err().code(), Some(EADDRINUSE));
        let other = TcpListener::bind(cx, ([10, 0, 0, 7], 80)).unwrap();
        drop((first, other));
        let any = TcpListener::bind(cx, ([0, 0, 0, 0], 80)).unwrap();
        assert_eq!(TcpListener::bind(cx, at(80)).unwrap_err().code(), Some(EADDRINUSE));
        drop(any);
        TcpListener::bind(cx, at(80)).unwrap();
    });
}

#[test]
fn both_ends_know_each_others_address() {
    each(NetProfile::default(), 1, async |cx| {
        let any = TcpListener::bind(cx, ([0, 0, 0, 0], 80)).unwrap();
        for ip in [[127, 0, 0, 1], [10, 0, 0, 7]] {
            let client = TcpStream::connect(cx, (ip, 80)).await.unwrap();
            let (server, from) = any.accept(cx).await.unwrap();
            assert_eq!(client.peer_addr(), (ip, 80).into());
            assert_eq!(server.local_addr().unwrap(), (ip, 80).into());
            assert_eq!(server.peer_addr(), from);
            assert_eq!(client.local_addr().unwrap(), from);
            assert_eq!(from.ip(), client.peer_addr().ip());
            client.set_nodelay(true).unwrap();
        }
        // Who connects to "any address" finds this machine.
        let client = TcpStream::connect(cx, ([0, 0, 0, 0], 80)).await.unwrap();
        let (server, _) = any.accept(cx).await.unwrap();
        assert_eq!(server.local_addr().unwrap(), at(80));
        drop((client, server));
    });
}

#[test]
fn ports_that_nobody_asked_for_are_different_and_come_back() {
    each(plain(), 1, async |cx| {
        let listener = TcpListener::bind(cx, at(0)).unwrap();
        let mut seen = BTreeSet::from([listener.local_addr().port()]);
        // More connections than there are ports, one after the other.
        for n in 0..30_000 {
            let client = TcpStream::connect(cx, listener.local_addr()).await.unwrap();
            let (_, from) = listener.accept(cx).await.unwrap();
            assert_ne!(from.port(), listener.local_addr().port());
            if n < 100 {
                assert!(seen.insert(from.port()));
            }
            drop(client);
        }
    });
}

#[test]
fn a_writer_waits_when_the_buffer_is_full_and_goes_on_when_there_is_room() {
    each(NetProfile::default().capacity(1000), 30, async |cx| {
        let (client, server) = pair(cx).await;
        let written = Arc::new(AtomicUsize::new(0));
        let count = written.clone();
        let mut writer = cx.spawn(async move |cx: &mut Cx| -> Res {
            for _ in 0..50 {
                let mut rest = &[7; 100][..];
                while !rest.is_empty() {
                    let n = client.write(cx, rest).await?;
                    count.fetch_add(n, Relaxed);
                    rest = &rest[n..];
                }
            }
            Ok(())
        });
        cx.sleep(MS).await.unwrap();
        assert_eq!(written.load(Relaxed), 1000, "no byte more than the buffer holds");
        let n = server.read(cx, &mut [0; 300]).await.unwrap();
        cx.sleep(MS).await.unwrap();
        assert_eq!(written.load(Relaxed), 1000 + n);
        assert_eq!(read_all(cx, &server).await.unwrap().len(), 5000 - n);
        assert!(writer.join(cx).await.is_ok());
    });
}

#[test]
fn bytes_on_their_way_count_against_the_buffer() {
    each(plain().capacity(1000).latency(10 * MS), 10, async |cx| {
        let (client, server) = pair(cx).await;
        let start = cx.now();
        for expected in [600, 400] {
            assert_eq!(client.write(cx, &[7; 600]).await.unwrap(), expected);
        }
        let mut writer = cx.spawn(async move |cx: &mut Cx| -> Res {
            client.write_all(cx, &[7; 600]).await?;
            // It waited for the first bytes to arrive and be read.
            assert_eq!(cx.now() - start, 15 * MS);
            Ok(())
        });
        cx.sleep(15 * MS).await.unwrap();
        assert_eq!(read_all(cx, &server).await.unwrap().len(), 1600);
        assert!(writer.join(cx).await.is_ok());
    });
}

#[test]
fn after_its_half_is_shut_a_client_still_reads_the_answer() {
    each(NetProfile::default().jitter(MS), 30, async |cx| {
        let (client, server) = pair(cx).await;
        cx.spawn(async move |cx: &mut Cx| -> Res {
            let question = read_all(cx, &server).await?;
            assert_eq!(question, b"what?");
            assert_eq!(server.read(cx, &mut [0; 8]).await?, 0, "the end stays the end");
            Ok(server.write_all(cx, b"that").await?)
        });
        client.write_all(cx, b"what?").await.unwrap();
        client.shutdown(Half::Write).unwrap();
        assert_eq!(code(client.write(cx, b"more").await), EPIPE);
        assert_eq!(read_all(cx, &client).await.unwrap(), b"that");
    });
}

#[test]
fn a_reader_that_waits_is_told_when_its_own_half_is_shut() {
    each(NetProfile::default(), 20, async |cx| {
        let (client, server) = pair(cx).await;
        let client = Arc::new(client);
        let reading = client.clone();
        let mut reader =
            cx.spawn(async move |cx: &mut Cx| -> Res<usize> { Ok(reading.read(cx, &mut [0; 8]).await?) });
        cx.sleep(MS).await.unwrap();
        client.shutdown(Half::Read).unwrap();
        assert_eq!(reader.join(cx).await.unwrap(), 0);
        // The other direction is as it was.
        client.write_all(cx, b"x").await.unwrap();
        assert_eq!(server.read(cx, &mut [0; 8]).await.unwrap(), 1);
    });
}

#[test]
fn dropping_an_end_with_bytes_unread_resets_the_connection() {
    let stats = each(plain(), 10, async |cx| {
        let (client, server) = pair(cx).await;
        server.write_all(cx, b"the answer").await.unwrap();
        client.write_all(cx, b"unread").await.unwrap();
        drop(server);
        // What has arrived can be read. Then the reset is told once, and the connection is over.
        let mut bytes = [0; 100];
        assert_eq!(client.read(cx, &mut bytes).await.unwrap(), 10);
        assert_eq!(code(client.read(cx, &mut bytes).await), ECONNRESET);
        assert_eq!(client.read(cx, &mut bytes).await.unwrap(), 0);
        assert_eq!(code(client.write(cx, b"more").await), EPIPE);
        assert_eq!(client.shutdown(Half::Both).unwrap_err().code(), Some(ENOTCONN));
    });
    assert!(stats.iter().all(|s| s.resets == 1));
}

#[test]
fn the_first_write_to_a_peer_that_left_is_taken_and_the_second_is_a_broken_pipe() {
    let stats = each(plain(), 10, async |cx| {
        let (client, server) = pair(cx).await;
        drop(server);
        assert_eq!(client.read(cx, &mut [0; 8]).await.unwrap(), 0);
        assert_eq!(client.write(cx, b"one").await.unwrap(), 3, "nobody knows yet");
        assert_eq!(code(client.write(cx, b"two").await), EPIPE);
        assert_eq!(client.read(cx, &mut [0; 8]).await.unwrap(), 0, "the end came before the reset");
    });
    assert!(stats.iter().all(|s| s.resets == 1));
}

#[test]
fn a_writer_that_waits_is_told_when_the_reader_leaves() {
    each(NetProfile::default().capacity(10), 20, async |cx| {
        let (client, server) = pair(cx).await;
        let mut writer = cx
            .spawn(async move |cx: &mut Cx| -> Res<i32> { Ok(code(client.write_all(cx, &[1; 100]).await)) });
        cx.sleep(MS).await.unwrap();
        drop(server);
        assert_eq!(writer.join(cx).await.unwrap(), ECONNRESET);
    });
}

#[test]
fn injected_resets_reach_both_ends() {
    let stats = each(NetProfile::default().reset_one_in(4), 60, async |cx| {
        let (client, server) = pair(cx).await;
        let mut other = cx.spawn(async move |cx: &mut Cx| -> Res<Result<usize, i32>> {
            Ok(match read_all(cx, &server).await {
                Ok(all) => Ok(all.len()),
                failed => Err(code(failed)),
            })
        });
        let sent = client.write_all(cx, &pattern(64)).await;
        if let Err(e) = &sent {
            assert!(e.to_string().ends_with("Connection reset by peer (os error 104)"), "{e}");
            assert_eq!(client.read(cx, &mut [0; 8]).await.unwrap(), 0);
            assert_eq!(code(client.write(cx, b"more").await), EPIPE);
        }
        drop(client);
        let expected = if sent.is_ok() { Ok(64) } else { Err(ECONNRESET) };
        assert_eq!(other.join(cx).await.unwrap(), expected);
    });
    let reset = stats.iter().filter(|s| s.resets_injected == 1).count();
    assert!((10..60).contains(&reset), "of 60 runs {reset} had a reset");
}

#[test]
fn with_a_latency_a_connect_takes_two_and_bytes_take_one() {
    each(plain().latency(10 * MS), 10, async |cx| {
        let start = cx.now();
        let (client, server) = pair(cx).await;
        assert_eq!(cx.now() - start, 20 * MS);
        client.write_all(cx, b"ping").await.unwrap();
        assert_eq!(cx.now() - start, 20 * MS, "writing does not wait");
        assert_eq!(server.read(cx, &mut [0; 8]).await.unwrap(), 4);
        assert_eq!(cx.now() - start, 30 * MS);
        drop(server);
        assert_eq!(client.read(cx, &mut [0; 8]).await.unwrap(), 0);
        assert_eq!(cx.now() - start, 40 * MS);
        assert_eq!(code(TcpStream::connect(cx, at(1)).await), ECONNREFUSED);
        assert_eq!(cx.now() - start, 60 * MS);
    });
}

#[test]
fn jitter_delays_segments_and_never_swaps_them() {
    let first = std::cell::RefCell::new(BTreeSet::new());
    each(plain().latency(10 * MS).jitter(70 * MS), 40, async |cx| {
        let (client, server) = pair(cx).await;
        let start = cx.now();
        for piece in pattern(500).chunks(10) {
            client.write_all(cx, piece).await.unwrap();
        }
        client.shutdown(Half::Write).unwrap();
        let mut bytes = [0; 10];
        assert_eq!(server.read(cx, &mut bytes).await.unwrap(), 10);
        first.borrow_mut().insert(cx.now() - start);
        assert_eq!([bytes.to_vec(), read_all(cx, &server).await.unwrap()].concat(), pattern(500));
        assert!(cx.now() - start <= 80 * MS);
    });
    // Eight steps, of which 40 seeds find most.
    let first = first.into_inner();
    assert!(first.iter().all(|span| (10 * MS..=80 * MS).contains(span)), "{first:?}");
    assert!((4..=8).contains(&first.len()), "{first:?}");
}

#[test]
fn connects_beyond_the_backlog_wait_for_room_in_turn() {
    let stats = each(NetProfile::default(), 30, async |cx| {
        let options = ListenOptions::new().backlog(2);
        let listener = TcpListener::bind_with(cx, at(7), options).unwrap();
        let connected = Arc::new(AtomicUsize::new(0));
        for _ in 0..5 {
            let connected = connected.clone();
            cx.spawn(async move |cx: &mut Cx| -> Res {
                let stream = TcpStream::connect(cx, at(7)).await?;
                connected.fetch_add(1, Relaxed);
                read_all(cx, &stream).await?;
                Ok(())
            });
        }
        for n in 0..5 {
            cx.sleep(MS).await.unwrap();
            assert_eq!(connected.load(Relaxed), 5.min(2 + n));
            listener.accept(cx).await.unwrap();
        }
    });
    assert!(stats.iter().all(|s| s.backlogged == 3 && s.accepted == 5));
}

#[test]
fn dropping_a_listener_resets_who_was_not_accepted_and_refuses_who_waited() {
    each(NetProfile::default(), 20, async |cx| {
        let listener = TcpListener::bind_with(cx, at(7), ListenOptions::new().backlog(1)).unwrap();
        let mut first = cx.spawn(async move |cx: &mut Cx| -> Res<i32> {
            let stream = TcpStream::connect(cx, at(7)).await?;
            Ok(code(stream.read(cx, &mut [0; 8]).await))
        });
        cx.sleep(MS).await.unwrap();
        let mut second =
            cx.spawn(async move |cx: &mut Cx| -> Res<i32> { Ok(code(TcpStream::connect(cx, at(7)).await)) });
        cx.sleep(MS).await.unwrap();
        drop(listener);
        assert_eq!(first.join(cx).await.unwrap(), ECONNRESET);
        assert_eq!(second.join(cx).await.unwrap(), ECONNREFUSED);
    });
}

#[test]
fn an_accept_that_fails_for_want_of_descriptors_leaves_the_connection_in_the_queue() {
    let stats = each(NetProfile::default().accept_fails_one_in(2), 40, async |cx| {
        let listener = TcpListener::bind(cx, at(7)).unwrap();
        let client = TcpStream::connect(cx, at(7)).await.unwrap();
        let server = loop {
            match listener.accept(cx).await {
                Ok((stream, _)) => break stream,
                failed => assert_eq!(code(failed), EMFILE),
            }
        };
        client.write_all(cx, b"x").await.unwrap();
        assert_eq!(server.read(cx, &mut [0; 8]).await.unwrap(), 1);
    });
    assert!(stats.iter().any(|s| s.accepts_failed > 0));
}

#[test]
fn a_connect_that_is_given_up_leaves_nothing_behind() {
    for latency in [Duration::ZERO, 10 * MS] {
        each(plain().latency(latency), 30, async |cx| {
            let listener = TcpListener::bind(cx, at(7)).unwrap();
            let mut connect = cx.spawn(async |cx: &mut Cx| -> Res {
                let stream = TcpStream::connect(cx, at(7)).await?;
                read_all(cx, &stream).await?;
                Ok(())
            });
            cx.sleep(latency + MS).await.unwrap();
            // With a latency it stands at the server, and the client does not know yet.
            connect.cancel("changed our mind");
            let (server, _) = listener.accept(cx).await.unwrap();
            assert_eq!(server.read(cx, &mut [0; 8]).await.unwrap(), 0);
            assert!(connect.join(cx).await.is_cancelled());
        });
    }
}

#[test]
fn what_is_on_its_way_is_no_deadlock_and_a_reader_without_a_writer_is_one() {
    let lab = LabRuntime::new(LabConfig::default().net(plain().latency(Duration::from_secs(60))));
    let failure = lab
        .try_run(|cx| async {
            let (client, server) = pair(cx).await;
            client.write_all(cx, b"x").await.unwrap();
            server.read(cx, &mut [0; 8]).await.unwrap();
            assert_eq!(cx.now(), Time::ZERO + Duration::from_secs(180));
            server.read(cx, &mut [0; 8]).await.unwrap();
        })
        .unwrap_err();
    let LabFailure::Deadlock { waits, .. } = failure else { panic!("{failure}") };
    assert!(waits.contains("TcpStream::read (no data)"), "{waits}");
}

#[test]
fn segments_between_ends_that_are_gone_set_no_timer() {
    let lab = LabRuntime::new(LabConfig::default().net(plain().latency(Duration::from_secs(60))));
    let failure = lab
        .try_run(|cx| async {
            let (client, server) = pair(cx).await;
            client.write_all(cx, b"x").await.unwrap();
            drop((client, server));
            std::future::pending::<()>().await
        })
        .unwrap_err();
    assert!(matches!(failure, LabFailure::Deadlock { .. }), "{failure}");
    assert_eq!(lab.now(), Time::ZERO + Duration::from_secs(120), "the clock stands where they were dropped");
}

/// A few clients of an echo server, with everything that is decided.
fn busy(config: LabConfig) -> LabRuntime {
    let net = NetProfile::default().capacity(50).jitter(4 * MS).reset_one_in(40).accept_fails_one_in(3);
    let lab = LabRuntime::new(config.net(net));
    lab.run(|cx| async {
        let listener = TcpListener::bind(cx, at(7)).unwrap();
        let mut serving = cx.spawn(async move |cx: &mut Cx| {
            loop {
                let Ok((stream, _)) = listener.accept(cx).await else {
                    if cx.checkpoint().is_err() {
                        return;
                    }
                    continue;
                };
                cx.spawn(async move |cx: &mut Cx| {
                    let mut bytes = [0; 32];
                    while let Ok(n @ 1..) = stream.read(cx, &mut bytes).await {
                        if stream.write_all(cx, &bytes[..n]).await.is_err() {
                            return;
                        }
                    }
                });
            }
        });
        let mut clients = Vec::new();
        for _ in 0..3 {
            clients.push(cx.spawn(async move |cx: &mut Cx| {
                let Ok(stream) = TcpStream::connect(cx, at(7)).await else { return };
                let mut bytes = [0; 32];
                for _ in 0..4 {
                    let sent = stream.write_all(cx, b"some words").await;
                    if sent.is_err() || stream.read(cx, &mut bytes).await.is_err() {
                        return;
                    }
                    cx.trace("an answer");
                }
            }));
        }
        for client in &mut clients {
            let _ = client.join(cx).await;
        }
        serving.cancel("the clients are done");
        let _ = serving.join(cx).await;
    });
    lab
}

#[test]
fn the_same_decisions_give_the_same_trace_with_a_network_in_it() {
    for seed in 0..10 {
        let config = LabConfig::default().seed(seed);
        let (first, again) = (busy(config.clone()), busy(config.clone()));
        assert!(first.trace() == again.trace(), "seed {seed}");
        assert_eq!(first.net_stats(), again.net_stats());
        let replayed = busy(config.schedule(Schedule::Replay(first.decisions())));
        assert!(first.trace() == replayed.trace(), "seed {seed}, replayed");
        assert_eq!(first.net_stats(), replayed.net_stats());
    }
}

#[test]
fn first_in_first_out_the_network_does_what_is_usual() {
    let lab = busy(LabConfig::default().schedule(Schedule::Fifo));
    let stats = lab.net_stats();
    assert_eq!((stats.accepts_failed, stats.resets_injected, stats.partial_writes), (0, 0, 0));
    assert_eq!(stats.read, 2 * 3 * 4 * 10);
    assert_eq!(lab.now(), Time::ZERO, "no jitter");
}
