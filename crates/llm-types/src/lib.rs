//! The words every part of gateway speaks.
//!
//! Inert data and two contracts: the canonical chat request, reply and stream, usage and money,
//! the one error, secrets, and what a transport must do. There is no I/O, no clock and no vendor
//! JSON in here: vendors' shapes live in `llm-providers`.
//!
//! ```
//! use llm_types::{ChatRequest, Message};
//!
//! let request = ChatRequest::new("gpt-4o-mini", [Message::user("Say hello")]);
//! assert_eq!(request.messages[0].text(), "Say hello");
//! ```

mod chat;
mod error;
mod event;
mod extra;
mod id;
mod money;
mod operation;
mod pieces;
mod price;
mod secret;
mod seldom;
mod stream;
#[cfg(any(test, feature = "testing"))]
pub mod testing;
mod transport;
mod usage;

pub use chat::{
    CacheMark, CacheTtl, ChatRequest, ChatResponse, Choice, Citation, Finish, Media, MediaSource, Message,
    NativeFields, Options, Part, PartKind, Reasoning, ReasoningEffort, ResponseFormat, Role, Tool, ToolCall,
    ToolChoice, ToolKind, ToolResult,
};
pub use error::{Error, ErrorKind, Origin, Result, Retry};
pub use event::{CallEvent, CallOutcome, Lane};
pub use extra::Extra;
pub use id::{DeploymentId, KeyHash, ModelName, ProviderId, RequestId};
pub use money::Money;
pub use operation::{
    Embeddings, ImagesMade, Operation, OperationReply, OperationRequest, Picture, Pictures, Ranked, Ranking,
    Transcript, Units, Upload, Vector,
};
pub use pieces::{Kept, Pieces, Stored};
pub use price::{
    Adjustment, Cost, CostContext, FemtoUsd, Host, Meter, Metered, OffPeak, Price, PromptBand, Rate, Ratio,
    Reach, SearchContext, Tier, When, Window,
};
pub use secret::Secret;
pub use seldom::{Seldom, seldom};
pub use stream::{Event, Start};
pub use transport::{Body, BodyStream, BoxFuture, HttpRequest, HttpResponse, Timeouts, Transport};
pub use usage::{Billed, Usage};
