//! `router_settings`: how deployments are picked.

catalogue! {
    ROUTER
    routing_strategy Text "simple-shuffle" served: "How a deployment of a group is picked.";
    routing_strategy_args Map "" served: "Options of the strategy: ttl, lowest_latency_buffer, max_latency_list_size, ttft_percentile, confidence_threshold_low, _medium and _high.";
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
    enable_pre_call_checks Flag "false" served: "Leave out deployments that cannot take a request: context window, rpm, region, response_format.";
    optional_pre_call_checks List "" served: "Checks of deployments: enforce_model_rate_limits, prompt_caching, session_affinity, deployment_affinity, responses_api_deployment_check.";
    deployment_affinity_ttl_seconds Count "3600 |" served: "Seconds a session or key stays with its deployment after its last call.";
    model_group_affinity_config Map "— |" served: "What keeps calls at a deployment, by group: {group: [prompt_caching, session_affinity, deployment_affinity]}.";
    model_group_alias Map "{} |" served: "Other names of groups: {alias: group} or {alias: {model, hidden}}.";
    hedging Map "" served: "Ask a second deployment where a stream is slow to begin: {percentile: 95, budget: 0.05}, of the latest times to the first byte and of all calls.";
    enable_tag_filtering Flag "false |" served: "Route by tags.";
    tag_filtering_match_any Flag "true" served: "One common tag is enough; otherwise a deployment needs all tags of the request.";
    tag_routing_prefix Text "''" served: "Only tags with the prefix are routing directives.";
    enable_weighted_failover Flag "false" served: "Retry inside a `simple-shuffle` group without the deployments that failed.";
    default_max_parallel_requests Count "" served: "Requests in flight per deployment that sets none.";
    default_litellm_params Map "" served: "Parameters of every deployment that does not set them.";
    provider_budget_config Map "— |" served: "What may be spent at a provider: {provider: {budget_limit, time_period}}.";
    routing_groups List "" served: "A strategy for some groups: a list of {group_name, models, routing_strategy, routing_strategy_args, model_priorities}; `priority` tries the groups by number.";
    weights Map "" served: "Shares by group and deployment id: {group: {id: weight}}.";
    redis_url Secret "" served: "URL of a Redis over which gateways share rests, usage and latencies: redis://[user:password@]host[:port][/database]; rediss://… over TLS, trusting the certificates that providers are trusted with (SSL_CERT_FILE).";
    redis_host Text "" served: "Host of a shared Redis.";
    redis_port Count "" served: "Port of a shared Redis.";
    redis_password Secret "" served: "Password of a shared Redis.";
    redis_db Count "" served: "Database number of a shared Redis.";
    cache_responses Flag "" later "answers are not cached": "Cache answers.";
    cache_kwargs Map "" later "answers are not cached": "Options of the router's cache.";
    caching_groups List "" later "answers are not cached": "Groups that share cached answers.";
    default_priority Count "" served: "Priority of requests that name none; lower numbers are served first where calls wait.";
    set_verbose Flag "" accepted: "Verbose logs; see `--log` of the command line.";
    debug_level Text "" accepted: "Detail of router logs.";
    assistants_config Map "" later "the endpoint it belongs to is not served": "Assistants of the router.";
    ignore_invalid_deployments Flag "false" served: "Leave invalid entries of `model_list` out instead of refusing to start.";
    enable_health_check_routing Flag "" served: "Leave out deployments that the last health check found ill.";
    health_check_staleness_threshold Count "" later "deployments are not probed this way": "Health check staleness threshold.";
    health_check_ignore_transient_errors Flag "" later "deployments are not probed this way": "Health check ignore transient errors.";
    plugins List "" later "there is no admin UI to sign in to": "Python routing plug-ins.";
    client_ttl Count "3600" accepted: "Seconds a client object lives.";
    polling_interval Number "0.003" later "it has no effect": "Pause of the scheduler, seconds.";
    alerting_config Map "" later "no alert is sent": "Where the router sends alerts.";
    router_general_settings Map "" accepted: "Options of LiteLLM's async router.";
}
