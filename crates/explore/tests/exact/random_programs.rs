//! Random small programs of the mini-language, against brute force.

use crate::brute::{check_exact, machine};

/// SplitMix64 (Steele, Lea, Flood, OOPSLA 2014).
pub(crate) struct Random(pub(crate) u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut word = self.0;
        word = (word ^ (word >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        word = (word ^ (word >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        word ^ (word >> 31)
    }

    pub(crate) fn below(&mut self, limit: u64) -> u64 {
        self.next() % limit
    }
}

/// A task of the operations in `letters`: loads, stores and compare-exchanges of two cells, sections and attempts on two
/// locks, sends and receives on a channel.
fn task(random: &mut Random, letters: &[u8], length: u64) -> String {
    let mut ops = Vec::new();
    for _ in 0..length {
        let cell = ["x", "y"][random.below(2) as usize];
        let lock = ["m", "n"][random.below(2) as usize];
        let small = random.below(3);
        let op = match letters[random.below(letters.len() as u64) as usize] {
            b'W' => format!("W{cell}={small}"),
            b'R' => format!("R{cell};?={small}{{W{cell}=2}}"),
            b'r' => format!("R{cell}"),
            b'F' => format!("F{cell}+1"),
            b'C' => format!("C{cell}:{small}>{}", random.below(3)),
            b'c' => format!("C{cell}:{small}>{};?={small}{{Rx}}:{{Ry}}", random.below(3)),
            b'L' => format!("L{lock};F{cell}+1;U{lock}"),
            b'H' => format!("L{lock};F{cell}+1;?={small}{{U{lock}}}:{{#}}"),
            b'N' => "Lm;Ln;Un;Um".to_string(),
            b'n' => "Ln;Lm;Um;Un".to_string(),
            b'T' => format!("T{lock};?=1{{F{cell}+1;U{lock}}}:{{R{cell}}}"),
            b't' => format!("T{lock}"),
            b'S' => "Sc".to_string(),
            b'X' => "Xc".to_string(),
            b'Q' => format!("Qc;?=1{{W{cell}={small}}}"),
            b'q' => "Qc".to_string(),
            _ => unreachable!("one of the letters above"),
        };
        ops.push(op);
    }
    ops.join(";")
}

pub(crate) fn program(random: &mut Random, letters: &[u8]) -> String {
    let tasks = 2 + random.below(3);
    let length = if tasks == 2 { 4 } else { 2 };
    let tasks = (0..tasks).map(|_| {
        let length = 1 + random.below(length);
        task(random, letters, length)
    });
    tasks.collect::<Vec<_>>().join(" || ")
}

fn check(letters: &[u8], programs: u64) {
    let mut random = Random(0x5EED);
    let mut checked = 0;
    let programs = programs * if cfg!(debug_assertions) { 1 } else { 4 };
    for _ in 0..programs {
        let text = program(&mut random, letters);
        checked += u64::from(check_exact(&machine(&text), 4000, 2, &text));
    }
    assert!(checked * 2 > programs, "most programs are small enough: {checked} of {programs}");
}

#[test]
pub(crate) fn loads_and_stores() {
    check(b"WRrF", 100);
}

#[test]
pub(crate) fn compare_exchanges() {
    check(b"WCCcR", 200);
}

#[test]
pub(crate) fn locks_and_deadlocks() {
    check(b"LHNnR", 100);
}

#[test]
pub(crate) fn attempts_to_lock() {
    check(b"LTtW", 150);
}

#[test]
pub(crate) fn channels() {
    check(b"SSXQqR", 150);
}

#[test]
pub(crate) fn everything_together() {
    check(b"WRFCcLHNnTtSXQq", 250);
}
