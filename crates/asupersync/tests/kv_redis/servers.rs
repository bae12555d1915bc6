//! Both servers, on ports of the system's choice, ended when dropped.

use super::built::kv;
use std::io::{BufRead, BufReader, ErrorKind, Write};
use std::net::TcpListener;
use std::process::{Child, Command, Stdio};

/// A process that is killed when dropped.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Both servers, empty.
pub(crate) struct Servers {
    _running: [Running; 2],
    pub(crate) kv: u16,
    pub(crate) redis: u16,
}

impl Servers {
    /// Starts both. `None`, and a line that says so, where no `redis-server` is installed.
    pub(crate) fn start() -> Option<Servers> {
        let free =
            TcpListener::bind("127.0.0.1:0").expect("a port").local_addr().expect("its address").port();
        let mut redis = Command::new("redis-server");
        redis.args(["--port", &free.to_string(), "--save", "", "--appendonly", "no", "--dir", "/"]);
        let mut redis = match redis.stdout(Stdio::piped()).spawn() {
            Ok(child) => Running(child),
            Err(error) if error.kind() == ErrorKind::NotFound => {
                // Not by a macro, whose words a test that passes keeps to itself.
                let _ = writeln!(std::io::stderr(), "SKIPPED kv_redis: no redis-server is installed");
                return None;
            }
            Err(error) => panic!("{error}"),
        };
        let mut command = Command::new(kv());
        let mut kv =
            Running(command.args(["--port", "0"]).stderr(Stdio::piped()).spawn().expect("it starts"));
        let log = BufReader::new(kv.0.stderr.take().expect("piped"));
        let port = |line: std::io::Result<String>| -> Option<u16> {
            let line = line.expect("the log is text");
            let (_, rest) = line.split_once("listening on 127.0.0.1:")?;
            rest.split(' ').next()?.parse().ok()
        };
        let port = log.lines().find_map(port).expect("kv says where it listens");
        let log = redis.0.stdout.take().expect("piped");
        let ready = |line: std::io::Result<String>| line.is_ok_and(|line| line.contains("Ready to accept"));
        assert!(BufReader::new(log).lines().any(ready), "redis-server says when it is ready");
        Some(Servers { _running: [redis, kv], kv: port, redis: free })
    }
}
