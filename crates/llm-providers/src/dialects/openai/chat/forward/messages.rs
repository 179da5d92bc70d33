//! A caller's messages patched in place: roles, marks, and files among the results of tools.

use std::sync::LazyLock;

use memchr::memmem::Finder;
use serde_json::{Value, json};

use super::super::request::SHOWN_BY_TOOLS;
use super::{Word, mentions};
use crate::Quirks;
use crate::dialect::Glance;
use crate::scan::{Item, Kind, Member, Patch};

/// Types of parts that the dialect takes from users only.
const FILES: [&str; 3] = ["file", "image_url", "input_audio"];

static FILE: Word = LazyLock::new(|| Finder::new(b"\"file\""));
static INPUT_AUDIO: Word = LazyLock::new(|| Finder::new(b"\"input_audio\""));
static IMAGE_URL: Word = LazyLock::new(|| Finder::new(b"\"image_url\""));
static TOOL_CALL_ID: Word = LazyLock::new(|| Finder::new(b"\"tool_call_id\""));

/// Whether pictures may have to be written otherwise, or tools gave files back, told without reading.
pub(super) fn may_need_change(body: &[u8], glance: &Glance) -> bool {
    let holds_file = || mentions(body, &FILE) || mentions(body, &INPUT_AUDIO);
    (glance.may_hold("image_url") && mentions(body, &IMAGE_URL))
        || (glance.may_hold("tool_call_id") && mentions(body, &TOOL_CALL_ID) && holds_file())
}

/// Patches the `messages` array.
pub(super) fn patch<'a>(messages: Item<'a>, quirks: &Quirks, system_as_user: bool, patch: &mut Patch<'a>) {
    let mut patcher = Patcher { quirks, system_as_user, patch, shown: Vec::new(), last_tool: 0 };
    messages.elements(|message| patcher.message(message));
    patcher.show();
}

struct Patcher<'p, 'a> {
    quirks: &'p Quirks,
    system_as_user: bool,
    patch: &'p mut Patch<'a>,
    /// Files of tool results that wait for the last of the results: they all must follow their calls.
    shown: Vec<Value>,
    /// Where the last tool message ends.
    last_tool: usize,
}

impl<'a> Patcher<'_, 'a> {
    fn message(&mut self, message: Item<'a>) {
        let role = message.member("role").and_then(|role| role.as_str()).unwrap_or_default();
        let from_tool = role == "tool";
        if from_tool {
            self.last_tool = message.span().end;
        } else {
            self.show();
        }
        message.members(|member| match &*member.name {
            "role" => self.role(&member),
            "cache_control" if !self.quirks.keeps_cache_control => self.patch.remove(member.span()),
            "reasoning_content" if self.quirks.no_reasoning_content => self.patch.remove(member.span()),
            "content" if from_tool && !self.quirks.files_as_given && self.take_files(member.value) => {}
            "content" => member.value.elements(|part| self.part(part)),
            _ => {}
        });
    }

    fn role(&mut self, member: &Member<'a>) {
        let role = match member.value.as_str().as_deref() {
            Some("developer") if self.quirks.developer_as_system => b"\"system\"".as_slice(),
            Some("system") if self.system_as_user => b"\"user\"".as_slice(),
            _ => return,
        };
        self.patch.replace(member.value.span(), role);
    }

    /// A mark removed; the link of a picture given as bare text made the object that vendors want.
    fn part(&mut self, part: Item<'a>) {
        if !self.quirks.keeps_cache_control {
            unmark(part, self.patch);
        }
        if let Some(link) = part.member("image_url").filter(|link| link.kind == Kind::String) {
            self.patch.replace(link.span(), format!("{{\"url\":{}}}", link.text).into_bytes());
        }
    }

    /// Takes the files out of a tool's result; false when there are none.
    fn take_files(&mut self, content: Item<'a>) -> bool {
        let is_file = |part: Item<'a>| {
            part.member("type").and_then(|kind| kind.as_str()).is_some_and(|kind| FILES.contains(&&*kind))
        };
        let (mut files, mut said) = (Vec::new(), Vec::new());
        content.elements(|part| if is_file(part) { files.push(part) } else { said.push(part) });
        if files.is_empty() {
            return false;
        }
        let said: Vec<Value> = said.into_iter().map(|part| self.owned(part)).collect();
        let said = if said.is_empty() { json!("") } else { Value::Array(said) };
        self.patch.replace(content.span(), said.to_string().into_bytes());
        let files: Vec<Value> = files.into_iter().map(|part| self.owned(part)).collect();
        self.shown.extend(files);
        true
    }

    /// A part as a value, changed as [`Patcher::part`] does.
    fn owned(&self, part: Item<'a>) -> Value {
        let mut value: Value = serde_json::from_str(part.text).unwrap_or_default();
        let Value::Object(members) = &mut value else { return value };
        if !self.quirks.keeps_cache_control {
            members.shift_remove("cache_control");
        }
        if let Some(link) = members.get_mut("image_url").filter(|link| link.is_string()) {
            *link = json!({"url": link.take()});
        }
        value
    }

    /// Shows the files that tools gave back, behind the last result.
    fn show(&mut self) {
        if self.shown.is_empty() {
            return;
        }
        let mut content = vec![json!({"type": "text", "text": SHOWN_BY_TOOLS})];
        content.append(&mut self.shown);
        let message = json!({"role": "user", "content": content});
        self.patch.replace(self.last_tool..self.last_tool, format!(",{message}").into_bytes());
    }
}

/// Removes `cache_control` from a part or a tool, and from the function inside a tool.
pub(super) fn unmark<'a>(object: Item<'a>, patch: &mut Patch<'a>) {
    object.members(|member| match &*member.name {
        "cache_control" => patch.remove(member.span()),
        "function" | "custom" if member.value.kind == Kind::Object => unmark(member.value, patch),
        _ => {}
    });
}
