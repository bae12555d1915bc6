//! Tests of the request parser: what it accepts, what it refuses, and that neither the way the
//! bytes were cut nor the size of a request changes the answer or the work per byte.

use super::super::limits::Limits;
use super::*;

fn limits() -> Limits {
    Limits { max_args: 64, max_bulk: 4096, max_inline: 100, max_request: 8192, ..Limits::default() }
}

/// A request's arguments, or the error reply that ends the connection.
type Event = Result<Vec<Vec<u8>>, String>;

/// Feeds `input` in pieces of the sizes `piece` gives and returns all that came out.
fn feed(input: &[u8], mut piece: impl FnMut() -> usize) -> (Vec<Event>, usize) {
    let mut decoder = Decoder::new(&limits());
    let mut events = Vec::new();
    let mut buffer: Vec<u8> = Vec::new();
    let mut rest = input;
    loop {
        let mut dropped = 0;
        loop {
            match decoder.decode(&buffer[dropped..]) {
                Ok(decoded) => {
                    dropped += decoded.consumed;
                    match decoded.command {
                        Some(args) => events.push(Ok(args.tail(0).map(<[u8]>::to_vec).collect())),
                        None => break,
                    }
                }
                Err(error) => {
                    let mut reply = Vec::new();
                    error.reply(&mut reply);
                    events.push(Err(String::from_utf8_lossy(&reply).into_owned()));
                    return (events, decoder.examined);
                }
            }
        }
        buffer.drain(..dropped);
        if rest.is_empty() {
            return (events, decoder.examined);
        }
        let (now, later) = rest.split_at(piece().clamp(1, rest.len()));
        buffer.extend_from_slice(now);
        rest = later;
    }
}

fn whole(input: &[u8]) -> Vec<Event> {
    feed(input, || usize::MAX).0
}

fn request(words: &[&str]) -> Event {
    Ok(words.iter().map(|word| word.as_bytes().to_vec()).collect())
}

#[test]
fn requests_of_both_kinds_are_read_in_order() {
    let input = b"*2\r\n$3\r\nGET\r\n$1\r\na\r\n*0\r\nPING\r\n\r\n*-1\r\n*1\r\n$0\r\n\r\nset k \"v w\"\n*1\r\n$4\r\nP\r\nG\r\n";
    let expected = [
        request(&["GET", "a"]),
        request(&["PING"]),
        request(&[""]),
        request(&["set", "k", "v w"]),
        request(&["P\r\nG"]),
    ];
    assert_eq!(whole(input), expected);
}

#[test]
fn broken_requests_get_the_words_of_redis_and_end_the_connection() {
    let long = "x".repeat(101);
    let cases: &[(String, &str)] = &[
        ("*x\r\n".into(), "invalid multibulk length"),
        ("*\r\n".into(), "invalid multibulk length"),
        ("*01\r\n".into(), "invalid multibulk length"),
        ("*65\r\n".into(), "invalid multibulk length"),
        ("*9999999999999999999\r\n".into(), "invalid multibulk length"),
        ("*1\r\nx3\r\n".into(), "expected '$', got 'x'"),
        ("*1\r\n\r\n".into(), "expected '$', got ' '"),
        ("*1\r\n$-1\r\n".into(), "invalid bulk length"),
        ("*1\r\n$a\r\n".into(), "invalid bulk length"),
        ("*1\r\n$4097\r\n".into(), "invalid bulk length"),
        (format!("*{long}"), "too big mbulk count string"),
        (format!("*1\r\n${long}"), "too big bulk count string"),
        (long, "too big inline request"),
        ("get \"a\r\n".into(), "unbalanced quotes in request"),
    ];
    for (input, words) in cases {
        let mut events = whole(format!("PING\r\n{input}").as_bytes());
        assert_eq!(events.pop(), Some(Err(format!("-ERR Protocol error: {words}\r\n"))), "{input}");
        assert_eq!(events, [request(&["PING"])], "{input}");
    }
}

#[test]
fn a_request_over_the_limit_is_refused_when_it_is_announced() {
    let mut input = b"*3\r\n".to_vec();
    for _ in 0..2 {
        input.extend_from_slice(b"$4000\r\n");
        input.extend_from_slice(&[b'x'; 4000]);
        input.extend_from_slice(b"\r\n");
    }
    assert_eq!(whole(&input), []);
    input.extend_from_slice(b"$4000\r\n");
    assert_eq!(whole(&input), [Err("-ERR Protocol error: too big request\r\n".to_owned())]);
}

#[test]
fn after_an_error_the_decoder_stays_dead() {
    let mut decoder = Decoder::new(&limits());
    assert!(decoder.decode(b"*x\r\n").is_err());
    assert!(decoder.decode(b"PING\r\n").is_err());
}

/// Random streams of requests, some damaged, cut at random: the pieces must give what the whole
/// gives.
#[test]
fn pieces_of_any_size_give_what_the_whole_gives() {
    let mut state = 88_172_645_463_325_252u64;
    let mut random = move |below: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state % below as u64) as usize
    };
    let (mut requests, mut errors) = (0, 0);
    for _ in 0..3000 {
        let mut input = Vec::new();
        for _ in 0..random(6) {
            match random(6) {
                0 => input.extend_from_slice(b"set key 'a b' \"\\x00\"\r\n"),
                1 => input.extend_from_slice(b"\r\n*0\r\n"),
                2 => input.extend_from_slice(&[b'w'; 120][..random(110)]),
                _ => {
                    let args = 1 + random(5);
                    input.extend_from_slice(format!("*{args}\r\n").as_bytes());
                    for _ in 0..args {
                        let len = random(30);
                        input.extend_from_slice(format!("${len}\r\n").as_bytes());
                        input.extend((0..len).map(|_| b"\r\n*$1ab"[random(7)]));
                        input.extend_from_slice(b"\r\n");
                    }
                }
            }
        }
        if !input.is_empty() && random(3) == 0 {
            let at = random(input.len());
            input[at] = b"*$\r\n19-x\"'"[random(10)];
        }
        let expected = whole(&input);
        requests += expected.iter().filter(|event| event.is_ok()).count();
        errors += expected.iter().filter(|event| event.is_err()).count();
        assert_eq!(feed(&input, || 1).0, expected, "{}", input.escape_ascii());
        assert_eq!(feed(&input, || 1 + random(9)).0, expected, "{}", input.escape_ascii());
    }
    assert!(requests > 3000 && errors > 300, "the streams cover both: {requests}, {errors}");
}

#[test]
fn work_is_linear_when_a_request_arrives_byte_by_byte() {
    let mut input = b"*64\r\n".to_vec();
    for _ in 0..64 {
        input.extend_from_slice(b"$100\r\n");
        input.extend_from_slice(&[b'x'; 100]);
        input.extend_from_slice(b"\r\n");
    }
    let (events, bytewise) = feed(&input, || 1);
    assert_eq!(events.len(), 1);
    let (_, at_once) = feed(&input, || usize::MAX);
    // Only header lines are looked at, and the byte before a cut at most twice.
    assert!(at_once <= 65 * 6, "{at_once}");
    assert!(bytewise <= 2 * at_once, "{bytewise} against {at_once}");
    let (_, inline) = feed(&[[b'w'; 99].as_slice(), b"\n"].concat(), || 1);
    assert_eq!(inline, 100);
}
