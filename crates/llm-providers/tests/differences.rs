//! Where what we send differs from what LiteLLM was recorded to send, and no other test holds the reason: vendors
//! whose requests are compared through the whole gateway only. Parameters of compatible vendors are in
//! `compatible_vectors.rs`, dialects of their own in `tests/vectors.rs` of each dialect.

#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stderr, reason = "a test")]

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Map, Value};

/// Rows of endpoints beside chat: kind, row, and why ours is better, or as good.
const ENDPOINTS: &[(&str, &str, &str)] = &[
    (
        "embeddings",
        "azure",
        "LiteLLM's client asks for base64 to read it faster; the caller gets numbers either way",
    ),
    ("embeddings", "openai_like__opts", "LiteLLM refuses what the servers behind that name take"),
    ("embeddings", "vllm__opts", "LiteLLM refuses what the server takes"),
    ("embeddings", "watsonx", "LiteLLM sends `parameters.token: null`, which is no parameter of the API"),
    (
        "image_edit",
        "fal",
        "`flux-pro/kontext` changes pictures by itself and takes one: there is no `/edit` behind it",
    ),
    (
        "image_generation",
        "azure_ai_flux2",
        "LiteLLM names another `api-version` (a date) than the `preview` we ask at; not settled by the vendor's documents",
    ),
    (
        "messages",
        "bedrock_mantle",
        "LiteLLM names `anthropic_version` in the bodies of its chats there and not in those of Messages; ours always does",
    ),
    (
        "messages",
        "openai_bridge",
        "LiteLLM calls the Responses API, which has no `stop_sequences` and no `top_k`",
    ),
    (
        "audio_transcription",
        "deepgram",
        "LiteLLM leaves the caller's `language` out in silence; the API takes it as a parameter of the URL",
    ),
    (
        "image_edit",
        "vertex_gemini",
        "LiteLLM writes `contents` as one object with the role `USER`; the API has a list, and `user`",
    ),
    ("image_edit", "vertex_imagen", "LiteLLM sends `parameters.seed: null` where the caller names no seed"),
    (
        "rerank",
        "bedrock_short",
        "LiteLLM sends the bare name of a model where the API takes an ARN and nothing else",
    ),
    (
        "audio_speech",
        "xai",
        "LiteLLM asks at OpenAI's path and in its words; the vendor documents `/v1/tts`, with `text` and `voice_id`",
    ),
];

/// Vector keys, cases (`*` for all), and why ours is better, or as good.
type Difference = (&'static [&'static str], &'static [&'static str], &'static str);

const LOST_PARTS: &str = "LiteLLM sends texts alone and leaves pictures, sounds and files out in silence; ours arrive, \
                          or the vendor refuses them";
const STRING_URL: &str = "LiteLLM sends the URL of a picture as a bare text, which the API does not take";
const UNFETCHED: &str =
    "LiteLLM's document was fetched when it was recorded; where nothing can be fetched that is said";
const NOTE: &str = "the words that mark an instruction in the middle are ours";
const ALL_STOPS: &str = "LiteLLM cuts stop texts to four in silence; the API takes more";

const DIFFERENCES: &[Difference] = &[
    (
        &["anthropic_text"],
        &["*"],
        "LiteLLM prints a Python list into the prompt, which the API refuses; ours is the prompt the API documents",
    ),
    (
        &["bedrock_invoke_ai21"],
        &["*"],
        "LiteLLM sends `prompt` and `maxTokens` to Jamba, which takes messages; ours goes by Converse",
    ),
    (
        &["bedrock_invoke_cohere"],
        &["*"],
        "LiteLLM sends Command's `prompt` to Command R, which takes messages; ours goes by Converse",
    ),
    (
        &["watsonx_text"],
        &["*"],
        "LiteLLM was recorded where it could not fetch the model's template and sends `input: null`; ours is the prompt",
    ),
    (
        &["cohere_v1"],
        &["*"],
        "LiteLLM names no model and loses what was said before, instructions and the form of an answer",
    ),
    (
        &[
            "a2a",
            "azure_ai",
            "azure_ai_serverless",
            "deepseek",
            "deepseek_reasoner",
            "docker_model_runner",
            "heroku",
            "huggingface_endpoint",
            "langgraph",
            "publicai",
            "sambanova",
        ],
        &["file_pdf_base64", "image_base64", "input_audio", "tool_result_parts", "two_images"],
        LOST_PARTS,
    ),
    (
        &["deepseek_v4", "vertex_ai_mistral"],
        &["file_pdf_base64", "image_base64", "input_audio", "tool_result_parts", "two_images"],
        LOST_PARTS,
    ),
    (&["mistral_magistral"], &["input_audio"], LOST_PARTS),
    (
        &["mistral_magistral"],
        &["reasoning_effort_tools", "thinking_adaptive", "thinking_disabled", "thinking_history"],
        "LiteLLM says effort in a system prompt of its own; the API has the parameter",
    ),
    (
        &[
            "abliteration",
            "aihubmix",
            "aiml",
            "azure_ai",
            "azure_ai_serverless",
            "crusoe",
            "empiriolabs",
            "github_copilot",
            "gmi",
            "huggingface_endpoint",
            "litellm_proxy",
            "llamagate",
            "ragflow",
            "sarvam",
            "snowflake",
            "veniceai",
            "xinference",
        ],
        &["image_url_string"],
        STRING_URL,
    ),
    (
        &[
            "azure",
            "azure_gpt5",
            "azure_v1",
            "bedrock_invoke_claude",
            "huggingface_endpoint",
            "ollama_chat",
            "vertex_ai_anthropic",
        ],
        &["file_pdf_url", "image_url_string"],
        UNFETCHED,
    ),
    (
        &["azure_text", "text_completion_inception", "text_completion_openai"],
        &["image_base64", "two_images", "tool_result_no_tools"],
        "what a prompt cannot hold is refused by name, not left out in silence",
    ),
    (
        &["azure_text", "text_completion_openai", "nlp_cloud", "triton", "a2a", "snowflake_claude"],
        &["max_completion_tokens", "max_tokens_both"],
        "both names of the cap mean the same, and the newer one counts",
    ),
    (
        &["azure_text", "text_completion_openai"],
        &["tools_parallel_false", "reasoning_effort_tools", "thinking_history"],
        "what may be dropped is dropped: LiteLLM refuses all the same",
    ),
    (
        &["text_completion_openai", "text_completion_inception"],
        &["*"],
        "LiteLLM sends each message as a prompt of its own, so that each is answered by itself; ours is one prompt",
    ),
    (
        &["text_completion_codestral"],
        &["stream", "stream_json_schema", "stream_tools", "extra_body"],
        "LiteLLM asks for no stream where one is wanted, and loses members of `extra_body`",
    ),
    (
        &["text_completion_codestral", "predibase", "sagemaker", "triton"],
        &["tool_result", "tool_result_parts", "cache_control_tool_result"],
        "what may be dropped is dropped: LiteLLM refuses all the same",
    ),
    (
        &[
            "anthropic_claude3",
            "anthropic_opus",
            "azure_ai_claude",
            "bedrock_bearer",
            "bedrock_converse_gpt_oss",
            "bedrock_converse_nova",
            "bedrock_converse_opus47",
            "bedrock_invoke_claude",
            "bedrock_invoke_nova",
            "bedrock_invoke_titan",
            "bedrock_mantle_claude",
            "cohere",
            "nlp_cloud",
            "predibase",
            "vertex_ai_anthropic",
        ],
        &["stop_five"],
        ALL_STOPS,
    ),
    (
        &["anthropic_claude3", "bedrock_mantle_claude", "vertex_ai_anthropic"],
        &["json_schema_refs"],
        "LiteLLM loses the mark of a fragment in `$ref`, so that the schema refers to nothing",
    ),
    (
        &["bedrock_mantle_claude"],
        &["kitchen_sink"],
        "temperature and `top_p` beside thinking are refused by the API and may be dropped",
    ),
    (
        &[
            "anthropic",
            "azure_ai_claude",
            "bedrock_bearer",
            "bedrock_converse_claude",
            "bedrock_converse_claude3",
            "bedrock_converse_llama",
            "bedrock_converse_mistral",
            "bedrock_converse_nova",
            "bedrock_invoke_claude",
            "bedrock_invoke_nova",
            "vertex_ai_anthropic",
        ],
        &["system_mid"],
        NOTE,
    ),
    (&["snowflake_claude"], &["system_mid"], "LiteLLM moves an instruction from the middle to the start"),
    (
        &["snowflake_claude"],
        &["cache_control_message", "cache_control_tool"],
        "cache marks are the API's own; LiteLLM loses them",
    ),
    (
        &["snowflake_claude"],
        &["thinking_disabled", "thinking_history"],
        "what does not think need not be told not to, and a model without thinking is asked for none",
    ),
    (
        &["bedrock_invoke_nova"],
        &["thinking_disabled", "tools_noparams"],
        "what does not think need not be told not to; a tool's name is no description",
    ),
    (
        &["vertex_ai_mistral"],
        &["empty_user", "tools_named"],
        "LiteLLM loses an empty message and the choice of a tool by name; the API takes both",
    ),
    (
        &["vertex_ai_mistral"],
        &["kitchen_sink", "n_two", "penalties"],
        "LiteLLM refuses `n` and penalties, which Mistral's API has",
    ),
    (
        &[
            "bedrock_converse_claude3",
            "bedrock_converse_cohere",
            "bedrock_converse_llama",
            "bedrock_converse_mistral",
        ],
        &["reasoning_effort_tools", "tools_auto", "tools_parallel_true", "tools_required"],
        "LiteLLM refuses choices of tools that the Converse API takes, or that are what it does anyway",
    ),
    (
        &[
            "anthropic_claude3",
            "bedrock_converse_claude3",
            "bedrock_converse_cohere",
            "bedrock_converse_llama",
            "bedrock_converse_nova",
            "langflow",
            "langgraph",
        ],
        &["thinking_disabled"],
        "what does not think need not be told not to; LiteLLM refuses that",
    ),
    (
        &[
            "bedrock_converse_llama",
            "bedrock_converse_mistral",
            "bedrock_converse_nova",
            "bedrock_invoke_nova",
        ],
        &["tools_parallel_false"],
        "that calls come one by one cannot be said there: refused by name; LiteLLM loses it in silence",
    ),
    (
        &["cohere", "cohere_v2"],
        &["json_object", "logprobs", "reasoning_effort_tools", "response_format_text", "stream_json_schema"],
        "the API has `response_format`, `logprobs` and `tool_choice`; LiteLLM refuses or drops them",
    ),
    (
        &["ollama_chat", "ollama_chat_gpt_oss"],
        &["kitchen_sink", "penalties"],
        "LiteLLM says `frequency_penalty` as `repeat_penalty`, which is another measure; the server has both",
    ),
    (
        &["ollama", "ollama_chat_gpt_oss"],
        &["reasoning_effort_tools", "tools_required"],
        "the server cannot force a call: refused by name; LiteLLM loses it in silence",
    ),
    (
        &["gradient_ai"],
        &["*"],
        "LiteLLM refuses its own `max_retries` when it is used as a library; as a proxy it does not set that",
    ),
    (
        &["gemini", "vertex_ai_gemini"],
        &["thinking_adaptive"],
        "the model is told to decide how much to think, which the API has a word for; LiteLLM loses it",
    ),
    (
        &["gigachat"],
        &["stop_five", "stop_list", "stop_string", "stop_whitespace"],
        "the API has no texts to stop at: refused by name; LiteLLM loses them in silence",
    ),
    (
        &["gigachat"],
        &["file_pdf_base64", "image_base64", "tool_result_parts", "two_images"],
        "files are left with the vendor before and attached by their ids; LiteLLM's uploads failed when it was recorded, and \
         it says nothing of them",
    ),
    (
        &["sap", "huggingface", "oci_generic"],
        &[
            "builtin_web_search_tool",
            "reasoning_effort_high",
            "reasoning_effort_medium",
            "reasoning_effort_none",
            "reasoning_effort_tools",
            "reasoning_effort_xhigh",
            "service_tier",
            "thinking_adaptive",
            "thinking_enabled",
            "web_search_options",
        ],
        "what may be dropped is dropped: LiteLLM refuses all the same",
    ),
    (
        &["oci_generic"],
        &["image_base64", "tool_results_parallel", "top_k_extra", "two_images", "user_name"],
        "details of pictures, `top_k`, names and texts beside calls are the API's own; LiteLLM loses them",
    ),
    (
        &["bedrock_invoke_nova"],
        &["cache_control_tool_result", "empty_user", "top_k_extra"],
        "cache marks, `topK` and empty messages are the API's own; LiteLLM loses them",
    ),
    (
        &["oobabooga", "predibase", "sagemaker"],
        &["extra_body"],
        "members of `extra_body` stand in the body; LiteLLM loses or nests them",
    ),
    (
        &["xai", "xai_grok3_mini"],
        &["web_search_options"],
        "a message of one text is said as that text to the Responses API, not as a list of one",
    ),
    (
        &["xai"],
        &["kitchen_sink", "penalties"],
        "models that reason refuse `presence_penalty` as they do `frequency_penalty`; LiteLLM drops one of the two",
    ),
    (
        &["vertex_ai_ai21", "watsonx"],
        &["cache_control_system"],
        "a list of one text and the text mean the same; a cache mark means nothing there",
    ),
    (
        &["gemini", "vertex_ai_gemini", "vertex_ai_gemini_global"],
        &["reasoning_effort_xhigh"],
        "the most effort there is; LiteLLM refuses the word or crashes",
    ),
    (&["sap"], &["tools_required"], "LiteLLM loses `required`: a tool need not be called"),
    (
        &["nlp_cloud"],
        &["image_base64"],
        "what a prompt cannot hold is refused by name, not printed as Python",
    ),
    (&["nlp_cloud"], &["extra_body"], "members of `extra_body` arrive; LiteLLM loses them"),
    (&["langflow", "oci_cohere"], &["image_base64"], "refused by name, not left out in silence"),
    (
        &["lemonade"],
        &["thinking_adaptive", "thinking_disabled", "thinking_enabled", "thinking_history"],
        "LiteLLM's last request here was for the list of models",
    ),
    (
        &["bedrock_converse_nova", "groq_gpt_oss"],
        &["stream_json_schema"],
        "LiteLLM asks for no stream where a tool stands in for the form; ours is one",
    ),
    (
        &["bedrock_invoke_llama", "bedrock_invoke_titan", "bedrock_invoke_qwen3", "bedrock_invoke_deepseek"],
        &["cache_control_system", "cache_control_user", "system_list", "text_parts"],
        "LiteLLM prints a Python list into the prompt; ours holds the texts",
    ),
    (
        &["bedrock_invoke_llama", "bedrock_invoke_titan", "bedrock_invoke_qwen3"],
        &[
            "file_pdf_url",
            "image_base64",
            "image_url",
            "image_url_string",
            "tool_result_no_tools",
            "tool_result_parts",
            "two_images",
        ],
        "what a prompt cannot hold is refused by name, not printed as Python",
    ),
    (
        &[
            "bedrock_invoke_deepseek",
            "bedrock_invoke_llama",
            "bedrock_invoke_llama_arn",
            "bedrock_invoke_mistral",
            "bedrock_invoke_qwen3",
        ],
        &["max_completion_tokens", "max_tokens_both"],
        "LiteLLM refuses the cap's newer name, and with `drop_params` asks without a cap",
    ),
    (
        &["bedrock_invoke_deepseek", "bedrock_invoke_llama_arn", "bedrock_invoke_mistral"],
        &["cache_control_tool_result", "tool_result", "tool_result_parts"],
        "what may be dropped is dropped: LiteLLM refuses all the same",
    ),
    (
        &["bedrock_invoke_mistral", "bedrock_invoke_titan"],
        &["tool_call_empty_args", "tool_results_parallel"],
        "LiteLLM puts the results of tools into the model's mouth; ours stand in a turn of the user's",
    ),
    (
        &["bedrock_invoke_qwen3"],
        &["thinking_history", "tool_call_empty_args", "tool_result", "tool_results_parallel"],
        "LiteLLM's prompt has calls that are no JSON and loses the text beside them; ours is the model's own template",
    ),
    (&["bedrock_invoke_mistral", "bedrock_invoke_qwen3", "sagemaker"], &["stop_five"], ALL_STOPS),
    (
        &["bedrock_invoke_qwen3", "nlp_cloud", "predibase"],
        &["stop_string"],
        "the API takes a list of texts to stop at; LiteLLM sends a bare text",
    ),
    (
        &["ollama"],
        &[
            "cache_control_tool_result",
            "thinking_history",
            "tool_result",
            "tool_result_no_tools",
            "tool_results_parallel",
            "tools",
            "tools_refs",
        ],
        "LiteLLM writes tools into a prompt and cannot tell a call from an answer in JSON; the server's chat has tools",
    ),
];

#[test]
fn every_listed_difference_is_of_a_known_vendor_and_case() {
    let shared = std::env::var_os("GATEWAY_SHARED").map(PathBuf::from);
    let folder = shared.unwrap_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared"));
    let Ok(cases) = fs::read_to_string(folder.join("vectors/_cases.json")) else {
        eprintln!("skipped: no recorded requests in {}", folder.display());
        return;
    };
    let cases: Map<String, Value> = serde_json::from_str(&cases).unwrap();
    for (keys, names, why) in DIFFERENCES {
        assert!(why.len() > 20, "{keys:?}: a reason");
        for key in *keys {
            // The recordings are a sample: a case may be known although it is not among a key's.
            assert!(
                folder.join(format!("vectors/{key}.jsonl")).exists(),
                "{key}: no such vendor is recorded"
            );
        }
        for name in names.iter().filter(|name| **name != "*") {
            assert!(cases.contains_key(*name), "{keys:?}: there is no case `{name}`");
        }
    }
    for (kind, name, why) in ENDPOINTS {
        assert!(why.len() > 20, "{kind} {name}: a reason");
        assert!(folder.join(format!("vectors/_endpoints/{kind}.jsonl")).exists(), "{kind}: no such endpoint");
    }
}
