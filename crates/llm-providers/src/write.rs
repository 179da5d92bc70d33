//! JSON written straight into bytes: objects and arrays whose commas look after themselves.

use serde::Serialize;

/// An object being written; [`Object::end`] closes it.
#[derive(Debug)]
pub(crate) struct Object<'w> {
    out: &'w mut Vec<u8>,
    empty: bool,
}

impl<'w> Object<'w> {
    /// Opens an object.
    pub(crate) fn begin(out: &'w mut Vec<u8>) -> Self {
        out.push(b'{');
        Self { out, empty: true }
    }

    fn key(&mut self, name: &str) {
        if !std::mem::replace(&mut self.empty, false) {
            self.out.push(b',');
        }
        string(self.out, name);
        self.out.push(b':');
    }

    /// A member of any value.
    pub(crate) fn value<T: Serialize + ?Sized>(&mut self, name: &str, value: &T) {
        self.key(name);
        json(self.out, value);
    }

    /// A member whose value is a string.
    pub(crate) fn text(&mut self, name: &str, text: &str) {
        self.key(name);
        string(self.out, text);
    }

    /// A member whose value is left out when there is none.
    pub(crate) fn some<T: Serialize>(&mut self, name: &str, value: Option<&T>) {
        if let Some(value) = value {
            self.value(name, value);
        }
    }

    /// A member whose value is JSON text already.
    pub(crate) fn raw(&mut self, name: &str, value: &[u8]) {
        self.key(name);
        self.out.extend_from_slice(value);
    }

    /// A member that is an object.
    pub(crate) fn object(&mut self, name: &str, write: impl FnOnce(&mut Object<'_>)) {
        self.key(name);
        object(self.out, write);
    }

    /// A member that is an array.
    pub(crate) fn array(&mut self, name: &str, write: impl FnOnce(&mut Array<'_>)) {
        self.key(name);
        array(self.out, write);
    }

    /// Closes the object.
    pub(crate) fn end(self) {
        self.out.push(b'}');
    }
}

/// An array being written.
#[derive(Debug)]
pub(crate) struct Array<'w> {
    out: &'w mut Vec<u8>,
    empty: bool,
}

impl Array<'_> {
    fn comma(&mut self) {
        if !std::mem::replace(&mut self.empty, false) {
            self.out.push(b',');
        }
    }

    /// An element of any value.
    pub(crate) fn value<T: Serialize + ?Sized>(&mut self, value: &T) {
        self.comma();
        json(self.out, value);
    }

    /// An element that is an object.
    pub(crate) fn object(&mut self, write: impl FnOnce(&mut Object<'_>)) {
        self.comma();
        object(self.out, write);
    }
}

/// Writes an object.
pub(crate) fn object(out: &mut Vec<u8>, write: impl FnOnce(&mut Object<'_>)) {
    let mut object = Object::begin(out);
    write(&mut object);
    object.end();
}

/// Writes an array.
pub(crate) fn array(out: &mut Vec<u8>, write: impl FnOnce(&mut Array<'_>)) {
    out.push(b'[');
    write(&mut Array { out, empty: true });
    out.push(b']');
}

/// Writes a JSON string.
pub(crate) fn string(out: &mut Vec<u8>, text: &str) {
    json(out, text);
}

/// Writes any value. Maps with keys that are not text are written as `null`: our types have none.
fn json<T: Serialize + ?Sized>(out: &mut Vec<u8>, value: &T) {
    let before = out.len();
    if serde_json::to_writer(&mut *out, value).is_err() {
        out.truncate(before);
        out.extend_from_slice(b"null");
    }
}
