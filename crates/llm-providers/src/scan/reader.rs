//! One pass over a body whose shape is known: what is not asked for is skipped, all of it validated.

use std::borrow::Cow;

use super::cursor::Cursor;
use super::{Fault, Item, Kind, MAX_DEPTH, utf8};

/// A place in a body. Each value must be taken once, in order: with [`Reader::members`],
/// [`Reader::elements`] or [`Reader::item`].
pub(crate) struct Reader<'a> {
    cursor: Cursor<'a>,
    /// Objects and arrays around the place.
    depth: u32,
}

impl<'a> Reader<'a> {
    /// A reader at the start of a body.
    ///
    /// # Errors
    /// [`Fault`] when it is not UTF-8.
    pub(crate) fn new(body: &'a [u8]) -> Result<Self, Fault> {
        let mut cursor = Cursor::within(utf8(body)?, 0);
        cursor.space();
        Ok(Self { cursor, depth: 0 })
    }

    /// What stands here, by its first byte; what is no value at all counts as a number.
    pub(crate) fn kind(&self) -> Kind {
        match self.cursor.peek() {
            Some(b'"') => Kind::String,
            Some(b'{') => Kind::Object,
            Some(b'[') => Kind::Array,
            Some(b't' | b'f') => Kind::Bool,
            Some(b'n') => Kind::Null,
            _ => Kind::Number,
        }
    }

    /// Takes the value that stands here.
    ///
    /// # Errors
    /// [`Fault`] when it is not well-formed; likewise below.
    pub(crate) fn item(&mut self) -> Result<Item<'a>, Fault> {
        self.cursor.item(self.depth)
    }

    fn deeper(&mut self) -> Result<(), Fault> {
        if self.depth >= MAX_DEPTH {
            return Err(self.cursor.fault("at most 127 levels of nesting"));
        }
        self.depth += 1;
        Ok(())
    }

    /// Takes the object that stands here; `visit` gets each name and must take its value.
    pub(crate) fn members(
        &mut self,
        mut visit: impl FnMut(&mut Self, Cow<'a, str>) -> Result<(), Fault>,
    ) -> Result<(), Fault> {
        self.deeper()?;
        if self.cursor.open(b'{', "`{`")? {
            loop {
                let name = self.cursor.key()?;
                visit(self, name)?;
                if !self.cursor.another(b'}', "`,` or `}`")? {
                    break;
                }
            }
        }
        self.depth -= 1;
        Ok(())
    }

    /// Takes the array that stands here; `visit` must take each element.
    pub(crate) fn elements(
        &mut self,
        mut visit: impl FnMut(&mut Self) -> Result<(), Fault>,
    ) -> Result<(), Fault> {
        self.deeper()?;
        if self.cursor.open(b'[', "`[`")? {
            loop {
                visit(self)?;
                if !self.cursor.another(b']', "`,` or `]`")? {
                    break;
                }
            }
        }
        self.depth -= 1;
        Ok(())
    }

    /// Nothing but white space may follow.
    pub(crate) fn end(&mut self) -> Result<(), Fault> {
        self.cursor.end()
    }
}
