//! Tools, calls of tools, and their results.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{CacheMark, Extra, Part};

/// A tool the model may call.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Tool {
    /// The name; for native tools the vendor's, where it has one.
    pub name: String,
    /// What it does, for the model.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// What kind of tool it is.
    pub kind: ToolKind,
    /// Whether arguments must match the schema exactly (OpenAI and Anthropic `strict`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub strict: Option<bool>,
    /// A prompt-cache breakpoint after this tool.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cache: Option<CacheMark>,
    /// Fields without canonical meaning.
    #[serde(default, skip_serializing_if = "Extra::is_empty")]
    pub extra: Extra,
}

/// The kinds of tools.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ToolKind {
    /// A function of the caller, its arguments described by a JSON schema (`None`: no schema given).
    Function {
        /// JSON schema of the arguments.
        parameters: Option<Value>,
    },
    /// A tool of the caller that takes free text (OpenAI `custom`), with its format if one was given.
    Custom {
        /// The vendor's description of the input grammar.
        format: Option<Value>,
    },
    /// A tool the provider runs or defines (web search, computer use, …), as its dialect writes it.
    Native {
        /// The dialect that knows it.
        dialect: String,
        /// The whole tool entry.
        value: Value,
    },
}

/// Whether and which tool must be called.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ToolChoice {
    /// The model decides.
    Auto,
    /// No tool.
    None,
    /// At least one tool.
    Required,
    /// This tool.
    Tool(String),
    /// One of these tools: `required` tells whether one must be called (OpenAI `allowed_tools`).
    Among {
        /// The names.
        tools: Vec<String>,
        /// Whether one of them must be called.
        required: bool,
    },
}

/// The model asks for a tool.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ToolCall {
    /// The call's id, which its result repeats.
    pub id: String,
    /// The tool.
    pub name: String,
    /// The arguments as the model wrote them: JSON text for functions, free text for custom tools.
    /// Kept as text because models write broken JSON and numbers that a re-print would change.
    pub arguments: String,
    /// True for a tool that takes free text.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub custom: bool,
}

/// A tool's answer.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct ToolResult {
    /// The id of the call it answers.
    pub call_id: String,
    /// The tool's name where the dialect states it (Gemini).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// What the tool said.
    pub parts: Vec<Part>,
    /// Whether the tool failed; `None` where the dialect does not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub is_error: Option<bool>,
}
