//! Booleans and numbers of requests, read as generously as LiteLLM's request models read them: clients write `"yes"`,
//! `"5"` and `5.0`.

use serde_json::Value;

/// What is wrong with a value: a type of problem and words, as LiteLLM's framework has them.
pub(super) type Wrong = (&'static str, &'static str);

/// A yes or no.
pub(super) fn boolean(value: &Value) -> Result<bool, Wrong> {
    let unclear = ("bool_parsing", "Input should be a valid boolean, unable to interpret input");
    match value {
        Value::Bool(said) => Ok(*said),
        Value::Number(number) => match number.as_f64() {
            Some(0.0) => Ok(false),
            Some(1.0) => Ok(true),
            _ => Err(unclear),
        },
        Value::String(said) => word(said).ok_or(unclear),
        _ => Err(("bool_type", "Input should be a valid boolean")),
    }
}

/// A word for yes or no.
pub(super) fn word(said: &str) -> Option<bool> {
    match said.to_ascii_lowercase().as_str() {
        "1" | "on" | "t" | "true" | "y" | "yes" => Some(true),
        "0" | "off" | "f" | "false" | "n" | "no" => Some(false),
        _ => None,
    }
}

/// A whole number, zero or more: none of LiteLLM's limits is less.
pub(super) fn count(value: &Value) -> Result<i64, Wrong> {
    match whole(value)? {
        number if number < 0 => Err(("greater_than_equal", "Input should be greater than or equal to 0")),
        number => Ok(number),
    }
}

fn whole(value: &Value) -> Result<i64, Wrong> {
    let unreadable = ("int_parsing", "Input should be a valid integer, unable to parse string as an integer");
    let large = ("int_parsing_size", "Unable to parse input string as an integer, exceeded maximum size");
    match value {
        Value::Bool(said) => Ok(i64::from(*said)),
        Value::Number(number) => match (number.as_i64(), number.as_f64()) {
            (Some(whole), _) => Ok(whole),
            (None, Some(float)) if float.fract() != 0.0 => Err((
                "int_from_float",
                "Input should be a valid integer, got a number with a fractional part",
            )),
            (None, Some(float)) => exact(float).ok_or(large),
            (None, None) => Err(large),
        },
        Value::String(text) => {
            let plain = digits(text).ok_or(unreadable)?;
            let plain = match plain.split_once('.') {
                Some((whole, zeros)) if !zeros.is_empty() && zeros.bytes().all(|byte| byte == b'0') => whole,
                _ => &plain,
            };
            plain.parse().map_err(|error: std::num::ParseIntError| match error.kind() {
                std::num::IntErrorKind::PosOverflow | std::num::IntErrorKind::NegOverflow => large,
                _ => unreadable,
            })
        }
        _ => Err(("int_type", "Input should be a valid integer")),
    }
}

/// A float without a fraction as a whole number.
fn exact(float: f64) -> Option<i64> {
    // Two to the 53rd: up to here floats are exact.
    let most = 9_007_199_254_740_992.0;
    #[expect(clippy::cast_possible_truncation, reason = "looked at the line before")]
    (float.abs() <= most).then_some(float as i64)
}

/// A number; it may be infinite, or none (`nan`).
pub(super) fn number(value: &Value) -> Result<f64, Wrong> {
    let unreadable = ("float_parsing", "Input should be a valid number, unable to parse string as a number");
    match value {
        Value::Bool(said) => Ok(f64::from(u8::from(*said))),
        Value::String(text) => digits(text).and_then(|text| text.parse().ok()).ok_or(unreadable),
        value => value.as_f64().ok_or(("float_type", "Input should be a valid number")),
    }
}

/// The text of a number without what may stand around it, and without underscores between digits.
fn digits(text: &str) -> Option<String> {
    let text = text.trim();
    let bytes = text.as_bytes();
    let digit = |at: Option<usize>| at.and_then(|at| bytes.get(at)).is_some_and(u8::is_ascii_digit);
    let stray =
        |(at, byte): (usize, &u8)| *byte == b'_' && !(digit(at.checked_sub(1)) && digit(at.checked_add(1)));
    if bytes.iter().enumerate().any(stray) {
        return None;
    }
    Some(text.replace('_', ""))
}

#[cfg(test)]
mod tests;
