//! The key-value server of `examples/kv` as a process: flags, exit codes, signals, what it prints.
//!
//! What the server does inside is the lab's business (`kv_lab`), what it answers that of `kv_redis`.
#![cfg(unix)]

#[path = "kv_process/built.rs"]
mod built;

use built::kv;
use std::ffi::OsStr;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::os::unix::ffi::OsStrExt;
use std::process::{Child, ChildStderr, Command, ExitStatus, Output, Stdio};

/// A server on a port of the system's choice. Killed when dropped.
struct Server {
    child: Child,
    log: BufReader<ChildStderr>,
    port: u16,
}

impl Server {
    fn start(flags: &[&str]) -> Server {
        Server::run(Command::new(kv()).args(["--port", "0"]).args(flags)).0
    }

    /// The server, and the line that says where it listens.
    fn run(command: &mut Command) -> (Server, String) {
        let mut child = command.stderr(Stdio::piped()).spawn().expect("the server starts");
        let log = BufReader::new(child.stderr.take().expect("piped"));
        let mut server = Server { child, log, port: 0 };
        let line = server.line();
        let port = line.strip_prefix("kv: listening on 127.0.0.1:").and_then(|rest| rest.split(' ').next());
        server.port = port.and_then(|port| port.parse().ok()).unwrap_or_else(|| panic!("{line}"));
        (server, line)
    }

    /// The next line of the log, without its time; empty at the end.
    fn line(&mut self) -> String {
        let mut line = String::new();
        self.log.read_line(&mut line).expect("the log is text");
        untimed(line.trim_end()).to_owned()
    }

    fn connect(&self) -> TcpStream {
        TcpStream::connect(("127.0.0.1", self.port)).expect("the server accepts")
    }

    /// A connection that the server serves already.
    fn connect_and_ping(&self) -> TcpStream {
        let mut client = self.connect();
        client.write_all(b"PING\r\n").expect("sent");
        expect(&mut client, "+PONG\r\n");
        client
    }

    fn signal(&self, name: &str) {
        let sent = Command::new("kill").args([name, &self.child.id().to_string()]).status();
        assert!(sent.expect("kill runs").success());
    }

    /// The rest of the log without times, and how the process ended.
    fn end(mut self) -> (String, ExitStatus) {
        let mut rest = String::new();
        self.log.read_to_string(&mut rest).expect("the log is text");
        let rest: Vec<_> = rest.lines().map(untimed).collect();
        (rest.join("\n"), self.child.wait().expect("it was not waited for before"))
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A line of the log without the time it begins with: `2026-11-22T18:48:43Z `. Lines that go on, and errors of
/// the command line, have none.
fn untimed(line: &str) -> &str {
    let Some((time, rest)) = line.split_once(" kv: ") else { return line };
    let shape: String = time.chars().map(|c| if c.is_ascii_digit() { '0' } else { c }).collect();
    assert_eq!(shape, "0000-00-00T00:00:00Z", "{line}");
    &line[line.len() - rest.len() - "kv: ".len()..]
}

fn expect(client: &mut TcpStream, reply: &str) {
    let mut bytes = vec![0; reply.len()];
    client.read_exact(&mut bytes).expect("a reply");
    assert_eq!(String::from_utf8_lossy(&bytes), reply);
}

fn expect_end(client: &mut TcpStream) {
    let mut rest = Vec::new();
    client.read_to_end(&mut rest).expect("the end");
    assert_eq!(rest, b"");
}

fn output(flags: &[&str]) -> Output {
    Command::new(kv()).args(flags).output().expect("it runs")
}

#[test]
fn a_bad_flag_is_one_line_and_exit_code_2() {
    for flags in [["--prot", "1"], ["--port", "x"], ["--workers", "0"], ["--max-clients", "0"]] {
        let output = output(&flags);
        let line = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(2), "{line}");
        assert!(line.starts_with("kv: ") && line.contains(flags[0]) && line.lines().count() == 1, "{line}");
        assert!(output.stdout.is_empty());
    }
}

#[test]
fn an_argument_that_is_not_utf_8_is_one_line_and_exit_code_2() {
    let bad = OsStr::from_bytes(b"--po\xffrt");
    for args in [&[bad][..], &[OsStr::new("--bind"), bad]] {
        let output = Command::new(kv()).args(args).output().expect("it runs");
        let line = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(2), "{line}");
        let expected = "kv: the argument \"--po\\xFFrt\" is not UTF-8 (kv --help lists the flags)\n";
        assert_eq!(line, expected);
        assert!(output.stdout.is_empty());
    }
}

#[test]
fn help_lists_every_flag_and_every_exit_code() {
    let output = output(&["--help"]);
    assert_eq!(output.status.code(), Some(0));
    let help = String::from_utf8_lossy(&output.stdout).into_owned();
    for flag in [
        "--port",
        "--bind",
        "--workers",
        "--max-clients",
        "--max-request",
        "--max-held",
        "--max-memory",
        "--grace",
        "--tree",
    ] {
        assert!(help.contains(flag), "{flag}");
    }
    for code in ["  0 ", "  1 ", "  2 ", "  130 "] {
        assert!(help.lines().any(|line| line.starts_with(code)), "{code}");
    }
}

#[test]
fn what_is_printed_to_nobody_or_to_a_full_device_is_no_bug() {
    let (reader, gone) = std::io::pipe().expect("a pipe");
    drop(reader);
    let status = Command::new(kv()).arg("--help").stdout(gone).status().expect("it runs");
    assert_eq!(status.code(), Some(0), "whoever has gone has read enough");
    if cfg!(target_os = "linux") {
        let full = std::fs::File::options().write(true).open("/dev/full").expect("it is there");
        let output = Command::new(kv()).arg("--help").stdout(full).output().expect("it runs");
        let line = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(1), "{line}");
        assert!(line.starts_with("kv: failed to print: ") && line.lines().count() == 1, "{line}");
    }
}

#[test]
fn a_port_in_use_is_one_line_and_exit_code_2() {
    let taken = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = taken.local_addr().expect("its address").port();
    let output = output(&["--port", &port.to_string()]);
    let line = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(2), "{line}");
    assert!(line.starts_with(&format!("kv: failed to listen at 127.0.0.1:{port}: ")), "{line}");
    assert_eq!(line.lines().count(), 1, "{line}");
}

#[test]
fn sigterm_closes_idle_connections_answers_requests_in_progress_and_reports() {
    let mut server = Server::start(&["--debug", "--workers", "2"]);
    let mut idle = server.connect_and_ping();
    let mut busy = server.connect_and_ping();
    // Both requests come in one piece, so the second one is in progress when the first is answered.
    busy.write_all(b"PING\r\nKV.SLEEP 300\r\n").expect("sent");
    expect(&mut busy, "+PONG\r\n");
    server.signal("-TERM");
    expect_end(&mut idle);
    expect(&mut busy, "+OK\r\n");
    expect_end(&mut busy);
    assert!(server.line().starts_with("kv: shutdown asked by signal SIGTERM: draining "));
    let (report, status) = server.end();
    assert!(report.starts_with("kv: drained "), "{report}");
    assert!(report.contains("1 after a last answer"), "{report}");
    assert!(report.contains("obligations balanced; nothing abandoned"), "{report}");
    assert_eq!(report.lines().count(), 1, "{report}");
    assert_eq!(status.code(), Some(0));
}

fn client_list(server: &Server) -> String {
    let mut client = server.connect();
    client.write_all(b"CLIENT LIST\r\nQUIT\r\n").expect("sent");
    let mut list = String::new();
    client.read_to_string(&mut list).expect("a list");
    list
}

#[test]
fn asked_twice_it_ends_at_once() {
    let mut server = Server::start(&["--debug"]);
    let mut busy = server.connect_and_ping();
    busy.write_all(b"PING\r\nKV.SLEEP 600000\r\n").expect("sent");
    expect(&mut busy, "+PONG\r\n");
    server.signal("-INT");
    assert!(server.line().starts_with("kv: shutdown asked by signal SIGINT: draining 1 connection"));
    server.signal("-INT");
    assert_eq!(server.line(), "kv: asked again: ending at once");
    assert_eq!(server.end().1.code(), Some(130));
}

#[test]
fn what_cannot_be_finished_in_time_is_named_and_the_exit_code_says_so() {
    let server = Server::start(&["--grace", "0", "--debug"]);
    let mut busy = server.connect_and_ping();
    busy.write_all(b"PING\r\nKV.SLEEP 600000\r\n").expect("sent");
    expect(&mut busy, "+PONG\r\n");
    let mut other = server.connect();
    other.write_all(b"SHUTDOWN\r\n").expect("sent");
    expect_end(&mut other);
    let (log, status) = server.end();
    assert!(log.contains("abandoned 1: connection #1 127.0.0.1:"), "{log}");
    assert!(log.contains("(a handler that was still at work)"), "{log}");
    assert_eq!(status.code(), Some(1));
}

/// As many as that, so that some of their writers learn that the time is up before their connections have ended.
#[test]
fn subscribers_that_have_no_message_are_idle_also_where_nobody_is_waited_for() {
    let server = Server::start(&["--workers", "2"]);
    let mut subscribers: Vec<_> = (0..100).map(|_| server.connect()).collect();
    for subscriber in &mut subscribers {
        subscriber.write_all(b"SUBSCRIBE news\r\n").expect("sent");
        expect(subscriber, "*3\r\n$9\r\nsubscribe\r\n$4\r\nnews\r\n:1\r\n");
    }
    server.connect().write_all(b"SHUTDOWN NOW\r\n").expect("sent");
    subscribers.iter_mut().for_each(expect_end);
    let (log, status) = server.end();
    assert!(log.contains("(100 idle, ") && log.contains("; nothing abandoned"), "{log}");
    assert_eq!(status.code(), Some(0));
}

#[test]
fn half_a_request_does_not_hold_the_end_up_for_the_grace_and_is_no_failure() {
    let server = Server::start(&["--grace", "600"]);
    let mut half = server.connect_and_ping();
    half.write_all(b"*2\r\n$3\r\nGE").expect("sent");
    while !client_list(&server).contains("qbuf=10 ") {}
    server.signal("-TERM");
    expect_end(&mut half);
    let (log, status) = server.end();
    assert!(log.contains("1 with half a request"), "{log}");
    assert!(log.contains("nothing abandoned"), "{log}");
    assert_eq!(status.code(), Some(0));
}

#[test]
fn the_region_tree_of_a_draining_server_can_be_asked_for_and_signalled_for() {
    let mut server = Server::start(&["--debug", "--grace", "600"]);
    let mut busy = server.connect_and_ping();
    busy.write_all(b"PING\r\nKV.SLEEP 600000\r\n").expect("sent");
    expect(&mut busy, "+PONG\r\n");
    server.signal("-TERM");
    assert!(server.line().starts_with("kv: shutdown asked by signal SIGTERM: draining 1 connection"));
    let asked = output(&["--tree", "--port", &server.port.to_string()]);
    let tree = String::from_utf8_lossy(&asked.stdout).into_owned();
    assert_eq!(asked.status.code(), Some(0), "{}", String::from_utf8_lossy(&asked.stderr));
    assert!(tree.contains("cannot close: 1 task still draining\n  connection #1 127.0.0.1:"), "{tree}");
    // Also when more come than are heard at once, and say nothing.
    let silent: Vec<_> = (0..100).map(|_| server.connect()).collect();
    let asked = output(&["--tree", "--port", &server.port.to_string()]);
    assert_eq!(asked.status.code(), Some(0), "{}", String::from_utf8_lossy(&asked.stderr));
    drop(silent);
    let mut late = server.connect();
    late.write_all(b"PING\r\n").expect("sent");
    expect(&mut late, "-ERR server is shutting down\r\n");
    expect_end(&mut late);
    server.signal("-USR1");
    assert_eq!(server.line(), "kv: the region tree, asked for by SIGUSR1");
    server.signal("-TERM");
    assert_eq!(server.end().1.code(), Some(130));
}

#[test]
fn the_region_tree_of_a_running_server_can_be_asked_for_and_signalled_for() {
    let mut server = Server::start(&["--workers", "2"]);
    let _clients: Vec<_> = (0..5).map(|_| server.connect_and_ping()).collect();
    let asked = output(&["--tree", "--port", &server.port.to_string()]);
    let tree = String::from_utf8_lossy(&asked.stdout).into_owned();
    assert_eq!(asked.status.code(), Some(0), "{tree}");
    for part in ["└─ server", "└─ connections", "connection (x5 alike)", "waits: TcpStream::read", "expiry"]
    {
        assert!(tree.contains(part), "{part} in\n{tree}");
    }
    server.signal("-USR1");
    assert_eq!(server.line(), "kv: the region tree, asked for by SIGUSR1");
    assert!(server.line().starts_with("root "));
    server.signal("-TERM");
    assert_eq!(server.end().1.code(), Some(0));
}

#[test]
#[cfg(target_os = "linux")]
fn there_are_no_more_places_than_files() {
    let mut shell = Command::new("sh");
    let (server, line) = Server::run(shell.args(["-c", "ulimit -n 64 && exec \"$0\" --port 0"]).arg(kv()));
    assert!(line.ends_with("at most 32 clients: ulimit -n 64 allows no more)"), "{line}");
    let clients: Vec<_> = (0..32).map(|_| server.connect_and_ping()).collect();
    let mut late = server.connect();
    expect(&mut late, "-ERR max number of clients reached\r\n");
    expect_end(&mut late);
    drop(clients);
    server.signal("-TERM");
    assert_eq!(server.end().1.code(), Some(0));
}

#[test]
fn asking_nobody_for_a_tree_is_one_line() {
    let free = TcpListener::bind("127.0.0.1:0").expect("a port").local_addr().expect("its address");
    let asked = output(&["--tree", "--port", &free.port().to_string()]);
    assert_eq!(asked.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&asked.stderr).starts_with("kv: no answer from 127.0.0.1:"));
}
