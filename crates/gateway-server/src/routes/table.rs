//! Every route, and what it leads to.

use http::Method;
use llm_providers::DialectId;
use llm_types::Operation;

use super::catalogue::Known;
use super::{Door, Handler, Local, Route, autos, health, responses};
use crate::admin::{
    AccessGroupAction, Action, ActivityOf, AuditAction, BudgetAction, CredentialAction, CustomerAction,
    FallbackAction, InvitationAction, KeyAction, MetricsAction, ModelAction, ModelGroupAction, NamesOf,
    OrganizationAction, ProjectAction, ReportOf, ScimAction, ScimOf, ScimVerb, SettingAction, SpendAction,
    SsoStep, TagAction, TeamAction, TokenKeyAction, UserAction,
};

const CHAT: Handler = Handler::Call(Door::chat(DialectId::OpenaiChat, "acompletion", None));
const MESSAGES: Handler = Handler::Call(Door::chat(DialectId::Anthropic, "anthropic_messages", None));
const COMPLETIONS: Handler = Handler::Call(Door::chat(DialectId::OpenaiText, "atext_completion", None));
const COHERE: Handler = Handler::Call(Door::chat(DialectId::Cohere, "acompletion", None));
/// Ollama's callers, who know no keys but may send one.
const OLLAMA: Handler = Handler::Call(Door::chat(DialectId::Ollama, "acompletion", None));
/// Amazon's two operations; LiteLLM's name for calls of this kind.
const CONVERSE: Handler = converse(false);
const CONVERSE_STREAM: Handler = converse(true);
/// Gemini's callers say in the path whether they want a stream.
const GENERATE: Handler = Handler::Call(Door::chat(DialectId::Gemini, "agenerate_content", Some(false)));
const STREAM: Handler = Handler::Call(Door::chat(DialectId::Gemini, "agenerate_content_stream", Some(true)));
const COUNT: Handler = Handler::CountTokens(Door::chat(DialectId::Gemini, "acount_tokens", Some(false)));
const COUNT_MESSAGES: Handler =
    Handler::CountTokens(Door::chat(DialectId::Anthropic, "acount_tokens", Some(false)));
const RESPONSES: Handler = Handler::Call(Door::chat(DialectId::OpenaiResponses, "aresponses", None));
/// A conversation made shorter by a provider of that API.
const COMPACT: Handler =
    Handler::Call(Door::chat(DialectId::OpenaiResponses, "acompact_responses", Some(false)));
const COUNT_RESPONSES: Handler =
    Handler::CountTokens(Door::chat(DialectId::OpenaiResponses, "acount_tokens", Some(false)));
const EMBEDDINGS: Handler = beside(Operation::Embeddings, "aembedding");
const MODERATIONS: Handler = beside(Operation::Moderation, "amoderation");
const RERANK: Handler = beside(Operation::Rerank, "arerank");
const IMAGES: Handler = beside(Operation::ImageGeneration, "aimage_generation");
const EDITS: Handler = beside(Operation::ImageEdit, "aimage_edit");
const VARIATIONS: Handler = beside(Operation::ImageVariation, "aimage_variation");
const SPEECH: Handler = beside(Operation::Speech, "aspeech");
const TRANSCRIPTIONS: Handler = beside(Operation::Transcription, "atranscription");
const TRANSLATIONS: Handler = beside(Operation::Translation, "atranslation");
const READ: Handler = Handler::Stored(responses::Ask::Read);
const CANCEL: Handler = Handler::Stored(responses::Ask::Cancel);
const DELETE: Handler = Handler::Stored(responses::Ask::Delete);
const INPUT: Handler = Handler::Stored(responses::Ask::Input);
const fn key(action: KeyAction) -> Handler {
    Handler::Manage(Action::Key(action))
}
const fn team(action: TeamAction) -> Handler {
    Handler::Manage(Action::Team(action))
}
const fn user(action: UserAction) -> Handler {
    Handler::Manage(Action::User(action))
}
const fn customer(action: CustomerAction) -> Handler {
    Handler::Manage(Action::Customer(action))
}
const fn organization(action: OrganizationAction) -> Handler {
    Handler::Manage(Action::Organization(action))
}
const fn project(action: ProjectAction) -> Handler {
    Handler::Manage(Action::Project(action))
}
const fn access_group(action: AccessGroupAction) -> Handler {
    Handler::Manage(Action::AccessGroup(action))
}
const fn model_group(action: ModelGroupAction) -> Handler {
    Handler::Manage(Action::ModelGroup(action))
}
const fn scim(of: ScimOf, verb: ScimVerb) -> Handler {
    Handler::Scim(ScimAction(of, verb))
}
const fn budget(action: BudgetAction) -> Handler {
    Handler::Manage(Action::Budget(action))
}
const fn model(action: ModelAction) -> Handler {
    Handler::Manage(Action::Model(action))
}
const fn credential(action: CredentialAction) -> Handler {
    Handler::Manage(Action::Credential(action))
}
const fn token_key(action: TokenKeyAction) -> Handler {
    Handler::Manage(Action::TokenKey(action))
}

const fn invitation(action: InvitationAction) -> Handler {
    Handler::Manage(Action::Invitation(action))
}
const fn tag(action: TagAction) -> Handler {
    Handler::Manage(Action::Tag(action))
}
const fn spend(action: SpendAction) -> Handler {
    Handler::Manage(Action::Spend(action))
}
const fn setting(action: SettingAction) -> Handler {
    Handler::Manage(Action::Setting(action))
}
const fn fallback(action: FallbackAction) -> Handler {
    Handler::Manage(Action::Fallback(action))
}
const fn metrics(action: MetricsAction) -> Handler {
    Handler::Manage(Action::Metrics(action))
}
const fn report(of: ReportOf) -> Handler {
    Handler::Manage(Action::Report(of))
}
const fn activity(of: ActivityOf, whole: bool) -> Handler {
    Handler::Manage(Action::Activity(of, whole))
}
const GET: &Method = &Method::GET;
const POST: &Method = &Method::POST;

/// Every route, the busiest first.
pub(super) static TABLE: &[Route] = &[
    Route(POST, "/v1/chat/completions", CHAT),
    Route(POST, "/v1/messages", MESSAGES),
    Route(POST, "/v1/responses", RESPONSES),
    Route(POST, "/chat/completions", CHAT),
    Route(POST, "/queue/chat/completions", CHAT),
    Route(POST, "/responses", RESPONSES),
    Route(POST, "/openai/v1/responses", RESPONSES),
    Route(POST, "/openai/responses", RESPONSES),
    Route(POST, "/anthropic/v1/messages", MESSAGES),
    Route(POST, "/v1/completions", COMPLETIONS),
    Route(POST, "/completions", COMPLETIONS),
    Route(POST, "/v1/embeddings", EMBEDDINGS),
    Route(POST, "/embeddings", EMBEDDINGS),
    Route(POST, "/engines/{model}/embeddings", EMBEDDINGS),
    Route(POST, "/openai/deployments/{model}/embeddings", EMBEDDINGS),
    Route(POST, "/v1/moderations", MODERATIONS),
    Route(POST, "/moderations", MODERATIONS),
    Route(POST, "/v1/rerank", RERANK),
    Route(POST, "/v2/rerank", RERANK),
    Route(POST, "/rerank", RERANK),
    Route(POST, "/v1/images/generations", IMAGES),
    Route(POST, "/images/generations", IMAGES),
    Route(POST, "/openai/deployments/{model}/images/generations", IMAGES),
    Route(POST, "/v1/images/edits", EDITS),
    Route(POST, "/images/edits", EDITS),
    Route(POST, "/openai/deployments/{model}/images/edits", EDITS),
    Route(POST, "/v1/images/variations", VARIATIONS),
    Route(POST, "/images/variations", VARIATIONS),
    Route(POST, "/openai/deployments/{model}/images/variations", VARIATIONS),
    Route(POST, "/v1/audio/speech", SPEECH),
    Route(POST, "/audio/speech", SPEECH),
    Route(POST, "/openai/deployments/{model}/audio/speech", SPEECH),
    Route(POST, "/v1/audio/transcriptions", TRANSCRIPTIONS),
    Route(POST, "/audio/transcriptions", TRANSCRIPTIONS),
    Route(POST, "/openai/deployments/{model}/audio/transcriptions", TRANSCRIPTIONS),
    Route(POST, "/v1/audio/translations", TRANSLATIONS),
    Route(POST, "/audio/translations", TRANSLATIONS),
    Route(POST, "/openai/deployments/{model}/audio/translations", TRANSLATIONS),
    Route(POST, "/v2/chat", COHERE),
    Route(POST, "/cohere/v2/chat", COHERE),
    Route(POST, "/api/chat", OLLAMA),
    Route(GET, "/api/tags", Handler::Ollama(Local::Tags)),
    Route(POST, "/api/show", Handler::Ollama(Local::Show)),
    Route(GET, "/api/version", Handler::Ollama(Local::Version)),
    Route(POST, "/engines/{model}/chat/completions", CHAT),
    Route(POST, "/openai/deployments/{model}/chat/completions", CHAT),
    Route(POST, "/model/{model}/converse", CONVERSE),
    Route(POST, "/model/{model}/converse-stream", CONVERSE_STREAM),
    Route(POST, "/bedrock/model/{model}/converse", CONVERSE),
    Route(POST, "/bedrock/model/{model}/converse-stream", CONVERSE_STREAM),
    Route(POST, "/engines/{model}/completions", COMPLETIONS),
    Route(POST, "/openai/deployments/{model}/completions", COMPLETIONS),
    Route(POST, "/v1beta/models/{model}:generateContent", GENERATE),
    Route(POST, "/v1beta/models/{model}:streamGenerateContent", STREAM),
    Route(POST, "/v1/messages/count_tokens", COUNT_MESSAGES),
    Route(POST, "/anthropic/v1/messages/count_tokens", COUNT_MESSAGES),
    Route(POST, "/v1beta/models/{model}:countTokens", COUNT),
    Route(POST, "/models/{model}:generateContent", GENERATE),
    Route(POST, "/models/{model}:streamGenerateContent", STREAM),
    Route(POST, "/models/{model}:countTokens", COUNT),
    Route(POST, "/v1/models/{model}:generateContent", GENERATE),
    Route(POST, "/v1/models/{model}:streamGenerateContent", STREAM),
    Route(POST, "/v1/models/{model}:countTokens", COUNT),
    Route(
        POST,
        "/v1/projects/{project}/locations/{location}/publishers/google/models/{model}:generateContent",
        GENERATE,
    ),
    Route(
        POST,
        "/v1/projects/{project}/locations/{location}/publishers/google/models/{model}:streamGenerateContent",
        STREAM,
    ),
    Route(
        POST,
        "/v1/projects/{project}/locations/{location}/publishers/google/models/{model}:countTokens",
        COUNT,
    ),
    Route(
        POST,
        "/v1beta1/projects/{project}/locations/{location}/publishers/google/models/{model}:generateContent",
        GENERATE,
    ),
    Route(
        POST,
        "/v1beta1/projects/{project}/locations/{location}/publishers/google/models/{model}:streamGenerateContent",
        STREAM,
    ),
    Route(
        POST,
        "/v1beta1/projects/{project}/locations/{location}/publishers/google/models/{model}:countTokens",
        COUNT,
    ),
    Route(
        POST,
        "/vertex_ai/v1/projects/{project}/locations/{location}/publishers/google/models/{model}:generateContent",
        GENERATE,
    ),
    Route(
        POST,
        "/vertex_ai/v1/projects/{project}/locations/{location}/publishers/google/models/{model}:streamGenerateContent",
        STREAM,
    ),
    Route(
        POST,
        "/vertex_ai/v1/projects/{project}/locations/{location}/publishers/google/models/{model}:countTokens",
        COUNT,
    ),
    Route(
        POST,
        "/vertex_ai/v1beta1/projects/{project}/locations/{location}/publishers/google/models/{model}:generateContent",
        GENERATE,
    ),
    Route(
        POST,
        "/vertex_ai/v1beta1/projects/{project}/locations/{location}/publishers/google/models/{model}:streamGenerateContent",
        STREAM,
    ),
    Route(
        POST,
        "/vertex_ai/v1beta1/projects/{project}/locations/{location}/publishers/google/models/{model}:countTokens",
        COUNT,
    ),
    Route(POST, "/v1/responses/input_tokens", COUNT_RESPONSES),
    Route(POST, "/v1/responses/compact", COMPACT),
    Route(POST, "/responses/input_tokens", COUNT_RESPONSES),
    Route(POST, "/responses/compact", COMPACT),
    Route(POST, "/openai/v1/responses/input_tokens", COUNT_RESPONSES),
    Route(POST, "/openai/v1/responses/compact", COMPACT),
    Route(POST, "/openai/responses/input_tokens", COUNT_RESPONSES),
    Route(POST, "/openai/responses/compact", COMPACT),
    Route(GET, "/v1/responses/{response_id}/input_items", INPUT),
    Route(GET, "/responses/{response_id}/input_items", INPUT),
    Route(GET, "/openai/v1/responses/{response_id}/input_items", INPUT),
    Route(GET, "/openai/responses/{response_id}/input_items", INPUT),
    Route(POST, "/v1/responses/{response_id}/cancel", CANCEL),
    Route(POST, "/responses/{response_id}/cancel", CANCEL),
    Route(POST, "/openai/v1/responses/{response_id}/cancel", CANCEL),
    Route(POST, "/openai/responses/{response_id}/cancel", CANCEL),
    Route(GET, "/v1/responses/{response_id}", READ),
    Route(GET, "/responses/{response_id}", READ),
    Route(GET, "/openai/v1/responses/{response_id}", READ),
    Route(GET, "/openai/responses/{response_id}", READ),
    Route(&Method::DELETE, "/v1/responses/{response_id}", DELETE),
    Route(&Method::DELETE, "/responses/{response_id}", DELETE),
    Route(&Method::DELETE, "/openai/v1/responses/{response_id}", DELETE),
    Route(&Method::DELETE, "/openai/responses/{response_id}", DELETE),
    Route(GET, "/v1/models", Handler::Models),
    Route(GET, "/models", Handler::Models),
    Route(GET, "/v1/models/{model}", Handler::Model),
    Route(GET, "/models/{model}", Handler::Model),
    Route(GET, "/model/info", Handler::ModelInfo),
    Route(GET, "/v1/model/info", Handler::ModelInfo),
    Route(GET, "/v2/model/info", Handler::ModelsPaged),
    Route(GET, "/model_group/info", Handler::ModelGroups),
    Route(POST, "/model_group/make_public", setting(SettingAction::MakePublic)),
    Route(POST, "/model_hub/update_useful_links", setting(SettingAction::SetLinks)),
    Route(POST, "/reload/model_cost_map", setting(SettingAction::ReloadPrices)),
    Route(POST, "/reload/anthropic_beta_headers", setting(SettingAction::ReloadBetas)),
    Route(GET, "/config/cost_discount_config", setting(SettingAction::Discounts)),
    Route(&Method::PATCH, "/config/cost_discount_config", setting(SettingAction::SetDiscounts)),
    Route(GET, "/config/cost_margin_config", setting(SettingAction::Margins)),
    Route(&Method::PATCH, "/config/cost_margin_config", setting(SettingAction::SetMargins)),
    Route(GET, "/router/settings", Handler::Known(Known::RouterSettings)),
    Route(GET, "/router/fields", Handler::Known(Known::RouterFields)),
    Route(GET, "/model/deprecations", Handler::Known(Known::Deprecations)),
    Route(GET, "/v1/model/deprecations", Handler::Known(Known::Deprecations)),
    Route(GET, "/model/settings", Handler::Known(Known::Settings)),
    Route(GET, "/model/cost_map/source", Handler::Known(Known::CostMapSource)),
    Route(GET, "/public/litellm_model_cost_map", Handler::Known(Known::CostMap)),
    Route(GET, "/public/model_hub", Handler::Known(Known::PublicHub)),
    Route(GET, "/public/model_hub/info", Handler::Known(Known::PublicHubInfo)),
    Route(GET, "/utils/supported_openai_params", Handler::SupportedParams),
    Route(GET, "/utils/model_info", Handler::PriceRecord),
    Route(POST, "/utils/route_explain", Handler::Explain),
    Route(GET, "/adaptive_router/state", Handler::Auto(autos::Asked::State)),
    Route(GET, "/auto_router/session", Handler::Auto(autos::Asked::Session)),
    Route(POST, "/auto_router/validate_complexity_router_config", Handler::Auto(autos::Asked::Validate)),
    Route(POST, "/auto_router/test_routing", Handler::Auto(autos::Asked::Test)),
    Route(POST, "/auto_router/availability", Handler::Auto(autos::Asked::Availability)),
    Route(GET, "/auto_router/classifier/default_prompt", Handler::Auto(autos::Asked::Prompt)),
    Route(POST, "/auto_router/classifier/default_prompt", Handler::Auto(autos::Asked::Prompt)),
    Route(POST, "/utils/token_counter", Handler::TokenCounter),
    Route(POST, "/usage/ai/chat", Handler::UsageChat),
    Route(GET, "/spend/capture_rate", spend(SpendAction::CaptureRate)),
    Route(GET, "/v1/tool/spend", spend(SpendAction::Tools)),
    Route(POST, "/spend/calculate", Handler::CalculateCost),
    Route(POST, "/cost/estimate", Handler::EstimateCost),
    Route(POST, "/cost/predict-cache", Handler::PredictCache),
    Route(POST, "/utils/transform_request", Handler::TransformRequest),
    Route(POST, "/key/generate", key(KeyAction::Generate)),
    Route(POST, "/key/update", key(KeyAction::Update)),
    Route(POST, "/key/delete", key(KeyAction::Delete)),
    Route(POST, "/key/block", key(KeyAction::Block)),
    Route(POST, "/key/unblock", key(KeyAction::Unblock)),
    Route(GET, "/key/info", key(KeyAction::Info)),
    Route(POST, "/key/health", key(KeyAction::Health)),
    Route(GET, "/key/list", key(KeyAction::List)),
    Route(GET, "/key/aliases", key(KeyAction::Aliases)),
    Route(POST, "/v2/key/info", key(KeyAction::InfoOfSeveral)),
    Route(POST, "/key/service-account/generate", key(KeyAction::ServiceAccount)),
    Route(POST, "/key/bulk_update", key(KeyAction::BulkUpdate)),
    Route(POST, "/team/key/bulk_update", key(KeyAction::BulkUpdateOfTeam)),
    Route(POST, "/key/regenerate", key(KeyAction::Regenerate)),
    Route(POST, "/key/{model}/regenerate", key(KeyAction::Regenerate)),
    Route(POST, "/key/{model}/reset_spend", key(KeyAction::ResetSpend)),
    Route(POST, "/team/new", team(TeamAction::New)),
    Route(POST, "/team/update", team(TeamAction::Update)),
    Route(POST, "/team/delete", team(TeamAction::Delete)),
    Route(GET, "/team/info", team(TeamAction::Info)),
    Route(GET, "/team/list", team(TeamAction::List)),
    Route(GET, "/v2/team/list", team(TeamAction::ListPaged)),
    Route(POST, "/team/block", team(TeamAction::Block)),
    Route(POST, "/team/unblock", team(TeamAction::Unblock)),
    Route(POST, "/team/member_add", team(TeamAction::MemberAdd)),
    Route(POST, "/team/member_update", team(TeamAction::MemberUpdate)),
    Route(POST, "/team/member_delete", team(TeamAction::MemberDelete)),
    Route(POST, "/team/bulk_member_add", team(TeamAction::MembersAdd)),
    Route(GET, "/team/permissions_list", team(TeamAction::Permissions)),
    Route(POST, "/team/permissions_update", team(TeamAction::SetPermissions)),
    Route(POST, "/team/permissions_bulk_update", team(TeamAction::SetSeveralPermissions)),
    Route(GET, "/team/{id}/members/me", team(TeamAction::MemberMe)),
    Route(POST, "/team/{team_id}/member/{user_id}/reset_spend", team(TeamAction::MemberResetSpend)),
    Route(POST, "/team/{team_id}/member/{user_id}/reset_budget", team(TeamAction::MemberResetBudget)),
    Route(GET, "/team/available", team(TeamAction::Available)),
    Route(GET, "/team/metadata_schema", team(TeamAction::MetadataSchema)),
    Route(GET, "/team/filter/ui", team(TeamAction::Filter)),
    Route(GET, "/team/spend/by_user", team(TeamAction::SpendByUser)),
    Route(POST, "/management/v1/teams/{team_id}/members/bulk_delete", team(TeamAction::MembersRemove)),
    Route(POST, "/management/v1/teams/{team_id}/members/bulk_update", team(TeamAction::MembersLimit)),
    Route(&Method::PATCH, "/team/{id}", team(TeamAction::Update)),
    Route(POST, "/team/{team_id}/callback", team(TeamAction::CallbackAdd)),
    Route(GET, "/team/{team_id}/callback", team(TeamAction::Callbacks)),
    Route(&Method::DELETE, "/team/{team_id}/callback/{callback_name}", team(TeamAction::CallbackDelete)),
    Route(POST, "/team/{team_id}/disable_logging", team(TeamAction::DisableLogging)),
    Route(POST, "/team/model/add", team(TeamAction::ModelAdd)),
    Route(POST, "/team/model/delete", team(TeamAction::ModelDelete)),
    Route(POST, "/user/new", user(UserAction::New)),
    Route(POST, "/user/update", user(UserAction::Update)),
    Route(POST, "/user/bulk_update", user(UserAction::BulkUpdate)),
    Route(POST, "/user/delete", user(UserAction::Delete)),
    Route(GET, "/user/info", user(UserAction::Info)),
    Route(GET, "/v2/user/info", user(UserAction::RowAlone)),
    Route(GET, "/user/list", user(UserAction::List)),
    Route(GET, "/user/available_roles", user(UserAction::Roles)),
    Route(GET, "/user/filter/ui", user(UserAction::Filter)),
    Route(GET, "/user/available_users", user(UserAction::Counts)),
    Route(POST, "/management/v1/users/bulk", user(UserAction::BulkNew)),
    Route(POST, "/management/v1/users/bulk_delete", user(UserAction::BulkDelete)),
    Route(POST, "/jwt/key/mapping/new", token_key(TokenKeyAction::New)),
    Route(POST, "/jwt/key/mapping/update", token_key(TokenKeyAction::Update)),
    Route(POST, "/jwt/key/mapping/delete", token_key(TokenKeyAction::Delete)),
    Route(GET, "/jwt/key/mapping/list", token_key(TokenKeyAction::List)),
    Route(GET, "/jwt/key/mapping/info", token_key(TokenKeyAction::Info)),
    Route(POST, "/invitation/new", invitation(InvitationAction::New)),
    Route(GET, "/invitation/info", invitation(InvitationAction::Info)),
    Route(POST, "/invitation/update", invitation(InvitationAction::Update)),
    Route(POST, "/invitation/delete", invitation(InvitationAction::Delete)),
    Route(GET, "/onboarding/get_token", Handler::SignIn(SsoStep::Onboard)),
    Route(POST, "/onboarding/claim_token", Handler::SignIn(SsoStep::Claim)),
    Route(POST, "/user/password/change", Handler::SignIn(SsoStep::ChangePassword)),
    Route(POST, "/customer/new", customer(CustomerAction::New)),
    Route(POST, "/customer/update", customer(CustomerAction::Update)),
    Route(POST, "/customer/delete", customer(CustomerAction::Delete)),
    Route(GET, "/customer/info", customer(CustomerAction::Info)),
    Route(GET, "/customer/list", customer(CustomerAction::List)),
    Route(POST, "/customer/block", customer(CustomerAction::Block)),
    Route(POST, "/customer/unblock", customer(CustomerAction::Unblock)),
    Route(POST, "/end_user/new", customer(CustomerAction::New)),
    Route(POST, "/end_user/update", customer(CustomerAction::Update)),
    Route(POST, "/end_user/delete", customer(CustomerAction::Delete)),
    Route(GET, "/end_user/info", customer(CustomerAction::Info)),
    Route(GET, "/end_user/list", customer(CustomerAction::List)),
    Route(POST, "/end_user/block", customer(CustomerAction::Block)),
    Route(POST, "/end_user/unblock", customer(CustomerAction::Unblock)),
    Route(POST, "/organization/new", organization(OrganizationAction::New)),
    Route(&Method::PATCH, "/organization/update", organization(OrganizationAction::Update)),
    Route(&Method::DELETE, "/organization/delete", organization(OrganizationAction::Delete)),
    Route(GET, "/organization/info", organization(OrganizationAction::Info)),
    Route(POST, "/organization/info", organization(OrganizationAction::InfoOfSeveral)),
    Route(GET, "/organization/list", organization(OrganizationAction::List)),
    Route(POST, "/organization/member_add", organization(OrganizationAction::MemberAdd)),
    Route(&Method::PATCH, "/organization/member_update", organization(OrganizationAction::MemberUpdate)),
    Route(&Method::DELETE, "/organization/member_delete", organization(OrganizationAction::MemberDelete)),
    Route(POST, "/project/new", project(ProjectAction::New)),
    Route(POST, "/project/update", project(ProjectAction::Update)),
    Route(&Method::DELETE, "/project/delete", project(ProjectAction::Delete)),
    Route(GET, "/project/info", project(ProjectAction::Info)),
    Route(GET, "/project/list", project(ProjectAction::List)),
    Route(POST, "/v1/access_group", access_group(AccessGroupAction::New)),
    Route(GET, "/v1/access_group", access_group(AccessGroupAction::List)),
    Route(GET, "/v1/access_group/{access_group_id}", access_group(AccessGroupAction::Info)),
    Route(&Method::PUT, "/v1/access_group/{access_group_id}", access_group(AccessGroupAction::Update)),
    Route(&Method::DELETE, "/v1/access_group/{access_group_id}", access_group(AccessGroupAction::Delete)),
    Route(POST, "/v1/unified_access_group", access_group(AccessGroupAction::New)),
    Route(GET, "/v1/unified_access_group", access_group(AccessGroupAction::List)),
    Route(GET, "/v1/unified_access_group/{access_group_id}", access_group(AccessGroupAction::Info)),
    Route(
        &Method::PUT,
        "/v1/unified_access_group/{access_group_id}",
        access_group(AccessGroupAction::Update),
    ),
    Route(
        &Method::DELETE,
        "/v1/unified_access_group/{access_group_id}",
        access_group(AccessGroupAction::Delete),
    ),
    Route(POST, "/access_group/new", model_group(ModelGroupAction::New)),
    Route(GET, "/access_group/list", model_group(ModelGroupAction::List)),
    Route(GET, "/access_group/{access_group}/info", model_group(ModelGroupAction::Info)),
    Route(&Method::PUT, "/access_group/{access_group}/update", model_group(ModelGroupAction::Update)),
    Route(&Method::DELETE, "/access_group/{access_group}/delete", model_group(ModelGroupAction::Delete)),
    Route(GET, "/access_group/{access_group}/budget", model_group(ModelGroupAction::Budget)),
    Route(&Method::PUT, "/access_group/{access_group}/budget", model_group(ModelGroupAction::SetBudget)),
    Route(&Method::DELETE, "/access_group/{access_group}/budget", model_group(ModelGroupAction::ClearBudget)),
    Route(POST, "/budget/new", budget(BudgetAction::New)),
    Route(POST, "/budget/update", budget(BudgetAction::Update)),
    Route(POST, "/budget/delete", budget(BudgetAction::Delete)),
    Route(POST, "/budget/info", budget(BudgetAction::Info)),
    Route(GET, "/budget/settings", budget(BudgetAction::Settings)),
    Route(GET, "/management/v1/budgets", budget(BudgetAction::ListPaged)),
    Route(GET, "/budget/list", budget(BudgetAction::List)),
    Route(POST, "/model/new", model(ModelAction::New)),
    Route(POST, "/model/update", model(ModelAction::Update)),
    Route(&Method::PATCH, "/model/{model}/update", model(ModelAction::Patch)),
    Route(POST, "/model/delete", model(ModelAction::Delete)),
    Route(POST, "/model/block", model(ModelAction::Block)),
    Route(POST, "/model/unblock", model(ModelAction::Unblock)),
    Route(POST, "/credentials", credential(CredentialAction::New)),
    Route(GET, "/credentials", credential(CredentialAction::List)),
    Route(GET, "/credentials/by_name/{credential_name}", credential(CredentialAction::Info)),
    Route(GET, "/credentials/by_model/{model}", credential(CredentialAction::OfModel)),
    Route(POST, "/credentials/migrate-encryption", credential(CredentialAction::Reseal)),
    Route(GET, "/credentials/migrate-encryption/check", credential(CredentialAction::CheckSeals)),
    Route(GET, "/credentials/{credential_name}/jwks", credential(CredentialAction::PublicKeys)),
    Route(&Method::PATCH, "/credentials/{credential_name}", credential(CredentialAction::Update)),
    Route(&Method::DELETE, "/credentials/{credential_name}", credential(CredentialAction::Delete)),
    Route(GET, "/tag/distinct", spend(SpendAction::TagsDistinct)),
    Route(GET, "/tag/summary", spend(SpendAction::TagSummary)),
    Route(POST, "/tag/new", tag(TagAction::New)),
    Route(POST, "/tag/update", tag(TagAction::Update)),
    Route(POST, "/tag/delete", tag(TagAction::Delete)),
    Route(POST, "/tag/info", tag(TagAction::Info)),
    Route(GET, "/tag/list", tag(TagAction::List)),
    Route(GET, "/audit", Handler::Manage(Action::Audit(AuditAction::List))),
    Route(GET, "/audit/{id}", Handler::Manage(Action::Audit(AuditAction::One))),
    Route(GET, "/spend/logs", spend(SpendAction::Logs)),
    Route(GET, "/spend/logs/v2", spend(SpendAction::LogsPaged)),
    Route(GET, "/spend/logs/ui", spend(SpendAction::LogsPaged)),
    Route(GET, "/spend/logs/session/ui", spend(SpendAction::Session)),
    Route(GET, "/spend/logs/ui/{id}", spend(SpendAction::Said)),
    Route(GET, "/management/v1/spend_logs/end_users", spend(SpendAction::Names(NamesOf::Customers))),
    Route(GET, "/management/v1/spend_logs/users", spend(SpendAction::Names(NamesOf::Users))),
    Route(GET, "/spend/keys", spend(SpendAction::Keys)),
    Route(GET, "/spend/users", spend(SpendAction::Users)),
    Route(GET, "/spend/tags", spend(SpendAction::Tags)),
    Route(GET, "/global/spend", spend(SpendAction::Global)),
    Route(GET, "/global/spend/logs", spend(SpendAction::GlobalLogs)),
    Route(GET, "/global/spend/keys", spend(SpendAction::GlobalKeys)),
    Route(GET, "/global/spend/teams", spend(SpendAction::GlobalTeams)),
    Route(GET, "/global/spend/models", spend(SpendAction::GlobalModels)),
    Route(GET, "/global/spend/provider", spend(SpendAction::GlobalProviders)),
    Route(GET, "/global/spend/tags", spend(SpendAction::GlobalTags)),
    Route(GET, "/global/spend/all_tag_names", spend(SpendAction::TagNames)),
    Route(GET, "/global/all_end_users", spend(SpendAction::AllCustomers)),
    Route(POST, "/global/spend/end_users", spend(SpendAction::GlobalCustomers)),
    Route(GET, "/global/spend/report", spend(SpendAction::Report)),
    Route(GET, "/provider/budgets", spend(SpendAction::Providers)),
    Route(POST, "/global/spend/reset", spend(SpendAction::ResetAll)),
    Route(POST, "/global/spend/refresh", spend(SpendAction::Refresh)),
    Route(GET, "/key/spend/report", report(ReportOf::Key)),
    Route(GET, "/user/spend/report", report(ReportOf::User)),
    Route(GET, "/team/spend/report", report(ReportOf::Team)),
    Route(GET, "/organization/spend/report", report(ReportOf::Organization)),
    Route(GET, "/global/activity", spend(SpendAction::Activity)),
    Route(GET, "/global/activity/model", spend(SpendAction::ActivityByModel)),
    Route(GET, "/global/activity/cache_hits", spend(SpendAction::CacheHits)),
    Route(GET, "/global/activity/exceptions", metrics(MetricsAction::RateLimits)),
    Route(GET, "/global/activity/exceptions/deployment", metrics(MetricsAction::RateLimitsByDeployment)),
    Route(GET, "/model/metrics", metrics(MetricsAction::PerToken)),
    Route(GET, "/model/metrics/slow_responses", metrics(MetricsAction::Slow)),
    Route(GET, "/model/metrics/exceptions", metrics(MetricsAction::Exceptions)),
    Route(GET, "/model/streaming_metrics", metrics(MetricsAction::FirstToken)),
    Route(GET, "/user/daily/activity", activity(ActivityOf::User, false)),
    Route(GET, "/user/daily/activity/aggregated", activity(ActivityOf::User, true)),
    Route(GET, "/team/daily/activity", activity(ActivityOf::Team, false)),
    Route(GET, "/team/daily/activity/aggregated", activity(ActivityOf::Team, true)),
    Route(GET, "/organization/daily/activity", activity(ActivityOf::Organization, false)),
    Route(GET, "/organization/daily/activity/aggregated", activity(ActivityOf::Organization, true)),
    Route(GET, "/customer/daily/activity", activity(ActivityOf::Customer, false)),
    Route(GET, "/customer/daily/activity/aggregated", activity(ActivityOf::Customer, true)),
    Route(GET, "/end_user/daily/activity", activity(ActivityOf::Customer, false)),
    Route(GET, "/end_user/daily/activity/aggregated", activity(ActivityOf::Customer, true)),
    Route(GET, "/tag/daily/activity", activity(ActivityOf::Tag, false)),
    Route(GET, "/tag/daily/activity/aggregated", activity(ActivityOf::Tag, true)),
    Route(GET, "/scim/v2/Users", scim(ScimOf::Users, ScimVerb::List)),
    Route(POST, "/scim/v2/Users", scim(ScimOf::Users, ScimVerb::New)),
    Route(GET, "/scim/v2/Users/{id}", scim(ScimOf::Users, ScimVerb::One)),
    Route(&Method::PUT, "/scim/v2/Users/{id}", scim(ScimOf::Users, ScimVerb::Replace)),
    Route(&Method::PATCH, "/scim/v2/Users/{id}", scim(ScimOf::Users, ScimVerb::Patch)),
    Route(&Method::DELETE, "/scim/v2/Users/{id}", scim(ScimOf::Users, ScimVerb::Delete)),
    Route(GET, "/scim/v2/Groups", scim(ScimOf::Groups, ScimVerb::List)),
    Route(POST, "/scim/v2/Groups", scim(ScimOf::Groups, ScimVerb::New)),
    Route(GET, "/scim/v2/Groups/{id}", scim(ScimOf::Groups, ScimVerb::One)),
    Route(&Method::PUT, "/scim/v2/Groups/{id}", scim(ScimOf::Groups, ScimVerb::Replace)),
    Route(&Method::PATCH, "/scim/v2/Groups/{id}", scim(ScimOf::Groups, ScimVerb::Patch)),
    Route(&Method::DELETE, "/scim/v2/Groups/{id}", scim(ScimOf::Groups, ScimVerb::Delete)),
    Route(GET, "/scim/v2/ServiceProviderConfig", scim(ScimOf::ServiceProviderConfig, ScimVerb::One)),
    Route(GET, "/scim/v2/ResourceTypes", scim(ScimOf::ResourceTypes, ScimVerb::List)),
    Route(GET, "/scim/v2/ResourceTypes/{id}", scim(ScimOf::ResourceTypes, ScimVerb::One)),
    Route(GET, "/scim/v2/Schemas", scim(ScimOf::Schemas, ScimVerb::List)),
    Route(GET, "/scim/v2/Schemas/{id}", scim(ScimOf::Schemas, ScimVerb::One)),
    Route(GET, "/scim/v2", scim(ScimOf::ResourceTypes, ScimVerb::List)),
    Route(GET, "/scim/v2/", scim(ScimOf::ResourceTypes, ScimVerb::List)),
    Route(GET, "/sso/key/generate", Handler::SignIn(SsoStep::Begin)),
    Route(GET, "/sso/callback", Handler::SignIn(SsoStep::Callback)),
    Route(GET, "/sso/readiness", Handler::SignIn(SsoStep::Readiness)),
    Route(GET, "/sso/get/ui_settings", Handler::SignIn(SsoStep::UiSettings)),
    Route(POST, "/sso/cli/start", Handler::SignIn(SsoStep::CliStart)),
    Route(POST, "/sso/cli/complete/{login_id}", Handler::SignIn(SsoStep::CliComplete)),
    Route(GET, "/sso/cli/poll/{key_id}", Handler::SignIn(SsoStep::CliPoll)),
    Route(GET, "/fallback/login", Handler::SignIn(SsoStep::PasswordForm)),
    Route(POST, "/fallback", fallback(FallbackAction::Set)),
    Route(GET, "/fallback/{model}", fallback(FallbackAction::Read)),
    Route(&Method::DELETE, "/fallback/{model}", fallback(FallbackAction::Delete)),
    Route(POST, "/login", Handler::SignIn(SsoStep::Password)),
    Route(POST, "/v2/login", Handler::SignIn(SsoStep::Password)),
    Route(POST, "/v3/login", Handler::SignIn(SsoStep::PasswordForCode)),
    Route(POST, "/v3/login/exchange", Handler::SignIn(SsoStep::Exchange)),
    Route(POST, "/session/logout", Handler::SignIn(SsoStep::Logout)),
    Route(GET, "/", Handler::Health(health::Probe::Greeting)),
    Route(GET, "/robots.txt", Handler::Health(health::Probe::Robots)),
    Route(GET, "/routes", Handler::Health(health::Probe::Routes)),
    Route(GET, "/test", Handler::Health(health::Probe::Test)),
    Route(GET, "/health/liveliness", Handler::Health(health::Probe::Live)),
    Route(GET, "/health/liveness", Handler::Health(health::Probe::Live)),
    Route(&Method::OPTIONS, "/health/liveliness", Handler::Health(health::Probe::Live)),
    Route(&Method::OPTIONS, "/health/liveness", Handler::Health(health::Probe::Live)),
    Route(GET, "/health/readiness", Handler::Health(health::Probe::Ready)),
    Route(&Method::OPTIONS, "/health/readiness", Handler::Health(health::Probe::Ready)),
    Route(GET, "/health/readiness/details", Handler::Health(health::Probe::Details)),
    Route(GET, "/health", Handler::Health(health::Probe::Deployments)),
    Route(POST, "/health/test_connection", Handler::TestConnection),
    Route(GET, "/health/services", Handler::Health(health::Probe::Details)),
    Route(GET, "/health/drain", Handler::Health(health::Probe::Drain)),
    Route(GET, "/health/backlog", Handler::Health(health::Probe::Backlog)),
    Route(GET, "/metrics", Handler::Metrics),
    Route(GET, "/metrics/", Handler::Metrics),
];

/// Calls beside chat, in OpenAI's words.
const fn beside(operation: Operation, call_type: &'static str) -> Handler {
    let stream = None;
    Handler::Call(Door { dialect: DialectId::OpenaiChat, call_type, stream, operation: Some(operation) })
}

const fn converse(stream: bool) -> Handler {
    Handler::Call(Door::chat(DialectId::Converse, "allm_passthrough_route", Some(stream)))
}
