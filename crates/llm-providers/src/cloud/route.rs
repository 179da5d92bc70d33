//! Which models of a cloud are called how.

use std::borrow::Cow;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::{Cloud, CloudSpec, Identity, Shell, Words};
use crate::{Auth, DialectId, ProviderSpec, Quirks, Target};

/// How some models of a cloud are called. All conditions must hold; an empty one always does.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Route {
    /// How a model's name looks: `a*b` begins with `a` and holds `b` somewhere behind it.
    #[serde(default)]
    pub models: Words,
    /// Texts of which the base URL holds one.
    #[serde(default)]
    pub bases: Words,
    /// How the version of the API the operator set looks; written as `models` are.
    #[serde(default)]
    pub versions: Words,
    /// The beginning of the model's name that only chose the route.
    #[serde(default)]
    pub strip: Cow<'static, str>,
    /// The region the models are in, whatever is configured.
    #[serde(default)]
    pub region: Cow<'static, str>,
    /// Where they are, if not where the record says; a base URL that the operator gives counts all the same.
    #[serde(default)]
    pub base_url: Cow<'static, str>,
    /// For which service requests are signed, if not for the record's.
    #[serde(default)]
    pub service: Cow<'static, str>,
    /// The dialect the models speak.
    pub dialect: DialectId,
    /// As [`ProviderSpec::prefix`].
    #[serde(default)]
    pub prefix: Cow<'static, str>,
    /// Where a key goes, if not where the record says.
    #[serde(default)]
    pub auth: Option<Auth>,
    /// Named differences from the dialect.
    #[serde(default)]
    pub quirks: Quirks,
    /// How requests are wrapped.
    #[serde(default)]
    pub shell: Shell,
}

impl Route {
    /// A route for every model, in OpenAI's dialect, as the dialect writes it.
    pub const ANY: Self = Self {
        models: Cow::Borrowed(&[]),
        bases: Cow::Borrowed(&[]),
        versions: Cow::Borrowed(&[]),
        strip: Cow::Borrowed(""),
        region: Cow::Borrowed(""),
        base_url: Cow::Borrowed(""),
        service: Cow::Borrowed(""),
        dialect: DialectId::OpenaiChat,
        prefix: Cow::Borrowed(""),
        auth: None,
        quirks: Quirks::NONE,
        shell: Shell::NONE,
    };

    fn fits(&self, model: &str, base_url: &str, version: Option<&str>) -> bool {
        let any = |words: &Words, fits: &dyn Fn(&str) -> bool| {
            words.is_empty() || words.iter().any(|word| fits(word))
        };
        any(&self.models, &|look| looks_like(model, look))
            && any(&self.bases, &|part| base_url.contains(part))
            && any(&self.versions, &|look| version.is_some_and(|version| looks_like(version, look)))
    }
}

/// Whether a name begins with what stands before the star and holds, behind it, what stands after it. Behind
/// an exclamation mark: whether it does not.
pub(crate) fn looks_like(name: &str, look: &str) -> bool {
    if let Some(look) = look.strip_prefix('!') {
        return !looks_like(name, look);
    }
    match look.split_once('*') {
        None => name == look,
        Some((start, part)) => name.strip_prefix(start).is_some_and(|rest| rest.contains(part)),
    }
}

impl Target {
    /// The target with its record as it is for its model: dialect, URL, sign-in, quirks. A target whose
    /// model is a pattern (`*`) stays as it is, for its models' routes differ; so does one without routes.
    #[must_use]
    pub fn routed(mut self) -> Self {
        let cloud = &self.spec.cloud;
        if self.model.contains('*') || (cloud.routes.is_empty() && !cloud.region_in_model) {
            return self;
        }
        let spec = Arc::clone(&self.spec);
        if spec.cloud.region_in_model {
            self.take_region();
        }
        let version = self.cloud.as_ref().and_then(|cloud| cloud.version.as_deref());
        let route = spec.cloud.routes.iter().find(|route| route.fits(&self.model, &self.base_url, version));
        let mut cloud =
            CloudSpec { routes: Cow::Borrowed(&[]), region_in_model: false, ..spec.cloud.clone() };
        let Some(route) = route else {
            self.spec = Arc::new(ProviderSpec { cloud, ..(*spec).clone() });
            return self;
        };
        if let Some(rest) = self.model.strip_prefix(&*route.strip) {
            self.model = rest.to_owned();
        }
        if !route.region.is_empty() {
            let said = self.cloud.get_or_insert_with(Cloud::default);
            said.region = Some(route.region.clone().into_owned());
        }
        if !route.base_url.is_empty() && self.base_url == spec.full_base_url(None) {
            self.base_url = route.base_url.to_string();
        }
        if !route.service.is_empty() {
            cloud.identity = Identity::Aws(route.service.clone());
        }
        let bare = route.dialect.without_own_path(&self.base_url).len();
        if bare < self.base_url.len() {
            self.base_url.truncate(bare);
        } else if !self.base_url.ends_with(&*route.prefix) {
            self.base_url.push_str(&route.prefix);
        }
        // The operator may have named another of OpenAI's APIs for the model.
        let chosen = spec.dialect == DialectId::OpenaiResponses && route.dialect == DialectId::OpenaiChat;
        self.spec = Arc::new(ProviderSpec {
            dialect: if chosen { spec.dialect } else { route.dialect },
            auth: route.auth.clone().unwrap_or_else(|| spec.auth.clone()),
            quirks: Quirks { own_template: spec.quirks.own_template.clone(), ..route.quirks.clone() },
            cloud: CloudSpec { shell: route.shell.clone(), ..cloud },
            ..(*spec).clone()
        });
        self
    }

    /// Takes the region a model's name begins with off it, and reads the one of a resource name.
    fn take_region(&mut self) {
        let mut words: Vec<&str> = self.model.split('/').collect();
        let at = words.iter().take(2).position(|word| is_region(word));
        let named = at.map(|at| words.remove(at).to_owned());
        let rest = words.join("/");
        let of_resource = rest.split_once("arn:").and_then(|(_, arn)| arn.split(':').nth(2));
        let of_resource = of_resource.filter(|region| is_region(region)).map(str::to_owned);
        if let Some(region) = named.or(of_resource) {
            self.cloud.get_or_insert_with(Cloud::default).region = Some(region);
        }
        self.model = rest;
    }

    /// The region requests go to; empty when the target's cloud has none.
    #[must_use]
    pub fn region(&self) -> &str {
        let said = self.cloud.as_ref().and_then(|cloud| cloud.region.as_deref());
        said.unwrap_or(&self.spec.cloud.region.default)
    }

    /// The base URL with the region in the place of `{region}`, or the region's own.
    pub(crate) fn regional_base_url(&self) -> Cow<'_, str> {
        if !self.base_url.contains("{region}") {
            return Cow::Borrowed(&self.base_url);
        }
        let region = self.region();
        let own = self.spec.cloud.region_urls.iter().find(|(name, _)| name == region);
        let rest = self.base_url.strip_prefix(&*self.spec.base_url);
        match (own, rest) {
            (Some((_, url)), Some(rest)) => Cow::Owned(format!("{}{rest}", url.replace("{region}", region))),
            _ => Cow::Owned(self.base_url.replace("{region}", region)),
        }
    }

    /// The name by which a model's family is told: the maker's, where the deployment's is free text.
    #[must_use]
    pub fn family(&self) -> &str {
        let base = self.cloud.as_ref().and_then(|cloud| cloud.base_model.as_deref());
        // A base model is written as in price lists: `azure/gpt-4o`.
        base.map_or(&self.model, |base| base.rsplit_once('/').map_or(base, |(_, name)| name))
    }
}

/// Whether a word is the name of a region such as `us-east-1` or `us-gov-west-1`.
pub(super) fn is_region(word: &str) -> bool {
    let mut parts = word.split('-');
    let area =
        parts.next().is_some_and(|area| area.len() == 2 && area.bytes().all(|b| b.is_ascii_lowercase()));
    let Some((number, places)) = parts.collect::<Vec<_>>().split_last().map(|(n, p)| (*n, p.to_vec())) else {
        return false;
    };
    let word_like = |place: &&str| !place.is_empty() && place.bytes().all(|b| b.is_ascii_lowercase());
    area && !places.is_empty()
        && places.iter().all(word_like)
        && !number.is_empty()
        && number.bytes().all(|b| b.is_ascii_digit())
}
