//! A caller's items into messages. Neighbours that the model said become one message, as other
//! dialects have it: its thoughts, words and calls in the order of the items.

use llm_types::{Message, Part, PartKind, Result, Role, ToolCall, ToolResult};

use super::super::namespace;
use super::super::wire::{DIALECT, reasoning_part};
use super::content;
use crate::fields::{Fields, Path};
use crate::json::Json;

/// Reads all items.
pub(super) fn decode(listed: Vec<Json<'_>>, path: &Path<'_>, out: &mut Vec<Message>) -> Result<()> {
    let mut reader = Reader { out, open: false };
    for (index, value) in listed.into_iter().enumerate() {
        reader.item(value, path.element(index))?;
    }
    Ok(())
}

struct Reader<'m> {
    out: &'m mut Vec<Message>,
    /// The last message is the model's and takes more of what it said.
    open: bool,
}

impl Reader<'_> {
    fn item(&mut self, value: Json<'_>, path: Path<'_>) -> Result<()> {
        let kind = match value.get("type").and_then(Json::as_str) {
            Some(kind) => kind.to_owned(),
            None if value.get("role").is_some() => "message".to_owned(),
            None => "item_reference".to_owned(),
        };
        match kind.as_str() {
            "message" => self.message(Fields::of(value, path)?),
            "function_call" => self.call(Fields::of(value, path)?, "arguments"),
            "custom_tool_call" => self.call(Fields::of(value, path)?, "input"),
            "function_call_output" | "custom_tool_call_output" => self.result(Fields::of(value, path)?),
            "reasoning" => self.reasoning(Fields::of(value, path)?),
            _ if value.as_object().is_some() => {
                let value = value.into_value();
                // Calls and results of provider-run tools, references, summaries: this API's own.
                let part = Part::new(PartKind::Native { dialect: DIALECT.to_owned(), value });
                self.said(vec![part]);
                Ok(())
            }
            _ => Err(path.wrong(value, "an item, which is an object")),
        }
    }

    fn said(&mut self, parts: Vec<Part>) {
        match self.out.last_mut().filter(|_| self.open) {
            Some(message) => message.parts.extend(parts),
            None => self.out.push(Message::new(Role::Assistant, parts)),
        }
        self.open = true;
    }

    fn message(&mut self, mut fields: Fields<'_, '_>) -> Result<()> {
        const ROLES: &str = "one of `user`, `assistant`, `system`, `developer`";
        let word = fields.text("role")?.ok_or_else(|| fields.path().member("role").missing(ROLES))?;
        let parts = content::decode(&mut fields, "content")?;
        let role = match word.as_str() {
            "user" => Role::User,
            "system" => Role::System,
            "developer" => Role::Developer,
            "assistant" => {
                self.said(parts);
                return Ok(());
            }
            _ => return Err(fields.path().member("role").wrong(word, ROLES)),
        };
        self.open = false;
        self.out.push(Message::new(role, parts));
        Ok(())
    }

    fn call(&mut self, mut fields: Fields<'_, '_>, arguments: &str) -> Result<()> {
        let id = fields.required_text("call_id")?;
        let namespace = fields.text("namespace")?;
        let name = namespace::joined(namespace.as_deref(), fields.required_text("name")?);
        let custom = arguments == "input";
        let arguments = fields.text(arguments)?.unwrap_or_default();
        let mut part = Part::new(PartKind::ToolCall(ToolCall { id, name, arguments, custom }));
        let signature = fields.peek("provider_specific_fields").and_then(|own| own.get("thought_signature"));
        part.signature = signature.and_then(Json::as_str).map(str::to_owned);
        self.said(vec![part]);
        Ok(())
    }

    fn result(&mut self, mut fields: Fields<'_, '_>) -> Result<()> {
        let call_id = fields.required_text("call_id")?;
        let name = fields.text("name")?;
        let parts = content::decode(&mut fields, "output")?;
        let result = ToolResult { call_id, name, parts, is_error: fields.flag("is_error")? };
        self.open = false;
        self.out.push(Message::new(Role::Tool, vec![Part::new(PartKind::ToolResult(result))]));
        Ok(())
    }

    /// Of a summary and the thoughts themselves the summary counts: it is what every vendor shows.
    fn reasoning(&mut self, mut fields: Fields<'_, '_>) -> Result<()> {
        let id = fields.text("id")?.unwrap_or_default();
        let mut text = texts(fields.array("summary")?);
        if text.is_empty() {
            text = texts(fields.array("content")?);
        }
        let encrypted = fields.text("encrypted_content")?;
        if let Some(part) = reasoning_part(&id, text, encrypted.as_deref()) {
            self.said(vec![part]);
        }
        Ok(())
    }
}

fn texts(parts: Option<Vec<Json<'_>>>) -> String {
    let parts = parts.unwrap_or_default();
    let texts: Vec<&str> = parts.iter().filter_map(|part| part.get("text")?.as_str()).collect();
    texts.join("\n\n")
}
