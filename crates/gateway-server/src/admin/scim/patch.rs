//! Changes of a resource (RFC 7644 §3.5.2), with what Entra and Okta write besides. Pure.

use serde_json::{Map, Value};

use super::fault::Fault;
use super::filter::{Filter, Test};
use super::path::{ENTERPRISE, Path, get, own_name};

/// The most operations of a request.
const MOST: usize = 1_000;
/// What only the gateway says.
const OURS: [&str; 2] = ["id", "meta"];

/// What is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Verb {
    Add,
    Remove,
    Replace,
}

/// Where it is done.
struct Target {
    path: Path,
    /// Which values of an attribute with several.
    which: Option<Filter>,
    /// A part of these.
    sub: Option<String>,
}

/// Makes the changes a request asks for, all or none.
///
/// # Errors
/// The first change that makes no sense.
pub(super) fn apply(
    resource: &Map<String, Value>,
    request: &Map<String, Value>,
) -> Result<Map<String, Value>, Fault> {
    let operations = get(request, "Operations").and_then(Value::as_array);
    let operations =
        operations.ok_or_else(|| Fault::bad("invalidSyntax", "the request has no list `Operations`"))?;
    if operations.len() > MOST {
        return Err(Fault::bad("tooMany", "the request has more than 1,000 operations"));
    }
    let mut changed = resource.clone();
    for operation in operations {
        let operation = operation.as_object();
        let operation =
            operation.ok_or_else(|| Fault::bad("invalidSyntax", "an operation is no JSON object"))?;
        one(&mut changed, operation)?;
    }
    Ok(changed)
}

fn one(resource: &mut Map<String, Value>, operation: &Map<String, Value>) -> Result<(), Fault> {
    let word = get(operation, "op").and_then(Value::as_str).unwrap_or_default();
    let verb = match word.to_ascii_lowercase().as_str() {
        "add" => Verb::Add,
        "remove" => Verb::Remove,
        "replace" => Verb::Replace,
        _ => {
            let words = format!("`op` is `{word}`, expected `add`, `remove` or `replace`");
            return Err(Fault::bad("invalidSyntax", words));
        }
    };
    let value = get(operation, "value");
    match get(operation, "path").and_then(Value::as_str).filter(|path| !path.is_empty()) {
        Some(path) => at(resource, verb, &target(path)?, value),
        None if verb == Verb::Remove => Err(Fault::bad("noTarget", "`remove` needs a `path`")),
        None => whole(resource, verb, value),
    }
}

/// An operation without a path: each member of its value is an attribute.
fn whole(resource: &mut Map<String, Value>, verb: Verb, value: Option<&Value>) -> Result<(), Fault> {
    let members = value.and_then(Value::as_object);
    let members =
        members.ok_or_else(|| Fault::bad("invalidValue", "`value` is no object, and there is no `path`"))?;
    for (name, value) in members {
        if name.eq_ignore_ascii_case("schemas") || OURS.iter().any(|own| name.eq_ignore_ascii_case(own)) {
            continue;
        }
        match value {
            // Attributes of an extension are one by one, too.
            Value::Object(inner)
                if name.to_ascii_lowercase().starts_with("urn:") && !name.contains("core:") =>
            {
                for (inner_name, value) in inner {
                    let path = Path { extension: Some(name.clone()), name: inner_name.clone(), sub: None };
                    at(resource, verb, &Target { path, which: None, sub: None }, Some(value))?;
                }
            }
            value => at(resource, verb, &target(name)?, Some(value))?,
        }
    }
    Ok(())
}

/// Reads `name`, `name.sub`, `name[filter]`, `name[filter].sub`.
fn target(text: &str) -> Result<Target, Fault> {
    let wrong = || {
        let shown: String = text.chars().take(100).collect();
        Fault::bad("invalidPath", format!("`{shown}` is no path of an attribute"))
    };
    let Some((name, rest)) = text.split_once('[') else {
        // The extension as a whole has the path of its schema.
        if text.eq_ignore_ascii_case(ENTERPRISE) {
            let path = Path { extension: None, name: ENTERPRISE.to_owned(), sub: None };
            return Ok(Target { path, which: None, sub: None });
        }
        return Ok(Target { path: Path::read(text).ok_or_else(wrong)?, which: None, sub: None });
    };
    let (filter, behind) = rest.rsplit_once(']').ok_or_else(wrong)?;
    let sub = match behind.strip_prefix('.') {
        Some(sub) if !sub.is_empty() => Some(sub.to_owned()),
        None if behind.is_empty() => None,
        _ => return Err(wrong()),
    };
    let path = Path::read(name).filter(|path| path.sub.is_none()).ok_or_else(wrong)?;
    Ok(Target { path, which: Some(Filter::read(filter)?), sub })
}

fn at(
    resource: &mut Map<String, Value>,
    verb: Verb,
    target: &Target,
    value: Option<&Value>,
) -> Result<(), Fault> {
    let Target { path, which, sub } = target;
    if path.extension.is_none() && OURS.iter().any(|name| path.name.eq_ignore_ascii_case(name)) {
        return Err(Fault::bad("mutability", format!("`{}` cannot be changed", path.name)));
    }
    let value = match (verb, value) {
        (Verb::Remove, value) => value,
        (_, Some(value)) => Some(value),
        (_, None) => {
            return Err(Fault::bad("invalidValue", format!("there is no `value` for `{}`", path.name)));
        }
    };
    let home = match &path.extension {
        Some(schema) => {
            let name = own_name(resource, schema);
            let home = resource.entry(name).or_insert_with(|| Value::Object(Map::new()));
            home.as_object_mut()
                .ok_or_else(|| Fault::bad("invalidPath", format!("`{schema}` is no object")))?
        }
        None => resource,
    };
    let name = own_name(home, &path.name);
    match (which, &path.sub) {
        (Some(which), _) => among(home, &name, verb, (which, sub.as_deref()), value),
        (None, Some(sub)) => inside(home, &name, verb, sub, value),
        (None, None) => {
            attribute(home, &name, verb, value);
            Ok(())
        }
    }
}

/// An attribute as a whole.
fn attribute(home: &mut Map<String, Value>, name: &str, verb: Verb, value: Option<&Value>) {
    let Some(value) = value.filter(|value| !value.is_null()) else {
        home.shift_remove(name);
        return;
    };
    match (verb, home.get_mut(name), value) {
        // Entra names the values that go.
        (Verb::Remove, Some(Value::Array(have)), gone) => {
            let gone: Vec<&Value> = gone.as_array().map_or_else(|| vec![gone], |list| list.iter().collect());
            have.retain(|one| !gone.iter().any(|gone| same(one, gone)));
        }
        (Verb::Remove, ..) => drop(home.shift_remove(name)),
        (Verb::Add, Some(Value::Array(have)), new) => {
            let new: Vec<&Value> = new.as_array().map_or_else(|| vec![new], |list| list.iter().collect());
            let mut known: std::collections::HashSet<String> = have.iter().map(mark).collect();
            have.extend(new.into_iter().filter(|one| known.insert(mark(one))).cloned());
        }
        (_, Some(Value::Object(have)), Value::Object(new)) => {
            for (inner, value) in new {
                let inner = own_name(have, inner);
                have.insert(inner, value.clone());
            }
        }
        (_, _, value) => drop(home.insert(name.to_owned(), value.clone())),
    }
}

/// What a value of several is known by: its `value`, else all of it.
fn mark(one: &Value) -> String {
    let named = one.as_object().and_then(|object| get(object, "value"));
    let kind =
        one.as_object().and_then(|object| get(object, "type")).and_then(Value::as_str).unwrap_or_default();
    format!("{}\n{kind}", named.unwrap_or(one))
}

fn same(one: &Value, other: &Value) -> bool {
    let named = |value: &Value| value.as_object().and_then(|object| get(object, "value")).cloned();
    named(one).unwrap_or_else(|| one.clone()) == named(other).unwrap_or_else(|| other.clone())
}

/// A part of an attribute; of one with several values, of each.
fn inside(
    home: &mut Map<String, Value>,
    name: &str,
    verb: Verb,
    sub: &str,
    value: Option<&Value>,
) -> Result<(), Fault> {
    if verb != Verb::Remove {
        home.entry(name.to_owned()).or_insert_with(|| Value::Object(Map::new()));
    }
    let parts: Vec<&mut Map<String, Value>> = match home.get_mut(name) {
        None => return Ok(()),
        Some(Value::Object(object)) => vec![object],
        Some(Value::Array(list)) => list.iter_mut().filter_map(Value::as_object_mut).collect(),
        Some(_) => return Err(Fault::bad("invalidPath", format!("`{name}` has no parts"))),
    };
    for part in parts {
        let sub = own_name(part, sub);
        attribute(part, &sub, verb, value);
    }
    Ok(())
}

/// Some of the values of an attribute. One that is described and not there is made.
fn among(
    home: &mut Map<String, Value>,
    name: &str,
    verb: Verb,
    (which, sub): (&Filter, Option<&str>),
    value: Option<&Value>,
) -> Result<(), Fault> {
    let list = home.entry(name.to_owned()).or_insert_with(|| Value::Array(Vec::new()));
    let list = list
        .as_array_mut()
        .ok_or_else(|| Fault::bad("invalidPath", format!("`{name}` has no several values")))?;
    let chosen = |one: &Value| one.as_object().is_some_and(|one| which.holds(one));
    if verb == Verb::Remove && sub.is_none() {
        list.retain(|one| !chosen(one));
        return Ok(());
    }
    if !list.iter().any(chosen) {
        if verb == Verb::Remove {
            return Ok(());
        }
        list.push(Value::Object(
            described(which).ok_or_else(|| {
                Fault::bad("noTarget", format!("no value of `{name}` is as the filter says"))
            })?,
        ));
    }
    for one in list.iter_mut().filter(|one| chosen(one)).filter_map(Value::as_object_mut) {
        match (sub, value) {
            (Some(sub), value) => {
                let sub = own_name(one, sub);
                attribute(one, &sub, verb, value);
            }
            (None, Some(Value::Object(new))) => one.extend(new.clone()),
            (None, _) => return Err(Fault::bad("invalidValue", format!("a value of `{name}` is an object"))),
        }
    }
    Ok(())
}

/// The value that a filter of equalities describes.
fn described(which: &Filter) -> Option<Map<String, Value>> {
    match which {
        Filter::Is(path, Test::Eq, value) if path.sub.is_none() => {
            Some(Map::from_iter([(path.name.clone(), value.clone())]))
        }
        Filter::And(one, other) => {
            let mut both = described(one)?;
            both.extend(described(other)?);
            Some(both)
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests;
