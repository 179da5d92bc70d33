//! How a conversation becomes one prompt: the marks that each family of models was trained with.
//!
//! A family's marks are its own vendor's facts (model cards on Hugging Face, Amazon's pages on inference
//! parameters). Where LiteLLM writes other marks than the vendor, ours are LiteLLM's: prompts of its users
//! stay what they are.

use std::borrow::Cow;

/// Who says a turn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Speaker {
    /// The operator.
    System,
    /// The person.
    User,
    /// The model.
    Assistant,
    /// A tool.
    Tool,
}

/// One turn of a conversation, in words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Turn<'t> {
    /// Who says it.
    pub speaker: Speaker,
    /// What is said.
    pub text: Cow<'t, str>,
}

/// What stands before and after a turn.
type Marks = (&'static str, &'static str);

/// The marks of a family.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Template {
    start: &'static str,
    system: Marks,
    user: Marks,
    assistant: Marks,
    tool: Marks,
    /// What the answer begins with.
    answer: &'static str,
    /// What stands between turns.
    joint: &'static str,
    /// What stands between the texts of one turn.
    parts: &'static str,
    /// What stands before a user's turn behind a system prompt, where that is inside the same marks.
    user_after_system: Option<&'static str>,
    /// System prompts stand at the start, wherever they were said.
    system_first: bool,
    /// A last turn of the model's is the beginning of its answer.
    continues: bool,
    /// The first turn must be a user's.
    user_first: bool,
    /// Behind what a tool said the model goes on by itself, without a mark.
    goes_on_after_tool: bool,
    /// Blanks around a turn's text are left out.
    trims: bool,
    /// What stands before and after a call of a tool in JSON; `None` where the family has no calls.
    call: Option<Marks>,
}

/// No marks at all.
const BARE: Template = Template {
    start: "",
    system: ("", ""),
    user: ("", ""),
    assistant: ("", ""),
    tool: ("", ""),
    answer: "",
    joint: "",
    parts: "\n",
    user_after_system: None,
    system_first: false,
    continues: true,
    user_first: false,
    goes_on_after_tool: false,
    trims: false,
    call: None,
};

impl Template {
    /// Turns one after the other.
    pub const JOINED: Self = BARE;
    /// Turns with a blank between them: for models whose family nobody tells.
    pub const SPACED: Self = Self { joint: " ", ..BARE };
    /// Anthropic's models before they took messages. <https://docs.anthropic.com/en/api/prompt-validation>
    pub const HUMAN: Self = Self {
        user: ("\n\nHuman: ", ""),
        assistant: ("\n\nAssistant: ", ""),
        tool: ("\n\nHuman: ", ""),
        answer: "\n\nAssistant:",
        trims: true,
        ..BARE
    };
    /// Alpaca's marks, which `MythoMax` has too. <https://github.com/tatsu-lab/stanford_alpaca#data-release>
    pub const ALPACA: Self = Self {
        system: ("### Instruction:\n", "\n\n"),
        user: ("### Instruction:\n", "\n\n"),
        assistant: ("### Response:\n", "\n\n"),
        tool: ("### Instruction:\n", "\n\n"),
        answer: "### Response:\n",
        continues: false,
        ..BARE
    };
    /// Turns as paragraphs.
    pub const PARAGRAPHS: Self = Self { joint: "\n\n", ..BARE };
    /// Amazon's Titan.
    /// <https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters-titan-text.html>
    pub const TITAN: Self = Self {
        system: ("\n\nUser: <admin>", "</admin>"),
        user: ("\n\nUser: ", ""),
        assistant: ("\n\nBot: ", ""),
        tool: ("\n\nUser: ", ""),
        answer: "\n\nBot: ",
        user_first: true,
        ..BARE
    };
    /// IBM's Granite. <https://www.ibm.com/docs/en/watsonx/saas?topic=solutions-sample-prompts>
    pub const GRANITE: Self = Self {
        system: ("<|system|>\n", "\n"),
        user: ("<|user|>\n", "\n"),
        assistant: ("<|assistant|>\n", "\n"),
        tool: ("<|user|>\n", "\n"),
        answer: "<|assistant|>\n",
        ..BARE
    };
    /// Meta's Llama 2. <https://huggingface.co/blog/llama2#how-to-prompt-llama-2>
    pub const LLAMA_2: Self = Self {
        system: ("<s>[INST] <<SYS>>\n", "\n<</SYS>>\n\n"),
        user: ("<s>[INST] ", " [/INST]"),
        assistant: (" ", " </s>"),
        tool: ("<s>[INST] ", " [/INST]"),
        user_after_system: Some(""),
        continues: false,
        ..BARE
    };
    /// Meta's Llama 3. <https://www.llama.com/docs/model-cards-and-prompt-formats/meta-llama-3/>
    pub const LLAMA_3: Self = Self {
        start: "<|begin_of_text|>",
        system: ("<|start_header_id|>system<|end_header_id|>\n\n", "<|eot_id|>"),
        user: ("<|start_header_id|>user<|end_header_id|>\n\n", "<|eot_id|>"),
        assistant: ("<|start_header_id|>assistant<|end_header_id|>\n\n", "<|eot_id|>"),
        tool: ("<|start_header_id|>tool<|end_header_id|>\n\n", "<|eot_id|>"),
        answer: "<|start_header_id|>assistant<|end_header_id|>\n\n",
        continues: false,
        trims: true,
        ..BARE
    };
    /// Meta's Llama 4. <https://www.llama.com/docs/model-cards-and-prompt-formats/llama4/>
    pub const LLAMA_4: Self = Self {
        start: "<|begin_of_text|>",
        system: ("<|header_start|>system<|header_end|>\n\n", "<|eot|>"),
        user: ("<|header_start|>user<|header_end|>\n\n", "<|eot|>"),
        assistant: ("<|header_start|>assistant<|header_end|>\n\n", "<|eot|>"),
        tool: ("<|header_start|>tool<|header_end|>\n\n", "<|eot|>"),
        answer: "<|header_start|>assistant<|header_end|>\n\n",
        continues: false,
        trims: true,
        ..BARE
    };
    /// Mistral's instruct models.
    /// <https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters-mistral-text-completion.html>
    pub const MISTRAL: Self = Self {
        start: "<s>",
        system: ("[INST] \n", " [/INST]\n"),
        user: ("[INST] ", " [/INST]\n"),
        assistant: (" ", "</s> "),
        tool: ("[INST] ", " [/INST]\n"),
        continues: false,
        ..BARE
    };
    /// DeepSeek's R1, which begins by thinking. <https://huggingface.co/deepseek-ai/DeepSeek-R1>
    pub const DEEPSEEK_R1: Self = Self {
        start: "<｜begin▁of▁sentence｜>",
        user: ("<｜User｜>", ""),
        assistant: ("<｜Assistant｜>", "<｜end▁of▁sentence｜>"),
        tool: (
            "<｜tool▁outputs▁begin｜><｜tool▁output▁begin｜>",
            "<｜tool▁output▁end｜><｜tool▁outputs▁end｜>",
        ),
        answer: "<｜Assistant｜><think>\n",
        system_first: true,
        goes_on_after_tool: true,
        continues: false,
        ..BARE
    };
    /// ChatML, as Qwen has it. <https://qwen.readthedocs.io/en/latest/getting_started/concepts.html>
    pub const CHATML: Self = Self {
        system: ("<|im_start|>system\n", "<|im_end|>\n"),
        user: ("<|im_start|>user\n", "<|im_end|>\n"),
        assistant: ("<|im_start|>assistant\n", "<|im_end|>\n"),
        tool: ("<|im_start|>user\n<tool_response>\n", "\n</tool_response><|im_end|>\n"),
        answer: "<|im_start|>assistant\n",
        continues: false,
        call: Some(("<tool_call>\n", "\n</tool_call>")),
        ..BARE
    };

    /// The marks of a model on a host of many families, by its name; turns with a blank between them where the
    /// name tells none.
    #[must_use]
    pub fn of_name(name: &str) -> Self {
        let name = name.to_ascii_lowercase();
        let has = |word: &str| name.contains(word);
        let instructed = has("instruct") || has("chat");
        if (has("llama-2") || has("codellama")) && instructed {
            Self::LLAMA_2
        } else if (has("llama-3") || has("llama-4")) && has("instruct") {
            Self::of_llama(&name)
        } else if (has("mistral-") || has("mixtral-")) && has("instruct") {
            Self::MISTRAL
        } else if (has("qwen") || has("mpt")) && instructed {
            Self::CHATML
        } else if has("mythomax") || has("alpaca") {
            Self::ALPACA
        } else {
            Self { parts: "", ..Self::SPACED }
        }
    }

    /// What stands between the texts of one turn.
    pub(super) const fn between_parts(&self) -> &'static str {
        self.parts
    }

    /// Whether a name tells the marks of its model.
    #[must_use]
    pub fn is_told_by(name: &str) -> bool {
        let last = name.rsplit('/').next().unwrap_or(name);
        Self::of_name(name) != Self { parts: "", ..Self::SPACED } || Self::of_family(last) != Self::PARAGRAPHS
    }

    /// The template of a model on a platform of many makers, by its maker's name for it.
    #[must_use]
    pub fn of_family(model: &str) -> Self {
        let name = model.rsplit('/').next().unwrap_or(model);
        match name {
            _ if name.starts_with("granite") => Self::GRANITE,
            _ if name.starts_with("llama") => Self::of_llama(name),
            _ if name.starts_with("mistral-") || name.starts_with("mixtral-") => Self::MISTRAL,
            _ => Self::PARAGRAPHS,
        }
    }

    /// The marks of a Llama by its name.
    #[must_use]
    pub fn of_llama(model: &str) -> Self {
        let model = model.to_ascii_lowercase();
        if model.contains("llama4") || model.contains("llama-4") {
            Self::LLAMA_4
        } else if model.contains("llama3") || model.contains("llama-3") {
            Self::LLAMA_3
        } else {
            Self::LLAMA_2
        }
    }

    /// What stands before and after a call of a tool, where the family has calls.
    #[must_use]
    pub const fn call(&self) -> Option<(&'static str, &'static str)> {
        self.call
    }

    /// The prompt.
    #[must_use]
    pub fn prompt(&self, turns: &[Turn<'_>]) -> String {
        let mut order: Vec<&Turn<'_>> = turns.iter().collect();
        if self.system_first {
            order.sort_by_key(|turn| turn.speaker != Speaker::System);
        }
        let mut prompt = self.start.to_owned();
        let first = order.first().map(|turn| turn.speaker);
        if self.user_first && !matches!(first, Some(Speaker::User | Speaker::System)) {
            prompt.push_str(self.user.0);
        }
        let mut before = None;
        for turn in &order {
            if before.is_some() {
                prompt.push_str(self.joint);
            }
            self.write(turn, before, &mut prompt);
            before = Some(turn.speaker);
        }
        let goes_on = match before {
            Some(Speaker::Assistant) => self.continues,
            Some(Speaker::Tool) => self.goes_on_after_tool,
            _ => false,
        };
        if !goes_on {
            prompt.push_str(self.answer);
        }
        prompt
    }

    fn write(&self, turn: &Turn<'_>, before: Option<Speaker>, prompt: &mut String) {
        let (mut begin, end) = match turn.speaker {
            Speaker::System => self.system,
            Speaker::User => self.user,
            Speaker::Assistant => self.assistant,
            Speaker::Tool => self.tool,
        };
        if let (Speaker::User, Some(Speaker::System), Some(other)) =
            (turn.speaker, before, self.user_after_system)
        {
            begin = other;
        }
        prompt.push_str(begin);
        prompt.push_str(if self.trims { turn.text.trim() } else { &turn.text });
        prompt.push_str(end);
    }
}

#[cfg(test)]
mod tests;
