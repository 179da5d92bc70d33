//! What the mock model says, and what it counts.

use serde_json::{Value, json};

use super::example::example;

/// The most answers to one request, as at OpenAI.
const MAX_N: u64 = 128;

/// One answer; several choices repeat it.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) n: u64,
    pub(super) content: Content,
    prompt_tokens: usize,
    /// Whether the limit of tokens cut it.
    cut: bool,
}

/// What an answer consists of.
#[derive(Debug)]
pub(super) enum Content {
    Text(String),
    Tool { id: String, name: String, arguments: String },
}

impl Answer {
    /// Answers a request, or tells what is wrong with it.
    pub(super) fn to(body: &Value) -> Result<Self, String> {
        let messages = body["messages"].as_array().filter(|messages| !messages.is_empty());
        let messages = messages.ok_or("`messages` is missing: expected at least one message")?;
        let prompt_tokens = messages.iter().map(|message| words(&text_of(message)).count()).sum();
        let n = body["n"].as_u64().unwrap_or(1).clamp(1, MAX_N);
        let content = match required_tool(body) {
            Some(tool) => call(tool),
            None => Content::Text(say(body, messages)),
        };
        let mut answer = Self { n, content, prompt_tokens, cut: false };
        let limit = body["max_completion_tokens"].as_u64().or_else(|| body["max_tokens"].as_u64());
        answer.limit(limit.and_then(|limit| usize::try_from(limit).ok()).unwrap_or(usize::MAX));
        Ok(answer)
    }

    fn limit(&mut self, limit: usize) {
        if let Content::Text(text) = &mut self.content
            && words(text).count() > limit
        {
            *text = words(text).take(limit).collect();
            self.cut = true;
        }
    }

    pub(super) fn message(&self) -> Value {
        match &self.content {
            Content::Text(text) => json!({"role": "assistant", "content": text, "refusal": null}),
            Content::Tool { id, name, arguments } => json!({
                "role": "assistant",
                "content": null,
                "tool_calls": [
                    {"id": id, "type": "function", "function": {"name": name, "arguments": arguments}}
                ],
            }),
        }
    }

    pub(super) fn finish(&self) -> &'static str {
        match self.content {
            Content::Tool { .. } => "tool_calls",
            Content::Text(_) if self.cut => "length",
            Content::Text(_) => "stop",
        }
    }

    pub(super) fn usage(&self) -> Value {
        let each = match &self.content {
            Content::Text(text) => words(text).count(),
            Content::Tool { name, arguments, .. } => words(name).count() + words(arguments).count(),
        };
        let answer_tokens = each as u64 * self.n;
        let prompt_tokens = self.prompt_tokens as u64;
        json!({
            "prompt_tokens": prompt_tokens,
            "completion_tokens": answer_tokens,
            "total_tokens": prompt_tokens + answer_tokens,
        })
    }
}

/// The words of a text, each with the space around it, so that together they are the text again: the
/// mock model's tokens.
pub(super) fn words(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = text;
    std::iter::from_fn(move || {
        let start = rest.find(|c: char| !c.is_whitespace())?;
        let space = rest[start..].find(char::is_whitespace).map_or(rest.len(), |at| start + at);
        let next = rest[space..].find(|c: char| !c.is_whitespace()).map_or(rest.len(), |at| space + at);
        let (word, after) = rest.split_at(next);
        rest = after;
        Some(word)
    })
}

fn text_of(message: &Value) -> String {
    match &message["content"] {
        Value::String(text) => text.clone(),
        Value::Array(parts) => {
            parts.iter().filter_map(|part| part["text"].as_str()).collect::<Vec<_>>().join(" ")
        }
        _ => String::new(),
    }
}

/// The tool that must be called: the one named, or the first if any must be.
fn required_tool(body: &Value) -> Option<&Value> {
    let tools = body["tools"].as_array()?;
    match &body["tool_choice"] {
        Value::String(choice) if choice == "required" => tools.first(),
        Value::Object(choice) => {
            let name = choice.get("function")?.get("name")?;
            tools.iter().find(|tool| tool["function"]["name"] == *name)
        }
        _ => None,
    }
}

fn call(tool: &Value) -> Content {
    let name = tool["function"]["name"].as_str().unwrap_or_default().to_owned();
    let arguments = match &tool["function"]["parameters"] {
        Value::Null => json!({}),
        schema => example(schema),
    };
    Content::Tool { id: format!("call_mock_{name}"), name, arguments: arguments.to_string() }
}

fn say(body: &Value, messages: &[Value]) -> String {
    let said = messages.iter().rfind(|message| message["role"] == "user").map(text_of).unwrap_or_default();
    if body["model"] == "echo" {
        return said;
    }
    match body["response_format"]["type"].as_str() {
        Some("json_schema") => return example(&body["response_format"]["json_schema"]["schema"]).to_string(),
        Some("json_object") => return json!({"model": "mock", "you_said": said}).to_string(),
        _ => {}
    }
    if let Some(result) = messages.last().filter(|message| message["role"] == "tool") {
        return format!("The tool answered: {}", text_of(result));
    }
    let heard = match said.trim() {
        "" => "You said nothing yet.".to_owned(),
        said => format!("You said: {said}"),
    };
    format!(
        "Hello! I am the mock model that comes with gateway: I answer inside this process and need no key. {heard}\n\n\
         To talk to a real model, set a provider's key, such as OPENAI_API_KEY, and ask for one of its models, \
         such as openai/gpt-4o-mini."
    )
}
