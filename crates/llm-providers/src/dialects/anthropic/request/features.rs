//! Beta features a request needs, by their names in the `anthropic-beta` header.

use std::collections::BTreeSet;

use http::{HeaderMap, HeaderName, HeaderValue};
use llm_types::{ChatRequest, MediaSource, Part, PartKind};
use serde_json::{Map, Value};

/// The header that names beta features, separated by commas.
pub(in crate::dialects) const BETA_HEADER: HeaderName = HeaderName::from_static("anthropic-beta");
/// The header that names the version of the API.
pub(in super::super) const VERSION_HEADER: HeaderName = HeaderName::from_static("anthropic-version");
/// The version this dialect was written for.
pub(in super::super) const VERSION: HeaderValue = HeaderValue::from_static("2023-06-01");

/// A schema for the answer (`output_format`).
pub(super) const STRUCTURED_OUTPUTS: &str = "structured-outputs-2025-11-13";
const FILES: &str = "files-api-2025-04-14";

/// Provider-run tools that are beta, by the beginning of their type.
const TOOLS: &[(&str, &str)] = &[
    ("advisor_20260301", "advisor-tool-2026-03-01"),
    ("code_execution_20250825", "code-execution-2025-08-25"),
    ("computer_20250124", "computer-use-2025-01-24"),
    ("computer_20251124", "computer-use-2025-11-24"),
    ("memory_", "context-management-2025-06-27"),
    ("tool_search_tool_", "advanced-tool-use-2025-11-20"),
    ("web_fetch_20250910", "web-fetch-2025-09-10"),
];

/// Top-level fields that are beta.
const FIELDS: &[(&str, &str)] =
    &[("context_management", "context-management-2025-06-27"), ("mcp_servers", "mcp-client-2025-11-20")];

/// The beta features of one request.
#[derive(Debug, Default)]
pub(in crate::dialects) struct Features(BTreeSet<&'static str>);

impl Features {
    /// Notes a feature.
    pub(super) fn need(&mut self, name: &'static str) {
        self.0.insert(name);
    }

    /// Notes what the content of the messages needs.
    pub(super) fn of_messages(&mut self, request: &ChatRequest) {
        let mut parts = request.messages.iter().flat_map(|message| &message.parts);
        if parts.any(needs_files) {
            self.need(FILES);
        }
    }

    /// Notes what a provider-run tool needs.
    pub(in crate::dialects) fn of_tool(&mut self, tool: &Value) {
        let kind = tool.get("type").and_then(Value::as_str).unwrap_or_default();
        for (beginning, name) in TOOLS {
            if kind.starts_with(beginning) {
                self.need(name);
            }
        }
    }

    /// Notes what top-level fields need.
    pub(super) fn of_fields(&mut self, fields: &Map<String, Value>) {
        for (field, name) in FIELDS {
            if fields.contains_key(*field) {
                self.need(name);
            }
        }
        let compacts = |edit: &Value| edit.get("type").and_then(Value::as_str) == Some("compact_20260112");
        let edits = fields.get("context_management").and_then(|field| field.get("edits"));
        if edits.and_then(Value::as_array).is_some_and(|edits| edits.iter().any(compacts)) {
            self.need("compact-2026-01-12");
        }
        if fields.get("container").is_some_and(|container| container.get("skills").is_some()) {
            self.need("skills-2025-10-02");
        }
        if fields.get("speed").and_then(Value::as_str) == Some("fast") {
            self.need("fast-mode-2026-02-01");
        }
    }

    /// The names, for clouds that take them in the body.
    pub(in crate::dialects) fn names(&self) -> impl Iterator<Item = &'static str> + '_ {
        self.0.iter().copied()
    }

    /// The headers of the dialect.
    pub(super) fn headers(&self) -> HeaderMap {
        let mut headers = HeaderMap::with_capacity(2);
        headers.insert(VERSION_HEADER, VERSION);
        let names: Vec<&str> = self.0.iter().copied().collect();
        if let Some(value) = Some(names.join(",")).filter(|names| !names.is_empty()) {
            // Feature names are constants of plain letters.
            if let Ok(value) = HeaderValue::try_from(value) {
                headers.insert(BETA_HEADER, value);
            }
        }
        headers
    }
}

/// Adds a caller's own headers, except those that sign in or frame the message.
pub(in crate::dialects) fn add_extra(headers: &mut HeaderMap, extra: Option<&Value>) {
    const OURS: &[&str] = &[
        "api-key",
        "authorization",
        "connection",
        "content-encoding",
        "content-length",
        "content-type",
        "cookie",
        "host",
        "proxy-authorization",
        "te",
        "transfer-encoding",
        "upgrade",
        "x-api-key",
    ];
    for (name, value) in extra.and_then(Value::as_object).into_iter().flatten() {
        let name = HeaderName::try_from(name.as_str()).ok().filter(|name| !OURS.contains(&name.as_str()));
        let value = value.as_str().and_then(|value| HeaderValue::try_from(value).ok());
        let (Some(name), Some(value)) = (name, value) else { continue };
        if name == BETA_HEADER {
            headers.append(name, value);
        } else {
            headers.insert(name, value);
        }
    }
}

fn needs_files(part: &Part) -> bool {
    match &part.kind {
        PartKind::Image(media) => matches!(media.source, MediaSource::FileId(_)),
        // LiteLLM names the feature for documents by URL, too.
        PartKind::Document(media) => matches!(media.source, MediaSource::FileId(_) | MediaSource::Url(_)),
        PartKind::ToolResult(result) => result.parts.iter().any(needs_files),
        PartKind::Native { value, .. } => {
            value.get("type").and_then(Value::as_str) == Some("container_upload")
        }
        _ => false,
    }
}
