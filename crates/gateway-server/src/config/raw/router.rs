//! `router_settings`: how deployments are picked.

catalogue! {
    ROUTER
    routing_strategy Text "simple-shuffle" served: "How a deployment of a group is picked.";
    routing_strategy_args Map "" later "deployments are picked without it": "Options of the strategy.";
    num_retries Count "" served: "Retries after the first attempt.";
    timeout Seconds "request_timeout` 6000 s" served: "Seconds to wait for a whole answer.";
    stream_timeout Seconds "" served: "Seconds to the first byte of a stream.";
    fallbacks List "" served: "Groups to try after a group failed: a list of {group: [groups]}; `*` stands for all groups.";
    context_window_fallbacks Any "" served: "Groups to try when the prompt is too long.";
    content_policy_fallbacks Any "" served: "Groups to try when a content policy refused.";
    default_fallbacks List "" served: "Groups to try for any group.";
    allowed_fails Count "3" served: "Failures a minute before a deployment rests.";
    cooldown_time Seconds "5 s |" served: "Seconds a failing deployment rests.";
    allowed_fails_policy Map "" served: "Failures allowed by class of error, such as {TimeoutErrorAllowedFails: 5}.";
    retry_policy Map "" served: "Retries by class of error, such as {RateLimitErrorRetries: 3}.";
    model_group_retry_policy Map "{} |" served: "Retry policies by group.";
    retry_after Seconds "0" served: "Least seconds between two attempts on the same deployment.";
    max_fallbacks Count "5 (`ROUTER_MAX_FALLBACKS`)" served: "Fallback groups tried at most.";
    disable_cooldowns Flag "false |" served: "Never rest a failing deployment.";
    enable_pre_call_checks Flag "false" later "deployments are picked without it": "Context window, rpm, region, response_format filters.";
    optional_pre_call_checks List "" later "deployments are picked without it": "Prompt_caching, router_budget_limiting, responses_api_deployment_check, deployment_affinity, session_affinity, forward_client_headers_by_model_group, enforce_model_rate_limits, encrypted_content_affinity.";
    deployment_affinity_ttl_seconds Count "3600 |" later "answers are not cached": "Deployment affinity TTL seconds.";
    model_group_affinity_config Map "— |" later "deployments are picked without it": "Model group affinity configuration.";
    model_group_alias Map "{} |" served: "Other names of groups: {alias: group} or {alias: {model, hidden}}.";
    enable_tag_filtering Flag "false |" served: "Route by tags.";
    tag_filtering_match_any Flag "true" served: "One common tag is enough; otherwise a deployment needs all tags of the request.";
    tag_routing_prefix Text "''" later "it has no effect": "Only tags with the prefix are routing directives.";
    enable_weighted_failover Flag "false" served: "Retry inside a `simple-shuffle` group without the deployments that failed.";
    default_max_parallel_requests Count "" served: "Requests in flight per deployment that sets none.";
    default_litellm_params Map "" later "parameters are set per deployment only": "Merged into every call.";
    provider_budget_config Map "— |" later "deployments are picked without it": "Provider budget configuration.";
    routing_groups List "" later "deployments are picked without it": "Strategy per subset; priority groups try lower numbers first.";
    weights Map "" served: "Shares by group and deployment id: {group: {id: weight}}.";
    redis_url Secret "shared router state" later "counters are kept in this process": "URL of a Redis shared by several routers.";
    redis_host Text "shared router state" later "counters are kept in this process": "Host of a shared Redis.";
    redis_port Count "shared router state" later "counters are kept in this process": "Port of a shared Redis.";
    redis_password Secret "shared router state" later "counters are kept in this process": "Password of a shared Redis.";
    redis_db Count "shared router state" later "counters are kept in this process": "Database number of a shared Redis.";
    cache_responses Flag "" later "answers are not cached": "Cache answers.";
    cache_kwargs Map "" later "answers are not cached": "Options of the router's cache.";
    caching_groups List "" later "answers are not cached": "Groups that share cached answers.";
    default_priority Count "" later "deployments are picked without it": "Priority of requests that name none.";
    set_verbose Flag "" accepted: "Verbose logs; see `--log` of the command line.";
    debug_level Text "" accepted: "Detail of router logs.";
    assistants_config Map "" later "the endpoint it belongs to is not served": "Assistants of the router.";
    ignore_invalid_deployments Flag "false" served: "Leave invalid entries of `model_list` out instead of refusing to start.";
    enable_health_check_routing Flag "" later "deployments are not probed this way": "Enable health check routing.";
    health_check_staleness_threshold Count "" later "deployments are not probed this way": "Health check staleness threshold.";
    health_check_ignore_transient_errors Flag "" later "deployments are not probed this way": "Health check ignore transient errors.";
    plugins List "" later "there is no admin UI to sign in to": "Python routing plug-ins.";
    client_ttl Count "3600" accepted: "Seconds a client object lives.";
    polling_interval Number "0.003" later "it has no effect": "Pause of the scheduler, seconds.";
    alerting_config Map "" later "no alert is sent": "Where the router sends alerts.";
    router_general_settings Map "" accepted: "Options of LiteLLM's async router.";
}
