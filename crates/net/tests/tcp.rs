//! TCP on the machine's network, as programs use it: on the production runtime.

use asupersync_net::{Doing, Fault, Half, ListenOptions, NetError, OrCancelled, TcpListener, TcpStream};
use combinator::CombineExt;
use cx::{Cx, MayNet, RegionOptions};
use std::net::SocketAddr;
use std::sync::Arc;
use types::{CancelKind, Outcome, Res};

const HERE: ([u8; 4], u16) = ([127, 0, 0, 1], 0);

/// A row with the network and nothing else: what these methods may ask for.
async fn pair<C: MayNet>(cx: &Cx<C>) -> Res<(TcpStream, TcpStream), NetError> {
    let listener = TcpListener::bind(cx, HERE)?;
    let client = TcpStream::connect(cx, listener.local_addr()).await?;
    let (server, from) = listener.accept(cx).await?;
    assert_eq!(from, client.local_addr()?);
    Ok((client, server))
}

async fn read_to_end<C: MayNet>(cx: &Cx<C>, stream: &TcpStream) -> Res<Vec<u8>, NetError> {
    let (mut all, mut bytes) = (Vec::new(), [0; 1000]);
    loop {
        match stream.read(cx, &mut bytes).await? {
            0 => return Ok(all),
            n => all.extend_from_slice(&bytes[..n]),
        }
    }
}

async fn echo(cx: &mut Cx, stream: TcpStream) -> Res<(), NetError> {
    let mut bytes = [0; 512];
    loop {
        match stream.read(cx, &mut bytes).await? {
            0 => return Ok(()),
            n => stream.write_all(cx, &bytes[..n]).await?,
        }
    }
}

fn failure<T>(result: Result<T, OrCancelled<NetError>>) -> NetError {
    result.err().and_then(OrCancelled::failed).expect("a failure")
}

#[test]
fn tasks_that_wait_for_sockets_are_send() {
    fn is_send<T: Send>(value: T) -> T {
        value
    }
    // Not run: the compiler is the test.
    let _ = |cx: &'static Cx, stream: &'static TcpStream, listener: &'static TcpListener| {
        is_send(async move {
            let _ = listener.accept(cx).await;
            let _ = stream.read(cx, &mut [0; 8]).await;
            let _ = stream.write_all(cx, b"x").await;
            let _ = TcpStream::connect(cx, HERE).await;
        })
    };
}

#[test]
fn many_clients_get_their_bytes_back() {
    const CLIENTS: u8 = 50;
    let served = runtime::run(async |cx: &mut Cx| -> Res<usize, NetError> {
        let listener = TcpListener::bind_with(cx, HERE, ListenOptions::new().backlog(64))?;
        let at = listener.local_addr();
        cx.try_region(|cx| async move {
            for i in 0..CLIENTS {
                cx.spawn(async move |cx: &mut Cx| -> Res<(), NetError> {
                    let stream = TcpStream::connect(cx, at).await?;
                    for round in 0..20 {
                        stream.write_all(cx, &[i, round]).await?;
                        let mut back = [0; 2];
                        let mut n = 0;
                        while n < 2 {
                            n += stream.read(cx, &mut back[n..]).await?;
                        }
                        assert_eq!(back, [i, round]);
                    }
                    Ok(())
                });
            }
            for _ in 0..CLIENTS {
                let (stream, _) = listener.accept(cx).await?;
                cx.spawn(async move |cx: &mut Cx| echo(cx, stream).await);
            }
            Ok(usize::from(CLIENTS))
        })
        .await
    });
    assert_eq!(served.expect("no client failed"), 50);
}

#[test]
fn more_than_the_buffers_hold_arrives_whole_and_in_order() {
    let sent: Vec<u8> = (0..4_000_000u32).map(|i| (i % 251) as u8).collect();
    let copy = sent.clone();
    let got = runtime::run(async |cx: &mut Cx| -> Res<Vec<u8>, NetError> {
        let (client, server) = pair(cx).await?;
        cx.try_region(|cx| async move {
            cx.spawn(async move |cx: &mut Cx| -> Res<(), NetError> {
                client.write_all(cx, &copy).await?;
                client.shutdown(Half::Write)?;
                // The socket stays open until the other end has read all: the peer closes.
                read_to_end(cx, &client).await.map(drop)
            });
            let got = read_to_end(cx, &server).await;
            drop(server);
            got
        })
        .await
    });
    assert!(got.expect("read") == sent);
}

#[test]
fn one_task_reads_while_another_writes() {
    runtime::run(async |cx: &mut Cx| -> Res<(), NetError> {
        let (client, server) = pair(cx).await?;
        let client = Arc::new(client);
        let reader = client.clone();
        cx.try_region(|cx| async move {
            let mut answer = cx.spawn(async move |cx: &mut Cx| read_to_end(cx, &reader).await);
            cx.spawn(async move |cx: &mut Cx| echo(cx, server).await);
            client.write_all(cx, b"hello").await?;
            client.shutdown(Half::Write)?;
            assert_eq!(answer.join(cx).await.ok()?, b"hello");
            Ok(())
        })
        .await
    })
    .expect("nobody failed");
}

#[test]
fn a_second_reader_gets_an_error_and_the_first_one_its_data() {
    runtime::run(async |cx: &mut Cx| -> Res<(), NetError> {
        let (client, server) = pair(cx).await?;
        let (mut one, mut two) = ([0; 8], [0; 8]);
        let (first, second) = cx
            .join(
                async |cx| client.read(cx, &mut one).await,
                async |cx| {
                    cx.yield_now().await;
                    let second = client.read(cx, &mut two).await;
                    server.write_all(cx, b"x").await.expect("written");
                    second
                },
            )
            .await;
        assert_eq!(first.expect("read"), 1);
        let error = failure(second);
        assert_eq!((error.fault(), error.doing(), error.code()), (Fault::Caller, Doing::Read, None));
        Ok(())
    })
    .expect("nobody else failed");
}

#[test]
fn cancelling_a_task_ends_its_wait_in_every_operation() {
    let kinds = runtime::run(async |cx: &mut Cx| -> Res<Vec<Option<CancelKind>>, NetError> {
        let (client, _server) = pair(cx).await?;
        let listener = TcpListener::bind(cx, HERE)?;
        let mut kinds = Vec::new();
        cx.region_with(RegionOptions::isolate(), |cx| async {
            type Ended = Result<(), OrCancelled<NetError>>;
            let for_read = Arc::new(client);
            let for_write = for_read.clone();
            let mut handles = [
                cx.spawn(async move |cx: &mut Cx| -> Ended {
                    for_read.read(cx, &mut [0; 8]).await.map(drop)
                }),
                cx.spawn(async move |cx: &mut Cx| -> Ended {
                    for_write.write_all(cx, &vec![0; 32 << 20]).await
                }),
                cx.spawn(async move |cx: &mut Cx| -> Ended { listener.accept(cx).await.map(drop) }),
            ];
            // Each has run into its wait, or will find the request before it: both must end.
            for handle in &mut handles {
                cx.yield_now().await;
                handle.cancel("the test says so");
                kinds.push(match handle.join(cx).await {
                    Outcome::Cancelled(c) => Some(c.kind()),
                    _ => None,
                });
            }
        })
        .await;
        Ok(kinds)
    });
    assert_eq!(kinds.expect("nobody failed"), [Some(CancelKind::Explicit); 3]);
}

/// Nothing was promised to the system, so there is nothing to settle.
#[test]
fn who_waits_for_a_socket_holds_no_obligation() {
    runtime::run(async |cx: &mut Cx| -> Res<(), NetError> {
        let ((silent, _peer), (stuffed, _idle)) = (pair(cx).await?, pair(cx).await?);
        let listener = TcpListener::bind(cx, HERE)?;
        cx.region(|cx| async {
            cx.spawn(async move |cx: &mut Cx| drop(silent.read(cx, &mut [0; 8]).await));
            cx.spawn(async move |cx: &mut Cx| drop(stuffed.write_all(cx, &vec![0; 32 << 20]).await));
            cx.spawn(async move |cx: &mut Cx| drop(listener.accept(cx).await));
            loop {
                let view = cx.handle().view().expect("it is open");
                assert_eq!((view.members.len(), view.obligations.len()), (3, 0));
                if view.members.iter().all(|member| member.waits_for.is_some()) {
                    break;
                }
                cx.yield_now().await
            }
            cx.handle().cancel(CancelKind::Explicit, "the test says so", None);
        })
        .await;
        Ok(())
    })
    .expect("nobody failed");
}

#[test]
fn a_read_that_lost_a_race_took_nothing() {
    runtime::run(async |cx: &mut Cx| -> Res<(), NetError> {
        let (client, server) = pair(cx).await?;
        let mut bytes = [0; 8];
        let first = cx
            .race(
                async |cx| client.read(cx, &mut bytes).await.map(Some),
                async |cx| {
                    cx.yield_now().await;
                    Ok(None)
                },
            )
            .await?;
        assert_eq!(first, None);
        server.write_all(cx, b"late").await?;
        assert_eq!(client.read(cx, &mut bytes).await?, 4);
        Ok(())
    })
    .expect("nobody failed");
}

#[test]
fn errors_say_what_failed_where_and_whose_fault_it_is() {
    runtime::run(async |cx: &mut Cx| -> Res<(), NetError> {
        let listener = TcpListener::bind(cx, HERE)?;
        let at: SocketAddr = listener.local_addr();
        let taken = TcpListener::bind(cx, at).expect_err("in use");
        assert_eq!((taken.doing(), taken.address(), taken.fault()), (Doing::Listen, Some(at), Fault::Caller));
        drop(listener);
        let refused = failure(TcpStream::connect(cx, at).await);
        assert_eq!(
            (refused.doing(), refused.address(), refused.fault()),
            (Doing::Connect, Some(at), Fault::Peer)
        );
        assert!(refused.to_string().starts_with(&format!("failed to connect to {at}: ")), "{refused}");
        Ok(())
    })
    .expect("nobody else failed");
}

#[test]
fn a_stream_knows_its_ends_and_options() {
    runtime::run(async |cx: &mut Cx| -> Res<(), NetError> {
        let (client, server) = pair(cx).await?;
        assert_eq!(client.peer_addr(), server.local_addr()?);
        assert_eq!(server.peer_addr(), client.local_addr()?);
        client.set_nodelay(true)?;
        Ok(())
    })
    .expect("nobody failed");
}
