//! Sign-in to AWS. The order of what counts is LiteLLM's: web identity, a role, a profile, keys; then the
//! default chain of AWS's tools: environment, web identity, files, container, instance.

use std::path::{Path, PathBuf};

use llm_providers::cloud::CloudSpec;
use llm_providers::signin::aws::{
    Aws, AwsKeys, CONTAINER, Files, INSTANCE, Nearby, Places, Role, from_profile, sts_endpoint,
};
use llm_providers::signin::{Given, Source};
use llm_types::Secret;

use super::{Said, env, given, setting};
use crate::config::resolve::Section;
use crate::config::source::Tree;

/// What the entry says.
pub(super) fn said(section: &mut Section<'_, '_, '_>, cloud: &CloudSpec) -> Said {
    let Ok(keys) = own_keys(section) else { return Said::Wrong };
    let keys = keys.map(Aws::Keys);
    let Ok(profile) = profile(section, cloud) else { return Said::Wrong };
    let Some(arn) = section.text("aws_role_name") else {
        if section.gives("aws_web_identity_token") {
            let found = "found a token without a role to take on with it";
            section.error("aws_web_identity_token", found, "expected `aws_role_name`");
            return Said::Wrong;
        }
        return profile.or(keys).map_or(Said::Nothing, |aws| Said::Source(Source::Aws(aws)));
    };
    let role = role(section, cloud, arn);
    if let Some(token) = section.text("aws_web_identity_token") {
        let Some(token) = given(section, "aws_web_identity_token", &token) else { return Said::Wrong };
        return Said::Source(Source::Aws(Aws::WebIdentity { token, role }));
    }
    let by = profile.or(keys).unwrap_or_else(|| default_chain(section, cloud));
    Said::Source(Source::Aws(Aws::Role { by: Box::new(by), role }))
}

/// The default chain.
pub(super) fn surrounding(section: &mut Section<'_, '_, '_>, cloud: &CloudSpec) -> Source {
    Source::Aws(default_chain(section, cloud))
}

fn own_keys(section: &mut Section<'_, '_, '_>) -> Result<Option<AwsKeys>, ()> {
    let id = section.text("aws_access_key_id");
    let secret = section.secret("aws_secret_access_key");
    let session = section.secret("aws_session_token");
    match (id, secret) {
        (Some(id), Some(secret)) => Ok(Some(AwsKeys { id: id.trim().to_owned(), secret, session })),
        (None, None) => Ok(None),
        (Some(_), None) => {
            let (found, expected) = ("found no secret of the key", "expected `aws_secret_access_key` too");
            section.error("aws_access_key_id", found, expected);
            Err(())
        }
        (None, Some(_)) => {
            let (found, expected) = ("found no id of the key", "expected `aws_access_key_id` too");
            section.error("aws_secret_access_key", found, expected);
            Err(())
        }
    }
}

fn profile(section: &mut Section<'_, '_, '_>, cloud: &CloudSpec) -> Result<Option<Aws>, ()> {
    let Some(name) = section.text("aws_profile_name") else { return Ok(None) };
    let (files, nearby) = (files(section, cloud), nearby(section));
    if let Err(error) = from_profile(&name, &files, &nearby) {
        section.error(
            "aws_profile_name",
            format!("found that {}", error.message()),
            "expected a profile that can be used",
        );
        return Err(());
    }
    Ok(Some(Aws::Profile { name, files, nearby: Box::new(nearby) }))
}

fn role(section: &mut Section<'_, '_, '_>, cloud: &CloudSpec, arn: String) -> Role {
    let region = region(section, cloud);
    let endpoint = section.text("aws_sts_endpoint").or_else(|| env(section, ["AWS_ENDPOINT_URL_STS"]));
    let session = section
        .text("aws_session_name")
        .or_else(|| env(section, ["AWS_SESSION_NAME", "AWS_ROLE_SESSION_NAME"]));
    Role {
        arn,
        session: session.unwrap_or_else(|| "gateway".to_owned()),
        external_id: section.text("aws_external_id").or_else(|| env(section, ["AWS_EXTERNAL_ID"])),
        tags: tags(section),
        endpoint: endpoint.unwrap_or_else(|| sts_endpoint(&region)),
        region,
    }
}

/// `aws_session_tags`: mappings with `Key` and `Value`.
fn tags(section: &mut Section<'_, '_, '_>) -> Vec<(String, String)> {
    let Some(node) = section.value("aws_session_tags") else { return Vec::new() };
    let tag = |node: &crate::config::source::Node| {
        let text = |name: &str| node.member(name).and_then(|value| value.text()).map(str::to_owned);
        text("Key").zip(text("Value"))
    };
    let tags: Option<Vec<_>> = match &node.tree {
        Tree::List(items) => items.iter().map(tag).collect(),
        _ => None,
    };
    if tags.is_none() {
        section.wrong("aws_session_tags", node, "expected a list of mappings with `Key` and `Value`");
    }
    tags.unwrap_or_default()
}

fn region(section: &mut Section<'_, '_, '_>, cloud: &CloudSpec) -> String {
    setting(section, &cloud.region).unwrap_or_else(|| cloud.region.default.clone().into_owned())
}

fn default_chain(section: &mut Section<'_, '_, '_>, cloud: &CloudSpec) -> Aws {
    let id = env(section, ["AWS_ACCESS_KEY_ID"]);
    let secret = env(section, ["AWS_SECRET_ACCESS_KEY"]).map(Secret::new);
    if let Some((id, secret)) = id.zip(secret) {
        let session = env(section, ["AWS_SESSION_TOKEN"]).map(Secret::new);
        return Aws::Keys(AwsKeys { id, secret, session });
    }
    let token = env(section, ["AWS_WEB_IDENTITY_TOKEN_FILE"]);
    let arn = env(section, ["AWS_ROLE_ARN", "AWS_ROLE_NAME"]);
    if let Some((token, arn)) = token.zip(arn) {
        let role = role(section, cloud, arn);
        return Aws::WebIdentity { token: Given::File(token.into()), role };
    }
    let (files, nearby) = (files(section, cloud), nearby(section));
    let name = env(section, ["AWS_PROFILE"]).unwrap_or_else(|| "default".to_owned());
    let is_there = Path::new(&files.credentials).is_file() || Path::new(&files.config).is_file();
    if is_there && from_profile(&name, &files, &nearby).is_ok() {
        return Aws::Profile { name, files, nearby: Box::new(nearby) };
    }
    Aws::Nearby(nearby)
}

fn files(section: &mut Section<'_, '_, '_>, cloud: &CloudSpec) -> Files {
    let home = env(section, ["HOME"]).unwrap_or_default();
    let at = |variable: Option<String>, name: &str| {
        variable.map_or_else(|| PathBuf::from(format!("{home}/.aws/{name}")), PathBuf::from)
    };
    Files {
        credentials: at(env(section, ["AWS_SHARED_CREDENTIALS_FILE"]), "credentials"),
        config: at(env(section, ["AWS_CONFIG_FILE"]), "config"),
        region: region(section, cloud),
        sso: Places {
            cache: PathBuf::from(format!("{home}/.aws/sso/cache")),
            portal: env(section, ["AWS_ENDPOINT_URL_SSO"]),
            oidc: env(section, ["AWS_ENDPOINT_URL_SSO_OIDC"]),
        },
    }
}

fn nearby(section: &Section<'_, '_, '_>) -> Nearby {
    let relative = env(section, ["AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"]);
    let full = env(section, ["AWS_CONTAINER_CREDENTIALS_FULL_URI"]);
    let url = relative.map(|path| format!("{CONTAINER}{path}")).or(full);
    let Some(url) = url else {
        let endpoint = env(section, ["AWS_EC2_METADATA_SERVICE_ENDPOINT"]);
        return Nearby::Instance { endpoint: endpoint.unwrap_or_else(|| INSTANCE.to_owned()) };
    };
    let file = env(section, ["AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"]).map(|path| Given::File(path.into()));
    let text = env(section, ["AWS_CONTAINER_AUTHORIZATION_TOKEN"]).map(|text| Given::Text(Secret::new(text)));
    Nearby::Container { url, token: file.or(text) }
}
