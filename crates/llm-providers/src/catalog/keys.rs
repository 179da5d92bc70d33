//! LiteLLM's names of prices and ours: plain data and text, which the workshop includes as well.

/// LiteLLM's stem, our meter, and how many units our written price is for.
pub(crate) const STEMS: &[(&str, &str, u32)] = &[
    ("input_cost_per_token", "input", 1_000_000),
    ("output_cost_per_token", "output", 1_000_000),
    ("output_cost_per_reasoning_token", "reasoning", 1_000_000),
    ("cache_read_input_token_cost", "cache_read", 1_000_000),
    ("input_cost_per_token_cache_hit", "cache_read", 1_000_000),
    ("cache_creation_input_token_cost", "cache_write", 1_000_000),
    ("cache_creation_input_token_cost_above_1hr", "cache_write_1h", 1_000_000),
    ("explicit_cache_read_input_token_cost", "explicit_cache_read", 1_000_000),
    ("cache_read_input_audio_token_cost", "cache_read_audio", 1_000_000),
    ("cache_read_input_image_token_cost", "cache_read_image", 1_000_000),
    ("cache_creation_input_audio_token_cost", "cache_write_audio", 1_000_000),
    ("input_cost_per_audio_token", "audio_token_in", 1_000_000),
    ("input_cost_per_image_token", "image_token_in", 1_000_000),
    ("input_cost_per_video_token", "video_token_in", 1_000_000),
    ("output_cost_per_audio_token", "audio_token_out", 1_000_000),
    ("output_cost_per_image_token", "image_token_out", 1_000_000),
    ("output_cost_per_video_token", "video_token_out", 1_000_000),
    ("citation_cost_per_token", "citation", 1_000_000),
    ("input_dbu_cost_per_token", "dbu_in", 1_000_000),
    ("output_dbu_cost_per_token", "dbu_out", 1_000_000),
    ("input_cost_per_character", "character_in", 1_000_000),
    ("output_cost_per_character", "character_out", 1_000_000),
    ("input_cost_per_pixel", "pixel_in", 1_000_000),
    ("output_cost_per_pixel", "pixel_out", 1_000_000),
    ("input_cost_per_image", "image_in", 1),
    ("output_cost_per_image", "image_out", 1),
    ("cost_per_second", "second", 1),
    ("input_cost_per_second", "second_in", 1),
    ("output_cost_per_second", "second_out", 1),
    ("input_cost_per_audio_per_second", "audio_second_in", 1),
    ("output_cost_per_audio_per_second", "audio_second_out", 1),
    ("input_cost_per_video_per_second", "video_second_in", 1),
    ("output_cost_per_video_per_second", "video_second_out", 1),
    ("input_cost_per_request", "request", 1),
    ("input_cost_per_query", "query", 1),
    ("input_cost_per_text_message", "text_message", 1),
    ("ocr_cost_per_page", "page", 1),
    ("annotation_cost_per_page", "annotated_page", 1),
    ("ocr_cost_per_credit", "credit", 1),
    ("guardrail_cost_per_unit", "guardrail_unit", 1),
    ("code_interpreter_cost_per_session", "code_session", 1),
    ("google_maps_grounding_cost_per_query", "maps_query", 1),
];

/// LiteLLM's tier suffix and our tier.
pub(crate) const TIERS: &[(&str, &str)] = &[
    ("_flex", "flex"),
    ("_balanced", "balanced"),
    ("_priority", "priority"),
    ("_ultrafast", "ultrafast"),
    ("_fast", "fast"),
    ("_batches", "batch"),
    ("_decisions", "decisions"),
];

/// LiteLLM's price factors and what triggers them.
pub(crate) const FACTORS: &[(&str, &str)] = &[
    ("regional_processing_uplift_multiplier_eu", "eu_host"),
    ("regional_processing_uplift_multiplier_us", "us_host"),
    ("regional_endpoint_uplift_multiplier", "regional"),
];

/// Stems whose keys may end in a size or resolution.
const SIZED: &[&str] = &["output_cost_per_second", "output_cost_per_image"];

/// Our rate key for LiteLLM's key of a plain price, and the factor from its price to our written one;
/// `inclusive` is for the providers whose thresholds take effect at their bound.
pub(crate) fn rate_key(key: &str, inclusive: bool) -> Option<(String, u32)> {
    let (rest, tier) = TIERS
        .iter()
        .find_map(|(suffix, tier)| Some((key.strip_suffix(suffix)?, Some(*tier))))
        .unwrap_or((key, None));
    let (stem, condition) = condition(rest, inclusive)?;
    let (_, meter, per) = STEMS.iter().find(|(name, ..)| *name == stem)?;
    let tier = tier.map_or(String::new(), |tier| format!("@{tier}"));
    Some((format!("{meter}{condition}{tier}"), *per))
}

/// Splits a key without its tier into the stem and our condition.
fn condition(key: &str, inclusive: bool) -> Option<(&str, String)> {
    if STEMS.iter().any(|(stem, ..)| *stem == key) {
        return Some((key, String::new()));
    }
    if let Some((stem, bound)) = key.rsplit_once("_above_") {
        if let Some(tokens) = bound.strip_suffix("_tokens") {
            let sign = if inclusive { ">=" } else { ">" };
            return Some((stem, format!("{sign}{tokens}")));
        }
        return bound.strip_suffix("_interval").map(|seconds| (stem, format!(">{seconds}")));
    }
    SIZED.iter().find_map(|stem| {
        let size = key.strip_prefix(stem)?.strip_prefix('_')?;
        size.starts_with(|first: char| first.is_ascii_digit()).then(|| (*stem, format!(":{size}")))
    })
}

/// LiteLLM's key for one of our rate keys; `None` where LiteLLM has no plain key for it.
pub(crate) fn litellm_key(ours: &str) -> Option<String> {
    let (rest, tier) = ours.split_once('@').unwrap_or((ours, ""));
    let end = rest.find([':', '>']).unwrap_or(rest.len());
    let (meter, condition) = rest.split_at(end);
    let (stem, ..) = STEMS.iter().find(|(_, name, _)| *name == meter)?;
    let condition = match condition.strip_prefix(':') {
        Some(size) if SIZED.contains(stem) => format!("_{size}"),
        Some(_) => return None,
        None => match condition.trim_start_matches(['>', '=']) {
            "" => String::new(),
            bound if bound.ends_with('s') => format!("_above_{bound}_interval"),
            bound => format!("_above_{bound}_tokens"),
        },
    };
    let suffix = TIERS.iter().find(|(_, name)| *name == tier).map_or("", |(suffix, _)| suffix);
    Some(format!("{stem}{condition}{suffix}"))
}
