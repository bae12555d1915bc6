//! Requests drawn from templates, and their replies compared.

use super::reply::{Reply, Talk};
use super::servers::Servers;

/// Words of a template stand for themselves, except
///
/// | word | stands for |
/// |---|---|
/// | `K` `V` `N` `T` `P` | a key, a value, a number, a time, a pattern |
/// | `W*`, `W+` | up to three of `W`, or one to three |
/// | `?W` | sometimes `W`; a colon in it separates words |
/// | `A\|B` | one of them |
const TEMPLATES: &[&str] = &[
    "PING",
    "PING V",
    "ECHO V",
    "SET K V",
    "SET K V",
    "SET K V ?NX ?XX ?GET ?KEEPTTL ?EX:T ?PX:T ?EXAT:9999999999 ?EX ?foo",
    "SETNX K V",
    "SETEX|PSETEX K T V",
    "GET K",
    "GETDEL K",
    "STRLEN K",
    "APPEND K V",
    "INCR|DECR K",
    "INCRBY|DECRBY K V",
    "MSET K V",
    "MSET K V K V",
    "MGET K+",
    "DEL|UNLINK|EXISTS K+",
    "EXPIRE|PEXPIRE|EXPIREAT|PEXPIREAT K T ?NX ?XX ?GT ?LT ?foo",
    "TTL K",
    "PERSIST K",
    "TYPE K",
    "KEYS P",
    "SCAN 0 COUNT 1000 ?MATCH:P ?TYPE:string|zset|LIST|none ?COUNT ?foo:1",
    "SCAN V COUNT 0",
    "LPUSH|RPUSH K V+",
    "LPOP|RPOP K",
    "LPOP|RPOP K N",
    "LLEN K",
    "LRANGE K N N",
    "HSET K V V",
    "HSET K V V V V",
    "HGET|HEXISTS K V",
    "HGETALL|HLEN K",
    "HDEL K V+",
    "SADD K V+",
    "SREM K V+",
    "SMEMBERS|SCARD K",
    "SISMEMBER K V",
    "ZADD K V V",
    "ZADD K ?NX ?XX ?GT ?LT ?CH ?INCR V V ?V:V",
    "ZREM K V+",
    "ZSCORE K V",
    "ZCARD K",
    "ZRANGE K 0 -1 WITHSCORES",
    "ZRANGE K N N ?REV ?WITHSCORES ?LIMIT:N:N",
    "ZRANGE K V V BYSCORE ?REV ?WITHSCORES ?LIMIT:N:N ?foo",
    "ZRANGE K -|[a|(b|+ +|[x|(b|- BYLEX ?REV ?WITHSCORES ?LIMIT:N:N",
    "PUBLISH K V",
    "UNSUBSCRIBE",
    "SELECT 0|99|-1|x",
    "DBSIZE",
    "CONFIG GET maxmemory-policy|save|appendonly|APPENDON?Y|nosuch",
    "CONFIG|CLIENT nosuch",
    "COMMAND nosuch V",
    "CLIENT GETNAME",
    "CLIENT SETNAME V",
    "CLIENT REPLY maybe",
    "HELLO 3x V",
    "V V*",
];

const KEYS: &[&[u8]] = &[b"a", b"b", b"c", b"d", b"k1", b"k*", b""];

const VALUES: &[&[u8]] = &[
    b"",
    b"x",
    b"1",
    b"-1",
    b"0",
    b"-0",
    b"01",
    b"+1",
    b" 1",
    b"1 ",
    b"10",
    b"3.5",
    b".5",
    b"5.",
    b"abc",
    b"a b",
    b"9223372036854775807",
    b"-9223372036854775808",
    b"9223372036854775808",
    b"4294967296",
    b"\r\n",
    b"\0\xff",
    b"inf",
    b"-inf",
    b"+Infinity",
    b"nan",
    b"nan(1)",
    b"1e3",
    b"1e",
    b"1e400",
    b"1e-320",
    b"1e-400",
    b"1_0",
    b"0b1",
    b"0x10",
    b"0X1P-3",
    b"-0x1.8p1",
    b"0x",
    b"0x.8",
    b"0x1p",
    b"0x1.fffffffffffff8p0",
    b"0x1.00000000000008p0",
    b"0x1p1024",
    b"0x1p-1074",
    b"0x1p-1075",
    b"0x.p1",
    b"0x0p-99999",
    b"0xfffffffffffffffffp-4",
    b"(1",
    b"(0x1",
];

const NUMBERS: &[&[u8]] = &[
    b"0",
    b"1",
    b"-1",
    b"2",
    b"-2",
    b"5",
    b"100",
    b"-100",
    b"9223372036854775807",
    b"-9223372036854775808",
    b"x",
    b"",
    b"01",
    b"1.5",
];

/// Nothing that ends while the test runs: the servers would not agree on the moment.
const TIMES: &[&[u8]] =
    &[b"0", b"-1", b"100000000", b"9999999999999", b"9223372036854775807", b"x", b"", b"1.5"];

/// Nothing that an empty key matches but `*` itself: the other patterns of nothing but stars it does not match in Redis.
const PATTERNS: &[&[u8]] = &[
    b"*", b"?", b"k\\1", b"k\\*", b"\\k1", b"[a-c]", b"[^a]", b"k[*]", b"\\", b"*\\", b"[a", b"[", b"[^",
    b"[\\", b"[a-", b"[]", b"[]]", b"a*", b"*?", b"k?", b"[c-a]", b"[\\]]", b"", b"[a-\\", b"[-a]", b"[^]",
    b"k[^1-3]", b"*[*]", b"[a-c-d]", b"?*?",
];

/// A small generator for repeatable walks (xorshift64*).
struct Draw(u64);

impl Draw {
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33) as usize % bound
    }

    fn of<'a, T: ?Sized>(&mut self, choices: &[&'a T]) -> &'a T {
        choices[self.below(choices.len())]
    }

    fn request(&mut self) -> Vec<Vec<u8>> {
        let mut words = Vec::new();
        for word in self.of(TEMPLATES).split(' ') {
            self.expand(word, &mut words);
        }
        // Too few or too many.
        match self.below(40) {
            0 if words.len() > 1 => drop(words.pop()),
            1 => self.expand("V", &mut words),
            _ => {}
        }
        words
    }

    fn expand(&mut self, word: &str, words: &mut Vec<Vec<u8>>) {
        if let Some(sometimes) = word.strip_prefix('?') {
            if self.below(4) == 0 {
                sometimes.split(':').for_each(|word| self.expand(word, words));
            }
        } else if let Some(many) = word.strip_suffix('*') {
            (0..self.below(4)).for_each(|_| self.expand(many, words));
        } else if let Some(some) = word.strip_suffix('+').filter(|some| some.len() == 1) {
            (0..=self.below(3)).for_each(|_| self.expand(some, words));
        } else {
            let choices: Vec<&str> = word.split('|').collect();
            let word = match self.of(&choices) {
                "K" => self.of(KEYS),
                "V" => self.of(VALUES),
                "N" => self.of(NUMBERS),
                "T" => self.of(TIMES),
                "P" => self.of(PATTERNS),
                word => word.as_bytes(),
            };
            words.push(word.to_vec());
        }
    }
}

fn encode(words: &[Vec<u8>]) -> Vec<u8> {
    let mut bytes = format!("*{}\r\n", words.len()).into_bytes();
    for word in words {
        bytes.extend_from_slice(format!("${}\r\n", word.len()).as_bytes());
        bytes.extend_from_slice(word);
        bytes.extend_from_slice(b"\r\n");
    }
    bytes
}

/// Puts in order what has none: each server has its own.
fn ordered(name: &[u8], reply: Reply) -> Reply {
    let Reply::Array(mut elements) = reply else { return reply };
    match name {
        b"KEYS" | b"SMEMBERS" => elements.sort(),
        b"HGETALL" => {
            let mut pairs: Vec<Vec<Reply>> = elements.chunks(2).map(<[Reply]>::to_vec).collect();
            pairs.sort();
            elements = pairs.concat();
        }
        b"SCAN" => elements = elements.into_iter().map(|found| ordered(b"KEYS", found)).collect(),
        _ => {}
    }
    Reply::Array(elements)
}

/// The beginning of a reply.
fn brief(reply: &Reply) -> String {
    format!("{reply:?}").chars().take(300).collect()
}

/// Whether both answer the same. They were asked a moment after one another.
fn agree(name: &[u8], ours: &Reply, theirs: &Reply) -> bool {
    if name == b"TTL"
        && let (Reply::Line(ours), Reply::Line(theirs)) = (ours, theirs)
        && let (Ok(ours), Ok(theirs)) = (ours[1..].parse::<i64>(), theirs[1..].parse::<i64>())
        && ours > 0
    {
        return (ours - theirs).abs() <= 1;
    }
    ours == theirs
}

/// Requests that are compared.
const REQUESTS: usize = 30_000;

#[test]
fn replies_are_those_of_a_real_redis_command_by_command() {
    let Some(servers) = Servers::start() else { return };
    let (mut ours, mut theirs) = (Talk::connect(servers.kv), Talk::connect(servers.redis));
    let mut draw = Draw(0x1234_5678_9abc_def1);
    let (mut wrong, mut refused) = (Vec::new(), 0);
    for number in 0..REQUESTS {
        let words = draw.request();
        let name = words[0].to_ascii_uppercase();
        let bytes = encode(&words);
        let [a, b] = [&mut ours, &mut theirs].map(|talk| {
            talk.send(&bytes);
            ordered(&name, talk.reply())
        });
        refused += usize::from(matches!(&b, Reply::Line(line) if line.starts_with('-')));
        if !agree(&name, &a, &b) {
            let request: Vec<String> =
                words.iter().map(|word| format!("\"{}\"", word.escape_ascii())).collect();
            wrong.push(format!(
                "request {number}: {}\n  ours   {}\n  theirs {}",
                request.join(" "),
                brief(&a),
                brief(&b)
            ));
        }
        // A fresh start now and then, and after a difference, which would make more.
        if number % 500 == 499 || !wrong.is_empty() {
            for talk in [&mut ours, &mut theirs] {
                talk.send(b"FLUSHALL\r\n");
                talk.reply();
            }
        }
        if wrong.len() >= 10 {
            break;
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(
        (REQUESTS / 10..REQUESTS * 2 / 3).contains(&refused),
        "both good requests and bad ones: {refused}"
    );
}
