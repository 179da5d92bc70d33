//! Which provider a model belongs to.

use std::sync::Arc;

use llm_providers::{DialectId, ProviderSpec, Registry, operations};

use super::Section;
use crate::config::raw::{PROVIDERS, nearest};

/// Which provider a model belongs to.
pub(crate) enum Owner {
    /// A provider the registry has, and the model in its own words.
    Served(Arc<ProviderSpec>, String),
    /// One that LiteLLM has and this version does not; why, for callers.
    Unserved(String),
    /// The problem is reported.
    Wrong,
}

/// Finds the provider of `model`, by `custom_llm_provider`, by its prefix or by how its name begins.
pub(crate) fn find(section: &mut Section<'_, '_, '_>, model: &str, registry: &Registry) -> Owner {
    // A further gateway is told the provider as part of the name.
    let own = section.text("custom_llm_provider").filter(|_| !section.is_on("use_litellm_proxy"));
    if let Some(slug) = own {
        let name = model.strip_prefix(slug.as_str()).and_then(|rest| rest.strip_prefix('/')).unwrap_or(model);
        return by_slug(section, "custom_llm_provider", &slug, name, registry);
    }
    if let Some((slug, name)) = model.split_once('/')
        && (registry.provider(slug).is_some() || is_foreign(slug))
    {
        return by_slug(section, "model", slug, name, registry);
    }
    if let Some(provider) = registry.bare(model) {
        return Owner::Served(Arc::clone(provider), model.to_owned());
    }
    if model.starts_with("gemini-") {
        return by_slug(section, "model", "vertex_ai", model, registry);
    }
    no_owner(section, model, registry);
    Owner::Wrong
}

fn is_foreign(slug: &str) -> bool {
    PROVIDERS.contains(&slug) || slug == "auto_router"
}

fn by_slug(
    section: &mut Section<'_, '_, '_>,
    key: &str,
    slug: &str,
    name: &str,
    registry: &Registry,
) -> Owner {
    if let Some(provider) = registry.provider(slug) {
        if name.is_empty() && !operations::has_nameless(provider) {
            let expected = format!("expected the name of a model behind it, such as `{slug}/*` for all");
            section.error("model", format!("found `{slug}/`"), expected);
            return Owner::Wrong;
        }
        if provider.dialect == DialectId::OpenaiChat && name.starts_with("responses/") {
            return by_responses(section, provider, name);
        }
        return Owner::Served(Arc::clone(provider), name.to_owned());
    }
    if is_foreign(slug) {
        return Owner::Unserved(format!("provider `{slug}` is not served yet"));
    }
    let slugs = registry.all();
    let near = nearest(slug, slugs.iter().map(|provider| provider.id.as_str()));
    let (path, at) = (section.path_of(key), section.at(key));
    let found = format!("found provider `{slug}`, which nobody knows");
    let problem = section.cx.error(&path, &at, found, "expected the slug of a provider");
    problem.hint = near.map(|near| format!("did you mean `{near}`?"));
    Owner::Wrong
}

/// A model that is to be called by the Responses API, whatever dialect the caller speaks.
fn by_responses(section: &mut Section<'_, '_, '_>, provider: &ProviderSpec, name: &str) -> Owner {
    let model = name.trim_start_matches("responses/");
    if model.is_empty() {
        let found = format!("found `{}/responses/`", provider.id);
        section.error(
            "model",
            found,
            "expected the name of a model behind it, such as `openai/responses/o3`",
        );
        return Owner::Wrong;
    }
    let spec = ProviderSpec { dialect: DialectId::OpenaiResponses, ..provider.clone() };
    Owner::Served(Arc::new(spec), model.to_owned())
}

fn no_owner(section: &mut Section<'_, '_, '_>, model: &str, registry: &Registry) {
    let slug = model.split_once('/').map(|(slug, _)| slug);
    let slugs = registry.all();
    let near = slug.and_then(|slug| nearest(slug, slugs.iter().map(|provider| provider.id.as_str())));
    let (path, at) = (section.path_of("model"), section.at("model"));
    let found = format!("found {}, which names no known provider", section.shown("model"));
    let problem = section.cx.error(&path, &at, found, "expected `<provider>/<model>`");
    problem.hint = Some(match (near, slug) {
        (Some(near), _) => format!("did you mean provider `{near}`?"),
        (None, _) if model == "*" => "name a provider, such as `openai/*`".to_owned(),
        (None, Some(_)) => {
            format!("for a server that speaks OpenAI's API write `openai/{model}` and `api_base`")
        }
        (None, None) => format!("write `openai/{model}` if that is where it lives"),
    });
}
