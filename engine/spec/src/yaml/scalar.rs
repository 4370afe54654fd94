//! What a plain scalar means in YAML 1.2, as the projection language reads it.

use viewfold_value::{Number, NumberError};

/// The meaning of a scalar.
#[derive(Clone, PartialEq, Debug)]
pub enum Scalar {
    /// `null`, `~`, or nothing at all.
    Null,
    /// `true` or `false`, and nothing else: `yes`, `on` and `NO` are text.
    Bool(bool),
    /// A number, all of its digits.
    Number(Number),
    /// Written as a number, but not one that DynamoDB holds exactly.
    BadNumber(NumberError),
    /// Everything else.
    Text,
}

/// What an unquoted scalar means.
pub fn plain(text: &str) -> Scalar {
    match text {
        "" | "~" | "null" => return Scalar::Null,
        "true" => return Scalar::Bool(true),
        "false" => return Scalar::Bool(false),
        _ => {}
    }
    match json_form(text).map(|form| Number::parse(&form)) {
        Some(Ok(number)) => Scalar::Number(number),
        Some(Err(NumberError::Syntax)) | None => Scalar::Text,
        Some(Err(error)) => Scalar::BadNumber(error),
    }
}

/// A number of YAML's core schema (`+1`, `.5`, `5.`) as JSON would write it; nothing for other text.
fn json_form(text: &str) -> Option<String> {
    let (sign, rest) = match text.as_bytes().first()? {
        b'-' => ("-", &text[1..]),
        b'+' => ("", &text[1..]),
        _ => ("", text),
    };
    if !rest.starts_with(|c: char| c.is_ascii_digit() || c == '.') || !rest.contains(|c: char| c.is_ascii_digit()) {
        return None;
    }
    let (mantissa, exponent) = rest.split_at(rest.find(['e', 'E']).unwrap_or(rest.len()));
    let mantissa = match mantissa.strip_suffix('.') {
        Some(whole) => whole.to_owned(),
        None if mantissa.starts_with('.') => format!("0{mantissa}"),
        None => mantissa.to_owned(),
    };
    Some(format!("{sign}{mantissa}{exponent}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_core_schema_is_read() {
        for text in
            ["NO", "yes", "on", "y", "True", "1.2.3", "1_000", "0x1F", "0o7", "1e", ".", "-", "1 2", "2024-01-01"]
        {
            assert_eq!(plain(text), Scalar::Text, "{text}");
        }
        for (text, number) in [("007", "7"), ("+1.50", "1.5"), (".5", "0.5"), ("5.", "5"), ("-1e2", "-100")] {
            assert_eq!(plain(text), Scalar::Number(Number::parse(number).unwrap()), "{text}");
        }
        assert_eq!(plain("1e200"), Scalar::BadNumber(NumberError::TooLarge));
        assert_eq!(plain("~"), Scalar::Null);
    }
}
