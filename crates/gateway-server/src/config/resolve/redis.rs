//! Where the Redis is over which gateways tell each other of deployments.

use llm_types::Secret;

use super::section::text_of;
use super::{Context, Section};
use crate::config::Redis;
use crate::config::raw::GENERAL;
use crate::config::source::Node;

/// The port of Redis.
const PORT: u16 = 6379;

/// `redis_url`, else `redis_host` with its fellows; environment variables of the same names in capitals
/// are not looked at: sharing is asked for in the file.
pub(super) fn resolve(section: &mut Section<'_, '_, '_>) -> Option<Redis> {
    if let Some(url) = section.secret("redis_url") {
        let read = of_url(url.reveal());
        if read.is_none() {
            let expected =
                "expected `redis://[user:password@]host[:port][/database]`, or `rediss://…` over TLS";
            section.error("redis_url", "found something else", expected);
        }
        return read;
    }
    let host = section.text("redis_host").filter(|host| !host.is_empty())?;
    Some(Redis {
        host,
        port: section.count("redis_port").unwrap_or(PORT),
        tls: false,
        user: None,
        password: section.secret("redis_password"),
        database: section.count("redis_db").unwrap_or(0),
    })
}

/// `coordination_redis` of `general_settings`: a Redis for this alone, before that of `router_settings`.
pub(super) fn coordination(cx: &mut Context<'_>, general: Option<&Node>) -> Option<Redis> {
    const KEY: &str = "coordination_redis";
    let mut section = Section::open(cx, "general_settings", general, GENERAL);
    let node = section.mapping(KEY)?;
    let text = |name: &str| node.member(name).and_then(text_of).filter(|text| !text.is_empty());
    let known = ["url", "host", "port", "password", "username", "ssl", "db"];
    let (path, at) = (section.path_of(KEY), section.at(KEY));
    for member in node.members().iter().filter(|member| !known.contains(&member.key.as_str())) {
        let found = format!("found `{}`", member.key);
        section.cx.warning(&path, &at, found, "it has no effect: one Redis is spoken to, with a password");
    }
    let of_parts = || {
        let number = |name: &str, usual: u16| text(name).map_or(Some(usual), |text| text.parse().ok());
        Some(Redis {
            host: text("host")?,
            port: number("port", PORT)?,
            tls: text("ssl").is_some_and(|ssl| ssl.eq_ignore_ascii_case("true")),
            user: text("username"),
            password: text("password").map(Secret::new),
            database: number("db", 0)?.into(),
        })
    };
    let read = text("url").map_or_else(of_parts, |url| of_url(&url));
    if read.is_none() && !node.members().is_empty() {
        section.error(KEY, "found no place of a Redis", "expected `host` (and `port`), or `url`");
    }
    read
}

fn of_url(url: &str) -> Option<Redis> {
    let (scheme, rest) = url.trim().split_once("://")?;
    let tls = match scheme {
        "redis" | "valkey" => false,
        "rediss" | "valkeys" => true,
        _ => return None,
    };
    let (place, database) = rest.split_once('/').unwrap_or((rest, ""));
    let (user, at) = match place.rsplit_once('@') {
        Some((user, at)) => (Some(user.split_once(':').unwrap_or((user, ""))), at),
        None => (None, place),
    };
    let (host, port) = match at.rsplit_once(':') {
        Some((host, port)) => (host, port.parse().ok()?),
        None => (at, PORT),
    };
    let decoded = |text: &str| (!text.is_empty()).then(|| crate::routes::decoded(text).into_owned());
    let host = host.trim_start_matches('[').trim_end_matches(']');
    (!host.is_empty()).then_some(())?;
    Some(Redis {
        host: host.to_owned(),
        port,
        tls,
        user: user.and_then(|(name, _)| decoded(name)),
        password: user.and_then(|(_, password)| decoded(password)).map(Secret::new),
        database: if database.is_empty() { 0 } else { database.parse().ok()? },
    })
}

#[cfg(test)]
mod tests;
