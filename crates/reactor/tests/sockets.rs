//! TCP of the machine, through the ports, as a task would poll it.

// The tests use threads and blocking sockets of their own.
#![allow(clippy::disallowed_methods)]

#[path = "machine/machine.rs"]
mod machine;

use asupersync_reactor::{Reactor, SystemNet};
use cx::port::{Connection, Half, Listener, Net};
use machine::Machine;
use rustix::io::Errno;
use std::io::{Read, Write};
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use std::task::{Poll, Wake, Waker};
use std::time::Duration;

fn failed_with<T>(result: Result<T, cx::port::IoFailure>) -> Option<Errno> {
    result.err()?.code.map(Errno::from_raw_os_error)
}

#[test]
fn bytes_go_both_ways() {
    let machine = Machine::new();
    let (client, server) = machine.pair();
    assert_eq!(machine.write(&*client, b"question").expect("written"), 8);
    assert_eq!(machine.read(&*server, 64).expect("read"), b"question");
    assert_eq!(machine.write(&*server, b"answer").expect("written"), 6);
    assert_eq!(machine.read(&*client, 64).expect("read"), b"answer");
}

#[test]
fn both_ends_know_both_addresses() {
    let machine = Machine::new();
    let (client, server) = machine.pair();
    assert_eq!(client.local().expect("bound"), server.peer().expect("connected"));
    assert_eq!(client.peer().expect("connected"), server.local().expect("bound"));
    client.set_nodelay(true).expect("set");
}

#[test]
fn a_read_waits_for_data_and_is_woken_once_they_come() {
    let machine = Machine::new();
    let (ours, mut theirs) = machine.beside();
    let wakes = machine.read_waits(&*ours).expect("nothing to read");
    machine.turn();
    assert_eq!(wakes.count(), 0, "nothing came");
    theirs.write_all(b"x").expect("written");
    while wakes.count() == 0 {
        machine.reactor.driver(0).turn(None, 8).expect("a turn");
    }
    assert_eq!(machine.read(&*ours, 8).expect("read"), b"x");
}

#[test]
fn a_read_that_fills_its_buffer_is_followed_by_the_rest() {
    let machine = Machine::new();
    let (ours, mut theirs) = machine.beside();
    assert!(machine.read_waits(&*ours).is_some());
    theirs.write_all(b"abcdef").expect("written");
    assert_eq!(machine.read(&*ours, 4).expect("read"), b"abcd");
    assert_eq!(machine.read(&*ours, 4).expect("read"), b"ef");
    assert!(machine.read_waits(&*ours).is_some());
}

#[test]
fn data_and_end_that_come_in_one_event_are_both_read() {
    let machine = Machine::new();
    let (ours, mut theirs) = machine.beside();
    assert!(machine.read_waits(&*ours).is_some());
    machine.turn();
    theirs.write_all(b"last").expect("written");
    drop(theirs);
    assert_eq!(machine.read(&*ours, 64).expect("read"), b"last");
    assert_eq!(machine.read(&*ours, 64).expect("the end"), b"");
    assert_eq!(machine.read(&*ours, 64).expect("the end, again"), b"");
}

#[test]
fn the_end_wakes_a_waiting_read() {
    let machine = Machine::new();
    let (ours, theirs) = machine.beside();
    assert!(machine.read_waits(&*ours).is_some());
    drop(theirs);
    assert_eq!(machine.read(&*ours, 8).expect("the end"), b"");
}

#[test]
fn a_write_waits_while_the_peer_does_not_read() {
    let machine = Machine::new();
    let (ours, mut theirs) = machine.beside();
    let chunk = vec![7; 1 << 20];
    let mut sent = 0;
    while let Poll::Ready(written) = ours.poll_write(Waker::noop(), &chunk) {
        sent += written.expect("written");
    }
    let mut received = 0;
    let mut room = vec![0; 1 << 16];
    while received < sent {
        received += theirs.read(&mut room).expect("read");
    }
    assert!(machine.write(&*ours, b"more").expect("written") > 0, "the write was woken");
    theirs.read_exact(&mut room[..4]).expect("read");
    assert_eq!(&room[..4], b"more");
}

#[test]
fn a_connect_that_nobody_answers_is_refused() {
    let machine = Machine::new();
    let (listener, at) = machine.listen();
    drop(listener);
    assert_eq!(failed_with(machine.connect(at)), Some(Errno::CONNREFUSED));
}

#[test]
fn an_address_that_is_in_use_is_an_error_of_listen() {
    let machine = Machine::new();
    let (_listener, at) = machine.listen();
    assert_eq!(failed_with(machine.net.listen(at, 16)), Some(Errno::ADDRINUSE));
}

#[test]
fn a_connection_is_handed_out_once() {
    let machine = Machine::new();
    let (_listener, at) = machine.listen();
    let mut connecting = machine.net.connect(at).expect("begun");
    machine.wait(|waker| connecting.poll_connected(waker)).expect("connected");
    assert!(matches!(connecting.poll_connected(Waker::noop()), Poll::Ready(Err(_))));
}

#[test]
fn a_reset_is_an_error_of_the_waiting_read_and_of_the_next_write() {
    let machine = Machine::new();
    let (ours, theirs) = machine.beside();
    assert!(machine.read_waits(&*ours).is_some());
    rustix::net::sockopt::set_socket_linger(&theirs, Some(Duration::ZERO)).expect("set");
    drop(theirs);
    assert_eq!(failed_with(machine.read(&*ours, 8)), Some(Errno::CONNRESET));
    assert_eq!(failed_with(machine.write(&*ours, b"x")), Some(Errno::PIPE));
}

#[test]
fn shutting_the_write_half_ends_the_peers_reading_and_leaves_ours() {
    let machine = Machine::new();
    let (client, server) = machine.pair();
    client.shutdown(Half::Write).expect("shut");
    assert_eq!(machine.read(&*server, 8).expect("the end"), b"");
    assert_eq!(machine.write(&*server, b"still").expect("written"), 5);
    assert_eq!(machine.read(&*client, 8).expect("read"), b"still");
}

#[test]
fn shutting_the_read_half_ends_a_read_that_waits() {
    let machine = Machine::new();
    let (client, _server) = machine.pair();
    let wakes = machine.read_waits(&*client).expect("nothing to read");
    client.shutdown(Half::Read).expect("shut");
    assert_eq!(wakes.count(), 1);
    assert_eq!(machine.read(&*client, 8).expect("the end"), b"");
}

#[test]
fn empty_buffers_need_no_readiness() {
    let machine = Machine::new();
    let (client, _server) = machine.pair();
    assert!(matches!(client.poll_read(Waker::noop(), &mut []), Poll::Ready(Ok(0))));
    assert!(matches!(client.poll_write(Waker::noop(), &[]), Poll::Ready(Ok(0))));
}

#[test]
fn only_what_has_had_to_wait_is_registered_and_only_until_it_is_dropped() {
    let machine = Machine::new();
    let (ours, mut theirs) = machine.beside();
    theirs.write_all(b"x").expect("written");
    machine.read(&*ours, 1).expect("read");
    assert_eq!(machine.reactor.sources(0), 0, "it never waited");
    assert!(machine.read_waits(&*ours).is_some());
    assert_eq!(machine.reactor.sources(0), 1);
    drop(ours);
    assert_eq!(machine.reactor.sources(0), 0);
}

#[test]
fn a_source_registers_with_the_driver_of_its_thread() {
    let reactor = Arc::new(Reactor::new(2).expect("drivers"));
    let machine = Machine { net: SystemNet::new(reactor.clone()), reactor };
    let (listener, _) = machine.listen();
    let _worker = machine.reactor.enter(1);
    assert!(listener.poll_accept(Waker::noop()).is_pending());
    assert_eq!((machine.reactor.sources(0), machine.reactor.sources(1)), (0, 1));
}

/// When woken, drops one connection and has another one wait, which takes over the first one's index.
struct Replace {
    machine: Machine,
    out: Mutex<Option<Box<dyn Connection>>>,
    into: Box<dyn Connection>,
    wakes: Arc<machine::Counter>,
}

impl Wake for Replace {
    fn wake(self: Arc<Self>) {
        if self.out.lock().expect("no panic").take().is_some() {
            let polled = self.into.poll_read(&Waker::from(self.wakes.clone()), &mut [0; 8]);
            assert!(polled.is_pending());
        }
    }
}

#[test]
fn an_event_whose_source_left_in_the_same_turn_reaches_nobody() {
    let machine = Machine::new();
    let ((first, mut to_first), (second, mut to_second)) = (machine.beside(), machine.beside());
    let (third, _to_third) = machine.beside();
    assert!(machine.read_waits(&*second).is_some());
    let reactor = machine.reactor.clone();
    let replace =
        Arc::new(Replace { machine, out: Mutex::new(Some(second)), into: third, wakes: Arc::default() });
    assert!(first.poll_read(&Waker::from(replace.clone()), &mut [0; 8]).is_pending());
    replace.machine.turn();
    to_first.write_all(b"x").expect("written");
    to_second.write_all(b"x").expect("written");
    let mut events = 0;
    while events < 2 {
        events += reactor.driver(0).turn(None, 64).expect("a turn");
    }
    assert!(replace.out.lock().expect("no panic").is_none(), "the first connection's waiter ran");
    assert_eq!(replace.wakes.count(), 0, "the second one's event is not the third one's");
}

/// A thread that sleeps until it is woken, in place of a task.
struct Sleeper(std::thread::Thread);

impl Wake for Sleeper {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

fn block<T>(mut poll: impl FnMut(&Waker) -> Poll<T>) -> T {
    let waker = Waker::from(Arc::new(Sleeper(std::thread::current())));
    loop {
        match poll(&waker) {
            Poll::Ready(value) => return value,
            Poll::Pending => std::thread::park(),
        }
    }
}

fn connected(net: &SystemNet, listener: &dyn Listener, at: SocketAddr) -> [Box<dyn Connection>; 2] {
    std::thread::scope(|scope| {
        let client = scope.spawn(|| {
            let mut connecting = net.connect(at).expect("begun");
            block(|waker| connecting.poll_connected(waker)).expect("connected")
        });
        let (server, _) = block(|waker| listener.poll_accept(waker)).expect("accepted");
        [client.join().expect("no panic"), server]
    })
}

/// Sends one byte a time and wants it back.
fn ping(client: &dyn Connection) {
    for round in 0..200 {
        let mut back = [0];
        assert_eq!(block(|waker| client.poll_write(waker, &[round])), Ok(1));
        assert_eq!(block(|waker| client.poll_read(waker, &mut back)), Ok(1));
        assert_eq!(back, [round]);
    }
}

fn echo(server: &dyn Connection) {
    let mut bytes = [0; 16];
    loop {
        match block(|waker| server.poll_read(waker, &mut bytes)).expect("read") {
            0 => return,
            n => assert_eq!(block(|waker| server.poll_write(waker, &bytes[..n])), Ok(n)),
        }
    }
}

#[test]
fn many_connections_on_several_drivers_lose_no_wake() {
    let reactor = Arc::new(Reactor::new(2).expect("drivers"));
    let net = SystemNet::new(reactor.clone());
    let listener = net.listen(([127, 0, 0, 1], 0).into(), 16).expect("a listener");
    let at = listener.local().expect("its address");
    let over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let (over, reactor) = (&over, &reactor);
        for worker in 0..2 {
            // A plain thread turns each driver.
            scope.spawn(move || {
                while !over.load(SeqCst) {
                    reactor.turn(worker, None, 8);
                }
            });
        }
        std::thread::scope(|tasks| {
            for i in 0..4 {
                let [client, server] = connected(&net, &*listener, at);
                tasks.spawn(move || {
                    let _worker = reactor.enter(i % 2);
                    ping(&*client);
                });
                tasks.spawn(move || {
                    let _worker = reactor.enter((i + 1) % 2);
                    echo(&*server);
                });
            }
        });
        over.store(true, SeqCst);
        (0..2).for_each(|worker| reactor.unpark(worker));
    });
}
