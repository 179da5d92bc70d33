//! Where the Redis is over which gateways tell each other of deployments.

use llm_types::Secret;

use super::Section;
use crate::config::Redis;

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
