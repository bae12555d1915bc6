//! Tests of the commands: the replies of a real Redis, and what only this server decides.
//!
//! `golden.txt` was recorded from Debian's redis-server 7.0.15: each line with `>` is a request (in
//! inline notation), the line after it the bytes that came back, `<` exactly and `~` for an array
//! whose elements may come in any order. The file is one session over one keyspace that was empty.
//! Left out is what depends on the moment, the process or the client's number; other tests here
//! check that.

use super::super::limits::Limits;
use super::super::resp::Decoder;
use super::super::store::Store;
use super::*;

/// A moment in 2023, so that EXAT 1 is in the past.
const NOW: u64 = 1_700_000_000_000;

struct TestHost {
    limits: Limits,
}

impl Host for TestHost {
    fn limits(&self) -> &Limits {
        &self.limits
    }

    fn server(&self) -> ServerInfo {
        ServerInfo { connected_clients: 2, port: 6379, uptime_seconds: 90_000, ..ServerInfo::default() }
    }

    fn clients(&self) -> Vec<ClientInfo> {
        let client = |id, subscriptions| ClientInfo {
            id,
            address: format!("10.0.0.{id}:5"),
            subscriptions,
            last_command: "get",
            ..ClientInfo::default()
        };
        vec![client(7, 0), client(8, 2)]
    }
}

/// One connection to one keyspace.
struct Server {
    host: TestHost,
    store: Store,
    session: Session,
    decoder: Decoder,
    now: u64,
    last: Effect,
}

impl Server {
    fn new() -> Self {
        let host = TestHost { limits: Limits::default() };
        let decoder = Decoder::new(&host.limits);
        let (store, session) = (Store::new(1), Session::new(7));
        Server { host, store, session, decoder, now: NOW, last: Effect::None }
    }

    /// Executes one request in inline notation and returns the reply with line ends spelled out.
    fn run(&mut self, line: &str) -> String {
        let input = [line.as_bytes(), b"\r\n"].concat();
        let mut out = Vec::new();
        let decoded = self.decoder.decode(&input).expect("the line is a request");
        let args = decoded.command.expect("the line is a whole request");
        let (store, session) = (&mut self.store, &mut self.session);
        self.last = execute(store, session, &self.host, args, self.now, &mut out);
        match &self.last {
            // Nobody else is connected.
            Effect::Publish => encode::count(&mut out, 0),
            Effect::Close => self.session = Session::new(7),
            _ => {}
        }
        escape(&out)
    }
}

fn escape(bytes: &[u8]) -> String {
    let one = |&byte: &u8| match byte {
        b'\r' => "\\r".to_owned(),
        b'\n' => "\\n".to_owned(),
        b'\\' => "\\\\".to_owned(),
        32..127 => char::from(byte).to_string(),
        _ => format!("\\x{byte:02x}"),
    };
    bytes.iter().map(one).collect()
}

/// The elements of an escaped array of short bulk strings, in order.
fn sorted(reply: &str) -> Vec<&str> {
    let mut parts: Vec<&str> = reply.split("\\r\\n").collect();
    parts.sort_unstable();
    parts
}

#[test]
fn replies_are_those_of_a_real_redis() {
    let mut server = Server::new();
    let mut lines = include_str!("golden.txt").lines().enumerate();
    let (mut checked, mut wrong) = (0, Vec::new());
    while let Some((number, line)) = lines.next() {
        let Some(request) = line.strip_prefix("> ") else {
            assert!(line.is_empty() || line.starts_with('#'), "line {}: {line}", number + 1);
            continue;
        };
        let (_, expected) = lines.next().expect("a reply follows");
        let reply = server.run(request);
        let (mark, expected) = expected.split_once(' ').expect("a mark and a reply");
        let right = if mark == "~" { sorted(&reply) == sorted(expected) } else { reply == expected };
        if !right {
            wrong.push(format!("line {}: {request}\n  expected {expected}\n  got      {reply}", number + 1));
        }
        checked += 1;
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(checked > 400, "the whole table was read: {checked}");
}

#[test]
fn effects_tell_the_server_what_it_must_do() {
    let mut server = Server::new();
    let boxed = |names: &[&str]| names.iter().map(|name| Box::from(name.as_bytes())).collect::<Vec<_>>();
    server.run("PUBLISH c m");
    assert_eq!(server.last, Effect::Publish);
    server.run("SUBSCRIBE a b a");
    assert_eq!(server.last, Effect::Subscribe(boxed(&["a", "b"])));
    server.run("SUBSCRIBE a");
    assert_eq!(server.last, Effect::None);
    server.run("UNSUBSCRIBE x b");
    assert_eq!(server.last, Effect::Unsubscribe(boxed(&["b"])));
    server.run("SUBSCRIBE c");
    assert_eq!(server.session.channels().collect::<Vec<_>>(), [b"a", b"c"]);
    server.run("RESET");
    assert_eq!(server.last, Effect::Unsubscribe(boxed(&["a", "c"])));
    server.run("CLIENT SETNAME me");
    assert_eq!((&server.last, server.session.name()), (&Effect::Renamed, &b"me"[..]));
    assert_eq!(server.run("SHUTDOWN NOSAVE NOW"), "");
    assert_eq!(server.last, Effect::Shutdown { now: true });
    server.run("SHUTDOWN");
    assert_eq!(server.last, Effect::Shutdown { now: false });
    server.run("QUIT");
    assert_eq!(server.last, Effect::Close);
}

#[test]
fn names_have_a_greatest_length() {
    let mut server = Server::new();
    let (fits, long) = ("n".repeat(256), "n".repeat(257));
    for (request, what) in [
        ("CLIENT SETNAME ", "Client names"),
        ("HELLO 2 SETNAME ", "Client names"),
        ("CLIENT SETINFO lib-name ", "lib-name"),
        ("CLIENT SETINFO lib-ver ", "lib-ver"),
    ] {
        assert!(!server.run(&format!("{request}{fits}")).starts_with('-'), "{request}");
        let refused = format!("-ERR {what} cannot be longer than 256 bytes.\\r\\n");
        assert_eq!(server.run(&format!("{request}{long}")), refused, "{request}");
    }
    assert_eq!(server.session.name(), fits.as_bytes(), "what is refused changes nothing");
}

#[test]
fn channels_are_counted_from_the_first_request_to_the_last() {
    let mut server = Server::new();
    server.run("SUBSCRIBE a b a");
    let two = server.session.held();
    assert!(two > 0);
    server.run("SUBSCRIBE b");
    assert_eq!(server.session.held(), two, "nothing new");
    server.run(&format!("SUBSCRIBE {}", "x".repeat(40_000)));
    assert!(server.session.held() >= two + 80_000, "the name is kept twice");
    server.run("UNSUBSCRIBE a c");
    server.run("UNSUBSCRIBE");
    assert_eq!(server.session.held(), 0);
    server.run("SUBSCRIBE a b");
    server.run("RESET");
    assert_eq!(server.session.held(), 0);
}

#[test]
fn a_browser_is_not_listened_to() {
    for line in ["POST / HTTP/1.1", "post x", "Host: localhost", "HOST: a b"] {
        let mut server = Server::new();
        assert_eq!(server.run(line), "", "{line}");
        assert_eq!(server.last, Effect::Close, "{line}");
    }
}

#[test]
fn remaining_times_follow_the_clock_given() {
    let mut server = Server::new();
    server.run("SET k v PX 1600");
    assert_eq!(server.run("PTTL k"), ":1600\\r\\n");
    assert_eq!(server.run("TTL k"), ":2\\r\\n");
    server.now += 1101;
    assert_eq!(server.run("PTTL k"), ":499\\r\\n");
    assert_eq!(server.run("TTL k"), ":0\\r\\n");
    server.now += 498;
    assert_eq!(server.run("GET k"), "$1\\r\\nv\\r\\n");
    server.now += 1;
    for request in ["GET k", "GETDEL k"] {
        assert_eq!(server.run(request), "$-1\\r\\n");
    }
    server.run("SET k v PXAT 1700000010000");
    assert_eq!(server.run("PTTL k"), ":8400\\r\\n");
    server.run("EXPIREAT k 1700000005");
    assert_eq!(server.run("PTTL k"), ":3400\\r\\n");
    server.now += 5000;
    assert_eq!(server.run("KEYS *"), "*0\\r\\n");
    assert_eq!(server.run("SCAN 0"), "*2\\r\\n$1\\r\\n0\\r\\n*0\\r\\n");
    assert_eq!(server.run("LPUSH k a"), ":1\\r\\n");
}

#[test]
fn a_scan_in_small_steps_finds_every_key() {
    let mut server = Server::new();
    for i in 0..25 {
        server.run(&format!("SET k{i} v"));
    }
    assert!(server.run("SCAN 0").starts_with("*2\\r\\n$2\\r\\n10\\r\\n*10\\r\\n"));
    assert!(server.run("SCAN 10 COUNT 14").starts_with("*2\\r\\n$2\\r\\n24\\r\\n*14\\r\\n"));
    assert_eq!(server.run("SCAN 24"), "*2\\r\\n$1\\r\\n0\\r\\n*1\\r\\n$3\\r\\nk24\\r\\n");
}

#[test]
fn commands_that_add_are_refused_above_the_memory_limit_and_others_are_not() {
    let mut server = Server::new();
    server.host.limits.max_memory = 10_000;
    let value = "x".repeat(9000);
    assert_eq!(server.run(&format!("SET a {value}")), "+OK\\r\\n");
    assert_eq!(server.run(&format!("SET b {value}")), "+OK\\r\\n");
    for request in ["SET c 1", "LPUSH l 1", "INCR n", "ZADD z 1 m"] {
        let reply = server.run(request);
        assert_eq!(reply, "-OOM command not allowed when used memory > 'maxmemory'.\\r\\n", "{request}");
    }
    assert_eq!(server.run("STRLEN b"), ":9000\\r\\n");
    assert_eq!(server.run("DEL b"), ":1\\r\\n");
    assert_eq!(server.run("SET c 1"), "+OK\\r\\n");
}

#[test]
fn a_string_does_not_grow_past_the_limit_by_appending() {
    let mut server = Server::new();
    server.host.limits.max_bulk = 10;
    assert_eq!(server.run("APPEND k 123456"), ":6\\r\\n");
    let refused = "-ERR string exceeds maximum allowed size (proto-max-bulk-len)\\r\\n";
    assert_eq!(server.run("APPEND k 12345"), refused);
    assert_eq!(server.run("APPEND k 1234"), ":10\\r\\n");
}

#[test]
fn a_reply_that_repeats_what_is_asked_for_often_is_bounded() {
    let mut server = Server::new();
    server.host.limits.max_reply = 10_000;
    server.run(&format!("SET k {}", "x".repeat(1000)));
    assert!(server.run(&format!("MGET {}", "k ".repeat(9))).starts_with("*9\\r\\n$1000"));
    let refused = "-ERR the reply would be longer than this server's limit\\r\\n";
    for request in ["MGET k", "COMMAND INFO client", "COMMAND DOCS client"] {
        let (words, again) = request.rsplit_once(' ').expect("two words");
        let many = format!("{words} {}", format!("{again} ").repeat(50));
        assert_eq!(server.run(&many), refused, "{words}");
    }
    // What is stored is replied, however much it is.
    server.run(&format!("RPUSH l {}", "element ".repeat(2000)));
    assert!(server.run("LRANGE l 0 -1").starts_with("*2000\\r\\n"));
}

#[test]
fn a_pattern_is_bounded() {
    let mut server = Server::new();
    server.run("SET k v");
    let longest = "*".repeat(server.host.limits.max_pattern);
    assert_eq!(server.run(&format!("KEYS {longest}")), "*1\\r\\n$1\\r\\nk\\r\\n");
    let refused = "-ERR the pattern is longer than this server's limit\\r\\n";
    assert_eq!(server.run(&format!("KEYS {longest}*")), refused);
    assert_eq!(server.run(&format!("SCAN 0 MATCH {longest}*")), refused);
}

#[test]
fn info_has_the_sections_asked_for() {
    let mut server = Server::new();
    server.run("SET k v EX 100");
    server.run("GET k");
    server.run("GET none");
    let all = server.run("INFO");
    for field in [
        "# Server\\r\\nredis_version:7.0.15\\r\\n",
        "uptime_in_days:1\\r\\n",
        "connected_clients:2\\r\\n",
        "maxmemory:0\\r\\n",
        "keyspace_hits:1\\r\\nkeyspace_misses:1\\r\\n",
        "\\r\\n\\r\\n# Keyspace\\r\\ndb0:keys=1,expires=1,avg_ttl=0\\r\\n",
    ] {
        assert!(all.contains(field), "{field} in {all}");
    }
    assert!(server.run("INFO everything").contains("# Clients"));
    assert_eq!(
        server.run("INFO keyspace"),
        "$44\\r\\n# Keyspace\\r\\ndb0:keys=1,expires=1,avg_ttl=0\\r\\n\\r\\n"
    );
}

#[test]
fn clients_are_listed_with_what_the_session_knows_of_itself() {
    let mut server = Server::new();
    server.run("CLIENT SETNAME me");
    server.run("CLIENT SETINFO LIB-NAME rust");
    assert_eq!(server.run("CLIENT ID"), ":7\\r\\n");
    let own = server.run("CLIENT INFO");
    assert!(own.contains("id=7 addr=10.0.0.7:5 laddr= fd=-1 name=me age=0"), "{own}");
    assert!(own.contains("cmd=client|info user=default redir=-1 resp=2 lib-name=rust lib-ver=\\n"), "{own}");
    assert_eq!(server.run("CLIENT LIST").matches("id=").count(), 2);
    assert!(server.run("CLIENT LIST TYPE pubsub").contains("id=8 "));
    assert!(server.run("CLIENT LIST ID 8 9").contains("flags=P db=0 sub=2 psub=0"));
    assert!(
        server.run("HELLO 2 SETNAME you").contains("$5\\r\\nproto\\r\\n:2\\r\\n$2\\r\\nid\\r\\n:7\\r\\n")
    );
    assert_eq!(server.run("CLIENT GETNAME"), "$3\\r\\nyou\\r\\n");
}

#[test]
fn the_command_table_describes_itself() {
    let mut server = Server::new();
    assert_eq!(server.run("COMMAND COUNT"), format!(":{}\\r\\n", table::COMMANDS.len()));
    let get = "*10\\r\\n$3\\r\\nget\\r\\n:2\\r\\n*2\\r\\n+readonly\\r\\n+fast\\r\\n:1\\r\\n:1\\r\\n:1\\r\\n*0\\r\\n*0\\r\\n*0\\r\\n*0\\r\\n";
    assert_eq!(server.run("COMMAND INFO get none"), format!("*2\\r\\n{get}$-1\\r\\n"));
    assert!(server.run("COMMAND").contains(get));
    assert!(server.run("COMMAND INFO").contains(get));
    let docs = "*2\\r\\n$3\\r\\nget\\r\\n*4\\r\\n$7\\r\\nsummary\\r\\n$17\\r\\nReturns a string.\\r\\n$5\\r\\ngroup\\r\\n$6\\r\\nstring\\r\\n";
    assert_eq!(server.run("COMMAND DOCS GET none"), docs);
    assert!(server.run("COMMAND DOCS").contains("$10\\r\\nconfig|get\\r\\n"));
    assert!(server.run("CONFIG HELP").contains("+RESETSTAT\\r\\n"));
    assert!(server.run("COMMAND LIST").contains("$8\\r\\nshutdown\\r\\n"));
}

#[test]
fn a_refused_command_changes_nothing() {
    let mut server = Server::new();
    server.run("ZADD z 1 a");
    server.run("SET s v");
    server.run("LPUSH l a");
    let before = (server.store.used_memory(), server.store.len());
    for request in ["ZADD z 2 b x c", "MSET a 1 b", "HSET h a 1 b", "SET l 1 GET", "LPUSH s a", "HSET s f v"]
    {
        assert!(server.run(request).starts_with('-'), "{request}");
        assert_eq!((server.store.used_memory(), server.store.len()), before, "{request}");
    }
}
