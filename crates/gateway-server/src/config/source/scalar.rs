//! What a plain scalar means: PyYAML's YAML 1.1, which LiteLLM's users write for.
//!
//! Two deliberate differences: numbers with an exponent but no dot (`1e-6`) are numbers here, and
//! dates and base-60 integers (`2024-02-01`, `12:30`) stay text, because no setting wants either.

use super::tree::Tree;

/// Reads an unquoted scalar. <https://yaml.org/type/bool.html> and its siblings for null, int, float.
pub(crate) fn plain(text: &str) -> Tree {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => Tree::Null,
        "yes" | "Yes" | "YES" | "true" | "True" | "TRUE" | "on" | "On" | "ON" => Tree::Flag(true),
        "no" | "No" | "NO" | "false" | "False" | "FALSE" | "off" | "Off" | "OFF" => Tree::Flag(false),
        _ => integer(text).or_else(|| float(text)).unwrap_or_else(|| Tree::Text(text.to_owned())),
    }
}

/// Reads an integer in base 10, 16 (`0x`), 8 (`0`) or 2 (`0b`), underscores allowed.
pub(crate) fn integer(text: &str) -> Option<Tree> {
    let (negative, digits) = match text.as_bytes().first()? {
        b'-' => (true, &text[1..]),
        b'+' => (false, &text[1..]),
        _ => (false, text),
    };
    if !digits.as_bytes().first()?.is_ascii_digit() {
        return None;
    }
    let (digits, base) = if let Some(hex) = digits.strip_prefix("0x") {
        (hex, 16)
    } else if let Some(binary) = digits.strip_prefix("0b") {
        (binary, 2)
    } else if digits.len() > 1 && digits.starts_with('0') {
        (&digits[1..], 8)
    } else {
        (digits, 10)
    };
    let digits: String = digits.chars().filter(|digit| *digit != '_').collect();
    if digits.is_empty() || !digits.chars().all(|digit| digit.is_digit(base)) {
        return None;
    }
    match i64::from_str_radix(&digits, base) {
        Ok(int) => Some(Tree::Int(if negative { -int } else { int })),
        Err(_) => digits.parse::<f64>().ok().filter(|_| base == 10).map(Tree::Float),
    }
}

/// Reads a number with a dot or an exponent, or `.inf` and `.nan`.
pub(crate) fn float(text: &str) -> Option<Tree> {
    let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
    match unsigned {
        ".inf" | ".Inf" | ".INF" => {
            return Some(Tree::Float(if text.starts_with('-') { f64::NEG_INFINITY } else { f64::INFINITY }));
        }
        ".nan" | ".NaN" | ".NAN" => return Some(Tree::Float(f64::NAN)),
        _ => {}
    }
    let digits = unsigned.bytes().filter(u8::is_ascii_digit).count();
    let other = |byte: u8| !byte.is_ascii_digit() && !matches!(byte, b'.' | b'_' | b'e' | b'E' | b'-' | b'+');
    if digits == 0 || unsigned.bytes().any(other) || unsigned.starts_with(['e', 'E', '_']) {
        return None;
    }
    text.replace('_', "").parse().ok().map(Tree::Float)
}
