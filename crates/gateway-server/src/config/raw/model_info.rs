//! `model_info` of a `model_list` entry: what is known of a deployment.

catalogue! {
    MODEL_INFO
    id Text "" served: "Deployment id; derived from the parameters when not given.";
    db_model Flag "False" accepted: "Whether the entry is kept in the database.";
    updated_at Text "" accepted: "When the entry was last changed.";
    updated_by Text "" accepted: "Who last changed the entry.";
    created_at Text "" accepted: "When the entry was made.";
    created_by Text "" accepted: "Who made the entry.";
    base_model Text "" served: "Name under which prices and context windows are looked up.";
    tier Text "" later "it has no effect": "`free` or `paid`.";
    team_id Text "" served: "Team that owns the deployment.";
    team_public_model_name Text "" served: "Name by which the owning team calls the deployment.";
    litellm_routing_preferences Map "" served: "For quality routers: {quality_tier, keywords, order}.";
    adaptive_router_preferences Map "" served: "For adaptive routers: {quality_tier, strengths}.";
    member_auto_router Flag "False" later "it has no effect": "Entry made for an auto router.";
    blocked Flag "" served: "Paused: calls are refused.";
    discoverable Flag "" served: "Whether the deployment is listed; a model that is not can still be called.";
    access_windows List "" served: "Times of the day at which the deployment is kept for some teams: `{start, end, timezone, team_ids}`.";
    ptu_count Count "" later "it has no effect": "Provisioned units of the deployment.";
    ptu_effective_from Text "" later "it has no effect": "When the provisioned units begin.";
    ptu_effective_to Text "" later "it has no effect": "When the provisioned units end.";
    allow_fail_open Flag "" later "it has no effect": "Answer although a check cannot run.";
    enable_tag_filtering Flag "" served: "Route this group by tags, whatever the router says.";
    internal_router_model Flag "" later "rows of the spend log tell the group that was asked for and the model that served, for all deployments alike": "Note the routing decision in rows of the spend log.";
    mode Text "" served: "Chat, completion, embedding, image_generation, audio_speech, audio_transcription, moderation, rerank, responses …: what a probe asks; the price map's when not given.";
    access_groups List "" served: "Names under which keys and teams may be granted the model.";
    supported_environments List "" served: "The deployment is active only where the environment variable LITELLM_ENVIRONMENT is one of these.";
    health_check_model Any "" served: "Model to probe instead.";
    health_check_voice Text "alloy" served: "Voice for the probe of a speech model.";
    health_check_timeout Any "" served: "Seconds a probe may take.";
    health_check_params Any "" served: "Parameters of the probe.";
    disable_background_health_check Any "" served: "Leave the deployment out of probes.";
    max_tokens Any "" served: "Context length, shown in `/model/info`.";
    max_input_tokens Any "" served: "Override the price map.";
    max_output_tokens Any "" served: "Override the price map.";
    prompt_cache_min_tokens Any "" served: "Tokens from which the provider caches the beginning of a prompt; overrides the price map.";
    allowed_fails Any "" served: "Failures per minute before a deployment rests.";
    allowed_fails_policy Any "" served: "Failures allowed by class of error, such as {TimeoutErrorAllowedFails: 5}.";
    cooldown_time Seconds "" served: "Seconds a failing deployment rests.";
    type Text "" served: "Kind of model for the strategy `lar1`: cloud-smart, cloud-fast, local, deep.";
    region Text "" served: "Region of the deployment, for region filters.";
}
