//! Under which names a deployment's model may stand in the price book. LiteLLM surface §9.1.

/// A deployment's model, for a lookup. The first name that is known and of the right vendor wins:
/// with vendor and region, with vendor, bare, then the same without region and version, then with
/// leading path segments taken off one by one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ModelQuery<'a> {
    /// The vendor's slug.
    pub provider: &'a str,
    /// The model, with or without the vendor's prefix.
    pub model: &'a str,
    /// The name to price by instead (`base_model`).
    pub base_model: Option<&'a str>,
    /// The vendor's region, where the deployment names one.
    pub region: Option<&'a str>,
    /// The asked image, for vendors whose price depends on it.
    pub image: Option<Image<'a>>,
}

/// An image as it was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Image<'a> {
    /// Width and height: `1024x1024`.
    pub size: &'a str,
    /// The vendor's word for its quality (`hd`, `high`, `50-steps`); `standard` when not said.
    pub quality: Option<&'a str>,
}

impl<'a> ModelQuery<'a> {
    /// A model of a vendor.
    #[must_use]
    pub const fn new(provider: &'a str, model: &'a str) -> Self {
        Self { provider, model, base_model: None, region: None, image: None }
    }

    /// Prices by another name.
    #[must_use]
    pub const fn with_base_model(mut self, base_model: Option<&'a str>) -> Self {
        self.base_model = base_model;
        self
    }

    /// Names the region.
    #[must_use]
    pub const fn with_region(mut self, region: Option<&'a str>) -> Self {
        self.region = region;
        self
    }

    /// Names the asked image.
    #[must_use]
    pub const fn with_image(mut self, image: Option<Image<'a>>) -> Self {
        self.image = image;
        self
    }

    /// The names to try, best first, and whether the record must be about this vendor: an operator's
    /// `base_model` may name anybody's model.
    pub(super) fn candidates(&self) -> Vec<(String, bool)> {
        let mut names = Vec::with_capacity(12);
        if let Some(base_model) = self.base_model {
            self.names_of(base_model, &mut names);
            names.push((base_model.to_owned(), false));
        }
        self.names_of(self.model, &mut names);
        let mut seen = std::collections::HashSet::new();
        names.retain(|name| seen.insert(name.clone()));
        names
    }

    fn names_of(&self, model: &str, names: &mut Vec<(String, bool)>) {
        let provider = self.provider;
        let mut push = |name: String| names.push((name, true));
        let bare = model.strip_prefix(provider).and_then(|rest| rest.strip_prefix('/')).unwrap_or(model);
        let bare = if is_bedrock(provider) { arn_model(bare) } else { bare };
        if let Some(image) = self.image {
            image.names(bare).for_each(|name| {
                push(format!("{provider}/{name}"));
                push(name);
            });
        }
        if let Some(region) = self.region {
            push(format!("{provider}/{region}/{bare}"));
            push(format!("{provider}/{region}/{}", strip(provider, bare)));
        }
        let mut rest = Some(bare);
        while let Some(name) = rest {
            for name in [name, strip(provider, name)] {
                push(format!("{provider}/{name}"));
                push(name.to_owned());
            }
            rest = name.split_once('/').map(|(_, tail)| tail);
        }
    }
}

impl Image<'_> {
    /// The names under which this image of a model may be priced.
    fn names(&self, model: &str) -> impl Iterator<Item = String> {
        let size = self.size.replace('x', "-x-");
        let quality = self.quality.unwrap_or("standard");
        [format!("{quality}/{size}/{model}"), format!("{size}/{quality}/{model}"), format!("{size}/{model}")]
            .into_iter()
    }
}

/// Whether a record of the price book is about this vendor: the slugs are equal or the record's is a
/// family of the vendor's.
#[must_use]
pub fn same_vendor(provider: &str, record: &str) -> bool {
    if provider == record {
        return true;
    }
    match provider {
        "vertex_ai" | "vertex_ai_beta" => record.starts_with("vertex_ai"),
        "bedrock" | "bedrock_converse" => matches!(record, "bedrock" | "bedrock_converse"),
        "fireworks_ai" => record.starts_with("fireworks_ai"),
        "cohere" | "cohere_chat" => matches!(record, "cohere" | "cohere_chat"),
        "azure" => record == "azure_text",
        "openai" => record == "text-completion-openai",
        "codestral" => record == "text-completion-codestral",
        "inception" => record == "text-completion-inception",
        "ollama_chat" => record == "ollama",
        "sagemaker_chat" | "sagemaker_nova" => record == "sagemaker",
        "watsonx_text" => record == "watsonx",
        "anthropic_text" => record == "anthropic",
        // A proxy in front of others sells anybody's models.
        "litellm_proxy" => true,
        _ => false,
    }
}

fn is_bedrock(provider: &str) -> bool {
    provider.starts_with("bedrock")
}

/// The model of an ARN (`arn:aws:bedrock:…:inference-profile/us.anthropic.…`), or the text itself.
fn arn_model(model: &str) -> &str {
    match model.find("arn:aws") {
        Some(at) => model[at..].split_once('/').map_or(model, |(_, id)| id),
        None => model,
    }
}

/// A model without region and version, as vendors write them.
fn strip<'m>(provider: &str, model: &'m str) -> &'m str {
    match provider {
        _ if is_bedrock(provider) => strip_bedrock(model),
        "vertex_ai" | "vertex_ai_beta" | "gemini" => strip_vertex(model),
        _ => strip_fine_tune(model),
    }
}

/// `us.anthropic.claude-…-v1:0:51k` is `anthropic.claude-…-v1:0`.
fn strip_bedrock(model: &str) -> &str {
    const REGIONS: &[&str] =
        &["us", "us-gov", "eu", "apac", "ap", "au", "jp", "ca", "sa", "me", "af", "global"];
    let model = model.rsplit('/').next().unwrap_or(model);
    let bare = match model.split_once('.') {
        Some((region, rest)) if REGIONS.contains(&region) && rest.contains('.') => rest,
        _ => model,
    };
    match bare.rsplit_once(':') {
        Some((id, size))
            if size.ends_with('k') && size[..size.len() - 1].bytes().all(|b| b.is_ascii_digit()) =>
        {
            id
        }
        _ => bare,
    }
}

/// `gemini-…-001` and `claude-…@20250101` without the version.
fn strip_vertex(model: &str) -> &str {
    if let Some((id, _)) = model.split_once('@') {
        return id;
    }
    match model.rsplit_once('-') {
        Some((id, version)) if !version.is_empty() && version.bytes().all(|byte| byte.is_ascii_digit()) => id,
        _ => model,
    }
}

/// `ft:gpt-4o-mini-2024-07-18:org::id` is priced as `ft:gpt-4o-mini-2024-07-18`.
fn strip_fine_tune(model: &str) -> &str {
    let Some(rest) = model.strip_prefix("ft:") else { return model };
    rest.find(':').map_or(model, |end| &model[..3 + end])
}

#[cfg(test)]
mod tests;
