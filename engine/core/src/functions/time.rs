//! Functions of times: RFC 3339 texts, or numbers of milliseconds since 1970.

use super::{expression, text_at};
use crate::report::Problem;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use viewfold_value::{Rounding, Value};

/// The first Monday of 1970 is the 5th: weeks are counted from the Monday before the 1st.
const MONDAY: i128 = -3 * DAY;

const SECOND: i128 = 1_000_000_000;
const DAY: i128 = 86_400 * SECOND;

fn time_at(arguments: &[Value], at: usize) -> Result<Timestamp, Problem> {
    match arguments.get(at) {
        Some(Value::Number(number)) => {
            let whole = number.rounded(0, Rounding::Floor).map_err(super::number::bad_number)?;
            let milliseconds: Option<i64> = whole.to_string().parse().ok();
            milliseconds.and_then(|milliseconds| Timestamp::from_millisecond(milliseconds).ok()).ok_or_else(|| {
                expression(format!("{number} milliseconds since 1970 is no time of the years 1 to 9999"))
            })
        }
        _ => {
            let text = text_at(arguments, at)?;
            if !is_rfc3339(text) {
                let message =
                    format!("`{text}` is no time: it is written like 2026-01-31T12:00:00Z, with a zone (RFC 3339)");
                return Err(expression(message));
            }
            text.parse().map_err(|_| {
                expression(format!(
                    "`{text}` is no time that there is between the years 0 and 9999 (up to 9999-12-30T22:00:00Z)"
                ))
            })
        }
    }
}

/// Whether a text has the form of RFC 3339: `2026-01-31T12:00:00.5+01:00`. jiff takes more.
fn is_rfc3339(text: &str) -> bool {
    let shape = |text: &str, pattern: &str| {
        text.len() == pattern.len()
            && text.bytes().zip(pattern.bytes()).all(|(byte, wanted)| match wanted {
                b'0' => byte.is_ascii_digit(),
                b'T' => matches!(byte, b'T' | b't' | b' '),
                b'+' => matches!(byte, b'+' | b'-'),
                wanted => byte == wanted,
            })
    };
    let Some((time, rest)) = text.split_at_checked(19) else { return false };
    let rest = match rest.strip_prefix('.') {
        Some(fraction) => {
            let zone = fraction.trim_start_matches(|c: char| c.is_ascii_digit());
            if zone.len() == fraction.len() { return false } else { zone }
        }
        None => rest,
    };
    shape(time, "0000-00-00T00:00:00") && (matches!(rest, "Z" | "z") || shape(rest, "+00:00"))
}

/// The beginning of the time's stretch.
pub(super) fn bucket(arguments: &[Value]) -> Result<Value, Problem> {
    let time = time_at(arguments, 0)?;
    let length = text_at(arguments, 1)?;
    let bad = || expression(format!("`{length}` is no length of time: it is written like 15m, with s, m, h, d or w"));
    let unit = length.chars().last().ok_or_else(bad)?;
    let count: u32 = length[..length.len() - unit.len_utf8()].parse().map_err(|_| bad())?;
    let (unit, origin) = match unit {
        's' => (SECOND, 0),
        'm' => (60 * SECOND, 0),
        'h' => (3600 * SECOND, 0),
        'd' => (DAY, 0),
        'w' => (7 * DAY, MONDAY),
        _ => return Err(bad()),
    };
    let stretch = unit * i128::from(count);
    if stretch == 0 || stretch > 36_525 * DAY {
        return Err(bad());
    }
    let start = (time.as_nanosecond() - origin).div_euclid(stretch) * stretch + origin;
    let start = Timestamp::from_nanosecond(start).map_err(|_| expression("the stretch begins before the year 1"))?;
    Ok(Value::String(start.to_string()))
}

pub(super) fn format(arguments: &[Value]) -> Result<Value, Problem> {
    let time = time_at(arguments, 0)?;
    let pattern = text_at(arguments, 1)?;
    let zone = match arguments.len() {
        2 => TimeZone::UTC,
        _ => {
            let name = text_at(arguments, 2)?;
            // The zones are those that are built in: the same on every machine.
            jiff::tz::TimeZoneDatabase::bundled()
                .get(name)
                .map_err(|_| expression(format!("`{name}` is no time zone such as Europe/Berlin")))?
        }
    };
    jiff::fmt::strtime::format(pattern, &time.to_zoned(zone))
        .map(Value::String)
        .map_err(|error| expression(format!("the pattern `{pattern}` cannot be used: {error}")))
}

pub(super) fn epoch_ms(arguments: &[Value]) -> Result<Value, Problem> {
    let milliseconds = time_at(arguments, 0)?.as_millisecond();
    milliseconds.to_string().parse().map(Value::Number).map_err(super::number::bad_number)
}
