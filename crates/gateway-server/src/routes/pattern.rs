//! Paths with variable parts.

use std::borrow::Cow;

/// The variable part that may hold slashes, because names of models do.
const MODEL: &str = "model";
/// The variable parts that name something kept.
const KEPT: [&str; 10] = [
    "access_group",
    "access_group_id",
    "callback_name",
    "credential_name",
    "id",
    "key_id",
    "login_id",
    "response_id",
    "team_id",
    "user_id",
];

/// What a path names: its first variable part that is kept, and one more.
pub(super) type Named<'a> = (Option<&'a str>, Option<&'a str>);

/// Whether a path matches a pattern, and what stands for the variable part `{model}` and those of [`KEPT`].
/// Of the other variable parts each stands for one segment; what they say is not asked for.
pub(super) fn matches<'a>(pattern: &str, path: &'a str) -> Option<Named<'a>> {
    let Some((before, rest)) = pattern.split_once('{') else {
        return (pattern == path).then_some((None, None));
    };
    let (name, after) = rest.split_once('}')?;
    let path = path.strip_prefix(before)?;
    if name == MODEL {
        let part = path.strip_suffix(after)?;
        return (!part.is_empty()).then_some((Some(part), None));
    }
    let end = path.find('/').unwrap_or(path.len());
    let (segment, rest) = path.split_at(end);
    if segment.is_empty() {
        return None;
    }
    let later = matches(after, rest)?;
    Some(if KEPT.contains(&name) { (Some(segment), later.0) } else { later })
}

/// The part with its percent escapes undone; a part whose escapes are no UTF-8 stays as it is.
pub(crate) fn decoded(part: &str) -> Cow<'_, str> {
    if !part.contains('%') {
        return Cow::Borrowed(part);
    }
    let mut bytes = Vec::with_capacity(part.len());
    let mut rest = part.as_bytes();
    while let Some((&byte, tail)) = rest.split_first() {
        let digit = |index: usize| tail.get(index).and_then(|digit| char::from(*digit).to_digit(16));
        match (byte, digit(0), digit(1)) {
            (b'%', Some(high), Some(low)) => {
                bytes.push(u8::try_from(high * 16 + low).unwrap_or(b'%'));
                rest = &tail[2..];
            }
            _ => {
                bytes.push(byte);
                rest = tail;
            }
        }
    }
    String::from_utf8(bytes).map_or(Cow::Borrowed(part), Cow::Owned)
}
