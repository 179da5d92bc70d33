//! The built-in providers: records, no code.
//!
//! To add one that speaks a dialect we have, add a record to the file of its kind, in the order of slugs.

mod agents;
mod aggregators;
mod amazon;
mod azure;
mod clouds;
mod google;
mod labs;
mod local;
mod media;
mod platforms;
mod profiles;
mod prompts;

use crate::ProviderSpec;

/// One record. Fields in the order a reader asks for them: who, where, how to sign in, what differs.
macro_rules! provider {
    (
        id: $id:literal, name: $name:literal, docs: $docs:literal,
        base_url: $base:literal, prefix: $prefix:literal,
        base_url_env: [$($base_env:literal),*], key_env: [$($key_env:literal),*],
        auth: $auth:expr, dialect: $dialect:ident $(($wire:expr))?, quirks: $quirks:expr $(,)?
    ) => {
        $crate::providers::provider! {
            id: $id, name: $name, docs: $docs, base_url: $base, prefix: $prefix,
            base_url_env: [$($base_env),*], key_env: [$($key_env),*],
            auth: $auth, dialect: $dialect $(($wire))?, quirks: $quirks, cloud: $crate::CloudSpec::NONE,
        }
    };
    (
        id: $id:literal, name: $name:literal, docs: $docs:literal,
        base_url: $base:literal, prefix: $prefix:literal,
        base_url_env: [$($base_env:literal),*], key_env: [$($key_env:literal),*],
        auth: $auth:expr, dialect: $dialect:ident $(($wire:expr))?, quirks: $quirks:expr, cloud: $cloud:expr $(,)?
    ) => {
        $crate::ProviderSpec {
            id: ::llm_types::ProviderId::known($id),
            name: ::std::borrow::Cow::Borrowed($name),
            docs: ::std::borrow::Cow::Borrowed($docs),
            base_url: ::std::borrow::Cow::Borrowed($base),
            prefix: ::std::borrow::Cow::Borrowed($prefix),
            base_url_env: $crate::providers::words![$($base_env),*],
            key_env: $crate::providers::words![$($key_env),*],
            auth: $auth,
            dialect: $crate::DialectId::$dialect $(($wire))?,
            quirks: $quirks,
            cloud: $cloud,
        }
    };
}

/// A constant list of words.
macro_rules! words {
    ($($word:literal),*) => {
        ::std::borrow::Cow::Borrowed(&[$(::std::borrow::Cow::Borrowed($word)),*])
    };
}

/// A setting of a cloud.
macro_rules! setting {
    ($param:literal, [$($env:literal),*], $default:literal) => {
        Setting { param: Cow::Borrowed($param), env: words![$($env),*], default: Cow::Borrowed($default) }
    };
}

/// A constant list of pairs.
macro_rules! pairs {
    ($($one:literal => $other:literal),* $(,)?) => {
        Cow::Borrowed(&[$((Cow::Borrowed($one), Cow::Borrowed($other))),*])
    };
}

/// A constant list of amendments.
macro_rules! amend {
    ($($one:ident $(($($with:expr),*))?),* $(,)?) => {
        Cow::Borrowed(&[$($crate::Amendment::$one $(($($with),*))?),*])
    };
}

/// A constant list of rules for some models.
macro_rules! rules {
    ($($rule:expr),* $(,)?) => { Cow::Borrowed(&[$($rule),*]) };
}

use {amend, pairs, provider, rules, setting, words};

/// All built-in providers, in the order of the files.
pub fn built_in() -> impl Iterator<Item = &'static ProviderSpec> {
    [
        labs::LABS,
        clouds::CLOUDS,
        amazon::AMAZON,
        azure::AZURE,
        google::GOOGLE,
        aggregators::AGGREGATORS,
        local::LOCAL,
        media::MEDIA,
        prompts::PROMPTS,
        platforms::PLATFORMS,
        agents::AGENTS,
    ]
    .into_iter()
    .flatten()
}

#[cfg(test)]
mod tests;
