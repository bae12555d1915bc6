//! The server's limits: every bound on what a client can make the server hold or do.
//!
//! They live in one plain value so that the parser, the commands and the sockets obey the same
//! numbers and so that a test can make them small. What is not here: the code that enforces them.
//! `resp::Decoder` enforces the request limits, `commands::execute` the memory limit, and the
//! connection loop the client, pipeline and reply limits, `server::held` the one on what all clients hold.

/// Every bound of the server. Names in brackets are the Redis parameters that say the same.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Limits {
    /// Connected clients at once [`maxclients`]; one more is told so and closed.
    pub(crate) max_clients: usize,
    /// Arguments of one request. Redis before 7 had 1024 * 1024 fixed in the source.
    pub(crate) max_args: usize,
    /// Bytes of one argument [`proto-max-bulk-len`], and of one string value.
    pub(crate) max_bulk: usize,
    /// Bytes of an inline command or of a `*N`/`$N` header line, 64 KiB as in Redis.
    pub(crate) max_inline: usize,
    /// Bytes of one request, headers included [`client-query-buffer-limit`].
    pub(crate) max_request: usize,
    /// Bytes of a pattern for KEYS and SCAN. Matching may take as many steps as pattern and key have bytes,
    /// multiplied, and nobody else is served meanwhile.
    pub(crate) max_pattern: usize,
    /// Reply bytes held for one client before the server stops executing its pipeline and waits
    /// for the client to read.
    pub(crate) max_output: usize,
    /// Bytes of one reply. A request can name the same large value a million times (MGET), and the reply would
    /// hold it as often; what is stored once is replied once, and is not refused for its size.
    pub(crate) max_reply: usize,
    /// Bytes held for all clients together [`maxmemory-clients`]: requests that have arrived in part with the places
    /// of their arguments, replies and messages that were not sent, the channels that clients subscribe to. Buffers up to 64 KiB are not counted.
    pub(crate) max_held: usize,
    /// Estimated bytes of data, 0 for no bound [`maxmemory`]; commands that add data are refused
    /// above it.
    pub(crate) max_memory: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Limits {
            max_clients: 10_000,
            max_args: 1024 * 1024,
            max_bulk: 512 << 20,
            max_inline: 64 << 10,
            max_request: 1 << 30,
            max_pattern: 1024,
            max_output: 1 << 20,
            max_reply: 1 << 30,
            max_held: 4 << 30,
            max_memory: 0,
        }
    }
}

/// A limit that can't be used; `Display` is one line that names the parameter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct LimitError {
    name: String,
    pub(crate) why: &'static str,
}

impl std::fmt::Display for LimitError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {}", self.name, self.why)
    }
}

impl std::error::Error for LimitError {}

impl Limits {
    /// Sets the limit called `name` (as on the command line, without the dashes) from text such
    /// as `4096`, `64kb` or `1gb`.
    #[allow(dead_code, reason = "the lab tests build their limits as values")]
    pub(crate) fn set(&mut self, name: &str, text: &str) -> Result<(), LimitError> {
        let fail = |why| LimitError { name: name.to_owned(), why };
        let value = parse_size(text).ok_or_else(|| fail("is not a size such as 4096, 64kb or 1gb"))?;
        let (field, least) = match name {
            "maxclients" => (&mut self.max_clients, 1),
            "max-args" => (&mut self.max_args, 1),
            "proto-max-bulk-len" => (&mut self.max_bulk, 1024),
            "max-inline" => (&mut self.max_inline, 64),
            "client-query-buffer-limit" => (&mut self.max_request, 1024),
            "max-pattern" => (&mut self.max_pattern, 1),
            "max-output" => (&mut self.max_output, 1024),
            "maxmemory-clients" => (&mut self.max_held, 1 << 20),
            "max-reply" => (&mut self.max_reply, 1024),
            "maxmemory" => (&mut self.max_memory, 0),
            _ => return Err(fail("is not a limit of this server")),
        };
        if value < least {
            return Err(fail("is too small to serve any client"));
        }
        *field = value;
        Ok(())
    }
}

/// Reads a size as `redis.conf` does: `k`, `m` and `g` are decimal, `kb`, `mb` and `gb` binary.
fn parse_size(text: &str) -> Option<usize> {
    let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let number: usize = text[..end].parse().ok()?;
    let unit = match text[end..].to_ascii_lowercase().as_str() {
        "" | "b" => 1,
        "k" => 1000,
        "kb" => 1 << 10,
        "m" => 1_000_000,
        "mb" => 1 << 20,
        "g" => 1_000_000_000,
        "gb" => 1 << 30,
        _ => return None,
    };
    number.checked_mul(unit)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_read_with_decimal_and_binary_units() {
        let cases = [("0", Some(0)), ("12", Some(12)), ("2k", Some(2000)), ("2KB", Some(2048))];
        for (text, value) in cases {
            assert_eq!(parse_size(text), value, "{text}");
        }
        for text in ["", "kb", "-1", "1x", "99999999999999999999", "99999999999gb"] {
            assert_eq!(parse_size(text), None, "{text}");
        }
    }

    #[test]
    fn a_bad_limit_is_refused_by_name_and_changes_nothing() {
        let mut limits = Limits::default();
        for (name, text) in [("maxclients", "0"), ("maxclients", "many"), ("nonsense", "1")] {
            let error = limits.set(name, text).expect_err("refused");
            assert!(error.to_string().starts_with(name), "{error}");
        }
        assert_eq!(limits, Limits::default());
        limits.set("maxmemory", "64mb").expect("accepted");
        assert_eq!(limits.max_memory, 64 << 20);
    }
}
