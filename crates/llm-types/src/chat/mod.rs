//! The canonical chat request and reply: rich enough to lose nothing that two dialects share.

mod content;
mod message;
mod options;
mod request;
mod response;
mod tool;

pub use content::{CacheMark, CacheTtl, Citation, Media, MediaSource, Part, PartKind};
pub use message::{Message, Role};
pub use options::{Options, Reasoning, ReasoningEffort, ResponseFormat};
pub use request::{ChatRequest, NativeFields};
pub use response::{ChatResponse, Choice, Finish};
pub use tool::{Tool, ToolCall, ToolChoice, ToolKind, ToolResult};
