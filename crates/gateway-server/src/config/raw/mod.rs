//! The catalogue of keys: what each key of the file is, whether it is served, and what happens if not.
//!
//! Warnings, the JSON schema and the reference page all come from these tables.

/// Writes a table of keys: `name Shape "default" status: "first sentence";`, where status is `served`,
/// `accepted` (nothing to do, said without a warning) or `later "what happens instead"`.
macro_rules! catalogue {
    (@ served) => { Status::Served };
    (@ accepted) => { Status::Accepted };
    (@ later $instead:literal) => { Status::Later($instead) };
    ($table:ident $($name:ident $shape:ident $default:literal $status:ident $($instead:literal)? : $doc:literal;)*) => {
        pub(crate) const $table: Catalogue = &[$(crate::config::raw::Key {
            name: stringify!($name),
            shape: crate::config::raw::Shape::$shape,
            default: $default,
            status: { use crate::config::raw::Status; catalogue!(@ $status $($instead)?) },
            doc: $doc,
        }),*];
        use crate::config::raw::Catalogue;
    };
}

mod general;
mod hook;
mod jwt;
mod litellm;
mod model_info;
mod model_params;
mod names;
mod near;
mod provider;
mod router;
mod top;
mod webhook;

pub(crate) use general::GENERAL;
pub(crate) use hook::ROUTING_WEBHOOK;
pub(crate) use jwt::{JWT_AUTH, JWT_ISSUER};
pub(crate) use litellm::LITELLM;
pub(crate) use model_info::MODEL_INFO;
pub(crate) use model_params::MODEL_PARAMS;
pub(crate) use names::{BODY, PRICES, PROVIDERS};
pub(crate) use near::nearest;
pub(crate) use provider::{PROVIDER, QUIRKS};
pub(crate) use router::ROUTER;
pub(crate) use top::{CREDENTIAL, MODEL, TOP};
pub(crate) use webhook::AUTH_WEBHOOK;

/// The keys of one section.
pub(crate) type Catalogue = &'static [Key];

/// One key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Key {
    pub(crate) name: &'static str,
    pub(crate) shape: Shape,
    /// The default as it would be written; empty when there is none.
    pub(crate) default: &'static str,
    pub(crate) status: Status,
    /// What it is, in one sentence.
    pub(crate) doc: &'static str,
}

/// What a value looks like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shape {
    Text,
    /// Text that is never shown.
    Secret,
    Flag,
    /// A whole number, zero or more.
    Count,
    Number,
    /// A number of seconds, zero or more.
    Seconds,
    List,
    Map,
    Any,
}

/// Whether a key does something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Status {
    Served,
    /// Nothing to do: the gateway always behaves so, or the key is about LiteLLM's own insides.
    Accepted,
    /// Not yet; what happens instead.
    Later(&'static str),
}

/// The entry of a key.
pub(crate) fn find(keys: Catalogue, name: &str) -> Option<&'static Key> {
    keys.iter().find(|key| key.name == name)
}

/// The section of settings that has a key of this name, for those who wrote it into another one.
pub(crate) fn home_of(name: &str) -> Option<&'static str> {
    let homes = [("router_settings", ROUTER), ("litellm_settings", LITELLM), ("general_settings", GENERAL)];
    let served = |keys: Catalogue| find(keys, name).is_some_and(|key| key.status == Status::Served);
    homes.into_iter().find(|(_, keys)| served(keys)).map(|(section, _)| section)
}

/// All sections with the place of their keys in the file, for the schema and the reference.
pub(crate) const SECTIONS: &[(&str, Catalogue)] = &[
    ("", TOP),
    ("model_list[]", MODEL),
    ("model_list[].litellm_params", MODEL_PARAMS),
    ("model_list[].model_info", MODEL_INFO),
    ("credential_list[]", CREDENTIAL),
    ("providers.<slug>", PROVIDER),
    ("providers.<slug>.quirks", QUIRKS),
    ("general_settings", GENERAL),
    ("general_settings.custom_auth_settings", AUTH_WEBHOOK),
    ("general_settings.litellm_jwtauth", JWT_AUTH),
    ("general_settings.litellm_jwtauth.issuers[]", JWT_ISSUER),
    ("litellm_settings", LITELLM),
    ("router_settings", ROUTER),
    ("router_settings.routing_webhook", ROUTING_WEBHOOK),
];

#[cfg(test)]
mod tests;
