//! Model records in LiteLLM's own keys: reading them, and writing them for its API. Surface §9.3.

use llm_types::{Error, OffPeak, PromptBand, Rate, Ratio, Result, Window};
use serde_json::{Map, Value};

use super::info::CACHED_FROM;
use super::{ModelInfo, keys};

type Object = Map<String, Value>;

/// Searches by these vendors are billed once per prompt unless the record says otherwise.
const SEARCH_BY_PROMPT: &[&str] = &["gemini", "vertex_ai", "vertex_ai-language-models"];
/// Thresholds of these vendors take effect at their bound, not beyond it.
const INCLUSIVE_THRESHOLDS: &[&str] = &["xai"];
/// Prose about a model is no fact about it.
const PROSE: &[&str] = &["comment", "metadata", "web_search_billing_unit"];
/// Time zones without summer time, and how many minutes they are ahead of UTC.
const FIXED_ZONES: &[(&str, i32)] = &[("UTC", 0), ("Asia/Shanghai", 480), ("Asia/Tokyo", 540)];

/// Which of an entry's keys are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Keys {
    /// All; unknown ones are kept as facts.
    All,
    /// Prices, limits, abilities and the mode; others belong to somebody else.
    Model,
    /// Prices; others belong to somebody else.
    Prices,
}

/// The record of an entry of LiteLLM's map.
pub(super) fn read(name: &str, entry: &Object) -> Result<ModelInfo> {
    read_keys(name, entry, Keys::All)
}

/// The record of some keys of an entry.
pub(super) fn read_keys(name: &str, entry: &Object, keys: Keys) -> Result<ModelInfo> {
    let text = |key: &str| entry.get(key).and_then(Value::as_str);
    let provider = text("litellm_provider").unwrap_or_default();
    let per_query = text("web_search_billing_unit") == Some("per_query");
    let mut reader = Reader {
        info: ModelInfo { name: name.into(), ..ModelInfo::default() },
        inclusive: INCLUSIVE_THRESHOLDS.contains(&provider),
        search: if SEARCH_BY_PROMPT.contains(&provider) && !per_query {
            "web_search_prompt"
        } else {
            "web_search"
        },
    };
    if keys == Keys::All {
        reader.info.provider = provider.into();
    }
    for (key, value) in entry.iter().filter(|(_, value)| !value.is_null()) {
        if reader.take_price(key, value)? || keys == Keys::Prices {
            continue;
        }
        reader.take_fact(key, value, keys)?;
    }
    reader.info.supports.sort_unstable();
    reader.info.lacks.sort_unstable();
    let old = reader.info.max_tokens;
    reader.info.max_tokens = old.filter(|_| old != reader.info.max_output);
    Ok(reader.info)
}

struct Reader {
    info: ModelInfo,
    inclusive: bool,
    search: &'static str,
}

impl Reader {
    /// Takes a price; says whether it was one.
    fn take_price(&mut self, key: &str, value: &Value) -> Result<bool> {
        let price = &mut self.info.price;
        if let Some((rate, per)) = keys::rate_key(key, self.inclusive) {
            match value {
                Value::Object(kinds) => {
                    for (kind, usd) in kinds {
                        put(&mut price.rates, &format!("{rate}:{kind}"), per, usd, key)?;
                    }
                }
                _ => put(&mut price.rates, &rate, per, value, key)?,
            }
            return Ok(true);
        }
        if let Some((_, trigger)) = keys::FACTORS.iter().find(|(name, _)| *name == key) {
            price.times.push(((*trigger).into(), factor(value, key)?));
            return Ok(true);
        }
        match key {
            "tiered_pricing" => self.take_bands(value)?,
            "off_peak_pricing" => price.off_peak = Some(Box::new(off_peak(value)?)),
            "search_context_cost_per_query" => self.take_search(value)?,
            "provider_specific_entry" => self.take_provider_specific(value)?,
            _ => return Ok(false),
        }
        Ok(true)
    }

    fn take_fact(&mut self, key: &str, value: &Value, keys: Keys) -> Result<()> {
        let info = &mut self.info;
        match key {
            "max_input_tokens" => info.max_input = Some(limit(value, key)?),
            "max_output_tokens" => info.max_output = Some(limit(value, key)?),
            "max_tokens" => info.max_tokens = Some(limit(value, key)?),
            "mode" => info.mode = value.as_str().map(Into::into),
            "deprecation_date" => info.retires = value.as_str().map(Into::into),
            CACHED_FROM => {
                info.facts.insert(key.to_owned(), limit(value, key)?.into());
            }
            "litellm_provider" => {}
            _ => match (key.strip_prefix("supports_"), value.as_bool()) {
                (Some(ability), Some(true)) => info.supports.push(ability.into()),
                (Some(ability), Some(false)) => info.lacks.push(ability.into()),
                _ if keys == Keys::All && !PROSE.contains(&key) => {
                    info.facts.insert(key.to_owned(), whole(value).map_or_else(|| value.clone(), Into::into));
                }
                _ => {}
            },
        }
        if let (Keys::All, "metadata", Some(successor)) = (keys, key, value.get("successor")) {
            info.facts.insert("successor".to_owned(), successor.clone());
        }
        Ok(())
    }

    fn take_bands(&mut self, value: &Value) -> Result<()> {
        for band in objects(value, "tiered_pricing")? {
            if let Some((from, to)) = bounds(band.get("max_results_range")) {
                let usd = band.get("input_cost_per_query").unwrap_or(&Value::Null);
                put(&mut self.info.price.rates, &format!("query:{from}-{to}"), 1, usd, "tiered_pricing")?;
                continue;
            }
            let (above, up_to) = bounds(band.get("range")).ok_or_else(|| {
                bad("tiered_pricing", "expected a `range` of two token counts in each tier")
            })?;
            let rates = rates(band, &["range"])?;
            self.info.price.by_prompt.push(PromptBand { above, up_to, rates });
        }
        self.info.price.by_prompt.sort_by_key(|band| band.above);
        Ok(())
    }

    fn take_search(&mut self, value: &Value) -> Result<()> {
        const KEY: &str = "search_context_cost_per_query";
        let sizes = value.as_object().ok_or_else(|| bad(KEY, "expected an object of prices by size"))?;
        let same = sizes.len() == 3 && sizes.values().all(|price| Some(price) == sizes.values().next());
        for (size, usd) in sizes {
            let size = size.strip_prefix("search_context_size_").unwrap_or(size);
            let rate = if same { self.search.to_owned() } else { format!("{}:{size}", self.search) };
            put(&mut self.info.price.rates, &rate, 1, usd, KEY)?;
        }
        Ok(())
    }

    /// Numbers are factors (`{"fast": 2, "us": 1.1}`); the rest are facts.
    fn take_provider_specific(&mut self, value: &Value) -> Result<()> {
        const KEY: &str = "provider_specific_entry";
        let mut facts = Object::new();
        for (key, value) in value.as_object().ok_or_else(|| bad(KEY, "expected an object"))? {
            if value.is_number() && !key.contains('_') {
                self.info.price.times.push((key.as_str().into(), factor(value, KEY)?));
            } else {
                facts.insert(key.clone(), value.clone());
            }
        }
        if !facts.is_empty() {
            self.info.facts.insert(KEY.to_owned(), Value::Object(facts));
        }
        Ok(())
    }
}

/// Keeps a rate; a later one of the same key wins.
fn put(rates: &mut Vec<Rate>, rate: &str, per: u32, usd: &Value, key: &str) -> Result<()> {
    let number = number(usd).ok_or_else(|| bad(key, &format!("found `{usd}`, expected a price in USD")))?;
    let rate = Rate::parse(rate, number * f64::from(per)).map_err(|problem| bad(key, &problem))?;
    rates.retain(|held| held.key() != rate.key());
    rates.push(rate);
    Ok(())
}

fn rates(object: &Object, except: &[&str]) -> Result<Vec<Rate>> {
    let mut rates = Vec::with_capacity(object.len());
    for (key, usd) in object.iter().filter(|(key, _)| !except.contains(&key.as_str())) {
        let (rate, per) = keys::rate_key(key, false).ok_or_else(|| bad(key, "expected a price key"))?;
        put(&mut rates, &rate, per, usd, key)?;
    }
    Ok(rates)
}

fn off_peak(value: &Value) -> Result<OffPeak> {
    const KEY: &str = "off_peak_pricing";
    let object = value.as_object().ok_or_else(|| bad(KEY, "expected an object"))?;
    let mut windows = Vec::new();
    for window in objects(object.get("windows").unwrap_or(&Value::Null), KEY)? {
        let spans = match window.get("hours_utc") {
            Some(Value::Array(spans)) => spans.as_slice(),
            Some(span) => std::slice::from_ref(span),
            None => &[],
        };
        let minutes: Option<Vec<(u16, u16)>> = spans.iter().map(|span| minutes(span.as_str()?)).collect();
        let minutes = minutes.ok_or_else(|| bad(KEY, "expected `hours_utc` such as `04:00-06:00`"))?;
        let days = window.get("weekdays").and_then(Value::as_array).into_iter().flatten();
        let days = days.filter_map(|day| u8::try_from(day.as_u64()?).ok()).collect();
        windows.push(Window { minutes, days });
    }
    let weekday_offset = match object.get("weekday_timezone") {
        None => 0,
        Some(zone) => {
            let known = FIXED_ZONES.iter().find(|(name, _)| zone == name);
            known.ok_or_else(|| bad(KEY, &format!("the time zone `{zone}` is not known")))?.1
        }
    };
    Ok(OffPeak { windows, weekday_offset, rates: rates(object, &["windows", "weekday_timezone"])? })
}

fn minutes(span: &str) -> Option<(u16, u16)> {
    let minute = |clock: &str| {
        let (hour, minute) = clock.split_once(':')?;
        let (hour, minute): (u16, u16) = (hour.parse().ok()?, minute.parse().ok()?);
        (hour < 24 && minute < 60).then_some(hour * 60 + minute)
    };
    let (from, to) = span.split_once('-')?;
    Some((minute(from)?, minute(to)?))
}

fn objects<'v>(value: &'v Value, key: &str) -> Result<Vec<&'v Object>> {
    let list = value.as_array().ok_or_else(|| bad(key, "expected a list"))?;
    list.iter().map(|item| item.as_object().ok_or_else(|| bad(key, "expected a list of objects"))).collect()
}

fn bounds(value: Option<&Value>) -> Option<(u64, u64)> {
    let list = value?.as_array()?;
    Some((whole(list.first()?)?, whole(list.get(1)?)?))
}

fn limit(value: &Value, key: &str) -> Result<u64> {
    whole(value).ok_or_else(|| bad(key, &format!("found `{value}`, expected a number of tokens")))
}

fn factor(value: &Value, key: &str) -> Result<Ratio> {
    let factor = number(value).filter(|factor| (0.0..1e6).contains(factor));
    factor.map(Ratio::from_fraction).ok_or_else(|| bad(key, &format!("found `{value}`, expected a factor")))
}

/// A number, or a text that is one: YAML writers quote `1e-6`.
fn number(value: &Value) -> Option<f64> {
    match value {
        Value::String(text) => text.trim().parse().ok(),
        _ => value.as_f64(),
    }
}

/// A number that is a whole one, whichever way it is written.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "checked to be whole and in range"
)]
fn whole(value: &Value) -> Option<u64> {
    let float = value.as_f64()?;
    (float.fract() == 0.0 && (0.0..9e15).contains(&float)).then_some(float as u64)
}

fn bad(key: &str, problem: &str) -> Error {
    Error::bad_param(key, format!("`{key}`: {problem}"))
}
