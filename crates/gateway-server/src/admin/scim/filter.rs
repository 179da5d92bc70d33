//! Filters (RFC 7644 §3.4.2.2): read, and asked of a resource. Pure.

use std::cmp::Ordering;

use serde_json::{Map, Value};

use super::fault::Fault;
use super::path::{Path, get};

mod words;

use self::words::{Word, words};

/// The longest filter that is read, bytes.
const LONGEST: usize = 4_096;
/// How deep filters may be nested.
const DEEPEST: usize = 16;
/// Attributes whose case counts.
const EXACT: [&str; 2] = ["id", "externalId"];

/// What resources are asked.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Filter {
    And(Box<Self>, Box<Self>),
    Or(Box<Self>, Box<Self>),
    Not(Box<Self>),
    Is(Path, Test, Value),
    Present(Path),
    /// One of the values of an attribute is so.
    Any(Path, Box<Self>),
}

/// How a value is compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Test {
    Eq,
    Ne,
    Co,
    Sw,
    Ew,
    Gt,
    Ge,
    Lt,
    Le,
}

impl Filter {
    /// Reads a filter.
    ///
    /// # Errors
    /// `invalidFilter` with what is wrong.
    pub(super) fn read(text: &str) -> Result<Self, Fault> {
        if text.len() > LONGEST {
            return Err(wrong("it is longer than 4,096 bytes"));
        }
        let mut reader = Reader { words: words(text)?, at: 0 };
        let filter = reader.either(0)?;
        match reader.next() {
            None => Ok(filter),
            Some(word) => Err(wrong(&format!("`{word}` stands behind its end"))),
        }
    }

    /// Whether a resource, or a value of an attribute, is so.
    pub(super) fn holds(&self, of: &Map<String, Value>) -> bool {
        match self {
            Self::And(one, other) => one.holds(of) && other.holds(of),
            Self::Or(one, other) => one.holds(of) || other.holds(of),
            Self::Not(inner) => !inner.holds(of),
            Self::Present(path) => path.values(of).iter().any(|value| is_something(value)),
            Self::Any(path, inner) => {
                path.values(of).iter().any(|value| value.as_object().is_some_and(|value| inner.holds(value)))
            }
            Self::Is(path, test, wanted) => {
                let exact =
                    path.sub.is_none() && EXACT.iter().any(|name| path.name.eq_ignore_ascii_case(name));
                let found = path.values(of);
                let any = |test| found.iter().any(|value| compare(plain(value), test, wanted, exact));
                match test {
                    Test::Ne => !any(Test::Eq),
                    test => any(*test) || (found.is_empty() && *test == Test::Eq && wanted.is_null()),
                }
            }
        }
    }

    /// The value that an attribute must have, where the filter says just that.
    pub(super) fn equals(&self, name: &str) -> Option<&str> {
        match self {
            Self::Is(path, Test::Eq, Value::String(text)) if path.is(name) => Some(text),
            Self::Any(path, inner) => {
                let rest = name.split_once('.').filter(|(first, _)| path.is(first))?.1;
                inner.equals(rest)
            }
            _ => None,
        }
    }
}

/// What a value of several parts is compared by.
fn plain(value: &Value) -> &Value {
    value.as_object().and_then(|object| get(object, "value")).unwrap_or(value)
}

fn is_something(value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::String(text) => !text.is_empty(),
        Value::Array(list) => !list.is_empty(),
        Value::Object(map) => !map.is_empty(),
        _ => true,
    }
}

fn compare(found: &Value, test: Test, wanted: &Value, exact: bool) -> bool {
    if let (Value::String(found), Value::String(wanted)) = (found, wanted) {
        let fold = |text: &str| if exact { text.to_owned() } else { text.to_lowercase() };
        let (found, wanted) = (fold(found), fold(wanted));
        return match test {
            Test::Co => found.contains(&wanted),
            Test::Sw => found.starts_with(&wanted),
            Test::Ew => found.ends_with(&wanted),
            test => ordered(found.cmp(&wanted), test),
        };
    }
    // Azure asks for `active eq "True"`.
    if let (Value::Bool(found), Value::String(wanted)) = (found, wanted) {
        return test == Test::Eq && wanted.eq_ignore_ascii_case(if *found { "true" } else { "false" });
    }
    match (found.as_f64(), wanted.as_f64()) {
        (Some(found), Some(wanted)) => found.partial_cmp(&wanted).is_some_and(|order| ordered(order, test)),
        _ => test == Test::Eq && found == wanted,
    }
}

fn ordered(order: Ordering, test: Test) -> bool {
    match test {
        Test::Eq => order.is_eq(),
        Test::Gt => order.is_gt(),
        Test::Ge => order.is_ge(),
        Test::Lt => order.is_lt(),
        Test::Le => order.is_le(),
        Test::Ne | Test::Co | Test::Sw | Test::Ew => false,
    }
}

/// A filter on its way from words to what it means. `not` binds before `and`, and that before `or`.
struct Reader {
    words: Vec<Word>,
    at: usize,
}

impl Reader {
    fn next(&mut self) -> Option<Word> {
        let word = self.words.get(self.at).cloned();
        self.at += 1;
        word
    }

    /// Whether the next word is this one; then it is read.
    fn takes(&mut self, expected: &str) -> bool {
        let is = self.words.get(self.at).is_some_and(|word| word.is(expected));
        self.at += usize::from(is);
        is
    }

    fn needs(&mut self, expected: &str) -> Result<(), Fault> {
        if self.takes(expected) { Ok(()) } else { Err(wrong(&format!("it lacks a `{expected}`"))) }
    }

    fn either(&mut self, depth: usize) -> Result<Filter, Fault> {
        if depth > DEEPEST {
            return Err(wrong("it is nested too deep"));
        }
        let mut filter = self.both(depth)?;
        while self.takes("or") {
            filter = Filter::Or(Box::new(filter), Box::new(self.both(depth)?));
        }
        Ok(filter)
    }

    fn both(&mut self, depth: usize) -> Result<Filter, Fault> {
        let mut filter = self.one(depth)?;
        while self.takes("and") {
            filter = Filter::And(Box::new(filter), Box::new(self.one(depth)?));
        }
        Ok(filter)
    }

    fn one(&mut self, depth: usize) -> Result<Filter, Fault> {
        let not = self.takes("not");
        if self.takes("(") {
            let inner = self.either(depth + 1)?;
            self.needs(")")?;
            return Ok(if not { Filter::Not(Box::new(inner)) } else { inner });
        }
        if not {
            return Err(wrong("`not` needs what it denies in parentheses"));
        }
        let Some(Word::Bare(name)) = self.next() else { return Err(wrong("it lacks an attribute")) };
        let path = Path::read(&name).ok_or_else(|| wrong(&format!("`{name}` is no attribute")))?;
        if self.takes("[") {
            let inner = self.either(depth + 1)?;
            self.needs("]")?;
            return Ok(Filter::Any(path, Box::new(inner)));
        }
        self.test(path)
    }

    fn test(&mut self, path: Path) -> Result<Filter, Fault> {
        let Some(Word::Bare(operator)) = self.next() else {
            return Err(wrong(&format!("`{}` is not compared with anything", path.name)));
        };
        let test = match operator.to_ascii_lowercase().as_str() {
            "pr" => return Ok(Filter::Present(path)),
            "eq" => Test::Eq,
            "ne" => Test::Ne,
            "co" => Test::Co,
            "sw" => Test::Sw,
            "ew" => Test::Ew,
            "gt" => Test::Gt,
            "ge" => Test::Ge,
            "lt" => Test::Lt,
            "le" => Test::Le,
            _ => return Err(wrong(&format!("`{operator}` is no comparison"))),
        };
        let value = match self.next() {
            Some(Word::Text(text)) => Value::String(text),
            Some(Word::Bare(word)) => serde_json::from_str(&word.to_ascii_lowercase())
                .map_err(|_| wrong(&format!("`{word}` is no value; texts stand in quotes")))?,
            _ => return Err(wrong(&format!("`{}` is compared with nothing", path.name))),
        };
        Ok(Filter::Is(path, test, value))
    }
}

pub(super) fn wrong(why: &str) -> Fault {
    let why: String = why.chars().take(200).collect();
    Fault::bad("invalidFilter", format!("the filter cannot be read: {why}"))
}

#[cfg(test)]
mod tests;
