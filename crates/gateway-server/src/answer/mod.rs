//! What goes back to the caller: bodies, headers, errors.

mod body;
mod error;
mod head;
mod headers;

pub(crate) use body::{CutShort, ReplyBody};
pub(crate) use error::{
    detail, empty, error_response, event_stream, json_response, json_written, openai_error, with_call_id,
};
pub(crate) use head::{Head, Heads};
pub(crate) use headers::{CallHeaders, costs, limits, names, rests, text};
