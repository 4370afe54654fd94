//! Multiplying, dividing and rounding.
//!
//! Intermediate results are whole numbers of 512 bits, which hold 154 digits: enough for a product of two coefficients (76
//! digits) and for the numerator of a division (114).

use super::{LIMIT, MAX_DIGITS, Number, NumberError};
use bnum::cast::As as _;
use bnum::types::U512;

/// The largest power that [`Number::checked_pow`] takes: 10^255 reaches from the smallest number to the largest.
const MAX_POWER: i32 = 1_000;

/// How a number is cut to fewer decimals.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Rounding {
    /// To the nearest; halves away from zero.
    HalfAwayFromZero,
    /// Towards zero.
    TowardsZero,
    /// Down.
    Floor,
    /// Up.
    Ceiling,
}

impl Number {
    /// The exact difference.
    ///
    /// # Errors
    ///
    /// As [`Number::checked_add`].
    pub fn checked_sub(self, other: Number) -> Result<Number, NumberError> {
        self.checked_add(-other)
    }

    /// The exact product.
    ///
    /// # Errors
    ///
    /// When the product needs more than 38 digits or is too large or small for DynamoDB.
    pub fn checked_mul(self, other: Number) -> Result<Number, NumberError> {
        let negative = self.negative != other.negative;
        let exponent = i32::from(self.exponent) + i32::from(other.exponent);
        match self.coefficient.checked_mul(other.coefficient) {
            Some(product) => Number::reduced(negative, product, exponent),
            None => from_wide(negative, wide(self.coefficient) * wide(other.coefficient), exponent),
        }
    }

    /// The quotient: exact where 38 digits can say it, else its first 38 digits, the last one rounded (half away from
    /// zero).
    ///
    /// # Errors
    ///
    /// When `other` is zero, or the quotient is too large or small for DynamoDB.
    pub fn checked_div(self, other: Number) -> Result<Number, NumberError> {
        if other.coefficient == 0 {
            return Err(NumberError::DivisionByZero);
        }
        if self.coefficient == 0 {
            return Ok(Number::ZERO);
        }
        if let Ok(divisor) = u64::try_from(other.coefficient) {
            return self.divided_by_short(other, u128::from(divisor));
        }
        self.divided_by_any(other)
    }

    /// The quotient by a number whose coefficient has no more than 19 digits, in long division: some digits at a time, all within
    /// 128 bits.
    fn divided_by_short(self, other: Number, divisor: u128) -> Result<Number, NumberError> {
        let (mut quotient, mut rest) = (self.coefficient / divisor, self.coefficient % divisor);
        let mut exponent = i32::from(self.exponent) - i32::from(other.exponent);
        loop {
            let missing = MAX_DIGITS - quotient.checked_ilog10().map_or(0, |digits| digits + 1);
            if rest == 0 || missing == 0 {
                break;
            }
            // The rest is below 2^64, and 10^19 as well: their product is below 2^128.
            let step = missing.min(19);
            let shifted = rest * 10u128.pow(step);
            quotient = quotient * 10u128.pow(step) + shifted / divisor;
            rest = shifted % divisor;
            exponent -= step as i32;
        }
        let up = rest * 2 >= divisor && rest > 0;
        Number::reduced(self.negative != other.negative, quotient + u128::from(up), exponent)
    }

    /// The quotient by any number but zero.
    fn divided_by_any(self, other: Number) -> Result<Number, NumberError> {
        let negative = self.negative != other.negative;
        // Shifted so far that the quotient has 39 or 40 digits before its remainder.
        let shift =
            MAX_DIGITS + 1 + digits(other.coefficient) - digits(self.coefficient).min(digits(other.coefficient));
        let numerator = wide(self.coefficient) * power(shift);
        let denominator = wide(other.coefficient);
        let (quotient, remainder) = (numerator / denominator, numerator % denominator);
        let exponent = i32::from(self.exponent) - i32::from(other.exponent) - shift as i32;
        let (kept, dropped) = cut(quotient, remainder != wide(0));
        from_wide(negative, kept, exponent + dropped as i32)
    }

    /// What whole division leaves over, with the sign of `self`: `7 % 3` is 1, `-7 % 3` is -1, `1 % 0.3` is 0.1.
    ///
    /// # Errors
    ///
    /// When `other` is zero.
    pub fn checked_rem(self, other: Number) -> Result<Number, NumberError> {
        if other.coefficient == 0 {
            return Err(NumberError::DivisionByZero);
        }
        let shift = u32::from(self.exponent.abs_diff(other.exponent));
        if self.exponent >= other.exponent {
            // One digit after the other, so that no power of ten grows large.
            let modulus = wide(other.coefficient);
            let mut rest = wide(self.coefficient) % modulus;
            for _ in 0..shift {
                rest = rest * wide(10) % modulus;
            }
            from_wide(self.negative, rest, i32::from(other.exponent))
        } else if shift > 2 * MAX_DIGITS {
            // `other` is larger by far.
            Ok(self)
        } else {
            let rest = wide(self.coefficient) % (wide(other.coefficient) * power(shift));
            from_wide(self.negative, rest, i32::from(self.exponent))
        }
    }

    /// The number to the power of a whole number; a negative one is one over the positive power.
    ///
    /// # Errors
    ///
    /// When the power is not whole or beyond ±1000, the result is no number of DynamoDB's, or zero is raised to a negative
    /// power.
    pub fn checked_pow(self, power: Number) -> Result<Number, NumberError> {
        let times = power.to_i32().filter(|times| times.abs() <= MAX_POWER).ok_or(NumberError::Power)?;
        let one = Number::from(1);
        let mut result = one;
        for _ in 0..times.abs() {
            result = result.checked_mul(self)?;
            if result == one && self == one {
                break;
            }
        }
        if times < 0 { one.checked_div(result) } else { Ok(result) }
    }

    /// The number with at most so many decimals; with a negative count tens, hundreds and so on are rounded, too.
    ///
    /// # Errors
    ///
    /// When rounding up makes the number too large for DynamoDB.
    pub fn rounded(self, decimals: i32, rounding: Rounding) -> Result<Number, NumberError> {
        let drop = -i64::from(self.exponent) - i64::from(decimals);
        if drop <= 0 || self.coefficient == 0 {
            return Ok(self);
        }
        let (kept, rest, half) = match u32::try_from(drop).ok().and_then(|drop| 10u128.checked_pow(drop)) {
            Some(unit) => (self.coefficient / unit, self.coefficient % unit, (unit / 2).max(1)),
            None => (0, self.coefficient, u128::MAX),
        };
        let up = match rounding {
            Rounding::HalfAwayFromZero => rest >= half,
            Rounding::TowardsZero => false,
            Rounding::Floor => self.negative && rest > 0,
            Rounding::Ceiling => !self.negative && rest > 0,
        };
        Number::reduced(self.negative, kept + u128::from(up), -decimals)
    }

    /// The number without its sign.
    pub fn abs(self) -> Number {
        Number { negative: false, ..self }
    }

    /// Whether it has no decimals.
    pub fn is_whole(self) -> bool {
        self.exponent >= 0
    }

    /// The number as an i32, if it is one.
    pub fn to_i32(self) -> Option<i32> {
        let digits = 10i64.checked_pow(u32::try_from(self.exponent).ok()?)?;
        let value = i64::try_from(self.coefficient).ok()?.checked_mul(digits)?;
        i32::try_from(if self.negative { -value } else { value }).ok()
    }
}

fn wide(value: u128) -> U512 {
    value.as_()
}

fn power(exponent: u32) -> U512 {
    wide(10).pow(exponent)
}

fn digits(coefficient: u128) -> u32 {
    coefficient.ilog10() + 1
}

/// The first 38 digits of a whole number, rounded half away from zero, and how many were dropped. `more` says that
/// something not zero follows the number.
fn cut(number: U512, more: bool) -> (U512, u32) {
    let dropped = (number.ilog10() + 1).saturating_sub(MAX_DIGITS);
    let unit = power(dropped);
    let (kept, rest) = (number / unit, number % unit);
    if dropped == 0 || (rest == wide(0) && !more) {
        return (kept, dropped);
    }
    let up = rest * wide(2) >= unit;
    (if up { kept + wide(1) } else { kept }, dropped)
}

fn from_wide(negative: bool, mut number: U512, mut exponent: i32) -> Result<Number, NumberError> {
    if number == wide(0) {
        return Ok(Number::ZERO);
    }
    let limit = wide(LIMIT);
    while number >= limit {
        if number % wide(10) != wide(0) {
            return Err(NumberError::TooManyDigits);
        }
        number /= wide(10);
        exponent += 1;
    }
    Number::reduced(negative, number.as_(), exponent)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn number(text: &str) -> Number {
        Number::parse(text).unwrap_or_else(|error| panic!("{text}: {error}"))
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 4000, ..ProptestConfig::default() })]

        #[test]
        fn long_division_is_division(
            a in "-?[1-9][0-9]{0,37}", x in -60i32..60,
            b in "-?([1-9][0-9]{0,18}|18446744073709551615|1844674407370955161[0-5]|[1-9]0{0,3}|[12357]{1,3})", y in -60i32..60,
        ) {
            let (a, b) = (number(&format!("{a}e{x}")), number(&format!("{b}e{y}")));
            if b.coefficient <= u128::from(u64::MAX) {
                prop_assert_eq!(a.divided_by_short(b, b.coefficient), a.divided_by_any(b));
            }
        }
    }

    #[test]
    fn quotients_have_38_digits_and_no_more() {
        for (a, b, quotient) in [
            ("1", "2", "0.5"),
            ("10", "4", "2.5"),
            ("1", "3", "0.33333333333333333333333333333333333333"),
            ("2", "3", "0.66666666666666666666666666666666666667"),
            ("-2", "3", "-0.66666666666666666666666666666666666667"),
            ("200", "3", "66.666666666666666666666666666666666667"),
            ("99999999999999999999999999999999999999", "1", "99999999999999999999999999999999999999"),
            ("1e100", "1e-20", "1e120"),
            ("0", "7", "0"),
        ] {
            assert_eq!(number(a).checked_div(number(b)).unwrap(), number(quotient), "{a} / {b}");
        }
        assert_eq!(number("1").checked_div(Number::ZERO), Err(NumberError::DivisionByZero));
        assert_eq!(number("1e125").checked_div(number("0.1")), Err(NumberError::TooLarge));
        assert_eq!(number("1e-130").checked_div(number("10")), Err(NumberError::TooSmall));
    }

    #[test]
    fn products_are_exact_or_an_error() {
        let big = number("9999999999999999999999999999999999999");
        assert_eq!(big.checked_mul(number("0")).unwrap(), Number::ZERO);
        assert_eq!(big.checked_mul(big), Err(NumberError::TooManyDigits));
        assert_eq!(number("5e60").checked_mul(number("2e60")).unwrap().to_string(), format!("1{}", "0".repeat(121)));
        assert_eq!(number("-0.5").checked_mul(number("0.5")).unwrap(), number("-0.25"));
        // 5^30 * 2^100: 52 digits before the trailing zeros go.
        let (a, b) = (number("931322574615478515625"), number("1267650600228229401496703205376"));
        assert_eq!(a.checked_mul(b).unwrap(), number("1180591620717411303424e30"));
    }

    #[test]
    fn rounding_knows_halves_and_signs() {
        use Rounding::{Ceiling, Floor, HalfAwayFromZero, TowardsZero};
        for (text, decimals, rounding, rounded) in [
            ("2.5", 0, HalfAwayFromZero, "3"),
            ("-2.5", 0, HalfAwayFromZero, "-3"),
            ("2.4999", 0, HalfAwayFromZero, "2"),
            ("66.665", 2, HalfAwayFromZero, "66.67"),
            ("66.669", 2, TowardsZero, "66.66"),
            ("-66.669", 2, TowardsZero, "-66.66"),
            ("-0.5", 0, Floor, "-1"),
            ("-0.5", 0, Ceiling, "0"),
            ("0.1", 0, Ceiling, "1"),
            ("1250", -2, HalfAwayFromZero, "1300"),
            ("4", -2, HalfAwayFromZero, "0"),
            ("1e-100", 2, HalfAwayFromZero, "0"),
            ("1e-100", 2, Ceiling, "0.01"),
            ("7", 400, HalfAwayFromZero, "7"),
        ] {
            assert_eq!(
                number(text).rounded(decimals, rounding).unwrap(),
                number(rounded),
                "{text} {decimals} {rounding:?}"
            );
        }
    }

    #[test]
    fn powers_and_remainders() {
        assert_eq!(number("2").checked_pow(number("100")).unwrap().to_string(), "1267650600228229401496703205376");
        assert_eq!(number("2").checked_pow(number("-2")).unwrap(), number("0.25"));
        assert_eq!(number("0").checked_pow(number("0")).unwrap(), number("1"));
        assert_eq!(number("1").checked_pow(number("1000")).unwrap(), number("1"));
        assert_eq!(number("2").checked_pow(number("0.5")), Err(NumberError::Power));
        assert_eq!(number("1").checked_rem(number("0.3")).unwrap(), number("0.1"));
        assert_eq!(number("1e100").checked_rem(number("7")).unwrap(), number("4"));
        assert_eq!(number("7").checked_rem(number("1e100")).unwrap(), number("7"));
    }

    proptest! {
        #[test]
        fn arithmetic_agrees_with_whole_numbers(a in -1_000_000_000i64..1_000_000_000, b in -1_000_000i64..1_000_000) {
            let (x, y) = (number(&a.to_string()), number(&b.to_string()));
            prop_assert_eq!(x.checked_mul(y).unwrap(), number(&(a * b).to_string()));
            if b != 0 {
                prop_assert_eq!(x.checked_rem(y).unwrap(), number(&(a % b).to_string()));
                let whole = x.checked_div(y).unwrap().rounded(0, Rounding::Floor).unwrap();
                prop_assert_eq!(whole, number(&a.div_euclid(b).to_string()).checked_add(
                    if b < 0 && a.rem_euclid(b) != 0 { number("-1") } else { Number::ZERO }).unwrap());
            }
        }

        /// A quotient is off by half a unit of its 38th digit at most, and by nothing where it is shorter.
        #[test]
        fn a_quotient_is_the_nearest(a in "[1-9][0-9]{0,37}", b in "[1-9][0-9]{0,37}", e in -30i32..30) {
            let (x, y) = (number(&format!("{a}e{e}")), number(&b));
            let q = x.checked_div(y).unwrap();
            let (at, back) = (i32::from(x.exponent), i32::from(q.exponent) + i32::from(y.exponent));
            // Where the 38th digit of the quotient stands, and what a unit of it is worth.
            let unit = q.magnitude() - 37 + i32::from(y.exponent);
            let lowest = at.min(back).min(unit);
            let scaled = |coefficient: U512, exponent: i32| coefficient * power((exponent - lowest) as u32);
            let (exact, back) = (scaled(wide(x.coefficient), at), scaled(wide(q.coefficient) * wide(y.coefficient), back));
            let off = if exact > back { exact - back } else { back - exact };
            prop_assert!(off * wide(2) <= scaled(wide(y.coefficient), unit));
        }
    }
}
