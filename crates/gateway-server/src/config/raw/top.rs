//! The keys at the top of the file, and of the entries of its lists.

catalogue! {
    TOP
    model_list List "" served: "Deployments: entries of {model_name, litellm_params, model_info}; equal names form one balanced group.";
    litellm_settings Map "" served: "How calls are treated.";
    router_settings Map "" served: "How deployments are picked, retried and replaced.";
    general_settings Map "" served: "The server itself: secrets, database, limits, headers.";
    environment_variables Map "" served: "Variables that `os.environ/NAME` finds before the environment's own.";
    include List "" served: "YAML files beside this one: their lists are appended, their mappings merged.";
    credential_list List "" served: "Named provider credentials for `litellm_credential_name`.";
    providers Map "" served: "Your own providers, by slug: `<slug>/<model>` calls them. A built-in slug replaces that provider.";
    guardrails List "" later "requests and answers are not checked by any guardrail": "Checks of requests and answers.";
    mcp_servers Map "" later "MCP is not served": "MCP servers by name.";
    callback_settings Map "" later "no callback is run": "Options of callbacks.";
    vector_store_registry List "" later "no vector store is searched": "Vector stores by name.";
    search_tools List "" later "no search tool is served": "Search tools by name.";
    prompts List "" later "prompts are sent as they come": "Managed prompts.";
    policies Map "" later "requests and answers are not checked by any guardrail": "Guardrail policies.";
    policy_attachments Any "" later "requests and answers are not checked by any guardrail": "What the guardrail policies apply to.";
    agents List "" later "agents are not served": "Agents that speak A2A.";
    agent_list List "" later "agents are not served": "Another name of `agents`.";
    assistant_settings Map "" later "the Assistants API is not served": "Provider of the Assistants API.";
    files_settings List "" later "the Files API is not served": "Providers of the Files API.";
    finetune_settings List "" later "fine-tuning is not served": "Providers of the fine-tuning API.";
    default_vertex_config Map "" later "pass-through routes are not served": "Google Cloud credentials of pass-through routes.";
    sandbox_tools Any "" later "no tool is run": "Tools run in a sandbox.";
    mcp_tools Any "" later "MCP is not served": "Local MCP tools.";
    worker_registry Any "" later "this process is the only worker": "Other workers of the instance.";
    model_insights Any "" later "it has no effect": "Statistics of models.";
}

mod model {
    catalogue! {
        MODEL
        model_name Text "" served: "The name callers use; may hold `*`.";
        litellm_params Map "" served: "Where calls go and how.";
        model_info Map "" served: "What is known of the deployment.";
        rpm Count "" served: "Requests per minute; wins over `litellm_params.rpm`.";
        tpm Count "" served: "Tokens per minute; wins over `litellm_params.tpm`.";
    }
}

mod credential {
    catalogue! {
        CREDENTIAL
        credential_name Text "" served: "The name to refer to it by.";
        credential_info Map "" accepted: "Notes for people.";
        credential_values Map "" served: "`litellm_params` to add where they are not set.";
    }
}

pub(crate) use credential::CREDENTIAL;
pub(crate) use model::MODEL;
