//! Providers of the operator's own: the record that built-in providers have, as a section of the file.

catalogue! {
    PROVIDER
    like Text "" served: "Slug of a provider whose record is the beginning: what is said here stands instead of what that one says.";
    name Text "" served: "The name for people.";
    docs Text "" served: "The vendor's API documentation.";
    base_url Text "" served: "Where requests go; the dialect's path is appended. `{NAME}` stands for the value of an environment variable.";
    prefix Text "" served: "Path between the base URL and the dialect's path, added unless the base URL ends with it.";
    base_url_env List "" served: "Environment variables that override `base_url`; the first set one counts.";
    key_env List "" served: "Environment variables that hold the key; the first set one counts.";
    auth Any "bearer" served: "Where the key goes: `bearer`, `none`, `{header: x-api-key}`, `{query: key}`, or `{bearer_or: word}` where a word stands in for a missing key.";
    dialect Text "openai_chat" served: "The protocol, by the name that `gateway providers --json` shows, such as `openai_chat` or `anthropic`.";
    quirks Map "" served: "How the vendor differs from its dialect.";
    api_base_env Text "" served: "As `base_url_env`, in the words of LiteLLM's `providers.json`.";
    api_key_env Text "" served: "As `key_env`, in the words of LiteLLM's `providers.json`.";
    base_class Text "" accepted: "LiteLLM's class of the provider; its records speak OpenAI's Chat Completions.";
    param_mappings Map "" served: "Parameters that have another name: a mapping of LiteLLM's `providers.json`.";
    constraints Map "" served: "Limits of values, of which `temperature_max` counts: a mapping of LiteLLM's `providers.json`.";
    special_handling Map "" served: "Of these `convert_content_list_to_string` counts: a mapping of LiteLLM's `providers.json`.";
    supported_endpoints List "" served: "LiteLLM's list of paths, of which `/v1/responses` counts.";
    headers Map "" served: "Headers that every request carries, as `quirks.headers`.";
}

mod quirks {
    catalogue! {
        QUIRKS
        supported List "" served: "All of OpenAI's parameters that the vendor takes, where it takes few.";
        unsupported List "" served: "Parameters of OpenAI's that the vendor does not take: refused, or dropped with `drop_params`.";
        ignored List "" served: "Parameters that are left out without a word.";
        doors List "" served: "Further protocols: entries of {dialect, without, with, auth, models, searches}; callers of them are forwarded there, or calls that search the web.";
        models List "" served: "What some models take otherwise: entries of {models, can, cannot, takes, lacks, ignores, amend}.";
        amend List "" served: "What is said otherwise in the finished body, in this order, such as `no_strict`, `join_texts` or `{required: any}`.";
        max_completion_tokens_as_max_tokens Flag "False" served: "`max_completion_tokens` is called `max_tokens`.";
        seed_as_random_seed Flag "False" served: "`seed` is called `random_seed`.";
        developer_as_system Flag "False" served: "The role `developer` is said as `system`.";
        no_stream_options Flag "False" served: "No usage record is asked for in streams.";
        usage_on_request Flag "False" served: "Usage and cost are asked for with `usage: {include: true}`.";
        keeps_cache_control Flag "False" served: "`cache_control` marks are sent; elsewhere they are removed.";
        files_as_given Flag "False" served: "Files are sent as the caller gives them: in the results of tools, and documents by URL.";
        no_reasoning_content Flag "False" served: "Messages are sent without `reasoning_content`.";
        no_media_urls Flag "False" served: "Media are sent as bytes: the gateway fetches what the caller gives as a URL.";
        responses Flag "False" served: "The vendor has OpenAI's Responses API too.";
        as_prompt Flag "False" served: "Messages are written as one prompt, for models that complete texts.";
        prompt_without_breaks Flag "False" served: "Messages become one prompt without a line break between them.";
        bare_search Flag "False" served: "The tool that searches the web takes no size and no place.";
        text_completions Flag "False" served: "The vendor has OpenAI's Completions too.";
        openai_families Flag "False" served: "The models are OpenAI's own: the rules of their families apply.";
        untyped_tools Flag "False" served: "Functions are sent without a `type`, in Anthropic's dialect.";
        no_answer_schema Flag "False" served: "A tool stands in for a JSON schema of the answer, in Anthropic's dialect.";
        answer_schema_in_config Flag "False" served: "A JSON schema of the answer is said as `output_config.format`, in Anthropic's dialect.";
        headers Map "" served: "Headers that every request carries.";
        token_kind_header Text "" served: "Header that says whether the key is a JSON web token.";
        token_prefix Text "" served: "What keys begin with that are people's tokens: they go as bearer tokens.";
        token_lists Map "" served: "What requests with such a token say in headers that are lists, behind what stands there.";
        base_ends Map "" served: "Ends of base URLs that operators write, and what stands there in this dialect.";
        prefill Text "" served: "How the vendor is asked to go on with an answer that was begun: `last` (the last message is the assistant's), `prefix` (and says `prefix: true`), `final_message` (`continue_final_message: true`).";
        no_chat Flag "False" served: "The vendor has no chat: it is asked for other things only.";
        streams_only Flag "False" served: "The vendor answers with streams only: callers who want a whole answer get what the stream tells.";
        always Map "" served: "Members of every body and their values as JSON texts, whatever callers say.";
        tells_initiator Flag "False" served: "Headers say whether a user or an agent goes on with a conversation (`x-initiator`).";
        own_template Map "" served: "How a conversation becomes a prompt, for models that complete prompts: `chat_template`, `roles` as lists of role, text before, text behind, `initial_prompt_value`, `final_prompt_value`, `bos_token`, `eos_token`.";
        model_prefix Text "" served: "What stands before models' names that have no slash.";
        model_template Text "" served: "How models' names of several words are written: each `{}` is the next word between dots.";
        model_paths Map "" served: "Beginnings of models' names whose next word belongs in the URL, and the path with `{}` for it.";
    }
}

pub(crate) use quirks::QUIRKS;
