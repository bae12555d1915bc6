//! The command line: what was asked for, or one line that says what is wrong with it.

use super::limits::Limits;
use std::ffi::OsString;
use std::fmt;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::str::FromStr;
use std::time::Duration;

/// What `--help` prints.
pub(crate) const HELP: &str = "\
kv: a key-value server that speaks the Redis protocol (RESP2), on asupersync

Usage: kv [FLAGS]             serve until Ctrl-C, SIGTERM or SHUTDOWN, then drain
       kv --tree [FLAGS]      print the region tree of the server that runs at the address
       kill -USR1 PID         have a server print its region tree itself

Flags:
  --port N              port to listen on; 0 takes any [6379]
  --bind ADDR           IP address to listen on [127.0.0.1]
  --workers N           worker threads, 1 to 56 [as many as this process may use cores]
  --max-clients N       clients at once; one more is told so and closed; 32 fewer than the process may
                        open files (ulimit -n), if that is less [10000]
  --max-request BYTES   bytes of one request, such as 1048576, 64mb, 1gb [1gb]
  --max-held BYTES      bytes held for all clients together: requests that have arrived in part, replies and
                        messages that were not sent, channels subscribed to; 64 KiB of each client are not
                        counted [4gb]
  --max-memory BYTES    estimated bytes of data; above it, what adds data is refused; 0 for no limit [0]
  --grace SECONDS       how long answers in progress may take once the end was asked for [10]
  --tree                print the region tree of a running server, also of one that drains, and end
  --debug               also answer KV.SLEEP MILLISECONDS and KV.PANIC
  --help                print this

The end: SIGTERM, the first Ctrl-C and SHUTDOWN begin a drain. Nobody is let in any more; every request that
has arrived is answered, within the grace; a request that has arrived in part has one second for its rest (half
the grace, if that is less), then its connection is closed. Until the drain is over the port stays taken, so
that --tree can say who holds it up. A second signal ends the process at once.

Exit codes:
  0    after a drain in which everything owed was answered; after --help and --tree
  1    an answer had to be abandoned, or --tree got none
  2    a bad flag, or an address that cannot be listened on, such as a port in use
  130  a second Ctrl-C or SIGTERM did not wait for the drain
";

/// What the runtime allows.
const MOST_WORKERS: usize = 56;

/// What to do.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Job {
    /// Serve.
    Serve(Flags),
    /// Ask a running server for its region tree.
    Tree(Flags),
    /// Print the help.
    Help,
}

/// The flags, with their defaults.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Flags {
    bind: IpAddr,
    port: u16,
    pub(crate) workers: usize,
    pub(crate) limits: Limits,
    pub(crate) grace: Duration,
    pub(crate) debug: bool,
}

impl Default for Flags {
    fn default() -> Self {
        Flags {
            bind: IpAddr::V4(Ipv4Addr::LOCALHOST),
            port: 6379,
            workers: std::thread::available_parallelism().map_or(1, usize::from).min(MOST_WORKERS),
            limits: Limits::default(),
            grace: Duration::from_secs(10),
            debug: false,
        }
    }
}

impl Flags {
    /// Where to listen, or whom to ask.
    pub(crate) fn address(&self) -> SocketAddr {
        SocketAddr::new(self.bind, self.port)
    }
}

/// What is wrong with the command line: `Display` is one line.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct FlagError(String);

impl fmt::Display for FlagError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for FlagError {}

/// Reads the arguments after the program's name. `--flag value` and `--flag=value` are the same.
///
/// # Errors
/// The first argument that is no flag, is not UTF-8, or has no value that the flag can use.
pub(crate) fn parse(args: impl IntoIterator<Item = OsString>) -> Result<Job, FlagError> {
    let mut flags = Flags::default();
    let mut tree = false;
    let mut args = args.into_iter().map(text);
    while let Some(arg) = args.next() {
        let arg = arg?;
        let (name, inline) = match arg.split_once('=') {
            Some((name, value)) => (name, Some(value.to_owned())),
            None => (arg.as_str(), None),
        };
        if let ("--help" | "-h" | "--tree" | "--debug", Some(_)) = (name, &inline) {
            return Err(FlagError(format!("{name} takes no value")));
        }
        let mut value = || match inline.clone() {
            Some(value) => Ok(value),
            None => args.next().unwrap_or_else(|| Err(FlagError(format!("{name} needs a value")))),
        };
        match name {
            "--help" | "-h" => return Ok(Job::Help),
            "--tree" => tree = true,
            "--debug" => flags.debug = true,
            "--port" => flags.port = read(name, &value()?, "a port from 0 to 65535")?,
            "--bind" => flags.bind = read(name, &value()?, "an IP address")?,
            "--workers" => {
                flags.workers = within(name, &value()?, "a number of threads from 1 to 56", 1..=MOST_WORKERS)?
            }
            "--grace" => {
                let wanted = "a number of seconds from 0 to 86400";
                flags.grace = Duration::from_secs(within(name, &value()?, wanted, 0..=86_400)? as u64);
            }
            "--max-clients" => set(&mut flags.limits, name, "maxclients", &value()?)?,
            "--max-request" => set(&mut flags.limits, name, "client-query-buffer-limit", &value()?)?,
            "--max-held" => set(&mut flags.limits, name, "maxmemory-clients", &value()?)?,
            "--max-memory" => set(&mut flags.limits, name, "maxmemory", &value()?)?,
            _ => return Err(FlagError(format!("unknown flag {arg:?}"))),
        }
    }
    Ok(if tree { Job::Tree(flags) } else { Job::Serve(flags) })
}

/// An argument may be any bytes; no flag and no value is anything but text.
fn text(arg: OsString) -> Result<String, FlagError> {
    arg.into_string().map_err(|arg| FlagError(format!("the argument {arg:?} is not UTF-8")))
}

fn read<T: FromStr>(name: &str, value: &str, wanted: &str) -> Result<T, FlagError> {
    value.parse().map_err(|_| FlagError(format!("{name} is {value:?}, but must be {wanted}")))
}

fn within(
    name: &str,
    value: &str,
    wanted: &str,
    range: std::ops::RangeInclusive<usize>,
) -> Result<usize, FlagError> {
    let number = read(name, value, wanted)?;
    if !range.contains(&number) {
        return Err(FlagError(format!("{name} is {value:?}, but must be {wanted}")));
    }
    Ok(number)
}

fn set(limits: &mut Limits, flag: &str, limit: &str, value: &str) -> Result<(), FlagError> {
    limits.set(limit, value).map_err(|error| FlagError(format!("{flag} is {value:?}, which {}", error.why)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(line: &str) -> Result<Job, String> {
        parse(line.split_whitespace().map(OsString::from)).map_err(|error| error.to_string())
    }

    #[test]
    fn flags_change_what_they_name_and_nothing_else() {
        assert_eq!(parsed(""), Ok(Job::Serve(Flags::default())));
        let limits = Limits {
            max_clients: 5,
            max_request: 1 << 20,
            max_held: 1 << 30,
            max_memory: 64 << 20,
            ..Limits::default()
        };
        let expected =
            Flags { port: 7000, workers: 2, limits, grace: Duration::from_secs(3), ..Flags::default() };
        let line = "--port 7000 --workers=2 --max-clients 5 --max-request 1mb --grace 3 --max-held 1gb --max-memory=64mb";
        assert_eq!(parsed(line), Ok(Job::Serve(expected)));
        assert!(matches!(parsed("--tree --port 7000"), Ok(Job::Tree(flags)) if flags.port == 7000));
        assert_eq!(parsed("--port 7000 --help"), Ok(Job::Help));
    }

    #[test]
    fn a_bad_flag_is_named_in_one_line() {
        for (line, text) in [
            ("--prot 1", "unknown flag \"--prot\""),
            ("6379", "unknown flag \"6379\""),
            ("--port", "--port needs a value"),
            ("--port 70000", "--port is \"70000\", but must be a port from 0 to 65535"),
            ("--bind localhost", "--bind is \"localhost\", but must be an IP address"),
            ("--workers 0", "--workers is \"0\", but must be a number of threads from 1 to 56"),
            ("--grace -1", "--grace is \"-1\", but must be a number of seconds from 0 to 86400"),
            ("--max-clients 0", "--max-clients is \"0\", which is too small to serve any client"),
            ("--tree=yes", "--tree takes no value"),
        ] {
            assert_eq!(parsed(line).map(drop), Err(text.to_owned()), "{line}");
        }
    }

    #[test]
    #[cfg(unix)]
    fn an_argument_that_is_not_utf_8_is_named_in_one_line() {
        use std::os::unix::ffi::OsStringExt;
        let named = "the argument \"--po\\xFFrt\" is not UTF-8";
        let bad = || OsString::from_vec(b"--po\xffrt".to_vec());
        for before in [vec![], vec!["--debug"], vec!["--port"]] {
            let args = before.iter().map(OsString::from).chain([bad()]);
            assert_eq!(parse(args), Err(FlagError(named.to_owned())), "{before:?}");
        }
        let first = parse([OsString::from("--prot"), bad()]);
        assert_eq!(first, Err(FlagError("unknown flag \"--prot\"".to_owned())));
    }
}
