//! Exact decimal numbers with DynamoDB's limits.

mod arithmetic;

pub use arithmetic::Rounding;

use std::cmp::Ordering;
use std::fmt;
use std::str::FromStr;

/// The most significant decimal digits a number may have ([DynamoDB data types]).
///
/// [DynamoDB data types]: https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/HowItWorks.NamingRulesDataTypes.html
pub const MAX_DIGITS: u32 = 38;

/// Magnitudes are below 10^126: DynamoDB's largest is 9.99…E+125.
const MAX_MAGNITUDE: i32 = 125;

/// Magnitudes are at least 10^-130, DynamoDB's smallest above zero.
const MIN_MAGNITUDE: i32 = -130;

/// 10^38: coefficients are below it.
const LIMIT: u128 = 10u128.pow(MAX_DIGITS);

/// A decimal number of at most [`MAX_DIGITS`] significant digits, 1E-130 to 9.99…E+125 in magnitude, or zero.
///
/// Nothing is ever rounded: what does not fit is a [`NumberError`]. A number is kept in lowest terms (no trailing zeros
/// in the coefficient), so `1`, `1.0` and `1e0` are the same number, equal and with the same hash, and it is written as
/// DynamoDB writes it: plain digits, without an exponent, without leading or trailing zeros.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Number {
    /// Below 10^38, and no multiple of ten unless zero.
    coefficient: u128,
    /// The power of ten that the coefficient is multiplied by; 0 for zero.
    exponent: i16,
    /// Never set for zero.
    negative: bool,
}

/// Why a text or a result is no [`Number`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NumberError {
    /// The text is not written as a number.
    Syntax,
    /// More than [`MAX_DIGITS`] significant digits.
    TooManyDigits,
    /// The magnitude is 10^126 or more.
    TooLarge,
    /// The magnitude is below 10^-130 and not zero.
    TooSmall,
    /// Divided by zero.
    DivisionByZero,
    /// A power that is not whole, or beyond ±1000.
    Power,
}

impl fmt::Display for NumberError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            NumberError::Syntax => "not a number",
            NumberError::TooManyDigits => "more than 38 significant digits",
            NumberError::TooLarge => "larger than 9.99E+125, the largest number of DynamoDB",
            NumberError::TooSmall => "closer to zero than 1E-130, the smallest number of DynamoDB",
            NumberError::DivisionByZero => "a division by zero",
            NumberError::Power => "a power has to be a whole number from -1000 to 1000",
        })
    }
}

impl std::error::Error for NumberError {}

impl Number {
    /// Zero.
    pub const ZERO: Number = Number { coefficient: 0, exponent: 0, negative: false };

    /// Brings `coefficient * 10^exponent` into lowest terms and checks DynamoDB's limits.
    fn reduced(negative: bool, mut coefficient: u128, mut exponent: i32) -> Result<Number, NumberError> {
        if coefficient == 0 {
            return Ok(Number::ZERO);
        }
        let magnitude;
        // Nearly all numbers are short, and 64 bits far quicker.
        if let Ok(mut short) = u64::try_from(coefficient) {
            while short.is_multiple_of(10) {
                short /= 10;
                exponent += 1;
            }
            coefficient = u128::from(short);
            magnitude = exponent + short.ilog10() as i32;
        } else {
            while coefficient.is_multiple_of(10) {
                coefficient /= 10;
                exponent += 1;
            }
            if coefficient >= LIMIT {
                return Err(NumberError::TooManyDigits);
            }
            magnitude = exponent + coefficient.ilog10() as i32;
        }
        if magnitude > MAX_MAGNITUDE {
            return Err(NumberError::TooLarge);
        }
        if magnitude < MIN_MAGNITUDE {
            return Err(NumberError::TooSmall);
        }
        // 38 digits below 1E-130 reach down to 10^-167, well inside an i16.
        Ok(Number { coefficient, exponent: exponent as i16, negative })
    }

    /// Reads a number as JSON and DynamoDB write it: `-12.50`, `1e2`, `007`.
    ///
    /// Leading and trailing zeros do not count as digits. A leading `+`, blanks, `NaN` and `Infinity` are no numbers.
    pub fn parse(text: &str) -> Result<Number, NumberError> {
        let (negative, rest) = match text.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, text),
        };
        // Nearly all numbers are whole, and short.
        if let Some(whole) = few_digits_of(rest) {
            return Number::reduced(negative, u128::from(whole), 0);
        }
        let (mantissa, exponent) = match rest.find(['e', 'E']) {
            Some(at) => (&rest[..at], Some(&rest[at + 1..])),
            None => (rest, None),
        };
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let digits_only = |part: &str| part.bytes().all(|b| b.is_ascii_digit());
        if whole.is_empty()
            || (mantissa.len() != whole.len() && fraction.is_empty())
            || !digits_only(whole)
            || !digits_only(fraction)
        {
            return Err(NumberError::Syntax);
        }
        // An exponent beyond an i32 is beyond every limit, unless the number is zero: clamping keeps the outcome.
        let exponent = match exponent {
            None => 0,
            Some(text) => {
                let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
                if digits.is_empty() || !digits_only(digits) {
                    return Err(NumberError::Syntax);
                }
                let size = digits.parse::<i32>().unwrap_or(i32::MAX).min(1_000_000_000);
                if text.starts_with('-') { -size } else { size }
            }
        };

        if whole.len() + fraction.len() <= 19 {
            // Up to 19 digits fit 64 bits, whatever they are.
            let digits = whole.bytes().chain(fraction.bytes());
            let coefficient = digits.fold(0u64, |value, digit| value * 10 + u64::from(digit - b'0'));
            let exponent = exponent.saturating_sub(fraction.len() as i32);
            return Number::reduced(negative, u128::from(coefficient), exponent);
        }
        Number::of_many_digits(negative, whole, fraction, exponent)
    }

    /// Reads a number of any count of digits.
    fn of_many_digits(negative: bool, whole: &str, fraction: &str, exponent: i32) -> Result<Number, NumberError> {
        let mut coefficient: u128 = 0;
        // Zeros are held back until a digit follows: trailing ones only move the exponent.
        let mut zeros: u32 = 0;
        let mut dropped: i32 = 0;
        for digit in whole.bytes().chain(fraction.bytes()).map(|b| u128::from(b - b'0')) {
            if digit == 0 {
                zeros += u32::from(coefficient != 0);
                dropped += 1;
                continue;
            }
            let shift = if coefficient == 0 { 0 } else { zeros + 1 };
            if shift > MAX_DIGITS {
                return Err(NumberError::TooManyDigits);
            }
            coefficient = if coefficient == 0 {
                digit
            } else {
                coefficient
                    .checked_mul(10u128.pow(shift))
                    .and_then(|c| c.checked_add(digit))
                    .filter(|c| *c < LIMIT)
                    .ok_or(NumberError::TooManyDigits)?
            };
            zeros = 0;
            dropped = 0;
        }
        let fraction_digits = i32::try_from(fraction.len()).map_err(|_| NumberError::TooManyDigits)?;
        Number::reduced(negative, coefficient, exponent.saturating_sub(fraction_digits).saturating_add(dropped))
    }

    /// The exact sum.
    ///
    /// # Errors
    ///
    /// When the sum needs more than 38 digits or is too large or small for DynamoDB.
    pub fn checked_add(self, other: Number) -> Result<Number, NumberError> {
        if self.coefficient == 0 {
            return Ok(other);
        }
        if other.coefficient == 0 {
            return Ok(self);
        }
        let (high, low) = if self.exponent >= other.exponent { (self, other) } else { (other, self) };
        let shift = u32::from(high.exponent.abs_diff(low.exponent));
        // `low` ends in a digit that is not zero, so the sum ends at `low`'s exponent at the latest when the exponents
        // differ. A sum of at most 38 digits has |high| < 2 * 10^38 on that scale, which a u128 holds: an overflow
        // here always means too many digits.
        let scaled = 10u128
            .checked_pow(shift)
            .and_then(|power| high.coefficient.checked_mul(power))
            .ok_or(NumberError::TooManyDigits)?;
        let exponent = i32::from(low.exponent);
        if high.negative == low.negative {
            let sum = scaled.checked_add(low.coefficient).ok_or(NumberError::TooManyDigits)?;
            return Number::reduced(high.negative, sum, exponent);
        }
        if scaled >= low.coefficient {
            Number::reduced(high.negative, scaled - low.coefficient, exponent)
        } else {
            Number::reduced(low.negative, low.coefficient - scaled, exponent)
        }
    }

    /// The bytes that DynamoDB counts for the number: one for two digits, and one or two more.
    pub fn size(&self) -> usize {
        match self.coefficient {
            0 => 1,
            digits => (digits.ilog10() as usize + 2) / 2 + 1 + usize::from(self.negative),
        }
    }

    /// How many of 10^-`decimals` it is, what is behind them cut off: 1.25 is 12 tenths. Nothing where that is beyond an
    /// [`i128`].
    pub fn in_parts(&self, decimals: u32) -> Option<i128> {
        let shift = i32::from(self.exponent) + i32::try_from(decimals).ok()?;
        let coefficient = i128::try_from(self.coefficient).ok()?;
        let power = 10i128.checked_pow(shift.unsigned_abs());
        let parts = match (shift >= 0, power) {
            (true, power) => coefficient.checked_mul(power?)?,
            (false, Some(power)) => coefficient / power,
            // Less than one of them: coefficients are below 10^38.
            (false, None) => 0,
        };
        Some(if self.negative { -parts } else { parts })
    }

    /// The digits of a whole number from 0, without leading zeros; nothing for a negative or broken number.
    pub fn whole_digits(&self) -> Option<String> {
        (!self.negative && self.exponent >= 0).then(|| self.to_string())
    }

    /// The position of the leading digit: 0 for 1 to 9, -1 for 0.1 to 0.9.
    fn magnitude(&self) -> i32 {
        i32::from(self.exponent) + self.coefficient.ilog10() as i32
    }

    fn cmp_magnitude(&self, other: &Number) -> Ordering {
        match (self.coefficient, other.coefficient) {
            (0, 0) => return Ordering::Equal,
            (0, _) => return Ordering::Less,
            (_, 0) => return Ordering::Greater,
            _ => {}
        }
        self.magnitude().cmp(&other.magnitude()).then_with(|| {
            // The leading digits stand at the same place, so the exponents are less than 38 apart, and the scaled
            // coefficient has as many digits as the other one: it fits.
            let shift = 10u128.pow(u32::from(self.exponent.abs_diff(other.exponent)));
            if self.exponent >= other.exponent {
                (self.coefficient * shift).cmp(&other.coefficient)
            } else {
                self.coefficient.cmp(&(other.coefficient * shift))
            }
        })
    }
}

impl std::ops::Neg for Number {
    type Output = Number;

    fn neg(self) -> Number {
        Number { negative: !self.negative && self.coefficient != 0, ..self }
    }
}

impl Ord for Number {
    fn cmp(&self, other: &Number) -> Ordering {
        match (self.negative, other.negative) {
            (false, false) => self.cmp_magnitude(other),
            (true, true) => other.cmp_magnitude(self),
            (true, false) => Ordering::Less,
            (false, true) => Ordering::Greater,
        }
    }
}

impl PartialOrd for Number {
    fn partial_cmp(&self, other: &Number) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl From<u64> for Number {
    fn from(value: u64) -> Number {
        // 20 digits at most: always in range.
        Number::reduced(false, u128::from(value), 0).unwrap_or(Number::ZERO)
    }
}

impl FromStr for Number {
    type Err = NumberError;

    fn from_str(text: &str) -> Result<Number, NumberError> {
        Number::parse(text)
    }
}

impl Number {
    /// Writes the number, as [`Display`](fmt::Display) does, which has a longer way: keys are full of numbers.
    ///
    /// # Errors
    ///
    /// Those of `out`; a text has none.
    pub fn write(&self, out: &mut impl fmt::Write) -> fmt::Result {
        /// As many as stand before or behind the digits of any number.
        const ZEROS: &str = match std::str::from_utf8(&[b'0'; MAX_MAGNITUDE as usize + MAX_DIGITS as usize]) {
            Ok(zeros) => zeros,
            Err(_) => "",
        };
        if self.negative {
            out.write_str("-")?;
        }
        let (mut room, long);
        let digits = match u64::try_from(self.coefficient) {
            Ok(short) => {
                room = [0; 20];
                few_digits(short, &mut room)
            }
            Err(_) => {
                long = self.coefficient.to_string();
                &*long
            }
        };
        if self.exponent >= 0 {
            out.write_str(digits)?;
            return out.write_str(&ZEROS[..self.exponent as usize]);
        }
        let fraction = usize::from(self.exponent.unsigned_abs());
        match digits.split_at_checked(digits.len().wrapping_sub(fraction)) {
            Some((whole, rest)) if !whole.is_empty() => {
                out.write_str(whole)?;
                out.write_str(".")?;
                out.write_str(rest)
            }
            _ => {
                out.write_str("0.")?;
                out.write_str(&ZEROS[..fraction - digits.len()])?;
                out.write_str(digits)
            }
        }
    }
}

/// The number that up to 18 digits are; nothing where there are more, or none, or anything else.
fn few_digits_of(text: &str) -> Option<u64> {
    let (mut number, mut are_digits) = (0u64, matches!(text.len(), 1..=18));
    if are_digits {
        for byte in text.bytes() {
            let digit = byte.wrapping_sub(b'0');
            are_digits &= digit < 10;
            number = number.wrapping_mul(10).wrapping_add(u64::from(digit));
        }
    }
    are_digits.then_some(number)
}

/// The digits of a number that has few of them, written into the end of `room`.
fn few_digits(mut number: u64, room: &mut [u8; 20]) -> &str {
    let mut at = room.len();
    loop {
        at -= 1;
        room[at] = b'0' + (number % 10) as u8;
        number /= 10;
        if number == 0 {
            // They are ASCII.
            return std::str::from_utf8(&room[at..]).unwrap_or_default();
        }
    }
}

impl fmt::Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.write(f)
    }
}

impl fmt::Debug for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn number(text: &str) -> Number {
        Number::parse(text).unwrap_or_else(|error| panic!("{text}: {error}"))
    }

    #[test]
    fn one_number_has_one_form() {
        for (text, written) in [
            ("0", "0"),
            ("-0", "0"),
            ("0e999999999999", "0"),
            ("000", "0"),
            ("1e2", "100"),
            ("1.50", "1.5"),
            ("-0.010", "-0.01"),
            ("100E-2", "1"),
            ("1E-130", &format!("0.{}1", "0".repeat(129))),
            (
                "0.00000000000000000000000000000000000000000000000012",
                "0.00000000000000000000000000000000000000000000000012",
            ),
            ("99999999999999999999999999999999999999", "99999999999999999999999999999999999999"),
            ("1000000000000000000000000000000000000000000", "1000000000000000000000000000000000000000000"),
        ] {
            assert_eq!(number(text).to_string(), written, "{text}");
        }
        assert_eq!(number("1"), number("1.0"));
    }

    #[test]
    fn what_does_not_fit_is_an_error_and_never_rounded() {
        for (text, error) in [
            ("", NumberError::Syntax),
            ("-", NumberError::Syntax),
            ("1.", NumberError::Syntax),
            (".5", NumberError::Syntax),
            ("+1", NumberError::Syntax),
            ("1e", NumberError::Syntax),
            ("1 ", NumberError::Syntax),
            ("NaN", NumberError::Syntax),
            ("٣", NumberError::Syntax),
            ("999999999999999999999999999999999999999", NumberError::TooManyDigits),
            ("1.00000000000000000000000000000000000000000000000001", NumberError::TooManyDigits),
            ("1e126", NumberError::TooLarge),
            ("1e99999999999999999999", NumberError::TooLarge),
            ("1e-131", NumberError::TooSmall),
        ] {
            assert_eq!(Number::parse(text), Err(error), "{text}");
        }
        let limit = number("99999999999999999999999999999999999999");
        assert_eq!(limit.checked_add(number("0.1")), Err(NumberError::TooManyDigits));
        assert_eq!(limit.checked_add(number("1")).unwrap().to_string(), format!("1{}", "0".repeat(38)));
        assert_eq!(number("1e100").checked_add(number("1")), Err(NumberError::TooManyDigits));
        assert_eq!(number("9e125").checked_add(number("1e125")), Err(NumberError::TooLarge));
    }

    #[test]
    fn a_difference_of_close_numbers_fits_although_one_of_them_scaled_has_39_digits() {
        let a = number("17000000000000000000000000000000000001e1");
        let b = number("-90000000000000000000000000000000000001");
        assert_eq!(a.checked_add(b).unwrap().to_string(), "80000000000000000000000000000000000009");
    }

    /// The value of `text` (plain digits, a point allowed) as a whole number of 10^-40.
    fn scaled(coefficient: i64, exponent: i32) -> i128 {
        i128::from(coefficient) * 10i128.pow((exponent + 10) as u32)
    }

    proptest! {
        #[test]
        fn sums_and_order_agree_with_whole_number_arithmetic(
            a in -1_000_000_000_000i64..1_000_000_000_000, x in -10i32..10,
            b in -1_000_000_000_000i64..1_000_000_000_000, y in -10i32..10,
        ) {
            let (left, right) = (number(&format!("{a}e{x}")), number(&format!("{b}e{y}")));
            let sum = left.checked_add(right).unwrap();
            prop_assert_eq!(sum, number(&format!("{}e-10", scaled(a, x) + scaled(b, y))));
            prop_assert_eq!(sum, right.checked_add(left).unwrap());
            prop_assert_eq!(left.cmp(&right), scaled(a, x).cmp(&scaled(b, y)));
            prop_assert_eq!(sum.checked_add(-right).unwrap(), left);
        }

        #[test]
        fn parts_are_cut_off_and_never_rounded(a in -1_000_000_000_000i64..1_000_000_000_000, x in -10i32..10, decimals in 0u32..10) {
            let expected = scaled(a, x) / 10i128.pow(10 - decimals);
            prop_assert_eq!(number(&format!("{a}e{x}")).in_parts(decimals), Some(expected));
        }

        #[test]
        fn few_digits_are_read_as_many_are(whole in "[0-9]{1,12}", fraction in "[0-9]{0,7}", exponent in -150i32..150, negative: bool) {
            let point = if fraction.is_empty() { "" } else { "." };
            let sign = if negative { "-" } else { "" };
            prop_assert_eq!(
                Number::parse(&format!("{sign}{whole}{point}{fraction}e{exponent}")),
                Number::of_many_digits(negative, &whole, &fraction, exponent),
            );
        }

        #[test]
        fn numbers_are_written_as_their_digits_say(digits in "[1-9][0-9]{0,37}", exponent in -130i32..87, negative: bool) {
            let value = Number::parse(&format!("{digits}e{exponent}")).map(|value| if negative { -value } else { value });
            if let Ok(value) = value {
                let digits = digits.trim_end_matches('0');
                let last = value.exponent;
                let plain = match usize::try_from(last) {
                    Ok(zeros) => format!("{digits}{}", "0".repeat(zeros)),
                    Err(_) => {
                        let decimals = usize::from(last.unsigned_abs());
                        let digits = format!("{digits:0>width$}", width = decimals + 1);
                        let (whole, rest) = digits.split_at(digits.len() - decimals);
                        format!("{whole}.{rest}")
                    }
                };
                prop_assert_eq!(value.to_string(), format!("{}{plain}", if negative { "-" } else { "" }));
            }
        }

        #[test]
        fn text_comes_through(digits in "-?[1-9][0-9]{0,37}", exponent in -120i32..80) {
            let value = number(&format!("{digits}e{exponent}"));
            prop_assert_eq!(number(&value.to_string()), value);
            if exponent == 0 { prop_assert_eq!(value.to_string(), digits); }
        }
    }
}
