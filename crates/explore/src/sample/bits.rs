//! Bits in printable characters: six to each, of an alphabet that no shell, URL or file name minds (RFC 4648, base64url
//! without padding).
//!
//! Numbers from 1 are in Elias' gamma code: as many zeros as there are bits behind the first 1, then the number. A
//! stretch of bits ends where only zeros are left, fewer than six: no gamma code does.

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/// Bits on their way into a text.
#[derive(Debug, Default)]
pub(super) struct Packer {
    text: String,
    pending: u8,
    held: u32,
}

impl Packer {
    /// The lowest `count` bits of `value`, the highest of them first.
    pub(super) fn bits(&mut self, value: u64, count: u32) {
        let mut left = count;
        while left > 0 {
            let taken = left.min(6 - self.held);
            left -= taken;
            self.pending = self.pending << taken | (value >> left) as u8 & ((1 << taken) - 1);
            self.held += taken;
            if self.held == 6 {
                self.text.push(ALPHABET[usize::from(self.pending)] as char);
                (self.pending, self.held) = (0, 0);
            }
        }
    }

    /// A number from 1, in 2 log2 + 1 bits.
    pub(super) fn number(&mut self, value: u64) {
        debug_assert!(value > 0, "gamma codes begin with 1");
        let behind = value.ilog2();
        self.bits(0, behind);
        self.bits(value, behind + 1);
    }

    /// The text, filled up with zeros.
    pub(super) fn finish(mut self) -> String {
        while self.held != 0 {
            self.bits(0, 1);
        }
        self.text
    }
}

/// Bits on their way out of a text. Each method is `None` if the text ended too early.
#[derive(Debug)]
pub(super) struct Unpacker {
    values: Vec<u8>,
    at: usize,
}

impl Unpacker {
    /// `None` if a character isn't of the alphabet.
    pub(super) fn new(text: &str) -> Option<Unpacker> {
        let value = |byte: u8| match byte {
            b'A'..=b'Z' => Some(byte - b'A'),
            b'a'..=b'z' => Some(byte - b'a' + 26),
            b'0'..=b'9' => Some(byte - b'0' + 52),
            b'-' => Some(62),
            b'_' => Some(63),
            _ => None,
        };
        Some(Unpacker { values: text.bytes().map(value).collect::<Option<_>>()?, at: 0 })
    }

    pub(super) fn bit(&mut self) -> Option<bool> {
        let value = *self.values.get(self.at / 6)?;
        let bit = value >> (5 - self.at % 6) & 1;
        self.at += 1;
        Some(bit == 1)
    }

    pub(super) fn bits(&mut self, count: u32) -> Option<u64> {
        let (mut value, mut left) = (0, count);
        while left > 0 {
            let unread = 6 - (self.at % 6) as u32;
            let taken = left.min(unread);
            let bits = *self.values.get(self.at / 6)? >> (unread - taken) & ((1 << taken) - 1);
            value = value << taken | u64::from(bits);
            self.at += taken as usize;
            left -= taken;
        }
        Some(value)
    }

    pub(super) fn number(&mut self) -> Option<u64> {
        let mut behind = 0;
        while !self.bit()? {
            behind += 1;
            if behind > 63 {
                return None;
            }
        }
        Some(1 << behind | self.bits(behind)?)
    }

    /// Whether nothing but the filling is left.
    pub(super) fn is_over(&self) -> bool {
        let left = self.values.len() * 6 - self.at;
        left < 6 && self.values.last().is_none_or(|last| left == 0 || last & ((1 << left) - 1) == 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_of_every_length_come_back() {
        let numbers: Vec<u64> =
            (0..64).flat_map(|n| [1 << n, (1 << n) | (1 << n >> 1), u64::MAX >> n]).collect();
        let mut packer = Packer::default();
        numbers.iter().for_each(|number| packer.number(*number));
        let text = packer.finish();
        assert!(text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_'));
        let mut unpacker = Unpacker::new(&text).expect("our own alphabet");
        for number in numbers {
            assert!(!unpacker.is_over());
            assert_eq!(unpacker.number(), Some(number));
        }
        assert!(unpacker.is_over());
    }

    #[test]
    fn a_text_that_ends_within_a_number_says_so() {
        let mut packer = Packer::default();
        packer.number(1 << 20);
        let text = packer.finish();
        let mut unpacker = Unpacker::new(&text[..3]).expect("our own alphabet");
        assert_eq!(unpacker.number(), None);
        assert!(Unpacker::new("a+b").is_none());
    }
}
