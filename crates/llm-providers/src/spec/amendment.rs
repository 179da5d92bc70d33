//! What a vendor wants said otherwise than its dialect says it.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use crate::cloud::Words;

/// One change of a finished request body in OpenAI's Chat Completions. Each does one thing, is named for it
/// and knows no vendor; a record lists those its vendor needs, in the order they are made.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Amendment {
    /// A member of the body has another name: the first becomes the second.
    Rename(Cow<'static, str>, Cow<'static, str>),
    /// A member of the body has another name where it is text.
    RenameText(Cow<'static, str>, Cow<'static, str>),
    /// `response_format` of type `text` is not said: it is what the vendor does anyway.
    NoTextFormat,
    /// `response_format` is said where it holds a schema: the vendor's models know no JSON without one. Callers
    /// are told.
    SchemasOnly,
    /// `tool_choice` cannot force a call: what would is refused.
    NoForcedCalls,
    /// A JSON schema for the answer is the schema of a tool that must be called: the model takes none. What it
    /// is called with is the answer. Not beside tools of the caller's, which could not be called then.
    SchemaByTool,
    /// Members that messages are sent without, those of tools' results excepted.
    MessagesWithout(Words),
    /// Only users' messages say a name; tools' results keep theirs.
    NamesOfUsers,
    /// Messages of the first role are said in the second.
    Role(Cow<'static, str>, Cow<'static, str>),
    /// System messages that follow each other are one, a blank line between them.
    MergeSystems,
    /// An assistant message calls one tool: several calls are as many messages, each before its result.
    OneCallEach,
    /// Assistant messages that neither say nor call anything are left out: the vendor refuses them.
    NoEmptyAnswers,
    /// Sounds are said as their bytes in base64 alone, without a format.
    SoundsAsText,
    /// A content of text parts only is one text.
    JoinTexts,
    /// Parts of these types are refused: the vendor would fail with an error that does not say why.
    NoParts(Words),
    /// `tool_choice: required` is this word.
    Required(Cow<'static, str>),
    /// `tool_choice: required` is not known: the user asks for it in these words.
    RequiredByAsking(Cow<'static, str>),
    /// Functions are sent without `strict`.
    NoStrict,
    /// Functions' parameters are sent without `additionalProperties`.
    OpenSchemas,
    /// Functions that take nothing say so: `parameters` is always there.
    ParametersAlways,
    /// Functions that say nothing of themselves say so: `description` is always there.
    DescriptionAlways,
    /// A message's `cache_control` mark stands at its text.
    MarksInParts,
    /// Tools that are no functions are left out: the vendor has no others.
    FunctionsOnly,
    /// `temperature` is at most this.
    TemperatureAtMost(f64),
    /// `reasoning_effort` is said as `thinking`, which is on or off.
    EffortAsThinking,
    /// `thinking` is on or off: it is said without a budget, and not at all where the model is to decide.
    ThinkingSwitch,
    /// `thinking` of type `adaptive` is not said: the model decides anyway, and the vendor knows no such word.
    /// Callers are told.
    AdaptiveUnsaid,
    /// `reasoning_effort` is said as `thinking` with a budget; an answer's cap leaves room for it.
    EffortAsBudget,
    /// `thinking` is said as `reasoning_effort`: its budget as `minimal`, `low`, `medium` or `high`.
    ThinkingAsEffort,
    /// `reasoning_effort` is `none` or `high`.
    EffortHighOrNone,
    /// While the model thinks, assistant messages that say no `reasoning_content` say a space.
    ReasoningInAnswers,
    /// Assistant messages that call tools and say no `reasoning_content` say a space.
    ReasoningInCalls,
}
