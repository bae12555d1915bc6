//! Decimal integers and floating point numbers as Redis reads and writes them.
//!
//! An integer has exactly one accepted spelling (no spaces, plus sign, leading zeros or `-0`), so
//! a string can be kept as a number and written back byte for byte.

/// Room for any `i64` in decimal.
pub(crate) type Digits = [u8; 20];

/// Reads the one accepted spelling of an `i64`, and nothing else.
#[inline]
pub(crate) fn parse_i64(text: &[u8]) -> Option<i64> {
    let (negative, digits) = match text {
        [b'0'] => return Some(0),
        [b'-', rest @ ..] => (true, rest),
        _ => (false, text),
    };
    if !matches!(digits.first(), Some(b'1'..=b'9')) || digits.len() > 19 {
        return None;
    }
    let mut magnitude: u64 = 0;
    for &byte in digits {
        let digit = byte.wrapping_sub(b'0');
        if digit > 9 {
            return None;
        }
        // 19 digits are below 10^19, which fits a u64.
        magnitude = magnitude * 10 + u64::from(digit);
    }
    if negative { 0i64.checked_sub_unsigned(magnitude) } else { i64::try_from(magnitude).ok() }
}

/// Writes `value` in decimal at the end of `digits` and returns the text.
#[inline]
pub(crate) fn format_i64(value: i64, digits: &mut Digits) -> &[u8] {
    let mut rest = value.unsigned_abs();
    let mut at = digits.len();
    loop {
        at -= 1;
        digits[at] = b'0' + (rest % 10) as u8;
        rest /= 10;
        if rest == 0 {
            break;
        }
    }
    if value < 0 {
        at -= 1;
        digits[at] = b'-';
    }
    &digits[at..]
}

/// Reads a score: a decimal or hexadecimal number, or an infinity. Not a number, spaces around it, and a number
/// outside the range of an `f64` are refused, as in Redis.
pub(crate) fn parse_f64(text: &[u8]) -> Option<f64> {
    let Float { value, out_of_range } = Float::read(text)?;
    if value.is_nan() || out_of_range { None } else { Some(value) }
}

/// Reads the end of a range of scores, which Redis gives to C's `strtod` as it is: white space before the number,
/// a number out of range, no number at all (a zero) and anything behind a zero byte pass.
pub(crate) fn parse_f64_leniently(text: &[u8]) -> Option<f64> {
    let text = text.split(|&byte| byte == 0).next().unwrap_or_default();
    if text.is_empty() {
        return Some(0.0);
    }
    let spaces = text.iter().take_while(|&&byte| matches!(byte, b' ' | b'\t'..=b'\r')).count();
    Float::read(&text[spaces..]).map(|float| float.value).filter(|value| !value.is_nan())
}

/// What C's `strtod` makes of a whole text.
struct Float {
    value: f64,
    /// The nearest number that there is, is an infinity or zero, though the text says another.
    out_of_range: bool,
}

impl Float {
    fn read(text: &[u8]) -> Option<Float> {
        let (negative, digits) = match text {
            [b'-', rest @ ..] => (true, rest),
            [b'+', rest @ ..] => (false, rest),
            _ => (false, text),
        };
        let Float { value, out_of_range } = match digits {
            [b'+' | b'-', ..] => return None,
            [b'0', b'x' | b'X', rest @ ..] => Float::hexadecimal(rest)?,
            _ => Float::decimal(str::from_utf8(digits).ok()?)?,
        };
        Some(Float { value: if negative { -value } else { value }, out_of_range })
    }

    fn decimal(text: &str) -> Option<Float> {
        let value: f64 = text.parse().ok()?;
        let spelled_out = text.starts_with(['i', 'I']);
        let mantissa = text.split(['e', 'E']).next().unwrap_or_default();
        let vanished = value == 0.0 && mantissa.contains(|c: char| matches!(c, '1'..='9'));
        Some(Float { value, out_of_range: vanished || value.is_infinite() && !spelled_out })
    }

    /// What follows `0x`: digits with or without a point, then perhaps `p` and a power of two.
    fn hexadecimal(text: &[u8]) -> Option<Float> {
        let end = text.iter().position(|byte| matches!(byte, b'p' | b'P'));
        let (mantissa, power) = match end {
            None => (text, 0),
            Some(at) => (&text[..at], power(&text[at + 1..])?),
        };
        // The digits as one number, of which bits that fit no more count only as something that is not zero.
        let (mut bits, mut exponent, mut rest) = (0u64, 0i64, false);
        let (mut digits, mut behind_point) = (0, false);
        for &byte in mantissa {
            if byte == b'.' && !behind_point {
                behind_point = true;
                continue;
            }
            let digit = u64::from(char::from(byte).to_digit(16)?);
            digits += 1;
            if bits >> 60 == 0 {
                bits = bits << 4 | digit;
                exponent -= i64::from(behind_point) * 4;
            } else {
                rest |= digit != 0;
                exponent += i64::from(!behind_point) * 4;
            }
        }
        if digits == 0 {
            return None;
        }
        if bits == 0 {
            return Some(Float { value: 0.0, out_of_range: false });
        }
        // value = bits * 2^exponent, with the first bit of `bits` set.
        let unused = bits.leading_zeros();
        bits <<= unused;
        exponent = exponent.saturating_add(power).saturating_sub(i64::from(unused));
        // An f64 holds 53 bits, and none below 2^-1074.
        let dropped = (-1074i64).saturating_sub(exponent).clamp(11, 65) as u32;
        let half = 1u128 << (dropped - 1);
        let below = u128::from(bits) & (2 * half - 1);
        let mut kept = (u128::from(bits) >> dropped) as u64;
        // To the nearest, in the middle to the even one.
        if below > half || below == half && (rest || kept & 1 == 1) {
            kept += 1;
        }
        let exponent = exponent.saturating_add(i64::from(dropped)).clamp(-1074, 2000);
        // Two steps, because 2^exponent alone may be out of range; neither rounds.
        let value = kept as f64 * power_of_two(exponent / 2) * power_of_two(exponent - exponent / 2);
        Some(Float { value, out_of_range: value.is_infinite() || value == 0.0 })
    }
}

/// The decimal number behind `p`. One too large is as good as the largest.
fn power(text: &[u8]) -> Option<i64> {
    let (negative, digits) = match text {
        [b'-', rest @ ..] => (true, rest),
        [b'+', rest @ ..] => (false, rest),
        _ => (false, text),
    };
    if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let magnitude =
        digits.iter().fold(0i64, |sum, digit| sum.saturating_mul(10).saturating_add(i64::from(digit - b'0')));
    Some(if negative { -magnitude } else { magnitude })
}

/// 2^exponent, for an exponent from -1022 to 1023.
fn power_of_two(exponent: i64) -> f64 {
    f64::from_bits(((exponent + 1023) as u64) << 52)
}

/// Writes a score as Redis 7.0 does in RESP2, which is C's `%.17g`.
pub(crate) fn format_f64(value: f64) -> String {
    if value.is_infinite() {
        return if value > 0.0 { "inf".to_owned() } else { "-inf".to_owned() };
    }
    let scientific = format!("{value:.16e}");
    let (mantissa, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    if !(-4..17).contains(&exponent) {
        let sign = if exponent < 0 { '-' } else { '+' };
        return format!("{}e{sign}{:02}", without_trailing_zeros(mantissa), exponent.unsigned_abs());
    }
    let decimals = usize::try_from(16 - exponent).unwrap_or(0);
    without_trailing_zeros(&format!("{value:.decimals$}")).to_owned()
}

fn without_trailing_zeros(text: &str) -> &str {
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.') } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn integers_have_one_spelling_and_survive_the_round_trip() {
        for value in [0, 1, -1, 9, 10, 99, 100, -100, 12_345_678_901, i64::MAX, i64::MIN] {
            let mut digits = [0; 20];
            let text = format_i64(value, &mut digits);
            assert_eq!(text, value.to_string().as_bytes());
            assert_eq!(parse_i64(text), Some(value));
        }
        let refused = [
            "",
            "-",
            "-0",
            "00",
            "01",
            "+1",
            " 1",
            "1 ",
            "1.0",
            "a",
            "1a",
            "9223372036854775808",
            "-9223372036854775809",
            "99999999999999999999",
            "-99999999999999999999",
        ];
        for text in refused {
            assert_eq!(parse_i64(text.as_bytes()), None, "{text:?}");
        }
    }

    #[test]
    fn scores_are_written_with_seventeen_digits() {
        let cases = [
            (0.0, "0"),
            (-0.0, "-0"),
            (3.0, "3"),
            (-2.5, "-2.5"),
            (0.1, "0.10000000000000001"),
            (1e16, "10000000000000000"),
            (1e17, "1e+17"),
            (1.5e300, "1.5000000000000001e+300"),
            (0.0001, "0.0001"),
            (0.000_01, "1.0000000000000001e-05"),
            (123_456.789, "123456.789"),
            (f64::INFINITY, "inf"),
            (f64::NEG_INFINITY, "-inf"),
        ];
        for (value, text) in cases {
            assert_eq!(format_f64(value), text);
        }
    }

    #[test]
    fn scores_outside_the_range_are_refused() {
        assert_eq!(parse_f64(b"+inf"), Some(f64::INFINITY));
        assert_eq!(parse_f64(b"-Infinity"), Some(f64::NEG_INFINITY));
        assert_eq!(parse_f64(b"-1.5e3"), Some(-1500.0));
        assert_eq!(parse_f64(b"0e5"), Some(0.0));
        for text in ["", "nan", "1e400", "1e-400", " 1", "1 ", "abc", "1,5", "+-1", "--inf"] {
            assert_eq!(parse_f64(text.as_bytes()), None, "{text:?}");
        }
    }

    #[test]
    fn hexadecimal_scores_are_read_and_rounded_to_the_nearest() {
        for (text, value) in [
            ("0x10", 16.0),
            ("-0X1.8p1", -3.0),
            ("0x.8", 0.5),
            ("0x8.", 8.0),
            ("0x0p-99999", 0.0),
            ("0x1p+3", 8.0),
            ("0x1.fffffffffffffp1023", f64::MAX),
            ("0x1p-1022", f64::MIN_POSITIVE),
            ("0x1p-1074", f64::from_bits(1)),
            ("0x3p-1075", f64::from_bits(2)),
            ("0x1.00000000000008p-1074", f64::from_bits(1)),
            // Halfway between two: to the even one. A bit more, however far behind: up.
            ("0x1.00000000000008p0", 1.0),
            ("0x1.00000000000018p0", 1.0 + 2.0 * f64::EPSILON),
            ("0x1.000000000000080000000000001p0", 1.0 + f64::EPSILON),
            ("0xfffffffffffffffffp-4", 18_446_744_073_709_551_616.0),
            ("0x00000000000000000000000001", 1.0),
        ] {
            assert_eq!(parse_f64(text.as_bytes()), Some(value), "{text}");
        }
        for text in [
            "0x",
            "0x.",
            "0x1p",
            "0x1p-",
            "0x.p1",
            "0xg",
            "0x1.2.3",
            "0x1p1024",
            "0x1p-1075",
            "0x1p99999999999999999999",
        ] {
            assert_eq!(parse_f64(text.as_bytes()), None, "{text}");
        }
    }

    #[test]
    fn the_ends_of_ranges_are_read_as_c_reads_them() {
        for (text, value) in [
            ("", Some(0.0)),
            ("\0junk", Some(0.0)),
            (" \t1", Some(1.0)),
            ("1e400", Some(f64::INFINITY)),
            ("-0x1p9999", Some(f64::NEG_INFINITY)),
            ("1e-400", Some(0.0)),
            ("1 ", None),
            (" ", None),
            ("nan", None),
        ] {
            assert_eq!(parse_f64_leniently(text.as_bytes()), value, "{text:?}");
        }
    }
}
