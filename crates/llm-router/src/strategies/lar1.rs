//! `lar1`: a kind of model by how sure the caller is of its question. LiteLLM surface §7.2.

use fastrand::Rng;

use super::Pool;

/// The first deployment of the kind that `metadata.lar1` asks for (`model_info.type`), else the first.
pub(super) fn pick(pool: Pool<'_>, _: &mut Rng) -> Option<u32> {
    let kind = pool.ask.lar1.map(|asked| kind(asked, pool.args.confidence));
    let of_kind = |text: Option<&str>| kind.is_some() && text == kind;
    let found = pool.iter().find(|(_, one)| of_kind(one.deployment.kind.as_deref()));
    found.map(|(at, _)| at).or_else(|| pool.open.first().copied())
}

fn kind(asked: crate::Lar1<'_>, [low, medium, high]: [f64; 3]) -> &'static str {
    match asked.confidence {
        _ if asked.evidence == "UNVERIFIED" => "cloud-smart",
        _ if asked.time == "MEM" => "cloud-fast",
        sure if sure < low => "cloud-smart",
        sure if sure < medium => "cloud-fast",
        sure if sure < high => "local",
        _ => "deep",
    }
}

#[cfg(test)]
mod tests;
