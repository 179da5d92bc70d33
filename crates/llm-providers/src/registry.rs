//! Which providers there are: the built-in ones and the user's own, by slug.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::{Arc, LazyLock};

use http::Uri;
use llm_types::{Error, ErrorKind, Result};

use crate::catalog::{PriceBook, same_vendor};
use crate::{ProviderSpec, providers};

/// A provider's record, shared.
pub type Provider = Arc<ProviderSpec>;

/// The providers there are. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Registry {
    by_slug: Arc<HashMap<Box<str>, Provider>>,
}

static BUILT_IN: LazyLock<Registry> = LazyLock::new(|| {
    let by_slug =
        providers::built_in().map(|spec| (spec.id.as_str().into(), Arc::new(spec.clone()))).collect();
    Registry { by_slug: Arc::new(by_slug) }
});

impl Default for Registry {
    fn default() -> Self {
        Self::built_in()
    }
}

impl Registry {
    /// The built-in providers.
    #[must_use]
    pub fn built_in() -> Self {
        BUILT_IN.clone()
    }

    /// With providers of the user's own; one with the slug of a built-in provider replaces it.
    ///
    /// # Errors
    /// [`ErrorKind::Internal`] when a slug is empty or holds a slash, or a base URL cannot be used.
    pub fn with(self, own: impl IntoIterator<Item = ProviderSpec>) -> Result<Self> {
        let mut by_slug = Arc::unwrap_or_clone(self.by_slug);
        for mut spec in own {
            check(&spec)?;
            let base_url = spec.base_url.trim_end_matches('/').to_owned();
            spec.base_url = base_url.into();
            by_slug.insert(spec.id.as_str().into(), Arc::new(spec));
        }
        Ok(Self { by_slug: Arc::new(by_slug) })
    }

    /// The provider of a slug.
    #[must_use]
    pub fn provider(&self, slug: &str) -> Option<&Provider> {
        self.by_slug.get(slug)
    }

    /// All providers, by slug.
    #[must_use]
    pub fn all(&self) -> Vec<&Provider> {
        let mut all: Vec<&Provider> = self.by_slug.values().collect();
        all.sort_by(|a, b| a.id.cmp(&b.id));
        all
    }

    /// The provider and the model's own name in a name such as `groq/llama-3.3-70b`. What stands before
    /// the first slash is the provider if there is one of that slug. A name without a known slug belongs
    /// to the provider that [`Registry::bare`] tells.
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`] when no provider can be told; the message says how to name one.
    pub fn split_model<'a>(&self, name: &'a str) -> Result<(&Provider, &'a str)> {
        if let Some((slug, model)) = name.split_once('/')
            && let Some(provider) = self.provider(slug)
        {
            if model.is_empty() {
                return Err(unknown(name, "the name of the model is missing"));
            }
            return Ok((provider, model));
        }
        self.bare(name)
            .map(|provider| (provider, name))
            .ok_or_else(|| unknown(name, "write it as `<provider>/<model>`, such as `openai/gpt-4o-mini`"))
    }
}

impl Registry {
    /// The provider of a model's name without a slug: the one that [`bare_owner`] tells, else the one under
    /// which the price book lists exactly this name (`deepseek-chat`, `amazon.nova-lite-v1:0`).
    #[must_use]
    pub fn bare(&self, name: &str) -> Option<&Provider> {
        if let Some(slug) = bare_owner(name) {
            return self.provider(slug);
        }
        let listed = PriceBook::builtin().find(name).filter(|info| *info.name == *name)?;
        let family = |provider: &&Provider| {
            let slug = provider.id.as_str();
            same_vendor(slug, &listed.provider) && slug != "litellm_proxy"
        };
        self.provider(&listed.provider).or_else(|| self.all().into_iter().find(family))
    }
}

/// The slug of the provider that a bare model name belongs to, by how the name *begins*:
///
/// * OpenAI: `gpt-` (but not the open-weight `gpt-oss-`), `chatgpt-`, `ft:gpt-`, `o` and a number up to
///   the end or a dash (`o1`, `o3-mini`), `codex-`, `computer-use-`, `text-embedding-`,
///   `omni-moderation-`, `dall-e-`, `whisper-`, `tts-`, `sora-`.
/// * Anthropic: `claude-`.
///
/// Nothing is ever guessed from the middle of a name: `my-gpt-4` and `vendor/claude-3` belong to nobody.
#[must_use]
pub fn bare_owner(name: &str) -> Option<&'static str> {
    const OPENAI: [&str; 10] = [
        "chatgpt-",
        "codex-",
        "computer-use-",
        "dall-e-",
        "ft:gpt-",
        "omni-moderation-",
        "sora-",
        "text-embedding-",
        "tts-",
        "whisper-",
    ];
    let is_openai = OPENAI.iter().any(|start| name.starts_with(start))
        || (name.starts_with("gpt-") && !name.starts_with("gpt-oss"))
        || is_o_series(name);
    if is_openai {
        Some("openai")
    } else if name.starts_with("claude-") {
        Some("anthropic")
    } else {
        None
    }
}

/// As [`bare_owner`], in the form the router asks in.
#[must_use]
pub fn provider_of_bare_model(name: &str) -> Option<Cow<'static, str>> {
    bare_owner(name).map(Cow::Borrowed)
}

fn is_o_series(name: &str) -> bool {
    let Some(rest) = name.strip_prefix('o') else { return false };
    let after = rest.trim_start_matches(|c: char| c.is_ascii_digit());
    after.len() < rest.len() && (after.is_empty() || after.starts_with('-'))
}

fn unknown(name: &str, why: &str) -> Error {
    Error::new(ErrorKind::NotFound, format!("no provider for model `{name}`: {why}")).with_param("model")
}

fn check(spec: &ProviderSpec) -> Result<()> {
    let fault = |why: String| Err(Error::new(ErrorKind::Internal, format!("provider `{}`: {why}", spec.id)));
    if spec.id.as_str().is_empty() || spec.id.as_str().contains('/') {
        return fault("a slug is not empty and has no slash".to_owned());
    }
    if !spec.prefix.is_empty() && (!spec.prefix.starts_with('/') || spec.prefix.ends_with('/')) {
        return fault(format!("`prefix` is `{}`: it starts with a slash and ends without", spec.prefix));
    }
    let is_url = spec
        .base_url
        .replace("{region}", "region")
        .parse::<Uri>()
        .is_ok_and(|uri| uri.scheme().is_some() && uri.host().is_some());
    if !spec.base_url.is_empty() && !is_url {
        return fault(format!("`base_url` is `{}`: expected an absolute URL", spec.base_url));
    }
    Ok(())
}

#[cfg(test)]
mod tests;
