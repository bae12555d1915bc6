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

/// Reads a score: a finite decimal number or an infinity. Not a number, spaces around it, and a
/// number outside the range of an `f64` are refused, as in Redis; its hexadecimal floats are too.
pub(crate) fn parse_f64(text: &[u8]) -> Option<f64> {
    let text = str::from_utf8(text).ok()?;
    let value: f64 = text.parse().ok()?;
    let digits = text.trim_start_matches(['+', '-']);
    let spelled_out = digits.starts_with(['i', 'I']);
    let mantissa = digits.split(['e', 'E']).next().unwrap_or_default();
    let underflow = value == 0.0 && mantissa.contains(|c: char| matches!(c, '1'..='9'));
    if value.is_nan() || (value.is_infinite() && !spelled_out) || underflow { None } else { Some(value) }
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
        for text in ["", "nan", "1e400", "1e-400", " 1", "1 ", "abc", "1,5"] {
            assert_eq!(parse_f64(text.as_bytes()), None, "{text:?}");
        }
    }
}
